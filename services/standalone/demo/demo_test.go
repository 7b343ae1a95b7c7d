package demo

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
)

func TestSQL(t *testing.T) {
	for _, c := range [...]struct{ name, password, want string }{
		{"plain", "secret", "'connector.password' = 'secret',"},
		{"quote", "it's", "'connector.password' = 'it''s',"},
		{"only quotes", "''", "'connector.password' = '''''',"},
		{"statement", "x'); DROP TABLE a; --", "'connector.password' = 'x''); DROP TABLE a; --',"},
		{"template and markup", `{{.Topic}}<&">`, `'connector.password' = '{{.Topic}}<&">',`},
		{"backslash", `a\'`, `'connector.password' = 'a\''',`},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := SQL(Places{Brokers: "127.0.0.1:9092", SearchURL: "http://127.0.0.1:9200", Username: "elastic", Password: c.password})
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range [...]string{c.want, "'properties.bootstrap.servers' = '127.0.0.1:9092'", "'topic' = '" + Topic + "'", "'connector.index' = '" + Index + "'"} {
				if !strings.Contains(got, want) {
					t.Errorf("without %s:\n%s", want, got)
				}
			}
		})
	}
}

func TestFilebeat(t *testing.T) {
	for _, file := range [...]string{"/tmp/top.log", "/tmp/it's a: #file/top.log", `C:\x\top.log`} {
		var c struct {
			Inputs []struct {
				Type  string   `yaml:"type"`
				Paths []string `yaml:"paths"`
			} `yaml:"filebeat.inputs"`
			Kafka struct {
				Hosts []string `yaml:"hosts"`
				Topic string   `yaml:"topic"`
			} `yaml:"output.kafka"`
		}
		if err := yaml.Unmarshal([]byte(Filebeat(file, "127.0.0.1:9092")), &c); err != nil {
			t.Fatal(err)
		}
		if len(c.Inputs) != 1 || c.Inputs[0].Type != "log" || len(c.Inputs[0].Paths) != 1 || c.Inputs[0].Paths[0] != file || c.Kafka.Topic != Topic || c.Kafka.Hosts[0] != "127.0.0.1:9092" {
			t.Errorf("%s: %+v", file, c)
		}
	}
}

// sampleForm is what a sample of `top -b` looks like, line by line.
var sampleForm = regexp.MustCompile(`^(top - \d\d:\d\d:\d\d up .+, +load average: [\d.]+, [\d.]+, [\d.]+|Tasks: +\d+ total|%Cpu\(s\): +[\d.]+ us, +[\d.]+ id|` + //nolint:gochecknoglobals // a constant
	`MiB Mem : +[\d.]+ total, +[\d.]+ free, +[\d.]+ used, +[\d.]+ buff/cache| +PID USER +S +%CPU +%MEM +TIME\+ COMMAND| *\d+ .{9} \S +[\d.]+ +[\d.]+ +[\d.]+ .+|)$`)

func checkSample(t *testing.T, text string) {
	t.Helper()
	rows := 0
	for l := range strings.SplitSeq(text, "\n") {
		if !sampleForm.MatchString(l) {
			t.Errorf("a line that top would not print: %q", l)
		}
		rows++
	}
	if rows < 7 || !strings.HasSuffix(text, "\n") {
		t.Errorf("%d lines: %q", rows, text)
	}
}

func TestBuiltinSample(t *testing.T) {
	var b bytes.Buffer
	if err := writeSample(t.Context(), &b); err != nil {
		t.Fatal(err)
	}
	checkSample(t, b.String())
}

// sampled runs a sampler until its file holds a text.
func sampled(t *testing.T, top, want string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "deep", "top.log")
	s := &Sampler{File: file, Interval: 20 * time.Millisecond, Logger: slog.New(slog.DiscardHandler), Top: top}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	defer func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if b, err := os.ReadFile(file); err == nil && strings.Contains(string(b), want) {
			return string(b)
		}
	}
	t.Fatalf("%q was not written", want)
	return ""
}

func script(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "top")
	if err := os.WriteFile(name, []byte("#!/bin/sh\n"+text), 0o700); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestSamplerWithTop(t *testing.T) {
	got := sampled(t, script(t, "echo \"args $*\"; echo last; exec sleep 60"), "last\n")
	if got != "args -b -d 0.02\nlast\n" {
		t.Errorf("%q", got)
	}
}

func TestSamplerGoesOnWithoutTop(t *testing.T) {
	for name, top := range map[string]string{"top fails": script(t, "exit 3"), "no such program": "/no/such/top"} {
		t.Run(name, func(t *testing.T) { checkSample(t, strings.TrimRight(sampled(t, top, "COMMAND\n"), " ")+"") })
	}
}

// TestRotationLosesNoLine writes more than a file holds, in pieces that end
// anywhere, and puts the two files together again.
func TestRotationLosesNoLine(t *testing.T) {
	name := filepath.Join(t.TempDir(), "top.log")
	w := &rotating{name: name}
	var all bytes.Buffer
	for i := 0; all.Len() < maxFile+maxFile/2; i++ {
		fmt.Fprintf(&all, "line %d %s\n", i, strings.Repeat("x", i%300))
	}
	text := all.Bytes()
	for i := 0; len(text) > 0; i++ {
		n := min(1+i*7919%40_000, len(text))
		if i%3 == 0 { // top prints a sample at once
			if k := bytes.LastIndexByte(text[:n], '\n'); k >= 0 {
				n = k + 1
			}
		}
		if k, err := w.Write(text[:n]); err != nil || k != n {
			t.Fatal(k, err)
		}
		text = text[n:]
	}
	w.close()
	old, err := os.ReadFile(name + ".1")
	if err != nil {
		t.Fatal(err)
	}
	cur, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if len(old) < maxFile || !bytes.HasSuffix(old, []byte{'\n'}) {
		t.Errorf("the old file has %d bytes and ends in %q", len(old), old[len(old)-5:])
	}
	if !bytes.Equal(append(old, cur...), all.Bytes()) {
		t.Error("lines were lost or changed")
	}
}
