package rank

import (
	"fmt"

	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/eval"
	"github.com/weirflow/weirflow/services/transform/internal/operator"
	"github.com/weirflow/weirflow/services/transform/internal/operator/row"
	"github.com/weirflow/weirflow/services/transform/internal/operator/state"
	"github.com/weirflow/weirflow/services/transform/internal/plan"
)

// Deduplicate keeps the first or the last row of each key.
type Deduplicate struct {
	state.Tables
	node  *plan.Deduplicate
	last  *state.Table[entry] // order is the time's
	out   *operator.Rows
	ttl   bool
	key   []byte
	order []byte
	row   []byte
}

// NewDeduplicate makes the operator of a node without a window.
func NewDeduplicate(n *plan.Deduplicate, env eval.Env) *Deduplicate {
	env = env.Filled()
	d := &Deduplicate{Tables: state.NewTables(fmt.Sprintf("one of %v last %v %s", n.Keys, n.KeepLast, kinds(n.Input.Out().Fields))),
		node: n, out: operator.NewRows(n.Fields), ttl: env.StateTTL > 0}
	d.last = state.AddTable(&d.Tables, "rows", state.Codec[entry]{
		Append: func(dst []byte, e entry) []byte { return row.AppendText(row.AppendText(dst, e.order), e.row) },
		Decode: func(_, s string) (e entry, err error) {
			if e.order, s, err = row.Text(s); err != nil {
				return e, err
			}
			e.row, _, err = row.Text(s)
			return e, err
		},
	})
	d.last.Expire(env.StateTTL, env.Now, nil)
	return d
}

// Process lets the rows pass that are the first or last of their key so far.
func (d *Deduplicate) Process(_ int, b *column.Batch, out operator.Emitter) error {
	d.out.From(b)
	for i := range b.Len {
		if err := d.change(b, i); err != nil {
			return err
		}
		if err := d.out.Spill(out); err != nil {
			return err
		}
	}
	return d.out.Flush(out)
}

func (d *Deduplicate) change(b *column.Batch, i int) error {
	n := d.node
	d.key = row.Append(d.key[:0], b, n.Keys, i)
	old, known := d.last.Get(d.key)
	if known && n.Proctime && !n.KeepLast {
		return nil
	}
	d.order = d.order[:0]
	if !n.Proctime {
		if b.Cols[n.Time].IsNull(i) {
			return nil
		}
		d.order = row.AppendOrdered(d.order, b.Cols[n.Time], i)
		if known && (n.KeepLast && string(d.order) < old.order || !n.KeepLast && string(d.order) >= old.order) {
			return nil
		}
	}
	// Rows that will never be taken back need not be kept.
	d.row = d.row[:0]
	if !n.Proctime || n.KeepLast {
		d.row = row.AppendAll(d.row, b, i)
	}
	if known && n.Proctime && old.row == string(d.row) && !d.ttl {
		return nil
	}
	e := entry{string(d.order), string(d.row)}
	d.last.Put(string(d.key), e)
	kind := column.Insert
	if known {
		kind = column.UpdateAfter
		if err := emit(d.out, column.UpdateBefore, b.Record(i), old.row, n.NumberColumn, 0); err != nil {
			return err
		}
	}
	d.out.Add(kind, b.Record(i))
	if n.Proctime && !n.KeepLast && !d.ttl {
		d.out.Name(string(d.key)) // there is no other row of the key, ever
	}
	for c, v := range b.Cols {
		operator.Append(d.out.Batch.Cols[c], v, i)
	}
	if n.NumberColumn {
		last := d.out.Batch.Cols[len(b.Cols)]
		last.Extend(1)
		last.Ints[last.Len-1] = 1
	}
	return nil
}

// Watermark passes it on.
func (d *Deduplicate) Watermark(_ int, ts int64, out operator.Emitter) error {
	return out.Watermark(ts)
}

// End does nothing.
func (d *Deduplicate) End(int, operator.Emitter) error { return nil }

// Named sets what the rows' names are made with.
func (d *Deduplicate) Named(id string) { d.out.Salt(id) }

// Close does nothing.
func (d *Deduplicate) Close() error { return nil }
