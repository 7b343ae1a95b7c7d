package metrics

import (
	"context"
	"net/http"
	"net/url"

	"runtime"
	"time"

	"github.com/grafana/regexp"
	remoteapi "github.com/prometheus/client_golang/exp/api/remote"
	"github.com/prometheus/common/route"
	"github.com/prometheus/prometheus/config"
	apiv1 "github.com/prometheus/prometheus/web/api/v1"
)

// none are the other Alertmanagers that alerts go to: Weirflow is its own.
type none struct{}

func (none) Alertmanagers() []*url.URL        { return nil }
func (none) DroppedAlertmanagers() []*url.URL { return nil }

const (
	readSamples     = 50_000_000
	readConcurrency = 10
	readFrame       = 1 << 20
)

// newAPI serves Prometheus's API as Prometheus does, remote write and OTLP too.
func newAPI(e *Engine) http.Handler {
	started := time.Now()
	api := apiv1.NewAPI(e.queries, e.db, e.db, e.db,
		func(context.Context) apiv1.ScrapePoolsRetriever { return e.scrape.manager },
		func(context.Context) apiv1.TargetRetriever { return e.scrape.manager },
		func(context.Context) apiv1.AlertmanagerRetriever { return none{} },
		func() config.Config {
			e.mu.RLock()
			defer e.mu.RUnlock()
			return *e.file
		},
		map[string]string{}, apiv1.GlobalURLOptions{Scheme: "http"}, e.ready, stats{e.db}, e.cfg.Dir, false, false, 0, e.d.Logger,
		func(context.Context) apiv1.RulesRetriever { return e.rules.manager },
		readSamples, readConcurrency, readFrame, false, regexp.MustCompile("^$"),
		func() (apiv1.RuntimeInfo, error) {
			return apiv1.RuntimeInfo{StartTime: started, GoroutineCount: runtime.NumGoroutine(), GOMAXPROCS: runtime.GOMAXPROCS(0), ReloadConfigSuccess: true, StorageRetention: duration(e.cfg.Retention).String()}, nil
		},
		&apiv1.PrometheusVersion{Version: e.d.Version, GoVersion: runtime.Version()}, nil, nil, e.d.Registry, e.d.Registry, nil,
		true, remoteapi.MessageTypes{remoteapi.WriteV1MessageType, remoteapi.WriteV2MessageType}, true, false, false,
		lookback, false, false, nil, nil, apiv1.OpenAPIOptions{}, e.parser, false, e.cfg.QueryTimeout)
	r := route.New()
	api.Register(r)
	mux := http.NewServeMux()
	mux.Handle("/api/v1/", http.StripPrefix("/api/v1", r))
	mux.HandleFunc("GET /federate", e.federate)
	if e.outside == nil {
		return mux
	}
	return e.split(mux)
}

// split passes on what another Prometheus keeps. Rules and their alerts are evaluated
// here, by questions to it.
func (e *Engine) split(own http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", e.outside.Proxy())
	for _, path := range []string{"/api/v1/rules", "/api/v1/alerts", "/api/v1/alertmanagers", "/api/v1/status/"} {
		mux.Handle(path, own)
	}
	for _, path := range []string{"/api/v1/write", "/api/v1/otlp/", "/api/v1/admin/"} {
		mux.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "metrics are kept elsewhere: alerting.metrics.external_url is set; write there", http.StatusNotFound)
		})
	}
	return mux
}

// ready refuses calls when the store is closed.
func (e *Engine) ready(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !e.open.Load() {
			http.Error(w, "the store of metrics is closed", http.StatusServiceUnavailable)
			return
		}
		next(w, r)
	}
}
