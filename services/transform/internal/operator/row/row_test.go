package row_test

import (
	"fmt"
	"math/big"
	"strings"
	"testing"

	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/eval"
	"github.com/weirflow/weirflow/services/transform/internal/operator/row"
	"github.com/weirflow/weirflow/services/transform/internal/plan"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

func decimal(n int64) types.DecimalValue {
	return types.DecimalValue{Unscaled: big.NewInt(n), Scale: 2}
}

var samples = []struct {
	typ    types.Type
	values []any // NULL and others
}{
	{types.Of(types.BigInt), []any{nil, int64(-1 << 63), int64(-1), int64(0), int64(300), int64(1<<63 - 1)}},
	{types.Of(types.Double), []any{nil, -1e300, -1.5, 0.0, 2.5}},
	{types.StringType(), []any{nil, "", "a", "a\x00", "a\x00b", "ab", "é", "世"}},
	{types.DecimalType(38, 2), []any{nil, decimal(-1 << 60), decimal(-256), decimal(-1), decimal(0), decimal(255), decimal(1 << 60)}},
	{types.TimestampType(9), []any{nil, types.TimestampValue{Millis: -5, Nanos: 7}, types.TimestampValue{Millis: 3}, types.TimestampValue{Millis: 3, Nanos: 1}}},
	{types.Of(types.Boolean), []any{nil, false, true}},
	{types.RowOf(types.Field{Name: "a", Type: types.Of(types.Int)}, types.Field{Name: "b", Type: types.StringType()}), []any{nil, []any{nil, "x"}, []any{int64(1), "x"}, []any{int64(1), "y"}}},
	{types.ArrayOf(types.StringType()), []any{nil, []any{}, []any{nil, "b"}, []any{"a", nil}}},
	{types.MapOf(types.StringType(), types.Of(types.Int)), []any{nil, column.MapValue{Keys: []any{"k"}, Values: []any{int64(1)}}}},
}

func TestRowsComeBack(t *testing.T) {
	for _, s := range samples {
		t.Run(s.typ.String(), func(t *testing.T) {
			v, back := column.New(s.typ), column.New(s.typ)
			for _, x := range s.values {
				v.Append(x)
			}
			var text []byte
			for i := range s.values {
				text = row.AppendValue(text, v, i)
			}
			rest := string(text)
			for range s.values {
				var err error
				if rest, err = row.DecodeValue(rest, back); err != nil {
					t.Fatal(err)
				}
			}
			for i, x := range s.values {
				if got, want := fmt.Sprint(back.Value(i)), fmt.Sprint(v.Value(i)); got != want {
					t.Errorf("%v came back as %s", x, got)
				}
				for j := range s.values {
					if row.Same(v, i, back, j) != (i == j) {
						t.Errorf("%v same as %v: %v", x, s.values[j], i != j)
					}
				}
			}
		})
	}
}

func TestSortKeysOrderAsValuesDo(t *testing.T) {
	for _, s := range samples[:6] {
		v := column.New(s.typ)
		for _, x := range s.values {
			v.Append(x)
		}
		compare := eval.CompareOf(s.typ, s.typ)
		b := &column.Batch{Len: v.Len, Cols: []*column.Vector{v}}
		for _, k := range []plan.SortKey{{}, {Descending: true}, {NullsFirst: true}, {Descending: true, NullsFirst: true}} {
			for i := range v.Len {
				for j := range v.Len {
					want := 0
					switch {
					case v.IsNull(i) && v.IsNull(j):
					case v.IsNull(i) || v.IsNull(j):
						want = 1
						if v.IsNull(i) == k.NullsFirst {
							want = -1
						}
					default:
						if want = compare(v, i, v, j); k.Descending {
							want = -want
						}
					}
					keys := []plan.SortKey{k}
					got := strings.Compare(string(row.AppendSortKey(nil, b, keys, i)), string(row.AppendSortKey(nil, b, keys, j)))
					if got != min(max(want, -1), 1) {
						t.Errorf("%s %+v: %v to %v gives %d, want %d", s.typ, k, s.values[i], s.values[j], got, want)
					}
				}
			}
		}
	}
}

// FuzzDecode wants an error or a row of what is no row, and no panic.
func FuzzDecode(f *testing.F) {
	for _, s := range samples {
		v := column.New(s.typ)
		v.Append(s.values[len(s.values)-1])
		f.Add(string(row.AppendValue(nil, v, 0)))
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, s := range samples {
			v := column.New(s.typ)
			if _, err := row.DecodeValue(text, v); err == nil && v.Len != 1 {
				t.Errorf("%d values", v.Len)
			}
		}
	})
}
