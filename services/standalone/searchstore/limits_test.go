package searchstore_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestHostileRequests sends what must neither succeed, nor be an error of the
// server, nor take long.
func TestHostileRequests(t *testing.T) {
	dir := t.TempDir()
	h := open(t, filepath.Join(dir, "search")).Handler()
	must(t, h, http.MethodPut, "/a/_doc/1", `{"k":"`+strings.Repeat("a", 200)+`","t":"some text"}`)
	deep := func(open, shut string, n int) string { return strings.Repeat(open, n) + strings.Repeat(shut, n) }
	for _, c := range [...]struct{ name, method, path, body string }{
		{"dots", http.MethodPut, "/..", ""},
		{"escaped dots and slash", http.MethodPut, "/..%2f..%2fetc", ""},
		{"escaped backslash", http.MethodPut, "/..%5c..%5cx", ""},
		{"NUL", http.MethodPut, "/a%00b", ""},
		{"newline", http.MethodPut, "/a%0ab", ""},
		{"not UTF-8", http.MethodPut, "/a%ff", ""},
		{"very long name", http.MethodPut, "/" + strings.Repeat("a", 10_000), ""},
		{"name in a bulk", http.MethodPut, "/%2e%2e/_doc/1", `{}`},
		{"alias with a slash", http.MethodPut, "/a/_alias/..%2fx", ""},
		{"very long id", http.MethodPut, "/a/_doc/" + strings.Repeat("i", 10_000), `{}`},
		{"deep document", http.MethodPut, "/a/_doc/2", `{"o":` + deep("[", "]", 100_000) + `}`},
		{"deep objects", http.MethodPut, "/a/_doc/2", strings.Repeat(`{"o":`, 5000) + "1" + strings.Repeat("}", 5000)},
		{"many fields", http.MethodPut, "/a/_doc/2", manyFields(20_000)},
		{"deep query", http.MethodPost, "/a/_search", `{"query":` + strings.Repeat(`{"bool":{"must":`, 60) + `{"match_all":{}}` + strings.Repeat("}}", 60) + `}`},
		{"deep JSON", http.MethodPost, "/a/_search", deep(`{"query":`, "}", 1_000_000)},
		{"many terms", http.MethodPost, "/a/_search", `{"query":{"terms":{"k":[` + strings.Repeat(`"x",`, 70_000) + `"x"]}}}`},
		{"long regexp", http.MethodPost, "/a/_search", `{"query":{"regexp":{"k.keyword":"` + strings.Repeat("(a|b)", 2000) + `"}}}`},
		{"regexp that multiplies", http.MethodPost, "/a/_search", `{"query":{"regexp":{"k.keyword":"((((a{1000}){1000}){1000}){1000})"}}}`},
		{"size beyond the window", http.MethodPost, "/a/_search", `{"size":10001}`},
		{"from beyond the window", http.MethodPost, "/a/_search", `{"from":10000,"size":1}`},
		{"numbers that overflow", http.MethodGet, "/a/_search?from=9223372036854775807&size=10", ""},
		{"many buckets", http.MethodPost, "/a/_search", `{"size":0,"aggs":{"f":{"filters":{"filters":[]}},"h":{"histogram":{"field":"n","interval":-1}}}}`},
		{"deep aggregations", http.MethodPost, "/a/_search", strings.Repeat(`{"aggs":{"a":{"global":{},`, 1) + strings.Repeat(`"aggs":{"a":{"filter":{"match_all":{}},`, 300) + `"aggs":{}` + strings.Repeat("}}", 300) + "}}}"},
		{"filter_path", http.MethodGet, "/..?filter_path=" + strings.Repeat("*.", 5000), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			start := time.Now()
			code, out := call(t, h, c.method, c.path, c.body)
			if code < 400 || code >= 500 {
				t.Errorf("%d %.300s", code, out)
			}
			if took := time.Since(start); took > 5*time.Second {
				t.Errorf("it took %s", took)
			}
		})
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("files beside the data directory: %v %v", entries, err)
	}
	must(t, h, http.MethodGet, "/a/_doc/1", "")
}

// TestPatternsStayCheap runs patterns that make backtracking matchers explode.
func TestPatternsStayCheap(t *testing.T) {
	h := open(t, t.TempDir()).Handler()
	must(t, h, http.MethodPut, "/a", `{"mappings":{"properties":{"k":{"type":"keyword"}}}}`)
	must(t, h, http.MethodPut, "/a/_doc/1", `{"k":"`+strings.Repeat("a", 30_000)+`"}`)
	start := time.Now()
	for _, q := range [...]string{
		`{"wildcard":{"k":"` + strings.Repeat("*a", 400) + `*b"}}`, `{"regexp":{"k":"(a*)*b"}}`, `{"regexp":{"k":"(a|aa)+b"}}`,
		`{"query_string":{"query":"` + strings.Repeat("(", 25) + "a" + strings.Repeat(")", 25) + `"}}`,
	} {
		if got := must(t, h, http.MethodPost, "/a/_count", `{"query":`+q+`}`); !strings.HasPrefix(got, `{"count":0,`) {
			t.Errorf("%.60s: %s", q, got)
		}
	}
	if took := time.Since(start); took > 10*time.Second {
		t.Errorf("it took %s", took)
	}
}

func manyFields(n int) string {
	var b strings.Builder
	b.WriteString(`{"first":1`)
	for i := range n {
		fmt.Fprintf(&b, `,"f%d":1`, i)
	}
	return b.String() + "}"
}

func TestGzipBomb(t *testing.T) {
	h := open(t, t.TempDir()).Handler()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	chunk := bytes.Repeat([]byte(" "), 1<<20)
	for range 150 {
		if _, err := z.Write(chunk); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	req := httptest.NewRequest(http.MethodPost, "/_bulk", &b)
	req.Header.Set("Content-Type", "application/x-ndjson")
	req.Header.Set("Content-Encoding", "gzip")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, req)
	if w.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("%d %.200s", w.Code, w.Body)
	}
}

// TestDamagedIndexOverHTTP looks at what a client sees of an index that can't
// be opened.
func TestDamagedIndexOverHTTP(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	must(t, s.Handler(), http.MethodPut, "/a/_doc/1", `{"n":1}`)
	files, err := filepath.Glob(filepath.Join(dir, "*.db"))
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	must(t, s.Handler(), http.MethodPut, "/b/_doc/1", `{"n":1}`)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(files[0], bytes.Repeat([]byte("x"), 8192), 0o600); err != nil {
		t.Fatal(err)
	}
	h := open(t, dir).Handler()
	for _, c := range [...]struct {
		method, path string
		code         int
		want         string
	}{
		{http.MethodGet, "/_cat/health", 200, " red "},
		{http.MethodGet, "/_cluster/health", 200, `"status":"red"`},
		{http.MethodGet, "/_cat/indices?h=health", 200, "red"},
		{http.MethodGet, "/b/_search", 200, `"failed":0`},
		{http.MethodGet, "/_search", 200, `"failed":1`},
		{http.MethodGet, "/_count", 200, `{"count":1,`},
		{http.MethodGet, "/damaged-*/_search", 503, "could not be opened"},
		{http.MethodDelete, "/damaged-*", 400, ""}, // no patterns, as in Elasticsearch
	} {
		code, out := call(t, h, c.method, c.path, "")
		if code != c.code || !strings.Contains(out, c.want) {
			t.Errorf("%s %s: %d %.400s", c.method, c.path, code, out)
		}
	}
}
