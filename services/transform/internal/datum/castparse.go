package datum

import (
	"math/big"
	"strings"

	"github.com/weirflow/weirflow/services/transform/internal/types"
)

// CastDate reads what CAST(text AS DATE) reads: a year, a month and a day with
// any number of digits, month and day optional; what follows a blank is left out.
func CastDate(s string) (days int64, ok bool) {
	if at := strings.IndexByte(s, ' '); at > 0 {
		s = s[:at]
	}
	parts := strings.SplitN(s, "-", 3)
	n := [3]int{1, 1, 1}
	for i, p := range parts {
		if n[i], ok = wholeNumber(strings.TrimSpace(p)); !ok {
			return 0, false
		}
	}
	y, m, d := n[0], n[1], n[2]
	if y > 9999 || m < 1 || m > 12 || d < 1 || d > DaysIn(y, m) {
		return 0, false
	}
	return Days(y, m, d), true
}

func wholeNumber(s string) (int, bool) {
	n, end := digits(s, 0, 9)
	return n, s != "" && end == len(s)
}

// CastTime reads what CAST(text AS TIME) reads, in milliseconds: hours, and
// optionally minutes, seconds and a fraction.
func CastTime(s string) (ofDay int64, ok bool) {
	parts := strings.SplitN(s, ":", 3)
	n := [3]int{}
	fraction := int64(0)
	for i, p := range parts {
		if i == 2 {
			if whole, frac, found := strings.Cut(p, "."); found {
				p = whole
				f, valid := wholeNumber(strings.TrimSpace(frac[:min(len(frac), 3)]))
				if !valid {
					return 0, false
				}
				fraction = int64(f)
				for k := len(frac); k < 3; k++ {
					fraction *= 10
				}
			}
		}
		if n[i], ok = wholeNumber(strings.TrimSpace(p)); !ok {
			return 0, false
		}
	}
	if n[0] > 23 || n[1] > 59 || n[2] > 59 {
		return 0, false
	}
	return int64(n[0]*3600+n[1]*60+n[2])*1000 + fraction, true
}

// CastTimestamp reads what CAST(text AS TIMESTAMP) reads: a date with a year of
// four digits, then optionally a blank and a time with seconds. A day that its
// month does not have becomes the month's last; 24:00:00 is the next day's begin.
func CastTimestamp(s string) (t types.TimestampValue, ok bool) {
	y, i := digits(s, 0, 4)
	if i != 4 || i >= len(s) || s[i] != '-' {
		return t, false
	}
	m, j := digits(s, i+1, 2)
	if j == i+1 || j >= len(s) || s[j] != '-' {
		return t, false
	}
	d, k := digits(s, j+1, 2)
	if k == j+1 || m < 1 || m > 12 || d < 1 || d > 31 || y < 1 {
		return t, false
	}
	t.Millis = Days(y, m, min(d, DaysIn(y, m))) * MillisPerDay
	if k == len(s) {
		return t, true
	}
	if s[k] != ' ' {
		return t, false
	}
	s = s[k+1:]
	if strings.Count(s, ":") != 2 {
		return t, false
	}
	if rest, found := strings.CutPrefix(s, "24:"); found && strings.Trim(rest, "0:.") == "" {
		t.Millis += MillisPerDay
		return t, true
	}
	ofDay, nanos, n, ok := ParseTime(s)
	if ok && n+1 == len(s) && s[n] == '.' {
		n++
	}
	t.Millis += ofDay
	t.Nanos = nanos
	return t, ok && n == len(s)
}

// CastDecimal reads what CAST(text AS DECIMAL) reads for a precision. Short texts
// for short numbers go through a reader that forgives one odd character at the end.
func CastDecimal(s string, precision int) (unscaled *big.Int, scale int, err error) {
	const short = 18
	if precision <= short && len(s) <= short {
		if n := len(s); n > 0 && s[n-1] > ' ' && strings.IndexByte("0123456789.+-", s[n-1]) < 0 {
			if trimmed := strings.TrimLeft(s[:n-1], " \t\n"); trimmed == "" || strings.Trim(trimmed, "+-0123456789.") == "" {
				s = s[:n-1]
			}
			if strings.Trim(s, " \t\n") == "" {
				return new(big.Int), 0, nil
			}
		}
	}
	return ParseDecimal(TrimSpace(s))
}
