package job

import (
	"context"
	"fmt"
	"strings"

	"github.com/weirflow/weirflow/services/platform/kafka"

	"github.com/weirflow/weirflow/services/transform/internal/connector"
	"github.com/weirflow/weirflow/services/transform/internal/deadletter"
	"github.com/weirflow/weirflow/services/transform/internal/exec"
	"github.com/weirflow/weirflow/services/transform/internal/pipeline"
	"github.com/weirflow/weirflow/services/transform/internal/script"
)

// replaySuffix stands behind the name of an input in that of its replays.
const replaySuffix = " replays"

// Letters knows what became of the dead letters of jobs.
type Letters interface {
	// Replays returns what is closed when a job has a topic of replays.
	Replays(job string) <-chan struct{}
	// Discarded says which of these letters of a job were discarded.
	Discarded(ctx context.Context, job string, letters []string) (map[string]bool, error)
}

// withReplays tells how what is replayed gets into a job.
func (m *Manager) withReplays(h connector.Handoff, job string) connector.Handoff {
	h.Letters = m.cfg.Letters
	if m.d.Letters != nil {
		h.Replays = m.d.Letters.Replays(job)
		h.Discarded = func(ctx context.Context, letters []string) (map[string]bool, error) {
			return m.d.Letters.Discarded(ctx, job, letters)
		}
	}
	return h
}

// addReplays adds an input for what is replayed into a table. Its positions are in
// the checkpoints as those of the table are.
func (a *attempt) addReplays(name string, scan *exec.Scan, src connector.Source, from map[string][]connector.Position) error {
	r, ok := src.(connector.Replayer)
	if !ok {
		return nil
	}
	again, err := r.Replays()
	if err != nil || again == nil {
		return err
	}
	name += replaySuffix
	a.inputs = append(a.inputs, pipeline.Input{Name: name, Scan: scan, Source: again, From: from[name]})
	return nil
}

// forgetReplays removes what was replayed into a job that begins anew, and sets
// aside anew what it cannot read, or is deleted. The topic stays: a new one of the
// name would begin with offsets that its readers have seen.
func (m *Manager) forgetReplays(ctx context.Context, job string) error {
	err := m.admin.Truncate(ctx, connector.ReplayPrefix+job)
	if kafka.HasCode(err, kafka.CodeUnknownTopicOrPartition, kafka.CodeUnknownTopic) {
		return nil
	}
	return err
}

// Outlets says where letters of a job may go.
func (m *Manager) Outlets(name string) (*deadletter.Outlets, error) {
	j, ok := m.jobs.Get(name)
	if !ok {
		return nil, fmt.Errorf("job %q: %w", name, ErrNotFound)
	}
	p, err := script.Compile(j.GetSql(), j.GetParameters(), m.d.Connectors, m.d.Functions)
	if err != nil {
		return nil, fmt.Errorf("job %q: %w", name, err)
	}
	out := &deadletter.Outlets{Running: j.GetRunning(), Stateful: p.State != "", Inputs: make(map[string]bool), Sinks: make(map[string]bool)}
	for _, in := range p.Inputs {
		o, err := connector.Modernize(in.Table.Options)
		reads := err == nil && strings.HasSuffix(o["connector"], "kafka") && !m.d.Connectors.Bounded(in.Table)
		out.Inputs[in.Name] = reads
	}
	for _, s := range p.Sinks {
		out.Sinks[s.Table.Name] = out.Sinks[s.Table.Name] || script.Indexed(s.Table)
	}
	return out, nil
}
