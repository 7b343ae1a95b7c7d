package job

import (
	"github.com/weirflow/weirflow/services/transform/internal/script"
	"github.com/weirflow/weirflow/services/transform/internal/sql"
)

// checkState refuses a job whose operators keep state: checkpoints hold only the
// positions of the inputs so far, so a restart would go on with wrong results.
func checkState(p *script.Program) error {
	if p.State == "" {
		return nil
	}
	e := &sql.Error{Message: "the job needs the operator " + p.State + ", which keeps state, and checkpoints of jobs do not hold state yet",
		Hint: "jobs can filter, compute, unnest and unite rows; run queries with state with `weirflow sql`"}
	if len(p.Sinks) > 0 {
		e.Line, e.Column = p.Sinks[0].At.Line, p.Sinks[0].At.Column
	}
	return e
}
