package job

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	jobv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/job/v1"

	"github.com/weirflow/weirflow/services/platform/kafka"

	"github.com/weirflow/weirflow/services/transform/internal/checkpoint"
	"github.com/weirflow/weirflow/services/transform/internal/flinkmetrics/promgateway"
	"github.com/weirflow/weirflow/services/transform/internal/script"
	"github.com/weirflow/weirflow/services/transform/internal/sql"
)

// Create keeps a new job, whose statements must be valid.
func (m *Manager) Create(ctx context.Context, req *jobv1.CreateJobRequest) (*jobv1.Job, error) {
	if !namePattern.MatchString(req.GetName()) {
		return nil, fmt.Errorf("%q: %w", req.GetName(), ErrName)
	}
	if _, err := script.Compile(req.GetSql(), req.GetParameters(), m.d.Connectors, m.d.Functions); err != nil {
		return nil, err
	}
	m.change.Lock()
	defer m.change.Unlock()
	if err := m.owned(req.GetName()); err != nil {
		return nil, err
	}
	old, exists := m.jobs.Get(req.GetName())
	text, err := sql.Restore(req.GetSql(), old.GetSql())
	if err != nil {
		return nil, err
	}
	parameters := sql.RestoreSettings(req.GetParameters(), old.GetParameters())
	if err := promgateway.Masked(parameters); err != nil {
		return nil, &sql.Error{Message: err.Error()}
	}
	if exists && !req.GetReplace() {
		return m.again(ctx, old, text, parameters, req.GetStart())
	}
	m.halt(req.GetName())
	j := &jobv1.Job{Name: req.GetName(), Term: old.GetTerm(), Sql: text, Parameters: parameters, CreatedAt: m.now(), UpdatedAt: m.now(),
		Epoch: max(old.GetEpoch(), m.lastEpoch(req.GetName())), Status: &jobv1.JobStatus{State: jobv1.JobState_JOB_STATE_CREATED, ChangedAt: m.now()}}
	if exists {
		j.CreatedAt = old.GetCreatedAt()
	}
	if err := m.put(ctx, j); err != nil {
		return nil, err
	}
	m.remember(ctx, old, j)
	if !req.GetStart() {
		return j, nil
	}
	return m.start(ctx, j.GetName(), false, "")
}

// lastEpoch is the greatest epoch that the indexer has told of. A new job that
// has the name of a deleted one begins behind it, so that what is still told of
// the old one is not taken for news of the new.
func (m *Manager) lastEpoch(name string) int64 {
	var last int64
	for _, s := range m.statuses.All() {
		if s.GetJob() == name {
			last = max(last, s.GetEpoch())
		}
	}
	return last
}

// again answers for a job that is there already: the same one is no error, so
// that a client may repeat its request.
func (m *Manager) again(ctx context.Context, old *jobv1.Job, text string, parameters map[string]string, start bool) (*jobv1.Job, error) {
	if old.GetSql() != text || !maps.Equal(old.GetParameters(), parameters) {
		return nil, fmt.Errorf("%q: %w, with other statements", old.GetName(), ErrExists)
	}
	if !start {
		return m.Get(old.GetName())
	}
	return m.start(ctx, old.GetName(), false, "")
}

// Start runs a job, from where it was, from scratch, or from a savepoint.
func (m *Manager) Start(ctx context.Context, name string, fromScratch bool, savepoint string) (*jobv1.Job, error) {
	m.change.Lock()
	defer m.change.Unlock()
	if err := m.owned(name); err != nil {
		return nil, err
	}
	return m.start(ctx, name, fromScratch, savepoint)
}

func (m *Manager) start(ctx context.Context, name string, fromScratch bool, savepoint string) (*jobv1.Job, error) {
	if j, ok := m.jobs.Get(name); ok && j.GetRunning() && !fromScratch && savepoint == "" {
		m.mu.Lock()
		r := m.runs[name]
		m.mu.Unlock()
		if r != nil && !r.over() {
			return m.Get(name)
		}
	}
	m.halt(name)
	if fromScratch {
		if err := m.forget(ctx, name); err != nil {
			return nil, err
		}
	}
	if savepoint != "" {
		if err := m.adopt(ctx, name, savepoint); err != nil {
			return nil, err
		}
	}
	j, err := m.update(ctx, name, func(j *jobv1.Job) {
		j.Running = true
		j.Epoch++
		j.UpdatedAt = m.now()
		j.Status = &jobv1.JobStatus{State: jobv1.JobState_JOB_STATE_INITIALIZING, StartedAt: m.now(), ChangedAt: m.now(), Instance: m.cfg.Instance}
	})
	if err != nil {
		return nil, err
	}
	m.launch(j) //nolint:contextcheck // a run lives as long as the manager, not as the call
	return j, nil
}

// forget drops a job's checkpoint.
func (m *Manager) forget(ctx context.Context, name string) error {
	s, err := checkpoint.Open(ctx, m.stateConfig(name, 0))
	if err != nil {
		return err
	}
	defer s.Close()
	if err := s.Forget(ctx); err != nil {
		return err
	}
	return m.forgetReplays(ctx, name)
}

// Stop stops a job; what it has read is finished and checkpointed first.
func (m *Manager) Stop(ctx context.Context, name string) (*jobv1.Job, error) {
	m.change.Lock()
	defer m.change.Unlock()
	if err := m.owned(name); err != nil {
		return nil, err
	}
	if _, ok := m.jobs.Get(name); !ok {
		return nil, fmt.Errorf("job %q: %w", name, ErrNotFound)
	}
	m.halt(name)
	return m.update(ctx, name, func(j *jobv1.Job) {
		j.Running = false
		j.UpdatedAt = m.now()
		if st := j.GetStatus(); st.GetState() != jobv1.JobState_JOB_STATE_FAILED && st.GetState() != jobv1.JobState_JOB_STATE_FINISHED && st.GetState() != jobv1.JobState_JOB_STATE_CREATED {
			st.State, st.Error, st.ChangedAt = jobv1.JobState_JOB_STATE_SUSPENDED, "", m.now()
		}
	})
}

// Delete stops a job and forgets it, its sinks and its state.
func (m *Manager) Delete(ctx context.Context, name string) error {
	m.change.Lock()
	defer m.change.Unlock()
	if err := m.owned(name); err != nil {
		return err
	}
	if _, ok := m.jobs.Get(name); !ok {
		return fmt.Errorf("job %q: %w", name, ErrNotFound)
	}
	m.halt(name)
	for key, s := range m.sinks.All() {
		if s.GetJob() == name {
			if err := m.sinks.Delete(ctx, key); err != nil {
				return err
			}
		}
	}
	if err := m.drop(ctx, StatePrefix+name); err != nil {
		return err
	}
	if err := m.forgetReplays(ctx, name); err != nil {
		return err
	}
	if err := m.dropUnused(ctx, IndexPrefix+name); err != nil {
		return err
	}
	if err := m.forgetVersions(ctx, name); err != nil {
		return err
	}
	m.d.Book.Close(name)
	return m.jobs.Delete(ctx, name)
}

// drop removes a topic, if it is there.
func (m *Manager) drop(ctx context.Context, topic string) error {
	if err := m.admin.Delete(ctx, topic); err != nil && !kafka.HasCode(err, kafka.CodeUnknownTopicOrPartition, kafka.CodeUnknownTopic) {
		return err
	}
	return nil
}

// dropUnused removes a topic to which nothing was ever written. One that was used
// stays until its retention ends: the indexer may not be through with it, and its
// group remembers offsets, which would hide records of a new topic of the name.
func (m *Manager) dropUnused(ctx context.Context, topic string) error {
	if _, err := m.admin.Topic(ctx, topic); err != nil {
		if kafka.HasCode(err, kafka.CodeUnknownTopicOrPartition, kafka.CodeUnknownTopic) {
			return nil
		}
		return err
	}
	ends, err := m.admin.EndOffsets(ctx, topic)
	if err != nil {
		return err
	}
	for _, end := range ends {
		if end > 0 {
			return nil
		}
	}
	return m.drop(ctx, topic)
}

// Get returns a job with its present status.
func (m *Manager) Get(name string) (*jobv1.Job, error) {
	j, ok := m.jobs.Get(name)
	if !ok {
		return nil, fmt.Errorf("job %q: %w", name, ErrNotFound)
	}
	return m.present(j), nil
}

// List returns all jobs by name, with their present status; those of other
// instances as they are in their records.
func (m *Manager) List() []*jobv1.Job { return m.list(func(string) bool { return true }) }

// Own returns the jobs of this instance by name, with their present status.
func (m *Manager) Own() []*jobv1.Job { return m.list(m.holds) }

func (m *Manager) list(which func(name string) bool) []*jobv1.Job {
	var all []*jobv1.Job
	for name, j := range m.jobs.All() {
		if which(name) {
			all = append(all, m.present(j))
		}
	}
	slices.SortFunc(all, func(a, b *jobv1.Job) int { return strings.Compare(a.GetName(), b.GetName()) })
	return all
}

// present adds to a job's record what only its run knows.
func (m *Manager) present(j *jobv1.Job) *jobv1.Job {
	c, _ := proto.Clone(j).(*jobv1.Job)
	if c.Status == nil {
		c.Status = &jobv1.JobStatus{}
	}
	m.mu.Lock()
	r := m.runs[j.GetName()]
	m.mu.Unlock()
	if r != nil {
		r.fill(c.GetStatus())
	}
	for _, a := range m.d.Book.Accounts() {
		if a.Name == j.GetName() {
			c.Status.Ledger = m.d.Book.Proto(a)
		}
	}
	return c
}
