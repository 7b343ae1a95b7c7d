package agent_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// writeLines makes a file of numbered lines of a given length, ends included.
func writeLines(t testing.TB, path string, from, n, length int) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	w := bufio.NewWriterSize(f, 1<<20)
	pad := strings.Repeat("x", length)
	for i := range n {
		head := fmt.Sprintf("%09d ", from+i)
		fmt.Fprintln(w, head+pad[:length-len(head)-1])
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// agentCommand is the agent as a process of its own.
func agentCommand(t testing.TB, dir, config string, args ...string) *exec.Cmd {
	t.Helper()
	file := filepath.Join(dir, "filebeat.yml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, append([]string{"-e", "-c", file, "--path.data", filepath.Join(dir, "data")}, args...)...)
	cmd.Env = append(os.Environ(), roleVariable+"=agent")
	cmd.Stderr = os.Stderr
	return cmd
}

// BenchmarkShip measures the agent's CPU time for a million lines of 121 bytes
// to an ingest service that only counts.
func BenchmarkShip(b *testing.B) {
	const lines = 1_000_000
	dir := b.TempDir()
	writeLines(b, filepath.Join(dir, "in.log"), 0, lines, 121)
	s := startSink(b, &sink{}, "127.0.0.1:0")
	for b.Loop() {
		if err := os.RemoveAll(filepath.Join(dir, "data")); err != nil {
			b.Fatal(err)
		}
		cmd := agentCommand(b, dir, fmt.Sprintf("filebeat.inputs:\n- type: log\n  paths: [%s/in.log]\noutput.ingest.hosts: [%q]\n", dir, s.addr), "--once")
		before, started := s.len(), time.Now()
		if err := cmd.Run(); err != nil {
			b.Fatal(err)
		}
		if got := s.len() - before; got != lines {
			b.Fatalf("%d lines arrived", got)
		}
		b.ReportMetric((cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds(), "cpu-s/1M")
		b.ReportMetric(time.Since(started).Seconds(), "s/1M")
		if u, ok := rusage(cmd.ProcessState); ok {
			b.ReportMetric(float64(u)/1024, "MiB-rss")
		}
	}
}

// rusage is the peak memory of a process that has ended, in KiB.
func rusage(p *os.ProcessState) (int64, bool) {
	u, ok := p.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0, false
	}
	return u.Maxrss, true
}
