package alerting_test

import (
	"context"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/weirflow/weirflow/services/alerting"
	"github.com/weirflow/weirflow/services/platform/kafka/kafkatest"
	"github.com/weirflow/weirflow/services/platform/status"
)

// TestShippedRules: they are evaluated without being asked for, beside policies, and
// can be left out.
func TestShippedRules(t *testing.T) {
	for _, on := range []bool{true, false} {
		name := map[bool]string{true: "by default", false: "left out"}[on]
		t.Run(name, func(t *testing.T) {
			cfg := alerting.DefaultConfig()
			if !cfg.ShippedRules {
				t.Error("they are off by default")
			}
			cfg.ShippedRules, cfg.DataDir, cfg.Listen, cfg.Kafka = on, filepath.Join(t.TempDir(), "data"), "127.0.0.1:0", kafkatest.Start(t)
			cfg.Metrics.EvaluationInterval, cfg.Metrics.Targets = 100*time.Millisecond, alerting.Targets{}
			registry := prometheus.NewRegistry()
			s, err := alerting.New(cfg, alerting.Deps{Logger: slog.New(slog.DiscardHandler), Registry: registry, Board: status.New("alerting", "test"), Book: book(t)})
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
			rules := func() string { return get(t, "http://"+s.Addr()+"/api/v1/rules", "") }
			for end := time.Now().Add(20 * time.Second); on && !strings.Contains(rules(), `"health":"ok"`); time.Sleep(20 * time.Millisecond) {
				if time.Now().After(end) {
					t.Fatalf("they are not evaluated: %s", rules())
				}
			}
			if got := strings.Contains(rules(), "WeirflowJobFailed"); got != on {
				t.Errorf("rules: %s", rules())
			}
			res, err := http.Post("http://"+s.Addr()+"/-/reload", "", nil) //nolint:noctx // a test
			if err != nil || res.Body.Close() != nil || res.StatusCode != http.StatusOK {
				t.Fatalf("reload: %v %v", res, err)
			}
			if got := strings.Contains(rules(), "WeirflowJobFailed"); got != on {
				t.Errorf("after a reload: %s", rules())
			}
		})
	}
}
