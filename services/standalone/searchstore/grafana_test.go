package searchstore_test

import (
	"net/http"
	"strings"
	"testing"
)

// TestGrafana sends what Grafana's Elasticsearch data source sends for a dashboard:
// several targets in one _msearch, each with a filter on time, a query string, and
// aggregations named by numbers. Filter paths leave of the answer what charts read.
func TestGrafana(t *testing.T) {
	s := open(t, t.TempDir())
	h := s.Handler()
	must(t, h, http.MethodPut, "/mission", missionMapping)
	var bulk []byte
	for i := range 6 { // two an hour, from 2021-08-01T00:00
		bulk = missionDoc(bulk, i*1_800_000, false)
	}
	must(t, h, http.MethodPost, "/mission/_bulk", string(bulk))
	const head = `{"ignore_unavailable":true,"index":"mission","search_type":"query_then_fetch"}` + "\n"
	const query = `"query":{"bool":{"filter":[{"range":{"createTime":{"format":"epoch_millis","gte":1627776000000,"lte":1627786799999}}},{"query_string":{"analyze_wildcard":true,"query":"num:>0"}}]}}`
	const hours = `{"date_histogram":{"extended_bounds":{"max":1627786799999,"min":1627776000000},"field":"createTime","fixed_interval":"3600000ms","format":"epoch_millis","min_doc_count":0}`
	for _, c := range [...]struct{ name, body, path, want string }{
		{
			"volume, and the greatest of a field", `{"aggs":{"2":` + hours + `}},` + query + `,"size":0}` + "\n" + head + `{"aggs":{"2":` + hours + `,"aggs":{"1":{"max":{"field":"num"}},"3":{"derivative":{"buckets_path":"1"}}}}},` + query + `,"size":0}`,
			"responses.aggregations.2.buckets",
			`{"responses":[{"aggregations":{"2":{"buckets":[{"key_as_string":"1627776000000","key":1627776000000,"doc_count":2},{"key_as_string":"1627779600000","key":1627779600000,"doc_count":2},{"key_as_string":"1627783200000","key":1627783200000,"doc_count":2}]}}},` +
				`{"aggregations":{"2":{"buckets":[{"key_as_string":"1627776000000","key":1627776000000,"doc_count":2,"1":{"value":4249000.0}},{"key_as_string":"1627779600000","key":1627779600000,"doc_count":2,"1":{"value":7849000.0},"3":{"value":3600000.0}},{"key_as_string":"1627783200000","key":1627783200000,"doc_count":2,"1":{"value":1.1449E7},"3":{"value":3600000.0}}]}}}]}`,
		},
		{
			"percentiles of each source, the fullest first", `{"aggs":{"3":{"terms":{"field":"id","min_doc_count":1,"order":{"1[95.0]":"desc"},"size":1},"aggs":{"1":{"percentiles":{"field":"num","percents":["25","95"]}},"2":` + hours + `,"aggs":{"1":{"percentiles":{"field":"num","percents":["25","95"]}}}}}}},` + query + `,"size":0}`,
			"responses.aggregations.3.buckets.2.buckets.1,responses.aggregations.3.buckets.doc_count",
			`{"responses":[{"aggregations":{"3":{"buckets":[{"doc_count":1,"2":{"buckets":[{"1":{"values":{"25.0":null,"95.0":null}}},{"1":{"values":{"25.0":null,"95.0":null}}},{"1":{"values":{"25.0":1.1449E7,"95.0":1.1449E7}}}]}}]}}}]}`,
		},
		{
			"filters over time", `{"aggs":{"4":{"filters":{"filters":{"odd":{"query_string":{"analyze_wildcard":true,"query":"num:[4249000 TO 4249000]"}},"all":{"query_string":{"analyze_wildcard":true,"query":"*"}}}},"aggs":{"2":` + hours + `}}}},` + query + `,"size":0}`,
			"responses.aggregations.4.buckets.*.doc_count",
			`{"responses":[{"aggregations":{"4":{"buckets":{"odd":{"doc_count":1},"all":{"doc_count":6}}}}}]}`,
		},
		{
			"logs with marks", query + `,"size":1,"sort":[{"createTime":{"order":"desc","unmapped_type":"boolean"}},{"_doc":{"order":"desc"}}],"docvalue_fields":["createTime"],"script_fields":{},"highlight":{"fields":{"*":{}},"fragment_size":2147483647,"pre_tags":["@HIGHLIGHT@"],"post_tags":["@/HIGHLIGHT@"]}}`,
			"responses.hits.total.value,responses.hits.hits.fields",
			`{"responses":[{"hits":{"total":{"value":6},"hits":[{"fields":{"createTime":["2021-08-01T02:30:00.000Z"]}}]}}]}`,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			body := head + c.body + "\n"
			if !strings.HasPrefix(c.body, "{") {
				body = head + "{" + c.body + "\n"
			}
			if got := must(t, h, http.MethodPost, "/_msearch?max_concurrent_shard_requests=5&filter_path="+c.path, body); strings.TrimSpace(got) != c.want {
				t.Errorf("want %s\n got %s", c.want, got)
			}
		})
	}
}
