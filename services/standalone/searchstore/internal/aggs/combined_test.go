package aggs_test

import (
	"strings"
	"testing"
)

// buckets is the answer of an aggregation a that has only buckets.
func buckets(list string) string { return `{"a":{"buckets":[` + list + `]}}` }

// TestCombined has what dashboards and Grafana's queries are made of, one in another.
func TestCombined(t *testing.T) {
	d := load(t)
	for _, c := range [...]struct{ name, body, want string }{
		{
			"percentiles in date_histogram in terms",
			`{"a":{"terms":{"field":"k","size":1},"aggs":{"h":{"date_histogram":{"field":"d","fixed_interval":"12h","min_doc_count":1},"aggs":{"p":{"percentiles":{"field":"n","percents":["50",100]}}}}}}}`,
			`{"a":{"doc_count_error_upper_bound":0,"sum_other_doc_count":2,"buckets":[{"key":"a","doc_count":2,"h":{"buckets":[` +
				`{"key_as_string":"2024-01-01T00:00:00.000Z","key":1704067200000,"doc_count":1,"p":{"values":{"50.0":1.0,"100.0":1.0}}},` +
				`{"key_as_string":"2024-01-01T12:00:00.000Z","key":1704110400000,"doc_count":1,"p":{"values":{"50.0":2.5,"100.0":3.0}}}]}}]}}`,
		},
		{
			"terms in range in filter with stats",
			`{"a":{"filter":{"exists":{"field":"k"}},"aggs":{"r":{"range":{"field":"n","keyed":true,"ranges":[{"to":2},{"key":"more","from":2}]},"aggs":{"k":{"terms":{"field":"k","size":2,"order":{"_key":"desc"}},"aggs":{"s":{"stats":{"field":"n"}}}}}}}}}`,
			`{"a":{"doc_count":3,"r":{"buckets":{"*-2.0":{"to":2.0,"doc_count":1,"k":{"doc_count_error_upper_bound":0,"sum_other_doc_count":0,"buckets":[{"key":"a","doc_count":1,"s":{"count":1,"min":1.0,"max":1.0,"avg":1.0,"sum":1.0}}]}},` +
				`"more":{"from":2.0,"doc_count":2,"k":{"doc_count_error_upper_bound":0,"sum_other_doc_count":1,"buckets":[{"key":"c","doc_count":1,"s":{"count":1,"min":4.0,"max":4.0,"avg":4.0,"sum":4.0}},{"key":"b","doc_count":1,"s":{"count":2,"min":2.0,"max":3.0,"avg":2.5,"sum":5.0}}]}}}}}}`,
		},
		{"cardinality with missing", `{"a":{"cardinality":{"field":"k","missing":"-"}}}`, `{"a":{"value":4}}`},
		{"cardinality with a missing that is there", `{"a":{"cardinality":{"field":"k","missing":"a"}}}`, `{"a":{"value":3}}`},
		{
			"parts of all terms", `{"a":{"terms":{"field":"k","include":{"partition":0,"num_partitions":2}}},"b":{"terms":{"field":"k","include":{"partition":1,"num_partitions":2}}}}`,
			`{"a":{"doc_count_error_upper_bound":0,"sum_other_doc_count":0,"buckets":[{"key":"a","doc_count":2},{"key":"c","doc_count":1}]},"b":{"doc_count_error_upper_bound":0,"sum_other_doc_count":0,"buckets":[{"key":"b","doc_count":1}]}}`,
		},
		{
			"range over dates", `{"a":{"range":{"field":"d","ranges":[{"from":1704110400000},{"to":"2024-01-01T12:00:00Z","key":"before"}]}}}`,
			buckets(`{"key":"before","to":1.7041104E12,"to_as_string":"2024-01-01T12:00:00.000Z","doc_count":1},{"key":"2024-01-01T12:00:00.000Z-*","from":1.7041104E12,"from_as_string":"2024-01-01T12:00:00.000Z","doc_count":2}`),
		},
		{
			"date_range keyed, in a zone, with missing", `{"a":{"date_range":{"field":"d","keyed":true,"missing":"2024-01-02 00:00","time_zone":"+08:00","format":"yyyy-MM-dd HH:mm","ranges":[{"to":"2024-01-01 09:00","key":"first"},{"from":"2024-01-01 09:00"}]}}}`,
			`{"a":{"buckets":{"first":{"to":1.7040708E12,"to_as_string":"2024-01-01 09:00","doc_count":1},"2024-01-01 09:00-*":{"from":1.7040708E12,"from_as_string":"2024-01-01 09:00","doc_count":3}}}}`,
		},
		{"cardinality with missing of no field", `{"a":{"cardinality":{"field":"none","missing":"x"}}}`, `{"a":{"value":1}}`},
		{"value_count with missing", `{"a":{"value_count":{"field":"k","missing":"-"}},"b":{"value_count":{"field":"n"}}}`, `{"a":{"value":5},"b":{"value":4}}`},
		{
			"cardinality in each interval",
			`{"a":{"date_histogram":{"field":"d","calendar_interval":"1d"},"aggs":{"c":{"cardinality":{"field":"k"}}}}}`,
			buckets(`{"key_as_string":"2024-01-01T00:00:00.000Z","key":1704067200000,"doc_count":2,"c":{"value":2}},{"key_as_string":"2024-01-02T00:00:00.000Z","key":1704153600000,"doc_count":0,"c":{"value":0}},{"key_as_string":"2024-01-03T00:00:00.000Z","key":1704240000000,"doc_count":1,"c":{"value":1}}`),
		},
		{
			"terms by a metric within a filter",
			`{"a":{"terms":{"field":"k","size":2,"order":{"f>m":"desc"}},"aggs":{"f":{"filter":{"range":{"n":{"gte":2}}},"aggs":{"m":{"max":{"field":"n"}}}}}}}`,
			`{"a":{"doc_count_error_upper_bound":0,"sum_other_doc_count":1,"buckets":[{"key":"c","doc_count":1,"f":{"doc_count":1,"m":{"value":4.0}}},{"key":"a","doc_count":2,"f":{"doc_count":1,"m":{"value":3.0}}}]}}`,
		},
		{
			"terms by a percentile, then key",
			`{"a":{"terms":{"field":"k","order":[{"p[50]":"asc"},{"_key":"desc"}]},"aggs":{"p":{"percentiles":{"field":"n","percents":[50]}}}}}`,
			`{"a":{"doc_count_error_upper_bound":0,"sum_other_doc_count":0,"buckets":[{"key":"a","doc_count":2,"p":{"values":{"50.0":2.0}}},{"key":"b","doc_count":1,"p":{"values":{"50.0":2.5}}},{"key":"c","doc_count":1,"p":{"values":{"50.0":4.0}}}]}}`,
		},
		{
			"filters with an other bucket", `{"a":{"filters":{"other_bucket_key":"rest","filters":{"a":{"term":{"k":"a"}},"big":{"range":{"n":{"gt":2}}}}},"aggs":{"s":{"sum":{"field":"n"}}}}}`,
			`{"a":{"buckets":{"a":{"doc_count":2,"s":{"value":6.0}},"big":{"doc_count":2,"s":{"value":9.0}},"rest":{"doc_count":1,"s":{"value":0.0}}}}}`,
		},
		{"filters as a list, named", `{"a":{"filters":{"keyed":false,"other_bucket":true,"filters":{"a":{"term":{"k":"a"}}}}}}`, buckets(`{"key":"a","doc_count":2},{"key":"_other_","doc_count":2}`)},
		{"filters without names", `{"a":{"filters":{"other_bucket":true,"filters":[{"term":{"k":"a"}},{"term":{"k":"zz"}}]}}}`, buckets(`{"doc_count":2},{"doc_count":0},{"doc_count":2}`)},
		{
			"range keyed with open ends and a name", `{"a":{"range":{"field":"f","keyed":true,"ranges":[{"from":0},{"key":"neg","to":0}]},"aggs":{"n":{"avg":{"field":"n"}}}}}`,
			`{"a":{"buckets":{"neg":{"to":0.0,"doc_count":1,"n":{"value":4.0}},"0.0-*":{"from":0.0,"doc_count":1,"n":{"value":1.0}}}}}`,
		},
		{"histogram keyed", `{"a":{"histogram":{"field":"n","interval":2,"keyed":true,"min_doc_count":1}}}`, `{"a":{"buckets":{"0.0":{"key":0.0,"doc_count":1},"2.0":{"key":2.0,"doc_count":1},"4.0":{"key":4.0,"doc_count":1}}}}`},
		{
			"histogram by a metric", `{"a":{"histogram":{"field":"n","interval":2,"min_doc_count":1,"order":{"m":"desc"}},"aggs":{"m":{"max":{"field":"n"}}}}}`,
			buckets(`{"key":4.0,"doc_count":1,"m":{"value":4.0}},{"key":2.0,"doc_count":1,"m":{"value":3.0}},{"key":0.0,"doc_count":1,"m":{"value":1.0}}`),
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := d.run(c.body)
			if err != nil || got != c.want {
				t.Errorf("%v\nwant %s\n got %s", err, c.want, got)
			}
		})
	}
}

// TestZones has intervals across changes of the clock. In Berlin it is put forward
// at 2024-03-31T01:00Z and back at 2024-10-27T01:00Z.
func TestZones(t *testing.T) {
	d := loadDocs(t, []string{`{"d":"2024-03-30T22:30:00Z"}`, `{"d":"2024-03-31T00:59:59Z"}`, `{"d":"2024-03-31T01:00:00Z"}`, `{"d":"2024-03-31T22:00:00Z"}`},
		[]string{`{"dn":"2024-10-26T22:30:00.000000001Z"}`, `{"dn":"2024-10-27T00:10:00Z"}`, `{"dn":"2024-10-27T01:10:00Z"}`, `{"dn":"2024-10-27T22:59:59.999999999Z"}`})
	for _, c := range [...]struct{ name, body, want string }{
		{
			"days of 23 hours", `{"field":"d","calendar_interval":"day","time_zone":"Europe/Berlin","format":"yyyy-MM-dd'T'HH:mmXXX"}`,
			`{"key_as_string":"2024-03-30T00:00+01:00","key":1711753200000,"doc_count":1},{"key_as_string":"2024-03-31T00:00+01:00","key":1711839600000,"doc_count":2},{"key_as_string":"2024-04-01T00:00+02:00","key":1711922400000,"doc_count":1}`,
		},
		{
			"days of 25 hours", `{"field":"dn","calendar_interval":"day","time_zone":"Europe/Berlin","format":"yyyy-MM-dd'T'HH:mmXXX"}`,
			`{"key_as_string":"2024-10-27T00:00+02:00","key":1729980000000,"doc_count":4}`,
		},
		{
			"the hour that comes twice", `{"field":"dn","calendar_interval":"hour","time_zone":"Europe/Berlin","min_doc_count":1,"format":"HH:mmXXX"}`,
			`{"key_as_string":"00:00+02:00","key":1729980000000,"doc_count":1},{"key_as_string":"02:00+02:00","key":1729987200000,"doc_count":1},{"key_as_string":"02:00+01:00","key":1729990800000,"doc_count":1},{"key_as_string":"23:00+01:00","key":1730066400000,"doc_count":1}`,
		},
		{
			"a start that the clock never showed", `{"field":"d","fixed_interval":"320m","time_zone":"Europe/Berlin","min_doc_count":1,"format":"dd HH:mmXXX"}`,
			`{"key_as_string":"30 21:20+01:00","key":1711830000000,"doc_count":2},{"key_as_string":"31 03:00+02:00","key":1711846800000,"doc_count":1},{"key_as_string":"01 00:00+02:00","key":1711922400000,"doc_count":1}`,
		},
		{
			"bounds are dates of the zone", `{"field":"d","calendar_interval":"day","time_zone":"Europe/Berlin","format":"yyyy-MM-dd","extended_bounds":{"min":"2024-03-29","max":"2024-04-02"}}`,
			`{"key_as_string":"2024-03-29","key":1711666800000,"doc_count":0},{"key_as_string":"2024-03-30","key":1711753200000,"doc_count":1},{"key_as_string":"2024-03-31","key":1711839600000,"doc_count":2},{"key_as_string":"2024-04-01","key":1711922400000,"doc_count":1},{"key_as_string":"2024-04-02","key":1712008800000,"doc_count":0}`,
		},
		{
			"bounds of nanoseconds", `{"field":"dn","fixed_interval":"12h","format":"epoch_millis","extended_bounds":{"min":"1729944000000","max":1730073600000}}`,
			`{"key_as_string":"1729944000000","key":1729944000000,"doc_count":1},{"key_as_string":"1729987200000","key":1729987200000,"doc_count":2},{"key_as_string":"1730030400000","key":1730030400000,"doc_count":1},{"key_as_string":"1730073600000","key":1730073600000,"doc_count":0}`,
		},
		{
			"hard bounds of the zone", `{"field":"d","calendar_interval":"day","time_zone":"Europe/Berlin","format":"yyyy-MM-dd","hard_bounds":{"min":"2024-03-31","max":"2024-04-01"}}`,
			`{"key_as_string":"2024-03-31","key":1711839600000,"doc_count":2}`,
		},
		{
			"weeks begin on Monday", `{"field":"d","calendar_interval":"1w","time_zone":"Asia/Shanghai","format":"yyyy-MM-dd"}`,
			`{"key_as_string":"2024-03-25","key":1711296000000,"doc_count":3},{"key_as_string":"2024-04-01","key":1711900800000,"doc_count":1}`,
		},
		{
			"quarters, with an offset", `{"field":"d","calendar_interval":"quarter","offset":"-1h","format":"yyyy-MM-dd'T'HH"}`,
			`{"key_as_string":"2023-12-31T23","key":1704063600000,"doc_count":4}`,
		},
		{
			"months and years", `{"field":"d","calendar_interval":"month","time_zone":"Pacific/Auckland","format":"yyyy-MM"}`,
			`{"key_as_string":"2024-03","key":1709204400000,"doc_count":3},{"key_as_string":"2024-04","key":1711882800000,"doc_count":1}`,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := d.run(`{"a":{"date_histogram":` + c.body + `}}`)
			if err != nil || got != buckets(c.want) {
				t.Errorf("%v\nwant %s\n got %s", err, buckets(c.want), got)
			}
		})
	}
}

// TestEmptyBounds has the bounds of a chart over an index that has no such documents.
func TestEmptyBounds(t *testing.T) {
	d := loadDocs(t, []string{`{"k":"a"}`})
	want := buckets(`{"key_as_string":"2024-01-01T00:00:00.000Z","key":1704067200000,"doc_count":0},{"key_as_string":"2024-01-02T00:00:00.000Z","key":1704153600000,"doc_count":0}`)
	for _, field := range [...]string{"d", "unknown"} {
		for _, b := range [...]string{`{"min":"2024-01-01","max":"2024-01-02"}`, `{"min":1704067200000,"max":1704153600000}`} {
			got, err := d.run(`{"a":{"date_histogram":{"field":"` + field + `","fixed_interval":"1d","extended_bounds":` + b + `}}}`)
			if err != nil || got != want {
				t.Errorf("%s %s: %v\nwant %s\n got %s", field, b, err, want, got)
			}
		}
	}
}

// TestBucketLimit has requests that are small and want a great many buckets.
func TestBucketLimit(t *testing.T) {
	docs := make([]string, 0, 20)
	for i := range 20 {
		docs = append(docs, `{"k":"`+string(rune('a'+i))+`","n":1,"d":"2024-01-01T00:00:00Z"}`)
	}
	d := loadDocs(t, docs)
	hist := `"aggs":{"h":{"date_histogram":{"field":"d","fixed_interval":"1s","extended_bounds":{"min":1704067200000,"max":1704072199000}},"aggs":{"m":{"max":{"field":"n"}}}}}`
	for _, c := range [...]struct {
		name, body string
		fits       bool
	}{
		{"ten times 5,000", `{"a":{"terms":{"field":"k","size":10},` + hist + `}}`, true},
		{"twenty times 5,000", `{"a":{"terms":{"field":"k","size":20},` + hist + `}}`, false},
		{"ten of twenty, chosen by what is in them", `{"a":{"terms":{"field":"k","size":10,"order":{"s":"desc"}},` + strings.Replace(hist, `"aggs":{`, `"aggs":{"s":{"sum":{"field":"n"}},`, 1) + `}}`, true},
	} {
		got, err := d.run(c.body)
		if c.fits != (err == nil) || err != nil && !strings.Contains(err.Error(), "too many buckets") {
			t.Errorf("%s: fits %v, got %.100s, %v", c.name, c.fits, got, err)
		}
	}
}

// TestScripts has the arithmetic over the figures of a bucket that dashboards write.
func TestScripts(t *testing.T) {
	d := load(t)
	run := func(more string) string {
		return `{"a":{"date_histogram":{"field":"d","fixed_interval":"1d"},"aggs":{` + more + `"s":{"sum":{"field":"n"}},"f":{"max":{"field":"f"}}}}}`
	}
	for _, c := range [...]struct{ script, first, last string }{
		{"params.s / params.c", "3.0", "4.0"}, {"params.s+params.c*2-1", "9.0", "5.0"}, {"(params.s + params.c) * -2", "-16.0", "-10.0"}, {"return params.s % 4;", "2.0", "0.0"},
		{"params.c == 0 ? 0 : params.s / params.c", "3.0", "4.0"}, {"params.s > 5 && params.c >= 2 || !(params.f < 0)", "1.0", "0.0"}, {"params.s / (params.c - params.c)", "null", "null"},
		{"Math.round(params.f) + Math.max(params.s, 5.5) + Math.pow(2, 3)", "15.0", "10.5"}, {"s / c", "3.0", "4.0"}, {"1e3 * params.c", "2000.0", "1000.0"}, {"params.s > 5 ? 1 : params.s > 3 ? 2 : 3", "1.0", "2.0"},
	} {
		got, err := d.run(run(`"x":{"bucket_script":{"buckets_path":{"s":"s","c":"_count","f":"f"},"script":{"source":"` + c.script + `"}}},`))
		want := `{"a":{"buckets":[{"key_as_string":"2024-01-01T00:00:00.000Z","key":1704067200000,"doc_count":2,"s":{"value":6.0},"f":{"value":0.5},"x":{"value":` + c.first + `}},` +
			`{"key_as_string":"2024-01-02T00:00:00.000Z","key":1704153600000,"doc_count":0,"s":{"value":0.0},"f":{"value":null}},` +
			`{"key_as_string":"2024-01-03T00:00:00.000Z","key":1704240000000,"doc_count":1,"s":{"value":4.0},"f":{"value":-3.0},"x":{"value":` + c.last + `}}]}}`
		if err != nil || got != want {
			t.Errorf("%s: %v\nwant %s\n got %s", c.script, err, want, got)
		}
	}
	for _, c := range [...]struct{ name, more, want string }{
		{"select", `"x":{"bucket_selector":{"buckets_path":{"s":"s"},"script":"params.s > 4"}},`, `[{"key_as_string":"2024-01-01T00:00:00.000Z","key":1704067200000,"doc_count":2,"s":{"value":6.0},"f":{"value":0.5}}]`},
		{"zeros in gaps", `"y":{"bucket_selector":{"buckets_path":{"x":"x"},"script":"params.x == 1","gap_policy":"insert_zeros"}},"x":{"bucket_script":{"buckets_path":{"f":"f"},"script":"params.f + 1","gap_policy":"insert_zeros"}},`,
			`[]`},
		{"of another that stands behind", `"d":{"derivative":{"buckets_path":"x"}},"x":{"bucket_script":{"buckets_path":"s","script":"params._value * 10"}},`,
			`[{"key_as_string":"2024-01-01T00:00:00.000Z","key":1704067200000,"doc_count":2,"s":{"value":6.0},"f":{"value":0.5},"x":{"value":60.0}},{"key_as_string":"2024-01-02T00:00:00.000Z","key":1704153600000,"doc_count":0,"s":{"value":0.0},"f":{"value":null}},{"key_as_string":"2024-01-03T00:00:00.000Z","key":1704240000000,"doc_count":1,"s":{"value":4.0},"f":{"value":-3.0},"x":{"value":40.0},"d":{"value":-20.0}}]`},
	} {
		if got, err := d.run(run(c.more)); err != nil || got != `{"a":{"buckets":`+c.want+`}}` {
			t.Errorf("%s: %v\nwant %s\n got %s", c.name, err, c.want, got)
		}
	}
	for _, bad := range [...]string{"", "params.zz", "params.s +", "(params.s", "params.s; System.exit(1)", "doc['n'].value", "Math.floor(1, 2)", "Math.nope(1)", "params.s ? 1", "new Date()", strings.Repeat("(", 3000)} {
		if got, err := d.run(run(`"x":{"bucket_script":{"buckets_path":{"s":"s"},"script":"` + bad + `"}},`)); err == nil {
			t.Errorf("%s: want an error, got %s", bad, got)
		}
	}
	if got, err := d.run(run(`"x":{"derivative":{"buckets_path":"y"}},"y":{"derivative":{"buckets_path":"x"}},`)); err == nil {
		t.Errorf("a cycle: want an error, got %s", got)
	}
}

// TestExact has whole numbers beyond what a float64 tells apart, such as ids that a
// clock and a counter make.
func TestExact(t *testing.T) {
	d := loadDocs(t, []string{`{"n":9007199254740993}`, `{"n":9007199254740992}`, `{"n":-9007199254740993}`, `{"n":9223372036854775807}`}, []string{`{"n":9007199254740993}`, `{"n":9223372036854775806}`, `{"f":1.5}`})
	for _, c := range [...]struct{ name, body, want string }{
		{
			"terms", `{"terms":{"field":"n","order":{"_key":"asc"},"missing":7}}`,
			`{"doc_count_error_upper_bound":0,"sum_other_doc_count":0,"buckets":[{"key":-9007199254740993,"doc_count":1},{"key":7,"doc_count":1},{"key":9007199254740992,"doc_count":1},{"key":9007199254740993,"doc_count":2},{"key":9223372036854775806,"doc_count":1},{"key":9223372036854775807,"doc_count":1}]}`,
		},
		{"include", `{"terms":{"field":"n","include":[9007199254740993]}}`, `{"doc_count_error_upper_bound":0,"sum_other_doc_count":0,"buckets":[{"key":9007199254740993,"doc_count":2}]}`},
		{"cardinality", `{"cardinality":{"field":"n"}}`, `{"value":5}`},
		{
			"composite goes on behind one", `{"composite":{"size":2,"sources":[{"n":{"terms":{"field":"n"}}}],"after":{"n":9007199254740992}}}`,
			`{"after_key":{"n":9223372036854775806},"buckets":[{"key":{"n":9007199254740993},"doc_count":2},{"key":{"n":9223372036854775806},"doc_count":1}]}`,
		},
		{
			"multi_terms", `{"multi_terms":{"size":1,"order":{"_key":"desc"},"terms":[{"field":"n"},{"field":"f","missing":0}]}}`,
			`{"doc_count_error_upper_bound":0,"sum_other_doc_count":5,"buckets":[{"key":[9223372036854775807,0.0],"key_as_string":"9223372036854775807|0.0","doc_count":1}]}`,
		},
	} {
		if got, err := d.run(`{"a":` + c.body + `}`); err != nil || got != `{"a":`+c.want+`}` {
			t.Errorf("%s: %v\nwant {\"a\":%s}\n got %s", c.name, err, c.want, got)
		}
	}
}

func TestTypedKeys(t *testing.T) {
	got, err := load(t).answer(`{"h":{"histogram":{"field":"n","interval":10},"aggs":{"f":{"filter":{"term":{"k":"a"}},"aggs":{"k":{"terms":{"field":"k","size":1},"aggs":{"p":{"percentiles":{"field":"n","percents":[50]}}}},"n":{"terms":{"field":"n","size":1}}}}}},"u":{"terms":{"field":"none"}},"d":{"terms":{"field":"f","size":1}},"m":{"max_bucket":{"buckets_path":"h>_count"}}}`, true)
	want := `{"histogram#h":{"buckets":[{"key":0.0,"doc_count":3,"filter#f":{"doc_count":2,"sterms#k":{"doc_count_error_upper_bound":0,"sum_other_doc_count":1,"buckets":[{"key":"a","doc_count":2,"tdigest_percentiles#p":{"values":{"50.0":2.0}}}]},"lterms#n":{"doc_count_error_upper_bound":0,"sum_other_doc_count":2,"buckets":[{"key":1,"doc_count":1}]}}}]},` +
		`"umterms#u":{"doc_count_error_upper_bound":0,"sum_other_doc_count":0,"buckets":[]},"dterms#d":{"doc_count_error_upper_bound":0,"sum_other_doc_count":1,"buckets":[{"key":-3.0,"doc_count":1}]},"bucket_metric_value#m":{"value":3.0,"keys":["0.0"]}}`
	if err != nil || got != want {
		t.Errorf("%v\nwant %s\n got %s", err, want, got)
	}
}

// TestRefused has requests that Elasticsearch refuses, with a part of why.
func TestRefused(t *testing.T) {
	d := load(t)
	for _, c := range [...]struct{ body, why string }{
		{`{"a":{"terms":{"field":"k","order":{"s":"desc"}},"aggs":{"s":{"stats":{"field":"n"}}}}}`, "multi-value metric"},
		{`{"a":{"terms":{"field":"k","order":{"f>g":"desc"}},"aggs":{"f":{"filter":{"match_all":{}}}}}}`, "Cannot find aggregation named [g]"},
		{`{"a":{"terms":{"field":"k","order":{"t>g":"desc"}},"aggs":{"t":{"terms":{"field":"n"},"aggs":{"g":{"max":{"field":"n"}}}}}}}`, "single-bucket"},
		{`{"a":{"histogram":{"field":"n","interval":1,"order":{"x":"desc"}}}}`, "Cannot find aggregation named [x]"},
		{`{"a":{"date_histogram":{"field":"d","fixed_interval":"1m","extended_bounds":{"min":5,"max":1}}}}`, "[extended_bounds.min][5] cannot be greater than [extended_bounds.max][1]"},
		{`{"a":{"percentiles":{"field":"n","percents":[]}}}`, "must not be empty"},
		{`{"a":{"percentiles":{"field":"n","percents":[101]}}}`, "[0,100]"},
		{`{"a[0]":{"max":{"field":"n"}}}`, "Invalid aggregation name"},
		{`{"a":{"terms":{"field":"k","include":{"partition":2,"num_partitions":2}}}}`, "num_partitions"},
		{`{"a":{"date_histogram":{"field":"d","fixed_interval":"1d","time_zone":"Mars/Phobos"}}}`, "time zone"},
	} {
		if got, err := d.run(c.body); err == nil || !strings.Contains(err.Error(), c.why) {
			t.Errorf("%s: want an error with %q, got %v %.200s", c.body, c.why, err, got)
		}
	}
}
