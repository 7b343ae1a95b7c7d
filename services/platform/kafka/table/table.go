// Package table keeps a compacted topic as a map: what the owner of the topic
// writes, every reader soon has, and has again after a restart. A record with a
// null value deletes its key.
package table

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/weirflow/weirflow/services/platform/kafka"
)

// writeID is the header by which a table knows its own writes when it reads them.
const writeID = "write-id"

// Config names the topic.
type Config struct {
	Kafka kafka.Config
	Topic string
	// Partitions that the topic is made with; 0 is 1. The table is in the first, so
	// that all writes have one order: the others are for who shares them out.
	Partitions int
	// Logger hears of records that can't be read. Required.
	Logger *slog.Logger
}

// ErrRefused is what a writer hears whose row the table's rule does not take.
var ErrRefused = errors.New("somebody else has changed the row meanwhile")

// Table is a compacted topic of messages of type M by key. It must be run.
type Table[M proto.Message] struct {
	cfg      Config
	make     func() M
	producer *kafka.Producer

	mu       sync.Mutex
	rows     map[string]M
	seen     int64                 // offset behind the last record applied
	writes   map[string]chan error // own writes, by id, until Run has read them back
	rule     func(key string, old M, there bool, row M) bool
	watchers []func(key string, m M, deleted bool)
	ready    chan struct{}
	moved    chan struct{} // closed and replaced when seen grows
}

// New prepares a table; make returns an empty message. Nothing is read before Run.
func New[M proto.Message](cfg Config, empty func() M) (*Table[M], error) {
	p, err := kafka.NewProducer(cfg.Kafka, kafka.ProducerOptions{
		Logger: cfg.Logger, Properties: map[string]string{"linger.ms": "0"},
	})
	if err != nil {
		return nil, err
	}
	return &Table[M]{cfg: cfg, make: empty, producer: p, rows: map[string]M{}, writes: map[string]chan error{}, ready: make(chan struct{}), moved: make(chan struct{})}, nil
}

// Watch calls f for each row there is and then for each change, in the order of
// the topic, from the goroutine of Run. It must be called before Run.
func (t *Table[M]) Watch(f func(key string, m M, deleted bool)) { t.watchers = append(t.watchers, f) }

// Accept sets a rule that says of each row that is read whether it is taken, given
// the one that there is; all readers must have the same, or mend the topic when
// they refuse a row: compaction keeps the last one. It is called from the goroutine
// of Run, must not block, and must be set before Run.
func (t *Table[M]) Accept(rule func(key string, old M, there bool, row M) bool) { t.rule = rule }

// Ready is closed when the table holds what the topic held when Run began.
func (t *Table[M]) Ready() <-chan struct{} { return t.ready }

// Get returns the row of a key. It must not be changed.
func (t *Table[M]) Get(key string) (M, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	m, ok := t.rows[key]
	return m, ok
}

// All returns a copy of the map; its rows must not be changed.
func (t *Table[M]) All() map[string]M {
	t.mu.Lock()
	defer t.mu.Unlock()
	return maps.Clone(t.rows)
}

// Put writes a row and returns when the cluster holds it and this table shows it.
func (t *Table[M]) Put(ctx context.Context, key string, m M) error {
	b, err := proto.Marshal(m)
	if err != nil {
		return fmt.Errorf("encode row %q of %s: %w", key, t.cfg.Topic, err)
	}
	return t.write(ctx, key, b)
}

// Delete removes a row and returns when the cluster knows and this table shows it.
func (t *Table[M]) Delete(ctx context.Context, key string) error {
	return t.write(ctx, key, nil)
}

// write produces a record and waits until Run has read it back.
func (t *Table[M]) write(ctx context.Context, key string, value []byte) error {
	id := rand.Text()
	back := make(chan error, 1)
	t.mu.Lock()
	t.writes[id] = back
	t.mu.Unlock()
	defer func() {
		t.mu.Lock()
		delete(t.writes, id)
		t.mu.Unlock()
	}()
	var r kafka.Records
	r.Append(0, []byte(key), value, kafka.Header{Key: writeID, Value: []byte(id)})
	answer := make(chan error, 1)
	_ = t.producer.Produce(ctx, t.cfg.Topic, &r, func(err error, _ []kafka.Failure) { answer <- err })
	for waiting := answer; ; {
		select {
		case err := <-waiting:
			if err != nil {
				return fmt.Errorf("write row %q of %s: %w", key, t.cfg.Topic, err)
			}
			waiting = nil
		case err := <-back:
			if err != nil {
				return fmt.Errorf("write row %q of %s: %w", key, t.cfg.Topic, err)
			}
			return nil
		case <-ctx.Done():
			return fmt.Errorf("write row %q of %s: %w", key, t.cfg.Topic, ctx.Err())
		}
	}
}

// Run reads the topic, making it if need be, until the context ends. A cluster
// that does not answer is tried again.
func (t *Table[M]) Run(ctx context.Context) error {
	defer t.producer.Close()
	end, err := t.open(ctx)
	if err != nil {
		return nil //nolint:nilerr // only the end of the context stops opening
	}
	c, err := kafka.NewConsumer(t.cfg.Kafka, kafka.ConsumerOptions{Logger: t.cfg.Logger, Header: writeID, Ends: true, Properties: map[string]string{
		"auto.offset.reset": "earliest", "queued.max.messages.kbytes": "4096", "fetch.wait.max.ms": "500",
	}})
	if err != nil {
		return err
	}
	defer c.Close()
	if !t.found(ctx, c) {
		return nil
	}
	if err := c.Assign([]kafka.Position{{Topic: t.cfg.Topic, Partition: 0, Offset: kafka.OffsetBeginning}}); err != nil {
		return fmt.Errorf("read %s: %w", t.cfg.Topic, err)
	}
	for {
		t.markReady(end)
		b, err := c.Poll(ctx, time.Second)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			t.cfg.Logger.Warn("reading a table", "topic", t.cfg.Topic, "error", err)
		}
		if b != nil {
			t.apply(b)
			b.Release()
		}
		// Compaction may have removed the last record that there was: only the
		// topic's end, not a silence, says that all of it has been read.
		if at, ok := c.End(t.cfg.Topic, 0); ok {
			t.read(at)
		}
	}
}

// found waits until the consumer knows the topic: one that it meets before it is
// known everywhere is looked for again after half a minute only.
func (t *Table[M]) found(ctx context.Context, c *kafka.Consumer) bool {
	for ctx.Err() == nil {
		try, cancel := context.WithTimeout(ctx, 2*time.Second)
		_, _, err := c.Bounds(try, t.cfg.Topic, 0)
		cancel()
		if err == nil {
			return true
		}
		t.cfg.Logger.Debug("find the topic of a table", "topic", t.cfg.Topic, "error", err)
		select {
		case <-ctx.Done():
		case <-time.After(100 * time.Millisecond):
		}
	}
	return false
}

// read notes that everything before an offset has been applied, and wakes who waits for it.
func (t *Table[M]) read(to int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if to > t.seen {
		t.seen = to
		close(t.moved)
		t.moved = make(chan struct{})
	}
}

// Sync returns when the table has all that was in the topic at the call.
func (t *Table[M]) Sync(ctx context.Context, a *kafka.Admin) error {
	ends, err := a.EndOffsets(ctx, t.cfg.Topic)
	if err != nil {
		return fmt.Errorf("find the end of %s: %w", t.cfg.Topic, err)
	}
	for {
		t.mu.Lock()
		seen, moved := t.seen, t.moved
		t.mu.Unlock()
		if seen >= ends[0] {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("read %s to offset %d: %w", t.cfg.Topic, ends[0], ctx.Err())
		case <-moved:
		}
	}
}

func (t *Table[M]) open(ctx context.Context) (end int64, err error) {
	a, err := kafka.NewAdmin(t.cfg.Kafka, t.cfg.Logger)
	if err != nil {
		return 0, err
	}
	defer a.Close()
	for said := false; ; said = true {
		if err = t.ensure(ctx, a, &end); err == nil {
			return end, nil
		}
		if !said && ctx.Err() == nil {
			t.cfg.Logger.Warn("table can't be read yet; trying on", "topic", t.cfg.Topic, "error", err)
		}
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-time.After(500 * time.Millisecond):
		}
	}
}

func (t *Table[M]) ensure(ctx context.Context, a *kafka.Admin, end *int64) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if err := a.EnsureTopic(ctx, t.cfg.Topic, max(1, t.cfg.Partitions), map[string]string{"cleanup.policy": "compact"}); err != nil {
		return err
	}
	ends, err := a.EndOffsets(ctx, t.cfg.Topic)
	*end = ends[0]
	return err
}

func (t *Table[M]) markReady(end int64) {
	select {
	case <-t.ready:
	default:
		if t.seen >= end {
			close(t.ready)
		}
	}
}

func (t *Table[M]) apply(b *kafka.Batch) {
	for i := range b.Len() {
		r := b.Record(i)
		key := string(r.Key)
		m := t.make()
		if r.Value != nil {
			if err := proto.Unmarshal(r.Value, m); err != nil {
				t.cfg.Logger.Error("row can't be read and is left out", "topic", t.cfg.Topic, "key", key, "offset", r.Offset, "error", err)
				t.read(r.Offset + 1)
				continue
			}
		}
		var refused error
		t.mu.Lock()
		old, there := t.rows[key]
		t.mu.Unlock() // only this goroutine changes rows
		if r.Value != nil && t.rule != nil && !t.rule(key, old, there, m) {
			refused = ErrRefused
		}
		t.mu.Lock()
		switch {
		case refused != nil:
		case r.Value == nil:
			delete(t.rows, key)
		default:
			t.rows[key] = m
		}
		back := t.writes[string(r.Header)]
		delete(t.writes, string(r.Header))
		t.mu.Unlock()
		if refused == nil {
			for _, w := range t.watchers {
				w(key, m, r.Value == nil)
			}
		}
		if back != nil {
			back <- refused
		}
		t.read(r.Offset + 1) // after the watchers: who waits for it finds what they made
	}
}
