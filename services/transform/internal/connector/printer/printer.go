// Package printer is the print connector: rows as lines of text.
package printer

import (
	"context"
	"time"

	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/connector"
	"github.com/weirflow/weirflow/services/transform/internal/eval"
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
			return &sink{out: env.Print, prefix: o.Text("print-identifier")}, nil
		},
	}
}

type sink struct {
	out    connector.Printer
	prefix string
	line   []byte
}

func (s *sink) Write(b *column.Batch, _ *exec.Receipt) error {
	if s.out == nil {
		return nil
	}
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
			if col.IsNull(i) {
				s.line = append(s.line, "null"...)
				continue
			}
			s.line = eval.AppendText(s.line, col, i, time.UTC)
		}
		s.line = append(s.line, ']')
		s.out.Println(s.line)
	}
	return nil
}

func (s *sink) Poll(time.Time) error        { return nil }
func (s *sink) Flush(context.Context) error { return nil }
func (s *sink) Close() error                { return nil }
