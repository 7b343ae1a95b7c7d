package jsonpath_test

import (
	"strings"
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
		"$.list[?(@.p > 1 && @.q == 'm')].p": "[5]", "$.list[?(@.p < 6 || @.p > 14)].p": "[5,15]", "$.list[?(!@.q)].p": "[15]", "$.list[?(@.q =~ /M/i)].p": "[5]",
		"$.list[?(@.q =~ /x/)].p": "[]", "$.list[?(@.p in [1, 15])].p": "[15]", "$.list[?(@.q nin ['m'])].p": "[]", "$.list[?(@.p > $.a.b[1])].p": "[5,15]",
		"$.list[?((@.p == 5 || @.p == 15) && @.p > 5)].p": "[15]", "$.list[?(15 == @.p)].p": "[15]", "$.list[?(@.p == '5')].p": "[5]", "$.list[?(@.q != 'm')].p": "[15]",
		"$.a.b.length()": "3", "$.a.length()": "1", "$.s.length()": "error", "$.a.keys()": `["b"]`, "$.a.b.max()": "2.5", "$.a.b.sum()": "3.5", "$.a.b.first()": "1",
		"$.a.b.index(1)": "2.5", "$.list[*].p.max()": "[]", "$['s','n']": `{"s":"t","n":null}`, "$['s','zz']": `{"s":"t"}`, "$.list[*]['p','q']": `[{"p":5,"q":"m"},{"p":15}]`,
		"$.s[0,1]": "error", "$.n[0:2]": "error", "lax $.s[?(@.x)]": "nothing", "$.a[?(@.b)]": `[{"b":[1,2.5,{"c":"x y"}]}]`,
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
	for _, path := range []string{"", "a", "$.", "$[", "$['a", "$[x]", "$[]", "$..", "$[?(1)]", "$.a[?(@.b == )]", "$x", "$.a[?(@.b && )]", "$.a[?((@.b)]", "$.a[?(@.b =~ /(/)]", "$.a[?(@.b in 1)]",
		"$.a.nosuch()", "$.a.index(x)", "$.a[?(1)]", "$.a[?(@.b @.c)]", "$.a[?(" + strings.Repeat("!", 200) + "@.b)]", "$.a[?(" + strings.Repeat("(", 200) + "@.b)]"} {
		if _, err := jsonpath.Compile(path); err == nil {
			t.Errorf("path %q is taken", path)
		}
	}
}

func TestParseFirst(t *testing.T) {
	for text, want := range map[string]string{`{"a":1} x`: `{"a":1}`, `[1,2]]`: "[1,2]", `"a"b`: `"a"`, "1 2": "1", "true,": "true", `true"`: "true", "null}": "null",
		"1,2": "", "1}": "", "truex": "", "nullx": "", "01": "", "": "", "abc": "", `1"`: ""} {
		got := ""
		if v, err := jsonpath.ParseFirst(text); err == nil {
			got = string(v.Append(nil))
		}
		if got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
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
