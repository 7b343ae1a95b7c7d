// Package pipeline runs a graph from sources to sinks: it feeds batches, follows
// their records until the sinks have acknowledged them, keeps the ledger, and
// says which positions are safe.
package pipeline

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/weirflow/weirflow/services/platform/ledger"

	"github.com/weirflow/weirflow/services/transform/internal/connector"
	"github.com/weirflow/weirflow/services/transform/internal/exec"
)

const (
	pollEvery    = 10 * time.Millisecond
	drainTimeout = 15 * time.Second
)

// ErrLost ends a run that somebody else goes on with.
var ErrLost = errors.New("the run has been lost to another")

// errStopped answers who wanted a checkpoint of a run that has ended.
var errStopped = errors.New("the job has stopped")

// Input is a scan with its source.
type Input struct {
	// Name is the table, with a number behind it if it is read more than once.
	Name   string
	Scan   *exec.Scan
	Source connector.Source
	From   []connector.Position
}

// Config is what a pipeline is made of.
type Config struct {
	Graph  *exec.Graph
	Inputs []Input
	Sinks  []connector.Sink
	// Stage counts the records; nil for nobody.
	Stage *ledger.Stage
	// CheckpointEvery is how often Checkpoint is called with the safe positions by
	// input, if they have changed. Checkpoint may be nil.
	CheckpointEvery time.Duration
	Checkpoint      func(ctx context.Context, positions map[string][]connector.Position) error
	// State is set for a job whose operators remember something. Checkpoint is then
	// called with the positions up to which the state was captured, when all that
	// came before has been acknowledged.
	State State
	// Aligned holds the inputs back from the capture until the checkpoint is written:
	// sinks commit their rows with it.
	Aligned bool
	// Demand asks for a checkpoint out of turn; it may be nil. The answer is what
	// came of it.
	Demand <-chan chan<- error
	// Lost is closed when the run must end at once, because somebody else goes on
	// with it: nothing is finished and nothing written. It may be nil.
	Lost <-chan struct{}
	// Alive says, before rows are taken, why none may be taken any more; the run ends
	// as if it was lost. It may be nil.
	Alive func() error
	// Running is called once, when the first batches may come; it may be nil.
	Running func()
	// Busy adds up the nanoseconds that batches took; it may be nil.
	Busy *atomic.Int64
}

// State is what operators remember.
type State interface {
	// Capture copies what changed since the last checkpoint. No rows are on their
	// way through the graph meanwhile, and the next Capture comes after Checkpoint.
	Capture() error
}

// event is what a source tells the pipeline.
type event struct {
	input int
	chunk connector.Chunk
	end   bool
	err   error
}

// Pipeline is a run of a graph.
type Pipeline struct {
	cfg     Config
	track   *tracker
	events  chan event
	stop    context.CancelFunc
	running int
	dirty   bool       // something happened since the last cut
	written chan error // the checkpoint that is being written; nil when none is
	giveUp  context.CancelFunc
	asked   []chan<- error // for the checkpoint to come
	waiting []chan<- error // for the one that is being written
}

// Run runs until all inputs have ended, the context ends, or something fails. The
// end of the context is a clean stop: what was read is finished and checkpointed.
func Run(ctx context.Context, cfg Config) error {
	p := &Pipeline{cfg: cfg, track: newTracker(cfg), events: make(chan event)}
	return p.run(ctx)
}

func (p *Pipeline) run(ctx context.Context) error {
	sources, stop := context.WithCancel(context.WithoutCancel(ctx))
	p.stop = stop
	for i := range p.cfg.Inputs {
		p.running++
		go p.read(sources, i)
	}
	ended := make(chan struct{})
	defer close(ended)
	go p.abortLate(ctx, ended)
	err := p.loop(ctx)
	p.finish(ctx, &err)
	return err
}

// abortLate frees a pipeline that shall stop but waits for a cluster that is away,
// or that is lost.
func (p *Pipeline) abortLate(ctx context.Context, ended <-chan struct{}) {
	select {
	case <-ended:
		return
	case <-p.cfg.Lost:
	case <-ctx.Done():
	}
	select {
	case <-ended:
		return
	case <-p.cfg.Lost:
	case <-time.After(drainTimeout):
	}
	for _, s := range p.cfg.Sinks {
		if a, ok := s.(connector.Aborter); ok {
			a.Abort()
		}
	}
	for _, in := range p.cfg.Inputs {
		if a, ok := in.Source.(connector.Aborter); ok {
			a.Abort()
		}
	}
}

// read runs a source and passes on what it reads.
func (p *Pipeline) read(ctx context.Context, i int) {
	in := p.cfg.Inputs[i]
	err := in.Source.Run(ctx, in.From, func(c connector.Chunk) error {
		select {
		case p.events <- event{input: i, chunk: c}:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	})
	if ctx.Err() != nil {
		err = nil
	}
	p.events <- event{input: i, end: true, err: err}
}

func (p *Pipeline) loop(ctx context.Context) error {
	if p.cfg.Running != nil {
		p.cfg.Running()
	}
	if err := p.itself(p.cfg.Graph.Start); err != nil {
		return err
	}
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	saved := time.Now()
	for p.running > 0 {
		events := p.events
		if p.held() {
			events = nil
		}
		select {
		case <-p.cfg.Lost:
			return ErrLost
		case <-ctx.Done():
			return p.lost()
		case e := <-events:
			if err := p.lost(); err != nil {
				e.drop(p)
				return err
			}
			began := time.Now()
			err := p.handle(e)
			p.busy(began)
			if err != nil {
				return err
			}
		case err := <-p.written:
			if err := p.saved(err); err != nil {
				return err
			}
		case asker := <-p.cfg.Demand:
			p.asked = append(p.asked, asker)
			saved = time.Time{}
		case now := <-tick.C:
			if err := p.tick(ctx, now, &saved); err != nil {
				return err
			}
		}
	}
	return nil
}

// lost says why the run must end at once; nil when it need not.
func (p *Pipeline) lost() error {
	select {
	case <-p.cfg.Lost:
		return ErrLost
	default:
	}
	if p.cfg.Alive == nil {
		return nil
	}
	if err := p.cfg.Alive(); err != nil {
		return fmt.Errorf("%w: %w", ErrLost, err)
	}
	return nil
}

// drop takes note of an event without its rows.
func (e event) drop(p *Pipeline) {
	if e.end {
		p.running--
		return
	}
	e.chunk.Release() // read, but never begun: it is read again
}

// held reports whether no rows may come before the checkpoint is written.
func (p *Pipeline) held() bool { return p.cfg.Aligned && p.written != nil }

// itself has the graph do something whose rows come from no batch, but have to be
// acknowledged like all.
func (p *Pipeline) itself(do func() error) error {
	r := p.track.begin(timer, connector.Chunk{})
	p.dirty = true
	p.cfg.Graph.Attach(r)
	err := do()
	p.cfg.Graph.Attach(nil)
	if err != nil {
		p.track.abandon(r)
	}
	r.Release(nil)
	return err
}

func (p *Pipeline) handle(e event) error {
	p.dirty = true
	if e.end {
		p.running--
		if e.err != nil {
			return e.err
		}
		return p.itself(p.cfg.Inputs[e.input].Scan.End)
	}
	if p.cfg.Stage != nil {
		p.cfg.Stage.In(e.chunk.Records)
	}
	r := p.track.begin(e.input, e.chunk)
	if e.chunk.Dead > 0 {
		r.Hold()
		e.chunk.Keep(r.Release)
	}
	for _, part := range e.chunk.Partitions {
		p.cfg.Inputs[e.input].Scan.Expect(part.Name, part.Empty)
	}
	var err error
	if e.chunk.Batch.Len > 0 {
		err = p.cfg.Inputs[e.input].Scan.Push(e.chunk.Batch, r)
	}
	dead := e.chunk.Dead
	if e.chunk.KeepLate != nil && err == nil {
		if late := r.Late(); len(late) > 0 {
			dead += len(late)
			p.track.late(r, len(late))
			r.Hold()
			e.chunk.KeepLate(late, r.Release)
		}
	}
	e.chunk.Release()
	if err == nil && p.cfg.Stage != nil {
		p.cfg.Stage.Filtered(r.Records - r.Out() - dead)
	}
	if err != nil {
		p.track.abandon(r)
	}
	r.Release(nil)
	return err
}

// busy notes that the time since then was spent on rows.
func (p *Pipeline) busy(since time.Time) {
	if p.cfg.Busy != nil {
		p.cfg.Busy.Add(int64(time.Since(since)))
	}
}

func (p *Pipeline) tick(ctx context.Context, now time.Time, saved *time.Time) error {
	if err := errors.Join(p.lost(), p.track.failure()); err != nil {
		return err
	}
	if at := p.cfg.Graph.NextTimer(); !p.held() && !at.IsZero() && !at.After(now) {
		began := time.Now()
		err := p.itself(func() error { return p.cfg.Graph.Tick(now) })
		p.busy(began)
		if err != nil {
			return err
		}
	}
	for _, s := range p.cfg.Sinks {
		if err := s.Poll(now); err != nil {
			return err
		}
	}
	if p.cfg.Checkpoint == nil || p.written != nil || now.Sub(*saved) < p.cfg.CheckpointEvery {
		return nil
	}
	*saved = now
	return p.checkpoint(ctx)
}

// checkpoint begins to write one, if there is anything new.
func (p *Pipeline) checkpoint(ctx context.Context) error {
	write, cancel := context.WithCancel(context.WithoutCancel(ctx))
	save, err := p.prepare(write)
	if err != nil || save == nil {
		cancel()
		answer(p.asked, err)
		p.asked = nil
		return err
	}
	written := make(chan error, 1)
	p.written, p.giveUp = written, cancel
	p.asked, p.waiting = nil, p.asked
	go func() { written <- save() }()
	return nil
}

// prepare makes the cut and returns what writes the checkpoint; nil if nothing is new.
func (p *Pipeline) prepare(ctx context.Context) (func() error, error) {
	if p.cfg.State == nil && p.cfg.Aligned {
		return p.whole(ctx), nil
	}
	if p.cfg.State == nil {
		positions, changed := p.track.safe()
		if !changed {
			return nil, nil
		}
		return func() error { return p.cfg.Checkpoint(ctx, positions) }, nil
	}
	if !p.dirty {
		return nil, nil
	}
	p.dirty = false
	positions, passed := p.track.divide()
	if err := p.cfg.State.Capture(); err != nil {
		return nil, fmt.Errorf("capture the state: %w", err)
	}
	return func() error {
		select {
		case <-passed:
		case <-ctx.Done():
			return ctx.Err()
		}
		if err := p.cfg.Checkpoint(ctx, positions); err != nil {
			return err
		}
		p.track.committed()
		return nil
	}, nil
}

// whole is the cut of a pipeline without state whose sinks commit with the
// checkpoint: all that was pushed is in their transaction, so the positions must be
// those behind all of it. The inputs are held back meanwhile. Nil if nothing is new.
func (p *Pipeline) whole(ctx context.Context) func() error {
	if !p.dirty {
		return nil
	}
	p.dirty = false
	return func() error {
		if err := p.track.wait(ctx); err != nil {
			return err
		}
		positions, _ := p.track.safe()
		return p.cfg.Checkpoint(ctx, positions)
	}
}

// saved hears what became of the checkpoint.
func (p *Pipeline) saved(err error) error {
	p.giveUp()
	p.written, p.giveUp = nil, nil
	answer(p.waiting, err)
	p.waiting = nil
	return err
}

func answer(who []chan<- error, err error) {
	for _, a := range who {
		a <- err
	}
}

// finish stops the sources, lets the sinks finish what they have, and writes the
// last checkpoint. After a failure what is not acknowledged is given up.
func (p *Pipeline) finish(ctx context.Context, err *error) {
	p.stop()
	for p.running > 0 {
		(<-p.events).drop(p)
	}
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTimeout)
	defer cancel()
	if *err == nil {
		for _, s := range p.cfg.Sinks {
			if e := s.Flush(drain); e != nil {
				*err = errors.Join(*err, fmt.Errorf("flush: %w", e))
			}
		}
		*err = errors.Join(*err, p.track.wait(drain))
	}
	if errors.Is(*err, ErrLost) {
		p.forsake()
	} else {
		*err = errors.Join(*err, p.last(drain, *err != nil))
	}
	answer(p.asked, errStopped)
	left := p.track.close()
	if p.cfg.Stage != nil && left > 0 {
		p.cfg.Stage.Returned(left)
	}
}

// forsake gives up the checkpoint that is being written.
func (p *Pipeline) forsake() {
	if p.written == nil {
		return
	}
	p.giveUp()
	err := <-p.written
	p.written = nil
	answer(p.waiting, errors.Join(ErrLost, err))
	p.waiting = nil
}

// last ends the checkpoint that is being written and writes the last one. After a
// failure state is not captured: a batch may have gone half through.
func (p *Pipeline) last(ctx context.Context, failed bool) error {
	if p.written != nil {
		stop := context.AfterFunc(ctx, p.giveUp)
		defer stop()
		if failed && p.cfg.State != nil {
			p.giveUp()
		}
		if err := p.saved(<-p.written); err != nil && !failed {
			return err
		}
	}
	if p.cfg.Checkpoint == nil || failed && (p.cfg.State != nil || p.cfg.Aligned) {
		return nil
	}
	save, err := p.prepare(ctx)
	if err != nil || save == nil {
		return err
	}
	return save()
}
