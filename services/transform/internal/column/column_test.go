package column_test

import (
	"reflect"
	"testing"

	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

func nested() types.Type {
	str := types.StringType()
	return types.RowOf(types.Field{Name: "a", Type: types.ArrayOf(str)}, types.Field{Name: "m", Type: types.MapOf(str, types.Of(types.Int))},
		types.Field{Name: "t", Type: types.TimestampType(9)}, types.Field{Name: "d", Type: types.Of(types.Double)})
}

func sample() []any {
	return []any{
		[]any{[]any{"x", nil}, column.MapValue{Keys: []any{"k"}, Values: []any{int64(1)}}, types.TimestampValue{Millis: 5, Nanos: 7}, 1.5},
		nil,
		[]any{nil, column.MapValue{Keys: []any{}, Values: []any{}}, nil, nil},
		[]any{[]any{}, nil, types.TimestampValue{Millis: -1}, 0.0},
	}
}

func TestValuesComeBack(t *testing.T) {
	v := column.New(nested())
	for round := range 2 {
		v.Reset(0)
		for _, x := range sample() {
			v.Append(x)
		}
		for i, want := range sample() {
			if got := v.Value(i); !reflect.DeepEqual(got, want) {
				t.Errorf("round %d, row %d: %#v, want %#v", round, i, got, want)
			}
		}
	}
}

func TestGatherLeavesItsSourceAlone(t *testing.T) {
	src := column.New(nested())
	for _, x := range sample() {
		src.Append(x)
	}
	dst := column.New(nested())
	for _, sel := range [][]int32{{3, 0}, {0, 0, 1, -1}, {2}} {
		column.Gather(dst, src, sel)
		for i, s := range sel {
			var want any
			if s >= 0 {
				want = sample()[s]
			}
			if got := dst.Value(i); !reflect.DeepEqual(got, want) {
				t.Errorf("selection %v, row %d: %#v, want %#v", sel, i, got, want)
			}
		}
		dst.Reset(1) // must not reach into src's elements
	}
	for i, want := range sample() {
		if got := src.Value(i); !reflect.DeepEqual(got, want) {
			t.Errorf("source row %d became %#v, was %#v", i, got, want)
		}
	}
}

func TestSelectKeepsKindsAndOrigins(t *testing.T) {
	v := column.New(types.Of(types.Int))
	for i := range 4 {
		v.Append(int64(i))
	}
	b := column.Batch{Len: 4, Cols: []*column.Vector{v}, Kinds: []column.Kind{column.Insert, column.UpdateBefore, column.UpdateAfter, column.Delete}, Rows: []int32{7, 7, 8, 9}, Lane: 2}
	var out column.Batch
	b.Select(&out, []int32{3, 1}, nil)
	if out.Len != 2 || out.Kind(0) != column.Delete || out.Kind(1) != column.UpdateBefore || out.Record(0) != 9 || out.Record(1) != 7 || out.Lane != 2 || out.Cols[0].Ints[0] != 3 {
		t.Errorf("selected %+v", out)
	}
}
