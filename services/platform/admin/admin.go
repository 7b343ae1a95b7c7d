// Package admin serves the port by which a service is watched: metrics,
// readiness, liveness, configuration and profiles.
package admin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"time"

	statusv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/status/v1"
	"github.com/weirflow/weirflow/services/platform/config"
	"github.com/weirflow/weirflow/services/platform/status"
)

// Config says where the port is.
type Config struct {
	// Listen is host:port. Empty: no admin port.
	Listen string `yaml:"listen" help:"address of metrics, readiness, profiles; empty: none"`
}

// Deps is what the port shows.
type Deps struct {
	Logger  *slog.Logger
	Metrics http.Handler
	// Boards tell the readiness of the services of this process.
	Boards []*status.Board
	// Config and Defaults are printed by /config, secrets masked.
	Config, Defaults any
}

// Server is the admin port.
type Server struct {
	cfg Config
	d   Deps
	l   net.Listener
}

// New takes the port, so that one that is taken is known at once.
func New(ctx context.Context, cfg Config, d Deps) (*Server, error) {
	s := &Server{cfg: cfg, d: d}
	if cfg.Listen == "" {
		return s, nil
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", cfg.Listen)
	if err != nil {
		return nil, fmt.Errorf("listen for the admin port on %s: %w", cfg.Listen, err)
	}
	s.l = l
	for _, b := range d.Boards {
		b.ServedAt(l.Addr().String())
	}
	return s, nil
}

// Addr is where the port is, or "" without one.
func (s *Server) Addr() string {
	if s.l == nil {
		return ""
	}
	return s.l.Addr().String()
}

// Run serves until the context ends.
func (s *Server) Run(ctx context.Context) error {
	if s.l == nil {
		<-ctx.Done()
		return nil
	}
	srv := &http.Server{Handler: s.Handler(), ReadHeaderTimeout: 5 * time.Second, IdleTimeout: time.Minute}
	stop := context.AfterFunc(ctx, func() { _ = srv.Close() })
	defer stop()
	if err := srv.Serve(s.l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve the admin port: %w", err)
	}
	return nil
}

// Handler serves the pages without a port of their own.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", s.d.Metrics)
	mux.HandleFunc("GET /live", func(w http.ResponseWriter, _ *http.Request) { writeText(w, http.StatusOK, "live\n") })
	mux.HandleFunc("GET /ready", s.ready)
	mux.HandleFunc("GET /config", s.config)
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	return mux
}

// ready answers 200 when every part works, else 503 and which does not.
func (s *Server) ready(w http.ResponseWriter, _ *http.Request) {
	code := http.StatusOK
	services := make([]*statusv1.ServiceStatus, 0, len(s.d.Boards))
	for _, b := range s.d.Boards {
		p := b.Proto()
		if !p.GetReady() {
			code = http.StatusServiceUnavailable
		}
		services = append(services, p)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(map[string]any{"ready": code == http.StatusOK, "services": services})
}

func (s *Server) config(w http.ResponseWriter, r *http.Request) {
	var out []byte
	var err error
	if r.URL.Query().Get("mode") == "diff" {
		out, err = config.Diff(s.d.Config, s.d.Defaults)
	} else {
		out, err = config.Render(s.d.Config)
	}
	if err != nil {
		writeText(w, http.StatusInternalServerError, err.Error()+"\n")
		return
	}
	writeText(w, http.StatusOK, string(out))
}

func writeText(w http.ResponseWriter, code int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(code)
	_, _ = w.Write([]byte(text))
}
