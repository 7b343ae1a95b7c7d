package checkpoint

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	statev1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/state/v1"

	"github.com/weirflow/weirflow/services/platform/kafka"
	"github.com/weirflow/weirflow/services/platform/kafka/table"
)

const (
	ownerKey   = "owner"
	recordsIn  = 0 // the partition of Records
	partitions = 2
	askTimeout = 10 * time.Second
)

// ErrFenced says that another run of the job has taken over.
var ErrFenced = errors.New("another instance runs the job now")

// Config says where a job's state is kept.
type Config struct {
	Kafka    kafka.Config
	Topic    string
	Instance string
	Epoch    int64
	Logger   *slog.Logger
}

// Store is a job's topic of state, of which one run at a time is the owner. The
// owner's generation is greater than those before it. A checkpoint counts when it
// has been read back with no later owner in front of it; a run that finds one has
// been replaced, and what it still writes is never taken: readers take the
// checkpoint of the greatest generation, and who takes over reads up to its own
// record first, so that there is none behind it that it does not know of.
type Store struct {
	cfg    Config
	t      *table.Table[*statev1.Record]
	admin  *kafka.Admin
	chunks *kafka.Producer
	part   int32 // of chunks
	cancel context.CancelFunc
	ended  chan error

	mu         sync.Mutex
	writer     string
	generation int64               // of the latest owner
	owner      string              // its writer
	mine       int64               // own generation; 0 while there is none
	claimed    chan struct{}       // closed when the own Owner record has been read
	best       *statev1.Checkpoint // the one to go on from
	old        map[string]bool     // keys of checkpoints of earlier owners
	committed  int64
	moved      chan struct{} // closed and replaced when one of these changes
	prunable   []string      // keys of chunks that no checkpoint needs
	dropped    []*statev1.Segment
	kept       int // who copies chunks: they must stay
}

// Open reads what there is and makes this run the owner.
func Open(ctx context.Context, cfg Config) (*Store, error) {
	s, err := open(ctx, cfg)
	if err != nil {
		return nil, err
	}
	if err := s.claim(ctx); err != nil {
		s.Close()
		return nil, fmt.Errorf("take over %s: %w", cfg.Topic, err)
	}
	return s, nil
}

// Peek reads the last checkpoint of a topic without becoming its owner.
func Peek(ctx context.Context, cfg Config) (*Store, error) { return open(ctx, cfg) }

func open(ctx context.Context, cfg Config) (*Store, error) {
	s := &Store{cfg: cfg, writer: rand.Text(), old: make(map[string]bool), moved: make(chan struct{}), ended: make(chan error, 1)}
	var err error
	if s.admin, err = kafka.NewAdmin(cfg.Kafka, cfg.Logger); err != nil {
		return nil, err
	}
	if err := s.prepare(ctx); err != nil {
		s.admin.Close()
		return nil, err
	}
	if s.t, err = table.New(table.Config{Kafka: cfg.Kafka, Topic: cfg.Topic, Logger: cfg.Logger}, func() *statev1.Record { return &statev1.Record{} }); err != nil {
		s.admin.Close()
		return nil, err
	}
	s.t.Watch(s.see)
	own, cancel := context.WithCancel(context.WithoutCancel(ctx))
	s.cancel = cancel
	go func() { s.ended <- s.t.Run(own) }()
	select {
	case <-s.t.Ready():
		return s, nil
	case err := <-s.ended:
		s.ended <- err
		s.Close()
		return nil, fmt.Errorf("read %s: %w", cfg.Topic, err)
	case <-ctx.Done():
		s.Close()
		return nil, ctx.Err()
	}
}

// prepare makes the topic, waiting for a cluster that is away.
func (s *Store) prepare(ctx context.Context) error {
	for said := false; ; said = true {
		err := s.ensure(ctx)
		if err == nil {
			return nil
		}
		if !said && ctx.Err() == nil {
			s.cfg.Logger.Warn("state can't be read yet; trying on", "topic", s.cfg.Topic, "error", err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(300 * time.Millisecond):
		}
	}
}

func (s *Store) ensure(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	if err := s.admin.EnsureTopic(ctx, s.cfg.Topic, partitions, map[string]string{"cleanup.policy": "compact"}); err != nil {
		return err
	}
	info, err := s.admin.Topic(ctx, s.cfg.Topic)
	if err != nil {
		return err
	}
	if len(info.Partitions) == 0 {
		return errors.New("the topic is not known yet")
	}
	s.part = int32(len(info.Partitions) - 1)
	return nil
}

// see takes in a record of partition 0, in their order.
func (s *Store) see(key string, r *statev1.Record, deleted bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if deleted {
		delete(s.old, key)
		if key == checkpointKey(s.best.GetGeneration()) {
			s.best = nil
		}
		return
	}
	if o := r.GetOwner(); o != nil {
		if o.GetGeneration() > s.generation {
			s.generation, s.owner = o.GetGeneration(), o.GetWriter()
		}
		if o.GetWriter() == s.writer && s.claimed != nil {
			if s.owner == s.writer {
				s.mine = o.GetGeneration()
			}
			close(s.claimed)
			s.claimed = nil
		}
	}
	if c := r.GetCheckpoint(); c != nil {
		if s.mine == 0 || c.GetGeneration() < s.mine {
			s.old[key] = true
		}
		if c.GetGeneration() >= s.best.GetGeneration() {
			s.best = c
		}
		if c.GetGeneration() == s.mine && s.owner == s.writer {
			s.committed = c.GetId()
		}
	}
	close(s.moved)
	s.moved = make(chan struct{})
}

// claim writes an Owner record until it is the greatest.
func (s *Store) claim(ctx context.Context) error {
	for {
		claimed := make(chan struct{})
		s.mu.Lock()
		s.claimed = claimed
		o := &statev1.Owner{Generation: max(s.generation, s.best.GetGeneration()) + 1, Writer: s.writer, Instance: s.cfg.Instance, Epoch: s.cfg.Epoch}
		s.mu.Unlock()
		if err := s.t.Put(ctx, ownerKey, &statev1.Record{Record: &statev1.Record_Owner{Owner: o}}); err != nil {
			return err
		}
		select {
		case <-claimed:
		case <-ctx.Done():
			return ctx.Err()
		}
		s.mu.Lock()
		mine := s.mine
		s.mu.Unlock()
		if mine != 0 {
			return nil
		}
	}
}

// Last is the checkpoint to go on from; nil when there is none.
func (s *Store) Last() *statev1.Checkpoint {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.best
}

// Generation is this owner's.
func (s *Store) Generation() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mine
}

func checkpointKey(generation int64) string {
	return "checkpoint/" + strconv.FormatInt(generation, 10)
}

func chunkKey(g *statev1.Segment, n int) string {
	return fmt.Sprintf("chunk/%d/%d/%d", g.GetGeneration(), g.GetCheckpoint(), n)
}

// Through is a way to write the record of a checkpoint, for sinks that have rows
// in the same transaction.
type Through func(ctx context.Context, topic string, key, value []byte) error

// Commit writes a checkpoint's record; its chunks must have been written. It
// returns when the checkpoint counts, or ErrFenced. through may be nil.
func (s *Store) Commit(ctx context.Context, c *statev1.Checkpoint, through Through) error {
	s.mu.Lock()
	c.Generation = s.mine
	fenced := s.owner != s.writer
	s.mu.Unlock()
	if fenced {
		return ErrFenced
	}
	key := checkpointKey(c.GetGeneration())
	rec := &statev1.Record{Record: &statev1.Record_Checkpoint{Checkpoint: c}}
	if through == nil {
		if err := s.t.Put(ctx, key, rec); err != nil {
			return err
		}
	} else {
		b, err := proto.Marshal(rec)
		if err != nil {
			return fmt.Errorf("encode checkpoint %d: %w", c.GetId(), err)
		}
		if err := through(ctx, s.cfg.Topic, []byte(key), b); err != nil {
			return err
		}
	}
	return s.counted(ctx, c.GetId())
}

// counted waits until the own checkpoint has been read back.
func (s *Store) counted(ctx context.Context, id int64) error {
	for {
		s.mu.Lock()
		committed, fenced, moved := s.committed, s.owner != s.writer, s.moved
		s.mu.Unlock()
		switch {
		case committed >= id:
			return nil
		case fenced:
			return ErrFenced
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return fmt.Errorf("read checkpoint %d back: %w", id, ctx.Err())
		}
	}
}

// Tidy removes chunks that no checkpoint needs and records of earlier owners. It
// is called after a commit: before, somebody else might go on from them. What can't
// be removed is left to the next call.
func (s *Store) Tidy(ctx context.Context, dropped []*statev1.Segment) {
	s.mu.Lock()
	if s.kept > 0 {
		s.dropped = append(s.dropped, dropped...)
		s.mu.Unlock()
		return
	}
	dropped = append(s.dropped, dropped...)
	keys := s.prunable
	s.prunable, s.dropped = nil, nil
	var old []string
	if s.owner == s.writer { // what came of a later owner is not old
		for k := range s.old {
			old = append(old, k)
		}
	}
	s.mu.Unlock()
	for _, g := range dropped {
		for n := range int(g.GetChunks()) {
			keys = append(keys, chunkKey(g, n))
		}
	}
	var r kafka.Records
	for _, k := range keys {
		r.Append(s.part, []byte(k), nil)
	}
	err := s.produce(ctx, &r)
	if err != nil {
		s.mu.Lock()
		s.prunable = append(s.prunable, keys...)
		s.mu.Unlock()
	}
	for _, k := range old {
		err = errors.Join(err, s.t.Delete(ctx, k))
	}
	if err != nil {
		s.cfg.Logger.Debug("tidy the state", "topic", s.cfg.Topic, "error", err)
	}
}

// Keep has chunks stay though no checkpoint needs them, while they are copied. Each
// call with true wants one with false, when the copy is made.
func (s *Store) Keep(yes bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if yes {
		s.kept++
	} else {
		s.kept--
	}
}

// Forget removes all checkpoints: the job begins anew.
func (s *Store) Forget(ctx context.Context) error {
	for k, r := range s.t.All() {
		if r.GetCheckpoint() != nil {
			if err := s.t.Delete(ctx, k); err != nil {
				return err
			}
		}
	}
	return nil
}

// Close frees the clients.
func (s *Store) Close() {
	s.cancel()
	if err := <-s.ended; err != nil {
		s.cfg.Logger.Debug("close the state", "topic", s.cfg.Topic, "error", err)
	}
	if s.chunks != nil {
		s.chunks.Close()
	}
	s.admin.Close()
}
