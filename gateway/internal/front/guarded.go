package front

import (
	"context"
	"sync"

	"google.golang.org/grpc"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/protobuf/proto"
)

// guarded asks before each call whether it may be made, be it passed on or answered here.
type guarded struct{ guard Guard }

func (g guarded) unary(ctx context.Context, req any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
	if info.FullMethod == healthv1.Health_Check_FullMethodName { // who balances load has no token
		return next(ctx, req)
	}
	ctx, end, err := g.guard.Begin(ctx, info.FullMethod)
	if err != nil {
		return nil, err
	}
	res, err := next(ctx, req)
	first, _ := req.(proto.Message)
	end(first, err)
	return res, err
}

func (g guarded) stream(srv any, ss grpc.ServerStream, info *grpc.StreamServerInfo, next grpc.StreamHandler) error {
	ctx, end, err := g.guard.Begin(ss.Context(), info.FullMethod)
	if err != nil {
		return err
	}
	w := &watched{ServerStream: ss, ctx: ctx}
	err = next(srv, w)
	end(w.first(), err)
	return err
}

// watched is a stream that knows its caller, and remembers its first request.
type watched struct {
	grpc.ServerStream
	ctx context.Context

	mu   sync.Mutex // requests may be read while the call ends
	seen proto.Message
}

func (w *watched) first() proto.Message {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.seen
}

// Context is that of the call, with its caller.
func (w *watched) Context() context.Context { return w.ctx }

// RecvMsg reads a request.
func (w *watched) RecvMsg(m any) error {
	if err := w.ServerStream.RecvMsg(m); err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.seen == nil {
		w.seen, _ = m.(proto.Message)
	}
	return nil
}
