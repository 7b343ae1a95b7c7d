package oncall

import (
	"fmt"
	"time"
	_ "time/tzdata" // zone names must work on machines without a zone database
)

// civil is a time as a clock on the wall shows it: the seconds since 1970 as if the wall
// were in UTC. Turns are counted in it, so that they keep their hour when the clocks
// change.
type civil int64

const (
	hour = civil(3600)
	day  = 24 * hour
)

// wall is what the clock shows at an instant.
func wall(t time.Time, zone *time.Location) civil {
	_, offset := t.In(zone).Zone()
	return civil(t.Unix() + int64(offset))
}

// instant is when the clock shows a time. When it shows it twice, it is the first time;
// when it skips it, as much later as it skips.
func instant(c civil, zone *time.Location) time.Time {
	offset := func(at civil) civil {
		_, o := time.Unix(int64(at), 0).In(zone).Zone()
		return civil(o)
	}
	before, after := offset(c-day), offset(c+day)
	for _, o := range []civil{max(before, after), min(before, after)} { // the greater offset is the earlier instant
		if t := time.Unix(int64(c-o), 0); wall(t, zone) == c {
			return t
		}
	}
	return time.Unix(int64(c-before), 0)
}

// date reads 2026-11-30.
func date(text string) (civil, error) {
	t, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return 0, fmt.Errorf("%q is not a day such as 2026-11-30", text)
	}
	return civil(t.Unix()), nil
}

// timeOfDay reads 09:00; empty is midnight.
func timeOfDay(text string) (civil, error) {
	if text == "" {
		return 0, nil
	}
	t, err := time.Parse("15:04", text)
	if err != nil || len(text) != len("15:04") {
		return 0, fmt.Errorf("%q is not a time of the day such as 09:00", text)
	}
	return civil(t.Hour())*hour + civil(t.Minute())*60, nil
}

// weekday is 1 for Monday to 7 for Sunday.
func (c civil) weekday() int32 {
	const thursday = 3 // 1970-01-01 was one, counted from Monday
	return int32(((c.midnight()/day+thursday)%7+7)%7) + 1
}

// midnight is the beginning of the day.
func (c civil) midnight() civil {
	m := c % day
	if m < 0 {
		m += day
	}
	return c - m
}
