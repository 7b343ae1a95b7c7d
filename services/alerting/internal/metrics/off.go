package metrics

import (
	"context"
	"net/http"
	"time"

	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/weirflow/weirflow/services/alerting/internal/query"
)

// Off is in the place of an engine where no metrics are wanted. It answers that.
type Off struct{ parser parser.Parser }

// NewOff returns one.
func NewOff() Off { return Off{parser: parser.NewParser(parser.Options{})} }

// Off reports that it evaluates nothing.
func (Off) Off() bool { return true }

// Run waits until the context ends.
func (Off) Run(ctx context.Context) error {
	<-ctx.Done()
	return nil
}

// Close does nothing.
func (Off) Close() error { return nil }

// Reload does nothing.
func (Off) Reload() error { return nil }

// Handler says that there are no metrics.
func (Off) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, query.ErrNone.Error(), http.StatusNotFound)
	})
}

// Parser parses PromQL.
func (o Off) Parser() parser.Parser { return o.parser }

// SetRules evaluates nothing.
func (Off) SetRules(map[string]*rulefmt.RuleGroups) error { return nil }

// AddRules evaluates nothing.
func (Off) AddRules(string, []byte) error { return nil }

// Query says that there are no metrics.
func (Off) Query(context.Context, string, time.Time) (query.Result, error) {
	return query.Result{}, query.ErrNone
}

// QueryRange says that there are no metrics.
func (Off) QueryRange(context.Context, string, time.Time, time.Time, time.Duration) (query.Result, error) {
	return query.Result{}, query.ErrNone
}

// Metrics says that there are none.
func (Off) Metrics(context.Context, string, int) ([]query.Metric, []string, error) {
	return nil, nil, query.ErrNone
}

// Values says that there are no metrics.
func (Off) Values(context.Context, string, string, int) (all, warnings []string, err error) {
	return nil, nil, query.ErrNone
}
