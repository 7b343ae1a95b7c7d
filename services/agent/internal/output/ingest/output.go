// Package ingest sends events to the ingest service over one gRPC stream.
//
// Batches are sent in order and kept until they are acknowledged, at most a
// window of them. When the stream ends, a new one is opened after a while and
// what is not acknowledged is sent again: with the numbers of the new stream,
// but with the same files and offsets, by which the other side recognises it.
package ingest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"google.golang.org/grpc"

	agentv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/agent/v1"
	ingestv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/ingest/v1"
	"github.com/weirflow/weirflow/services/agent/internal/pipeline"
)

// defaultWindow holds until ingest says how many batches it takes.
const defaultWindow = 16

// farewellWithin bounds how long an agent's end waits for its last report.
const farewellWithin = time.Second

// Options are the settings of the output.
type Options struct {
	Hosts []string
	// Dial connects to one of the hosts.
	Dial   func(host string) (*grpc.ClientConn, error)
	Client *ingestv1.Client
	// Window bounds the unacknowledged batches; 0: what ingest says.
	Window                 int
	BackoffMin, BackoffMax time.Duration
	Log                    *slog.Logger
	// State is told when the connection comes and goes; the reason is empty when
	// it is there.
	State func(reason string)
}

// Output is the connection to ingest.
type Output struct {
	o      Options
	cancel context.CancelFunc
	done   chan struct{}

	mu      sync.Mutex
	queue   []*flight      // unacknowledged, in order
	window  int            // of queue
	report  *agentv1.Agent // the last one that was not sent
	changed chan struct{}  // closed and replaced when queue, window or report change

	refusedSaid time.Time
}

// flight is a batch under way.
type flight struct {
	batch   *pipeline.Batch
	session uint64 // on which it was sent last; 0: never
}

// New starts an output; it connects in the background.
func New(ctx context.Context, o Options) *Output {
	ctx, cancel := context.WithCancel(ctx)
	out := &Output{o: o, cancel: cancel, done: make(chan struct{}), window: defaultWindow, changed: make(chan struct{})}
	if o.Window > 0 {
		out.window = o.Window
	}
	go out.run(ctx)
	return out
}

// Send implements pipeline.Output.
func (out *Output) Send(ctx context.Context, b *pipeline.Batch) error {
	for {
		out.mu.Lock()
		if len(out.queue) < out.window {
			out.queue = append(out.queue, &flight{batch: b})
			out.signal()
			out.mu.Unlock()
			return nil
		}
		changed := out.changed
		out.mu.Unlock()
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-changed:
		}
	}
}

// Report sends how far files are read, on the stream of the events. Of reports that
// can't be sent now, only the last counts.
func (out *Output) Report(a *agentv1.Agent) {
	out.mu.Lock()
	out.report = a
	out.signal()
	out.mu.Unlock()
}

// Farewell sends a last report when no stream is there any more, if that is quickly done.
func (out *Output) Farewell(ctx context.Context, a *agentv1.Agent) error {
	ctx, cancel := context.WithTimeout(ctx, farewellWithin)
	defer cancel()
	conn, err := out.o.Dial(out.o.Hosts[0])
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	stream, err := ingestv1.NewIngestServiceClient(conn).Push(ctx)
	if err != nil {
		return fmt.Errorf("open stream: %w", err)
	}
	if err := errors.Join(stream.Send(&ingestv1.PushRequest{Message: &ingestv1.PushRequest_Report{Report: a}}), stream.CloseSend()); err != nil {
		return fmt.Errorf("send: %w", err)
	}
	for err == nil {
		_, err = stream.Recv()
	}
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// signal wakes those who wait for a change; the lock is held.
func (out *Output) signal() {
	close(out.changed)
	out.changed = make(chan struct{})
}

// Close implements pipeline.Output.
func (out *Output) Close() error {
	out.cancel()
	<-out.done
	return nil
}

// run keeps a stream open as long as the context lives.
func (out *Output) run(ctx context.Context) {
	defer close(out.done)
	wait, said := out.o.BackoffMin, false
	for number := uint64(1); ; number++ {
		host := out.o.Hosts[int(number-1)%len(out.o.Hosts)]
		worked, err := out.session(ctx, number, host, func() {
			if said {
				out.o.Log.Info("ingest is there again", "host", host)
			}
			said = false
			out.o.State("")
		})
		if ctx.Err() != nil {
			return
		}
		if worked {
			wait = out.o.BackoffMin
		}
		if err == nil { // ended on purpose: a new stream at once
			continue
		}
		if !said {
			said = true
			out.o.Log.Warn("ingest can't be reached; events are kept and it is tried again until it answers", "host", host, "error", err)
			out.o.State(err.Error())
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait/2 + rand.N(wait/2+1)): //nolint:gosec // jitter
		}
		wait = min(2*wait, out.o.BackoffMax)
	}
}

// session opens a stream and sends on it until it ends.
func (out *Output) session(ctx context.Context, number uint64, host string, up func()) (worked bool, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	conn, err := out.o.Dial(host)
	if err != nil {
		return false, err
	}
	defer func() { _ = conn.Close() }()
	stream, err := ingestv1.NewIngestServiceClient(conn).Push(ctx)
	if err != nil {
		return false, fmt.Errorf("open stream: %w", err)
	}
	if err := stream.Send(&ingestv1.PushRequest{Message: &ingestv1.PushRequest_Client{Client: out.o.Client}}); err != nil {
		return false, streamError(stream, err)
	}
	hello, err := stream.Recv()
	if err != nil {
		return false, fmt.Errorf("wait for ingest: %w", err)
	}
	s := &session{out: out, number: number, stream: stream, flights: map[uint64]*flight{}, sources: map[*pipeline.Source]uint32{}}
	s.setWindow(hello.GetWindow())
	up()
	received := make(chan error, 1)
	go func() {
		received <- s.receive()
		cancel()
	}()
	err = s.send(ctx)
	cancel()
	if e := <-received; err != nil && e != nil {
		err = e
	}
	return true, err
}

// streamError gets the reason why a stream ended, which Send does not tell.
func streamError(stream grpc.BidiStreamingClient[ingestv1.PushRequest, ingestv1.PushResponse], err error) error {
	if _, why := stream.Recv(); why != nil {
		err = why
	}
	return fmt.Errorf("send: %w", err)
}

// acknowledged takes a batch out of the queue.
func (out *Output) acknowledged(f *flight, refused int) {
	out.mu.Lock()
	if i := slices.Index(out.queue, f); i >= 0 {
		out.queue = slices.Delete(out.queue, i, i+1)
	}
	out.signal()
	out.mu.Unlock()
	f.batch.Ack(refused)
}

// refused says now and then that events were refused.
func (out *Output) refused(n int, reason string) {
	if time.Since(out.refusedSaid) < time.Minute {
		return
	}
	out.refusedSaid = time.Now()
	out.o.Log.Warn("ingest has refused events; they are counted as dead letters", "events", n, "reason", reason)
}
