package ingest

import (
	"context"
	"fmt"

	"go.opentelemetry.io/otel/metric"

	eventv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/event/v1"
	"github.com/weirflow/weirflow/services/ingest/internal/render"
)

type metrics struct {
	streams  metric.Int64UpDownCounter
	batches  metric.Int64Counter
	bytes    metric.Int64Counter
	rejected metric.Int64Counter
}

func newMetrics(mp metric.MeterProvider) (*metrics, error) {
	m := mp.Meter("github.com/weirflow/weirflow/services/ingest")
	var out metrics
	var err error
	if out.streams, err = m.Int64UpDownCounter("weirflow_ingest_streams", metric.WithDescription("Push streams that are open.")); err != nil {
		return nil, fmt.Errorf("make ingest metrics: %w", err)
	}
	if out.batches, err = m.Int64Counter("weirflow_ingest_batches", metric.WithDescription("Batches received.")); err != nil {
		return nil, fmt.Errorf("make ingest metrics: %w", err)
	}
	if out.bytes, err = m.Int64Counter("weirflow_ingest_received_bytes", metric.WithDescription("Bytes of event payload received.")); err != nil {
		return nil, fmt.Errorf("make ingest metrics: %w", err)
	}
	if out.rejected, err = m.Int64Counter("weirflow_ingest_events_rejected", metric.WithDescription("Events that could not be rendered.")); err != nil {
		return nil, fmt.Errorf("make ingest metrics: %w", err)
	}
	return &out, nil
}

func (m *metrics) received(ctx context.Context, b *eventv1.EventBatch, out *render.Output) {
	var n, rejected int64
	for _, g := range b.GetGroups() {
		n += int64(len(g.GetPayload()))
	}
	for _, r := range out.Rejections {
		rejected += int64(r.GetCount())
	}
	m.batches.Add(ctx, 1)
	m.bytes.Add(ctx, n)
	if rejected > 0 {
		m.rejected.Add(ctx, rejected)
	}
}
