package column

import (
	"math/big"
	"strings"

	"github.com/weirflow/weirflow/services/transform/internal/types"
)

// MapValue is a boxed MAP, in the order of its entries.
type MapValue struct {
	Keys, Values []any
}

// Value returns row i boxed: nil, bool, int64, float64, types.DecimalValue,
// string, types.TimestampValue, []any for ARRAY and ROW, or MapValue. It shares
// no memory with the vector.
func (v *Vector) Value(i int) any {
	if v.IsNull(i) {
		return nil
	}
	switch LayoutOf(v.Type) {
	case Bools:
		return v.Bools[i]
	case Ints:
		return v.Ints[i]
	case Times:
		return v.Time(i)
	case Floats:
		return v.Floats[i]
	case Decs:
		return types.DecimalValue{Unscaled: v.Decs[i], Scale: v.Type.Scale}
	case Lists:
		return v.Elem.values(v.Spans[i])
	case Maps:
		return MapValue{Keys: v.Key.values(v.Spans[i]), Values: v.Elem.values(v.Spans[i])}
	case Rows:
		row := make([]any, len(v.Fields))
		for f, field := range v.Fields {
			if field != nil {
				row[f] = field.Value(i)
			}
		}
		return row
	case Nothing:
		return nil
	default:
		return strings.Clone(v.Strs[i])
	}
}

// Time returns the timestamp of row i.
func (v *Vector) Time(i int) types.TimestampValue {
	t := types.TimestampValue{Millis: v.Ints[i]}
	if v.Nanos != nil {
		t.Nanos = v.Nanos[i]
	}
	return t
}

// SetTime sets row i to a timestamp, cut to the digits that the type has.
func (v *Vector) SetTime(i int, t types.TimestampValue) {
	v.Ints[i] = t.Millis
	if v.Nanos != nil {
		v.Nanos[i] = t.Nanos
	}
}

func (v *Vector) values(s Span) []any {
	out := make([]any, s.Len)
	for i := range out {
		out[i] = v.Value(int(s.Start) + i)
	}
	return out
}

// Set sets row i, which must be within Len, to a boxed value of the vector's type.
func (v *Vector) Set(i int, value any) {
	switch x := value.(type) {
	case nil:
		v.SetNull(i)
	case bool:
		v.Bools[i] = x
	case int64:
		v.Ints[i] = x
	case float64:
		v.Floats[i] = x
	case string:
		v.Strs[i] = x
	case []byte:
		v.Strs[i] = string(x)
	case types.TimestampValue:
		v.SetTime(i, x)
	case types.DecimalValue:
		v.Decs[i] = x.Unscaled
	case *big.Int:
		v.Decs[i] = x
	case []any:
		v.setList(i, x)
	case MapValue:
		start := v.Elem.Len
		for k := range x.Keys {
			v.Key.Append(x.Keys[k])
			v.Elem.Append(x.Values[k])
		}
		v.Spans[i] = Span{Start: int32(start), Len: int32(len(x.Keys))}
	}
}

func (v *Vector) setList(i int, x []any) {
	if v.Type.Kind == types.Row {
		for f, field := range v.Fields {
			if field != nil {
				field.Set(i, x[f])
			}
		}
		return
	}
	start := v.Elem.Len
	for _, e := range x {
		v.Elem.Append(e)
	}
	v.Spans[i] = Span{Start: int32(start), Len: int32(len(x))}
}

// Append adds a boxed value as the last row.
func (v *Vector) Append(value any) {
	v.Extend(1)
	v.Set(v.Len-1, value)
}

// Extend adds n rows whose values are undefined and which are not NULL.
func (v *Vector) Extend(n int) {
	size := v.Len + n
	v.nulls = v.nulls.Grow(size)
	for i := v.Len; i < size; i++ {
		v.nulls.Clear(i)
	}
	switch LayoutOf(v.Type) {
	case Bools:
		v.Bools = extended(v.Bools, size)
	case Ints:
		v.Ints = extended(v.Ints, size)
	case Times:
		v.Ints = extended(v.Ints, size)
		if v.Type.Precision > 3 {
			v.Nanos = extended(v.Nanos, size)
		}
	case Floats:
		v.Floats = extended(v.Floats, size)
	case Decs:
		v.Decs = extended(v.Decs, size)
	case Strs:
		v.Strs = extended(v.Strs, size)
	case Lists, Maps:
		v.Spans = extended(v.Spans, size)
	case Rows:
		for _, f := range v.Fields {
			if f != nil {
				f.Extend(n)
			}
		}
	case Nothing:
		for i := v.Len; i < size; i++ {
			v.SetNull(i)
		}
	}
	v.Len = size
}

func extended[T any](s []T, n int) []T {
	var zero T
	for len(s) < n {
		s = append(s, zero)
	}
	return s[:n]
}
