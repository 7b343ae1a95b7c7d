package sdk_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	eventv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/event/v1"
	ingestv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/ingest/v1"
	sdk "github.com/weirflow/weirflow/proto/sdk/go"
)

// ingest keeps what it is sent; it refuses the first calls if it is told to.
type ingest struct {
	ingestv1.UnimplementedIngestServiceServer
	answer func(try int, b *eventv1.EventBatch) (*ingestv1.PushBatchResponse, error)

	mu      sync.Mutex
	batches []*eventv1.EventBatch
	tokens  []string
}

func (s *ingest) PushBatch(ctx context.Context, r *ingestv1.PushBatchRequest) (*ingestv1.PushBatchResponse, error) {
	md, _ := metadata.FromIncomingContext(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.batches = append(s.batches, r.GetBatch())
	s.tokens = append(s.tokens, strings.Join(md.Get("authorization"), ","))
	if s.answer == nil {
		return &ingestv1.PushBatchResponse{}, nil
	}
	return s.answer(len(s.batches), r.GetBatch())
}

// serve puts it on a port and returns a writer to it.
func serve(t *testing.T, s *ingest) *sdk.Writer {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g := grpc.NewServer(grpc.MaxRecvMsgSize(32 << 20))
	ingestv1.RegisterIngestServiceServer(g, s)
	done := make(chan error, 1)
	go func() { done <- g.Serve(l) }()
	conn, err := sdk.Dial(l.Addr().String(), sdk.Options{Token: "wf_token"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = conn.Close()
		g.Stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return sdk.NewWriter(conn, sdk.Source{Topic: "app", Agent: "test", Path: "/var/log/a.log", Envelope: `{"host":{"name":"web-1"}}`})
}

// event is what a receiver makes of an item.
type event struct {
	text         string
	offset, time int64
}

func decode(t *testing.T, b *eventv1.EventBatch) []event {
	t.Helper()
	if len(b.GetSources()) != 1 || len(b.GetGroups()) != 1 || b.GetGroups()[0].GetSourceId() != b.GetSources()[0].GetId() {
		t.Fatalf("batch %v", b)
	}
	g := b.GetGroups()[0]
	if len(g.GetLengths()) != len(g.GetOffsets()) || len(g.GetLengths()) != len(g.GetTimestamps()) {
		t.Fatalf("%d lengths, %d offsets, %d times", len(g.GetLengths()), len(g.GetOffsets()), len(g.GetTimestamps()))
	}
	var out []event
	payload, offset, at := g.GetPayload(), int64(0), int64(0)
	for i, n := range g.GetLengths() {
		offset += g.GetOffsets()[i]
		at += g.GetTimestamps()[i]
		out = append(out, event{string(payload[:n]), offset, at})
		payload = payload[n:]
	}
	if len(payload) > 0 {
		t.Errorf("%d bytes belong to no item", len(payload))
	}
	return out
}

func TestLinesBecomeEvents(t *testing.T) {
	s := &ingest{}
	w := serve(t, s)
	began := time.Now().UnixMilli()
	if err := w.Lines(t.Context(), "one", "", "drei ß"); err != nil {
		t.Fatal(err)
	}
	if err := w.Events(t.Context(), `{"a":1}`); err != nil {
		t.Fatal(err)
	}
	if s.tokens[0] != "Bearer wf_token" {
		t.Errorf("token %q", s.tokens[0])
	}
	src := s.batches[0].GetSources()[0]
	if src.GetTopic() != "app" || src.GetAgentId() != "test" || src.GetPath() != "/var/log/a.log" || src.GetEnvelopeJson() == "" || src.GetFileId() == "" {
		t.Errorf("source %v", src)
	}
	got := decode(t, s.batches[0])
	for i, want := range []string{"one", "", "drei ß"} {
		if got[i].text != want || got[i].offset != int64(i) || got[i].time < began || got[i].time > time.Now().UnixMilli() {
			t.Errorf("event %d: %+v", i, got[i])
		}
	}
	last := decode(t, s.batches[1])
	if last[0].offset != 3 || s.batches[1].GetGroups()[0].GetEncoding() != eventv1.Encoding_ENCODING_JSON || s.batches[1].GetSources()[0].GetFileId() != src.GetFileId() {
		t.Errorf("the second call goes on at %+v", last)
	}
}

// What is sent again must be what was sent: otherwise an event would be there twice.
func TestSentAgainWithTheSameIdentity(t *testing.T) {
	s := &ingest{answer: func(try int, _ *eventv1.EventBatch) (*ingestv1.PushBatchResponse, error) {
		if try < 3 {
			return nil, status.Error(codes.Unavailable, "kafka does not answer")
		}
		return &ingestv1.PushBatchResponse{}, nil
	}}
	if err := serve(t, s).Lines(t.Context(), "one", "two"); err != nil {
		t.Fatal(err)
	}
	if len(s.batches) != 3 || !proto.Equal(s.batches[0], s.batches[1]) || !proto.Equal(s.batches[0], s.batches[2]) {
		t.Errorf("%d batches: %v", len(s.batches), s.batches)
	}
}

func TestErrorsAreTold(t *testing.T) {
	refuse := &ingest{answer: func(int, *eventv1.EventBatch) (*ingestv1.PushBatchResponse, error) {
		return nil, status.Error(codes.PermissionDenied, "this needs the role operator")
	}}
	if err := serve(t, refuse).Lines(t.Context(), "x"); status.Code(errors.Unwrap(err)) != codes.PermissionDenied || len(refuse.batches) != 1 {
		t.Errorf("%v after %d tries", err, len(refuse.batches))
	}
	away := &ingest{answer: func(int, *eventv1.EventBatch) (*ingestv1.PushBatchResponse, error) {
		return nil, status.Error(codes.Unavailable, "kafka does not answer")
	}}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if err := serve(t, away).Lines(ctx, "x"); err == nil {
		t.Error("a call whose context ended says that all was written")
	}
	some := &ingest{answer: func(_ int, b *eventv1.EventBatch) (*ingestv1.PushBatchResponse, error) {
		return &ingestv1.PushBatchResponse{Rejections: []*ingestv1.Rejection{{Count: 1, Reason: "not a JSON document"}}}, nil
	}}
	err := serve(t, some).Events(t.Context(), make([]string, 4500)...)
	if r, ok := errors.AsType[*sdk.Rejected](err); !ok || r.Count != 3 || !strings.Contains(err.Error(), "not a JSON document") {
		t.Errorf("err = %v", err)
	}
}

func TestBatchesAreBounded(t *testing.T) {
	s := &ingest{}
	w := serve(t, s)
	long := strings.Repeat("x", 3<<20)
	items := append(strings.Split(strings.Repeat("a\n", 4999)+"a", "\n"), long, long, long)
	if err := w.Lines(t.Context(), items...); err != nil {
		t.Fatal(err)
	}
	var all []event
	for _, b := range s.batches {
		if n := proto.Size(b); n > 5<<20 {
			t.Errorf("a batch has %d bytes", n)
		}
		all = append(all, decode(t, b)...)
	}
	if len(all) != len(items) {
		t.Fatalf("%d events of %d", len(all), len(items))
	}
	for i, e := range all {
		if e.text != items[i] || e.offset != int64(i) {
			t.Fatalf("event %d is %.20q at %d", i, e.text, e.offset)
		}
	}
}

func TestSeveralMayWrite(t *testing.T) {
	s := &ingest{}
	w := serve(t, s)
	var writing sync.WaitGroup
	for range 20 {
		writing.Go(func() {
			if err := w.Lines(t.Context(), "a", "b"); err != nil {
				t.Error(err)
			}
		})
	}
	writing.Wait()
	seen := map[int64]bool{}
	for _, b := range s.batches {
		for _, e := range decode(t, b) {
			if seen[e.offset] {
				t.Errorf("two events have the offset %d", e.offset)
			}
			seen[e.offset] = true
		}
	}
}

func TestTokensDontTravelInTheOpen(t *testing.T) {
	for address, ok := range map[string]bool{
		"127.0.0.1:7070": true, "[::1]:7070": true, "localhost:7070": true, "weirflow.example:7070": false, "10.0.0.1:7070": false,
		"127.0.0.1.evil.example:7070": false, "passthrough:///10.0.0.1:7070": false,
	} {
		conn, err := sdk.Dial(address, sdk.Options{Token: "t"})
		if (err == nil) != ok {
			t.Errorf("%s: %v", address, err)
		}
		if err != nil && strings.Contains(err.Error(), `"t"`) {
			t.Error("the error has the token")
		}
		if conn != nil {
			_ = conn.Close()
		}
		conn, err = sdk.Dial(address, sdk.Options{Token: "t", InsecureToken: true})
		if err != nil {
			t.Errorf("%s, told to: %v", address, err)
			continue
		}
		_ = conn.Close()
	}
}
