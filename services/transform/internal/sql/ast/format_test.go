package ast_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/weirflow/weirflow/services/transform/internal/sql/ast"
	"github.com/weirflow/weirflow/services/transform/internal/sql/parse"
)

// TestRoundTrip prints every recorded query, parses what was printed and prints
// it again: nothing changes any more.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../../../testdata/conformance/queries/*/case.sql")
	if err != nil || len(files) == 0 {
		t.Fatalf("no queries: %v", err)
	}
	extra := []string{
		"SELECT * FROM a LEFT JOIN (b JOIN c ON b.x = c.x) ON a.x = b.x, LATERAL (SELECT 1) AS l (q) FETCH FIRST 3 ROWS ONLY",
		"WITH x (a) AS (VALUES (1), (2)) SELECT /*+ STATE_TTL('a'='1d') */ DISTINCT a FROM x INTERSECT ALL (TABLE y) ORDER BY a DESC NULLS LAST OFFSET 1 ROWS",
		"SELECT a FROM t /*+ OPTIONS('k'='v''w') */ FOR SYSTEM_TIME AS OF t.p AS b GROUP BY GROUPING SETS ((a, b), CUBE (a, (b, c)), ()) HAVING TRUE",
		"SELECT * FROM t MATCH_RECOGNIZE (PARTITION BY a ORDER BY b MEASURES A.x AS y ALL ROWS PER MATCH AFTER MATCH SKIP TO FIRST B PATTERN (^ A+? (B | C){2,} PERMUTE(D, E) $) " +
			"WITHIN INTERVAL '1' HOUR SUBSET S = (A, B) DEFINE A AS A.x > 1) AS m (y)",
	}
	for _, f := range files {
		src, err := os.ReadFile(filepath.Clean(f))
		if err != nil {
			t.Fatal(err)
		}
		extra = append(extra, string(src))
	}
	for _, src := range extra {
		stmts, err := parse.Script(src)
		if err != nil {
			t.Fatalf("%s: %v", src, err)
		}
		for _, st := range stmts {
			q, ok := st.(*ast.QueryStatement)
			if !ok {
				continue
			}
			first := ast.FormatQuery(q.Query)
			again, err := parse.Statement(first)
			if err != nil {
				t.Errorf("%s: %v", first, err)
				continue
			}
			if second := ast.FormatQuery(again.(*ast.QueryStatement).Query); second != first {
				t.Errorf("got  %s\nwant %s", second, first)
			}
		}
	}
}

func TestFormatType(t *testing.T) {
	t.Parallel()
	for src, want := range map[string]string{
		"row(a int not null 'c', `b` map<string, timestamp(3) with local time zone>)": "ROW<`a` INT NOT NULL 'c', `b` MAP<STRING, TIMESTAMP_LTZ(3)>>",
		"decimal(10,2) array not null": "ARRAY<DECIMAL(10, 2)> NOT NULL",
		"interval day(2) to second(3)": "INTERVAL DAY(2) TO SECOND(3)",
	} {
		typ, err := parse.Type(src)
		if err != nil {
			t.Fatal(err)
		}
		if got := ast.FormatType(typ); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
