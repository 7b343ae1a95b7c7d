package ingest_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	eventv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/event/v1"
	ingestv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/ingest/v1"
	ledgerv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/ledger/v1"
	topicv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/topic/v1"
	"github.com/weirflow/weirflow/services/ingest"
	"github.com/weirflow/weirflow/services/platform/kafka"
	"github.com/weirflow/weirflow/services/platform/kafka/kafkatest"
	"github.com/weirflow/weirflow/services/platform/process"
	"github.com/weirflow/weirflow/services/platform/rpc"
	"github.com/weirflow/weirflow/services/platform/telemetry"

	"google.golang.org/grpc"
)

// start runs the service in this process and returns a connection to it.
func start(t *testing.T, k kafka.Config, change func(*ingest.Config)) *grpc.ClientConn {
	t.Helper()
	tel, err := telemetry.New(t.Context(), "ingest", telemetry.DefaultConfig(), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	env, err := process.NewEnv("ingest", "test", tel)
	if err != nil {
		t.Fatal(err)
	}
	return startWith(t, k, change, tel, env)
}

func startWith(t *testing.T, k kafka.Config, change func(*ingest.Config), tel *telemetry.Telemetry, env process.Env) *grpc.ClientConn {
	t.Helper()
	cfg := ingest.DefaultConfig()
	cfg.Kafka = k
	if change != nil {
		change(&cfg)
	}
	s, err := ingest.New(cfg, ingest.Deps{Logger: slog.New(slog.DiscardHandler), Meters: tel.Meters, Board: env.Board, Book: env.Book})
	if err != nil {
		t.Fatal(err)
	}
	return serve(t, s, tel)
}

// serve runs a service until the end of the test.
func serve(t *testing.T, s *ingest.Service, tel *telemetry.Telemetry) *grpc.ClientConn {
	t.Helper()
	g, err := rpc.NewServer(rpc.ServerConfig{Listen: rpc.InMemory}, tel)
	if err != nil {
		t.Fatal(err)
	}
	s.Register(g.Server)
	conn, err := rpc.DialServer(g, rpc.ClientConfig{}, tel)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 2)
	go func() { ended <- g.Run(ctx) }()
	go func() { ended <- s.Run(ctx) }()
	t.Cleanup(func() {
		_ = conn.Close()
		cancel()
		for range 2 {
			if err := <-ended; err != nil {
				t.Error(err)
			}
		}
	})
	return conn
}

// lines makes a batch of one group of text lines, 100 bytes apart.
func lines(sequence uint64, source *eventv1.Source, texts ...string) *eventv1.EventBatch {
	g := &eventv1.EventGroup{SourceId: source.GetId(), Encoding: eventv1.Encoding_ENCODING_LINE}
	for i, x := range texts {
		g.Payload = append(g.Payload, x...)
		g.Lengths = append(g.Lengths, uint32(len(x)))
		if i == 0 {
			g.Timestamps, g.Offsets = append(g.Timestamps, 1630318972888), append(g.Offsets, 1000)
		} else {
			g.Timestamps, g.Offsets = append(g.Timestamps, 1), append(g.Offsets, 100)
		}
	}
	return &eventv1.EventBatch{Sequence: sequence, Sources: []*eventv1.Source{source}, Groups: []*eventv1.EventGroup{g}}
}

func testSource() *eventv1.Source {
	return &eventv1.Source{
		Id: 1, AgentId: "agent-1", FileId: "f00", Path: "/tmp/test.log", Topic: "topic-app-info",
		EnvelopeJson: `{"host":{"name":"h"},"ecs":{"version":"8.0.0"}}`,
	}
}

func messages(t *testing.T, conn *grpc.ClientConn, req *topicv1.ListMessagesRequest) *topicv1.ListMessagesResponse {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	res, err := topicv1.NewMessageServiceClient(conn).ListMessages(ctx, req)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

func TestPushBatchWritesFilebeatEvents(t *testing.T) {
	conn := start(t, kafkatest.Start(t), nil)
	res, err := ingestv1.NewIngestServiceClient(conn).PushBatch(t.Context(), &ingestv1.PushBatchRequest{Batch: lines(1, testSource(), "one", `two "2"`)})
	if err != nil {
		t.Fatal(err)
	}
	if res.GetAccepted() != 2 || len(res.GetRejections()) != 0 {
		t.Fatalf("answer = %v, want 2 accepted", res)
	}
	got := messages(t, conn, &topicv1.ListMessagesRequest{Topic: "topic-app-info"}).GetMessages()
	want := []string{
		`{"@timestamp":"2021-08-30T10:22:52.888Z","@metadata":{"beat":"filebeat","type":"_doc","version":"8.1.3"},"log":{"offset":1000,"file":{"path":"/tmp/test.log"}},"message":"one","host":{"name":"h"},"ecs":{"version":"8.0.0"}}`,
		`{"@timestamp":"2021-08-30T10:22:52.889Z","@metadata":{"beat":"filebeat","type":"_doc","version":"8.1.3"},"log":{"offset":1100,"file":{"path":"/tmp/test.log"}},"message":"two \"2\"","host":{"name":"h"},"ecs":{"version":"8.0.0"}}`,
	}
	if len(got) != len(want) {
		t.Fatalf("%d messages, want %d", len(got), len(want))
	}
	for i, m := range got {
		if m.GetText() != want[i] {
			t.Errorf("message %d:\n got %s\nwant %s", i, m.GetText(), want[i])
		}
		id := fmt.Sprintf("agent-1:f00:%d", 1000+100*i)
		if len(m.GetHeaders()) != 1 || m.GetHeaders()[0].GetKey() != "event-id" || string(m.GetHeaders()[0].GetValue()) != id {
			t.Errorf("message %d has headers %v, want event-id %s", i, m.GetHeaders(), id)
		}
	}
}

func TestPushAcknowledgesEachBatch(t *testing.T) {
	conn := start(t, kafkatest.Start(t), func(c *ingest.Config) { c.Window = 3 })
	stream, err := ingestv1.NewIngestServiceClient(conn).Push(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	first, err := stream.Recv()
	if err != nil || first.GetWindow() != 3 || first.GetSequence() != 0 {
		t.Fatalf("first message = %v, %v; want window 3", first, err)
	}
	if err := stream.Send(&ingestv1.PushRequest{Message: &ingestv1.PushRequest_Client{Client: &ingestv1.Client{AgentId: "agent-1"}}}); err != nil {
		t.Fatal(err)
	}
	const batches = 20
	go func() {
		for i := range batches {
			b := lines(uint64(i+1), testSource(), fmt.Sprint("line ", i))
			if i > 0 {
				b.Sources = nil // declared with the first
			}
			if stream.Send(&ingestv1.PushRequest{Message: &ingestv1.PushRequest_Batch{Batch: b}}) != nil {
				return
			}
		}
		_ = stream.CloseSend()
	}()
	seen := map[uint64]bool{}
	for {
		res, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if res.GetAccepted() != 1 || seen[res.GetSequence()] {
			t.Errorf("answer %v: want each batch once with one event", res)
		}
		seen[res.GetSequence()] = true
	}
	if len(seen) != batches {
		t.Errorf("%d batches acknowledged, want %d", len(seen), batches)
	}
	if n := len(messages(t, conn, &topicv1.ListMessagesRequest{Topic: "topic-app-info", PageSize: 100}).GetMessages()); n != batches {
		t.Errorf("%d messages, want %d", n, batches)
	}
}

func TestBadEventsCostNoNeighbour(t *testing.T) {
	conn := start(t, kafkatest.Start(t), func(c *ingest.Config) { c.MaxEventBytes = 1000 })
	good := lines(1, testSource(), "before", strings.Repeat("x", 2000), "after")
	unknown := lines(1, &eventv1.Source{Id: 9}, "lost?").GetGroups()[0]
	torn := lines(1, testSource(), "torn").GetGroups()[0]
	torn.Lengths[0] = 99
	json := lines(1, testSource(), `{"a":1}`, `{"a":`).GetGroups()[0]
	json.Encoding = eventv1.Encoding_ENCODING_JSON
	bad := &eventv1.Source{Id: 2, Path: "/x", EnvelopeJson: `{"host":`}
	badGroup := lines(1, bad, "no envelope").GetGroups()[0]
	good.Sources = append(good.Sources, bad)
	good.Groups = append(good.Groups, unknown, torn, json, badGroup)
	for _, g := range good.Groups[1:2] {
		g.SourceId = 9
	}
	res, err := ingestv1.NewIngestServiceClient(conn).PushBatch(t.Context(), &ingestv1.PushBatchRequest{Batch: good})
	if err != nil {
		t.Fatal(err)
	}
	if res.GetAccepted() != 3 {
		t.Errorf("accepted %d, want before, after and the good document", res.GetAccepted())
	}
	reasons := map[string]string{}
	for _, r := range res.GetRejections() {
		reasons[fmt.Sprintf("%d/%d+%d", r.GetGroup(), r.GetFirst(), r.GetCount())] = r.GetReason()
	}
	for where, part := range map[string]string{
		"0/1+1": "2000 bytes", "1/0+1": "source 9 has not been declared", "2/0+1": "lengths add up to 99",
		"3/1+1": "not a JSON document", "4/0+1": "/x",
	} {
		if !strings.Contains(reasons[where], part) {
			t.Errorf("rejection %s = %q, want %q in it; all: %v", where, reasons[where], part, reasons)
		}
	}
	letters := messages(t, conn, &topicv1.ListMessagesRequest{Topic: "weirflow.deadletters.ingest"}).GetMessages()
	if len(letters) != 1 || string(letters[0].GetKey()) != "agent-1:f00:1100" {
		t.Errorf("dead letters = %v, want the long line under its event id", letters)
	}
	led, err := ledgerv1.NewLedgerServiceClient(conn).GetLedger(t.Context(), &ledgerv1.GetLedgerRequest{})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range led.GetStages() {
		if s.GetIn() != s.GetOut()+s.GetFiltered()+s.GetDeadLettered()+s.GetInFlight() {
			t.Errorf("the ledger of %s does not balance: %v", s.GetName(), s)
		}
		if s.GetName() == "topic-app-info" && (s.GetIn() != 4 || s.GetOut() != 3 || s.GetDeadLettered() != 1) {
			t.Errorf("ledger = %v, want 4 in, 3 out, 1 dead-lettered", s)
		}
	}
}

func TestListMessages(t *testing.T) {
	conn := start(t, kafkatest.Start(t), nil)
	ctx := t.Context()
	topics := topicv1.NewTopicServiceClient(conn)
	if _, err := topics.CreateTopic(ctx, &topicv1.CreateTopicRequest{Topic: "many", Partitions: 2}); err != nil {
		t.Fatal(err)
	}
	var texts []string
	for i := range 100 {
		texts = append(texts, fmt.Sprintf("line-%03d", i))
	}
	src := testSource()
	src.Topic = "many"
	if _, err := ingestv1.NewIngestServiceClient(conn).PushBatch(ctx, &ingestv1.PushBatchRequest{Batch: lines(1, src, texts...)}); err != nil {
		t.Fatal(err)
	}
	// All pages together are all messages, once each.
	seen := map[string]int{}
	req := &topicv1.ListMessagesRequest{Topic: "many", PageSize: 7, Start: &topicv1.Start{At: &topicv1.Start_Earliest{Earliest: true}}}
	for pages := 0; ; pages++ {
		res := messages(t, conn, req)
		for _, m := range res.GetMessages() {
			seen[m.GetText()]++
		}
		if req.PageToken = res.GetNextPageToken(); req.PageToken == "" {
			break
		}
		if pages > 100 {
			t.Fatal("the pages never end")
		}
	}
	if len(seen) != 100 {
		t.Errorf("%d different messages, want 100", len(seen))
	}
	if res := messages(t, conn, &topicv1.ListMessagesRequest{Topic: "many", Contains: "line-042", Start: &topicv1.Start{At: &topicv1.Start_Earliest{Earliest: true}}}); len(res.GetMessages()) != 1 {
		t.Errorf("%d messages contain the text, want 1", len(res.GetMessages()))
	}
	if res := messages(t, conn, &topicv1.ListMessagesRequest{Topic: "many"}); len(res.GetMessages()) != 50 {
		t.Errorf("%d messages without a start, want the last 50", len(res.GetMessages()))
	}
	for name, bad := range map[string]*topicv1.ListMessagesRequest{
		"absent topic": {Topic: "absent"}, "negative size": {Topic: "many", PageSize: -1}, "made-up token": {Topic: "many", PageToken: "x"},
		"offset of two partitions": {Topic: "many", Start: &topicv1.Start{At: &topicv1.Start_Offset{Offset: 1}}},
	} {
		_, err := topicv1.NewMessageServiceClient(conn).ListMessages(ctx, bad)
		want := codes.InvalidArgument
		if name == "absent topic" {
			want = codes.NotFound
		}
		if status.Code(err) != want {
			t.Errorf("%s: %v, want %s", name, err, want)
		}
	}
}

func TestFollowMessages(t *testing.T) {
	conn := start(t, kafkatest.Start(t, "topic-app-info"), nil)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	stream, err := topicv1.NewMessageServiceClient(conn).FollowMessages(ctx, &topicv1.FollowMessagesRequest{
		Topic: "topic-app-info", Start: &topicv1.Start{At: &topicv1.Start_Earliest{Earliest: true}}, Contains: "wanted",
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ingestv1.NewIngestServiceClient(conn).PushBatch(ctx, &ingestv1.PushBatchRequest{Batch: lines(1, testSource(), "other", "wanted")}); err != nil {
		t.Fatal(err)
	}
	res, err := stream.Recv()
	if err != nil {
		t.Fatal(err)
	}
	if len(res.GetMessages()) != 1 || !strings.Contains(res.GetMessages()[0].GetText(), "wanted") {
		t.Errorf("followed %v, want the one that matches", res.GetMessages())
	}
}

func TestTopics(t *testing.T) {
	conn := start(t, kafkatest.Start(t), nil)
	c := topicv1.NewTopicServiceClient(conn)
	ctx := t.Context()
	if _, err := c.CreateTopic(ctx, &topicv1.CreateTopicRequest{Topic: "no good"}); status.Code(err) != codes.InvalidArgument {
		t.Errorf("bad name: %v", err)
	}
	res, err := c.CreateTopic(ctx, &topicv1.CreateTopicRequest{Topic: "a", Partitions: 3, Config: map[string]string{"retention.ms": "60000"}})
	if err != nil {
		t.Fatal(err)
	}
	if len(res.GetTopic().GetPartitions()) != 3 || res.GetTopic().GetConfig()["retention.ms"] != "60000" {
		t.Errorf("made %v", res.GetTopic())
	}
	if _, err := c.CreateTopic(ctx, &topicv1.CreateTopicRequest{Topic: "a"}); status.Code(err) != codes.AlreadyExists {
		t.Errorf("made twice: %v", err)
	}
	if _, err := c.DeleteTopic(ctx, &topicv1.DeleteTopicRequest{Topic: "weirflow.jobs"}); status.Code(err) != codes.FailedPrecondition {
		t.Errorf("deleted what Weirflow keeps: %v", err)
	}
	if _, err := c.DeleteTopic(ctx, &topicv1.DeleteTopicRequest{Topic: "a"}); err != nil {
		t.Error(err)
	}
	if _, err := c.GetTopic(ctx, &topicv1.GetTopicRequest{Topic: "a"}); status.Code(err) != codes.NotFound {
		t.Errorf("deleted and still there: %v", err)
	}
}
