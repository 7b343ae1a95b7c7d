// Package web serves HTTP to people and programs: the port, TLS, the token that
// calls must bring, and what keeps a browser's other pages out.
package web

import (
	"context"
	"crypto/subtle"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/weirflow/weirflow/services/platform/rpc"
	"github.com/weirflow/weirflow/services/platform/secret"
)

// Config says how a port is reached.
type Config struct {
	// Listen is host:port.
	Listen string
	// TLS serves HTTPS where a certificate is named.
	TLS rpc.TLS
	// Token, if set, must come with every guarded call as a bearer token. It is
	// required where the port can be reached from other machines.
	Token secret.String
}

// Validate says what is wrong with the configuration, whose keys begin with prefix.
func (c Config) Validate(prefix string) error {
	host, _, err := net.SplitHostPort(c.Listen)
	switch {
	case err != nil:
		return fmt.Errorf("%s.listen %q is not host:port", prefix, c.Listen)
	case !Loopback(host) && c.Token == "":
		return fmt.Errorf("%s.listen %s can be reached from other machines: set %s.token, or listen on 127.0.0.1", prefix, c.Listen, prefix)
	}
	return nil
}

// Loopback reports whether a host is this machine only.
func Loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// Refuse answers a call that is not let through.
type Refuse func(w http.ResponseWriter, status int, message string)

// Guard decides who may call.
type Guard struct {
	Token secret.String
	// Setting is the key of the token's configuration, for the errors' text.
	Setting string
	Refuse  Refuse
}

// Authorized lets calls through that bring the token, or all where none is
// configured.
func (g Guard) Authorized(next http.Handler) http.Handler {
	if g.Token == "" {
		return next
	}
	want := []byte("Bearer " + g.Token.Reveal())
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if subtle.ConstantTimeCompare([]byte(r.Header.Get("Authorization")), want) != 1 {
			w.Header().Set("WWW-Authenticate", `Bearer realm="weirflow"`)
			g.Refuse(w, http.StatusUnauthorized, "a valid bearer token is required")
			return
		}
		r.Header.Del("Authorization") // it is ours, not that of a service behind us
		next.ServeHTTP(w, r)
	})
}

// KnownHost refuses requests by a name that is not this machine's while no token
// protects the port: a page could have its own name lead here, and then its
// requests are not foreign to the browser.
func (g Guard) KnownHost(next http.Handler) http.Handler {
	if g.Token != "" {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := r.Host
		if h, _, err := net.SplitHostPort(host); err == nil {
			host = h
		}
		if !Loopback(strings.Trim(host, "[]")) {
			g.Refuse(w, http.StatusMisdirectedRequest, "without "+g.Setting+" only requests to 127.0.0.1 or localhost are answered")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// LimitBody bounds the bodies of requests.
func LimitBody(bytes int64, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, bytes)
		next.ServeHTTP(w, r)
	})
}

// SecureHeaders keeps browsers from guessing, framing and sending what they know.
// A page of another origin can't call the API: it gets no CORS headers, and what
// it can send without asking is refused.
func SecureHeaders(next http.Handler) http.Handler {
	protect := http.NewCrossOriginProtection()
	return protect.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		next.ServeHTTP(w, r)
	}))
}

// Server serves a handler on a port that it has already taken.
type Server struct {
	l       net.Listener
	tls     *tls.Config // nil: plain HTTP
	handler http.Handler
	log     *slog.Logger
	// patience is for how long a request may be on its way here.
	patience time.Duration
}

// Listen takes the port, so that one that is taken is known at once.
func Listen(cfg Config, handler http.Handler, log *slog.Logger) (*Server, error) {
	s := &Server{handler: handler, log: log, patience: time.Minute}
	var err error
	if s.tls, err = cfg.TLS.Server(); err != nil {
		return nil, err
	}
	if s.l, err = (&net.ListenConfig{}).Listen(context.Background(), "tcp", cfg.Listen); err != nil {
		return nil, fmt.Errorf("listen for HTTP on %s: %w", cfg.Listen, err)
	}
	return s, nil
}

// Addr is where the server listens.
func (s *Server) Addr() string { return s.l.Addr().String() }

// Handler serves without the port.
func (s *Server) Handler() http.Handler { return s.handler }

// Run serves until the context ends, then lets requests finish for a moment.
func (s *Server) Run(ctx context.Context) error {
	srv := &http.Server{
		Handler: s.handler, ReadHeaderTimeout: min(5*time.Second, s.patience), ReadTimeout: s.patience, IdleTimeout: 2 * time.Minute,
		MaxHeaderBytes: 64 << 10, ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
	stop := context.AfterFunc(ctx, func() {
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
		defer cancel()
		if srv.Shutdown(end) != nil {
			_ = srv.Close()
		}
	})
	defer stop()
	var err error
	if s.tls != nil {
		srv.TLSConfig = s.tls
		err = srv.ServeTLS(s.l, "", "")
	} else {
		err = srv.Serve(s.l)
	}
	if !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve HTTP: %w", err)
	}
	return nil
}
