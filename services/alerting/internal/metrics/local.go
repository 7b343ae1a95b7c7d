package metrics

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/storage"

	"github.com/weirflow/weirflow/services/alerting/internal/query"
)

// recent is how far names and values of labels are looked for.
const recent = 24 * time.Hour

// Query evaluates a query at a time.
func (e *Engine) Query(ctx context.Context, expr string, at time.Time) (query.Result, error) {
	if e.outside != nil {
		return e.outside.Query(ctx, expr, at)
	}
	q, err := e.queries.NewInstantQuery(ctx, e.db, nil, expr, at)
	if err != nil {
		return query.Result{}, fmt.Errorf("%w: %w", query.ErrQuery, err)
	}
	defer q.Close()
	return result(q.Exec(ctx), expr)
}

// QueryRange evaluates a query at the steps between two times.
func (e *Engine) QueryRange(ctx context.Context, expr string, from, to time.Time, step time.Duration) (query.Result, error) {
	if e.outside != nil {
		return e.outside.QueryRange(ctx, expr, from, to, step)
	}
	q, err := e.queries.NewRangeQuery(ctx, e.db, nil, expr, from, to, step)
	if err != nil {
		return query.Result{}, fmt.Errorf("%w: %w", query.ErrQuery, err)
	}
	defer q.Close()
	return result(q.Exec(ctx), expr)
}

func result(r *promql.Result, expr string) (query.Result, error) {
	if r.Err != nil {
		return query.Result{}, reason(r.Err)
	}
	out := query.Of(r.Value)
	warnings, infos := r.Warnings.AsStrings(expr, 10, 10)
	out.Warnings = slices.Concat(warnings, infos)
	return out, nil
}

// reason says of an error of the engine what it means to who asked.
func reason(err error) error {
	var (
		timeout   promql.ErrQueryTimeout
		cancelled promql.ErrQueryCanceled
		samples   promql.ErrTooManySamples
		series    promql.ErrTooManySeries
		read      promql.ErrTooManySamplesRead
		store     promql.ErrStorage
	)
	switch {
	case errors.As(err, &timeout), errors.As(err, &cancelled), errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return fmt.Errorf("%w: %w", query.ErrTimeout, err)
	case errors.As(err, &samples), errors.As(err, &series), errors.As(err, &read):
		return fmt.Errorf("%w: %w", query.ErrTooMuch, err)
	case errors.As(err, &store):
		return fmt.Errorf("%w: %w", query.ErrAway, err)
	}
	return fmt.Errorf("%w: %w", query.ErrQuery, err)
}

// Values lists the values of a label in the series that a selector names, in their
// order; of all series if it is empty.
func (e *Engine) Values(ctx context.Context, label, selector string, limit int) ([]string, []string, error) {
	if e.outside != nil {
		return e.outside.Values(ctx, label, selector, limit)
	}
	var match []*labels.Matcher
	if selector != "" {
		var err error
		if match, err = e.parser.ParseMetricSelector(selector); err != nil {
			return nil, nil, fmt.Errorf("%w: %w", query.ErrQuery, err)
		}
	}
	return e.values(ctx, label, limit, match...)
}

func (e *Engine) values(ctx context.Context, label string, limit int, match ...*labels.Matcher) ([]string, []string, error) {
	q, err := e.db.Querier(time.Now().Add(-recent).UnixMilli(), math.MaxInt64)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", query.ErrAway, err)
	}
	defer func() { _ = q.Close() }()
	all, notes, err := q.LabelValues(ctx, label, &storage.LabelHints{Limit: limit}, match...)
	if err != nil {
		return nil, nil, reason(err)
	}
	all = slices.Clone(all)
	slices.Sort(all)
	warnings, _ := notes.AsStrings("", 10, 0)
	return all[:min(len(all), limit)], warnings, nil
}

// Metrics lists the names that begin with a text, in their order.
func (e *Engine) Metrics(ctx context.Context, prefix string, limit int) ([]query.Metric, []string, error) {
	if e.outside != nil {
		return e.outside.Metrics(ctx, prefix, limit)
	}
	var match []*labels.Matcher
	if prefix != "" {
		m, err := labels.NewMatcher(labels.MatchRegexp, model.MetricNameLabel, regexp.QuoteMeta(prefix)+".*")
		if err != nil {
			return nil, nil, fmt.Errorf("%w: %w", query.ErrQuery, err)
		}
		match = append(match, m)
	}
	names, warnings, err := e.values(ctx, model.MetricNameLabel, limit, match...)
	if err != nil {
		return nil, nil, err
	}
	known := e.described()
	out := make([]query.Metric, len(names))
	for i, n := range names {
		out[i] = query.Describe(n, known)
	}
	return out, warnings, nil
}

// described is what the targets say of their metrics, by family.
func (e *Engine) described() map[string]query.Metric {
	all := make(map[string]query.Metric)
	pools := e.scrape.manager.TargetsActive()
	for _, pool := range slices.Sorted(maps.Keys(pools)) {
		for _, t := range pools[pool] {
			for _, m := range t.ListMetadata() {
				if _, ok := all[m.MetricFamily]; !ok {
					all[m.MetricFamily] = query.Metric{Type: string(m.Type), Help: m.Help, Unit: m.Unit}
				}
			}
		}
	}
	return all
}
