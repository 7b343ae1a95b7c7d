package kafka

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/weirflow/weirflow/services/platform/kafka"

	"github.com/weirflow/weirflow/services/transform/internal/connector"
)

// What sink.delivery-guarantee says.
const (
	atLeastOnce = "at-least-once"
	exactlyOnce = "exactly-once"
	noGuarantee = "none"
)

const (
	// commitEvery is how often a script's rows become visible.
	commitEvery = time.Second
	// transactionTimeout is how long a transaction may stay open: less than what
	// brokers allow at most by default.
	transactionTimeout = "600000"
	beginTimeout       = 30 * time.Second
	endTimeout         = 10 * time.Second
)

func guarantee(o *connector.Options) string {
	if !o.Has("sink.delivery-guarantee") && o.Has("sink.semantic") {
		return o.Enum("sink.semantic")
	}
	return o.Enum("sink.delivery-guarantee")
}

// channels are the producers with transactions that are open. The sinks of a job
// share one, whatever their prefixes, so that their rows become visible together.
type channels struct {
	mu   sync.Mutex
	open map[string]*channel
}

// channel is a producer and its open transaction.
type channel struct {
	id       string
	shared   string // what it is known by among the open ones
	producer *kafka.Producer
	of       *channels
	sinks    int // guarded by of.mu

	mu        sync.Mutex
	committed time.Time
	written   bool // since the last commit
	broken    bool
}

// openChannel returns the channel that a sink writes to.
func (c *channels) openChannel(env connector.Env, cfg kafka.Config, o *connector.Options) (*channel, error) {
	id := o.Text("sink.transactional-id-prefix") + "-" + env.Job
	shared := id
	if env.Job != "" {
		shared = env.Job
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if ch := c.open[shared]; ch != nil {
		ch.sinks++
		return ch, nil
	}
	props := map[string]string{"partitioner": "murmur2_random", "queue.buffering.max.kbytes": "131072",
		"transactional.id": id, "transaction.timeout.ms": transactionTimeout, "message.timeout.ms": transactionTimeout}
	if t := cfg.Properties["transaction.timeout.ms"]; t != "" {
		props["message.timeout.ms"] = t
	}
	p, err := kafka.NewProducer(cfg, kafka.ProducerOptions{Logger: env.Logger, Properties: props})
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), beginTimeout)
	defer cancel()
	err = p.InitTransactions(ctx)
	if err == nil {
		err = p.Begin()
	}
	if err != nil {
		p.Close()
		return nil, err
	}
	ch := &channel{id: id, shared: shared, producer: p, of: c, sinks: 1, committed: time.Now()}
	if c.open == nil {
		c.open = make(map[string]*channel)
	}
	c.open[shared] = ch
	return ch, nil
}

// wrote notes that the transaction is not empty.
func (c *channel) wrote() {
	c.mu.Lock()
	c.written = true
	c.mu.Unlock()
}

// commit ends the transaction, with one more record if there is a topic for it.
func (c *channel) commit(ctx context.Context, topic string, key, value []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.broken {
		return errors.New("the transaction was aborted")
	}
	err := c.add(ctx, topic, key, value)
	if err == nil {
		err = c.producer.Commit(ctx)
	}
	if err == nil {
		c.committed, c.written = time.Now(), false
		err = c.producer.Begin() //nolint:contextcheck // it asks nobody, and does not wait
	}
	if err != nil {
		c.broken = true
		abort, cancel := context.WithTimeout(context.WithoutCancel(ctx), endTimeout)
		defer cancel()
		if c.producer.Fatal() == nil {
			err = errors.Join(err, c.producer.Abort(abort))
		}
		return fmt.Errorf("transaction %q: %w", c.id, err)
	}
	return nil
}

func (c *channel) add(ctx context.Context, topic string, key, value []byte) error {
	if topic == "" {
		return nil
	}
	var r kafka.Records
	r.Append(0, key, value)                                                    // where the run reads it back
	return c.producer.Produce(ctx, topic, &r, func(error, []kafka.Failure) {}) // Commit tells of its failure
}

// due commits what a script has written a while ago.
func (c *channel) due(now time.Time) error {
	c.mu.Lock()
	due := c.written && now.Sub(c.committed) >= commitEvery
	c.mu.Unlock()
	if !due {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), beginTimeout)
	defer cancel()
	return c.commit(ctx, "", nil, nil)
}

// close takes back what is not committed, when the last sink leaves.
func (c *channel) close() {
	c.of.mu.Lock()
	c.sinks--
	last := c.sinks == 0
	if last {
		delete(c.of.open, c.shared)
	}
	c.of.mu.Unlock()
	if !last {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.written && !c.broken && c.producer.Fatal() == nil {
		ctx, cancel := context.WithTimeout(context.Background(), endTimeout)
		defer cancel()
		_ = c.producer.Abort(ctx) // the next run does it otherwise
	}
	c.producer.Close()
}

// sameCluster reports whether two configurations name a broker in common.
func sameCluster(a, b kafka.Config) bool {
	for _, x := range a.Brokers {
		for _, y := range b.Brokers {
			if plainHost(x) == plainHost(y) {
				return true
			}
		}
	}
	return false
}

func plainHost(broker string) string {
	return strings.Replace(strings.ToLower(strings.TrimSpace(broker)), "localhost:", "127.0.0.1:", 1)
}

// exactSink is a sink whose rows become visible with a checkpoint.
type exactSink struct{ *sink }

// CommitWith commits the rows of all sinks that share the transaction, and a record.
func (s exactSink) CommitWith(ctx context.Context, topic string, key, value []byte) error {
	if err := s.Flush(ctx); err != nil {
		return err
	}
	return s.channel.commit(ctx, topic, key, value)
}
