package script_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/exec"
	"github.com/weirflow/weirflow/services/transform/internal/plan"
	"github.com/weirflow/weirflow/services/transform/internal/script"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

// texts takes the text of the only column.
type texts []string

func (x *texts) Write(b *column.Batch, _ *exec.Receipt) error {
	for i := range b.Len {
		if b.Cols[0].IsNull(i) {
			*x = append(*x, "NULL")
			continue
		}
		*x = append(*x, b.Cols[0].Strs[i])
	}
	return nil
}

func TestChecked(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		typ     types.Type
		notNull bool
		drop    bool
		lengths plan.LengthRule
		in      []any
		want    []string
		err     string
	}{
		{"all pass", types.VarcharType(2), false, false, plan.IgnoreLength, []any{"abc", nil}, []string{"abc", "NULL"}, ""},
		{"null refused", types.StringType(), true, false, plan.IgnoreLength, []any{"a", nil}, nil, "NOT NULL"},
		{"null left out", types.StringType(), true, true, plan.IgnoreLength, []any{"a", nil, "b"}, []string{"a", "b"}, ""},
		{"only nulls", types.StringType(), true, true, plan.IgnoreLength, []any{nil}, nil, ""},
		{"cut", types.VarcharType(2), false, false, plan.TrimOrPad, []any{"世界人", "a", nil}, []string{"世界", "a", "NULL"}, ""},
		{"filled", types.CharType(3), false, false, plan.TrimOrPad, []any{"a", "abcd"}, []string{"a  ", "abc"}, ""},
		{"too long refused", types.VarcharType(2), false, false, plan.RefuseLength, []any{"abc"}, nil, "VARCHAR(2)"},
		{"STRING has no length", types.StringType(), false, false, plan.RefuseLength, []any{"abc"}, []string{"abc"}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			fields := []types.Field{{Name: "a", Type: tt.typ}}
			s := &plan.Sink{Table: &plan.Table{Name: "o", Physical: fields}, Input: &plan.Values{Output: plan.Output{Fields: fields}}, DropNulls: tt.drop, Lengths: tt.lengths}
			if tt.notNull {
				s.NotNull = []int{0}
			}
			v := column.New(tt.typ)
			for _, x := range tt.in {
				v.Append(x)
			}
			before := slices.Clone(v.Strs)
			var got texts
			err := script.Checked(s, &got).Write(&column.Batch{Len: len(tt.in), Cols: []*column.Vector{v}}, nil)
			if tt.err == "" && err != nil || tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)) {
				t.Fatalf("error %v, want %q", err, tt.err)
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("got %v, want %v", got, tt.want)
			}
			if !slices.Equal(v.Strs, before) {
				t.Error("the rows of others were changed")
			}
		})
	}
}
