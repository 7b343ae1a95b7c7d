package sqlcli_test

import (
	"bytes"
	"context"
	"log/slog"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/weirflow/weirflow/services/transform/sqlcli"
)

// run runs a script and returns its error output.
func run(ctx context.Context, script string) string {
	var out, errs bytes.Buffer
	sqlcli.Run(ctx, sqlcli.Options{Script: script, Output: "ndjson", Stdout: &out, Stderr: &errs, Logger: slog.New(slog.DiscardHandler)})
	return errs.String()
}

// TestHostile gives statements that ask for far too much. They must end soon, in
// little memory; where want is set, with an error that has it.
func TestHostile(t *testing.T) {
	for name, c := range map[string]struct{ sql, want string }{
		"repeat":             {"REPEAT('x', 2000000000)", "longer than"},
		"repeat of repeat":   {"REPEAT(REPEAT('abcdefgh', 1000000), 1000000)", "longer than"},
		"lpad":               {"LPAD('x', 2000000000, 'y')", "longer than"},
		"rpad":               {"RPAD('x', 2000000000, 'yz')", "longer than"},
		"concat doubles":     {strings.Repeat("CONCAT(", 12) + "REPEAT('x', 16000000)" + strings.Repeat(", REPEAT('x', 16000000))", 12), "longer than"},
		"replace grows":      {"REPLACE(REPEAT('x', 1000000), 'x', REPEAT('y', 1000000))", "longer than"},
		"regexp grows":       {"REGEXP_REPLACE(REPEAT('x', 1000000), 'x', REPEAT('y', 1000000))", "longer than"},
		"catastrophic":       {"REGEXP_EXTRACT(REPEAT('a', 40), '^(a+)+$|b(?=c)', 0)", ""},
		"catastrophic trial": {"REGEXP(CONCAT(REPEAT('a', 60), 'b'), '^(a|aa)+(?=c)$')", "takes too long"},
		"repeats of repeats": {"REGEXP('a', '((((a{100}){100}){100}){100})')", ""},
		"long pattern":       {"REGEXP('a', '" + strings.Repeat("a?", 20000) + "')", "longer than"},
		"like":               {"REPEAT('a', 100000) LIKE '" + strings.Repeat("%a", 2000) + "b'", ""},
		"big exponent":       {"TRY_CAST('1e1000000000' AS DECIMAL(38, 0))", ""},
		"big number":         {"1e400", ""},
		"long number":        {strings.Repeat("9", 100000), "line 1"},
		"power":              {"POWER(1e308, 1e308)", ""},
		"round":              {"ROUND(CAST(1.5 AS DOUBLE), 2000000000)", ""},
		"round decimal":      {"ROUND(1.5, -2000000000)", ""},
		"char length":        {"CAST('x' AS CHAR(2147483647))", ""},
		"binary length":      {"CAST(X'00' AS BINARY(2147483647))", ""},
		"brackets":           {strings.Repeat("(", 100000) + "1" + strings.Repeat(")", 100000), "line 1"},
		"calls":              {strings.Repeat("ABS(", 5000) + "1" + strings.Repeat(")", 5000), ""},
		"nots":               {strings.Repeat("NOT ", 50000) + "TRUE", ""},
		"sum":                {"1" + strings.Repeat(" + 1", 5000), ""},
		"printf":             {"PRINTF('%2000000000d', 1)", ""},
		"date format":        {"DATE_FORMAT(TIMESTAMP '2020-01-01 00:00:00', '" + strings.Repeat("y", 100000) + "')", ""},
		"space of json":      {"JSON_VALUE('" + strings.Repeat("[", 100000) + "', '$[0]')", ""},
		"path":               {"JSON_VALUE('{}', '$" + strings.Repeat(".a", 100000) + "')", ""},
		"hex":                {"HEX(REPEAT('x', 16000000))", ""},
		"split":              {"CARDINALITY(SPLIT(REPEAT('a,', 1000000), ','))", ""},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			start := time.Now()
			got := run(ctx, "SELECT "+c.sql+";\n")
			runtime.ReadMemStats(&after)
			if took := time.Since(start); took > 10*time.Second {
				t.Errorf("it took %s", took)
			}
			if used := (after.TotalAlloc - before.TotalAlloc) >> 20; used > 4096 {
				t.Errorf("it allocated %d MiB", used)
			}
			if !strings.Contains(got, c.want) || strings.Contains(got, "goroutine ") {
				t.Errorf("error %.300q, want one with %q", got, c.want)
			}
		})
	}
}

// FuzzExpression looks for texts that crash the parser, the analyzer or the
// evaluator, and for those that never end.
func FuzzExpression(f *testing.F) {
	for _, e := range []string{"UPPER(s)", "CAST(d AS DECIMAL(10, 2)) + i", "s LIKE '%a_'", "JSON_VALUE(js, '$.a[0].b')", "DATE_FORMAT(ts, 'yyyy-MM-dd')",
		"REGEXP_EXTRACT(s, '([a-z]+)', 1)", "ARRAY[1, i][2]", "CASE WHEN bo THEN 1 ELSE 2.5 END", "TIMESTAMPADD(DAY, 3, ts)", "TRY_CAST(n AS INT) IN (1, 2, NULL)"} {
		f.Add(e)
	}
	ddl := strings.ReplaceAll(readCorpus(f, "edge/t.sql"), "${DIR}", corpus+"/edge")
	f.Fuzz(func(t *testing.T, e string) {
		if len(e) > 1000 || strings.ContainsAny(e, ";") || strings.Contains(strings.ToUpper(e), "FROM") {
			t.Skip()
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		run(ctx, ddl+"SELECT "+e+" FROM t;\n")
		if ctx.Err() != nil {
			t.Fatalf("%q does not end", e)
		}
	})
}
