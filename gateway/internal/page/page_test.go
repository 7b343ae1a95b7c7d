package page_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/weirflow/weirflow/gateway/console"
	"github.com/weirflow/weirflow/gateway/internal/page"
)

func start(t *testing.T) *page.Handler {
	t.Helper()
	script := []byte(strings.Repeat("let a = 1;\n", 1000))
	h, err := page.New(fstest.MapFS{"index.html": {Data: []byte(`<meta name="csp-nonce" content="__CSP_NONCE__">`)}, "assets/a-1.js": {Data: script}, "favicon.svg": {Data: []byte("<svg/>")}}, true)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func get(h http.Handler, method, path string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, http.NoBody)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestThePageIsEverywhereAndHasItsOwnWord(t *testing.T) {
	h := start(t)
	words := map[string]bool{}
	for _, p := range []string{"/", "/jobs/errors", "/search"} {
		w := get(h, http.MethodGet, p)
		m := regexp.MustCompile(`content="([A-Z0-9]{20,})"`).FindStringSubmatch(w.Body.String())
		if w.Code != http.StatusOK || m == nil || !strings.Contains(w.Header().Get("Content-Security-Policy"), "style-src 'self' 'nonce-"+m[1]+"'") || words[m[1]] {
			t.Fatalf("%s: %d %s %q", p, w.Code, w.Body, w.Header())
		}
		words[m[1]] = true
		csp := w.Header().Get("Content-Security-Policy")
		for _, never := range []string{"unsafe-inline", "unsafe-eval", "*", "http:"} {
			if strings.Contains(csp, never) {
				t.Errorf("the policy has %s: %s", never, csp)
			}
		}
		if w.Header().Get("Cache-Control") != "no-store" || w.Header().Get("Strict-Transport-Security") == "" {
			t.Errorf("headers %q", w.Header())
		}
	}
	if w := get(h, http.MethodPost, "/"); w.Code != http.StatusMethodNotAllowed {
		t.Errorf("a page takes a POST: %d", w.Code)
	}
}

func TestFiles(t *testing.T) {
	h := start(t)
	w := get(h, http.MethodGet, "/assets/a-1.js", "Accept-Encoding", "gzip")
	if !strings.Contains(w.Header().Get("Cache-Control"), "immutable") || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/javascript") || w.Header().Get("Content-Encoding") != "gzip" {
		t.Fatalf("%q", w.Header())
	}
	z, err := gzip.NewReader(bytes.NewReader(w.Body.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	if text, err := io.ReadAll(z); err != nil || len(text) != 11_000 {
		t.Errorf("%d bytes, %v", len(text), err)
	}
	if again := get(h, http.MethodGet, "/assets/a-1.js", "If-None-Match", w.Header().Get("Etag")); again.Code != http.StatusNotModified || again.Body.Len() > 0 {
		t.Errorf("asked again: %d", again.Code)
	}
	if plain := get(h, http.MethodGet, "/assets/a-1.js"); plain.Body.Len() != 11_000 {
		t.Errorf("unzipped: %d", plain.Body.Len())
	}
	if h.Is("/assets/a-2.js") || h.Is("/.git/config.txt") || !h.Is("/favicon.svg") || !h.Is("/jobs/x") || !h.Is("/messages/app.log") || h.Is("/robots.txt") {
		t.Error("what is there is not known")
	}
}

func TestTheConsoleIsBuilt(t *testing.T) {
	files, err := console.Files()
	if err != nil {
		t.Fatal(err)
	}
	h, err := page.New(files, false)
	if err != nil {
		t.Fatal(err)
	}
	body := get(h, http.MethodGet, "/").Body.String()
	scripts := regexp.MustCompile(`(?:src|href)="(/[^"]+)"`).FindAllStringSubmatch(body, -1)
	if len(scripts) < 2 {
		t.Fatalf("the page names no files: %s", body)
	}
	for _, s := range scripts {
		if !h.Is(s[1]) || get(h, http.MethodGet, s[1]).Header().Get("Etag") == "" {
			t.Errorf("%s is not there", s[1])
		}
	}
	if strings.Contains(body, "<style") || regexp.MustCompile(`<script[^>]*>[^<]`).MatchString(body) {
		t.Errorf("something is written into the page: %s", body)
	}
}
