package rank_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/eval"
	"github.com/weirflow/weirflow/services/transform/internal/operator"
	"github.com/weirflow/weirflow/services/transform/internal/operator/rank"
	"github.com/weirflow/weirflow/services/transform/internal/plan"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

// log keeps changes as text.
type log struct{ list []string }

func (l *log) Emit(b *column.Batch) error {
	for i := range b.Len {
		l.list = append(l.list, fmt.Sprintf("%s %d %d", b.Kind(i), b.Cols[0].Ints[i], b.Cols[1].Ints[i]))
	}
	return nil
}

func (l *log) Watermark(int64) error { return nil }

var numbers = []types.Field{{Name: "k", Type: types.Of(types.Int)}, {Name: "v", Type: types.Of(types.Int)}}

// changesOf reads "+I 1 2, -D 1 2".
func changesOf(t *testing.T, text string) *column.Batch {
	t.Helper()
	kinds := map[string]column.Kind{"+I": column.Insert, "-U": column.UpdateBefore, "+U": column.UpdateAfter, "-D": column.Delete}
	b := &column.Batch{Cols: []*column.Vector{column.New(numbers[0].Type), column.New(numbers[1].Type)}}
	for change := range strings.SplitSeq(text, ", ") {
		var kind string
		var k, v int64
		n, _ := fmt.Sscanf(change, "%s %d %d", &kind, &k, &v)
		b.Kinds = append(b.Kinds, kinds[kind])
		b.Len++
		b.Cols[0].Append(k)
		if n == 3 {
			b.Cols[1].Append(v)
		} else {
			b.Cols[1].Append(nil)
		}
	}
	return b
}

func TestKeyedChanges(t *testing.T) {
	t.Parallel()
	input := &plan.Values{Output: plan.Output{Fields: numbers}}
	normalize := func() operator.Operator {
		return rank.NewNormalize(&plan.Normalize{Output: input.Output, Input: input, Keys: []int{0}}, eval.Env{})
	}
	materialize := func() operator.Operator {
		return rank.NewMaterialize(&plan.Materialize{Output: input.Output, Input: input, Keys: []int{0}}, eval.Env{})
	}
	tests := []struct {
		name     string
		make     func() operator.Operator
		in, want string
	}{
		{"new, changed, deleted", normalize, "+I 1 5, +I 2 6, +U 1 7, -D 1", "+I 1 5, +I 2 6, -U 1 5, +U 1 7, -D 1 7"},
		{"the same again", normalize, "+I 1 5, +I 1 5, +U 1 5", "+I 1 5"},
		{"deleted without having been", normalize, "-D 3, +U 3 1", "+I 3 1"},
		{"one row a key", materialize, "+I 1 5, -U 1 5, +U 1 6, -D 1 6", "+I 1 5, -D 1 5, +I 1 6, -D 1 6"},
		{"the new before the old goes", materialize, "+I 1 5, +U 1 6, -U 1 5", "+I 1 5, +U 1 6"},
		{"the last goes, the one before it shows", materialize, "+I 1 5, +I 1 6, +I 1 7, -D 1 7, -D 1 5, -D 1 6", "+I 1 5, +U 1 6, +U 1 7, +U 1 6, -D 1 6"},
		{"twice the same", materialize, "+I 1 5, +I 1 5, -D 1 5, -D 1 5, -D 1 5", "+I 1 5, +U 1 5, +U 1 5, -D 1 5"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := &log{}
			if err := tt.make().Process(0, changesOf(t, tt.in), got); err != nil {
				t.Fatal(err)
			}
			if want := strings.Split(tt.want, ", "); !slices.Equal(got.list, want) {
				t.Errorf("got  %v\nwant %v", got.list, want)
			}
		})
	}
}
