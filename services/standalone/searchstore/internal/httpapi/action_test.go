package httpapi

import (
	"testing"

	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/jsondoc"
)

func TestParseAction(t *testing.T) {
	for _, c := range [...]struct {
		line, verb, index, id string
		fails                 bool
	}{
		{line: `{"index":{"_index":"a","_id":"1"}}`, verb: "index", index: "a", id: "1"},
		{line: ` { "create" : { "_id" : 7 } } `, verb: "create", id: "7"},
		{line: `{"delete":{"_id":"\u00fc\n"}}`, verb: "delete", id: "ü\n"},
		{line: `{"update":{"_id":"1","retry_on_conflict":3,"_source":["a"]}}`, verb: "update", id: "1"},
		{line: `{"index":{}}`, verb: "index"},
		{line: `{"upsert":{}}`, fails: true},
		{line: `{"index":{"_type":"x"}}`, fails: true},
		{line: `{"index":{"_id":{}}}`, fails: true},
		{line: `{"index":1}`, fails: true},
		{line: `[]`, fails: true},
		{line: `{}`, fails: true},
		{line: `x`, fails: true},
		{line: `{"index":{}}{`, fails: true},
	} {
		a, err := parseAction([]byte(c.line), 1)
		if (err != nil) != c.fails {
			t.Errorf("%s: error %v", c.line, err)
			continue
		}
		if err == nil && (a.verb != c.verb || a.index != c.index || a.id != c.id) {
			t.Errorf("%s: got %+v", c.line, a)
		}
	}
}

func FuzzBulk(f *testing.F) {
	f.Add("{\"index\":{\"_index\":\"a\",\"_id\":\"1\"}}\n{\"n\":1}\n{\"delete\":{\"_id\":\"2\"}}\r\n\n{\"update\":{\"_id\":\"3\",\"if_seq_no\":1,\"if_primary_term\":1}}\n{\"doc\":{}}\n")
	f.Fuzz(func(_ *testing.T, s string) {
		if s == "" {
			return
		}
		b := &bulkRun{c: &call{}, def: "d", groups: map[string]*bulkGroup{}}
		_ = b.parse([]byte(s))
	})
}

func TestFilterPath(t *testing.T) {
	v, err := jsondoc.Parse([]byte(`{"took":1,"hits":{"total":{"value":2},"hits":[{"_id":"1","_source":{"a":1,"b":2}},{"_id":"2"}]}}`))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range [...][2]string{
		{"took", `{"took":1}`}, {"hits.total.value", `{"hits":{"total":{"value":2}}}`}, {"hits.hits._id", `{"hits":{"hits":[{"_id":"1"},{"_id":"2"}]}}`},
		{"**.a", `{"hits":{"hits":[{"_source":{"a":1}}]}}`}, {"hits.h*._source.b", `{"hits":{"hits":[{"_source":{"b":2}}]}}`}, {"-hits", `{"took":1}`}, {"nope", `{}`}, {"hits,-hits.hits", `{"hits":{"total":{"value":2}}}`},
	} {
		if got := string(filterPath(v, c[0]).Encode()); got != c[1] {
			t.Errorf("%s: want %s, got %s", c[0], c[1], got)
		}
	}
}
