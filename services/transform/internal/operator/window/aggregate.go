package window

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/eval"
	"github.com/weirflow/weirflow/services/transform/internal/operator"
	"github.com/weirflow/weirflow/services/transform/internal/operator/aggregate"
	"github.com/weirflow/weirflow/services/transform/internal/operator/row"
	"github.com/weirflow/weirflow/services/transform/internal/operator/state"
	"github.com/weirflow/weirflow/services/transform/internal/plan"
)

// Aggregate groups by window and keys. A window's groups are put out when it is
// over, and forgotten; rows that come later are dropped.
type Aggregate struct {
	state.Tables
	operator.Drops
	node    *plan.WindowAggregate
	clock   clock
	set     *aggregate.Set
	windows *windows
	next    int64 // a time before which no window ends
	out     *operator.Rows
	mark    int64
	key     []byte
	spans   []span
}

// NewAggregate makes the operator of a node whose windows are not sessions.
func NewAggregate(n *plan.WindowAggregate, env eval.Env) (*Aggregate, error) {
	env = env.Filled()
	set, err := aggregate.NewSet(n.Calls, env, n.Input.Out().Mode != plan.InsertOnly)
	if err != nil {
		return nil, err
	}
	a := &Aggregate{Tables: state.NewTables(shape(n)), node: n, clock: newClock(n.Window, env), set: set,
		windows: newWindows(set), next: operator.MaxWatermark, out: operator.NewRows(n.Fields), mark: operator.NoWatermark}
	state.AddCell(&a.Tables, "watermark",
		func(dst []byte) []byte { return binary.AppendVarint(dst, a.mark) },
		func(s string) (err error) { a.mark, _, err = row.Varint(s); return err })
	if !n.Window.Proctime {
		a.windows.over = func(s span) bool { return a.clock.done(s.end, a.mark) }
	}
	a.windows.opened = func(s span) { a.next = min(a.next, s.end) }
	a.Add(a.windows)
	return a, nil
}

func shape(n *plan.WindowAggregate) string {
	w := n.Window
	head := fmt.Sprintf("%s %d %d %d %d by", w.Kind, w.Size, w.Slide, w.Gap, w.Offset)
	return state.Shape(head, state.Picked(n.Input.Out().Fields, n.Keys), n.Calls)
}

// Process puts the rows into their windows.
func (a *Aggregate) Process(_ int, b *column.Batch, _ operator.Emitter) error {
	if err := a.set.Bind(b); err != nil {
		return err
	}
	w := &a.node.Window
	var times *column.Vector
	if a.node.Attached == nil && !w.Proctime {
		times = b.Cols[w.TimeColumn]
	}
	now := int64(0)
	if w.Proctime {
		now = a.clock.wall(a.clock.now().UnixMilli())
	}
	for i := range b.Len {
		a.spans = a.spans[:0]
		switch {
		case a.node.Attached != nil:
			start, end := b.Cols[a.node.Attached[0]], b.Cols[a.node.Attached[1]]
			if !start.IsNull(i) && !end.IsNull(i) {
				a.spans = append(a.spans, span{start.Ints[i], end.Ints[i]})
			}
		case times == nil:
			a.spans = spans(a.spans, w, now)
		case !times.IsNull(i):
			a.spans = spans(a.spans, w, a.clock.wall(times.Ints[i]))
		}
		a.add(b, i)
	}
	return nil
}

// add counts row i in the windows that are still open.
func (a *Aggregate) add(b *column.Batch, i int) {
	taken := false
	for _, s := range a.spans {
		if !a.node.Window.Proctime && a.clock.done(s.end, a.mark) {
			continue
		}
		taken = true
		a.key = row.Append(a.key[:0], b, a.node.Keys, i)
		slot := a.windows.slot(s, a.key)
		if k := b.Kind(i); k == column.UpdateBefore || k == column.Delete {
			a.set.Retract(slot, i)
		} else {
			a.set.Add(slot, i)
		}
	}
	if !taken {
		a.Leave(b.Record(i))
	}
}

// Watermark puts out the windows that are over.
func (a *Aggregate) Watermark(_ int, ts int64, out operator.Emitter) error {
	a.mark = max(a.mark, ts)
	if !a.node.Window.Proctime {
		if err := a.fire(ts, out); err != nil {
			return err
		}
	}
	return out.Watermark(ts)
}

// fire puts out the windows that are over at a time.
func (a *Aggregate) fire(mark int64, out operator.Emitter) error {
	if a.next == operator.MaxWatermark || !a.clock.done(a.next, mark) {
		return nil
	}
	var over []span
	a.next = operator.MaxWatermark
	for s := range a.windows.open {
		if a.clock.done(s.end, mark) {
			over = append(over, s)
		} else {
			a.next = min(a.next, s.end)
		}
	}
	slices.SortFunc(over, func(x, y span) int { return cmp.Or(cmp.Compare(x.end, y.end), cmp.Compare(x.start, y.start)) })
	a.out.From(nil)
	for _, s := range over {
		if err := a.close(a.windows.open[s], out); err != nil {
			return err
		}
	}
	return a.out.Flush(out)
}

// close puts out the groups of a window, in the order of their keys: what follows
// may depend on the order, and must not depend on that of the records.
func (a *Aggregate) close(g *groups, out operator.Emitter) error {
	for _, at := range g.index.Sorted() {
		slot := *g.slots.At(at)
		if a.set.Rows(slot) > 0 { // all rows of a group may have been taken back
			if err := emit(a.out, a.node, a.clock, a.set, g.index.Key(at), slot, g.span); err != nil {
				return err
			}
		}
		a.set.Free(slot)
		if err := a.out.Spill(out); err != nil {
			return err
		}
	}
	a.windows.close(g.span)
	return nil
}

// emit adds a group of a window to the output: keys, results, properties.
func emit(out *operator.Rows, n *plan.WindowAggregate, c clock, set *aggregate.Set, key string, slot int32, s span) error {
	out.Add(column.Insert, 0)
	var bounds [spanBytes]byte
	out.Name(string(appendSpan(bounds[:0], s)), key)
	cols := out.Batch.Cols
	if _, err := row.Decode(key, cols[:len(n.Keys)]); err != nil {
		return err
	}
	cols = cols[len(n.Keys):]
	if err := set.Append(slot, cols); err != nil {
		return err
	}
	for i, p := range n.Properties {
		c.appendProperty(cols[len(n.Calls)+i], p, s)
	}
	return nil
}

// Next returns when the first window of processing time is over.
func (a *Aggregate) Next() time.Time {
	if !a.node.Window.Proctime || a.next == operator.MaxWatermark {
		return time.Time{}
	}
	return time.UnixMilli(a.clock.instant(a.next))
}

// Tick puts out the windows of processing time that are over.
func (a *Aggregate) Tick(now time.Time, out operator.Emitter) error {
	return a.fire(now.UnixMilli()-1, out)
}

// End puts out what is left of processing time.
func (a *Aggregate) End(_ int, out operator.Emitter) error {
	return a.fire(operator.MaxWatermark, out)
}

// Named sets what the rows' names are made with.
func (a *Aggregate) Named(id string) { a.out.Salt(id) }

// Close does nothing.
func (a *Aggregate) Close() error { return nil }
