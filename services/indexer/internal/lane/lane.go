// Package lane carries the records of one partition to their sinks, in order,
// and knows which offset is safe to commit.
package lane

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	indexv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/index/v1"
	"github.com/weirflow/weirflow/services/indexer/internal/bulk"
	"github.com/weirflow/weirflow/services/indexer/internal/sink"
)

// Sinks knows the sinks that there are.
type Sinks interface {
	// Lookup finds the sink of a record; nil while it is not known yet.
	Lookup(job, name string) *sink.Sink
	// Sync returns when Lookup knows all sinks that there were at the call.
	Sync(ctx context.Context) error
	// Discarded hears of documents whose sink there is no more.
	Discarded(job, name string, documents int)
	// Overtaken hears of documents that a run of the job wrote when a later one
	// had begun to: that one writes them, too.
	Overtaken(job, name string, documents int)
}

// Options are what the service chooses of a lane.
type Options struct {
	// CheckpointInterval is how often sinks that flush on checkpoints are flushed.
	CheckpointInterval time.Duration
	// MaxBytes is what the lane may hold: from half of it on, sinks are flushed
	// whatever their statements say, for no more would come. 0: no bound.
	MaxBytes int64
	Sinks    Sinks
}

// Lane is the pipeline of one partition. One goroutine calls Offer, another Run.
type Lane struct {
	o     Options
	in    chan record
	bytes atomic.Int64
	safe  atomic.Int64 // offset behind the last record that is settled; -1 at first
}

type record struct {
	offset int64
	batch  bulk.Batch
}

// New makes a lane.
func New(o Options) *Lane {
	l := &Lane{o: o, in: make(chan record, 4096)}
	l.safe.Store(-1)
	return l
}

// Offer hands a record over. It returns false when the lane has no room for it.
func (l *Lane) Offer(offset int64, b bulk.Batch) bool {
	select {
	case l.in <- record{offset, b}:
		l.bytes.Add(int64(len(b.Body)))
		return true
	default:
		return false
	}
}

// Waiting is how many bytes of documents are in the lane.
func (l *Lane) Waiting() int64 { return l.bytes.Load() }

// Safe is the offset to commit: all records before it are settled. -1: none yet.
func (l *Lane) Safe() int64 { return l.safe.Load() }

// entry follows the actions of one record.
type entry struct {
	offset int64
	left   int
	bytes  int64
}

// gathering is what waits for the next bulk request of a sink.
type gathering struct {
	sink    *sink.Sink
	actions []bulk.Action
	bytes   int64
	since   time.Time
	sending bool
	latest  bulk.Run // of those that have written
}

// written is the end of a request.
type written struct {
	g       *gathering
	actions []bulk.Action
	err     error
}

// state is what Run knows; only its goroutine touches it.
type state struct {
	l       *Lane
	entries []entry // in the order of offsets; the first has number `first`
	first   int64
	sinks   map[string]*gathering
	results chan written
	sending int // requests under way
}

// stopWithin is how long requests that are under way may go on after the end.
const stopWithin = time.Second

// Run carries records until the context ends. Requests that are under way then
// get a moment to finish; records that are not settled stay uncommitted.
func (l *Lane) Run(ctx context.Context) {
	work, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(stopWithin, stop) })()
	st := &state{l: l, sinks: map[string]*gathering{}, results: make(chan written, 1)}
	tick := time.NewTicker(max(time.Millisecond, l.o.CheckpointInterval/4))
	defer tick.Stop()
	for ctx.Err() == nil {
		in := l.in
		if st.full() {
			in = nil
		}
		select {
		case <-ctx.Done():
		case r := <-in:
			st.take(ctx, r)
		case w := <-st.results:
			st.settled(w)
		case <-tick.C:
		}
		if ctx.Err() == nil {
			st.flushDue(work)
		}
	}
	for st.sending > 0 {
		st.settled(<-st.results)
	}
	st.giveBack()
}

// full reports whether a sink has more waiting than its next request can take,
// so that memory stays bounded while a store is slow.
func (s *state) full() bool {
	for _, g := range s.sinks {
		if g.sending && g.over() {
			return true
		}
	}
	return false
}

func (g *gathering) over() bool {
	spec := g.sink.Spec()
	return spec != nil && ((spec.GetBulkFlushMaxActions() > 0 && int64(len(g.actions)) >= spec.GetBulkFlushMaxActions()) ||
		g.bytes >= maxBytes(spec))
}

func maxBytes(spec *indexv1.Sink) int64 {
	const unbounded = 16 << 20 // what a request may have at most, whatever the statement says
	if n := spec.GetBulkFlushMaxBytes(); n > 0 && n < unbounded {
		return n
	}
	return unbounded
}

// take cuts a record into actions. It waits while it is open whether there is
// the record's sink; documents of one that is gone are discarded.
func (s *state) take(ctx context.Context, r record) {
	n := len(r.batch.Lengths)
	size := int64(len(r.batch.Body))
	if n == 0 { // nothing in it, or it could not be read
		s.leaveOut(r)
		return
	}
	g := s.gatheringOf(ctx, r.batch)
	if ctx.Err() != nil {
		return
	}
	if g == nil {
		s.l.o.Sinks.Discarded(r.batch.Job, r.batch.Sink, n)
		s.leaveOut(r)
		return
	}
	if run := r.batch.Run; run != (bulk.Run{}) {
		if run.Before(g.latest) {
			s.l.o.Sinks.Overtaken(r.batch.Job, r.batch.Sink, n)
			s.leaveOut(r)
			return
		}
		g.latest = run
	}
	number := s.first + int64(len(s.entries))
	if len(g.actions) == 0 {
		g.since = time.Now()
	}
	body := r.batch.Body
	for _, length := range r.batch.Lengths {
		g.actions = append(g.actions, bulk.Action{Lines: body[:length], Entry: number, ReplayOf: r.batch.ReplayOf})
		body = body[length:]
	}
	g.bytes += size
	g.sink.Stage().In(n)
	s.entries = append(s.entries, entry{offset: r.offset, left: n, bytes: size})
}

// leaveOut settles a record of which nothing is written.
func (s *state) leaveOut(r record) {
	s.entries = append(s.entries, entry{offset: r.offset, bytes: int64(len(r.batch.Body))})
	s.advance()
}

// gatheringOf finds what gathers for the sink of a batch; nil if there is no such
// sink, or the context has ended.
func (s *state) gatheringOf(ctx context.Context, b bulk.Batch) *gathering {
	key := b.Job + "/" + b.Sink
	if g := s.sinks[key]; g != nil {
		if g.sink.Spec() != nil {
			return g
		}
		// The job was deleted. One of the same name may have come since: it has a
		// sink of its own.
		s.drop(g)
		delete(s.sinks, key)
	}
	k := s.sinkOf(ctx, b)
	if k == nil {
		return nil
	}
	g := &gathering{sink: k}
	s.sinks[key] = g
	return g
}

// sinkOf waits until it is known whether there is the sink: it is announced
// before its first record is written, so once all announcements have been read,
// one that is not known is gone.
func (s *state) sinkOf(ctx context.Context, b bulk.Batch) *sink.Sink {
	for {
		if k := s.l.o.Sinks.Lookup(b.Job, b.Sink); k != nil {
			return k
		}
		err := s.l.o.Sinks.Sync(ctx)
		if k := s.l.o.Sinks.Lookup(b.Job, b.Sink); k != nil || err == nil {
			return k
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// drop settles what has been gathered for a sink that is gone.
func (s *state) drop(g *gathering) {
	g.sink.Stage().Filtered(len(g.actions))
	for _, a := range g.actions {
		s.entries[a.Entry-s.first].left--
	}
	g.actions, g.bytes = nil, 0
	s.advance()
}

// flushDue starts the requests whose time or size has come, one per sink at a
// time: the next must not overtake it.
func (s *state) flushDue(ctx context.Context) {
	pressed := s.l.o.MaxBytes > 0 && s.l.Waiting() >= s.l.o.MaxBytes/2
	for _, g := range s.sinks {
		if g.sending || len(g.actions) == 0 || (!pressed && !g.due(s.l.o.CheckpointInterval)) {
			continue
		}
		actions := g.cut()
		g.sending = true
		s.sending++
		go func() { s.results <- written{g, actions, g.sink.Write(ctx, actions)} }()
	}
}

func (g *gathering) due(checkpoint time.Duration) bool {
	spec := g.sink.Spec()
	if spec == nil || g.over() {
		return true
	}
	wait := time.Duration(spec.GetBulkFlushIntervalMillis()) * time.Millisecond
	if spec.GetFlushOnCheckpoint() && (wait <= 0 || wait > checkpoint) {
		wait = checkpoint
	}
	return wait > 0 && time.Since(g.since) >= wait
}

// cut takes what the next request may carry.
func (g *gathering) cut() []bulk.Action {
	n, size := len(g.actions), int64(0)
	if spec := g.sink.Spec(); spec != nil {
		if m := spec.GetBulkFlushMaxActions(); m > 0 {
			n = min(n, int(m))
		}
		limit := maxBytes(spec)
		for i, a := range g.actions[:n] {
			if size += int64(len(a.Lines)); size > limit && i > 0 {
				n = i
				break
			}
		}
	}
	out := g.actions[:n:n]
	if g.actions = g.actions[n:]; len(g.actions) == 0 {
		g.actions = nil // what comes next must not share memory with what is being sent
	}
	for _, a := range out {
		g.bytes -= int64(len(a.Lines))
	}
	return out
}

// settled counts down the records of a request's actions, unless it was broken off.
func (s *state) settled(w written) {
	w.g.sending = false
	s.sending--
	if w.err != nil && !errors.Is(w.err, sink.ErrDeleted) {
		return
	}
	for _, a := range w.actions {
		s.entries[a.Entry-s.first].left--
	}
	s.advance()
}

// advance moves the safe offset over the records that are settled.
func (s *state) advance() {
	n := 0
	for n < len(s.entries) && s.entries[n].left == 0 {
		s.l.bytes.Add(-s.entries[n].bytes)
		n++
	}
	if n > 0 {
		s.l.safe.Store(s.entries[n-1].offset + 1)
		s.entries = s.entries[n:]
		s.first += int64(n)
	}
}

// giveBack takes what was not sent out of the ledger: another lane will read it again.
func (s *state) giveBack() {
	for _, g := range s.sinks {
		if len(g.actions) > 0 {
			g.sink.Stage().Returned(len(g.actions))
		}
	}
}
