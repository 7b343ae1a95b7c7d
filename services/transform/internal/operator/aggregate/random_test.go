package aggregate_test

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/eval"
	"github.com/weirflow/weirflow/services/transform/internal/operator/aggregate"
	"github.com/weirflow/weirflow/services/transform/internal/plan"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

var inputTypes = []types.Type{types.Of(types.Int), types.StringType(), types.DecimalType(10, 2), types.TimestampType(6), types.Of(types.Boolean)}

// calls are the functions whose result does not depend on the order of the rows.
func calls() []plan.AggCall {
	ref := func(i int) plan.Expr { return &plan.InputRef{Meta: plan.Meta{Typ: inputTypes[i]}, Index: i} }
	var out []plan.AggCall
	add := func(fn string, arg int, distinct bool, filter int, t types.Type) {
		c := plan.AggCall{Function: fn, Distinct: distinct, Filter: filter, Type: t}
		if arg >= 0 {
			c.Args = []plan.Expr{ref(arg)}
		}
		out = append(out, c)
	}
	long := types.Of(types.BigInt)
	add("COUNT", -1, false, -1, long)
	add("COUNT", 0, false, -1, long)
	add("COUNT", 1, true, -1, long)
	add("COUNT", 0, true, 4, long)
	add("SUM", 0, false, -1, inputTypes[0])
	add("SUM", 0, true, -1, inputTypes[0])
	add("SUM", 2, false, 4, types.Sum(inputTypes[2]))
	add("AVG", 0, false, -1, inputTypes[0])
	add("AVG", 2, false, -1, types.Avg(inputTypes[2]))
	add("VAR_POP", 0, false, -1, inputTypes[0])
	add("STDDEV_SAMP", 2, false, -1, types.Avg(inputTypes[2]))
	for i := range 4 {
		add("MIN", i, false, -1, inputTypes[i])
		add("MAX", i, false, 4, inputTypes[i])
	}
	return out
}

func rows(r *rand.Rand, n int) *column.Batch {
	b := &column.Batch{Len: n}
	for _, t := range inputTypes {
		v := column.New(t)
		for range n {
			var x any
			switch k := int64(r.IntN(6)) - 2; t.Kind {
			case types.Int:
				x = k * 100
			case types.Varchar:
				x = []string{"", "a", "ä", "a\x00", "b", "世"}[k+2]
			case types.Timestamp:
				x = types.TimestampValue{Millis: k, Nanos: int32(k+2) * 1000}
			case types.Boolean:
				x = k > 0
			default:
				v.Append(types.DecimalValue{Unscaled: big.NewInt(k * 125), Scale: 2})
				continue
			}
			if r.IntN(5) == 0 {
				x = nil
			}
			v.Append(x)
		}
		b.Cols = append(b.Cols, v)
	}
	return b
}

func results(t *testing.T, s *aggregate.Set, slot int32) []string {
	t.Helper()
	var cols []*column.Vector
	for _, c := range calls() {
		cols = append(cols, column.New(c.Type))
	}
	if err := s.Append(slot, cols); err != nil {
		t.Fatal(err)
	}
	var out []string
	for i, c := range cols {
		text := "NULL"
		if !c.IsNull(0) {
			text = string(eval.AppendText(nil, c, 0, time.UTC))
		}
		out = append(out, fmt.Sprint(i, calls()[i].Function, "=", text))
	}
	return out
}

func newSet(t *testing.T, b *column.Batch, retract bool) *aggregate.Set {
	t.Helper()
	s, err := aggregate.NewSet(calls(), eval.Env{}, retract)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Bind(b); err != nil {
		t.Fatal(err)
	}
	return s
}

// TestRandomChangesComeToTheRowsThatRemain adds and retracts rows in random order,
// merges and saves accumulators on the way, and compares with the rows that remain.
func TestRandomChangesComeToTheRowsThatRemain(t *testing.T) {
	for seed := range uint64(60) {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 5))
			b := rows(r, 40)
			s := newSet(t, b, true)
			var in []int
			slot := s.New()
			for i := range b.Len {
				s.Add(slot, i)
				in = append(in, i)
				if r.IntN(3) > 0 {
					at := r.IntN(len(in))
					s.Retract(slot, in[at])
					in = slices.Delete(in, at, at+1)
				}
				if r.IntN(10) == 0 {
					next := newSet(t, b, true)
					copied := next.New()
					if rest, err := next.Load(copied, string(s.Save(nil, slot))); err != nil || rest != "" {
						t.Fatalf("load: %v, %q left", err, rest)
					}
					s, slot = next, copied
				}
			}
			plain := newSet(t, b, false)
			one, two := plain.New(), plain.New()
			for k, i := range in {
				if k%2 == 0 {
					plain.Add(one, i)
				} else {
					plain.Add(two, i)
				}
			}
			if err := plain.Merge(one, two); err != nil {
				t.Fatal(err)
			}
			if got, want := results(t, s, slot), results(t, plain, one); !slices.Equal(got, want) {
				t.Errorf("got  %v\nwant %v", got, want)
			}
			if s.Rows(slot) != int64(len(in)) {
				t.Errorf("%d rows, want %d", s.Rows(slot), len(in))
			}
		})
	}
}
