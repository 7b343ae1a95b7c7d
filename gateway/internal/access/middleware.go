package access

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	accessv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/access/v1"
	"github.com/weirflow/weirflow/services/platform/web"
)

// visit is the request by which a call came: logging in sets a cookie.
type visit struct {
	w http.ResponseWriter
	r *http.Request
}

type visitKey struct{}

func visitOf(ctx context.Context) (*visit, bool) {
	v, ok := ctx.Value(visitKey{}).(*visit)
	return v, ok
}

// Middleware finds out who makes a request. Under /api/ it lets nobody through who is
// not known, but for what logging in needs; who may make a call is for the calls'
// handlers (MuxOptions, Guard). Everything else, such as the console's files, is for all.
func (a *Access) Middleware(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if a.secure() {
			w.Header().Set("Strict-Transport-Security", "max-age=31536000")
		}
		if len(r.TransferEncoding) > 0 {
			// Who is in front may have read another length than we did: what it takes for
			// the rest of this request must not be our next one.
			w.Header().Set("Connection", "close")
		}
		if err := a.reachable(r); err != nil {
			refuse(w, http.StatusMisdirectedRequest, err)
			return
		}
		if !strings.HasPrefix(r.URL.Path, "/api/") {
			next.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Cache-Control", "no-store")
		c, err := a.admit(r)
		if err != nil {
			a.noteStranger(r, c, err)
			a.fail(w, err)
			return
		}
		strip(r.Header)
		ctx := context.WithValue(With(r.Context(), c), visitKey{}, &visit{w, r})
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// reachable refuses requests by a name that is not this machine's while everybody here
// may do everything: a page could have its own name lead here, and then its requests
// are not foreign to the browser. The same goes for what a proxy passes on.
func (a *Access) reachable(r *http.Request) error {
	if !a.closable() || (a.store != nil && a.store.ready() && !a.open()) {
		return nil
	}
	host := r.Host
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	if !web.Loopback(strings.Trim(host, "[]")) {
		return status.Error(codes.PermissionDenied, "without gateway.token or users only requests to 127.0.0.1 or localhost are answered")
	}
	for _, h := range []string{"X-Forwarded-For", "X-Forwarded-Host", "Forwarded"} {
		if r.Header.Get(h) != "" {
			return status.Error(codes.PermissionDenied, "without gateway.token or users no requests of others are answered, and the header "+h+" says that this is one")
		}
	}
	return nil
}

// admit finds who makes a request under /api/, and whether he may make one at all. With
// an error the caller is as far known as it helps the audit log.
func (a *Access) admit(r *http.Request) (*Caller, error) {
	address := a.address(r)
	stranger := &Caller{Address: address}
	c, err := a.identify(r, address)
	if err != nil {
		if wait, ok := a.rate.Allow(stranger.key()); !ok {
			return stranger, &tooMany{wait, "too many requests"}
		}
		return stranger, err
	}
	c.Address = address
	if wait, ok := a.rate.Allow(c.key()); !ok {
		return c, &tooMany{wait, "too many requests"}
	}
	if c.session != "" {
		if err := a.sameOrigin(r, c.session); err != nil {
			return c, err
		}
	}
	// "/api/" alone tells which paths there are.
	if !c.Known() && r.URL.Path != "/api/v1/session" && r.URL.Path != "/api/" {
		return c, status.Error(codes.Unauthenticated, "log in, or bring a valid bearer token")
	}
	return c, nil
}

// identify finds who a request says it is from.
func (a *Access) identify(r *http.Request, address string) (*Caller, error) {
	c, err := a.byHeader(r.Context(), r.Header.Values("Authorization"), address)
	if c != nil || err != nil {
		return c, err
	}
	if k, err := r.Cookie(a.cookieName()); err == nil {
		if c := a.bySession(k.Value); c != nil {
			return c, nil
		}
	}
	return &Caller{}, nil
}

// byHeader finds who the values of the header Authorization say; nil if there are none,
// unless that is enough.
func (a *Access) byHeader(ctx context.Context, given []string, address string) (*Caller, error) {
	if len(given) > 1 {
		return nil, status.Error(codes.Unauthenticated, "there is more than one header Authorization")
	}
	token, bearer := "", false
	if len(given) == 1 {
		token, bearer = strings.CutPrefix(given[0], "Bearer ")
	}
	if bearer && a.static(token) { // it needs nothing of Kafka
		return &Caller{Role: admin, Token: StaticToken}, nil
	}
	if err := a.ready(ctx); err != nil {
		return nil, err
	}
	switch {
	case a.open(): // there is nobody whom one could say to be
		return &Caller{Role: admin, Open: true}, nil
	case bearer:
		return a.byToken(token)
	case len(given) == 0 || given[0] == "":
		return nil, nil //nolint:nilnil // nobody is an answer
	}
	name, password, ok := (&http.Request{Header: http.Header{"Authorization": given}}).BasicAuth()
	if !ok {
		return nil, status.Error(codes.Unauthenticated, "Authorization is neither Bearer nor Basic")
	}
	u, err := a.byPassword(ctx, name, password, address)
	if err != nil {
		return nil, err
	}
	return &Caller{User: u.GetUser().GetName(), Role: u.GetUser().GetRole()}, nil
}

// sameOrigin lets changes in a session through that a page of this gateway makes.
func (a *Access) sameOrigin(r *http.Request, session string) error {
	if r.Method == http.MethodGet || r.Method == http.MethodHead || r.Method == http.MethodOptions {
		return nil
	}
	if !csrfMatches(session, r.Header.Get("X-Csrf-Token")) {
		return status.Error(codes.PermissionDenied, "the header X-CSRF-Token is missing or wrong: with a session's cookie, changes need the csrf_token of GET /api/v1/session")
	}
	site, origin := r.Header.Get("Sec-Fetch-Site"), r.Header.Get("Origin")
	switch {
	case site == "same-origin":
		return nil
	case site == "" && origin != "":
		u, err := url.Parse(origin)
		if err == nil && (u.Host == r.Host || (a.public != nil && u.Host == a.public.Host)) {
			return nil
		}
	}
	return status.Error(codes.PermissionDenied, "with a session's cookie, changes must come from a page of this gateway: the headers Sec-Fetch-Site or Origin don't say so")
}

// address is from where a request came: what trusted proxies say, from the nearest to
// the first that is not one of them.
func (a *Access) address(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	if len(a.proxies) == 0 {
		return host
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0 && a.trusted(host); i-- {
		hop := strings.TrimSpace(hops[i])
		if _, err := netip.ParseAddr(hop); err != nil {
			break
		}
		host = hop
	}
	return host
}

func (a *Access) trusted(host string) bool {
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return false
	}
	for _, p := range a.proxies {
		if p.Contains(ip.Unmap()) {
			return true
		}
	}
	return false
}

// strip takes away what is for the gateway only, and what would reach the services
// behind it as metadata of its own.
func strip(h http.Header) {
	for _, name := range []string{"Authorization", "Cookie", "X-Csrf-Token"} {
		h.Del(name)
	}
	for name := range h {
		if strings.HasPrefix(strings.ToLower(name), "grpc-metadata-") {
			delete(h, name)
		}
	}
}

// bearerRealm names no Basic: a browser would ask for a password, and send it from then on.
const bearerRealm = `Bearer realm="weirflow"` //nolint:gosec // it is no secret

// fail answers with an error.
func (a *Access) fail(w http.ResponseWriter, err error) {
	code := status.Code(err)
	if wait, ok := errors.AsType[*tooMany](err); ok {
		w.Header().Set("Retry-After", strconv.Itoa(wait.seconds()))
	}
	if code == codes.Unauthenticated {
		w.Header().Set("WWW-Authenticate", bearerRealm)
	}
	refuse(w, runtime.HTTPStatusFromCode(code), err)
}

func refuse(w http.ResponseWriter, httpStatus int, err error) {
	s := status.Convert(err)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(httpStatus)
	_ = json.NewEncoder(w).Encode(map[string]any{"code": int(s.Code()), "message": s.Message(), "details": []any{}}) // who is gone needs no answer
}

// noteStranger writes down an attempt that was refused before it came to a call. A page
// that has no session yet is no attempt; and of one address only so many are written.
func (a *Access) noteStranger(r *http.Request, c *Caller, err error) {
	code := status.Code(err)
	attempt := code == codes.PermissionDenied || code == codes.ResourceExhausted || (code == codes.Unauthenticated && r.Header.Get("Authorization") != "")
	if !attempt {
		return
	}
	name, _, _ := r.BasicAuth()
	a.write(&accessv1.AuditEntry{
		At: a.stamp(), User: c.User, Token: c.Token, Address: c.Address, Method: r.Method + " " + r.URL.Path, Target: name,
		Code: code.String(), Message: status.Convert(err).Message(),
	})
}
