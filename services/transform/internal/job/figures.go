package job

import (
	"maps"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"

	jobv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/job/v1"
)

// Running is a job that runs in this instance, with what only its metrics tell.
type Running struct {
	// Job has its present status.
	Job *jobv1.Job
	// Sinks are the tables of its sinks, in the order of its operators.
	Sinks []string
	// Busy is for how long it worked since it was last begun; the rest of the time it
	// waited for rows.
	Busy time.Duration
}

// Running returns the jobs that run in this instance, by name. One that has ended or
// that another instance runs is not among them.
func (m *Manager) Running() []Running {
	m.mu.Lock()
	runs := slices.Collect(maps.Values(m.runs))
	m.mu.Unlock()
	slices.SortFunc(runs, func(a, b *run) int { return strings.Compare(a.name, b.name) })
	out := make([]Running, 0, len(runs))
	for _, r := range runs {
		if !r.lost() {
			out = append(out, r.figures())
		}
	}
	return out
}

func (r *run) figures() Running {
	j, _ := proto.Clone(r.job).(*jobv1.Job)
	j.Status = &jobv1.JobStatus{}
	r.fill(j.GetStatus())
	f := Running{Job: j}
	r.mu.Lock()
	defer r.mu.Unlock()
	if a := r.attempt; a != nil {
		f.Sinks, f.Busy = a.tables, time.Duration(a.busy.Load())
	}
	return f
}

// report begins to tell others how the job does, if its settings want that. It is
// begun once in a run; loop ends it.
func (r *run) report(settings map[string]string) {
	if r.m.d.Report == nil || r.reported != nil {
		return
	}
	r.reported = r.m.d.Report(r.name, settings, func(err error) string { return r.hider.Hide(err.Error()) })
}

func (r *run) endReport() {
	if r.reported != nil {
		r.reported(r.lost())
	}
}
