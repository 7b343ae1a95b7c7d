package kafka_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/weirflow/weirflow/services/platform/config"
	"github.com/weirflow/weirflow/services/platform/kafka"
	"github.com/weirflow/weirflow/services/platform/kafka/kafkatest"
)

// Callers that are in Produce while the producer is closed get an error, and
// every batch is called back once.
func TestCloseWhileProducing(t *testing.T) {
	for _, c := range []struct {
		name  string
		cfg   kafka.Config
		props map[string]string
	}{
		{"with a cluster", kafkatest.Start(t, "t"), nil},
		// Without one, callers wait for room in the queue.
		{"without a cluster", kafka.Config{Brokers: []string{"127.0.0.1:1"}}, map[string]string{"queue.buffering.max.messages": "10"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, err := kafka.NewProducer(c.cfg, kafka.ProducerOptions{Logger: slog.New(slog.DiscardHandler), Properties: c.props})
			if err != nil {
				t.Fatal(err)
			}
			var begun, ended atomic.Int64
			var wg sync.WaitGroup
			for range 4 {
				wg.Go(func() {
					var r kafka.Records
					for range 5 {
						r.Append(0, nil, []byte("x"))
					}
					for range 10_000 {
						begun.Add(1)
						if err := p.Produce(context.Background(), "t", &r, func(error, []kafka.Failure) { ended.Add(1) }); err != nil {
							if !errors.Is(err, kafka.ErrClosed) {
								t.Error(err)
							}
							return
						}
						_ = p.Fatal()
					}
				})
			}
			time.Sleep(50 * time.Millisecond)
			p.Close()
			wg.Wait()
			if begun.Load() != ended.Load() {
				t.Errorf("%d batches were begun, %d were called back", begun.Load(), ended.Load())
			}
			if err := p.Fatal(); !errors.Is(err, kafka.ErrClosed) {
				t.Errorf("Fatal of a closed producer = %v", err)
			}
			var r kafka.Records
			r.Append(0, nil, []byte("x"))
			if err := p.Produce(context.Background(), "t", &r, func(error, []kafka.Failure) {}); !errors.Is(err, kafka.ErrClosed) {
				t.Errorf("Produce of a closed producer = %v", err)
			}
		})
	}
}

// Batches to one partition are called back in the order in which they were produced.
func TestCallbacksKeepTheOrder(t *testing.T) {
	p := newProducer(t, kafkatest.Start(t, "t"), nil)
	const batches = 500
	got := make(chan int, batches)
	var r kafka.Records
	r.Append(0, nil, []byte("x"))
	for i := range batches {
		if err := p.Produce(t.Context(), "t", &r, func(error, []kafka.Failure) { got <- i }); err != nil {
			t.Fatal(err)
		}
	}
	for want := range batches {
		if i := <-got; i != want {
			t.Fatalf("batch %d was called back as number %d", i, want)
		}
	}
}

func TestEmptyIsNotNull(t *testing.T) {
	cfg := kafkatest.Start(t, "t")
	var r kafka.Records
	r.Append(0, nil, []byte{})
	done := make(chan error, 1)
	if err := newProducer(t, cfg, nil).Produce(t.Context(), "t", &r, func(err error, _ []kafka.Failure) { done <- err }); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	c := newConsumer(t, cfg, kafka.ConsumerOptions{})
	if err := c.Assign([]kafka.Position{{Topic: "t", Offset: kafka.OffsetBeginning}}); err != nil {
		t.Fatal(err)
	}
	b, err := c.Poll(t.Context(), 10*time.Second)
	if err != nil || b == nil {
		t.Fatal(b, err)
	}
	if v := b.Record(0).Value; v == nil || len(v) != 0 {
		t.Errorf("value = %v, want empty and not null", v)
	}
	b.Release()
	b.Release() // does nothing
	if x, err := c.Poll(t.Context(), 0); x != nil || err != nil {
		t.Errorf("poll = %v, %v", x, err)
	}
}

// A consumer that is closed while its caller still has records does not hang.
func TestCloseWithRecordsLent(t *testing.T) {
	cfg := kafkatest.Start(t, "t")
	p := newProducer(t, cfg, nil)
	var r kafka.Records
	for i := range 100 {
		r.Append(0, nil, fmt.Appendf(nil, "%d", i))
	}
	done := make(chan error, 1)
	_ = p.Produce(t.Context(), "t", &r, func(err error, _ []kafka.Failure) { done <- err })
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	c, err := kafka.NewConsumer(cfg, kafka.ConsumerOptions{Logger: slog.New(slog.DiscardHandler), Ends: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Assign([]kafka.Position{{Topic: "t", Offset: kafka.OffsetBeginning}}); err != nil {
		t.Fatal(err)
	}
	if _, ok := c.End("t", 0); ok {
		t.Error("the end was seen before anything was read")
	}
	deadline := time.Now().Add(10 * time.Second)
	for at, ok := int64(0), false; !ok || at != 100; at, ok = c.End("t", 0) {
		if _, err := c.Poll(t.Context(), time.Second); err != nil || time.Now().After(deadline) {
			t.Fatalf("the end was not seen: %v", err)
		}
	}
	closed := make(chan struct{})
	go func() { c.Close(); close(closed) }()
	select {
	case <-closed:
	case <-time.After(10 * time.Second):
		t.Fatal("close hangs")
	}
}

func TestSecretsAmongPropertiesAreNotShown(t *testing.T) {
	cfg := kafka.Config{Brokers: []string{"b:1"}, Password: "hunter2", Properties: map[string]string{
		"sasl.password": "hunter2", "ssl.key.password": "hunter2", "ssl.key.pem": "hunter2", "sasl.oauthbearer.client.secret": "hunter2", "client.id": "shown",
	}}
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "properties", cfg.Properties)
	printed, err := config.Render(cfg)
	if err != nil {
		t.Fatal(err)
	}
	diff, err := config.Diff(cfg, kafka.Config{Properties: map[string]string{"a": "b"}})
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"%v": fmt.Sprintf("%v", cfg), "%+v": fmt.Sprintf("%+v", cfg), "%#v": fmt.Sprintf("%#v", cfg),
		"slog": log.String(), "render": string(printed), "diff": string(diff),
	} {
		if strings.Contains(text, "hunter2") || !strings.Contains(text, "shown") {
			t.Errorf("%s shows %s", name, text)
		}
	}
}
