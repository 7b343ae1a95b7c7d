package gateway_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/weirflow/weirflow/gateway"
)

// op is an OpenID provider. The test says what it gives to whom.
type op struct {
	*httptest.Server
	key       *rsa.PrivateKey
	claims    map[string]any // of the next token
	challenge string         // of the login that is under way
}

func newOP(t *testing.T) *op {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	p := &op{key: key}
	mux := http.NewServeMux()
	give := func(w http.ResponseWriter, v any) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(v)
	}
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		give(w, map[string]any{
			"issuer": p.URL, "authorization_endpoint": p.URL + "/authorize", "token_endpoint": p.URL + "/token", "jwks_uri": p.URL + "/keys",
			"id_token_signing_alg_values_supported": []string{"RS256"},
		})
	})
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, _ *http.Request) {
		b := base64.RawURLEncoding
		give(w, map[string]any{"keys": []any{map[string]any{
			"kty": "RSA", "alg": "RS256", "use": "sig", "kid": "1", "n": b.EncodeToString(key.N.Bytes()), "e": b.EncodeToString(big.NewInt(int64(key.E)).Bytes()),
		}}})
	})
	mux.HandleFunc("POST /token", func(w http.ResponseWriter, r *http.Request) {
		sum := sha256.Sum256([]byte(r.FormValue("code_verifier")))
		if r.FormValue("code") != "the code" || base64.RawURLEncoding.EncodeToString(sum[:]) != p.challenge {
			http.Error(w, `{"error":"invalid_grant"}`, http.StatusBadRequest)
			return
		}
		give(w, map[string]any{"access_token": "a", "token_type": "Bearer", "id_token": p.sign(t)})
	})
	p.Server = httptest.NewServer(mux)
	t.Cleanup(p.Close)
	return p
}

func (p *op) sign(t *testing.T) string {
	t.Helper()
	body, err := json.Marshal(p.claims)
	if err != nil {
		t.Fatal(err)
	}
	b := base64.RawURLEncoding
	text := b.EncodeToString([]byte(`{"alg":"RS256","kid":"1"}`)) + "." + b.EncodeToString(body)
	sum := sha256.Sum256([]byte(text))
	sig, err := rsa.SignPKCS1v15(rand.Reader, p.key, crypto.SHA256, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	return text + "." + b.EncodeToString(sig)
}

// walk is one login at the provider.
type walk struct {
	state, nonce string
	flow         *http.Cookie
}

func (p *op) begin(c *castle, back string) walk {
	c.t.Helper()
	a := c.do("GET", "/auth/oidc/start?return="+url.QueryEscape(back), "")
	u, err := url.Parse(a.header.Get("Location"))
	if err != nil || a.code != http.StatusSeeOther || !strings.HasPrefix(u.String(), p.URL+"/authorize?") {
		c.t.Fatalf("start: %d %s %s", a.code, a.header.Get("Location"), a.body)
	}
	q := u.Query()
	p.challenge = q.Get("code_challenge")
	if q.Get("code_challenge_method") != "S256" || q.Get("redirect_uri") != "http://gw.example/auth/oidc/callback" || q.Get("response_type") != "code" {
		c.t.Errorf("the provider is asked %v", q)
	}
	k, err := http.ParseSetCookie(a.header.Get("Set-Cookie"))
	if err != nil || !k.HttpOnly || k.SameSite != http.SameSiteLaxMode {
		c.t.Fatalf("cookie %v, %v", k, err)
	}
	return walk{q.Get("state"), q.Get("nonce"), k}
}

func (p *op) who(w walk, name string, groups ...string) {
	p.claims = map[string]any{
		"iss": p.URL, "aud": "weirflow", "sub": "subject of " + name, "exp": time.Now().Add(time.Hour).Unix(), "iat": time.Now().Unix(),
		"nonce": w.nonce, "preferred_username": name, "groups": groups, "name": "Somebody",
	}
}

func (w walk) back(c *castle, state string) answer {
	return c.do("GET", "/auth/oidc/callback?code=the+code&state="+url.QueryEscape(state), "", cookie(w.flow))
}

func besiegeWithOP(t *testing.T) (*castle, *op) {
	t.Helper()
	p := newOP(t)
	return besiege(t, func(cfg *gateway.Config) {
		o := &cfg.Access.OIDC
		o.Issuer, o.ClientID, o.ClientSecret = p.URL, "weirflow", "client secret"
		o.Roles = map[string]string{"sre": "operator", "boss": "admin"}
		cfg.Access.PublicURL = "http://gw.example"
	}), p
}

func TestOpenIDLogin(t *testing.T) {
	c, p := besiegeWithOP(t)
	w := p.begin(c, "/jobs?state=failed")
	p.who(w, "olga", "staff", "sre")
	a := w.back(c, w.state)
	if a.code != http.StatusSeeOther || a.header.Get("Location") != "/jobs?state=failed" || a.cookie == nil || a.cookie.SameSite != http.SameSiteLaxMode {
		t.Fatalf("%d %v %s", a.code, a.header, a.body)
	}
	me, csrf := c.sessionOf(a.cookie)
	if text := strings.ReplaceAll(me, " ", ""); !strings.Contains(text, `"name":"olga"`) || !strings.Contains(text, `"ROLE_OPERATOR"`) || !strings.Contains(text, `"external":true`) {
		t.Errorf("session: %s", me)
	}
	c.must("POST", "/api/v1/jobs/one:stop", "{}", page(a.cookie, csrf))
	if got := c.do("GET", "/api/v1/jobs", "", basic("olga", "")); got.code != 401 {
		t.Errorf("an external user logs in without a password: %d", got.code)
	}
	if got := c.do("PUT", "/api/v1/users/olga", `{"user":{"role":"ROLE_OPERATOR"},"password":"`+password+`"}`, basic(root, rootSecret)); got.code != 400 {
		t.Errorf("an external user gets a password: %d", got.code)
	}
	// The provider takes her role away: the next login tells.
	w = p.begin(c, "/")
	p.who(w, "olga", "boss")
	a = w.back(c, w.state)
	if me, _ := c.sessionOf(a.cookie); !strings.Contains(me, "ROLE_ADMIN") {
		t.Errorf("session: %s", me)
	}
	c.must("PUT", "/api/v1/users/olga", `{"user":{"role":"ROLE_ADMIN","disabled":true}}`, basic(root, rootSecret))
	w = p.begin(c, "/")
	p.who(w, "olga", "boss")
	if a := w.back(c, w.state); a.code != 403 || a.cookie != nil {
		t.Errorf("a disabled user logs in: %d", a.code)
	}
}

func TestOpenIDAttacks(t *testing.T) {
	c, p := besiegeWithOP(t)
	c.user("otto", "ROLE_OPERATOR")
	for name, x := range map[string]func(w *walk) (state string){
		"another state":           func(*walk) string { return "x" },
		"no state":                func(*walk) string { return "" },
		"no login under way":      func(w *walk) string { w.flow = &http.Cookie{Name: w.flow.Name, Value: "e30"}; return "" },
		"somebody else's login":   func(w *walk) string { w.flow = p.begin(c, "/").flow; return w.state },
		"another nonce":           func(w *walk) string { p.claims["nonce"] = "x"; return w.state },
		"a token for another":     func(w *walk) string { p.claims["aud"] = "another client"; return w.state },
		"a token of another":      func(w *walk) string { p.claims["iss"] = "https://evil.example"; return w.state },
		"a token that has ended":  func(w *walk) string { p.claims["exp"] = time.Now().Add(-time.Hour).Unix(); return w.state },
		"another's code":          func(w *walk) string { p.challenge = "x"; return w.state },
		"nobody's groups":         func(w *walk) string { p.claims["groups"] = []string{"staff", "viewer", "unspecified"}; return w.state },
		"a local user's name":     func(w *walk) string { p.claims["preferred_username"] = "otto"; return w.state },
		"the administrator":       func(w *walk) string { p.claims["preferred_username"] = root; return w.state },
		"a name that is no name":  func(w *walk) string { p.claims["preferred_username"] = "<script>"; return w.state },
		"a name that is a number": func(w *walk) string { p.claims["preferred_username"] = 7; return w.state },
	} {
		w := p.begin(c, "/")
		p.who(w, "olga", "sre")
		if a := w.back(c, x(&w)); a.code != 403 || a.cookie != nil || !strings.HasPrefix(a.header.Get("Content-Type"), "text/plain") {
			t.Errorf("%s: %d %s", name, a.code, a.body)
		}
	}
	w := p.begin(c, "/")
	p.who(w, "olga", "sre")
	if a := w.back(c, w.state); a.code != http.StatusSeeOther {
		t.Fatalf("%d %s", a.code, a.body)
	}
	w = p.begin(c, "/")
	p.who(w, "olga", "boss")
	p.claims["sub"] = "another subject"
	if a := w.back(c, w.state); a.code != 403 {
		t.Errorf("somebody else of that name: %d", a.code)
	}
}

func TestLoginsLeadNowhereElse(t *testing.T) {
	c, p := besiegeWithOP(t)
	for _, back := range []string{
		"https://evil.example", "//evil.example", `/\evil.example`, `\\evil.example`, "javascript:alert(1)", "/%09/evil.example\t", "http:evil.example", "///evil.example", "evil", "/\r\nSet-Cookie: a=b", "",
	} {
		w := p.begin(c, back)
		p.who(w, "olga", "sre")
		a := w.back(c, w.state)
		to := a.header.Get("Location")
		if a.code != http.StatusSeeOther || (to != "/" && (!strings.HasPrefix(to, "/%09/") || strings.ContainsAny(to, "\t\\"))) {
			t.Errorf("return=%q leads to %q (%d)", back, to, a.code)
		}
	}
	// Nor does the name by which the gateway is called.
	a := c.do("GET", "/auth/oidc/start", "", func(r *http.Request) { r.Host = "evil.example" })
	if u, err := url.Parse(a.header.Get("Location")); err != nil || u.Query().Get("redirect_uri") != "http://gw.example/auth/oidc/callback" {
		t.Errorf("Host leads to %s", a.header.Get("Location"))
	}
}
