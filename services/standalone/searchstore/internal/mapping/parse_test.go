package mapping_test

import (
	"strings"
	"testing"

	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/jsondoc"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/mapping"
)

func TestDynamicTypes(t *testing.T) {
	for _, c := range [...]struct{ name, doc, want string }{
		{"string", `{"a":"x"}`, `{"properties":{"a":{"type":"text","fields":{"keyword":{"type":"keyword","ignore_above":256}}}}}`},
		{"integer", `{"a":[null,[1]]}`, `{"properties":{"a":{"type":"long"}}}`},
		{"float", `{"a":1e3}`, `{"properties":{"a":{"type":"float"}}}`},
		{"date", `{"a":"2024-01-01T10:00"}`, `{"properties":{"a":{"type":"date"}}}`},
		{"slashed date", `{"a":"2024/01/31"}`, `{"properties":{"a":{"type":"date","format":"yyyy/MM/dd HH:mm:ss||yyyy/MM/dd||epoch_millis"}}}`},
		{"nothing", `{"a":null,"b":[],"c":{}}`, `{"properties":{"c":{"type":"object"}}}`},
		{"dots", `{"a.b":true}`, `{"properties":{"a":{"properties":{"b":{"type":"boolean"}}}}}`},
		{"objects in arrays", `{"a":[{"x":1},{"y":2}]}`, `{"properties":{"a":{"properties":{"x":{"type":"long"},"y":{"type":"long"}}}}}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			var p mapping.Parser
			m, err := p.Parse(mapping.New(), "1", []byte(c.doc))
			if err != nil {
				t.Fatal(err)
			}
			if got := string(m.JSON().Encode()); got != c.want {
				t.Errorf("want %s\n got %s", c.want, got)
			}
		})
	}
}

func TestBadDocumentsLeaveTheMapping(t *testing.T) {
	def, err := jsondoc.Parse([]byte(`{"properties":{"n":{"type":"integer"},"b":{"type":"boolean"},"o":{"properties":{"x":{"type":"long"}}},"s":{"dynamic":"strict","properties":{}}}}`))
	if err != nil {
		t.Fatal(err)
	}
	m, err := mapping.New().Merge(def)
	if err != nil {
		t.Fatal(err)
	}
	before := string(m.JSON().Encode())
	for _, c := range [...]struct{ name, doc, want string }{
		{"text in a number", `{"new":1,"n":"x"}`, "failed to parse field [n] of type [integer]"},
		{"too large", `{"n":3000000000}`, "failed to parse field [n]"},
		{"object in a number", `{"n":{"a":1}}`, "failed to parse field [n]"},
		{"number in an object", `{"o":5}`, "concrete value"},
		{"strict", `{"s":{"y":1}}`, "strict"},
		{"broken", `{"new":1`, "failed to parse"},
		{"trailing", `{"new":1} x`, "extra data"},
		{"control character", "{\"new\":\"a\tb\"}", "failed to parse"},
		{"invalid UTF-8", "{\"new\":\"\xff\"}", "failed to parse"},
		{"array", `[1]`, "start with an object"},
		{"empty name", `{"":1}`, "empty"},
		{"too deep", `{"a":` + strings.Repeat("[", 500) + strings.Repeat("]", 500) + `}`, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var p mapping.Parser
			after, err := p.Parse(m, "1", []byte(c.doc))
			if err == nil && c.want != "" || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("want an error with %q, got %v", c.want, err)
			}
			if after != m || string(m.JSON().Encode()) != before {
				t.Error("the mapping changed")
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range [...]string{`{"a":1,"b":["x",{"c":null}],"d":"2024-01-01","e.f":1.5e3}`, `{"n":"12","nest":[{"k":"x"},[{"k":"y"}]],"flat":{"a":{"b":[1,true]}}}`, `{"\u0061":"\ud83d\ude00\ud83d"}`} {
		f.Add(s)
	}
	def, err := jsondoc.Parse([]byte(`{"properties":{"n":{"type":"long"},"nest":{"type":"nested"},"flat":{"type":"flattened"},"d":{"type":"date"},"ip":{"type":"ip"},"c":{"type":"keyword","copy_to":"all"}}}`))
	if err != nil {
		f.Fatal(err)
	}
	base, err := mapping.New().Merge(def)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var p mapping.Parser
		m, err := p.Parse(base, "1", []byte(s))
		if err != nil {
			return
		}
		if _, err := jsondoc.Parse([]byte(s)); err != nil && !strings.Contains(err.Error(), "duplicate") {
			t.Fatalf("accepted what is not JSON: %v", err)
		}
		// A second document of the same shape fits into the mapping that the first one made.
		if again, err := p.Parse(m, "2", []byte(s)); err != nil || again != m {
			t.Fatalf("second time: %v, mapping changed: %v", err, again != m)
		}
	})
}
