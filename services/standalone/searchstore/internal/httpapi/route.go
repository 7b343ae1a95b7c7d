package httpapi

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/store"
)

// handler answers a request.
type handler func(c *call) (*reply, error)

// route is a path pattern with its methods. {name} takes one segment; {index}
// alone does not take names that start with an underscore, except _all.
type route struct {
	pattern string
	segs    []string
	methods []string
	handle  handler
}

// table lists all routes; literal segments win over parameters.
func (a *API) table() []*route {
	var out []*route
	add := func(methods, pattern string, h handler) {
		out = append(out, &route{pattern: pattern, segs: strings.Split(strings.Trim(pattern, "/"), "/"), methods: strings.Fields(methods), handle: h})
	}
	a.clusterRoutes(add)
	a.documentRoutes(add)
	a.searchRoutes(add)
	a.indexRoutes(add)
	a.catRoutes(add)
	slices.SortStableFunc(out, func(x, y *route) int { return params(x) - params(y) })
	return out
}

func params(r *route) int {
	n := 0
	for _, s := range r.segs {
		if s[:min(1, len(s))] == "{" {
			n++
		}
	}
	return n
}

// match finds a request's route, or the answer when there is none.
func (a *API) match(c *call) (*route, *reply) {
	raw := strings.Split(strings.Trim(c.req.URL.EscapedPath(), "/"), "/")
	segs := make([]string, len(raw))
	for i, s := range raw {
		u, err := url.PathUnescape(s)
		if err != nil {
			return nil, plainError(http.StatusBadRequest, "bad escape in uri ["+c.req.URL.Path+"]")
		}
		segs[i] = u
	}
	var allowed []string
	for _, r := range a.routes {
		p, ok := r.fits(segs)
		if !ok {
			continue
		}
		if slices.Contains(r.methods, c.req.Method) {
			c.params = p
			return r, nil
		}
		for _, m := range r.methods {
			if !slices.Contains(allowed, m) {
				allowed = append(allowed, m)
			}
		}
	}
	if len(allowed) > 0 {
		order := []string{"GET", "POST", "PUT", "DELETE", "HEAD"}
		slices.SortFunc(allowed, func(x, y string) int { return slices.Index(order, x) - slices.Index(order, y) })
		rep := plainError(http.StatusMethodNotAllowed, "Incorrect HTTP method for uri ["+c.req.URL.RequestURI()+"] and method ["+c.req.Method+"], allowed: ["+strings.Join(allowed, ", ")+"]")
		rep.header = http.Header{"Allow": {strings.Join(allowed, ",")}}
		return nil, rep
	}
	if len(segs) == 1 && strings.HasPrefix(segs[0], "_") {
		return nil, errorReply(store.InvalidName(segs[0], "must not start with '_'."))
	}
	return nil, plainError(http.StatusBadRequest, "no handler found for uri ["+c.req.URL.RequestURI()+"] and method ["+c.req.Method+"]")
}

func (r *route) fits(segs []string) (map[string]string, bool) {
	if len(segs) != len(r.segs) {
		return nil, false
	}
	p := map[string]string{}
	for i, want := range r.segs {
		got := segs[i]
		if !strings.HasPrefix(want, "{") {
			if got != want {
				return nil, false
			}
			continue
		}
		name := want[1 : len(want)-1]
		if got == "" || name == "index" && len(segs) == 1 && strings.HasPrefix(got, "_") && got != "_all" && !strings.HasPrefix(got, "_all,") {
			return nil, false
		}
		p[name] = got
	}
	return p, true
}
