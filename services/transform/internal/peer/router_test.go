package peer

import (
	"context"
	"log/slog"
	"net"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	statusv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/status/v1"
)

// slow answers when it is told to, but for calls with a time limit.
type slow struct {
	statusv1.UnimplementedStatusServiceServer
	asked, answer chan struct{}
}

func (s slow) GetStatus(ctx context.Context, _ *statusv1.GetStatusRequest) (*statusv1.GetStatusResponse, error) {
	s.asked <- struct{}{}
	answer := s.answer
	if _, limited := ctx.Deadline(); limited {
		answer = nil // it is for the other call
	}
	select {
	case <-answer:
		return &statusv1.GetStatusResponse{}, nil
	case <-ctx.Done(): // the end of a call may be noticed here before it is there
		return nil, status.FromContextError(ctx.Err()).Err()
	}
}

func serve(t *testing.T, address string, impl statusv1.StatusServiceServer) (*grpc.Server, string) {
	t.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	g := grpc.NewServer()
	statusv1.RegisterStatusServiceServer(g, impl)
	go func() { _ = g.Serve(l) }()
	t.Cleanup(g.Stop)
	return g, l.Addr().String()
}

// TestOtherCallsOutliveOneThatFails has two calls to an instance under way, of which
// one gets no answer in time.
func TestOtherCallsOutliveOneThatFails(t *testing.T) {
	s := slow{asked: make(chan struct{}, 2), answer: make(chan struct{}, 1)}
	g, address := serve(t, "127.0.0.1:0", s)
	r := New(Config{Self: "here", Logger: slog.New(slog.DiscardHandler), Dial: func(a string) (*grpc.ClientConn, error) {
		return grpc.NewClient(a, grpc.WithTransportCredentials(insecure.NewCredentials()))
	}}, nil, nil)
	defer r.Close()
	x := Instance{Name: "there", Address: address}
	const method = statusv1.StatusService_GetStatus_FullMethodName
	other := make(chan error, 1)
	go func() {
		_, err := r.call(t.Context(), x, method, &statusv1.GetStatusRequest{})
		other <- err
	}()
	<-s.asked
	short, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := r.call(short, x, method, &statusv1.GetStatusRequest{}); status.Code(err) != codes.DeadlineExceeded {
		t.Errorf("the call without an answer: %v", err)
	}
	r.retry(address)
	s.answer <- struct{}{}
	if err := <-other; err != nil {
		t.Errorf("the other call: %v", err)
	}

	// An instance that comes again at its address is reached at once.
	g.Stop()
	for range 5 { // gRPC now waits for longer and longer
		_, _ = r.call(t.Context(), x, method, &statusv1.GetStatusRequest{})
		r.retry(address)
		time.Sleep(20 * time.Millisecond)
	}
	again := slow{asked: make(chan struct{}, 100), answer: make(chan struct{})}
	close(again.answer)
	serve(t, address, again)
	for deadline := time.Now().Add(900 * time.Millisecond); ; time.Sleep(10 * time.Millisecond) {
		_, err := r.call(t.Context(), x, method, &statusv1.GetStatusRequest{})
		if err == nil {
			return
		}
		r.retry(address)
		if time.Now().After(deadline) {
			t.Fatalf("the instance that came again: %v", err)
		}
	}
}
