package job

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/otel/metric/noop"

	jobv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/job/v1"

	"github.com/weirflow/weirflow/services/platform/kafka/kafkatest"
	"github.com/weirflow/weirflow/services/platform/ledger"
)

// lines is what was logged.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) has(text string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Contains(l.b.String(), text)
}

// sharing returns a manager that knows of a job that shall run, and that has been
// given the job's share but not taken it yet. The job fails when it is run.
func sharing(t *testing.T, session time.Duration) (*Manager, []int32, *lines) {
	t.Helper()
	log := &lines{}
	cfg := kafkatest.Start(t)
	book, err := ledger.NewBook("transform", "test", noop.NewMeterProvider())
	if err != nil {
		t.Fatal(err)
	}
	m, err := New(Config{Kafka: cfg, Instance: "test", RestartMin: time.Second, RestartMax: time.Second}, Deps{Logger: slog.New(slog.NewTextHandler(log, nil)), Book: book, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = m.jobs.Run(ctx) })
	running.Go(func() { _ = m.sinks.Run(ctx) })
	running.Go(func() { _ = m.statuses.Run(ctx) })
	running.Go(func() { _ = m.versions.Run(ctx) })
	t.Cleanup(func() {
		m.stopAll(false)
		cancel()
		running.Wait()
		m.admin.Close()
	})
	<-m.jobs.Ready()
	m.ctx = ctx
	m.Share(Sharing{Session: session})
	slots := []int32{Slot("a")}
	m.shares.wanted[slots[0]] = true
	if err := m.jobs.Put(t.Context(), "a", &jobv1.Job{Name: "a", Sql: "no statement", Running: true}); err != nil {
		t.Fatal(err)
	}
	return m, slots, log
}

func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// TestTakingAShareWaitsForRequests has a job stopped while its share is being taken.
func TestTakingAShareWaitsForRequests(t *testing.T) {
	m, slots, log := sharing(t, time.Minute)
	m.change.Lock() // as a request does
	taken := make(chan struct{})
	go func() { defer close(taken); m.shares.take(slots) }()
	until(t, "the share", func() bool { return m.holds("a") })
	m.halt("a")
	if _, err := m.update(t.Context(), "a", func(j *jobv1.Job) { j.Running = false }); err != nil {
		t.Error(err)
	}
	m.change.Unlock()
	<-taken
	if j, _ := m.jobs.Get("a"); j.GetRunning() || j.GetStatus() != nil || log.has("job failed") {
		t.Errorf("the stopped job was run: %v", j)
	}
}

// TestShareIsTakenAfterAPause has the process stand still while it takes a share,
// for too short a time to lose it.
func TestShareIsTakenAfterAPause(t *testing.T) {
	m, slots, log := sharing(t, time.Millisecond) // it was last seen to run long ago
	if m.shares.member.Awake() {
		t.Fatal("the member is awake")
	}
	m.shares.take(slots)
	until(t, "the job to be run", func() bool { return log.has("job failed") })
}

// TestRunEndsWithItsRecord has another instance take the last step of a deletion when
// the job was taken over already.
func TestRunEndsWithItsRecord(t *testing.T) {
	m, _, _ := sharing(t, time.Minute)
	j, _ := m.jobs.Get("a")
	r := newRun(m, j)
	close(r.done)
	m.mu.Lock()
	m.runs["a"] = r
	m.mu.Unlock()
	if err := m.jobs.Delete(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	until(t, "the run to end", func() bool { return r.ctx.Err() != nil })
}
