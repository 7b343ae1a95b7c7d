package plan

import (
	"fmt"
	"time"

	"github.com/weirflow/weirflow/services/transform/internal/types"
)

// FormatTimestamp returns a timestamp as SQL writes it, with the fraction
// digits of the precision given.
func FormatTimestamp(v types.TimestampValue, precision int) string {
	t := time.UnixMilli(v.Millis).UTC()
	s := t.Format("2006-01-02 15:04:05")
	if precision <= 0 {
		return s
	}
	frac := fmt.Sprintf("%09d", int64(t.Nanosecond())+int64(v.Nanos))
	return s + "." + frac[:min(precision, len(frac))]
}
