package searchstore_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/weirflow/weirflow/services/standalone/searchstore"
)

func TestAuthentication(t *testing.T) {
	cfg := searchstore.DefaultConfig()
	cfg.DataDir, cfg.Password = t.TempDir(), "s3cret"
	s, err := searchstore.New(cfg, searchstore.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	for _, c := range [...]struct {
		user, pass string
		want       int
	}{{"", "", 401}, {"elastic", "wrong", 401}, {"someone", "s3cret", 401}, {"elastic", "s3cret", 200}} {
		req := httptest.NewRequest(http.MethodGet, "/", nil)
		if c.user != "" {
			req.SetBasicAuth(c.user, c.pass)
		}
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, req)
		if w.Code != c.want || w.Header().Get("X-Elastic-Product") != "Elasticsearch" {
			t.Errorf("%s:%s: %d %v", c.user, c.pass, w.Code, w.Header())
		}
		if c.want == 401 && (!strings.HasPrefix(w.Header().Get("WWW-Authenticate"), "Basic realm=") || strings.Contains(w.Body.String(), "s3cret")) {
			t.Errorf("%s:%s: %v %s", c.user, c.pass, w.Header(), w.Body)
		}
	}
}

func TestBodies(t *testing.T) {
	cfg := searchstore.DefaultConfig()
	cfg.DataDir, cfg.MaxBodyBytes = t.TempDir(), 2048
	s, err := searchstore.New(cfg, searchstore.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	squeeze := func(s string) string {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		_, _ = z.Write([]byte(s))
		_ = z.Close()
		return b.String()
	}
	line := "{\"index\":{\"_index\":\"a\"}}\n{\"n\":1}\n"
	for _, c := range [...]struct {
		name, body, encoding, media string
		want                        int
	}{
		{"plain", line, "", "application/x-ndjson", 200},
		{"compressed", squeeze(line), "gzip", "application/x-ndjson", 200},
		{"version 8 media type", line, "", "application/vnd.elasticsearch+x-ndjson;compatible-with=8", 200},
		{"too large", strings.Repeat(line, 200), "", "application/x-ndjson", 413},
		{"too large when unpacked", squeeze(strings.Repeat(line, 500)), "gzip", "application/x-ndjson", 413},
		{"not gzip", line, "gzip", "application/x-ndjson", 400},
		{"wrong type", line, "", "text/plain", 406},
		{"empty", "", "", "application/x-ndjson", 400},
	} {
		req := httptest.NewRequest(http.MethodPost, "/_bulk", strings.NewReader(c.body))
		req.Header.Set("Content-Type", c.media)
		req.Header.Set("Content-Encoding", c.encoding)
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, req)
		if w.Code != c.want {
			t.Errorf("%s: want %d, got %d %.300s", c.name, c.want, w.Code, w.Body)
		}
	}
}

// TestConcurrent writes to one index from several sides, with overwrites and
// deletions, while it is searched; then the index is opened again.
func TestConcurrent(t *testing.T) {
	dir := t.TempDir()
	cfg := searchstore.DefaultConfig()
	cfg.DataDir = dir
	s, err := searchstore.New(cfg, searchstore.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	h := s.Handler()
	const writers, rounds, per = 4, 30, 40
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for r := range rounds {
				var b strings.Builder
				for i := range per {
					// each document is written twice, and every tenth deleted again
					fmt.Fprintf(&b, "{\"index\":{\"_id\":\"w%d-%d-%d\"}}\n{\"w\":%d,\"r\":%d,\"t\":\"round %d\"}\n", w, r/2, i, w, r, r)
					if r%2 == 1 && i%10 == 0 {
						fmt.Fprintf(&b, "{\"delete\":{\"_id\":\"w%d-%d-%d\"}}\n", w, r/2, i)
					}
				}
				must(t, h, http.MethodPost, "/c/_bulk", b.String())
				must(t, h, http.MethodPost, "/c/_search", `{"query":{"match":{"t":"round"}},"sort":[{"r":"desc"}],"aggs":{"w":{"terms":{"field":"w"}}}}`)
			}
		})
	}
	wg.Wait()
	want := fmt.Sprintf(`{"count":%d,`, writers*rounds/2*per*9/10)
	if got := must(t, h, http.MethodGet, "/c/_count", ""); !strings.HasPrefix(got, want) {
		t.Errorf("want %s, got %s", want, got)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	again := open(t, dir).Handler()
	if got := must(t, again, http.MethodGet, "/c/_count", ""); !strings.HasPrefix(got, want) {
		t.Errorf("after opening again: want %s, got %s", want, got)
	}
	if got := must(t, again, http.MethodPost, "/c/_search", `{"size":0,"track_total_hits":true,"query":{"range":{"r":{"gte":0}}},"aggs":{"o":{"filter":{"match":{"t":"round"}}}}}`); !strings.Contains(got, strings.TrimSuffix(strings.Replace(want, `{"count"`, `"doc_count"`, 1), ",")) {
		t.Errorf("columns after opening again: %s", got)
	}
}

// TestScrollHoldsItsView pages through a scroll while its documents go.
func TestScrollHoldsItsView(t *testing.T) {
	h := open(t, t.TempDir()).Handler()
	var b strings.Builder
	for i := range 700 {
		fmt.Fprintf(&b, "{\"index\":{\"_id\":\"%d\"}}\n{\"n\":%d}\n", i, i)
	}
	must(t, h, http.MethodPost, "/s/_bulk", b.String())
	page := must(t, h, http.MethodPost, "/s/_search?scroll=1m", `{"size":300}`)
	must(t, h, http.MethodPost, "/s/_delete_by_query", `{"query":{"match_all":{}}}`)
	seen := strings.Count(page, `"_id"`)
	id := page[strings.Index(page, `"_scroll_id":"`)+14:]
	id = id[:strings.IndexByte(id, '"')]
	for range 3 {
		page = must(t, h, http.MethodPost, "/_search/scroll", `{"scroll_id":"`+id+`"}`)
		seen += strings.Count(page, `"_id"`)
	}
	if seen != 700 {
		t.Errorf("want 700 documents, saw %d", seen)
	}
	if got := must(t, h, http.MethodGet, "/s/_count", ""); !strings.HasPrefix(got, `{"count":0,`) {
		t.Errorf("want none left, got %s", got)
	}
}
