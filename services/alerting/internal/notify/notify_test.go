package notify_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/alertmanager/alert"
	amnotify "github.com/prometheus/alertmanager/notify"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/weirflow/weirflow/services/alerting/internal/channel"
	"github.com/weirflow/weirflow/services/alerting/internal/notify"
	"github.com/weirflow/weirflow/services/alerting/internal/outgoing"
)

// hook is a receiver's end that notes what comes.
type hook struct {
	*httptest.Server
	mu   sync.Mutex
	got  []string
	fail int // answers 500 so many times
}

func newHook(t *testing.T) *hook {
	t.Helper()
	h := &hook{}
	h.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var m struct {
			Version, Status string
			Alerts          []struct {
				Status string
				Labels map[string]string
			}
		}
		b, _ := io.ReadAll(r.Body)
		if err := json.Unmarshal(b, &m); err != nil || m.Version != "4" {
			t.Errorf("%s (%v)", b, err)
		}
		h.mu.Lock()
		defer h.mu.Unlock()
		if h.fail > 0 {
			h.fail--
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		for _, a := range m.Alerts {
			h.got = append(h.got, a.Status+" "+a.Labels["alertname"])
		}
	}))
	t.Cleanup(h.Close)
	return h
}

func (h *hook) told(what string) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := 0
	for _, g := range h.got {
		if g == what {
			n++
		}
	}
	return n
}

type fixture struct {
	t       *testing.T
	dir     string
	file    string
	mu      sync.Mutex
	sent    []notify.Delivery
	cluster notify.Cluster
	// acknowledged says what somebody deals with.
	acknowledged func(a *alert.Alert) bool
}

func newFixture(t *testing.T, config string) *fixture {
	t.Helper()
	f := &fixture{t: t, dir: t.TempDir(), file: filepath.Join(t.TempDir(), "alertmanager.yml")}
	if err := os.WriteFile(f.file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	return f
}

// run runs an engine; the function returned ends it cleanly.
func (f *fixture) run(allowed ...string) (*notify.Engine, func()) {
	f.t.Helper()
	guard, err := outgoing.New(allowed)
	if err != nil {
		f.t.Fatal(err)
	}
	e, err := notify.New(notify.Config{Dir: f.dir, File: f.file, ExternalURL: "http://console.example", Cluster: f.cluster}, notify.Deps{
		Logger: slog.New(slog.DiscardHandler), Registry: prometheus.NewRegistry(), Guard: guard, Channels: channel.Registry{"note_configs": func() channel.Config { return &note{f: f} }},
		Acknowledged: f.acknowledged, Contact: func(_, _ string, _ ...string) (string, error) { return "ops@example.com", nil },
		Sent: func(d notify.Delivery) {
			f.mu.Lock()
			defer f.mu.Unlock()
			f.sent = append(f.sent, d)
		}})
	if err != nil {
		f.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- e.Run(ctx) }()
	return e, func() {
		cancel()
		if err := <-done; err != nil {
			f.t.Error(err)
		}
	}
}

// note is a channel of the test's own.
type note struct {
	f    *fixture
	Text string `yaml:"text"`
}

func (n *note) Validate() error {
	if n.Text == "" {
		return errors.New("text is required")
	}
	return nil
}
func (n *note) SendResolved() bool                                    { return true }
func (n *note) Open(channel.Env) (amnotify.Notifier, error)           { return n, nil }
func (n *note) Notify(context.Context, ...*alert.Alert) (bool, error) { return false, nil }

func post(t *testing.T, e *notify.Engine, path, body string) {
	t.Helper()
	w := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	e.Handler().ServeHTTP(w, r)
	if w.Code != http.StatusOK {
		t.Fatalf("POST %s: %d %s", path, w.Code, w.Body)
	}
}

func firing(name string) string {
	return fmt.Sprintf(`[{"labels":{"alertname":%q,"severity":"page"},"annotations":{"summary":"it is"},"startsAt":%q,"endsAt":%q}]`, name,
		time.Now().Format(time.RFC3339Nano), time.Now().Add(time.Hour).Format(time.RFC3339Nano))
}

func ended(name string) string {
	return fmt.Sprintf(`[{"labels":{"alertname":%q,"severity":"page"},"startsAt":%q,"endsAt":%q}]`, name,
		time.Now().Add(-time.Minute).Format(time.RFC3339Nano), time.Now().Format(time.RFC3339Nano))
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("%s: not within 20 s", what)
}

func routed(url string) string {
	return "route: {receiver: hook, group_by: [alertname], group_wait: 0s, group_interval: 100ms, repeat_interval: 1h}\n" +
		"receivers:\n- name: hook\n  webhook_configs: [{url: '" + url + "'}]\n  note_configs: [{text: hello}]\n"
}

func TestAnAlertIsToldOnceAndItsEndToo(t *testing.T) {
	h := newHook(t)
	h.fail = 2
	f := newFixture(t, routed(h.URL))
	e, stop := f.run("127.0.0.1")
	post(t, e, "/api/v2/alerts", firing("Deep"))
	eventually(t, "it is told", func() bool { return h.told("firing Deep") == 1 })
	post(t, e, "/api/v2/alerts", firing("Deep"))
	stop()
	// After a restart it is known that it was told, and its end is told.
	e, stop = f.run("127.0.0.1")
	defer stop()
	post(t, e, "/api/v2/alerts", ended("Deep"))
	eventually(t, "its end is told", func() bool { return h.told("resolved Deep") == 1 })
	if n := h.told("firing Deep"); n != 1 {
		t.Errorf("told %d times", n)
	}
	eventually(t, "all tries are known: two that failed, two that did not, two notes", func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		kinds := make(map[string]int)
		for _, d := range f.sent {
			kinds[fmt.Sprint(d.Channel, " ", d.Err != nil, " ", len(d.Alerts))]++
		}
		return kinds["webhook[0] true 1"] == 2 && kinds["webhook[0] false 1"] == 2 && kinds["note[0] false 1"] == 2
	})
}

// TestAcceptedAlertsSurviveACrash leaves the engine as it is, as kill -9 does: what
// was accepted is told by the next one, with nobody sending it again.
func TestAcceptedAlertsSurviveACrash(t *testing.T) {
	h := newHook(t)
	f := newFixture(t, strings.Replace(routed(h.URL), "group_wait: 0s", "group_wait: 1h", 1))
	e, stop := f.run("127.0.0.1")
	defer stop()
	post(t, e, "/api/v2/alerts", firing("Crashed"))
	post(t, e, "/api/v2/silences", fmt.Sprintf(`{"matchers":[{"name":"alertname","value":"Quiet","isRegex":false}],"createdBy":"ann","comment":"works","startsAt":%q,"endsAt":%q}`,
		time.Now().Format(time.RFC3339Nano), time.Now().Add(time.Hour).Format(time.RFC3339Nano)))
	copied := t.TempDir()
	if err := os.CopyFS(copied, os.DirFS(f.dir)); err != nil {
		t.Fatal(err)
	}
	journal, err := os.OpenFile(filepath.Join(copied, "alerts"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := journal.WriteString(`{"labels":{"alertname":"Half`); err != nil {
		t.Fatal(err)
	}
	if err := journal.Close(); err != nil {
		t.Fatal(err)
	}
	g := newFixture(t, routed(h.URL))
	g.dir = copied
	e, stop2 := g.run("127.0.0.1")
	defer stop2()
	eventually(t, "it is told", func() bool { return h.told("firing Crashed") == 1 })
	post(t, e, "/api/v2/alerts", firing("Quiet"))
	post(t, e, "/api/v2/alerts", firing("Loud"))
	eventually(t, "another is told", func() bool { return h.told("firing Loud") == 1 })
	if n := h.told("firing Quiet"); n != 0 {
		t.Error("the silence is forgotten")
	}
}

func TestInternalAddressesAreNotCalled(t *testing.T) {
	h := newHook(t)
	f := newFixture(t, routed(h.URL))
	e, stop := f.run()
	defer stop()
	post(t, e, "/api/v2/alerts", firing("Deep"))
	eventually(t, "it is refused", func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		for _, d := range f.sent {
			if d.Channel == "webhook[0]" && d.Err != nil && strings.Contains(d.Err.Error(), "alerting.outgoing.allow") {
				return true
			}
		}
		return false
	})
	if len(h.got) > 0 {
		t.Errorf("got %q", h.got)
	}
}

func TestConfiguration(t *testing.T) {
	known := channel.Registry{"note_configs": func() channel.Config { return &note{} }}
	for name, tt := range map[string]struct{ text, want string }{
		"default":          {notify.Default, ""},
		"a channel":        {routed("http://x.example"), ""},
		"unknown key":      {"route: {receiver: a}\nreceivers: [{name: a, webhok_configs: []}]\n", "webhok_configs"},
		"channel's key":    {"route: {receiver: a}\nreceivers: [{name: a, note_configs: [{txt: x}]}]\n", `receiver "a", entry 1: note_configs`},
		"channel's value":  {"route: {receiver: a}\nreceivers: [{name: a, note_configs: [{}]}]\n", "text is required"},
		"channel's form":   {"route: {receiver: a}\nreceivers: [{name: a, note_configs: {text: x}}]\n", "must be a list"},
		"unknown receiver": {"route: {receiver: b}\nreceivers: [{name: a}]\n", "b"},
		"no YAML":          {"route: [", "["},
		"escalation":       {"route: {receiver: a}\nreceivers: [{name: a}]\nescalations: [{matchers: ['a=b'], after: 10m, receiver: a}]\n", ""},
		"escalates to":     {"route: {receiver: a}\nreceivers: [{name: a}]\nescalations: [{after: 10m, receiver: b}]\n", `no receiver "b"`},
		"escalates when":   {"route: {receiver: a}\nreceivers: [{name: a}]\nescalations: [{after: soon, receiver: a}]\n", `"soon"`},
		"escalates what":   {"route: {receiver: a}\nreceivers: [{name: a}]\nescalations: [{matchers: ['a'], after: 1m, receiver: a}]\n", "entry 1"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := notify.Load(tt.text, known)
			if (tt.want == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
		})
	}
}

func TestAlertsThatNobodyDealsWithEscalate(t *testing.T) {
	chat, phone := newHook(t), newHook(t)
	f := newFixture(t, `
route: {receiver: chat, group_by: [alertname], group_wait: 0s, group_interval: 100ms, repeat_interval: 1s}
receivers:
- {name: chat, webhook_configs: [{url: '`+chat.URL+`'}]}
- {name: phone, webhook_configs: [{url: '`+phone.URL+`'}]}
escalations:
- {matchers: [severity="page"], after: 1s, receiver: phone}
`)
	var dealt sync.Map
	f.acknowledged = func(a *alert.Alert) bool { _, ok := dealt.Load(string(a.Labels["alertname"])); return ok }
	e, stop := f.run("127.0.0.1")
	defer stop()
	post(t, e, "/api/v2/alerts", firing("Alone"))
	post(t, e, "/api/v2/alerts", firing("Cared"))
	dealt.Store("Cared", true)
	post(t, e, "/api/v2/alerts", strings.Replace(firing("Small"), "page", "info", 1))
	eventually(t, "the phone rings", func() bool { return phone.told("firing Alone") == 1 })
	eventually(t, "what nobody deals with is repeated", func() bool { return chat.told("firing Alone") >= 2 })
	if n := phone.told("firing Cared") + phone.told("firing Small"); n > 0 {
		t.Errorf("the phone rang %d times for others", n)
	}
	if n := chat.told("firing Cared"); n > 1 {
		t.Errorf("what somebody deals with was told %d times", n)
	}
	dealt.Store("Alone", true)
	eventually(t, "the phone hears that it is over", func() bool { return phone.told("resolved Alone") == 1 })
	post(t, e, "/api/v2/alerts", ended("Cared"))
	eventually(t, "the end of what somebody dealt with is told", func() bool { return chat.told("resolved Cared") == 1 || chat.told("firing Cared") == 0 })
}
