// Package telemetry makes the logger, the meters and the tracer of a process.
// Metrics are served in Prometheus's format; traces go out over OTLP where an
// endpoint is configured.
package telemetry

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	otelprom "go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	semconv "go.opentelemetry.io/otel/semconv/v1.37.0"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/weirflow/weirflow/services/platform/version"
)

// Config chooses what is told, and where to.
type Config struct {
	// LogLevel is debug, info, warn or error.
	LogLevel string `yaml:"log_level" help:"debug, info, warn or error"`
	// LogFormat is text or json.
	LogFormat string `yaml:"log_format" help:"text or json"`
	// OTLPEndpoint is host:port of a collector that takes traces over gRPC. Empty: no traces.
	OTLPEndpoint string `yaml:"otlp_endpoint" help:"collector that takes traces over gRPC"`
	// OTLPInsecure sends traces without TLS.
	OTLPInsecure bool `yaml:"otlp_insecure" help:"send traces without TLS"`
}

// DefaultConfig logs text from level info on and sends no traces.
func DefaultConfig() Config { return Config{LogLevel: "info", LogFormat: "text"} }

// Validate says what is wrong with the configuration.
func (c Config) Validate() error {
	var l slog.Level
	if err := l.UnmarshalText([]byte(c.LogLevel)); err != nil {
		return fmt.Errorf("telemetry.log_level %q is none of debug, info, warn, error", c.LogLevel)
	}
	if c.LogFormat != "text" && c.LogFormat != "json" {
		return fmt.Errorf("telemetry.log_format %q is neither text nor json", c.LogFormat)
	}
	return nil
}

// Telemetry is what a process tells with.
type Telemetry struct {
	Logger     *slog.Logger
	Meters     metric.MeterProvider
	Tracers    trace.TracerProvider
	Propagator propagation.TextMapPropagator

	registry *prometheus.Registry
	closers  []func(context.Context) error
}

// New makes the telemetry of the process of a service; logs go to w.
func New(ctx context.Context, service string, cfg Config, w io.Writer) (*Telemetry, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	res, err := resource.New(ctx, resource.WithAttributes(
		semconv.ServiceName("weirflow-"+service), semconv.ServiceVersion(version.String())), resource.WithHost())
	if err != nil {
		return nil, fmt.Errorf("describe this process: %w", err)
	}
	t := &Telemetry{
		Logger: newLogger(cfg, w).With("service", service), registry: prometheus.NewRegistry(),
		Propagator: propagation.NewCompositeTextMapPropagator(propagation.TraceContext{}, propagation.Baggage{}),
		Tracers:    noop.NewTracerProvider(),
	}
	t.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	exporter, err := otelprom.New(otelprom.WithRegisterer(t.registry), otelprom.WithoutScopeInfo())
	if err != nil {
		return nil, fmt.Errorf("make metrics exporter: %w", err)
	}
	mp := sdkmetric.NewMeterProvider(sdkmetric.WithReader(exporter), sdkmetric.WithResource(res))
	t.Meters = mp
	t.closers = append(t.closers, mp.Shutdown)
	if err := t.startTraces(ctx, cfg, res); err != nil {
		return nil, err
	}
	return t, nil
}

func (t *Telemetry) startTraces(ctx context.Context, cfg Config, res *resource.Resource) error {
	endpoint := cfg.OTLPEndpoint
	if endpoint == "" && os.Getenv("OTEL_EXPORTER_OTLP_ENDPOINT") == "" {
		return nil
	}
	var opts []otlptracegrpc.Option
	if endpoint != "" {
		opts = append(opts, otlptracegrpc.WithEndpoint(endpoint))
		if cfg.OTLPInsecure {
			opts = append(opts, otlptracegrpc.WithInsecure())
		}
	}
	exporter, err := otlptracegrpc.New(ctx, opts...)
	if err != nil {
		return fmt.Errorf("make trace exporter: %w", err)
	}
	tp := sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter), sdktrace.WithResource(res))
	t.Tracers = tp
	t.closers = append(t.closers, tp.Shutdown)
	return nil
}

func newLogger(cfg Config, w io.Writer) *slog.Logger {
	var l slog.Level
	_ = l.UnmarshalText([]byte(cfg.LogLevel)) // Validate has parsed it
	o := &slog.HandlerOptions{Level: l}
	if strings.EqualFold(cfg.LogFormat, "json") {
		return slog.New(slog.NewJSONHandler(w, o))
	}
	return slog.New(slog.NewTextHandler(w, o))
}

// Registry takes metrics of parts that know Prometheus's client only.
func (t *Telemetry) Registry() *prometheus.Registry { return t.registry }

// Handler serves the metrics in Prometheus's format.
func (t *Telemetry) Handler() http.Handler {
	return promhttp.HandlerFor(t.registry, promhttp.HandlerOpts{EnableOpenMetrics: true})
}

// Close sends what is still to be sent.
func (t *Telemetry) Close(ctx context.Context) error {
	var first error
	for _, closer := range slices.Backward(t.closers) {
		if err := closer(ctx); err != nil && first == nil {
			first = fmt.Errorf("close telemetry: %w", err)
		}
	}
	return first
}
