package query

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/apierr"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/jsondoc"
)

// simpleQuery reads the forgiving syntax of simple_query_string: + | - "" *
// () ~N. Nothing is an error in it.
type simpleQuery struct {
	q     stringQuery
	flags string
	depth int
}

func parseSimpleQueryString(e *Env, v *jsondoc.Value) (Node, error) {
	p := &simpleQuery{q: stringQuery{e: e, o: newMatchOptions("match"), lead: true, typ: "best_fields"}, flags: "ALL"}
	text, given := "", false
	boost, err := options("simple_query_string", v, func(k string, x *jsondoc.Value) (bool, error) {
		switch k {
		case "query":
			text, given = x.Text(), x.Scalar()
		case "fields":
			p.q.names = x.Texts()
		case "default_operator":
			return p.q.o.take(e, "operator", x)
		case "flags":
			p.flags = strings.ToUpper(x.Text())
		case "fuzzy_prefix_length":
			return p.q.o.take(e, "prefix_length", x)
		case "fuzzy_max_expansions":
			return p.q.o.take(e, "max_expansions", x)
		case "analyze_wildcard", "quote_field_suffix":
		default:
			return p.q.o.take(e, k, x)
		}
		return true, nil
	})
	if err != nil {
		return nil, err
	}
	if !given {
		return nil, apierr.Parsing("[simple_query_string] query text missing")
	}
	if len(p.q.names) == 0 {
		p.q.names = []string{"*"}
		p.q.o.lenient = true
	}
	if text == "*" {
		return &All{Boost: boost}, nil
	}
	msm := p.q.o.msm
	p.q.o.msm = ""
	p.q.s = text
	n, err := p.group()
	if err != nil {
		return nil, err
	}
	if b, ok := n.(*Bool); ok && msm != "" && len(b.Should) > 0 {
		m, err := minimum(msm, len(b.Should))
		if err != nil {
			return nil, err
		}
		if m > len(b.Should) {
			return None{}, nil
		}
		b.MinShould = max(m, b.MinShould)
	}
	if boost != 1 {
		return &Boosted{Query: n, Boost: boost}, nil
	}
	return n, nil
}

func (p *simpleQuery) on(flag string) bool {
	if p.flags == "ALL" || p.flags == "" {
		return true
	}
	for f := range strings.SplitSeq(p.flags, "|") {
		if f == flag {
			return true
		}
	}
	return false
}

// group reads up to the end or a closing parenthesis. Operators are taken from
// left to right: + joins with all, | joins with any.
func (p *simpleQuery) group() (Node, error) {
	if p.depth++; p.depth > maxDepth {
		return nil, p.q.fail("groups are nested too deep")
	}
	defer func() { p.depth-- }()
	var acc Node
	op := byte(0) // + or |, 0 for the default
	not := 0
	for p.q.i < len(p.q.s) {
		c := p.q.peek()
		switch {
		case c == ')' && p.depth > 1 && p.on("PRECEDENCE"):
			return orNone(acc), nil
		case c == '+' && p.on("AND"):
			op = '+'
			p.q.i++
			continue
		case c == '|' && p.on("OR"):
			op = '|'
			p.q.i++
			continue
		case c == '-' && p.on("NOT"):
			not++
			p.q.i++
			continue
		case c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == ')':
			p.q.i++
			not = 0
			continue
		}
		n, err := p.operand(c)
		if err != nil {
			return nil, err
		}
		if n == nil {
			continue
		}
		if not%2 == 1 {
			n = &Bool{MustNot: []Node{n}, Boost: 1}
		}
		acc = p.join(acc, n, op)
		op, not = 0, 0
	}
	return orNone(acc), nil
}

func orNone(n Node) Node {
	if n == nil {
		return None{}
	}
	return n
}

func (p *simpleQuery) join(acc, n Node, op byte) Node {
	if acc == nil {
		return n
	}
	all := op == '+' || op == 0 && p.q.o.and
	b, ok := acc.(*Bool)
	if all {
		if ok && len(b.Must) > 0 && len(b.Should) == 0 && len(b.MustNot) == 0 {
			b.Must = append(b.Must, n)
			return b
		}
		return &Bool{Must: []Node{acc, n}, Boost: 1}
	}
	if ok && len(b.Should) > 0 && len(b.Must) == 0 && len(b.MustNot) == 0 {
		b.Should = append(b.Should, n)
		return b
	}
	return &Bool{Should: []Node{acc, n}, MinShould: 1, Boost: 1}
}

func (p *simpleQuery) operand(c byte) (Node, error) {
	switch {
	case c == '(' && p.on("PRECEDENCE"):
		if !p.closes('(', ')') {
			p.q.i++
			return nil, nil
		}
		p.q.i++
		n, err := p.group()
		if p.q.peek() == ')' {
			p.q.i++
		}
		return n, err
	case c == '"' && p.on("PHRASE"):
		if strings.IndexByte(p.q.s[p.q.i+1:], '"') < 0 {
			p.q.i++
			return nil, nil
		}
		return p.phrase()
	}
	return p.word()
}

// closes reports whether the group that opens here is closed somewhere.
func (p *simpleQuery) closes(open, end byte) bool {
	depth := 0
	for _, c := range []byte(p.q.s[p.q.i:]) {
		switch c {
		case open:
			depth++
		case end:
			if depth--; depth == 0 {
				return true
			}
		}
	}
	return false
}

func (p *simpleQuery) phrase() (Node, error) {
	text, err := p.q.quotedText()
	if err != nil {
		return None{}, nil //nolint:nilerr // nothing is an error in this syntax
	}
	old := p.q.o.slop
	defer func() { p.q.o.slop = old }()
	if p.q.peek() == '~' && p.on("SLOP") {
		p.q.i++
		if x, ok := p.q.decimal(); ok {
			p.q.o.slop = int(min(x, 1<<20))
		}
	}
	return p.q.match(p.q.names, text, "match_phrase")
}

func (p *simpleQuery) word() (Node, error) {
	var b strings.Builder
	prefix, fuzz := false, ""
	s := p.q.s
	for p.q.i < len(s) {
		r, n := utf8.DecodeRuneInString(s[p.q.i:])
		switch {
		case r == '\\' && p.q.i+1 < len(s) && p.on("ESCAPE"):
			r, m := utf8.DecodeRuneInString(s[p.q.i+1:])
			b.WriteRune(r)
			p.q.i += 1 + m
			continue
		case unicode.IsSpace(r), r == '"' && p.on("PHRASE"), (r == '(' || r == ')') && p.on("PRECEDENCE"), r == '|' && p.on("OR"), r == '+' && p.on("AND"):
			return p.leaf(b.String(), prefix, fuzz)
		case r == '*' && p.on("PREFIX") && p.ends(p.q.i+1):
			prefix = true
			p.q.i++
			continue
		case r == '~' && p.on("FUZZY") && b.Len() > 0:
			p.q.i++
			fuzz = "AUTO"
			if x, ok := p.q.decimal(); ok {
				fuzz = string(rune('0' + int(min(x, 2))))
			}
			continue
		}
		b.WriteRune(r)
		p.q.i += n
	}
	return p.leaf(b.String(), prefix, fuzz)
}

func (p *simpleQuery) ends(i int) bool {
	return i >= len(p.q.s) || strings.IndexByte(" \t\n\r|+)(\"", p.q.s[i]) >= 0
}

func (p *simpleQuery) leaf(text string, prefix bool, fuzz string) (Node, error) {
	switch {
	case text == "" && prefix:
		return &All{Boost: 1}, nil
	case text == "":
		if p.q.i < len(p.q.s) && !p.ends(p.q.i) {
			p.q.i++
		}
		return nil, nil
	case prefix:
		return p.q.patterns(p.q.names, "prefix", text)
	case fuzz != "":
		return p.q.each(p.q.names, func(f weighted) (Node, error) {
			o := p.q.o
			o.fuzziness, o.boost, o.lenient = fuzz, f.boost, true
			return p.q.e.match(f.name, jsondoc.Str(text), &o)
		})
	}
	return p.q.match(p.q.names, text, "match")
}
