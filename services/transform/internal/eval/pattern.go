package eval

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/dlclark/regexp2"
)

// pattern is a compiled regular expression. Most run as RE2, in linear time;
// those with look-around, back-references or possessive quantifiers need an
// engine that tries alternatives, which is stopped when it takes too long.
type pattern struct {
	linear *regexp.Regexp
	trying *regexp2.Regexp
}

const (
	maxPattern     = 10_000 // bytes of a regular expression
	patternTimeout = time.Second
)

var errPatternTime = errors.New("the regular expression takes too long on this value")

func compilePattern(text string) (*pattern, error) {
	if len(text) > maxPattern {
		return nil, fmt.Errorf("it is longer than %d characters", maxPattern)
	}
	linear, err := regexp.Compile(text)
	if err == nil {
		return &pattern{linear: linear}, nil
	}
	trying, tryErr := regexp2.Compile(atomic(text), regexp2.None)
	if tryErr != nil {
		return nil, err
	}
	trying.MatchTimeout = patternTimeout
	return &pattern{trying: trying}, nil
}

// atomic writes possessive quantifiers behind a simple atom, such as a++ or
// [a-z]*+, as the atomic group that they are short for.
func atomic(text string) string {
	var b strings.Builder
	start := -1 // where the last atom begins in b
	for i := 0; i < len(text); {
		n := 1
		switch {
		case text[i] == '\\' && i+1 < len(text):
			n = 2
		case text[i] == '[':
			if end := strings.IndexByte(text[i+1:], ']'); end > 0 {
				n = end + 2
			}
		case strings.IndexByte("*+?", text[i]) >= 0 && i+1 < len(text) && text[i+1] == '+' && start >= 0:
			whole := b.String()
			b.Reset()
			b.WriteString(whole[:start] + "(?>" + whole[start:] + text[i:i+1] + ")")
			start = -1
			i += 2
			continue
		}
		if strings.IndexByte("*+?{}()|^$", text[i]) < 0 {
			start = b.Len()
		} else {
			start = -1
		}
		b.WriteString(text[i : i+n])
		i += n
	}
	return b.String()
}

// groups returns the number of the pattern's groups.
func (p *pattern) groups() int {
	if p.linear != nil {
		return p.linear.NumSubexp()
	}
	return len(p.trying.GetGroupNumbers()) - 1
}

// find returns begin and end of the first match and its groups, -1 for a group
// that is not in it; nil for no match.
func (p *pattern) find(s string) ([]int, error) {
	if p.linear != nil {
		return p.linear.FindStringSubmatchIndex(s), nil
	}
	m, err := p.trying.FindStringMatch(s)
	if err != nil {
		return nil, errPatternTime
	}
	if m == nil {
		return nil, nil
	}
	return p.places(s, m), nil
}

// findAll returns the matches as find does, no more than so many; -1 for all.
func (p *pattern) findAll(s string, most int) ([][]int, error) {
	if p.linear != nil {
		return p.linear.FindAllStringSubmatchIndex(s, most), nil
	}
	var all [][]int
	m, err := p.trying.FindStringMatch(s)
	for ; err == nil && m != nil && len(all) != most; m, err = p.trying.FindNextMatch(m) {
		all = append(all, p.places(s, m))
	}
	if err != nil {
		return nil, errPatternTime
	}
	return all, nil
}

func (p *pattern) replace(s, with string) (string, error) {
	if p.linear != nil && len(with) <= 1 {
		return p.linear.ReplaceAllLiteralString(s, with), nil
	}
	most := -1
	if len(with) > 0 {
		most = maxText/len(with) + 1 // so many are too many
	}
	all, err := p.findAll(s, most)
	if err != nil {
		return "", err
	}
	if len(s)+len(all)*len(with) > maxText {
		return "", errTooLong
	}
	var b strings.Builder
	last := 0
	for _, m := range all {
		b.WriteString(s[last:m[0]] + with)
		last = m[1]
	}
	return b.String() + s[last:], nil
}

// places turns the characters of a match into bytes.
func (p *pattern) places(s string, m *regexp2.Match) []int {
	out := make([]int, 0, 2*m.GroupCount())
	for _, g := range m.Groups() {
		if len(g.Captures) == 0 {
			out = append(out, -1, -1)
			continue
		}
		start := byteOffset(s, g.Index)
		out = append(out, start, start+byteOffset(s[start:], g.Length))
	}
	return out
}
