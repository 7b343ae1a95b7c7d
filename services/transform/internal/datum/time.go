package datum

import (
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

// AppendDate appends a date as yyyy-MM-dd.
func AppendDate(b []byte, days int64) []byte {
	y, m, d := Civil(days)
	if y < 0 {
		b = append(b, '-')
		y = -y
	}
	if y > 9999 {
		b = AppendInt(b, int64(y))
	} else {
		b = append(b, byte('0'+y/1000), byte('0'+y/100%10), byte('0'+y/10%10), byte('0'+y%10))
	}
	return append(b, '-', byte('0'+m/10), byte('0'+m%10), '-', byte('0'+d/10), byte('0'+d%10))
}

// AppendTime appends a time of day as HH:mm:ss with digits fraction digits; when
// digits is negative, with as many as there are.
func AppendTime(b []byte, ofDay int64, nanos int32, digits int) []byte {
	s := ofDay / 1000
	h, m := s/3600, s/60%60
	s %= 60
	b = append(b, byte('0'+h/10), byte('0'+h%10), ':', byte('0'+m/10), byte('0'+m%10), ':', byte('0'+s/10), byte('0'+s%10))
	frac := ofDay%1000*1_000_000 + int64(nanos)
	if digits == 0 || digits < 0 && frac == 0 {
		return b
	}
	b = append(b, '.')
	at := len(b)
	b = append(b, "000000000"...)
	for i := 8; i >= 0; i-- {
		b[at+i] = byte('0' + frac%10)
		frac /= 10
	}
	if digits > 0 {
		return b[:at+min(digits, 9)]
	}
	for b[len(b)-1] == '0' {
		b = b[:len(b)-1]
	}
	return b
}

// AppendTimestamp appends date, separator and time.
func AppendTimestamp(b []byte, t types.TimestampValue, separator byte, digits int) []byte {
	days, ofDay := Split(t.Millis)
	b = append(AppendDate(b, days), separator)
	return AppendTime(b, ofDay, t.Nanos, digits)
}

// ParseDate reads yyyy-MM-dd with one or two digits for month and day, and gives
// the number of bytes read.
func ParseDate(s string) (days int64, n int, ok bool) {
	y, i := digits(s, 0, 4)
	if i == 0 {
		return 0, 0, false
	}
	if i == len(s) || s[i] != '-' {
		return Days(y, 1, 1), i, i == 4
	}
	m, j := digits(s, i+1, 2)
	if j == i+1 {
		return 0, 0, false
	}
	d, k := 1, j
	if j < len(s) && s[j] == '-' {
		d, k = digits(s, j+1, 2)
		if k == j+1 {
			return 0, 0, false
		}
	}
	if m < 1 || m > 12 || d < 1 || d > DaysIn(y, m) {
		return 0, 0, false
	}
	return Days(y, m, d), k, true
}

// ParseStrictDate reads a date of exactly the form yyyy-MM-dd.
func ParseStrictDate(s string) (int64, bool) {
	days, n, ok := ParseDate(s)
	return days, ok && n == len(s) && n == 10
}

// ParseTime reads HH:mm[:ss[.fraction]] and gives the number of bytes read.
func ParseTime(s string) (ofDay int64, nanos int32, n int, ok bool) {
	h, i := digits(s, 0, 2)
	if i == 0 || h > 23 {
		return 0, 0, 0, false
	}
	var m, sec, frac int
	if i < len(s) && s[i] == ':' {
		start := i + 1
		if m, i = digits(s, start, 2); i == start || m > 59 {
			return 0, 0, 0, false
		}
		if i < len(s) && s[i] == ':' {
			start = i + 1
			if sec, i = digits(s, start, 2); i == start || sec > 59 {
				return 0, 0, 0, false
			}
			if i < len(s) && s[i] == '.' {
				start = i + 1
				frac, i = digits(s, start, 9)
				for k := i - start; k < 9; k++ {
					frac *= 10
				}
			}
		}
	}
	return int64(h*3600+m*60+sec)*1000 + int64(frac/1_000_000), int32(frac % 1_000_000), i, true
}

// ParseTimestamp reads a date, then optionally separator and a time; what is left
// of the text is returned.
func ParseTimestamp(s string, separators string) (t types.TimestampValue, rest string, ok bool) {
	days, n, ok := ParseDate(s)
	if !ok {
		return t, s, false
	}
	t.Millis = days * MillisPerDay
	s = s[n:]
	if s == "" || !within(separators, s[0]) {
		return t, s, true
	}
	ofDay, nanos, n, ok := ParseTime(s[1:])
	t.Millis += ofDay
	t.Nanos = nanos
	return t, s[min(len(s), 1+n):], ok
}

func within(set string, c byte) bool {
	for i := range len(set) {
		if set[i] == c {
			return true
		}
	}
	return false
}

func digits(s string, from, most int) (value, end int) {
	for end = from; end < len(s) && end < from+most && s[end] >= '0' && s[end] <= '9'; end++ {
		value = value*10 + int(s[end]-'0')
	}
	return value, end
}
