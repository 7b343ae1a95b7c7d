// Package pipeline runs a graph from sources to sinks: it feeds batches, follows
// their records until the sinks have acknowledged them, keeps the ledger, and
// says which positions are safe.
package pipeline

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/weirflow/weirflow/services/platform/ledger"

	"github.com/weirflow/weirflow/services/transform/internal/connector"
	"github.com/weirflow/weirflow/services/transform/internal/exec"
)

const (
	pollEvery    = 10 * time.Millisecond
	drainTimeout = 15 * time.Second
)

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
	// Running is called once, when the first batches may come; it may be nil.
	Running func()
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
	written chan error // the checkpoint that is being written; nil when none is
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

// abortLate frees a pipeline that shall stop but waits for a cluster that is away.
func (p *Pipeline) abortLate(ctx context.Context, ended <-chan struct{}) {
	select {
	case <-ended:
		return
	case <-ctx.Done():
	}
	select {
	case <-ended:
	case <-time.After(drainTimeout):
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
	if err := p.cfg.Graph.Start(); err != nil {
		return err
	}
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	saved := time.Now()
	for p.running > 0 {
		select {
		case <-ctx.Done():
			return nil
		case e := <-p.events:
			if err := p.handle(e); err != nil {
				return err
			}
		case err := <-p.written:
			p.written = nil
			if err != nil {
				return err
			}
		case now := <-tick.C:
			if err := p.tick(ctx, now, &saved); err != nil {
				return err
			}
		}
	}
	return nil
}

func (p *Pipeline) handle(e event) error {
	if e.end {
		p.running--
		if e.err != nil {
			return e.err
		}
		return p.cfg.Inputs[e.input].Scan.End()
	}
	if p.cfg.Stage != nil {
		p.cfg.Stage.In(e.chunk.Records)
	}
	r := p.track.begin(e.input, e.chunk)
	if e.chunk.Dead > 0 {
		r.Hold()
		e.chunk.Keep(r.Release)
	}
	var err error
	if e.chunk.Batch.Len > 0 {
		err = p.cfg.Inputs[e.input].Scan.Push(e.chunk.Batch, r)
	}
	e.chunk.Release()
	if err == nil && p.cfg.Stage != nil {
		p.cfg.Stage.Filtered(r.Records - r.Out() - e.chunk.Dead)
	}
	if err != nil {
		p.track.abandon(r)
	}
	r.Release(nil)
	return err
}

func (p *Pipeline) tick(ctx context.Context, now time.Time, saved *time.Time) error {
	if err := p.track.failure(); err != nil {
		return err
	}
	if at := p.cfg.Graph.NextTimer(); !at.IsZero() && !at.After(now) {
		if err := p.cfg.Graph.Tick(now); err != nil {
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
	positions, changed := p.track.safe()
	if !changed {
		return nil
	}
	written := make(chan error, 1)
	p.written = written
	go func() { written <- p.cfg.Checkpoint(ctx, positions) }()
	return nil
}

// finish stops the sources, lets the sinks finish what they have, and writes the
// last checkpoint. After a failure what is not acknowledged is given up.
func (p *Pipeline) finish(ctx context.Context, err *error) {
	p.stop()
	for p.running > 0 {
		e := <-p.events
		if e.end {
			p.running--
			continue
		}
		e.chunk.Release() // read, but never begun: it is read again
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
	if p.written != nil {
		if e := <-p.written; e != nil && ctx.Err() == nil {
			*err = errors.Join(*err, e)
		}
	}
	if p.cfg.Checkpoint != nil {
		if positions, changed := p.track.safe(); changed {
			if e := p.cfg.Checkpoint(drain, positions); e != nil {
				*err = errors.Join(*err, e)
			}
		}
	}
	left := p.track.close()
	if p.cfg.Stage != nil && left > 0 {
		p.cfg.Stage.Returned(left)
	}
}
