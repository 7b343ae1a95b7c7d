package transform_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"time"

	jobv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/job/v1"

	"github.com/weirflow/weirflow/services/platform/kafka"
	"github.com/weirflow/weirflow/services/platform/kafka/kafkatest"
)

// committed returns the values of a topic that readers of committed records see.
func committed(t *testing.T, cfg kafka.Config, topic string) []string {
	t.Helper()
	c, err := kafka.NewConsumer(cfg, kafka.ConsumerOptions{Logger: slog.New(slog.DiscardHandler), Properties: map[string]string{"isolation.level": "read_committed"}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.Assign([]kafka.Position{{Topic: topic, Offset: kafka.OffsetBeginning}}); err != nil {
		t.Fatal(err)
	}
	var out []string
	for quiet := 0; quiet < 15; quiet++ {
		b, err := c.Poll(t.Context(), 100*time.Millisecond)
		if err != nil {
			t.Fatal(err)
		}
		if b == nil {
			continue
		}
		quiet = 0
		for i := range b.Len() {
			out = append(out, string(b.Record(i).Value))
		}
		b.Release()
	}
	return out
}

// TestExactlyOnceSink runs a job whose rows become visible with its checkpoints. A
// producer of the same transactional id that was cut off must leave no trace, and
// tables with other prefixes are in the same transaction.
func TestExactlyOnceSink(t *testing.T) {
	cfg := kafkatest.Start(t, "in", "a", "b")
	produce(t, cfg, "in", 0, 3)
	lost, err := kafka.NewProducer(cfg, kafka.ProducerOptions{Logger: slog.New(slog.DiscardHandler), Properties: map[string]string{
		"transactional.id": "p-exact", "transaction.timeout.ms": "60000", "message.timeout.ms": "60000"}})
	if err != nil {
		t.Fatal(err)
	}
	defer lost.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := lost.InitTransactions(ctx); err != nil {
		t.Fatal(err)
	}
	if err := lost.Begin(); err != nil {
		t.Fatal(err)
	}
	var r kafka.Records
	r.Append(0, nil, []byte("never"))
	if err := lost.Produce(ctx, "a", &r, func(error, []kafka.Failure) {}); err != nil {
		t.Fatal(err)
	}
	if err := lost.Flush(ctx); err != nil {
		t.Fatal(err)
	}
	client, book, _ := service(t, cfg)
	table := func(name, prefix string) string {
		return fmt.Sprintf("CREATE TABLE t%s (m STRING) WITH ('connector'='kafka','topic'='%s','properties.bootstrap.servers'='%s','format'='raw','sink.delivery-guarantee'='exactly-once','sink.transactional-id-prefix'='%s');\n", name, name, cfg.Brokers[0], prefix)
	}
	create(t, client, "exact", source(cfg, "")+table("a", "p")+table("b", "other")+
		"EXECUTE STATEMENT SET BEGIN INSERT INTO ta SELECT CAST(log.`offset` AS STRING) FROM src; INSERT INTO tb SELECT message FROM src; END;")
	defer func() {
		j, err := client.GetJob(t.Context(), &jobv1.GetJobRequest{Name: "exact"})
		t.Log(j.GetJob().GetStatus().GetState(), j.GetJob().GetStatus().GetError(), err, account(book, "exact"), committed(t, cfg, "a"))
	}()
	eventually(t, "the rows are committed", func() bool { return len(committed(t, cfg, "a")) >= 3 && len(committed(t, cfg, "b")) >= 3 })
	produce(t, cfg, "in", 3, 5)
	eventually(t, "more rows are committed", func() bool { return len(committed(t, cfg, "a")) >= 5 && len(committed(t, cfg, "b")) >= 5 })
	if got := committed(t, cfg, "a"); len(got) != 5 || slices.Contains(got, "never") {
		t.Errorf("topic a holds %v", got)
	}
	balanced(t, book, "exact")
}

// An instance that is cut off between the record of a checkpoint and the end of its
// transaction holds back what comes behind it in the topic of state: who goes on
// must end the transaction before it can read.
func TestOpenTransactionInTheStateHoldsNobodyUp(t *testing.T) {
	cfg := kafkatest.Start(t, "in", "out")
	produce(t, cfg, "in", 0, 3)
	client, _, stop := service(t, cfg)
	create(t, client, "exact", fmt.Sprintf("CREATE TABLE src (message STRING) WITH ('connector'='kafka','topic'='in','scan.startup.mode'='earliest-offset','properties.bootstrap.servers'='%s','format'='json');\n"+
		"CREATE TABLE o (message STRING) WITH ('connector'='kafka','topic'='out','properties.bootstrap.servers'='%s','format'='json','sink.delivery-guarantee'='exactly-once','sink.transactional-id-prefix'='p');\n"+
		"INSERT INTO o SELECT message FROM src;", cfg.Brokers[0], cfg.Brokers[0]))
	eventually(t, "the rows", func() bool { return len(committed(t, cfg, "out")) == 3 })
	stop()
	cut, err := kafka.NewProducer(cfg, kafka.ProducerOptions{Logger: slog.New(slog.DiscardHandler), Properties: map[string]string{
		"transactional.id": "p-exact", "transaction.timeout.ms": "600000", "message.timeout.ms": "600000"}})
	if err != nil {
		t.Fatal(err)
	}
	defer cut.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := errors.Join(cut.InitTransactions(ctx), cut.Begin()); err != nil {
		t.Fatal(err)
	}
	var r kafka.Records
	r.Append(0, []byte("checkpoint/1"), []byte{})
	if err := errors.Join(cut.Produce(ctx, "weirflow.state.exact", &r, func(error, []kafka.Failure) {}), cut.Flush(ctx)); err != nil {
		t.Fatal(err)
	}
	produce(t, cfg, "in", 3, 5)
	service(t, cfg)
	eventually(t, "the rows that came later", func() bool { return len(committed(t, cfg, "out")) == 5 })
}
