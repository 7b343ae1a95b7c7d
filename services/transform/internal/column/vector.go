package column

import (
	"math/big"
	"unsafe"

	"github.com/weirflow/weirflow/services/transform/internal/types"
)

// Span is the elements of one ARRAY, MULTISET or MAP in its vector's Elem. Rows
// may share a span.
type Span struct {
	Start, Len int32
}

// Vector is a column of values of one type. Which slice holds them depends on
// the type's Layout; the others are nil. Values of NULL rows are undefined.
type Vector struct {
	Type types.Type
	Len  int

	nulls   Bitmap
	anyNull bool

	Bools  []bool
	Ints   []int64   // integers, DATE, TIME, intervals, and the milliseconds of timestamps
	Nanos  []int32   // nanoseconds within the millisecond; nil when the type has no more than 3 digits
	Floats []float64 // FLOAT holds what fits 32 bits
	Decs   []*big.Int
	Strs   []string // CHAR, VARCHAR, BINARY, VARBINARY, RAW
	Spans  []Span
	Key    *Vector   // MAP keys
	Elem   *Vector   // elements, MAP values
	Fields []*Vector // ROW; nil for a field that nobody reads

	arena  []byte
	shared bool // Key and Elem belong to another vector
}

// Layout says how values are held.
type Layout uint8

// The layouts.
const (
	Bools Layout = iota
	Ints
	Times
	Floats
	Decs
	Strs
	Lists
	Maps
	Rows
	Nothing // the type NULL
)

// LayoutOf returns how values of a type are held.
func LayoutOf(t types.Type) Layout {
	switch k := t.Kind; {
	case k == types.Boolean:
		return Bools
	case k.IsInteger(), k == types.Date, k == types.Time, k.IsInterval():
		return Ints
	case k.IsTimestamp():
		return Times
	case k.IsApprox():
		return Floats
	case k == types.Decimal:
		return Decs
	case k == types.Array:
		return Lists
	case k == types.Map, k == types.Multiset:
		return Maps
	case k == types.Row:
		return Rows
	case k == types.Null:
		return Nothing
	default:
		return Strs
	}
}

// New returns an empty vector.
func New(t types.Type) *Vector {
	v := &Vector{Type: t}
	switch LayoutOf(t) {
	case Lists:
		v.Elem = New(*t.Elem)
	case Maps:
		if t.Kind == types.Multiset {
			v.Key, v.Elem = New(*t.Elem), New(types.Of(types.Int))
		} else {
			v.Key, v.Elem = New(*t.Key), New(*t.Elem)
		}
	case Rows:
		v.Fields = make([]*Vector, len(t.Fields))
		for i, f := range t.Fields {
			v.Fields[i] = New(f.Type)
		}
	default:
	}
	return v
}

// Reset makes the vector n rows long, none of them NULL, their values undefined.
func (v *Vector) Reset(n int) {
	v.Len = n
	v.anyNull = false
	v.nulls = v.nulls.Resize(n)
	v.arena = v.arena[:0]
	switch LayoutOf(v.Type) {
	case Bools:
		v.Bools = sized(v.Bools, n)
	case Ints:
		v.Ints = sized(v.Ints, n)
	case Times:
		v.Ints = sized(v.Ints, n)
		if v.Type.Precision > 3 {
			v.Nanos = sized(v.Nanos, n)
			clear(v.Nanos)
		}
	case Floats:
		v.Floats = sized(v.Floats, n)
	case Decs:
		v.Decs = sized(v.Decs, n)
	case Strs:
		v.Strs = sized(v.Strs, n)
	case Lists, Maps:
		v.Spans = sized(v.Spans, n)
		v.resetElements()
	case Rows:
		for _, f := range v.Fields {
			if f != nil {
				f.Reset(n)
			}
		}
	case Nothing:
		v.ResetNull(n)
	}
}

func (v *Vector) resetElements() {
	if v.shared {
		fresh := New(v.Type)
		v.Key, v.Elem, v.shared = fresh.Key, fresh.Elem, false
		return
	}
	v.Elem.Reset(0)
	if v.Key != nil {
		v.Key.Reset(0)
	}
}

// ResetNull makes the vector n rows long, all of them NULL.
func (v *Vector) ResetNull(n int) {
	if v.Type.Kind != types.Null {
		v.Reset(n)
	} else {
		v.Len = n
		v.nulls = v.nulls.Resize(n)
	}
	v.nulls.Fill(n)
	v.anyNull = n > 0
	for _, f := range v.Fields {
		if f != nil {
			f.ResetNull(n)
		}
	}
}

// Truncate shortens the vector to n rows.
func (v *Vector) Truncate(n int) {
	v.Len = n
	for _, f := range v.Fields {
		if f != nil {
			f.Truncate(n)
		}
	}
}

func sized[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n, max(n, 2*cap(s)))
	}
	return s[:n]
}

// IsNull reports whether row i is NULL.
func (v *Vector) IsNull(i int) bool { return v.anyNull && v.nulls.Get(i) }

// HasNulls reports whether some row may be NULL.
func (v *Vector) HasNulls() bool { return v.anyNull }

// Nulls returns the set of NULL rows; it is only valid when HasNulls.
func (v *Vector) Nulls() Bitmap { return v.nulls }

// SetNull makes row i NULL.
func (v *Vector) SetNull(i int) {
	v.anyNull = true
	v.nulls.Set(i)
}

// SetNotNull takes row i out of the NULLs.
func (v *Vector) SetNotNull(i int) { v.nulls.Clear(i) }

// AddNulls makes the rows NULL that are NULL in o.
func (v *Vector) AddNulls(o *Vector) {
	if o.anyNull {
		v.anyNull = true
		v.nulls.Or(o.nulls)
	}
}

// Settle looks whether any row is still NULL after SetNotNull, so that HasNulls is exact.
func (v *Vector) Settle() {
	if v.anyNull {
		// Bits behind Len may be set: a row was begun and taken back.
		v.anyNull = v.nulls.countTo(v.Len) > 0
	}
	for _, f := range v.Fields {
		if f != nil {
			f.Settle()
		}
	}
}

// SetString sets row i to a string that lives as long as the batch.
func (v *Vector) SetString(i int, s string) { v.Strs[i] = s }

// SetBytes sets row i to a copy of b.
func (v *Vector) SetBytes(i int, b []byte) {
	at := len(v.arena)
	v.arena = append(v.arena, b...)
	v.Strs[i] = View(v.arena[at:])
}

// Scratch returns the vector's arena to append a value to; Keep takes what was appended.
func (v *Vector) Scratch() []byte { return v.arena }

// Keep sets row i to what was appended to Scratch since it was from bytes long.
func (v *Vector) Keep(i int, scratch []byte, from int) {
	v.arena = scratch
	v.Strs[i] = View(scratch[from:])
}

// View returns b as a string without copying; b must not change while the string is used.
func View(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	return unsafe.String(unsafe.SliceData(b), len(b))
}

// ViewBytes returns the bytes of s without copying; they must not be written to.
func ViewBytes(s string) []byte {
	if s == "" {
		return nil
	}
	return unsafe.Slice(unsafe.StringData(s), len(s))
}

// WithNulls returns a view of v in which the rows are NULL that are NULL in o as
// well. It uses the memory of view, which WithNulls made before, or nil.
func (v *Vector) WithNulls(view, o *Vector) *Vector {
	if view == nil {
		view = &Vector{}
	}
	nulls := view.nulls.Resize(v.Len)
	*view = *v
	view.nulls = nulls
	view.anyNull = false
	view.AddNulls(v)
	view.AddNulls(o)
	view.arena = nil
	view.shared = true
	return view
}
