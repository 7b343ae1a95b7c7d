package query

import (
	"strings"

	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/apierr"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/jsondoc"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/mapping"
)

// quoted reads "a phrase" with an optional ~slop.
func (p *stringQuery) quoted(names []string) (Node, error) {
	text, err := p.quotedText()
	if err != nil {
		return nil, err
	}
	slop := p.phSlop
	if p.peek() == '~' {
		p.i++
		x, ok := p.decimal()
		if !ok {
			return nil, p.fail("a slop must be a number")
		}
		slop = int(min(x, 1<<20))
	}
	old := p.o.slop
	p.o.slop = slop
	defer func() { p.o.slop = old }()
	return p.match(names, text, "match_phrase")
}

func (p *stringQuery) quotedText() (string, error) {
	p.i++
	start := p.i
	for p.i < len(p.s) && p.s[p.i] != '"' {
		if p.s[p.i] == '\\' {
			p.i++
		}
		p.i++
	}
	if p.i >= len(p.s) {
		p.i = len(p.s)
		return "", p.fail("a closing quote is missing")
	}
	text := unescape(p.s[start:p.i])
	p.i++
	return text, nil
}

func (p *stringQuery) regexp(names []string) (Node, error) {
	p.i++
	start := p.i
	for p.i < len(p.s) && p.s[p.i] != '/' {
		if p.s[p.i] == '\\' {
			p.i++
		}
		p.i++
	}
	if p.i >= len(p.s) {
		p.i = len(p.s)
		return nil, p.fail("a closing slash is missing")
	}
	text := strings.ReplaceAll(p.s[start:p.i], `\/`, `/`)
	p.i++
	return p.patterns(names, "regexp", text)
}

// patterns compiles a pattern for each field that holds text.
func (p *stringQuery) patterns(names []string, kind, text string) (Node, error) {
	_, all, err := p.e.fieldList(names)
	if err != nil {
		return nil, err
	}
	return p.each(names, func(f weighted) (Node, error) {
		mf := p.e.Mapping.Field(f.name)
		if mf == nil && f.name == "_index" {
			return p.e.indexIs(text, 1), nil
		}
		if mf == nil {
			return None{}, nil
		}
		if (mf.Store != mapping.Text && mf.Store != mapping.Terms || mf.Type == "ip") && (all || p.o.lenient) {
			return None{}, nil
		}
		value := text
		if mf.Store == mapping.Text && kind != "regexp" {
			value = strings.ToLower(value)
		}
		return p.e.pattern(f.name, &patternOptions{kind: kind, value: value, given: true, boost: f.boost, transpose: p.o.transpose, expansions: p.o.expansions, prefix: p.o.prefix, fuzziness: "AUTO"})
	})
}

func (p *stringQuery) wildcard(names []string, text string) (Node, error) {
	if text == "*" {
		if len(names) == 1 && names[0] == "*" {
			return &All{Boost: 1}, nil
		}
		return p.each(names, func(f weighted) (Node, error) { return p.e.exists(f.name, f.boost), nil })
	}
	if !p.lead && (text[0] == '*' || text[0] == '?') {
		return nil, p.fail("'*' or '?' not allowed as first character in WildcardQuery")
	}
	if strings.HasSuffix(text, "*") && !strings.ContainsAny(text[:len(text)-1], `*?`) && !strings.HasSuffix(text, `\*`) {
		return p.patterns(names, "prefix", unescape(text[:len(text)-1]))
	}
	return p.patterns(names, "wildcard", text)
}

func (p *stringQuery) fuzzy(names []string, text string) (Node, error) {
	fuzz := "AUTO"
	if c := p.peek(); c >= '0' && c <= '9' {
		x, ok := p.decimal()
		if !ok {
			return nil, p.fail("a fuzziness must be a number")
		}
		switch {
		case x >= 1:
			fuzz = string(rune('0' + int(min(x, 2))))
		case x > 0:
			fuzz = "2"
		default:
			fuzz = "0"
		}
	}
	value := unescape(text)
	return p.each(names, func(f weighted) (Node, error) {
		mf := p.e.Mapping.Field(f.name)
		if mf == nil || mf.Store != mapping.Text && mf.Store != mapping.Terms || mf.Type == "ip" {
			if mf != nil && !p.o.lenient {
				return nil, apierr.OnShard("illegal_argument_exception", "Can only use fuzzy queries on keyword and text fields - not on [%s] which is of type [%s]", mf.Path, mf.Type)
			}
			return None{}, nil
		}
		v := value
		if mf.Store == mapping.Text {
			v = strings.ToLower(v)
		}
		return p.e.pattern(f.name, &patternOptions{kind: "fuzzy", value: v, given: true, fuzziness: fuzz, boost: f.boost, transpose: p.o.transpose, expansions: p.o.expansions, prefix: p.o.prefix})
	})
}

// oneSided reads >5, >=5, <5 or <=5.
func (p *stringQuery) oneSided(names []string) (Node, error) {
	op := p.s[p.i]
	p.i++
	open := true
	if p.peek() == '=' {
		open = false
		p.i++
	}
	p.space()
	text, err := p.endpoint("")
	if err != nil {
		return nil, err
	}
	b := &bounds{boost: 1}
	if op == '>' {
		b.lo, b.loEx = jsondoc.Str(text), open
	} else {
		b.hi, b.hiEx = jsondoc.Str(text), open
	}
	return p.ranged(names, b)
}

// interval reads [a TO b], {a TO b} and mixed forms.
func (p *stringQuery) interval(names []string) (Node, error) {
	b := &bounds{boost: 1, loEx: p.peek() == '{'}
	p.i++
	p.space()
	lo, err := p.endpoint("]}")
	if err != nil {
		return nil, err
	}
	p.space()
	if !p.word("TO") {
		return nil, p.fail("expected TO in a range")
	}
	p.space()
	hi, err := p.endpoint("]}")
	if err != nil {
		return nil, err
	}
	p.space()
	switch p.peek() {
	case ']':
	case '}':
		b.hiEx = true
	default:
		return nil, p.fail("a range must end with ] or }")
	}
	p.i++
	if lo != "*" {
		b.lo = jsondoc.Str(lo)
	} else {
		b.loEx = false
	}
	if hi != "*" {
		b.hi = jsondoc.Str(hi)
	} else {
		b.hiEx = false
	}
	return p.ranged(names, b)
}

// endpoint reads one end of a range: a quoted text, or up to white space or
// one of the closing characters.
func (p *stringQuery) endpoint(closers string) (string, error) {
	if p.peek() == '"' {
		return p.quotedText()
	}
	start := p.i
	for p.i < len(p.s) {
		c := p.s[p.i]
		if c == ' ' || c == '\t' || c == '\n' || strings.IndexByte(closers, c) >= 0 || closers == "" && (c == ')' || c == '(') {
			break
		}
		if c == '\\' {
			p.i++
		}
		p.i++
	}
	p.i = min(p.i, len(p.s))
	if p.i == start {
		return "", p.fail("a bound of a range is missing")
	}
	return unescape(p.s[start:p.i]), nil
}

func (p *stringQuery) ranged(names []string, b *bounds) (Node, error) {
	_, all, err := p.e.fieldList(names)
	if err != nil {
		return nil, err
	}
	n, err := p.each(names, func(f weighted) (Node, error) {
		n, err := p.e.rangeOn(f.name, b)
		if err != nil && (all || p.o.lenient) {
			return None{}, nil //nolint:nilerr // lenient: a field of another type does not match
		}
		return n, err
	})
	if err != nil {
		return nil, err
	}
	return p.boost(n)
}
