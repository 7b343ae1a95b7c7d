package job

import (
	"fmt"

	"google.golang.org/protobuf/types/known/timestamppb"

	jobv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/job/v1"

	"github.com/weirflow/weirflow/services/transform/internal/exec"
)

func (f *figures) proto() *jobv1.CheckpointStatus {
	return &jobv1.CheckpointStatus{Id: f.id, At: timestamppb.New(f.at), DurationMillis: f.took.Milliseconds(), PauseMicros: f.held.Microseconds(),
		Bytes: f.bytes, TotalBytes: f.total, Full: f.full, Failures: f.failures, Failure: f.failure}
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
