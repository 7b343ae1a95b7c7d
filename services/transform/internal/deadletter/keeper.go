package deadletter

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	deadletterv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/deadletter/v1"

	"github.com/weirflow/weirflow/services/platform/kafka"

	"github.com/weirflow/weirflow/services/transform/internal/connector"
)

const (
	// lookEvery is how often new topics are looked for.
	lookEvery = 5 * time.Second
	// trimEvery is how often letters that have expired are forgotten.
	trimEvery  = time.Minute
	pollWait   = 200 * time.Millisecond
	askTimeout = 10 * time.Second
	// lookTimeout bounds a look at the topics, which a stop waits for.
	lookTimeout = 3 * time.Second
)

// What a request can be wrong about.
var (
	ErrNoLetter = errors.New("there is no such dead letter, or it has expired")
	ErrRequest  = errors.New("the request is wrong")
	ErrNoJob    = errors.New("there is no job of this name, and there are no dead letters of one")
)

// Outlets are where letters of a job may go.
type Outlets struct {
	Running, Stateful bool
	// Inputs says of each that it can take replays; Sinks of each that the indexer writes it.
	Inputs, Sinks map[string]bool
}

// Config is the configuration of a keeper.
type Config struct {
	Kafka kafka.Config
	// Retention is for how long letters are kept.
	Retention time.Duration
}

// Deps are what a keeper is given.
type Deps struct {
	Logger *slog.Logger
	Now    func() time.Time
	// Outlets returns those of a job, or why there are none.
	Outlets func(job string) (*Outlets, error)
}

// Keeper knows the dead letters of all jobs.
type Keeper struct {
	cfg      Config
	d        Deps
	admin    *kafka.Admin
	producer *kafka.Producer
	look     chan struct{} // asks for a look at the topics

	mu      sync.Mutex
	boxes   map[string]*box
	replays map[string]chan struct{} // by job: closed when there is a topic
	moved   chan struct{}            // closed and replaced when something was read
}

// New prepares a keeper. Kafka need not be there yet.
func New(cfg Config, d Deps) (*Keeper, error) {
	k := &Keeper{cfg: cfg, d: d, look: make(chan struct{}, 1), boxes: make(map[string]*box), replays: make(map[string]chan struct{}), moved: make(chan struct{})}
	var err error
	if k.admin, err = kafka.NewAdmin(cfg.Kafka, d.Logger); err != nil {
		return nil, err
	}
	k.producer, err = kafka.NewProducer(cfg.Kafka, kafka.ProducerOptions{Logger: d.Logger, Properties: map[string]string{
		"linger.ms": "1", "queue.buffering.max.kbytes": "32768"}})
	return k, err
}

// Replays returns a channel that is closed when there is a topic of a job's replays.
func (k *Keeper) Replays(job string) <-chan struct{} {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.replaysOf(job)
}

// Discarded says which of these letters of a job were discarded.
func (k *Keeper) Discarded(ctx context.Context, job string, letters []string) (map[string]bool, error) {
	if _, err := k.sync(ctx, job); err != nil {
		return nil, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	out := make(map[string]bool)
	for _, id := range letters {
		if r, ok := parseRef(id); ok {
			if n := k.box(job).find(r); n != nil && n.state == discarded {
				out[id] = true
			}
		}
	}
	return out, nil
}

func (k *Keeper) replaysOf(job string) chan struct{} {
	c := k.replays[job]
	if c == nil {
		c = make(chan struct{})
		k.replays[job] = c
	}
	return c
}

// Run follows the topics until the context ends.
func (k *Keeper) Run(ctx context.Context) error {
	defer k.admin.Close()
	defer k.producer.Close()
	c, err := kafka.NewConsumer(k.cfg.Kafka, kafka.ConsumerOptions{Logger: k.d.Logger, Ends: true, Properties: map[string]string{
		"auto.offset.reset": "earliest", "queued.max.messages.kbytes": "8192", "fetch.wait.max.ms": "200",
	}})
	if err != nil {
		return err
	}
	defer c.Close()
	f := &follower{k: k, c: c, read: make(map[place]bool)}
	for ctx.Err() == nil {
		f.lookAround(ctx)
		b, err := c.Poll(ctx, pollWait)
		if err != nil && ctx.Err() == nil {
			k.d.Logger.Debug("reading dead letters", "error", err)
		}
		if b != nil {
			k.apply(b)
			b.Release()
		}
		f.ends()
	}
	return nil
}

func jobOf(topic string) (job string, letters bool) {
	if job, letters = strings.CutPrefix(topic, connector.LetterPrefix); letters {
		return job, true
	}
	return strings.TrimPrefix(topic, connector.ReplayPrefix), false
}

// box returns that of a job. k.mu is held.
func (k *Keeper) box(job string) *box {
	b := k.boxes[job]
	if b == nil {
		b = newBox()
		k.boxes[job] = b
	}
	return b
}

// reached notes how far a partition has been read. k.mu is held.
func (k *Keeper) reached(topic string, partition int32, offset int64) {
	job, _ := jobOf(topic)
	b := k.box(job)
	if b.seen[topic] == nil {
		b.seen[topic] = make(map[int32]int64)
	}
	if offset > b.seen[topic][partition] {
		b.seen[topic][partition] = offset
		close(k.moved)
		k.moved = make(chan struct{})
	}
}

// apply takes what was read.
func (k *Keeper) apply(batch *kafka.Batch) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for i := range batch.Len() {
		r := batch.Record(i)
		job, letters := jobOf(r.Topic)
		b := k.box(job)
		if letters {
			k.take(b, r)
		} else if id, ok := parseRef(string(r.Key)); ok {
			b.replay(id, time.UnixMilli(r.TimestampMillis))
		}
		k.reached(r.Topic, r.Partition, r.Offset+1)
	}
}

func (k *Keeper) take(b *box, r kafka.Record) {
	l := &deadletterv1.DeadLetter{}
	if err := proto.Unmarshal(r.Value, l); err != nil {
		k.d.Logger.Error("a dead letter cannot be read and is left out", "topic", r.Topic, "partition", r.Partition, "offset", r.Offset, "error", err)
		return
	}
	if f := l.GetFate(); f != nil {
		b.decide(r.Partition, f)
		return
	}
	b.add(ref{r.Partition, r.Offset}, l, eventOf(l))
}

// sync returns when everything is known that was written about a job's letters
// before the call, and whether there is a topic of them.
func (k *Keeper) sync(ctx context.Context, job string) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	there := false
	for _, topic := range []string{connector.LetterPrefix + job, connector.ReplayPrefix + job} {
		ends, err := k.admin.EndOffsets(ctx, topic)
		if kafka.HasCode(err, kafka.CodeUnknownTopicOrPartition, kafka.CodeUnknownTopic) {
			continue
		}
		if err != nil {
			return false, fmt.Errorf("look at %s: %w", topic, err)
		}
		there = true
		for p, end := range ends {
			if err := k.await(ctx, job, topic, p, end); err != nil {
				return false, err
			}
		}
	}
	return there, nil
}

// await returns when a partition has been read to an offset.
func (k *Keeper) await(ctx context.Context, job, topic string, partition int32, offset int64) error {
	asked := false
	for {
		k.mu.Lock()
		seen, followed := k.box(job).seen[topic]
		at, moved := seen[partition], k.moved
		k.mu.Unlock()
		if at >= offset {
			return nil
		}
		if !followed && !asked {
			asked = true
			k.lookNow()
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("read %s/%d to offset %d: %w", topic, partition, offset, ctx.Err())
		case <-moved:
		}
	}
}

func (k *Keeper) lookNow() {
	select {
	case k.look <- struct{}{}:
	default: // one is due
	}
}
