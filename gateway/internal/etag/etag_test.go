package etag_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/weirflow/weirflow/gateway/internal/etag"
)

func get(h http.Handler, method, path string, known ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, http.NoBody)
	for _, k := range known {
		r.Header.Add("If-None-Match", k)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestMark(t *testing.T) {
	body, code := `{"job":{"name":"a"}}`, http.StatusOK
	h := etag.Mark(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if code != http.StatusOK {
			w.WriteHeader(code)
		}
		_, _ = io.WriteString(w, body[:5])
		_, _ = io.WriteString(w, body[5:])
	}))
	first := get(h, "GET", "/api/v1/jobs/a")
	tag := first.Header().Get("Etag")
	if first.Code != 200 || first.Body.String() != body || !strings.HasPrefix(tag, `W/"`) {
		t.Fatalf("%d %s %q", first.Code, first.Body, tag)
	}
	strong := strings.TrimPrefix(tag, "W/")
	for name, known := range map[string][]string{"the tag": {tag}, "a strong one": {strong}, "one of a list": {`"x", ` + tag}, "in another header": {`"x"`, tag}, "any": {"*"}} {
		w := get(h, "GET", "/api/v1/jobs/a", known...)
		if w.Code != 304 || w.Body.Len() > 0 || w.Header().Get("Etag") != tag || w.Header().Get("Content-Type") != "" {
			t.Errorf("%s: %d %q %v", name, w.Code, w.Body, w.Header())
		}
	}
	for name, known := range map[string]string{"another tag": `"x"`, "a part of it": strong[:5], "nonsense": ",,"} {
		if w := get(h, "GET", "/api/v1/jobs/a", known); w.Code != 200 || w.Body.String() != body {
			t.Errorf("%s: %d %q", name, w.Code, w.Body)
		}
	}
	for _, x := range []struct{ method, path string }{
		{"GET", "/api/v1/jobs"}, {"GET", "/api/v1/jobs/"}, {"POST", "/api/v1/jobs/a:start"}, {"PUT", "/api/v1/dashboards/a"}, {"GET", "/api/v1/jobs/a/savepoints"},
		{"GET", "/api/v1/topics/a/messages:follow"}, {"GET", "/api/v1/flow:watch"}, {"GET", "/jobs/a"}, {"GET", "/other/api/v1/jobs/a"},
	} {
		if w := get(h, x.method, x.path, tag); w.Code != 200 || w.Header().Get("Etag") != "" {
			t.Errorf("%s %s: %d %q", x.method, x.path, w.Code, w.Header().Get("Etag"))
		}
	}
	body = `{"job":{"name":"b"}}`
	if w := get(h, "GET", "/api/v1/jobs/a", tag); w.Code != 200 || w.Header().Get("Etag") == tag {
		t.Errorf("what has changed is said not to have: %d", w.Code)
	}
	code = http.StatusNotFound
	if w := get(h, "GET", "/api/v1/jobs/a", tag, "*"); w.Code != 404 || w.Header().Get("Etag") != "" || w.Body.String() != body {
		t.Errorf("an error: %d %q %s", w.Code, w.Header().Get("Etag"), w.Body)
	}
	code, body = http.StatusOK, strings.Repeat("x", 3<<20)
	if w := get(h, "GET", "/api/v1/jobs/a", "*"); w.Code != 200 || w.Header().Get("Etag") != "" || w.Body.String() != body {
		t.Errorf("a long answer: %d %q, %d bytes", w.Code, w.Header().Get("Etag"), w.Body.Len())
	}
}

func TestEmptyAnswer(t *testing.T) {
	h := etag.Mark(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) }))
	if w := get(h, "GET", "/api/v1/jobs/a"); w.Code != 200 || w.Header().Get("Etag") == "" {
		t.Errorf("%d %q", w.Code, w.Header().Get("Etag"))
	}
}

// What is marked is what the document of the API says is.
func TestTheDocumentSaysWhatIsMarked(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "gen", "openapi.json"))
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Paths map[string]map[string]struct {
			Responses map[string]json.RawMessage `json:"responses"`
		} `json:"paths"`
	}
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	marked := 0
	for at, methods := range doc.Paths {
		ok := httptest.NewRecorder()
		named := strings.NewReplacer("{", "", "}", "").Replace(at)
		etag.Mark(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("{}")) })).
			ServeHTTP(ok, httptest.NewRequest(http.MethodGet, named, http.NoBody))
		_, says := methods["get"].Responses["304"]
		if is := ok.Header().Get("ETag") != ""; says != is && methods["get"].Responses != nil {
			t.Errorf("%s: marked is %t, the document says %t", at, is, says)
		} else if is && says {
			marked++
		}
	}
	if marked == 0 {
		t.Error("nothing is marked")
	}
}
