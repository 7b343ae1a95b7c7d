package ingest_test

import (
	"bufio"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	eventv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/event/v1"
	ingestv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/ingest/v1"
	topicv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/topic/v1"
	"github.com/weirflow/weirflow/services/platform/kafka/kafkatest"
	"github.com/weirflow/weirflow/services/platform/process"
	"github.com/weirflow/weirflow/services/platform/telemetry"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The topics in which Weirflow keeps passwords and statements are neither shown
// nor open to clients.
func TestInternalTopicsAreClosed(t *testing.T) {
	conn := start(t, kafkatest.Start(t, "weirflow.sinks"), nil)
	source := testSource()
	source.Topic = "weirflow.sinks"
	res, err := ingestv1.NewIngestServiceClient(conn).PushBatch(t.Context(), &ingestv1.PushBatchRequest{Batch: lines(1, source, "x")})
	if err != nil || res.GetAccepted() != 0 || len(res.GetRejections()) != 1 {
		t.Errorf("push = %v, %v", res, err)
	}
	client := topicv1.NewMessageServiceClient(conn)
	if _, err := client.ListMessages(t.Context(), &topicv1.ListMessagesRequest{Topic: "weirflow.sinks"}); status.Code(err) != codes.PermissionDenied {
		t.Errorf("list = %v", err)
	}
	stream, err := client.FollowMessages(t.Context(), &topicv1.FollowMessagesRequest{Topic: "weirflow.sinks"})
	if err == nil {
		_, err = stream.Recv()
	}
	if status.Code(err) != codes.PermissionDenied {
		t.Errorf("follow = %v", err)
	}
	if _, err := topicv1.NewTopicServiceClient(conn).CreateTopic(t.Context(), &topicv1.CreateTopicRequest{Topic: "weirflow.jobs"}); status.Code(err) != codes.FailedPrecondition {
		t.Errorf("create = %v", err)
	}
}

// A clock that is ahead must not make Kafka refuse the event and its neighbours.
func TestEventsFromTheFuture(t *testing.T) {
	conn := start(t, kafkatest.Start(t), nil)
	b := lines(1, testSource(), "x")
	b.Groups[0].Timestamps[0] = time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli()
	if res, err := ingestv1.NewIngestServiceClient(conn).PushBatch(t.Context(), &ingestv1.PushBatchRequest{Batch: b}); err != nil || res.GetAccepted() != 1 {
		t.Fatal(res, err)
	}
	m := messages(t, conn, &topicv1.ListMessagesRequest{Topic: "topic-app-info"}).GetMessages()[0]
	if at := m.GetTimestamp().AsTime(); time.Since(at).Abs() > time.Minute || !strings.Contains(m.GetText(), `"@timestamp":"2200-01-01T`) {
		t.Errorf("record of %s: %s", at, m.GetText())
	}
}

// A page of large messages is still one answer.
func TestLargeMessagesAreListed(t *testing.T) {
	conn := start(t, kafkatest.Start(t), nil)
	large := strings.Repeat("x", 700<<10)
	client := ingestv1.NewIngestServiceClient(conn)
	for i := range 60 {
		b := lines(uint64(i), testSource(), large)
		if res, err := client.PushBatch(t.Context(), &ingestv1.PushBatchRequest{Batch: b}); err != nil || res.GetAccepted() != 1 {
			t.Fatal(res, err)
		}
	}
	for _, size := range []int32{1, 60, 1000} {
		got := messages(t, conn, &topicv1.ListMessagesRequest{Topic: "topic-app-info", PageSize: size}).GetMessages()
		if len(got) != int(min(size, 60)) {
			t.Errorf("page of %d: %d messages", size, len(got))
		}
		if truncated := got[0].GetTruncated(); truncated != (size > 1) {
			t.Errorf("page of %d: truncated = %t", size, truncated)
		}
	}
}

// The README names all metrics, and no others.
func TestMetricsAreThoseOfTheReadme(t *testing.T) {
	tel, err := telemetry.New(t.Context(), "ingest", telemetry.DefaultConfig(), t.Output())
	if err != nil {
		t.Fatal(err)
	}
	env, err := process.NewEnv("ingest", "test", tel)
	if err != nil {
		t.Fatal(err)
	}
	conn := startWith(t, kafkatest.Start(t), nil, tel, env)
	stream, err := ingestv1.NewIngestServiceClient(conn).Push(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	bad := lines(1, testSource(), "x", "y")
	bad.Groups = append(bad.Groups, &eventv1.EventGroup{SourceId: 9, Lengths: []uint32{1}})
	if err := stream.Send(&ingestv1.PushRequest{Message: &ingestv1.PushRequest_Batch{Batch: bad}}); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the greeting and the answer
		if _, err := stream.Recv(); err != nil {
			t.Fatal(err)
		}
	}
	w := httptest.NewRecorder()
	tel.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", http.NoBody))
	checkMetrics(t, w.Body.String())
	if err := stream.CloseSend(); err != nil {
		t.Error(err)
	}
}

func checkMetrics(t *testing.T, page string) {
	t.Helper()
	var served []string
	for lines := bufio.NewScanner(strings.NewReader(page)); lines.Scan(); {
		if name, ok := strings.CutPrefix(lines.Text(), "# TYPE weirflow_"); ok {
			name, _, _ = strings.Cut(name, " ")
			served = append(served, "weirflow_"+name)
		}
	}
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	for _, m := range regexp.MustCompile("`(weirflow_[a-z_]+)(?:\\{([a-z_,]+)\\}([a-z_]*))?`").FindAllStringSubmatch(string(readme), -1) {
		for part := range strings.SplitSeq(m[2], ",") {
			told = append(told, m[1]+part+m[3])
		}
	}
	slices.Sort(served)
	slices.Sort(told)
	if told = slices.Compact(told); !slices.Equal(served, told) {
		t.Errorf("served:\n%s\nREADME:\n%s", strings.Join(served, "\n"), strings.Join(told, "\n"))
	}
}
