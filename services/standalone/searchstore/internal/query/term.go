package query

import (
	"math"
	"math/big"
	"net/http"
	"net/netip"
	"strconv"
	"strings"

	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/apierr"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/jsondoc"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/mapping"
)

// fieldQuery splits {"field": value} or {"field": {options}}.
func fieldQuery(name string, v *jsondoc.Value) (field string, body *jsondoc.Value, outer *jsondoc.Value, err error) {
	outer = jsondoc.Obj()
	for i, k := range v.Keys {
		if k == "_name" || k == "boost" && v.Items[i].Scalar() {
			outer.Set(k, v.Items[i])
			continue
		}
		if body != nil {
			return "", nil, nil, apierr.Parsing("[%s] query doesn't support multiple fields, found [%s] and [%s]", name, field, k)
		}
		field, body = k, v.Items[i]
	}
	if body == nil {
		return "", nil, nil, apierr.Illegal("field name is null or empty")
	}
	if body.Is(jsondoc.Array) {
		return "", nil, nil, apierr.Parsing("[%s] query does not support array of values", name)
	}
	return field, body, outer, nil
}

func parseTerm(e *Env, v *jsondoc.Value) (Node, error) {
	field, body, outer, err := fieldQuery("term", v)
	if err != nil {
		return nil, err
	}
	value, fold := body, false
	boost, err := options("term", outer, func(string, *jsondoc.Value) (bool, error) { return false, nil })
	if err != nil {
		return nil, err
	}
	if body.Is(jsondoc.Object) {
		value = nil
		boost, err = options("term", body, func(k string, x *jsondoc.Value) (bool, error) {
			switch k {
			case "value", "term":
				value = x
			case "case_insensitive":
				fold, _ = x.Truth()
			default:
				return false, nil
			}
			return true, nil
		})
		if err != nil {
			return nil, err
		}
	}
	if value.IsNull() {
		return nil, apierr.Illegal("value cannot be null")
	}
	n, err := e.term(field, value, boost, fold)
	return labelled(n, body, err)
}

// labelled gives a query the _name that stands among its field's options.
func labelled(n Node, body *jsondoc.Value, err error) (Node, error) {
	if err != nil {
		return nil, err
	}
	if label := body.Get("_name"); label.Is(jsondoc.StringKind) {
		return &Named{Query: n, Name: label.S}, nil
	}
	return n, nil
}

// term matches a field's exact value.
func (e *Env) term(field string, v *jsondoc.Value, boost float32, fold bool) (Node, error) {
	switch field {
	case "_id":
		return &IDs{Values: []string{v.Text()}, Boost: boost}, nil
	case "_index":
		return e.indexIs(v.Text(), boost), nil
	}
	f := e.Mapping.Field(field)
	if f == nil || f.Store == mapping.None {
		return None{}, nil
	}
	if fold && (f.Store == mapping.Terms || f.Store == mapping.Text) {
		want := strings.ToLower(v.Text())
		return e.at(f, &Pattern{Field: f.Path, FullText: f.Store == mapping.Text, Boost: boost, Accept: func(t []byte) bool { return strings.ToLower(string(t)) == want }}), nil
	}
	n, err := e.termOn(f, v.Text(), v, boost)
	if err != nil {
		return nil, err
	}
	return e.at(f, n), nil
}

// indexIs matches all documents when the index goes by a name.
func (e *Env) indexIs(name string, boost float32) Node {
	if mapping.Glob(name, e.Index) {
		return &All{Boost: boost}
	}
	for _, a := range e.Aliases {
		if mapping.Glob(name, a) {
			return &All{Boost: boost}
		}
	}
	return None{}
}

// at hides fields of nested objects from queries outside of them: those see
// no such values.
func (e *Env) at(f *mapping.Field, n Node) Node {
	if f.Nested == e.Nested {
		return n
	}
	return None{}
}

func (e *Env) termOn(f *mapping.Field, text string, v *jsondoc.Value, boost float32) (Node, error) {
	switch {
	case f.Store == mapping.Text:
		return &TextTerm{Field: f.Path, Term: []byte(text), Boost: boost}, nil
	case f.Type == "ip":
		return ipTerm(f, text, boost)
	case f.Store == mapping.Terms:
		if f.Lowercase {
			text = strings.ToLower(text)
		}
		return &TermSet{Field: f.Path, Terms: [][]byte{[]byte(text)}, Boost: boost}, nil
	case f.IsDate():
		r := dateRange{e: e, f: f}
		lo, err := r.bound(text, false)
		if err != nil {
			return nil, err
		}
		hi, err := r.bound(text, true)
		return &NumRange{Field: f.Path, Lo: lo, Hi: hi, Boost: boost}, err
	case f.Type == "boolean":
		switch text {
		case "true":
			return numEqual(f, 1, boost), nil
		case "false", "":
			return numEqual(f, 0, boost), nil
		}
		return nil, badValue(apierr.Illegal("Can't parse boolean value [%s], expected [true] or [false]", text))
	}
	if v.Is(jsondoc.Bool) {
		return nil, badNumber(text)
	}
	return numTerm(f, text, boost)
}

func numEqual(f *mapping.Field, n int64, boost float32) Node {
	return &NumRange{Field: f.Path, Lo: n, Hi: n, Boost: boost}
}

func numTerm(f *mapping.Field, text string, boost float32) (Node, error) {
	x, ok := number(text)
	if !ok {
		return nil, badNumber(text)
	}
	if f.Store == mapping.Reals {
		v, _ := x.Float64()
		v, e := f.Round(v)
		if e != nil {
			return None{}, nil //nolint:nilerr // beyond what the type holds: nothing matches
		}
		return &NumRange{Field: f.Path, Real: true, FLo: v, FHi: v, Boost: boost}, nil
	}
	if !x.IsInt() || !x.Num().IsInt64() {
		return None{}, nil
	}
	return numEqual(f, x.Num().Int64(), boost), nil
}

// number reads a decimal number exactly.
func number(s string) (*big.Rat, bool) {
	if len(s) > 400 || s == "" || strings.ContainsAny(s, "_/xXpPbo") {
		return nil, false
	}
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		if n, err := strconv.Atoi(s[i+1:]); err != nil || n > 400 || n < -400 {
			return nil, false
		}
	}
	return new(big.Rat).SetString(s)
}

func badNumber(text string) error {
	reason := "For input string: \"" + text + "\""
	if text == "" {
		reason = "empty String"
	}
	e := apierr.OnShard("query_shard_exception", "failed to create query: %s", reason)
	e.Cause = apierr.New(http.StatusBadRequest, "number_format_exception", "%s", reason)
	return e
}

// badValue is a value that a field's type does not have.
func badValue(cause *apierr.Error) error {
	e := apierr.OnShard("query_shard_exception", "failed to create query: %s", cause.Reason)
	e.Cause = cause
	return e
}

func ipTerm(f *mapping.Field, text string, boost float32) (Node, error) {
	if strings.Contains(text, "/") {
		p, err := netip.ParsePrefix(text)
		if err != nil {
			return nil, badValue(apierr.Illegal("'%s' is not an IP string literal.", text))
		}
		lo, hi := prefixSpan(p)
		return &TermRange{Field: f.Path, Lo: lo[:], Hi: hi[:], Boost: boost}, nil
	}
	a, err := netip.ParseAddr(text)
	if err != nil {
		return nil, badValue(apierr.Illegal("'%s' is not an IP string literal.", text))
	}
	b := a.As16()
	return &TermSet{Field: f.Path, Terms: [][]byte{b[:]}, Flat: true, Boost: boost}, nil
}

// prefixSpan returns the first and last address of a network.
func prefixSpan(p netip.Prefix) (lo, hi [16]byte) {
	bits := p.Bits()
	if p.Addr().Is4() {
		bits += 96
	}
	lo = p.Addr().As16()
	hi = lo
	for i := bits; i < 128; i++ {
		lo[i/8] &^= 1 << (7 - i%8)
		hi[i/8] |= 1 << (7 - i%8)
	}
	return lo, hi
}

func parseTerms(e *Env, v *jsondoc.Value) (Node, error) {
	var field string
	var list *jsondoc.Value
	boost, err := options("terms", v, func(k string, x *jsondoc.Value) (bool, error) {
		if list != nil {
			return false, apierr.Parsing("[terms] query does not support multiple fields")
		}
		if x.Is(jsondoc.Object) {
			return false, apierr.Unsupported("terms lookup is not supported by the embedded store")
		}
		if !x.Is(jsondoc.Array) {
			return false, apierr.Parsing("[terms] query does not support [%s]", k)
		}
		field, list = k, x
		return true, nil
	})
	if err != nil {
		return nil, err
	}
	if list == nil {
		return nil, apierr.Parsing("[terms] query requires a field name, followed by array of terms or a document lookup specification")
	}
	return e.terms(field, list.Items, boost)
}

func (e *Env) terms(field string, list []*jsondoc.Value, boost float32) (Node, error) {
	if len(list) == 0 {
		return None{}, nil
	}
	if len(list) > 65536 {
		return nil, apierr.OnShard("illegal_argument_exception", "failed to create query: The number of terms [%d] used in the Terms Query request has exceeded the allowed maximum of [65536].", len(list))
	}
	f := e.Mapping.Field(field)
	switch {
	case field == "_id":
		return &IDs{Values: (&jsondoc.Value{Kind: jsondoc.Array, Items: list}).Texts(), Boost: boost}, nil
	case f != nil && f.Store == mapping.Terms && f.Type != "ip":
		q := &TermSet{Field: f.Path, Flat: true, Boost: boost}
		for _, x := range list {
			t := x.Text()
			if f.Lowercase {
				t = strings.ToLower(t)
			}
			q.Terms = append(q.Terms, []byte(t))
		}
		return e.at(f, q), nil
	case f != nil && f.IsNumber() && len(list) > 4:
		return e.numSet(f, list, boost)
	}
	b := &Bool{MinShould: 1, Boost: 1}
	for _, x := range list {
		if x.IsNull() {
			return nil, apierr.Illegal("No value specified for terms query")
		}
		n, err := e.term(field, x, 1, false)
		if err != nil {
			return nil, err
		}
		b.Should = append(b.Should, n)
	}
	return &Constant{Query: b, Boost: boost}, nil
}

func (e *Env) numSet(f *mapping.Field, list []*jsondoc.Value, boost float32) (Node, error) {
	q := &NumSet{Field: f.Path, Real: f.Store == mapping.Reals, Ints: map[int64]bool{}, Reals: map[float64]bool{}, Boost: boost}
	for _, x := range list {
		n, err := numTerm(f, x.Text(), 1)
		if err != nil {
			return nil, err
		}
		if r, ok := n.(*NumRange); ok && q.Real {
			q.Reals[r.FLo] = true
		} else if ok {
			q.Ints[r.Lo] = true
		}
	}
	return e.at(f, q), nil
}

func parseExists(e *Env, v *jsondoc.Value) (Node, error) {
	field := ""
	boost, err := options("exists", v, func(k string, x *jsondoc.Value) (bool, error) {
		if k != "field" {
			return false, nil
		}
		field = x.Text()
		return true, nil
	})
	if err == nil && field == "" {
		err = apierr.Parsing("[exists] must be provided with a [field]")
	}
	if err != nil {
		return nil, err
	}
	return e.exists(field, boost), nil
}

func (e *Env) exists(field string, boost float32) Node {
	if field == "_id" || field == "_index" || field == "_source" || field == "_seq_no" {
		return &All{Boost: boost}
	}
	q := &Exists{Boost: boost}
	f := e.Mapping.Field(field)
	list := e.Mapping.Match(field)
	if f != nil && f.IsObject() {
		list = e.Mapping.Under(field)
	}
	for _, x := range list {
		if x.Store != mapping.None && x.Nested == e.Nested {
			q.Fields = append(q.Fields, x.Path)
		}
	}
	if len(q.Fields) == 0 {
		return None{}
	}
	return q
}

func parsePattern(e *Env, kind string, v *jsondoc.Value) (Node, error) {
	field, body, _, err := fieldQuery(kind, v)
	if err != nil {
		return nil, err
	}
	o := patternOptions{kind: kind, boost: 1, transpose: true, expansions: 50}
	if body.Scalar() {
		o.value, o.given = body.Text(), true
	} else if err = o.read(body); err != nil {
		return nil, err
	}
	if !o.given {
		return nil, apierr.Illegal("value cannot be null")
	}
	n, err := e.pattern(field, &o)
	return labelled(n, body, err)
}

type patternOptions struct {
	kind, value, fuzziness string
	given, fold            bool
	boost                  float32
	prefix, expansions     int
	transpose              bool
}

func (o *patternOptions) read(body *jsondoc.Value) error {
	boost, err := options(o.kind, body, func(k string, x *jsondoc.Value) (bool, error) {
		switch k {
		case "value", o.kind:
			o.value, o.given = x.Text(), x.Scalar()
		case "case_insensitive":
			o.fold, _ = x.Truth()
		case "rewrite", "flags", "max_determinized_states", "flags_value":
		case "fuzziness":
			o.fuzziness = x.Text()
		case "prefix_length":
			n, _ := x.Int64()
			o.prefix = int(min(max(n, 0), math.MaxInt32))
		case "max_expansions":
			n, _ := x.Int64()
			o.expansions = int(min(max(n, 1), 1<<20))
		case "transpositions":
			o.transpose, _ = x.Truth()
		default:
			return false, nil
		}
		return true, nil
	})
	o.boost = boost
	return err
}

func (e *Env) pattern(field string, o *patternOptions) (Node, error) {
	if field == "_index" {
		return e.indexIs(o.value+map[bool]string{true: "*"}[o.kind == "prefix"], o.boost), nil
	}
	f := e.Mapping.Field(field)
	if f == nil || f.Store == mapping.None {
		return None{}, nil
	}
	if f.Store != mapping.Terms && f.Store != mapping.Text || f.Type == "ip" {
		e := apierr.OnShard("query_shard_exception", "Can only use %s queries on keyword, text and wildcard fields - not on [%s] which is of type [%s]", o.kind, f.Path, f.Type)
		if o.kind == "fuzzy" {
			e = apierr.OnShard("illegal_argument_exception", "Can only use fuzzy queries on keyword and text fields - not on [%s] which is of type [%s]", f.Path, f.Type)
		}
		return nil, e
	}
	q, err := o.compile(f)
	if err != nil {
		return nil, err
	}
	return e.at(f, q), nil
}

func (o *patternOptions) compile(f *mapping.Field) (*Pattern, error) {
	q := &Pattern{Field: f.Path, FullText: f.Store == mapping.Text, Boost: o.boost}
	value := o.value
	if f.Lowercase {
		value = strings.ToLower(value)
	}
	switch o.kind {
	case "prefix":
		if o.fold {
			want := strings.ToLower(value)
			q.Accept = func(t []byte) bool { return strings.HasPrefix(strings.ToLower(string(t)), want) }
		} else {
			q.Prefix = []byte(value)
		}
	case "wildcard":
		// Full-text patterns are put through the analyzer's lower casing.
		if f.Store == mapping.Text && o.fold {
			value = strings.ToLower(value)
		}
		lit, accept := wildcard(value, o.fold)
		q.Prefix, q.Accept = []byte(lit), accept
	case "regexp":
		re, err := luceneRegexp(value, o.fold)
		if err != nil {
			return nil, err
		}
		q.Accept = re.Match
	case "fuzzy":
		n, ok := edits(o.fuzziness, value)
		if !ok {
			return nil, apierr.Illegal("Invalid fuzziness [%s]", o.fuzziness)
		}
		lit, accept := fuzzyAccept(value, n, o.prefix, o.transpose)
		q.Prefix, q.Accept, q.Limit = []byte(lit), accept, o.expansions
	}
	return q, nil
}
