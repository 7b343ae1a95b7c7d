package query

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/apierr"
)

// wildcard compiles a pattern with * and ?; \ takes the next character as it
// is. literal is the fixed text in front.
func wildcard(p string, fold bool) (literal string, accept func([]byte) bool) {
	var steps []globStep
	lit := strings.Builder{}
	fixed := true
	for i := 0; i < len(p); {
		r, n := utf8.DecodeRuneInString(p[i:])
		i += n
		switch {
		case r == '*':
			if len(steps) == 0 || !steps[len(steps)-1].star {
				steps = append(steps, globStep{star: true})
			}
			fixed = false
			continue
		case r == '?':
			steps = append(steps, globStep{any: true})
			fixed = false
			continue
		case r == '\\' && i < len(p):
			r, n = utf8.DecodeRuneInString(p[i:])
			i += n
		}
		if fold {
			r = unicode.ToLower(r)
			fixed = false
		}
		if fixed {
			lit.WriteRune(r)
		}
		steps = append(steps, globStep{r: r})
	}
	return lit.String(), func(t []byte) bool { return globMatch(steps, t, fold) }
}

// globStep is one part of a wildcard pattern: a character, ? or *.
type globStep struct {
	r    rune
	any  bool
	star bool
}

func globMatch(steps []globStep, t []byte, fold bool) bool {
	si, ti, star, mark := 0, 0, -1, 0
	for ti < len(t) {
		r, n := utf8.DecodeRune(t[ti:])
		if fold {
			r = unicode.ToLower(r)
		}
		switch {
		case si < len(steps) && steps[si].star:
			star, mark = si, ti
			si++
			continue
		case si < len(steps) && (steps[si].any || steps[si].r == r):
			si++
			ti += n
			continue
		case star >= 0:
			_, n := utf8.DecodeRune(t[mark:])
			mark += n
			ti, si = mark, star+1
			continue
		}
		return false
	}
	for si < len(steps) && steps[si].star {
		si++
	}
	return si == len(steps)
}

// luceneRegexp compiles a pattern of Lucene's regular expressions; they match
// whole terms.
func luceneRegexp(p string, fold bool) (*regexp.Regexp, error) {
	if len(p) > 1000 {
		return nil, apierr.OnShard("illegal_argument_exception", "The length of regex [%d] used in the Regexp Query request has exceeded the allowed maximum of [1000]", len(p))
	}
	var b strings.Builder
	b.WriteString(`(?s`)
	if fold {
		b.WriteString(`i`)
	}
	b.WriteString(`)\A(?:`)
	class := false
	for i := 0; i < len(p); i++ {
		c := p[i]
		switch {
		case c == '\\' && i+1 < len(p):
			i++
			if strings.IndexByte("dDsSwW", p[i]) >= 0 {
				b.WriteByte('\\')
				b.WriteByte(p[i])
				continue
			}
			r, n := utf8.DecodeRuneInString(p[i:])
			b.WriteString(regexp.QuoteMeta(string(r)))
			i += n - 1
		case class:
			class = c != ']'
			if c == '[' {
				b.WriteByte('\\')
			}
			b.WriteByte(c)
		case c == '[':
			class = true
			b.WriteByte(c)
		case c == '@':
			b.WriteString(`.*`)
		case c == '#':
			b.WriteString(`[^\x00-\x{10FFFF}]`)
		case c == '^' || c == '$':
			b.WriteByte('\\')
			b.WriteByte(c)
		case c == '"':
			end := strings.IndexByte(p[i+1:], '"')
			if end < 0 {
				return nil, apierr.OnShard("illegal_argument_exception", "expected '\"' at position %d", len(p))
			}
			b.WriteString(regexp.QuoteMeta(p[i+1 : i+1+end]))
			i += end + 1
		case c == '~' || c == '&' || c == '<':
			return nil, apierr.OnShard("illegal_argument_exception", "the operator [%c] of regular expressions is not supported", c)
		default:
			b.WriteByte(c)
		}
	}
	b.WriteString(`)\z`)
	re, err := regexp.Compile(b.String())
	if err != nil {
		return nil, apierr.OnShard("illegal_argument_exception", "invalid regular expression [%s]: %s", p, err)
	}
	return re, nil
}

// fuzzyAccept returns a test for terms within a number of edits.
func fuzzyAccept(term string, edits, prefix int, transpose bool) (string, func([]byte) bool) {
	want := []rune(term)
	prefix = min(prefix, len(want))
	return string(want[:prefix]), func(t []byte) bool {
		n := utf8.RuneCount(t)
		if n > len(want)+edits || n < len(want)-edits {
			return false
		}
		return distance(want, []rune(string(t)), edits, transpose) <= edits
	}
}

// distance counts edits between two texts, transpositions as one; it stops
// early beyond limit.
func distance(a, b []rune, limit int, transpose bool) int {
	prev2, prev, cur := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(a); i++ {
		cur[0] = i
		low := i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			cur[j] = min(prev[j]+1, cur[j-1]+1, prev[j-1]+cost)
			if transpose && i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				cur[j] = min(cur[j], prev2[j-2]+1)
			}
			low = min(low, cur[j])
		}
		if low > limit {
			return limit + 1
		}
		prev2, prev, cur = prev, cur, prev2
	}
	return prev[len(b)]
}

// edits reads a fuzziness: a number, or AUTO with optional bounds.
func edits(fuzziness, term string) (int, bool) {
	f := strings.ToUpper(fuzziness)
	n := utf8.RuneCountInString(term)
	switch {
	case f == "0" || f == "1" || f == "2":
		return int(f[0] - '0'), true
	case f == "0.0" || f == "1.0" || f == "2.0":
		return int(f[0] - '0'), true
	case f == "AUTO" || f == "":
		return autoEdits(n, 3, 6), true
	case strings.HasPrefix(f, "AUTO:"):
		lo, hi, ok := strings.Cut(f[5:], ",")
		a, ok1 := atoi(lo)
		b, ok2 := atoi(hi)
		return autoEdits(n, a, b), ok && ok1 && ok2
	}
	return 0, false
}

func autoEdits(n, lo, hi int) int {
	switch {
	case n < lo:
		return 0
	case n < hi:
		return 1
	}
	return 2
}

func atoi(s string) (int, bool) {
	n := 0
	for _, c := range s {
		if c < '0' || c > '9' || n > 1<<20 {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	return n, s != ""
}
