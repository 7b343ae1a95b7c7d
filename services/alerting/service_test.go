package alerting_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/metric/noop"

	"github.com/weirflow/weirflow/services/alerting"
	"github.com/weirflow/weirflow/services/platform/kafka/kafkatest"
	"github.com/weirflow/weirflow/services/platform/ledger"
	"github.com/weirflow/weirflow/services/platform/status"
)

// TestFromATargetToAReceiver runs the whole way: a target is scraped, a rule over it
// fires, the route leads to a webhook.
func TestFromATargetToAReceiver(t *testing.T) {
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "depth 12\n") }))
	defer target.Close()
	told := make(chan string, 10)
	hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		told <- string(b)
	}))
	defer hook.Close()
	dir := t.TempDir()
	put := func(name, text string) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	put("rules.yml", "groups: [{name: g, rules: [{alert: Deep, expr: 'depth > 10', annotations: {summary: '{{ $value }} waiting'}}]}]\n")
	cfg := alerting.DefaultConfig()
	cfg.DataDir, cfg.Listen, cfg.Outgoing.Allow = filepath.Join(dir, "data"), "127.0.0.1:0", []string{"127.0.0.1"}
	cfg.Metrics.ScrapeInterval, cfg.Metrics.EvaluationInterval = 100*time.Millisecond, 100*time.Millisecond
	cfg.Kafka = kafkatest.Start(t)
	cfg.Metrics.Targets = alerting.Targets{Ingest: []string{strings.TrimPrefix(target.URL, "http://")}}
	cfg.Metrics.ConfigFile = put("prometheus.yml", "global: {evaluation_interval: 100ms}\nrule_files: [rules.yml]\n")
	cfg.Notify.ConfigFile = put("alertmanager.yml", "route: {receiver: hook, group_wait: 0s}\nreceivers: [{name: hook, webhook_configs: [{url: '"+hook.URL+"'}]}]\n")
	s, err := alerting.New(cfg, alerting.Deps{Logger: slog.New(slog.DiscardHandler), Registry: prometheus.NewRegistry(), Board: status.New("alerting", "test"), Book: book(t)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	defer func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}()
	select {
	case text := <-told:
		for _, want := range []string{`"status":"firing"`, `"alertname":"Deep"`, `"service":"ingest"`, `"summary":"12 waiting"`, `"generatorURL":"http://127.0.0.1:8080/`} {
			if !strings.Contains(text, want) {
				t.Errorf("told %s, want %s", text, want)
			}
		}
	case <-time.After(20 * time.Second):
		t.Fatal("nobody was told")
	}
	for path, want := range map[string]string{
		"/api/v1/query?query=depth": `"12"`, "/api/v1/alerts": `"state":"firing"`, "/api/v2/alerts": `"alertname":"Deep"`, "/api/v2/status": `"receiver: hook`,
		"/-/healthy": "healthy", "/-/ready": "ready", "/federate?match[]=depth": "depth{",
	} {
		if got := get(t, "http://"+s.Addr()+path, ""); !strings.Contains(got, want) && path != "/api/v2/status" || !strings.HasPrefix(got, "200 ") {
			t.Errorf("GET %s: %s, want %s", path, got, want)
		}
	}
}

func book(t *testing.T) *ledger.Book {
	t.Helper()
	b, err := ledger.NewBook("alerting", "test", noop.NewMeterProvider())
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func get(t *testing.T, url, token string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	b, _ := io.ReadAll(res.Body)
	return fmt.Sprint(res.StatusCode, " ", string(b))
}

// TestWithoutMetrics has alerts of others only.
func TestWithoutMetrics(t *testing.T) {
	cfg := alerting.DefaultConfig()
	cfg.Kafka = kafkatest.Start(t)
	cfg.DataDir, cfg.Listen, cfg.Metrics.Enabled = t.TempDir(), "127.0.0.1:0", false
	s, err := alerting.New(cfg, alerting.Deps{Logger: slog.New(slog.DiscardHandler), Registry: prometheus.NewRegistry(), Board: status.New("alerting", "test"), Book: book(t)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	defer func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}()
	for path, want := range map[string]string{"/api/v1/query?query=up": "404 metrics are switched off: alerting.metrics.enabled is false", "/api/v2/alerts": "200 []"} {
		if got := get(t, "http://"+s.Addr()+path, ""); !strings.HasPrefix(got, want) {
			t.Errorf("GET %s: %s, want %s", path, got, want)
		}
	}
	if _, err := os.Stat(filepath.Join(cfg.DataDir, "metrics")); err == nil {
		t.Error("there is a store")
	}
}

func TestThePortIsGuarded(t *testing.T) {
	cfg := alerting.DefaultConfig()
	cfg.Kafka = kafkatest.Start(t)
	cfg.DataDir, cfg.Listen, cfg.Token, cfg.Metrics.Targets = t.TempDir(), "127.0.0.1:0", "secret", alerting.Targets{}
	s, err := alerting.New(cfg, alerting.Deps{Logger: slog.New(slog.DiscardHandler), Registry: prometheus.NewRegistry(), Board: status.New("alerting", "test"), Book: book(t)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	defer func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}()
	for _, path := range []string{"/api/v1/query?query=1", "/api/v2/alerts", "/federate"} {
		if got := get(t, "http://"+s.Addr()+path, ""); !strings.HasPrefix(got, "401 ") {
			t.Errorf("GET %s without a token: %s", path, got)
		}
		if got := get(t, "http://"+s.Addr()+path, "secret"); !strings.HasPrefix(got, "200 ") {
			t.Errorf("GET %s with the token: %s", path, got)
		}
	}
	bad := alerting.DefaultConfig()
	bad.Listen, bad.Outgoing.Allow, bad.Metrics.ScrapeInterval = "0.0.0.0:9090", []string{"ten"}, 0
	for _, want := range []string{"alerting.token", "alerting.outgoing.allow", "alerting.metrics.scrape_interval"} {
		if err := bad.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one about %s", err, want)
		}
	}
}
