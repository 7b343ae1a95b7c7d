// Package group is GROUP BY without windows, DISTINCT, and grouping sets.
package group

import (
	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/eval"
	"github.com/weirflow/weirflow/services/transform/internal/operator"
	"github.com/weirflow/weirflow/services/transform/internal/operator/aggregate"
	"github.com/weirflow/weirflow/services/transform/internal/operator/row"
	"github.com/weirflow/weirflow/services/transform/internal/operator/state"
	"github.com/weirflow/weirflow/services/transform/internal/plan"
)

// Aggregate is GROUP BY. Every row changes its group's result at once.
type Aggregate struct {
	state.Tables
	keys  []int
	set   *aggregate.Set
	slots *state.Table[int32]
	out   *operator.Rows
	key   []byte
	ttl   bool
	// distinct says that there are only keys: groups never change, they come and go.
	distinct bool
}

// New makes the operator of a node.
func New(n *plan.Aggregate, env eval.Env) (*Aggregate, error) {
	env = env.Filled()
	if n.TTL != nil {
		env.StateTTL = *n.TTL
	}
	set, err := aggregate.NewSet(n.Calls, env, n.Input.Out().Mode != plan.InsertOnly)
	if err != nil {
		return nil, err
	}
	a := &Aggregate{Tables: state.NewTables(shape(n)), keys: n.Keys, set: set, out: operator.NewRows(n.Fields),
		ttl: env.StateTTL > 0, distinct: len(n.Calls) == 0}
	a.slots = state.AddTable(&a.Tables, "groups", state.Codec[int32]{
		Append: set.Save,
		Decode: func(_, s string) (int32, error) {
			slot := set.New()
			_, err := set.Load(slot, s)
			return slot, err
		},
	})
	a.slots.Expire(env.StateTTL, env.Now, func(_ string, slot int32) { set.Free(slot) })
	return a, nil
}

// shape names what the state depends on.
func shape(n *plan.Aggregate) string {
	return state.Shape("group by", state.Picked(n.Input.Out().Fields, n.Keys), n.Calls)
}

// Process changes the groups of the rows.
func (a *Aggregate) Process(_ int, b *column.Batch, out operator.Emitter) error {
	if err := a.set.Bind(b); err != nil {
		return err
	}
	a.out.From(b)
	for i := range b.Len {
		if err := a.change(b, i); err != nil {
			return err
		}
		if err := a.out.Spill(out); err != nil {
			return err
		}
	}
	return a.out.Flush(out)
}

func (a *Aggregate) change(b *column.Batch, i int) error {
	a.key = row.Append(a.key[:0], b, a.keys, i)
	slot, known := a.slots.Get(a.key)
	kind := b.Kind(i)
	back := kind == column.UpdateBefore || kind == column.Delete
	if !known {
		if back {
			return nil // what was never counted, or is forgotten
		}
		slot = a.set.New()
		a.slots.Put(string(a.key), slot)
		a.set.Add(slot, i)
		if err := a.emit(column.Insert, slot, b, i); err != nil {
			return err
		}
		if a.distinct && !a.ttl {
			a.out.Name(string(a.key)) // if no group ever goes, this is the only row of its key
		}
		return nil
	}
	if a.distinct && !back && !a.ttl {
		a.set.Add(slot, i)
		a.slots.TouchBytes(a.key)
		return nil
	}
	if err := a.emit(column.UpdateBefore, slot, b, i); err != nil {
		return err
	}
	if back {
		a.set.Retract(slot, i)
	} else {
		a.set.Add(slot, i)
	}
	if a.set.Rows(slot) == 0 {
		a.out.SetKind(a.out.Batch.Len-1, column.Delete)
		a.set.Free(slot)
		a.slots.Delete(string(a.key))
		return nil
	}
	a.slots.TouchBytes(a.key)
	if err := a.emit(column.UpdateAfter, slot, b, i); err != nil {
		return err
	}
	if !a.ttl && a.unchanged() {
		a.out.Drop(2)
	}
	return nil
}

// emit adds a group's row to the output.
func (a *Aggregate) emit(kind column.Kind, slot int32, b *column.Batch, i int) error {
	a.out.Add(kind, b.Record(i))
	for k, c := range a.keys {
		operator.Append(a.out.Batch.Cols[k], b.Cols[c], i)
	}
	return a.set.Append(slot, a.out.Batch.Cols[len(a.keys):])
}

// unchanged reports whether the last two rows are the same.
func (a *Aggregate) unchanged() bool {
	last := a.out.Batch.Len - 1
	for _, c := range a.out.Batch.Cols[len(a.keys):] {
		if !row.Same(c, last-1, c, last) {
			return false
		}
	}
	return true
}

// Watermark passes it on: groups know no time.
func (a *Aggregate) Watermark(_ int, ts int64, out operator.Emitter) error { return out.Watermark(ts) }

// End does nothing.
func (a *Aggregate) End(int, operator.Emitter) error { return nil }

// Named sets what the rows' names are made with.
func (a *Aggregate) Named(id string) { a.out.Salt(id) }

// Close does nothing.
func (a *Aggregate) Close() error { return nil }
