package parse_test

import (
	"strings"
	"testing"

	"github.com/weirflow/weirflow/services/transform/internal/sql/parse"
)

// TestHostile parses texts that would take for ever if the parser looked ahead
// or back more than a little.
func TestHostile(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"parens":      "SELECT " + strings.Repeat("(", 200000),
		"queries":     strings.Repeat("(", 280) + "SELECT 1" + strings.Repeat(") UNION (SELECT 2)", 50000),
		"subqueries":  "SELECT " + strings.Repeat("(", 280) + "SELECT 1" + strings.Repeat(")+1", 280) + strings.Repeat(",(SELECT 1)", 50000),
		"calls":       "SELECT " + strings.Repeat("f(", 200000),
		"commas":      "SELECT f(" + strings.Repeat("(((SELECT 1))),", 50000) + "1)",
		"cases":       "SELECT " + strings.Repeat("CASE WHEN ", 100000),
		"joins":       "SELECT * FROM a" + strings.Repeat(" JOIN b", 100000),
		"dots":        "SELECT a" + strings.Repeat(".b", 100000),
		"items":       "SELECT a" + strings.Repeat("[1]", 100000),
		"semicolons":  strings.Repeat(";", 200000),
		"quotes":      "SELECT " + strings.Repeat("''", 200000),
		"between":     "SELECT a" + strings.Repeat(" BETWEEN 1 AND 2", 100000),
		"patterns":    "SELECT * FROM t MATCH_RECOGNIZE (PATTERN (" + strings.Repeat("(", 100000),
		"types":       "CREATE TABLE t (a " + strings.Repeat("ROW<a ", 100000),
		"type suffix": "CREATE TABLE t (a INT" + strings.Repeat(" ARRAY", 100000) + ")",
		"explains":    strings.Repeat("EXPLAIN ", 100000),
		"withs":       strings.Repeat("WITH a AS (", 100000),
		"too long":    strings.Repeat(" ", 5<<20),
	}
	for name, src := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			stmts, err := parse.Script(src)
			if err == nil && name != "semicolons" && name != "quotes" && name != "commas" {
				t.Errorf("no error, %d statements", len(stmts))
			}
		})
	}
}
