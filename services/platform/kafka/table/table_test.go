package table_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	jobv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/job/v1"
	"github.com/weirflow/weirflow/services/platform/kafka"
	"github.com/weirflow/weirflow/services/platform/kafka/kafkatest"
	"github.com/weirflow/weirflow/services/platform/kafka/table"
)

func open(t *testing.T, cfg kafka.Config, watch func(string, *jobv1.Job, bool)) *table.Table[*jobv1.Job] {
	t.Helper()
	tb, err := table.New(table.Config{Kafka: cfg, Topic: "jobs", Logger: slog.New(slog.DiscardHandler)}, func() *jobv1.Job { return &jobv1.Job{} })
	if err != nil {
		t.Fatal(err)
	}
	if watch != nil {
		tb.Watch(watch)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- tb.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	select {
	case <-tb.Ready():
	case <-time.After(20 * time.Second):
		t.Fatal("the table never became ready")
	}
	return tb
}

func TestRowsAreSharedAndSurvive(t *testing.T) {
	cfg := kafkatest.Start(t)
	a := open(t, cfg, nil)
	ctx := t.Context()
	for _, name := range []string{"one", "two", "one"} {
		if err := a.Put(ctx, name, &jobv1.Job{Name: name, Sql: "SELECT 1"}); err != nil {
			t.Fatal(err)
		}
	}
	if err := a.Delete(ctx, "two"); err != nil {
		t.Fatal(err)
	}
	if j, ok := a.Get("one"); !ok || j.GetSql() != "SELECT 1" {
		t.Errorf("Get(one) = %v, %t", j, ok)
	}
	if _, ok := a.Get("two"); ok {
		t.Error("a deleted row is still there")
	}
	var mu sync.Mutex
	var events []string
	b := open(t, cfg, func(key string, _ *jobv1.Job, deleted bool) {
		mu.Lock()
		defer mu.Unlock()
		if deleted {
			key = "-" + key
		}
		events = append(events, key)
	})
	if all := b.All(); len(all) != 1 || all["one"].GetName() != "one" {
		t.Errorf("a second reader has %v, want the one row", all)
	}
	mu.Lock()
	defer mu.Unlock()
	if last := events[len(events)-1]; last != "-two" {
		t.Errorf("the watcher saw %v, want the deletion last", events)
	}
}

func TestConcurrentWritesOfOneKeyAllReturn(t *testing.T) {
	a := open(t, kafkatest.Start(t), nil)
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			if err := a.Put(ctx, "k", &jobv1.Job{Name: "k", Epoch: int64(i)}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

// Sync returns only when everything that was in the topic before has been seen.
func TestSyncSeesWhatOthersWrote(t *testing.T) {
	cfg := kafkatest.Start(t)
	writer, reader := open(t, cfg, nil), open(t, cfg, nil)
	admin, err := kafka.NewAdmin(cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close()
	for i := range 20 {
		name := fmt.Sprint("job-", i)
		if err := writer.Put(t.Context(), name, &jobv1.Job{Name: name}); err != nil {
			t.Fatal(err)
		}
		if err := reader.Sync(t.Context(), admin); err != nil {
			t.Fatal(err)
		}
		if _, ok := reader.Get(name); !ok {
			t.Fatalf("%s is missing after Sync", name)
		}
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := reader.Sync(ended, admin); err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("sync of an ended context = %v", err)
	}
}

func TestRuleRefusesRows(t *testing.T) {
	cfg := kafkatest.Start(t)
	tb, err := table.New(table.Config{Kafka: cfg, Topic: "jobs", Partitions: 3, Logger: slog.New(slog.DiscardHandler)}, func() *jobv1.Job { return &jobv1.Job{} })
	if err != nil {
		t.Fatal(err)
	}
	tb.Accept(func(_ string, old *jobv1.Job, there bool, row *jobv1.Job) bool {
		return !there || row.GetTerm() >= old.GetTerm()
	})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- tb.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	for _, w := range []struct {
		term int64
		want error
	}{{5, nil}, {4, table.ErrRefused}, {5, nil}, {7, nil}, {6, table.ErrRefused}} {
		if err := tb.Put(t.Context(), "one", &jobv1.Job{Name: "one", Term: w.term}); !errors.Is(err, w.want) || (err == nil) != (w.want == nil) {
			t.Errorf("Put of term %d = %v, want %v", w.term, err, w.want)
		}
	}
	if j, _ := tb.Get("one"); j.GetTerm() != 7 {
		t.Errorf("the row has term %d", j.GetTerm())
	}
	if err := tb.Delete(t.Context(), "one"); err != nil {
		t.Errorf("Delete = %v", err)
	}
	if err := tb.Put(t.Context(), "one", &jobv1.Job{Name: "one", Term: 1}); err != nil {
		t.Errorf("Put after a delete = %v", err)
	}
}
