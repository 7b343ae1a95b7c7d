package aggregate

import (
	"encoding/binary"

	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/eval"
	"github.com/weirflow/weirflow/services/transform/internal/operator/pages"
	"github.com/weirflow/weirflow/services/transform/internal/operator/row"
	"github.com/weirflow/weirflow/services/transform/internal/plan"
)

// call is an aggregate function as a query calls it.
type call struct {
	fn       Function
	programs []*eval.Program
	args     []*column.Vector // of the batch that is worked on
	filter   *column.Vector
	filterAt int
	skipNull bool
	// distinct counts, by slot, how often each argument came, if each counts once.
	distinct pages.List[*distinct]
	once     bool
	merged   []*column.Vector // to decode arguments into
	at       plan.Pos
}

// Set is the aggregate functions of a query with the accumulators of all groups.
type Set struct {
	calls   []call
	rows    pages.List[int64] // rows of each slot
	free    []int32
	scratch []byte
}

// NewSet makes the functions of calls. retract says that rows may be taken back.
func NewSet(calls []plan.AggCall, env eval.Env, retract bool) (*Set, error) {
	s := &Set{}
	for _, c := range calls {
		fn, skip, err := build(c, retract)
		if err != nil {
			return nil, err
		}
		k := call{fn: fn, skipNull: skip, filterAt: c.Filter, at: c.At, args: make([]*column.Vector, len(c.Args))}
		for _, a := range c.Args {
			p, err := eval.Compile(a, env)
			if err != nil {
				return nil, err
			}
			k.programs = append(k.programs, p)
			k.merged = append(k.merged, column.New(a.Type()))
		}
		if c.Distinct && len(c.Args) > 0 && c.Function != "MIN" && c.Function != "MAX" || c.Function == "APPROX_COUNT_DISTINCT" {
			k.once = true
		}
		s.calls = append(s.calls, k)
	}
	return s, nil
}

// Bind says which batch the rows to come are of.
func (s *Set) Bind(b *column.Batch) error {
	for c := range s.calls {
		k := &s.calls[c]
		for i, p := range k.programs {
			v, err := p.Eval(b)
			if err != nil {
				return err
			}
			k.args[i] = v
		}
		if k.filterAt >= 0 {
			k.filter = b.Cols[k.filterAt]
		}
	}
	return nil
}

// New returns an empty slot.
func (s *Set) New() int32 {
	if last := len(s.free) - 1; last >= 0 {
		slot := s.free[last]
		s.free = s.free[:last]
		return slot
	}
	slot := int32(s.rows.Len())
	n := s.rows.Len() + 1
	s.rows.Grow(n)
	for c := range s.calls {
		s.calls[c].fn.Grow(n)
		if s.calls[c].once {
			s.calls[c].distinct.Grow(n)
		}
	}
	return slot
}

// Clear empties a slot.
func (s *Set) Clear(slot int32) {
	*s.rows.At(slot) = 0
	for c := range s.calls {
		k := &s.calls[c]
		k.fn.Clear(slot)
		if k.once {
			*k.distinct.At(slot) = nil
		}
	}
}

// Free gives a slot back.
func (s *Set) Free(slot int32) {
	s.Clear(slot)
	s.free = append(s.free, slot)
}

// Rows returns how many rows a slot has taken in and not given back.
func (s *Set) Rows(slot int32) int64 { return *s.rows.At(slot) }

// passes reports whether a call takes row i.
func (k *call) passes(i int) bool {
	if k.filter != nil && (k.filter.IsNull(i) || !k.filter.Bools[i]) {
		return false
	}
	if !k.skipNull {
		return true
	}
	for _, a := range k.args {
		if a.IsNull(i) {
			return false
		}
	}
	return true
}

// Add takes row i of the bound batch in.
func (s *Set) Add(slot int32, i int) {
	*s.rows.At(slot)++
	for c := range s.calls {
		k := &s.calls[c]
		if !k.passes(i) || k.once && !s.first(k, slot, i) {
			continue
		}
		k.fn.Add(slot, k.args, i)
	}
}

// Retract takes row i of the bound batch out again.
func (s *Set) Retract(slot int32, i int) {
	*s.rows.At(slot)--
	for c := range s.calls {
		k := &s.calls[c]
		if !k.passes(i) || k.once && !s.last(k, slot, i) {
			continue
		}
		k.fn.Retract(slot, k.args, i)
	}
}

// Append appends the results of a slot to vectors, one for each call.
func (s *Set) Append(slot int32, dst []*column.Vector) error {
	for c := range s.calls {
		if err := s.calls[c].fn.Append(slot, dst[c]); err != nil {
			return &eval.Error{At: s.calls[c].at, Err: err}
		}
	}
	return nil
}

// Merge adds what src has taken in to dst; src keeps it.
func (s *Set) Merge(dst, src int32) error {
	*s.rows.At(dst) += *s.rows.At(src)
	for c := range s.calls {
		k := &s.calls[c]
		if !k.once {
			k.fn.Merge(dst, src)
			continue
		}
		if err := k.mergeDistinct(dst, src); err != nil {
			return err
		}
	}
	return nil
}

// Save writes a slot.
func (s *Set) Save(dst []byte, slot int32) []byte {
	dst = binary.AppendVarint(dst, *s.rows.At(slot))
	for c := range s.calls {
		k := &s.calls[c]
		dst = k.fn.Save(dst, slot)
		if !k.once {
			continue
		}
		dst = k.saveDistinct(dst, slot)
	}
	return dst
}

// Load reads a slot that Save wrote and returns what is left.
func (s *Set) Load(slot int32, text string) (rest string, err error) {
	if *s.rows.At(slot), text, err = row.Varint(text); err != nil {
		return text, err
	}
	for c := range s.calls {
		k := &s.calls[c]
		if text, err = k.fn.Load(slot, text); err != nil {
			return text, err
		}
		if !k.once {
			continue
		}
		if text, err = k.loadDistinct(slot, text); err != nil {
			return text, err
		}
	}
	return text, nil
}
