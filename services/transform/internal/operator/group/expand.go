package group

import (
	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/eval"
	"github.com/weirflow/weirflow/services/transform/internal/operator"
	"github.com/weirflow/weirflow/services/transform/internal/plan"
)

// Expand puts out each row once for each grouping set.
type Expand struct {
	programs [][]*eval.Program
	out      *operator.Rows
}

// NewExpand makes the operator of a node.
func NewExpand(n *plan.Expand, env eval.Env) (*Expand, error) {
	e := &Expand{out: operator.NewRows(n.Fields)}
	for _, exprs := range n.Projects {
		var ps []*eval.Program
		for _, x := range exprs {
			p, err := eval.Compile(x, env)
			if err != nil {
				return nil, err
			}
			ps = append(ps, p)
		}
		e.programs = append(e.programs, ps)
	}
	return e, nil
}

// Process puts the rows out, one after the other with all its sets.
func (e *Expand) Process(_ int, b *column.Batch, out operator.Emitter) error {
	sets := make([][]*column.Vector, len(e.programs))
	for s, ps := range e.programs {
		for _, p := range ps {
			v, err := p.Eval(b)
			if err != nil {
				return err
			}
			sets[s] = append(sets[s], v)
		}
	}
	e.out.From(b)
	for i := range b.Len {
		for _, cols := range sets {
			e.out.Add(b.Kind(i), b.Record(i))
			for c, v := range cols {
				operator.Append(e.out.Batch.Cols[c], v, i)
			}
		}
		if err := e.out.Spill(out); err != nil {
			return err
		}
	}
	return e.out.Flush(out)
}

// Watermark passes it on.
func (e *Expand) Watermark(_ int, ts int64, out operator.Emitter) error { return out.Watermark(ts) }

// End does nothing.
func (e *Expand) End(int, operator.Emitter) error { return nil }

// Snapshot does nothing: there is no state.
func (e *Expand) Snapshot(operator.StateWriter) error { return nil }

// Restore does nothing.
func (e *Expand) Restore(operator.StateReader) error { return nil }

// Close does nothing.
func (e *Expand) Close() error { return nil }
