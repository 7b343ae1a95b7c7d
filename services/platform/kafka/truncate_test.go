package kafka_test

import (
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/weirflow/weirflow/services/platform/kafka"
	"github.com/weirflow/weirflow/services/platform/kafka/kafkatest"
)

func put(t *testing.T, cfg kafka.Config, topic string, values ...string) {
	t.Helper()
	p, err := kafka.NewProducer(cfg, kafka.ProducerOptions{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	var r kafka.Records
	for _, v := range values {
		r.Append(0, nil, []byte(v))
	}
	answer := make(chan error, 1)
	_ = p.Produce(t.Context(), topic, &r, func(err error, _ []kafka.Failure) { answer <- err })
	if err := <-answer; err != nil {
		t.Fatal(err)
	}
}

func TestTruncate(t *testing.T) {
	cfg := kafkatest.Start(t, "a")
	a, err := kafka.NewAdmin(cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	put(t, cfg, "a", "1", "2", "3")
	if err := a.Truncate(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	put(t, cfg, "a", "4")
	starts, err := a.StartOffsets(t.Context(), "a")
	if err != nil || starts[0] != 3 {
		t.Errorf("it starts at %v, %v; want 3", starts, err)
	}
	ends, err := a.EndOffsets(t.Context(), "a")
	if err != nil || ends[0] != 4 {
		t.Errorf("it ends at %v, %v; want 4", ends, err)
	}
	if err := a.Truncate(t.Context(), "nope"); !kafka.HasCode(err, kafka.CodeUnknownTopicOrPartition, kafka.CodeUnknownTopic) {
		t.Errorf("a topic that is not there: %v", err)
	}
}

// TestAssignFewer adds and removes topics while others are read.
func TestAssignFewer(t *testing.T) {
	cfg := kafkatest.Start(t, "a", "b")
	put(t, cfg, "a", "a1")
	put(t, cfg, "b", "b1")
	c, err := kafka.NewConsumer(cfg, kafka.ConsumerOptions{Ends: true, Logger: slog.New(slog.DiscardHandler), Properties: map[string]string{"auto.offset.reset": "earliest"}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	read := func(n int, within time.Duration) []string {
		var got []string
		for end := time.Now().Add(within); len(got) < n && time.Now().Before(end); {
			b, err := c.Poll(t.Context(), 50*time.Millisecond)
			if err != nil {
				t.Fatal(err)
			}
			for i := 0; b != nil && i < b.Len(); i++ {
				got = append(got, string(b.Record(i).Value))
			}
			if b != nil {
				b.Release()
			}
		}
		slices.Sort(got)
		return got
	}
	for _, topic := range []string{"a", "b"} {
		if err := c.AssignMore([]kafka.Position{{Topic: topic, Offset: kafka.OffsetBeginning}}); err != nil {
			t.Fatal(err)
		}
	}
	if got := read(2, 10*time.Second); fmt.Sprint(got) != "[a1 b1]" {
		t.Fatalf("read %v", got)
	}
	if err := c.AssignFewer([]kafka.Position{{Topic: "b"}}); err != nil {
		t.Fatal(err)
	}
	if _, ok := c.End("b", 0); ok {
		t.Error("the end of a partition is told that is not read any more")
	}
	put(t, cfg, "b", "b2")
	put(t, cfg, "a", "a2")
	if got := read(2, 500*time.Millisecond); fmt.Sprint(got) != "[a2]" {
		t.Errorf("read %v, want a2 only", got)
	}
}
