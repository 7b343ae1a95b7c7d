package agent_test

import (
	"context"
	"errors"
	"io"
	"net"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"

	agentv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/agent/v1"
	eventv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/event/v1"
	ingestv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/ingest/v1"
	"github.com/weirflow/weirflow/services/agent"
	"github.com/weirflow/weirflow/services/platform/event"
)

// sink is an ingest service that keeps what it is sent, or only counts it.
type sink struct {
	ingestv1.UnimplementedIngestServiceServer
	keep bool
	// mute makes it take batches without acknowledging them.
	mute bool
	// rejectFirst refuses the first event of each batch.
	rejectFirst bool
	// delay makes it slow.
	delay time.Duration

	mu      sync.Mutex
	events  []sunk
	reports []*agentv1.Agent
	count   int
	client  *ingestv1.Client
	server  *grpc.Server
	addr    string
}

// sunk is an event as ingest sees it.
type sunk struct {
	agent, file, path, topic, key string
	offset                        int64
	item                          string
	json                          bool
}

// id is what the event-id header would be.
func (e sunk) id() string { return string(event.AppendID(nil, e.agent, e.file, e.offset)) }

func startSink(t testing.TB, s *sink, addr string) *sink {
	t.Helper()
	l, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	s.addr = l.Addr().String()
	s.server = grpc.NewServer(grpc.MaxRecvMsgSize(64 << 20))
	ingestv1.RegisterIngestServiceServer(s.server, s)
	go func() { _ = s.server.Serve(l) }()
	t.Cleanup(s.server.Stop)
	return s
}

func (s *sink) Push(stream grpc.BidiStreamingServer[ingestv1.PushRequest, ingestv1.PushResponse]) error {
	sources := map[uint32]*eventv1.Source{}
	for {
		req, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if c := req.GetClient(); c != nil {
			s.mu.Lock()
			s.client = c
			s.mu.Unlock()
			if err := stream.Send(&ingestv1.PushResponse{Window: 16}); err != nil {
				return err
			}
			continue
		}
		if r := req.GetReport(); r != nil {
			s.mu.Lock()
			s.reports = append(s.reports, r)
			s.mu.Unlock()
			continue
		}
		b := req.GetBatch()
		for _, src := range b.GetSources() {
			sources[src.GetId()] = src
		}
		time.Sleep(s.delay)
		n := s.take(b, sources)
		if s.mute {
			continue
		}
		res := &ingestv1.PushResponse{Sequence: b.GetSequence(), Window: 16, Accepted: uint32(n)}
		if s.rejectFirst {
			res.Rejections = []*ingestv1.Rejection{{Group: 0, First: 0, Count: 1, Reason: "too strange"}}
		}
		if err := stream.Send(res); err != nil {
			return err
		}
	}
}

func (s *sink) take(b *eventv1.EventBatch, sources map[uint32]*eventv1.Source) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, g := range b.GetGroups() {
		n += len(g.GetLengths())
		if !s.keep {
			continue
		}
		src := sources[g.GetSourceId()]
		var at int
		var off int64
		for i, l := range g.GetLengths() {
			off += g.GetOffsets()[i]
			s.events = append(s.events, sunk{
				agent: src.GetAgentId(), file: src.GetFileId(), path: src.GetPath(), topic: src.GetTopic(), key: string(g.GetKey()),
				offset: off, item: string(g.GetPayload()[at : at+int(l)]), json: g.GetEncoding() == eventv1.Encoding_ENCODING_JSON,
			})
			at += int(l)
		}
	}
	s.count += n
	return n
}

func (s *sink) len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.count
}

func (s *sink) all() []sunk {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]sunk(nil), s.events...)
}

// startAgent runs an agent in this process; the function that it returns stops it.
func startAgent(t *testing.T, dir, config string) (stop func()) {
	t.Helper()
	deps, err := testDeps(io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	cfg := agent.DefaultConfig()
	cfg.Files, cfg.Documents = nil, []agent.Document{{Name: "filebeat.yml", Text: []byte(config)}}
	cfg.PathData = filepath.Join(dir, "data")
	return runAgent(t, cfg, deps)
}

func runAgent(t *testing.T, cfg agent.Config, deps agent.Deps) (stop func()) {
	t.Helper()
	s, err := agent.New(cfg, deps)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		err := s.Run(ctx)
		if err != nil {
			t.Errorf("run: %v", err)
		}
		done <- nil
	}()
	return func() {
		t.Helper()
		cancel()
		select {
		case err := <-done:
			if err != nil {
				t.Error(err)
			}
		case <-time.After(10 * time.Second):
			t.Fatal("the agent does not stop")
		}
	}
}
