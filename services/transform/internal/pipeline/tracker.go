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
	queues  [][]*entry // by input; not kept when the job has state
	entries map[*exec.Receipt]*entry
	safeAt  []map[place]int64
	readAt  []map[place]int64 // what has been pushed, acknowledged or not
	changed bool
	err     error
	closed  bool
	empty   chan struct{} // told when the last entry goes

	// Of a job with state: a cut divides what came before it from what comes after.
	cut    int           // the number of cuts
	before int           // entries before the last cut that are on their way
	passed chan struct{} // closed when before is 0
	// Records that got through since the last cut, and before it, and are not in a
	// committed checkpoint.
	since, until tally
}

// tally is records by what became of them.
type tally struct{ out, dead int }

type place struct {
	topic     string
	partition int32
}

// timer stands in the place of an input for rows that come from no batch.
const timer = -1

// entry is a batch on its way.
type entry struct {
	receipt   *exec.Receipt
	positions []connector.Position
	dead      int // records that are kept as dead letters
	cut       int // the cut that it came after
	done      bool
	abandoned bool
}

func newTracker(cfg Config) *tracker {
	t := &tracker{cfg: cfg, entries: make(map[*exec.Receipt]*entry), queues: make([][]*entry, len(cfg.Inputs)), empty: make(chan struct{}, 1)}
	for _, in := range cfg.Inputs {
		safe, read := make(map[place]int64), make(map[place]int64)
		for _, p := range in.From {
			safe[place{p.Topic, p.Partition}] = p.Offset
			read[place{p.Topic, p.Partition}] = p.Offset
		}
		t.safeAt, t.readAt = append(t.safeAt, safe), append(t.readAt, read)
	}
	return t
}

func (t *tracker) stateful() bool { return t.cfg.State != nil }

// begin returns the receipt of a batch that goes into the graph now, or of what
// the graph does by itself.
func (t *tracker) begin(input int, c connector.Chunk) *exec.Receipt {
	e := &entry{positions: c.Positions, dead: c.Dead}
	e.receipt = exec.NewReceipt(c.Records, func(*exec.Receipt) { t.finished(input, e) })
	t.mu.Lock()
	defer t.mu.Unlock()
	e.cut = t.cut
	t.entries[e.receipt] = e
	switch {
	case input == timer:
	case t.stateful():
		for _, p := range c.Positions {
			t.readAt[input][place{p.Topic, p.Partition}] = p.Offset
		}
	default:
		t.queues[input] = append(t.queues[input], e)
	}
	return e.receipt
}

// late says that n more records of a batch are kept as dead letters.
func (t *tracker) late(r *exec.Receipt, n int) {
	t.mu.Lock()
	t.entries[r].dead += n
	t.mu.Unlock()
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
	e.done = true
	delete(t.entries, e.receipt)
	if t.stateful() {
		t.through(e)
	} else {
		t.count(tally{e.receipt.Out(), e.dead})
		if input != timer {
			t.advance(input)
		}
	}
	if len(t.entries) == 0 {
		select {
		case t.empty <- struct{}{}:
		default:
		}
	}
}

// through notes that a batch of a job with state got through. What is remembered
// of it counts as out when a checkpoint holds it.
func (t *tracker) through(e *entry) {
	if e.cut == t.cut {
		t.since.out += e.receipt.Out()
		t.since.dead += e.dead
		return
	}
	t.until.out += e.receipt.Out()
	t.until.dead += e.dead
	if t.before--; t.before == 0 {
		close(t.passed)
	}
}

// advance moves the safe positions of an input over what is done.
func (t *tracker) advance(input int) {
	q := t.queues[input]
	for len(q) > 0 && q[0].done {
		for _, p := range q[0].positions {
			t.safeAt[input][place{p.Topic, p.Partition}] = p.Offset
		}
		t.changed = true
		q = q[1:]
	}
	t.queues[input] = q
}

func (t *tracker) count(n tally) {
	if t.cfg.Stage != nil {
		t.cfg.Stage.Out(n.out)
		t.cfg.Stage.DeadLettered(n.dead)
	}
}

// divide makes a cut here. It returns how far has been read, and a channel that is
// closed when everything before the cut has been acknowledged. The cut before it
// must have been committed.
func (t *tracker) divide() (map[string][]connector.Position, <-chan struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.cut++
	t.before = len(t.entries)
	t.until, t.since = t.since, tally{}
	t.passed = make(chan struct{})
	if t.before == 0 {
		close(t.passed)
	}
	return t.positions(t.readAt), t.passed
}

// committed says that the last cut is in a checkpoint.
func (t *tracker) committed() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.count(t.until)
	t.until = tally{}
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
	return t.positions(t.safeAt), changed
}

func (t *tracker) positions(at []map[place]int64) map[string][]connector.Position {
	all := make(map[string][]connector.Position)
	for i, in := range t.cfg.Inputs {
		for p, offset := range at[i] {
			all[in.Name] = append(all[in.Name], connector.Position{Topic: p.topic, Partition: p.partition, Offset: offset})
		}
	}
	return all
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
	left := t.since.out + t.since.dead + t.until.out + t.until.dead
	for _, e := range t.entries {
		if e.abandoned {
			left += e.receipt.Records
			continue
		}
		left += e.receipt.Out() + e.dead
	}
	return left
}
