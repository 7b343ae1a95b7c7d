package broker_test

import (
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"go.uber.org/goleak"

	"github.com/weirflow/weirflow/services/standalone/broker"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// running is a broker and how to stop it.
type running struct {
	*broker.Broker
	stop func()
}

func config(dir string) broker.Config {
	return broker.Config{Listen: "127.0.0.1:0", DataDir: dir, Partitions: 1, RetentionBytes: 1 << 30, RetentionTime: time.Hour}
}

func start(t *testing.T, cfg broker.Config) running {
	t.Helper()
	b, err := broker.Start(cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- b.Run(ctx) }()
	stopped := false
	r := running{b, func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}}
	t.Cleanup(r.stop)
	return r
}

func client(t *testing.T, addr string, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	c, err := kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(addr), kgo.AllowAutoTopicCreation()}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func produce(t *testing.T, addr, topic string, from, to, size int) {
	t.Helper()
	c := client(t, addr, kgo.ProducerBatchCompression(kgo.NoCompression()), kgo.ProducerBatchMaxBytes(4<<20))
	defer c.Close()
	var recs []*kgo.Record
	for i := from; i < to; i++ {
		recs = append(recs, &kgo.Record{Topic: topic, Key: fmt.Appendf(nil, "k%d", i%10), Value: fmt.Appendf(nil, "%0*d", size, i)})
	}
	if err := c.ProduceSync(t.Context(), recs...).FirstErr(); err != nil {
		t.Fatal(err)
	}
}

// consume reads n records as a group, or fewer when no more come.
func consume(t *testing.T, addr, topic, group string, n int, within time.Duration) []string {
	t.Helper()
	c := client(t, addr, kgo.ConsumeTopics(topic), kgo.ConsumerGroup(group), kgo.DisableAutoCommit(), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	defer c.Close()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	var out []string
	for len(out) < n && ctx.Err() == nil {
		f := c.PollFetches(ctx)
		f.EachRecord(func(r *kgo.Record) { out = append(out, strings.TrimLeft(string(r.Value), "0")) })
	}
	if err := c.CommitUncommittedOffsets(t.Context()); err != nil {
		t.Error(err)
	}
	return out
}

func TestRecordsAndGroupsSurviveARestart(t *testing.T) {
	dir := t.TempDir()
	b := start(t, config(dir))
	produce(t, b.Addr(), "a", 1, 101, 3)
	if got := consume(t, b.Addr(), "a", "g", 100, 10*time.Second); len(got) != 100 {
		t.Fatalf("%d records before", len(got))
	}
	b.stop()
	b = start(t, config(dir))
	produce(t, b.Addr(), "a", 101, 111, 3)
	if got := consume(t, b.Addr(), "a", "g", 10, 10*time.Second); len(got) != 10 || got[0] != "101" {
		t.Errorf("the group goes on with %v", got)
	}
	if got := consume(t, b.Addr(), "a", "other", 110, 10*time.Second); len(got) != 110 || got[0] != "1" || got[109] != "110" {
		t.Errorf("a new group reads %d records", len(got))
	}
}

func diskBytes(t *testing.T, dir string) (n int64) {
	t.Helper()
	err := filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			n += info.Size()
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestRetentionShrinksTheData(t *testing.T) {
	dir := t.TempDir()
	cfg := config(dir)
	cfg.RetentionBytes = 4 << 20
	b := start(t, cfg)
	const each = 900_000
	for i := range 48 { // segments are 16 MiB
		produce(t, b.Addr(), "a", i+1, i+2, each)
	}
	before := diskBytes(t, dir)
	b.Maintain()
	if after := diskBytes(t, dir); after > before/2 || after < 4<<20 {
		t.Errorf("%d bytes before, %d after", before, after)
	}
	got := consume(t, b.Addr(), "a", "g", 48, 3*time.Second)
	if len(got) < 4 || len(got) > 24 || got[len(got)-1] != "48" {
		t.Errorf("%d records are left", len(got))
	}
}

func TestCompactionKeepsTheLastOfEachKey(t *testing.T) {
	dir := t.TempDir()
	b := start(t, config(dir))
	c := client(t, b.Addr())
	defer c.Close()
	req := kmsg.NewPtrCreateTopicsRequest()
	topic := kmsg.NewCreateTopicsRequestTopic()
	topic.Topic, topic.NumPartitions, topic.ReplicationFactor = "c", 1, 1
	for k, v := range map[string]string{"cleanup.policy": "compact", "segment.bytes": "1048576", "min.cleanable.dirty.ratio": "0"} {
		conf := kmsg.NewCreateTopicsRequestTopicConfig()
		conf.Name, conf.Value = k, &v
		topic.Configs = append(topic.Configs, conf)
	}
	req.Topics = append(req.Topics, topic)
	res, err := req.RequestWith(t.Context(), c)
	if err != nil || res.Topics[0].ErrorCode != 0 {
		t.Fatal(err, res)
	}
	for i := range 5 {
		produce(t, b.Addr(), "c", 100*i+1, 100*i+101, 10_000)
	}
	before := diskBytes(t, dir)
	b.Maintain()
	if after := diskBytes(t, dir); after > before/2 {
		t.Errorf("%d bytes before, %d after", before, after)
	}
}

func TestTakenPort(t *testing.T) {
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	cfg := config(t.TempDir())
	cfg.Listen = l.Addr().String()
	if _, err := broker.Start(cfg, slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), cfg.Listen) {
		t.Errorf("%v", err)
	}
}

func TestBadAddresses(t *testing.T) {
	for _, addr := range [...]string{"", "9092", "127.0.0.1:kafka"} {
		cfg := config(t.TempDir())
		cfg.Listen = addr
		if b, err := broker.Start(cfg, slog.New(slog.DiscardHandler)); err == nil {
			b.Close()
			t.Errorf("%q was taken", addr)
		}
	}
}

// TestDamagedDataDirectory: a clear error that names the directory, not a
// broker that starts without what it had.
func TestDamagedDataDirectory(t *testing.T) {
	dir := t.TempDir()
	b := start(t, config(dir))
	produce(t, b.Addr(), "a", 1, 11, 3)
	b.stop()
	harmed := 0
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(p, "topics.json") {
			harmed++
			return os.WriteFile(p, []byte(`{"cut`), 0o600)
		}
		return err
	})
	if err != nil || harmed == 0 {
		t.Fatal(harmed, err)
	}
	if b, err := broker.Start(config(dir), slog.New(slog.DiscardHandler)); err == nil {
		b.Close()
		t.Error("it started with what is damaged")
	} else if !strings.Contains(err.Error(), dir) {
		t.Errorf("the error does not name the directory: %v", err)
	}
}
