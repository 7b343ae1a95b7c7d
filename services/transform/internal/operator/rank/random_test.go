package rank_test

import (
	"cmp"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/eval"
	"github.com/weirflow/weirflow/services/transform/internal/operator/rank"
	"github.com/weirflow/weirflow/services/transform/internal/plan"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

// table collects what an operator puts out: each row with how often it is there.
type table map[string]int

func (t table) Watermark(int64) error { return nil }

func (t table) Emit(b *column.Batch) error {
	for i := range b.Len {
		key := ""
		for _, c := range b.Cols {
			key = fmt.Sprint(key, " ", c.Ints[i])
		}
		if k := b.Kind(i); k == column.Insert || k == column.UpdateAfter {
			t[key]++
		} else {
			t[key]--
		}
		if t[key] == 0 {
			delete(t, key)
		}
	}
	return nil
}

// TestTopNOfRandomChanges compares what the changes of a top-N come to with the
// top of the rows as they are in the end.
func TestTopNOfRandomChanges(t *testing.T) {
	for _, tt := range []struct {
		name             string
		from, to         int64
		number, changing bool
	}{
		{"three", 1, 3, false, true}, {"three numbered", 1, 3, true, true}, {"second to fourth", 2, 4, false, true},
		{"second to fourth numbered", 2, 4, true, true}, {"one", 1, 1, false, true},
		{"three of inserts", 1, 3, false, false}, {"second to fourth of inserts numbered", 2, 4, true, false},
	} {
		for seed := range uint64(20) {
			t.Run(fmt.Sprintf("%s/%d", tt.name, seed), func(t *testing.T) {
				r := rand.New(rand.NewPCG(seed, 3))
				fields := []types.Field{{Name: "k", Type: types.Of(types.Int)}, {Name: "v", Type: types.Of(types.Int)}}
				in := &plan.Scan{Output: plan.Output{Fields: fields}}
				if tt.changing {
					in.Mode = plan.Retract
				}
				n := &plan.Rank{Input: in, Partition: []int{0}, OrderBy: []plan.SortKey{{Column: 1, Descending: true}}, From: tt.from, To: tt.to, NumberColumn: tt.number}
				n.Fields = fields
				if tt.number {
					n.Fields = append(slices.Clone(fields), types.Field{Name: "n", Type: types.Of(types.BigInt)})
				}
				op, err := rank.NewTopN(n, eval.Env{})
				if err != nil {
					t.Fatal(err)
				}
				got := table{}
				var rows [][2]int64
				for step := range 100 {
					row, kind := [2]int64{r.Int64N(2), r.Int64N(50)}, column.Insert
					if tt.changing && len(rows) > 0 && r.IntN(5) < 2 {
						at := r.IntN(len(rows))
						row, kind = rows[at], column.Delete
						rows = slices.Delete(rows, at, at+1)
					} else {
						rows = append(rows, row)
					}
					b := &column.Batch{Len: 1, Kinds: []column.Kind{kind}}
					for c, x := range row {
						v := column.New(fields[c].Type)
						v.Append(x)
						b.Cols = append(b.Cols, v)
					}
					if err := op.Process(0, b, got); err != nil {
						t.Fatal(err)
					}
					if want := top(rows, tt.from, tt.to, tt.number); !maps.Equal(got, want) {
						t.Fatalf("after step %d\ngot  %v\nwant %v", step, got, want)
					}
				}
			})
		}
	}
}

func top(rows [][2]int64, from, to int64, number bool) table {
	t := table{}
	for k := range int64(2) {
		var part []int64
		for _, r := range rows {
			if r[0] == k {
				part = append(part, r[1])
			}
		}
		slices.SortFunc(part, func(a, b int64) int { return cmp.Compare(b, a) })
		for i := from - 1; i < min(to, int64(len(part))); i++ {
			key := fmt.Sprint("", " ", k, " ", part[i])
			if number {
				key = fmt.Sprint(key, " ", i+1)
			}
			t[key]++
		}
	}
	return t
}
