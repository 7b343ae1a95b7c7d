package pipeline

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/weirflow/weirflow/services/transform/internal/connector"
	"github.com/weirflow/weirflow/services/transform/internal/exec"
)

// tracker follows source batches in the order in which they were read. A position
// is safe when everything before it has been acknowledged.
type tracker struct {
	cfg Config

	mu      sync.Mutex
	queues  [][]*entry // by input
	entries map[*exec.Receipt]*entry
	safeAt  []map[place]int64
	changed bool
	err     error
	closed  bool
	empty   chan struct{} // told when the last entry goes
}

type place struct {
	topic     string
	partition int32
}

// entry is a batch on its way.
type entry struct {
	receipt   *exec.Receipt
	positions []connector.Position
	dead      int // records that are kept as dead letters
	done      bool
	abandoned bool
}

func newTracker(cfg Config) *tracker {
	t := &tracker{cfg: cfg, entries: make(map[*exec.Receipt]*entry), queues: make([][]*entry, len(cfg.Inputs)), empty: make(chan struct{}, 1)}
	for _, in := range cfg.Inputs {
		at := make(map[place]int64)
		for _, p := range in.From {
			at[place{p.Topic, p.Partition}] = p.Offset
		}
		t.safeAt = append(t.safeAt, at)
	}
	return t
}

// begin returns the receipt of a batch that goes into the graph now.
func (t *tracker) begin(input int, c connector.Chunk) *exec.Receipt {
	e := &entry{positions: c.Positions, dead: c.Dead}
	e.receipt = exec.NewReceipt(c.Records, func(*exec.Receipt) { t.finished(input, e) })
	t.mu.Lock()
	t.queues[input] = append(t.queues[input], e)
	t.entries[e.receipt] = e
	t.mu.Unlock()
	return e.receipt
}

// abandon says that a batch failed within the graph.
func (t *tracker) abandon(r *exec.Receipt) {
	t.mu.Lock()
	t.entries[r].abandoned = true
	t.mu.Unlock()
}

// finished notes that all sinks are done with a batch.
func (t *tracker) finished(input int, e *entry) {
	err := e.receipt.Err()
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed || e.abandoned {
		return
	}
	if err != nil {
		if t.err == nil {
			t.err = err
		}
		return
	}
	if t.cfg.Stage != nil {
		t.cfg.Stage.Out(e.receipt.Out())
		t.cfg.Stage.DeadLettered(e.dead)
	}
	e.done = true
	delete(t.entries, e.receipt)
	q := t.queues[input]
	for len(q) > 0 && q[0].done {
		for _, p := range q[0].positions {
			t.safeAt[input][place{p.Topic, p.Partition}] = p.Offset
		}
		t.changed = true
		q = q[1:]
	}
	t.queues[input] = q
	if len(t.entries) == 0 {
		select {
		case t.empty <- struct{}{}:
		default:
		}
	}
}

// failure is why rows did not get through.
func (t *tracker) failure() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.err
}

// safe returns the safe positions by input, and whether they changed since it was last asked.
func (t *tracker) safe() (map[string][]connector.Position, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	changed := t.changed
	t.changed = false
	all := make(map[string][]connector.Position)
	for i, in := range t.cfg.Inputs {
		for at, offset := range t.safeAt[i] {
			all[in.Name] = append(all[in.Name], connector.Position{Topic: at.topic, Partition: at.partition, Offset: offset})
		}
	}
	return all, changed
}

// wait waits until every batch is acknowledged.
func (t *tracker) wait(ctx context.Context) error {
	for {
		t.mu.Lock()
		left, err := len(t.entries), t.err
		t.mu.Unlock()
		if err != nil || left == 0 {
			return err
		}
		select {
		case <-t.empty:
		case <-time.After(10 * time.Millisecond):
		case <-ctx.Done():
			return fmt.Errorf("%d batches were not acknowledged in time: %w", left, ctx.Err())
		}
	}
}

// close stops following and returns how many records neither got through nor
// were filtered; they will be read again.
func (t *tracker) close() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
	left := 0
	for _, e := range t.entries {
		if e.abandoned {
			left += e.receipt.Records
			continue
		}
		left += e.receipt.Out() + e.dead
	}
	return left
}
