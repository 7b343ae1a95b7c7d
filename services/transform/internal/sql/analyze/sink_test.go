package analyze_test

import (
	"strings"
	"testing"

	"github.com/weirflow/weirflow/services/transform/internal/plan"
	"github.com/weirflow/weirflow/services/transform/internal/sql"
)

func TestSinkSettings(t *testing.T) {
	t.Parallel()
	const tables = `CREATE TABLE t (k STRING, v INT) WITH ('connector' = 'x');
CREATE TABLE byk (k STRING, n BIGINT, PRIMARY KEY (k) NOT ENFORCED) WITH ('connector' = 'upsert-kafka');
CREATE TABLE byn (k STRING, n BIGINT, PRIMARY KEY (n) NOT ENFORCED) WITH ('connector' = 'elasticsearch-7');
CREATE TABLE printed (k STRING, n BIGINT, PRIMARY KEY (n) NOT ENFORCED) WITH ('connector' = 'print');
`
	const counts = " SELECT k, COUNT(*) FROM t GROUP BY k;"
	tests := []struct {
		name, script string
		materialized bool
		err          string
	}{
		{"the query's key is the table's", "INSERT INTO byk" + counts, false, ""},
		{"another key", "INSERT INTO byn" + counts, true, ""},
		{"another key, turned off", "SET 'table.exec.sink.upsert-materialize' = 'NONE'; INSERT INTO byn" + counts, false, ""},
		{"turned on", "SET 'table.exec.sink.upsert-materialize' = 'FORCE'; INSERT INTO byk" + counts, true, ""},
		{"a sink that takes old rows back", "INSERT INTO printed" + counts, false, ""},
		{"only new rows", "INSERT INTO byn SELECT k, v FROM t;", false, ""},
		{"no such value", "SET 'table.exec.sink.upsert-materialize' = 'MAYBE'; INSERT INTO byn" + counts, false, "NONE, AUTO or FORCE"},
		{"no such enforcer", "SET 'table.exec.sink.not-null-enforcer' = 'MAYBE'; INSERT INTO byn" + counts, false, "ERROR or DROP"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			res, err := sql.NewSession(sql.Options{}).Run(tables + tt.script)
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Errorf("error %v, want %q", err, tt.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			_, got := res[len(res)-1].Inserts.Sinks[0].Input.(*plan.Materialize)
			if got != tt.materialized {
				t.Errorf("materialized %v, want %v", got, tt.materialized)
			}
		})
	}
}

// TestUpsertSource sees that the key of a table that is read by key survives, and
// that no condition goes below what takes old rows back.
func TestUpsertSource(t *testing.T) {
	t.Parallel()
	res, err := sql.NewSession(sql.Options{}).Run(`CREATE TABLE u (k STRING, v INT, w INT, PRIMARY KEY (k) NOT ENFORCED) WITH ('connector' = 'upsert-kafka'); SELECT v FROM u WHERE v > 3`)
	if err != nil {
		t.Fatal(err)
	}
	root := res[1].Query.Root
	if root.Out().Mode != plan.Retract {
		t.Errorf("mode %s", root.Out().Mode)
	}
	found := false
	plan.WalkNodes(root, func(n plan.Node) {
		if u, ok := n.(*plan.Normalize); ok {
			found = true
			if s, ok := u.Input.(*plan.Scan); !ok || len(s.Columns) != 2 || len(s.Filter) > 0 || u.Fields[u.Keys[0]].Name != "k" {
				t.Errorf("normalize %+v over %+v", u, u.Input)
			}
		}
	})
	if !found {
		t.Error("nothing takes old rows back")
	}
}

func TestCreateTableAs(t *testing.T) {
	t.Parallel()
	s := sql.NewSession(sql.Options{})
	res, err := s.Run("CREATE TABLE t (k STRING, v INT) WITH ('connector' = 'x'); CREATE TABLE o WITH ('connector' = 'y') AS SELECT k, v + 1 AS w FROM t WHERE v > 2")
	if err != nil {
		t.Fatal(err)
	}
	set := res[1].Inserts
	if set == nil || set.Sinks[0].Table.Name != "o" || len(set.Sinks[0].Table.Physical) != 2 || set.Sinks[0].Table.Physical[1].Name != "w" {
		t.Errorf("sinks %+v", set)
	}
	if _, err := s.Run("SELECT w FROM o"); err != nil {
		t.Error(err)
	}
	if _, err := s.Run("CREATE TABLE bad WITH ('connector' = 'y') AS SELECT nosuch FROM t"); err == nil {
		t.Error("a query that is wrong made a table")
	}
	if _, err := s.Run("SELECT * FROM bad"); err == nil {
		t.Error("the table of a wrong query is there")
	}
	if _, err := s.Run("CREATE OR REPLACE TABLE o (z INT) WITH ('connector' = 'y'); SELECT z FROM o"); err != nil {
		t.Error(err)
	}
}
