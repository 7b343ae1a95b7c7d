package jsonpath_test

import (
	"testing"

	"github.com/weirflow/weirflow/services/transform/internal/jsonpath"
)

func TestFind(t *testing.T) {
	const doc = `{"a":{"b":[1,2.50,{"c":"x y"}]},"s":"t","n":null,"list":[{"p":5,"q":"m"},{"p":15}],"a b":true}`
	tests := map[string]string{
		"$":        `{"a":{"b":[1,2.5,{"c":"x y"}]},"s":"t","n":null,"list":[{"p":5,"q":"m"},{"p":15}],"a b":true}`,
		"$.a.b[0]": "1", "$.a.b[1]": "2.5", "$.a.b[-1].c": `"x y"`, "$['a b']": "true", `$["a"]['b'][2]`: `{"c":"x y"}`,
		"$.a.b[*]": `[1,2.5,{"c":"x y"}]`, "$.a.b[0,1]": "[1,2.5]", "$.a.b[1:]": `[2.5,{"c":"x y"}]`, "$.list[*].p": "[5,15]",
		"$..c": `["x y"]`, "$.list[?(@.p > 10)].p": "[15]", "$.list[?(@.q)].p": "[5]", "$.list[?(@.q == 'm')].p": "[5]", "$.n": "null",
		"lax $.a.zz": "nothing", "$.a.zz": "error", "$.a.b[9]": "error", "strict $.s.x": "error",
	}
	v, err := jsonpath.Parse(doc)
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range tests {
		t.Run(path, func(t *testing.T) {
			p, err := jsonpath.Compile(path)
			if err != nil {
				t.Fatal(err)
			}
			got := "error"
			if found, err := p.Find(v); err == nil && found == nil {
				got = "nothing"
			} else if err == nil {
				got = string(found.Append(nil))
			}
			if got != want {
				t.Errorf("found %s, want %s", got, want)
			}
		})
	}
	for _, path := range []string{"", "a", "$.", "$[", "$['a", "$[x]", "$[]", "$..", "$[?(1)]", "$.a[?(@.b == )]", "$x"} {
		if _, err := jsonpath.Compile(path); err == nil {
			t.Errorf("path %q is taken", path)
		}
	}
}

func FuzzFind(f *testing.F) {
	f.Add(`{"a":[1,{"b":"\u00e9"}]}`, "$.a[*].b")
	f.Add(`[[[[]]]]`, "$..[0]")
	f.Fuzz(func(t *testing.T, doc, path string) {
		if len(doc) > 200 || len(path) > 40 {
			return // deep paths over deep documents find very much
		}
		v, err := jsonpath.Parse(doc)
		if err != nil {
			return
		}
		if _, err := jsonpath.Parse(string(v.Append(nil))); err != nil {
			t.Fatalf("%q is printed as %q, which is not JSON", doc, v.Append(nil))
		}
		p, err := jsonpath.Compile(path)
		if err != nil {
			return
		}
		_, _ = p.Find(v)
	})
}
