package kafka_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/weirflow/weirflow/services/platform/kafka"
	"github.com/weirflow/weirflow/services/platform/kafka/kafkatest"
)

func newProducer(t *testing.T, cfg kafka.Config, props map[string]string) *kafka.Producer {
	t.Helper()
	p, err := kafka.NewProducer(cfg, kafka.ProducerOptions{Logger: slog.New(slog.DiscardHandler), Properties: props})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

func newConsumer(t *testing.T, cfg kafka.Config, o kafka.ConsumerOptions) *kafka.Consumer {
	t.Helper()
	o.Logger = slog.New(slog.DiscardHandler)
	c, err := kafka.NewConsumer(cfg, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// readAll polls until n records came, and renders each.
func readAll(t *testing.T, c *kafka.Consumer, n int, render func(b *kafka.Batch, i int) string) []string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	var out []string
	for len(out) < n {
		b, err := c.Poll(ctx, time.Second)
		if err != nil {
			t.Fatalf("poll after %d records: %v", len(out), err)
		}
		if b == nil {
			continue
		}
		for i := range b.Len() {
			out = append(out, render(b, i))
		}
		b.Release()
	}
	return out
}

func produce(t *testing.T, p *kafka.Producer, topic string, r *kafka.Records) {
	t.Helper()
	got := make(chan error, 1)
	if err := p.Produce(t.Context(), topic, r, func(err error, _ []kafka.Failure) { got <- err }); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-got:
		if err != nil {
			t.Fatal(err)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("no answer for a batch")
	}
}

func TestRoundTripKeepsEverything(t *testing.T) {
	cfg := kafkatest.Start(t, "t")
	p := newProducer(t, cfg, nil)
	var r kafka.Records
	r.Append(0, nil, []byte("plain"))
	r.Append(0, []byte("k"), nil)
	r.Append(0, []byte(""), []byte(""), kafka.Header{Key: "event-id", Value: []byte("a:b:0")})
	r.Append(0, []byte("key"), []byte("nul\x00byte"), kafka.Header{Key: "x", Value: nil}, kafka.Header{Key: "event-id", Value: []byte("")})
	r.Close(append(r.Open(0, nil), "rendered"...))
	r.CloseHeader(append(r.OpenHeader("event-id"), "id"...))
	if got := string(r.Value(4)); got != "rendered" {
		t.Fatalf("Value(4) = %q", got)
	}
	produce(t, p, "t", &r)

	c := newConsumer(t, cfg, kafka.ConsumerOptions{Header: "event-id"})
	if err := c.Assign([]kafka.Position{{Topic: "t", Partition: 0, Offset: kafka.OffsetBeginning}}); err != nil {
		t.Fatal(err)
	}
	got := readAll(t, c, 5, func(b *kafka.Batch, i int) string {
		x := b.Record(i)
		return fmt.Sprintf("%d %s/%d k=%q(%t) v=%q(%t) h=%q(%t) %v", x.Offset, x.Topic, x.Partition, x.Key, x.Key == nil, x.Value, x.Value == nil, x.Header, x.Header == nil, b.Headers(i))
	})
	want := []string{
		`0 t/0 k=""(true) v="plain"(false) h=""(true) []`,
		`1 t/0 k="k"(false) v=""(true) h=""(true) []`,
		`2 t/0 k=""(false) v=""(false) h="a:b:0"(false) [{event-id [97 58 98 58 48]}]`,
		`3 t/0 k="key"(false) v="nul\x00byte"(false) h=""(false) [{x []} {event-id []}]`,
		`4 t/0 k=""(true) v="rendered"(false) h="id"(false) [{event-id [105 100]}]`,
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("record %d:\n got %s\nwant %s", i, got[i], want[i])
		}
	}
}

func TestManyBatchesFromManyGoroutinesArriveOnce(t *testing.T) {
	cfg := kafkatest.Start(t, "t")
	// A short queue, so that producing has to wait for room.
	p := newProducer(t, cfg, map[string]string{"queue.buffering.max.messages": "1000"})
	const workers, batches, size = 4, 20, 250
	var wg sync.WaitGroup
	var mu sync.Mutex
	answered := 0
	for w := range workers {
		wg.Go(func() {
			var r kafka.Records
			for b := range batches {
				r.Reset()
				for i := range size {
					r.Append(kafka.PartitionByKey, []byte{byte(w)}, fmt.Appendf(nil, "%d-%d-%d", w, b, i))
				}
				if err := p.Produce(t.Context(), "t", &r, func(err error, failed []kafka.Failure) {
					if err != nil || failed != nil {
						t.Errorf("batch failed: %v", err)
					}
					mu.Lock()
					answered++
					mu.Unlock()
				}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if err := p.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	if answered != workers*batches {
		t.Errorf("answered %d batches, want %d", answered, workers*batches)
	}
	mu.Unlock()
	c := newConsumer(t, cfg, kafka.ConsumerOptions{MaxRecords: 333})
	if err := c.Assign([]kafka.Position{{Topic: "t", Partition: 0, Offset: kafka.OffsetBeginning}}); err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for _, v := range readAll(t, c, workers*batches*size, func(b *kafka.Batch, i int) string { return string(b.Record(i).Value) }) {
		seen[v]++
	}
	if len(seen) != workers*batches*size {
		t.Errorf("read %d different records, want %d", len(seen), workers*batches*size)
	}
}

func TestFailuresAreNamed(t *testing.T) {
	cfg := kafkatest.Start(t, "t")
	p := newProducer(t, cfg, map[string]string{"message.max.bytes": "2000"})
	var r kafka.Records
	r.Append(0, nil, []byte("fits"))
	r.Append(0, nil, []byte(strings.Repeat("x", 5000)))
	r.Append(0, nil, []byte("fits too"))
	type answer struct {
		err    error
		failed []kafka.Failure
	}
	got := make(chan answer, 1)
	if err := p.Produce(t.Context(), "t", &r, func(err error, failed []kafka.Failure) { got <- answer{err, failed} }); err != nil {
		t.Fatal(err)
	}
	a := <-got
	if len(a.failed) != 1 || a.failed[0].Index != 1 || !kafka.HasCode(a.err, kafka.CodeMessageTooLarge) {
		t.Errorf("failed = %v, err = %v; want record 1 too large", a.failed, a.err)
	}
}

func TestCloseAnswersWhatNeverArrived(t *testing.T) {
	p, err := kafka.NewProducer(kafka.Config{Brokers: []string{"127.0.0.1:1"}}, kafka.ProducerOptions{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	var r kafka.Records
	r.Append(0, nil, []byte("v"))
	got := make(chan error, 1)
	if err := p.Produce(t.Context(), "t", &r, func(err error, _ []kafka.Failure) { got <- err }); err != nil {
		t.Fatal(err)
	}
	p.Close()
	select {
	case err := <-got:
		if !kafka.HasCode(err, kafka.CodePurgedQueue, kafka.CodePurgedInFlight) {
			t.Errorf("err = %v, want purged", err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("the batch was forgotten")
	}
}

func TestCommitAndOffsets(t *testing.T) {
	cfg := kafkatest.Start(t, "t")
	p := newProducer(t, cfg, nil)
	var r kafka.Records
	for i := range 10 {
		r.Append(0, nil, []byte{byte('0' + i)})
	}
	produce(t, p, "t", &r)
	c := newConsumer(t, cfg, kafka.ConsumerOptions{GroupID: "g"})
	if err := c.Commit([]kafka.Position{{Topic: "t", Partition: 0, Offset: 7}}); err != nil {
		t.Fatal(err)
	}
	ps, err := c.Committed(t.Context(), []kafka.Position{{Topic: "t", Partition: 0}})
	if err != nil || len(ps) != 1 || ps[0].Offset != 7 {
		t.Errorf("Committed = %v, %v; want 7", ps, err)
	}
	low, high, err := c.Bounds(t.Context(), "t", 0)
	if err != nil || low != 0 || high != 10 {
		t.Errorf("Bounds = %d, %d, %v; want 0, 10", low, high, err)
	}
	ps, err = c.OffsetsForTime(t.Context(), []kafka.Position{{Topic: "t", Partition: 0, Offset: time.Now().Add(-time.Hour).UnixMilli()}})
	if err != nil || ps[0].Offset != 0 {
		t.Errorf("OffsetsForTime an hour ago = %v, %v; want 0", ps, err)
	}
}

func TestUnknownPropertyIsRefused(t *testing.T) {
	_, err := kafka.NewProducer(kafka.Config{Brokers: []string{"127.0.0.1:1"}, Properties: map[string]string{"no.such": "1"}}, kafka.ProducerOptions{})
	if err == nil || !strings.Contains(err.Error(), "no.such") {
		t.Errorf("err = %v, want one that names the property", err)
	}
}

func TestAdmin(t *testing.T) {
	cfg := kafkatest.Start(t)
	a, err := kafka.NewAdmin(cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	for range 2 {
		if err := a.EnsureTopic(t.Context(), "made", 3, map[string]string{"cleanup.policy": "compact"}); err != nil {
			t.Fatal(err)
		}
	}
	info, err := a.Topic(t.Context(), "made")
	if err != nil || len(info.Partitions) != 3 {
		t.Errorf("Topic = %+v, %v; want 3 partitions", info, err)
	}
	if _, err := a.Topic(t.Context(), "absent"); !kafka.HasCode(err, kafka.CodeUnknownTopicOrPartition) {
		t.Errorf("Topic(absent) = %v, want unknown topic", err)
	}
	if err := a.Delete(t.Context(), "made"); err != nil {
		t.Error(err)
	}
}

func BenchmarkProduce(b *testing.B) {
	cfg := kafkatest.Start(b, "t")
	p, err := kafka.NewProducer(cfg, kafka.ProducerOptions{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	defer p.Close()
	value := []byte(strings.Repeat(`{"@timestamp":"2021-08-30T10:22:52.888Z"}`, 22))
	id := []byte("6b23463c-0654-4f8b-83a9-84ec75721311:00f1e2d3c4b5a697:2449931")
	var r kafka.Records
	b.SetBytes(int64(len(value)))
	b.ReportAllocs()
	for n := 0; n < b.N; {
		r.Reset()
		for range min(1000, b.N-n) {
			r.Append(0, nil, value, kafka.Header{Key: "event-id", Value: id})
		}
		n += r.Len()
		if err := p.Produce(b.Context(), "t", &r, func(error, []kafka.Failure) {}); err != nil {
			b.Fatal(err)
		}
	}
	_ = p.Flush(b.Context())
}
