// Package writer produces rendered batches and tells when Kafka holds them.
package writer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	deadletterv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/deadletter/v1"
	"github.com/weirflow/weirflow/services/ingest/internal/render"
	"github.com/weirflow/weirflow/services/platform/kafka"
	"github.com/weirflow/weirflow/services/platform/ledger"
)

// Options are what the service chooses of a writer.
type Options struct {
	Kafka           kafka.Config
	TopicPartitions int
	MaxEventBytes   int
	DeadLetterTopic string
	Logger          *slog.Logger
	Book            *ledger.Book
}

// Writer produces batches. Its methods may be called from several goroutines.
type Writer struct {
	o     Options
	admin *kafka.Admin
	// replaced are producers that met a fatal error and are being closed.
	replaced sync.WaitGroup

	mu       sync.Mutex
	producer *kafka.Producer
	known    map[string]bool // topics that are there
	waiting  bool            // said that topics can't be made
	closed   bool
}

// New connects in the background.
func New(o Options) (*Writer, error) {
	a, err := kafka.NewAdmin(o.Kafka, o.Logger)
	if err != nil {
		return nil, err
	}
	w := &Writer{o: o, admin: a, known: map[string]bool{}}
	if w.producer, err = w.newProducer(); err != nil {
		a.Close()
		return nil, err
	}
	return w, nil
}

func (w *Writer) newProducer() (*kafka.Producer, error) {
	return kafka.NewProducer(w.o.Kafka, kafka.ProducerOptions{Logger: w.o.Logger, Properties: map[string]string{
		"queue.buffering.max.kbytes": "32768", // clients hold what there is no room for
	}})
}

// Admin is the writer's administration client.
func (w *Writer) Admin() *kafka.Admin { return w.admin }

// Close flushes for at most as long as the context lasts and frees the clients.
func (w *Writer) Close(ctx context.Context) error {
	w.mu.Lock()
	w.closed = true
	p := w.producer
	w.mu.Unlock()
	err := p.Flush(ctx)
	p.Close()
	w.replaced.Wait()
	w.admin.Close()
	return err
}

// Refused is an event that Kafka will not take.
type Refused struct {
	EventID string
	Reason  string
}

// Done hears what became of a batch: err means that it is to be sent again;
// refused counts events that were set aside because Kafka won't have them.
type Done func(err error, refused int)

// Write produces what a batch became. done is called once, from any goroutine,
// and out belongs to the writer until then.
func (w *Writer) Write(ctx context.Context, out *render.Output, done Done) {
	p, err := w.healthy()
	if err != nil {
		done(err, 0)
		return
	}
	c := &completion{w: w, p: p, done: done}
	c.pending.Store(1)
	for topic, r := range out.Records {
		if r.Len() == 0 {
			continue
		}
		w.ensure(ctx, topic)
		stage := w.o.Book.Stage(topic)
		stage.In(r.Len())
		c.pending.Add(1)
		_ = p.Produce(ctx, topic, r, func(err error, failed []kafka.Failure) { c.produced(ctx, topic, stage, r, err, failed) })
	}
	for _, o := range out.Oversize {
		stage := w.o.Book.Stage(o.Topic)
		stage.In(1)
		c.pending.Add(1)
		w.setAside(ctx, p, o, fmt.Sprintf("%d bytes are more than an event may have", len(o.Value)), func(err error) { c.aside(stage, err) })
	}
	c.finish()
}

// completion follows the produce calls of one batch.
type completion struct {
	w       *Writer
	p       *kafka.Producer
	done    Done
	pending atomic.Int32
	refused atomic.Int32
	mu      sync.Mutex
	err     error
}

func (c *completion) produced(ctx context.Context, topic string, stage *ledger.Stage, r *kafka.Records, err error, failed []kafka.Failure) {
	defer c.finish()
	if err == nil {
		stage.Out(r.Len())
		return
	}
	if failed == nil { // nothing of the call was sent
		stage.Returned(r.Len())
		c.fail(err)
		return
	}
	stage.Out(r.Len() - len(failed))
	for _, f := range failed {
		if !refusedForGood(f.Err) {
			stage.Returned(1)
			c.fail(f.Err)
			continue
		}
		c.refused.Add(1)
		c.pending.Add(1)
		o := render.Oversize{Topic: topic, Value: append([]byte(nil), r.Value(f.Index)...)}
		// From the producer's own goroutine, which must not wait for room.
		go c.w.setAside(context.WithoutCancel(ctx), c.p, o, f.Err.Error(), func(err error) { c.aside(stage, err) })
	}
}

func (c *completion) aside(stage *ledger.Stage, err error) {
	defer c.finish()
	if err != nil {
		stage.Returned(1)
		c.fail(err)
		return
	}
	stage.DeadLettered(1)
}

func (c *completion) fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == nil {
		c.err = err
	}
}

func (c *completion) finish() {
	if c.pending.Add(-1) == 0 {
		c.done(c.err, int(c.refused.Load()))
	}
}

// refusedForGood tells errors of a record from those of the moment.
func refusedForGood(err error) bool {
	const invalidRecord, corruptMessage = 87, 2
	return kafka.HasCode(err, kafka.CodeMessageTooLarge, invalidRecord, corruptMessage)
}

// setAside keeps an event as a dead letter, in parts that any broker takes.
func (w *Writer) setAside(ctx context.Context, p *kafka.Producer, o render.Oversize, reason string, done func(error)) {
	const part = 512 << 10
	w.ensure(ctx, w.o.DeadLetterTopic)
	var r kafka.Records
	parts := max(1, (len(o.Value)+part-1)/part)
	for i := range parts {
		b, err := proto.Marshal(&deadletterv1.DeadLetter{
			RawPayload: o.Value[i*part : min(len(o.Value), (i+1)*part)], Topic: o.Topic, Partition: -1, Offset: -1, Stage: "ingest",
			ErrorType: "message_too_large", ErrorMessage: reason, IngestionTs: timestamppb.Now(),
		})
		if err != nil {
			done(fmt.Errorf("encode dead letter: %w", err))
			return
		}
		r.Append(kafka.PartitionByKey, []byte(o.EventID), b, kafka.Header{Key: "part", Value: fmt.Appendf(nil, "%d/%d", i+1, parts)})
	}
	_ = p.Produce(ctx, w.o.DeadLetterTopic, &r, func(err error, _ []kafka.Failure) { done(err) })
}

// healthy returns the producer, replaced if the one before met a fatal error.
func (w *Writer) healthy() (*kafka.Producer, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return nil, kafka.ErrClosed
	}
	fatal := w.producer.Fatal()
	if fatal == nil {
		return w.producer, nil
	}
	w.o.Logger.Error("the kafka producer can't go on and is replaced", "error", fatal)
	old := w.producer
	p, err := w.newProducer()
	if err != nil {
		return nil, err
	}
	w.producer = p
	w.replaced.Go(old.Close)
	return p, nil
}

// ensure makes a topic at its first use. Without a cluster it gives up for now:
// the producer waits for the cluster anyway.
func (w *Writer) ensure(ctx context.Context, topic string) {
	w.mu.Lock()
	known := w.known[topic]
	w.mu.Unlock()
	if known {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	err := w.admin.EnsureTopic(ctx, topic, w.o.TopicPartitions, map[string]string{"max.message.bytes": strconv.Itoa(w.o.MaxEventBytes + 1<<20)})
	w.mu.Lock()
	defer w.mu.Unlock()
	if err == nil {
		w.known[topic], w.waiting = true, false
		return
	}
	if !w.waiting && !errors.Is(ctx.Err(), context.Canceled) {
		w.waiting = true
		w.o.Logger.Warn("topic can't be made yet; trying on", "topic", topic, "error", err)
	}
}
