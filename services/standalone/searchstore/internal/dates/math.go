package dates

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // zone names must work on machines without a zone database
)

// Math reads a date with optional arithmetic: now, now-1d/d, 2021-08-30||+1M.
// roundUp moves roundings and missing parts to the end of their span.
func (f *Format) Math(expr string, now time.Time, loc *time.Location, roundUp bool) (time.Time, error) {
	var t time.Time
	var ops string
	if rest, ok := strings.CutPrefix(expr, "now"); ok {
		t, ops = now, rest
	} else {
		base, rest, found := strings.Cut(expr, "||")
		var err error
		if t, err = f.Parse(base, loc, roundUp && !found); err != nil {
			return t, err
		}
		ops = rest
	}
	if loc == nil {
		loc = time.UTC
	}
	return applyMath(t.In(loc), ops, expr, roundUp)
}

func applyMath(t time.Time, ops, expr string, roundUp bool) (time.Time, error) {
	bad := func() (time.Time, error) {
		return t, fmt.Errorf("operator not supported for date math [%s]", expr)
	}
	for i := 0; i < len(ops); {
		op := ops[i]
		i++
		if op != '+' && op != '-' && op != '/' {
			return bad()
		}
		n, start := 1, i
		for i < len(ops) && ops[i] >= '0' && ops[i] <= '9' {
			i++
		}
		if i > start {
			var err error
			if n, err = strconv.Atoi(ops[start:i]); err != nil || op == '/' {
				return bad()
			}
		}
		if i >= len(ops) {
			return t, fmt.Errorf("truncated date math [%s]", expr)
		}
		unit := ops[i]
		i++
		var ok bool
		if op == '/' {
			t, ok = floorUnit(t, unit)
			if ok && roundUp {
				if t, ok = addUnit(t, unit, 1); ok {
					t = t.Add(-time.Millisecond)
				}
			}
		} else {
			if op == '-' {
				n = -n
			}
			t, ok = addUnit(t, unit, n)
		}
		if !ok {
			return t, fmt.Errorf("unit [%c] not supported for date math [%s]", unit, expr)
		}
	}
	return t, nil
}

func addUnit(t time.Time, unit byte, n int) (time.Time, bool) {
	switch unit {
	case 'y':
		return addMonths(t, 12*n), true
	case 'M':
		return addMonths(t, n), true
	case 'w':
		return t.AddDate(0, 0, 7*n), true
	case 'd':
		return t.AddDate(0, 0, n), true
	case 'h', 'H':
		return t.Add(time.Duration(n) * time.Hour), true
	case 'm':
		return t.Add(time.Duration(n) * time.Minute), true
	case 's':
		return t.Add(time.Duration(n) * time.Second), true
	}
	return t, false
}

// addMonths keeps the day within the target month, as Java does.
func addMonths(t time.Time, n int) time.Time {
	y, m, d := t.Date()
	first := time.Date(y, m+time.Month(n), 1, 0, 0, 0, 0, time.UTC)
	d = min(d, daysIn(first.Year(), int(first.Month())))
	return time.Date(first.Year(), first.Month(), d, t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), t.Location())
}

func floorUnit(t time.Time, unit byte) (time.Time, bool) {
	y, m, d := t.Date()
	loc := t.Location()
	switch unit {
	case 'y':
		return time.Date(y, 1, 1, 0, 0, 0, 0, loc), true
	case 'q':
		return time.Date(y, (m-1)/3*3+1, 1, 0, 0, 0, 0, loc), true
	case 'M':
		return time.Date(y, m, 1, 0, 0, 0, 0, loc), true
	case 'w':
		return time.Date(y, m, d-(int(t.Weekday())+6)%7, 0, 0, 0, 0, loc), true
	case 'd':
		return time.Date(y, m, d, 0, 0, 0, 0, loc), true
	case 'h', 'H':
		_, off := t.Zone()
		sh := time.Duration(off) * time.Second
		return t.Add(sh).Truncate(time.Hour).Add(-sh), true
	case 'm':
		return t.Truncate(time.Minute), true
	case 's':
		return t.Truncate(time.Second), true
	}
	return t, false
}
