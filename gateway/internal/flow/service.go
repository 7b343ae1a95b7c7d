package flow

import (
	"context"
	"sync"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	flowv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/flow/v1"
)

const (
	// every is how often a picture is made while somebody watches.
	every = time.Second
	// fresh is for how long a picture is shown again to who asks once.
	fresh = every / 2
	// window is over which rates are taken.
	window = 10 * time.Second
	// maxWatchers bounds those who watch at once.
	maxWatchers = 1000
)

// Service answers FlowService.
type Service struct {
	flowv1.UnimplementedFlowServiceServer
	look func(context.Context) *Look
	now  func() time.Time

	mu       sync.Mutex
	rates    rates
	last     *flowv1.Flow
	watchers map[chan *flowv1.Flow]bool
	making   *making
	stop     context.CancelFunc
}

// making is a picture that is being made, for all who want one.
type making struct {
	done chan struct{}
	flow *flowv1.Flow
}

// New prepares a service; look asks the services.
func New(look func(context.Context) *Look, now func() time.Time) *Service {
	return &Service{look: look, now: now, watchers: make(map[chan *flowv1.Flow]bool), rates: rates{window: window}}
}

// GetFlow returns the picture of this moment.
func (s *Service) GetFlow(ctx context.Context, _ *flowv1.GetFlowRequest) (*flowv1.GetFlowResponse, error) {
	f, err := s.picture(ctx)
	return &flowv1.GetFlowResponse{Flow: f}, err
}

// picture returns one that is fresh; of several who want one at once, one makes it.
func (s *Service) picture(ctx context.Context) (*flowv1.Flow, error) {
	s.mu.Lock()
	if s.last != nil && s.now().Sub(s.last.GetAt().AsTime()) < fresh {
		defer s.mu.Unlock()
		return s.last, nil
	}
	m := s.making
	if m == nil {
		m = &making{done: make(chan struct{})}
		s.making = m
		go s.make(context.WithoutCancel(ctx), m)
	}
	s.mu.Unlock()
	select {
	case <-m.done:
		return m.flow, nil
	case <-ctx.Done():
		return nil, status.FromContextError(ctx.Err()).Err()
	}
}

func (s *Service) make(ctx context.Context, m *making) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	l := s.look(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	m.flow = draw(l)
	at := s.now()
	m.flow.At = timestamppb.New(at)
	s.rates.put(at, m.flow)
	s.last, s.making = m.flow, nil
	close(m.done)
}

// WatchFlow sends the picture each second.
func (s *Service) WatchFlow(_ *flowv1.WatchFlowRequest, stream flowv1.FlowService_WatchFlowServer) error {
	ctx := stream.Context()
	first, err := s.picture(ctx)
	if err != nil {
		return err
	}
	if err := stream.Send(&flowv1.WatchFlowResponse{Flow: first}); err != nil {
		return err
	}
	pictures, leave, err := s.watch(ctx)
	if err != nil {
		return err
	}
	defer leave()
	for {
		select {
		case <-ctx.Done():
			return status.FromContextError(ctx.Err()).Err()
		case f := <-pictures:
			if err := stream.Send(&flowv1.WatchFlowResponse{Flow: f}); err != nil {
				return err
			}
		}
	}
}

// watch adds a watcher; the first one starts the clock and the last one stops it. Who
// is slow misses pictures rather than keeping them.
func (s *Service) watch(ctx context.Context) (<-chan *flowv1.Flow, func(), error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.watchers) >= maxWatchers {
		return nil, nil, status.Errorf(codes.ResourceExhausted, "%d watch already", maxWatchers)
	}
	c := make(chan *flowv1.Flow, 1)
	s.watchers[c] = true
	if s.stop == nil {
		var clock context.Context
		clock, s.stop = context.WithCancel(context.WithoutCancel(ctx))
		go s.tick(clock)
	}
	return c, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.watchers, c)
		if len(s.watchers) == 0 {
			s.stop()
			s.stop = nil
		}
	}, nil
}

func (s *Service) tick(ctx context.Context) {
	t := time.NewTicker(every)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		f, err := s.picture(ctx)
		if err != nil {
			return
		}
		s.mu.Lock()
		for c := range s.watchers {
			select {
			case <-c: // one that was not taken is old now
			default:
			}
			c <- f
		}
		s.mu.Unlock()
	}
}
