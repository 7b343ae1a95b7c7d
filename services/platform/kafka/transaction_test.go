package kafka_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/weirflow/weirflow/services/platform/kafka"
	"github.com/weirflow/weirflow/services/platform/kafka/kafkatest"
)

func transactional(t *testing.T, cfg kafka.Config, id string) *kafka.Producer {
	t.Helper()
	p := newProducer(t, cfg, map[string]string{"transactional.id": id, "message.timeout.ms": "10000", "transaction.timeout.ms": "10000"})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := p.InitTransactions(ctx); err != nil {
		t.Fatal(err)
	}
	return p
}

func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func write(t *testing.T, p *kafka.Producer, topic, prefix string, n int) {
	t.Helper()
	var r kafka.Records
	for i := range n {
		r.Append(0, nil, fmt.Appendf(nil, "%s%d", prefix, i))
	}
	if err := p.Produce(within(t), topic, &r, func(error, []kafka.Failure) {}); err != nil {
		t.Fatal(err)
	}
}

func committed(t *testing.T, cfg kafka.Config, topic string, n int) []string {
	t.Helper()
	c := newConsumer(t, cfg, kafka.ConsumerOptions{Properties: map[string]string{"isolation.level": "read_committed"}})
	if err := c.Assign([]kafka.Position{{Topic: topic, Offset: kafka.OffsetBeginning}}); err != nil {
		t.Fatal(err)
	}
	return readAll(t, c, n, func(b *kafka.Batch, i int) string { return string(b.Record(i).Value) })
}

func TestTransactionsAreSeenWhole(t *testing.T) {
	cfg := kafkatest.Start(t, "a", "b")
	p := transactional(t, cfg, "id")
	for _, step := range []struct {
		prefix string
		end    func(context.Context) error
	}{{"one-", p.Commit}, {"gone-", p.Abort}, {"two-", p.Commit}} {
		if err := p.Begin(); err != nil {
			t.Fatal(err)
		}
		write(t, p, "a", step.prefix, 2)
		write(t, p, "b", step.prefix, 1)
		if err := step.end(within(t)); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := committed(t, cfg, "a", 4), []string{"one-0", "one-1", "two-0", "two-1"}; !slices.Equal(got, want) {
		t.Errorf("topic a holds %v, want %v", got, want)
	}
	if got, want := committed(t, cfg, "b", 2), []string{"one-0", "two-0"}; !slices.Equal(got, want) {
		t.Errorf("topic b holds %v, want %v", got, want)
	}
}

func TestANewProducerFencesTheOld(t *testing.T) {
	cfg := kafkatest.Start(t, "a")
	old := transactional(t, cfg, "id")
	if err := old.Begin(); err != nil {
		t.Fatal(err)
	}
	write(t, old, "a", "old-", 3)
	if err := old.Flush(within(t)); err != nil {
		t.Fatal(err)
	}
	fresh := transactional(t, cfg, "id")
	if err := old.Commit(within(t)); err == nil {
		t.Fatal("the old producer still commits")
	} else if !kafka.HasCode(err, kafka.CodeFenced, kafka.CodeFatal, kafka.CodeProducerFenced, kafka.CodeInvalidProducerEpoch) {
		t.Errorf("error %v, want that it is fenced", err)
	}
	if old.Fatal() == nil {
		t.Error("the old producer does not know that it must be replaced")
	}
	if err := fresh.Begin(); err != nil {
		t.Fatal(err)
	}
	write(t, fresh, "a", "new-", 1)
	if err := fresh.Commit(within(t)); err != nil {
		t.Fatal(err)
	}
	if got := committed(t, cfg, "a", 1); !slices.Equal(got, []string{"new-0"}) {
		t.Errorf("topic a holds %v", got)
	}
}

func TestTransactionsEndWithTheContext(t *testing.T) {
	p := newProducer(t, kafka.Config{Brokers: []string{"127.0.0.1:1"}}, map[string]string{"transactional.id": "id", "message.timeout.ms": "10000", "transaction.timeout.ms": "10000"})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := p.InitTransactions(ctx); err == nil {
		t.Error("transactions begin without a cluster")
	}
	if err := p.Begin(); err == nil {
		t.Error("a transaction begins that was not prepared")
	}
}

func TestANewGroupHasCommittedNothing(t *testing.T) {
	cfg := kafkatest.Start(t, "a")
	c := newConsumer(t, cfg, kafka.ConsumerOptions{GroupID: "nobody"})
	ps, err := c.Committed(within(t), []kafka.Position{{Topic: "a"}})
	if err != nil || len(ps) != 1 || ps[0].Topic != "a" || ps[0].Offset >= 0 {
		t.Errorf("positions %v, error %v", ps, err)
	}
}
