package transform

import (
	"context"
	"fmt"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/weirflow/weirflow/services/transform/internal/job"
)

// registerMetrics exports how the jobs do. Events are counted in the ledger.
func registerMetrics(mp metric.MeterProvider, jobs *job.Manager) error {
	m := mp.Meter("github.com/weirflow/weirflow/services/transform")
	state, err := m.Int64ObservableGauge("weirflow_transform_job_state", metric.WithDescription("1 for the state that a job is in."))
	if err != nil {
		return fmt.Errorf("make transform metrics: %w", err)
	}
	restarts, err := m.Int64ObservableCounter("weirflow_transform_job_restarts", metric.WithDescription("Restarts of a job since it was started."))
	if err != nil {
		return fmt.Errorf("make transform metrics: %w", err)
	}
	lag, err := m.Int64ObservableGauge("weirflow_transform_source_lag_records", metric.WithDescription("Records of a partition that are not read yet."))
	if err != nil {
		return fmt.Errorf("make transform metrics: %w", err)
	}
	figures, err := stateMetrics(m)
	if err != nil {
		return err
	}
	_, err = m.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		for _, j := range jobs.Own() {
			name := attribute.String("job", j.GetName())
			o.ObserveInt64(state, 1, metric.WithAttributes(name, attribute.String("state", j.GetStatus().GetState().String())))
			o.ObserveInt64(restarts, int64(j.GetStatus().GetRestarts()), metric.WithAttributes(name))
			figures.observe(o, j)
			for _, p := range j.GetStatus().GetSources() {
				o.ObserveInt64(lag, p.GetLag(), metric.WithAttributes(name, attribute.String("table", p.GetTable()),
					attribute.String("topic", p.GetTopic()), attribute.Int("partition", int(p.GetPartition()))))
			}
		}
		return nil
	}, append(figures.all(), state, restarts, lag)...)
	if err != nil {
		return fmt.Errorf("register transform metrics: %w", err)
	}
	return nil
}
