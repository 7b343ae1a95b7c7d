package query

import (
	"net/http"
	"strings"

	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/apierr"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/jsondoc"
)

// maxDepth is how deep queries may be nested.
const maxDepth = 30

// parser returns the function that reads a query.
func parser(name string) func(e *Env, v *jsondoc.Value) (Node, error) {
	switch name {
	case "match_all":
		return parseMatchAll
	case "match_none":
		return func(*Env, *jsondoc.Value) (Node, error) { return None{}, nil }
	case "term":
		return parseTerm
	case "terms":
		return parseTerms
	case "range":
		return parseRange
	case "exists":
		return parseExists
	case "ids":
		return parseIDs
	case "bool":
		return parseBool
	case "constant_score":
		return parseConstant
	case "dis_max":
		return parseDisMax
	case "boosting":
		return parseBoosting
	case "nested":
		return parseNested
	case "function_score":
		return parseFunction
	case "prefix", "wildcard", "regexp", "fuzzy":
		return func(e *Env, v *jsondoc.Value) (Node, error) { return parsePattern(e, name, v) }
	case "match", "match_phrase", "match_phrase_prefix", "match_bool_prefix":
		return func(e *Env, v *jsondoc.Value) (Node, error) { return parseMatch(e, name, v) }
	case "multi_match":
		return parseMultiMatch
	case "query_string":
		return parseQueryString
	case "simple_query_string":
		return parseSimpleQueryString
	case "wrapper", "script", "script_score", "more_like_this", "percolate", "geo_distance", "geo_bounding_box", "geo_shape", "geo_polygon", "has_child",
		"has_parent", "parent_id", "intervals", "span_term", "span_near", "span_or", "span_not", "span_first", "span_multi", "distance_feature", "rank_feature",
		"pinned", "knn", "semantic", "text_expansion", "terms_set", "combined_fields", "shape", "sparse_vector", "rule", "weighted_tokens":
		return func(*Env, *jsondoc.Value) (Node, error) {
			return nil, apierr.Unsupported("the query [%s] is not supported by the embedded store", name)
		}
	}
	return nil
}

// Parse compiles a query. nil or an empty object matches everything.
func (e *Env) Parse(v *jsondoc.Value) (Node, error) {
	if v == nil {
		return &All{Boost: 1}, nil
	}
	if !v.Is(jsondoc.Object) {
		return nil, apierr.Parsing("[_na] query malformed, must start with start_object")
	}
	if len(v.Keys) == 0 {
		return nil, apierr.Illegal("query malformed, empty clause found at [1:1]")
	}
	e.depth++
	defer func() { e.depth-- }()
	if e.depth > maxDepth {
		return nil, apierr.Illegal("The nested depth of the query exceeds the maximum nested depth for queries set in [indices.query.bool.max_nested_depth] of [%d]", maxDepth)
	}
	name, body := v.Keys[0], v.Items[0]
	p := parser(name)
	if p == nil {
		err := apierr.Parsing("unknown query [%s]", name)
		err.Cause = apierr.New(http.StatusBadRequest, "named_object_not_found_exception", "[1:1] unknown field [%s]", name)
		return nil, err
	}
	if !body.Is(jsondoc.Object) {
		return nil, apierr.Parsing("[%s] query malformed, no start_object after query name", name)
	}
	if len(v.Keys) > 1 {
		return nil, apierr.Parsing("[%s] malformed query, expected [END_OBJECT] but found [FIELD_NAME]", name)
	}
	n, err := p(e, body)
	if err != nil {
		return nil, err
	}
	if label := body.Get("_name"); label.Is(jsondoc.StringKind) {
		return &Named{Query: n, Name: label.S}, nil
	}
	return n, nil
}

// options reads the members of a query; boost and _name are common to all.
func options(name string, v *jsondoc.Value, take func(k string, x *jsondoc.Value) (bool, error)) (boost float32, err error) {
	boost = 1
	for i, k := range v.Keys {
		x := v.Items[i]
		switch k {
		case "_name":
			continue
		case "boost":
			f, ok := x.Float64()
			if !ok {
				return 1, apierr.Parsing("[%s] failed to parse field [boost]", name)
			}
			boost = float32(f)
			continue
		}
		ok, err := take(k, x)
		if err != nil {
			return 1, err
		}
		if !ok {
			return 1, apierr.Parsing("[%s] query does not support [%s]", name, k)
		}
	}
	return boost, nil
}

func parseMatchAll(_ *Env, v *jsondoc.Value) (Node, error) {
	boost, err := options("match_all", v, func(k string, _ *jsondoc.Value) (bool, error) {
		return false, apierr.XContent("[1:1] [match_all] unknown field [%s]", k)
	})
	return &All{Boost: boost}, err
}

func parseIDs(_ *Env, v *jsondoc.Value) (Node, error) {
	q := &IDs{}
	boost, err := options("ids", v, func(k string, x *jsondoc.Value) (bool, error) {
		switch k {
		case "values":
			q.Values = x.Texts()
			return true, nil
		case "type":
			return true, nil
		}
		return false, apierr.XContent("[1:1] [ids] unknown field [%s]", k)
	})
	q.Boost = boost
	return q, err
}

func parseBool(e *Env, v *jsondoc.Value) (Node, error) {
	q := &Bool{}
	msm := ""
	boost, err := options("bool", v, func(k string, x *jsondoc.Value) (bool, error) {
		switch k {
		case "must":
			return true, e.list(x, &q.Must)
		case "filter":
			return true, e.list(x, &q.Filter)
		case "should":
			return true, e.list(x, &q.Should)
		case "must_not", "mustNot":
			return true, e.list(x, &q.MustNot)
		case "minimum_should_match":
			msm = x.Text()
			return true, nil
		case "adjust_pure_negative":
			return true, nil
		}
		return false, apierr.XContent("[1:1] [bool] unknown field [%s]", k)
	})
	if err != nil {
		return nil, err
	}
	q.Boost = boost
	if len(q.Must)+len(q.Filter)+len(q.Should)+len(q.MustNot) == 0 {
		return &All{Boost: boost}, nil
	}
	switch {
	case msm != "":
		if q.MinShould, err = minimum(msm, len(q.Should)); err != nil {
			return nil, err
		}
		if q.MinShould == 0 && len(q.Must)+len(q.Filter) == 0 && len(q.Should) > 0 {
			q.MinShould = 1
		}
		if q.MinShould > len(q.Should) {
			return None{}, nil
		}
	case len(q.Must)+len(q.Filter) == 0 && len(q.Should) > 0:
		q.MinShould = 1
	}
	return q, nil
}

func (e *Env) list(v *jsondoc.Value, out *[]Node) error {
	if v.IsNull() {
		return nil
	}
	for _, x := range v.List() {
		n, err := e.Parse(x)
		if err != nil {
			return err
		}
		*out = append(*out, n)
	}
	return nil
}

// minimum reads minimum_should_match for a number of clauses.
func minimum(s string, n int) (int, error) {
	s = strings.TrimSpace(s)
	if strings.Contains(s, "<") {
		result := n
		for part := range strings.FieldsSeq(s) {
			bound, rest, ok := strings.Cut(part, "<")
			b, isNum := atoi(bound)
			if !ok || !isNum {
				return 0, badMinimum(s)
			}
			if n <= b {
				return result, nil
			}
			m, err := minimum(rest, n)
			if err != nil {
				return 0, err
			}
			result = m
		}
		return result, nil
	}
	num, percent := strings.CutSuffix(s, "%")
	neg := strings.HasPrefix(num, "-")
	x, ok := atoi(strings.TrimPrefix(num, "-"))
	if !ok {
		return 0, badMinimum(s)
	}
	if percent {
		x = n * x / 100
	}
	if neg {
		x = n - x
	}
	if percent || neg {
		x = min(x, n)
	}
	return max(x, 0), nil
}

func badMinimum(s string) error {
	e := apierr.OnShard("query_shard_exception", "failed to create query: For input string: \"%s\"", s)
	e.Cause = apierr.New(http.StatusBadRequest, "number_format_exception", "For input string: \"%s\"", s)
	return e
}

func parseConstant(e *Env, v *jsondoc.Value) (Node, error) {
	q := &Constant{}
	boost, err := options("constant_score", v, func(k string, x *jsondoc.Value) (bool, error) {
		if k != "filter" {
			return false, nil
		}
		if !x.Is(jsondoc.Object) {
			return false, apierr.Parsing("unexpected token [START_ARRAY]")
		}
		var err error
		q.Query, err = e.Parse(x)
		return true, err
	})
	if err == nil && q.Query == nil {
		err = apierr.Parsing("[constant_score] requires a 'filter' element")
	}
	q.Boost = boost
	return q, err
}

func parseDisMax(e *Env, v *jsondoc.Value) (Node, error) {
	q := &DisMax{}
	boost, err := options("dis_max", v, func(k string, x *jsondoc.Value) (bool, error) {
		switch k {
		case "queries":
			return true, e.list(x, &q.Queries)
		case "tie_breaker":
			f, _ := x.Float64()
			q.Tie = float32(f)
			return true, nil
		}
		return false, nil
	})
	q.Boost = boost
	if err == nil && len(q.Queries) == 0 {
		err = apierr.Parsing("[dis_max] requires 'queries' field with at least one clause")
	}
	return q, err
}

func parseBoosting(e *Env, v *jsondoc.Value) (Node, error) {
	q := &Boosting{Factor: -1}
	boost, err := options("boosting", v, func(k string, x *jsondoc.Value) (bool, error) {
		var err error
		switch k {
		case "positive":
			q.Positive, err = e.Parse(x)
		case "negative":
			q.Negative, err = e.Parse(x)
		case "negative_boost":
			f, _ := x.Float64()
			q.Factor = float32(f)
		default:
			return false, nil
		}
		return true, err
	})
	q.Boost = boost
	switch {
	case err != nil:
	case q.Positive == nil:
		err = apierr.Parsing("[boosting] query requires 'positive' query to be set'")
	case q.Negative == nil:
		err = apierr.Parsing("[boosting] query requires 'negative' query to be set'")
	case q.Factor < 0:
		err = apierr.Parsing("[boosting] query requires 'negative_boost' to be set to be a positive value'")
	}
	return q, err
}

func parseNested(e *Env, v *jsondoc.Value) (Node, error) {
	q := &Nested{Mode: "avg", Above: e.Nested}
	var inner *jsondoc.Value
	ignore := false
	boost, err := options("nested", v, func(k string, x *jsondoc.Value) (bool, error) {
		switch k {
		case "path":
			q.Path = x.Text()
		case "query":
			inner = x
		case "score_mode":
			q.Mode = x.Text()
		case "ignore_unmapped":
			ignore, _ = x.Truth()
		case "inner_hits":
			q.Inner = x
		default:
			return false, nil
		}
		return true, nil
	})
	if err != nil {
		return nil, err
	}
	if q.Path == "" || inner == nil {
		return nil, apierr.Parsing("[nested] requires 'path' and 'query' fields")
	}
	if q.Mode == "avg" || q.Mode == "sum" || q.Mode == "min" || q.Mode == "max" || q.Mode == "none" {
		q.Boost = boost
	} else {
		return nil, apierr.Illegal("No score mode for child query [%s] found", q.Mode)
	}
	f := e.Mapping.Field(q.Path)
	if f == nil || f.Type != "nested" {
		if ignore {
			return None{}, nil
		}
		if f == nil {
			return nil, shardError("[nested] failed to find nested object under path [%s]", q.Path)
		}
		return nil, shardError("[nested] nested object under path [%s] is not of nested type", q.Path)
	}
	sub := *e
	sub.Nested = q.Path
	if q.Query, err = sub.Parse(inner); err != nil {
		return nil, err
	}
	return liftNested(q, f.Nested, e.Nested), nil
}

// liftNested wraps a nested query in those of the nested objects between it
// and the place that it is used at.
func liftNested(q *Nested, above, want string) Node {
	if above == want || above == "" {
		return q
	}
	return &Nested{Path: above, Above: want, Query: q, Mode: q.Mode, Boost: 1}
}

// shardError is a query that does not fit an index.
func shardError(format string, args ...any) *apierr.Error {
	e := apierr.OnShard("query_shard_exception", "failed to create query: "+format, args...)
	e.Cause = apierr.New(http.StatusBadRequest, "illegal_state_exception", format, args...)
	return e
}

func parseFunction(e *Env, v *jsondoc.Value) (Node, error) {
	q := &Function{Query: &All{Boost: 1}, ScoreMode: "multiply", BoostMode: "multiply", MaxBoost: 3.4e38}
	single := jsondoc.Obj()
	boost, err := options("function_score", v, func(k string, x *jsondoc.Value) (bool, error) {
		var err error
		switch k {
		case "query":
			q.Query, err = e.Parse(x)
		case "functions":
			for _, f := range x.List() {
				s, ferr := e.scoreFunction(f)
				if ferr != nil {
					return true, ferr
				}
				q.Functions = append(q.Functions, s)
			}
		case "score_mode":
			q.ScoreMode = x.Text()
		case "boost_mode":
			q.BoostMode = x.Text()
		case "max_boost":
			f, _ := x.Float64()
			q.MaxBoost = float32(f)
		case "min_score":
			f, _ := x.Float64()
			ms := float32(f)
			q.MinScore = &ms
		default:
			single.Set(k, x)
		}
		return true, err
	})
	if err != nil {
		return nil, err
	}
	q.Boost = boost
	if len(single.Keys) > 0 {
		s, err := e.scoreFunction(single)
		if err != nil {
			return nil, err
		}
		q.Functions = append(q.Functions, s)
	}
	return q, nil
}

func (e *Env) scoreFunction(v *jsondoc.Value) (Score, error) {
	s := Score{Weight: 1, Factor: 1}
	for i, k := range v.Keys {
		x := v.Items[i]
		switch k {
		case "filter":
			n, err := e.Parse(x)
			if err != nil {
				return s, err
			}
			s.Filter = n
		case "weight":
			f, _ := x.Float64()
			s.Weight = float32(f)
		case "random_score":
			s.Random = true
			n, _ := x.Get("seed").Int64()
			s.Seed = uint64(n)
		case "field_value_factor":
			s.Field = x.Get("field").Text()
			if f := e.Mapping.Field(s.Field); f != nil {
				s.Field = f.Path
			}
			if f, ok := x.Get("factor").Float64(); ok {
				s.Factor = float32(f)
			}
			s.Modifier = strings.ToLower(x.Get("modifier").Text())
			if f, ok := x.Get("missing").Float64(); ok {
				s.Missing = &f
			}
		case "script_score", "gauss", "linear", "exp":
			return s, apierr.Unsupported("the score function [%s] is not supported by the embedded store", k)
		default:
			return s, apierr.Parsing("unknown function [%s] in function_score", k)
		}
	}
	return s, nil
}
