package window

import (
	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/eval"
	"github.com/weirflow/weirflow/services/transform/internal/operator"
	"github.com/weirflow/weirflow/services/transform/internal/plan"
)

// Assign is TUMBLE, HOP and CUMULATE as table functions: each row with the bounds
// of every window it is in.
type Assign struct {
	operator.Drops
	node  *plan.WindowAssign
	clock clock
	out   *operator.Rows
	spans []span
}

// NewAssign makes the operator of a node whose windows are not sessions.
func NewAssign(n *plan.WindowAssign, env eval.Env) *Assign {
	return &Assign{node: n, clock: newClock(n.Window, env.Filled()), out: operator.NewRows(n.Fields)}
}

// Process adds the bounds to the rows.
func (a *Assign) Process(_ int, b *column.Batch, out operator.Emitter) error {
	w := &a.node.Window
	now := a.clock.wall(a.clock.now().UnixMilli())
	a.out.From(b)
	for i := range b.Len {
		ts := now
		if !w.Proctime {
			times := b.Cols[w.TimeColumn]
			if times.IsNull(i) {
				a.Leave(b.Record(i))
				continue
			}
			ts = a.clock.wall(times.Ints[i])
		}
		a.spans = spans(a.spans[:0], w, ts)
		for _, s := range a.spans {
			a.out.Add(b.Kind(i), b.Record(i))
			for c, v := range b.Cols {
				operator.Append(a.out.Batch.Cols[c], v, i)
			}
			appendBounds(a.out.Batch.Cols[len(b.Cols):], a.clock, s)
		}
		if err := a.out.Spill(out); err != nil {
			return err
		}
	}
	return a.out.Flush(out)
}

// appendBounds appends window_start, window_end and window_time.
func appendBounds(cols []*column.Vector, c clock, s span) {
	c.appendProperty(cols[0], plan.WindowStart, s)
	c.appendProperty(cols[1], plan.WindowEnd, s)
	c.appendProperty(cols[2], plan.WindowRowtime, s)
}

// Watermark passes it on.
func (a *Assign) Watermark(_ int, ts int64, out operator.Emitter) error { return out.Watermark(ts) }

// End does nothing.
func (a *Assign) End(int, operator.Emitter) error { return nil }

// Snapshot does nothing: there is no state.
func (a *Assign) Snapshot(operator.StateWriter) error { return nil }

// Restore does nothing.
func (a *Assign) Restore(operator.StateReader) error { return nil }

// Close does nothing.
func (a *Assign) Close() error { return nil }
