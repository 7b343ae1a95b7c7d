package gateway

import (
	"encoding/json"
	"net/http"

	"github.com/weirflow/weirflow/services/platform/version"
	"github.com/weirflow/weirflow/services/platform/web"
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

// guard decides who may call the API.
func (c Config) guard() web.Guard {
	return web.Guard{Token: c.Token, Setting: "gateway.token", Refuse: func(w http.ResponseWriter, status int, message string) {
		code := codePermissionDenied
		if status == http.StatusUnauthorized {
			code = codeUnauthenticated
		}
		writeError(w, status, code, message)
	}}
}
