package filesystem

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/connector"
	"github.com/weirflow/weirflow/services/transform/internal/exec"
	"github.com/weirflow/weirflow/services/transform/internal/format"
	"github.com/weirflow/weirflow/services/transform/internal/plan"
)

// sink appends rows to a new file of the path.
type sink struct {
	file *os.File
	w    *bufio.Writer
	enc  format.Encoder
	line []byte
	held []*exec.Receipt
}

func newSink(env connector.Env, s *plan.Sink, o *connector.Options) (connector.Sink, error) {
	if s.Input.Out().Mode != plan.InsertOnly {
		return nil, fmt.Errorf("table %q: connector 'filesystem' takes new rows only, and the query changes rows", s.Table.Name)
	}
	enc, err := format.NewEncoder(o, o.Text("format"), "", s.Table.Physical)
	if err != nil {
		return nil, err
	}
	dir := localPath(o.Text("path"))
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, fmt.Errorf("table %q: %w", s.Table.Name, err)
	}
	name := filepath.Join(dir, fmt.Sprintf("part-%d-%d", env.Now().UnixNano(), env.Lane))
	file, err := os.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o640) //nolint:gosec // the statement names the path
	if err != nil {
		return nil, fmt.Errorf("table %q: %w", s.Table.Name, err)
	}
	return &sink{file: file, w: bufio.NewWriterSize(file, 1<<18), enc: enc}, nil
}

// Write appends rows.
func (s *sink) Write(b *column.Batch, r *exec.Receipt) error {
	s.enc.Begin()
	for i := range b.Len {
		line, err := s.enc.AppendRow(s.line[:0], b.Cols, i)
		if err != nil {
			return err
		}
		s.line = line
		if _, err := s.w.Write(line); err != nil {
			return err
		}
		if err := s.w.WriteByte('\n'); err != nil {
			return err
		}
	}
	if r != nil {
		r.Hold()
		s.held = append(s.held, r)
	}
	return nil
}

// Poll makes rows durable.
func (s *sink) Poll(time.Time) error {
	if len(s.held) == 0 {
		return nil
	}
	return s.Flush(context.Background())
}

// Flush makes rows durable.
func (s *sink) Flush(context.Context) error {
	err := errors.Join(s.w.Flush(), s.file.Sync())
	for _, r := range s.held {
		r.Release(err)
	}
	s.held = s.held[:0]
	return err
}

// Close closes the file.
func (s *sink) Close() error { return errors.Join(s.Flush(context.Background()), s.file.Close()) }
