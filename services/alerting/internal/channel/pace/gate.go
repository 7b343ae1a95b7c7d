package pace

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/weirflow/weirflow/services/alerting/internal/channel/message"
	"github.com/weirflow/weirflow/services/alerting/internal/channel/wire"
)

const (
	// maxWaiting bounds the queue of a gate, and maxPlaces what it remembers of those
	// that come back.
	maxWaiting, maxPlaces = 1000, 4000
	// placeKept is for how long a place is remembered.
	placeKept = 15 * time.Minute
	// firstPause and lastPause are how long a provider is left alone that failed.
	firstPause, lastPause = time.Second, 30 * time.Second
)

// Place is by what a message keeps its place when it comes again: the channel, and the
// key of the alerts' group.
type Place struct {
	Owner any
	Group string
}

// Send sends a message, which may be several in one.
type Send func(ctx context.Context, m message.Message) error

// Gate lets the messages for one robot through. It has no goroutine of its own: one of
// those that wait sends for all.
type Gate struct {
	limits []window
	// sending holds the one that sends.
	sending chan struct{}

	mu       sync.Mutex
	waiting  []*waiter
	places   map[Place]place
	order    uint64
	failures int
	closed   time.Time // until then nothing is sent
	why      error
}

// place is what is remembered of a message that failed.
type place struct {
	order uint64
	// alone keeps a message that was refused together with others from being so again:
	// it may not have been its fault.
	alone bool
	until time.Time
}

type waiter struct {
	place Place
	at    place
	m     message.Message
	send  Send
	done  chan error
}

func newGate(limits []Limit) *Gate {
	g := &Gate{sending: make(chan struct{}, 1), places: make(map[Place]place)}
	for _, l := range limits {
		g.limits = append(g.limits, window{limit: l})
	}
	return g
}

// Do sends a message as soon as the limits allow, with others that wait if it has to.
// It returns nil when the provider has taken it; a failure says whether to come again,
// and who comes again has the old place.
func (g *Gate) Do(ctx context.Context, p Place, m message.Message, send Send) error {
	w := &waiter{place: p, m: m, send: send, done: make(chan error, 1)}
	if err := g.enter(w); err != nil {
		return err
	}
	for {
		select {
		case err := <-w.done:
			return err
		default:
		}
		select {
		case err := <-w.done:
			return err
		case <-ctx.Done():
			if g.leave(w) {
				return g.gaveUp(ctx)
			}
			return <-w.done
		case g.sending <- struct{}{}:
			g.lead(ctx, w)
			<-g.sending
		}
	}
}

// enter takes a place in the queue.
func (g *Gate) enter(w *waiter) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.waiting) >= maxWaiting {
		return wire.Later(0, "%d messages wait for the limit of this channel already", maxWaiting)
	}
	now := time.Now()
	kept, ok := g.places[w.place]
	if !ok || now.After(kept.until) {
		g.order++
		kept = place{order: g.order}
	}
	w.at = kept
	i, _ := slices.BinarySearchFunc(g.waiting, w, func(a, b *waiter) int { return cmp.Compare(a.at.order, b.at.order) })
	g.waiting = slices.Insert(g.waiting, i, w)
	return nil
}

// leave gives the place in the queue up, unless the message is on its way.
func (g *Gate) leave(w *waiter) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	i := slices.Index(g.waiting, w)
	if i < 0 {
		return false
	}
	g.waiting = slices.Delete(g.waiting, i, i+1)
	g.remember(w, w.at.alone)
	return true
}

// remember keeps the place of a message that will come again.
func (g *Gate) remember(w *waiter, alone bool) {
	now := time.Now()
	if len(g.places) >= maxPlaces {
		for p, kept := range g.places {
			if now.After(kept.until) {
				delete(g.places, p)
			}
		}
		if len(g.places) >= maxPlaces {
			return
		}
	}
	g.places[w.place] = place{order: w.at.order, alone: alone, until: now.Add(placeKept)}
}

// gaveUp is the error of a message whose time was over before its turn came.
func (g *Gate) gaveUp(ctx context.Context) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.why != nil && time.Now().Before(g.closed) {
		return &wire.Failure{Again: true, Err: fmt.Errorf("wait until %s: %w", g.closed.UTC().Format(time.TimeOnly+" MST"), g.why)}
	}
	return &wire.Failure{Again: true, Err: fmt.Errorf("wait for the limit of this channel: %w", context.Cause(ctx))}
}

// lead waits until something may be sent, and sends the head of the queue.
func (g *Gate) lead(ctx context.Context, w *waiter) {
	for {
		g.mu.Lock()
		if !slices.Contains(g.waiting, w) { // the one before has sent it
			g.mu.Unlock()
			return
		}
		now := time.Now()
		at := g.next(now)
		if !at.After(now) {
			group, m := g.take()
			for i := range g.limits {
				g.limits[i].add(now)
			}
			g.mu.Unlock()
			g.deliver(ctx, group, m)
			continue
		}
		g.mu.Unlock()
		timer := time.NewTimer(at.Sub(now))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return
		}
	}
}

// next is when the next message may go.
func (g *Gate) next(now time.Time) time.Time {
	at := now
	if g.closed.After(at) {
		at = g.closed
	}
	for i := range g.limits {
		if n := g.limits[i].next(now); n.After(at) {
			at = n
		}
	}
	return at
}

// take removes those from the head of the queue that make one message.
func (g *Gate) take() ([]*waiter, message.Message) {
	head := g.waiting[0]
	var ms []message.Message
	for _, w := range g.waiting {
		if len(ms) > 0 && (w.m.Form != head.m.Form || head.m.Form == "" || w.at.alone || head.at.alone) {
			break
		}
		ms = append(ms, w.m)
	}
	m, n := message.Join(ms)
	group := slices.Clone(g.waiting[:n])
	g.waiting = slices.Delete(g.waiting, 0, n)
	return group, m
}

// deliver sends a message and tells those whose it is.
func (g *Gate) deliver(ctx context.Context, group []*waiter, m message.Message) {
	// The one that sends for all may have given up; what it sends is the others', too.
	err := group[0].send(context.WithoutCancel(ctx), m)
	again, _ := wire.Verdict(err)
	g.mu.Lock()
	g.pause(err, again)
	alone := err != nil && !again && len(group) > 1
	if alone {
		err = &wire.Failure{Again: true, Err: fmt.Errorf("send %d notifications in one, now each alone: %w", len(group), err)}
	}
	for _, w := range group {
		if err != nil && (again || alone) {
			g.remember(w, alone || w.at.alone)
		} else {
			delete(g.places, w.place)
		}
	}
	g.mu.Unlock()
	for _, w := range group {
		w.done <- err
	}
}

// pause leaves a provider alone that has trouble, so that those who come again find
// their places.
func (g *Gate) pause(err error, again bool) {
	if err == nil || !again {
		g.failures = 0
		return
	}
	wait := min(firstPause<<min(g.failures, 10), lastPause)
	g.failures++
	var f *wire.Failure
	if errors.As(err, &f) && f.Wait > 0 {
		wait = f.Wait
	}
	g.closed, g.why = time.Now().Add(wait), err
}
