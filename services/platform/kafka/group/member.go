// Package group shares the partitions of a topic out among processes, through
// Kafka's consumer groups. Nothing is read: who has a partition has what the
// partition stands for. A member keeps its name, so that after a restart it has
// at once what it had before; what belongs to one that stays away is given to the
// others when the session time-out has passed.
package group

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync/atomic"
	"time"

	ckafka "github.com/confluentinc/confluent-kafka-go/v2/kafka"

	"github.com/weirflow/weirflow/services/platform/kafka"
)

// ErrReplaced says that another process has joined with the same name.
var ErrReplaced = errors.New("another process has joined the group under the same name")

const pollEvery = 100 * time.Millisecond

// Config says which group is joined, and as whom.
type Config struct {
	Kafka kafka.Config
	Group string
	// Topic is the one whose partitions are shared out; it must be there.
	Topic string
	// Name is the member's own: letters, digits, '.', '_' and '-'.
	Name string
	// ClientID is what others are told of the member beside its name.
	ClientID string
	// Session is how long a member may be silent before its partitions are given
	// to others.
	Session time.Duration
	// Logger hears of what goes wrong. Required.
	Logger *slog.Logger
}

// Handler hears what a member is given and what is taken. Its methods are called
// one after the other, but for Lost, which may be called during Released.
type Handler interface {
	// Gained must not block.
	Gained(partitions []int32)
	// Released gives partitions up: when it returns others may have them.
	Released(partitions []int32)
	// Lost says that others may have the partitions already. It must not block.
	Lost(partitions []int32)
}

// Member is a process in a group.
type Member struct {
	cfg  Config
	h    Handler
	beat atomic.Int64 // when the member was last seen to run, in milliseconds
	naps atomic.Int64 // times that it stood still for too long
	gone atomic.Bool  // it leaves
}

// New prepares a member; Run joins.
func New(cfg Config, h Handler) *Member {
	m := &Member{cfg: cfg, h: h}
	m.beat.Store(time.Now().UnixMilli())
	return m
}

// touch notes that the process runs. The clock on the wall is asked, which goes on
// while a machine sleeps.
func (m *Member) touch() {
	now := time.Now().UnixMilli()
	if now-m.beat.Load() >= m.patience() {
		m.naps.Add(1)
	}
	m.beat.Store(now)
}

func (m *Member) patience() int64 { return (m.cfg.Session * 3 / 4).Milliseconds() }

// Naps is how often the process stood still for so long that others may have got
// its partitions.
func (m *Member) Naps() int64 { return m.naps.Load() }

// Awake is false when the process has just stood still for so long that others may
// have its partitions, though it has not been told yet.
func (m *Member) Awake() bool {
	return time.Now().UnixMilli()-m.beat.Load() < m.patience()
}

// Run is a member until the context ends. The place in the group is kept for the
// session time-out.
func (m *Member) Run(ctx context.Context) error {
	m.beat.Store(time.Now().UnixMilli())
	c, err := ckafka.NewConsumer(m.cfg.Kafka.ConfigMap(map[string]string{
		"group.id": m.cfg.Group, "group.instance.id": m.cfg.Name, "client.id": m.cfg.ClientID,
		"session.timeout.ms": millis(m.cfg.Session), "heartbeat.interval.ms": millis(min(m.cfg.Session/10, time.Second)),
		"partition.assignment.strategy": "cooperative-sticky", "enable.auto.commit": "false", "auto.offset.reset": "latest",
		"allow.auto.create.topics": "false", "reconnect.backoff.max.ms": "1000", "topic.metadata.refresh.interval.ms": "30000",
	}))
	if err != nil {
		return fmt.Errorf("join group %q: %w", m.cfg.Group, err)
	}
	err = c.SubscribeTopics([]string{m.cfg.Topic}, m.rebalance)
	if err == nil {
		err = m.poll(ctx, c)
	}
	if errors.Is(err, ErrReplaced) {
		return err // librdkafka would wait for ever for a group that knows it no more; the process ends now anyway
	}
	m.gone.Store(true)
	if closing := c.Close(); closing != nil {
		m.cfg.Logger.Debug("leave the group", "group", m.cfg.Group, "error", closing)
	}
	if err != nil {
		return fmt.Errorf("member of group %q: %w", m.cfg.Group, err)
	}
	return nil
}

func (m *Member) poll(ctx context.Context, c *ckafka.Consumer) error {
	said := ""
	for ctx.Err() == nil {
		m.touch()
		e, ok := c.Poll(int(pollEvery.Milliseconds())).(ckafka.Error)
		switch {
		case !ok:
			continue
		case e.Code() == ckafka.ErrFencedInstanceID:
			return ErrReplaced
		case e.IsFatal():
			return e
		case e.Error() != said:
			said = e.Error()
			m.cfg.Logger.Warn("membership in a group; trying on", "group", m.cfg.Group, "error", said)
		}
	}
	return nil
}

func millis(d time.Duration) string { return strconv.FormatInt(max(1, d.Milliseconds()), 10) }

// rebalance hears of librdkafka, from within Poll, what is given and taken.
func (m *Member) rebalance(c *ckafka.Consumer, e ckafka.Event) error {
	switch e := e.(type) {
	case ckafka.AssignedPartitions:
		parts := e.Partitions
		for i := range parts {
			parts[i].Offset = ckafka.OffsetEnd
		}
		if err := c.IncrementalAssign(parts); err != nil {
			return fmt.Errorf("take partitions: %w", err)
		}
		if len(parts) > 0 {
			if err := c.Pause(parts); err != nil { // nobody wants the records
				m.cfg.Logger.Debug("pause", "error", err)
			}
			m.h.Gained(numbers(parts))
		}
	case ckafka.RevokedPartitions:
		if !m.gone.Load() && len(e.Partitions) > 0 {
			m.release(c, numbers(e.Partitions))
		}
		if err := c.IncrementalUnassign(e.Partitions); err != nil {
			return fmt.Errorf("give partitions up: %w", err)
		}
	}
	return nil
}

// release gives partitions up in peace, unless they are lost meanwhile.
func (m *Member) release(c *ckafka.Consumer, parts []int32) {
	if c.AssignmentLost() {
		m.h.Lost(parts)
		return
	}
	done := make(chan struct{})
	go func() { defer close(done); m.h.Released(parts) }()
	for lost := false; ; {
		m.touch()
		select {
		case <-done:
			return
		case <-time.After(pollEvery):
		}
		if !lost && c.AssignmentLost() {
			lost = true
			m.h.Lost(parts)
		}
	}
}

func numbers(parts []ckafka.TopicPartition) []int32 {
	all := make([]int32, len(parts))
	for i, p := range parts {
		all[i] = p.Partition
	}
	return all
}
