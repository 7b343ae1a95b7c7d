package gateway

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"

	"github.com/weirflow/weirflow/services/platform/version"
)

// gRPC's codes, which the API uses in its errors.
const (
	codeInvalidArgument  = 3
	codeNotFound         = 5
	codePermissionDenied = 7
	codeUnavailable      = 14
	codeUnimplemented    = 12
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

// unrouted answers what is no call of the API; a wrong method is not one that is
// yet to come, as the library's own answer says.
func unrouted(_ context.Context, _ *runtime.ServeMux, _ runtime.Marshaler, w http.ResponseWriter, r *http.Request, status int) {
	code, message := codeNotFound, "there is nothing at "+r.URL.Path+"; /openapi.json lists what there is"
	switch status {
	case http.StatusMethodNotAllowed:
		code, message = codeUnimplemented, r.URL.Path+" does not take "+r.Method+"; /openapi.json lists what it takes"
	case http.StatusBadRequest:
		code, message = codeInvalidArgument, "the path can't be read"
	}
	writeError(w, status, code, message)
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
