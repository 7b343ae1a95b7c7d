package exec_test

import (
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/eval"
	"github.com/weirflow/weirflow/services/transform/internal/exec"
	"github.com/weirflow/weirflow/services/transform/internal/plan"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

// partitions says that a row's partition is its number.
type partitions struct {
	names
	of []int
}

func (p partitions) Partition(i int) int { return p.of[i] }

func timeField() types.Field {
	t := types.TimestampType(3)
	t.Attribute = types.Rowtime
	return types.Field{Name: "ts", Type: t}
}

// counting is a graph that counts rows in windows of 10 ms of a source whose
// watermark is the time itself.
func counting(t *testing.T, connector string, bounded bool, env eval.Env) (*exec.Graph, *changes) {
	t.Helper()
	ts := timeField()
	out := plan.Output{Fields: []types.Field{ts}, Bounded: bounded}
	scan := &plan.Scan{Output: out, Table: &plan.Table{Name: "t", Options: map[string]string{"connector": connector}}}
	mark := &plan.Watermark{Output: out, Input: scan, Expr: &plan.InputRef{Meta: plan.Meta{Typ: ts.Type}}}
	n := &plan.WindowAggregate{Input: mark, Window: plan.Window{Size: 10}, Properties: []plan.Property{plan.WindowStart},
		Calls: []plan.AggCall{{Function: "COUNT", Filter: -1, Type: types.Of(types.BigInt)}}}
	n.Fields = []types.Field{{Name: "c", Type: types.Of(types.BigInt)}, {Name: "s", Type: types.TimestampType(3)}}
	got := &changes{}
	g, err := exec.Build([]plan.Node{n}, []exec.Sink{got}, env)
	if err != nil {
		t.Fatal(err)
	}
	return g, got
}

func timesOf(of []int, times ...int64) *column.Batch {
	b := &column.Batch{Len: len(times), Cols: []*column.Vector{column.New(timeField().Type)}}
	if of != nil {
		b.Origin = partitions{of: of}
	}
	for _, at := range times {
		if at < 0 {
			b.Cols[0].Append(nil)
		} else {
			b.Cols[0].Append(types.TimestampValue{Millis: at})
		}
	}
	return b
}

func window(count int, second string) string {
	return "+I " + strconv.Itoa(count) + " 1970-01-01 00:00:00." + second
}

func TestBoundedSourceMakesRowsLateWithinABatch(t *testing.T) {
	g, got := counting(t, "filesystem", true, eval.Env{})
	// After 300 the watermark has moved by more than 200 ms, so that 5 is late; after
	// 400 it has not, so that 305 is not.
	if err := g.Scans[0].Push(timesOf(nil, 1, 300, 5, 400, 305), nil); err != nil {
		t.Fatal(err)
	}
	if err := g.Scans[0].End(); err != nil {
		t.Fatal(err)
	}
	want := []string{window(1, "000"), window(2, "300"), window(1, "400")}
	if !slices.Equal(got.list, want) {
		t.Errorf("got %q, want %q", got.list, want)
	}
	if g.Dropped() != 1 {
		t.Errorf("%d rows dropped, want 1", g.Dropped())
	}
}

func TestPartitionsOfABoundedSourceKeepTheirOwnTime(t *testing.T) {
	g, got := counting(t, "kafka", true, eval.Env{})
	for p, empty := range []bool{false, false, true} {
		g.Scans[0].Expect(strconv.Itoa(p), empty)
	}
	push := func(of int, times ...int64) {
		t.Helper()
		if err := g.Scans[0].Push(timesOf(slices.Repeat([]int{of}, len(times)), times...), nil); err != nil {
			t.Fatal(err)
		}
	}
	push(0, 1, 500, 900)
	push(1, 2, 501)
	if want := []string{window(2, "000")}; !slices.Equal(got.list, want) {
		t.Errorf("got %q, want %q: partition 1 has reached 501", got.list, want)
	}
	if err := g.Scans[0].End(); err != nil {
		t.Fatal(err)
	}
	if want := []string{window(2, "000"), window(2, "500"), window(1, "900")}; !slices.Equal(got.list, want) || g.Dropped() != 0 {
		t.Errorf("got %q with %d dropped, want %q", got.list, g.Dropped(), want)
	}
}

func TestRowsWithoutTime(t *testing.T) {
	g, _ := counting(t, "filesystem", true, eval.Env{})
	if err := g.Scans[0].Push(timesOf(nil, 1, -1), nil); err == nil {
		t.Error("a NULL time of a file passes")
	}
	g, _ = counting(t, "kafka", false, eval.Env{})
	if err := g.Scans[0].Push(timesOf(nil, 1, -1), nil); err != nil || g.Dropped() != 1 {
		t.Errorf("a NULL time of Kafka: error %v, %d dropped", err, g.Dropped())
	}
}

func TestSlowestPartitionCountsUntilItIsSilent(t *testing.T) {
	now := time.UnixMilli(0)
	g, got := counting(t, "kafka", false, eval.Env{Now: func() time.Time { return now }, IdleTimeout: time.Minute})
	push := func(of []int, times ...int64) {
		t.Helper()
		if err := g.Scans[0].Push(timesOf(of, times...), nil); err != nil {
			t.Fatal(err)
		}
	}
	push([]int{0, 1}, 50, 3)
	if len(got.list) != 0 {
		t.Fatalf("the slow partition does not hold back %q", got.list)
	}
	now = now.Add(40 * time.Second)
	push([]int{0}, 60)
	if at := g.NextTimer(); !at.Equal(time.UnixMilli(0).Add(time.Minute)) {
		t.Fatalf("next timer at %v", at)
	}
	now = now.Add(20 * time.Second)
	if err := g.Tick(now); err != nil {
		t.Fatal(err)
	}
	if want := []string{window(1, "000"), window(1, "050")}; !slices.Equal(got.list, want) {
		t.Errorf("got %q, want %q", got.list, want)
	}
	push([]int{1}, 4)
	if g.Dropped() != 1 {
		t.Errorf("%d rows dropped, want the late one of the partition that was silent", g.Dropped())
	}
}

func TestTheWatermarkWaitsForPartitionsThatAreExpected(t *testing.T) {
	g, got := counting(t, "kafka", false, eval.Env{})
	g.Scans[0].Expect("0", false)
	g.Scans[0].Expect("1", false)
	push := func(of []int, times ...int64) {
		t.Helper()
		if err := g.Scans[0].Push(timesOf(of, times...), nil); err != nil {
			t.Fatal(err)
		}
	}
	push([]int{0}, 5000)
	if len(got.list) != 0 {
		t.Errorf("%q before a row of partition 1", got.list)
	}
	push([]int{1}, 3)
	push([]int{1}, 20)
	if want := []string{window(1, "000")}; !slices.Equal(got.list, want) || g.Dropped() != 0 {
		t.Errorf("got %q with %d dropped, want %q", got.list, g.Dropped(), want)
	}
	for _, l := range g.Stats() {
		if len(l.Lanes) == 2 && (!l.Lanes[1].Holds || l.Lanes[0].Holds) {
			t.Errorf("partitions %+v, want 1 to hold the watermark", l.Lanes)
		}
	}
}

func TestAPartitionThatNeverHadARecordIsNotWaitedForLong(t *testing.T) {
	now := time.UnixMilli(0)
	g, got := counting(t, "kafka", false, eval.Env{Now: func() time.Time { return now }})
	g.Scans[0].Expect("0", false)
	g.Scans[0].Expect("1", true)
	if err := g.Scans[0].Push(timesOf([]int{0, 0}, 3, 50), nil); err != nil {
		t.Fatal(err)
	}
	if len(got.list) != 0 {
		t.Fatalf("%q before the empty partition was waited for", got.list)
	}
	now = now.Add(2 * time.Second)
	if at := g.NextTimer(); at.After(now) {
		t.Fatalf("next timer at %v, want it now", at)
	}
	if err := g.Tick(now); err != nil {
		t.Fatal(err)
	}
	if want := []string{window(1, "000")}; !slices.Equal(got.list, want) {
		t.Errorf("got %q, want %q", got.list, want)
	}
}
