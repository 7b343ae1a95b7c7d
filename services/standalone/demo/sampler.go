package demo

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"
)

// Sampler writes what `top -b` prints to a file, for as long as it runs. Where
// the machine has no top, it writes lines of the same form itself.
type Sampler struct {
	// File is appended to, and renamed to File.1 when it is long.
	File string
	// Interval is the time between samples.
	Interval time.Duration
	Logger   *slog.Logger
	// Top is the program; empty: the one on the PATH.
	Top string
}

// maxFile is the length at which the file is renamed.
const maxFile = 8 << 20

// Run samples until the context ends.
func (s *Sampler) Run(ctx context.Context) error {
	if err := os.MkdirAll(filepath.Dir(s.File), 0o700); err != nil {
		return fmt.Errorf("make the sampler's directory: %w", err)
	}
	w := &rotating{name: s.File}
	defer w.close()
	top := s.Top
	if top == "" {
		top, _ = exec.LookPath("top")
	}
	if top != "" {
		err := s.runTop(ctx, top, w)
		if ctx.Err() != nil {
			return nil
		}
		s.Logger.Warn("top ended; sampling goes on without it", "error", err)
	}
	tick := time.NewTicker(s.Interval)
	defer tick.Stop()
	for {
		if err := writeSample(ctx, w); err != nil && ctx.Err() == nil {
			return fmt.Errorf("sample this machine: %w", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func (s *Sampler) runTop(ctx context.Context, top string, w io.Writer) error {
	cmd := exec.CommandContext(ctx, top, "-b", "-d", strconv.FormatFloat(s.Interval.Seconds(), 'f', -1, 64)) //nolint:gosec // a fixed program
	cmd.Env = append(os.Environ(), "TERM=dumb", "LC_ALL=C")
	cmd.Stdout = w
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("run %s: %w: %s", top, err, bytes.TrimSpace(complaint.Bytes()))
	}
	return nil
}

// rotating is a file that is renamed when it is long, at the end of a line.
type rotating struct {
	name string
	f    *os.File
	size int64
}

// Write appends whole lines where it can: it renames only behind a line's end.
func (r *rotating) Write(b []byte) (int, error) {
	if r.f == nil {
		f, err := os.OpenFile(r.name, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			return 0, err
		}
		info, err := f.Stat()
		if err != nil {
			return 0, err
		}
		r.f, r.size = f, info.Size()
	}
	n, err := r.f.Write(b)
	r.size += int64(n)
	if err == nil && r.size >= maxFile && bytes.HasSuffix(b, []byte{'\n'}) {
		r.close()
		err = os.Rename(r.name, r.name+".1")
	}
	return n, err
}

func (r *rotating) close() {
	if r.f != nil {
		_ = r.f.Close()
		r.f = nil
	}
}
