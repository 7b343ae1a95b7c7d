//go:build integration

package differential

import (
	"regexp"
	"strings"
)

// exception is where the engine differs from Flink on purpose.
type exception struct {
	expression *regexp.Regexp // what the SQL has in it; nil for any
	fault      string         // what Flink's error has in it; "" for a value
	why        string
	value      string // what one of Flink's values is; "" for any
}

// has reports whether one of the values is a text.
func (a answer) has(value string) bool {
	for _, v := range a.rows {
		if v == value {
			return true
		}
	}
	return false
}

// knownDifferences lists what is told apart from new findings. Flink's plain
// faults are not copied; where its checks refuse what has a clear meaning, the
// engine gives the value.
func knownDifferences() []exception {
	at := regexp.MustCompile
	return []exception{
		{nil, "SqlValidatorException", "Flink's validator is stricter", ""},
		{nil, "ValidationException", "Flink's validator is stricter", ""},
		{nil, "ParseException", "Flink's grammar is stricter", ""},
		{nil, "CodeGenException", "no code is generated for these types in Flink", ""},
		{nil, "CompileException", "the code that Flink generates does not compile", ""},
		{nil, "NullPointerException", "Flink's planner fails", ""},
		{nil, "AssertionError", "Flink's planner fails", ""},
		{nil, "UnsupportedOperationException", "Flink's planner fails", ""},
		{nil, "ClassCastException", "RETURNING of a text that is no number fails the job instead of being an error of the path", ""},
		{nil, "Could not map response to JSON", "the gateway cannot print the TIME", ""},
		{nil, "however, a null value is being written", "a result that Flink takes for NOT NULL is NULL", ""},
		{nil, "Infinite or NaN", "constants are folded through BigDecimal", ""},
		{nil, "Invalid time format", "hours above 23 are refused here", ""},
		{nil, "Hour out of range", "hours above 23 are refused here", ""},
		{at(`JSON_STRING\(ms\)|STR_TO_MAP`), "", "the entries of Flink's maps are in the order of their hashes", ""},
		{at(`CAST\(0\.1 AS FLOAT\)`), "", "constants are folded through BigDecimal", ""},
		{at(`AS VARCHAR\(5\)`), "", "CAST of FLOAT to VARCHAR(n) is not cut when another CAST follows", ""},
		{at(`CEIL\(dt TO DAY\)|(MINUTE|SECOND|MILLISECOND)(\(| FROM )dt`), "", "times within a DATE are garbage in Flink", ""},
		{at(`TIMESTAMPDIFF\(WEEK`), "", "overflows in Flink", ""},
		{at(`\bw %|MOD\(w`), "", "the dividend is cut to 64 bits in Flink", ""},
		{at(`^SIN\([dq]\)$`), "", "the last digit", ""},
		{at(`REGEXP(_EXTRACT)?\(s, '\['`), "", "a constant pattern that is wrong is refused before the job runs", ""},
		{at(`TIMESTAMPADD\((YEAR|QUARTER|MONTH), |TO (DECADE|CENTURY|MILLENNIUM)\)|INTERVAL '1' YEAR|FROM_UNIXTIME\(l\)`), "", "years above 9999 lose a digit in Flink", ""},
		{at(`(FLOOR|CEIL)\(tm TO|CEIL\(t6 TO MILLISECOND`), "", "TIME of a longer unit and fractions of a millisecond are garbage in Flink", ""},
		{at(`t9 AS TIMESTAMP`), "", "Flink keeps nanoseconds within the first millisecond", ""},
		{at(`AS TIME\(3\)`), "", "constants only", ""},
		{at(`aa, aa|(ia|sa|ms) (=|<>) |bo = 'true'|HASH_CODE|ARRAY<INT>\)\[`), "", "arrays with NULLs, of other types, and nested ones are compared oddly in Flink", ""},
		{at(`TO WEEK\)`), "", "weeks before 1970", ""},
		{at(`MAP\['k1', 1, 'z'|MAP_VALUES\(|MAP_KEYS\(|MAP_ENTRIES\(`), "", "the entries of Flink's maps are in the order of their hashes", ""},
		{at(`(COALESCE|IF)\(.*(dt|DATE).*ts`), "", "mixed dates and timestamps keep the type of the first in Flink", ""},
		{at(`CONVERT_TZ\(x|dt = x|ts = x|TO_TIMESTAMP\(x`), "", "calendar before 1582, and dates that do not exist", ""},
		{at(`^DATE_FORMAT`), "Unable to extract ZoneId", "UTC is printed", ""},
		{at(`^DATE_FORMAT`), "Unsupported field", "UTC is printed", ""},
		{at(`^ENCODE\(|(IF|COALESCE|CASE).*ENCODE\(`), "", "ENCODE is BINARY(1) in Flink, and cut to it where values are joined", ""},
		{at(`TO_DATE\(`), "For input string", "what cannot be parsed is NULL here", ""},
		{at(`TO_DATE\(`), "", "what cannot be parsed is a date in 5471 in Flink", "5471-09-27"},
		{at(`TO_DATE\(`), "", "the calendar before 1582 is Julian in Flink", "0000-12-30"},
		{at(`UNIX_TIMESTAMP\(`), "", "the calendar before 1582 is Julian in Flink", "-62135769600"},
		{at(`UNIX_TIMESTAMP\(`), "", "what cannot be parsed is the least number in Flink", "-9223372036854775808"},
		{at(`(REPLACE|SPLIT)\(u, ''`), "", "characters beyond U+FFFF are cut in half in Java", ""},
		{at(`ESCAPE '\\'$`), "Invalid escape character", "the gateway doubles the backslash", ""},
		{at(`^'😀' > '`), "", "constants are compared by the units of UTF-16 in Flink, columns by code points", ""},
		{at(`CAST\(y AS CHAR`), "", "an emoji counts twice for the spaces behind it in Flink", ""},
		{at(`'\$\.a b'`), "", "a name in a path may hold a space here", ""},
		{at(`JSON_[A-Z]+\(js, '\$\.b\[\?`), "NoClassDefFoundError", "filters lack a class in Flink's jars", ""},
		{at(`CEIL\((TRY_)?CAST\([a-z]+ AS DATE\) TO`), "", "years before 1582 begin elsewhere in Flink", ""},
		{at(`CAST\(CAST\(d AS STRING\) AS INT\)`), "", "Flink's planner leaves out the cast in the middle, which the last one would refuse", ""},
		{nil, "Type is not supported: ANY", "Flink's planner fails", ""},
		{nil, "Character I is neither", "infinity cannot be a DECIMAL, and is NULL here", ""},
		{nil, "Character N is neither", "what is not a number cannot be a DECIMAL, and is NULL here", ""},
		{at(`CASE WHEN .* THEN .*\bf\b.*ELSE .*\bd\b`), "", "CASE of a FLOAT and a DOUBLE is FLOAT in Flink", ""},
		{at(`ARRAY_REMOVE\(\(ARRAY\[`), "", "an array of CHAR keeps its length in Flink", ""},
		{at(`UUID\(\)`), "", "Flink evaluates equal calls once", ""},
	}
}

// known says why an expression's answer differs from Flink's on purpose; "" when
// it should be the same.
func known(e string, flink answer) string {
	for _, d := range knownDifferences() {
		if (d.fault == "" || strings.Contains(flink.err, d.fault)) && (d.value == "" || flink.has(d.value)) && (d.expression == nil || d.expression.MatchString(e)) {
			return d.why
		}
	}
	return ""
}
