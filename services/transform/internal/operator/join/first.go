package join

import (
	"encoding/binary"

	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/operator"
	"github.com/weirflow/weirflow/services/transform/internal/operator/row"
	"github.com/weirflow/weirflow/services/transform/internal/operator/state"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

// RightFirst holds the left input of an operator back until the right has ended,
// when both do end: nothing is put out then that the right would take back.
type RightFirst struct {
	operator.Operator
	buffer
	ready bool
	ended bool
	mark  int64
}

// buffer keeps rows in the order they came.
type buffer struct {
	state.Tables
	rows  *state.Table[string]
	count uint64
	batch *operator.Rows
	text  []byte
}

// NewRightFirst wraps an operator whose left input has the fields given.
func NewRightFirst(op operator.Operator, left []types.Field) *RightFirst {
	r := &RightFirst{Operator: op, mark: operator.NoWatermark}
	r.Tables = state.NewTables("held back")
	r.batch = operator.NewRows(left)
	r.rows = state.AddTable(&r.Tables, "held", state.Codec[string]{
		Append: func(dst []byte, s string) []byte { return append(dst, s...) },
		Decode: func(_, s string) (string, error) {
			r.count++
			return s, nil
		},
	})
	state.AddCell(&r.Tables, "ready", func(dst []byte) []byte {
		dst = binary.AppendVarint(dst, r.mark)
		if r.ready {
			return append(dst, 1)
		}
		return append(dst, 0)
	}, func(s string) (err error) {
		if r.mark, s, err = row.Varint(s); err != nil {
			return err
		}
		r.ready = s == "\x01"
		return nil
	})
	return r
}

// Process keeps rows of the left until the right has ended.
func (r *RightFirst) Process(in int, b *column.Batch, out operator.Emitter) error {
	if in == 1 || r.ready {
		return r.Operator.Process(in, b, out)
	}
	for i := range b.Len {
		r.text = append(r.text[:0], byte(b.Kind(i)))
		r.text = row.AppendAll(r.text, b, i)
		r.rows.Put(string(binary.BigEndian.AppendUint64(nil, r.count)), string(r.text))
		r.count++
	}
	return nil
}

// Watermark keeps that of the left back with its rows.
func (r *RightFirst) Watermark(in int, ts int64, out operator.Emitter) error {
	if in == 0 && !r.ready {
		r.mark = max(r.mark, ts)
		return nil
	}
	return r.Operator.Watermark(in, ts, out)
}

// End lets the left go when the right has ended.
func (r *RightFirst) End(in int, out operator.Emitter) error {
	if in == 0 && !r.ready {
		r.ended = true
		return nil
	}
	if err := r.Operator.End(in, out); err != nil || in == 0 {
		return err
	}
	r.ready = true
	if err := r.release(out); err != nil {
		return err
	}
	if r.mark != operator.NoWatermark {
		if err := r.Operator.Watermark(0, r.mark, out); err != nil {
			return err
		}
	}
	if r.ended {
		return r.Operator.End(0, out)
	}
	return nil
}

func (r *RightFirst) release(out operator.Emitter) error {
	push := func() error {
		if r.batch.Batch.Len == 0 {
			return nil
		}
		return r.batch.Flush(emitFunc(func(b *column.Batch) error { return r.Operator.Process(0, b, out) }))
	}
	for at := range r.count {
		key := binary.BigEndian.AppendUint64(nil, at)
		text, ok := r.rows.Get(key)
		if !ok || text == "" {
			return row.ErrDamaged
		}
		r.batch.Add(column.Kind(text[0]), 0)
		if _, err := row.Decode(text[1:], r.batch.Batch.Cols); err != nil {
			return err
		}
		r.rows.Delete(string(key))
		if r.batch.Batch.Len >= 4096 {
			if err := push(); err != nil {
				return err
			}
		}
	}
	r.count = 0
	return push()
}

// emitFunc takes batches as an emitter.
type emitFunc func(b *column.Batch) error

// Emit calls the function.
func (f emitFunc) Emit(b *column.Batch) error { return f(b) }

// Watermark does nothing.
func (f emitFunc) Watermark(int64) error { return nil }

// Stateful reports that there is state.
func (r *RightFirst) Stateful() bool { return true }

// Snapshot writes what is held back, and the operator's own state.
func (r *RightFirst) Snapshot(w operator.StateWriter) error {
	if err := r.Tables.Snapshot(prefixed{w: w}); err != nil {
		return err
	}
	return r.Operator.Snapshot(w)
}

// Sweep writes all of both.
func (r *RightFirst) Sweep(w operator.StateWriter, more func() bool) (bool, error) {
	if ok, err := r.Tables.Sweep(prefixed{w: w}, more); err != nil || !ok {
		return false, err
	}
	if k, ok := r.Operator.(operator.Keeper); ok {
		return k.Sweep(w, more)
	}
	return true, nil
}

// Restore reads both.
func (r *RightFirst) Restore(s operator.StateReader) error {
	if err := r.Tables.Restore(prefixed{r: s}); err != nil {
		return err
	}
	return r.Operator.Restore(s)
}

// Close closes the operator.
func (r *RightFirst) Close() error { return r.Operator.Close() }
