package contract

import "net/http"

const (
	get  = http.MethodGet
	put  = http.MethodPut
	post = http.MethodPost
	del  = http.MethodDelete
)

func documents() []Case {
	return []Case{
		{"document life", []Step{
			{Method: put, Path: "/t_a/_doc/1", Body: `{"a":1,"b":{"c":"x"}}`, Status: 201, Want: map[string]string{"result": `"created"`, "_version": "1", "_seq_no": "0"}},
			{Method: put, Path: "/t_a/_doc/1", Body: `{"a":2}`, Want: map[string]string{"result": `"updated"`, "_version": "2", "_seq_no": "1"}},
			{Method: get, Path: "/t_a/_doc/1", Want: map[string]string{"found": "true", "_source": `{"a":2}`, "_version": "2"}},
			{Method: del, Path: "/t_a/_doc/1", Want: map[string]string{"result": `"deleted"`, "_version": "3"}},
			{Method: get, Path: "/t_a/_doc/1", Status: 404, Want: map[string]string{"found": "false"}},
			{Method: del, Path: "/t_a/_doc/1", Status: 404, Want: map[string]string{"result": `"not_found"`}},
			{Method: put, Path: "/t_a/_doc/1", Body: `{"a":3}`, Status: 201, Want: map[string]string{"_version": "5"}},
		}},
		{"source as it came in", []Step{
			{Method: put, Path: "/t_a/_doc/1", Body: `{ "z" : 1.50, "y" : 2.5, "a" : "ü\n" }`, Status: 201},
			{Method: get, Path: "/t_a/_source/1", Want: map[string]string{"z": "1.50", "a": `"ü\n"`}},
			{Method: get, Path: "/t_a/_doc/1?_source_includes=y", Want: map[string]string{"_source": `{"y":2.5}`}},
		}},
		{"create refuses what is there", []Step{
			{Method: put, Path: "/t_a/_create/1", Body: `{}`, Status: 201},
			{Method: put, Path: "/t_a/_create/1", Body: `{}`, Status: 409, Want: map[string]string{"error.type": `"version_conflict_engine_exception"`}},
		}},
		{"conditions", []Step{
			{Method: put, Path: "/t_a/_doc/1", Body: `{"n":1}`, Status: 201},
			{Method: put, Path: "/t_a/_doc/1?if_seq_no=7&if_primary_term=1", Body: `{"n":2}`, Status: 409},
			{Method: put, Path: "/t_a/_doc/1?if_seq_no=0&if_primary_term=1", Body: `{"n":2}`},
			{Method: put, Path: "/t_a/_doc/2?version=10&version_type=external", Body: `{"n":1}`, Status: 201, Want: map[string]string{"_version": "10"}},
			{Method: put, Path: "/t_a/_doc/2?version=9&version_type=external", Body: `{"n":0}`, Status: 409},
		}},
		{"update", []Step{
			{Method: post, Path: "/t_a/_update/1", Body: `{"doc":{"n":1},"doc_as_upsert":true}`, Status: 201, Want: map[string]string{"result": `"created"`}},
			{Method: post, Path: "/t_a/_update/1", Body: `{"doc":{"o":{"x":1}}}`, Want: map[string]string{"result": `"updated"`}},
			{Method: post, Path: "/t_a/_update/1", Body: `{"doc":{"o":{"x":1}}}`, Want: map[string]string{"result": `"noop"`}},
			{Method: post, Path: "/t_a/_update/1", Body: `{"doc":{"o":{"y":2}}}`},
			{Method: get, Path: "/t_a/_source/1", Want: map[string]string{"o.x": "1", "o.y": "2", "n": "1"}},
			{Method: post, Path: "/t_a/_update/nope", Body: `{"doc":{}}`, Status: 404, Want: map[string]string{"error.type": `"document_missing_exception"`}},
			{Method: post, Path: "/t_a/_update/9", Body: `{"upsert":{"a":1}}`, Status: 400},
			{Method: post, Path: "/t_a/_update/9", Body: `{"doc":{"a":2},"upsert":{"a":1}}`, Status: 201},
		}},
		{"mapping conflict", []Step{
			{Method: put, Path: "/t_a", Body: `{"mappings":{"properties":{"n":{"type":"long"},"d":{"type":"date"}}}}`},
			{Method: put, Path: "/t_a/_doc/1", Body: `{"n":"many"}`, Status: 400, Want: map[string]string{"error.type": `"document_parsing_exception"`}},
			{Method: put, Path: "/t_a/_doc/1", Body: `{"d":"tomorrow"}`, Status: 400, Want: map[string]string{"error.type": `"document_parsing_exception"`}},
			{Method: put, Path: "/t_a/_doc/1", Body: `{"n":"12","d":1630318972888}`, Status: 201},
			{Method: put, Path: "/t_a/_doc/2", Body: `{"new":{"deep":1},"n":{"no":1}}`, Status: 400},
			{Method: get, Path: "/t_a/_mapping", Want: map[string]string{"t_a.mappings.properties.new": "absent", "t_a.mappings.properties.n.type": `"long"`}},
		}},
		{"several at once", []Step{
			{Method: put, Path: "/t_a/_doc/1", Body: `{"n":1}`, Status: 201},
			{Method: post, Path: "/t_a/_mget", Body: `{"ids":["1","2"]}`, Want: map[string]string{"docs.0.found": "true", "docs.1.found": "false"}},
		}},
	}
}

func bulks() []Case {
	return []Case{
		{"bulk actions", []Step{
			{Method: post, Path: "/_bulk?refresh=true", Body: "{\"index\":{\"_index\":\"t_a\",\"_id\":\"1\"}}\n{\"n\":1}\n{\"create\":{\"_index\":\"t_a\",\"_id\":\"1\"}}\n{\"n\":2}\n" +
				"{\"update\":{\"_index\":\"t_a\",\"_id\":\"1\"}}\n{\"doc\":{\"m\":5}}\n{\"delete\":{\"_index\":\"t_a\",\"_id\":\"9\"}}\n{\"index\":{\"_index\":\"t_b\"}}\n{\"n\":3}\n",
				Want: map[string]string{"errors": "true", "items.0.index.status": "201", "items.1.create.status": "409", "items.2.update.result": `"updated"`, "items.3.delete.status": "404", "items.4.index._index": `"t_b"`}},
			{Method: get, Path: "/t_a/_source/1", Want: map[string]string{"n": "1", "m": "5"}},
		}},
		{"one bad document costs no other", []Step{
			{Method: put, Path: "/t_a", Body: `{"mappings":{"properties":{"n":{"type":"long"}}}}`},
			{Method: post, Path: "/t_a/_bulk?refresh=true", Body: "{\"index\":{\"_id\":\"1\"}}\n{\"n\":1}\n{\"index\":{\"_id\":\"2\"}}\n{\"n\":\"x\"}\n{\"index\":{\"_id\":\"3\"}}\n{\"n\":\n{\"index\":{\"_id\":\"4\"}}\n{\"n\":4}\n",
				Want: map[string]string{"errors": "true", "items.0.index.status": "201", "items.1.index.error.type": `"document_parsing_exception"`, "items.2.index.status": "400", "items.3.index.status": "201"}},
			{Method: get, Path: "/t_a/_count", Want: map[string]string{"count": "2"}},
		}},
		{"same id in one bulk", []Step{
			{Method: post, Path: "/t_a/_bulk?refresh=true", Body: "{\"index\":{\"_id\":\"1\"}}\n{\"n\":1}\n{\"delete\":{\"_id\":\"1\"}}\n{\"index\":{\"_id\":\"1\"}}\n{\"n\":2}\n{\"index\":{\"_id\":\"1\"}}\n{\"n\":3}\n",
				Want: map[string]string{"items.1.delete.result": `"deleted"`, "items.2.index.result": `"created"`, "items.3.index._version": "4"}},
			search(`{"query":{"match_all":{}}}`, "1"),
			{Method: get, Path: "/t_a/_source/1", Want: map[string]string{"n": "3"}},
		}},
		{"malformed bulk", []Step{
			{Method: post, Path: "/t_a/_bulk", Body: "{\"index\":{}}\n{\"n\":1}", Status: 400},
			{Method: post, Path: "/t_a/_bulk", Body: "{\"upsert\":{}}\n{\"n\":1}\n", Status: 400},
			{Method: post, Path: "/_bulk", Body: "{\"index\":{}}\n{\"n\":1}\n", Status: 400},
		}},
	}
}

// fill is the data that the searches run on.
func fill() []Step {
	return []Step{
		{Method: put, Path: "/t_a", Body: `{"mappings":{"properties":{"k":{"type":"keyword"},"n":{"type":"long"},"f":{"type":"double"},"d":{"type":"date"},"t":{"type":"text"},"b":{"type":"boolean"},"ip":{"type":"ip"},
"o":{"type":"nested","properties":{"a":{"type":"keyword"},"b":{"type":"integer"}}}}}}`},
		{Method: post, Path: "/t_a/_bulk?refresh=true", Body: `{"index":{"_id":"1"}}
{"k":"alpha","n":1,"f":0.5,"d":"2024-01-01T00:00:00Z","t":"The quick brown fox","b":true,"ip":"10.0.0.1","o":[{"a":"x","b":1},{"a":"y","b":2}]}
{"index":{"_id":"2"}}
{"k":"beta","n":2,"f":1.5,"d":"2024-01-02T12:00:00Z","t":"quick silver lining, quick!","b":false,"ip":"10.0.0.200"}
{"index":{"_id":"3"}}
{"k":["beta","gamma"],"n":[3,30],"f":-2,"d":"2024-02-01","t":"lazy dog","ip":"2001:db8::1","o":[{"a":"x","b":2}]}
{"index":{"_id":"4"}}
{"k":"Delta/one","n":4,"t":"连接 refused by peer","d":1704153600000}
{"index":{"_id":"5"}}
{"n":null,"k":[],"t":"brown dog quick"}
`, Want: map[string]string{"errors": "false"}},
	}
}

func on(name string, steps ...Step) Case { return Case{name, append(fill(), steps...)} }

func queries() []Case {
	return []Case{
		on("term level",
			q(`{"match_all":{}}`, "1 2 3 4 5"), q(`{"match_none":{}}`, "none"), q(`{"term":{"k":"beta"}}`, "2 3"), q(`{"terms":{"k":["alpha","gamma"]}}`, "1 3"),
			q(`{"term":{"n":30}}`, "3"), q(`{"term":{"b":true}}`, "1"), q(`{"term":{"ip":"10.0.0.0/24"}}`, "1 2"), q(`{"term":{"nope":1}}`, "none"),
			q(`{"exists":{"field":"k"}}`, "1 2 3 4"), q(`{"ids":{"values":["5","1","x"]}}`, "1 5"), q(`{"prefix":{"k":"Del"}}`, "4"), q(`{"wildcard":{"k":"?eta"}}`, "2 3"),
			q(`{"wildcard":{"k":{"value":"delta*","case_insensitive":true}}}`, "4"), q(`{"regexp":{"k":"(al|ga).*"}}`, "1 3"), q(`{"fuzzy":{"k":"alpah"}}`, "1")),
		on("ranges",
			q(`{"range":{"n":{"gte":2,"lt":4}}}`, "2 3"), q(`{"range":{"n":{"gt":2.5}}}`, "3 4"), q(`{"range":{"f":{"lt":0}}}`, "3"), q(`{"range":{"k":{"gte":"b","lt":"c"}}}`, "2 3"),
			q(`{"range":{"d":{"gte":"2024-01-02","lte":"2024-01-02"}}}`, "2 4"), q(`{"range":{"d":{"gt":"2024-01-02"}}}`, "3"), q(`{"range":{"d":{"gte":"2024-01-31||+1d/d"}}}`, "3"),
			q(`{"range":{"d":{"lt":"01/01/2025","format":"dd/MM/yyyy"}}}`, "1 2 3 4"), q(`{"range":{"d":{"lt":"2024-01-01T08:30:00","time_zone":"+08:00"}}}`, "1"),
			q(`{"range":{"d":{"lte":"now"}}}`, "1 2 3 4"), q(`{"range":{"ip":{"gte":"10.0.0.100"}}}`, "2 3")),
		on("full text",
			q(`{"match":{"t":"quick dog"}}`, "1 2 3 5"), q(`{"match":{"t":{"query":"quick dog","operator":"and"}}}`, "5"), q(`{"match":{"t":{"query":"lazi","fuzziness":1}}}`, "3"),
			q(`{"match_phrase":{"t":"brown fox"}}`, "1"), q(`{"match_phrase":{"t":"fox brown"}}`, "none"), q(`{"match_phrase":{"t":{"query":"quick fox","slop":1}}}`, "1"),
			q(`{"match_phrase_prefix":{"t":"silver lin"}}`, "2"), q(`{"match":{"t":"连"}}`, "4"), q(`{"multi_match":{"query":"beta","fields":["t","k"]}}`, "2 3"),
			q(`{"match":{"t":{"query":"quick brown dog","minimum_should_match":2}}}`, "1 5")),
		on("compound",
			q(`{"bool":{"must":{"match":{"t":"quick"}},"must_not":{"term":{"b":true}}}}`, "2 5"), q(`{"bool":{"should":[{"term":{"k":"alpha"}},{"term":{"k":"gamma"}}]}}`, "1 3"),
			q(`{"bool":{"filter":{"exists":{"field":"f"}},"should":{"term":{"k":"alpha"}}}}`, "1 2 3"), q(`{"constant_score":{"filter":{"term":{"n":1}}}}`, "1"),
			q(`{"dis_max":{"queries":[{"term":{"n":1}},{"term":{"n":2}}]}}`, "1 2"), q(`{"nested":{"path":"o","query":{"bool":{"must":[{"term":{"o.a":"x"}},{"term":{"o.b":2}}]}}}}`, "3"),
			q(`{"term":{"o.a":"x"}}`, "none")),
		on("query strings",
			uri(`k:beta`, "2 3"), uri(`quick AND NOT fox`, "2 5"), uri(`t:(brown OR silver)`, "1 2 5"), uri(`n:[2 TO 3]`, "2 3"), uri(`n:{2 TO *]`, "3 4"), uri(`n:>=4`, "3 4"),
			uri(`"brown fox"`, "1"), uri(`k:al*`, "1"), uri(`_exists_:f`, "1 2 3"), uri(`k:Delta\/one`, "4"), uri(`+quick -brown`, "2"), uri(`lazi~1`, "3"), uri(`*`, "1 2 3 4 5"),
			q(`{"simple_query_string":{"query":"quick + -fox | lazy","fields":["t"]}}`, "2 3 5")),
		on("errors",
			Step{Method: post, Path: "/t_a/_search", Body: `{"query":{"nope":{}}}`, Status: 400, Want: map[string]string{"error.type": `"parsing_exception"`}},
			Step{Method: post, Path: "/t_a/_search", Body: `{"query":{"term":{"n":"x"}}}`, Status: 400, Want: map[string]string{"error.type": `"search_phase_execution_exception"`, "error.root_cause.0.type": `"query_shard_exception"`}},
			Step{Method: post, Path: "/t_a/_search", Body: `{"query":`, Status: 400},
			Step{Method: get, Path: "/t_none/_search", Status: 404, Want: map[string]string{"error.type": `"index_not_found_exception"`}},
			Step{Method: get, Path: "/t_a/_search?size=10001", Status: 400}),
	}
}

func searches() []Case {
	sorted := func(body, ids string) Step {
		s := search(body, ids)
		s.Ordered = true
		return s
	}
	return []Case{
		on("sorting and paging",
			sorted(`{"sort":[{"n":"desc"}]}`, "3 4 2 1 5"), sorted(`{"sort":[{"n":{"order":"asc","missing":"_first"}}]}`, "5 1 2 3 4"), sorted(`{"sort":["k",{"n":"asc"}]}`, "4 1 2 3 5"),
			sorted(`{"sort":[{"d":"asc"},{"n":"asc"}],"from":1,"size":2}`, "4 2"), sorted(`{"sort":[{"n":"asc"}],"search_after":[2],"size":2}`, "3 4"),
			sorted(`{"query":{"match":{"t":"quick"}},"size":1}`, "2")),
		on("parts of documents",
			Step{Method: post, Path: "/t_a/_search", Body: `{"query":{"ids":{"values":["2"]}},"_source":["k","n"],"fields":["d",{"field":"d","format":"yyyy"}],"docvalue_fields":["n"]}`,
				Want: map[string]string{"hits.hits.0._source": `{"k":"beta","n":2}`, "hits.hits.0.fields.d": `["2024"]`, "hits.hits.0.fields.n": `[2]`}},
			Step{Method: post, Path: "/t_a/_search", Body: `{"query":{"match":{"t":"fox"}},"highlight":{"fields":{"t":{}}}}`, Want: map[string]string{"hits.hits.0.highlight.t.0": `"The quick brown \u003cem\u003efox\u003c/em\u003e"`}},
			Step{Method: post, Path: "/t_a/_search", Body: `{"size":0,"track_total_hits":2}`, Want: map[string]string{"hits.total.value": "2", "hits.total.relation": `"gte"`}},
			Step{Method: post, Path: "/t_a/_msearch", Body: "{}\n{\"size\":0}\n{\"index\":\"t_none\"}\n{}\n", Want: map[string]string{"responses.0.hits.total.value": "5", "responses.1.status": "404"}}),
	}
}

func aggregations() []Case {
	agg := func(body string, want map[string]string) Step {
		return Step{Method: post, Path: "/t_a/_search", Body: `{"size":0,"aggs":{"a":` + body + `}}`, Want: want}
	}
	return []Case{
		on("aggregations",
			agg(`{"terms":{"field":"k"}}`, map[string]string{"aggregations.a.buckets.0.key": `"beta"`, "aggregations.a.buckets.0.doc_count": "2", "aggregations.a.buckets.1.key": `"Delta/one"`}),
			agg(`{"terms":{"field":"k","order":{"m":"desc"},"size":1},"aggs":{"m":{"max":{"field":"n"}}}}`, map[string]string{"aggregations.a.buckets.0.m.value": "30", "aggregations.a.sum_other_doc_count": "3"}),
			agg(`{"date_histogram":{"field":"d","calendar_interval":"1M"}}`, map[string]string{"aggregations.a.buckets.0.doc_count": "3", "aggregations.a.buckets.1.key_as_string": `"2024-02-01T00:00:00.000Z"`}),
			agg(`{"date_histogram":{"field":"d","fixed_interval":"12h"}}`, map[string]string{"aggregations.a.buckets.1.doc_count": "0", "aggregations.a.buckets.2.doc_count": "1"}),
			agg(`{"stats":{"field":"n"}}`, map[string]string{"aggregations.a.count": "5", "aggregations.a.max": "30", "aggregations.a.sum": "40"}),
			agg(`{"avg":{"field":"f"}}`, map[string]string{"aggregations.a.value": "0"}), agg(`{"cardinality":{"field":"k"}}`, map[string]string{"aggregations.a.value": "4"}),
			agg(`{"range":{"field":"n","ranges":[{"to":2},{"from":2}]}}`, map[string]string{"aggregations.a.buckets.0.doc_count": "1", "aggregations.a.buckets.1.doc_count": "3"}),
			agg(`{"filter":{"term":{"k":"beta"}},"aggs":{"s":{"sum":{"field":"n"}}}}`, map[string]string{"aggregations.a.doc_count": "2", "aggregations.a.s.value": "35"}),
			agg(`{"missing":{"field":"k"}}`, map[string]string{"aggregations.a.doc_count": "1"}),
			agg(`{"nested":{"path":"o"},"aggs":{"t":{"terms":{"field":"o.a"}}}}`, map[string]string{"aggregations.a.doc_count": "3", "aggregations.a.t.buckets.0.doc_count": "2"})),
	}
}

func indices() []Case {
	return []Case{
		{"dynamic mapping", []Step{
			{Method: put, Path: "/t_a/_doc/1", Body: `{"s":"text","n":1,"f":1.5,"b":true,"d":"2024-01-01","o":{"x":[1,2]},"e":[],"z":null}`, Status: 201},
			{Method: get, Path: "/t_a/_mapping", Want: map[string]string{"t_a.mappings.properties.s.fields.keyword.ignore_above": "256", "t_a.mappings.properties.n.type": `"long"`, "t_a.mappings.properties.f.type": `"float"`,
				"t_a.mappings.properties.b.type": `"boolean"`, "t_a.mappings.properties.d.type": `"date"`, "t_a.mappings.properties.o.properties.x.type": `"long"`, "t_a.mappings.properties.e": "absent", "t_a.mappings.properties.z": "absent"}},
		}},
		{"aliases and patterns", []Step{
			{Method: put, Path: "/t_a/_doc/1?refresh=true", Body: `{"l":"x"}`, Status: 201},
			{Method: put, Path: "/t_b/_doc/2?refresh=true", Body: `{"l":"y"}`, Status: 201},
			{Method: post, Path: "/_aliases", Body: `{"actions":[{"add":{"index":"t_*","alias":"t_all"}},{"add":{"index":"t_b","alias":"t_y","filter":{"term":{"l.keyword":"z"}}}}]}`},
			{Method: get, Path: "/t_all/_count", Want: map[string]string{"count": "2"}},
			{Method: get, Path: "/t_*,-t_b/_count", Want: map[string]string{"count": "2"}}, // t_all still means t_b
			{Method: get, Path: "/t_*,-t_b,-t_all,-t_y/_count", Want: map[string]string{"count": "1"}},
			{Method: get, Path: "/t_y/_count", Want: map[string]string{"count": "0"}},
			{Method: post, Path: "/t_a,t_b/_search", Body: `{"from":9223372036854775807}`, Status: 400},
			{Method: put, Path: "/t_b/_mapping", Body: `{"properties":{"n":{"type":"long"}}}`},
			{Method: post, Path: "/t_a,t_b/_search", Body: `{"query":{"term":{"n":"x"}}}`, Want: map[string]string{"_shards.total": "2", "_shards.failed": "1", "_shards.failures.0.index": `"t_b"`, "hits.hits": "[]"}},
			{Method: del, Path: "/t_all", Status: 400},
			{Method: del, Path: "/t_*", Status: 400},
			{Method: del, Path: "/_all", Status: 400},
		}},
		{"names", []Step{
			{Method: put, Path: "/T_A", Status: 400, Want: map[string]string{"error.type": `"invalid_index_name_exception"`}},
			{Method: put, Path: "/t_a"},
			{Method: put, Path: "/t_a", Status: 400, Want: map[string]string{"error.type": `"resource_already_exists_exception"`}},
			{Method: del, Path: "/t_a"},
			{Method: del, Path: "/t_a", Status: 404},
		}},
		{"blocked index", []Step{
			{Method: put, Path: "/t_a", Body: `{"settings":{"index.blocks.write":true}}`},
			{Method: put, Path: "/t_a/_doc/1", Body: `{}`, Status: 403, Want: map[string]string{"error.type": `"cluster_block_exception"`}},
		}},
	}
}
