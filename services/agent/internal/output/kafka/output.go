// Package kafka writes events to Kafka directly, each with the event-id header
// by which a line that is sent twice is recognised.
//
// A record that Kafka can't ever take, because it is too long or has no topic,
// is kept as a dead letter; any other failure is tried again until it works.
package kafka

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/weirflow/weirflow/services/agent/internal/deadletter"
	"github.com/weirflow/weirflow/services/agent/internal/pipeline"
	"github.com/weirflow/weirflow/services/platform/event"
	"github.com/weirflow/weirflow/services/platform/kafka"
)

// codeTooLarge are Kafka's errors for a record that is too long: as librdkafka
// and as a broker find it.
func codeTooLarge() []int { return []int{10, 18} }

// Options are the settings of the output.
type Options struct {
	Config     kafka.Config
	Properties map[string]string
	AgentID    string
	Version    string
	// MaxBytes is the longest record.
	MaxBytes int
	Headers  []kafka.Header
	Retry    time.Duration
	Log      *slog.Logger
	Box      *deadletter.Box
}

// Output is a Kafka producer.
type Output struct {
	o        Options
	producer *kafka.Producer
	records  sync.Pool
	wg       sync.WaitGroup

	mu      sync.Mutex
	said    map[string]time.Time
	scratch []byte
}

// New makes an output; the cluster need not be there yet.
func New(o Options) (*Output, error) {
	p, err := kafka.NewProducer(o.Config, kafka.ProducerOptions{Properties: o.Properties, Logger: o.Log})
	if err != nil {
		return nil, fmt.Errorf("output.kafka: %w", err)
	}
	return &Output{o: o, producer: p, said: map[string]time.Time{}}, nil
}

// flight is a batch under way.
type flight struct {
	out   *Output
	ctx   context.Context //nolint:containedctx // retries outlive the call that began them
	batch *pipeline.Batch

	mu      sync.Mutex
	open    int // topics that are not settled
	refused int
	checked map[string]bool // topics whose unfit records are kept
}

// Send implements pipeline.Output.
func (out *Output) Send(ctx context.Context, b *pipeline.Batch) error {
	f := &flight{out: out, ctx: ctx, batch: b, checked: map[string]bool{}}
	topics := topicsOf(b)
	f.open = len(topics)
	for _, topic := range topics {
		if err := f.produce(topic, nil); err != nil {
			return err
		}
	}
	return nil
}

func topicsOf(b *pipeline.Batch) []string {
	var topics []string
	for _, g := range b.Groups {
		if g.Len() > 0 && !slices.Contains(topics, g.Source.Topic) {
			topics = append(topics, g.Source.Topic)
		}
	}
	return topics
}

// produce sends the records of one topic: all, or those that failed before.
func (f *flight) produce(topic string, only []int) error {
	r, ok := f.out.records.Get().(*kafka.Records)
	if !ok {
		r = &kafka.Records{}
	}
	r.Reset()
	letters, err := f.out.render(f.batch, topic, only, r)
	if err != nil {
		return err
	}
	if f.check(topic) { // those that can't be sent are kept once
		if err := f.out.o.Box.Put(letters); err != nil {
			return err
		}
		f.refuse(len(letters), letters)
	}
	err = f.out.producer.Produce(f.ctx, topic, r, func(err error, failed []kafka.Failure) { f.done(topic, only, err, failed) })
	f.out.records.Put(r)
	if f.ctx.Err() != nil {
		return f.ctx.Err()
	}
	_ = err // done has it
	return nil
}

func (f *flight) check(topic string) (first bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	first = !f.checked[topic]
	f.checked[topic] = true
	return first
}

func (f *flight) refuse(n int, letters []deadletter.Letter) {
	if n == 0 {
		return
	}
	f.mu.Lock()
	f.refused += n
	f.mu.Unlock()
	f.out.say(f.ctx, slog.LevelWarn, "events can't be sent and are kept as dead letters", "events", n, "reason", letters[0].Reason)
}

// render fills the records of a topic; what can't be sent becomes letters. The
// records are numbered in the order of the batch, without those.
func (out *Output) render(b *pipeline.Batch, topic string, only []int, r *kafka.Records) ([]deadletter.Letter, error) {
	out.mu.Lock()
	defer out.mu.Unlock()
	var letters []deadletter.Letter
	number := 0
	for _, g := range b.Groups {
		if g.Source.Topic != topic {
			continue
		}
		var err error
		out.scratch, err = g.EachRendered(out.o.Version, out.scratch, func(_, offset int64, rendered []byte) error {
			if reason := out.unfit(topic, rendered); reason != "" {
				if only == nil {
					letters = append(letters, out.letter(g, topic, offset, reason, rendered))
				}
				return nil
			}
			if _, wanted := slices.BinarySearch(only, number); only == nil || wanted {
				r.Append(kafka.PartitionByKey, g.PB.Key, rendered, out.o.Headers...)
				r.CloseHeader(event.AppendID(r.OpenHeader(event.IDHeader), out.o.AgentID, g.Source.FileID, offset))
			}
			number++
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return letters, nil
}

func (out *Output) unfit(topic string, rendered []byte) string {
	switch {
	case topic == "":
		return "the event has no topic: what output.kafka.topic is made of is missing in it"
	case len(rendered) > out.o.MaxBytes:
		return fmt.Sprintf("the event has %d bytes, more than max_message_bytes %d", len(rendered), out.o.MaxBytes)
	}
	return ""
}

func (out *Output) letter(g *pipeline.Group, topic string, offset int64, reason string, rendered []byte) deadletter.Letter {
	return deadletter.Letter{
		Time: time.Now(), Topic: topic, Reason: reason, Event: slices.Clone(rendered),
		ID: string(event.AppendID(nil, out.o.AgentID, g.Source.FileID, offset)),
	}
}

// done hears what became of a topic's records. It must not block.
func (f *flight) done(topic string, only []int, err error, failed []kafka.Failure) {
	if err == nil && len(failed) == 0 {
		f.settle()
		return
	}
	f.out.wg.Go(func() { f.mend(topic, only, err, failed) })
}

// mend keeps what is too long as dead letters and sends the rest again.
func (f *flight) mend(topic string, only []int, cause error, failed []kafka.Failure) {
	var again, large []int
	for _, x := range failed {
		number := x.Index
		if only != nil {
			number = only[x.Index]
		}
		if kafka.HasCode(x.Err, codeTooLarge()...) {
			large = append(large, number)
		} else {
			again = append(again, number)
		}
	}
	slices.Sort(again)
	slices.Sort(large)
	if len(large) > 0 && !f.bury(topic, large, cause) {
		again = append(again, large...) // the disk may have room later
		slices.Sort(again)
	}
	if len(failed) == 0 {
		again = only // the whole call failed
	} else if len(again) == 0 {
		f.settle()
		return
	}
	f.out.say(f.ctx, slog.LevelWarn, "events could not be written to Kafka; they are kept and sent again", "topic", topic, "error", cause)
	select {
	case <-f.ctx.Done():
		return
	case <-time.After(f.out.o.Retry):
	}
	if err := f.produce(topic, again); err != nil && f.ctx.Err() == nil {
		f.out.say(f.ctx, slog.LevelError, "events could not be prepared for Kafka", "topic", topic, "error", err)
	}
}

// bury keeps records that a broker finds too long.
func (f *flight) bury(topic string, numbers []int, cause error) bool {
	var r kafka.Records
	if _, err := f.out.render(f.batch, topic, numbers, &r); err != nil {
		return false
	}
	letters := make([]deadletter.Letter, 0, r.Len())
	for i := range r.Len() {
		letters = append(letters, deadletter.Letter{Time: time.Now(), Topic: topic, Reason: fmt.Sprintf("Kafka: %v", cause), Event: slices.Clone(r.Value(i))})
	}
	if err := f.out.o.Box.Put(letters); err != nil {
		f.out.say(f.ctx, slog.LevelError, "dead letters can't be kept", "error", err)
		return false
	}
	f.refuse(len(letters), letters)
	return true
}

func (f *flight) settle() {
	f.mu.Lock()
	f.open--
	last, refused := f.open == 0, f.refused
	f.mu.Unlock()
	if last {
		f.batch.Ack(refused)
	}
}

// say logs a message at most once a minute.
func (out *Output) say(ctx context.Context, level slog.Level, message string, args ...any) {
	out.mu.Lock()
	quiet := time.Since(out.said[message]) < time.Minute
	if !quiet {
		out.said[message] = time.Now()
	}
	out.mu.Unlock()
	if !quiet {
		out.o.Log.Log(ctx, level, message, args...) //nolint:sloglint // a fixed set of messages
	}
}

// Close implements pipeline.Output.
func (out *Output) Close() error {
	out.producer.Close()
	out.wg.Wait()
	return nil
}

// Partitioner is the one that puts a key where Filebeat puts it.
const Partitioner = "fnv1a_random"

// Compression names a codec as librdkafka does.
func Compression(name string) (string, error) {
	switch c := strings.ToLower(name); c {
	case "none", "snappy", "lz4", "gzip", "zstd":
		return c, nil
	}
	return "", fmt.Errorf("unknown compression %q: there are none, snappy, lz4, gzip and zstd", name)
}
