package transform_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"go.opentelemetry.io/otel/metric/noop"

	jobv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/job/v1"
	ledgerv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/ledger/v1"
	statusv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/status/v1"

	"github.com/weirflow/weirflow/services/platform/kafka"
	"github.com/weirflow/weirflow/services/platform/kafka/group"
	"github.com/weirflow/weirflow/services/platform/kafka/kafkatest"
	"github.com/weirflow/weirflow/services/platform/kafka/table"
	"github.com/weirflow/weirflow/services/platform/ledger"
	board "github.com/weirflow/weirflow/services/platform/status"

	"github.com/weirflow/weirflow/services/transform"
	"github.com/weirflow/weirflow/services/transform/internal/job"
)

// instance is one of several services that share the jobs.
type instance struct {
	jobv1.JobServiceClient
	name string
	conn *grpc.ClientConn
	stop func() error
	done chan error
}

func share(t *testing.T, cfg kafka.Config, name string) *instance {
	t.Helper()
	book, err := ledger.NewBook("transform", name, noop.NewMeterProvider())
	if err != nil {
		t.Fatal(err)
	}
	c := transform.DefaultConfig()
	c.Kafka, c.SessionTimeout = cfg, 6*time.Second
	c.CheckpointInterval = 50 * time.Millisecond
	c.RestartMin, c.RestartMax = 50*time.Millisecond, time.Second
	insecurely := grpc.WithTransportCredentials(insecure.NewCredentials())
	s, err := transform.New(c, transform.Deps{Logger: slog.New(slog.NewTextHandler(output(t), nil)).With("instance", name), Meters: noop.NewMeterProvider(),
		Board: board.New("transform", name), Book: book, Instance: name,
		Dial: func(a string) (*grpc.ClientConn, error) { return grpc.NewClient(a, insecurely) }})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g := grpc.NewServer()
	s.Register(g)
	s.At(l.Addr().String())
	go func() { _ = g.Serve(l) }()
	conn, err := grpc.NewClient(l.Addr().String(), insecurely)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	i := &instance{JobServiceClient: jobv1.NewJobServiceClient(conn), name: name, conn: conn, done: make(chan error, 1)}
	go func() { i.done <- s.Run(ctx) }()
	i.stop = sync.OnceValue(func() error {
		cancel()
		err := <-i.done
		g.Stop()
		_ = conn.Close()
		return err
	})
	t.Cleanup(func() { _ = i.stop() })
	return i
}

func output(t *testing.T) io.Writer { return t.Output() }

// runsOn waits until all jobs run, and returns which instance runs each.
func runsOn(t *testing.T, ask *instance, names ...string) map[string]string {
	t.Helper()
	var on map[string]string
	eventually(t, "all jobs to run", func() bool {
		on = make(map[string]string)
		res, err := ask.ListJobs(t.Context(), &jobv1.ListJobsRequest{})
		if err != nil {
			return false
		}
		for _, j := range res.GetJobs() {
			if j.GetStatus().GetState() == jobv1.JobState_JOB_STATE_RUNNING && len(j.GetStatus().GetOperators()) > 0 {
				on[j.GetName()] = j.GetStatus().GetInstance()
			}
		}
		return len(on) == len(names)
	})
	return on
}

func TestInstancesShareJobsAndAnswerForAll(t *testing.T) {
	cfg := kafkatest.Start(t, "in")
	one := share(t, cfg, "one")
	names := []string{"a", "b", "c", "d", "f"}
	produce(t, cfg, "in", 0, 25)
	for _, n := range names {
		create(t, one, n, countingJob(cfg, "in", "out-"+n))
	}
	for n, on := range runsOn(t, one, names...) {
		if on != "one" {
			t.Errorf("%s runs on %s", n, on)
		}
	}
	two := share(t, cfg, "two")
	var on map[string]string
	eventually(t, "both to have jobs", func() bool {
		on = runsOn(t, two, names...)
		n := 0
		for _, x := range on {
			if x == "two" {
				n++
			}
		}
		return n > 0 && n < len(names)
	})
	t.Log("jobs run on", on)
	produce(t, cfg, "in", 25, 35)
	for _, n := range names {
		writes(t, cfg, "out-"+n, windows(0, 3)) // those that moved went on in the third window
	}
	same(t, one, two, names)
	for _, n := range names[:2] { // through the wrong one
		ask := one
		if on[n] == "one" {
			ask = two
		}
		requests(t, ask, n)
	}

	// Of one that stays away the other takes the jobs, in the middle of the fourth window.
	if err := one.stop(); err != nil {
		t.Fatal(err)
	}
	got, err := two.GetJob(t.Context(), &jobv1.GetJobRequest{Name: owned(on, "one", names[2:])})
	if st := got.GetJob().GetStatus(); err != nil || st.GetState() != jobv1.JobState_JOB_STATE_RESTARTING || st.GetError() == "" {
		t.Errorf("a job of an instance that is away is %v, %v", st, err)
	}
	began := time.Now()
	eventually(t, "the other to have all", func() bool {
		for _, x := range runsOn(t, two, names...) {
			if x != "two" {
				return false
			}
		}
		return true
	})
	t.Logf("taken over %s after the stop", time.Since(began))
	produce(t, cfg, "in", 35, 45)
	for _, n := range names {
		writes(t, cfg, "out-"+n, windows(0, 4))
	}
}

// owned returns one of the names that an instance has.
func owned(on map[string]string, instance string, names []string) string {
	for _, n := range names {
		if on[n] == instance {
			return n
		}
	}
	return ""
}

// same checks that instances answer alike.
func same(t *testing.T, one, two *instance, names []string) {
	t.Helper()
	for _, n := range names {
		var said []string
		for _, x := range []*instance{one, two} {
			res, err := x.GetJob(t.Context(), &jobv1.GetJobRequest{Name: n})
			if err != nil {
				t.Fatal(err)
			}
			st := res.GetJob().GetStatus()
			said = append(said, fmt.Sprint(st.GetState(), st.GetInstance(), len(st.GetSources()), len(st.GetOperators())))
		}
		if said[0] != said[1] {
			t.Errorf("%s: one says %s, two says %s", n, said[0], said[1])
		}
	}
	for _, x := range []*instance{one, two} {
		l, err := ledgerv1.NewLedgerServiceClient(x.conn).GetLedger(t.Context(), &ledgerv1.GetLedgerRequest{})
		if err != nil {
			t.Fatal(err)
		}
		var stages []string
		for _, s := range l.GetStages() {
			stages = append(stages, s.GetName())
		}
		slices.Sort(stages)
		if !slices.Equal(stages, names) || len(l.GetUnreachable()) > 0 {
			t.Errorf("the ledger of %s has %v, %v", x.name, stages, l.GetUnreachable())
		}
		st, err := statusv1.NewStatusServiceClient(x.conn).GetStatus(t.Context(), &statusv1.GetStatusRequest{})
		if err != nil || len(st.GetServices()) != 2 {
			t.Errorf("%s tells the status of %d instances, %v", x.name, len(st.GetServices()), err)
		}
	}
}

// requests sends all requests about a job to an instance that does not have it.
func requests(t *testing.T, ask *instance, name string) {
	t.Helper()
	ctx := t.Context()
	if _, err := ask.CreateSavepoint(ctx, &jobv1.CreateSavepointRequest{Job: name, Name: "first"}); err != nil {
		t.Fatalf("savepoint of %s: %v", name, err)
	}
	stopped, err := ask.StopJob(ctx, &jobv1.StopJobRequest{Name: name, Savepoint: "second"})
	if err != nil || stopped.GetJob().GetStatus().GetState() != jobv1.JobState_JOB_STATE_SUSPENDED || stopped.GetSavepoint().GetName() != "second" {
		t.Fatalf("stop %s: %v, %v", name, stopped, err)
	}
	if got, err := ask.GetJob(ctx, &jobv1.GetJobRequest{Name: name}); err != nil || got.GetJob().GetRunning() {
		t.Errorf("a stopped job is %v, %v", got, err)
	}
	if l, err := ask.ListSavepoints(ctx, &jobv1.ListSavepointsRequest{Job: name}); err != nil || len(l.GetSavepoints()) != 2 {
		t.Errorf("savepoints of %s are %v, %v", name, l, err)
	}
	if _, err := ask.StartJob(ctx, &jobv1.StartJobRequest{Name: name, Savepoint: "second"}); err != nil {
		t.Fatalf("start %s: %v", name, err)
	}
	if _, err := ask.CreateJob(ctx, &jobv1.CreateJobRequest{Name: name, Sql: "CREATE TABLE a (x INT) WITH ('connector'='datagen'); CREATE TABLE b (x INT) WITH ('connector'='blackhole'); INSERT INTO b SELECT x FROM a"}); status.Code(err) != codes.AlreadyExists {
		t.Errorf("a second job of the name: %v", err)
	}
	if _, err := ask.DeleteJob(ctx, &jobv1.DeleteJobRequest{Name: "no-" + name}); status.Code(err) != codes.NotFound {
		t.Errorf("delete of no job: %v", err)
	}
	eventually(t, "the job to run again", func() bool {
		got, err := ask.GetJob(ctx, &jobv1.GetJobRequest{Name: name})
		return err == nil && got.GetJob().GetStatus().GetState() == jobv1.JobState_JOB_STATE_RUNNING
	})
}

func TestSecondInstanceOfANameEndsTheFirst(t *testing.T) {
	cfg := kafkatest.Start(t, "in", "out")
	one := share(t, cfg, "same")
	produce(t, cfg, "in", 0, 25)
	create(t, one, "counting", countingJob(cfg, "in", "out"))
	writes(t, cfg, "out", windows(0, 2))
	eventually(t, "a checkpoint behind all that was read", func() bool { // or the rows come again
		got, err := one.GetJob(t.Context(), &jobv1.GetJobRequest{Name: "counting"})
		from := got.GetJob().GetStatus().GetSources()
		return err == nil && len(from) == 1 && from[0].GetCommitted() == 25
	})
	two := share(t, cfg, "same")
	select {
	case err := <-one.done:
		one.done <- err
		if !errors.Is(err, group.ErrReplaced) {
			t.Errorf("the first ended with %v", err)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("the first goes on")
	}
	runsOn(t, two, "counting")
	produce(t, cfg, "in", 25, 35)
	writes(t, cfg, "out", windows(0, 3))
}

// An instance that was stopped while it wrote a job's record, and goes on when the
// job is another's, does not bring back what was before.
func TestLateWriteOfARecordIsPutRight(t *testing.T) {
	cfg := kafkatest.Start(t, "in", "out")
	one := share(t, cfg, "one")
	create(t, one, "counting", countingJob(cfg, "in", "out"))
	runsOn(t, one, "counting")
	late, err := table.New(table.Config{Kafka: cfg, Topic: job.JobsTopic, Logger: slog.New(slog.DiscardHandler)}, func() *jobv1.Job { return &jobv1.Job{} })
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- late.Run(ctx) }()
	defer func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}()
	<-late.Ready()
	was, _ := late.Get("counting")
	if was.GetTerm() == 0 || !was.GetRunning() {
		t.Fatalf("the record is %v", was)
	}
	old, _ := proto.Clone(was).(*jobv1.Job)
	old.Term, old.Running, old.Sql = was.GetTerm()-1, false, "SELECT 1"
	if err := late.Put(t.Context(), "counting", old); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the record to be put right", func() bool {
		j, _ := late.Get("counting") // this reader takes every record: it shows the last
		return j.GetRunning() && j.GetSql() == was.GetSql() && j.GetTerm() == was.GetTerm()
	})
	got, err := one.GetJob(t.Context(), &jobv1.GetJobRequest{Name: "counting"})
	if err != nil || !got.GetJob().GetRunning() || got.GetJob().GetSql() != was.GetSql() {
		t.Errorf("the job is %v, %v", got, err)
	}
	// One that is deleted does not come again either.
	if _, err := one.DeleteJob(t.Context(), &jobv1.DeleteJobRequest{Name: "counting"}); err != nil {
		t.Fatal(err)
	}
	if err := late.Put(t.Context(), "counting", old); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the record to be gone", func() bool {
		_, there := late.Get("counting")
		return !there
	})
	if _, err := one.GetJob(t.Context(), &jobv1.GetJobRequest{Name: "counting"}); status.Code(err) != codes.NotFound {
		t.Errorf("the deleted job: %v", err)
	}
}
