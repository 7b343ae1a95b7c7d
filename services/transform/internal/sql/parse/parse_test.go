package parse_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/weirflow/weirflow/services/transform/internal/sql/ast"
	"github.com/weirflow/weirflow/services/transform/internal/sql/diag"
	"github.com/weirflow/weirflow/services/transform/internal/sql/parse"
)

// TestExpr shows how operators bind: the printed form has all parentheses.
func TestExpr(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"1 + 2 * 3":                       "(1 + (2 * 3))",
		"1 - 2 - 3":                       "((1 - 2) - 3)",
		"-a * b":                          "((- `a`) * `b`)",
		"a || b || 'x'":                   "((`a` || `b`) || 'x')",
		"NOT a = b AND c OR d":            "(((NOT (`a` = `b`)) AND `c`) OR `d`)",
		"a = b IS NULL":                   "((`a` = `b`) IS NULL)",
		"a BETWEEN 1 AND 2 AND b":         "((`a` BETWEEN 1 AND 2) AND `b`)",
		"a NOT BETWEEN SYMMETRIC 1 AND 2": "(`a` NOT BETWEEN SYMMETRIC 1 AND 2)",
		"a IN (1, 2)":                     "(`a` IN (1, 2))",
		"a NOT IN (SELECT 1)":             "(`a` NOT IN (SELECT 1))",
		"a LIKE 'x!%' ESCAPE '!'":         "(`a` LIKE 'x!%' ESCAPE '!')",
		"a NOT SIMILAR TO 'x'":            "(`a` NOT SIMILAR TO 'x')",
		"a IS NOT DISTINCT FROM b":        "(`a` IS NOT DISTINCT FROM `b`)",
		"a != b":                          "(`a` <> `b`)",
		"log.file.path":                   "`log`.`file`.`path`",
		"a[1].b['k']":                     "(`a`[1]).`b`['k']",
		"'it''s'":                         "'it''s'",
		"U&'\\00e9\\+01F600'":             "'é😀'",
		"E'a\\tb\\u0041'":                 "'a\tbA'",
		"X'0aFF'":                         "X'0aFF'",
		"1.5E-3":                          "1.5E-3",
		".5":                              ".5",
		"DATE '2021-01-01'":               "DATE '2021-01-01'",
		"INTERVAL '1-2' YEAR TO MONTH":    "INTERVAL '1-2' YEAR TO MONTH",
		"INTERVAL -'1' DAYS":              "INTERVAL -'1' DAY",
		"INTERVAL '1.5' SECOND(2, 3)":     "INTERVAL '1.5' SECOND(2, 3)",
		"CURRENT_TIMESTAMP":               "CURRENT_TIMESTAMP",
		"CASE a WHEN 1, 2 THEN 'x' END":   "CASE `a` WHEN 1, 2 THEN 'x' END",
		"CAST(a AS ROW<x INT NOT NULL, `offset` ARRAY<STRING>>)": "CAST(`a` AS ROW<`x` INT NOT NULL, `offset` ARRAY<STRING>>)",
		"TRY_CAST(a AS DECIMAL(10, 2))":                          "TRY_CAST(`a` AS DECIMAL(10, 2))",
		"EXTRACT(YEAR FROM ts)":                                  "EXTRACT(YEAR FROM `ts`)",
		"TRIM(LEADING 'x' FROM s)":                               "TRIM(LEADING 'x' FROM `s`)",
		"TRIM(s)":                                                "TRIM(`s`)",
		"SUBSTRING(s FROM 2 FOR 3)":                              "SUBSTRING(`s` FROM 2 FOR 3)",
		"OVERLAY(s PLACING 'x' FROM 1)":                          "OVERLAY(`s` PLACING 'x' FROM 1)",
		"POSITION('a' IN s)":                                     "POSITION('a' IN `s`)",
		"FLOOR(ts TO DAY)":                                       "FLOOR(`ts` TO DAY)",
		"TIMESTAMPADD(MINUTE, 5, ts)":                            "TIMESTAMPADD(MINUTE, 5, `ts`)",
		"COUNT(DISTINCT x) FILTER (WHERE y)":                     "COUNT(DISTINCT `x`) FILTER (WHERE `y`)",
		"COUNT(*) OVER (PARTITION BY a ORDER BY b DESC NULLS LAST ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)": "COUNT(*) OVER (PARTITION BY `a` ORDER BY `b` DESC NULLS LAST ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)",
		"JSON_VALUE(j, '$.a' RETURNING INT DEFAULT 1 ON EMPTY ERROR ON ERROR)":                               "JSON_VALUE(`j`, '$.a' RETURNING INT DEFAULT 1 ON EMPTY ERROR ON ERROR)",
		"JSON_OBJECT('a' VALUE 1, KEY 'b' VALUE 2 ABSENT ON NULL)":                                           "JSON_OBJECT(KEY 'a' VALUE 1, KEY 'b' VALUE 2 ABSENT ON NULL)",
		"JSON_QUERY(j, '$' WITH CONDITIONAL WRAPPER EMPTY ARRAY ON EMPTY)":                                   "JSON_QUERY(`j`, '$' WITH CONDITIONAL ARRAY WRAPPER EMPTY ARRAY ON EMPTY)",
		"js IS NOT JSON OBJECT":                     "(`js` IS NOT JSON OBJECT)",
		"MAP['a', 1]":                               "MAP['a', 1]",
		"(a, b) = (1, 2)":                           "((`a`, `b`) = (1, 2))",
		"a = ANY (SELECT 1)":                        "(`a` = ANY (SELECT 1))",
		"((SELECT 1) + 1)":                          "((SELECT 1) + 1)",
		"EXISTS (SELECT 1)":                         "EXISTS (SELECT 1)",
		"LISTAGG(a, ',') WITHIN GROUP (ORDER BY b)": "LISTAGG(`a`, ',') WITHIN GROUP (ORDER BY `b`)",
		"ARRAY_AGG(a ORDER BY b)":                   "ARRAY_AGG(`a` ORDER BY `b`)",
		"a -- c\n + /* x */ b":                      "(`a` + `b`)",
		"`we``ird`":                                 "`we``ird`",
	}
	for src, want := range tests {
		t.Run(src, func(t *testing.T) {
			t.Parallel()
			e, err := parse.Expr(src)
			if err != nil {
				t.Fatal(err)
			}
			if got := ast.FormatExpr(e); got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
}

// TestStatements are statements that must parse.
func TestStatements(t *testing.T) {
	t.Parallel()
	tests := []string{
		"CREATE TEMPORARY TABLE IF NOT EXISTS a.b.c (id INT NOT NULL COMMENT 'k', x AS id + 1, m STRING METADATA FROM 'value.m' VIRTUAL, " +
			"ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND, CONSTRAINT pk PRIMARY KEY (id) NOT ENFORCED) COMMENT 'c' PARTITIONED BY (id) WITH ('connector' = 'kafka')",
		"CREATE TABLE t LIKE s (EXCLUDING ALL INCLUDING OPTIONS OVERWRITING WATERMARKS)",
		"CREATE TABLE t (a TIMESTAMP WITHOUT TIME ZONE, b TIMESTAMP(3) WITH LOCAL TIME ZONE, c DOUBLE PRECISION, d CHARACTER VARYING(3), e INT ARRAY NOT NULL, f RAW('x', 'y')) WITH ()",
		"CREATE VIEW v (a, b) COMMENT 'x' AS SELECT 1, 2",
		"CREATE FUNCTION f AS 'com.x.F' LANGUAGE JAVA USING JAR '/a.jar', JAR '/b.jar'",
		"CREATE TEMPORARY SYSTEM FUNCTION f(x INT, y STRING) RETURNS STRING LANGUAGE SQL AS y || CAST(x AS STRING)",
		"CREATE CATALOG c WITH ('type' = 'generic_in_memory')",
		"CREATE DATABASE IF NOT EXISTS d COMMENT 'x' WITH ('a' = 'b')",
		"DROP TEMPORARY VIEW IF EXISTS v", "DROP DATABASE d CASCADE", "DROP TABLE a.b.c",
		"ALTER TABLE t RENAME TO u", "ALTER TABLE t SET ('a' = 'b')", "ALTER TABLE t RESET ('a')", "ALTER TABLE t ADD (x INT FIRST, y INT AFTER x)",
		"ALTER TABLE t ADD COLUMN z AS x + 1", "ALTER TABLE t MODIFY x BIGINT", "ALTER TABLE t DROP (x, y)", "ALTER TABLE t DROP WATERMARK", "ALTER TABLE t RENAME x TO y",
		"ALTER VIEW v AS SELECT 1", "ALTER DATABASE d SET ('a' = 'b')",
		"SHOW TABLES FROM a.b NOT LIKE 'x%'", "SHOW CREATE TABLE t", "SHOW CURRENT DATABASE", "SHOW USER FUNCTIONS", "SHOW COLUMNS FROM t", "SHOW VIEWS",
		"DESCRIBE t", "DESC a.b.t", "DESCRIBE DATABASE d", "SET", "SET 'a.b' = 'c'", "SET a.b-c = 10 s", "RESET", "RESET 'a'", "USE CATALOG c", "USE d",
		"EXPLAIN SELECT 1", "EXPLAIN PLAN FOR SELECT 1", "EXPLAIN CHANGELOG_MODE, JSON_EXECUTION_PLAN INSERT INTO t SELECT 1",
		"EXPLAIN EXECUTE STATEMENT SET BEGIN INSERT INTO a SELECT 1; INSERT INTO b SELECT 2; END",
		"INSERT INTO t PARTITION (a = '1') (b, c) SELECT 1, 2", "INSERT OVERWRITE t VALUES (1), (2)", "INSERT INTO t /*+ OPTIONS('a'='b') */ SELECT 1",
		"EXECUTE STATEMENT SET BEGIN INSERT INTO a SELECT 1; END", "BEGIN STATEMENT SET; INSERT INTO a SELECT 1; END", "EXECUTE INSERT INTO a SELECT 1",
		"SELECT DISTINCT a, b AS c, t.*, * FROM t AS x (a, b), LATERAL TABLE(f(a)) AS l (q) WHERE a > 1 GROUP BY GROUPING SETS ((a, b), ROLLUP (a), ()) HAVING COUNT(*) > 1 " +
			"WINDOW w AS (PARTITION BY a ORDER BY b) ORDER BY 1 DESC NULLS FIRST LIMIT 10 OFFSET 5",
		"SELECT * FROM a LEFT OUTER JOIN b ON a.x = b.x NATURAL JOIN c FULL JOIN d USING (x) CROSS JOIN UNNEST(a.arr) WITH ORDINALITY AS u (v, o)",
		"SELECT * FROM o JOIN r FOR SYSTEM_TIME AS OF o.ts AS r2 ON o.c = r2.c",
		"SELECT * FROM o JOIN r /*+ LOOKUP('table'='r') */ FOR SYSTEM_TIME AS OF o.proc ON TRUE",
		"SELECT * FROM TABLE(TUMBLE(DATA => TABLE t, TIMECOL => DESCRIPTOR(ts), SIZE => INTERVAL '1' DAY, `OFFSET` => INTERVAL '1' HOUR))",
		"SELECT * FROM TABLE(SESSION(TABLE t PARTITION BY (a, b), DESCRIPTOR(ts), INTERVAL '1' MINUTE))",
		"SELECT * FROM TABLE(SESSION(TABLE t PARTITION BY a, b, DESCRIPTOR(ts), INTERVAL '1' MINUTE))",
		"WITH a AS (SELECT 1), b (x) AS (SELECT 2) SELECT * FROM a UNION ALL (SELECT * FROM b) INTERSECT SELECT 3 EXCEPT ALL VALUES (1)",
		"(SELECT 1) ORDER BY 1", "SELECT 1 OFFSET 2 ROWS FETCH NEXT 3 ROWS ONLY", "TABLE t", "VALUES 1, (2)",
		"SELECT * FROM t MATCH_RECOGNIZE (PARTITION BY a ORDER BY ts MEASURES FIRST(A.x) AS fx, LAST(B.x) AS lx ONE ROW PER MATCH AFTER MATCH SKIP TO LAST B " +
			"PATTERN (A B{2,3}? (C | D)* E+? F?) WITHIN INTERVAL '1' HOUR DEFINE A AS A.x > 1, B AS B.x < PREV(B.x)) AS m",
	}
	for _, src := range tests {
		t.Run(src[:min(len(src), 60)], func(t *testing.T) {
			t.Parallel()
			if _, err := parse.Statement(src); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestErrors shows where and how syntax errors are reported.
func TestErrors(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, src    string
		line, column int
		message      string
	}{
		{"empty select", "SELECT FROM t", 1, 8, `found "FROM", expected an expression`},
		{"reserved alias", "SELECT 1 AS value", 1, 13, "is a reserved word; write it between backquotes"},
		{"reserved field", "SELECT log.offset FROM t", 1, 12, "`offset`"},
		{"reserved column", "CREATE TABLE t (\n  timestamp STRING\n)", 2, 3, "backquotes"},
		{"open string", "SELECT 'abc", 1, 8, "the string literal is not closed"},
		{"open comment", "SELECT 1\n/* x", 2, 1, "the comment is not closed"},
		{"open name", "SELECT `abc", 1, 8, "not closed"},
		{"open paren", "SELECT (1", 1, 10, `expected ")"`},
		{"misspelt", "SELCT 1", 1, 1, "did you mean SELECT?"},
		{"double quotes", `SELECT "a"`, 1, 8, "backquotes"},
		{"wide comma", "SELECT 1，2", 1, 9, "ASCII"},
		{"type", "CREATE TABLE t (a STRIN)", 1, 19, "expected a data type"},
		{"option value", "CREATE TABLE t (a INT) WITH ('a' = 1)", 1, 36, "between single quotes"},
		{"join", "SELECT * FROM a LEFT b", 1, 22, `expected "JOIN"`},
		{"trailing", "SELECT 1 2", 1, 10, `";" or the end of the text`},
		{"after unicode", "SELECT '世界', FROM t", 1, 14, `found "FROM"`},
		{"odd map", "SELECT MAP[1, 2, 3]", 1, 8, "even number"},
		{"statement set", "EXECUTE STATEMENT SET BEGIN SELECT 1; END", 1, 29, "INSERT or END"},
		{"nothing in set", "EXECUTE STATEMENT SET BEGIN END", 1, 1, "holds no INSERT"},
		{"bad hex", "SELECT X'0g'", 1, 8, "hexadecimal"},
		{"bad escape", "SELECT U&'\\zzzz'", 1, 17, "not a Unicode character"},
		{"deep", "SELECT " + strings.Repeat("(", 5000) + "1", 1, 300, "levels deep"},
		{"deep not", "SELECT " + strings.Repeat("NOT ", 5000) + "TRUE", 1, 1, "levels deep"},
		{"deep type", "CREATE TABLE t (a " + strings.Repeat("ARRAY<", 5000), 1, 1, "levels deep"},
		{"long chain", "SELECT 1" + strings.Repeat("+1", 20000), 1, 1, "operands"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := parse.Script(tt.src)
			var e *diag.Error
			if !errors.As(err, &e) {
				t.Fatalf("got %v, want an error with a place", err)
			}
			if !strings.Contains(e.Error(), tt.message) {
				t.Errorf("got %q, want %q in it", e.Error(), tt.message)
			}
			if !strings.Contains(tt.name, "deep") && tt.name != "long chain" && (e.Line != tt.line || e.Column != tt.column) {
				t.Errorf("at %d:%d, want %d:%d", e.Line, e.Column, tt.line, tt.column)
			}
		})
	}
}

// reformat prints a query and parses it again; the trees must print alike.
func reformat(q *ast.Query) (string, string, error) {
	first := ast.FormatQuery(q)
	st, err := parse.Statement(first)
	if err != nil {
		return first, "", err
	}
	qs, ok := st.(*ast.QueryStatement)
	if !ok {
		return first, reflect.TypeOf(st).String(), nil
	}
	return first, ast.FormatQuery(qs.Query), nil
}

func FuzzScript(f *testing.F) {
	for _, s := range []string{
		"SELECT a.b[1], COUNT(*) FILTER (WHERE x) OVER w FROM t WINDOW w AS (PARTITION BY a) ; INSERT INTO x VALUES (1)",
		"CREATE TABLE t (a ROW<b INT>, WATERMARK FOR a AS a - INTERVAL '1' DAY) WITH ('a'='b')",
		"SELECT CASE WHEN a THEN b END, U&'\\0041', X'00', E'\\n' FROM (VALUES (1, 2)) AS v(a, b) -- c",
		"SELECT * FROM t MATCH_RECOGNIZE (ORDER BY a PATTERN (A (B|C)*) DEFINE A AS TRUE)",
		"SELECT JSON_OBJECT('a' VALUE 1 ABSENT ON NULL), TRIM(BOTH FROM x), EXTRACT(DAY FROM y) /*+ x */",
		"SET a = b; EXPLAIN SELECT 1; SHOW TABLES", "\xff'\x00`", "((((", "世界 、",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, src string) {
		stmts, err := parse.Script(src)
		var e *diag.Error
		if err != nil {
			if !errors.As(err, &e) {
				t.Fatalf("error without a place: %v", err)
			}
			lines := strings.Split(src, "\n")
			if e.Line < 1 || e.Line > len(lines) || e.Column < 1 || e.Column > len([]rune(lines[e.Line-1]))+1 {
				t.Fatalf("place %d:%d is outside of the text", e.Line, e.Column)
			}
			return
		}
		for _, s := range stmts {
			q, ok := s.(*ast.QueryStatement)
			if !ok {
				continue
			}
			first, second, err := reformat(q.Query)
			if err != nil {
				t.Fatalf("%s does not parse again: %v", first, err)
			}
			if first != second {
				t.Fatalf("changed:\n%s\n%s", first, second)
			}
		}
	})
}
