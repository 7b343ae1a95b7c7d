package aggs_test

import (
	"hash/maphash"
	"testing"
	"time"

	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/aggs"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/jsondoc"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/mapping"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/query"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/segment"
)

type data struct {
	env  *query.Env
	segs []*segment.Segment
}

// load builds two segments, so that states grow over more than one.
func load(tb testing.TB) data {
	tb.Helper()
	return loadDocs(tb,
		[]string{`{"k":"a","n":1,"f":0.5,"d":"2024-01-01T00:00:00Z","b":true,"ip":"10.0.0.1","o":[{"a":"x","x":1},{"a":"y","x":2}]}`, `{"k":["a","b"],"n":[2,3],"d":"2024-01-01T13:00:00Z","t":"x"}`},
		[]string{`{"k":"c","n":4,"f":-3,"d":"2024-01-03T00:00:00Z","b":false,"o":[{"a":"x","x":10}]}`, `{}`})
}

// loadDocs builds a segment of each list of documents.
func loadDocs(tb testing.TB, parts ...[]string) data {
	tb.Helper()
	def, err := jsondoc.Parse([]byte(`{"properties":{"k":{"type":"keyword"},"n":{"type":"long"},"f":{"type":"double"},"d":{"type":"date"},"dn":{"type":"date_nanos"},"t":{"type":"text"},"b":{"type":"boolean"},"ip":{"type":"ip"},"o":{"type":"nested","properties":{"a":{"type":"keyword"},"x":{"type":"long"}}}}}`))
	if err != nil {
		tb.Fatal(err)
	}
	m, err := mapping.New().Merge(def)
	if err != nil {
		tb.Fatal(err)
	}
	out := data{env: &query.Env{Mapping: m, Index: "i", Now: time.Unix(1_700_000_000, 0)}}
	var p mapping.Parser
	for _, docs := range parts {
		b := segment.NewBuilder(maphash.MakeSeed())
		for _, src := range docs {
			if _, err := p.Parse(m, "1", []byte(src)); err != nil {
				tb.Fatal(err)
			}
			b.Add("1", 1, 0, []byte(src), p.Rows)
		}
		out.segs = append(out.segs, b.Seal())
	}
	return out
}

func (d data) run(body string) (string, error) { return d.answer(body, false) }

func (d data) answer(body string, withTypes bool) (string, error) {
	v, err := jsondoc.Parse([]byte(body))
	if err != nil {
		return "", err
	}
	plan, err := aggs.Parse(v)
	if err != nil {
		return "", err
	}
	top := aggs.TopHits{Make: func([]uint32, string) any { return nil }, Render: func([]any, *jsondoc.Value) (*jsondoc.Value, error) { return jsondoc.Obj(), nil }}
	for _, s := range d.segs {
		if err := plan.Collect(d.env, &query.Stats{Segs: d.segs}, s, segment.AllBits(s.N), nil, top); err != nil {
			return "", err
		}
	}
	out, err := plan.Result(withTypes)
	if err != nil {
		return "", err
	}
	return string(out.Encode()), nil
}

func TestAggregations(t *testing.T) {
	d := load(t)
	for _, c := range [...]struct{ name, body, want string }{
		{"terms", `{"a":{"terms":{"field":"k"}}}`, `{"a":{"doc_count_error_upper_bound":0,"sum_other_doc_count":0,"buckets":[{"key":"a","doc_count":2},{"key":"b","doc_count":1},{"key":"c","doc_count":1}]}}`},
		{"missing value", `{"a":{"terms":{"field":"k","missing":"-","size":1,"order":{"_key":"asc"}}}}`, `{"a":{"doc_count_error_upper_bound":0,"sum_other_doc_count":4,"buckets":[{"key":"-","doc_count":1}]}}`},
		{"metric in bucket", `{"a":{"terms":{"field":"k","size":1},"aggs":{"s":{"sum":{"field":"n"}}}}}`, `{"a":{"doc_count_error_upper_bound":0,"sum_other_doc_count":2,"buckets":[{"key":"a","doc_count":2,"s":{"value":6.0}}]}}`},
		{"gaps", `{"a":{"date_histogram":{"field":"d","calendar_interval":"day","format":"dd"}}}`, `{"a":{"buckets":[{"key_as_string":"01","key":1704067200000,"doc_count":2},{"key_as_string":"02","key":1704153600000,"doc_count":0},{"key_as_string":"03","key":1704240000000,"doc_count":1}]}}`},
		{"numbers", `{"a":{"histogram":{"field":"f","interval":2,"min_doc_count":1}}}`, `{"a":{"buckets":[{"key":-4.0,"doc_count":1},{"key":0.0,"doc_count":1}]}}`},
		{"nested and back", `{"a":{"nested":{"path":"o"},"aggs":{"x":{"filter":{"term":{"o.a":"x"}},"aggs":{"m":{"max":{"field":"o.x"}},"r":{"reverse_nested":{}}}}}}}`, `{"a":{"doc_count":3,"x":{"doc_count":2,"m":{"value":10.0},"r":{"doc_count":2}}}}`},
		{"empty metrics", `{"a":{"avg":{"field":"none"}},"b":{"max":{"field":"none"}},"c":{"sum":{"field":"none"}}}`, `{"a":{"value":null},"b":{"value":null},"c":{"value":0.0}}`},
		{"percentiles", `{"a":{"percentiles":{"field":"n","percents":[0,50,100]}}}`, `{"a":{"values":{"0.0":1.0,"50.0":2.5,"100.0":4.0}}}`},
		{"pipelines", `{"a":{"date_histogram":{"field":"d","fixed_interval":"1d","min_doc_count":1},"aggs":{"s":{"sum":{"field":"n"}},"c":{"cumulative_sum":{"buckets_path":"s"}}}},"m":{"max_bucket":{"buckets_path":"a>s"}}}`,
			`{"a":{"buckets":[{"key_as_string":"2024-01-01T00:00:00.000Z","key":1704067200000,"doc_count":2,"s":{"value":6.0},"c":{"value":6.0}},{"key_as_string":"2024-01-03T00:00:00.000Z","key":1704240000000,"doc_count":1,"s":{"value":4.0},"c":{"value":10.0}}]},"m":{"value":6.0,"keys":["2024-01-01T00:00:00.000Z"]}}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := d.run(c.body)
			if err != nil || got != c.want {
				t.Errorf("%v\nwant %s\n got %s", err, c.want, got)
			}
		})
	}
	for _, bad := range [...]string{`{"a":{}}`, `{"a":{"nope":{}}}`, `{"a":{"terms":{"field":"t"}}}`, `{"a":{"avg":{"field":"k"}}}`, `{"a":{"histogram":{"field":"n","interval":0}}}`, `{"a":{"terms":{"field":"k","order":{"x":"asc"}}}}`,
		`{"a":{"date_histogram":{"field":"d","fixed_interval":"1ms"}}}`, `{"a":{"max":{"field":"n"},"aggs":{"b":{"max":{"field":"n"}}}}}`} {
		if got, err := d.run(bad); err == nil {
			t.Errorf("%s: want an error, got %s", bad, got)
		}
	}
}

func FuzzAggregations(f *testing.F) {
	for _, s := range [...]string{
		`{"a":{"terms":{"field":"k","include":"a.*","order":[{"m.avg":"desc"},{"_key":"asc"}]},"aggs":{"m":{"extended_stats":{"field":"n"}}}}}`,
		`{"a":{"date_histogram":{"field":"d","fixed_interval":"12h","offset":"-1h","time_zone":"Europe/Berlin","extended_bounds":{"min":"2023-12-31","max":"2024-01-05"}}}}`,
		`{"a":{"composite":{"sources":[{"k":{"terms":{"field":"k"}}},{"h":{"histogram":{"field":"n","interval":2}}}],"after":{"k":"a","h":0}}}}`,
		`{"a":{"auto_date_histogram":{"field":"d","buckets":3}}}`, `{"a":{"ip_range":{"field":"ip","ranges":[{"mask":"10.0.0.0/8"},{"to":"::1"}]}}}`, `{"a":{"multi_terms":{"terms":[{"field":"k"},{"field":"b"}]}}}`,
		`{"a":{"filters":{"other_bucket":true,"filters":{"x":{"exists":{"field":"k"}}}}},"g":{"global":{}},"w":{"weighted_avg":{"value":{"field":"n"},"weight":{"field":"f"}}}}`,
		`{"a":{"date_histogram":{"field":"d","fixed_interval":"1d"},"aggs":{"s":{"sum":{"field":"n"}},"x":{"bucket_script":{"buckets_path":{"s":"s"},"script":"params.s > 1 ? Math.pow(params.s, -2) : !0 && 1e9 % 3"}}}}}`,
	} {
		f.Add(s)
	}
	d := load(f)
	f.Fuzz(func(_ *testing.T, s string) { _, _ = d.run(s) })
}
