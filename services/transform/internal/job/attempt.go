package job

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	indexv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/index/v1"
	jobv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/job/v1"

	"github.com/weirflow/weirflow/services/platform/fault"

	"github.com/weirflow/weirflow/services/transform/internal/connector"
	"github.com/weirflow/weirflow/services/transform/internal/connector/elasticsearch"
	"github.com/weirflow/weirflow/services/transform/internal/exec"
	"github.com/weirflow/weirflow/services/transform/internal/pipeline"
	"github.com/weirflow/weirflow/services/transform/internal/plan"
	"github.com/weirflow/weirflow/services/transform/internal/script"
	"github.com/weirflow/weirflow/services/transform/internal/wasm"
)

// attempt is one try at running a job.
type attempt struct {
	r      *run
	state  *state
	graph  *exec.Graph
	inputs []pipeline.Input
	sinks  []connector.Sink
	// functions are those of modules that the graph calls
	functions *wasm.Functions
	alive     func() error // nil: always
	every     time.Duration
	// partitions of the topic of documents
	partitions int
	// tables of the sinks, and the nanoseconds that were spent on rows
	tables  []string
	outputs []*jobv1.Output // for status
	busy    atomic.Int64

	demand chan chan<- error
	ended  chan struct{}  // closed when the pipeline has ended
	using  sync.WaitGroup // who copies the state

	mu   sync.Mutex
	safe map[string]map[partition]int64
}

type partition struct {
	topic  string
	number int32
}

func newAttempt(ctx context.Context, r *run) (a *attempt, err error) {
	prog, err := script.Compile(r.job.GetSql(), r.job.GetParameters(), r.m.d.Connectors, r.m.d.Functions)
	if err != nil {
		return nil, fault.Permanent(err)
	}
	r.report(prog.Config)
	a = &attempt{r: r, every: r.m.cfg.CheckpointInterval, safe: make(map[string]map[partition]int64), demand: make(chan chan<- error), ended: make(chan struct{}),
		alive: r.m.watch(), functions: r.m.d.Functions.Open()}
	if d := prog.CheckpointInterval(); d > 0 {
		a.every = d
	}
	if a.partitions, err = r.m.prepareTopics(ctx, r.name, prog.Sinks); err != nil {
		return nil, err
	}
	begun := a // a is nil when an error is returned
	defer func() {
		if err != nil {
			err = errors.Join(err, begun.close())
		}
	}()
	// Before the state is read: a transaction that an earlier run left open would hide
	// what comes behind it, and none of its can be committed after this.
	if err := a.makeSinks(prog); err != nil {
		return nil, err
	}
	if a.state, err = openState(ctx, r.m, r.name, r.job.GetEpoch()); err != nil {
		return nil, err
	}
	a.state.keeps = a.graph.Stateful() != "" || a.transaction() != nil
	a.state.begin()
	if err := a.state.restore(ctx, a.graph); err != nil {
		return nil, err
	}
	return a, a.makeInputs()
}

// prepareTopics makes the topic of a job's documents, if it has any, and returns
// how many partitions it has.
func (m *Manager) prepareTopics(ctx context.Context, job string, sinks []*plan.Sink) (int, error) {
	indexed := false
	for _, s := range sinks {
		indexed = indexed || script.Indexed(s.Table)
	}
	if !indexed {
		return 0, nil
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	err := m.admin.EnsureTopic(ctx, IndexPrefix+job, max(1, m.cfg.Partitions), map[string]string{"max.message.bytes": strconv.Itoa(elasticsearch.MaxMessage)})
	if err != nil {
		return 0, err
	}
	for {
		info, err := m.admin.Topic(ctx, IndexPrefix+job)
		if err == nil && len(info.Partitions) > 0 {
			return len(info.Partitions), nil
		}
		select {
		case <-ctx.Done():
			return 0, errors.Join(ctx.Err(), err)
		case <-time.After(100 * time.Millisecond): // a new topic is not known everywhere at once
		}
	}
}

func (a *attempt) env(lane uint32) connector.Env {
	m := a.r.m
	return connector.Env{
		Logger: a.r.log, Job: a.r.name, Epoch: a.r.job.GetEpoch(), Lane: lane, Now: m.d.Now, Commits: true,
		Generation: func() int64 { return a.state.store.Generation() },
		Handoff: m.withReplays(connector.Handoff{Kafka: m.cfg.Kafka, Partitions: a.partitions, Announce: func(ctx context.Context, s *indexv1.Sink) error {
			ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
			defer cancel()
			if err := m.owned(s.GetJob()); err != nil {
				return err
			}
			return m.sinks.Put(ctx, s.GetJob()+"/"+s.GetSink(), s)
		}}, a.r.name),
	}
}

func (a *attempt) makeSinks(prog *script.Program) error {
	lanes := make(map[string]uint32)
	var roots []plan.Node
	var takers []exec.Sink
	for _, s := range prog.Sinks {
		lane := lanes[s.Table.Name]
		lanes[s.Table.Name]++
		sink, err := a.r.m.d.Connectors.Sink(a.env(lane), s)
		if err != nil {
			if _, ok := errors.AsType[*connector.OptionError](err); ok {
				err = fault.Permanent(err)
			}
			return err
		}
		a.sinks, a.tables = append(a.sinks, sink), append(a.tables, s.Table.Name)
		a.outputs = append(a.outputs, outputOf(s.Table))
		takers = append(takers, script.Checked(s, sink))
		roots = append(roots, s.Input)
	}
	var err error
	a.graph, err = exec.Build(roots, takers, prog.Env(a.r.m.d.Now, a.functions))
	if err != nil {
		return fault.Permanent(err)
	}
	return a.r.m.d.Connectors.OpenLookups(a.env(0), a.graph)
}

func (a *attempt) makeInputs() error {
	from := a.state.positions()
	names := make(map[string]int)
	for _, scan := range a.graph.Scans {
		name := script.InputName(names, scan.Plan.Table)
		env := a.env(0)
		env.Input = name
		src, err := a.r.m.d.Connectors.Source(env, scan.Plan)
		if err != nil {
			return fault.Permanent(err)
		}
		a.inputs = append(a.inputs, pipeline.Input{Name: name, Scan: scan, Source: src, From: from[name]})
		a.note(name, from[name])
		if err := a.addReplays(name, scan, src, from); err != nil {
			return fault.Permanent(err)
		}
	}
	return nil
}

func (a *attempt) note(input string, positions []connector.Position) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.safe[input] == nil {
		a.safe[input] = make(map[partition]int64)
	}
	for _, p := range positions {
		a.safe[input][partition{p.Topic, p.Partition}] = p.Offset
	}
}

func (a *attempt) run(ctx context.Context) error {
	cfg := pipeline.Config{
		Graph: a.graph, Inputs: a.inputs, Sinks: a.sinks, Stage: a.r.m.d.Book.Stage(a.r.name),
		CheckpointEvery: a.every, Checkpoint: a.save,
		Running: func() { //nolint:contextcheck // the state is written even when the run ends
			a.r.set(jobv1.JobState_JOB_STATE_RUNNING, nil)
		},
		Demand: a.demand, Lost: a.r.gone, Alive: a.alive, Busy: &a.busy,
	}
	if a.state.keeps {
		cfg.State = a.state
	}
	if t := a.transaction(); t != nil {
		a.state.through, cfg.Aligned = t.CommitWith, true
	}
	err := pipeline.Run(ctx, cfg)
	close(a.ended)
	a.using.Wait()
	return errors.Join(err, a.close())
}

// transaction returns a sink whose rows are in a transaction, which all such sinks
// of the job share; nil without one.
func (a *attempt) transaction() connector.Transactional {
	for _, s := range a.sinks {
		if t, ok := s.(connector.Transactional); ok {
			return t
		}
	}
	return nil
}

// save writes a checkpoint, and tells the consumer groups.
func (a *attempt) save(ctx context.Context, positions map[string][]connector.Position) error {
	if err := a.state.save(ctx, a.r.job.GetEpoch(), positions); err != nil {
		return err
	}
	for _, in := range a.inputs {
		a.note(in.Name, positions[in.Name])
		if c, ok := in.Source.(connector.Committer); ok {
			if err := c.Commit(positions[in.Name]); err != nil {
				a.r.log.Debug("commit to the consumer group", "error", err)
			}
		}
	}
	return nil
}

func (a *attempt) close() error {
	var errs []error
	for _, s := range a.sinks {
		errs = append(errs, s.Close())
	}
	if a.graph != nil {
		errs = append(errs, a.graph.Close())
	}
	errs = append(errs, a.functions.Close())
	if a.state != nil {
		a.state.close()
	}
	return errors.Join(errs...)
}

// fill adds positions and operators to a status.
func (a *attempt) fill(st *jobv1.JobStatus) {
	a.mu.Lock()
	defer a.mu.Unlock()
	f := a.state.last()
	if !f.at.IsZero() {
		st.LastCheckpointAt, st.Checkpoint = timestamppb.New(f.at), f.proto()
	}
	st.Sources, st.Operators, st.Outputs = nil, nil, nil
	now := a.r.m.d.Now().UnixMilli()
	for _, in := range a.inputs {
		if w, ok := in.Source.(connector.Waiter); ok {
			if reason := w.Waiting(); reason != "" && st.GetState() == jobv1.JobState_JOB_STATE_RUNNING {
				st.State, st.Error = jobv1.JobState_JOB_STATE_INITIALIZING, "table \""+in.Name+"\" cannot be read yet: "+reason
			}
		}
		mon, ok := in.Source.(connector.Monitor)
		if !ok {
			continue
		}
		for _, l := range mon.Lag() {
			p := &jobv1.SourcePosition{Table: in.Name, Topic: l.Topic, Partition: l.Partition, Offset: l.Offset, End: l.End,
				Committed: a.safe[in.Name][partition{l.Topic, l.Partition}], Lag: max(0, l.End-l.Offset)}
			if p.GetLag() > 0 && l.LastMillis > 0 {
				p.LagMillis = max(0, now-l.LastMillis)
			}
			st.Sources = append(st.Sources, p)
		}
	}
	if a.graph == nil {
		return
	}
	stats := a.graph.Stats()
	fillOperators(st, stats, f)
	fillOutputs(st, a.outputs, stats)
}
