package query

import (
	"errors"
	"math"
	"net/http"
	"strings"

	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/analysis"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/apierr"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/jsondoc"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/mapping"
)

// matchOptions are what match queries and query strings have in common.
type matchOptions struct {
	kind       string // match, match_phrase, match_phrase_prefix, match_bool_prefix
	and        bool
	msm        string
	fuzziness  string
	prefix     int
	expansions int
	transpose  bool
	slop       int
	zeroAll    bool
	lenient    bool
	boost      float32
	analyzer   *analysis.Analyzer
}

func newMatchOptions(kind string) matchOptions {
	return matchOptions{kind: kind, expansions: 50, transpose: true, boost: 1}
}

// take reads one option; ok is false for one that match queries do not have.
func (o *matchOptions) take(e *Env, k string, x *jsondoc.Value) (ok bool, err error) {
	num := func() int {
		n, _ := x.Int64()
		return int(min(max(n, 0), math.MaxInt32))
	}
	switch k {
	case "operator":
		switch strings.ToLower(x.Text()) {
		case "and":
			o.and = true
		case "or":
		default:
			return true, apierr.Illegal("operator needs to be either [or] or [and] but was [%s]", x.Text())
		}
	case "minimum_should_match":
		o.msm = x.Text()
	case "fuzziness":
		o.fuzziness = x.Text()
		if o.fuzziness == "" {
			o.fuzziness = "AUTO"
		}
	case "prefix_length":
		o.prefix = num()
	case "max_expansions":
		o.expansions = max(num(), 1)
	case "fuzzy_transpositions":
		o.transpose, _ = x.Truth()
	case "slop":
		o.slop = num()
	case "zero_terms_query":
		o.zeroAll = strings.EqualFold(x.Text(), "all")
	case "lenient":
		o.lenient, _ = x.Truth()
	case "analyzer":
		if o.analyzer = e.Mapping.Analyzer(x.Text()); o.analyzer == nil {
			return true, apierr.OnShard("query_shard_exception", "[%s] analyzer [%s] not found", o.kind, x.Text())
		}
	case "auto_generate_synonyms_phrase_query", "fuzzy_rewrite", "cutoff_frequency":
	default:
		return false, nil
	}
	return true, nil
}

func parseMatch(e *Env, kind string, v *jsondoc.Value) (Node, error) {
	field, body, _, err := fieldQuery(kind, v)
	if err != nil {
		return nil, err
	}
	o := newMatchOptions(kind)
	value := body
	if body.Is(jsondoc.Object) {
		value = nil
		o.boost, err = options(kind, body, func(k string, x *jsondoc.Value) (bool, error) {
			if k == "query" {
				value = x
				return true, nil
			}
			return o.take(e, k, x)
		})
		if err != nil {
			return nil, err
		}
	}
	if !value.Scalar() {
		if value != nil && !value.IsNull() {
			return nil, apierr.Parsing("[%s] unknown token [START_ARRAY] after [query]", kind)
		}
		return nil, apierr.Parsing("No text specified for text query")
	}
	n, err := e.match(field, value, &o)
	return labelled(n, body, err)
}

// match compiles one field's part of a match query.
func (e *Env) match(field string, v *jsondoc.Value, o *matchOptions) (Node, error) {
	if field == "_id" || field == "_index" {
		return e.term(field, v, o.boost, false)
	}
	f := e.Mapping.Field(field)
	if f == nil || f.Store == mapping.None {
		return None{}, nil
	}
	if f.Nested != e.Nested {
		return None{}, nil
	}
	if f.Store != mapping.Text {
		return e.matchExact(f, v, o)
	}
	a := o.analyzer
	if a == nil {
		a = f.SearchAnalyzer
	}
	toks := a.Terms(v.Text())
	if len(toks) == 0 {
		if o.zeroAll {
			return &All{Boost: o.boost}, nil
		}
		return None{}, nil
	}
	switch o.kind {
	case "match_phrase", "match_phrase_prefix":
		return phrase(f, toks, o), nil
	case "match_bool_prefix":
		return e.boolOf(f, toks, o, true)
	}
	return e.boolOf(f, toks, o, false)
}

// matchExact is a match on a field without analysis: a term query.
func (e *Env) matchExact(f *mapping.Field, v *jsondoc.Value, o *matchOptions) (Node, error) {
	if (o.kind == "match_phrase_prefix" || o.kind == "match_bool_prefix") && f.Store == mapping.Terms && f.Type != "ip" {
		return &Pattern{Field: f.Path, Prefix: []byte(v.Text()), Boost: o.boost}, nil
	}
	if o.fuzziness != "" && f.Store == mapping.Terms && f.Type != "ip" {
		p := patternOptions{kind: "fuzzy", value: v.Text(), fuzziness: o.fuzziness, boost: o.boost, prefix: o.prefix, expansions: o.expansions, transpose: o.transpose}
		return p.compile(f)
	}
	n, err := e.termOn(f, v.Text(), v, o.boost)
	if err != nil && o.lenient {
		var ae *apierr.Error
		if errors.As(err, &ae) && ae.Status == http.StatusBadRequest {
			return None{}, nil
		}
	}
	return n, err
}

func phrase(f *mapping.Field, toks []analysis.Token, o *matchOptions) Node {
	last := len(toks) - 1
	if last == 0 && o.kind == "match_phrase" {
		return &TextTerm{Field: f.Path, Term: toks[0].Term, Boost: o.boost}
	}
	q := &Phrase{Field: f.Path, Slop: o.slop, Boost: o.boost}
	for i, t := range toks {
		s := Slot{Term: t.Term, Offset: t.Position}
		if i == last && o.kind == "match_phrase_prefix" {
			s = Slot{Pattern: &Pattern{Field: f.Path, Prefix: t.Term, Limit: o.expansions, FullText: true}, Offset: t.Position}
		}
		q.Slots = append(q.Slots, s)
	}
	if last == 0 {
		return &Pattern{Field: f.Path, Prefix: toks[0].Term, Limit: o.expansions, FullText: true, Boost: o.boost}
	}
	return q
}

func (e *Env) boolOf(f *mapping.Field, toks []analysis.Token, o *matchOptions, lastPrefix bool) (Node, error) {
	var nodes []Node
	for i, t := range toks {
		n, err := o.token(f, t.Term, lastPrefix && i == len(toks)-1)
		if err != nil {
			return nil, err
		}
		nodes = append(nodes, n)
	}
	if len(nodes) == 1 {
		if o.msm != "" {
			m, err := minimum(o.msm, 1)
			if err != nil {
				return nil, err
			}
			if m > 1 {
				return None{}, nil
			}
		}
		return nodes[0], nil
	}
	q := &Bool{Boost: 1}
	if o.and {
		q.Must = nodes
		return q, nil
	}
	q.Should, q.MinShould = nodes, 1
	if o.msm != "" {
		m, err := minimum(o.msm, len(nodes))
		if err != nil {
			return nil, err
		}
		if m > len(nodes) {
			return None{}, nil
		}
		q.MinShould = max(m, 1)
	}
	return q, nil
}

func (o *matchOptions) token(f *mapping.Field, term []byte, prefix bool) (Node, error) {
	if prefix {
		return &Pattern{Field: f.Path, Prefix: term, FullText: true, Boost: o.boost}, nil
	}
	if o.fuzziness != "" {
		n, ok := edits(o.fuzziness, string(term))
		if !ok {
			return nil, apierr.Illegal("Invalid fuzziness [%s]", o.fuzziness)
		}
		if n > 0 {
			lit, accept := fuzzyAccept(string(term), n, o.prefix, o.transpose)
			return &Pattern{Field: f.Path, Prefix: []byte(lit), Accept: accept, Limit: o.expansions, FullText: true, Boost: o.boost}, nil
		}
	}
	return &TextTerm{Field: f.Path, Term: term, Boost: o.boost}, nil
}

// weighted is a field with its boost.
type weighted struct {
	name  string
	boost float32
}

// fieldList expands names with boosts (title^3) and stars; all is whether
// everything was meant.
func (e *Env) fieldList(names []string) (out []weighted, all bool, err error) {
	for _, n := range names {
		boost := float32(1)
		if name, b, ok := strings.Cut(n, "^"); ok {
			f, isNum := jsondoc.Str(b).Float64()
			if !isNum {
				return nil, false, apierr.OnShard("query_shard_exception", "failed to create query: For input string: \"%s\"", b)
			}
			n, boost = name, float32(f)
		}
		if !strings.Contains(n, "*") {
			out = append(out, weighted{n, boost})
			continue
		}
		all = all || n == "*"
		for _, f := range e.Mapping.Match(n) {
			if f.Store != mapping.None && f.Nested == e.Nested {
				out = append(out, weighted{f.Path, boost})
			}
		}
	}
	return out, all, nil
}

func parseMultiMatch(e *Env, v *jsondoc.Value) (Node, error) {
	o := newMatchOptions("match")
	var text *jsondoc.Value
	var names []string
	typ, tie := "best_fields", float32(-1)
	boost, err := options("multi_match", v, func(k string, x *jsondoc.Value) (bool, error) {
		switch k {
		case "query":
			text = x
		case "fields":
			names = x.Texts()
		case "type":
			typ = x.Text()
		case "tie_breaker":
			f, _ := x.Float64()
			tie = float32(f)
		default:
			return o.take(e, k, x)
		}
		return true, nil
	})
	if err != nil {
		return nil, err
	}
	if !text.Scalar() {
		return nil, apierr.Parsing("No text specified for multi_match query")
	}
	if len(names) == 0 {
		names = []string{"*"}
		o.lenient = true
	}
	return e.multiMatch(text, names, typ, tie, boost, &o)
}

func (e *Env) multiMatch(text *jsondoc.Value, names []string, typ string, tie, boost float32, o *matchOptions) (Node, error) {
	fields, all, err := e.fieldList(names)
	if err != nil {
		return nil, err
	}
	o.lenient = o.lenient || all
	switch typ {
	case "phrase":
		o.kind = "match_phrase"
	case "phrase_prefix":
		o.kind = "match_phrase_prefix"
	case "bool_prefix":
		o.kind = "match_bool_prefix"
	case "cross_fields":
		return e.crossFields(text.Text(), fields, boost, o)
	case "best_fields", "most_fields":
	default:
		return nil, apierr.Parsing("failed to parse [multi_match] query type [%s]. unknown type.", typ)
	}
	var nodes []Node
	for _, f := range fields {
		fo := *o
		fo.boost = f.boost
		n, err := e.match(f.name, text, &fo)
		if err != nil {
			return nil, err
		}
		nodes = append(nodes, n)
	}
	switch {
	case len(nodes) == 0:
		return None{}, nil
	case typ == "most_fields" || typ == "bool_prefix":
		return &Bool{Should: nodes, MinShould: 1, Boost: boost}, nil
	}
	return &DisMax{Queries: nodes, Tie: max(tie, 0), Boost: boost}, nil
}

// crossFields treats several fields as one: each term may be in any of them.
func (e *Env) crossFields(text string, fields []weighted, boost float32, o *matchOptions) (Node, error) {
	var a *analysis.Analyzer
	for _, f := range fields {
		if mf := e.Mapping.Field(f.name); mf != nil && mf.Store == mapping.Text && a == nil {
			a = mf.SearchAnalyzer
		}
	}
	if a == nil {
		a = analysis.Builtin("keyword")
	}
	if o.analyzer != nil {
		a = o.analyzer
	}
	var terms []Node
	for _, t := range a.Terms(text) {
		d := &DisMax{Boost: 1}
		for _, f := range fields {
			fo := *o
			fo.boost, fo.fuzziness = f.boost, ""
			n, err := e.match(f.name, jsondoc.Str(string(t.Term)), &fo)
			if err != nil {
				return nil, err
			}
			d.Queries = append(d.Queries, n)
		}
		terms = append(terms, d)
	}
	if len(terms) == 0 {
		return None{}, nil
	}
	if o.and {
		return &Bool{Must: terms, Boost: boost}, nil
	}
	m := 1
	if o.msm != "" {
		var err error
		if m, err = minimum(o.msm, len(terms)); err != nil {
			return nil, err
		}
	}
	return &Bool{Should: terms, MinShould: max(m, 1), Boost: boost}, nil
}
