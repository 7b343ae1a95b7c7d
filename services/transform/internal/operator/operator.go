// Package operator is what the operators of a running plan have in common: their
// interface, and the means to put rows out.
package operator

import (
	"encoding/binary"
	"errors"
	"io"
	"math"
	"sync/atomic"
	"time"

	"github.com/weirflow/weirflow/services/transform/internal/column"
)

// Watermarks beyond all times.
const (
	NoWatermark  = math.MinInt64
	MaxWatermark = math.MaxInt64
)

// Emitter takes what an operator puts out.
type Emitter interface {
	// Emit passes a batch on. The batch may be used again when Emit returns.
	Emit(b *column.Batch) error
	// Watermark passes on that no row before ts (in milliseconds) will come.
	Watermark(ts int64) error
}

// Operator is a node of a running plan. Its methods are called by one goroutine.
type Operator interface {
	// Process takes a batch of input in.
	Process(in int, b *column.Batch, out Emitter) error
	// Watermark hears that event time has reached ts at input in.
	Watermark(in int, ts int64, out Emitter) error
	// End hears that input in has ended. The graph passes the end on when all
	// inputs have.
	End(in int, out Emitter) error
	// Snapshot writes the operator's state; Restore reads it into a new operator.
	Snapshot(w StateWriter) error
	Restore(r StateReader) error
	Close() error
}

// Timer is an operator that acts by processing time.
type Timer interface {
	// Next returns when Tick shall be called; the zero time for never.
	Next() time.Time
	Tick(now time.Time, out Emitter) error
}

// StateWriter takes the entries of an operator's keyed state that changed since
// the last snapshot.
type StateWriter interface {
	// Put writes an entry of a named state; a nil value deletes it. Key and value are
	// the caller's: what is kept of them is copied.
	Put(state string, key, value []byte) error
}

// StateReader gives back all entries that were written and not deleted.
type StateReader interface {
	// Each calls f for every entry of a named state.
	Each(state string, f func(key []byte, value io.Reader) error) error
}

// StateReplayer is a StateReader that can also give back what was written as it was
// written, for who keeps the keys anyway and can tell by itself what is the newest.
type StateReplayer interface {
	// Replay calls f for all entries of a named state, oldest first: those that were
	// written several times as often, and with a nil value where they were deleted. Each
	// call of Replay gives the same.
	Replay(state string, f func(key, value []byte) error) error
}

// Stateful says that an operator keeps state between batches.
type Stateful interface {
	Stateful() bool
}

// Keeper is an operator whose state can be written little by little, and that
// knows how much it is.
type Keeper interface {
	// Sweep writes all state to w. It calls more after every entry; while it does,
	// the operator may take in rows, and false ends the sweep.
	Sweep(w StateWriter, more func() bool) (bool, error)
	// Entries is the number of entries.
	Entries() int
	// Shape is what the state is written for: only an operator of the same can read it.
	Shape() string
}

// Dropper counts the rows that an operator left out because they came too late
// or had no time.
type Dropper interface {
	Dropped() uint64
}

// Lates tells which records of the last batch an operator left out.
type Lates interface {
	// Late returns their numbers in the batch's origin, in order, once.
	Late() []int32
}

// Drops counts rows that are left out. Operators embed it.
type Drops struct {
	n    atomic.Uint64
	late []int32
}

// Drop counts a row that is of no record.
func (d *Drops) Drop() { d.n.Add(1) }

// Leave counts a row and notes its record.
func (d *Drops) Leave(record int) {
	d.n.Add(1)
	d.late = append(d.late, int32(record))
}

// Late returns the records that Leave noted since the last call.
func (d *Drops) Late() []int32 {
	late := d.late
	d.late = d.late[:0]
	return late
}

// Dropped returns how many rows there were.
func (d *Drops) Dropped() uint64 { return d.n.Load() }

// Marks follows the watermarks of an operator's inputs: the slowest counts.
type Marks struct {
	marks []int64
	last  int64
}

// NewMarks returns the marks of n inputs.
func NewMarks(n int) Marks {
	m := Marks{marks: make([]int64, n), last: NoWatermark}
	for i := range m.marks {
		m.marks[i] = NoWatermark
	}
	return m
}

// Advance takes in the watermark of an input, and reports whether that of the
// operator moved.
func (m *Marks) Advance(in int, ts int64) bool {
	m.marks[in] = max(m.marks[in], ts)
	low := int64(MaxWatermark)
	for _, x := range m.marks {
		low = min(low, x)
	}
	if low <= m.last {
		return false
	}
	m.last = low
	return true
}

// Now returns the operator's watermark.
func (m *Marks) Now() int64 { return m.last }

// Append writes the marks.
func (m *Marks) Append(dst []byte) []byte {
	dst = binary.AppendVarint(dst, m.last)
	for _, x := range m.marks {
		dst = binary.AppendVarint(dst, x)
	}
	return dst
}

// Read reads what Append wrote.
func (m *Marks) Read(s string) error {
	b := []byte(s)
	for i := -1; i < len(m.marks); i++ {
		x, n := binary.Varint(b)
		if n <= 0 {
			return errMarks
		}
		if b = b[n:]; i < 0 {
			m.last = x
		} else {
			m.marks[i] = x
		}
	}
	return nil
}

var errMarks = errors.New("damaged watermarks")
