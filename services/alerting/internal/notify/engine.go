package notify

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/alertmanager/alert"
	"github.com/prometheus/alertmanager/api"
	"github.com/prometheus/alertmanager/dispatch"
	"github.com/prometheus/alertmanager/eventrecorder"
	"github.com/prometheus/alertmanager/featurecontrol"
	"github.com/prometheus/alertmanager/inhibit"
	"github.com/prometheus/alertmanager/marker"
	"github.com/prometheus/alertmanager/nflog"
	"github.com/prometheus/alertmanager/notify"
	"github.com/prometheus/alertmanager/provider"
	"github.com/prometheus/alertmanager/provider/mem"
	"github.com/prometheus/alertmanager/silence"
	amtemplate "github.com/prometheus/alertmanager/template"
	"github.com/prometheus/alertmanager/timeinterval"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"github.com/prometheus/common/model"
	"github.com/prometheus/common/route"

	"github.com/weirflow/weirflow/services/alerting/internal/channel"
	"github.com/weirflow/weirflow/services/alerting/internal/channel/receipt"
	"github.com/weirflow/weirflow/services/alerting/internal/outgoing"
)

const (
	// retention is for how long what was sent, and silences that ended, are kept.
	retention = 5 * 24 * time.Hour
	// alertGC is how often alerts that ended are forgotten.
	alertGC = 30 * time.Minute
	// groupMaintenance is how often empty groups are.
	groupMaintenance = 30 * time.Second
	// sendTimeout bounds a request to a channel.
	sendTimeout = 15 * time.Second
)

// Config is the configuration of the engine.
type Config struct {
	// Dir is where its state is kept.
	Dir string
	// File is a configuration file of the Alertmanager; empty: Default.
	File string
	// ExternalURL is where people find the console.
	ExternalURL string
	// Receipts is the address that providers tell what became of text messages and calls;
	// empty: none.
	Receipts string
	// Cluster is other instances.
	Cluster Cluster
}

// Deps are what the engine is given.
type Deps struct {
	Logger   *slog.Logger
	Registry *prometheus.Registry
	Guard    *outgoing.Guard
	Channels channel.Registry
	// Acknowledged reports whether someone deals with an alert: it is not told again
	// then. It may be nil.
	Acknowledged func(a *alert.Alert) bool
	// Sent hears of every try to tell a receiver, after it; it may be nil.
	Sent func(Delivery)
	// Texts are the templates that people have put, by id; it may be nil.
	Texts func() map[string]string
	// Contact is how who is on call in a rota is reached, for templates; it may be nil.
	Contact func(rota, kind string, other ...string) (string, error)
	// Signers are told the secrets by which providers sign that; it may be nil.
	Signers *receipt.Signers
	// Known are closed when what messages are made of has been read.
	Known []<-chan struct{}
}

// Engine routes alerts to receivers.
type Engine struct {
	cfg      Config
	d        Deps
	url      *url.URL
	alerts   *kept
	silences *silence.Silences
	silencer *silence.Silencer
	log      sent
	groups   marker.GroupMarker
	builder  *notify.PipelineBuilder
	measures *dispatch.DispatcherMetrics
	api      *api.API
	handler  http.Handler
	started  time.Time
	client   *http.Client
	member   member
	files    []*snapshots
	none     eventrecorder.Recorder // events are not recorded

	reload     sync.Mutex
	over       bool // Run has ended: nothing is started any more
	file       atomic.Pointer[File]
	dispatcher atomic.Pointer[dispatch.Dispatcher]
	inhibitor  atomic.Pointer[inhibit.Inhibitor]
	routes     atomic.Pointer[dispatch.Route]
	tmpl       atomic.Pointer[amtemplate.Template]
}

// New reads the state and the configuration.
func New(cfg Config, d Deps) (*Engine, error) {
	e := &Engine{cfg: cfg, d: d, groups: marker.NewGroupMarker(), started: time.Now(), client: d.Guard.Client(sendTimeout)}
	var err error
	if e.url, err = url.Parse(cfg.ExternalURL); err != nil {
		return nil, fmt.Errorf("alerting.external_url: %w", err)
	}
	file, err := e.load()
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return nil, err
	}
	if err := e.open(); err != nil {
		return nil, err
	}
	if err := e.apply(file); err != nil {
		return nil, errors.Join(err, e.alerts.close())
	}
	return e, nil
}

func (e *Engine) load() (*File, error) {
	if e.cfg.File == "" {
		return Load(Default, e.d.Channels)
	}
	return LoadFile(e.cfg.File, e.d.Channels)
}

// open makes what lives as long as the engine.
func (e *Engine) open() error {
	reg, log := e.d.Registry, e.d.Logger
	flags := featurecontrol.NoopFlags{}
	complain := func(err error) { log.Error("keep the state of notifications", "error", err) }
	history, err := nflog.New(nflog.Options{SnapshotFile: e.path("nflog"), Retention: retention, Logger: log, Metrics: reg})
	if err != nil {
		return fmt.Errorf("read what was sent: %w", err)
	}
	e.log = sent{log: history, released: newReleased(), file: newSnapshots(e.path("nflog"), history.Snapshot, complain)}
	e.silences, err = silence.New(silence.Options{SnapshotFile: e.path("silences"), Retention: retention, Logger: log, Metrics: reg, EventRecorder: e.none,
		Limits: silence.Limits{MaxSilences: func() int { return 0 }, MaxSilenceSizeBytes: func() int { return 0 }}})
	if err != nil {
		return fmt.Errorf("read the silences: %w", err)
	}
	if err := e.join(history); err != nil {
		return err
	}
	e.files = []*snapshots{e.log.file, newSnapshots(e.path("silences"), e.silences.Snapshot, complain)}
	e.silencer = silence.NewSilencer(e.silences, log, e.none)
	alerts, err := mem.NewAlerts(context.Background(), alertGC, 0, e.silencer, log, e.none, reg, flags)
	if err != nil {
		return fmt.Errorf("keep alerts: %w", err)
	}
	if e.alerts, err = openKept(e.cfg.Dir, alerts, log); err != nil {
		alerts.Close()
		return err
	}
	e.builder = notify.NewPipelineBuilder(reg, flags, e.none)
	e.measures = dispatch.NewDispatcherMetrics(false, reg, flags)
	requests := promauto.With(reg).NewHistogramVec(prometheus.HistogramOpts{Name: "alertmanager_http_request_duration_seconds", Help: "Durations of requests to the API of alerts.",
		Buckets: prometheus.DefBuckets}, []string{"handler", "method", "code"})
	opts := api.Options{Alerts: e.alerts, Silences: e.silences, GroupMutedFunc: e.groups.Muted, Logger: log, Registry: reg, RequestDuration: requests, GroupFunc: e.Groups}
	if e.member.peer != nil {
		opts.Peer = e.member.peer
	}
	e.api, err = api.New(opts)
	if err != nil {
		return fmt.Errorf("make the API of alerts: %w", err)
	}
	e.handler = e.keepSilences(e.api.Register(route.New(), "/"))
	return nil
}

func (e *Engine) path(name string) string { return filepath.Join(e.cfg.Dir, name) }

// Run tells people until the context ends.
func (e *Engine) Run(ctx context.Context) error {
	stop := make(chan struct{})
	var running sync.WaitGroup
	for _, f := range e.files {
		running.Go(func() { f.run(stop) })
	}
	running.Go(func() { e.watch(ctx) })
	running.Go(func() {
		e.member.run(ctx, func(err error) { e.d.Logger.Warn("other instances of alerting", "error", err) })
	})
	running.Go(func() { e.log.log.Maintenance(alertGC, e.path("nflog"), stop, nil) })
	running.Go(func() { e.silences.Maintenance(alertGC, e.path("silences"), stop, nil) })
	<-ctx.Done()
	e.reload.Lock()
	e.over = true
	e.dispatcher.Load().Stop()
	e.inhibitor.Load().Stop()
	e.reload.Unlock()
	close(stop)
	running.Wait()
	var errs []error
	for _, f := range e.files {
		errs = append(errs, f.save())
	}
	return errors.Join(append(errs, e.alerts.close())...)
}

// Put takes alerts in. They are kept when it returns.
func (e *Engine) Put(ctx context.Context, alerts ...*alert.Alert) error {
	return e.alerts.Put(ctx, alerts...)
}

// Alerts is where alerts are.
func (e *Engine) Alerts() provider.Alerts { return e.alerts }

// Groups returns the groups that alerts are in.
func (e *Engine) Groups(ctx context.Context, routes func(*dispatch.Route) bool, alerts func(*alert.Alert, time.Time) bool) (dispatch.AlertGroups, map[model.Fingerprint][]string, error) {
	return e.dispatcher.Load().Groups(ctx, routes, alerts)
}

// Handler serves the Alertmanager's API below /api/v2.
func (e *Engine) Handler() http.Handler { return e.handler }

// Reload reads the configuration file again; if something is wrong with it, the old
// one stays.
func (e *Engine) Reload() error {
	f, err := e.load()
	if err != nil {
		return err
	}
	return e.apply(f)
}

// apply puts a configuration in the place of the one in use.
func (e *Engine) apply(f *File) error {
	e.reload.Lock()
	defer e.reload.Unlock()
	if e.over {
		return nil
	}
	routes := dispatch.NewRoute(f.Route, nil)
	tmpl, err := e.templates(f)
	if err != nil {
		return err
	}
	receivers, err := e.receivers(f, routes, tmpl)
	if err != nil {
		return err
	}
	intervals := make(map[string][]timeinterval.TimeInterval)
	for _, t := range f.MuteTimeIntervals {
		intervals[t.Name] = t.TimeIntervals
	}
	for _, t := range f.TimeIntervals {
		intervals[t.Name] = t.TimeIntervals
	}
	if old := e.dispatcher.Load(); old != nil {
		e.inhibitor.Load().Stop()
		old.Stop()
	}
	inhibitor := inhibit.NewInhibitor(e.alerts, f.InhibitRules, e.d.Logger, e.none)
	var peer notify.Peer
	if e.member.peer != nil {
		peer = e.member.peer
	}
	pipeline := e.builder.New(receivers, e.member.turn, inhibitor, e.silencer, timeinterval.NewIntervener(intervals), e.groups, e.log, peer)
	e.api.Update(f.Config, func(ctx context.Context, labels model.LabelSet) {
		e.inhibitor.Load().Mutes(ctx, labels)
		e.silencer.Mutes(ctx, labels)
	})
	timeout := func(d time.Duration) time.Duration { return max(d, notify.MinTimeout) + e.member.turn() }
	dispatcher := dispatch.NewDispatcher(e.alerts, routes, pipeline, e.groups, timeout, groupMaintenance, nil, e.d.Logger, e.none, e.measures, tmpl)
	go inhibitor.Run()
	inhibitor.WaitForLoading() // so that nothing is told that is inhibited
	e.inhibitor.Store(inhibitor)
	go dispatcher.Run(e.started)
	dispatcher.WaitForLoading()
	e.dispatcher.Store(dispatcher)
	e.routes.Store(routes)
	e.file.Store(f)
	e.tmpl.Store(tmpl)
	return nil
}

// keepSilences has a change of silences on disk before it is answered.
func (e *Engine) keepSilences(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet || r.Method == http.MethodHead || r.Method == http.MethodOptions {
			next.ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(&saving{ResponseWriter: w, save: e.files[1].save, fail: e.d.Logger}, r)
	})
}

// saving writes a state before the answer's header.
type saving struct {
	http.ResponseWriter
	save func() error
	fail *slog.Logger
	said bool
}

// WriteHeader saves, and answers that it could not be done where that fails.
func (s *saving) WriteHeader(code int) {
	if !s.said && code < 300 {
		if err := s.save(); err != nil {
			s.fail.Error("keep the silences", "error", err)
			code = http.StatusInternalServerError
		}
	}
	s.said = true
	s.ResponseWriter.WriteHeader(code)
}

// Write sends the header first.
func (s *saving) Write(b []byte) (int, error) {
	if !s.said {
		s.WriteHeader(http.StatusOK)
	}
	return s.ResponseWriter.Write(b)
}
