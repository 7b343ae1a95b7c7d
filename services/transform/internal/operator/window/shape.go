// Package window is windows over time: their assignment to rows, and aggregation
// by window and key.
package window

import (
	"math"
	"time"

	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/eval"
	"github.com/weirflow/weirflow/services/transform/internal/plan"
)

// span is a window: from start to before end, on the clock of the session's zone.
type span struct{ start, end int64 }

// clock turns points in time into times on the wall, by which windows are cut.
// A TIMESTAMP is on the wall already.
type clock struct {
	zone *time.Location // nil when nothing is to be turned
	now  func() time.Time
}

func newClock(w plan.Window, env eval.Env) clock {
	c := clock{now: env.Now}
	if (w.LTZ || w.Proctime) && env.Zone != time.UTC {
		c.zone = env.Zone
	}
	return c
}

// wall returns what the clock on the wall shows at a time.
func (c clock) wall(ms int64) int64 {
	if c.zone == nil {
		return ms
	}
	_, offset := time.UnixMilli(ms).In(c.zone).Zone()
	return ms + int64(offset)*1000
}

// instant returns the time at which the clock on the wall shows ms.
func (c clock) instant(ms int64) int64 {
	if c.zone == nil || ms == math.MaxInt64 || ms == math.MinInt64 {
		return ms
	}
	t := time.UnixMilli(ms).UTC()
	return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), c.zone).UnixMilli()
}

// done reports whether a window is over at a watermark.
func (c clock) done(end, mark int64) bool { return c.instant(end-1) <= mark }

// floor returns the start of the slot of a size that ts is in.
func floor(ts, offset, size int64) int64 {
	r := (ts - offset) % size
	if r < 0 {
		r += size
	}
	return ts - r
}

// spans appends the windows that a time on the wall is in.
func spans(dst []span, w *plan.Window, ts int64) []span {
	switch w.Kind {
	case plan.HopWindow:
		for s := floor(ts, w.Offset, w.Slide); s > ts-w.Size; s -= w.Slide {
			dst = append(dst, span{s, s + w.Size})
		}
		return dst
	case plan.CumulateWindow:
		s := floor(ts, w.Offset, w.Size)
		for end := s + ((ts-s)/w.Slide+1)*w.Slide; end <= s+w.Size; end += w.Slide {
			dst = append(dst, span{s, end})
		}
		return dst
	case plan.SessionWindow:
		return append(dst, span{ts, ts + w.Gap})
	default:
		s := floor(ts, w.Offset, w.Size)
		return append(dst, span{s, s + w.Size})
	}
}

// appendProperty appends a column about a window.
func (c clock) appendProperty(dst *column.Vector, p plan.Property, s span) {
	dst.Extend(1)
	at := dst.Len - 1
	switch p {
	case plan.WindowStart:
		dst.Ints[at] = s.start
	case plan.WindowEnd:
		dst.Ints[at] = s.end
	case plan.WindowProctime:
		dst.Ints[at] = c.now().UnixMilli()
	default:
		dst.Ints[at] = c.instant(s.end - 1)
	}
}
