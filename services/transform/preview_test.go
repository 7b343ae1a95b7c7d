package transform_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"runtime"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	jobv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/job/v1"

	"github.com/weirflow/weirflow/services/platform/kafka"
	"github.com/weirflow/weirflow/services/platform/kafka/kafkatest"
)

// previewed reads a preview to its end.
func previewed(t *testing.T, client jobv1.JobServiceClient, req *jobv1.PreviewRequest, each func(n int)) (rows []*jobv1.PreviewRow, end *jobv1.PreviewEnd, err error) {
	t.Helper()
	stream, err := client.Preview(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	for n := 0; ; n++ {
		res, err := stream.Recv()
		if err != nil {
			if errors.Is(err, io.EOF) {
				err = nil
			}
			return rows, end, err
		}
		if each != nil {
			each(n)
		}
		if res.GetRow() != nil {
			rows = append(rows, res.GetRow())
		}
		end = res.GetEnd()
	}
}

func TestPreviewShowsWhatIsThere(t *testing.T) {
	cfg := kafkatest.Start(t, "in")
	produce(t, cfg, "in", 0, 50)
	client, _, _ := service(t, cfg)
	const query = "SELECT UPPER(message) AS m, CAST(NULL AS INT) AS n FROM src"
	rows, end, err := previewed(t, client, &jobv1.PreviewRequest{Sql: source(cfg, "") + query, Start: jobv1.PreviewStart_PREVIEW_START_EARLIEST, MaxRows: 3}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != 3 || rows[2].GetOp() != "+I" || rows[2].GetValues()[0].GetStringValue() != "LINE 2" || rows[2].GetValues()[1].AsInterface() != nil {
		t.Errorf("rows %v", rows)
	}
	if end.GetReason() != jobv1.PreviewEndReason_PREVIEW_END_REASON_ROWS || end.GetRows() != 3 || end.GetRecords() < 3 {
		t.Errorf("end %v", end)
	}
	rows, end, err = previewed(t, client, &jobv1.PreviewRequest{Sql: source(cfg, ",'scan.bounded.mode'='latest-offset'") + query,
		Start: jobv1.PreviewStart_PREVIEW_START_EARLIEST, MaxRows: 1000}, nil)
	if err != nil || len(rows) != 50 || end.GetReason() != jobv1.PreviewEndReason_PREVIEW_END_REASON_INPUT {
		t.Errorf("a bounded table: %d rows, end %v, error %v", len(rows), end, err)
	}
	_, end, err = previewed(t, client, &jobv1.PreviewRequest{Sql: source(cfg, "") + query, Start: jobv1.PreviewStart_PREVIEW_START_EARLIEST, MaxBytes: 20}, nil)
	if err != nil || end.GetReason() != jobv1.PreviewEndReason_PREVIEW_END_REASON_BYTES || end.GetRows() != 3 {
		t.Errorf("limited bytes: end %v, error %v", end, err)
	}
}

// TestPreviewFollows begins at the end of a topic, which the table itself does not,
// and leaves its consumer group alone.
func TestPreviewFollows(t *testing.T) {
	cfg := kafkatest.Start(t, "in")
	produce(t, cfg, "in", 0, 50)
	client, _, _ := service(t, cfg)
	sql := source(cfg, ",'properties.group.id'='watched','error-handling.mode'='dlq'") + "SELECT message FROM src"
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	stream, err := client.Preview(ctx, &jobv1.PreviewRequest{Sql: sql})
	if err != nil {
		t.Fatal(err)
	}
	first, err := stream.Recv()
	if err != nil || first.GetColumns().GetColumns()[0].GetName() != "message" || first.GetColumns().GetColumns()[0].GetType() != "STRING" {
		t.Fatalf("%v, %v", first, err)
	}
	got := make(chan string, 1)
	go func() {
		if res, err := stream.Recv(); err == nil {
			got <- res.GetRow().GetValues()[0].GetStringValue()
		}
		close(got)
	}()
	deadline := time.After(30 * time.Second)
	for i := 50; ; i++ { // until the preview has found the end of the topic
		produce(t, cfg, "in", i, i+1)
		select {
		case m := <-got:
			if !strings.HasPrefix(m, "line ") || len(m) < 7 {
				t.Errorf("the first row is %q: an old record", m)
			}
			untouched(t, cfg, "watched")
			return
		case <-deadline:
			t.Fatal("nothing came")
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// untouched makes sure that a consumer group has no position.
func untouched(t *testing.T, cfg kafka.Config, group string) {
	t.Helper()
	c, err := kafka.NewConsumer(cfg, kafka.ConsumerOptions{GroupID: group, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	at, err := c.Committed(t.Context(), []kafka.Position{{Topic: "in"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range at {
		if p.Offset >= 0 {
			t.Errorf("the group is at %d", p.Offset)
		}
	}
}

// stacks are those of all goroutines.
func stacks() string {
	b := make([]byte, 1<<20)
	return string(b[:runtime.Stack(b, true)])
}

func TestPreviewsEndWhenClientsLeave(t *testing.T) {
	cfg := kafkatest.Start(t, "in")
	client, _, _ := service(t, cfg)
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	sql := source(cfg, "") + "SELECT message, COUNT(*) FROM src GROUP BY message"
	for range 8 {
		stream, err := client.Preview(ctx, &jobv1.PreviewRequest{Sql: sql, MaxSeconds: 600})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := stream.Recv(); err != nil { // it runs
			t.Fatal(err)
		}
	}
	eventually(t, "eight previews", func() bool { return strings.Count(stacks(), "/internal/preview.Runner.Run(") == 8 })
	if _, _, err := previewed(t, client, &jobv1.PreviewRequest{Sql: sql}, nil); status.Code(err) != codes.ResourceExhausted {
		t.Errorf("a ninth preview: %v", err)
	}
	leave()
	eventually(t, "the goroutines of eight previews to end", func() bool { return !strings.Contains(stacks(), "/internal/preview.") })
	if rest := stacks(); strings.Contains(rest, "/internal/connector/kafka.(*source)") || strings.Contains(rest, "/internal/pipeline.") {
		t.Errorf("something of them runs on:\n%s", rest)
	}
	if _, end, err := previewed(t, client, &jobv1.PreviewRequest{Sql: sql, MaxSeconds: 1}, nil); err != nil || end.GetReason() != jobv1.PreviewEndReason_PREVIEW_END_REASON_TIME {
		t.Errorf("afterwards: end %v, error %v", end, err)
	}
}

func TestPreviewsThatAreRefused(t *testing.T) {
	cfg := kafkatest.Start(t, "in")
	produce(t, cfg, "in", 0, 5)
	client, _, _ := service(t, cfg)
	const secret = ",'properties.sasl.password'='hunter2'"
	for name, tt := range map[string]struct {
		req  *jobv1.PreviewRequest
		code codes.Code
		want string
	}{
		"INSERT":          {&jobv1.PreviewRequest{Sql: source(cfg, "") + sinkTo(cfg, "o", "out", "m STRING") + "INSERT INTO o SELECT message FROM src"}, codes.InvalidArgument, "line 3, column 1: a preview writes nothing"},
		"no query":        {&jobv1.PreviewRequest{Sql: source(cfg, "")}, codes.InvalidArgument, "end the statements with a SELECT"},
		"two queries":     {&jobv1.PreviewRequest{Sql: "SELECT 1;\nSELECT 2;"}, codes.InvalidArgument, "line 2, column 1"},
		"unknown column":  {&jobv1.PreviewRequest{Sql: source(cfg, "") + "SELECT mesage FROM src"}, codes.InvalidArgument, "line 2, column 8"},
		"too many rows":   {&jobv1.PreviewRequest{Sql: "SELECT 1", MaxRows: 10_001}, codes.InvalidArgument, "max_rows must be from 1 to 10000"},
		"no time":         {&jobv1.PreviewRequest{Sql: "SELECT 1", Start: jobv1.PreviewStart_PREVIEW_START_TIMESTAMP}, codes.InvalidArgument, "start_time"},
		"unknown job":     {&jobv1.PreviewRequest{Sql: "SELECT 1", Job: "nosuch"}, codes.NotFound, "nosuch"},
		"a value":         {&jobv1.PreviewRequest{Sql: source(cfg, "") + "SELECT CAST(message AS INT) FROM src", Start: jobv1.PreviewStart_PREVIEW_START_EARLIEST}, codes.InvalidArgument, `cannot parse "line 0" as INT`},
		"secret in error": {&jobv1.PreviewRequest{Sql: source(cfg, secret) + "SELECT CAST('hunter2' AS INT) FROM src", MaxSeconds: 5, Start: jobv1.PreviewStart_PREVIEW_START_EARLIEST}, codes.InvalidArgument, "******"},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := previewed(t, client, tt.req, nil)
			if status.Code(err) != tt.code || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("error %v", err)
			}
		})
	}
}
