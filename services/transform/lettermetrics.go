package transform

import (
	"context"
	"fmt"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/weirflow/weirflow/services/transform/internal/deadletter"
	"github.com/weirflow/weirflow/services/transform/internal/job"
)

// letterMetrics exports how many letters of a job are in which state, where the job
// runs or ran last: other instances know the same.
func letterMetrics(mp metric.MeterProvider, instance string, jobs *job.Manager, k *deadletter.Keeper) error {
	m := mp.Meter("github.com/weirflow/weirflow/services/transform")
	letters, err := m.Int64ObservableGauge("weirflow_transform_dead_letters", metric.WithDescription("Dead letters of a job that are kept, by what became of them."))
	if err != nil {
		return fmt.Errorf("make transform metrics: %w", err)
	}
	_, err = m.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		all := k.Tallies()
		for _, j := range jobs.List() {
			if j.GetStatus().GetInstance() != instance {
				continue
			}
			name, t := j.GetName(), all[j.GetName()]
			for state, n := range map[string]int64{"open": t.Open, "replayed": t.Replayed, "discarded": t.Discarded} {
				o.ObserveInt64(letters, n, metric.WithAttributes(attribute.String("job", name), attribute.String("state", state)))
			}
		}
		return nil
	}, letters)
	if err != nil {
		return fmt.Errorf("register transform metrics: %w", err)
	}
	return nil
}
