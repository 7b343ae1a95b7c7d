//go:build integration

package integration

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	eventv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/event/v1"
	ingestv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/ingest/v1"
)

const (
	loadToken = "token-of-the-load-test"
	loadTopic = "topic-of-the-load-test"
	loadIndex = "index-of-the-load-test"
)

// TestGatewayUnderLoad has FOLLOWERS clients (200) follow the messages of a topic, half
// of them as events, half as lines, and VIEWERS dashboards (50) refresh every 10 s, for
// LOAD seconds, before a gateway that is a process of its own. It compares with what is
// promised: its memory stays flat, and 99 of 100 answers take 200 ms at most. Without
// LOAD it is skipped. scripts/bench-gateway.sh runs it.
func TestGatewayUnderLoad(t *testing.T) {
	seconds := number("LOAD", 0)
	if seconds == 0 {
		t.Skip("LOAD is not set: for how many seconds to measure, at least 30")
	}
	followers, viewers, rate := number("FOLLOWERS", 200), number("VIEWERS", 50), number("RATE", 20)
	s := startLoaded(t)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var busy sync.WaitGroup
	defer busy.Wait()
	defer stop()

	busy.Go(func() { s.write(ctx, rate) })
	follow := &following{}
	for i := range followers {
		busy.Go(func() { follow.run(ctx, s, i%2 == 0) })
	}
	eventually(t, 3*time.Minute, "all clients follow", func() error {
		if n := follow.there.Load(); n < int64(followers) {
			return fmt.Errorf("%d of %d", n, followers)
		}
		return nil
	})
	look := &looking{queries: s.queries(t)}
	for i := range viewers {
		busy.Go(func() { look.run(ctx, s, time.Duration(i)*10*time.Second/time.Duration(viewers)) })
	}

	// Caches and pools fill first.
	time.Sleep(max(10*time.Second, time.Duration(seconds)*time.Second/5))
	follow.forget()
	look.forget()
	var rss []int
	cpu := processor(t, s.gateway)
	for range seconds {
		time.Sleep(time.Second)
		rss = append(rss, memory(t, s.gateway, "VmRSS"))
	}
	used := processor(t, s.gateway) - cpu
	streams, answers := follow.take(), look.take()
	load, _ := os.ReadFile("/proc/loadavg")
	early, late := rss[:len(rss)/3], rss[2*len(rss)/3:]
	t.Logf("%d clients follow %d messages/s: %d deliveries, from the message's time to the client p50 %s, p99 %s", followers, rate, len(streams), percentile(streams, 50), percentile(streams, 99))
	t.Logf("%d dashboards: %d answers (%.0f/s), p50 %s, p95 %s, p99 %s, slowest %s", viewers, len(answers), float64(len(answers))/float64(seconds), percentile(answers, 50), percentile(answers, 95), percentile(answers, 99), percentile(answers, 100))
	t.Logf("gateway: memory %d to %d MiB in the first third, %d to %d in the last, CPU %.0f%% of one core; load %s",
		slices.Min(early), slices.Max(early), slices.Min(late), slices.Max(late), used/float64(seconds)*100, strings.TrimSpace(string(load)))
	if wrong := append(follow.wrong.texts(), look.wrong.texts()...); len(wrong) > 0 {
		t.Errorf("%d failures, such as %s", len(wrong), wrong[0])
	}
	if want := int64(followers) * int64(rate) * int64(seconds) * 8 / 10; int64(len(streams)) < want {
		t.Errorf("%d deliveries, fewer than %d", len(streams), want)
	}
	// What a collector leaves for later is no growth.
	if grown := slices.Max(late) - slices.Max(early); grown > 16+slices.Max(early)/10 {
		t.Errorf("the gateway's memory grew by %d MiB", grown)
	}
	if p := percentile(answers, 99); p > 200*time.Millisecond {
		t.Errorf("1 of 100 answers took %s or longer, more than 200 ms", p)
	}
}

// loaded is a Weirflow whose gateway is a process of its own.
type loaded struct {
	t       *testing.T
	url     string
	ingest  string
	gateway *process
	client  *http.Client
}

func startLoaded(t *testing.T) *loaded {
	t.Helper()
	dir, p := t.TempDir(), freePorts(t, 9)
	const password = "secret-of-the-test"
	launch(t, dir, "weirflow", "run", "--no-demo", "--data-dir", filepath.Join(dir, "run"), "--gateway.listen", "127.0.0.1:0", "--ingest.listen", p[0], "--kafka.listen", p[1],
		"--search.listen", p[2], "--search-password", password, "--alerting.listen", "", "--admin.listen", "")
	launch(t, dir, "weirflow", "transform", "--rpc.listen", p[3], "--kafka.brokers", p[1], "--admin.listen", "")
	launch(t, dir, "weirflow", "alerting", "--listen", p[4], "--rpc.listen", p[5], "--admin.listen", p[6], "--data-dir", filepath.Join(dir, "alerting"), "--kafka.brokers", p[1],
		"--metrics.targets.alerting", p[6], "--metrics.targets.gateway", p[8], "--metrics.scrape-interval", "5s")
	s := &loaded{t: t, url: "http://" + p[7], ingest: p[0], client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 1000}}}
	s.gateway = launch(t, dir, "weirflow", "gateway", "--listen", p[7], "--admin.listen", p[8], "--token", loadToken, "--kafka.brokers", p[1], "--ingest.address", p[0], "--transform.address", p[3],
		"--alerting.address", p[5], "--indexer.address", "", "--search.url", "http://"+p[2], "--search.password", password)
	site := &site{t: t, search: "http://" + p[2], user: "elastic", pass: password}
	eventually(t, time.Minute, "documents are there", func() error { return site.ask("POST", "/"+loadIndex+"/_bulk?refresh=true", documents(2000), nil) })
	eventually(t, time.Minute, "the topic is there", func() error {
		return s.do(t.Context(), http.MethodPost, "/api/v1/topics", map[string]any{"topic": loadTopic, "partitions": 3})
	})
	eventually(t, time.Minute, "metrics are there", func() error {
		return s.do(t.Context(), http.MethodGet, "/api/v1/metrics:query?expr=up", nil)
	})
	return s
}

// documents are bulk lines of the last hour.
func documents(n int) string {
	var b strings.Builder
	for i := range n {
		at := time.Now().Add(-time.Duration(i) * time.Hour / time.Duration(n))
		fmt.Fprintf(&b, "{\"index\":{\"_id\":\"%d\"}}\n{\"createTime\":%q,\"path\":\"/var/log/%d.log\",\"num\":%d,\"message\":\"line %d\"}\n", i, at.UTC().Format(time.RFC3339Nano), i%10, i, i)
	}
	return b.String()
}

func (s *loaded) do(ctx context.Context, method, path string, in any) error {
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(b)
	}
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, s.url+path, body)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+loadToken)
	res, err := s.client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s %s: %d %.300s", method, path, res.StatusCode, text)
	}
	return err
}

// write sends so many lines a second, each with the time at which it is sent.
func (s *loaded) write(ctx context.Context, rate int) {
	conn, err := grpc.NewClient(s.ingest, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		s.t.Error(err)
		return
	}
	defer func() { _ = conn.Close() }()
	ingest := ingestv1.NewIngestServiceClient(conn)
	tick := time.NewTicker(time.Second / time.Duration(rate))
	defer tick.Stop()
	for i := int64(1); ; i++ {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		line := fmt.Sprintf("%d a line about as long as those of an application that says what it does, and for whom, and how long it took", i)
		_, err := ingest.PushBatch(ctx, &ingestv1.PushBatchRequest{Batch: &eventv1.EventBatch{
			Sequence: 1, Sources: []*eventv1.Source{{Id: 1, AgentId: "load", FileId: "load", Path: "/var/log/load.log", Topic: loadTopic}},
			Groups: []*eventv1.EventGroup{{
				SourceId: 1, Encoding: eventv1.Encoding_ENCODING_LINE, Payload: []byte(line), Lengths: []uint32{uint32(len(line))},
				Timestamps: []int64{time.Now().UnixMilli()}, Offsets: []int64{i * 200},
			}},
		}})
		if err != nil && ctx.Err() == nil {
			s.t.Errorf("push: %v", err)
			return
		}
	}
}

// failures are what went wrong, not all of it.
type failures struct {
	mu   sync.Mutex
	list []string
}

func (f *failures) add(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.list) < 1000 {
		f.list = append(f.list, err.Error())
	}
}

func (f *failures) texts() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.list)
}

// times are how long things took.
type times struct {
	mu   sync.Mutex
	list []time.Duration
}

func (x *times) add(d time.Duration) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.list = append(x.list, d)
}

func (x *times) forget() { x.take() }

func (x *times) take() []time.Duration {
	x.mu.Lock()
	defer x.mu.Unlock()
	out := x.list
	x.list = nil
	slices.Sort(out)
	return out
}

// percentile is of sorted times.
func percentile(sorted []time.Duration, p int) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(len(sorted)-1, len(sorted)*p/100)].Round(100 * time.Microsecond)
}

// following is what the followers have seen.
type following struct {
	times
	there atomic.Int64
	wrong failures
}

func (f *following) run(ctx context.Context, s *loaded, events bool) {
	if err := f.follow(ctx, s, events); ctx.Err() == nil {
		f.wrong.add(fmt.Errorf("a stream ended: %w", err))
	}
}

func (f *following) follow(ctx context.Context, s *loaded, events bool) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+"/api/v1/topics/"+loadTopic+"/messages:follow", http.NoBody)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+loadToken)
	if events {
		req.Header.Set("Accept", "text/event-stream")
	}
	res, err := s.client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("status %d", res.StatusCode)
	}
	lines := bufio.NewScanner(res.Body)
	lines.Buffer(nil, 1<<20)
	for first := true; lines.Scan(); {
		var answer struct {
			Messages []struct{ Timestamp time.Time }
			Result   struct {
				Messages []struct{ Timestamp time.Time }
			}
		}
		text := bytes.TrimPrefix(lines.Bytes(), []byte("data: "))
		if len(text) == 0 || text[0] != '{' { // a comment, or the end of an event
			continue
		}
		if err := json.Unmarshal(text, &answer); err != nil {
			return err
		}
		if first {
			f.there.Add(1)
			first = false
		}
		for _, m := range slices.Concat(answer.Messages, answer.Result.Messages) {
			f.add(time.Since(m.Timestamp))
		}
	}
	return lines.Err()
}

// looking is what the dashboards have seen.
type looking struct {
	times
	queries []func(now time.Time) (method, path string, body any)
	wrong   failures
}

// run refreshes one dashboard, panel by panel, as its page does: all panels at once.
func (l *looking) run(ctx context.Context, s *loaded, after time.Duration) {
	select {
	case <-ctx.Done():
		return
	case <-time.After(after):
	}
	tick := time.NewTicker(10 * time.Second)
	defer tick.Stop()
	for {
		var panels sync.WaitGroup
		now := time.Now()
		for _, q := range l.queries {
			panels.Go(func() {
				method, path, body := q(now)
				began := time.Now()
				err := s.do(ctx, method, path, body)
				if ctx.Err() != nil {
					return
				}
				l.add(time.Since(began))
				if err != nil {
					l.wrong.add(err)
				}
			})
		}
		panels.Wait()
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// queries are what one dashboard asks at each refresh: the four business panels, and six
// over metrics.
func (s *loaded) queries(t *testing.T) []func(time.Time) (string, string, any) {
	t.Helper()
	histogram := func(inner map[string]any) map[string]any {
		return map[string]any{"date_histogram": map[string]any{"field": "createTime", "fixed_interval": "1m", "min_doc_count": 0}, "aggs": inner}
	}
	var out []func(time.Time) (string, string, any)
	for _, aggs := range []map[string]any{
		{"over": histogram(nil)},
		{"by": map[string]any{"terms": map[string]any{"field": "path.keyword", "size": 10}, "aggs": map[string]any{"over": histogram(nil)}}},
		{"over": histogram(map[string]any{"v": map[string]any{"avg": map[string]any{"field": "num"}}})},
		{"over": histogram(map[string]any{"v": map[string]any{"max": map[string]any{"field": "num"}}})},
	} {
		out = append(out, func(now time.Time) (string, string, any) {
			within := map[string]any{"range": map[string]any{"createTime": map[string]any{"gte": now.Add(-time.Hour).UTC().Format(time.RFC3339), "lte": now.UTC().Format(time.RFC3339)}}}
			return http.MethodPost, "/api/v1/indices/" + loadIndex + ":search", map[string]any{"size": 0, "query": within, "aggs": aggs}
		})
	}
	for _, expr := range []string{
		"up", "sum(process_resident_memory_bytes) by (job)", "rate(process_cpu_seconds_total[1m])", "go_goroutines",
		"sum(rate(http_server_request_duration_seconds_count[1m])) by (http_response_status_code)",
		"histogram_quantile(0.99, sum(rate(http_server_request_duration_seconds_bucket[1m])) by (le))",
	} {
		out = append(out, func(now time.Time) (string, string, any) {
			q := url.Values{"expr": {expr}, "start": {now.Add(-time.Hour).UTC().Format(time.RFC3339)}, "end": {now.UTC().Format(time.RFC3339)}, "step": {"15s"}}
			return http.MethodGet, "/api/v1/metrics:queryRange?" + q.Encode(), nil
		})
	}
	for i, q := range out {
		method, path, body := q(time.Now())
		eventually(t, 30*time.Second, fmt.Sprintf("query %d is answered", i), func() error { return s.do(t.Context(), method, path, body) })
	}
	return out
}
