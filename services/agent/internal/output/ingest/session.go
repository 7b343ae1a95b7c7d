package ingest

import (
	"context"
	"fmt"

	"google.golang.org/grpc"

	agentv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/agent/v1"
	eventv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/event/v1"
	ingestv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/ingest/v1"
	"github.com/weirflow/weirflow/services/agent/internal/pipeline"
)

// maxSources is how many sources a stream may declare before a new one is
// opened, so that neither side remembers sources for ever.
const maxSources = 10000

// session is one stream.
type session struct {
	out    *Output
	number uint64
	stream grpc.BidiStreamingClient[ingestv1.PushRequest, ingestv1.PushResponse]

	// Used by send only.
	sequence uint64
	sources  map[*pipeline.Source]uint32
	request  ingestv1.PushRequest
	batch    eventv1.EventBatch

	// Guarded by out.mu.
	flights map[uint64]*flight // by sequence
	window  int
}

func (s *session) setWindow(window uint32) {
	s.out.mu.Lock()
	defer s.out.mu.Unlock()
	if window == 0 || window > 1<<16 {
		return
	}
	s.window = int(window)
	if s.out.o.Window > 0 {
		s.window = min(s.window, s.out.o.Window)
	}
	s.out.window = s.window
	s.out.signal()
}

// send sends what is not yet sent on this stream, in order, as the window allows.
func (s *session) send(ctx context.Context) error {
	for {
		f, report, changed, renew := s.next()
		if report != nil {
			if err := s.stream.Send(&ingestv1.PushRequest{Message: &ingestv1.PushRequest_Report{Report: report}}); err != nil {
				return fmt.Errorf("send: %w", err)
			}
			continue
		}
		switch {
		case renew:
			return nil
		case f == nil:
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-changed:
			}
			continue
		}
		if err := s.push(f); err != nil {
			return err
		}
	}
}

// next finds a report or the first batch that is to be sent; else what to wait for.
func (s *session) next() (f *flight, report *agentv1.Agent, changed <-chan struct{}, renew bool) {
	s.out.mu.Lock()
	defer s.out.mu.Unlock()
	if report, s.out.report = s.out.report, nil; report != nil {
		return nil, report, nil, false
	}
	if len(s.sources) >= maxSources {
		return nil, nil, s.out.changed, len(s.flights) == 0
	}
	if len(s.flights) >= max(1, s.window) {
		return nil, nil, s.out.changed, false
	}
	for _, f := range s.out.queue {
		if f.session != s.number {
			f.session = s.number
			s.sequence++
			s.flights[s.sequence] = f
			return f, nil, nil, false
		}
	}
	return nil, nil, s.out.changed, false
}

func (s *session) push(f *flight) error {
	s.batch.Sequence, s.batch.Sources, s.batch.Groups = s.sequence, s.batch.Sources[:0], s.batch.Groups[:0]
	for _, g := range f.batch.Groups {
		id, ok := s.sources[g.Source]
		if !ok {
			id = uint32(len(s.sources) + 1)
			s.sources[g.Source] = id
			s.batch.Sources = append(s.batch.Sources, s.declare(id, g.Source))
		}
		g.PB.SourceId = id
		s.batch.Groups = append(s.batch.Groups, &g.PB)
	}
	s.request.Message = &ingestv1.PushRequest_Batch{Batch: &s.batch}
	if err := s.stream.Send(&s.request); err != nil {
		return fmt.Errorf("send: %w", err)
	}
	return nil
}

func (s *session) declare(id uint32, src *pipeline.Source) *eventv1.Source {
	return &eventv1.Source{
		Id: id, AgentId: s.out.o.Client.GetAgentId(), FileId: src.FileID, Path: src.Path, Topic: src.Topic,
		Beat: "filebeat", BeatVersion: s.out.o.Client.GetVersion(), EnvelopeJson: string(src.Envelope),
	}
}

// receive takes acknowledgements until the stream ends.
func (s *session) receive() error {
	for {
		res, err := s.stream.Recv()
		if err != nil {
			return fmt.Errorf("stream to ingest: %w", err)
		}
		s.setWindow(res.GetWindow())
		if res.GetSequence() == 0 {
			continue
		}
		s.out.mu.Lock()
		f := s.flights[res.GetSequence()]
		delete(s.flights, res.GetSequence())
		s.out.mu.Unlock()
		if f == nil {
			return fmt.Errorf("ingest acknowledged batch %d, which was not sent", res.GetSequence())
		}
		refused := 0
		for _, r := range res.GetRejections() {
			refused += int(r.GetCount())
			s.out.refused(int(r.GetCount()), r.GetReason())
		}
		s.out.acknowledged(f, min(refused, f.batch.Events))
	}
}
