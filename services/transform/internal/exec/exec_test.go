package exec_test

import (
	"testing"

	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/eval"
	"github.com/weirflow/weirflow/services/transform/internal/exec"
	"github.com/weirflow/weirflow/services/transform/internal/plan"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

// taker keeps the lanes and watermarks of what reaches it.
type taker struct {
	lanes map[uint32]int
}

func (t *taker) Write(b *column.Batch, _ *exec.Receipt) error {
	t.lanes[b.Lane] += b.Len
	return nil
}

func intScan() (*plan.Scan, plan.Output) {
	out := plan.Output{Fields: []types.Field{{Name: "n", Type: types.Of(types.Int)}}}
	return &plan.Scan{Output: out, Table: &plan.Table{Name: "t"}, Columns: []plan.ScanColumn{{Name: "n", Type: types.Of(types.Int)}}}, out
}

func batch(values ...int64) *column.Batch {
	v := column.New(types.Of(types.Int))
	for _, x := range values {
		v.Append(x)
	}
	return &column.Batch{Len: len(values), Cols: []*column.Vector{v}}
}

func TestBranchesOfOneScanHaveTheirOwnLanes(t *testing.T) {
	scan, out := intScan()
	inner := &plan.Union{Output: out, Branches: []plan.Node{scan, scan}}
	union := &plan.Union{Output: out, Branches: []plan.Node{inner, scan}}
	got := &taker{lanes: make(map[uint32]int)}
	g, err := exec.Build([]plan.Node{union}, []exec.Sink{got}, eval.Env{})
	if err != nil {
		t.Fatal(err)
	}
	if len(g.Scans) != 1 {
		t.Fatalf("%d scans of one node", len(g.Scans))
	}
	if err := g.Scans[0].Push(batch(1, 2), nil); err != nil {
		t.Fatal(err)
	}
	if len(got.lanes) != 3 {
		t.Errorf("lanes %v, want three", got.lanes)
	}
}

func TestReceiptIsDoneOnceWhenAllHaveReleasedIt(t *testing.T) {
	done := 0
	r := exec.NewReceipt(3, func(*exec.Receipt) { done++ })
	r.Hold()
	r.Hold()
	r.Touch(&column.Batch{Len: 3, Rows: []int32{0, 2, 2}})
	r.Release(nil)
	r.Release(nil)
	if done != 0 {
		t.Fatal("done while someone holds it")
	}
	r.Release(nil)
	if done != 1 || r.Out() != 2 || r.Err() != nil {
		t.Errorf("done %d times, %d records out, error %v", done, r.Out(), r.Err())
	}
}

func TestUnsupportedNodesSayWhere(t *testing.T) {
	scan, out := intScan()
	out.At = plan.Pos{Line: 3, Column: 7}
	_, err := exec.Build([]plan.Node{&plan.Correlate{Output: out, Left: scan, Right: scan}}, []exec.Sink{&taker{}}, eval.Env{})
	if err == nil || err.Error() != "line 3, column 7: LATERAL over a query of this form is not supported yet" {
		t.Errorf("error %v", err)
	}
}

func TestFailingRowNamesItsRecord(t *testing.T) {
	scan, out := intScan()
	div := &plan.Call{Meta: plan.Meta{Typ: types.Of(types.Int), At: plan.Pos{Line: 1, Column: 8}}, Function: plan.FnDivide, Args: []plan.Expr{
		&plan.Literal{Meta: plan.Meta{Typ: types.Of(types.Int)}, Value: int64(10)}, &plan.InputRef{Meta: plan.Meta{Typ: types.Of(types.Int)}}}}
	g, err := exec.Build([]plan.Node{&plan.Project{Output: out, Input: scan, Exprs: []plan.Expr{div}}}, []exec.Sink{&taker{lanes: map[uint32]int{}}}, eval.Env{})
	if err != nil {
		t.Fatal(err)
	}
	b := batch(1, 0)
	b.Origin = names{}
	err = g.Scans[0].Push(b, nil)
	if err == nil || err.Error() != "line 1, column 8: division by zero (record 1)" {
		t.Errorf("error %v", err)
	}
}

type names struct{}

func (names) AppendEventID(b []byte, _ int) []byte { return b }
func (names) Partition(int) int                    { return 0 }
func (names) Describe(i int) string                { return "record " + string(rune('0'+i)) }
func (names) EventMillis(int) int64                { return 0 }
