package gateway

import (
	"net/http"
	"net/http/httputil"
	"net/url"
	"path"
	"slices"
	"strings"
)

// newSearchProxy leads reading requests to the search store, with the gateway's
// own user there. What writes is refused.
func newSearchProxy(cfg Search) (http.Handler, error) {
	target, err := url.Parse(cfg.URL)
	if err != nil {
		return nil, err
	}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Header.Del("Cookie")
			if cfg.Username != "" {
				r.Out.SetBasicAuth(cfg.Username, cfg.Password.Reveal())
			}
		},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) {
			writeError(w, http.StatusBadGateway, codeUnavailable, "the search store does not answer")
		},
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case cfg.URL == "":
			writeError(w, http.StatusServiceUnavailable, codeUnavailable, "no search store is configured (gateway.search.url)")
		case hidesSeparator(r.URL.EscapedPath()):
			writeError(w, http.StatusBadRequest, codeInvalidArgument, "the path has an encoded slash, which the search store would read otherwise")
		case path.Clean(r.URL.Path) != r.URL.Path:
			writeError(w, http.StatusBadRequest, codeInvalidArgument, "the path is not in its shortest form")
		case !reads(r):
			writeError(w, http.StatusForbidden, codePermissionDenied, "only requests that read are passed on to the search store")
		default:
			proxy.ServeHTTP(w, r)
		}
	}), nil
}

// hidesSeparator reports whether a part of a path has a slash in it: what is its
// last part to us would not be to the store, so that a write could pass for a read.
func hidesSeparator(escaped string) bool {
	lower := strings.ToLower(escaped)
	return strings.Contains(lower, "%2f") || strings.Contains(lower, "%5c") || strings.Contains(lower, "%00")
}

// reads reports whether a request to the store only reads.
func reads(r *http.Request) bool {
	last := path.Base(r.URL.Path)
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		parts := []string{"_search", "_count", "_msearch", "_mapping", "_field_caps", "_stats", "_settings", "_mget"}
		dir := path.Base(path.Dir(r.URL.Path))
		return slices.Contains(parts, last) || dir == "_doc" || dir == "_cat" || dir == "_cluster" || dir == "_source"
	case http.MethodPost:
		return slices.Contains([]string{"_search", "_count", "_msearch", "_field_caps", "_mget"}, last)
	default:
		return false
	}
}
