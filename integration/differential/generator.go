//go:build integration

package differential

import (
	"math/rand/v2"
	"strconv"
	"strings"
)

// generator makes random expressions of a wanted kind from templates. In a
// template $K stands for an expression of kind K, and $K! for a constant of it.
type generator struct{ rand *rand.Rand }

func newGenerator(r *rand.Rand) *generator { return &generator{rand: r} }

// kindOf are the kinds: B boolean, I integer, P decimal, D approximate number, S
// text, T timestamp, L timestamp with zone, A date, C time, V interval, Y binary,
// X array of text, Z array of integers, M map, J JSON text.
const kindOf = "BIPDSTLACXZMJY"

var columns = map[byte][]string{
	'B': {"bo"}, 'I': {"ti", "si", "i", "l"}, 'P': {"p", "q", "w"}, 'D': {"f", "d"}, 'S': {"s", "u", "n", "x", "url", "r.b", "sa[1]"},
	'T': {"ts", "t6"}, 'L': {"lz"}, 'A': {"dt"}, 'C': {"tm"}, 'X': {"sa"}, 'Z': {"ia"}, 'M': {"ms"}, 'J': {"js"}, 'Y': {"y"},
}

var constants = map[byte][]string{
	'B': {"TRUE", "FALSE", "CAST(NULL AS BOOLEAN)"},
	'I': {"0", "1", "-1", "2", "7", "100", "2147483647", "-2147483648", "9223372036854775807", "CAST(3 AS TINYINT)", "CAST(NULL AS INT)"},
	'P': {"0.0", "1.5", "-1.5", "0.05", "12345.6789", "-0.000001", "99999999999999999999.5", "CAST(NULL AS DECIMAL(5, 2))"},
	'D': {"1e0", "-2.5e0", "1e10", "1e-5", "CAST(0.1 AS FLOAT)", "CAST(NULL AS DOUBLE)", "CAST(2 AS DOUBLE)"},
	'S': {"''", "' '", "'a'", "'abc'", "'Hello'", "'é世'", "'a,b,c'", "'1'", "'-12.5'", "'it''s'", "'%'", "'a_b'", "CAST(NULL AS STRING)", "CAST('ab' AS CHAR(4))"},
	'T': {"TIMESTAMP '2020-02-29 12:34:56.789'", "TIMESTAMP '1999-12-31 23:59:59'", "TIMESTAMP '2038-01-19 03:14:08.123456'", "CAST(NULL AS TIMESTAMP(3))"},
	'L': {"TO_TIMESTAMP_LTZ(1600000000, 0)", "TO_TIMESTAMP_LTZ(1600000000123, 3)"},
	'A': {"DATE '2020-02-29'", "DATE '1970-01-01'", "DATE '2024-12-31'", "DATE '1900-03-01'", "CAST(NULL AS DATE)"},
	'C': {"TIME '12:34:56'", "TIME '00:00:00'", "TIME '23:59:59'"},
	'V': {"INTERVAL '1' DAY", "INTERVAL '90' SECOND", "INTERVAL '1 02:03:04.567' DAY TO SECOND", "INTERVAL '-3' HOUR", "INTERVAL '13' MONTH", "INTERVAL '1-2' YEAR TO MONTH"},
	'X': {"ARRAY['a', 'b']", "ARRAY['x', CAST(NULL AS STRING), 'x']"}, 'Z': {"ARRAY[1, 2, 3]", "ARRAY[0, -1]"},
	'M': {"MAP['k1', 1, 'z', 2]"}, 'J': {`'{"a":[1,2],"b":{"c":"d"}}'`, "'[]'"}, 'Y': {"X'616263'", "X''"},
}

var templates = map[byte][]string{
	'B': {
		"$I = $I", "$P < $I", "$D >= $P", "$S = $S", "$S < $S", "$T > $T", "$A = $A", "$A <= $A", "$C < $C", "$B AND $B", "$B OR $B", "NOT $B", "$B IS TRUE", "$B IS NOT FALSE", "$B IS UNKNOWN",
		"$S IS NULL", "$I IS NOT NULL", "$S LIKE $S!", "$S NOT LIKE '%a%'", "$S SIMILAR TO '[a-zA-Z ]+'", "$I BETWEEN $I AND $I", "$S NOT BETWEEN 'a' AND 'z'", "$I IN (1, 2, $I)", "$S NOT IN ('a', $S)",
		"$I IS DISTINCT FROM $I", "$S IS NOT DISTINCT FROM $S", "REGEXP($S, '[a-c0-9]+')", "IS_ALPHA($S)", "IS_DIGIT($S)", "$J IS JSON", "$J IS JSON OBJECT", "$J IS NOT JSON ARRAY", "JSON_EXISTS($J, '$.a')",
		"ARRAY_CONTAINS($X, $S)", "ARRAY_CONTAINS($Z, 1)", "$L < $L", "IF($B, $B, $B)", "COALESCE($B, TRUE)", "$X = $X", "$Z <> $Z", "TRY_CAST($S AS BOOLEAN)", "CAST($I AS BOOLEAN)", "($A, INTERVAL '1' DAY) OVERLAPS ($A, INTERVAL '2' DAY)",
	},
	'I': {
		"$I + $I", "$I - $I", "$I * $I", "$I / NULLIF($I, 0)", "$I % NULLIF($I, 0)", "-$I", "ABS($I)", "SIGN(CAST($I AS INT))", "CHAR_LENGTH($S)", "POSITION($S IN $S)", "LOCATE($S, $S)", "INSTR($S, $S)", "ASCII($S)",
		"CARDINALITY($X)", "CARDINALITY($M)", "EXTRACT(YEAR FROM $A)", "EXTRACT(MONTH FROM $T)", "EXTRACT(HOUR FROM $T)", "EXTRACT(SECOND FROM $T)", "EXTRACT(DOW FROM $A)", "QUARTER($A)", "DAYOFYEAR($A)", "WEEK($A)", "HOUR($T)", "MINUTE($C)",
		"TIMESTAMPDIFF(DAY, $T, $T)", "TIMESTAMPDIFF(MONTH, $T, $T)", "TIMESTAMPDIFF(SECOND, $T, $T)", "TIMESTAMPDIFF(HOUR, $T, $A)", "TRY_CAST($S AS INT)", "TRY_CAST($S AS BIGINT)", "CAST($D AS INT)", "CAST($P AS BIGINT)", "CAST($B AS INT)",
		"CAST($I AS SMALLINT)", "CASE WHEN $B THEN $I ELSE $I END", "CASE $I WHEN 1 THEN 2 WHEN $I THEN 3 END", "COALESCE($I, $I)", "NULLIF($I, $I)", "IF($B, $I, $I)", "IFNULL($I, 0)", "GREATEST($I, $I)", "LEAST($I, $I, 5)", "$Z[1]", "$Z[$I!]", "$M['k1']",
		"ARRAY_POSITION($X, $S)", "r.a", "MOD($I, 7)", "FLOOR($I)", "CEIL($I)", "ROUND($I, -1)", "UNIX_TIMESTAMP('2020-01-01 00:00:00')", "JSON_VALUE($J, '$.a' RETURNING INTEGER NULL ON ERROR)",
	},
	'P': {
		"$P + $P", "$P - $I", "$P * $P", "$P / NULLIF($P, 0)", "$I * $P", "-$P", "ABS($P)", "ROUND($P, 1)", "ROUND($P)", "TRUNCATE($P, 1)", "FLOOR($P)", "CEIL($P)", "CAST($I AS DECIMAL(20, 3))", "CAST($P AS DECIMAL(10, 1))",
		"TRY_CAST($S AS DECIMAL(12, 3))", "TRY_CAST($S AS DECIMAL(30, 10))", "CASE WHEN $B THEN $P ELSE $I END", "COALESCE($P, 0)", "IF($B, $P, $P)", "SIGN($P)", "CAST($D AS DECIMAL(20, 4))",
	},
	'D': {
		"$D + $D", "$D - $I", "$D * $P", "$D / $D", "-$D", "ABS($D)", "SQRT(ABS($I))", "POWER($D, 2)", "EXP($D / 1e10)", "LN(ABS($I) + 1)", "LOG10(ABS($P) + 1)", "SIN($I)", "COS($D)", "ATAN($D)", "FLOOR($D)", "CEIL($D)",
		"ROUND(CAST($P AS DOUBLE), 2)", "CAST($I AS DOUBLE)", "CAST($P AS FLOAT)", "TRY_CAST($S AS DOUBLE)", "TRY_CAST($S AS FLOAT)", "CASE WHEN $B THEN $D ELSE $D END", "COALESCE($D, 0e0)", "DEGREES($D)", "RADIANS($I)", "r.c.x", "CAST($D AS FLOAT)", "ATAN2($D, $D)", "LOG2(ABS($I) + 2)",
	},
	'S': {
		"UPPER($S)", "LOWER($S)", "INITCAP($S)", "TRIM($S)", "LTRIM($S)", "RTRIM($S)", "TRIM(BOTH 'a' FROM $S)", "REVERSE($S)", "SUBSTRING($S, $I!)", "SUBSTRING($S FROM 2 FOR 3)", "SUBSTR($S, -3, 2)", "LEFT($S, 3)", "RIGHT($S, 2)", "LPAD($S, 6, 'xy')", "RPAD($S, 3, ' ')",
		"CONCAT($S, $S)", "$S || $S", "CONCAT_WS(',', $S, $S)", "REPLACE($S, $S, $S)", "REGEXP_REPLACE($S, '[aeiou]', '#')", "REGEXP_EXTRACT($S, '([a-z]+)', 1)", "REGEXP_EXTRACT($S, '[0-9]+')", "SPLIT_INDEX($S, ',', 1)", "OVERLAY($S PLACING 'XX' FROM 2 FOR 1)", "REPEAT($S, 2)",
		"CAST($I AS STRING)", "CAST($P AS STRING)", "CAST($D AS STRING)", "CAST($B AS STRING)", "CAST($T AS STRING)", "CAST($A AS STRING)", "CAST($C AS STRING)", "CAST($L AS STRING)", "CAST($X AS STRING)", "CAST($S AS VARCHAR(3))", "CAST($S AS CHAR(3))", "CAST($I AS VARCHAR(4))", "CAST($Z AS STRING)",
		"MD5($S)", "SHA256($S)", "TO_BASE64($S)", "HEX($S)", "HEX($I)", "BIN(CAST($I AS BIGINT))", "CHR($I)", "CASE WHEN $B THEN $S ELSE $S END", "COALESCE($S, $S, 'z')", "NULLIF($S, $S)", "IF($B, $S, $S)", "IFNULL($S, 'none')", "GREATEST($S, $S)", "LEAST($S, $S)",
		"DATE_FORMAT($T, 'yyyy-MM-dd HH:mm:ss.SSS')", "DATE_FORMAT($T, 'yyyyMMdd')", "DATE_FORMAT($T, 'EEE, d MMM yy h:mm a')", "FROM_UNIXTIME($I)", "CONVERT_TZ('2020-01-01 00:00:00', 'UTC', 'Asia/Shanghai')", "JSON_VALUE($J, '$.a')", "JSON_VALUE($J, 'lax $.b.c' DEFAULT 'x' ON EMPTY)",
		"JSON_QUERY($J, '$.b')", "JSON_QUERY($J, '$.a' WITH CONDITIONAL ARRAY WRAPPER)", "JSON_STRING($I)", "JSON_STRING($S)", "JSON_OBJECT('a' VALUE $I, 'b' VALUE $S)", "JSON_ARRAY($S, $I, $B)", "JSON_OBJECT('k' VALUE $S ABSENT ON NULL)", "JSON_STRING($X)", "JSON_STRING($P)", "JSON_STRING($D)",
		"PARSE_URL(url, 'HOST')", "PARSE_URL(url, 'QUERY', 'a')", "$X[1]", "ELEMENT(ARRAY[$S])", "ARRAY_JOIN($X, '-')", "ARRAY_JOIN($X, '-', 'nil')", "mi['a']", "DECODE(ENCODE($S, 'UTF-8'), 'UTF-8')", "CAST(CAST($S AS BYTES) AS STRING)", "SUBSTRING($S, 2, $I!)",
	},
	'T': {
		"$T + $V", "$T - $V", "TIMESTAMPADD(MINUTE, 5, $T)", "TIMESTAMPADD(MONTH, $I!, $T)", "CAST($A AS TIMESTAMP(3))", "TO_TIMESTAMP($S)", "TO_TIMESTAMP('2020-01-02', 'yyyy-MM-dd')", "CAST($L AS TIMESTAMP(3))", "CASE WHEN $B THEN $T ELSE $T END", "COALESCE($T, $T)", "TRY_CAST($S AS TIMESTAMP(3))", "CAST($T AS TIMESTAMP(6))",
		"FLOOR(TIMESTAMP '2020-05-17 13:14:15.678' TO HOUR)", "CEIL(TIMESTAMP '2020-05-17 13:14:15.678' TO MONTH)", "IF($B, $T, $T)", "NULLIF($T, $T)",
	},
	'L': {"CAST($T AS TIMESTAMP_LTZ(3))", "TO_TIMESTAMP_LTZ($I, 3)", "$L + INTERVAL '1' DAY", "COALESCE($L, $L)", "IF($B, $L, $L)", "CAST($A AS TIMESTAMP_LTZ(3))"},
	'A': {"$A + INTERVAL '1' DAY", "$A - INTERVAL '1' MONTH", "$A + INTERVAL '1' YEAR", "TO_DATE($S)", "TO_DATE('20200229', 'yyyyMMdd')", "TRY_CAST($S AS DATE)", "CASE WHEN $B THEN $A ELSE $A END", "FLOOR($A TO MONTH)", "CEIL($A TO YEAR)", "COALESCE($A, $A)", "TIMESTAMPADD(DAY, 3, $A)", "FLOOR($A TO WEEK)"},
	'C': {"$C + INTERVAL '1' HOUR", "$C - INTERVAL '90' MINUTE", "TRY_CAST('12:13:14' AS TIME)", "CAST($T AS TIME)", "IF($B, $C, $C)"},
	'X': {"ARRAY[$S, $S]", "ARRAY_DISTINCT($X)", "ARRAY_REVERSE($X)", "ARRAY_CONCAT($X, $X)", "ARRAY_REMOVE($X, $S)", "ARRAY_UNION($X, $X)", "ARRAY_APPEND($X, $S)", "ARRAY_PREPEND($X, $S)", "ARRAY_SLICE($X, 1, 2)", "SPLIT($S, ',')", "MAP_KEYS(mi)", "IF($B, $X, $X)", "ARRAY_EXCEPT($X, $X)", "ARRAY_INTERSECT($X, $X)"},
	'Z': {"ARRAY[$I, $I]", "ARRAY_SORT($Z)", "ARRAY_SORT($Z, FALSE)", "ARRAY_REVERSE($Z)", "ARRAY_DISTINCT($Z)", "MAP_VALUES($M)", "ARRAY_CONCAT($Z, $Z)", "ARRAY_SLICE($Z, -2)", "IF($B, $Z, $Z)"},
	'M': {"MAP['a', $I]", "IF($B, $M, $M)"},
	'J': {"JSON_OBJECT('a' VALUE $I)", "JSON_STRING(r)", "JSON_ARRAY($S)"},
	'Y': {"CAST($S AS BYTES)", "ENCODE($S, 'UTF-8')", "IF($B, $Y, $Y)"},
}

// risky templates may fail on a value.
var risky = []string{"CAST($S AS INT)", "CAST($S AS DATE)", "CAST($S AS BOOLEAN)", "CAST($S AS DECIMAL(10, 2))", "$I / $I", "$I % $I", "$P / $P", "ELEMENT($X)", "FROM_BASE64($S)", "JSON_VALUE($J, 'strict $.a' ERROR ON EMPTY ERROR ON ERROR)", "CAST($S AS TIMESTAMP(3))", "DECODE(y, $S!)"}

// expression makes an expression of a kind, at most so many levels deep.
func (g *generator) expression(kind byte, depth int) string {
	list := templates[kind]
	switch n := g.rand.IntN(10); {
	case depth <= 0 || len(list) == 0 || n == 0:
		return g.leaf(kind)
	default:
		return g.fill(list[g.rand.IntN(len(list))], depth-1)
	}
}

func (g *generator) leaf(kind byte) string {
	if list := columns[kind]; len(list) > 0 && g.rand.IntN(4) > 0 {
		return list[g.rand.IntN(len(list))]
	}
	return g.constant(kind)
}

func (g *generator) constant(kind byte) string {
	list := constants[kind]
	return list[g.rand.IntN(len(list))]
}

func (g *generator) fill(template string, depth int) string {
	var b strings.Builder
	for i := 0; i < len(template); i++ {
		if template[i] != '$' || i+1 == len(template) || strings.IndexByte(kindOf+"V", template[i+1]) < 0 {
			b.WriteByte(template[i])
			continue
		}
		i++
		kind := template[i]
		if i+1 < len(template) && template[i+1] == '!' {
			b.WriteString(g.constant(kind))
			i++
			continue
		}
		x := g.expression(kind, depth)
		if strings.ContainsAny(x, " -") && !strings.HasSuffix(x, ")") || strings.Contains(x, ") ") {
			x = "(" + x + ")"
		}
		b.WriteString(x)
	}
	return b.String()
}

func (g *generator) expressions(n int, mayFail bool) []string {
	out := make([]string, 0, n)
	for range n {
		depth := 1 + g.rand.IntN(3)
		if mayFail {
			out = append(out, g.fill(risky[g.rand.IntN(len(risky))], depth-1))
			continue
		}
		out = append(out, g.expression(kindOf[g.rand.IntN(len(kindOf))], depth))
	}
	return out
}

// pick returns one of the texts.
func (g *generator) pick(texts ...string) string { return texts[g.rand.IntN(len(texts))] }

func (g *generator) number(n int) string { return strconv.Itoa(g.rand.IntN(n)) }
