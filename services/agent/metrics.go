package agent

import (
	"context"
	"errors"
	"fmt"

	"go.opentelemetry.io/otel/metric"
)

// metrics are the agent's own, beside those of the ledger.
type metrics struct {
	ctx       context.Context //nolint:containedctx // instruments want one, counting has none
	open      metric.Int64UpDownCounter
	opened    metric.Int64Counter
	rewritten metric.Int64Counter
	failures  metric.Int64Counter
}

func newMetrics(mp metric.MeterProvider) (*metrics, error) {
	m := mp.Meter("github.com/weirflow/weirflow/services/agent")
	var errs [4]error
	out := &metrics{ctx: context.Background()}
	out.open, errs[0] = m.Int64UpDownCounter("weirflow_agent_files_open", metric.WithDescription("Files that are open."))
	out.opened, errs[1] = m.Int64Counter("weirflow_agent_files_opened", metric.WithDescription("Times that a file was opened."))
	out.rewritten, errs[2] = m.Int64Counter("weirflow_agent_files_rewritten", metric.WithDescription("Times that a file was found cut or written anew."))
	out.failures, errs[3] = m.Int64Counter("weirflow_agent_file_errors", metric.WithDescription("Times that a file could not be read."))
	if err := errors.Join(errs[:]...); err != nil {
		return nil, fmt.Errorf("make metrics: %w", err)
	}
	return out, nil
}

// Opened implements tail.Counter.
func (m *metrics) Opened() { m.open.Add(m.ctx, 1); m.opened.Add(m.ctx, 1) }

// Closed implements tail.Counter.
func (m *metrics) Closed() { m.open.Add(m.ctx, -1) }

// Rewritten implements tail.Counter.
func (m *metrics) Rewritten() { m.rewritten.Add(m.ctx, 1) }

// Failed implements tail.Counter.
func (m *metrics) Failed() { m.failures.Add(m.ctx, 1) }
