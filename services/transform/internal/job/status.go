package job

import (
	"fmt"

	"google.golang.org/protobuf/types/known/timestamppb"

	jobv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/job/v1"

	"github.com/weirflow/weirflow/services/transform/internal/connector"
	"github.com/weirflow/weirflow/services/transform/internal/exec"
	"github.com/weirflow/weirflow/services/transform/internal/plan"
)

func (f *figures) proto() *jobv1.CheckpointStatus {
	return &jobv1.CheckpointStatus{Id: f.id, At: timestamppb.New(f.at), DurationMillis: f.took.Milliseconds(), PauseMicros: f.held.Microseconds(),
		Bytes: f.bytes, TotalBytes: f.total, Full: f.full, Failures: f.failures, Failure: f.failure}
}

// outputOf says where a table is written.
func outputOf(t *plan.Table) *jobv1.Output {
	out := &jobv1.Output{Table: t.Name}
	o, err := connector.Modernize(t.Options)
	if err != nil {
		return out // it was refused before
	}
	out.Connector = o["connector"]
	for _, key := range []string{"topic", "index", "path"} {
		if o[key] != "" {
			out.Target = o[key]
			break
		}
	}
	return out
}

// fillOutputs adds where the job writes, with what the sinks took.
func fillOutputs(st *jobv1.JobStatus, outputs []*jobv1.Output, stats []exec.Stat) {
	st.Outputs = nil
	for _, o := range outputs {
		st.Outputs = append(st.Outputs, &jobv1.Output{Table: o.GetTable(), Connector: o.GetConnector(), Target: o.GetTarget()})
	}
	n := 0
	for _, s := range stats {
		if s.Name == "Sink" && n < len(st.GetOutputs()) {
			st.Outputs[n].Records = s.RowsIn
			n++
		}
	}
}

// fillOperators adds the operators to a status, and to its partitions the
// watermarks that are made of them.
func fillOperators(st *jobv1.JobStatus, stats []exec.Stat, f figures) {
	lanes := make(map[string]exec.Lane)
	for _, s := range stats {
		o := &jobv1.OperatorStatus{Id: s.ID, Name: s.Name, RecordsIn: s.RowsIn, RecordsOut: s.RowsOut, Late: s.Dropped, Stateful: s.Stateful, StateEntries: s.Entries}
		if s.HasEventTS {
			o.Watermark = &s.Watermark
		}
		if had := f.operators[s.ID]; had != nil && s.Stateful {
			o.StateBytes = had.GetBytes()
		}
		st.Operators = append(st.Operators, o)
		for _, l := range s.Lanes {
			if old, ok := lanes[l.Partition]; !ok || l.Holds && !old.Holds {
				lanes[l.Partition] = l
			}
		}
	}
	for _, p := range st.GetSources() {
		l, ok := lanes[fmt.Sprintf("%s/%d", p.GetTopic(), p.GetPartition())]
		if !ok {
			continue
		}
		if l.Watermark != exec.NoWatermark {
			p.Watermark = &l.Watermark
		}
		p.Idle, p.HoldsBack = l.Idle, l.Holds && len(lanes) > 1
	}
}
