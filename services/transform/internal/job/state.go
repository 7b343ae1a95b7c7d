package job

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	statev1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/state/v1"

	"github.com/weirflow/weirflow/services/platform/fault"

	"github.com/weirflow/weirflow/services/transform/internal/checkpoint"
	"github.com/weirflow/weirflow/services/transform/internal/connector"
	"github.com/weirflow/weirflow/services/transform/internal/exec"
)

// retryCheckpoint is the pause before a checkpoint that could not be written is
// tried again. The stream goes on meanwhile.
const retryCheckpoint = 500 * time.Millisecond

// state is what a run remembers, in the job's topic of state.
type state struct {
	store *checkpoint.Store
	log   *checkpoint.Log
	graph *exec.Graph
	// keeps says that checkpoints hold the state of operators, not positions only.
	keeps   bool
	through checkpoint.Through
	pending *checkpoint.Pending

	mu      sync.Mutex
	figures figures
}

// figures are how the last checkpoint went.
type figures struct {
	id, bytes, total int64
	took, held       time.Duration
	full             bool
	at               time.Time
	failures         int64
	failure          string
	operators        map[string]*statev1.Operator
}

func (m *Manager) stateConfig(job string, epoch int64) checkpoint.Config {
	return checkpoint.Config{Kafka: m.cfg.Kafka, Topic: StatePrefix + job, Instance: m.cfg.Instance, Epoch: epoch, Logger: m.d.Logger.With("job", job)}
}

// openState reads what a job remembers and becomes the one that adds to it.
func openState(ctx context.Context, m *Manager, job string, epoch int64) (*state, error) {
	store, err := checkpoint.Open(ctx, m.stateConfig(job, epoch))
	if err != nil {
		return nil, err
	}
	return &state{store: store}, nil
}

// begin finds where to go on.
func (s *state) begin() {
	s.log = checkpoint.NewLog(s.store)
	if last := s.log.Last(); last != nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.figures.id, s.figures.at = last.GetId(), last.GetAt().AsTime()
		s.figures.total, s.figures.operators = sizes(last)
	}
}

// sizes returns how long a checkpoint's log is, and its operators by id.
func sizes(c *statev1.Checkpoint) (int64, map[string]*statev1.Operator) {
	total, ops := int64(0), make(map[string]*statev1.Operator)
	for _, g := range c.GetSegments() {
		total += g.GetBytes()
	}
	for _, o := range c.GetOperators() {
		ops[o.GetId()] = o
	}
	return total, ops
}

// positions returns the positions of the last checkpoint, by input.
func (s *state) positions() map[string][]connector.Position {
	all := make(map[string][]connector.Position)
	for _, p := range s.log.Last().GetPositions() {
		all[p.GetTable()] = append(all[p.GetTable()], connector.Position{Topic: p.GetTopic(), Partition: p.GetPartition(), Offset: p.GetOffset()})
	}
	return all
}

// restore gives a graph the state of the last checkpoint.
func (s *state) restore(ctx context.Context, g *exec.Graph) error {
	s.graph = g
	last := s.log.Last()
	if last == nil {
		return nil
	}
	g.Resume(last.GetStarted())
	if !s.keeps && len(last.GetSegments()) == 0 {
		return nil
	}
	image, err := s.store.Load(ctx, last)
	if err != nil {
		return err
	}
	if err := g.Restore(image.Reader); err != nil {
		return fault.Permanent(fmt.Errorf("%w; start the job from scratch to go on without the state", err))
	}
	return nil
}

// Capture copies what changed.
func (s *state) Capture() error {
	began := time.Now()
	p, err := s.log.Capture(s.graph)
	if err != nil {
		return err
	}
	for _, o := range s.graph.Remembers() {
		p.Checkpoint.Operators = append(p.Checkpoint.Operators, &statev1.Operator{Id: o.ID, Name: o.Name, Shape: o.Shape, Place: o.Place, Entries: o.Entries})
	}
	p.Checkpoint.Started = s.graph.Started()
	s.pending = p
	s.mu.Lock()
	s.figures.held = time.Since(began)
	s.mu.Unlock()
	return nil
}

// bare makes a checkpoint of positions only.
func (s *state) bare() {
	s.pending = s.log.Bare()
	s.pending.Checkpoint.Started = s.graph.Started()
}

// save writes the checkpoint. It tries again until the context ends: what was
// captured is not lost. Rows of transactions go with their transaction.
func (s *state) save(ctx context.Context, epoch int64, positions map[string][]connector.Position) error {
	if !s.keeps {
		s.bare()
	}
	c := s.pending.Checkpoint
	c.Epoch, c.Positions = epoch, c.GetPositions()[:0]
	for _, name := range slices.Sorted(maps.Keys(positions)) {
		list := slices.Clone(positions[name])
		slices.SortFunc(list, func(a, b connector.Position) int {
			if d := strings.Compare(a.Topic, b.Topic); d != 0 {
				return d
			}
			return int(a.Partition - b.Partition)
		})
		for _, p := range list {
			c.Positions = append(c.Positions, &statev1.Position{Table: name, Topic: p.Topic, Partition: p.Partition, Offset: p.Offset})
		}
	}
	for {
		err := s.attempt(ctx)
		switch {
		case err == nil:
			return nil
		case errors.Is(err, checkpoint.ErrFenced), s.through != nil, ctx.Err() != nil:
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(retryCheckpoint):
		}
	}
}

func (s *state) attempt(ctx context.Context) error {
	try, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	err := s.log.Commit(try, s.through)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		s.figures.failures++
		s.figures.failure = err.Error()
		return fmt.Errorf("checkpoint: %w", err)
	}
	c := s.pending.Checkpoint
	f := &s.figures
	f.id, f.bytes, f.full, f.failure = c.GetId(), s.pending.Bytes, s.pending.Full, ""
	f.took, f.at = time.Duration(c.GetDurationMillis())*time.Millisecond, c.GetAt().AsTime()
	f.total, f.operators = sizes(c)
	return nil
}

// last returns how the last checkpoint went.
func (s *state) last() figures {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.figures
}

func (s *state) close() {
	if s.log != nil {
		s.log.Close()
	}
	s.store.Close()
}
