package broker_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/weirflow/weirflow/services/standalone/broker"
)

// BenchmarkStart starts a broker on the data of as many records of 300 bytes
// as BENCH_RECORDS says.
func BenchmarkStart(b *testing.B) {
	n, err := strconv.Atoi(os.Getenv("BENCH_RECORDS"))
	if err != nil {
		n = 50_000
	}
	cfg := config(b.TempDir())
	br, err := broker.Start(cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	c, err := kgo.NewClient(kgo.SeedBrokers(br.Addr()), kgo.AllowAutoTopicCreation())
	if err != nil {
		b.Fatal(err)
	}
	for i := range n {
		c.Produce(context.Background(), &kgo.Record{Topic: "a", Value: fmt.Appendf(nil, "%x%0270d", i*2654435761, i)}, func(_ *kgo.Record, err error) {
			if err != nil {
				b.Error(err)
			}
		})
	}
	if err := c.Flush(context.Background()); err != nil {
		b.Fatal(err)
	}
	c.Close()
	br.Close()
	for b.Loop() {
		br, err := broker.Start(cfg, slog.New(slog.DiscardHandler))
		if err != nil {
			b.Fatal(err)
		}
		br.Close()
	}
}
