package transform_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/metric/noop"

	jobv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/job/v1"

	"github.com/weirflow/weirflow/services/platform/kafka/kafkatest"

	"github.com/weirflow/weirflow/services/transform"
)

// TestFlinkMetrics: a job's metrics are there under Flink's names while it runs, and
// what its parameters want pushed is pushed and removed again.
func TestFlinkMetrics(t *testing.T) {
	var pushed, deleted atomic.Int64
	gateway := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, password, _ := r.BasicAuth()
		switch {
		case password != "hush-hush":
			w.WriteHeader(http.StatusUnauthorized)
		case r.Method == http.MethodDelete:
			deleted.Add(1)
			w.WriteHeader(http.StatusAccepted)
		default:
			pushed.Add(1)
		}
	}))
	defer gateway.Close()
	registry := prometheus.NewRegistry()
	cfg := kafkatest.Start(t, "topic-app-info")
	produce(t, cfg, "topic-app-info", 0, 10)
	client, _, stop := start(t, cfg, slog.New(slog.NewTextHandler(t.Output(), nil)), noop.NewMeterProvider(), func(d *transform.Deps) { d.Registry = registry })
	defer stop()
	parameters := map[string]string{"metrics.reporters": "promgateway", "metrics.reporter.promgateway.hostUrl": gateway.URL, "metrics.reporter.promgateway.needBasicAuth": "true",
		"metrics.reporter.promgateway.password": "hush-hush", "metrics.reporter.promgateway.interval": "1 s"}
	made, err := client.CreateJob(t.Context(), &jobv1.CreateJobRequest{Name: "measured", Sql: countingJob(cfg, "topic-app-info", "counted"), Parameters: parameters, Start: true})
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(made.String(), "hush-hush") {
		t.Errorf("the password is told: %v", made)
	}
	value := func(name, operator string) (float64, bool) {
		all, err := registry.Gather()
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range all {
			if f.GetName() != name {
				continue
			}
			for _, m := range f.GetMetric() {
				for _, l := range m.GetLabel() {
					if operator == "" || l.GetName() == "operator_name" && l.GetValue() == operator {
						return m.GetGauge().GetValue(), true
					}
				}
			}
		}
		return 0, false
	}
	eventually(t, "the rows to be counted", func() bool {
		v, _ := value("flink_taskmanager_job_task_operator_numRecordsOut", "Source: src")
		lag, ok := value("flink_taskmanager_job_task_operator_pendingRecords", "")
		done, _ := value("flink_jobmanager_job_numberOfCompletedCheckpoints", "")
		return v == 10 && ok && lag == 0 && done > 0
	})
	if v, ok := value("flink_taskmanager_job_task_busyTimeMsPerSecond", ""); !ok || v < 0 || v > 1000 {
		t.Errorf("busy: %v, %v", v, ok)
	}
	eventually(t, "metrics to be pushed", func() bool { return pushed.Load() > 0 })

	// Stars are not taken for a password, nor sent to another address.
	parameters["metrics.reporter.promgateway.password"] = "******"
	parameters["metrics.reporter.promgateway.hostUrl"] = "http://127.0.0.1:1"
	if _, err := client.CreateJob(t.Context(), &jobv1.CreateJobRequest{Name: "measured", Sql: countingJob(cfg, "topic-app-info", "counted"), Parameters: parameters, Replace: true}); err == nil || !strings.Contains(err.Error(), "masked") {
		t.Errorf("another address with the old password: %v", err)
	}

	if _, err := client.StopJob(t.Context(), &jobv1.StopJobRequest{Name: "measured"}); err != nil {
		t.Fatal(err)
	}
	if deleted.Load() != 1 {
		t.Errorf("removed %d times", deleted.Load())
	}
	if _, ok := value("flink_jobmanager_job_numRestarts", ""); ok {
		t.Error("a stopped job has metrics")
	}
	if _, ok := value("flink_jobmanager_numRunningJobs", ""); !ok {
		t.Error("the process has none")
	}
}
