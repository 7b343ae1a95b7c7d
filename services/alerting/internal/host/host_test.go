package host_test

import (
	"path/filepath"
	"runtime"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/weirflow/weirflow/services/alerting/internal/host"
)

func gather(t *testing.T, dir string) map[string]float64 {
	t.Helper()
	r := prometheus.NewPedanticRegistry()
	r.MustRegister(host.New(dir))
	all, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	out := make(map[string]float64)
	for _, f := range all {
		out[f.GetName()] = f.GetMetric()[0].GetGauge().GetValue()
	}
	return out
}

func TestCollector(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("it is told on Linux only")
	}
	v := gather(t, t.TempDir())
	for _, what := range []struct{ left, of string }{{"disk_free_bytes", "disk_size_bytes"}, {"memory_available_bytes", "memory_size_bytes"}} {
		left, of := v["weirflow_alerting_host_"+what.left], v["weirflow_alerting_host_"+what.of]
		if left <= 0 || of < left {
			t.Errorf("%s is %v of %v", what.left, left, of)
		}
	}
	// Of a folder that is not there nothing is told, rather than that it is full.
	v = gather(t, filepath.Join(t.TempDir(), "missing"))
	if _, ok := v["weirflow_alerting_host_disk_free_bytes"]; ok || len(v) != 2 {
		t.Errorf("of a missing folder: %v", v)
	}
}
