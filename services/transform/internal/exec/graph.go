package exec

import (
	"errors"
	"sync/atomic"
	"time"

	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/operator"
	"github.com/weirflow/weirflow/services/transform/internal/operator/join"
	"github.com/weirflow/weirflow/services/transform/internal/plan"
)

// Sink takes the rows of one INSERT, or those of a SELECT.
type Sink interface {
	// Write takes a batch; what it keeps of it, it copies. The receipt follows the
	// rows until they are safe; it is nil where nobody waits for that.
	Write(b *column.Batch, r *Receipt) error
}

// Graph is a plan ready to run.
type Graph struct {
	Scans    []*Scan
	Lookups  []*Lookup
	vertices []*vertex
	values   []*valuesVertex
	started  bool // rows of VALUES have been put out
	receipt  *Receipt
	origin   column.Origin // of the batch that is on its way
}

// Lookup is a lookup join, whose table is to be opened before the first rows come.
type Lookup struct {
	Plan *plan.LookupJoin
	*join.Lookup
}

// Scan is where rows of a table enter the graph.
type Scan struct {
	Plan *plan.Scan
	v    *vertex
	g    *Graph
}

// Stat is what an operator has done so far.
type Stat struct {
	ID, Name   string
	RowsIn     uint64
	RowsOut    uint64
	BatchesIn  uint64
	Watermark  int64
	HasEventTS bool
	// Dropped is how many rows came too late, or without a time.
	Dropped uint64
	// Entries is how many entries of state there were at the last snapshot.
	Entries int64
	// Stateful says that the operator keeps state.
	Stateful bool
	// Lanes are the partitions that a watermark is made of.
	Lanes []Lane
}

// vertex is an operator with its places in the graph.
type vertex struct {
	g       *Graph
	id      string
	name    string
	place   string
	text    string // what EXPLAIN says of it
	keeps   bool   // it keeps state
	late    operator.Lates
	entries atomic.Int64
	op      Operator
	inputs  int
	ended   int
	marks   []int64 // watermark of each input
	idles   []bool  // inputs that nobody waits for
	idle    bool    // so are all
	outputs []edge
	in, out atomic.Uint64
	batches atomic.Uint64
	mark    atomic.Int64
}

type edge struct {
	to *vertex
	in int
}

// Emit passes a batch to all who read the operator.
func (v *vertex) Emit(b *column.Batch) error {
	if b.Len == 0 {
		return nil
	}
	v.out.Add(uint64(b.Len))
	for _, e := range v.outputs {
		e.to.in.Add(uint64(b.Len))
		e.to.batches.Add(1)
		if err := e.to.op.Process(e.in, b, e.to); err != nil {
			return err
		}
		if e.to.keeps || e.to.late != nil {
			e.to.absorbed(b)
		}
	}
	return nil
}

// absorbed notes the records whose rows the operator now remembers: all but those
// that it left out.
func (v *vertex) absorbed(b *column.Batch) {
	var late []int32
	if v.late != nil {
		late = v.late.Late()
	}
	r := v.g.receipt
	if r == nil || b.Origin == nil || b.Origin != v.g.origin {
		return
	}
	r.leave(late)
	if v.keeps {
		r.TouchBut(b, late)
	}
}

// Watermark passes a watermark on.
func (v *vertex) Watermark(ts int64) error {
	v.mark.Store(ts)
	for _, e := range v.outputs {
		if err := e.to.advance(e.in, ts); err != nil {
			return err
		}
	}
	return nil
}

// advance keeps the watermark of an input, which never goes back.
func (v *vertex) advance(in int, ts int64) error {
	if ts <= v.marks[in] {
		return nil
	}
	v.marks[in] = ts
	if err := v.op.Watermark(in, ts, v); err != nil {
		return err
	}
	return v.follow()
}

// end passes on that an input has ended.
func (v *vertex) end(in int) error {
	if err := v.op.End(in, v); err != nil {
		return err
	}
	v.ended++
	if v.ended < v.inputs {
		return nil
	}
	return v.finish()
}

func (v *vertex) finish() error {
	for _, e := range v.outputs {
		if err := e.to.end(e.in); err != nil {
			return err
		}
	}
	return nil
}

// Push sends a batch from a scan through the graph. The receipt is passed to the
// sinks that rows of the batch reach.
func (s *Scan) Push(b *column.Batch, r *Receipt) error {
	s.g.receipt, s.g.origin = r, b.Origin
	err := s.v.Emit(b)
	s.g.receipt, s.g.origin = nil, nil
	return err
}

// Expect says that rows of a partition may come, so that the watermark waits for
// them, unless it is silent for too long. That is soon where it is empty: no record
// was ever in it.
func (s *Scan) Expect(partition string, empty bool) { s.v.expect(partition, empty) }

func (v *vertex) expect(partition string, empty bool) {
	for _, e := range v.outputs {
		switch op := e.to.op.(type) {
		case *watermark:
			op.expect(partition, empty)
		case *filter, *project, *unnest:
			e.to.expect(partition, empty)
		}
	}
}

// Attach gives a receipt to the rows that Start, Tick and End put out; nil ends it.
func (g *Graph) Attach(r *Receipt) { g.receipt = r }

// End tells the graph that a bounded scan has no more rows.
func (s *Scan) End() error {
	if err := s.v.Watermark(MaxWatermark); err != nil {
		return err
	}
	return s.v.finish()
}

// Start emits the rows of VALUES, unless that was done before what was restored.
// It is called once, before the first Push.
func (g *Graph) Start() error {
	for _, v := range g.values {
		if err := v.run(g.started); err != nil {
			return err
		}
	}
	g.started = true
	return nil
}

// Started reports whether the rows of VALUES have been put out.
func (g *Graph) Started() bool { return g.started }

// Resume says that the rows of VALUES have been put out before.
func (g *Graph) Resume(started bool) { g.started = started }

// NextTimer returns when Tick shall be called; the zero time for never.
func (g *Graph) NextTimer() time.Time {
	var next time.Time
	for _, v := range g.vertices {
		if t, ok := v.op.(Timer); ok {
			if at := t.Next(); !at.IsZero() && (next.IsZero() || at.Before(next)) {
				next = at
			}
		}
	}
	return next
}

// Tick lets operators act whose time has come.
func (g *Graph) Tick(now time.Time) error {
	for _, v := range g.vertices {
		t, ok := v.op.(Timer)
		if !ok {
			continue
		}
		if at := t.Next(); !at.IsZero() && !at.After(now) {
			if err := t.Tick(now, v); err != nil {
				return err
			}
		}
	}
	return nil
}

// Stats returns what each operator has done.
func (g *Graph) Stats() []Stat {
	stats := make([]Stat, 0, len(g.vertices))
	for _, v := range g.vertices {
		mark := v.mark.Load()
		dropped := uint64(0)
		if d, ok := v.op.(operator.Dropper); ok {
			dropped = d.Dropped()
		}
		var lanes []Lane
		if w, ok := v.op.(*watermark); ok {
			lanes = w.Lanes()
		}
		stats = append(stats, Stat{Dropped: dropped, Entries: v.entries.Load(), Stateful: v.keeps, Lanes: lanes, ID: v.id, Name: v.name, RowsIn: v.in.Load(), RowsOut: v.out.Load(),
			BatchesIn: v.batches.Load(), Watermark: mark, HasEventTS: mark != NoWatermark})
	}
	return stats
}

// Stateful returns the name of an operator that keeps state; empty when none does.
func (g *Graph) Stateful() string {
	for _, v := range g.vertices {
		if v.keeps {
			return v.name
		}
	}
	return ""
}

// Dropped returns how many rows operators left out because they came too late or
// had no time.
func (g *Graph) Dropped() uint64 {
	n := uint64(0)
	for _, v := range g.vertices {
		if d, ok := v.op.(operator.Dropper); ok {
			n += d.Dropped()
		}
	}
	return n
}

// Close frees what operators hold.
func (g *Graph) Close() error {
	var errs []error
	for _, v := range g.vertices {
		errs = append(errs, v.op.Close())
	}
	return errors.Join(errs...)
}
