package gateway_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/weirflow/weirflow/gateway"
	"github.com/weirflow/weirflow/services/platform/kafka/kafkatest"
)

func TestCSRF(t *testing.T) {
	c := besiege(t, nil)
	k, csrf := c.login(root, rootSecret)
	other, otherCSRF := c.login(root, rootSecret)
	_ = other
	origin := c.url
	for _, x := range []struct {
		name string
		with []with
		want int
	}{
		{"no token", []with{cookie(k), header("Sec-Fetch-Site", "same-origin")}, 403},
		{"a wrong token", []with{page(k, "x")}, 403},
		{"the token of another session", []with{page(k, otherCSRF)}, 403},
		{"the session itself as the token", []with{page(k, k.Value)}, 403},
		{"from another site", []with{page(k, csrf), header("Sec-Fetch-Site", "cross-site")}, 403},
		{"from a neighbour of the site", []with{page(k, csrf), header("Sec-Fetch-Site", "same-site")}, 403},
		{"from another origin", []with{cookie(k), header("X-Csrf-Token", csrf), header("Origin", "https://evil.example")}, 403},
		{"from an origin without a name", []with{cookie(k), header("X-Csrf-Token", csrf), header("Origin", "null")}, 403},
		{"from nowhere", []with{cookie(k), header("X-Csrf-Token", csrf)}, 403},
		{"by a form", []with{cookie(k), header("Content-Type", "application/x-www-form-urlencoded"), header("Sec-Fetch-Site", "same-origin")}, 403},
		{"from the page", []with{page(k, csrf)}, 200},
		{"from the page, in an old browser", []with{cookie(k), header("X-Csrf-Token", csrf), header("Origin", origin)}, 200},
	} {
		const call = "/weirflow.job.v1.JobService/StopJob"
		before := c.behind.asked(call)
		a := c.do("POST", "/api/v1/jobs/one:stop", "{}", x.with...)
		if a.code != x.want || c.behind.asked(call)-before != map[int]int{200: 1, 403: 0}[x.want] {
			t.Errorf("%s: %d %s", x.name, a.code, a.body)
		}
	}
	if a := c.do("GET", "/api/v1/jobs", "", cookie(k)); a.code != 200 {
		t.Errorf("reading: %d", a.code)
	}
	if a := c.do("POST", "/api/v1/session", `{"name":"root","password":"`+rootSecret+`"}`, header("Sec-Fetch-Site", "cross-site")); a.code != 403 || a.cookie != nil {
		t.Errorf("a page elsewhere logs its visitor in: %d", a.code)
	}
	if a := c.do("DELETE", "/api/v1/session", "", cookie(k), header("Sec-Fetch-Site", "same-origin")); a.code != 403 {
		t.Errorf("logging out without the token: %d", a.code)
	}
}

func TestSessionsBeginAndEnd(t *testing.T) {
	c := besiege(t, nil)
	c.user("anna", "ROLE_OPERATOR")
	works := func(k *http.Cookie) bool { return c.do("GET", "/api/v1/jobs", "", cookie(k)).code == 200 }

	// Fixation: a session that an attacker brought is not the one after the login.
	planted := &http.Cookie{Name: "weirflow_session", Value: strings.Repeat("A", 52)}
	k, _ := c.login("anna", password, cookie(planted))
	if k.Value == planted.Value || works(planted) || !works(k) {
		t.Error("a planted session came to life")
	}
	again, csrf := c.login("anna", password, func(r *http.Request) {
		cookie(k)(r)
		_, word := c.sessionOf(k)
		r.Header.Set("X-Csrf-Token", word)
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	})
	if works(k) || !works(again) {
		t.Error("the session before the login still works, or the new one does not")
	}
	if !k.HttpOnly || k.SameSite != http.SameSiteStrictMode || k.Path != "/" || k.Domain != "" || len(k.Value) < 40 {
		t.Errorf("cookie %+v", k)
	}
	if a := c.must("DELETE", "/api/v1/session", "", page(again, csrf)); a.cookie == nil || a.cookie.MaxAge >= 0 || works(again) {
		t.Error("logging out leaves a session")
	}

	one, word := c.login("anna", password)
	two, _ := c.login("anna", password)
	a := c.must("POST", "/api/v1/session:changePassword", `{"oldPassword":"`+password+`","newPassword":"another long password"}`, page(one, word))
	if works(one) || works(two) || a.cookie == nil || !works(a.cookie) {
		t.Error("after a new password the old sessions must have ended, and the one in which it was changed goes on as a new one")
	}
	if c.do("GET", "/api/v1/jobs", "", basic("anna", password)).code != 401 || c.do("GET", "/api/v1/jobs", "", basic("anna", "another long password")).code != 200 {
		t.Error("the old password works, or the new one does not")
	}
	three, _ := c.login("anna", "another long password")
	c.must("PUT", "/api/v1/users/anna", `{"user":{"role":"ROLE_OPERATOR","disabled":true}}`, basic(root, rootSecret))
	if works(three) {
		t.Error("a disabled user's session works")
	}
	c.must("PUT", "/api/v1/users/anna", `{"user":{"role":"ROLE_OPERATOR"}}`, basic(root, rootSecret))
	if works(three) {
		t.Error("a session that had ended works again")
	}
	four, _ := c.login("anna", "another long password")
	c.must("DELETE", "/api/v1/users/anna", "", basic(root, rootSecret))
	c.user("anna", "ROLE_ADMIN")
	if works(four) {
		t.Error("a deleted user's session is the next one's of that name")
	}
}

// sessionOf asks who a session is.
func (c *castle) sessionOf(k *http.Cookie) (body, csrf string) {
	a := c.must("GET", "/api/v1/session", "", cookie(k))
	_, rest, _ := strings.Cut(strings.ReplaceAll(a.body, " ", ""), `"csrfToken":"`)
	csrf, _, _ = strings.Cut(rest, `"`)
	return a.body, csrf
}

// Users, tokens and sessions are not one process's: another gateway knows them, and this
// one after a restart.
func TestAnotherGatewayKnowsTheSame(t *testing.T) {
	at := kafkatest.Start(t)
	first := besiegeAt(t, at, nil)
	first.user("anna", "ROLE_VIEWER")
	k, csrf := first.login("anna", password)
	_, secret := first.token("anna", "")
	second := besiegeAt(t, at, nil)
	if second.do("GET", "/api/v1/jobs", "", cookie(k)).code != 200 || second.do("GET", "/api/v1/jobs", "", bearer(secret)).code != 200 {
		t.Fatal("the other gateway does not know the session, or the token")
	}
	second.must("DELETE", "/api/v1/session", "", page(k, csrf))
	first.eventually("the session has ended everywhere", func() bool { return first.do("GET", "/api/v1/jobs", "", cookie(k)).code == 401 })
	first.stop()
	second.must("GET", "/api/v1/jobs", "", basic("anna", password))
}

func TestBruteForce(t *testing.T) {
	c := besiege(t, nil)
	c.user("anna", "ROLE_VIEWER")
	for _, way := range []struct {
		name string
		try  func(name, password string) answer
	}{
		{"login", func(name, password string) answer {
			return c.do("POST", "/api/v1/session", `{"name":"`+name+`","password":"`+password+`"}`)
		}},
		{"basic", func(name, password string) answer { return c.do("GET", "/api/v1/jobs", "", basic(name, password)) }},
	} {
		for _, name := range []string{"anna", "nobody"} {
			var a answer
			tries := 0
			for ; tries < 30; tries++ {
				if a = way.try(name, "wrong "+strconv.Itoa(tries)); a.code != 401 {
					break
				}
			}
			wait, err := strconv.Atoi(a.header.Get("Retry-After"))
			if a.code != 429 || err != nil || wait < 1 || tries > 20 {
				t.Errorf("%s: after %d wrong passwords of %s: %d, Retry-After %q", way.name, tries, name, a.code, a.header.Get("Retry-After"))
			}
		}
	}
	if a := c.do("GET", "/api/v1/jobs", "", basic("anna", password)); a.code != 429 {
		t.Errorf("the right password is looked at before its time: %d", a.code)
	}
	c.eventually("the right password is taken again", func() bool { return c.do("GET", "/api/v1/jobs", "", basic("anna", password)).code == 200 })
	if c.do("GET", "/api/v1/users", "", basic(root, rootSecret)).code != 200 {
		t.Error("a user who is logged in pays for who guesses at the same address")
	}
}

func TestUnknownUsersTakeAsLong(t *testing.T) {
	c := besiege(t, func(cfg *gateway.Config) { cfg.Access.Hash.MemoryKiB, cfg.Access.Hash.Passes = 64<<10, 3 })
	c.user("anna", "ROLE_VIEWER")
	took := func(name string) time.Duration {
		best := time.Hour
		for range 3 {
			began := time.Now()
			if a := c.do("GET", "/api/v1/jobs", "", basic(name, "wrong password")); a.code != 401 {
				t.Fatalf("%s: %d", name, a.code)
			}
			best = min(best, time.Since(began))
		}
		return best
	}
	if known, unknown := took("anna"), took("nobody"); unknown < known/4 {
		t.Errorf("a wrong password of a user takes %s, of nobody %s", known, unknown)
	}
}

func TestOpenModeIsForThisMachineOnly(t *testing.T) {
	c := besiege(t, func(cfg *gateway.Config) { cfg.Access.Admin.Name, cfg.Access.Admin.Password = "", "" })
	c.must("GET", "/api/v1/jobs", "") // it waits until nobody is known to be there
	for _, x := range []with{
		func(r *http.Request) { r.Host = "evil.example" },
		func(r *http.Request) { r.Host = "127.0.0.1.evil.example" },
		header("X-Forwarded-For", "203.0.113.7"),
		header("Forwarded", "for=203.0.113.7"),
	} {
		if a := c.do("GET", "/api/v1/jobs", "", x); a.code != 421 {
			t.Errorf("%d %s", a.code, a.body)
		}
	}
	if a := c.do("POST", "/api/v1/users", `{"user":{"name":"anna","role":"ROLE_VIEWER"},"password":"`+password+`"}`); a.code != 400 {
		t.Errorf("the first user is a viewer: %d %s", a.code, a.body)
	}
	for _, weak := range []string{"short", "aaaaaaaaaaaaaaaa"} {
		if a := c.do("POST", "/api/v1/users", `{"user":{"name":"anna","role":"ROLE_ADMIN"},"password":"`+weak+`"}`); a.code != 400 {
			t.Errorf("password %q: %d", weak, a.code)
		}
	}
	c.must("POST", "/api/v1/users", `{"user":{"name":"anna","role":"ROLE_ADMIN"},"password":"`+password+`"}`)
	if a := c.do("GET", "/api/v1/jobs", ""); a.code != 401 {
		t.Errorf("with a user it is still open: %d", a.code)
	}
	for _, last := range []answer{
		c.do("DELETE", "/api/v1/users/anna", "", basic("anna", password)),
		c.do("PUT", "/api/v1/users/anna", `{"user":{"role":"ROLE_VIEWER"}}`, basic("anna", password)),
		c.do("PUT", "/api/v1/users/anna", `{"user":{"role":"ROLE_ADMIN","disabled":true}}`, basic("anna", password)),
	} {
		if last.code != 400 || !strings.Contains(last.body, "last administrator") {
			t.Errorf("the last administrator: %d %s", last.code, last.body)
		}
	}
}

// A token does what its owner may, and no more, whatever becomes of him.
func TestTokensAreBounded(t *testing.T) {
	c := besiege(t, nil)
	c.user("otto", "ROLE_OPERATOR")
	id, secret := c.token("otto", "")
	for body, want := range map[string]int{
		`{"name":"x","role":"ROLE_ADMIN"}`: 403, `{"name":"x","scopes":["everything"]}`: 400, `{"name":"x","lifetimeDays":366}`: 400, `{"name":""}`: 400,
	} {
		if a := c.do("POST", "/api/v1/tokens", body, basic("otto", password)); a.code != want {
			t.Errorf("%s: %d %s", body, a.code, a.body)
		}
	}
	if a := c.do("POST", "/api/v1/tokens", `{"name":"child"}`, bearer(secret)); a.code != 403 {
		t.Errorf("a token makes a token: %d %s", a.code, a.body)
	}
	if a := c.must("GET", "/api/v1/tokens", "", basic("otto", password)); strings.Contains(a.body, secret) || !strings.Contains(a.body, id) {
		t.Errorf("the list: %s", a.body)
	}
	c.user("vera", "ROLE_VIEWER")
	if a := c.must("GET", "/api/v1/tokens", "", basic("vera", password)); strings.Contains(a.body, id) {
		t.Errorf("vera sees otto's token: %s", a.body)
	}
	if a := c.do("DELETE", "/api/v1/tokens/"+id, "", basic("vera", password)); a.code != 404 {
		t.Errorf("vera deletes otto's token: %d", a.code)
	}
	c.must("PUT", "/api/v1/users/otto", `{"user":{"role":"ROLE_VIEWER"}}`, basic(root, rootSecret))
	if a := c.do("DELETE", "/api/v1/jobs/x", "", bearer(secret)); a.code != 403 {
		t.Errorf("the token may more than its owner: %d", a.code)
	}
	c.must("GET", "/api/v1/jobs", "", bearer(secret))
	c.must("DELETE", "/api/v1/tokens/"+id, "", basic(root, rootSecret))
	if a := c.do("GET", "/api/v1/jobs", "", bearer(secret)); a.code != 401 {
		t.Errorf("a deleted token: %d", a.code)
	}
}

func TestNobodySignsForSomebodyElse(t *testing.T) {
	c := besiege(t, func(cfg *gateway.Config) { cfg.Token = "the configured token" })
	c.user("otto", "ROLE_OPERATOR")
	if a := c.do("POST", "/api/v1/alerts/f:acknowledge", `{"by":"vera"}`, basic("otto", password)); a.code != 403 {
		t.Errorf("otto acknowledges as vera: %d", a.code)
	}
	c.must("POST", "/api/v1/alerts/f:acknowledge", `{}`, basic("otto", password))
	if got := c.behind.lastText(); !strings.Contains(got, `by:"otto"`) {
		t.Errorf("the alert service hears %s", got)
	}
	c.must("POST", "/api/v1/silences", `{"comment":"c"}`, basic("otto", password))
	if got := c.behind.lastText(); !strings.Contains(got, `created_by:"otto"`) {
		t.Errorf("the alert service hears %s", got)
	}
	c.must("POST", "/api/v1/alerts/f:comment", `{"by":"a program"}`, bearer("the configured token"))
	if got := c.behind.lastText(); !strings.Contains(got, `by:"a program"`) {
		t.Errorf("the alert service hears %s", got)
	}
}

func TestRateLimit(t *testing.T) {
	c := besiege(t, func(cfg *gateway.Config) { cfg.Access.Rate.PerSecond, cfg.Access.Rate.Burst = 1, 20 })
	c.user("vera", "ROLE_VIEWER")
	var a answer
	for range 40 {
		if a = c.do("GET", "/api/v1/jobs", "", basic("vera", password)); a.code != 200 {
			break
		}
	}
	if a.code != 429 || a.header.Get("Retry-After") == "" {
		t.Errorf("%d, Retry-After %q", a.code, a.header.Get("Retry-After"))
	}
	if c.do("GET", "/healthz", "").code != 200 || c.do("GET", "/api/v1/session", "").code != 200 {
		t.Error("others pay for vera")
	}
}

func TestAuditLogTellsWhoDidWhat(t *testing.T) {
	c := besiege(t, nil)
	c.user("otto", "ROLE_OPERATOR")
	c.must("POST", "/api/v1/jobs/payments:stop", "{}", basic("otto", password))
	c.do("DELETE", "/api/v1/users/root", "", basic("otto", password))
	c.do("POST", "/api/v1/session", `{"name":"mallory","password":"not a password"}`)
	c.must("GET", "/api/v1/jobs", "", basic("otto", password))
	const secretText = "hunter2hunter2"
	c.do("POST", "/api/v1/users", `{"user":{"name":"x y","role":"ROLE_VIEWER"},"password":"`+secretText+`"}`, basic(root, rootSecret))
	c.do("POST", "/api/v1/users", `{"user":{"name":"x","role":"ROLE_VIEWER"},"password":12345678901234}`, basic(root, rootSecret))
	find := func(text string) string {
		return strings.ReplaceAll(c.must("GET", "/api/v1/audit?text="+text, "", basic(root, rootSecret)).body, `": `, `":`)
	}
	for text, want := range map[string][]string{
		"payments": {`"user":"otto"`, `"method":"/weirflow.job.v1.JobService/StopJob"`, `"code":"OK"`, `"address":"127.0.0.1"`},
		"root":     {`"user":"otto"`, `"code":"PermissionDenied"`, `"target":"root"`},
		"mallory":  {`"user":""`, `"code":"Unauthenticated"`, `"target":"mallory"`},
	} {
		var body string
		c.eventually(text+" is in the audit log", func() bool { body = find(text); return strings.Contains(body, `"method"`) })
		for _, w := range want {
			if !strings.Contains(body, w) {
				t.Errorf("%s: %s is not in %s", text, w, body)
			}
		}
	}
	all := find("")
	if strings.Contains(all, secretText) || strings.Contains(all, "12345678901234") || strings.Contains(all, password) || strings.Contains(all, "ListJobs") {
		t.Errorf("the audit log has what it must not have: %s", all)
	}
}

func TestCookiesOfHTTPSAreHeldToTheHost(t *testing.T) {
	c := besiege(t, func(cfg *gateway.Config) { cfg.Access.PublicURL = "https://weirflow.example.com" })
	k, csrf := c.login(root, rootSecret)
	if !k.Secure || k.Name != "__Host-weirflow_session" || k.Path != "/" || k.Domain != "" || !k.HttpOnly {
		t.Errorf("cookie %+v", k)
	}
	a := c.must("POST", "/api/v1/jobs/one:stop", "{}", cookie(k), header("X-Csrf-Token", csrf), header("Sec-Fetch-Site", "same-origin"), header("Origin", "https://weirflow.example.com"))
	if a.header.Get("Strict-Transport-Security") == "" {
		t.Error("HSTS is missing")
	}
	if a := c.do("GET", "/api/v1/jobs", "", header("Cookie", "weirflow_session="+k.Value)); a.code != 401 {
		t.Errorf("a cookie that any neighbour can set is taken: %d", a.code)
	}
}

// What proxies say of the address is believed of those that are trusted only.
func TestAddressesAreNotForged(t *testing.T) {
	at := kafkatest.Start(t)
	for name, x := range map[string]struct {
		proxies []string
		want    string
	}{"no proxy": {nil, "127.0.0.1"}, "a proxy": {[]string{"127.0.0.0/8"}, "203.0.113.9"}} {
		c := besiegeAt(t, at, func(cfg *gateway.Config) { cfg.Access.TrustedProxies = x.proxies })
		mark := "mark-" + strings.ReplaceAll(name, " ", "-")
		c.do("POST", "/api/v1/session", `{"name":"`+mark+`","password":"wrong password"}`, header("X-Forwarded-For", "198.51.100.1, 203.0.113.9"))
		var body string
		c.eventually("the attempt is in the audit log", func() bool {
			body = c.must("GET", "/api/v1/audit?text="+mark, "", basic(root, rootSecret)).body
			return strings.Contains(body, mark)
		})
		if !strings.Contains(body, x.want) || (x.proxies == nil && strings.Contains(body, "203.0.113.9")) || strings.Contains(body, "198.51.100.1") {
			t.Errorf("%s: %s", name, body)
		}
	}
}
