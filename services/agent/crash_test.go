package agent_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// waitCount waits until a sink has so many events.
func waitCount(t *testing.T, s *sink, n int, limit time.Duration) {
	t.Helper()
	for end := time.Now().Add(limit); s.len() < n; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d events of %d after %v", s.len(), n, limit)
		}
	}
}

// checkExactlyOnce checks that each line has come, and that what came twice has
// come under the same identity.
func checkExactlyOnce(t *testing.T, events []sunk, lines int) {
	t.Helper()
	byID, byLine := map[string]string{}, map[string]string{}
	for _, e := range events {
		if old, ok := byID[e.id()]; ok && old != e.item {
			t.Fatalf("%s names %q and %q", e.id(), old, e.item)
		}
		byID[e.id()] = e.item
		number, _, _ := strings.Cut(e.item, " ")
		if old, ok := byLine[number]; ok && old != e.id() {
			t.Fatalf("line %s has come as %s and %s", number, old, e.id())
		}
		byLine[number] = e.id()
	}
	for i := range lines {
		if byLine[fmt.Sprintf("%09d", i)] == "" {
			t.Fatalf("line %d is missing (of %d; %d came)", i, lines, len(byLine))
		}
	}
	if len(byLine) != lines {
		t.Fatalf("%d lines, want %d", len(byLine), lines)
	}
}

// TestKill kills the agent again and again while it reads a file that grows.
func TestKill(t *testing.T) {
	t.Parallel()
	const lines, kills = 200_000, 6
	dir := t.TempDir()
	in := filepath.Join(dir, "in.log")
	s := startSink(t, &sink{keep: true, delay: 20 * time.Millisecond}, "127.0.0.1:0")
	config := fmt.Sprintf("filebeat.inputs:\n- type: log\n  paths: [%s/in.log]\n  scan_frequency: 100ms\nfilebeat.registry.flush: 50ms\noutput.ingest:\n  hosts: [%q]\n  backoff.init: 10ms\n", dir, s.addr)
	written := 0
	for range kills {
		writeLines(t, in, written, lines/kills, 121)
		written += lines / kills
		cmd := agentCommand(t, dir, config)
		cmd.Stderr = nil
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(50+rand.IntN(250)) * time.Millisecond)
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait() // it was killed
	}
	cmd := agentCommand(t, dir, config, "--once")
	cmd.Stderr = nil
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	checkExactlyOnce(t, s.all(), written)
}

// TestRotation rotates a file by renaming, faster than the agent looks, while
// the agent is stopped and started.
func TestRotation(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"log", "filestream"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			const rounds, each = 20, 500
			dir := t.TempDir()
			in := filepath.Join(dir, "in.log")
			s := startSink(t, &sink{keep: true}, "127.0.0.1:0")
			every := "scan_frequency"
			if kind == "filestream" {
				every = "id: one\n  prospector.scanner.check_interval"
			}
			config := fmt.Sprintf("filebeat.inputs:\n- type: %s\n  paths: [%s/in.log*]\n  %s: 200ms\noutput.ingest.hosts: [%q]\n", kind, dir, every, s.addr)
			stop := startAgent(t, dir, config)
			for i := range rounds {
				writeLines(t, in, i*each, each, 80)
				time.Sleep(time.Duration(rand.IntN(15)) * time.Millisecond)
				if i%7 == 6 {
					stop()
					stop = startAgent(t, dir, config)
				}
				if err := os.Rename(in, fmt.Sprintf("%s.%d", in, i)); err != nil {
					t.Fatal(err)
				}
			}
			waitCount(t, s, rounds*each, 10*time.Second)
			stop()
			checkExactlyOnce(t, s.all(), rounds*each)
		})
	}
}

// TestRenamedWhileStopped has a file renamed, out of the pattern, before all of
// it was read.
func TestRenamedWhileStopped(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	in := filepath.Join(dir, "in.log")
	s := startSink(t, &sink{keep: true}, "127.0.0.1:0")
	config := fmt.Sprintf("filebeat.inputs:\n- type: log\n  paths: [%s/in.log]\noutput.ingest.hosts: [%q]\n", dir, s.addr)
	writeLines(t, in, 0, 100, 80)
	stop := startAgent(t, dir, config)
	waitCount(t, s, 100, 5*time.Second)
	stop()
	writeLines(t, in, 100, 100, 80)
	if err := os.Rename(in, in+".1"); err != nil {
		t.Fatal(err)
	}
	writeLines(t, in, 200, 100, 80)
	stop = startAgent(t, dir, config)
	waitCount(t, s, 300, 5*time.Second)
	stop()
	checkExactlyOnce(t, s.all(), 300)
}

// TestIngestComesBack has ingest away at first, and again in between.
func TestIngestComesBack(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	in := filepath.Join(dir, "in.log")
	first := startSink(t, &sink{keep: true, mute: true}, "127.0.0.1:0")
	config := fmt.Sprintf("filebeat.inputs:\n- type: log\n  paths: [%s/in.log]\noutput.ingest:\n  hosts: [%q]\n  backoff.init: 20ms\n  backoff.max: 50ms\n", dir, first.addr)
	writeLines(t, in, 0, 1000, 80)
	stop := startAgent(t, dir, config)
	waitCount(t, first, 1000, 5*time.Second) // taken, not acknowledged
	first.server.Stop()
	writeLines(t, in, 1000, 1000, 80)
	second := startSink(t, &sink{keep: true}, first.addr)
	waitCount(t, second, 2000, 10*time.Second)
	stop()
	checkExactlyOnce(t, append(first.all(), second.all()...), 2000)
}
