// Package blackhole is the connector that takes rows and forgets them.
package blackhole

import (
	"context"
	"time"

	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/connector"
	"github.com/weirflow/weirflow/services/transform/internal/exec"
	"github.com/weirflow/weirflow/services/transform/internal/plan"
)

// Factory makes sinks that keep nothing.
func Factory() connector.Factory {
	return connector.Factory{
		Options: func(map[string]string) []connector.Option { return nil },
		Sink: func(connector.Env, *plan.Sink, *connector.Options) (connector.Sink, error) {
			return sink{}, nil
		},
	}
}

type sink struct{}

func (sink) Write(*column.Batch, *exec.Receipt) error { return nil }
func (sink) Poll(time.Time) error                     { return nil }
func (sink) Flush(context.Context) error              { return nil }
func (sink) Close() error                             { return nil }
