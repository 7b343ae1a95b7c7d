//go:build integration

package integration

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// tool returns one of the programs that scripts/real/prometheus installs.
func tool(t *testing.T, name string) string {
	t.Helper()
	dir := os.Getenv("PROMETHEUS_BIN")
	if dir == "" {
		t.Skip("PROMETHEUS_BIN is not set: scripts/integration.sh installs Debian's Prometheus where it can")
	}
	return filepath.Join(dir, name)
}

func output(t *testing.T, name string, args ...string) (string, error) {
	t.Helper()
	b, err := exec.Command(name, args...).CombinedOutput()
	return string(b), err
}

// TestRealPrometheus has Debian's Prometheus scrape a service, federate from the
// alerting service and send its alerts there; promtool and amtool work with it, too.
func TestRealPrometheus(t *testing.T) {
	prometheus, promtool, amtool := tool(t, "prometheus"), tool(t, "promtool"), tool(t, "amtool")
	dir, p := t.TempDir(), freePorts(t, 4)
	launch(t, dir, "weirflow", "alerting", "--listen", p[0], "--rpc.listen", p[1], "--admin.listen", p[2], "--data-dir", filepath.Join(dir, "data"),
		"--metrics.scrape-interval", "500ms", "--metrics.targets.alerting", p[2], "--kafka.brokers", "127.0.0.1:1")
	config := writeFile(t, filepath.Join(dir, "prometheus.yml"), fmt.Sprintf(`
global: {scrape_interval: 500ms, evaluation_interval: 500ms}
rule_files: [rules.yml]
alerting: {alertmanagers: [{api_version: v2, static_configs: [{targets: ['%s']}]}]}
scrape_configs:
- {job_name: admin, static_configs: [{targets: ['%s']}]}
- {job_name: federate, honor_labels: true, metrics_path: /federate, params: {'match[]': ['{job="weirflow"}']}, static_configs: [{targets: ['%s']}]}
`, p[0], p[2], p[0]))
	writeFile(t, filepath.Join(dir, "rules.yml"), "groups: [{name: g, rules: [{alert: Elsewhere, expr: 'vector(1)', labels: {severity: page}, annotations: {summary: 'from another Prometheus'}}]}]\n")
	if out, err := output(t, promtool, "check", "config", config); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	cmd := exec.Command(prometheus, "--config.file", config, "--storage.tsdb.path", filepath.Join(dir, "tsdb"), "--web.listen-address", p[3], "--rules.alert.resend-delay", "1s")
	logs := &lockedBuffer{}
	cmd.Stderr = logs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			tail(t, "prometheus", logs.String())
		}
	})
	// It scrapes the service itself, and what the service scraped.
	for _, query := range []string{`process_resident_memory_bytes{job="admin"}`, `process_resident_memory_bytes{job="weirflow",service="alerting"}`} {
		eventually(t, 40*time.Second, query, func() error {
			out, err := output(t, promtool, "query", "instant", "http://"+p[3], query)
			if err == nil && !strings.Contains(out, "=> ") {
				err = fmt.Errorf("nothing: %s", out)
			}
			return err
		})
	}
	// promtool asks us.
	for _, args := range [][]string{
		{"query", "instant", "http://" + p[0], `up{service="alerting"}`}, {"query", "series", "http://" + p[0], "--match", "up"}, {"query", "labels", "http://" + p[0], "service"},
	} {
		if out, err := output(t, promtool, args...); err != nil || !strings.Contains(out, "alerting") {
			t.Errorf("promtool %v: %v\n%s", args, err, out)
		}
	}
	// Its alert is with us, and amtool silences it.
	am := "--alertmanager.url=http://" + p[0]
	eventually(t, 20*time.Second, "the alert of the other Prometheus is here", func() error {
		out, err := output(t, amtool, am, "alert", "query", "alertname=Elsewhere")
		if err == nil && !strings.Contains(out, "from another Prometheus") {
			err = fmt.Errorf("not there: %s", out)
		}
		return err
	})
	if out, err := output(t, amtool, am, "silence", "add", "alertname=Elsewhere", "--author=ann", "--comment=works", "--duration=1h"); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if out, err := output(t, amtool, am, "silence", "query"); err != nil || !strings.Contains(out, "ann") {
		t.Errorf("%v\n%s", err, out)
	}
	eventually(t, 10*time.Second, "the alert is silenced", func() error {
		res, err := http.Get("http://" + p[0] + "/api/v2/alerts?active=false")
		if err != nil {
			return err
		}
		defer func() { _ = res.Body.Close() }()
		var alerts []struct{ Status struct{ State string } }
		if err := json.NewDecoder(res.Body).Decode(&alerts); err != nil {
			return err
		}
		if len(alerts) != 1 || alerts[0].Status.State != "suppressed" {
			return fmt.Errorf("%+v", alerts)
		}
		return nil
	})
}
