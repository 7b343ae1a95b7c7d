package access

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"slices"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	accessv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/access/v1"
)

// maxSessions bounds the sessions of one user; the oldest ends.
const maxSessions = 50

// sessionKey is by which a session is known: whoever reads the topic can't use it.
func sessionKey(session string) string {
	sum := sha256.Sum256([]byte(session))
	return hex.EncodeToString(sum[:])
}

// csrfToken is the word that changes in a session must bring. It tells nothing of the
// session, and only who has the session can make it.
func csrfToken(session string) string {
	m := hmac.New(sha256.New, []byte(session))
	_, _ = m.Write([]byte("weirflow csrf")) // an HMAC takes all
	return base64.RawURLEncoding.EncodeToString(m.Sum(nil))
}

func csrfMatches(session, token string) bool {
	return subtle.ConstantTimeCompare([]byte(csrfToken(session)), []byte(token)) == 1
}

// beginSession keeps a new session of a user and returns its secret.
func (a *Access) beginSession(ctx context.Context, u *accessv1.UserRecord, address string) (string, error) {
	name := u.GetUser().GetName()
	a.endOldest(ctx, name)
	session, now := rand.Text()+rand.Text(), a.d.Now()
	err := a.store.sessions.Put(ctx, sessionKey(session), &accessv1.SessionRecord{
		User: name, UserId: u.GetId(), Generation: u.GetGeneration(), Address: address,
		CreatedAt: timestamppb.New(now), ExpiresAt: timestamppb.New(now.Add(a.cfg.Session.Lifetime)),
	})
	if err != nil {
		return "", kept("log in", err)
	}
	a.store.mark("user/" + name)
	return session, nil
}

// endOldest makes room for one more session of a user.
func (a *Access) endOldest(ctx context.Context, user string) {
	type one struct {
		key string
		at  time.Time
	}
	var own []one
	for key, s := range a.store.sessions.All() {
		if s.GetUser() == user {
			own = append(own, one{key, s.GetCreatedAt().AsTime()})
		}
	}
	if len(own) < maxSessions {
		return
	}
	slices.SortFunc(own, func(x, y one) int { return x.at.Compare(y.at) })
	for _, o := range own[:len(own)-maxSessions+1] {
		a.endSession(ctx, o.key)
	}
}

func (a *Access) endSession(ctx context.Context, key string) {
	if err := a.store.sessions.Delete(ctx, key); err != nil {
		a.log.Warn("a session could not be deleted; it ends by itself", "error", err)
		return
	}
	a.store.forget(ctx, "session/"+key)
}

// sessionOwner returns whose session it is; nil if it has ended.
func (a *Access) sessionOwner(key string, s *accessv1.SessionRecord) *accessv1.UserRecord {
	u, ok := a.store.users.Get(s.GetUser())
	if !ok || u.GetId() != s.GetUserId() || u.GetGeneration() != s.GetGeneration() || u.GetUser().GetDisabled() {
		return nil
	}
	now, seen := a.d.Now(), s.GetCreatedAt().AsTime()
	if used := a.store.lastUse("session/" + key); used.After(seen) {
		seen = used
	}
	if !now.Before(s.GetExpiresAt().AsTime()) || now.Sub(seen) > a.cfg.Session.Idle {
		return nil
	}
	return u
}

// bySession finds who a cookie is; nil for nobody.
func (a *Access) bySession(session string) *Caller {
	if a.store == nil || session == "" || len(session) > 128 {
		return nil
	}
	key := sessionKey(session)
	s, ok := a.store.sessions.Get(key)
	if !ok {
		return nil
	}
	u := a.sessionOwner(key, s)
	if u == nil {
		return nil
	}
	a.store.mark("session/" + key)
	return &Caller{User: u.GetUser().GetName(), Role: u.GetUser().GetRole(), session: session}
}

// cookieName is the session's; with TLS browsers hold a cookie of that name to this host.
func (a *Access) cookieName() string {
	if a.secure() {
		return "__Host-weirflow_session"
	}
	return "weirflow_session"
}

// cookie carries a session; an empty one ends it in the browser.
func (a *Access) cookie(session string) *http.Cookie {
	c := &http.Cookie{Name: a.cookieName(), Value: session, Path: "/", HttpOnly: true, Secure: a.secure(), SameSite: http.SameSiteStrictMode, MaxAge: int(a.cfg.Session.Lifetime / time.Second)} //nolint:gosec // without TLS it can not be Secure
	if a.oidc != nil {                                                                                                                                                                           // the provider's page leads back here, and then it must be sent
		c.SameSite = http.SameSiteLaxMode
	}
	if session == "" {
		c.MaxAge = -1
	}
	return c
}
