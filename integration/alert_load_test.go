//go:build integration

package integration

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/durationpb"

	alertv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/alert/v1"
)

// TestPoliciesUnderLoad has alerting evaluate POLICIES policies (1000) over SERIES series
// (100000), each policy over its part of them, for LOAD seconds, and compares with what
// is promised: evaluated within the interval of 15 s, in at most 500 MiB. Without LOAD it
// is skipped. scripts/bench-alerting.sh runs it.
func TestPoliciesUnderLoad(t *testing.T) {
	seconds := number("LOAD", 0)
	if seconds == 0 {
		t.Skip("LOAD is not set: for how many seconds to measure, at least 60")
	}
	policies, series := number("POLICIES", 1000), number("SERIES", 100_000)
	each := series / policies
	var page bytes.Buffer
	for p := range policies {
		fmt.Fprintf(&page, "# TYPE load_%d gauge\n", p)
		for i := range each {
			fmt.Fprintf(&page, "load_%d{instance_id=\"host-%05d\",region=\"region-%d\"} %d\n", p, i, i%5, i)
		}
	}
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(page.Bytes()) }))
	defer target.Close()
	dir, p := t.TempDir(), freePorts(t, 6)
	// Kafka alone, in a process of its own.
	launch(t, dir, "weirflow", "run", "--no-demo", "--data-dir", filepath.Join(dir, "kafka"), "--gateway.listen", "127.0.0.1:0", "--ingest.listen", "127.0.0.1:0", "--admin.listen", "", "--alerting.listen", "",
		"--kafka.listen", p[0], "--search.listen", "127.0.0.1:0")
	config := writeFile(t, filepath.Join(dir, "prometheus.yml"), "global: {scrape_interval: 15s, scrape_timeout: 10s, evaluation_interval: 15s}\nscrape_configs:\n- {job_name: load, static_configs: [{targets: ['"+strings.TrimPrefix(target.URL, "http://")+"']}]}\n")
	proc := launch(t, dir, "weirflow", "alerting", "--listen", p[1], "--rpc.listen", p[2], "--admin.listen", p[3], "--data-dir", filepath.Join(dir, "data"), "--kafka.brokers", p[0],
		"--metrics.config-file", config, "--metrics.targets.alerting", p[3])
	conn, err := grpc.NewClient(p[2], grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	book := alertv1.NewPolicyServiceClient(conn)
	for i := range policies {
		policy := &alertv1.Policy{Name: fmt.Sprintf("load-%d", i), For: durationpb.New(time.Minute), Condition: &alertv1.Policy_Threshold{Threshold: &alertv1.Threshold{
			Series: fmt.Sprintf("load_%d", i), Function: "avg", Window: durationpb.New(5 * time.Minute), Comparison: alertv1.Comparison_COMPARISON_ABOVE, Value: float64(each) - 1.5}}}
		eventually(t, 60*time.Second, "a policy is taken", func() error {
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			_, err := book.PutPolicy(ctx, &alertv1.PutPolicyRequest{Policy: policy})
			return err
		})
	}
	eventually(t, 3*time.Minute, "all policies are evaluated over all series", func() error {
		n, err := ask(p[1], `sum(prometheus_tsdb_head_series)`)
		if err == nil && n < float64(series) {
			err = fmt.Errorf("%v series", n)
		}
		if firing, ferr := ask(p[1], `count(ALERTS{alertstate="firing",alertname=~"load-.*"})`); err == nil && (ferr != nil || firing < float64(policies)) {
			err = fmt.Errorf("%v fire (%w)", firing, ferr)
		}
		return err
	})
	missed, err := ask(p[1], `sum(prometheus_rule_group_iterations_missed_total)`)
	if err != nil {
		t.Fatal(err)
	}
	cpu := processor(t, proc)
	time.Sleep(time.Duration(seconds) * time.Second)
	used := processor(t, proc) - cpu
	late, err := ask(p[1], `sum(prometheus_rule_group_iterations_missed_total)`)
	if err != nil {
		t.Fatal(err)
	}
	longest, err := ask(p[1], `max(max_over_time(prometheus_rule_group_last_duration_seconds[1m]))`)
	if err != nil {
		t.Fatal(err)
	}
	total, err := ask(p[1], `sum(avg_over_time(prometheus_rule_group_last_duration_seconds[1m]))`)
	if err != nil {
		t.Fatal(err)
	}
	peak, now := memory(t, proc, "VmHWM"), memory(t, proc, "VmRSS")
	load, _ := os.ReadFile("/proc/loadavg")
	t.Logf("%d policies, %d series, %d s: missed evaluations %v, of the slowest policy %.3f s, of all together %.1f s (several at once); CPU %.1f%% of one core; memory %d MiB, at most %d MiB; load %s",
		policies, series, seconds, late-missed, longest, total, used/float64(seconds)*100, now, peak, strings.TrimSpace(string(load)))
	if late-missed > 0 || longest > 15 {
		t.Errorf("%v evaluations were missed, the slowest takes %.2f s: more than the interval", late-missed, longest)
	}
	if peak > 500 {
		t.Errorf("memory reached %d MiB, more than 500", peak)
	}
}

// ask puts a query to an API of Prometheus and returns the one value.
func ask(addr, query string) (float64, error) {
	res, err := client.Get("http://" + addr + "/api/v1/query?query=" + url.QueryEscape(query))
	if err != nil {
		return 0, err
	}
	defer func() { _ = res.Body.Close() }()
	var said struct {
		Data struct{ Result []struct{ Value [2]any } }
	}
	b, err := io.ReadAll(res.Body)
	if err != nil {
		return 0, err
	}
	if err := json.Unmarshal(b, &said); err != nil || len(said.Data.Result) != 1 {
		return 0, fmt.Errorf("%s: %s", query, b)
	}
	return strconv.ParseFloat(fmt.Sprint(said.Data.Result[0].Value[1]), 64)
}

// memory reads a line of the process's status, in MiB.
func memory(t *testing.T, p *process, name string) int {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		if f := strings.Fields(line); len(f) > 1 && f[0] == name+":" {
			kb, err := strconv.Atoi(f[1])
			if err != nil {
				t.Fatal(err)
			}
			return kb / 1024
		}
	}
	t.Fatalf("there is no %s", name)
	return 0
}

// processor is the CPU time of the process, in seconds.
func processor(t *testing.T, p *process) float64 {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	f := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
	var ticks float64
	for _, i := range []int{11, 12} { // user and system
		n, err := strconv.ParseFloat(f[i], 64)
		if err != nil {
			t.Fatal(err)
		}
		ticks += n
	}
	return ticks / 100
}
