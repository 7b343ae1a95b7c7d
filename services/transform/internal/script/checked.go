package script

import (
	"fmt"

	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/exec"
	"github.com/weirflow/weirflow/services/transform/internal/plan"
)

// Checked wraps a sink so that a NULL in a NOT NULL column fails the job.
func Checked(p *plan.Sink, s exec.Sink) exec.Sink {
	if len(p.NotNull) == 0 {
		return s
	}
	return &checked{plan: p, sink: s}
}

type checked struct {
	plan *plan.Sink
	sink exec.Sink
}

// Write checks the rows and passes them on.
func (c *checked) Write(b *column.Batch, r *exec.Receipt) error {
	for _, col := range c.plan.NotNull {
		if !b.Cols[col].HasNulls() {
			continue
		}
		for i := range b.Len {
			if !b.Cols[col].IsNull(i) {
				continue
			}
			err := &exec.RowError{Err: fmt.Errorf("table %q: column %q is NOT NULL, and a row has NULL for it; filter such rows out, or drop the constraint",
				c.plan.Table.Name, c.plan.Table.Physical[col].Name)}
			if b.Origin != nil {
				err.Record = b.Origin.Describe(b.Record(i))
			}
			return err
		}
	}
	return c.sink.Write(b, r)
}
