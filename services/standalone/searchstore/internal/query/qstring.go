package query

import (
	"net/http"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/apierr"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/jsondoc"
)

// stringQuery reads Lucene's query syntax.
type stringQuery struct {
	e      *Env
	s      string
	i      int
	names  []string
	o      matchOptions
	tie    float32
	phSlop int
	depth  int
	typ    string
	lead   bool // leading wildcards are allowed
}

func parseQueryString(e *Env, v *jsondoc.Value) (Node, error) {
	p := &stringQuery{e: e, o: newMatchOptions("match"), typ: "best_fields", lead: true}
	text, given := "", false
	boost, err := options("query_string", v, func(k string, x *jsondoc.Value) (bool, error) {
		switch k {
		case "query":
			text, given = x.Text(), x.Scalar()
		case "fields":
			p.names = x.Texts()
		case "default_field":
			p.names = []string{x.Text()}
		case "default_operator":
			return p.o.take(e, "operator", x)
		case "phrase_slop":
			n, _ := x.Int64()
			p.phSlop = int(min(max(n, 0), 1<<20))
		case "fuzzy_prefix_length":
			return p.o.take(e, "prefix_length", x)
		case "fuzzy_max_expansions":
			return p.o.take(e, "max_expansions", x)
		case "tie_breaker":
			f, _ := x.Float64()
			p.tie = float32(f)
		case "type":
			p.typ = x.Text()
		case "allow_leading_wildcard":
			p.lead, _ = x.Truth()
		case "analyze_wildcard", "enable_position_increments", "quote_field_suffix", "escape", "time_zone", "max_determinized_states", "rewrite", "quote_analyzer", "force_analyzer", "fuzziness":
		default:
			return p.o.take(e, k, x)
		}
		return true, nil
	})
	if err != nil {
		return nil, err
	}
	if !given {
		return nil, apierr.Parsing("[query_string] must be provided with a [query]")
	}
	n, err := p.compile(text)
	if err != nil || boost == 1 {
		return n, err
	}
	return &Boosted{Query: n, Boost: boost}, nil
}

// Text compiles a query string as it is given in a URL.
func (e *Env) Text(q, field string, and, lenient bool) (Node, error) {
	p := &stringQuery{e: e, o: newMatchOptions("match"), typ: "best_fields", lead: true}
	p.o.and, p.o.lenient = and, lenient
	if field != "" {
		p.names = []string{field}
	}
	return p.compile(q)
}

func (p *stringQuery) compile(text string) (Node, error) {
	p.s = text
	if len(p.names) == 0 {
		p.names = []string{"*"}
	}
	for _, n := range p.names {
		if n == "*" {
			p.o.lenient = true
		}
	}
	if strings.TrimSpace(text) == "" {
		return None{}, nil
	}
	msm := p.o.msm
	p.o.msm = ""
	n, err := p.clauses(p.names, false)
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
	return n, nil
}

func (p *stringQuery) fail(why string) error {
	e := apierr.OnShard("query_shard_exception", "Failed to parse query [%s]", p.s)
	e.Cause = apierr.New(http.StatusBadRequest, "parse_exception", "Cannot parse '%s': %s at position %d", p.s, why, p.i)
	return e
}

func (p *stringQuery) space() {
	for p.i < len(p.s) {
		r, n := utf8.DecodeRuneInString(p.s[p.i:])
		if !unicode.IsSpace(r) {
			return
		}
		p.i += n
	}
}

func (p *stringQuery) peek() byte {
	if p.i < len(p.s) {
		return p.s[p.i]
	}
	return 0
}

// occur is how a clause takes part.
type occur uint8

const (
	should occur = iota
	must
	mustNot
)

type clause struct {
	node Node
	how  occur
}

// word reports whether a bare word stands here and takes it.
func (p *stringQuery) word(w string) bool {
	rest := p.s[p.i:]
	if !strings.HasPrefix(rest, w) {
		return false
	}
	if w[0] >= 'A' && w[0] <= 'Z' && len(rest) > len(w) {
		r, _ := utf8.DecodeRuneInString(rest[len(w):])
		if !unicode.IsSpace(r) && r != '(' && r != ')' && r != '"' && r != '[' && r != '{' && r != '+' && r != '-' && r != '!' {
			return false
		}
	}
	p.i += len(w)
	return true
}

// clauses reads clauses up to the end, or up to a closing parenthesis.
func (p *stringQuery) clauses(names []string, inner bool) (Node, error) {
	if p.depth++; p.depth > maxDepth {
		return nil, p.fail("groups are nested too deep")
	}
	defer func() { p.depth-- }()
	var list []clause
	for {
		p.space()
		if p.i >= len(p.s) {
			if inner {
				return nil, p.fail("a closing parenthesis is missing")
			}
			break
		}
		if p.peek() == ')' {
			if !inner {
				return nil, p.fail("unexpected closing parenthesis")
			}
			break
		}
		conj, err := p.conjunction(len(list) == 0)
		if err != nil {
			return nil, err
		}
		mod := p.modifier()
		p.space()
		if p.i >= len(p.s) || p.peek() == ')' {
			return nil, p.fail("a clause is missing")
		}
		n, err := p.clause(names, mod == 0)
		if err != nil {
			return nil, err
		}
		list = p.addClause(list, conj, mod, n)
	}
	if len(list) == 0 {
		if inner {
			return nil, p.fail("an empty group")
		}
		return None{}, nil
	}
	return combine(list), nil
}

// conjunction reads AND or OR in front of a clause: 'A', 'O' or 0.
func (p *stringQuery) conjunction(first bool) (byte, error) {
	var c byte
	switch {
	case p.word("AND") || p.word("&&"):
		c = 'A'
	case p.word("OR") || p.word("||"):
		c = 'O'
	}
	if c != 0 && first {
		return 0, p.fail("an operator without a clause in front")
	}
	p.space()
	return c, nil
}

func (p *stringQuery) modifier() byte {
	switch {
	case p.peek() == '+':
		p.i++
		return '+'
	case p.peek() == '-' || p.peek() == '!':
		p.i++
		return '-'
	case p.word("NOT"):
		return '-'
	}
	return 0
}

// addClause follows Lucene's classic rules for mixed operators.
func (p *stringQuery) addClause(list []clause, conj, mod byte, n Node) []clause {
	if len(list) > 0 && conj == 'A' && list[len(list)-1].how != mustNot {
		list[len(list)-1].how = must
	}
	if len(list) > 0 && p.o.and && conj == 'O' && list[len(list)-1].how != mustNot {
		list[len(list)-1].how = should
	}
	if n == nil {
		return list
	}
	how := should
	switch {
	case mod == '-':
		how = mustNot
	case p.o.and && conj != 'O', mod == '+', !p.o.and && conj == 'A':
		how = must
	}
	return append(list, clause{n, how})
}

func combine(list []clause) Node {
	if len(list) == 1 && list[0].how != mustNot {
		return list[0].node
	}
	b := &Bool{Boost: 1}
	for _, c := range list {
		switch c.how {
		case must:
			b.Must = append(b.Must, c.node)
		case mustNot:
			b.MustNot = append(b.MustNot, c.node)
		default:
			b.Should = append(b.Should, c.node)
		}
	}
	if len(b.Must) == 0 && len(b.Should) > 0 {
		b.MinShould = 1
	}
	return b
}

// clause reads [field:] and what follows it.
func (p *stringQuery) clause(names []string, joinable bool) (Node, error) {
	if f, ok := p.field(); ok {
		names = []string{f}
		joinable = true
		p.space()
		if f == "_exists_" {
			name, _, err := p.term()
			if err != nil {
				return nil, err
			}
			return p.e.exists(unescape(name), 1), nil
		}
		if c := p.peek(); c == 0 || c == ')' {
			return nil, p.fail("a value is missing behind the field")
		}
	}
	if c := p.peek(); c == '>' || c == '<' {
		return p.oneSided(names)
	}
	var n Node
	var err error
	switch p.peek() {
	case '(':
		p.i++
		if n, err = p.clauses(names, true); err != nil {
			return nil, err
		}
		p.i++
	case '"':
		n, err = p.quoted(names)
	case '/':
		n, err = p.regexp(names)
	case '[', '{':
		n, err = p.interval(names)
	default:
		return p.bare(names, joinable)
	}
	if err != nil {
		return nil, err
	}
	return p.boost(n)
}

// field reads a field name and its colon when there is one.
func (p *stringQuery) field() (string, bool) {
	start := p.i
	name, _, err := p.term()
	if err == nil && name != "" {
		at := p.i
		for at < len(p.s) && p.s[at] == ' ' {
			at++
		}
		if at < len(p.s) && p.s[at] == ':' {
			p.i = at + 1
			return unescape(name), true
		}
	}
	p.i = start
	return "", false
}

// term reads a bare term with its escapes still in it; wild says whether it
// has wildcards.
func (p *stringQuery) term() (text string, wild bool, err error) {
	start := p.i
	for p.i < len(p.s) {
		r, n := utf8.DecodeRuneInString(p.s[p.i:])
		if r == '\\' {
			if p.i+1 >= len(p.s) {
				return "", false, p.fail("an escape at the end")
			}
			_, m := utf8.DecodeRuneInString(p.s[p.i+1:])
			p.i += 1 + m
			continue
		}
		if unicode.IsSpace(r) || strings.ContainsRune(`:()[]{}"^~/`, r) {
			break
		}
		if p.i == start && (r == '+' || r == '-' || r == '!') {
			break
		}
		if r == '*' || r == '?' {
			wild = true
		}
		p.i += n
	}
	return p.s[start:p.i], wild, nil
}

func unescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// bare reads a term; plain terms that follow each other are one text.
func (p *stringQuery) bare(names []string, joinable bool) (Node, error) {
	text, wild, err := p.term()
	if err != nil {
		return nil, err
	}
	if text == "" {
		return nil, p.fail("unexpected character")
	}
	if p.peek() == '~' {
		p.i++
		n, err := p.fuzzy(names, text)
		if err != nil {
			return nil, err
		}
		return p.boost(n)
	}
	if wild {
		n, err := p.wildcard(names, text)
		if err != nil {
			return nil, err
		}
		return p.boost(n)
	}
	if p.peek() == '^' {
		n, err := p.match(names, unescape(text), "match")
		if err != nil {
			return nil, err
		}
		return p.boost(n)
	}
	whole := unescape(text)
	var wholeSb421 strings.Builder
	for joinable {
		more, ok := p.plainWord()
		if !ok {
			break
		}
		wholeSb421.WriteString(" " + more)
	}
	whole += wholeSb421.String()
	return p.match(names, whole, "match")
}

// plainWord takes the next term when it is plain: no operator, field,
// wildcard or suffix.
func (p *stringQuery) plainWord() (string, bool) {
	start := p.i
	p.space()
	if p.i == start || p.i >= len(p.s) || strings.IndexByte(`+-!()[]{}"/&|`, p.peek()) >= 0 {
		p.i = start
		return "", false
	}
	at := p.i
	for _, w := range [...]string{"AND", "OR", "NOT"} {
		if p.word(w) {
			p.i = start
			return "", false
		}
	}
	p.i = at
	text, wild, err := p.term()
	next := p.i
	for next < len(p.s) && p.s[next] == ' ' {
		next++
	}
	if err != nil || wild || text == "" || next < len(p.s) && p.s[next] == ':' || p.peek() == '~' || p.peek() == '^' {
		p.i = start
		return "", false
	}
	return unescape(text), true
}

func (p *stringQuery) boost(n Node) (Node, error) {
	if p.peek() != '^' {
		return n, nil
	}
	p.i++
	x, ok := p.decimal()
	if !ok {
		return nil, p.fail("a boost must be a number")
	}
	return &Boosted{Query: n, Boost: float32(x)}, nil
}

func (p *stringQuery) decimal() (float64, bool) {
	start := p.i
	for p.i < len(p.s) && (p.s[p.i] >= '0' && p.s[p.i] <= '9' || p.s[p.i] == '.') {
		p.i++
	}
	return jsondoc.Str(p.s[start:p.i]).Float64()
}

// each compiles a part for each field and takes the best of them.
func (p *stringQuery) each(names []string, fn func(f weighted) (Node, error)) (Node, error) {
	fields, _, err := p.e.fieldList(names)
	if err != nil {
		return nil, err
	}
	var nodes []Node
	for _, f := range fields {
		n, err := fn(f)
		if err != nil {
			return nil, err
		}
		if _, none := n.(None); !none {
			nodes = append(nodes, n)
		}
	}
	switch len(nodes) {
	case 0:
		return None{}, nil
	case 1:
		return nodes[0], nil
	}
	return &DisMax{Queries: nodes, Tie: p.tie, Boost: 1}, nil
}

func (p *stringQuery) match(names []string, text, kind string) (Node, error) {
	fields, all, err := p.e.fieldList(names)
	if err != nil {
		return nil, err
	}
	if p.typ == "cross_fields" && kind == "match" {
		o := p.o
		return p.e.crossFields(text, fields, 1, &o)
	}
	if kind == "match" && p.typ == "phrase" {
		kind = "match_phrase"
	}
	return p.each(names, func(f weighted) (Node, error) {
		o := p.o
		o.kind, o.boost = kind, f.boost
		o.lenient = o.lenient || all
		return p.e.match(f.name, jsondoc.Str(text), &o)
	})
}
