package metrics_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/rules"

	"github.com/weirflow/weirflow/services/alerting/internal/metrics"
)

// target serves a gauge whose value can be set.
func target(t *testing.T, value *atomic.Int64) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, "# TYPE depth gauge\ndepth{queue=\"a\"} %d\n", value.Load())
	}))
	t.Cleanup(s.Close)
	return strings.TrimPrefix(s.URL, "http://")
}

func start(t *testing.T, cfg metrics.Config, notify rules.NotifyFunc) *metrics.Engine {
	t.Helper()
	if cfg.Dir == "" {
		cfg.Dir = t.TempDir()
	}
	cfg.Retention, cfg.QueryTimeout = 24*time.Hour, time.Minute
	cfg.ScrapeInterval, cfg.EvaluationInterval = 100*time.Millisecond, 100*time.Millisecond
	e, err := metrics.New(cfg, metrics.Deps{Logger: slog.New(slog.DiscardHandler), Registry: prometheus.NewRegistry(), Notify: notify})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- e.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return e
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("%s: not within 20 s", what)
}

func value(t *testing.T, e *metrics.Engine, query string) (float64, bool) {
	t.Helper()
	v, err := e.Query(t.Context(), query, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if len(v.Series) == 1 && len(v.Series[0].Floats) == 1 {
		return v.Series[0].Floats[0].F, true
	}
	return 0, false
}

func TestServicesAndFilesAreScraped(t *testing.T) {
	var own, other atomic.Int64
	own.Store(3)
	other.Store(4)
	dir := t.TempDir()
	found := filepath.Join(dir, "found.json")
	text, err := json.Marshal([]map[string]any{{"targets": []string{target(t, &other)}, "labels": map[string]string{"by": "file"}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(found, text, 0o600); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "prometheus.yml")
	if err := os.WriteFile(file, []byte("global: {scrape_interval: 100ms, scrape_timeout: 100ms}\nscrape_configs:\n- job_name: more\n  file_sd_configs: [{files: [found.json]}]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	e := start(t, metrics.Config{File: file, Targets: map[string][]string{"ingest": {target(t, &own)}}}, nil)
	eventually(t, "both targets are scraped", func() bool {
		a, _ := value(t, e, `depth{job="weirflow",service="ingest"}`)
		b, _ := value(t, e, `depth{job="more",by="file"}`)
		return a == 3 && b == 4
	})
	own.Store(7)
	eventually(t, "a new value is seen", func() bool { v, _ := value(t, e, `depth{job="weirflow"}`); return v == 7 })
}

func TestPrometheusAPI(t *testing.T) {
	var depth atomic.Int64
	depth.Store(5)
	e := start(t, metrics.Config{Targets: map[string][]string{"ingest": {target(t, &depth)}}}, nil)
	s := httptest.NewServer(e.Handler())
	defer s.Close()
	get := func(path string) string {
		t.Helper()
		res, err := http.Get(s.URL + path) //nolint:noctx // a test
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = res.Body.Close() }()
		b, _ := io.ReadAll(res.Body)
		return fmt.Sprint(res.StatusCode, " ", string(b))
	}
	eventually(t, "the target is scraped", func() bool { _, ok := value(t, e, "depth"); return ok })
	now := time.Now().Unix()
	for path, want := range map[string]string{
		"/api/v1/query?query=" + url.QueryEscape("depth+1"):                                 `"6"]`,
		fmt.Sprintf("/api/v1/query_range?query=depth&start=%d&end=%d&step=1", now-1, now+1): `"resultType":"matrix"`,
		"/api/v1/series?match[]=depth":                                                      `"queue":"a"`,
		"/api/v1/labels":                                                                    `"queue"`,
		"/api/v1/label/queue/values":                                                        `"a"`,
		"/api/v1/metadata?metric=depth":                                                     `"gauge"`,
		"/api/v1/targets":                                                                   `"health":"up"`,
		"/api/v1/rules":                                                                     `"groups":[]`,
		"/api/v1/alerts":                                                                    `"alerts":[]`,
		"/api/v1/status/buildinfo":                                                          `"version"`,
		"/api/v1/status/tsdb":                                                               `"numSeries"`,
		"/federate?match[]=depth":                                                           `depth{instance=`,
		"/api/v1/query?query=" + url.QueryEscape("depth{"):                                  `400 {"status":"error","errorType":"bad_data"`,
		"/federate?match[]=" + url.QueryEscape("depth{"):                                    "400 match[]",
	} {
		if got := get(path); !strings.Contains(got, want) {
			t.Errorf("GET %s\n%s, want %s", path, got, want)
		}
	}
}

func TestRulesOfFilesAndOfPoliciesFire(t *testing.T) {
	var depth atomic.Int64
	dir := t.TempDir()
	file := filepath.Join(dir, "prometheus.yml")
	put := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	put("prometheus.yml", "global: {evaluation_interval: 100ms}\nrule_files: [rules.yml]\n")
	put("rules.yml", "groups:\n- name: g\n  rules:\n  - {alert: Deep, expr: depth > 10, labels: {severity: page}, annotations: {summary: '{{ $value }} waiting'}}\n")
	var told atomic.Pointer[rules.Alert]
	names := make(chan string, 1000)
	e := start(t, metrics.Config{File: file, Targets: map[string][]string{"ingest": {target(t, &depth)}}}, func(_ context.Context, _ string, alerts ...*rules.Alert) {
		for _, a := range alerts {
			told.Store(a)
			names <- a.Labels.Get("alertname")
		}
	})
	g, err := e.CheckRules([]byte("groups:\n- name: p\n  rules:\n  - {alert: Held, expr: depth > 20}\n"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.CheckRules([]byte("groups:\n- name: p\n  rules:\n  - {alert: Held, expr: depth >}\n")); err == nil {
		t.Error("a rule without a right side passes")
	}
	eventually(t, "rules can be set", func() bool { return e.SetRules(map[string]*rulefmt.RuleGroups{"policies": g}) == nil })
	depth.Store(15)
	eventually(t, "the file's rule fires", func() bool {
		a := told.Load()
		return a != nil && a.Annotations.Get("summary") == "15 waiting" && a.Labels.Get("severity") == "page"
	})
	depth.Store(25)
	eventually(t, "the policy fires", func() bool {
		for {
			select {
			case n := <-names:
				if n == "Held" {
					return true
				}
			default:
				return false
			}
		}
	})
	if n := len(e.Alerts()); n != 2 {
		t.Errorf("%d alerts, want 2", n)
	}
	depth.Store(0)
	eventually(t, "they end", func() bool { a := told.Load(); return a != nil && !a.ResolvedAt.IsZero() })
}

func TestSamplesSurviveARestart(t *testing.T) {
	var depth atomic.Int64
	depth.Store(9)
	cfg := metrics.Config{Dir: t.TempDir(), Targets: map[string][]string{"ingest": {target(t, &depth)}}}
	t.Run("first", func(t *testing.T) {
		e := start(t, cfg, nil)
		eventually(t, "the target is scraped", func() bool { _, ok := value(t, e, "depth"); return ok })
	})
	cfg.Targets = nil
	e := start(t, cfg, nil)
	if v, ok := value(t, e, "max_over_time(depth[1h])"); !ok || v != 9 {
		t.Errorf("after a restart %v %v", v, ok)
	}
}
