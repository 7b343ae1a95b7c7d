//go:build integration

package integration

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// told is a receiver's end that notes which alerts came.
type told struct {
	*httptest.Server
	mu  sync.Mutex
	got []string
}

func newTold(t *testing.T) *told {
	t.Helper()
	h := &told{}
	h.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		var m struct {
			Alerts []struct {
				Status              string
				Labels, Annotations map[string]string
			}
		}
		h.mu.Lock()
		defer h.mu.Unlock()
		if json.Unmarshal(b, &m) != nil || m.Alerts == nil {
			h.got = append(h.got, r.URL.Path+" "+string(b))
			return
		}
		for _, a := range m.Alerts {
			h.got = append(h.got, fmt.Sprintf("%s %s %s: %s", a.Status, a.Labels["alertname"], a.Labels["kind"], a.Annotations["summary"]))
		}
	}))
	t.Cleanup(h.Close)
	return h
}

func (h *told) count(part string) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := 0
	for _, g := range h.got {
		if strings.Contains(g, part) {
			n++
		}
	}
	return n
}

func (h *told) want(t *testing.T, part string, n int) {
	t.Helper()
	eventually(t, 40*time.Second, fmt.Sprintf("%q is told %d times", part, n), func() error {
		if got := h.count(part); got < n {
			return fmt.Errorf("it is told %d times; all: %v", got, h.got)
		}
		return nil
	})
}

// TestAlertingThroughTheGateway goes the whole way of an operator: a policy over lines,
// templates, who is on call, a test of a receiver, a silence and its end.
func TestAlertingThroughTheGateway(t *testing.T) {
	h := newTold(t)
	s := allInOne(t, false)
	am := writeFile(t, filepath.Join(s.dir, "alertmanager.yml"), "route: {receiver: hook, group_by: [alertname, kind], group_wait: 0s, group_interval: 1s}\nreceivers:\n- name: hook\n  webhook_configs: [{url: '"+h.URL+"'}]\n"+
		"- name: words\n  http_configs: [{url: '"+h.URL+"/words', body: '{{ template \"ops.sms.zh\" . }} {{ oncall \"ops\" \"phone\" }}'}]\n")
	s.alerting("--alerting.listen", "127.0.0.1:0", "--alerting.notify.config-file", am, "--alerting.outgoing.allow", "127.0.0.1")
	appendFile(t, s.log(), `{"x": 1}`+"\n")
	s.boot()
	do := func(method, path string, body, out any) {
		t.Helper()
		eventually(t, 40*time.Second, method+" "+path, func() error { return s.call(method, path, body, out) })
	}
	do("PUT", "/api/v1/policies/burst", map[string]any{"logPattern": map[string]any{"topic": s.topic, "regexp": "kind [a-z]+ breaks", "by": []string{"log.file.path"}, "count": 3, "within": "60s", "resolveAfter": "600s"},
		"labels": map[string]string{"kind": "disk"}, "severity": "critical", "annotations": map[string]string{"summary": "{{ $value }} times, the last: {{ $line }}"}}, nil)
	var job struct {
		Job struct{ Status struct{ State string } }
	}
	eventually(t, 40*time.Second, "its job runs", func() error {
		if err := s.call("GET", "/api/v1/jobs/policy-burst", nil, &job); err != nil || job.Job.Status.State != "JOB_STATE_RUNNING" {
			return fmt.Errorf("%v, %w", job, err)
		}
		return nil
	})
	// The job reads from the end of the topic as it is when it begins to, which nobody
	// else can see: lines come until it has counted enough of them.
	i := 0
	eventually(t, 60*time.Second, "it is told", func() error {
		i++
		appendFile(t, s.log(), fmt.Sprintf("kind %c breaks\n", 'a'+i%26))
		time.Sleep(500 * time.Millisecond)
		if h.count("firing burst disk: 3 times, the last: kind ") == 0 {
			return errors.New("nobody was told")
		}
		return nil
	})
	if i < 3 {
		t.Errorf("told of %d lines", i)
	}

	do("PUT", "/api/v1/people/ann", map[string]any{"contacts": map[string]string{"phone": "13800138000"}}, nil)
	do("PUT", "/api/v1/rotas/ops", map[string]any{"timeZone": "Asia/Shanghai", "layers": []map[string]any{{"people": []string{"ann"}, "start": "2026-01-01", "handOver": "09:00", "days": 7}}}, nil)
	do("PUT", "/api/v1/templates", map[string]any{"name": "ops", "channel": "sms", "language": "zh", "text": "告警 {{ .CommonLabels.alertname }}"}, nil)
	var alerts struct {
		Alerts []struct{ Fingerprint, State string }
	}
	do("GET", "/api/v1/alerts", nil, &alerts)
	if len(alerts.Alerts) != 1 {
		t.Fatalf("alerts %v", alerts)
	}
	var tried struct {
		Results []struct{ Channel, Error string }
	}
	eventually(t, 20*time.Second, "the template is taken", func() error {
		if err := s.call("POST", "/api/v1/receivers/words:test", map[string]any{"fingerprint": alerts.Alerts[0].Fingerprint}, &tried); err != nil {
			return err
		}
		if len(tried.Results) != 1 || tried.Results[0].Error != "" {
			return fmt.Errorf("%v", tried)
		}
		return nil
	})
	h.want(t, "/words 告警 burst 13800138000", 1)
	var sent struct {
		Deliveries []struct {
			Receiver string
			Test     bool
		}
	}
	eventually(t, 20*time.Second, "the test is in the history", func() error {
		if err := s.call("GET", "/api/v1/deliveries?text=words", nil, &sent); err != nil || len(sent.Deliveries) == 0 || !sent.Deliveries[0].Test {
			return fmt.Errorf("%v, %w", sent, err)
		}
		return nil
	})

	before := h.count("firing burst")
	var made struct{ Silence struct{ ID string } }
	do("POST", "/api/v1/silences", map[string]any{"matchers": []map[string]any{{"name": "alertname", "value": "burst"}}, "endsAt": time.Now().Add(time.Hour).Format(time.RFC3339), "createdBy": "ann", "comment": "works"}, &made)
	eventually(t, 20*time.Second, "it is silenced", func() error {
		if err := s.call("GET", "/api/v1/alerts", nil, &alerts); err != nil || alerts.Alerts[0].State != "ALERT_STATE_SUPPRESSED" {
			return fmt.Errorf("%v, %w", alerts, err)
		}
		return nil
	})
	do("DELETE", "/api/v1/silences/"+made.Silence.ID, nil, nil)
	h.want(t, "firing burst", before+1)

	do("DELETE", "/api/v1/policies/burst", nil, nil)
	if err := s.call("GET", "/api/v1/jobs/policy-burst", nil, nil); err == nil {
		t.Error("the policy is gone and its job is not")
	}
}

// TestAlertingAsksARealPrometheus has Debian's Prometheus keep the metrics.
func TestAlertingAsksARealPrometheus(t *testing.T) {
	prometheus := tool(t, "prometheus")
	h := newTold(t)
	s := allInOne(t, false)
	p := freePorts(t, 3)
	config := writeFile(t, filepath.Join(s.dir, "prometheus.yml"), "global: {scrape_interval: 500ms}\nscrape_configs:\n- {job_name: weirflow, static_configs: [{targets: ['"+p[1]+"']}]}\n")
	cmd := exec.Command(prometheus, "--config.file", config, "--storage.tsdb.path", filepath.Join(s.dir, "tsdb"), "--web.listen-address", p[0], "--web.external-url", "http://"+p[0]+"/prom", "--web.route-prefix", "/prom")
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
	am := writeFile(t, filepath.Join(s.dir, "alertmanager.yml"), "route: {receiver: hook, group_by: [alertname], group_wait: 0s}\nreceivers: [{name: hook, webhook_configs: [{url: '"+h.URL+"'}]}]\n")
	s.alerting("--alerting.listen", p[2], "--alerting.metrics.external-url", "http://"+p[0]+"/prom", "--alerting.metrics.evaluation-interval", "500ms", "--alerting.shipped-rules=false",
		"--alerting.notify.config-file", am, "--alerting.outgoing.allow", "127.0.0.1", "--admin.listen", p[1])
	appendFile(t, s.log(), "")
	s.boot()
	var answer struct {
		Series []struct {
			Labels  map[string]string
			Samples []struct{ Value float64 }
		}
		Metrics []struct{ Name, Type, Help string }
		Values  []string
	}
	ask := func(path string, ok func() bool) {
		t.Helper()
		eventually(t, 40*time.Second, path, func() error {
			if err := s.call("GET", path, nil, &answer); err != nil {
				return err
			}
			if !ok() {
				return fmt.Errorf("%+v", answer)
			}
			return nil
		})
	}
	ask("/api/v1/metrics:query?expr="+url.QueryEscape(`up{job="weirflow"}`), func() bool {
		return len(answer.Series) == 1 && answer.Series[0].Samples[0].Value == 1 && answer.Series[0].Labels["instance"] == p[1]
	})
	ask("/api/v1/metrics:queryRange?expr=up&step=1s&start="+url.QueryEscape(time.Now().Add(-time.Minute).UTC().Format(time.RFC3339)), func() bool { return len(answer.Series) == 1 && len(answer.Series[0].Samples) > 1 })
	ask("/api/v1/metrics?match=process_resident", func() bool {
		return len(answer.Metrics) == 1 && answer.Metrics[0].Type == "gauge" && answer.Metrics[0].Help != ""
	})
	ask("/api/v1/metrics/labels/job/values?match=up", func() bool { return len(answer.Values) == 1 && answer.Values[0] == "weirflow" })
	// A policy is evaluated here, by queries there; a test of it asks the past there.
	policy := map[string]any{"threshold": map[string]any{"series": "up", "comparison": "COMPARISON_AT_LEAST", "value": 1}, "annotations": map[string]string{"summary": "{{ $value }} is up"}}
	if err := s.call("PUT", "/api/v1/policies/alive", policy, nil); err != nil {
		t.Fatal(err)
	}
	h.want(t, "firing alive : 1 is up", 1)
	policy["name"] = "alive"
	var past struct{ Episodes []struct{ From string } }
	if err := s.call("POST", "/api/v1/policies:test", map[string]any{"policy": policy, "from": time.Now().Add(-10 * time.Minute).UTC().Format(time.RFC3339)}, &past); err != nil || len(past.Episodes) == 0 {
		t.Errorf("episodes %v (%v)", past, err)
	}
	// Prometheus's API passes questions on; what would be written has no place here.
	for path, want := range map[string]int{"/api/v1/query?query=up": 200, "/api/v1/rules": 200, "/api/v1/write": 404} {
		res, err := client.Get("http://" + p[2] + path)
		if err != nil {
			t.Fatal(err)
		}
		b, _ := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if res.StatusCode != want || path == "/api/v1/query?query=up" && !strings.Contains(string(b), p[1]) {
			t.Errorf("GET %s: %d %s", path, res.StatusCode, b)
		}
	}
	if err := s.call("GET", "/api/v1/metrics:query?expr=sum(", nil, nil); err == nil || !strings.Contains(err.Error(), "parse error") {
		t.Errorf("error %v", err)
	}
}
