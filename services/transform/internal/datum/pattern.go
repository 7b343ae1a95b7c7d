package datum

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/weirflow/weirflow/services/transform/internal/types"
)

// Pattern is a compiled Java date pattern such as yyyy-MM-dd'T'HH:mm:ss.SSS.
type Pattern struct {
	parts []patternPart
}

type patternPart struct {
	letter byte // 0 for literal text
	count  int
	text   string
}

// NewPattern compiles a pattern.
func NewPattern(s string) (*Pattern, error) {
	p := &Pattern{}
	literal := func(text string) {
		if n := len(p.parts); n > 0 && p.parts[n-1].letter == 0 {
			p.parts[n-1].text += text
			return
		}
		p.parts = append(p.parts, patternPart{text: text})
	}
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case c == '\'':
			end := i + 1
			var b strings.Builder
			for ; ; end++ {
				if end >= len(s) {
					return nil, fmt.Errorf("date pattern %q: quote is not closed", s)
				}
				if s[end] == '\'' {
					if end+1 < len(s) && s[end+1] == '\'' {
						b.WriteByte('\'')
						end++
						continue
					}
					break
				}
				b.WriteByte(s[end])
			}
			if end == i+1 {
				b.WriteByte('\'')
			}
			literal(b.String())
			i = end + 1
		case c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z':
			n := 1
			for i+n < len(s) && s[i+n] == c {
				n++
			}
			if !strings.ContainsRune("yuMLdHhkKmsSnaEDQzZXxwWeGAY", rune(c)) {
				return nil, fmt.Errorf("date pattern %q: unknown letter %q", s, c)
			}
			p.parts = append(p.parts, patternPart{letter: c, count: n})
			i += n
		case c == '[' || c == ']':
			i++ // what is optional is printed always
		default:
			literal(s[i : i+1])
			i++
		}
	}
	return p, nil
}

// Append appends a local time; zone is for the letters that name it.
func (p *Pattern) Append(b []byte, t types.TimestampValue, zone *time.Location) []byte {
	days, ofDay := Split(t.Millis)
	y, m, d := Civil(days)
	hour := ofDay / 3_600_000
	for _, part := range p.parts {
		switch part.letter {
		case 0:
			b = append(b, part.text...)
		case 'y', 'u':
			if part.count == 2 {
				b = padded(b, int64(y%100), 2)
			} else {
				b = padded(b, int64(y), part.count)
			}
		case 'M', 'L':
			b = appendMonth(b, m, part.count)
		case 'd':
			b = padded(b, int64(d), part.count)
		case 'D':
			b = padded(b, days-Days(y, 1, 1)+1, part.count)
		case 'Q':
			if part.count == 3 {
				b = append(b, 'Q')
			}
			b = padded(b, int64((m-1)/3+1), min(part.count, 2)-part.count/3)
		case 'G':
			b = append(b, "AD"...)
		case 'A':
			b = padded(b, ofDay, part.count)
		case 'w', 'W', 'e', 'Y':
			b = appendWeek(b, part, days, y, m)
		case 'H':
			b = padded(b, hour, part.count)
		case 'k':
			b = padded(b, (hour+23)%24+1, part.count)
		case 'K':
			b = padded(b, hour%12, part.count)
		case 'h':
			b = padded(b, (hour+11)%12+1, part.count)
		case 'm':
			b = padded(b, ofDay/60_000%60, part.count)
		case 's':
			b = padded(b, ofDay/1000%60, part.count)
		case 'S':
			digits := fmt.Sprintf("%09d", ofDay%1000*1_000_000+int64(t.Nanos))
			b = append(b, (digits + strings.Repeat("0", part.count))[:part.count]...)
		case 'n':
			b = padded(b, ofDay%1000*1_000_000+int64(t.Nanos), part.count)
		case 'a':
			b = append(b, [...]string{"AM", "PM"}[hour/12]...)
		case 'E':
			name := time.Weekday(floorMod(days+4, 7)).String()
			if part.count < 4 {
				name = name[:3]
			}
			b = append(b, name...)
		default:
			at := time.UnixMilli(t.Millis).UTC()
			b = append(b, time.Date(at.Year(), at.Month(), at.Day(), at.Hour(), at.Minute(), at.Second(), 0, zone).Format(zoneLayout(part))...)
		}
	}
	return b
}

// appendWeek appends what depends on weeks, which begin with Sunday; the first of
// a year or month may be short.
func appendWeek(b []byte, part patternPart, days int64, y, m int) []byte {
	begin := func(days int64) int64 { return days - floorMod(days+4, 7) }
	if next := Days(y+1, 1, 1); part.letter != 'W' && part.letter != 'e' && begin(days) >= begin(next) {
		y++
	}
	switch part.letter {
	case 'W':
		return padded(b, (begin(days)-begin(Days(y, m, 1)))/7+1, part.count)
	case 'e':
		return padded(b, floorMod(days+4, 7)+1, part.count)
	case 'w':
		return padded(b, (begin(days)-begin(Days(y, 1, 1)))/7+1, part.count)
	}
	if part.count == 2 {
		return padded(b, int64(y%100), 2)
	}
	return padded(b, int64(y), part.count)
}

func zoneLayout(part patternPart) string {
	switch {
	case part.letter == 'z':
		return "MST"
	case part.letter == 'X' && part.count == 3:
		return "Z07:00"
	case part.letter == 'X' && part.count == 2:
		return "Z0700"
	case part.letter == 'X':
		return "Z07"
	case part.letter == 'x' && part.count == 3:
		return "-07:00"
	default:
		return "-0700"
	}
}

func appendMonth(b []byte, month, count int) []byte {
	name := time.Month(month).String()
	switch {
	case count == 5:
		return append(b, name[0])
	case count >= 4:
		return append(b, name...)
	case count == 3:
		return append(b, name[:3]...)
	default:
		return padded(b, int64(month), count)
	}
}

func padded(b []byte, n int64, width int) []byte {
	if n < 0 {
		b = append(b, '-')
		n = -n
	}
	s := strconv.FormatInt(n, 10)
	for i := len(s); i < width; i++ {
		b = append(b, '0')
	}
	return append(b, s...)
}

// parsed is what a text said of a time.
type parsed struct {
	year, month, day, hour, minute, second, dayOfYear int
	nanos                                             int64
	pm, half, zoned, lenient                          bool
	offset                                            time.Duration
}

// Parse reads a text of the pattern, as local time; a zone in it does not count.
// A day that its month does not have becomes the month's last.
func (p *Pattern) Parse(s string) (t types.TimestampValue, ok bool) {
	v, rest, ok := p.fields(s, false)
	if !ok || rest != "" || v.month < 1 || v.month > 12 || v.day < 1 || v.day > 31 || v.hour > 23 || v.minute > 59 || v.second > 59 {
		return t, false
	}
	v.day = min(v.day, DaysIn(v.year, v.month))
	v.offset = 0
	return v.value(), true
}

// ParseLenient reads a text that begins as the pattern says. Numbers beyond their
// range carry over. Without a zone in the text the result is local time; zoned
// says that it is a point in time.
func (p *Pattern) ParseLenient(s string) (t types.TimestampValue, zoned, ok bool) {
	v, _, ok := p.fields(s, true)
	if !ok {
		return t, false, false
	}
	return v.value(), v.zoned, true
}

func (p *Pattern) fields(s string, lenient bool) (v parsed, rest string, ok bool) {
	v = parsed{year: 1970, month: 1, day: 1, lenient: lenient}
	for k, part := range p.parts {
		if part.letter == 0 {
			if !strings.HasPrefix(s, part.text) {
				return v, s, false
			}
			s = s[len(part.text):]
			continue
		}
		if lenient {
			s = strings.TrimLeft(s, " \t")
		}
		adjacent := k+1 < len(p.parts) && p.parts[k+1].letter != 0
		if s, ok = v.read(part, s, adjacent); !ok {
			return v, s, false
		}
	}
	return v, s, true
}

func (v *parsed) value() (t types.TimestampValue) {
	if v.half {
		v.hour %= 12
		if v.pm {
			v.hour += 12
		}
	}
	months := int64(v.year)*12 + int64(v.month) - 1
	days := Days(int(floorDiv(months, 12)), int(floorMod(months, 12))+1, 1) + int64(v.day) - 1
	if v.dayOfYear > 0 {
		days = Days(v.year, 1, 1) + int64(v.dayOfYear) - 1
	}
	t.Millis = days*MillisPerDay + int64(v.hour*3600+v.minute*60+v.second)*1000 + v.nanos/1_000_000 - v.offset.Milliseconds()
	t.Nanos = int32(v.nanos % 1_000_000)
	return t
}

func (v *parsed) read(part patternPart, s string, adjacent bool) (string, bool) {
	width := 9
	switch {
	case v.lenient && !adjacent: // any number of digits
	case part.letter == 'S' || adjacent || part.count == 2 && strings.IndexByte("MdHhkKms", part.letter) >= 0:
		width = part.count
	case part.letter == 'y' || part.letter == 'u':
		width = max(part.count, 4)
	case strings.IndexByte("MdHhkKms", part.letter) >= 0:
		width = 2
	}
	switch part.letter {
	case 'a':
		if len(s) < 2 {
			return s, false
		}
		v.half = true
		v.pm = strings.EqualFold(s[:2], "PM")
		return s[2:], v.pm || strings.EqualFold(s[:2], "AM")
	case 'E':
		for d := range 7 {
			name := time.Weekday(d).String()
			if part.count < 4 {
				name = name[:3]
			}
			if strings.HasPrefix(s, name) {
				return s[len(name):], true
			}
		}
		return s, false
	case 'X', 'x', 'Z', 'z':
		return v.zone(s)
	case 'M', 'L':
		if part.count >= 3 {
			return v.monthName(s, part.count)
		}
	}
	n, end := digits(s, 0, width)
	if v.lenient {
		if end == 0 {
			return s, false
		}
		if part.letter == 'S' { // milliseconds, whatever their digits
			v.nanos = int64(n) * 1_000_000
			return s[end:], true
		}
		if (part.letter == 'y' || part.letter == 'u') && part.count == 2 && end == 2 && n > 46 {
			n -= 100 // between 80 years ago and 20 years ahead
		}
		v.set(part, n, end)
		return s[end:], true
	}
	if end == 0 || end < part.count && strings.IndexByte("yuS", part.letter) >= 0 || end < part.count && part.count == 2 {
		return s, false
	}
	v.set(part, n, end)
	return s[end:], true
}

func (v *parsed) set(part patternPart, n, width int) {
	switch part.letter {
	case 'y', 'u':
		if part.count == 2 {
			n += 2000
		}
		v.year = n
	case 'M', 'L':
		v.month = n
	case 'd':
		v.day = n
	case 'D':
		v.dayOfYear = n
	case 'H':
		v.hour = n
	case 'k':
		v.hour = n % 24
	case 'h', 'K':
		v.hour, v.half = n, true
	case 'm':
		v.minute = n
	case 's':
		v.second = n
	case 'S':
		v.nanos = int64(n)
		for range 9 - width {
			v.nanos *= 10
		}
	case 'n':
		v.nanos = int64(n)
	}
}

func (v *parsed) monthName(s string, count int) (string, bool) {
	for m := 1; m <= 12; m++ {
		name := time.Month(m).String()
		if count == 3 {
			name = name[:3]
		}
		if len(s) >= len(name) && strings.EqualFold(s[:len(name)], name) {
			v.month = m
			return s[len(name):], true
		}
	}
	return s, false
}

func (v *parsed) zone(s string) (string, bool) {
	v.zoned = true
	for _, name := range [...]string{"UTC", "GMT", "Z"} {
		if strings.HasPrefix(s, name) {
			return s[len(name):], true
		}
	}
	for _, layout := range [...]string{"-07:00", "-0700", "-07"} {
		if len(s) < len(layout) {
			continue
		}
		if t, err := time.Parse(layout, s[:len(layout)]); err == nil {
			_, offset := t.Zone()
			v.offset = time.Duration(offset) * time.Second
			return s[len(layout):], true
		}
	}
	return s, false
}
