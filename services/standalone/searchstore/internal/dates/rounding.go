package dates

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Rounding cuts times to the start of their interval; times are in
// milliseconds since 1970.
type Rounding struct {
	unit   byte  // calendar unit, 0 for a fixed interval
	every  int64 // fixed interval in ms
	offset int64
	loc    *time.Location
	fixed  int64 // the zone's offset in ms when it never changes
	simple bool
}

// Calendar returns the rounding to a calendar interval such as 1d, day, M.
func Calendar(s string, loc *time.Location, offset int64) (*Rounding, error) {
	units := map[string]byte{"second": 's', "1s": 's', "minute": 'm', "1m": 'm', "hour": 'h', "1h": 'h', "day": 'd', "1d": 'd',
		"week": 'w', "1w": 'w', "month": 'M', "1M": 'M', "quarter": 'q', "1q": 'q', "year": 'y', "1y": 'y'}
	u, ok := units[s]
	if !ok {
		return nil, fmt.Errorf("the supplied interval [%s] could not be parsed as a calendar interval", s)
	}
	r := &Rounding{unit: u, offset: offset}
	r.zone(loc)
	return r, nil
}

// Fixed returns the rounding to a fixed interval such as 90m.
func Fixed(s string, loc *time.Location, offset int64) (*Rounding, error) {
	d, err := Duration(s)
	if err != nil || d < time.Millisecond {
		return nil, fmt.Errorf("failed to parse setting [fixed_interval] with value [%s] as a time value", s)
	}
	r := &Rounding{every: d.Milliseconds(), offset: offset}
	r.zone(loc)
	return r, nil
}

func (r *Rounding) zone(loc *time.Location) {
	if loc == nil {
		loc = time.UTC
	}
	r.loc = loc
	a := time.Date(2020, 1, 1, 0, 0, 0, 0, loc)
	name, off := a.Zone()
	if loc == time.UTC || name == "" || loc.String() == "UTC" {
		r.simple, r.fixed = true, int64(off)*1000
	}
}

// Floor returns the start of the interval that holds ms.
func (r *Rounding) Floor(ms int64) int64 {
	ms -= r.offset
	if r.unit == 0 || r.simple && (r.unit == 'd' || r.unit == 'h' || r.unit == 'm' || r.unit == 's') {
		every := r.every
		switch r.unit {
		case 'd':
			every = 86_400_000
		case 'h':
			every = 3_600_000
		case 'm':
			every = 60_000
		case 's':
			every = 1000
		}
		return r.floorFixed(ms, every) + r.offset
	}
	t, _ := floorUnit(time.UnixMilli(ms).In(r.loc), r.unit)
	return t.UnixMilli() + r.offset
}

func (r *Rounding) floorFixed(ms, every int64) int64 {
	if r.simple {
		return floorDiv(ms+r.fixed, every)*every - r.fixed
	}
	t := time.UnixMilli(ms).In(r.loc)
	_, off := t.Zone()
	local := floorDiv(ms+int64(off)*1000, every) * every
	utc := local - int64(off)*1000
	_, before := time.UnixMilli(utc).In(r.loc).Zone()
	if before == off {
		return utc
	}
	// A change of offset lies within the interval.
	utc = local - int64(before)*1000
	if _, o := time.UnixMilli(utc).In(r.loc).Zone(); o != before {
		// The clock never showed the start: it was put forward over it.
		start, _ := t.ZoneBounds()
		return start.UnixMilli()
	}
	return utc
}

// Next returns the start of the interval behind the one that starts at ms.
func (r *Rounding) Next(ms int64) int64 {
	if r.unit == 0 {
		if r.simple {
			return ms + r.every
		}
		next := r.Floor(ms + r.every)
		if next <= ms {
			next = r.Floor(ms + r.every + 3_600_000)
		}
		if next <= ms {
			next = ms + r.every
		}
		return next
	}
	t := time.UnixMilli(ms - r.offset).In(r.loc)
	if r.unit == 'q' {
		return addMonths(t, 3).UnixMilli() + r.offset
	}
	n, _ := addUnit(t, r.unit, 1)
	return n.UnixMilli() + r.offset
}

// Duration reads a time value: a number and ns, micros, ms, s, m, h or d.
func Duration(s string) (time.Duration, error) {
	if s == "0" || s == "-1" {
		n, err := strconv.Atoi(s)
		return time.Duration(n), err
	}
	for _, u := range [...]struct {
		suffix string
		d      time.Duration
	}{{"nanos", 1}, {"micros", time.Microsecond}, {"ms", time.Millisecond}, {"s", time.Second}, {"m", time.Minute}, {"h", time.Hour}, {"d", 24 * time.Hour}, {"w", 7 * 24 * time.Hour}} {
		num, ok := strings.CutSuffix(strings.TrimSpace(s), u.suffix)
		if !ok || num == "" {
			continue
		}
		f, err := strconv.ParseFloat(strings.TrimSpace(num), 64)
		if err != nil || f*float64(u.d) > 1<<62 {
			break
		}
		return time.Duration(f * float64(u.d)), nil
	}
	return 0, fmt.Errorf("failed to parse [%s] as a time value: unit is missing or unrecognized", s)
}
