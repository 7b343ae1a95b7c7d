package front_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	metricnoop "go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/propagation"
	tracenoop "go.opentelemetry.io/otel/trace/noop"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/weirflow/weirflow/gateway/internal/front"
	eventv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/event/v1"
	ingestv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/ingest/v1"
	jobv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/job/v1"
	statusv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/status/v1"
	topicv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/topic/v1"
)

// services are behind the port.
type services struct {
	jobv1.UnimplementedJobServiceServer
	ingestv1.UnimplementedIngestServiceServer
	topicv1.UnimplementedMessageServiceServer

	mu       sync.Mutex
	metadata metadata.MD
	sent     int
}

func (s *services) GetJob(ctx context.Context, r *jobv1.GetJobRequest) (*jobv1.GetJobResponse, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.metadata, _ = metadata.FromIncomingContext(ctx)
	if r.GetName() != "one" {
		return nil, status.Errorf(codes.NotFound, "there is no job %q", r.GetName())
	}
	return &jobv1.GetJobResponse{Job: &jobv1.Job{Name: "one", Sql: strings.Repeat("x", 8<<20)}}, nil
}

// FollowMessages sends long messages as fast as they are taken.
func (s *services) FollowMessages(r *topicv1.FollowMessagesRequest, stream topicv1.MessageService_FollowMessagesServer) error {
	if r.GetTopic() == "absent" {
		return status.Error(codes.NotFound, "there is no topic absent")
	}
	for {
		if err := stream.Send(&topicv1.FollowMessagesResponse{Messages: []*topicv1.Message{{Topic: r.GetTopic(), Text: strings.Repeat("m", 100<<10)}}}); err != nil {
			return err
		}
		s.mu.Lock()
		s.sent++
		s.mu.Unlock()
	}
}

func (s *services) sends() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sent
}

// Push acknowledges each batch, and refuses the one of number 3.
func (*services) Push(stream ingestv1.IngestService_PushServer) error {
	for {
		r, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if r.GetBatch().GetSequence() == 3 {
			return status.Error(codes.Unavailable, "kafka is away")
		}
		if err := stream.Send(&ingestv1.PushResponse{Sequence: r.GetBatch().GetSequence()}); err != nil {
			return err
		}
	}
}

// own is answered by the gateway itself.
type own struct {
	statusv1.UnimplementedStatusServiceServer
}

func (own) GetStatus(ctx context.Context, _ *statusv1.GetStatusRequest) (*statusv1.GetStatusResponse, error) {
	who, _ := ctx.Value(caller{}).(string)
	return &statusv1.GetStatusResponse{Services: []*statusv1.ServiceStatus{{Service: who}}}, nil
}

type caller struct{}

// guard knows one token, and notes how calls end.
type guard struct {
	mu    sync.Mutex
	ended []string
}

func (g *guard) Begin(ctx context.Context, method string) (context.Context, func(proto.Message, error), error) {
	md, _ := metadata.FromIncomingContext(ctx)
	if strings.Join(md.Get("authorization"), "") != "Bearer right" {
		return nil, nil, status.Error(codes.Unauthenticated, "log in")
	}
	return context.WithValue(ctx, caller{}, "ann"), func(first proto.Message, err error) {
		name := ""
		if r, ok := first.(interface{ GetName() string }); ok {
			name = r.GetName()
		}
		g.mu.Lock()
		defer g.mu.Unlock()
		g.ended = append(g.ended, method[strings.LastIndexByte(method, '/')+1:]+" "+name+" "+status.Code(err).String())
	}, nil
}

func (g *guard) notes() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return append([]string(nil), g.ended...)
}

type bed struct {
	behind *services
	guard  *guard
	conn   *grpc.ClientConn
	// as is a context with the token.
	as context.Context
}

func newServer(t *testing.T, d front.Deps) *front.Server {
	t.Helper()
	d.Meters, d.Tracers, d.Propagator = metricnoop.NewMeterProvider(), tracenoop.NewTracerProvider(), propagation.TraceContext{}
	s, err := front.New("127.0.0.1:0", d)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func run(t *testing.T, s *front.Server) *grpc.ClientConn {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	conn, err := grpc.NewClient(s.Addr(), grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(32<<20)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = conn.Close()
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return conn
}

// open lets everybody make every call: it stands for what is behind.
type open struct{}

func (open) Begin(ctx context.Context, _ string) (context.Context, func(proto.Message, error), error) {
	return ctx, func(proto.Message, error) {}, nil
}

func start(t *testing.T) *bed {
	t.Helper()
	b := &bed{behind: &services{}, guard: &guard{}, as: metadata.AppendToOutgoingContext(t.Context(), "authorization", "Bearer right", "cookie", "secret")}
	far := newServer(t, front.Deps{Guard: open{}, Backend: func(string) grpc.ClientConnInterface { return nil }})
	jobv1.RegisterJobServiceServer(far, b.behind)
	ingestv1.RegisterIngestServiceServer(far, b.behind)
	topicv1.RegisterMessageServiceServer(far, b.behind)
	to := run(t, far)
	near := newServer(t, front.Deps{Guard: b.guard, Backend: func(service string) grpc.ClientConnInterface {
		switch service {
		case "weirflow.job.v1.JobService", "weirflow.ingest.v1.IngestService", "weirflow.topic.v1.MessageService":
			return to
		}
		return nil
	}})
	statusv1.RegisterStatusServiceServer(near, own{})
	b.conn = run(t, near)
	return b
}

func TestCallsArePassedOn(t *testing.T) {
	b := start(t)
	jobs := jobv1.NewJobServiceClient(b.conn)
	res, err := jobs.GetJob(b.as, &jobv1.GetJobRequest{Name: "one"})
	if err != nil || len(res.GetJob().GetSql()) != 8<<20 {
		t.Fatalf("%d bytes, %v", len(res.GetJob().GetSql()), err)
	}
	if len(b.behind.metadata.Get("authorization"))+len(b.behind.metadata.Get("cookie")) > 0 {
		t.Errorf("the caller's secrets are passed on: %v", b.behind.metadata)
	}
	if _, err := jobs.GetJob(b.as, &jobv1.GetJobRequest{Name: "two"}); status.Code(err) != codes.NotFound || !strings.Contains(err.Error(), `no job "two"`) {
		t.Errorf("err = %v", err)
	}
	if res, err := statusv1.NewStatusServiceClient(b.conn).GetStatus(b.as, &statusv1.GetStatusRequest{}); err != nil || res.GetServices()[0].GetService() != "ann" {
		t.Errorf("the gateway's own service: %v %v", res, err)
	}
	if got := strings.Join(b.guard.notes(), ", "); got != "GetJob one OK, GetJob two NotFound, GetStatus  OK" {
		t.Errorf("the guard heard %s", got)
	}
}

func TestStrangersAreRefused(t *testing.T) {
	b := start(t)
	for _, ctx := range []context.Context{t.Context(), metadata.AppendToOutgoingContext(t.Context(), "authorization", "Bearer wrong")} {
		_, unary := jobv1.NewJobServiceClient(b.conn).GetJob(ctx, &jobv1.GetJobRequest{Name: "one"})
		_, inside := statusv1.NewStatusServiceClient(b.conn).GetStatus(ctx, &statusv1.GetStatusRequest{})
		follow, err := topicv1.NewMessageServiceClient(b.conn).FollowMessages(ctx, &topicv1.FollowMessagesRequest{Topic: "x"})
		if err == nil {
			_, err = follow.Recv()
		}
		for what, err := range map[string]error{"passed on": unary, "its own": inside, "a stream": err} {
			if status.Code(err) != codes.Unauthenticated {
				t.Errorf("%s: %v", what, err)
			}
		}
	}
	if b.behind.metadata != nil || b.behind.sends() > 0 {
		t.Error("a refused call came through")
	}
	if _, err := healthv1.NewHealthClient(b.conn).Check(t.Context(), &healthv1.HealthCheckRequest{}); err != nil {
		t.Errorf("health: %v", err)
	}
}

func TestUnknownCalls(t *testing.T) {
	b := start(t)
	for _, name := range []string{
		"/weirflow.job.v1.JobService/Absent", "/nobody.v1.Service/Call", "/weirflow.topic.v1.TopicService/ListTopics", "/weirflow.job.v1.Job/GetJob", "/weirflow.job.v1.JobService.GetJob/x",
	} {
		if err := b.conn.Invoke(b.as, name, &jobv1.GetJobRequest{}, &jobv1.GetJobResponse{}); status.Code(err) != codes.Unimplemented {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestStreamsBothWays(t *testing.T) {
	b := start(t)
	stream, err := ingestv1.NewIngestServiceClient(b.conn).Push(b.as)
	if err != nil {
		t.Fatal(err)
	}
	send := func(n uint64) error {
		return stream.Send(&ingestv1.PushRequest{Message: &ingestv1.PushRequest_Batch{Batch: &eventv1.EventBatch{Sequence: n}}})
	}
	for n := uint64(1); n < 3; n++ { // each is answered before the next is sent
		if err := send(n); err != nil {
			t.Fatal(err)
		}
		if res, err := stream.Recv(); err != nil || res.GetSequence() != n {
			t.Fatalf("answer to %d: %v, %v", n, res, err)
		}
	}
	if err := send(3); err != nil {
		t.Fatal(err)
	}
	if _, err := stream.Recv(); status.Code(err) != codes.Unavailable || !strings.Contains(err.Error(), "kafka is away") {
		t.Errorf("err = %v", err)
	}
	again, err := ingestv1.NewIngestServiceClient(b.conn).Push(b.as)
	if err != nil {
		t.Fatal(err)
	}
	if err := again.CloseSend(); err != nil {
		t.Fatal(err)
	}
	if _, err := again.Recv(); !errors.Is(err, io.EOF) {
		t.Errorf("a stream without requests: %v", err)
	}
}

// Who reads slowly, or has gone, must not have the gateway hold what he has not taken.
func TestSlowReadersStopTheSource(t *testing.T) {
	b := start(t)
	ctx, cancel := context.WithCancel(b.as)
	stream, err := topicv1.NewMessageServiceClient(b.conn).FollowMessages(ctx, &topicv1.FollowMessagesRequest{Topic: "app"})
	if err != nil {
		t.Fatal(err)
	}
	if res, err := stream.Recv(); err != nil || res.GetMessages()[0].GetTopic() != "app" {
		t.Fatal(res, err)
	}
	last := -1
	for end := time.Now().Add(20 * time.Second); last != b.behind.sends(); time.Sleep(300 * time.Millisecond) {
		if last = b.behind.sends(); time.Now().After(end) {
			t.Fatal("nobody reads, and it is still sent")
		}
	}
	if last > 200 { // 20 MiB; windows of two connections are far less
		t.Errorf("%d messages of 100 KiB are held for who does not read", last)
	}
	cancel()
	for end := time.Now().Add(20 * time.Second); len(b.guard.notes()) == 0; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the call goes on without its caller")
		}
	}
	stream, err = topicv1.NewMessageServiceClient(b.conn).FollowMessages(b.as, &topicv1.FollowMessagesRequest{Topic: "absent"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stream.Recv(); status.Code(err) != codes.NotFound {
		t.Errorf("err = %v", err)
	}
}
