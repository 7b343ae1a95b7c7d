// Package outside asks another Prometheus for metrics, in the place of a store of one's
// own.
package outside

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/http/httputil"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/api"
	v1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"

	"github.com/weirflow/weirflow/services/alerting/internal/query"
	"github.com/weirflow/weirflow/services/platform/secret"
)

const (
	// recent is how far names and values of labels are looked for.
	recent = 24 * time.Hour
	// maxAnswer bounds an answer, which is read into memory.
	maxAnswer = 64 << 20
)

// Config says where the Prometheus is.
type Config struct {
	// URL is its address, with the path that it is served below, if any.
	URL string
	// Username and Password, or Token, are sent along.
	Username string
	Password secret.String
	Token    secret.String
	// Timeout bounds a request.
	Timeout time.Duration
}

// Validate says what is wrong.
func (c Config) Validate() error {
	u, err := url.Parse(c.URL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return errors.New("alerting.metrics.external_url is not an address such as http://prometheus.example:9090")
	}
	if u.User != nil || u.RawQuery != "" {
		return errors.New("alerting.metrics.external_url must hold no password and no parameters: external_username, external_password and external_token are for that")
	}
	if c.Username != "" && c.Token.Reveal() != "" {
		return errors.New("alerting.metrics: external_username and external_token exclude each other")
	}
	return nil
}

// Prometheus is one that is asked.
type Prometheus struct {
	url    *url.URL
	client http.RoundTripper
	api    v1.API
	cfg    Config
}

// New prepares it; it need not be there yet.
func New(cfg Config) (*Prometheus, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	u, err := url.Parse(strings.TrimSuffix(cfg.URL, "/"))
	if err != nil {
		return nil, errors.New("alerting.metrics.external_url is not an address")
	}
	p := &Prometheus{url: u, cfg: cfg}
	p.client = authorized{header: p.header(), next: &http.Transport{Proxy: http.ProxyFromEnvironment, MaxIdleConnsPerHost: 16, IdleConnTimeout: 90 * time.Second, TLSHandshakeTimeout: 10 * time.Second, ResponseHeaderTimeout: cfg.Timeout}}
	c, err := api.NewClient(api.Config{Address: u.String(), RoundTripper: p.client})
	if err != nil {
		return nil, fmt.Errorf("ask the Prometheus of alerting.metrics.external_url: %w", err)
	}
	p.api = v1.NewAPI(c)
	return p, nil
}

func (p *Prometheus) header() string {
	switch {
	case p.cfg.Token.Reveal() != "":
		return "Bearer " + p.cfg.Token.Reveal()
	case p.cfg.Username != "":
		return "Basic " + base64.StdEncoding.EncodeToString([]byte(p.cfg.Username+":"+p.cfg.Password.Reveal()))
	}
	return ""
}

// authorized brings what lets us in, and reads no endless answer.
type authorized struct {
	header string
	next   http.RoundTripper
}

// RoundTrip sends a request.
func (a authorized) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	if a.header != "" {
		r.Header.Set("Authorization", a.header)
	}
	res, err := a.next.RoundTrip(r)
	if err == nil {
		res.Body = http.MaxBytesReader(nil, res.Body, maxAnswer)
	}
	return res, err
}

// Close stops idle connections to it.
func (p *Prometheus) Close() {
	if a, ok := p.client.(authorized); ok {
		if t, ok := a.next.(*http.Transport); ok {
			t.CloseIdleConnections()
		}
	}
}

// Proxy passes requests of its API on.
func (p *Prometheus) Proxy() http.Handler {
	return &httputil.ReverseProxy{
		Transport: p.client,
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(p.url)
			r.Out.Header.Del("Authorization")
			r.Out.Header.Del("Cookie")
		},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) {
			http.Error(w, "the Prometheus of alerting.metrics.external_url does not answer", http.StatusBadGateway)
		},
	}
}

// Query evaluates a query at a time.
func (p *Prometheus) Query(ctx context.Context, expr string, at time.Time) (query.Result, error) {
	v, warnings, infos, err := p.api.Query(ctx, expr, at, v1.WithTimeout(p.cfg.Timeout))
	return result(v, warnings, infos, err)
}

// QueryRange evaluates a query at the steps between two times.
func (p *Prometheus) QueryRange(ctx context.Context, expr string, from, to time.Time, step time.Duration) (query.Result, error) {
	v, warnings, infos, err := p.api.QueryRange(ctx, expr, v1.Range{Start: from, End: to, Step: step}, v1.WithTimeout(p.cfg.Timeout))
	return result(v, warnings, infos, err)
}

// Values lists the values of a label in the series of a selector.
func (p *Prometheus) Values(ctx context.Context, label, selector string, limit int) ([]string, []string, error) {
	var match []string
	if selector != "" {
		match = append(match, selector)
	}
	found, warnings, infos, err := p.api.LabelValues(ctx, label, match, time.Now().Add(-recent), time.Now(), v1.WithLimit(uint64(limit)))
	if err != nil {
		return nil, nil, reason(err)
	}
	all := make([]string, 0, len(found))
	for _, v := range found {
		all = append(all, string(v))
	}
	slices.Sort(all)
	return all[:min(limit, len(all))], append(warnings, infos...), nil
}

// Metrics lists the names that begin with a text.
func (p *Prometheus) Metrics(ctx context.Context, prefix string, limit int) ([]query.Metric, []string, error) {
	selector := ""
	if prefix != "" {
		selector = fmt.Sprintf("{__name__=~%q}", regexp.QuoteMeta(prefix)+".*")
	}
	names, warnings, err := p.Values(ctx, model.MetricNameLabel, selector, limit)
	if err != nil {
		return nil, nil, err
	}
	told, err := p.api.Metadata(ctx, "", "")
	if err != nil {
		return nil, nil, reason(err)
	}
	known := make(map[string]query.Metric, len(told))
	for name, list := range told {
		if len(list) > 0 {
			known[name] = query.Metric{Type: string(list[0].Type), Help: list[0].Help, Unit: list[0].Unit}
		}
	}
	out := make([]query.Metric, len(names))
	for i, n := range names {
		out[i] = query.Describe(n, known)
	}
	return out, warnings, nil
}

// reason says of an error what it means to who asked.
func reason(err error) error {
	e := &v1.Error{}
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return fmt.Errorf("%w: the Prometheus of alerting.metrics.external_url did not answer in time", query.ErrTimeout)
	case errors.As(err, &e) && (e.Type == v1.ErrBadData || e.Type == v1.ErrExec):
		return fmt.Errorf("%w: %s", query.ErrQuery, e.Msg)
	case errors.As(err, &e) && (e.Type == v1.ErrTimeout || e.Type == v1.ErrCanceled):
		return fmt.Errorf("%w: %s", query.ErrTimeout, e.Msg)
	}
	return fmt.Errorf("%w: ask the Prometheus of alerting.metrics.external_url: %w", query.ErrAway, err)
}

func result(v model.Value, warnings v1.Warnings, infos v1.Infos, err error) (query.Result, error) {
	if err != nil {
		return query.Result{}, reason(err)
	}
	r := query.Result{Type: v.Type().String(), Warnings: append(warnings, infos...)}
	switch v := v.(type) {
	case model.Vector:
		for _, s := range v {
			one := promql.Series{Metric: set(s.Metric)}
			if s.Histogram == nil {
				one.Floats = []promql.FPoint{{T: int64(s.Timestamp), F: float64(s.Value)}}
			} else {
				r.Warnings = append(r.Warnings, "native histograms are left out")
			}
			r.Series = append(r.Series, one)
		}
	case model.Matrix:
		for _, s := range v {
			one := promql.Series{Metric: set(s.Metric)}
			for _, p := range s.Values {
				one.Floats = append(one.Floats, promql.FPoint{T: int64(p.Timestamp), F: float64(p.Value)})
			}
			r.Series = append(r.Series, one)
		}
	case *model.Scalar:
		r.Series = promql.Matrix{{Floats: []promql.FPoint{{T: int64(v.Timestamp), F: float64(v.Value)}}}}
	}
	return r, nil
}

func set(m model.Metric) labels.Labels {
	b := labels.NewScratchBuilder(len(m))
	for k, v := range m {
		b.Add(string(k), string(v))
	}
	b.Sort()
	return b.Labels()
}
