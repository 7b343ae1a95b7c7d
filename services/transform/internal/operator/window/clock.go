package window

import (
	"time"

	"github.com/weirflow/weirflow/services/transform/internal/eval"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

// Clock tells operators behind a window function when a window is over.
type Clock struct{ c clock }

// ClockOf returns the clock for rows that carry the bounds of their window. Windows
// over TIMESTAMP_LTZ are cut by the wall clock of the session's zone.
func ClockOf(fields []types.Field, env eval.Env) Clock {
	c := clock{now: env.Now}
	for _, f := range fields {
		if f.Type.Kind == types.TimestampLTZ && f.Type.Attribute != types.NoAttribute && env.Zone != time.UTC {
			c.zone = env.Zone
		}
	}
	return Clock{c}
}

// Done reports whether a window that ends at end is over at a watermark.
func (c Clock) Done(end, mark int64) bool { return c.c.done(end, mark) }

// Instant returns the time at which the clock on the wall shows ms.
func (c Clock) Instant(ms int64) int64 { return c.c.instant(ms) }
