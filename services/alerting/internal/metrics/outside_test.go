package metrics_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
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
	"github.com/weirflow/weirflow/services/alerting/internal/outside"
	"github.com/weirflow/weirflow/services/alerting/internal/query"
)

// TestAnotherPrometheus has an engine ask another one, which wants a token and is served
// below a path.
func TestAnotherPrometheus(t *testing.T) {
	var depth atomic.Int64
	depth.Store(12)
	keeper := start(t, metrics.Config{Targets: map[string][]string{"ingest": {target(t, &depth)}}}, nil)
	var away atomic.Bool
	other := httptest.NewServer(http.StripPrefix("/prom", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case away.Load():
			w.WriteHeader(http.StatusBadGateway)
		case r.Header.Get("Authorization") != "Bearer s3cret" || r.Header.Get("Cookie") != "":
			w.WriteHeader(http.StatusUnauthorized)
		default:
			keeper.Handler().ServeHTTP(w, r)
		}
	})))
	defer other.Close()
	fired := make(chan string, 100)
	e := start(t, metrics.Config{Outside: &outside.Config{URL: other.URL + "/prom/", Token: "s3cret", Timeout: time.Minute}, Targets: map[string][]string{"ingest": {"127.0.0.1:1"}}},
		func(_ context.Context, _ string, alerts ...*rules.Alert) {
			for _, a := range alerts {
				fired <- a.Labels.Get("alertname") + " " + a.Labels.Get("queue") + " " + a.Annotations.Get("summary")
			}
		})
	eventually(t, "what is scraped there is known here", func() bool { v, _ := value(t, e, `depth{service="ingest"}`); return v == 12 })
	groups := &rulefmt.RuleGroups{Groups: []rulefmt.RuleGroup{{Name: "g", Rules: []rulefmt.Rule{{Alert: "Deep", Expr: "depth > 10", Annotations: map[string]string{"summary": "{{ $value }} waiting"}}}}}}
	if err := e.SetRules(map[string]*rulefmt.RuleGroups{"p": groups}); err != nil {
		t.Fatal(err)
	}
	select {
	case got := <-fired:
		if got != "Deep a 12 waiting" {
			t.Errorf("fired %q", got)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("nothing fires")
	}
	now := time.Now()
	r, err := e.QueryRange(t.Context(), `sum(depth)`, now.Add(-time.Second), now, time.Second)
	if err != nil || len(r.Series) != 1 || len(r.Series[0].Floats) == 0 || r.Type != "matrix" {
		t.Errorf("range %v (%v)", r, err)
	}
	if r, err := e.Query(t.Context(), "1 + 1", now); err != nil || r.Type != "scalar" || r.Series[0].Floats[0].F != 2 {
		t.Errorf("scalar %v (%v)", r, err)
	}
	if m, _, err := e.Metrics(t.Context(), "dep", 10); err != nil || len(m) != 1 || m[0].Name != "depth" || m[0].Type != "gauge" {
		t.Errorf("metrics %v (%v)", m, err)
	}
	if v, _, err := e.Values(t.Context(), "queue", `depth`, 10); err != nil || fmt.Sprint(v) != "[a]" {
		t.Errorf("values %v (%v)", v, err)
	}
	if _, err := e.Query(t.Context(), "sum(", now); !errors.Is(err, query.ErrQuery) || !strings.Contains(err.Error(), "parse error") {
		t.Errorf("error %v", err)
	}
	api := httptest.NewServer(e.Handler())
	defer api.Close()
	for path, want := range map[string]string{
		"/api/v1/query?query=depth": `200 {"status":"success"`, "/api/v1/labels": `"queue"`, "/api/v1/alerts": `"alertname":"Deep"`, "/api/v1/rules": `"name":"Deep"`, "/api/v1/write": "404 metrics are kept elsewhere",
		"/federate?match[]=depth": `depth{`,
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, api.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer ours")
		req.Header.Set("Cookie", "session=ours")
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		b, _ := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if got := fmt.Sprint(res.StatusCode, " ", string(b)); !strings.Contains(got, want) {
			t.Errorf("GET %s: %s", path, got)
		}
	}
	away.Store(true)
	if _, err := e.Query(t.Context(), "depth", now); !errors.Is(err, query.ErrAway) || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("error %v", err)
	}
}

func TestOtherPrometheusesThatAreRefused(t *testing.T) {
	for want, c := range map[string]outside.Config{
		"not an address": {URL: "prometheus:9090"}, "no password": {URL: "http://u:p@prometheus:9090"}, "exclude": {URL: "http://prometheus:9090", Username: "u", Token: "t"},
	} {
		if err := c.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one about %q", err, want)
		}
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "prometheus.yml")
	for name, text := range map[string]string{"prometheus.yml": "rule_files: [rules.yml]\n", "rules.yml": "groups: [{name: g, rules: [{record: 'a:b', expr: 'up'}]}]\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	e, err := metrics.New(metrics.Config{Dir: dir, File: file, Retention: time.Hour, QueryTimeout: time.Minute, ScrapeInterval: time.Second, EvaluationInterval: time.Second,
		Outside: &outside.Config{URL: "http://127.0.0.1:1", Timeout: time.Second}}, metrics.Deps{Logger: slog.New(slog.DiscardHandler), Registry: prometheus.NewRegistry()})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "load") {
		t.Errorf("error %v", err)
	}
}
