package rank

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/eval"
	"github.com/weirflow/weirflow/services/transform/internal/operator"
	"github.com/weirflow/weirflow/services/transform/internal/operator/row"
	"github.com/weirflow/weirflow/services/transform/internal/operator/state"
	"github.com/weirflow/weirflow/services/transform/internal/plan"
)

// Normalize turns a stream that is upserted by key into one that takes its old
// rows back.
type Normalize struct {
	state.Tables
	keys []int
	last *state.Table[string]
	out  *operator.Rows
	key  []byte
	row  []byte
}

// NewNormalize makes the operator behind a node that upserts.
func NewNormalize(n *plan.Normalize, env eval.Env) *Normalize {
	env = env.Filled()
	o := n.Out()
	d := &Normalize{Tables: state.NewTables(fmt.Sprintf("last of %v %s", n.Keys, kinds(o.Fields))), keys: n.Keys, out: operator.NewRows(o.Fields)}
	d.last = state.AddTable(&d.Tables, "rows", state.Codec[string]{
		Append: func(dst []byte, s string) []byte { return append(dst, s...) },
		Decode: func(_, s string) (string, error) { return s, nil },
	})
	d.last.Expire(env.StateTTL, env.Now, nil)
	return d
}

// Process puts out what the rows change.
func (d *Normalize) Process(_ int, b *column.Batch, out operator.Emitter) error {
	d.out.From(b)
	for i := range b.Len {
		d.key = row.Append(d.key[:0], b, d.keys, i)
		old, known := d.last.Get(d.key)
		d.row = row.AppendAll(d.row[:0], b, i)
		var err error
		switch kind := b.Kind(i); {
		case kind == column.UpdateBefore:
		case kind == column.Delete:
			if known {
				err = emit(d.out, column.Delete, b.Record(i), old, false, 0)
				d.last.Delete(string(d.key))
			}
		case known && old == string(d.row):
		default:
			text := string(d.row)
			kind = column.Insert
			if known {
				kind = column.UpdateAfter
				err = emit(d.out, column.UpdateBefore, b.Record(i), old, false, 0)
			}
			d.last.Put(string(d.key), text)
			if err == nil {
				err = emit(d.out, kind, b.Record(i), text, false, 0)
			}
		}
		if err != nil {
			return err
		}
		if err := d.out.Spill(out); err != nil {
			return err
		}
	}
	return d.out.Flush(out)
}

// Watermark passes it on.
func (d *Normalize) Watermark(_ int, ts int64, out operator.Emitter) error { return out.Watermark(ts) }

// End does nothing.
func (d *Normalize) End(int, operator.Emitter) error { return nil }

// Close does nothing.
func (d *Normalize) Close() error { return nil }

// Materialize keeps the rows of each key of a sink, and puts out the one that came
// last and was not taken back.
type Materialize struct {
	state.Tables
	keys []int
	rows *state.Table[[]string]
	out  *operator.Rows
	key  []byte
	row  []byte
}

// NewMaterialize makes the operator before a sink.
func NewMaterialize(n *plan.Materialize, env eval.Env) *Materialize {
	env = env.Filled()
	m := &Materialize{Tables: state.NewTables(fmt.Sprintf("rows of %v %s", n.Keys, kinds(n.Fields))), keys: n.Keys, out: operator.NewRows(n.Fields)}
	m.rows = state.AddTable(&m.Tables, "rows", state.Codec[[]string]{Append: appendRows, Decode: readRows})
	m.rows.Expire(env.StateTTL, env.Now, nil)
	return m
}

func appendRows(dst []byte, rows []string) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(rows)))
	for _, r := range rows {
		dst = row.AppendText(dst, r)
	}
	return dst
}

func readRows(_, s string) ([]string, error) {
	n, s, err := row.Uvarint(s)
	if err != nil {
		return nil, err
	}
	var rows []string
	for range n {
		var r string
		if r, s, err = row.Text(s); err != nil {
			return nil, err
		}
		rows = append(rows, r)
	}
	return rows, nil
}

// Process puts out what the rows change in the table that is written.
func (m *Materialize) Process(_ int, b *column.Batch, out operator.Emitter) error {
	m.out.From(b)
	for i := range b.Len {
		m.key = row.Append(m.key[:0], b, m.keys, i)
		m.row = row.AppendAll(m.row[:0], b, i)
		kind := b.Kind(i)
		var err error
		if kind == column.UpdateBefore || kind == column.Delete {
			err = m.back(b.Record(i))
		} else {
			err = m.add(b.Record(i))
		}
		if err != nil {
			return err
		}
		if err := m.out.Spill(out); err != nil {
			return err
		}
	}
	return m.out.Flush(out)
}

func (m *Materialize) add(record int) error {
	rows, known := m.rows.Get(m.key)
	text := string(m.row)
	m.rows.Put(string(m.key), append(rows, text))
	kind := column.Insert
	if known {
		kind = column.UpdateAfter
	}
	return emit(m.out, kind, record, text, false, 0)
}

// back takes away the last row that is the same; what is not there was forgotten.
func (m *Materialize) back(record int) error {
	rows, known := m.rows.Get(m.key)
	at := len(rows) - 1
	for at >= 0 && rows[at] != string(m.row) {
		at--
	}
	if !known || at < 0 {
		return nil
	}
	last := at == len(rows)-1
	rows = slices.Delete(rows, at, at+1)
	if len(rows) == 0 {
		m.rows.Delete(string(m.key))
		return emit(m.out, column.Delete, record, string(m.row), false, 0)
	}
	m.rows.Put(string(m.key), rows)
	if !last {
		return nil
	}
	return emit(m.out, column.UpdateAfter, record, rows[len(rows)-1], false, 0)
}

// Watermark passes it on.
func (m *Materialize) Watermark(_ int, ts int64, out operator.Emitter) error {
	return out.Watermark(ts)
}

// End does nothing.
func (m *Materialize) End(int, operator.Emitter) error { return nil }

// Close does nothing.
func (m *Materialize) Close() error { return nil }
