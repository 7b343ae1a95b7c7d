// Package explore answers MetricService: queries, and what there is to query.
package explore

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	metricv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/metric/v1"
	"github.com/weirflow/weirflow/services/alerting/internal/query"
)

const (
	// maxSteps bounds the samples of a series, as Prometheus does.
	maxSteps = 11_000
	// defaultSteps is how many there are where no step is asked for.
	defaultSteps = 250
	// defaultLimit and maxLimit bound series, names and values.
	defaultLimit, maxLimit = 1000, 10_000
	// maxSamples bounds an answer: at some 30 bytes each it fits into a message.
	maxSamples = 500_000
	// maxExpr bounds the text of a query.
	maxExpr = 64 << 10
)

// Source is where metrics are.
type Source interface {
	Query(ctx context.Context, expr string, at time.Time) (query.Result, error)
	QueryRange(ctx context.Context, expr string, from, to time.Time, step time.Duration) (query.Result, error)
	// Metrics lists names that begin with a text.
	Metrics(ctx context.Context, prefix string, limit int) (all []query.Metric, warnings []string, err error)
	// Values lists the values of a label in the series of a selector.
	Values(ctx context.Context, label, selector string, limit int) (all, warnings []string, err error)
}

// Server answers MetricService.
type Server struct {
	metricv1.UnimplementedMetricServiceServer
	Source Source
	Now    func() time.Time
	// Timeout bounds a query.
	Timeout time.Duration
}

// bounded returns a context that ends when a query must.
func (s Server) bounded(ctx context.Context, asked *durationpb.Duration) (context.Context, context.CancelFunc) {
	t := s.Timeout
	if d := asked.AsDuration(); d > 0 {
		t = min(t, d)
	}
	return context.WithTimeout(ctx, t)
}

// Query evaluates a query at a time.
func (s Server) Query(ctx context.Context, req *metricv1.QueryRequest) (*metricv1.QueryResponse, error) {
	if err := check(req.GetExpr()); err != nil {
		return nil, err
	}
	at := s.Now()
	if req.GetTime() != nil {
		at = req.GetTime().AsTime()
	}
	ctx, cancel := s.bounded(ctx, req.GetTimeout())
	defer cancel()
	r, err := s.Source.Query(ctx, req.GetExpr(), at)
	if err != nil {
		return nil, problem(err)
	}
	all, warnings := series(r, limit(req.GetLimit()))
	return &metricv1.QueryResponse{ResultType: r.Type, Series: all, Warnings: warnings}, nil
}

// QueryRange evaluates a query at the steps between two times.
func (s Server) QueryRange(ctx context.Context, req *metricv1.QueryRangeRequest) (*metricv1.QueryRangeResponse, error) {
	if err := check(req.GetExpr()); err != nil {
		return nil, err
	}
	if req.GetStart() == nil {
		return nil, status.Error(codes.InvalidArgument, "start is required: a time such as 2006-01-02T15:04:05Z")
	}
	from, to := req.GetStart().AsTime(), s.Now()
	if req.GetEnd() != nil {
		to = req.GetEnd().AsTime()
	}
	if to.Before(from) {
		return nil, status.Error(codes.InvalidArgument, "end is before start")
	}
	step, err := stepOf(req.GetStep(), to.Sub(from))
	if err != nil {
		return nil, err
	}
	ctx, cancel := s.bounded(ctx, req.GetTimeout())
	defer cancel()
	r, err := s.Source.QueryRange(ctx, req.GetExpr(), from, to, step)
	if err != nil {
		return nil, problem(err)
	}
	all, warnings := series(r, limit(req.GetLimit()))
	return &metricv1.QueryRangeResponse{Series: all, Warnings: warnings, Step: durationpb.New(step)}, nil
}

// stepOf is the time between two samples.
func stepOf(asked *durationpb.Duration, span time.Duration) (time.Duration, error) {
	step := asked.AsDuration()
	if asked == nil {
		step = max(time.Second, (span / defaultSteps).Round(time.Second))
	}
	if step < time.Millisecond {
		return 0, status.Error(codes.InvalidArgument, "step must be at least a millisecond")
	}
	if span/step > maxSteps {
		return 0, status.Errorf(codes.InvalidArgument, "more than %d steps of %v lie between start and end: take a longer step", maxSteps, step)
	}
	return step, nil
}

// ListMetrics lists names.
func (s Server) ListMetrics(ctx context.Context, req *metricv1.ListMetricsRequest) (*metricv1.ListMetricsResponse, error) {
	ctx, cancel := s.bounded(ctx, nil)
	defer cancel()
	n := limit(req.GetLimit())
	found, warnings, err := s.Source.Metrics(ctx, req.GetMatch(), n+1)
	if err != nil {
		return nil, problem(err)
	}
	res := &metricv1.ListMetricsResponse{Warnings: warnings}
	if len(found) > n {
		found, res.Warnings = found[:n], append(res.Warnings, more("metrics", n))
	}
	for _, m := range found {
		res.Metrics = append(res.Metrics, &metricv1.Metric{Name: m.Name, Type: m.Type, Help: m.Help, Unit: m.Unit})
	}
	return res, nil
}

// ListLabelValues lists the values of a label.
func (s Server) ListLabelValues(ctx context.Context, req *metricv1.ListLabelValuesRequest) (*metricv1.ListLabelValuesResponse, error) {
	if req.GetLabel() == "" || len(req.GetMatch()) > maxExpr {
		return nil, status.Error(codes.InvalidArgument, "label is required, and match is not longer than 64 KiB")
	}
	ctx, cancel := s.bounded(ctx, nil)
	defer cancel()
	n := limit(req.GetLimit())
	found, warnings, err := s.Source.Values(ctx, req.GetLabel(), req.GetMatch(), n+1)
	if err != nil {
		return nil, problem(err)
	}
	if len(found) > n {
		found, warnings = found[:n], append(warnings, more("values", n))
	}
	return &metricv1.ListLabelValuesResponse{Values: found, Warnings: warnings}, nil
}

func check(expr string) error {
	if expr == "" {
		return status.Error(codes.InvalidArgument, "expr is required: a query in PromQL")
	}
	if len(expr) > maxExpr {
		return status.Error(codes.InvalidArgument, "expr is longer than 64 KiB")
	}
	return nil
}

func limit(asked int32) int {
	if asked <= 0 {
		return defaultLimit
	}
	return min(int(asked), maxLimit)
}

func more(what string, n int) string {
	return fmt.Sprintf("there are more than %d %s: the others are left out", n, what)
}

// series makes the answer, within its bounds.
func series(r query.Result, limit int) ([]*metricv1.Series, []string) {
	warnings := r.Warnings
	if len(r.Series) > limit {
		warnings = append(warnings, more("series", limit))
		r.Series = r.Series[:limit]
	}
	all, samples, histograms := make([]*metricv1.Series, 0, len(r.Series)), 0, false
	for _, s := range r.Series {
		if samples += len(s.Floats); samples > maxSamples {
			return all, append(warnings, fmt.Sprintf("the answer would have more than %d samples: some series are left out", maxSamples))
		}
		histograms = histograms || len(s.Histograms) > 0
		if len(s.Floats) > 0 {
			all = append(all, one(s))
		}
	}
	if histograms {
		warnings = append(warnings, "native histograms are left out: ask for histogram_quantile, histogram_avg or histogram_count of them")
	}
	return all, warnings
}

func one(s promql.Series) *metricv1.Series {
	out := &metricv1.Series{Labels: make(map[string]string, s.Metric.Len()), Samples: make([]*metricv1.Sample, len(s.Floats))}
	s.Metric.Range(func(l labels.Label) { out.Labels[l.Name] = l.Value })
	for i, p := range s.Floats {
		out.Samples[i] = &metricv1.Sample{Time: timestamppb.New(time.UnixMilli(p.T)), Value: plain(p.F)}
	}
	return out
}

// plain is the value; of what is no number, there is one kind.
func plain(v float64) float64 {
	if math.IsNaN(v) {
		return math.NaN()
	}
	return v
}

func problem(err error) error {
	switch {
	case errors.Is(err, query.ErrQuery):
		return status.Error(codes.InvalidArgument, err.Error())
	case errors.Is(err, query.ErrTimeout), errors.Is(err, context.DeadlineExceeded):
		return status.Error(codes.DeadlineExceeded, err.Error())
	case errors.Is(err, query.ErrTooMuch):
		return status.Error(codes.ResourceExhausted, err.Error())
	default:
		return status.Error(codes.Unavailable, err.Error())
	}
}
