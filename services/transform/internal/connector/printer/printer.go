// Package printer is the print connector: rows as lines of text, as Flink prints them.
package printer

import (
	"context"
	"io"
	"os"
	"sync"
	"time"

	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/connector"
	"github.com/weirflow/weirflow/services/transform/internal/exec"
	"github.com/weirflow/weirflow/services/transform/internal/plan"
)

// Factory makes sinks that print.
func Factory() connector.Factory {
	return connector.Factory{
		Options: func(map[string]string) []connector.Option {
			return []connector.Option{
				{Key: "print-identifier"}, {Key: "standard-error", Kind: connector.Bool, Default: "false"},
				{Key: "sink.parallelism", Kind: connector.Int},
			}
		},
		Sink: func(env connector.Env, _ *plan.Sink, o *connector.Options) (connector.Sink, error) {
			return &sink{out: target(env, o.Bool("standard-error")), prefix: o.Text("print-identifier")}, nil
		},
	}
}

// target is where lines go: to whom the run prints, or to the process's own output.
func target(env connector.Env, standardError bool) connector.Printer {
	switch {
	case standardError:
		return &stream{w: os.Stderr}
	case env.Print != nil:
		return env.Print
	default:
		return &stream{w: os.Stdout}
	}
}

// stream writes lines whole.
type stream struct {
	mu  sync.Mutex
	w   io.Writer
	buf []byte
}

// Println writes a line.
func (s *stream) Println(line []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.buf = append(append(s.buf[:0], line...), '\n')
	_, _ = s.w.Write(s.buf) // there is nobody to tell
}

type sink struct {
	out    connector.Printer
	prefix string
	line   []byte
}

// Write prints the rows.
func (s *sink) Write(b *column.Batch, _ *exec.Receipt) error {
	for i := range b.Len {
		s.line = s.line[:0]
		if s.prefix != "" {
			s.line = append(append(s.line, s.prefix...), "> "...)
		}
		s.line = append(append(s.line, b.Kind(i).String()...), '[')
		for c, col := range b.Cols {
			if c > 0 {
				s.line = append(s.line, ", "...)
			}
			s.line = appendValue(s.line, col, i)
		}
		s.line = append(s.line, ']')
		s.out.Println(s.line)
	}
	return nil
}

func (s *sink) Poll(time.Time) error        { return nil }
func (s *sink) Flush(context.Context) error { return nil }
func (s *sink) Close() error                { return nil }
