package access

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// tokenPrefix begins every API token, so that those that leaked are found.
const tokenPrefix = "wf_"

// newToken makes a token's id and its secret: the id and 260 random bits.
func newToken() (id, secret string) {
	id = strings.ToLower(rand.Text()[:16])
	return id, tokenPrefix + id + "_" + rand.Text() + rand.Text()
}

func errToken() error {
	return status.Error(codes.Unauthenticated, "a valid bearer token is required: this one is not known, or has ended")
}

// static reports whether a token is the configured one.
func (a *Access) static(token string) bool {
	return a.d.Token != "" && subtle.ConstantTimeCompare([]byte(token), []byte(a.d.Token.Reveal())) == 1
}

// byToken finds who a bearer token is.
func (a *Access) byToken(token string) (*Caller, error) {
	if a.static(token) {
		return &Caller{Role: admin, Token: StaticToken}, nil
	}
	id, _, ok := strings.Cut(strings.TrimPrefix(token, tokenPrefix), "_")
	if a.store == nil || !ok || !strings.HasPrefix(token, tokenPrefix) || len(token) > 256 {
		return nil, errToken()
	}
	t, _ := a.store.tokens.Get(id)
	sum := sha256.Sum256([]byte(token))
	if subtle.ConstantTimeCompare(sum[:], t.GetHash()) != 1 || !a.d.Now().Before(t.GetToken().GetExpiresAt().AsTime()) {
		return nil, errToken()
	}
	owner, _ := a.store.users.Get(t.GetToken().GetOwner())
	if owner.GetUser() == nil || owner.GetUser().GetDisabled() || owner.GetId() != t.GetOwnerId() {
		return nil, errToken()
	}
	a.store.mark("token/" + id)
	return &Caller{User: owner.GetUser().GetName(), Role: min(owner.GetUser().GetRole(), t.GetToken().GetRole()), Scopes: t.GetToken().GetScopes(), Token: id}, nil
}
