package query_test

import (
	"hash/maphash"
	"testing"
	"time"

	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/jsondoc"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/mapping"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/query"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/segment"
)

func env(tb testing.TB) *query.Env {
	tb.Helper()
	def, err := jsondoc.Parse([]byte(`{"properties":{"k":{"type":"keyword"},"n":{"type":"long"},"f":{"type":"float"},"d":{"type":"date"},"t":{"type":"text"},"b":{"type":"boolean"},"ip":{"type":"ip"},"o":{"type":"nested","properties":{"a":{"type":"keyword"}}}}}`))
	if err != nil {
		tb.Fatal(err)
	}
	m, err := mapping.New().Merge(def)
	if err != nil {
		tb.Fatal(err)
	}
	return &query.Env{Mapping: m, Index: "i", Now: time.Unix(1_700_000_000, 0)}
}

func small(tb testing.TB, m *mapping.Mapping) *segment.Segment {
	tb.Helper()
	b := segment.NewBuilder(maphash.MakeSeed())
	var p mapping.Parser
	for _, src := range [...]string{
		`{"k":"a","n":1,"f":1.5,"d":"2024-01-01","t":"one two three","b":true,"ip":"10.0.0.1","o":[{"a":"x"}]}`,
		`{"k":["b","c"],"n":[2,5],"t":["two","three"],"o":[]}`, `{}`,
	} {
		if _, err := p.Parse(m, "1", []byte(src)); err != nil {
			tb.Fatal(err)
		}
		b.Add("1", 1, 0, []byte(src), p.Rows)
	}
	return b.Seal()
}

func eval(tb testing.TB, n query.Node, s *segment.Segment) int {
	tb.Helper()
	m, err := n.Eval(&query.Scope{Seg: s, Root: s, Stats: &query.Stats{Segs: []*segment.Segment{s}}, Scoring: true})
	if err != nil {
		tb.Fatal(err)
	}
	return m.Bits.Count()
}

func TestQueryStringOperators(t *testing.T) {
	e := env(t)
	s := small(t, e.Mapping)
	for _, c := range [...]struct {
		text string
		want int
	}{
		{"k:a", 1}, {"k:a OR k:b", 2}, {"k:a AND k:b", 0}, {"NOT k:a", 2}, {"-k:a", 2}, {"t:two -k:a", 1}, {"t:(one OR three)", 2}, {"t:\"two three\"", 1}, {"t:\"three two\"~2", 1},
		{"n:[2 TO 4]", 1}, {"n:{1 TO 5}", 1}, {"n:>1", 1}, {"d:[2024-01-01 TO now]", 0}, {"d:2024-01-01", 1}, {"ip:10.0.0.0\\/8", 1}, {"_exists_:k", 2}, {"k:*", 2}, {"*", 3}, {"t:thre?", 2}, {"t:/t.*/", 2}, {"t:twoo~1", 2}, {"o.a:x", 0}, {"", 0},
	} {
		v := jsondoc.Obj("query_string", jsondoc.Obj("query", c.text))
		n, err := e.Parse(v)
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		if got := eval(t, n, s); got != c.want {
			t.Errorf("%s: want %d documents, got %d", c.text, c.want, got)
		}
	}
}

func TestQueryStringErrors(t *testing.T) {
	for _, text := range [...]string{"(a", "a)", "a AND", "AND a", "n:[1 TO", "\"open", "n:", "/open", "a\\", "n:[1 2]", "()"} {
		if _, err := env(t).Parse(jsondoc.Obj("query_string", jsondoc.Obj("query", text))); err == nil {
			t.Errorf("%s: want an error", text)
		}
		if _, err := env(t).Parse(jsondoc.Obj("simple_query_string", jsondoc.Obj("query", text))); err != nil {
			t.Errorf("%s: the simple syntax knows no errors, got %v", text, err)
		}
	}
}

func FuzzDSL(f *testing.F) {
	for _, s := range [...]string{
		`{"match_all":{}}`, `{"bool":{"must":[{"term":{"k":"a"}}],"should":{"match":{"t":{"query":"one two","minimum_should_match":"2<75%"}}},"minimum_should_match":-1}}`,
		`{"range":{"d":{"gte":"now-1d/d","lt":"2024-01-01||+1M","time_zone":"+08:00","format":"yyyy-MM-dd||epoch_millis"}}}`, `{"nested":{"path":"o","query":{"term":{"o.a":"x"}}}}`,
		`{"function_score":{"functions":[{"field_value_factor":{"field":"n","modifier":"log1p"}},{"random_score":{}}]}}`, `{"multi_match":{"query":"one","fields":["t^2","k*"],"type":"cross_fields"}}`,
		`{"regexp":{"k":"(a|b)[^c]{1,3}"}}`, `{"fuzzy":{"k":{"value":"abc","fuzziness":"AUTO:1,2"}}}`, `{"terms":{"n":[1,2.5,"3",null,1e400]}}`, `{"match_phrase_prefix":{"t":"two th"}}`, `{"dis_max":{"queries":[{"ids":{"values":[1]}}]}}`,
	} {
		f.Add(s)
	}
	e := env(f)
	seg := small(f, e.Mapping)
	f.Fuzz(func(t *testing.T, s string) {
		v, err := jsondoc.Parse([]byte(s))
		if err != nil {
			return
		}
		n, err := env(t).Parse(v)
		if err == nil {
			eval(t, n, seg)
		}
	})
}

func FuzzQueryString(f *testing.F) {
	for _, s := range [...]string{"a AND (b OR -c)", `k:"a b"~2^3 +n:[1 TO 5} !d:>=now-1d`, "t:/re.*/ _exists_:k a~1 b* ?c", `\(\) f:<1e5`, "((((", "a || b && c", "｀全角：中文"} {
		f.Add(s)
	}
	e := env(f)
	seg := small(f, e.Mapping)
	f.Fuzz(func(t *testing.T, s string) {
		for _, kind := range [...]string{"query_string", "simple_query_string"} {
			if n, err := env(t).Parse(jsondoc.Obj(kind, jsondoc.Obj("query", s))); err == nil {
				eval(t, n, seg)
			}
		}
	})
}
