package job

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"regexp"
	"slices"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	indexv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/index/v1"
	jobv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/job/v1"

	"github.com/weirflow/weirflow/services/platform/kafka"
	"github.com/weirflow/weirflow/services/platform/kafka/group"
	"github.com/weirflow/weirflow/services/platform/kafka/table"
	"github.com/weirflow/weirflow/services/platform/ledger"

	"github.com/weirflow/weirflow/services/transform/internal/connector"
	"github.com/weirflow/weirflow/services/transform/internal/wasm"
)

// The topics of jobs.
const (
	JobsTopic   = "weirflow.jobs"
	SinksTopic  = "weirflow.sinks"
	StatusTopic = "weirflow.sink-status"
	// VersionsTopic has the statements of jobs as they were.
	VersionsTopic = "weirflow.job-versions"
	StatePrefix   = "weirflow.state."
	IndexPrefix   = "weirflow.index."
)

// What a request can be wrong about.
var (
	ErrNotFound = errors.New("there is no job of this name")
	ErrExists   = errors.New("there is a job of this name already")
	ErrName     = errors.New("a job's name is 1 to 100 letters, digits, '-', '_' and '.', and begins with a letter or digit")
)

var namePattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$`)

// Config is the configuration of the manager.
type Config struct {
	Kafka    kafka.Config
	Instance string
	// Partitions of the topics that carry documents.
	Partitions         int
	CheckpointInterval time.Duration
	// Letters is for how long dead letters are kept.
	Letters time.Duration
	// RestartMin and RestartMax bound the pause before a failed job is tried again.
	RestartMin, RestartMax time.Duration
}

// Deps are what the manager is given.
type Deps struct {
	Logger     *slog.Logger
	Book       *ledger.Book
	Connectors connector.Registry
	// Functions are the modules that statements may load.
	Functions wasm.Library
	// Letters knows what became of dead letters; nil: nothing is replayed.
	Letters Letters
	Now     func() time.Time
	// Report begins to tell others how a job does, as its settings want it, until the
	// function that it returns is called, with whether another instance goes on with the
	// job; hide takes secrets out of errors. It may be nil.
	Report func(job string, settings map[string]string, hide func(error) string) func(lost bool)
}

// Manager keeps and runs jobs.
type Manager struct {
	cfg      Config
	d        Deps
	jobs     *table.Table[*jobv1.Job]
	versions *table.Table[*jobv1.JobVersion]
	sinks    *table.Table[*indexv1.Sink]
	statuses *table.Table[*indexv1.SinkStatus]
	admin    *kafka.Admin
	shares   *shares // nil when all jobs are this instance's

	change sync.Mutex // held while jobs are changed by request
	write  sync.Mutex // held while a job's record is read, changed and written
	mu     sync.Mutex
	runs   map[string]*run
	ctx    context.Context //nolint:containedctx // runs end with the manager, not with the request that began them
}

// New prepares a manager. Kafka need not be there yet.
func New(cfg Config, d Deps) (*Manager, error) {
	m := &Manager{cfg: cfg, d: d, runs: make(map[string]*run)}
	var err error
	if m.jobs, err = table.New(table.Config{Kafka: cfg.Kafka, Topic: JobsTopic, Partitions: Slots, Logger: d.Logger}, func() *jobv1.Job { return &jobv1.Job{} }); err != nil {
		return nil, err
	}
	if m.sinks, err = table.New(table.Config{Kafka: cfg.Kafka, Topic: SinksTopic, Logger: d.Logger}, func() *indexv1.Sink { return &indexv1.Sink{} }); err != nil {
		return nil, err
	}
	if m.statuses, err = table.New(table.Config{Kafka: cfg.Kafka, Topic: StatusTopic, Logger: d.Logger}, func() *indexv1.SinkStatus { return &indexv1.SinkStatus{} }); err != nil {
		return nil, err
	}
	if m.versions, err = table.New(table.Config{Kafka: cfg.Kafka, Topic: VersionsTopic, Logger: d.Logger}, func() *jobv1.JobVersion { return &jobv1.JobVersion{} }); err != nil {
		return nil, err
	}
	m.jobs.Accept(m.accept)
	m.jobs.Watch(m.jobChanged)
	m.statuses.Watch(m.sinkChanged)
	m.admin, err = kafka.NewAdmin(cfg.Kafka, d.Logger)
	return m, err
}

// Run runs the jobs until the context ends; then they are stopped cleanly and go
// on at the next start. ready is called when the jobs are known.
func (m *Manager) Run(ctx context.Context, ready func()) error {
	tables, stop := context.WithCancel(context.WithoutCancel(ctx))
	errs := make(chan error, 5)
	var running sync.WaitGroup
	running.Go(func() { errs <- m.jobs.Run(tables) })
	running.Go(func() { errs <- m.sinks.Run(tables) })
	running.Go(func() { errs <- m.statuses.Run(tables) })
	running.Go(func() { errs <- m.versions.Run(tables) })
	defer func() {
		stop()
		running.Wait()
		m.admin.Close()
	}()
	for _, t := range []<-chan struct{}{m.jobs.Ready(), m.sinks.Ready(), m.statuses.Ready(), m.versions.Ready()} {
		select {
		case <-ctx.Done():
			return nil
		case err := <-errs:
			return err
		case <-t:
		}
	}
	m.mu.Lock()
	m.ctx = ctx
	m.mu.Unlock()
	leave := m.begin(ctx, errs)
	ready()
	var err error
	select {
	case <-ctx.Done():
	case err = <-errs:
	}
	m.stopAll(errors.Is(err, group.ErrReplaced))
	leave() // when nothing runs any more
	return err
}

// begin runs all jobs, or those that fall to this instance until the function that
// it returns is called.
func (m *Manager) begin(ctx context.Context, errs chan<- error) func() {
	if m.shares == nil {
		for _, j := range m.jobs.All() {
			if j.GetRunning() {
				m.launch(j) //nolint:contextcheck // a run lives as long as the manager, not as the call
			}
		}
		return func() {}
	}
	member, leave := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := m.shares.run(member); err != nil {
			errs <- err
		}
	}()
	return func() {
		leave()
		<-done
		m.shares.leave()
	}
}

// Ready reports whether the jobs are known and can be changed.
func (m *Manager) Ready() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.ctx != nil
}

// stopAll ends all runs: at once if they are lost, else cleanly.
func (m *Manager) stopAll(lost bool) {
	m.mu.Lock()
	runs := slices.Collect(maps.Values(m.runs))
	m.ctx = nil
	m.mu.Unlock()
	for _, r := range runs {
		if lost {
			r.abandon()
		}
		r.cancel()
	}
	for _, r := range runs {
		<-r.done
	}
}

// launch begins a run of a job, unless the manager is stopping or the job's share has
// just been lost: who drops a share ends the runs that he finds.
func (m *Manager) launch(j *jobv1.Job) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.ctx == nil || m.runs[j.GetName()] != nil || !m.given(j.GetName()) {
		return
	}
	r := newRun(m, j)
	m.runs[j.GetName()] = r
	go r.loop()
}

// halt stops a job's run, if there is one, and waits for its end.
func (m *Manager) halt(name string) {
	m.mu.Lock()
	r := m.runs[name]
	m.mu.Unlock()
	if r != nil {
		r.cancel()
		<-r.done
	}
}

func (m *Manager) ended(r *run) {
	m.mu.Lock()
	if m.runs[r.name] == r {
		delete(m.runs, r.name)
	}
	m.mu.Unlock()
	if !m.holds(r.name) {
		m.d.Book.Close(r.name) // its account goes on where it runs
	}
}

// jobChanged ends the run of a job whose record is gone. Who deletes a job has ended
// it before, unless he stood still in between and the job was taken over here.
func (m *Manager) jobChanged(name string, _ *jobv1.Job, deleted bool) {
	if !deleted {
		return
	}
	m.mu.Lock()
	r := m.runs[name]
	m.mu.Unlock()
	if r != nil {
		r.log.Warn("the job was deleted while it ran")
		r.cancel()
	}
}

// sinkChanged hears from the indexer how sinks do.
func (m *Manager) sinkChanged(_ string, s *indexv1.SinkStatus, deleted bool) {
	if deleted || s.GetState() != indexv1.SinkState_SINK_STATE_FAILED {
		return
	}
	m.mu.Lock()
	r := m.runs[s.GetJob()]
	m.mu.Unlock()
	if r != nil {
		r.sinkFailed(s)
	}
}

// update changes a job's record.
func (m *Manager) update(ctx context.Context, name string, change func(j *jobv1.Job)) (*jobv1.Job, error) {
	m.write.Lock()
	defer m.write.Unlock()
	if err := m.owned(name); err != nil {
		return nil, err
	}
	old, ok := m.jobs.Get(name)
	if !ok {
		return nil, fmt.Errorf("job %q: %w", name, ErrNotFound)
	}
	j, _ := proto.Clone(old).(*jobv1.Job)
	change(j)
	return j, m.put(ctx, j)
}

// put writes a job's record.
func (m *Manager) put(ctx context.Context, j *jobv1.Job) error {
	c, _ := proto.Clone(j).(*jobv1.Job)
	err := m.jobs.Put(ctx, j.GetName(), m.stamp(c))
	if errors.Is(err, table.ErrRefused) {
		return fmt.Errorf("%w: %w", ErrElsewhere, err)
	}
	return err
}

func (m *Manager) now() *timestamppb.Timestamp { return timestamppb.New(m.d.Now()) }
