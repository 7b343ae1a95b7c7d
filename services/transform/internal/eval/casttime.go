package eval

import (
	"fmt"

	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/datum"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

// toTemporal is CAST to DATE, TIME, TIMESTAMP and TIMESTAMP_LTZ.
func (c *compiler) toTemporal(from, to types.Type) convert {
	if from.Kind.IsCharacter() {
		return c.parseTemporal(to)
	}
	if from.Kind.IsNumeric() && to.Kind.IsTimestamp() {
		return nil
	}
	if !from.Kind.IsDatetime() {
		return nil
	}
	zone := c.env.Zone
	return func(v *column.Vector, j int, out *column.Vector, i int) error {
		var t types.TimestampValue // local time
		switch from.Kind {
		case types.Date:
			t.Millis = v.Ints[j] * datum.MillisPerDay
		case types.Time:
			t.Millis = v.Ints[j]
		case types.TimestampLTZ:
			t = v.Time(j)
			if to.Kind != types.TimestampLTZ {
				t = inZone(t, zone)
			}
		default:
			t = v.Time(j)
		}
		days, ofDay := datum.Split(t.Millis)
		switch to.Kind {
		case types.Date:
			out.Ints[i] = days
		case types.Time:
			out.Ints[i] = cutTime(ofDay, to.Precision)
		default:
			if to.Kind == types.TimestampLTZ && from.Kind != types.TimestampLTZ {
				t = atZone(t, zone)
			}
			out.SetTime(i, cutTimestamp(t, to.Precision))
		}
		return nil
	}
}

func (c *compiler) parseTemporal(to types.Type) convert {
	zone := c.env.Zone
	return func(v *column.Vector, j int, out *column.Vector, i int) error {
		s := v.Strs[j]
		switch to.Kind {
		case types.Date:
			days, ok := datum.CastDate(s)
			if !ok {
				return fmt.Errorf("cannot parse %q as DATE", brief(s))
			}
			out.Ints[i] = days
		case types.Time:
			ofDay, ok := datum.CastTime(s)
			if !ok {
				return fmt.Errorf("cannot parse %q as TIME", brief(s))
			}
			out.Ints[i] = cutTime(ofDay, to.Precision)
		default:
			t, ok := datum.CastTimestamp(s)
			if !ok {
				return fmt.Errorf("cannot parse %q as %s", brief(s), to.Kind)
			}
			if to.Kind == types.TimestampLTZ {
				t = atZone(t, zone)
			}
			out.SetTime(i, cutTimestamp(t, to.Precision))
		}
		return nil
	}
}

// cutTimestamp takes off the fraction digits behind the precision.
func cutTimestamp(t types.TimestampValue, precision int) types.TimestampValue {
	if precision <= 3 {
		t.Nanos = 0
		days, ofDay := datum.Split(t.Millis)
		t.Millis = days*datum.MillisPerDay + cutTime(ofDay, precision)
		return t
	}
	step := int32(1)
	for range max(0, 9-precision) {
		step *= 10
	}
	t.Nanos -= t.Nanos % step
	return t
}

func cutTime(ofDay int64, precision int) int64 {
	step := int64(1)
	for range max(0, 3-precision) {
		step *= 10
	}
	return ofDay - ofDay%step
}
