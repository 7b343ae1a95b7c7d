package searchstore_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"
)

func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func diskBytes(tb testing.TB, dir string) int64 {
	tb.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		tb.Fatal(err)
	}
	var n int64
	for _, f := range files {
		if st, err := os.Stat(f); err == nil {
			n += st.Size()
		}
	}
	return n
}

// post sends a bulk body.
func post(tb testing.TB, h http.Handler, body []byte) {
	tb.Helper()
	req := httptest.NewRequest(http.MethodPost, "/bench/_bulk?filter_path=errors,items.*.error", bytes.NewReader(body))
	req.Header.Set("Content-Type", "application/x-ndjson")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, req)
	if w.Code != http.StatusOK || w.Body.String() != `{"errors":false}` {
		tb.Fatalf("bulk: %d %.300s", w.Code, w.Body.String())
	}
}

// BenchmarkBulk indexes documents in bulks of 5,000; it reports documents per
// CPU second of the process until the last answer. Merging that goes on
// meanwhile is in it, merging that is still due then is not.
func BenchmarkBulk(b *testing.B) {
	dir := b.TempDir()
	s := open(b, dir)
	must(b, s.Handler(), http.MethodPut, "/bench", missionMapping)
	const per = 5000
	bodies := make([][]byte, 0, b.N/per+1)
	for i := 0; i < b.N; {
		var body []byte
		for range min(per, b.N-i) {
			body = missionDoc(body, i, false)
			i++
		}
		bodies = append(bodies, body)
	}
	b.ReportAllocs()
	b.ResetTimer()
	start := cpu()
	for _, body := range bodies {
		post(b, s.Handler(), body)
	}
	b.StopTimer()
	b.ReportMetric(float64(b.N)/(cpu()-start).Seconds(), "docs/cpu-s")
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "docs/s")
	b.ReportMetric(float64(diskBytes(b, dir))/float64(b.N), "disk-B/doc")
}

// BenchmarkSearch runs queries over as many documents as BENCH_DOCS says.
func BenchmarkSearch(b *testing.B) {
	n, err := strconv.Atoi(os.Getenv("BENCH_DOCS"))
	if err != nil {
		n = 100_000
	}
	s := open(b, b.TempDir())
	h := s.Handler()
	must(b, h, http.MethodPut, "/bench", missionMapping)
	for i := 0; i < n; {
		var body []byte
		for range min(5000, n-i) {
			body = missionDoc(body, i, false)
			i++
		}
		post(b, h, body)
	}
	for _, q := range [...]struct{ name, body string }{
		{"match_all", `{"size":10}`},
		{"sorted", `{"size":10,"sort":[{"createTime":"desc"}]}`},
		{"term", `{"query":{"term":{"path":"/tmp/test.log"}},"size":10}`},
		{"range", fmt.Sprintf(`{"query":{"range":{"num":{"gte":%d,"lt":%d}}},"size":10}`, 2449000+n/2, 2449000+n/2+1000)},
		{"text", `{"query":{"match":{"message":"python3"}},"size":10}`},
		{"phrase", `{"query":{"match_phrase":{"message":"python3 agent.py"}},"size":10}`},
		{"panel_count", `{"size":0,"aggs":{"h":{"date_histogram":{"field":"createTime","fixed_interval":"1m"}}}}`},
		{"panel_terms", `{"size":0,"aggs":{"p":{"terms":{"field":"path"}}}}`},
		{"panel_terms_histogram_avg_max", `{"size":0,"aggs":{"p":{"terms":{"field":"path"},"aggs":{"h":{"date_histogram":{"field":"createTime","fixed_interval":"1m"},"aggs":{"a":{"avg":{"field":"num"}},"m":{"max":{"field":"num"}}}}}}}}`},
	} {
		b.Run(q.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				must(b, h, http.MethodPost, "/bench/_search", q.body)
			}
		})
	}
}
