package indexer

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"sync"
	"time"

	ckafka "github.com/confluentinc/confluent-kafka-go/v2/kafka"

	"github.com/weirflow/weirflow/services/indexer/internal/bulk"
	"github.com/weirflow/weirflow/services/indexer/internal/lane"
)

// partition names a partition of a job's topic.
type partition struct {
	topic string
	id    int32
}

// running is a lane with what stops it.
type running struct {
	*lane.Lane
	cancel    context.CancelFunc
	done      chan struct{}
	committed int64
	paused    bool
	// held are records that the lane had no room for, in order.
	held []heldRecord
}

type heldRecord struct {
	offset int64
	batch  bulk.Batch
}

// reader consumes the topics of all jobs and keeps a lane for each partition
// that the group has given to this instance. One goroutine does all of it.
type reader struct {
	s     *Service
	c     *ckafka.Consumer
	lanes map[partition]*running
	down  bool
}

func newReader(s *Service) *reader { return &reader{s: s, lanes: map[partition]*running{}} }

func (r *reader) run(ctx context.Context) error {
	c, err := ckafka.NewConsumer(r.s.cfg.Kafka.ConfigMap(map[string]string{
		"group.id": r.s.cfg.Group, "client.id": "weirflow-indexer", "enable.auto.commit": "false", "auto.offset.reset": "earliest",
		// Jobs and their topics come at any time.
		"topic.metadata.refresh.interval.ms": "500", "allow.auto.create.topics": "false",
		"queued.max.messages.kbytes": "65536", "fetch.wait.max.ms": "100", "fetch.queue.backoff.ms": "5",
		"session.timeout.ms": "10000", "heartbeat.interval.ms": "2000", "reconnect.backoff.max.ms": "5000",
	}))
	if err != nil {
		return fmt.Errorf("create index consumer: %w", err)
	}
	r.c = c
	rebalance := func(c *ckafka.Consumer, e ckafka.Event) error { return r.rebalance(ctx, c, e) }
	if err := c.SubscribeTopics([]string{"^" + regexp.QuoteMeta(BatchTopicPrefix) + ".*"}, rebalance); err != nil {
		return fmt.Errorf("subscribe to index topics: %w", err)
	}
	last := time.Now()
	for ctx.Err() == nil {
		r.event(c.Poll(r.patience()))
		r.retryHeld()
		if time.Since(last) >= r.s.cfg.CheckpointInterval {
			last = time.Now()
			r.commit()
		}
	}
	r.stopAll()
	if err := c.Close(); err != nil {
		return fmt.Errorf("close index consumer: %w", err)
	}
	return nil
}

// patience is how long Poll may wait, in milliseconds: records wake it, room in
// a lane and what is to be committed do not.
func (r *reader) patience() int {
	for _, l := range r.lanes {
		if l.paused || l.Safe() > l.committed {
			return 20
		}
	}
	return 100
}

func (r *reader) event(e ckafka.Event) {
	switch e := e.(type) {
	case *ckafka.Message:
		if r.down {
			r.down = false
			r.s.d.Logger.Info("kafka answers again")
		}
		r.message(e)
	case ckafka.Error:
		if !r.down && e.Code() == ckafka.ErrAllBrokersDown {
			r.down = true
			r.s.d.Logger.Warn("kafka does not answer; trying on", "error", e.Error())
		}
	}
}

func (r *reader) message(m *ckafka.Message) {
	p := partition{*m.TopicPartition.Topic, m.TopicPartition.Partition}
	l := r.lanes[p]
	if l == nil || m.TopicPartition.Error != nil {
		return
	}
	offset := int64(m.TopicPartition.Offset)
	b, err := bulk.DecodeBatch(m.Value)
	if err != nil {
		r.s.d.Logger.Error("record is no IndexBatch and is left out", "topic", p.topic, "partition", p.id, "offset", offset, "error", err)
		b = bulk.Batch{}
		unreadable := r.s.d.Book.Stage("unreadable records")
		unreadable.In(1)
		unreadable.Filtered(1)
	}
	if len(l.held) > 0 || !l.Offer(offset, b) {
		l.held = append(l.held, heldRecord{offset, b})
	}
	if !l.paused && (len(l.held) > 0 || l.Waiting() > int64(r.s.cfg.QueueBytes)) {
		l.paused = true
		_ = r.c.Pause([]ckafka.TopicPartition{{Topic: &p.topic, Partition: p.id}})
	}
}

// retryHeld goes on with the lanes that have room again.
func (r *reader) retryHeld() {
	for p, l := range r.lanes {
		if !l.paused || l.Waiting() > int64(r.s.cfg.QueueBytes)/2 {
			continue
		}
		for len(l.held) > 0 && l.Offer(l.held[0].offset, l.held[0].batch) {
			l.held = l.held[1:]
		}
		if len(l.held) == 0 {
			l.paused = false
			_ = r.c.Resume([]ckafka.TopicPartition{{Topic: &p.topic, Partition: p.id}})
		}
	}
}

func (r *reader) rebalance(ctx context.Context, c *ckafka.Consumer, e ckafka.Event) error {
	switch e := e.(type) {
	case ckafka.AssignedPartitions:
		for _, tp := range e.Partitions {
			r.start(ctx, partition{*tp.Topic, tp.Partition})
		}
		return c.Assign(e.Partitions)
	case ckafka.RevokedPartitions:
		r.stopAll()
		return c.Unassign()
	}
	return nil
}

func (r *reader) start(ctx context.Context, p partition) {
	own, cancel := context.WithCancel(ctx)
	l := &running{
		Lane:   lane.New(lane.Options{CheckpointInterval: r.s.cfg.CheckpointInterval, MaxBytes: int64(r.s.cfg.QueueBytes), Sinks: r.s}),
		cancel: cancel, done: make(chan struct{}), committed: -1,
	}
	r.lanes[p] = l
	go func() {
		defer close(l.done)
		l.Run(own)
	}()
}

// stopAll ends all lanes and commits what they have settled.
func (r *reader) stopAll() {
	var wg sync.WaitGroup
	for _, l := range r.lanes {
		l.cancel()
		wg.Go(func() { <-l.done })
	}
	wg.Wait()
	r.commit()
	r.lanes = map[partition]*running{}
}

// commit writes the safe offsets of all lanes to the group.
func (r *reader) commit() {
	var at []ckafka.TopicPartition
	for p, l := range r.lanes {
		if safe := l.Safe(); safe > l.committed {
			at = append(at, ckafka.TopicPartition{Topic: &p.topic, Partition: p.id, Offset: ckafka.Offset(safe)})
			l.committed = safe
		}
	}
	if len(at) == 0 {
		return
	}
	if _, err := r.c.CommitOffsets(at); err != nil {
		var k ckafka.Error
		if !errors.As(err, &k) || k.Code() != ckafka.ErrNoOffset {
			r.s.d.Logger.Debug("offsets were not committed; they will be with the next ones", "error", err)
		}
		for _, tp := range at {
			r.lanes[partition{*tp.Topic, tp.Partition}].committed = -1
		}
	}
}
