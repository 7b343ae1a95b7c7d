package front

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"time"

	"go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/health"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/protobuf/proto"

	"github.com/weirflow/weirflow/services/platform/rpc"
)

const (
	// maxHeader bounds a call's metadata, maxStreams the calls of one connection.
	maxHeader  = 64 << 10
	maxStreams = 1000
	// greetWithin bounds how long a connection may take to begin.
	greetWithin = 5 * time.Second
	// endWithin is for how long calls may finish at the end.
	endWithin = 3 * time.Second
)

// Guard finds who makes a call and whether he may. The context that it returns knows the
// caller; end is told the first request, if there was one, and how the call ended.
type Guard interface {
	Begin(ctx context.Context, method string) (_ context.Context, end func(first proto.Message, err error), _ error)
}

// Deps are what the port is given.
type Deps struct {
	Guard Guard
	// Backend returns where a service such as "weirflow.job.v1.JobService" is answered;
	// nil for those that are none of the gateway's.
	Backend func(service string) grpc.ClientConnInterface
	// TLS, if set, is spoken.
	TLS        *tls.Config
	Meters     metric.MeterProvider
	Tracers    trace.TracerProvider
	Propagator propagation.TextMapPropagator
}

// Server is the port. Services that the gateway answers itself are registered on it
// before Run.
type Server struct {
	*grpc.Server
	l net.Listener
}

// New takes the port, so that one that is taken is known at once.
func New(listen string, d Deps) (*Server, error) {
	p := proxy{d}
	opts := []grpc.ServerOption{
		grpc.MaxRecvMsgSize(rpc.MaxMessage), grpc.MaxSendMsgSize(rpc.MaxMessage), grpc.MaxHeaderListSize(maxHeader), grpc.MaxConcurrentStreams(maxStreams),
		grpc.ConnectionTimeout(greetWithin),
		grpc.KeepaliveParams(keepalive.ServerParameters{Time: 30 * time.Second, Timeout: 10 * time.Second}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: 5 * time.Second, PermitWithoutStream: true}),
		grpc.StatsHandler(otelgrpc.NewServerHandler(otelgrpc.WithTracerProvider(d.Tracers), otelgrpc.WithMeterProvider(d.Meters), otelgrpc.WithPropagators(d.Propagator))),
		grpc.UnaryInterceptor(guarded{d.Guard}.unary), grpc.StreamInterceptor(guarded{d.Guard}.stream),
		grpc.UnknownServiceHandler(p.pass),
	}
	if d.TLS != nil {
		opts = append(opts, grpc.Creds(credentials.NewTLS(d.TLS)))
	}
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", listen)
	if err != nil {
		return nil, fmt.Errorf("listen for gRPC on %s: %w", listen, err)
	}
	s := &Server{Server: grpc.NewServer(opts...), l: l}
	healthv1.RegisterHealthServer(s, health.NewServer())
	return s, nil
}

// Addr is where it listens.
func (s *Server) Addr() string { return s.l.Addr().String() }

// Run serves until the context ends, then lets calls finish for a moment.
func (s *Server) Run(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() {
		gentle := make(chan struct{})
		go func() { s.GracefulStop(); close(gentle) }()
		select {
		case <-gentle:
		case <-time.After(endWithin):
			s.Stop()
		}
	})
	defer stop()
	if err := s.Serve(s.l); err != nil && !errors.Is(err, grpc.ErrServerStopped) {
		return fmt.Errorf("serve gRPC: %w", err)
	}
	return nil
}
