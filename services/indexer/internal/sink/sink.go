package sink

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	indexv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/index/v1"
	"github.com/weirflow/weirflow/services/indexer/internal/bulk"
	"github.com/weirflow/weirflow/services/platform/ledger"
)

// ErrDeleted ends the writing of a sink whose job was deleted.
var ErrDeleted = errors.New("the job was deleted")

// Reporter hears what is to be known outside: states and dead letters.
type Reporter interface {
	// State tells where the sink stands.
	State(spec *indexv1.Sink, state indexv1.SinkState, item bulk.Item)
	// SetAside keeps a document that the store refused. It returns when it is kept.
	SetAside(ctx context.Context, spec *indexv1.Sink, a bulk.Action, item bulk.Item) error
}

// Sink writes the actions of one job's table.
type Sink struct {
	log    *slog.Logger
	report Reporter
	stage  *ledger.Stage

	mu      sync.Mutex
	spec    *indexv1.Sink // nil when deleted
	own     Store
	client  *Client
	changed chan struct{}

	written, setAside atomic.Uint64
	// spare are buffers of earlier requests: a request is megabytes long.
	spare sync.Pool
}

// New makes a sink of its record.
func New(spec *indexv1.Sink, own Store, log *slog.Logger, r Reporter, stage *ledger.Stage) *Sink {
	return &Sink{spec: spec, own: own, log: log, report: r, stage: stage, changed: make(chan struct{})}
}

// Update takes a new record, or nil for deletion.
func (s *Sink) Update(spec *indexv1.Sink) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.spec = spec
	if s.client != nil {
		s.client.Close()
		s.client = nil
	}
	close(s.changed)
	s.changed = make(chan struct{})
}

// Spec returns the record, nil when the job was deleted.
func (s *Sink) Spec() *indexv1.Sink {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.spec
}

// Stage is the sink's line in the ledger.
func (s *Sink) Stage() *ledger.Stage { return s.stage }

// Counts returns how many documents were written and set aside.
func (s *Sink) Counts() (written, setAside uint64) { return s.written.Load(), s.setAside.Load() }

func (s *Sink) current() (*indexv1.Sink, *Client, <-chan struct{}, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.spec == nil {
		return nil, nil, s.changed, ErrDeleted
	}
	if s.client == nil {
		c, err := NewClient(s.spec, s.own)
		if err != nil {
			return s.spec, nil, s.changed, err
		}
		s.client = c
	}
	return s.spec, s.client, s.changed, nil
}

// Write carries the actions out, in order for each document, and returns when
// each is done or set aside, or with an error when the context ends or the job
// was deleted. While the store does not answer, or after a refusal that the
// statement does not allow for, it waits.
func (s *Sink) Write(ctx context.Context, actions []bulk.Action) error {
	w := s.begin(actions)
	defer s.end(w)
	for len(w.left) > 0 {
		spec, client, changed, err := s.current()
		if errors.Is(err, ErrDeleted) {
			s.stage.Filtered(len(w.left))
			return err
		}
		wait := time.Duration(0)
		if err == nil {
			wait, err = w.attempt(ctx, spec, client)
		} else {
			wait = w.unreachable(spec, err)
		}
		if ctx.Err() != nil {
			s.stage.Returned(len(w.left))
			return ctx.Err()
		}
		if refused, ok := errors.AsType[*refusal](err); ok {
			s.log.Error("the store refused a document; the job stops", "job", spec.GetJob(), "sink", spec.GetSink(),
				"type", refused.item.Type, "reason", refused.item.Reason)
			s.report.State(spec, indexv1.SinkState_SINK_STATE_FAILED, refused.item)
			w.troubled = true
			wait = -1
		}
		if !sleep(ctx, wait, changed) {
			s.stage.Returned(len(w.left))
			return ctx.Err()
		}
	}
	return nil
}

func (s *Sink) begin(actions []bulk.Action) *writing {
	w, ok := s.spare.Get().(*writing)
	if !ok {
		w = &writing{s: s}
	}
	w.left, w.tries, w.troubled, w.limit = actions, 0, false, 0
	return w
}

func (s *Sink) end(w *writing) {
	w.left = nil
	s.spare.Put(w)
}

// sleep waits for d, for ever if it is negative, or until the sink changes.
func sleep(ctx context.Context, d time.Duration, changed <-chan struct{}) bool {
	if d == 0 {
		return ctx.Err() == nil
	}
	var timer <-chan time.Time
	if d > 0 {
		timer = time.After(d)
	}
	select {
	case <-ctx.Done():
		return false
	case <-changed:
	case <-timer:
	}
	return true
}

// refusal is a document for which the sink must stop.
type refusal struct{ item bulk.Item }

func (r *refusal) Error() string { return r.item.Type + ": " + r.item.Reason }

// writing is one call of Write.
type writing struct {
	s        *Sink
	left     []bulk.Action
	body     []byte
	answer   bytes.Buffer
	tries    int // in a row without an answer or with refusals for load
	troubled bool
	limit    int // actions in one request after a 413; 0: all
}

// attempt sends what is left once. It returns how long to wait before the next.
func (w *writing) attempt(ctx context.Context, spec *indexv1.Sink, c *Client) (time.Duration, error) {
	n := len(w.left)
	if w.limit > 0 {
		n = min(n, w.limit)
	}
	w.body = bulk.Body(w.body[:0], w.left[:n])
	items, err := c.Bulk(ctx, w.body, n, &w.answer)
	switch {
	case ctx.Err() != nil:
		return 0, ctx.Err()
	case err == nil:
		w.recovered(spec)
		return w.settle(ctx, spec, n, items)
	case TooLarge(err) && n > 1:
		w.limit = n / 2
		return 0, nil
	case TooLarge(err), Malformed(err) && n == 1:
		return w.settle(ctx, spec, 1, []bulk.Item{{Status: 400, Type: "request_refused", Reason: err.Error()}})
	case Malformed(err):
		w.limit = n / 2 // find the action that the store can't read
		return 0, nil
	default:
		return w.unreachable(spec, err), nil
	}
}

// unreachable notes that the store did not answer, once, and returns how long to wait.
func (w *writing) unreachable(spec *indexv1.Sink, err error) time.Duration {
	if !w.troubled {
		w.troubled = true
		w.s.log.Warn("the store does not take documents; trying on", "job", spec.GetJob(), "sink", spec.GetSink(), "error", err)
		w.s.report.State(spec, indexv1.SinkState_SINK_STATE_RETRYING, bulk.Item{Type: "unreachable", Reason: err.Error()})
	}
	w.tries++
	return backoff(w.tries, 200*time.Millisecond, 10*time.Second)
}

func (w *writing) recovered(spec *indexv1.Sink) {
	if w.troubled {
		w.troubled = false
		w.s.log.Info("the store takes documents again", "job", spec.GetJob(), "sink", spec.GetSink())
		w.s.report.State(spec, indexv1.SinkState_SINK_STATE_RUNNING, bulk.Item{})
	}
}

// settle goes through the answers to the first n actions and keeps what is to
// be tried again at the head of what is left, in order.
func (w *writing) settle(ctx context.Context, spec *indexv1.Sink, n int, items []bulk.Item) (time.Duration, error) {
	if items == nil {
		w.done(n)
		w.left, w.tries = w.left[n:], 0
		return 0, nil
	}
	done := map[string]int{} // last action on a document that was carried out
	for i, it := range items {
		if it.OK() {
			done[string(w.left[i].Target())] = i
		}
	}
	var again []bulk.Action
	var stop error
	for i, it := range items {
		a := w.left[i]
		later, superseded := done[string(a.Target())]
		switch {
		case it.OK(), superseded && later > i && a.HasID():
			w.done(1) // a later action on the document stands: this one must not undo it
		case stop != nil:
			again = append(again, a)
		case it.Busy() && w.mayRetry(spec):
			again = append(again, a)
		case spec.GetFailureHandler() == indexv1.FailureHandler_FAILURE_HANDLER_IGNORE:
			if err := w.s.report.SetAside(ctx, spec, a, it); err != nil {
				stop = err
				again = append(again, a)
				continue
			}
			w.s.setAside.Add(1)
			w.s.stage.DeadLettered(1)
		default:
			stop = &refusal{it}
			again = append(again, a)
		}
	}
	w.left = append(again, w.left[n:]...)
	if len(again) == 0 {
		w.tries = 0
		return 0, nil
	}
	if _, refused := errors.AsType[*refusal](stop); refused {
		w.tries = 0
		return 0, stop
	}
	w.tries++
	if stop != nil { // a dead letter could not be kept: the store is well, and must not be pressed
		w.s.log.Warn("a document that the store refused can't be set aside; trying on", "job", spec.GetJob(), "sink", spec.GetSink(), "error", stop)
		return backoff(w.tries, 200*time.Millisecond, 10*time.Second), nil
	}
	return w.pause(spec), nil
}

func (w *writing) done(n int) {
	w.s.written.Add(uint64(n))
	w.s.stage.Out(n)
}

// mayRetry reports whether a refusal for load is tried again. It is, for ever,
// unless the statement bounds it: load passes, and a failed job would only send
// the same again.
func (w *writing) mayRetry(spec *indexv1.Sink) bool {
	bounded := spec.GetBackoffStrategy() >= indexv1.BackoffStrategy_BACKOFF_STRATEGY_CONSTANT && spec.GetBackoffMaxRetries() > 0
	return !bounded || spec.GetFailureHandler() == indexv1.FailureHandler_FAILURE_HANDLER_RETRY_REJECTED || int64(w.tries) < spec.GetBackoffMaxRetries()
}

func (w *writing) pause(spec *indexv1.Sink) time.Duration {
	delay := time.Duration(spec.GetBackoffDelayMillis()) * time.Millisecond
	switch {
	case delay <= 0:
		return backoff(w.tries, 50*time.Millisecond, 5*time.Second)
	case spec.GetBackoffStrategy() == indexv1.BackoffStrategy_BACKOFF_STRATEGY_CONSTANT:
		return delay
	default:
		return backoff(w.tries, delay, time.Minute)
	}
}

// backoff doubles from base to limit, with jitter so that sinks do not meet.
func backoff(try int, base, limit time.Duration) time.Duration {
	d := min(limit, base<<min(try-1, 16))
	return d/2 + rand.N(d/2+1) //nolint:gosec // jitter needs no secrecy
}
