package dates

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// DefaultFormat is the format of a date field whose mapping names none.
const DefaultFormat = "strict_date_optional_time||epoch_millis"

// Format is one or several date formats joined by ||: all are tried for
// reading, the first prints.
type Format struct {
	text  string
	parts []layout
}

// layout is one format.
type layout struct {
	name    string
	pattern []token
}

// named maps names of formats that are plain patterns.
var named = map[string]string{
	"basic_date": "yyyyMMdd", "basic_date_time": "yyyyMMdd'T'HHmmss.SSSXX", "basic_date_time_no_millis": "yyyyMMdd'T'HHmmssXX",
	"date": "yyyy-MM-dd", "date_hour": "yyyy-MM-dd'T'HH", "date_hour_minute": "yyyy-MM-dd'T'HH:mm",
	"date_hour_minute_second": "yyyy-MM-dd'T'HH:mm:ss", "date_hour_minute_second_millis": "yyyy-MM-dd'T'HH:mm:ss.SSS",
	"date_hour_minute_second_fraction": "yyyy-MM-dd'T'HH:mm:ss.SSS",
	"date_time":                        "yyyy-MM-dd'T'HH:mm:ss.SSSXXX", "date_time_no_millis": "yyyy-MM-dd'T'HH:mm:ssXXX",
	"hour": "HH", "hour_minute": "HH:mm", "hour_minute_second": "HH:mm:ss", "hour_minute_second_millis": "HH:mm:ss.SSS",
	"time": "HH:mm:ss.SSSXXX", "time_no_millis": "HH:mm:ssXXX", "year": "yyyy", "year_month": "yyyy-MM", "year_month_day": "yyyy-MM-dd",
	"basic_time": "HHmmss.SSSXX", "basic_time_no_millis": "HHmmssXX",
}

// ParseFormat reads a format string.
func ParseFormat(s string) (*Format, error) {
	f := &Format{text: s}
	for p := range strings.SplitSeq(s, "||") {
		l, err := parseLayout(strings.TrimSpace(p))
		if err != nil {
			return nil, err
		}
		f.parts = append(f.parts, l)
	}
	return f, nil
}

func parseLayout(p string) (layout, error) {
	switch p {
	case "strict_date_optional_time", "date_optional_time", "strict_date_optional_time_nanos", "epoch_millis", "epoch_second", "iso8601":
		return layout{name: p}, nil
	case "":
		return layout{}, errors.New("invalid format: []: no date pattern provided")
	}
	pat, ok := named[strings.TrimPrefix(p, "strict_")]
	if !ok {
		pat = p
	}
	toks, err := tokens(pat)
	return layout{name: p, pattern: toks}, err
}

// String returns the format as it was written.
func (f *Format) String() string { return f.text }

// Parse reads a date. loc is for texts without a zone; roundUp fills missing
// parts with their highest values.
func (f *Format) Parse(s string, loc *time.Location, roundUp bool) (time.Time, error) {
	for _, l := range f.parts {
		fl, err := l.parse(s)
		if err != nil {
			continue
		}
		if t, err := fl.time(loc, roundUp); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("failed to parse date field [%s] with format [%s]", s, f.text)
}

func (l layout) parse(s string) (fields, error) {
	switch l.name {
	case "strict_date_optional_time", "strict_date_optional_time_nanos", "iso8601":
		return iso(s, true)
	case "date_optional_time":
		return iso(s, false)
	case "epoch_millis":
		return epoch(s, 1_000_000)
	case "epoch_second":
		return epoch(s, 1_000_000_000)
	}
	return parsePattern(l.pattern, s)
}

func epoch(s string, unit int64) (fields, error) {
	f := blank()
	whole, frac, dot := strings.Cut(s, ".")
	n, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || strings.HasPrefix(s, "+") || dot && (frac == "" || len(frac) > 9) {
		return f, errFormat
	}
	per := int64(time.Second) / unit
	t := time.Unix(floorDiv(n, per), floorMod(n, per)*unit)
	if dot {
		x, err := strconv.ParseFloat("0."+frac, 64)
		if err != nil {
			return f, errFormat
		}
		d := time.Duration(math.Round(x * float64(unit)))
		if strings.HasPrefix(whole, "-") {
			d = -d
		}
		t = t.Add(d)
	}
	t = t.UTC()
	f.epoch = &t
	return f, nil
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

func floorMod(a, b int64) int64 { return a - floorDiv(a, b)*b }

// Print writes a date with the first format, in a zone.
func (f *Format) Print(t time.Time, loc *time.Location) string {
	if loc == nil {
		loc = time.UTC
	}
	t = t.In(loc)
	l := f.parts[0]
	switch l.name {
	case "strict_date_optional_time", "date_optional_time", "iso8601":
		if t.Nanosecond()%1_000_000 != 0 {
			return t.Format("2006-01-02T15:04:05.999999999") + zoneText(t, "XXX")
		}
		return t.Format("2006-01-02T15:04:05.000") + zoneText(t, "XXX")
	case "strict_date_optional_time_nanos":
		if t.Nanosecond()%1_000_000 != 0 {
			return t.Format("2006-01-02T15:04:05.999999999") + zoneText(t, "XXX")
		}
		return t.Format("2006-01-02T15:04:05.000") + zoneText(t, "XXX")
	case "epoch_millis":
		return strconv.FormatInt(t.UnixMilli(), 10)
	case "epoch_second":
		if t.UnixMilli()%1000 == 0 {
			return strconv.FormatInt(t.Unix(), 10)
		}
		return strconv.FormatFloat(float64(t.UnixMilli())/1000, 'f', -1, 64)
	}
	return printPattern(l.pattern, t)
}

// Zone reads a time zone: an offset, an id of the zone database, Z or UTC.
func Zone(s string) (*time.Location, error) {
	c := cursor{s: s}
	if z, ok := c.zone(); ok && c.done() {
		return z, nil
	}
	if s == "" || s == "Local" {
		return nil, fmt.Errorf("unknown time zone [%s]", s)
	}
	loc, err := time.LoadLocation(s)
	if err != nil {
		return nil, fmt.Errorf("unknown time zone [%s]", s)
	}
	return loc, nil
}
