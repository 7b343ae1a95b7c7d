package sqlcli_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/weirflow/weirflow/services/transform/sqlcli"
)

func output(t *testing.T, mode, script string) (stdout, stderr string, code int) {
	t.Helper()
	var out, errs bytes.Buffer
	code = sqlcli.Run(t.Context(), sqlcli.Options{Script: script, Output: mode, Stdout: &out, Stderr: &errs, Logger: slog.New(slog.DiscardHandler)})
	return out.String(), errs.String(), code
}

func TestRows(t *testing.T) {
	tests := map[string]struct {
		sql  string
		want []string
	}{
		"a branch sees only its rows": {"SELECT CASE WHEN x = 0 THEN -1 ELSE 10 / x END FROM (VALUES (0), (5)) AS t(x)", []string{"[-1]", "[2]"}},
		"AND stops at FALSE":          {"SELECT x FROM (VALUES (0), (5)) AS t(x) WHERE x <> 0 AND 10 / x = 2", []string{"[5]"}},
		"OR stops at TRUE":            {"SELECT x FROM (VALUES (0), (5), (7)) AS t(x) WHERE x = 0 OR 10 / x = 2", []string{"[0]", "[5]"}},
		"COALESCE stops at a value":   {"SELECT COALESCE(y, 10 / x) FROM (VALUES (0, 1), (5, CAST(NULL AS INT))) AS t(x, y)", []string{"[1]", "[2]"}},
		"NULL is neither":             {"SELECT a AND b, a OR b, NOT a FROM (VALUES (CAST(NULL AS BOOLEAN), FALSE), (NULL, TRUE), (TRUE, NULL)) AS t(a, b)", []string{"[false,null,null]", "[null,true,null]", "[null,true,false]"}},
		"NOT IN with NULL":            {"SELECT x NOT IN (1, CAST(NULL AS INT)) FROM (VALUES (1), (2)) AS t(x)", []string{"[false]", "[null]"}},
		"UNION ALL keeps all":         {"SELECT 1 AS x UNION ALL SELECT 1", []string{"[1]", "[1]"}},
		"ORDER BY, NULLs and OFFSET": {"SELECT x FROM (VALUES (3), (CAST(NULL AS INT)), (1), (2)) AS t(x) ORDER BY x LIMIT 2 OFFSET 1",
			[]string{"[1]", "[2]"}},
		"UNNEST with a map":  {"SELECT k, v FROM (VALUES (MAP['a', 1, 'b', 2])) AS t(m) CROSS JOIN UNNEST(m) AS u (k, v)", []string{`["a",1]`, `["b",2]`}},
		"overflow wraps":     {"SELECT CAST(2147483647 AS INT) + 1, CAST(-128 AS TINYINT) - CAST(1 AS TINYINT)", []string{"[-2147483648,127]"}},
		"decimals are exact": {"SELECT 0.1 + 0.2, 1.00 / 3", []string{"[0.3,0.3333333333333]"}},
		"TRY_CAST":           {"SELECT TRY_CAST('x' AS INT), TRY_CAST('2024-02-30' AS DATE), CAST(' 7 ' AS INT)", []string{"[null,null,7]"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			out, errs, code := output(t, "ndjson", tt.sql)
			if code != 0 {
				t.Fatal(errs)
			}
			var rows []string
			for _, line := range strings.Split(strings.TrimSpace(out), "\n")[1:] {
				rows = append(rows, strings.TrimSuffix(strings.TrimPrefix(line, `{"op":"+I","row":`), "}"))
			}
			if strings.Join(rows, " ") != strings.Join(tt.want, " ") {
				t.Errorf("rows %v, want %v", rows, tt.want)
			}
		})
	}
}

func TestErrorsSayWhere(t *testing.T) {
	for sql, want := range map[string]string{
		"SELECT 1 +": "line 1, column", "SELECT\n 1 / 0": "line 2, column 4: division by zero", "SELECT nosuch FROM (VALUES (1)) AS t(x)": "line 1, column 8",
		"SELECT CAST('x' AS INT)": "line 1, column 8", "CREATE TABLE t (a INT) WITH ('connector'='filesytem')": `did you mean "filesystem"`,
		"CREATE TABLE t (a INT) WITH ('connector'='filesystem','path'='/nonexistent','format'='json'); SELECT * FROM t":        "/nonexistent",
		"CREATE TABLE t (a INT) WITH ('connector'='blackhole'); SELECT * FROM t":                                               "only be written",
		"CREATE TABLE t (a INT) WITH ('connector'='elasticsearch-7','hosts'='http://a:1','index'='i'); INSERT INTO t SELECT 1": "as a job",
	} {
		if out, errs, code := output(t, "ndjson", sql); code != 1 || !strings.Contains(errs, want) || !strings.Contains(errs, "line ") {
			t.Errorf("%s: exit %d, %q %q, want %q", sql, code, out, errs, want)
		}
	}
	if _, errs, code := output(t, "xml", "SELECT 1"); code != 1 || !strings.Contains(errs, "ndjson") {
		t.Errorf("an unknown output: exit %d, %q", code, errs)
	}
}

func TestInsertAndReadBack(t *testing.T) {
	dir := t.TempDir()
	out, errs, code := output(t, "csv", fmt.Sprintf(`
CREATE TABLE files (id BIGINT, r ROW<s STRING, a ARRAY<INT>>) WITH ('connector'='filesystem','path'='%s','format'='json');
CREATE TABLE gen (id BIGINT) WITH ('connector'='datagen','number-of-rows'='1000','fields.id.kind'='sequence','fields.id.start'='1','fields.id.end'='1000');
INSERT INTO files SELECT id, ROW('n' || CAST(id AS STRING), ARRAY[1, CAST(id AS INT)]) FROM gen;
SELECT id, r.s, r.a[2] FROM files WHERE id > 998;`, dir))
	if code != 0 {
		t.Fatal(errs)
	}
	if want := "op,id,s,EXPR$2\n+I,999,n999,999\n+I,1000,n1000,1000\n"; out != want {
		t.Errorf("output %q, want %q", out, want)
	}
}

func TestPrintedTable(t *testing.T) {
	out, errs, code := output(t, "table", `
CREATE TABLE p (s STRING, n INT) WITH ('connector'='print','print-identifier'='x');
INSERT INTO p VALUES ('a', 1), (CAST(NULL AS STRING), 2);
SELECT s, n FROM (VALUES ('multi
line', 7)) AS t(s, n);`)
	if code != 0 {
		t.Fatal(errs)
	}
	for _, want := range []string{"x> +I[a, 1]", "x> +I[null, 2]", "op | s ", `+I | multi\nline`} {
		if !strings.Contains(out, want) {
			t.Errorf("output %q lacks %q", out, want)
		}
	}
}

func TestPlansAndStatementsAreShownAsTheyAre(t *testing.T) {
	const table = "CREATE TABLE t (a INT) WITH ('connector'='kafka','topic'='x','properties.bootstrap.servers'='b:1','format'='json','properties.sasl.password'='hunter2');"
	for statement, want := range map[string]string{
		"EXPLAIN SELECT a FROM t":                     "== Abstract Syntax Tree ==\n",
		"EXPLAIN JSON_EXECUTION_PLAN SELECT a FROM t": "\n== Physical Execution Plan ==\n",
		"SHOW CREATE TABLE t":                         "'properties.sasl.password' = '******'",
	} {
		out, errs, code := output(t, "table", table+statement)
		if code != 0 {
			t.Fatal(errs)
		}
		if !strings.Contains(out, want) || strings.Contains(out, `\n`) || strings.Contains(out, "hunter2") || strings.Contains(out, " | ") {
			t.Errorf("%s is shown as\n%s", statement, out)
		}
	}
	out, _, _ := output(t, "table", table+"SHOW TABLES")
	if !strings.Contains(out, "table name") {
		t.Errorf("rows have lost their header:\n%s", out)
	}
}
