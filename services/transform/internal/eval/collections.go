package eval

import (
	"errors"
	"slices"
	"strings"

	"github.com/weirflow/weirflow/services/transform/internal/column"
)

var collectionFunctions = map[string]builder{
	"CARDINALITY": simple(func(a []*column.Vector, i int, out *column.Vector) error {
		out.Ints[i] = int64(a[0].Spans[i].Len)
		return nil
	}),
	"ELEMENT": failing(element), "ARRAY_CONTAINS": lenient(arrayContains), "ARRAY_POSITION": lenient(arrayPosition),
	"ARRAY_DISTINCT": simple(arrayDistinct), "ARRAY_REMOVE": lenient(arrayRemove), "ARRAY_REVERSE": simple(arrayReverse),
	"ARRAY_CONCAT": simple(arrayConcat), "ARRAY_JOIN": lenient(arrayJoin), "ARRAY_SLICE": simple(arraySlice),
	"ARRAY_APPEND": lenient(arrayAppend), "ARRAY_PREPEND": lenient(arrayAppend2),
	"ARRAY_UNION": setFunction(true, nil), "ARRAY_INTERSECT": setFunction(false, new(true)), "ARRAY_EXCEPT": setFunction(false, new(false)),
	"ARRAY_MAX": extremeOf(1), "ARRAY_MIN": extremeOf(-1), "ARRAY_SORT": lenient(arraySort),
	"MAP_KEYS": simple(func(a []*column.Vector, i int, out *column.Vector) error {
		out.Set(i, mapAt(a[0], i).Keys)
		return fix(out, i)
	}),
	"MAP_VALUES": simple(func(a []*column.Vector, i int, out *column.Vector) error {
		out.Set(i, mapAt(a[0], i).Values)
		return fix(out, i)
	}),
	"MAP_ENTRIES":     simple(mapEntries),
	"MAP_FROM_ARRAYS": failing(mapFromArrays), "MAP_UNION": simple(mapUnion),
}

// fix makes what Set does for nil an empty list.
func fix(out *column.Vector, i int) error {
	if out.IsNull(i) {
		out.SetNotNull(i)
	}
	return nil
}

func listAt(v *column.Vector, i int) []any {
	l, _ := v.Value(i).([]any)
	return l
}

func mapAt(v *column.Vector, i int) column.MapValue {
	m, _ := v.Value(i).(column.MapValue)
	return m
}

func setListAt(out *column.Vector, i int, l []any) error {
	if l == nil {
		l = []any{}
	}
	out.Set(i, l)
	return nil
}

func anyNull(a []*column.Vector, i int, out *column.Vector) bool {
	for _, v := range a {
		if v.IsNull(i) {
			out.SetNull(i)
			return true
		}
	}
	return false
}

var errElements = errors.New("the array has more than one element")

func element(a []*column.Vector, i int, out *column.Vector) error {
	s := a[0].Spans[i]
	switch s.Len {
	case 0:
		out.SetNull(i)
	case 1:
		column.CopyRow(out, i, a[0].Elem, int(s.Start))
	default:
		return errElements
	}
	return nil
}

// same tells whether element k of a list is row i of a vector; NULL is like NULL.
func same(list *column.Vector, k int32, v *column.Vector, i int) bool {
	return compareNested(list, int(k), v, i) == 0
}

func arrayContains(a []*column.Vector, i int, out *column.Vector) error {
	if anyNull(a[:1], i, out) {
		return nil
	}
	s := a[0].Spans[i]
	out.Bools[i] = false
	for k := s.Start; k < s.Start+s.Len; k++ {
		if same(a[0].Elem, k, a[1], i) {
			out.Bools[i] = true
		}
	}
	return nil
}

func arrayPosition(a []*column.Vector, i int, out *column.Vector) error {
	if anyNull(a, i, out) {
		return nil
	}
	s := a[0].Spans[i]
	out.Ints[i] = 0
	for k := range s.Len {
		if same(a[0].Elem, s.Start+k, a[1], i) {
			out.Ints[i] = int64(k) + 1
			return nil
		}
	}
	return nil
}

// keepElements puts out the elements of row i for which keep is true, by number in the list's Elem.
func keepElements(list *column.Vector, i int, out *column.Vector, keep func(k int32) bool) error {
	s := list.Spans[i]
	var kept []any
	for k := s.Start; k < s.Start+s.Len; k++ {
		if keep(k) {
			kept = append(kept, list.Elem.Value(int(k)))
		}
	}
	return setListAt(out, i, kept)
}

func firstOf(list *column.Vector, i int, k int32) bool {
	for j := list.Spans[i].Start; j < k; j++ {
		if same(list.Elem, j, list.Elem, int(k)) {
			return false
		}
	}
	return true
}

func arrayDistinct(a []*column.Vector, i int, out *column.Vector) error {
	return keepElements(a[0], i, out, func(k int32) bool { return firstOf(a[0], i, k) })
}

func arrayRemove(a []*column.Vector, i int, out *column.Vector) error {
	if anyNull(a[:1], i, out) {
		return nil
	}
	return keepElements(a[0], i, out, func(k int32) bool { return !same(a[0].Elem, k, a[1], i) })
}

func arrayReverse(a []*column.Vector, i int, out *column.Vector) error {
	l := listAt(a[0], i)
	slices.Reverse(l)
	return setListAt(out, i, l)
}

func arrayConcat(a []*column.Vector, i int, out *column.Vector) error {
	var l []any
	for _, v := range a {
		l = append(l, listAt(v, i)...)
	}
	return setListAt(out, i, l)
}

func arrayAppend(a []*column.Vector, i int, out *column.Vector) error {
	if anyNull(a[:1], i, out) {
		return nil
	}
	return setListAt(out, i, append(listAt(a[0], i), a[1].Value(i)))
}

func arrayAppend2(a []*column.Vector, i int, out *column.Vector) error {
	if anyNull(a[:1], i, out) {
		return nil
	}
	return setListAt(out, i, append([]any{a[1].Value(i)}, listAt(a[0], i)...))
}

func arrayJoin(a []*column.Vector, i int, out *column.Vector) error {
	if anyNull(a[:2], i, out) {
		return nil
	}
	var parts []string
	for _, e := range listAt(a[0], i) {
		if s, ok := e.(string); ok {
			parts = append(parts, s)
		} else if len(a) > 2 && !a[2].IsNull(i) {
			parts = append(parts, a[2].Strs[i])
		}
	}
	out.Strs[i] = strings.Join(parts, a[1].Strs[i])
	return nil
}

func arraySlice(a []*column.Vector, i int, out *column.Vector) error {
	l := listAt(a[0], i)
	n := int64(len(l))
	from, to := a[1].Ints[i], n
	if len(a) > 2 {
		to = a[2].Ints[i]
	}
	if from < 0 {
		from += n + 1
	}
	if to < 0 {
		to += n + 1
	}
	from, to = max(from, 1), min(to, n)
	if from > to {
		return setListAt(out, i, nil)
	}
	return setListAt(out, i, l[from-1:to])
}

// setFunction is ARRAY_UNION, or with within set ARRAY_INTERSECT and ARRAY_EXCEPT.
func setFunction(union bool, within *bool) builder {
	return simple(func(a []*column.Vector, i int, out *column.Vector) error {
		if union {
			if err := arrayConcat(a, i, out); err != nil {
				return err
			}
			joined := column.New(out.Type)
			joined.Append(out.Value(i))
			var l []any
			for k := range joined.Spans[0].Len {
				if firstOf(joined, 0, k) {
					l = append(l, joined.Elem.Value(int(k)))
				}
			}
			return setListAt(out, i, l)
		}
		other := a[1].Spans[i]
		return keepElements(a[0], i, out, func(k int32) bool {
			found := false
			for j := other.Start; j < other.Start+other.Len; j++ {
				found = found || same(a[1].Elem, j, a[0].Elem, int(k))
			}
			return found == *within && firstOf(a[0], i, k)
		})
	})
}

func extremeOf(want int) builder {
	return simple(func(a []*column.Vector, i int, out *column.Vector) error {
		s := a[0].Spans[i]
		best := -1
		for k := s.Start; k < s.Start+s.Len; k++ {
			if a[0].Elem.IsNull(int(k)) {
				continue
			}
			if best < 0 || compareNested(a[0].Elem, int(k), a[0].Elem, best)*want > 0 {
				best = int(k)
			}
		}
		if best < 0 {
			out.SetNull(i)
			return nil
		}
		column.CopyRow(out, i, a[0].Elem, best)
		return nil
	})
}

func arraySort(a []*column.Vector, i int, out *column.Vector) error {
	if anyNull(a, i, out) {
		return nil
	}
	ascending, nullsFirst := true, true
	if len(a) > 1 {
		ascending = a[1].Bools[i]
		nullsFirst = ascending
	}
	if len(a) > 2 {
		nullsFirst = a[2].Bools[i]
	}
	s := a[0].Spans[i]
	order := make([]int, s.Len)
	for k := range order {
		order[k] = int(s.Start) + k
	}
	slices.SortStableFunc(order, func(x, y int) int {
		nx, ny := a[0].Elem.IsNull(x), a[0].Elem.IsNull(y)
		if nx || ny {
			c := boolRank(ny) - boolRank(nx)
			if nullsFirst {
				return c
			}
			return -c
		}
		c := compareNested(a[0].Elem, x, a[0].Elem, y)
		if !ascending {
			c = -c
		}
		return c
	})
	l := make([]any, 0, len(order))
	for _, k := range order {
		l = append(l, a[0].Elem.Value(k))
	}
	return setListAt(out, i, l)
}

func mapEntries(a []*column.Vector, i int, out *column.Vector) error {
	m := mapAt(a[0], i)
	var l []any
	for k := range m.Keys {
		l = append(l, []any{m.Keys[k], m.Values[k]})
	}
	return setListAt(out, i, l)
}

var errUneven = errors.New("keys and values differ in number")

func mapFromArrays(a []*column.Vector, i int, out *column.Vector) error {
	keys, values := listAt(a[0], i), listAt(a[1], i)
	if len(keys) != len(values) {
		return errUneven
	}
	out.Set(i, column.MapValue{Keys: keys, Values: values})
	return nil
}

// mapUnion joins maps; of one key the last value counts. New entries come first, as Flink has it.
func mapUnion(a []*column.Vector, i int, out *column.Vector) error {
	var all column.MapValue
	for _, v := range slices.Backward(a) {
		m := mapAt(v, i)
		for j, key := range m.Keys {
			if !slices.ContainsFunc(all.Keys, func(x any) bool { return x == key }) {
				all.Keys, all.Values = append(all.Keys, key), append(all.Values, m.Values[j])
			}
		}
	}
	out.Set(i, all)
	return nil
}
