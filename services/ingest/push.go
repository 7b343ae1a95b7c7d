package ingest

import (
	"context"
	"errors"
	"io"
	"sync"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	agentv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/agent/v1"
	eventv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/event/v1"
	ingestv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/ingest/v1"
	"github.com/weirflow/weirflow/services/ingest/internal/render"
	"github.com/weirflow/weirflow/services/ingest/internal/writer"
)

// pushServer answers IngestService.
type pushServer struct {
	ingestv1.UnimplementedIngestServiceServer
	cfg     Config
	writer  *writer.Writer
	metrics *metrics
	report  func(*agentv1.Agent)
	outputs sync.Pool
}

func (s *pushServer) output() *render.Output {
	o, ok := s.outputs.Get().(*render.Output)
	if !ok {
		o = &render.Output{}
	}
	return o
}

func (s *pushServer) release(o *render.Output) {
	if o.Large() {
		return
	}
	o.Reset()
	s.outputs.Put(o)
}

// write renders and produces one batch; answer is called once, from any goroutine.
func (s *pushServer) write(ctx context.Context, stream *render.Stream, b *eventv1.EventBatch, answer func(*ingestv1.PushResponse, error)) {
	out := s.output()
	stream.Batch(b, out)
	s.metrics.received(ctx, b, out)
	res := &ingestv1.PushResponse{Sequence: b.GetSequence(), Window: uint32(s.cfg.Window), Rejections: out.Rejections}
	accepted := out.Accepted
	s.writer.Write(ctx, out, func(err error, refused int) {
		s.release(out)
		res.Accepted = uint32(accepted - refused)
		answer(res, err)
	})
}

// PushBatch writes one batch and waits for Kafka.
func (s *pushServer) PushBatch(ctx context.Context, req *ingestv1.PushBatchRequest) (*ingestv1.PushBatchResponse, error) {
	if req.GetBatch() == nil {
		return nil, status.Error(codes.InvalidArgument, "batch is missing")
	}
	type answer struct {
		res *ingestv1.PushResponse
		err error
	}
	got := make(chan answer, 1)
	stream := render.NewStream(s.cfg.DefaultTopic, s.cfg.MaxEventBytes)
	s.write(ctx, stream, req.GetBatch(), func(res *ingestv1.PushResponse, err error) { got <- answer{res, err} })
	select {
	case a := <-got:
		if a.err != nil {
			return nil, status.Errorf(codes.Unavailable, "kafka did not take the batch: %v", a.err)
		}
		return &ingestv1.PushBatchResponse{Accepted: a.res.GetAccepted(), Rejections: a.res.GetRejections()}, nil
	case <-ctx.Done():
		return nil, status.FromContextError(ctx.Err()).Err()
	}
}

// Push takes batches as they come; answers go out in the order in which Kafka
// gives its own.
func (s *pushServer) Push(stream ingestv1.IngestService_PushServer) error {
	ctx, cancel := context.WithCancelCause(stream.Context())
	defer cancel(nil)
	s.metrics.streams.Add(ctx, 1)
	defer s.metrics.streams.Add(context.WithoutCancel(ctx), -1)
	if err := stream.Send(&ingestv1.PushResponse{Window: uint32(s.cfg.Window)}); err != nil {
		return err
	}
	// More answers than the window can't be waiting: a client that sends more is stopped.
	answers := make(chan *ingestv1.PushResponse, s.cfg.Window)
	slots := make(chan struct{}, s.cfg.Window)
	var sending sync.WaitGroup
	sending.Go(func() {
		for res := range answers {
			if err := stream.Send(res); err != nil {
				cancel(err)
			}
			<-slots
		}
	})
	err := s.receive(ctx, cancel, stream, answers, slots)
	for range s.cfg.Window { // until what is under way is answered
		slots <- struct{}{}
	}
	close(answers)
	sending.Wait()
	if cause := context.Cause(ctx); err == nil && cause != nil {
		return status.Errorf(codes.Unavailable, "kafka did not take a batch: %v", cause)
	}
	return err
}

func (s *pushServer) receive(ctx context.Context, cancel context.CancelCauseFunc, stream ingestv1.IngestService_PushServer,
	answers chan<- *ingestv1.PushResponse, slots chan struct{},
) error {
	renderer := render.NewStream(s.cfg.DefaultTopic, s.cfg.MaxEventBytes)
	for {
		req, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if r := req.GetReport(); r != nil {
			s.report(r)
			continue
		}
		b := req.GetBatch()
		if b == nil {
			continue // the client's introduction
		}
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
			return status.Errorf(codes.Unavailable, "stream ended: %v", context.Cause(ctx))
		}
		s.write(ctx, renderer, b, func(res *ingestv1.PushResponse, err error) {
			if err != nil {
				cancel(err)
				<-slots
				return
			}
			answers <- res
		})
		if err := context.Cause(ctx); err != nil {
			return status.Errorf(codes.Unavailable, "kafka did not take a batch: %v", err)
		}
	}
}
