package alerting

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"path/filepath"
	"time"

	"github.com/prometheus/alertmanager/alert"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/rules"
	"google.golang.org/grpc"

	alertv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/alert/v1"
	ledgerv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/ledger/v1"
	metricv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/metric/v1"
	statusv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/status/v1"
	"github.com/weirflow/weirflow/services/alerting/internal/callback"
	"github.com/weirflow/weirflow/services/alerting/internal/channel/receipt"
	"github.com/weirflow/weirflow/services/alerting/internal/channels"
	"github.com/weirflow/weirflow/services/alerting/internal/explore"
	"github.com/weirflow/weirflow/services/alerting/internal/history"
	"github.com/weirflow/weirflow/services/alerting/internal/intake"
	"github.com/weirflow/weirflow/services/alerting/internal/logpattern"
	"github.com/weirflow/weirflow/services/alerting/internal/metrics"
	"github.com/weirflow/weirflow/services/alerting/internal/notify"
	"github.com/weirflow/weirflow/services/alerting/internal/oncall"
	"github.com/weirflow/weirflow/services/alerting/internal/outgoing"
	"github.com/weirflow/weirflow/services/alerting/internal/people"
	"github.com/weirflow/weirflow/services/alerting/internal/policy"
	"github.com/weirflow/weirflow/services/alerting/internal/silences"
	"github.com/weirflow/weirflow/services/alerting/internal/texts"
	"github.com/weirflow/weirflow/services/platform/ledger"
	"github.com/weirflow/weirflow/services/platform/lifecycle"
	"github.com/weirflow/weirflow/services/platform/status"
	"github.com/weirflow/weirflow/services/platform/version"
	"github.com/weirflow/weirflow/services/platform/web"
)

const (
	// maxBody bounds a request: remote write sends some megabytes.
	maxBody = 64 << 20
	// group remembers how far the topic of alerts was read.
	group = "weirflow-alerting"
)

// Deps are what the service is given.
type Deps struct {
	Logger *slog.Logger
	// Registry takes the metrics of the engines.
	Registry *prometheus.Registry
	Board    *status.Board
	Book     *ledger.Book
	// Jobs leads to the service of jobs, for policies of log patterns; nil: there is none.
	Jobs grpc.ClientConnInterface
}

// store is where metrics are and rules are evaluated.
type store interface {
	explore.Source
	policy.Engine
	AddRules(name string, text []byte) error
	Handler() http.Handler
	Reload() error
	Run(ctx context.Context) error
	Close() error
}

// Service keeps metrics and tells people.
type Service struct {
	cfg     Config
	d       Deps
	metrics store
	intake  *intake.Intake
	policy  *policy.Book
	people  *people.People
	history *history.History
	oncall  *oncall.Book
	texts   *texts.Book
	signers *receipt.Signers
	notify  *notify.Engine
	port    *web.Server
}

// New opens what the service keeps and takes its HTTP port.
func New(cfg Config, d Deps) (*Service, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	s := &Service{cfg: cfg, d: d, signers: receipt.NewSigners()}
	engines := slog.New(quiet{d.Logger.Handler()})
	guard, err := outgoing.New(cfg.Outgoing.Allow)
	if err != nil {
		return nil, err
	}
	if s.people, err = people.New(cfg.Kafka, time.Now, d.Logger); err != nil {
		return nil, err
	}
	if s.history, err = history.New(cfg.Kafka, d.Logger); err != nil {
		return nil, err
	}
	if s.oncall, err = oncall.NewBook(cfg.Kafka, time.Now, d.Logger); err != nil {
		return nil, err
	}
	if s.texts, err = texts.NewBook(cfg.Kafka, time.Now, d.Logger); err != nil {
		return nil, err
	}
	s.notify, err = notify.New(notify.Config{Dir: filepath.Join(cfg.DataDir, "notify"), File: cfg.Notify.ConfigFile, ExternalURL: cfg.ExternalURL, Receipts: cfg.Notify.Receipts.address(), Cluster: notify.Cluster{Listen: cfg.Notify.Cluster.Listen, Advertise: cfg.Notify.Cluster.Advertise, Peers: cfg.Notify.Cluster.Peers, Wait: cfg.Notify.Cluster.Wait, TLS: cfg.Notify.Cluster.TLS}},
		notify.Deps{Logger: engines, Registry: d.Registry, Guard: guard, Channels: channels.All(), Acknowledged: s.people.Acknowledged, Sent: s.history.Add,
			Signers: s.signers, Texts: s.texts.Texts, Contact: s.oncall.Contact, Known: append(s.oncall.Known(), s.texts.Known(), s.people.Ready())})
	if err != nil {
		return nil, err
	}
	if s.metrics, err = s.store(engines); err != nil {
		return nil, err
	}
	if err := s.ship(); err != nil {
		return nil, errors.Join(err, s.metrics.Close())
	}
	if s.policy, err = policy.NewBook(cfg.Kafka, s.metrics, logpattern.NewJobs(d.Jobs, cfg.Kafka), time.Now, d.Logger); err != nil {
		return nil, errors.Join(err, s.metrics.Close())
	}
	s.intake = intake.New(intake.Config{Kafka: cfg.Kafka, Group: cfg.group(), Link: cfg.ExternalURL},
		intake.Deps{Logger: d.Logger, Stage: d.Book.Stage("alerts"), Put: s.notify.Put, Now: time.Now})
	if s.port, err = web.Listen(cfg.port(), s.handler(), d.Logger); err != nil {
		return nil, errors.Join(fmt.Errorf("alerting: %w", err), s.metrics.Close())
	}
	return s, nil
}

// Close gives up a service that was not run: Run closes what it has itself.
func (s *Service) Close() error { return s.metrics.Close() }

// store opens the store of metrics, or what is in its place.
func (s *Service) store(log *slog.Logger) (store, error) {
	m := s.cfg.Metrics
	if !m.Enabled {
		return metrics.NewOff(), nil
	}
	return metrics.New(metrics.Config{
		Dir: filepath.Join(s.cfg.DataDir, "metrics"), Retention: m.Retention, RetentionBytes: m.RetentionBytes, ScrapeInterval: m.ScrapeInterval,
		EvaluationInterval: m.EvaluationInterval, QueryTimeout: m.QueryTimeout, File: m.ConfigFile, Targets: m.Targets.byName(), Outside: m.outside(),
	}, metrics.Deps{Logger: log, Registry: s.d.Registry, Notify: s.fire, Version: version.String()})
}

// handler serves the APIs of Prometheus and the Alertmanager under their own paths.
func (s *Service) handler() http.Handler {
	guard := web.Guard{Token: s.cfg.Token, Setting: "alerting.token", Refuse: func(w http.ResponseWriter, code int, message string) { http.Error(w, message, code) }}
	mux := http.NewServeMux()
	mux.Handle("/api/v1/", guard.Authorized(s.metrics.Handler()))
	mux.Handle("/federate", guard.Authorized(s.metrics.Handler()))
	mux.Handle("/api/v2/", guard.Authorized(s.notify.Handler()))
	mux.Handle("POST /-/reload", guard.Authorized(http.HandlerFunc(s.reload)))
	ok := func(text string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(text)) }
	}
	mux.HandleFunc("GET /-/healthy", ok("Weirflow alerting is healthy.\n"))
	mux.HandleFunc("GET /-/ready", ok("Weirflow alerting is ready.\n"))
	all := http.NewServeMux()
	all.Handle("/", guard.KnownHost(web.LimitBody(maxBody, mux)))
	// Providers call it by the name that the world knows; its path holds a secret.
	all.Handle(callback.Path, callback.Handler{Secret: s.cfg.Notify.Receipts.Secret.Reveal(), External: s.cfg.Notify.Receipts.ExternalURL, Signers: s.signers, Logger: s.d.Logger, Now: time.Now, Note: s.history.Note})
	return web.SecureHeaders(all)
}

// reload reads the configuration files again.
func (s *Service) reload(w http.ResponseWriter, _ *http.Request) {
	if err := errors.Join(s.metrics.Reload(), s.notify.Reload()); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}

// Addr is where the HTTP APIs are.
func (s *Service) Addr() string { return s.port.Addr() }

// Handler serves the HTTP APIs without their port.
func (s *Service) Handler() http.Handler { return s.port.Handler() }

// Register puts the service's APIs on a gRPC server.
func (s *Service) Register(g *grpc.Server) {
	ledgerv1.RegisterLedgerServiceServer(g, ledger.Server{Book: s.d.Book})
	alertv1.RegisterAlertServiceServer(g, people.Server{People: s.people, Engine: s.notify, History: s.history})
	alertv1.RegisterPolicyServiceServer(g, policy.Server{Book: s.policy, Now: time.Now})
	alertv1.RegisterOnCallServiceServer(g, oncall.Server{Book: s.oncall})
	alertv1.RegisterTemplateServiceServer(g, texts.Server{Book: s.texts, Engine: s.notify, Logger: s.d.Logger, Now: time.Now})
	alertv1.RegisterSilenceServiceServer(g, silences.Server{Engine: s.notify, Now: time.Now})
	metricv1.RegisterMetricServiceServer(g, explore.Server{Source: s.metrics, Now: time.Now, Timeout: s.cfg.Metrics.QueryTimeout})
	statusv1.RegisterStatusServiceServer(g, status.Server{Board: s.d.Board})
}

// Run serves until the context ends. What raises alerts stops first: rules may still
// fire until then, and what is sent then is still noted.
func (s *Service) Run(ctx context.Context) error {
	g := lifecycle.New(s.d.Logger)
	for _, p := range []lifecycle.Part{
		{Name: "history", Runner: s.history}, {Name: "people", Runner: s.people}, {Name: "on call", Runner: s.oncall},
		{Name: "templates", Runner: wording{s.texts, s.notify}}, {Name: "notifications", Runner: s.notify},
		{Name: "policies", Runner: s.policy}, {Name: "metrics", Runner: s.metrics}, {Name: "intake", Runner: s.intake}, {Name: "HTTP APIs", Runner: s.port},
	} {
		g.Add(p)
	}
	return g.Run(ctx)
}

// wording has the engine take the templates whenever they change.
type wording struct {
	texts  *texts.Book
	engine *notify.Engine
}

// Run reads the templates until the context ends.
func (w wording) Run(ctx context.Context) error { return w.texts.Run(ctx, w.engine.Refresh) }

// fire hands the alerts of rules over.
func (s *Service) fire(ctx context.Context, expr string, alerts ...*rules.Alert) {
	out := make([]*alert.Alert, 0, len(alerts))
	for _, a := range alerts {
		n := &alert.Alert{UpdatedAt: a.LastSentAt}
		n.StartsAt, n.EndsAt = a.FiredAt, a.ValidUntil
		if !a.ResolvedAt.IsZero() {
			n.EndsAt = a.ResolvedAt
		} else {
			n.Timeout = true
		}
		n.Labels, n.Annotations = set(a.Labels), set(a.Annotations)
		n.GeneratorURL = s.cfg.ExternalURL + "/dashboards?query=" + url.QueryEscape(expr)
		out = append(out, n)
	}
	if err := s.notify.Put(ctx, out...); err != nil {
		s.d.Logger.Error("alerts could not be taken in; they come again", "error", err)
	}
}

func set(ls labels.Labels) model.LabelSet {
	out := make(model.LabelSet, ls.Len())
	ls.Range(func(l labels.Label) { out[model.LabelName(l.Name)] = model.LabelValue(l.Value) })
	return out
}
