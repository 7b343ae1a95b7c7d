package searchstore

import (
	"context"
	"fmt"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/store"
)

// metrics are the store's instruments.
type metrics struct {
	requests  metric.Int64Counter
	seconds   metric.Float64Histogram
	documents metric.Int64Counter
	bulk      metric.Float64Histogram
}

func newMetrics(p metric.MeterProvider, st *store.Store) (*metrics, error) {
	m := p.Meter("github.com/weirflow/weirflow/services/standalone/searchstore")
	out := &metrics{}
	var err error
	if out.requests, err = m.Int64Counter("weirflow_store_requests", metric.WithDescription("Requests by route and status class.")); err != nil {
		return nil, fmt.Errorf("make metrics: %w", err)
	}
	if out.seconds, err = m.Float64Histogram("weirflow_store_request_seconds", metric.WithDescription("Time to answer a request."),
		metric.WithExplicitBucketBoundaries(.001, .005, .01, .05, .1, .5, 1, 5, 30)); err != nil {
		return nil, fmt.Errorf("make metrics: %w", err)
	}
	if out.documents, err = m.Int64Counter("weirflow_store_documents", metric.WithDescription("Document operations by result: ok or failed.")); err != nil {
		return nil, fmt.Errorf("make metrics: %w", err)
	}
	if out.bulk, err = m.Float64Histogram("weirflow_store_bulk_seconds", metric.WithDescription("Time from a bulk's last byte to its durable answer."),
		metric.WithExplicitBucketBoundaries(.001, .005, .01, .05, .1, .5, 1, 5, 30)); err != nil {
		return nil, fmt.Errorf("make metrics: %w", err)
	}
	if err := gauges(m, st); err != nil {
		return nil, fmt.Errorf("make metrics: %w", err)
	}
	return out, nil
}

// gauges are read when metrics are collected.
func gauges(m metric.Meter, st *store.Store) error {
	indices, err := m.Int64ObservableGauge("weirflow_store_indices", metric.WithDescription("Indices."))
	if err != nil {
		return err
	}
	count, err := m.Int64ObservableGauge("weirflow_store_index_documents", metric.WithDescription("Documents in all indices."))
	if err != nil {
		return err
	}
	size, err := m.Int64ObservableGauge("weirflow_store_disk_bytes", metric.WithDescription("Bytes of all indices on disk."))
	if err != nil {
		return err
	}
	_, err = m.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		list := st.All()
		docs, bytes := int64(0), int64(0)
		for _, ix := range list {
			v := ix.View()
			docs += int64(v.Count())
			v.Release()
			bytes += ix.Size()
		}
		o.ObserveInt64(indices, int64(len(list)))
		o.ObserveInt64(count, docs)
		o.ObserveInt64(size, bytes)
		return nil
	}, indices, count, size)
	return err
}

func result(name string) metric.MeasurementOption {
	return metric.WithAttributes(attribute.String("result", name))
}

// Request makes metrics an httpapi.Observer.
func (m *metrics) Request(route string, status int, took time.Duration) {
	class := string(rune('0'+status/100)) + "xx"
	ctx := context.Background()
	m.requests.Add(ctx, 1, metric.WithAttributes(attribute.String("route", route), attribute.String("status", class)))
	m.seconds.Record(ctx, took.Seconds(), metric.WithAttributes(attribute.String("route", route)))
}

// Bulk makes metrics an httpapi.Observer.
func (m *metrics) Bulk(took time.Duration, ok, failed int) {
	ctx := context.Background()
	m.documents.Add(ctx, int64(ok), result("ok"))
	if failed > 0 {
		m.documents.Add(ctx, int64(failed), result("failed"))
	}
	m.bulk.Record(ctx, took.Seconds())
}

// Documents makes metrics an httpapi.Observer.
func (m *metrics) Documents(n int) { m.documents.Add(context.Background(), int64(n), result("ok")) }
