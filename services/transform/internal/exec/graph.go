package exec

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/operator"
	"github.com/weirflow/weirflow/services/transform/internal/plan"
)

// Sink takes the rows of one INSERT, or those of a SELECT.
type Sink interface {
	// Write takes a batch; what it keeps of it, it copies. The receipt is nil for
	// rows that come from no record.
	Write(b *column.Batch, r *Receipt) error
}

// Graph is a plan ready to run.
type Graph struct {
	Scans    []*Scan
	vertices []*vertex
	values   []*valuesVertex
	receipt  *Receipt
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
}

// vertex is an operator with its places in the graph.
type vertex struct {
	id      string
	name    string
	op      Operator
	inputs  int
	ended   int
	marks   []int64 // watermark of each input
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
	}
	return nil
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
	return v.op.Watermark(in, ts, v)
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
	s.g.receipt = r
	err := s.v.Emit(b)
	s.g.receipt = nil
	return err
}

// End tells the graph that a bounded scan has no more rows.
func (s *Scan) End() error {
	if err := s.v.Watermark(MaxWatermark); err != nil {
		return err
	}
	return s.v.finish()
}

// Start emits the rows of VALUES. It is called once, before the first Push.
func (g *Graph) Start() error {
	for _, v := range g.values {
		if err := v.run(); err != nil {
			return err
		}
	}
	return nil
}

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
		stats = append(stats, Stat{Dropped: dropped, ID: v.id, Name: v.name, RowsIn: v.in.Load(), RowsOut: v.out.Load(),
			BatchesIn: v.batches.Load(), Watermark: mark, HasEventTS: mark != NoWatermark})
	}
	return stats
}

// Stateful returns the name of an operator that keeps state; empty when none does.
func (g *Graph) Stateful() string {
	for _, v := range g.vertices {
		if s, ok := v.op.(operator.Stateful); ok && s.Stateful() {
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

// Snapshot writes the state of all operators.
func (g *Graph) Snapshot(writer func(operator string) StateWriter) error {
	for _, v := range g.vertices {
		if err := v.op.Snapshot(writer(v.id)); err != nil {
			return fmt.Errorf("snapshot %s: %w", v.name, err)
		}
	}
	return nil
}

// Restore gives all operators their state back.
func (g *Graph) Restore(reader func(operator string) StateReader) error {
	for _, v := range g.vertices {
		if err := v.op.Restore(reader(v.id)); err != nil {
			return fmt.Errorf("restore %s: %w", v.name, err)
		}
	}
	return nil
}

// Close frees what operators hold.
func (g *Graph) Close() error {
	var errs []error
	for _, v := range g.vertices {
		errs = append(errs, v.op.Close())
	}
	return errors.Join(errs...)
}
