package state

import (
	"fmt"
	"strings"

	"github.com/weirflow/weirflow/services/transform/internal/plan"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

// Shape describes what state is written for: a plan with another shape cannot
// read it.
func Shape(head string, fields []types.Field, calls []plan.AggCall) string {
	var b strings.Builder
	b.WriteString(head)
	for _, f := range fields {
		b.WriteString(" " + f.Type.String())
	}
	for _, c := range calls {
		fmt.Fprintf(&b, " %s%v:%s", c.Function, c.Distinct, c.Type)
	}
	return b.String()
}

// Picked returns the fields of columns.
func Picked(fields []types.Field, columns []int) []types.Field {
	out := make([]types.Field, len(columns))
	for i, c := range columns {
		out[i] = fields[c]
	}
	return out
}
