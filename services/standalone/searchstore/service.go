package searchstore

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"syscall"
	"time"

	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"

	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/httpapi"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/store"
)

// Deps is what the store needs from its surroundings.
type Deps struct {
	// Logger is where the store says what is worth saying; nil: nowhere.
	Logger *slog.Logger
	// MeterProvider makes the store's metrics; nil: none.
	MeterProvider metric.MeterProvider
}

// Service is the embedded search store.
type Service struct {
	cfg   Config
	log   *slog.Logger
	store *store.Store
	api   *httpapi.API
	ready chan struct{}

	mu   sync.Mutex
	addr string
	once sync.Once
	err  error
}

// New opens the data directory. It starts no server: see Run.
func New(cfg Config, d Deps) (*Service, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("search store: %w", err)
	}
	if d.Logger == nil {
		d.Logger = slog.New(slog.DiscardHandler)
	}
	if d.MeterProvider == nil {
		d.MeterProvider = noop.NewMeterProvider()
	}
	st, err := store.Open(context.Background(), cfg.DataDir, d.Logger)
	if err != nil {
		return nil, fmt.Errorf("search store: %w", err)
	}
	m, err := newMetrics(d.MeterProvider, st)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("search store: %w", err), st.Close())
	}
	s := &Service{cfg: cfg, log: d.Logger, store: st, ready: make(chan struct{})}
	s.api = httpapi.New(httpapi.Options{Store: st, Log: d.Logger, Observe: m, User: cfg.User, Password: cfg.Password.Reveal(),
		Cluster: cfg.ClusterName, MaxBody: cfg.MaxBodyBytes, KeepAlive: cfg.MaxKeepAlive})
	return s, nil
}

// Handler returns the API without a server around it.
func (s *Service) Handler() http.Handler { return s.api }

// Ready is closed when the server listens.
func (s *Service) Ready() <-chan struct{} { return s.ready }

// Addr returns the address that the server listens on, once it is ready.
func (s *Service) Addr() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.addr
}

// Close closes the indices. Run does it by itself; Close is for a service
// that was never run.
func (s *Service) Close() error {
	s.once.Do(func() {
		s.api.Close()
		s.err = s.store.Close()
	})
	return s.err
}

// Run serves until the context ends, lets running requests finish, and closes
// the indices.
func (s *Service) Run(ctx context.Context) (err error) {
	defer func() { err = errors.Join(err, s.Close()) }()
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", s.cfg.Listen)
	if err != nil {
		if errors.Is(err, syscall.EADDRINUSE) {
			return fmt.Errorf("search store: address %s is taken by another process: stop it, or set another listen address: %w", s.cfg.Listen, err)
		}
		return fmt.Errorf("search store: listen on %s: %w", s.cfg.Listen, err)
	}
	s.mu.Lock()
	s.addr = l.Addr().String()
	s.mu.Unlock()
	srv := &http.Server{Handler: s.api, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: s.cfg.ReadTimeout, WriteTimeout: s.cfg.WriteTimeout,
		IdleTimeout: s.cfg.IdleTimeout, MaxHeaderBytes: 64 << 10, ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelDebug)}
	failed := make(chan error, 1)
	go func() { failed <- srv.Serve(l) }()
	close(s.ready)
	s.log.InfoContext(ctx, "search store is ready", slog.String("address", s.addr), slog.Int("indices", len(s.store.All())))
	select {
	case err := <-failed:
		return fmt.Errorf("search store: serve on %s: %w", s.addr, err)
	case <-ctx.Done():
	}
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.cfg.ShutdownTimeout)
	defer cancel()
	if err := srv.Shutdown(stop); err != nil {
		return errors.Join(fmt.Errorf("search store: requests did not end in time: %w", err), srv.Close())
	}
	return nil
}
