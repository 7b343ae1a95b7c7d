// Package lifecycle starts the parts of a process in order and stops them in
// reverse: what takes work in stops before what carries it out.
package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// Runner is a part of a process: Run blocks until the context ends, finishes
// what it has begun, and returns.
type Runner interface {
	Run(ctx context.Context) error
}

// Func makes a Runner of a function.
type Func func(ctx context.Context) error

// Run calls the function.
func (f Func) Run(ctx context.Context) error { return f(ctx) }

// Part is a runner with what the group needs to know of it.
type Part struct {
	Name   string
	Runner Runner
	// Ready, if set, is waited for before the next part starts.
	Ready <-chan struct{}
	// StopWithin bounds the part's stop; default 10 s.
	StopWithin time.Duration
}

// Group runs parts: started in the order of the list, stopped in reverse.
type Group struct {
	log   *slog.Logger
	parts []*running
}

type running struct {
	Part
	cancel context.CancelFunc
	done   chan struct{}
	err    error
}

// New makes an empty group.
func New(log *slog.Logger) *Group { return &Group{log: log} }

// Add puts a part at the end of the list. Before Run only.
func (g *Group) Add(p Part) {
	if p.StopWithin == 0 {
		p.StopWithin = 10 * time.Second
	}
	g.parts = append(g.parts, &running{Part: p, done: make(chan struct{})})
}

// Run starts all parts and blocks until the context ends or a part ends by
// itself; then it stops all. It returns the errors of the parts, joined.
func (g *Group) Run(ctx context.Context) error {
	ended := make(chan *running, len(g.parts))
	started := 0
	var cause error
start:
	for _, p := range g.parts {
		g.start(ctx, p, ended)
		started++
		if p.Ready == nil {
			continue
		}
		select {
		case <-p.Ready:
		case e := <-ended:
			cause = endedEarly(e)
			break start
		case <-ctx.Done():
			break start
		}
	}
	if cause == nil && started == len(g.parts) {
		select {
		case <-ctx.Done():
		case e := <-ended:
			cause = endedEarly(e)
		}
	}
	return errors.Join(append([]error{cause}, g.stop(started, cause)...)...)
}

func endedEarly(p *running) error {
	if p.err != nil {
		return fmt.Errorf("%s: %w", p.Name, p.err)
	}
	return fmt.Errorf("%s ended by itself", p.Name)
}

func (g *Group) start(ctx context.Context, p *running, ended chan<- *running) {
	// The part's context is not the group's: it ends when its turn to stop comes.
	own, cancel := context.WithCancel(context.WithoutCancel(ctx))
	p.cancel = cancel
	go func() {
		p.err = p.Runner.Run(own)
		close(p.done)
		ended <- p
	}()
}

func (g *Group) stop(started int, cause error) []error {
	var errs []error
	for i := started - 1; i >= 0; i-- {
		p := g.parts[i]
		p.cancel()
		select {
		case <-p.done:
			if p.err != nil && !errors.Is(cause, p.err) {
				errs = append(errs, fmt.Errorf("%s: %w", p.Name, p.err))
			}
		case <-time.After(p.StopWithin):
			g.log.Warn("part did not stop in time and is left behind", "part", p.Name, "waited", p.StopWithin)
			errs = append(errs, fmt.Errorf("%s did not stop within %s", p.Name, p.StopWithin))
		}
	}
	return errs
}
