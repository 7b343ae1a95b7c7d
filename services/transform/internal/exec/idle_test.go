package exec_test

import (
	"slices"
	"testing"
	"time"

	"github.com/weirflow/weirflow/services/transform/internal/eval"
	"github.com/weirflow/weirflow/services/transform/internal/exec"
	"github.com/weirflow/weirflow/services/transform/internal/plan"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

// united counts rows in windows of 10 ms of two Kafka tables together.
func united(t *testing.T, now func() time.Time, bounded bool) (*exec.Graph, *changes) {
	t.Helper()
	ts := timeField()
	marked := func(name string, bounded bool) plan.Node {
		out := plan.Output{Fields: []types.Field{ts}, Bounded: bounded}
		scan := &plan.Scan{Output: out, Table: &plan.Table{Name: name, Options: map[string]string{"connector": "kafka"}}}
		return &plan.Watermark{Output: out, Input: scan, Expr: &plan.InputRef{Meta: plan.Meta{Typ: ts.Type}}}
	}
	both := &plan.Union{Output: plan.Output{Fields: []types.Field{ts}}, Branches: []plan.Node{marked("a", bounded), marked("b", false)}}
	n := &plan.WindowAggregate{Input: both, Window: plan.Window{Size: 10}, Properties: []plan.Property{plan.WindowStart},
		Calls: []plan.AggCall{{Function: "COUNT", Filter: -1, Type: types.Of(types.BigInt)}}}
	n.Fields = []types.Field{{Name: "c", Type: types.Of(types.BigInt)}, {Name: "s", Type: types.TimestampType(3)}}
	got := &changes{}
	g, err := exec.Build([]plan.Node{n}, []exec.Sink{got}, eval.Env{Now: now, IdleTimeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	return g, got
}

func TestASilentTableIsNotWaitedFor(t *testing.T) {
	now := time.UnixMilli(0)
	g, got := united(t, func() time.Time { return now }, false)
	push := func(scan int, times ...int64) {
		t.Helper()
		if err := g.Scans[scan].Push(timesOf(nil, times...), nil); err != nil {
			t.Fatal(err)
		}
	}
	tick := func() {
		t.Helper()
		for at := g.NextTimer(); !at.IsZero() && !at.After(now); at = g.NextTimer() {
			if err := g.Tick(now); err != nil {
				t.Fatal(err)
			}
		}
	}
	tick()
	push(0, 1, 50)
	if len(got.list) != 0 {
		t.Fatalf("%q without a word of the other table", got.list)
	}
	now = now.Add(59 * time.Second)
	push(0, 51)
	tick()
	if len(got.list) != 0 {
		t.Fatalf("%q before the other table was silent for long enough", got.list)
	}
	now = now.Add(time.Second)
	tick()
	if want := []string{window(1, "000")}; !slices.Equal(got.list, want) {
		t.Fatalf("got %q, want %q", got.list, want)
	}
	push(0, 75)
	if want := []string{window(1, "000"), window(2, "050")}; !slices.Equal(got.list, want) {
		t.Fatalf("got %q, want %q", got.list, want)
	}
	// It comes back, behind the time: what is late is late, and it is waited for again.
	push(1, 20, 78)
	push(0, 200)
	if want := []string{window(1, "000"), window(2, "050")}; !slices.Equal(got.list, want) || g.Dropped() != 1 {
		t.Fatalf("got %q and %d late, want %q and 1", got.list, g.Dropped(), want)
	}
	push(1, 100)
	if want := window(2, "070"); got.list[len(got.list)-1] != want {
		t.Errorf("got %q, want %q at last", got.list, want)
	}
	// When all are silent, time stands still.
	n := len(got.list)
	now = now.Add(time.Hour)
	tick()
	if len(got.list) != n {
		t.Errorf("%q came of silence", got.list[n:])
	}
}

func TestTheEndOfATableDoesNotEndASilentOne(t *testing.T) {
	now := time.UnixMilli(0)
	g, got := united(t, func() time.Time { return now }, true)
	g.NextTimer()
	if err := g.Scans[0].Push(timesOf(nil, 5), nil); err != nil {
		t.Fatal(err)
	}
	now = now.Add(time.Minute)
	if err := g.Tick(now); err != nil {
		t.Fatal(err)
	}
	if err := g.Scans[0].End(); err != nil {
		t.Fatal(err)
	}
	if len(got.list) != 0 || g.Dropped() != 0 {
		t.Fatalf("%q closed by the end of the other table", got.list)
	}
	if err := g.Scans[1].Push(timesOf(nil, 7, 30), nil); err != nil {
		t.Fatal(err)
	}
	if want := []string{window(2, "000")}; !slices.Equal(got.list, want) {
		t.Errorf("got %q, want %q", got.list, want)
	}
}
