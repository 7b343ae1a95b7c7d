package checkpoint

import (
	"context"
	"iter"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	statev1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/state/v1"

	"github.com/weirflow/weirflow/services/transform/internal/operator"
)

const (
	// A sweep begins when the log is this many bytes more than twice what the last
	// sweep wrote, or has this many segments.
	sweepSlack    = 8 << 20
	sweepSegments = 128
	// sweepStep is how many bytes a sweep writes per checkpoint at least; as many
	// as changed, if that is more.
	sweepStep = 4 << 20
	// sweepBatch is how many entries are written before one looks how many bytes it was.
	sweepBatch = 64
)

// Keeper is what a log keeps: the graph of a job.
type Keeper interface {
	Snapshot(writer func(operator string) operator.StateWriter) error
	// Sweep writes all state; see operator.Keeper.
	Sweep(writer func(operator string) operator.StateWriter, more func() bool) (bool, error)
}

// Log writes the checkpoints of one run. Capture and Commit take turns.
type Log struct {
	store    *Store
	last     *statev1.Checkpoint
	delta    *Delta
	segments []*statev1.Segment
	bytes    int64 // of the segments
	base     int64 // of the last sweep
	pending  *Pending

	next     func() (bool, bool) // goes on with the sweep; nil while there is none
	stop     func()
	sweepErr error
	begun    int   // the segment where the sweep began
	written  int64 // by the sweep
}

// Pending is a checkpoint that has been captured and not yet committed.
type Pending struct {
	Checkpoint *statev1.Checkpoint
	Bytes      int64
	// Full says that the checkpoint held all state: the first, or the end of a sweep
	// that took one checkpoint.
	Full    bool
	began   time.Time
	segment *statev1.Segment
	chunks  [][]byte
	stored  bool
	dropped []*statev1.Segment
}

// NewLog goes on with the log of a store.
func NewLog(s *Store) *Log {
	l := &Log{store: s, last: s.Last(), delta: NewDelta()}
	l.segments = l.last.GetSegments()
	for i, g := range l.segments {
		l.bytes += g.GetBytes()
		if g.GetRound() {
			l.base = 0
			for _, b := range l.segments[:i+1] {
				l.base += b.GetSwept()
			}
		}
	}
	return l
}

// Last is the checkpoint that was committed last; nil when none was.
func (l *Log) Last() *statev1.Checkpoint { return l.last }

// Capture copies what changed since the last call, and goes on with the sweep. It
// is called where the state does not change meanwhile, and copies only: what takes
// time is left to Commit.
func (l *Log) Capture(k Keeper) (*Pending, error) {
	p := &Pending{began: time.Now(), Full: len(l.segments) == 0}
	l.delta.Reset()
	if err := k.Snapshot(l.delta.Writer); err != nil {
		return nil, err
	}
	if err := l.sweep(k); err != nil {
		return nil, err
	}
	p.Bytes = l.delta.Bytes
	p.Checkpoint = &statev1.Checkpoint{Id: l.last.GetId() + 1, At: timestamppb.Now()}
	l.pending = p
	return p, nil
}

// Bare begins a checkpoint of positions only; the state is as it was.
func (l *Log) Bare() *Pending {
	l.delta.Reset()
	l.pending = &Pending{began: time.Now(), Checkpoint: &statev1.Checkpoint{Id: l.last.GetId() + 1, At: timestamppb.Now()}}
	return l.pending
}

// sweep writes some of all entries, if the log has become long.
func (l *Log) sweep(k Keeper) error {
	if l.next == nil {
		if l.bytes < 2*l.base+sweepSlack && len(l.segments) < sweepSegments {
			return nil
		}
		l.begin(k)
	}
	budget := l.delta.Bytes + max(sweepStep, l.delta.Bytes)
	for l.delta.Bytes < budget {
		ok, going := l.next()
		if going {
			continue
		}
		l.next, l.delta.Done = nil, ok && l.sweepErr == nil
		break
	}
	l.written += l.delta.Swept
	return l.sweepErr
}

func (l *Log) begin(k Keeper) {
	l.begun, l.written, l.sweepErr = len(l.segments), 0, nil
	n := 0
	var whole bool
	next, stop := iter.Pull(func(yield func(bool) bool) {
		whole, l.sweepErr = k.Sweep(l.delta.Sweeper, func() bool {
			if n++; n%sweepBatch != 0 {
				return true
			}
			return yield(true)
		})
	})
	l.stop = stop
	l.next = func() (bool, bool) {
		_, going := next()
		return whole, going
	}
}

// Commit writes a checkpoint that was captured. It may be called again after an
// error: nothing of the state is lost then.
func (l *Log) Commit(ctx context.Context, through Through) error {
	p := l.pending
	if p.segment == nil {
		l.pack(p)
	}
	if !p.stored && p.segment.GetChunks() > 0 {
		if err := l.store.WriteChunks(ctx, p.segment, p.chunks); err != nil {
			return err
		}
		p.stored = true
	}
	c := p.Checkpoint
	c.DurationMillis = time.Since(p.began).Milliseconds()
	if err := l.store.Commit(ctx, c, through); err != nil {
		return err
	}
	l.segments, l.last, l.pending = c.GetSegments(), c, nil
	l.bytes = 0
	for _, g := range l.segments {
		l.bytes += g.GetBytes()
	}
	if p.segment.GetRound() {
		l.base = l.written
	}
	l.store.Tidy(ctx, p.dropped)
	return nil
}

// pack makes chunks of what was captured.
func (l *Log) pack(p *Pending) {
	c := p.Checkpoint
	p.segment = &statev1.Segment{Generation: l.store.Generation(), Checkpoint: c.GetId(), Bytes: l.delta.Bytes, Swept: l.delta.Swept, Round: l.delta.Done}
	p.chunks = l.delta.chunks()
	p.segment.Chunks = int32(len(p.chunks))
	from := 0
	if l.delta.Done {
		from = l.begun
		p.dropped = l.segments[:from]
		p.Full = from == len(l.segments)
	}
	c.Segments = append(c.Segments, l.segments[from:]...)
	if p.segment.GetChunks() > 0 {
		c.Segments = append(c.Segments, p.segment)
	}
	for _, o := range c.GetOperators() {
		o.Bytes = o.GetEntries() * l.delta.average(o.GetId())
	}
}

// Close ends a sweep that is under way.
func (l *Log) Close() {
	if l.stop != nil {
		l.stop()
	}
}
