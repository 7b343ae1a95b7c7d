package agent_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/weirflow/weirflow/services/agent"
)

// TestOddBytes has lines that are hard to carry arrive as they are.
func TestOddBytes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := startSink(t, &sink{keep: true}, "127.0.0.1:0")
	long := strings.Repeat("L", 10<<20)
	want := []string{"nul \x00", "bad \xff\xfe", long, "last"}
	if err := os.WriteFile(filepath.Join(dir, "in.log"), []byte(strings.Join(want, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	stop := startAgent(t, dir, fmt.Sprintf("filebeat.inputs:\n- type: log\n  paths: [%s/in.log]\noutput.ingest.hosts: [%q]\n", dir, s.addr))
	waitCount(t, s, len(want), 10*time.Second)
	stop()
	for i, e := range s.all() {
		if e.item != want[i] || e.json {
			t.Errorf("line %d: %d bytes %.20q, want %d", i, len(e.item), e.item, len(want[i]))
		}
	}
}

// lockedBytes is a buffer that a process writes while a test reads it.
type lockedBytes struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBytes) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBytes) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// TestFullDisk has the registry run out of room: no line is sent under an
// identity that is not on disk, it is said once, and all goes on when there is
// room again.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	const files = 30
	dir := t.TempDir()
	s := startSink(t, &sink{keep: true}, "127.0.0.1:0")
	for i := range files {
		writeLines(t, filepath.Join(dir, fmt.Sprintf("%d.log", i)), i, 1, 40)
	}
	config := fmt.Sprintf("filebeat.inputs:\n- type: log\n  paths: ['%s/*.log']\nfilebeat.registry.flush: 50ms\noutput.ingest.hosts: [%q]\n", dir, s.addr)
	agentCmd := agentCommand(t, dir, config)
	cmd := exec.Command("sh", append([]string{"-c", `ulimit -S -f 2; exec "$0" "$@"`}, agentCmd.Args...)...)
	cmd.Env = agentCmd.Env
	var log lockedBytes
	cmd.Stderr = &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	const message = "the registry can't be written"
	for end := time.Now().Add(10 * time.Second); !strings.Contains(log.String(), message); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("no word of the full disk; %d events; %s", s.len(), log.String())
		}
	}
	time.Sleep(300 * time.Millisecond)
	if n := s.len(); n == 0 || n >= files {
		t.Errorf("%d events while the disk is full", n)
	}
	if n := strings.Count(log.String(), message); n != 1 {
		t.Errorf("said %d times", n)
	}
	free := unix.Rlimit{Cur: unix.RLIM_INFINITY, Max: unix.RLIM_INFINITY}
	if err := unix.Prlimit(cmd.Process.Pid, unix.RLIMIT_FSIZE, &free, nil); err != nil {
		t.Skipf("can't lift the limit: %v", err)
	}
	waitCount(t, s, files, 20*time.Second)
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("%v: %s", err, log.String())
	}
	checkExactlyOnce(t, s.all(), files)
}

// TestCommandLine checks exit codes and what goes to which stream.
func TestCommandLine(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	writeLines(t, filepath.Join(dir, "in.log"), 0, 3, 40)
	good := fmt.Sprintf("filebeat.inputs:\n- type: log\n  paths: [%s/in.log]\noutput.console: {}\n", dir)
	for _, c := range []struct {
		name, config string
		args         []string
		code         int
		stdout       string
		stderr       string
	}{
		{"once", good, []string{"--once"}, 0, `"message":"000000002 xxx`, "agent is running"},
		{"once again has nothing new", good, []string{"--once"}, 0, "", "agent is running"},
		{"test config", good, []string{"test", "config"}, 0, "Config OK", ""},
		{"bad config", "filebeat.inputs:\n- pathes: [x]\noutput.console: {}\n", nil, 1, "", `did you mean "paths"`},
		{"test bad config", strings.Replace(good, "type: log", "type: lgo", 1), []string{"test", "config"}, 1, "", `did you mean "log"`},
		{"export", good, []string{"export", "config", "-E", "output.kafka.password=hunter2", "-E", "output.kafka.hosts=a", "-E", "output.kafka.topic=t", "-E", "output.kafka.enabled=false"}, 0, "'******'", ""},
		{"version", good, []string{"version"}, 0, "filebeat 8.1.3", ""},
	} {
		t.Run(c.name, func(t *testing.T) { //nolint:paralleltest // one after the other, on one registry
			cmd := agentCommand(t, dir, c.config, c.args...)
			var stdout, stderr bytes.Buffer
			cmd.Stdout, cmd.Stderr = &stdout, &stderr
			err := cmd.Run()
			code := 0
			if exit, ok := errors.AsType[*exec.ExitError](err); ok {
				code = exit.ExitCode()
			}
			if code != c.code || !strings.Contains(stdout.String(), c.stdout) || !strings.Contains(stderr.String(), c.stderr) || c.stdout == "" && stdout.Len() > 0 {
				t.Errorf("exit %d\nstdout %s\nstderr %s", code, stdout.String(), stderr.String())
			}
		})
	}
}

// TestLocked has two agents want one folder.
func TestLocked(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	config := fmt.Sprintf("filebeat.inputs:\n- paths: [%s/in.log]\noutput.console: {}\n", dir)
	deps, err := testDeps(&lockedBuffer{})
	if err != nil {
		t.Fatal(err)
	}
	cfg := agent.DefaultConfig()
	cfg.Files, cfg.Documents, cfg.PathData = nil, []agent.Document{{Name: "f.yml", Text: []byte(config)}}, filepath.Join(dir, "data")
	stop := runAgent(t, cfg, deps)
	defer stop()
	time.Sleep(100 * time.Millisecond)
	second, err := agent.New(cfg, deps)
	if err != nil {
		t.Fatal(err)
	}
	if err := second.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "in use by another process") {
		t.Errorf("got %v", err)
	}
}

// TestIdentityStays has the agent keep its id, and take a new ephemeral one.
func TestIdentityStays(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	in := filepath.Join(dir, "in.log")
	var ids []map[string]string
	for i := range 2 {
		writeLines(t, in, i, 1, 40)
		out := &lockedBuffer{}
		deps, err := testDeps(out)
		if err != nil {
			t.Fatal(err)
		}
		cfg := agent.DefaultConfig()
		cfg.Files, cfg.PathData, cfg.Once = nil, filepath.Join(dir, "data"), true
		cfg.Documents = []agent.Document{{Name: "f.yml", Text: fmt.Appendf(nil, "filebeat.inputs:\n- paths: [%s]\noutput.console: {}\n", in)}}
		s, err := agent.New(cfg, deps)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		var e struct{ Agent map[string]string }
		if lines := out.lines(); len(lines) != 1 || json.Unmarshal([]byte(lines[0]), &e) != nil {
			t.Fatalf("got %v", lines)
		}
		ids = append(ids, e.Agent)
	}
	if ids[0]["id"] != ids[1]["id"] || ids[0]["ephemeral_id"] == ids[1]["ephemeral_id"] || ids[0]["version"] != agent.Compatible {
		t.Errorf("got %v", ids)
	}
}

// TestRejected has ingest refuse an event: it is counted, and the others go on.
func TestRejected(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := startSink(t, &sink{rejectFirst: true}, "127.0.0.1:0")
	writeLines(t, filepath.Join(dir, "in.log"), 0, 10, 40)
	deps, err := testDeps(nil)
	if err != nil {
		t.Fatal(err)
	}
	cfg := agent.DefaultConfig()
	cfg.Files, cfg.PathData, cfg.Once = nil, filepath.Join(dir, "data"), true
	cfg.Documents = []agent.Document{{Name: "f.yml", Text: fmt.Appendf(nil, "filebeat.inputs:\n- paths: [%s/in.log]\noutput.ingest.hosts: [%q]\n", dir, s.addr)}}
	svc, err := agent.New(cfg, deps)
	if err != nil {
		t.Fatal(err)
	}
	if err := svc.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if a := deps.Book.Stage("input").Account(); a.In != 10 || a.Out != 9 || a.DeadLettered != 1 || a.InFlight != 0 {
		t.Errorf("ledger %+v", a)
	}
}
