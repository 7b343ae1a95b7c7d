// Package dates reads and prints dates in Elasticsearch's named formats and in
// Java patterns, does its date arithmetic (now-1d/d) and rounds to intervals.
package dates

import (
	"errors"
	"time"
)

// errFormat says that a text does not have the format's shape.
var errFormat = errors.New("text does not match the date format")

// fields are the parts of a date as they were written; missing ones are -1.
type fields struct {
	year, month, day, hour, min, sec, nano int
	zone                                   *time.Location
	epoch                                  *time.Time
	pm                                     int // 0 unknown, 1 am, 2 pm
}

func blank() fields {
	return fields{year: -1, month: -1, day: -1, hour: -1, min: -1, sec: -1, nano: -1}
}

// time fills what is missing: with the lowest values, or with the highest
// when roundUp is set.
func (f fields) time(loc *time.Location, roundUp bool) (time.Time, error) {
	if f.epoch != nil {
		return *f.epoch, nil
	}
	if f.zone != nil {
		loc = f.zone
	}
	if loc == nil {
		loc = time.UTC
	}
	if f.pm != 0 && f.hour >= 0 {
		f.hour = f.hour%12 + 12*(f.pm-1)
	}
	if f.year < 0 {
		f.year = 1970
	}
	if roundUp {
		f = f.highest()
	}
	low := func(n, d int) int {
		if n < 0 {
			return d
		}
		return n
	}
	m, d := low(f.month, 1), low(f.day, 1)
	h, mi, s, n := low(f.hour, 0), low(f.min, 0), low(f.sec, 0), low(f.nano, 0)
	if m < 1 || m > 12 || d < 1 || d > daysIn(f.year, m) || h > 24 || mi > 59 || s > 59 || h == 24 && mi+s+n > 0 {
		return time.Time{}, errFormat
	}
	return time.Date(f.year, time.Month(m), d, h, mi, s, n, loc), nil
}

func (f fields) highest() fields {
	up := func(n *int, to int) {
		if *n < 0 {
			*n = to
		}
	}
	up(&f.month, 12)
	up(&f.day, daysIn(f.year, min(max(f.month, 1), 12)))
	up(&f.hour, 23)
	up(&f.min, 59)
	up(&f.sec, 59)
	up(&f.nano, 999_999_999)
	return f
}

func daysIn(year, month int) int {
	return time.Date(year, time.Month(month)+1, 0, 0, 0, 0, 0, time.UTC).Day()
}

// cursor walks over a text.
type cursor struct {
	s string
	i int
}

func (c *cursor) eat(b byte) bool {
	if c.i < len(c.s) && c.s[c.i] == b {
		c.i++
		return true
	}
	return false
}

// digits reads between lo and hi digits.
func (c *cursor) digits(lo, hi int) (int, bool) {
	n, start := 0, c.i
	for c.i < len(c.s) && c.i-start < hi && c.s[c.i] >= '0' && c.s[c.i] <= '9' {
		n = n*10 + int(c.s[c.i]-'0')
		c.i++
	}
	return n, c.i-start >= lo
}

// fraction reads up to nine digits behind a decimal point as nanoseconds.
func (c *cursor) fraction() (int, bool) {
	start := c.i
	n, ok := c.digits(1, 9)
	for d := c.i - start; d < 9; d++ {
		n *= 10
	}
	return n, ok
}

func (c *cursor) done() bool { return c.i >= len(c.s) }

// zone reads Z, +hh, +hhmm, +hh:mm or nothing.
func (c *cursor) zone() (*time.Location, bool) {
	if c.eat('Z') || c.eat('z') {
		return time.UTC, true
	}
	neg := c.i < len(c.s) && c.s[c.i] == '-'
	if !neg && (c.i >= len(c.s) || c.s[c.i] != '+') {
		return nil, false
	}
	c.i++
	h, ok := c.digits(2, 2)
	if !ok || h > 18 {
		return nil, false
	}
	m := 0
	if c.eat(':') || c.i < len(c.s) && c.s[c.i] >= '0' && c.s[c.i] <= '9' {
		if m, ok = c.digits(2, 2); !ok || m > 59 {
			return nil, false
		}
	}
	off := h*3600 + m*60
	if neg {
		off = -off
	}
	if off == 0 {
		return time.UTC, true
	}
	return time.FixedZone("", off), true
}

// iso reads strict_date_optional_time; lenient allows shorter fields.
func iso(s string, strict bool) (fields, error) {
	f := blank()
	c := cursor{s: s}
	lo := 2
	if !strict {
		lo = 1
	}
	neg := c.eat('-')
	if !neg {
		c.eat('+')
	}
	var ok bool
	yearLo := 4
	if !strict {
		yearLo = 1
	}
	if f.year, ok = c.digits(yearLo, 9); !ok || strict && c.i > 5 && !neg && s[0] != '+' {
		return f, errFormat
	}
	if neg {
		f.year = -f.year
	}
	if c.eat('-') {
		if f.month, ok = c.digits(lo, 2); !ok {
			return f, errFormat
		}
		if c.eat('-') {
			if f.day, ok = c.digits(lo, 2); !ok {
				return f, errFormat
			}
		}
	}
	if c.done() {
		return f, nil
	}
	if !c.eat('T') {
		return f, errFormat
	}
	if c.done() {
		return f, nil
	}
	if err := clock(&c, &f, lo); err != nil {
		return f, err
	}
	if !c.done() {
		if f.zone, ok = c.zone(); !ok || !c.done() {
			return f, errFormat
		}
	}
	return f, nil
}

func clock(c *cursor, f *fields, lo int) error {
	var ok bool
	if f.hour, ok = c.digits(lo, 2); !ok {
		return errFormat
	}
	if !c.eat(':') {
		return nil
	}
	if f.min, ok = c.digits(lo, 2); !ok {
		return errFormat
	}
	if !c.eat(':') {
		return nil
	}
	if f.sec, ok = c.digits(lo, 2); !ok {
		return errFormat
	}
	if c.eat('.') || c.eat(',') {
		if f.nano, ok = c.fraction(); !ok {
			return errFormat
		}
	}
	return nil
}

// FastMillis reads the commonest form, yyyy-MM-ddTHH:mm:ss[.SSS]Z, without
// allocating; ok is false for every other form.
func FastMillis(b []byte) (ms int64, ok bool) {
	if (len(b) != 24 && len(b) != 20) || b[4] != '-' || b[7] != '-' || b[10] != 'T' || b[13] != ':' || b[16] != ':' || b[len(b)-1] != 'Z' {
		return 0, false
	}
	num := func(i, n int) int {
		v := 0
		for _, c := range b[i : i+n] {
			if c < '0' || c > '9' {
				v = -1 << 30
			}
			v = v*10 + int(c-'0')
		}
		return v
	}
	y, m, d := num(0, 4), num(5, 2), num(8, 2)
	h, mi, s, frac := num(11, 2), num(14, 2), num(17, 2), 0
	if len(b) == 24 {
		if b[19] != '.' {
			return 0, false
		}
		frac = num(20, 3)
	}
	if y < 0 || m < 1 || m > 12 || d < 1 || d > 28 && d > daysIn(y, m) || h < 0 || h > 23 || mi < 0 || mi > 59 || s < 0 || s > 59 || frac < 0 {
		return 0, false
	}
	return (daysFromCivil(y, m, d)*86400+int64(h*3600+mi*60+s))*1000 + int64(frac), true
}

// daysFromCivil counts days since 1970-01-01 in the proleptic calendar.
func daysFromCivil(y, m, d int) int64 {
	if m <= 2 {
		y--
	}
	era := y / 400
	if y < 0 {
		era = (y - 399) / 400
	}
	yoe := y - era*400
	mp := (m + 9) % 12
	doy := (153*mp+2)/5 + d - 1
	doe := yoe*365 + yoe/4 - yoe/100 + doy
	return int64(era)*146097 + int64(doe) - 719468
}
