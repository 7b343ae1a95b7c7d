package explain_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/weirflow/weirflow/services/transform/internal/plan"
	"github.com/weirflow/weirflow/services/transform/internal/sql/explain"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

func sample() []plan.Node {
	s := &plan.Scan{Table: &plan.Table{Catalog: "c", Database: "d", Name: "t", Options: map[string]string{"password": "hunter2"}}}
	s.Fields = []types.Field{{Name: "a", Type: types.Of(types.Int)}}
	s.Columns = []plan.ScanColumn{{Name: "a", Type: types.Of(types.Int)}}
	f := &plan.Filter{Input: s, Cond: &plan.Call{Function: plan.FnIsNotNull, Args: []plan.Expr{&plan.InputRef{Name: "a"}}}}
	f.Output = *s.Out()
	sink := func(name string) plan.Node {
		k := &plan.Sink{Input: f, Table: &plan.Table{Catalog: "c", Database: "d", Name: name}}
		k.Output = *s.Out()
		return k
	}
	return []plan.Node{sink("x"), sink("y")}
}

func TestText(t *testing.T) {
	t.Parallel()
	want := `Sink(table=[c.d.x], fields=[a]), changelogMode=[I]
+- Filter(where=[a IS NOT NULL]), changelogMode=[I], reuse_id=[1]
   +- TableSourceScan(table=[[c, d, t]], fields=[a]), changelogMode=[I]

Sink(table=[c.d.y], fields=[a]), changelogMode=[I]
+- Reused(reference_id=[1])
`
	if got := explain.Text(sample(), explain.Options{Changelog: true}); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestJSON(t *testing.T) {
	t.Parallel()
	text, err := explain.JSON(explain.Operators(sample()))
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Nodes []struct {
			ID           string `json:"id"`
			Type         string `json:"type"`
			Pact         string `json:"pact"`
			Parallelism  int    `json:"parallelism"`
			Predecessors []struct {
				ID   string `json:"id"`
				Ship string `json:"ship_strategy"`
				Side string `json:"side"`
			} `json:"predecessors"`
		} `json:"nodes"`
	}
	if err := json.Unmarshal([]byte(text), &doc); err != nil {
		t.Fatal(err)
	}
	if len(doc.Nodes) != 4 || doc.Nodes[0].Type != "TableSourceScan" || doc.Nodes[0].Pact != "Data Source" || doc.Nodes[0].Parallelism != 1 {
		t.Fatalf("got %s", text)
	}
	if last := doc.Nodes[3]; last.Pact != "Data Sink" || last.Predecessors[0].ID != doc.Nodes[1].ID || last.Predecessors[0].Ship != "FORWARD" || last.Predecessors[0].Side != "first" {
		t.Errorf("got %s", text)
	}
	if strings.Contains(text, "hunter2") {
		t.Error("the plan shows an option")
	}
}

func TestAdvice(t *testing.T) {
	t.Parallel()
	s := &plan.Scan{Table: &plan.Table{Name: "t"}}
	s.Fields = []types.Field{{Name: "a", Type: types.Of(types.Int)}}
	g := &plan.Aggregate{Input: s, Keys: []int{0}}
	g.At = plan.Pos{Line: 3, Column: 8}
	for name, tt := range map[string]struct {
		bounded bool
		ttl     string
		want    int
	}{"grows": {false, "", 1}, "forgets": {false, "1 h", 0}, "ends": {true, "", 0}} {
		t.Run(name, func(t *testing.T) {
			s.Bounded = tt.bounded
			got := explain.Advice([]plan.Node{g, g}, func(string) string { return tt.ttl })
			if len(got) != tt.want || tt.want > 0 && !strings.Contains(got[0], "(line 3, column 8) remembers every key") {
				t.Errorf("got %q", got)
			}
		})
	}
}
