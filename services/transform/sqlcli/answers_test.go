package sqlcli_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestAnswers holds constant expressions against what a real Flink 1.20 gave for
// them, cast to STRING: an expression on a line, its answer on the next.
func TestAnswers(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("testdata/answers.txt")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")
	for pair := range slices.Chunk(lines, 2) {
		t.Run(pair[0], func(t *testing.T) {
			t.Parallel()
			r := runScript(t, "SELECT CAST(("+pair[0]+") AS STRING) AS v;")
			if r.err != "" || len(r.changes) != 1 {
				t.Fatalf("%d rows, %s", len(r.changes), r.err)
			}
			got := "NULL"
			if v := r.changes[0].Row[0]; v != nil {
				got = fmt.Sprint(v)
			}
			if want := strings.TrimPrefix(pair[1], "\t"); got != want {
				t.Errorf("got %s, Flink gives %s", got, want)
			}
		})
	}
}

// TestLagOfNull sees what LAG is where the earlier value is NULL: as in Flink, NULL
// only where the default may be NULL.
func TestLagOfNull(t *testing.T) {
	t.Parallel()
	const rows = "(VALUES (1, CAST('a' AS STRING), CAST(5 AS INT)), (2, CAST(NULL AS STRING), CAST(NULL AS INT)), (3, CAST('c' AS STRING), CAST(7 AS INT))) AS x(i, s, n)"
	r := runScript(t, "SELECT i, LAG(n) OVER w, LAG(n, 1, 99) OVER w, LAG(n, 1, CAST(NULLIF(99, 0) AS INT)) OVER w, LAG(s, 1, 'zz') OVER w, LAG(n, 0, 4) OVER w "+
		"FROM (SELECT *, PROCTIME() AS p FROM "+rows+") WINDOW w AS (ORDER BY p);")
	if r.err != "" {
		t.Fatal(r.err)
	}
	var got []string
	for _, c := range r.changes {
		got = append(got, strings.Trim(fmt.Sprint(c.Row), "[]"))
	}
	want := []string{"1 <nil> 99 99 zz 5", "2 5 5 5 a -1", "3 <nil> -1 <nil>  7"}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// TestEmptyPattern sees that an empty pattern from a column fits the empty text
// only, while a constant one fits all: so it is in Flink.
func TestEmptyPattern(t *testing.T) {
	t.Parallel()
	r := runScript(t, "SELECT x LIKE y, x NOT LIKE y, x LIKE '' FROM (VALUES ('', ''), ('a', ''), ('', '%'), ('', '_')) AS t(x, y);")
	if r.err != "" {
		t.Fatal(r.err)
	}
	var got []string
	for _, c := range r.changes {
		got = append(got, strings.Trim(fmt.Sprint(c.Row), "[]"))
	}
	want := []string{"true false true", "false true true", "true false true", "false true true"}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// TestLookupOfAView sees that a lookup join goes through a view's columns and
// condition to the table below.
func TestLookupOfAView(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range map[string]string{"dim.csv": "1,a\n2,b\n3,c\n", "left.csv": "1\n2\n3\n4\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ddl := strings.ReplaceAll(`CREATE TABLE dim (id INT, name STRING) WITH ('connector' = 'filesystem', 'path' = 'DIR/dim.csv', 'format' = 'csv');
CREATE TABLE l (i INT, p AS PROCTIME()) WITH ('connector' = 'filesystem', 'path' = 'DIR/left.csv', 'format' = 'csv');
CREATE VIEW big AS SELECT UPPER(name) AS nm, id FROM dim WHERE id > 1;
CREATE VIEW plain AS SELECT name AS nm, id FROM dim WHERE id > 1;
`, "DIR", dir)
	for name, tt := range map[string]struct{ join, want string }{
		"computed":    {"JOIN big", "[2 B] [3 C]"},
		"left, plain": {"LEFT JOIN plain", "[1 <nil>] [2 b] [3 c] [4 <nil>]"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := runScript(t, ddl+"SELECT i, nm FROM l "+tt.join+" FOR SYSTEM_TIME AS OF l.p AS r ON l.i = r.id;")
			if r.err != "" {
				t.Fatal(r.err)
			}
			var got []string
			for _, c := range r.changes {
				got = append(got, fmt.Sprint(c.Row))
			}
			slices.Sort(got)
			if s := strings.Join(got, " "); s != tt.want {
				t.Errorf("got %s, want %s", s, tt.want)
			}
		})
	}
}
