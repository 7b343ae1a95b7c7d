//go:build integration

package integration

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// bin is the folder of the built binaries.
func bin(name string) string {
	dir := os.Getenv("WEIRFLOW_BIN")
	if dir == "" {
		dir = filepath.Join("..", "bin")
	}
	abs, err := filepath.Abs(filepath.Join(dir, name))
	if err != nil {
		panic(err)
	}
	return abs
}

// env returns a variable that scripts/integration.sh sets.
func env(t *testing.T, name string) string {
	t.Helper()
	v := os.Getenv(name)
	if v == "" {
		t.Fatalf("%s is not set: run the tests with scripts/integration.sh", name)
	}
	return v
}

// freePorts returns loopback ports that nothing uses, below those that the
// system gives to outgoing connections.
func freePorts(t *testing.T, n int) []string {
	t.Helper()
	var out []string
	portMu.Lock()
	defer portMu.Unlock()
	for len(out) < n {
		nextPort++
		addr := fmt.Sprintf("127.0.0.1:%d", nextPort)
		l, err := net.Listen("tcp", addr)
		if err != nil {
			continue
		}
		_ = l.Close()
		out = append(out, addr)
	}
	return out
}

var (
	portMu   sync.Mutex
	nextPort = 21000 + os.Getpid()%5000
)

// process is a running binary.
type process struct {
	t    *testing.T
	name string
	cmd  *exec.Cmd
	out  *lockedBuffer
	err  *lockedBuffer
	done chan struct{}
	code int
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// launch starts a binary, which is killed at the test's end if it still runs.
func launch(t *testing.T, dir, name string, args ...string) *process {
	t.Helper()
	p := &process{t: t, name: name, cmd: exec.Command(bin(name), args...), out: &lockedBuffer{}, err: &lockedBuffer{}, done: make(chan struct{})}
	p.cmd.Dir, p.cmd.Stdout, p.cmd.Stderr = dir, p.out, p.err
	if err := p.cmd.Start(); err != nil {
		t.Fatalf("start %s: %v", name, err)
	}
	go func() {
		defer close(p.done)
		err := p.cmd.Wait()
		if exit, ok := errors.AsType[*exec.ExitError](err); ok {
			p.code = exit.ExitCode()
		}
	}()
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			tail(t, name, p.err.String())
		}
	})
	return p
}

func tail(t *testing.T, name, text string) {
	rows := strings.Split(strings.TrimSpace(text), "\n")
	t.Logf("--- %s, its last log lines:\n%s", name, strings.Join(rows[max(0, len(rows)-25):], "\n"))
}

// kill ends the process as a crash does.
func (p *process) kill() {
	_ = p.cmd.Process.Signal(syscall.SIGKILL)
	<-p.done
}

// stop ends the process as Ctrl-C does and returns its exit code.
func (p *process) stop() int {
	p.t.Helper()
	_ = p.cmd.Process.Signal(syscall.SIGINT)
	select {
	case <-p.done:
	case <-time.After(30 * time.Second):
		_ = p.cmd.Process.Signal(syscall.SIGQUIT) // its goroutines, for whoever reads the log
		<-p.done
		p.t.Errorf("%s did not stop within 30 s of an interrupt", p.name)
	}
	return p.code
}

// exits waits for the process to end by itself.
func (p *process) exits(within time.Duration) int {
	p.t.Helper()
	select {
	case <-p.done:
	case <-time.After(within):
		p.t.Fatalf("%s still runs after %s", p.name, within)
	}
	return p.code
}

// eventually waits for ok to hold.
func eventually(t *testing.T, within time.Duration, what string, ok func() error) {
	t.Helper()
	var err error
	for end := time.Now().Add(within); ; time.Sleep(20 * time.Millisecond) {
		if err = ok(); err == nil {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%s: not within %s: %v", what, within, err)
		}
	}
}

func writeFile(t *testing.T, name, text string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func appendFile(t *testing.T, name, text string) {
	t.Helper()
	f, err := os.OpenFile(name, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(f, text); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}
