package prune_test

import (
	"testing"

	"github.com/weirflow/weirflow/services/transform/internal/plan"
	"github.com/weirflow/weirflow/services/transform/internal/sql/explain"
	"github.com/weirflow/weirflow/services/transform/internal/sql/prune"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

func field(name string, t types.Type) types.Field { return types.Field{Name: name, Type: t} }

func scan() *plan.Scan {
	nested := types.RowOf(field("x", types.Of(types.Int)), field("y", types.RowOf(field("z", types.Of(types.Int)), field("w", types.Of(types.Int)))))
	s := &plan.Scan{Table: &plan.Table{Name: "t"}}
	for i, f := range []types.Field{field("a", types.Of(types.Int)), field("b", types.Of(types.Int)), field("r", nested)} {
		s.Fields = append(s.Fields, f)
		s.Columns = append(s.Columns, plan.ScanColumn{Name: f.Name, Type: f.Type, Physical: i})
	}
	return s
}

func ref(n plan.Node, i int) plan.Expr {
	f := n.Out().Fields[i]
	return &plan.InputRef{Meta: plan.Meta{Typ: f.Type}, Index: i, Name: f.Name}
}

func get(e plan.Expr, i int) plan.Expr {
	f := e.Type().Fields[i]
	return &plan.FieldAccess{Meta: plan.Meta{Typ: f.Type}, X: e, Index: i, Name: f.Name}
}

func project(in plan.Node, es ...plan.Expr) *plan.Project {
	p := &plan.Project{Input: in, Exprs: es}
	for _, e := range es {
		p.Fields = append(p.Fields, field(e.String(), e.Type()))
	}
	return p
}

// TestPaths sees which parts of a nested column a scan is told to read, also
// where several projections lie between.
func TestPaths(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		plan func(*plan.Scan) plan.Node
		want string
	}{
		{"field", func(s *plan.Scan) plan.Node { return project(s, get(get(ref(s, 2), 1), 0)) }, "r{y.z}"},
		{"two fields", func(s *plan.Scan) plan.Node { return project(s, get(ref(s, 2), 0), get(get(ref(s, 2), 1), 1)) }, "r{x, y.w}"},
		{"field and its row", func(s *plan.Scan) plan.Node { return project(s, get(get(ref(s, 2), 1), 1), get(ref(s, 2), 1)) }, "r{y}"},
		{"all", func(s *plan.Scan) plan.Node { return project(s, get(ref(s, 2), 0), ref(s, 2)) }, "r"},
		{"through a projection", func(s *plan.Scan) plan.Node {
			p := project(s, ref(s, 0), ref(s, 2))
			return project(p, get(ref(p, 1), 0))
		}, "r{x}"},
		{"through a field", func(s *plan.Scan) plan.Node {
			p := project(s, get(ref(s, 2), 1))
			return project(p, get(ref(p, 0), 0))
		}, "r{y.z}"},
		{"nothing", func(s *plan.Scan) plan.Node {
			return project(s, &plan.Literal{Meta: plan.Meta{Typ: types.Of(types.Int)}, Value: int64(1)})
		}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			root := prune.Nodes([]plan.Node{tt.plan(scan())})[0]
			for len(root.Inputs()) > 0 {
				root = root.Inputs()[0]
			}
			if got, want := explain.Describe(root), "TableSourceScan(table=[[, , t]], fields=["+tt.want+"])"; got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
}

// TestSharedScanReadsForAll sees that a scan under two roots stays one and reads
// what both want.
func TestSharedScanReadsForAll(t *testing.T) {
	t.Parallel()
	s := scan()
	out := prune.Nodes([]plan.Node{project(s, ref(s, 1)), project(s, get(ref(s, 2), 0))})
	a, b := out[0].Inputs()[0], out[1].Inputs()[0]
	if a != b {
		t.Fatal("the scan is no longer shared")
	}
	if got := explain.Describe(a); got != "TableSourceScan(table=[[, , t]], fields=[b, r{x}])" {
		t.Errorf("got %s", got)
	}
	if got := explain.Describe(out[0]); got != "Project(select=[b])" {
		t.Errorf("got %s", got)
	}
}
