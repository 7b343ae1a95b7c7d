// Package rpc makes gRPC servers and clients alike in every service: TLS and
// mutual TLS, bearer tokens, keep-alive, message sizes and telemetry.
package rpc

import (
	"context"
	"crypto/subtle"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/reflection"
	"google.golang.org/grpc/resolver"
	"google.golang.org/grpc/resolver/manual"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"

	"github.com/weirflow/weirflow/services/platform/secret"
	"github.com/weirflow/weirflow/services/platform/telemetry"
)

// MaxMessage bounds a message: the longest line that an agent sends and what
// belongs to it fit in.
const MaxMessage = 32 << 20

const (
	// streamWindow and connWindow are what a peer may send before it is read.
	streamWindow = 2 << 20
	connWindow   = 4 << 20
	// maxHeader bounds a call's metadata.
	maxHeader = 64 << 10
)

// TLS names the files of certificates. All empty: no TLS.
type TLS struct {
	CertFile string `yaml:"cert_file" help:"certificate"`
	KeyFile  string `yaml:"key_file" help:"its key"`
	// CAFile: a server asks clients for a certificate of this authority; a
	// client trusts it instead of the system's.
	CAFile string `yaml:"ca_file" help:"authority of the other side"`
}

// ServerConfig says how a service is reached.
type ServerConfig struct {
	Listen string `yaml:"listen" help:"address of the gRPC API"`
	TLS    TLS    `yaml:"tls"`
	// Token, if set, must come with every call as a bearer token.
	Token secret.String `yaml:"token" help:"bearer token that calls must bring"`
}

// ClientConfig says how a service is called.
type ClientConfig struct {
	// Address is host:port, or several with commas between: the first that answers is
	// called, and another when it is away.
	Address string        `yaml:"address" help:"address of the service, or several with commas between"`
	TLS     TLS           `yaml:"tls"`
	Token   secret.String `yaml:"token" help:"bearer token to bring"`
	// Secure uses TLS with the system's authorities even where no file is named.
	Secure bool `yaml:"secure" help:"use TLS with the authorities of the system"`
}

// InMemory is a listen address without a port: only this process reaches it,
// with DialServer.
const InMemory = "memory"

// Server is a gRPC server on a port that it has already taken.
type Server struct {
	*grpc.Server
	l net.Listener
}

// NewServer takes the port, so that one that is taken is known at once.
func NewServer(cfg ServerConfig, t *telemetry.Telemetry) (*Server, error) {
	opts := []grpc.ServerOption{
		grpc.MaxRecvMsgSize(MaxMessage), grpc.MaxSendMsgSize(MaxMessage),
		grpc.InitialWindowSize(streamWindow), grpc.InitialConnWindowSize(connWindow), grpc.MaxHeaderListSize(maxHeader),
		grpc.ReadBufferSize(128 << 10), grpc.WriteBufferSize(128 << 10),
		grpc.KeepaliveParams(keepalive.ServerParameters{Time: 30 * time.Second, Timeout: 10 * time.Second}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: 5 * time.Second, PermitWithoutStream: true}),
		grpc.StatsHandler(otelgrpc.NewServerHandler(otelgrpc.WithTracerProvider(t.Tracers), otelgrpc.WithMeterProvider(t.Meters), otelgrpc.WithPropagators(t.Propagator))),
	}
	c, err := cfg.TLS.Server()
	if err != nil {
		return nil, err
	}
	if c != nil {
		opts = append(opts, grpc.Creds(credentials.NewTLS(c)))
	}
	if cfg.Token != "" {
		a := tokenCheck{token: cfg.Token}
		opts = append(opts, grpc.ChainUnaryInterceptor(a.unary), grpc.ChainStreamInterceptor(a.stream))
	}
	l, err := listen(cfg.Listen)
	if err != nil {
		return nil, err
	}
	s := &Server{Server: grpc.NewServer(opts...), l: l}
	healthv1.RegisterHealthServer(s, health.NewServer())
	reflection.Register(s)
	return s, nil
}

func listen(addr string) (net.Listener, error) {
	if addr == InMemory {
		return bufconn.Listen(1 << 20), nil
	}
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("listen for gRPC on %s: %w", addr, err)
	}
	return l, nil
}

// DialServer makes a client connection to a server of this process, whether it
// has a port or not.
func DialServer(s *Server, cfg ClientConfig, t *telemetry.Telemetry) (*grpc.ClientConn, error) {
	mem, ok := s.l.(*bufconn.Listener)
	if !ok {
		cfg.Address = s.Addr()
		return Dial(cfg, t)
	}
	cfg.Address = "passthrough:///" + InMemory
	return dial(cfg, t, grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return mem.DialContext(ctx) }))
}

// Listener is the port that the server has taken.
func (s *Server) Listener() net.Listener { return s.l }

// Addr is where the server listens.
func (s *Server) Addr() string { return s.l.Addr().String() }

// Run serves until the context ends, then lets calls finish for a moment.
func (s *Server) Run(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() {
		gentle := make(chan struct{})
		go func() { s.GracefulStop(); close(gentle) }()
		select {
		case <-gentle:
		case <-time.After(3 * time.Second):
			s.Stop()
		}
	})
	defer stop()
	if err := s.Serve(s.l); err != nil && !errors.Is(err, grpc.ErrServerStopped) {
		return fmt.Errorf("serve gRPC: %w", err)
	}
	return nil
}

// Dial makes a client connection; it connects when it is first used and again
// when it broke.
func Dial(cfg ClientConfig, t *telemetry.Telemetry) (*grpc.ClientConn, error) { return dial(cfg, t) }

func dial(cfg ClientConfig, t *telemetry.Telemetry, extra ...grpc.DialOption) (*grpc.ClientConn, error) {
	creds := insecure.NewCredentials()
	if cfg.Secure || cfg.TLS != (TLS{}) {
		c, err := clientTLS(cfg.TLS)
		if err != nil {
			return nil, err
		}
		creds = credentials.NewTLS(c)
	}
	opts := []grpc.DialOption{
		grpc.WithTransportCredentials(creds),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(MaxMessage), grpc.MaxCallSendMsgSize(MaxMessage)),
		grpc.WithInitialWindowSize(streamWindow), grpc.WithInitialConnWindowSize(connWindow),
		grpc.WithReadBufferSize(128 << 10), grpc.WithWriteBufferSize(128 << 10),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 30 * time.Second, Timeout: 10 * time.Second}),
		grpc.WithStatsHandler(otelgrpc.NewClientHandler(otelgrpc.WithTracerProvider(t.Tracers), otelgrpc.WithMeterProvider(t.Meters), otelgrpc.WithPropagators(t.Propagator))),
	}
	if cfg.Token != "" {
		opts = append(opts, grpc.WithPerRPCCredentials(bearer{token: cfg.Token}))
	}
	target := cfg.Address
	if list := strings.Split(cfg.Address, ","); len(list) > 1 {
		target = listScheme + ":///"
		opts = append(opts, grpc.WithResolvers(listed(list)))
	}
	c, err := grpc.NewClient(target, append(opts, extra...)...)
	if err != nil {
		return nil, fmt.Errorf("dial %s: %w", cfg.Address, err)
	}
	return c, nil
}

// listScheme is that of targets that name several addresses.
const listScheme = "list"

// listed makes what resolves a list of addresses: the first that answers is used.
func listed(list []string) resolver.Builder {
	r := manual.NewBuilderWithScheme(listScheme)
	var st resolver.State
	for _, a := range list {
		a = strings.TrimSpace(a)
		name := a
		if host, _, err := net.SplitHostPort(a); err == nil {
			name = host
		}
		st.Addresses = append(st.Addresses, resolver.Address{Addr: a, ServerName: name})
	}
	r.InitialState(st)
	return r
}

// Server makes the configuration of a server; nil where no file is named. A
// certificate without its key, or an authority without a certificate, is an
// error: without TLS, what was meant to be protected would not be.
func (t TLS) Server() (*tls.Config, error) {
	if t == (TLS{}) {
		return nil, nil //nolint:nilnil // no TLS is an answer
	}
	if t.CertFile == "" || t.KeyFile == "" {
		return nil, errors.New("tls.cert_file and tls.key_file are both needed to serve TLS")
	}
	cert, err := tls.LoadX509KeyPair(t.CertFile, t.KeyFile)
	if err != nil {
		return nil, fmt.Errorf("load certificate: %w", err)
	}
	c := &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}
	if t.CAFile != "" {
		if c.ClientCAs, err = pool(t.CAFile); err != nil {
			return nil, err
		}
		c.ClientAuth = tls.RequireAndVerifyClientCert
	}
	return c, nil
}

func clientTLS(t TLS) (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	var err error
	if t.CAFile != "" {
		if c.RootCAs, err = pool(t.CAFile); err != nil {
			return nil, err
		}
	}
	if t.CertFile != "" {
		cert, err := tls.LoadX509KeyPair(t.CertFile, t.KeyFile)
		if err != nil {
			return nil, fmt.Errorf("load certificate: %w", err)
		}
		c.Certificates = []tls.Certificate{cert}
	}
	return c, nil
}

func pool(file string) (*x509.CertPool, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("load certificate authority: %w", err)
	}
	p := x509.NewCertPool()
	if !p.AppendCertsFromPEM(b) {
		return nil, fmt.Errorf("load certificate authority: %s holds no certificate", file)
	}
	return p, nil
}

// bearer sends a token with every call.
type bearer struct{ token secret.String }

func (b bearer) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	return map[string]string{"authorization": "Bearer " + b.token.Reveal()}, nil
}

func (bearer) RequireTransportSecurity() bool { return false }

// tokenCheck refuses calls without the token; health checks need none.
type tokenCheck struct{ token secret.String }

func (t tokenCheck) check(ctx context.Context, method string) error {
	if method == healthv1.Health_Check_FullMethodName {
		return nil
	}
	md, _ := metadata.FromIncomingContext(ctx)
	want := []byte("Bearer " + t.token.Reveal())
	for _, v := range md.Get("authorization") {
		if subtle.ConstantTimeCompare([]byte(v), want) == 1 {
			return nil
		}
	}
	return status.Error(codes.Unauthenticated, "a valid bearer token is required")
}

func (t tokenCheck) unary(ctx context.Context, req any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
	if err := t.check(ctx, info.FullMethod); err != nil {
		return nil, err
	}
	return next(ctx, req)
}

func (t tokenCheck) stream(srv any, ss grpc.ServerStream, info *grpc.StreamServerInfo, next grpc.StreamHandler) error {
	if err := t.check(ss.Context(), info.FullMethod); err != nil {
		return err
	}
	return next(srv, ss)
}
