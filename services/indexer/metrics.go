package indexer

import (
	"context"
	"fmt"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// registerMetrics exports what each sink has done.
func registerMetrics(mp metric.MeterProvider, s *Service) error {
	m := mp.Meter("github.com/weirflow/weirflow/services/indexer")
	written, err := m.Int64ObservableCounter("weirflow_indexer_documents_written", metric.WithDescription("Documents that the store acknowledged."))
	if err != nil {
		return fmt.Errorf("make indexer metrics: %w", err)
	}
	aside, err := m.Int64ObservableCounter("weirflow_indexer_documents_dead_lettered", metric.WithDescription("Documents that the store refused and that were set aside."))
	if err != nil {
		return fmt.Errorf("make indexer metrics: %w", err)
	}
	_, err = m.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, k := range s.byName {
			spec := k.Spec()
			if spec == nil {
				continue
			}
			at := metric.WithAttributes(attribute.String("job", spec.GetJob()), attribute.String("sink", spec.GetSink()))
			w, a := k.Counts()
			o.ObserveInt64(written, int64(w), at)
			o.ObserveInt64(aside, int64(a), at)
		}
		return nil
	}, written, aside)
	if err != nil {
		return fmt.Errorf("register indexer metrics: %w", err)
	}
	return nil
}
