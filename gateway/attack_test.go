package gateway_test

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/weirflow/weirflow/gateway"
	accessv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/access/v1"
	"github.com/weirflow/weirflow/services/platform/kafka"
	"github.com/weirflow/weirflow/services/platform/kafka/kafkatest"
	"github.com/weirflow/weirflow/services/platform/kafka/table"
	"github.com/weirflow/weirflow/services/platform/process"
	"github.com/weirflow/weirflow/services/platform/telemetry"
)

const (
	root       = "root"
	rootSecret = "correct horse battery staple"
	password   = "twelve letters or more"
)

// behind is every service behind a gateway: it notes what it is asked for.
type behind struct {
	mu     sync.Mutex
	calls  map[string]int
	last   proto.Message
	answer func(method string, reply proto.Message)
}

func (b *behind) Invoke(_ context.Context, method string, args, reply any, _ ...grpc.CallOption) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.calls[method]++
	b.last, _ = args.(proto.Message)
	if m, ok := reply.(proto.Message); ok && b.answer != nil {
		b.answer(method, m)
	}
	return nil
}

func (b *behind) NewStream(_ context.Context, _ *grpc.StreamDesc, method string, _ ...grpc.CallOption) (grpc.ClientStream, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.calls[method]++
	return nil, status.Error(codes.Unimplemented, "no streams here")
}

func (b *behind) asked(method string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.calls[method]
}

// castle is a gateway under attack.
type castle struct {
	t      *testing.T
	url    string
	kafka  kafka.Config
	behind *behind
	stop   func()
}

// besiege runs a gateway with an administrator.
func besiege(t *testing.T, change func(*gateway.Config)) *castle {
	t.Helper()
	return besiegeAt(t, kafkatest.Start(t), change)
}

func besiegeAt(t *testing.T, at kafka.Config, change func(*gateway.Config)) *castle {
	t.Helper()
	tel, err := telemetry.New(t.Context(), "gateway", telemetry.DefaultConfig(), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	env, err := process.NewEnv("gateway", "test", tel)
	if err != nil {
		t.Fatal(err)
	}
	cfg := gateway.DefaultConfig()
	cfg.Listen, cfg.Kafka, cfg.Search.URL = "127.0.0.1:0", at, ""
	cfg.Access.Admin.Name, cfg.Access.Admin.Password = root, rootSecret
	cfg.Access.Rate.PerSecond = 0
	cfg.Access.Hash.MemoryKiB, cfg.Access.Hash.Passes = 8<<10, 1
	if change != nil {
		change(&cfg)
	}
	b := &behind{calls: map[string]int{}}
	s, err := gateway.New(cfg, gateway.Deps{
		Logger: slog.New(slog.DiscardHandler), Meters: tel.Meters, Tracers: tel.Tracers, Propagator: tel.Propagator, Board: env.Board,
		Backends: map[string]grpc.ClientConnInterface{"ingest": b, "transform": b, "alerting": b},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	stop := sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(stop)
	c := &castle{t: t, url: "http://" + s.Addr(), kafka: at, behind: b, stop: stop}
	if cfg.Access.Admin.Name != "" {
		c.eventually("the administrator can log in", func() bool { return c.do("GET", "/api/v1/users", "", basic(root, rootSecret)).code == 200 })
	}
	return c
}

func (c *castle) eventually(what string, ok func() bool) {
	c.t.Helper()
	for end := time.Now().Add(60 * time.Second); !ok(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			c.t.Fatalf("never: %s", what)
		}
	}
}

// with changes a request.
type with func(*http.Request)

func basic(name, password string) with {
	return func(r *http.Request) { r.SetBasicAuth(name, password) }
}
func bearer(token string) with       { return header("Authorization", "Bearer "+token) }
func header(name, value string) with { return func(r *http.Request) { r.Header.Set(name, value) } }

func nobody(*http.Request) {}

type answer struct {
	code   int
	body   string
	header http.Header
	cookie *http.Cookie
}

func (c *castle) do(method, path, body string, change ...with) answer {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), time.Minute)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, c.url+path, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	for _, f := range change {
		f(r)
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(r)
	if err != nil {
		c.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode == 200 && strings.HasSuffix(path, ":watch") { // it would not end
		return answer{code: res.StatusCode, header: res.Header}
	}
	text, err := io.ReadAll(res.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	a := answer{code: res.StatusCode, body: string(text), header: res.Header}
	for _, k := range res.Cookies() {
		if strings.HasSuffix(k.Name, "weirflow_session") {
			a.cookie = k
		}
	}
	return a
}

// must is do for what is no attack.
func (c *castle) must(method, path, body string, change ...with) answer {
	c.t.Helper()
	a := c.do(method, path, body, change...)
	if a.code != 200 {
		c.t.Fatalf("%s %s = %d %s", method, path, a.code, a.body)
	}
	return a
}

func (c *castle) user(name, role string) {
	c.t.Helper()
	c.must("POST", "/api/v1/users", `{"user":{"name":"`+name+`","role":"`+role+`"},"password":"`+password+`"}`, basic(root, rootSecret))
}

func (c *castle) token(owner, more string) (id, secret string) {
	c.t.Helper()
	secretOf := password
	if owner == root {
		secretOf = rootSecret
	}
	a := c.must("POST", "/api/v1/tokens", `{"name":"test"`+more+`}`, basic(owner, secretOf))
	var res struct {
		Token  struct{ ID string }
		Secret string
	}
	if err := json.Unmarshal([]byte(a.body), &res); err != nil {
		c.t.Fatal(err)
	}
	return res.Token.ID, res.Secret
}

// login begins a session and returns what a browser sends with changes in it.
func (c *castle) login(name, password string, change ...with) (session *http.Cookie, csrf string) {
	c.t.Helper()
	a := c.must("POST", "/api/v1/session", `{"name":"`+name+`","password":"`+password+`"}`, change...)
	var res struct {
		CSRFToken string `json:"csrfToken"`
	}
	if err := json.Unmarshal([]byte(a.body), &res); err != nil || res.CSRFToken == "" || a.cookie == nil {
		c.t.Fatalf("login: %s, cookie %v", a.body, a.cookie)
	}
	return a.cookie, res.CSRFToken
}

func cookie(k *http.Cookie) with {
	return func(r *http.Request) { r.AddCookie(&http.Cookie{Name: k.Name, Value: k.Value}) }
}

// page sends what a page of the gateway itself sends.
func page(k *http.Cookie, csrf string) with {
	return func(r *http.Request) {
		cookie(k)(r)
		r.Header.Set("X-Csrf-Token", csrf)
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
}

// row writes a row into a topic as a gateway has it.
func row[M proto.Message](t *testing.T, at kafka.Config, topic, key string, m M, empty func() M) {
	t.Helper()
	tb, err := table.New(table.Config{Kafka: at, Topic: topic, Logger: slog.New(slog.DiscardHandler)}, empty)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- tb.Run(ctx) }()
	if err := tb.Put(t.Context(), key, m); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

type restRoute struct{ method, path, call string }

// allRoutes reads the file from which the router is made.
func allRoutes(t *testing.T) []restRoute {
	t.Helper()
	b, err := os.ReadFile("routes.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		HTTP struct{ Rules []map[string]string }
	}
	if err := yaml.Unmarshal(b, &doc); err != nil {
		t.Fatal(err)
	}
	var out []restRoute
	for _, r := range doc.HTTP.Rules {
		for _, m := range []string{"get", "put", "post", "delete"} {
			if r[m] != "" {
				out = append(out, restRoute{strings.ToUpper(m), r[m], r["selector"]})
			}
		}
	}
	if len(out) < 70 {
		t.Fatalf("only %d routes", len(out))
	}
	return out
}

// filled is a path with something in the place of its variables.
func filled(path string) string {
	var b strings.Builder
	for {
		before, after, ok := strings.Cut(path, "{")
		b.WriteString(before)
		if !ok {
			return b.String()
		}
		_, path, _ = strings.Cut(after, "}")
		b.WriteString("x")
	}
}

// least is the role that a call should need: not by the table that is tested, but by
// what its name says.
func least(call string) int {
	service, method := call[:strings.LastIndex(call, ".")], call[strings.LastIndex(call, ".")+1:]
	switch {
	case strings.HasSuffix(service, "UserService") || strings.HasSuffix(service, "AuditService"):
		return 3
	case strings.HasSuffix(service, "TokenService"), method == "ChangePassword":
		return 1 // one's own
	case method == "TestReceiver": // it sends something
		return 2
	}
	for _, reads := range []string{"List", "Get", "Count", "Search", "Query", "Follow", "Watch", "Export", "Validate", "Preview", "Test"} {
		if strings.HasPrefix(method, reads) {
			return 1
		}
	}
	return 2
}

func TestBrokenAccess(t *testing.T) {
	c := besiege(t, nil)
	for name, role := range map[string]string{"vera": "ROLE_VIEWER", "otto": "ROLE_OPERATOR", "dora": "ROLE_ADMIN", "gone": "ROLE_ADMIN"} {
		c.user(name, role)
	}
	_, disabled := c.token("dora", "")
	_, orphan := c.token("gone", "")
	_, scoped := c.token("otto", `,"scopes":["alerts"]`)
	_, lesser := c.token(root, `,"role":"ROLE_VIEWER"`)
	expired := "wf_abcdefgh_" + strings.Repeat("A", 52)
	sum := sha256.Sum256([]byte(expired))
	row(t, c.kafka, "weirflow.tokens", "abcdefgh", &accessv1.TokenRecord{
		Token: &accessv1.Token{Id: "abcdefgh", Owner: root, Role: accessv1.Role_ROLE_ADMIN, ExpiresAt: timestamppb.New(time.Now().Add(-time.Second))}, Hash: sum[:],
	}, func() *accessv1.TokenRecord { return &accessv1.TokenRecord{} })
	c.must("PUT", "/api/v1/users/dora", `{"user":{"role":"ROLE_ADMIN","disabled":true}}`, basic(root, rootSecret))
	c.must("DELETE", "/api/v1/users/gone", "", basic(root, rootSecret))
	c.user("gone", "ROLE_ADMIN") // another one of that name
	callers := []struct {
		name  string
		as    with
		role  int
		scope string
	}{
		{"nobody", nobody, 0, ""},
		{"a token that was never given", bearer("wf_zzzzzzzz_" + strings.Repeat("B", 52)), 0, ""},
		{"an expired token", bearer(expired), 0, ""},
		{"a disabled user's token", bearer(disabled), 0, ""},
		{"a deleted user's token", bearer(orphan), 0, ""},
		{"a disabled user", basic("dora", password), 0, ""},
		{"a viewer", basic("vera", password), 1, ""},
		{"a viewer's token of an administrator", bearer(lesser), 1, ""},
		{"an operator's token for alerts", bearer(scoped), 2, "alert.v1"},
		{"an operator", basic("otto", password), 2, ""},
		{"an administrator", basic(root, rootSecret), 3, ""},
	}
	for _, r := range allRoutes(t) {
		if strings.HasSuffix(r.call, "SessionService.GetSession") || strings.HasSuffix(r.call, "SessionService.CreateSession") || strings.HasSuffix(r.call, "SessionService.DeleteSession") {
			continue // they are for who is not logged in
		}
		for _, who := range callers {
			if who.name == "a disabled user" && r.call != "weirflow.job.v1.JobService.ListJobs" {
				continue // wrong passwords have their price
			}
			may := who.role >= least(r.call) && (who.scope == "" || strings.Contains(r.call, who.scope) || strings.HasSuffix(r.call, "ChangePassword"))
			rpc := "/" + r.call[:strings.LastIndex(r.call, ".")] + "/" + r.call[strings.LastIndex(r.call, ".")+1:]
			before := c.behind.asked(rpc)
			a := c.do(r.method, filled(r.path), "{}", who.as)
			want := 0
			switch {
			case who.role == 0:
				want = 401
			case !may:
				want = 403
			}
			if want != 0 && (a.code != want || c.behind.asked(rpc) != before) {
				t.Errorf("%s: %s %s = %d %.200s, and it was asked for %d times; want %d", who.name, r.method, r.path, a.code, a.body, c.behind.asked(rpc)-before, want)
			}
			own := strings.HasSuffix(r.call, "TokenService.CreateToken") || strings.HasSuffix(r.call, "ChangePassword") // not with a token
			if want == 0 && !own && (a.code == 401 || a.code == 403 || a.code == 404 && strings.Contains(a.body, "nothing at")) {
				t.Errorf("%s: %s %s = %d %.200s", who.name, r.method, r.path, a.code, a.body)
			}
		}
	}
	for _, path := range []string{"/api/v1/search/i/_search", "/api/v1/nothing", "/api/v2/jobs", "/api/v1/jobs/x/y/z", "/api//v1/jobs", "/api/v1/../v1/jobs"} {
		if a := c.do("POST", path, "{}"); a.code != 401 && a.code != 307 && a.code != 301 {
			t.Errorf("nobody: POST %s = %d %s", path, a.code, a.body)
		}
	}
}

// Each call that can be made has a rule, and each rule is of a call that there is.
func TestMethodOverrideIsNoWayAround(t *testing.T) {
	c := besiege(t, nil)
	c.user("vera", "ROLE_VIEWER")
	a := c.do("POST", "/api/v1/jobs/x", "", basic("vera", password), header("X-HTTP-Method-Override", "DELETE"), header("Content-Type", "application/x-www-form-urlencoded"))
	if a.code < 400 || c.behind.asked("/weirflow.job.v1.JobService/DeleteJob") != 0 {
		t.Errorf("%d %s", a.code, a.body)
	}
	// What would be metadata of a service behind the gateway is not passed on, nor are the
	// caller's own words.
	c.must("GET", "/api/v1/jobs", "", basic("vera", password), header("Grpc-Metadata-Authorization", "Bearer stolen"))
}
