package gateway

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/weirflow/weirflow/gateway/console"
	agentgw "github.com/weirflow/weirflow/gateway/gen/weirflow/agent/v1"
	alertgw "github.com/weirflow/weirflow/gateway/gen/weirflow/alert/v1"
	dashboardgw "github.com/weirflow/weirflow/gateway/gen/weirflow/dashboard/v1"
	deadlettergw "github.com/weirflow/weirflow/gateway/gen/weirflow/deadletter/v1"
	flowgw "github.com/weirflow/weirflow/gateway/gen/weirflow/flow/v1"
	ingestgw "github.com/weirflow/weirflow/gateway/gen/weirflow/ingest/v1"
	jobgw "github.com/weirflow/weirflow/gateway/gen/weirflow/job/v1"
	ledgergw "github.com/weirflow/weirflow/gateway/gen/weirflow/ledger/v1"
	metricgw "github.com/weirflow/weirflow/gateway/gen/weirflow/metric/v1"
	searchgw "github.com/weirflow/weirflow/gateway/gen/weirflow/search/v1"
	statusgw "github.com/weirflow/weirflow/gateway/gen/weirflow/status/v1"
	topicgw "github.com/weirflow/weirflow/gateway/gen/weirflow/topic/v1"
	"github.com/weirflow/weirflow/gateway/internal/access"
	"github.com/weirflow/weirflow/gateway/internal/audit"
	"github.com/weirflow/weirflow/gateway/internal/dashboard"
	"github.com/weirflow/weirflow/gateway/internal/etag"
	"github.com/weirflow/weirflow/gateway/internal/front"
	"github.com/weirflow/weirflow/gateway/internal/page"
	"github.com/weirflow/weirflow/gateway/internal/searchapi"
	"github.com/weirflow/weirflow/gateway/internal/sse"
	agentv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/agent/v1"
	alertv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/alert/v1"
	deadletterv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/deadletter/v1"
	flowv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/flow/v1"
	ingestv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/ingest/v1"
	jobv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/job/v1"
	metricv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/metric/v1"
	topicv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/topic/v1"
	"github.com/weirflow/weirflow/services/platform/status"
	"github.com/weirflow/weirflow/services/platform/web"
)

//go:embed routes.yaml
var routesFile []byte //nolint:gochecknoglobals // embedding needs a variable

//go:embed gen/openapi.json
var openAPI []byte //nolint:gochecknoglobals // embedding needs a variable

// Deps are what the gateway is given.
type Deps struct {
	Logger     *slog.Logger
	Meters     metric.MeterProvider
	Tracers    trace.TracerProvider
	Propagator propagation.TextMapPropagator
	Board      *status.Board
	// Backends are the services behind the gateway, by name; ingest and transform
	// are required.
	Backends map[string]grpc.ClientConnInterface
	// Ingest is where agents reach ingest, if that is not Config.Ingest.Address.
	Ingest string
}

// Service is the gateway.
type Service struct {
	cfg        Config
	d          Deps
	port       *web.Server
	front      *front.Server // nil without a gRPC port
	access     *access.Access
	audit      *audit.Log
	dashboards *dashboard.Book
	search     *searchapi.Server
	inside     *inside
}

// New takes the port, so that one that is taken is known at once.
func New(cfg Config, d Deps) (*Service, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	s := &Service{cfg: cfg, d: d}
	var err error
	if s.audit, err = audit.New(cfg.Kafka, d.Logger, d.Meters, time.Now); err != nil {
		return nil, err
	}
	if s.access, err = access.New(cfg.Access, access.Deps{
		Logger: d.Logger, Kafka: cfg.Kafka, Token: cfg.Token, Loopback: cfg.loopback(), TLS: cfg.TLS.CertFile != "", Routes: routesFile, Audit: s.audit, Now: time.Now,
	}); err != nil {
		return nil, err
	}
	if s.dashboards, err = dashboard.New(cfg.Kafka, d.Logger, access.Who, time.Now); err != nil {
		return nil, err
	}
	if s.search, err = searchapi.New(searchapi.Store(cfg.Search)); err != nil {
		return nil, err
	}
	if s.inside, err = newInside(); err != nil {
		return nil, err
	}
	s.addFlow()
	if err := s.addFront(); err != nil {
		return nil, err
	}
	mux, err := s.routes()
	if err != nil {
		return nil, err
	}
	handler := otelhttp.NewHandler(web.SecureHeaders(s.access.Middleware(web.LimitBody(maxBody, mux))), "gateway", otelhttp.WithMeterProvider(d.Meters), otelhttp.WithTracerProvider(d.Tracers), otelhttp.WithPropagators(d.Propagator))
	if s.port, err = web.Listen(cfg.port(), handler, d.Logger); err != nil {
		return nil, fmt.Errorf("gateway: %w", err)
	}
	return s, nil
}

// routes leads requests to the API, the search store and the console.
func (s *Service) routes() (http.Handler, error) {
	api, err := s.api()
	if err != nil {
		return nil, err
	}
	search, err := newSearchProxy(s.cfg.Search)
	if err != nil {
		return nil, err
	}
	zipped, err := page.Compressed(sse.Keep(heartbeat, stalled, etag.Mark(api)))
	if err != nil {
		return nil, err
	}
	files, err := console.Files()
	if err != nil {
		return nil, err
	}
	pages, err := page.New(files, s.cfg.TLS.CertFile != "")
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, map[string]string{"status": "ok"})
	})
	mux.Handle("GET /openapi.json", etag.Mark(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(openAPI)
	})))
	mux.Handle("/auth/", s.access.Auth())
	mux.Handle("/api/v1/search/", s.access.Guard(access.SearchPassthrough, http.StripPrefix("/api/v1/search", search)))
	mux.Handle("/api/", zipped)
	mux.HandleFunc("GET /api/{$}", s.index)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		if !pages.Is(r.URL.Path) {
			writeError(w, http.StatusNotFound, codeNotFound, "there is nothing at "+r.URL.Path+"; /openapi.json lists what there is")
			return
		}
		pages.ServeHTTP(w, r)
	})
	return mux, nil
}

// api is the REST face of the services' gRPC.
func (s *Service) api() (http.Handler, error) {
	ctx := context.Background()
	// A field that no message has is an error: it is mistyped.
	body := &runtime.HTTPBodyMarshaler{Marshaler: &runtime.JSONPb{MarshalOptions: protojson.MarshalOptions{EmitDefaultValues: true}}}
	mux := runtime.NewServeMux(append(s.access.MuxOptions(), runtime.WithDisablePathLengthFallback(), runtime.WithMarshalerOption(runtime.MIMEWildcard, body),
		runtime.WithMarshalerOption(sse.Type, sse.Marshaler{Marshaler: body}), runtime.WithRoutingErrorHandler(unrouted))...)
	ingest, transform := s.d.Backends["ingest"], s.d.Backends["transform"]
	if ingest == nil || transform == nil {
		return nil, errors.New("the gateway needs the addresses of ingest and transform")
	}
	all, alerting := aggregate{backends: s.d.Backends}, access.Signed(s.backend("alerting"))
	err := errors.Join(
		agentgw.RegisterAgentServiceHandlerClient(ctx, mux, agentv1.NewAgentServiceClient(ingest)),
		alertgw.RegisterAlertServiceHandlerClient(ctx, mux, alertv1.NewAlertServiceClient(alerting)),
		alertgw.RegisterPolicyServiceHandlerClient(ctx, mux, alertv1.NewPolicyServiceClient(alerting)),
		alertgw.RegisterOnCallServiceHandlerClient(ctx, mux, alertv1.NewOnCallServiceClient(alerting)),
		alertgw.RegisterTemplateServiceHandlerClient(ctx, mux, alertv1.NewTemplateServiceClient(alerting)),
		alertgw.RegisterSilenceServiceHandlerClient(ctx, mux, alertv1.NewSilenceServiceClient(alerting)),
		metricgw.RegisterMetricServiceHandlerClient(ctx, mux, metricv1.NewMetricServiceClient(alerting)),
		ingestgw.RegisterIngestServiceHandlerClient(ctx, mux, ingestv1.NewIngestServiceClient(ingest)),
		topicgw.RegisterTopicServiceHandlerClient(ctx, mux, topicv1.NewTopicServiceClient(ingest)),
		topicgw.RegisterMessageServiceHandlerClient(ctx, mux, topicv1.NewMessageServiceClient(ingest)),
		jobgw.RegisterJobServiceHandlerClient(ctx, mux, jobv1.NewJobServiceClient(transform)),
		deadlettergw.RegisterDeadLetterServiceHandlerClient(ctx, mux, deadletterv1.NewDeadLetterServiceClient(transform)),
		ledgergw.RegisterLedgerServiceHandlerServer(ctx, mux, ledgerServer{aggregate: all}),
		statusgw.RegisterStatusServiceHandlerServer(ctx, mux, s.status(all)),
		searchgw.RegisterSearchServiceHandlerServer(ctx, mux, s.search),
		dashboardgw.RegisterDashboardServiceHandlerServer(ctx, mux, s.dashboards),
		flowgw.RegisterFlowServiceHandlerClient(ctx, mux, flowv1.NewFlowServiceClient(s.inside.conn)),
		s.access.Handle(ctx, mux, audit.NewServer(s.audit)),
	)
	if err != nil {
		return nil, fmt.Errorf("register REST handlers: %w", err)
	}
	return mux, nil
}

// Addr is where the gateway listens.
func (s *Service) Addr() string { return s.port.Addr() }

// Handler serves without a port of its own.
func (s *Service) Handler() http.Handler { return s.port.Handler() }

// Run serves until the context ends, then lets requests finish for a moment.
func (s *Service) Run(ctx context.Context) error {
	// What is known, and what is written down, is needed until the last request has ended.
	keeping, stop := context.WithCancel(context.WithoutCancel(ctx))
	writing, finish := context.WithCancel(context.WithoutCancel(ctx))
	var kept, written sync.WaitGroup
	var errs [5]error
	kept.Go(func() { errs[0] = s.dashboards.Run(keeping) })
	kept.Go(func() { errs[1] = s.access.Run(keeping) })
	written.Go(func() { errs[2] = s.audit.Run(writing) })
	leave := s.inside.begin()
	open, shut := context.WithCancel(ctx)
	defer shut()
	var fronting sync.WaitGroup
	if s.front != nil {
		fronting.Go(func() {
			defer shut()
			errs[4] = s.front.Run(open)
		})
	}
	errs[3] = s.port.Run(open)
	shut()
	fronting.Wait()
	leave()
	stop()
	kept.Wait()
	finish()
	written.Wait()
	return errors.Join(errs[:]...)
}
