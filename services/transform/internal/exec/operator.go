package exec

import (
	"github.com/weirflow/weirflow/services/transform/internal/operator"
)

// Watermarks beyond all times.
const (
	NoWatermark  = operator.NoWatermark
	MaxWatermark = operator.MaxWatermark
)

// Emitter takes what an operator puts out.
type Emitter = operator.Emitter

// Operator is a node of a running plan.
type Operator = operator.Operator

// Timer is an operator that acts by processing time.
type Timer = operator.Timer

// StateWriter takes the entries of an operator's keyed state.
type StateWriter = operator.StateWriter

// StateReader gives back the entries of an operator's keyed state.
type StateReader = operator.StateReader

// stateless is what operators without state embed.
type stateless struct{}

func (stateless) Watermark(_ int, ts int64, out Emitter) error { return out.Watermark(ts) }
func (stateless) End(int, Emitter) error                       { return nil }
func (stateless) Snapshot(StateWriter) error                   { return nil }
func (stateless) Restore(StateReader) error                    { return nil }
func (stateless) Close() error                                 { return nil }
