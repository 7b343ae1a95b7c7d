package window_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/eval"
	"github.com/weirflow/weirflow/services/transform/internal/operator"
	"github.com/weirflow/weirflow/services/transform/internal/operator/window"
	"github.com/weirflow/weirflow/services/transform/internal/plan"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

// rows collects what an operator puts out.
type rows struct{ list []string }

func (r *rows) Watermark(int64) error { return nil }

func (r *rows) Emit(b *column.Batch) error {
	for i := range b.Len {
		line := b.Kind(i).String()
		for _, c := range b.Cols {
			line = fmt.Sprint(line, " ", c.Value(i))
		}
		r.list = append(r.list, line)
	}
	return nil
}

func fields(ltz bool) []types.Field {
	ts := types.TimestampType(3)
	if ltz {
		ts = types.TimestampLTZType(3)
	}
	ts.Attribute = types.Rowtime
	return []types.Field{{Name: "k", Type: types.StringType()}, {Name: "v", Type: types.Of(types.BigInt)}, {Name: "ts", Type: ts}}
}

func aggregateOf(w plan.Window) *plan.WindowAggregate {
	in := fields(w.LTZ)
	v := &plan.InputRef{Meta: plan.Meta{Typ: in[1].Type}, Index: 1}
	w.TimeColumn = 2
	n := &plan.WindowAggregate{Input: &plan.Scan{Output: plan.Output{Fields: in}}, Window: w, Keys: []int{0}, Legacy: true,
		Calls: []plan.AggCall{
			{Function: "COUNT", Filter: -1, Type: types.Of(types.BigInt)},
			{Function: "MAX", Args: []plan.Expr{v}, Filter: -1, Type: types.Of(types.BigInt)},
			{Function: "AVG", Args: []plan.Expr{v}, Filter: -1, Type: types.Of(types.BigInt)},
		}, Properties: []plan.Property{plan.WindowStart, plan.WindowEnd}}
	n.Fields = []types.Field{in[0], in[1], in[1], in[1], {Name: "s", Type: types.TimestampType(3)}, {Name: "e", Type: types.TimestampType(3)}}
	return n
}

func batch(ltz bool, ts ...int64) *column.Batch {
	b := &column.Batch{Len: len(ts)}
	for _, f := range fields(ltz) {
		b.Cols = append(b.Cols, column.New(f.Type))
	}
	for i, at := range ts {
		b.Cols[0].Append("k")
		b.Cols[1].Append(int64(i))
		if at < 0 {
			b.Cols[2].Append(nil)
		} else {
			b.Cols[2].Append(types.TimestampValue{Millis: at})
		}
	}
	return b
}

func TestWindows(t *testing.T) {
	tests := []struct {
		name    string
		window  plan.Window
		zone    *time.Location
		times   []int64
		mark    int64   // after times
		later   []int64 // after mark
		want    []string
		dropped uint64
	}{
		{"tumble drops what is late and what has no time", plan.Window{Size: 10}, time.UTC, []int64{1, 9, 10, -1}, 9, []int64{3, 12},
			[]string{"+I k 2 1 0 {0 0} {10 0}", "+I k 2 2 1 {10 0} {20 0}"}, 2},
		{"tumble with offset", plan.Window{Size: 10, Offset: 3}, time.UTC, []int64{2, 3}, 0, nil,
			[]string{"+I k 1 0 0 {-7 0} {3 0}", "+I k 1 1 1 {3 0} {13 0}"}, 0},
		{"a late row still counts in the hops that are open", plan.Window{Kind: plan.HopWindow, Size: 20, Slide: 10}, time.UTC, []int64{5}, 9, []int64{6},
			[]string{"+I k 1 0 0 {-10 0} {10 0}", "+I k 2 0 0 {0 0} {20 0}"}, 0},
		{"cumulate", plan.Window{Kind: plan.CumulateWindow, Size: 30, Slide: 10}, time.UTC, []int64{5, 12, 25}, 0, nil,
			[]string{"+I k 1 0 0 {0 0} {10 0}", "+I k 2 1 0 {0 0} {20 0}", "+I k 3 2 1 {0 0} {30 0}"}, 0},
		{"sessions join when a row falls between them, or touches", plan.Window{Kind: plan.SessionWindow, Gap: 10}, time.UTC, []int64{0, 15, 8, 40, 50}, 0, nil,
			[]string{"+I k 3 2 1 {0 0} {25 0}", "+I k 2 4 3 {40 0} {60 0}"}, 0},
		{"a late row lengthens a session that is open", plan.Window{Kind: plan.SessionWindow, Gap: 10}, time.UTC, []int64{20}, 25, []int64{11, 0},
			[]string{"+I k 2 0 0 {11 0} {30 0}"}, 1},
		{"days of a zone", plan.Window{Size: 86_400_000, LTZ: true}, time.FixedZone("", 8*3600), []int64{16*3_600_000 - 1, 16 * 3_600_000}, 0, nil,
			[]string{"+I k 1 0 0 {0 0} {86400000 0}", "+I k 1 1 1 {86400000 0} {172800000 0}"}, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var op interface {
				operator.Operator
				operator.Dropper
			}
			env := eval.Env{Zone: tt.zone}
			var err error
			if tt.window.Kind == plan.SessionWindow {
				op, err = window.NewSession(aggregateOf(tt.window), env)
			} else {
				op, err = window.NewAggregate(aggregateOf(tt.window), env)
			}
			if err != nil {
				t.Fatal(err)
			}
			got := &rows{}
			for _, step := range []struct {
				times []int64
				mark  int64
			}{{tt.times, tt.mark}, {tt.later, operator.MaxWatermark}} {
				if err := op.Process(0, batch(tt.window.LTZ, step.times...), got); err != nil {
					t.Fatal(err)
				}
				if err := op.Watermark(0, step.mark, got); err != nil {
					t.Fatal(err)
				}
			}
			if !slices.Equal(got.list, tt.want) {
				t.Errorf("got  %q\nwant %q", got.list, tt.want)
			}
			if op.Dropped() != tt.dropped {
				t.Errorf("%d rows dropped, want %d", op.Dropped(), tt.dropped)
			}
		})
	}
}

// TestProcessingTime puts windows out when the clock has passed them.
func TestProcessingTime(t *testing.T) {
	now := time.UnixMilli(5)
	op, err := window.NewAggregate(aggregateOf(plan.Window{Size: 10, Proctime: true}), eval.Env{Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	got := &rows{}
	if err := op.Process(0, batch(false, 0), got); err != nil {
		t.Fatal(err)
	}
	if at := op.Next(); at.UnixMilli() != 10 {
		t.Fatalf("next at %v", at)
	}
	if err := op.Tick(time.UnixMilli(10), got); err != nil {
		t.Fatal(err)
	}
	if want := []string{"+I k 1 0 0 {0 0} {10 0}"}; !slices.Equal(got.list, want) {
		t.Errorf("got %q, want %q", got.list, want)
	}
	if !op.Next().IsZero() {
		t.Error("a timer without a window")
	}
}

// BenchmarkTumble counts rows of 1,000 keys; one op is a batch of 4,096 rows.
func BenchmarkTumble(b *testing.B) {
	op, err := window.NewAggregate(aggregateOf(plan.Window{Size: 10_000}), eval.Env{})
	if err != nil {
		b.Fatal(err)
	}
	in := &column.Batch{Len: 4096}
	for _, f := range fields(false) {
		in.Cols = append(in.Cols, column.New(f.Type))
	}
	for i := range in.Len {
		in.Cols[0].Append(fmt.Sprintf("/var/log/app-%d.log", i%1000))
		in.Cols[1].Append(int64(i))
		in.Cols[2].Append(types.TimestampValue{})
	}
	got := &rows{}
	at := int64(0)
	b.ReportAllocs()
	for b.Loop() {
		for i := range in.Len {
			in.Cols[2].Ints[i] = at
		}
		if err := op.Process(0, in, got); err != nil {
			b.Fatal(err)
		}
		at += 1000
		if err := op.Watermark(0, at-5000, discard{}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/4096, "ns/row")
}

type discard struct{}

func (discard) Emit(*column.Batch) error { return nil }
func (discard) Watermark(int64) error    { return nil }
