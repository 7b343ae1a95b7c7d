package exec

import (
	"io"
	"math"
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
	// Put writes an entry of a named state; a nil value deletes it.
	Put(state string, key, value []byte) error
}

// StateReader gives back all entries that were written and not deleted.
type StateReader interface {
	// Each calls f for every entry of a named state.
	Each(state string, f func(key []byte, value io.Reader) error) error
}

// stateless is what operators without state embed.
type stateless struct{}

func (stateless) Watermark(_ int, ts int64, out Emitter) error { return out.Watermark(ts) }
func (stateless) End(int, Emitter) error                       { return nil }
func (stateless) Snapshot(StateWriter) error                   { return nil }
func (stateless) Restore(StateReader) error                    { return nil }
func (stateless) Close() error                                 { return nil }
