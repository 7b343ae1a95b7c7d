package httpcall_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/weirflow/weirflow/services/alerting/internal/channel/channeltest"
	"github.com/weirflow/weirflow/services/alerting/internal/channel/httpcall"
	"github.com/weirflow/weirflow/services/alerting/internal/channel/pace"
)

// end notes requests and answers as it is told.
type end struct {
	t      *testing.T
	mu     sync.Mutex
	status int
	answer string
	got    *http.Request
	body   string
	times  []time.Time
}

func (e *end) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.got, e.body = r, string(channeltest.Body(e.t, r))
	e.times = append(e.times, time.Now())
	if e.status != 0 {
		w.WriteHeader(e.status)
	}
	_, _ = w.Write([]byte(e.answer))
}

func TestRequests(t *testing.T) {
	t.Setenv("WEIRFLOW_TEST_TOKEN", "t0ken")
	for name, tt := range map[string]struct {
		config string
		check  func(r *http.Request, body string) bool
	}{
		"default": {"", func(r *http.Request, body string) bool {
			var v struct{ Status, Title, Text string }
			err := json.Unmarshal([]byte(body), &v)
			return err == nil && r.Method == "POST" && v.Status == "firing" && v.Title == `[FIRING 1] Lag` && strings.Contains(v.Text, "says \"no\"\\\n") && r.Header.Get("Content-Type") == "application/json; charset=utf-8"
		}},
		"template": {`body: '{"to": {{ toJson .CommonLabels.team }}, "n": {{ len .Alerts }}, "md": {{ toJson .Markdown }}}'
method: PUT
headers: {X-Key: 'k ${WEIRFLOW_TEST_TOKEN}', X-Alert: '{{ .CommonLabels.alertname }}', Content-Type: application/vnd.x+json}
bearer_token: '${WEIRFLOW_TEST_TOKEN}'`, func(r *http.Request, body string) bool {
			return r.Method == "PUT" && strings.HasPrefix(body, `{"to": "a\"b", "n": 1, "md": "- **says`) && r.Header.Get("X-Key") == "k t0ken" && r.Header.Get("X-Alert") == "Lag" &&
				r.Header.Get("Authorization") == "Bearer t0ken" && r.Header.Get("Content-Type") == "application/vnd.x+json"
		}},
		"basic auth": {"username: ann\npassword: '${WEIRFLOW_TEST_TOKEN}'", func(r *http.Request, _ string) bool {
			user, password, _ := r.BasicAuth()
			return user == "ann" && password == "t0ken"
		}},
		"in the address": {"method: GET\nurl: 'URL/send?text={{ .Title | urlquery }}&key=${WEIRFLOW_TEST_TOKEN}'", func(r *http.Request, body string) bool {
			return body == "" && r.URL.Query().Get("text") == "[FIRING 1] Lag" && r.URL.Query().Get("key") == "t0ken"
		}},
		"short": {"max_text_bytes: 10\nbody: '{{ .Text }}'", func(_ *http.Request, body string) bool { return len(body) <= 10 && strings.HasSuffix(body, "…") }},
	} {
		t.Run(name, func(t *testing.T) {
			e := &end{t: t}
			s := httptest.NewServer(e)
			defer s.Close()
			config := strings.ReplaceAll(tt.config, "URL", s.URL)
			if !strings.Contains(config, "url:") {
				config += "\nurl: " + s.URL
			}
			n := channeltest.Open(t, httpcall.New(pace.NewGates())(), config, channeltest.Env(t, s.Client()))
			a := channeltest.Firing("Lag", "says \"no\"\\\n", "team", `a"b`)
			if again, err := n.Notify(channeltest.Context(t.Context(), "Lag"), a); again || err != nil {
				t.Fatal(again, err)
			}
			if !tt.check(e.got, e.body) {
				t.Errorf("%s %s %v\n%s", e.got.Method, e.got.URL, e.got.Header, e.body)
			}
		})
	}
}

func TestAnswers(t *testing.T) {
	const json = "success: {json_path: result.codes.0, value: '0', retry_values: ['7']}"
	for name, tt := range map[string]struct {
		config string
		status int
		answer string
		again  bool
		want   string
	}{
		"fine":           {"", 204, "", false, ""},
		"wrong":          {"", 400, "bad s3cret", false, "bad ******"},
		"broken":         {"", 500, "x", true, "500"},
		"too many":       {"", 429, "x", true, "429"},
		"own status":     {"success: {statuses: [409]}", 409, "", false, ""},
		"not the status": {"success: {statuses: [201]}", 200, "", false, "success.statuses"},
		"value":          {json, 200, `{"result":{"codes":[0]}}`, false, ""},
		"text value":     {json, 200, `{"result":{"codes":["0"]}}`, false, ""},
		"big value":      {"success: {json_path: id, value: '12345678901234567890'}", 200, `{"id":12345678901234567890}`, false, ""},
		"truth":          {"success: {json_path: ok, value: 'true'}", 200, `{"ok":true}`, false, ""},
		"other value":    {json, 200, `{"result":{"codes":[5]}}`, false, "result.codes.0 = 5, not 0"},
		"retry value":    {json, 200, `{"result":{"codes":[7]}}`, true, "= 7"},
		"not there":      {json, 200, `{"result":{"codes":[]}}`, true, "without result.codes.0"},
		"an object":      {json, 200, `{"result":{"codes":[{}]}}`, true, "without"},
		"a scalar":       {json, 200, `{"result":1}`, true, "without"},
		"not JSON":       {json, 200, `<html>`, true, "without"},
	} {
		t.Run(name, func(t *testing.T) {
			e := &end{t: t, status: tt.status, answer: tt.answer}
			s := httptest.NewServer(e)
			defer s.Close()
			n := channeltest.Open(t, httpcall.New(pace.NewGates())(), "url: "+s.URL+"/k3y\nheaders: {X-Key: s3cret}\n"+tt.config, channeltest.Env(t, s.Client()))
			again, err := n.Notify(channeltest.Context(t.Context(), "Lag"), channeltest.Firing("Lag", "x"))
			if again != tt.again || (err == nil) != (tt.want == "") || err != nil && (!strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "s3cret") || strings.Contains(err.Error(), "k3y")) {
				t.Errorf("again %v, error %v", again, err)
			}
		})
	}
}

func TestALabelDoesNotChooseTheHost(t *testing.T) {
	for _, address := range []string{"http://{{ .CommonLabels.host }}/x", "http://end.example{{ .CommonLabels.host }}", "{{ .CommonLabels.url }}"} {
		e := &end{t: t}
		n := channeltest.Open(t, httpcall.New(pace.NewGates())(), "url: '"+address+"'", channeltest.Env(t, channeltest.Direct(e)))
		_, err := n.Notify(channeltest.Context(t.Context(), "Lag"), channeltest.Firing("Lag", "x", "host", ".evil.example", "url", "http://evil.example/"))
		if err == nil || e.got != nil {
			t.Errorf("%s: %v", address, err)
		}
	}
}

func TestRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &end{t: t}
		n := channeltest.Open(t, httpcall.New(pace.NewGates())(), "url: http://end.example\nrate_limit: {requests: 4, per: 10s}", channeltest.Env(t, channeltest.Direct(e)))
		var all sync.WaitGroup
		for i := range 20 {
			all.Go(func() {
				if _, err := n.Notify(channeltest.Context(t.Context(), strconv.Itoa(i)), channeltest.Firing("Lag", "x")); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if len(e.times) != 20 {
			t.Fatalf("%d requests", len(e.times))
		}
		for i := 4; i < len(e.times); i++ {
			if e.times[i].Sub(e.times[i-4]) < 10*time.Second {
				t.Fatal("too often")
			}
		}
	})
}

func TestConfiguration(t *testing.T) {
	for text, want := range map[string]string{
		"url: http://x.example": "", "{}": "url or url_file", "{url: u, method: DELETE}": "none of GET", "{url: u, username: a}": "password or password_file is required",
		"{url: u, password: p}": "username is required", "{url: u, username: a, password: p, bearer_token: b}": "exclude", "{url: u, success: {json_path: a}}": "belong together",
		"{url: u, rate_limit: {requests: 1}}": "belong together", "{url: u, max_text_bytes: 0}": "at least 1",
	} {
		c := httpcall.New(pace.NewGates())()
		if err := yaml.UnmarshalWithOptions([]byte(text), c, yaml.Strict()); err != nil {
			t.Fatal(err)
		}
		if err := c.Validate(); (want == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}
