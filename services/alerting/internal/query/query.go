// Package query is what a source of metrics answers, be it the store in this process or
// another Prometheus.
package query

import (
	"errors"
	"strings"

	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
)

var (
	// ErrQuery says that a query is not right, or cannot be evaluated.
	ErrQuery = errors.New("the query cannot be evaluated")
	// ErrTimeout says that it took too long.
	ErrTimeout = errors.New("the query took too long")
	// ErrTooMuch says that it would need too much memory.
	ErrTooMuch = errors.New("the query needs too much")
	// ErrAway says that the source does not answer.
	ErrAway = errors.New("the metrics cannot be read")
	// ErrNone says that this process has no metrics.
	ErrNone = errors.New("metrics are switched off: alerting.metrics.enabled is false")
)

// Result is the answer to a query.
type Result struct {
	// Type is vector, matrix, scalar or string.
	Type string
	// Series are the series of a matrix; of a vector and a scalar with one sample each.
	Series   promql.Matrix
	Warnings []string
}

// Metric is what is known of a name.
type Metric struct{ Name, Type, Help, Unit string }

// Of makes a result of what the engine computed. It does not share its memory, which
// is used again.
func Of(v parser.Value) Result {
	r := Result{}
	switch v := v.(type) {
	case promql.Matrix:
		r.Type, r.Series = string(v.Type()), make(promql.Matrix, len(v))
		for i, s := range v {
			r.Series[i] = promql.Series{Metric: s.Metric, Floats: append([]promql.FPoint(nil), s.Floats...), Histograms: append([]promql.HPoint(nil), s.Histograms...)}
		}
	case promql.Vector:
		r.Type, r.Series = string(v.Type()), make(promql.Matrix, len(v))
		for i, s := range v {
			r.Series[i].Metric = s.Metric
			if s.H != nil {
				r.Series[i].Histograms = []promql.HPoint{{T: s.T, H: s.H}}
				continue
			}
			r.Series[i].Floats = []promql.FPoint{{T: s.T, F: s.F}}
		}
	case promql.Scalar:
		r.Type, r.Series = string(v.Type()), promql.Matrix{{Floats: []promql.FPoint{{T: v.T, F: v.V}}}}
	case promql.String:
		r.Type = string(v.Type())
	}
	return r
}

// Vector is the result as the samples of a time.
func (r Result) Vector() (promql.Vector, error) {
	if r.Type != string(parser.ValueTypeVector) && r.Type != string(parser.ValueTypeScalar) {
		return nil, errors.New("the rule's query gives neither a vector nor a scalar")
	}
	out := make(promql.Vector, 0, len(r.Series))
	for _, s := range r.Series {
		for _, p := range s.Floats {
			out = append(out, promql.Sample{Metric: s.Metric, T: p.T, F: p.F})
		}
		for _, p := range s.Histograms {
			out = append(out, promql.Sample{Metric: s.Metric, T: p.T, H: p.H})
		}
	}
	return out, nil
}

// Describe finds what is known of a name: its family is the name itself, or without
// the ending of a histogram's or counter's series.
func Describe(name string, known map[string]Metric) Metric {
	m, ok := known[name]
	for _, end := range []string{"_bucket", "_sum", "_count", "_total", "_created"} {
		if family, cut := strings.CutSuffix(name, end); cut && !ok {
			m, ok = known[family]
		}
	}
	m.Name = name
	return m
}
