package channels_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/alertmanager/alert"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/weirflow/weirflow/services/alerting/internal/channel/channeltest"
	"github.com/weirflow/weirflow/services/alerting/internal/channels"
	"github.com/weirflow/weirflow/services/alerting/internal/notify"
	"github.com/weirflow/weirflow/services/alerting/internal/outgoing"
)

// TestDocumentedExamples loads every example of the page on channels, as the service
// loads a file, and makes its channels.
func TestDocumentedExamples(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "..", "..", "docs", "alerting-channels.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range regexp.MustCompile(`\$\{([A-Z_]+)\}`).FindAllStringSubmatch(string(page), -1) {
		t.Setenv(name[1], "s3cret")
	}
	key := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(key, []byte("s3cret"), 0o600); err != nil {
		t.Fatal(err)
	}
	seen := make(map[string]bool)
	for i, m := range regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(string(page), -1) {
		text := regexp.MustCompile(`/etc/weirflow/[a-z-]+`).ReplaceAllString(m[1], key)
		name := regexp.MustCompile(`- name: (\w+)`).FindStringSubmatch(text)[1]
		f, err := notify.Load("route: {receiver: "+name+"}\n"+text, channels.All())
		if err != nil {
			t.Errorf("example %d: %v\n%s", i+1, err, text)
			continue
		}
		for _, c := range f.Channels[name] {
			seen[c.Kind+"_configs"] = true
			if _, err := c.Config.Open(channeltest.Env(t, http.DefaultClient)); err != nil {
				t.Errorf("example %d, %s: %v", i+1, c.Kind, err)
			}
			if shown := fmt.Sprintf("%+v", c.Config); strings.Contains(shown, "s3cret") {
				t.Errorf("example %d shows its secrets: %s", i+1, shown)
			}
		}
	}
	for key := range channels.All() {
		if !seen[key] {
			t.Errorf("there is no example of %s", key)
		}
		if !strings.Contains(string(page), "| `"+key+"` |") {
			t.Errorf("%s is not in the table", key)
		}
	}
}

// TestValuesSurviveTheFile has texts that look like numbers.
func TestValuesSurviveTheFile(t *testing.T) {
	var got *http.Request
	var body string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		got, body = r, string(b)
		_, _ = w.Write([]byte(`{"code":0}`))
	}))
	defer s.Close()
	f, err := notify.Load("route: {receiver: a}\nreceivers:\n- name: a\n  http_configs:\n  - url: "+s.URL+"\n    username: '007'\n    password: '0012e3'\n    headers: {X-Number: '+8613800138000', X-Yes: 'yes'}\n"+
		"    body: |\n      first: {{ .Title }}\n      second\n    success: {json_path: code, value: '0'}\n", channels.All())
	if err != nil {
		t.Fatal(err)
	}
	n, err := f.Channels["a"][0].Config.Open(channeltest.Env(t, s.Client()))
	if err != nil {
		t.Fatal(err)
	}
	if again, err := n.Notify(channeltest.Context(t.Context(), "Lag"), channeltest.Firing("Lag", "x")); again || err != nil {
		t.Fatal(again, err)
	}
	user, password, _ := got.BasicAuth()
	if user != "007" || password != "0012e3" || got.Header.Get("X-Number") != "+8613800138000" || got.Header.Get("X-Yes") != "yes" || body != "first: [FIRING 1] Lag\nsecond\n" {
		t.Errorf("%s %s %v %q", user, password, got.Header, body)
	}
}

// wecom is both of WeCom's APIs: that of apps and that of robots.
type wecom struct {
	mu   sync.Mutex
	got  []string
	fail int
}

func (s *wecom) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, _ := io.ReadAll(r.Body)
	switch q := r.URL.Query(); {
	case r.URL.Path == "/app/gettoken" && q.Get("corpid") == "ww1" && q.Get("corpsecret") == "s3cret":
		_, _ = w.Write([]byte(`{"errcode":0,"errmsg":"ok","access_token":"t","expires_in":7200}`))
	case r.URL.Path == "/app/message/send" && q.Get("access_token") == "t":
		var m struct {
			ToUser string `json:"touser"`
			Text   struct{ Content string }
		}
		if err := json.Unmarshal(b, &m); err != nil || m.ToUser != "li.si" {
			_, _ = w.Write([]byte(`{"errcode":40035,"errmsg":"invalid parameter"}`))
			return
		}
		s.got = append(s.got, "app")
		_, _ = w.Write([]byte(`{"errcode":0,"errmsg":"ok"}`))
	case r.URL.Path == "/robot":
		if s.fail > 0 {
			s.fail--
			_, _ = w.Write([]byte(`{"errcode":-1,"errmsg":"system busy"}`))
			return
		}
		var m struct{ Markdown struct{ Content string } }
		_ = json.Unmarshal(b, &m)
		s.got = append(s.got, strings.SplitN(m.Markdown.Content, "\n", 2)[0])
		_, _ = w.Write([]byte(`{"errcode":0,"errmsg":"ok"}`))
	default:
		_, _ = w.Write([]byte(`{"errcode":93000,"errmsg":"invalid"}`))
	}
}

func (s *wecom) told() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := make(map[string]int)
	for _, g := range s.got {
		n[g]++
	}
	return n
}

// run has an engine tell about an alert, and returns what was tried.
func run(t *testing.T, config string, allowed ...string) (e *notify.Engine, tries func() []notify.Delivery) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "alertmanager.yml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	guard, err := outgoing.New(allowed)
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var sent []notify.Delivery
	e, err = notify.New(notify.Config{Dir: t.TempDir(), File: file, ExternalURL: "http://console.example"}, notify.Deps{Logger: slog.New(slog.DiscardHandler),
		Registry: prometheus.NewRegistry(), Guard: guard, Channels: channels.All(), Sent: func(d notify.Delivery) {
			mu.Lock()
			defer mu.Unlock()
			sent = append(sent, d)
		}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- e.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	if err := e.Put(t.Context(), []*alert.Alert{channeltest.Firing("Lag", "behind")}...); err != nil {
		t.Fatal(err)
	}
	return e, func() []notify.Delivery {
		mu.Lock()
		defer mu.Unlock()
		return append([]notify.Delivery(nil), sent...)
	}
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

func config(url string) string {
	return "route: {receiver: a, group_by: [alertname], group_wait: 0s, group_interval: 1s, repeat_interval: 1h}\nreceivers:\n- name: a\n" +
		"  wechat_configs: [{api_url: '" + url + "/app/', corp_id: ww1, api_secret: s3cret, agent_id: '1', to_user: li.si, send_resolved: true}]\n" +
		"  wecom_bot_configs: [{url: '" + url + "/robot?key=k3y'}]\n"
}

// TestThroughTheEngine sends by WeCom's app, which is the library's, and by its robot,
// which is busy at first, as a reload comes.
func TestThroughTheEngine(t *testing.T) {
	w := &wecom{fail: 2}
	s := httptest.NewServer(w)
	defer s.Close()
	e, _ := run(t, config(s.URL), "127.0.0.1")
	eventually(t, "both are told", func() bool { return w.told()["app"] == 1 && w.told()["**[FIRING 1] Lag**"] == 1 })
	if err := e.Reload(); err != nil {
		t.Fatal(err)
	}
	over := channeltest.Resolved("Lag", "behind")
	over.UpdatedAt = time.Now()
	if err := e.Put(t.Context(), over); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the end is told", func() bool { return w.told()["app"] == 2 && w.told()["**[RESOLVED] Lag**"] == 1 })
	if n := w.told()["**[FIRING 1] Lag**"]; n != 1 {
		t.Errorf("told %d times", n)
	}
}

func TestTheGuardHoldsThemBack(t *testing.T) {
	w := &wecom{}
	s := httptest.NewServer(w)
	defer s.Close()
	_, tries := run(t, config(s.URL))
	eventually(t, "both are refused", func() bool {
		refused := make(map[string]bool)
		for _, d := range tries() {
			if d.Err != nil && strings.Contains(d.Err.Error(), "alerting.outgoing.allow") {
				refused[d.Channel] = true
			}
			if d.Err != nil && (strings.Contains(d.Err.Error(), "s3cret") || strings.Contains(d.Err.Error(), "k3y")) {
				t.Fatalf("the error shows a secret: %v", d.Err)
			}
		}
		return refused["wechat[0]"] && refused["wecom_bot[0]"]
	})
	if len(w.told()) > 0 {
		t.Errorf("told %v", w.told())
	}
}
