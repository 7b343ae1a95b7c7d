// Package journal keeps what happened in a topic, one record after the other, and
// finds the latest of it again: audit logs, histories.
package journal

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/weirflow/weirflow/services/platform/kafka"
)

const (
	// remembered is how many records are known in memory, and can be found.
	remembered = 20_000
	// retryEvery is how often a cluster that is away is asked again.
	retryEvery = time.Second
	// flushWithin bounds how long the end waits for what was added last.
	flushWithin = 3 * time.Second
	// takeWithin bounds how long Add waits for room.
	takeWithin = 5 * time.Second
)

// ErrToken says that a page's token is none of ours.
var ErrToken = errors.New("page_token is not one that this list gave")

// Config says where a journal is.
type Config struct {
	Kafka kafka.Config
	Topic string
	// Retention is for how long records are kept.
	Retention time.Duration
	Logger    *slog.Logger
}

// Journal keeps messages.
type Journal[M proto.Message] struct {
	cfg      Config
	make     func() M
	producer *kafka.Producer

	mu    sync.Mutex
	first int64 // offset of all[0], of what came later by one each
	all   []*M  // nil where an offset has no record, or none that can be read
}

// New prepares a journal; the cluster need not be there yet.
func New[M proto.Message](cfg Config, newMessage func() M) (*Journal[M], error) {
	p, err := kafka.NewProducer(cfg.Kafka, kafka.ProducerOptions{Logger: cfg.Logger})
	if err != nil {
		return nil, err
	}
	return &Journal[M]{cfg: cfg, make: newMessage, producer: p}, nil
}

// Add keeps a message. done is called once, from any goroutine, when the cluster holds
// it, or with why it does not.
func (j *Journal[M]) Add(m M, done func(error)) {
	value, err := proto.Marshal(m)
	if err != nil {
		done(err)
		return
	}
	var r kafka.Records
	r.Append(0, nil, value)
	ctx, cancel := context.WithTimeout(context.Background(), takeWithin)
	defer cancel()
	_ = j.producer.Produce(ctx, j.cfg.Topic, &r, func(err error, _ []kafka.Failure) { done(err) }) // done has it
}

// Run reads the topic, where it finds what this process added as well, until the
// context ends; then it waits for what was added last.
func (j *Journal[M]) Run(ctx context.Context) error {
	defer j.producer.Close()
	for ctx.Err() == nil {
		if err := j.follow(ctx); err != nil && ctx.Err() == nil {
			j.cfg.Logger.Debug("read a journal", "topic", j.cfg.Topic, "error", err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(retryEvery):
		}
	}
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushWithin)
	defer cancel()
	if err := j.producer.Flush(end); err != nil {
		j.cfg.Logger.Warn("a journal may lack its last records", "topic", j.cfg.Topic, "error", err)
	}
	return nil
}

func (j *Journal[M]) follow(ctx context.Context) error {
	settings := map[string]string{"retention.ms": strconv.FormatInt(j.cfg.Retention.Milliseconds(), 10)}
	if err := kafka.MakeTopic(ctx, j.cfg.Kafka, j.cfg.Logger, j.cfg.Topic, settings); err != nil {
		return err
	}
	c, err := kafka.NewConsumer(j.cfg.Kafka, kafka.ConsumerOptions{Logger: j.cfg.Logger})
	if err != nil {
		return err
	}
	defer c.Close()
	ask, cancel := context.WithTimeout(ctx, 10*time.Second)
	low, high, err := c.Bounds(ask, j.cfg.Topic, 0)
	cancel()
	if err != nil {
		return err
	}
	j.mu.Lock()
	j.all, j.first = nil, max(low, high-remembered)
	from := j.first
	j.mu.Unlock()
	if err := c.Assign([]kafka.Position{{Topic: j.cfg.Topic, Offset: from}}); err != nil {
		return err
	}
	for ctx.Err() == nil {
		b, err := c.Poll(ctx, 500*time.Millisecond)
		if b != nil {
			j.take(b)
			b.Release()
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (j *Journal[M]) take(b *kafka.Batch) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for i := range b.Len() {
		r := b.Record(i)
		for j.first+int64(len(j.all)) < r.Offset { // offsets may have gaps
			j.all = append(j.all, nil)
		}
		m := j.make()
		if proto.Unmarshal(r.Value, m) != nil {
			j.all = append(j.all, nil)
			continue
		}
		j.all = append(j.all, &m)
	}
	if over := len(j.all) - remembered; over > remembered/10 {
		j.all = slices.Clone(j.all[over:])
		j.first += int64(over)
	}
}

// Find returns the messages that are wanted, the newest first, at most size of them,
// and the token of the next page; empty when there is none.
func (j *Journal[M]) Find(wanted func(M) bool, size int, token string) ([]M, string, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	last := j.first + int64(len(j.all)) - 1
	at := last
	if token != "" {
		text, err := base64.RawURLEncoding.DecodeString(token)
		if err != nil {
			return nil, "", ErrToken
		}
		if at, err = strconv.ParseInt(string(text), 10, 64); err != nil {
			return nil, "", ErrToken
		}
		at = min(at, last)
	}
	var out []M
	for ; at >= j.first; at-- {
		m := j.all[at-j.first]
		if m == nil || !wanted(*m) {
			continue
		}
		if len(out) == size {
			return out, base64.RawURLEncoding.EncodeToString(fmt.Append(nil, at)), nil
		}
		out = append(out, *m)
	}
	return out, "", nil
}
