package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// proc is a process whose CPU time and memory are measured.
type proc struct {
	name  string
	cmd   *exec.Cmd
	pid   int              // of one that was not started here
	usage *os.ProcessState // once it has ended
}

func (b *bench) start(name string, args ...string) (*proc, error) {
	p := &proc{name: strings.TrimPrefix(name, "weirflow-"), cmd: exec.Command(filepath.Join(b.bin, name), args...)} //nolint:gosec // the binaries that are measured
	p.cmd.Stderr = os.Stderr
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	return p, nil
}

// wait waits for the process to end by itself.
func (p *proc) wait() error {
	err := p.cmd.Wait()
	p.usage = p.cmd.ProcessState
	if err != nil {
		return fmt.Errorf("%s: %w", p.name, err)
	}
	return nil
}

func (p *proc) stop() {
	if p.usage == nil {
		_ = p.cmd.Process.Signal(syscall.SIGTERM)
		_ = p.wait()
	}
}

// cpu is the user and system time so far, in seconds.
func (p *proc) cpu() float64 {
	if p.usage != nil {
		return (p.usage.UserTime() + p.usage.SystemTime()).Seconds()
	}
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.id()))
	if err != nil {
		return -1
	}
	_, rest, _ := strings.Cut(string(b), ") ") // the name may hold anything
	f := strings.Fields(rest)
	user, _ := strconv.ParseFloat(f[11], 64)
	system, _ := strconv.ParseFloat(f[12], 64)
	const ticksPerSecond = 100 // USER_HZ, which Linux fixes for /proc
	return (user + system) / ticksPerSecond
}

// peak is the largest resident memory so far, in MiB.
func (p *proc) peak() float64 {
	if p.usage != nil {
		if u, ok := p.usage.SysUsage().(*syscall.Rusage); ok {
			return float64(u.Maxrss) / 1024
		}
		return -1
	}
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.id()))
	if err != nil {
		return -1
	}
	for row := range strings.Lines(string(b)) {
		if v, ok := strings.CutPrefix(row, "VmHWM:"); ok {
			kib, _ := strconv.ParseFloat(strings.Fields(v)[0], 64)
			return kib / 1024
		}
	}
	return -1
}

// waitFor waits until something listens at an address.
func waitFor(addr string) error {
	var err error
	for range 300 {
		var c net.Conn
		if c, err = net.Dial("tcp", addr); err == nil {
			return c.Close()
		}
		time.Sleep(50 * time.Millisecond)
	}
	return fmt.Errorf("wait for %s: %w", addr, err)
}
