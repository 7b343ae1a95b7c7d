package aggregate

import (
	"encoding/binary"

	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/eval"
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
	// distinct counts, by slot, how often each argument came; nil when all count.
	distinct slots[map[string]int64]
	merged   []*column.Vector // to decode arguments into
	at       plan.Pos
}

// Set is the aggregate functions of a query with the accumulators of all groups.
type Set struct {
	calls   []call
	rows    slots[int64] // rows of each slot
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
			k.distinct = slots[map[string]int64]{}
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
	slot := int32(len(s.rows))
	n := len(s.rows) + 1
	s.rows.grow(n)
	for c := range s.calls {
		s.calls[c].fn.Grow(n)
		if s.calls[c].distinct != nil {
			s.calls[c].distinct.grow(n)
		}
	}
	return slot
}

// Clear empties a slot.
func (s *Set) Clear(slot int32) {
	s.rows[slot] = 0
	for c := range s.calls {
		k := &s.calls[c]
		k.fn.Clear(slot)
		if k.distinct != nil {
			k.distinct[slot] = nil
		}
	}
}

// Free gives a slot back.
func (s *Set) Free(slot int32) {
	s.Clear(slot)
	s.free = append(s.free, slot)
}

// Rows returns how many rows a slot has taken in and not given back.
func (s *Set) Rows(slot int32) int64 { return s.rows[slot] }

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
	s.rows[slot]++
	for c := range s.calls {
		k := &s.calls[c]
		if !k.passes(i) || k.distinct != nil && !s.first(k, slot, i) {
			continue
		}
		k.fn.Add(slot, k.args, i)
	}
}

// Retract takes row i of the bound batch out again.
func (s *Set) Retract(slot int32, i int) {
	s.rows[slot]--
	for c := range s.calls {
		k := &s.calls[c]
		if !k.passes(i) || k.distinct != nil && !s.last(k, slot, i) {
			continue
		}
		k.fn.Retract(slot, k.args, i)
	}
}

func (s *Set) encode(k *call, i int) {
	s.scratch = s.scratch[:0]
	for _, a := range k.args {
		s.scratch = row.AppendValue(s.scratch, a, i)
	}
}

// first counts the arguments of row i, and reports whether they came the first time.
func (s *Set) first(k *call, slot int32, i int) bool {
	s.encode(k, i)
	if k.distinct[slot] == nil {
		k.distinct[slot] = make(map[string]int64)
	}
	n := k.distinct[slot][string(s.scratch)] + 1
	settle(k.distinct[slot], string(s.scratch), n)
	return n == 1
}

// last takes the arguments of row i back, and reports whether they are gone.
func (s *Set) last(k *call, slot int32, i int) bool {
	s.encode(k, i)
	if k.distinct[slot] == nil {
		k.distinct[slot] = make(map[string]int64)
	}
	n := k.distinct[slot][string(s.scratch)] - 1
	settle(k.distinct[slot], string(s.scratch), n)
	return n == 0
}

func settle(m map[string]int64, key string, n int64) {
	if n == 0 {
		delete(m, key)
	} else {
		m[key] = n
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
	s.rows[dst] += s.rows[src]
	for c := range s.calls {
		k := &s.calls[c]
		if k.distinct == nil {
			k.fn.Merge(dst, src)
			continue
		}
		if err := k.mergeDistinct(dst, src); err != nil {
			return err
		}
	}
	return nil
}

func (k *call) mergeDistinct(dst, src int32) error {
	if k.distinct[dst] == nil {
		k.distinct[dst] = make(map[string]int64)
	}
	for key, n := range k.distinct[src] {
		old := k.distinct[dst][key]
		k.distinct[dst][key] = old + n
		if old > 0 {
			continue
		}
		for _, v := range k.merged {
			v.Reset(0)
		}
		if _, err := row.Decode(key, k.merged); err != nil {
			return err
		}
		k.fn.Add(dst, k.merged, 0)
	}
	return nil
}

// Save writes a slot.
func (s *Set) Save(dst []byte, slot int32) []byte {
	dst = binary.AppendVarint(dst, s.rows[slot])
	for c := range s.calls {
		k := &s.calls[c]
		dst = k.fn.Save(dst, slot)
		if k.distinct == nil {
			continue
		}
		dst = binary.AppendUvarint(dst, uint64(len(k.distinct[slot])))
		for key, n := range k.distinct[slot] {
			dst = binary.AppendVarint(row.AppendText(dst, key), n)
		}
	}
	return dst
}

// Load reads a slot that Save wrote and returns what is left.
func (s *Set) Load(slot int32, text string) (rest string, err error) {
	if s.rows[slot], text, err = row.Varint(text); err != nil {
		return text, err
	}
	for c := range s.calls {
		k := &s.calls[c]
		if text, err = k.fn.Load(slot, text); err != nil {
			return text, err
		}
		if k.distinct == nil {
			continue
		}
		if text, err = k.loadDistinct(slot, text); err != nil {
			return text, err
		}
	}
	return text, nil
}

func (k *call) loadDistinct(slot int32, text string) (string, error) {
	n, text, err := row.Uvarint(text)
	if err != nil {
		return text, err
	}
	k.distinct[slot] = make(map[string]int64)
	for range n {
		var key string
		if key, text, err = row.Text(text); err != nil {
			return text, err
		}
		if k.distinct[slot][key], text, err = row.Varint(text); err != nil {
			return text, err
		}
	}
	return text, nil
}
