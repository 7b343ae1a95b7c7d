package eval

import (
	"fmt"
	"strings"
	"time"

	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/datum"
	"github.com/weirflow/weirflow/services/transform/internal/plan"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

var timeFunctions = map[string]builder{
	plan.FnExtract: extract,
	"YEAR":         part("YEAR"), "QUARTER": part("QUARTER"), "MONTH": part("MONTH"), "WEEK": part("WEEK"), "DAYOFYEAR": part("DOY"),
	"DAYOFMONTH": part("DAY"), "DAYOFWEEK": part("DOW"), "HOUR": part("HOUR"), "MINUTE": part("MINUTE"), "SECOND": part("SECOND"),
	plan.FnTimestampAdd: timestampAdd, plan.FnTimestampDiff: timestampDiff,
	"DATE_FORMAT": dateFormat, "TO_TIMESTAMP": toTimestamp, "TO_DATE": toDate, "TO_TIMESTAMP_LTZ": toTimestampLTZ,
	"UNIX_TIMESTAMP": unixTimestamp, "FROM_UNIXTIME": fromUnixTime, "CONVERT_TZ": lenient(convertTZ), plan.FnOverlaps: lenient(overlaps),
	"CURRENT_TIMESTAMP": now, "NOW": now, "CURRENT_ROW_TIMESTAMP": now, "LOCALTIMESTAMP": now, "LOCALTIME": now,
	"CURRENT_TIME": now, "CURRENT_DATE": now, "PROCTIME": now,
	"CURRENT_WATERMARK": lenient(func(_ []*column.Vector, i int, out *column.Vector) error { out.SetNull(i); return nil }),
}

// localOf returns row i of a date, time or timestamp as local time.
func localOf(v *column.Vector, i int, zone *time.Location) types.TimestampValue {
	switch v.Type.Kind {
	case types.Date:
		return types.TimestampValue{Millis: v.Ints[i] * datum.MillisPerDay}
	case types.Timestamp:
		return v.Time(i)
	case types.TimestampLTZ:
		return inZone(v.Time(i), zone)
	default:
		return types.TimestampValue{Millis: v.Ints[i]}
	}
}

func now(c *compiler, e *plan.Call) (*spec, error) {
	zone := c.env.Zone
	return &spec{fn: func(_ []*column.Vector, i int, out *column.Vector) error {
		at := c.env.Now()
		t := types.TimestampValue{Millis: at.UnixMilli(), Nanos: int32(at.Nanosecond() % 1_000_000)}
		if e.Typ.Kind != types.TimestampLTZ {
			t = inZone(t, zone)
		}
		days, ofDay := datum.Split(t.Millis)
		switch e.Typ.Kind {
		case types.Date:
			out.Ints[i] = days
		case types.Time:
			out.Ints[i] = cutTime(ofDay, e.Typ.Precision)
		default:
			out.SetTime(i, cutTimestamp(t, e.Typ.Precision))
		}
		return nil
	}}, nil
}

func extract(c *compiler, e *plan.Call) (*spec, error) {
	return partOf(c, symbol(e.Args[0]), 1, e)
}

func part(unit string) builder {
	return func(c *compiler, e *plan.Call) (*spec, error) { return partOf(c, unit, 0, e) }
}

func partOf(c *compiler, unit string, arg int, e *plan.Call) (*spec, error) {
	zone := c.env.Zone
	t := e.Args[arg].Type()
	if t.Kind == types.IntervalYearMonth {
		return &spec{fn: func(a []*column.Vector, i int, out *column.Vector) error {
			months := a[arg].Ints[i]
			out.Ints[i] = months / 12
			if unit == "MONTH" {
				out.Ints[i] = months % 12
			}
			return nil
		}}, nil
	}
	if t.Kind == types.IntervalDayTime {
		return intervalPart(unit, arg), nil
	}
	f := partFunc(unit)
	if f == nil {
		return nil, nil
	}
	point := unit == "EPOCH" && t.Kind == types.TimestampLTZ
	return &spec{fn: func(a []*column.Vector, i int, out *column.Vector) error {
		v := localOf(a[arg], i, zone)
		if point {
			v = a[arg].Time(i)
		}
		out.Ints[i] = f(v)
		return nil
	}}, nil
}

// intervalPart takes a unit from an interval of days to seconds; nil for units it does not have.
func intervalPart(unit string, arg int) *spec {
	units := map[string][2]int64{
		"DAY": {datum.MillisPerDay, 0}, "HOUR": {3_600_000, 24}, "MINUTE": {60_000, 60}, "SECOND": {1000, 60},
		"MILLISECOND": {1, 60_000}, "EPOCH": {1000, 0},
	}
	u, ok := units[unit]
	if !ok {
		return nil
	}
	return &spec{fn: func(a []*column.Vector, i int, out *column.Vector) error {
		n := a[arg].Ints[i] / u[0]
		if u[1] > 0 {
			n %= u[1]
		}
		out.Ints[i] = n
		return nil
	}}
}

// partFunc returns how a unit is taken from a local time.
func partFunc(unit string) func(t types.TimestampValue) int64 {
	ofDay := func(f func(ms int64) int64) func(types.TimestampValue) int64 {
		return func(t types.TimestampValue) int64 {
			_, ms := datum.Split(t.Millis)
			return f(ms)
		}
	}
	date := func(f func(days int64, y, m, d int) int64) func(types.TimestampValue) int64 {
		return func(t types.TimestampValue) int64 {
			days, _ := datum.Split(t.Millis)
			y, m, d := datum.Civil(days)
			return f(days, y, m, d)
		}
	}
	switch unit {
	case "YEAR":
		return date(func(_ int64, y, _, _ int) int64 { return int64(y) })
	case "QUARTER":
		return date(func(_ int64, _, m, _ int) int64 { return int64((m-1)/3 + 1) })
	case "MONTH":
		return date(func(_ int64, _, m, _ int) int64 { return int64(m) })
	case "DAY":
		return date(func(_ int64, _, _, d int) int64 { return int64(d) })
	case "DOY":
		return date(func(days int64, y, _, _ int) int64 { return days - datum.Days(y, 1, 1) + 1 })
	case "DOW":
		return date(func(days int64, _, _, _ int) int64 { return mod(days+4, 7) + 1 })
	case "ISODOW":
		return date(func(days int64, _, _, _ int) int64 { return mod(days+3, 7) + 1 })
	case "WEEK":
		return date(func(days int64, _, _, _ int) int64 {
			_, w := time.Unix(days*86400, 0).UTC().ISOWeek()
			return int64(w)
		})
	case "ISOYEAR":
		return date(func(days int64, _, _, _ int) int64 {
			y, _ := time.Unix(days*86400, 0).UTC().ISOWeek()
			return int64(y)
		})
	case "DECADE":
		return date(func(_ int64, y, _, _ int) int64 { return div(int64(y), 10) })
	case "CENTURY":
		return date(func(_ int64, y, _, _ int) int64 { return div(int64(y)-1, 100) + 1 })
	case "MILLENNIUM":
		return date(func(_ int64, y, _, _ int) int64 { return div(int64(y)-1, 1000) + 1 })
	case "EPOCH":
		return func(t types.TimestampValue) int64 { return div(t.Millis, 1000) }
	case "HOUR":
		return ofDay(func(ms int64) int64 { return ms / 3_600_000 })
	case "MINUTE":
		return ofDay(func(ms int64) int64 { return ms / 60_000 % 60 })
	case "SECOND":
		return ofDay(func(ms int64) int64 { return ms / 1000 % 60 })
	case "MILLISECOND":
		return ofDay(func(ms int64) int64 { return ms % 1000 })
	case "MICROSECOND":
		return func(t types.TimestampValue) int64 {
			_, ms := datum.Split(t.Millis)
			return ms%1000*1000 + int64(t.Nanos/1000)
		}
	case "NANOSECOND":
		return func(t types.TimestampValue) int64 {
			_, ms := datum.Split(t.Millis)
			return ms%1000*1_000_000 + int64(t.Nanos)
		}
	default:
		return nil
	}
}

func div(a, b int64) int64 { return (a - mod(a, b)) / b }

func mod(a, b int64) int64 { return (a%b + b) % b }

// floorTime is FLOOR and CEIL of a time to a unit.
func floorTime(c *compiler, e *plan.Call) (*spec, error) {
	unit, ceil, zone := symbol(e.Args[1]), e.Function == plan.FnCeil, c.env.Zone
	if _, ok := floorUnit(0, unit, false); !ok {
		return nil, nil
	}
	return &spec{fn: func(a []*column.Vector, i int, out *column.Vector) error {
		t := localOf(a[0], i, zone)
		ms, _ := floorUnit(t.Millis, unit, false)
		if ceil && needsNext(ms, t.Millis, unit) {
			ms, _ = floorUnit(ms, unit, true)
		}
		switch a[0].Type.Kind {
		case types.Date:
			out.Ints[i], _ = datum.Split(ms)
		case types.Time:
			out.Ints[i] = ms
		case types.TimestampLTZ:
			out.SetTime(i, atZone(types.TimestampValue{Millis: ms}, zone))
		default:
			out.SetTime(i, types.TimestampValue{Millis: ms})
		}
		return nil
	}}, nil
}

// needsNext tells whether CEIL goes on to the next unit. As in Flink, a whole day
// counts as its begin for units of days, and decades and longer always go on.
func needsNext(floor, ms int64, unit string) bool {
	switch unit {
	case "DECADE", "CENTURY", "MILLENNIUM":
		return true
	case "YEAR", "QUARTER", "MONTH", "WEEK":
		return ms-floor >= datum.MillisPerDay
	}
	return floor != ms
}

// floorUnit cuts milliseconds to a unit, or goes on to the next one.
func floorUnit(ms int64, unit string, up bool) (int64, bool) {
	step := map[string]int64{"MILLISECOND": 1, "SECOND": 1000, "MINUTE": 60_000, "HOUR": 3_600_000, "DAY": datum.MillisPerDay}[unit]
	if step > 0 {
		ms -= mod(ms, step)
		if up {
			ms += step
		}
		return ms, true
	}
	days, _ := datum.Split(ms)
	if unit == "WEEK" {
		days -= mod(days+4, 7)
		if up {
			days += 7
		}
		return days * datum.MillisPerDay, true
	}
	months := map[string]int64{"MONTH": 1, "QUARTER": 3, "YEAR": 12, "DECADE": 120, "CENTURY": 1200, "MILLENNIUM": 12000}[unit]
	if months == 0 {
		return 0, false
	}
	y, m, _ := datum.Civil(days)
	total := int64(y)*12 + int64(m) - 1
	if months > 120 {
		total -= 12 // centuries begin with the year 1
	}
	total -= mod(total, months)
	if up {
		total += months
	}
	if months > 120 {
		total += 12
	}
	return datum.Days(int(div(total, 12)), int(mod(total, 12))+1, 1) * datum.MillisPerDay, true
}

// unitSpan returns what a unit is in months or milliseconds.
func unitSpan(unit string) (months, ms int64) {
	switch strings.TrimPrefix(unit, "SQL_TSI_") {
	case "YEAR":
		return 12, 0
	case "QUARTER":
		return 3, 0
	case "MONTH":
		return 1, 0
	case "WEEK":
		return 0, 7 * datum.MillisPerDay
	case "DAY":
		return 0, datum.MillisPerDay
	case "HOUR":
		return 0, 3_600_000
	case "MINUTE":
		return 0, 60_000
	case "SECOND":
		return 0, 1000
	case "MILLISECOND":
		return 0, 1
	default:
		return 0, 0
	}
}

func timestampAdd(_ *compiler, e *plan.Call) (*spec, error) {
	months, ms := unitSpan(symbol(e.Args[0]))
	if months+ms == 0 {
		return nil, nil
	}
	return &spec{fn: func(a []*column.Vector, i int, out *column.Vector) error {
		return shift(out, i, a[2], a[2].Type.Kind, a[1].Ints[i]*(months+ms), months > 0)
	}}, nil
}

func timestampDiff(c *compiler, e *plan.Call) (*spec, error) {
	months, ms := unitSpan(symbol(e.Args[0]))
	if months+ms == 0 {
		return nil, nil
	}
	zone := c.env.Zone
	return &spec{fn: func(a []*column.Vector, i int, out *column.Vector) error {
		from, to := localOf(a[1], i, zone), localOf(a[2], i, zone)
		if months == 0 {
			out.Ints[i] = wrap((to.Millis-from.Millis)/ms, out.Type.Kind)
			return nil
		}
		out.Ints[i] = monthsBetween(from.Millis, to.Millis) / months
		return nil
	}}, nil
}

// monthsBetween counts the whole months from one local time to another, as Flink does.
func monthsBetween(from, to int64) int64 {
	d0, t0 := datum.Split(from)
	d1, t1 := datum.Split(to)
	n := monthsOfDays(d0, d1)
	if datum.AddMonths(d0, n) == d1 && t1 < t0 {
		n--
	}
	return n
}

func monthsOfDays(from, to int64) int64 {
	if to < from {
		return -monthsOfDays(to, from)
	}
	y0, m0, _ := datum.Civil(from)
	y1, m1, _ := datum.Civil(to)
	n := int64(y1-y0)*12 + int64(m1-m0)
	if datum.AddMonths(from, n) > to {
		n--
	}
	return n
}

// formats compiles date patterns and keeps them.
type formats struct {
	cache map[string]*datum.Pattern
}

func (f *formats) get(s string) (*datum.Pattern, error) {
	if p, ok := f.cache[s]; ok {
		return p, nil
	}
	p, err := datum.NewPattern(s)
	if err != nil {
		return nil, err
	}
	if f.cache == nil || len(f.cache) >= maxPatterns {
		f.cache = make(map[string]*datum.Pattern)
	}
	f.cache[strings.Clone(s)] = p
	return p, nil
}

// checkedFormats refuses a constant pattern that is wrong.
func checkedFormats(e *plan.Call) (*formats, error) {
	const arg = 1
	f := &formats{}
	if arg < len(e.Args) {
		if v, ok := constant(e.Args[arg]); ok && v != nil {
			if s, isText := v.(string); isText {
				if _, err := f.get(s); err != nil {
					return nil, &Error{At: e.Args[arg].Pos(), Err: err}
				}
			}
		}
	}
	return f, nil
}

func dateFormat(c *compiler, e *plan.Call) (*spec, error) {
	f, err := checkedFormats(e)
	if err != nil {
		return nil, err
	}
	zone := c.env.Zone
	return &spec{fails: true, fn: func(a []*column.Vector, i int, out *column.Vector) error {
		p, err := f.get(a[1].Strs[i])
		if err != nil {
			return err
		}
		var t types.TimestampValue
		if isText(a[0].Type) {
			var ok bool
			if t, ok = datum.CastTimestamp(a[0].Strs[i]); !ok || !strings.Contains(a[0].Strs[i], ":") {
				out.SetNull(i)
				return nil
			}
		} else {
			t = localOf(a[0], i, zone)
		}
		scratch := out.Scratch()
		at := len(scratch)
		out.Keep(i, p.Append(scratch, t, zone), at)
		return nil
	}}, nil
}

// parseTime reads a text by the pattern of an optional argument, as local time.
// What does not follow the pattern may still be in the usual form.
func parseTime(f *formats, a []*column.Vector, i int) (types.TimestampValue, bool) {
	if len(a) > 1 {
		p, err := f.get(a[1].Strs[i])
		if err != nil {
			return types.TimestampValue{}, false
		}
		if t, ok := p.Parse(a[0].Strs[i]); ok {
			return t, true
		}
	}
	return datum.CastTimestamp(a[0].Strs[i])
}

// parseLenient is the older way, of TO_DATE and UNIX_TIMESTAMP with a pattern:
// what follows is left out, and a 31st of April is the 1st of May.
func parseLenient(f *formats, pattern string, a []*column.Vector, i int, zone *time.Location) (types.TimestampValue, bool) {
	p, err := f.get(pattern)
	if err != nil {
		return types.TimestampValue{}, false
	}
	t, zoned, ok := p.ParseLenient(a[0].Strs[i])
	if zoned {
		t = inZone(t, zone)
	}
	return t, ok
}

func toTimestamp(_ *compiler, e *plan.Call) (*spec, error) {
	f, err := checkedFormats(e)
	if err != nil {
		return nil, err
	}
	return &spec{fn: func(a []*column.Vector, i int, out *column.Vector) error {
		t, ok := parseTime(f, a, i)
		if !ok {
			out.SetNull(i)
			return nil
		}
		out.SetTime(i, cutTimestamp(t, out.Type.Precision))
		return nil
	}}, nil
}

func toDate(_ *compiler, e *plan.Call) (*spec, error) {
	f, err := checkedFormats(e)
	if err != nil {
		return nil, err
	}
	return &spec{fn: func(a []*column.Vector, i int, out *column.Vector) error {
		if len(a) == 1 {
			days, ok := datum.CastDate(a[0].Strs[i])
			if out.Ints[i] = days; !ok {
				out.SetNull(i)
			}
			return nil
		}
		t, ok := parseLenient(f, a[1].Strs[i], a, i, time.UTC)
		if !ok {
			out.SetNull(i)
			return nil
		}
		out.Ints[i], _ = datum.Split(t.Millis)
		return nil
	}}, nil
}

func toTimestampLTZ(_ *compiler, e *plan.Call) (*spec, error) {
	f, err := checkedFormats(e)
	if err != nil {
		return nil, err
	}
	return &spec{fn: func(a []*column.Vector, i int, out *column.Vector) error {
		if isText(a[0].Type) {
			zone := time.UTC
			if len(a) > 2 {
				z, err := time.LoadLocation(a[2].Strs[i])
				if err != nil {
					out.SetNull(i)
					return nil //nolint:nilerr // NULL is the answer
				}
				zone = z
				a = a[:2]
			}
			t, ok := parseTime(f, a, i)
			if !ok {
				out.SetNull(i)
				return nil
			}
			out.SetTime(i, cutTimestamp(atZone(t, zone), out.Type.Precision))
			return nil
		}
		unit := int64(3)
		if len(a) > 1 {
			unit = a[1].Ints[i]
		}
		ms := floatOf(a[0], i)
		whole := int64(ms)
		if a[0].Type.Kind.IsExact() { // a DECIMAL loses its fraction
			if whole = int64(ms); column.LayoutOf(a[0].Type) == column.Ints {
				whole = a[0].Ints[i]
			}
			ms = 0
		}
		switch unit {
		case 0:
			if ms != 0 {
				whole = int64(ms * 1000)
			} else {
				whole *= 1000
			}
		case 3:
		default:
			return fmt.Errorf("precision must be 0 or 3, not %d", unit)
		}
		if days, _ := datum.Split(whole); days < datum.Days(0, 1, 1) || days > datum.Days(9999, 12, 31) {
			out.SetNull(i)
			return nil
		}
		out.SetTime(i, types.TimestampValue{Millis: whole})
		return nil
	}, fails: true}, nil
}

func unixTimestamp(c *compiler, e *plan.Call) (*spec, error) {
	f, err := checkedFormats(e)
	if err != nil {
		return nil, err
	}
	zone := c.env.Zone
	return &spec{fn: func(a []*column.Vector, i int, out *column.Vector) error {
		if len(a) == 0 {
			out.Ints[i] = c.env.Now().Unix()
			return nil
		}
		pattern := "yyyy-MM-dd HH:mm:ss"
		if len(a) > 1 {
			pattern = a[1].Strs[i]
		}
		t, ok := parseLenient(f, pattern, a, i, zone)
		if !ok {
			out.Ints[i] = -9223372036854775808 // as Flink: Long.MIN_VALUE
			return nil
		}
		out.Ints[i] = div(atZone(t, zone).Millis, 1000)
		return nil
	}}, nil
}

func fromUnixTime(c *compiler, e *plan.Call) (*spec, error) {
	f, err := checkedFormats(e)
	if err != nil {
		return nil, err
	}
	zone := c.env.Zone
	return &spec{fn: func(a []*column.Vector, i int, out *column.Vector) error {
		format := "yyyy-MM-dd HH:mm:ss"
		if len(a) > 1 {
			format = a[1].Strs[i]
		}
		p, err := f.get(format)
		if err != nil {
			out.SetNull(i)
			return nil //nolint:nilerr // NULL is the answer
		}
		scratch := out.Scratch()
		at := len(scratch)
		out.Keep(i, p.Append(scratch, inZone(types.TimestampValue{Millis: a[0].Ints[i] * 1000}, zone), zone), at)
		return nil
	}}, nil
}

// javaZone returns the zone that Java's TimeZone gives for a name: also for
// offsets such as GMT+08:00 and the old short names; UTC for what it does not know.
func javaZone(name string) *time.Location {
	old := map[string]string{"PST": "America/Los_Angeles", "CST": "America/Chicago", "JST": "Asia/Tokyo", "IST": "Asia/Kolkata", "CTT": "Asia/Shanghai",
		"ECT": "Europe/Paris", "AET": "Australia/Sydney", "BST": "Asia/Dhaka", "ART": "Africa/Cairo", "VST": "Asia/Ho_Chi_Minh", "NST": "Pacific/Auckland"}
	if full, ok := old[name]; ok {
		name = full
	}
	if rest, ok := strings.CutPrefix(name, "GMT"); ok && len(rest) > 1 {
		for _, layout := range [...]string{"-07:00", "-0700", "-07", "-7:00", "-7"} {
			if t, err := time.Parse(layout, rest); err == nil {
				_, offset := t.Zone()
				return time.FixedZone(name, offset)
			}
		}
	}
	if zone, err := time.LoadLocation(name); err == nil && name != "Local" {
		return zone
	}
	return time.UTC
}

func convertTZ(a []*column.Vector, i int, out *column.Vector) error {
	for _, v := range a {
		if v.IsNull(i) {
			out.SetNull(i)
			return nil
		}
	}
	t, ok := datum.CastTimestamp(a[0].Strs[i])
	if !ok || !strings.Contains(a[0].Strs[i], ":") {
		out.SetNull(i)
		return nil
	}
	from, to := javaZone(a[1].Strs[i]), javaZone(a[2].Strs[i])
	out.SetBytes(i, datum.AppendTimestamp(nil, inZone(atZone(t, from), to), ' ', 0))
	return nil
}

// overlaps tells whether two periods share a point in time; each is given by its ends.
func overlaps(a []*column.Vector, i int, out *column.Vector) error {
	for _, v := range a {
		if v.IsNull(i) {
			out.SetNull(i)
			return nil
		}
	}
	less := func(x, y *column.Vector) bool { return CompareOf(x.Type, y.Type)(x, i, y, i) < 0 }
	s1, e1, s2, e2 := a[0], a[1], a[2], a[3]
	if less(e1, s1) {
		s1, e1 = e1, s1
	}
	if less(e2, s2) {
		s2, e2 = e2, s2
	}
	out.Bools[i] = !less(e1, s2) && !less(e2, s1)
	return nil
}
