package aggregate

import (
	"container/heap"
	"encoding/binary"

	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/operator/pages"
	"github.com/weirflow/weirflow/services/transform/internal/operator/row"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

// extremeInts is MIN and MAX of what is held as integers, without retraction.
type extremeInts struct {
	max bool
	v   pages.List[int64]
	has pages.List[bool]
}

func (f *extremeInts) Grow(n int) {
	f.v.Grow(n)
	f.has.Grow(n)
}

func (f *extremeInts) Clear(slot int32) { *f.v.At(slot), *f.has.At(slot) = 0, false }

func (f *extremeInts) put(slot int32, x int64) {
	if !*f.has.At(slot) || x != *f.v.At(slot) && x > *f.v.At(slot) == f.max {
		*f.v.At(slot), *f.has.At(slot) = x, true
	}
}

func (f *extremeInts) Add(slot int32, args []*column.Vector, i int) { f.put(slot, args[0].Ints[i]) }

func (f *extremeInts) Retract(int32, []*column.Vector, int) {}

func (f *extremeInts) Merge(dst, src int32) {
	if *f.has.At(src) {
		f.put(dst, *f.v.At(src))
	}
}

func (f *extremeInts) Append(slot int32, dst *column.Vector) error {
	if !*f.has.At(slot) {
		appendNull(dst)
		return nil
	}
	appendInt(dst, *f.v.At(slot))
	return nil
}

func (f *extremeInts) Save(dst []byte, slot int32) []byte {
	if !*f.has.At(slot) {
		return append(dst, 0)
	}
	return binary.AppendVarint(append(dst, 1), *f.v.At(slot))
}

func (f *extremeInts) Load(slot int32, s string) (rest string, err error) {
	if s == "" {
		return s, row.ErrDamaged
	}
	if *f.has.At(slot) = s[0] == 1; !*f.has.At(slot) {
		return s[1:], nil
	}
	*f.v.At(slot), rest, err = row.Varint(s[1:])
	return rest, err
}

// element is a value with bytes that order it.
type element struct{ order, value string }

// extremes is MIN and MAX of any type, without retraction.
type extremes struct {
	max     bool
	v       pages.List[element]
	scratch []byte
}

func (f *extremes) Grow(n int)       { f.v.Grow(n) }
func (f *extremes) Clear(slot int32) { *f.v.At(slot) = element{} }

func (f *extremes) Add(slot int32, args []*column.Vector, i int) {
	f.scratch = row.AppendOrdered(f.scratch[:0], args[0], i)
	if old := *f.v.At(slot); old.value == "" || old.order != string(f.scratch) && string(f.scratch) > old.order == f.max {
		*f.v.At(slot) = element{string(f.scratch), string(row.AppendValue(nil, args[0], i))}
	}
}

func (f *extremes) Retract(int32, []*column.Vector, int) {}

func (f *extremes) Merge(dst, src int32) {
	a, b := *f.v.At(dst), *f.v.At(src)
	if b.value != "" && (a.value == "" || b.order > a.order == f.max) {
		*f.v.At(dst) = b
	}
}

func (f *extremes) Append(slot int32, dst *column.Vector) error {
	return appendValue(dst, f.v.At(slot).value)
}

func (f *extremes) Save(dst []byte, slot int32) []byte {
	return row.AppendText(row.AppendText(dst, f.v.At(slot).order), f.v.At(slot).value)
}

func (f *extremes) Load(slot int32, s string) (rest string, err error) {
	*f.v.At(slot), rest, err = loadElement(s)
	return rest, err
}

func loadElement(s string) (e element, rest string, err error) {
	if e.order, s, err = row.Text(s); err != nil {
		return e, s, err
	}
	e.value, s, err = row.Text(s)
	return e, s, err
}

// appendValue appends an encoded value; the empty string is none.
func appendValue(dst *column.Vector, value string) error {
	if value == "" {
		appendNull(dst)
		return nil
	}
	_, err := row.DecodeValue(value, dst)
	return err
}

// ranked is all values of a group with how often they came. The heap's top is
// the extreme; values that were taken back leave it when they get there.
type ranked struct {
	max   bool
	count map[string]int64 // by order; 0 while it is only in the heap
	heap  []element
}

func (r *ranked) Len() int { return len(r.heap) }
func (r *ranked) Less(i, j int) bool {
	if r.max {
		i, j = j, i
	}
	return r.heap[i].order < r.heap[j].order
}
func (r *ranked) Swap(i, j int) { r.heap[i], r.heap[j] = r.heap[j], r.heap[i] }

// Push is for the heap.
func (r *ranked) Push(x any) { r.heap = append(r.heap, x.(element)) }

// Pop is for the heap.
func (r *ranked) Pop() any {
	last := len(r.heap) - 1
	e := r.heap[last]
	r.heap[last] = element{}
	r.heap = r.heap[:last]
	return e
}

func (r *ranked) add(e element, n int64) {
	old, known := r.count[e.order]
	r.count[e.order] = old + n
	if !known {
		heap.Push(r, e)
	}
}

func (r *ranked) top() string {
	for len(r.heap) > 0 {
		e := r.heap[0]
		if r.count[e.order] > 0 {
			return e.value
		}
		if r.count[e.order] < 0 {
			// It was taken back before it came: keep that in mind, out of the heap's way.
			return r.slowTop()
		}
		delete(r.count, e.order)
		heap.Pop(r)
	}
	return ""
}

func (r *ranked) slowTop() string {
	var best element
	for _, e := range r.heap {
		if r.count[e.order] > 0 && (best.value == "" || e.order > best.order == r.max) {
			best = e
		}
	}
	return best.value
}

// extremesRetract is MIN and MAX where rows may be taken back.
type extremesRetract struct {
	max     bool
	v       pages.List[*ranked]
	scratch []byte
}

func (f *extremesRetract) Grow(n int)       { f.v.Grow(n) }
func (f *extremesRetract) Clear(slot int32) { *f.v.At(slot) = nil }

func (f *extremesRetract) at(slot int32) *ranked {
	if *f.v.At(slot) == nil {
		*f.v.At(slot) = &ranked{max: f.max, count: make(map[string]int64)}
	}
	return *f.v.At(slot)
}

func (f *extremesRetract) put(slot int32, args []*column.Vector, i int, n int64) {
	r := f.at(slot)
	f.scratch = row.AppendOrdered(f.scratch[:0], args[0], i)
	if old, known := r.count[string(f.scratch)]; known {
		r.count[string(f.scratch)] = old + n
		return
	}
	r.add(element{string(f.scratch), string(row.AppendValue(nil, args[0], i))}, n)
}

func (f *extremesRetract) Add(slot int32, args []*column.Vector, i int)     { f.put(slot, args, i, 1) }
func (f *extremesRetract) Retract(slot int32, args []*column.Vector, i int) { f.put(slot, args, i, -1) }

func (f *extremesRetract) Merge(dst, src int32) {
	from := *f.v.At(src)
	if from == nil {
		return
	}
	r := f.at(dst)
	for _, e := range from.heap {
		r.add(e, from.count[e.order])
	}
}

func (f *extremesRetract) Append(slot int32, dst *column.Vector) error {
	if *f.v.At(slot) == nil {
		appendNull(dst)
		return nil
	}
	return appendValue(dst, (*f.v.At(slot)).top())
}

func (f *extremesRetract) Save(dst []byte, slot int32) []byte {
	r := *f.v.At(slot)
	if r == nil {
		return binary.AppendUvarint(dst, 0)
	}
	dst = binary.AppendUvarint(dst, uint64(len(r.heap)))
	for _, e := range r.heap {
		dst = row.AppendText(row.AppendText(dst, e.order), e.value)
		dst = binary.AppendVarint(dst, r.count[e.order])
	}
	return dst
}

func (f *extremesRetract) Load(slot int32, s string) (string, error) {
	n, s, err := row.Uvarint(s)
	if err != nil {
		return s, err
	}
	for range n {
		var e element
		if e, s, err = loadElement(s); err != nil {
			return s, err
		}
		var times int64
		if times, s, err = row.Varint(s); err != nil {
			return s, err
		}
		f.at(slot).add(e, times)
	}
	return s, nil
}

// newExtreme returns MIN or MAX of a type.
func newExtreme(t types.Type, maximum, retract bool) Function {
	layout := column.LayoutOf(t)
	switch {
	case retract:
		return &extremesRetract{max: maximum}
	case layout == column.Ints, layout == column.Times && t.Precision <= 3:
		return &extremeInts{max: maximum}
	default:
		return &extremes{max: maximum}
	}
}
