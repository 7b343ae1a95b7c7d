package transform

import (
	"fmt"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	jobv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/job/v1"
)

// stateFigures are the metrics of what jobs remember.
type stateFigures struct {
	duration, pause, age                   metric.Float64ObservableGauge
	bytes, total, entries, size, watermark metric.Int64ObservableGauge
	failures, late                         metric.Int64ObservableCounter
}

func stateMetrics(m metric.Meter) (*stateFigures, error) {
	f := &stateFigures{}
	for _, g := range []struct {
		to          *metric.Float64ObservableGauge
		name, about string
	}{
		{&f.duration, "weirflow_transform_checkpoint_duration_seconds", "From the copying of what changed to the commit, of the last checkpoint."},
		{&f.pause, "weirflow_transform_checkpoint_pause_seconds", "For how long rows waited while state was copied for the last checkpoint."},
		{&f.age, "weirflow_transform_checkpoint_time_seconds", "When the last checkpoint was begun, in seconds since 1970."},
	} {
		var err error
		if *g.to, err = m.Float64ObservableGauge(g.name, metric.WithDescription(g.about)); err != nil {
			return nil, fmt.Errorf("make transform metrics: %w", err)
		}
	}
	for _, g := range []struct {
		to          *metric.Int64ObservableGauge
		name, about string
	}{
		{&f.bytes, "weirflow_transform_checkpoint_bytes", "State that the last checkpoint wrote."},
		{&f.total, "weirflow_transform_checkpoint_log_bytes", "State of a job in its topic, with what is not removed yet."},
		{&f.entries, "weirflow_transform_state_entries", "Entries of an operator's state."},
		{&f.size, "weirflow_transform_state_bytes", "About how long an operator's state is."},
		{&f.watermark, "weirflow_transform_watermark_millis", "Event time of an operator, in milliseconds since 1970."},
	} {
		var err error
		if *g.to, err = m.Int64ObservableGauge(g.name, metric.WithDescription(g.about)); err != nil {
			return nil, fmt.Errorf("make transform metrics: %w", err)
		}
	}
	for _, c := range []struct {
		to          *metric.Int64ObservableCounter
		name, about string
	}{
		{&f.failures, "weirflow_transform_checkpoint_failures", "Times that a checkpoint could not be written at once."},
		{&f.late, "weirflow_transform_late_rows", "Rows left out because they came too late or had no time."},
	} {
		var err error
		if *c.to, err = m.Int64ObservableCounter(c.name, metric.WithDescription(c.about)); err != nil {
			return nil, fmt.Errorf("make transform metrics: %w", err)
		}
	}
	return f, nil
}

func (f *stateFigures) all() []metric.Observable {
	return []metric.Observable{f.duration, f.pause, f.age, f.bytes, f.total, f.entries, f.size, f.watermark, f.failures, f.late}
}

func (f *stateFigures) observe(o metric.Observer, j *jobv1.Job) {
	job := attribute.String("job", j.GetName())
	if c := j.GetStatus().GetCheckpoint(); c != nil {
		at := metric.WithAttributes(job)
		o.ObserveFloat64(f.duration, float64(c.GetDurationMillis())/1e3, at)
		o.ObserveFloat64(f.pause, float64(c.GetPauseMicros())/1e6, at)
		o.ObserveFloat64(f.age, float64(c.GetAt().AsTime().UnixMilli())/1e3, at)
		o.ObserveInt64(f.bytes, c.GetBytes(), at)
		o.ObserveInt64(f.total, c.GetTotalBytes(), at)
		o.ObserveInt64(f.failures, c.GetFailures(), at)
	}
	for _, op := range j.GetStatus().GetOperators() {
		at := metric.WithAttributes(job, attribute.String("operator", op.GetName()), attribute.String("id", op.GetId()))
		if op.GetStateful() {
			o.ObserveInt64(f.entries, op.GetStateEntries(), at)
			o.ObserveInt64(f.size, op.GetStateBytes(), at)
			o.ObserveInt64(f.late, int64(op.GetLate()), at)
		}
		if op.Watermark != nil {
			o.ObserveInt64(f.watermark, op.GetWatermark(), at)
		}
	}
}
