package dates

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// token is a run of one pattern letter, or literal text.
type token struct {
	letter byte // 0: literal
	n      int
	text   string
}

func tokens(p string) ([]token, error) {
	var out []token
	for i := 0; i < len(p); {
		c := p[i]
		switch {
		case c == '\'':
			end := strings.IndexByte(p[i+1:], '\'')
			if end < 0 {
				return nil, fmt.Errorf("invalid format: [%s]: unterminated quote", p)
			}
			text := p[i+1 : i+1+end]
			if text == "" {
				text = "'"
			}
			out = append(out, token{text: text})
			i += end + 2
		case c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z':
			n := 1
			for i+n < len(p) && p[i+n] == c {
				n++
			}
			if !strings.ContainsRune("yuMLdDHhKkmsSnaEZXxzVOeQGwYN", rune(c)) {
				return nil, fmt.Errorf("invalid format: [%s]: unknown pattern letter: %c", p, c)
			}
			out = append(out, token{letter: c, n: n})
			i += n
		default:
			out = append(out, token{text: p[i : i+1]})
			i++
		}
	}
	return out, nil
}

func parsePattern(toks []token, s string) (fields, error) {
	f := blank()
	c := cursor{s: s}
	for i, t := range toks {
		if t.letter == 0 {
			if !strings.HasPrefix(s[c.i:], t.text) {
				return f, errFormat
			}
			c.i += len(t.text)
			continue
		}
		adjacent := i+1 < len(toks) && toks[i+1].letter != 0
		if !f.read(&c, t, adjacent) {
			return f, errFormat
		}
	}
	if !c.done() {
		return f, errFormat
	}
	return f, nil
}

func (f *fields) read(c *cursor, t token, adjacent bool) bool {
	lo, hi := t.n, t.n
	if t.n == 1 {
		hi = 9
		if adjacent {
			hi = 2
		}
	}
	var ok bool
	switch t.letter {
	case 'y', 'u', 'Y':
		if t.n == 2 {
			f.year, ok = c.digits(2, 2)
			f.year += 2000
			return ok
		}
		neg := c.eat('-')
		f.year, ok = c.digits(min(lo, 4), max(hi, 4))
		if neg {
			f.year = -f.year
		}
	case 'M', 'L':
		if t.n >= 3 {
			return f.monthName(c, t.n)
		}
		f.month, ok = c.digits(lo, min(hi, 2))
	case 'd':
		f.day, ok = c.digits(lo, min(hi, 2))
	case 'H', 'k', 'h', 'K':
		f.hour, ok = c.digits(lo, min(hi, 2))
	case 'm':
		f.min, ok = c.digits(lo, min(hi, 2))
	case 's':
		f.sec, ok = c.digits(lo, min(hi, 2))
	case 'S', 'n':
		start := c.i
		f.nano, ok = c.fraction()
		ok = ok && c.i-start == t.n
	case 'a':
		if len(c.s)-c.i >= 2 {
			switch strings.ToUpper(c.s[c.i : c.i+2]) {
			case "AM":
				f.pm, ok = 1, true
			case "PM":
				f.pm, ok = 2, true
			}
			c.i += 2
		}
	case 'E':
		return dayName(c, t.n)
	case 'Z', 'X', 'x':
		f.zone, ok = c.zone()
	case 'z', 'V', 'O':
		end := c.i
		for end < len(c.s) && c.s[end] != ' ' && c.s[end] != ']' && c.s[end] != ')' {
			end++
		}
		z, err := Zone(c.s[c.i:end])
		f.zone, ok = z, err == nil
		c.i = end
	}
	return ok
}

func (f *fields) monthName(c *cursor, n int) bool {
	for m := time.January; m <= time.December; m++ {
		name := m.String()
		if n == 3 {
			name = name[:3]
		}
		if len(c.s)-c.i >= len(name) && strings.EqualFold(c.s[c.i:c.i+len(name)], name) {
			c.i += len(name)
			f.month = int(m)
			return true
		}
	}
	return false
}

func dayName(c *cursor, n int) bool {
	for d := time.Sunday; d <= time.Saturday; d++ {
		name := d.String()
		if n <= 3 {
			name = name[:3]
		}
		if len(c.s)-c.i >= len(name) && strings.EqualFold(c.s[c.i:c.i+len(name)], name) {
			c.i += len(name)
			return true
		}
	}
	return false
}

func printPattern(toks []token, t time.Time) string {
	var b strings.Builder
	for _, k := range toks {
		if k.letter == 0 {
			b.WriteString(k.text)
			continue
		}
		b.WriteString(printToken(k, t))
	}
	return b.String()
}

func pad(v, n int) string {
	s := strconv.Itoa(v)
	for len(s) < n {
		s = "0" + s
	}
	return s
}

func printToken(k token, t time.Time) string {
	switch k.letter {
	case 'y', 'u', 'Y':
		if k.n == 2 {
			return pad(t.Year()%100, 2)
		}
		return pad(t.Year(), k.n)
	case 'M', 'L':
		switch {
		case k.n == 3:
			return t.Month().String()[:3]
		case k.n > 3:
			return t.Month().String()
		}
		return pad(int(t.Month()), k.n)
	case 'd':
		return pad(t.Day(), k.n)
	case 'D':
		return pad(t.YearDay(), k.n)
	case 'H', 'k':
		return pad(t.Hour(), k.n)
	case 'h', 'K':
		return pad((t.Hour()+11)%12+1, k.n)
	case 'm':
		return pad(t.Minute(), k.n)
	case 's':
		return pad(t.Second(), k.n)
	case 'S', 'n':
		return pad(t.Nanosecond(), 9)[:min(k.n, 9)]
	case 'a':
		return t.Format("PM")
	case 'E':
		if k.n <= 3 {
			return t.Weekday().String()[:3]
		}
		return t.Weekday().String()
	case 'e':
		return strconv.Itoa((int(t.Weekday())+6)%7 + 1)
	case 'Q':
		return strconv.Itoa((int(t.Month())-1)/3 + 1)
	case 'w':
		_, w := t.ISOWeek()
		return pad(w, k.n)
	case 'z', 'V', 'O':
		name, _ := t.Zone()
		return name
	}
	return zoneText(t, strings.Repeat(string(k.letter), k.n))
}

func zoneText(t time.Time, form string) string {
	_, off := t.Zone()
	if off == 0 && form[0] == 'X' {
		return "Z"
	}
	sign := "+"
	if off < 0 {
		sign, off = "-", -off
	}
	h, m := pad(off/3600, 2), pad(off/60%60, 2)
	switch form {
	case "X", "x":
		if m == "00" {
			return sign + h
		}
		return sign + h + m
	case "XX", "xx", "Z", "ZZ", "ZZZ":
		return sign + h + m
	}
	return sign + h + ":" + m
}
