package transform_test

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	jobv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/job/v1"

	"github.com/weirflow/weirflow/services/platform/kafka"
	"github.com/weirflow/weirflow/services/platform/kafka/kafkatest"
)

// countingTables are a source of events, whose offset is their time in milliseconds,
// and a sink of counts.
func countingTables(cfg kafka.Config, in, out string) string {
	return fmt.Sprintf("CREATE TABLE src (log ROW<`offset` INT, file ROW<path STRING>>, message STRING, ts AS TO_TIMESTAMP_LTZ(log.`offset`, 3), "+
		"WATERMARK FOR ts AS ts) WITH ('connector'='kafka','topic'='%s','scan.startup.mode'='earliest-offset','properties.bootstrap.servers'='%s','format'='json');\n",
		in, strings.Join(cfg.Brokers, ",")) + sinkTo(cfg, "counts", out, "n BIGINT, total BIGINT")
}

// countingJob counts events in windows of a second: ten to each.
func countingJob(cfg kafka.Config, in, out string) string {
	return countingTables(cfg, in, out) +
		"INSERT INTO counts SELECT COUNT(*), SUM(log.`offset`) FROM TABLE(TUMBLE(TABLE src, DESCRIPTOR(ts), INTERVAL '1' SECOND)) GROUP BY window_start, window_end;\n"
}

// windows returns the counts of the windows from to before to, as their job writes them.
func windows(from, to int) []string {
	var all []string
	for w := from; w < to; w++ {
		all = append(all, fmt.Sprintf(`{"n":10,"total":%d}`, 10_000*w+4500))
	}
	return all
}

// writes waits until a topic has what is wanted.
func writes(t *testing.T, cfg kafka.Config, topic string, want []string) {
	t.Helper()
	var got []string
	eventually(t, fmt.Sprintf("%d rows in %s", len(want), topic), func() bool {
		got = nil
		for _, v := range drain(t, cfg, topic) {
			got = append(got, string(v))
		}
		return len(got) >= len(want)
	})
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Fatalf("%s has\n%s\nwant\n%s", topic, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestStateGoesOnAfterAStop(t *testing.T) {
	cfg := kafkatest.Start(t, "in", "out")
	produce(t, cfg, "in", 0, 25)
	client, book, stop := service(t, cfg)
	create(t, client, "counting", countingJob(cfg, "in", "out"))
	writes(t, cfg, "out", windows(0, 2))
	stop() // in the middle of the third window
	produce(t, cfg, "in", 25, 35)
	client, book2, stop := service(t, cfg)
	writes(t, cfg, "out", windows(0, 3))
	eventually(t, "all records in a checkpoint", func() bool { return account(book2, "counting").Out == 10 })
	if a := account(book, "counting"); a.In != 25 || a.Out != 25 || a.Filtered != 0 || a.InFlight != 0 {
		t.Errorf("the first run's account is %+v", a)
	}
	balanced(t, book2, "counting")
	var st *jobv1.JobStatus
	eventually(t, "the status to tell of the state", func() bool {
		st = reaches(t, client, "counting", jobv1.JobState_JOB_STATE_RUNNING)
		return len(st.GetSources()) == 1 && st.GetSources()[0].GetWatermark() == 3400 && st.GetCheckpoint().GetId() > 1
	})
	found := false
	for _, o := range st.GetOperators() {
		if o.GetName() == "WindowAggregate" {
			found = o.GetStateful() && o.GetStateEntries() == 1 && o.GetStateBytes() > 0 && o.GetWatermark() == 3400
		}
	}
	if c := st.GetCheckpoint(); !found || c.GetTotalBytes() == 0 || c.GetFailures() != 0 || st.GetSources()[0].GetIdle() {
		t.Errorf("status %v", st)
	}
	stop()
}

func TestLateRowsAreFilteredAndCounted(t *testing.T) {
	cfg := kafkatest.Start(t, "in", "out")
	produce(t, cfg, "in", 0, 25)
	client, book, _ := service(t, cfg)
	create(t, client, "counting", countingJob(cfg, "in", "out"))
	writes(t, cfg, "out", windows(0, 2))
	produce(t, cfg, "in", 3, 7)
	eventually(t, "the late rows to be accounted for", func() bool {
		a := account(book, "counting")
		return a.In == 29 && a.Out == 25 && a.Filtered == 4
	})
	late := uint64(0)
	for _, o := range reaches(t, client, "counting", jobv1.JobState_JOB_STATE_RUNNING).GetOperators() {
		late += o.GetLate()
	}
	if late != 4 {
		t.Errorf("the operators left out %d rows, want 4", late)
	}
	balanced(t, book, "counting")
}

func TestSavepoints(t *testing.T) {
	cfg := kafkatest.Start(t, "in", "out")
	produce(t, cfg, "in", 0, 25)
	client, _, _ := service(t, cfg)
	ctx := t.Context()
	create(t, client, "counting", countingJob(cfg, "in", "out"))
	writes(t, cfg, "out", windows(0, 2))
	made, err := client.CreateSavepoint(ctx, &jobv1.CreateSavepointRequest{Job: "counting", Name: "before"})
	if err != nil || made.GetSavepoint().GetBytes() == 0 {
		t.Fatalf("savepoint %v, %v", made, err)
	}
	if _, err := client.CreateSavepoint(ctx, &jobv1.CreateSavepointRequest{Job: "counting", Name: "before"}); status.Code(err) != codes.AlreadyExists {
		t.Errorf("a second savepoint of the name: %v", err)
	}
	produce(t, cfg, "in", 25, 45)
	writes(t, cfg, "out", windows(0, 4))
	stopped, err := client.StopJob(ctx, &jobv1.StopJobRequest{Name: "counting", Savepoint: "after"})
	if err != nil || stopped.GetSavepoint().GetName() != "after" {
		t.Fatalf("stop with a savepoint: %v, %v", stopped.GetSavepoint(), err)
	}
	list, err := client.ListSavepoints(ctx, &jobv1.ListSavepointsRequest{Job: "counting"})
	if err != nil || len(list.GetSavepoints()) != 2 || list.GetSavepoints()[0].GetName() != "before" {
		t.Fatalf("savepoints %v, %v", list, err)
	}
	// From the first savepoint what came after it is counted again, once.
	if _, err := client.StartJob(ctx, &jobv1.StartJobRequest{Name: "counting", Savepoint: "before"}); err != nil {
		t.Fatal(err)
	}
	writes(t, cfg, "out", append(windows(0, 4), windows(2, 4)...))
	// The savepoint is still there, though the job's own state has gone on.
	if _, err := client.StartJob(ctx, &jobv1.StartJobRequest{Name: "counting", Savepoint: "before"}); err != nil {
		t.Fatal(err)
	}
	writes(t, cfg, "out", append(append(windows(0, 4), windows(2, 4)...), windows(2, 4)...))
	// A savepoint waits for a job that is about to start.
	if _, err := client.StartJob(ctx, &jobv1.StartJobRequest{Name: "counting", Savepoint: "before"}); err != nil {
		t.Fatal(err)
	}
	if _, err := client.CreateSavepoint(ctx, &jobv1.CreateSavepointRequest{Job: "counting", Name: "soon"}); err != nil {
		t.Errorf("a savepoint of a job that is about to start: %v", err)
	}
	if _, err := client.DeleteSavepoint(ctx, &jobv1.DeleteSavepointRequest{Job: "counting", Name: "before"}); err != nil {
		t.Fatal(err)
	}
	if _, err := client.StartJob(ctx, &jobv1.StartJobRequest{Name: "counting", Savepoint: "before"}); status.Code(err) != codes.NotFound {
		t.Errorf("a start from a savepoint that was deleted: %v", err)
	}
}

func TestChangedStatementsAreComparedWithTheState(t *testing.T) {
	cfg := kafkatest.Start(t, "in", "out", "paths")
	produce(t, cfg, "in", 0, 25)
	client, _, _ := service(t, cfg)
	base := countingJob(cfg, "in", "out")
	create(t, client, "counting", base)
	writes(t, cfg, "out", windows(0, 2))
	eventually(t, "a checkpoint", func() bool {
		return reaches(t, client, "counting", jobv1.JobState_JOB_STATE_RUNNING).GetCheckpoint().GetId() > 0
	})
	more := sinkTo(cfg, "paths", "paths", "message STRING, n BIGINT") +
		"INSERT INTO paths SELECT message, COUNT(*) FROM TABLE(TUMBLE(TABLE src, DESCRIPTOR(ts), INTERVAL '1' MINUTE)) GROUP BY window_start, window_end, message;\n"
	for name, tt := range map[string]struct {
		sql    string
		want   jobv1.Effect
		reason string
	}{
		"the same":            {base, jobv1.Effect_EFFECT_COMPATIBLE, "the same"},
		"another statement":   {base + more, jobv1.Effect_EFFECT_REBUILD, "is new"},
		"another aggregate":   {strings.Replace(base, "SUM(log.`offset`)", "CAST(MAX(log.`offset`) AS BIGINT)", 1), jobv1.Effect_EFFECT_REBUILD, "starts empty: it was"},
		"another filter":      {strings.Replace(base, "FROM TABLE(TUMBLE(TABLE src", "FROM TABLE(TUMBLE(TABLE v", 1), jobv1.Effect_EFFECT_REBUILD, "conditions"},
		"nothing with state":  {countingTables(cfg, "in", "out") + "INSERT INTO counts SELECT 1, log.`offset` FROM src;", jobv1.Effect_EFFECT_REBUILD, "given up"},
		"another column name": {strings.Replace(base, "SELECT COUNT(*),", "SELECT COUNT(*) AS many,", 1), jobv1.Effect_EFFECT_COMPATIBLE, "the same"},
	} {
		t.Run(name, func(t *testing.T) {
			if strings.Contains(tt.sql, "TABLE v") {
				tt.sql = strings.Replace(tt.sql, "INSERT INTO counts", "CREATE TEMPORARY VIEW v AS SELECT * FROM src WHERE log.`offset` > 5;\nINSERT INTO counts", 1)
			}
			got, err := client.ValidateJob(t.Context(), &jobv1.ValidateJobRequest{Sql: tt.sql, Job: "counting"})
			if err != nil || !got.GetValid() {
				t.Fatalf("%v, %v", got.GetProblems(), err)
			}
			text := fmt.Sprint(got.GetChanges())
			if got.GetEffect() != tt.want || !strings.Contains(text, tt.reason) {
				t.Errorf("effect %s because %s; want %s because of %q", got.GetEffect(), text, tt.want, tt.reason)
			}
		})
	}
	// A statement that is added does not cost the others their state.
	if _, err := client.CreateJob(t.Context(), &jobv1.CreateJobRequest{Name: "counting", Sql: base + more, Replace: true, Start: true}); err != nil {
		t.Fatal(err)
	}
	produce(t, cfg, "in", 25, 35)
	writes(t, cfg, "out", windows(0, 3))
}

// TestOneOfTwoInstancesRunsAJob has two instances at once: the one that comes later
// takes over, goes on with the state, and the first writes no checkpoints any more.
func TestOneOfTwoInstancesRunsAJob(t *testing.T) {
	cfg := kafkatest.Start(t, "in", "out")
	produce(t, cfg, "in", 0, 25)
	first, _, stop := service(t, cfg)
	create(t, first, "counting", countingJob(cfg, "in", "out"))
	writes(t, cfg, "out", windows(0, 2))
	_, _, stopSecond := service(t, cfg)
	produce(t, cfg, "in", 25, 45)
	// Both may put out the third and fourth window before the first hears that it is
	// over, but under the same names.
	var names map[string]int
	eventually(t, "four windows", func() bool {
		names = named(t, cfg, "out")
		return len(names) >= 4
	})
	if len(names) != 4 {
		t.Errorf("%d names of four windows: %v", len(names), names)
	}
	stop()
	produce(t, cfg, "in", 45, 55)
	eventually(t, "the second instance to go on", func() bool { return len(named(t, cfg, "out")) == 5 })
	stopSecond()
}

// named counts the records of a topic by their event-id.
func named(t *testing.T, cfg kafka.Config, topic string) map[string]int {
	t.Helper()
	c, err := kafka.NewConsumer(cfg, kafka.ConsumerOptions{Logger: slog.New(slog.DiscardHandler), Header: "event-id", Ends: true, Properties: map[string]string{"auto.offset.reset": "earliest"}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.Assign([]kafka.Position{{Topic: topic, Offset: kafka.OffsetBeginning}}); err != nil {
		t.Fatal(err)
	}
	all := make(map[string]int)
	for {
		b, err := c.Poll(t.Context(), time.Second)
		if err != nil {
			t.Fatal(err)
		}
		if b != nil {
			for i := range b.Len() {
				all[string(b.Record(i).Header)]++
			}
			b.Release()
		}
		if _, ok := c.End(topic, 0); ok {
			return all
		}
	}
}
