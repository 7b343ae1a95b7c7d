package access

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	accessv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/access/v1"
)

// Auth serves /auth/: the ways to an OpenID provider and back.
func (a *Access) Auth() http.Handler {
	mux := http.NewServeMux()
	if a.oidc == nil {
		return mux
	}
	mux.HandleFunc("GET /auth/oidc/start", a.limited(a.oidcStart))
	mux.HandleFunc("GET "+callbackPath, a.limited(a.oidcCallback))
	return mux
}

// limited bounds the requests of an address.
func (a *Access) limited(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		c := &Caller{Address: a.address(r)}
		w.Header().Set("Cache-Control", "no-store")
		if wait, ok := a.rate.Allow(c.key()); !ok {
			a.fail(w, &tooMany{wait, "too many requests"})
			return
		}
		if err := a.ready(r.Context()); err != nil {
			a.fail(w, err)
			return
		}
		if k, err := r.Cookie(a.cookieName()); err == nil {
			if known := a.bySession(k.Value); known != nil {
				c.session = known.session // it ends with the next one's begin
			}
		}
		next(w, r.WithContext(With(r.Context(), c)))
	}
}

// flowCookie carries a login that is under way; an empty one ends it. With TLS no
// neighbour can set a cookie of that name.
func (a *Access) flowCookie(value string) *http.Cookie {
	c := &http.Cookie{Name: "weirflow_oidc", Value: value, Path: "/", HttpOnly: true, Secure: a.secure(), SameSite: http.SameSiteLaxMode, MaxAge: int(loginWithin / time.Second)} //nolint:gosec // without TLS it can not be Secure
	if a.secure() {
		c.Name = "__Host-weirflow_oidc"
	}
	if value == "" {
		c.MaxAge = -1
	}
	return c
}

func (a *Access) oidcStart(w http.ResponseWriter, r *http.Request) {
	f, page, err := a.oidc.begin(r.Context(), r.URL.Query().Get("return"))
	if err != nil {
		a.log.Warn("nobody can log in with the OpenID provider", "error", err)
		http.Error(w, "the OpenID provider does not answer", http.StatusBadGateway)
		return
	}
	value, err := encodeFlow(f)
	if err != nil {
		http.Error(w, "the login can't begin", http.StatusInternalServerError)
		return
	}
	http.SetCookie(w, a.flowCookie(value))
	http.Redirect(w, r, page, http.StatusSeeOther) //nolint:gosec // the page is the configured provider's
}

func (a *Access) oidcCallback(w http.ResponseWriter, r *http.Request) {
	ctx, rec := a.begin(r.Context(), "GET "+callbackPath, "")
	var f flow
	if k, err := r.Cookie(a.flowCookie("").Name); err == nil {
		f, _ = decodeFlow(k.Value)
	}
	http.SetCookie(w, a.flowCookie("")) // it is good once
	err := a.oidcLogIn(ctx, w, f, r)
	if err != nil {
		rec.entry.Code, rec.entry.Message = codes.PermissionDenied.String(), err.Error()
	}
	a.write(rec.entry)
	if err != nil {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.WriteHeader(http.StatusForbidden)
		_, _ = fmt.Fprintf(w, "You are not logged in: %v\n", err) // who is gone needs no answer
		return
	}
	http.Redirect(w, r, returnPath(f.Return), http.StatusSeeOther)
}

func (a *Access) oidcLogIn(ctx context.Context, w http.ResponseWriter, f flow, r *http.Request) error {
	id, err := a.oidc.finish(ctx, f, r.URL.Query())
	if err != nil {
		return err
	}
	recordOf(ctx).entry.Target = id.name
	u, err := a.external(ctx, id)
	if err != nil {
		return err
	}
	_, err = a.logIn(ctx, w, u)
	return err
}

// external keeps who logged in at the provider as a user. One of that name who is
// somebody else stays who he is.
func (a *Access) external(ctx context.Context, id identity) (*accessv1.UserRecord, error) {
	a.change.Lock()
	defer a.change.Unlock()
	old, there := a.store.users.Get(id.name)
	switch {
	case !there && len(a.store.users.All()) >= maxUsers:
		return nil, fmt.Errorf("there are %d users already", maxUsers)
	case !there:
		old = &accessv1.UserRecord{
			User: &accessv1.User{Name: id.name, External: true, CreatedAt: a.stamp()},
			Id:   rand.Text(), Generation: rand.Text(), Issuer: id.issuer, Subject: id.subject,
		}
	case !old.GetUser().GetExternal() || old.GetIssuer() != id.issuer || old.GetSubject() != id.subject:
		return nil, fmt.Errorf("there is another user of the name %q here", id.name)
	case old.GetUser().GetDisabled():
		return nil, fmt.Errorf("the user %q is disabled", id.name)
	case old.GetUser().GetRole() == id.role && old.GetUser().GetDisplayName() == id.display:
		return old, nil
	}
	u, _ := proto.Clone(old).(*accessv1.UserRecord)
	u.User.Role, u.User.DisplayName = id.role, id.display
	return u, kept("keep the user", a.store.users.Put(ctx, id.name, u))
}
