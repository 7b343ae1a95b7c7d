package gateway

import (
	"crypto/subtle"
	"encoding/json"
	"net"
	"net/http"
	"strings"

	"github.com/weirflow/weirflow/services/platform/version"
)

// gRPC's codes, which the API uses in its errors.
const (
	codeInvalidArgument  = 3
	codeNotFound         = 5
	codeUnavailable      = 14
	codeUnauthenticated  = 16
	codePermissionDenied = 7
)

// maxBody bounds a request's body.
const maxBody = 32 << 20

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

// writeError answers in the form that all errors of the API have.
func writeError(w http.ResponseWriter, status, code int, message string) {
	writeJSON(w, status, map[string]any{"code": code, "message": message, "details": []any{}})
}

func (s *Service) index(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, map[string]any{
		"name": "weirflow", "version": version.String(),
		"links": map[string]string{
			"openapi": "/openapi.json", "health": "/healthz", "jobs": "/api/v1/jobs", "topics": "/api/v1/topics",
			"ledger": "/api/v1/ledger", "status": "/api/v1/status", "search": "/api/v1/search/{index}/_search",
		},
	})
}

// authorized lets calls through that bring the token, or all where none is configured.
func (s *Service) authorized(next http.Handler) http.Handler {
	if s.cfg.Token == "" {
		return next
	}
	want := []byte("Bearer " + s.cfg.Token.Reveal())
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if subtle.ConstantTimeCompare([]byte(r.Header.Get("Authorization")), want) != 1 {
			w.Header().Set("WWW-Authenticate", `Bearer realm="weirflow"`)
			writeError(w, http.StatusUnauthorized, codeUnauthenticated, "a valid bearer token is required")
			return
		}
		r.Header.Del("Authorization") // it is ours, not that of a service behind us
		next.ServeHTTP(w, r)
	})
}

// knownHost refuses requests by a name that is not this machine's while no token
// protects the API: a page could have its own name lead here, and then its
// requests are not foreign to the browser.
func (s *Service) knownHost(next http.Handler) http.Handler {
	if s.cfg.Token != "" {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := r.Host
		if h, _, err := net.SplitHostPort(host); err == nil {
			host = h
		}
		if !loopback(strings.Trim(host, "[]")) {
			writeError(w, http.StatusMisdirectedRequest, codePermissionDenied, "without gateway.token only requests to 127.0.0.1 or localhost are answered")
			return
		}
		next.ServeHTTP(w, r)
	})
}

func limitBody(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		next.ServeHTTP(w, r)
	})
}

// secureHeaders keeps browsers from guessing, framing and sending what they know.
// A page of another origin can't call the API: it gets no CORS headers, and what
// it can send without asking is refused.
func secureHeaders(next http.Handler) http.Handler {
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
