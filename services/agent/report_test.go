package agent_test

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	agentv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/agent/v1"
)

// TestReports tells ingest how far files are read, and says goodbye.
func TestReports(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	in := filepath.Join(dir, "in.log")
	to := startSink(t, &sink{keep: true}, "127.0.0.1:0")
	writeLines(t, in, 0, 1000, 80)
	stop := startAgent(t, dir, fmt.Sprintf("name: web-1\nfilebeat.inputs:\n- type: log\n  paths: [%s/in.log]\noutput.ingest:\n  hosts: [%q]\n", dir, to.addr))
	waitCount(t, to, 1000, 5*time.Second)
	if first := lastReport(to); first.GetId() == "" || first.GetName() != "web-1" || first.GetOutput() != "ingest" || first.GetStopping() || first.GetIntervalMillis() == 0 {
		t.Errorf("the first report is %v", first)
	}
	stop()
	last := lastReport(to)
	if !last.GetStopping() || len(last.GetFiles()) != 1 || last.GetFileCount() != 1 || last.GetLines() != 1000 {
		t.Fatalf("the last report is %v", last)
	}
	if st := last.GetStages(); len(st) == 0 || st[0].GetService() != "agent" || st[0].GetIn() != 1000 || st[0].GetOut() != 1000 || st[0].GetInFlight() != 0 {
		t.Errorf("the last report's ledger is %v", st)
	}
	f := last.GetFiles()[0]
	if f.GetPath() != in || f.GetSize() == 0 || f.GetOffset() != f.GetSize() || f.GetLagBytes() != 0 || last.GetLagBytes() != 0 || f.GetId() != to.all()[0].file {
		t.Errorf("the file is %v", f)
	}
}

func lastReport(s *sink) *agentv1.Agent {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.reports) == 0 {
		return nil
	}
	return s.reports[len(s.reports)-1]
}
