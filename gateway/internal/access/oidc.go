package access

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	accessv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/access/v1"
)

const (
	// callbackPath is where the provider sends people back.
	callbackPath = "/auth/oidc/callback"
	// loginWithin is for how long somebody may be at the provider.
	loginWithin = 10 * time.Minute
	// providerWithin bounds what the provider may take for one answer.
	providerWithin = 10 * time.Second
	// maxFlow bounds the cookie of a login that is under way.
	maxFlow = 2048
)

// provider logs people in at an OpenID provider, by the code flow with PKCE.
type provider struct {
	cfg    OIDC
	public *url.URL
	client *http.Client
	now    func() time.Time

	mu    sync.Mutex
	found *oidc.Provider // nil until it has answered once
}

func newProvider(cfg OIDC, public *url.URL, now func() time.Time) *provider {
	return &provider{cfg: cfg, public: public, client: &http.Client{Timeout: providerWithin}, now: now}
}

// discover asks the provider where its doors are; one that is away is asked again.
func (p *provider) discover(ctx context.Context) (*oidc.Provider, *oauth2.Config, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.found == nil {
		// The provider keeps the context for its keys: it must not end with this request.
		found, err := oidc.NewProvider(oidc.ClientContext(context.WithoutCancel(ctx), p.client), p.cfg.Issuer)
		if err != nil {
			return nil, nil, fmt.Errorf("ask the OpenID provider %s: %w", p.cfg.Issuer, err)
		}
		p.found = found
	}
	scopes := p.cfg.Scopes
	if !slices.Contains(scopes, oidc.ScopeOpenID) {
		scopes = append([]string{oidc.ScopeOpenID}, scopes...)
	}
	return p.found, &oauth2.Config{
		ClientID: p.cfg.ClientID, ClientSecret: p.cfg.ClientSecret.Reveal(), Endpoint: p.found.Endpoint(),
		RedirectURL: p.public.JoinPath(callbackPath).String(), Scopes: scopes,
	}, nil
}

// flow is a login that is under way. It is in a cookie, so that any gateway can go on.
type flow struct {
	State    string `json:"s"`
	Nonce    string `json:"n"`
	Verifier string `json:"v"`
	Return   string `json:"r"`
}

// returnPath is where to go after a login: a path of the console's, and nothing else.
func returnPath(s string) string {
	u, err := url.Parse(s)
	if err != nil || len(s) > 500 || u.Scheme != "" || u.Host != "" || u.Opaque != "" || u.User != nil || !strings.HasPrefix(s, "/") || strings.HasPrefix(s, "//") ||
		strings.ContainsAny(s, "\\\r\n\t") || strings.HasPrefix(u.Path, "//") {
		return "/"
	}
	return s
}

// begin makes a login and says where the provider's page is.
func (p *provider) begin(ctx context.Context, back string) (f flow, page string, err error) {
	_, conf, err := p.discover(ctx)
	if err != nil {
		return flow{}, "", err
	}
	f = flow{State: rand.Text(), Nonce: rand.Text(), Verifier: oauth2.GenerateVerifier(), Return: returnPath(back)}
	return f, conf.AuthCodeURL(f.State, oidc.Nonce(f.Nonce), oauth2.S256ChallengeOption(f.Verifier)), nil
}

// identity is who somebody is to the provider.
type identity struct {
	issuer, subject, name, display string
	role                           accessv1.Role
}

var errNoRole = errors.New("your account gives you no role here; ask an administrator")

// finish takes what the provider sent back.
func (p *provider) finish(ctx context.Context, f flow, query url.Values) (identity, error) {
	if subtle.ConstantTimeCompare([]byte(query.Get("state")), []byte(f.State)) != 1 || f.State == "" {
		return identity{}, errors.New("this answer belongs to no login that began in this browser; begin again")
	}
	if e := query.Get("error"); e != "" {
		return identity{}, fmt.Errorf("the OpenID provider refused: %.100q", e)
	}
	found, conf, err := p.discover(ctx)
	if err != nil {
		return identity{}, err
	}
	ctx, cancel := context.WithTimeout(oidc.ClientContext(ctx, p.client), providerWithin)
	defer cancel()
	token, err := conf.Exchange(ctx, query.Get("code"), oauth2.VerifierOption(f.Verifier))
	if err != nil {
		return identity{}, errors.New("the OpenID provider does not take the code that it gave; begin again")
	}
	raw, _ := token.Extra("id_token").(string)
	id, err := found.Verifier(&oidc.Config{ClientID: p.cfg.ClientID, Now: p.now}).Verify(ctx, raw)
	if err != nil {
		return identity{}, fmt.Errorf("check what the OpenID provider says: %w", err)
	}
	if subtle.ConstantTimeCompare([]byte(id.Nonce), []byte(f.Nonce)) != 1 {
		return identity{}, errors.New("what the OpenID provider says belongs to another login; begin again")
	}
	claims := map[string]any{}
	if err := id.Claims(&claims); err != nil {
		return identity{}, fmt.Errorf("read the claims: %w", err)
	}
	return p.identity(id, claims)
}

func (p *provider) identity(id *oidc.IDToken, claims map[string]any) (identity, error) {
	name, _ := claims[p.cfg.NameClaim].(string)
	if err := checkName(name); err != nil {
		return identity{}, fmt.Errorf("the claim %q is no name for a user: %w", p.cfg.NameClaim, err)
	}
	if verified, there := claims["email_verified"].(bool); p.cfg.NameClaim == "email" && (!there || !verified) {
		return identity{}, errors.New("the OpenID provider has not verified your e-mail address")
	}
	display, _ := claims["name"].(string)
	if len(display) > maxDisplay {
		display = ""
	}
	role := p.role(claims[p.cfg.RoleClaim])
	if role == anybody {
		return identity{}, errNoRole
	}
	return identity{issuer: id.Issuer, subject: id.Subject, name: name, display: display, role: role}, nil
}

// role is the highest that the values of a claim give.
func (p *provider) role(claim any) accessv1.Role {
	best := roleNamed(p.cfg.DefaultRole)
	values, ok := claim.([]any)
	if !ok {
		values = []any{claim}
	}
	for _, v := range values {
		if s, ok := v.(string); ok {
			best = max(best, roleNamed(p.cfg.Roles[s]))
		}
	}
	return best
}

func encodeFlow(f flow) (string, error) {
	b, err := json.Marshal(f)
	return base64.RawURLEncoding.EncodeToString(b), err
}

func decodeFlow(s string) (f flow, ok bool) {
	if len(s) > maxFlow {
		return flow{}, false
	}
	b, err := base64.RawURLEncoding.DecodeString(s)
	return f, err == nil && json.Unmarshal(b, &f) == nil
}
