package pipeline

import (
	"context"
	"fmt"
	"sync"

	"golang.org/x/sync/semaphore"

	eventv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/event/v1"
	"github.com/weirflow/weirflow/services/agent/internal/registry"
)

// Sizes of what travels together.
const (
	maxBatchBytes  = 512 << 10
	maxBatchGroups = 256
	recycleBelow   = 1 << 20
	itemOverhead   = 512
)

// Output takes batches. Each is acknowledged once with Batch.Ack; one that can't
// be sent now is kept and sent again, in order.
type Output interface {
	// Send takes a batch; it waits while too many are unacknowledged.
	Send(ctx context.Context, b *Batch) error
	// Close lets go of connections and files. Nothing is sent after it.
	Close() error
}

// Ledger counts events: what comes in, goes out, is left out on purpose or
// refused.
type Ledger interface {
	In(n int)
	Out(n int)
	Filtered(n int)
	DeadLettered(n int)
	// Returned takes back what In counted.
	Returned(n int)
}

// Pipeline is the way from files to the output.
type Pipeline struct {
	registry *registry.Registry
	ledger   Ledger
	budget   *semaphore.Weighted
	limit    int64
	items    chan Item
	groups   sync.Pool

	mu      sync.Mutex
	flying  []*Batch // in the order in which they were sent
	settled chan struct{}
}

// New makes a pipeline that holds at most limit bytes of events.
func New(limit int64, r *registry.Registry, l Ledger) *Pipeline {
	return &Pipeline{
		registry: r, ledger: l, budget: semaphore.NewWeighted(limit), limit: limit,
		items: make(chan Item, 64), settled: make(chan struct{}, 1),
	}
}

// Group lends an empty group.
func (p *Pipeline) Group(s *Source, encoding eventv1.Encoding) *Group {
	g, ok := p.groups.Get().(*Group)
	if !ok {
		g = &Group{}
	}
	g.Source, g.PB.Encoding = s, encoding
	return g
}

// Push hands an item over. It waits while the budget is used up.
func (p *Pipeline) Push(ctx context.Context, it Item) error {
	size := int64(itemOverhead)
	events := 0
	for _, g := range it.Groups {
		size += int64(len(g.PB.Payload) + 12*g.Len())
		events += g.Len()
	}
	it.size = min(size, p.limit)
	if err := p.budget.Acquire(ctx, it.size); err != nil {
		return fmt.Errorf("wait for room: %w", err)
	}
	p.ledger.In(events + it.Filtered)
	p.ledger.Filtered(it.Filtered)
	select {
	case p.items <- it:
		return nil
	case <-ctx.Done():
		p.budget.Release(it.size)
		p.ledger.Returned(events) // they are read again at the next start
		return ctx.Err()
	}
}

// Close says that nothing will be pushed any more.
func (p *Pipeline) Close() { close(p.items) }

// Run makes batches of what is there and sends them until the pipeline is closed
// and empty, or the context ends.
func (p *Pipeline) Run(ctx context.Context, out Output) error {
	for {
		b, ok := p.collect(ctx)
		if b != nil {
			if err := p.dispatch(ctx, out, b); err != nil {
				return err
			}
		}
		if !ok {
			return ctx.Err()
		}
	}
}

// collect waits for an item and takes what else is there, up to a batch.
func (p *Pipeline) collect(ctx context.Context) (*Batch, bool) {
	b := &Batch{p: p}
	select {
	case <-ctx.Done():
		return nil, false
	case it, ok := <-p.items:
		if !ok {
			return nil, false
		}
		b.add(it)
	}
	for b.Bytes < maxBatchBytes && len(b.Groups) < maxBatchGroups {
		select {
		case it, ok := <-p.items:
			if !ok {
				return b, false
			}
			b.add(it)
		default:
			return b, true
		}
	}
	return b, true
}

func (b *Batch) add(it Item) {
	for _, g := range it.Groups {
		b.Groups = append(b.Groups, g)
		b.Events += g.Len()
	}
	b.Bytes += it.size
	b.items = append(b.items, it)
}

func (p *Pipeline) dispatch(ctx context.Context, out Output, b *Batch) error {
	p.mu.Lock()
	p.flying = append(p.flying, b)
	p.mu.Unlock()
	if b.Events == 0 {
		b.Ack(0)
		return nil
	}
	return out.Send(ctx, b)
}

// acknowledge moves the registry, in the order of sending: a later batch waits
// for the ones before it.
func (p *Pipeline) acknowledge(b *Batch, refused int) {
	p.ledger.Out(b.Events - refused)
	p.ledger.DeadLettered(refused)
	p.mu.Lock()
	defer p.mu.Unlock()
	b.done = true
	n := 0
	for ; n < len(p.flying) && p.flying[n].done; n++ {
		p.settle(p.flying[n])
		p.flying[n] = nil
	}
	p.flying = p.flying[n:]
	if len(p.flying) == 0 {
		select {
		case p.settled <- struct{}{}:
		default:
		}
	}
}

func (p *Pipeline) settle(b *Batch) {
	for _, it := range b.items {
		if it.Entry != nil {
			p.registry.Advance(it.Entry, it.At)
		}
		p.budget.Release(it.size)
		for _, g := range it.Groups {
			p.recycle(g)
		}
	}
	b.items, b.Groups = nil, nil
}

func (p *Pipeline) recycle(g *Group) {
	if cap(g.PB.Payload) > recycleBelow {
		return // not worth its memory
	}
	g.reset()
	p.groups.Put(g)
}

// InFlight counts the events that are sent and not acknowledged.
func (p *Pipeline) InFlight() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := 0
	for _, b := range p.flying {
		if !b.done {
			n += b.Events
		}
	}
	return n
}

// Drain waits until everything that was sent is acknowledged.
func (p *Pipeline) Drain(ctx context.Context) error {
	for {
		p.mu.Lock()
		left := len(p.flying)
		p.mu.Unlock()
		if left == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%d batches are not acknowledged: %w", left, ctx.Err())
		case <-p.settled:
		}
	}
}
