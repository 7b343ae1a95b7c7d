package group

import (
	"encoding/binary"

	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/eval"
	"github.com/weirflow/weirflow/services/transform/internal/operator"
	"github.com/weirflow/weirflow/services/transform/internal/operator/row"
	"github.com/weirflow/weirflow/services/transform/internal/operator/state"
	"github.com/weirflow/weirflow/services/transform/internal/plan"
)

// counts is how often a row is on each side.
type counts [2]int64

// SetOp is INTERSECT and EXCEPT.
type SetOp struct {
	state.Tables
	except, all bool
	rows        *state.Table[counts]
	marks       operator.Marks
	out         *operator.Rows
	key         []byte
}

// NewSetOp makes the operator of a node.
func NewSetOp(n *plan.SetOp, env eval.Env) *SetOp {
	env = env.Filled()
	s := &SetOp{Tables: state.NewTables(state.Shape("set of", n.Fields, nil)), except: n.Except, all: n.All, marks: operator.NewMarks(2), out: operator.NewRows(n.Fields)}
	state.AddMarks(&s.Tables, &s.marks)
	s.rows = state.AddTable(&s.Tables, "rows", state.Codec[counts]{
		Append: func(dst []byte, c counts) []byte {
			return binary.AppendVarint(binary.AppendVarint(dst, c[0]), c[1])
		},
		Decode: func(_, text string) (c counts, err error) {
			if c[0], text, err = row.Varint(text); err != nil {
				return c, err
			}
			c[1], _, err = row.Varint(text)
			return c, err
		},
	})
	s.rows.Expire(env.StateTTL, env.Now, nil)
	return s
}

// times is how often a row is put out.
func (s *SetOp) times(c counts) int64 {
	n := min(c[0], c[1])
	if s.except {
		n = c[0] - c[1]
		if !s.all && c[1] > 0 {
			n = 0
		}
	}
	if n > 1 && !s.all {
		n = 1
	}
	return max(n, 0)
}

// Process counts the rows, and puts out what that changes.
func (s *SetOp) Process(in int, b *column.Batch, out operator.Emitter) error {
	s.out.From(b)
	for i := range b.Len {
		s.key = row.AppendAll(s.key[:0], b, i)
		c, _ := s.rows.Get(s.key)
		before := s.times(c)
		if k := b.Kind(i); k == column.UpdateBefore || k == column.Delete {
			c[in]--
		} else {
			c[in]++
		}
		if c == (counts{}) {
			s.rows.Delete(string(s.key))
		} else {
			s.rows.Put(string(s.key), c)
		}
		kind, n := column.Insert, s.times(c)-before
		if n < 0 {
			kind, n = column.Delete, -n
		}
		for range n {
			s.out.Add(kind, b.Record(i))
			for k, v := range b.Cols {
				operator.Append(s.out.Batch.Cols[k], v, i)
			}
		}
		if err := s.out.Spill(out); err != nil {
			return err
		}
	}
	return s.out.Flush(out)
}

// Watermark passes on the slower side's.
func (s *SetOp) Watermark(in int, ts int64, out operator.Emitter) error {
	if !s.marks.Advance(in, ts) {
		return nil
	}
	return out.Watermark(s.marks.Now())
}

// End does nothing.
func (s *SetOp) End(int, operator.Emitter) error { return nil }

// Close does nothing.
func (s *SetOp) Close() error { return nil }
