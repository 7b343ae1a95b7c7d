package promgateway_test

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/weirflow/weirflow/services/transform/internal/flinkmetrics/promgateway"
)

// standIn is a Pushgateway that asks for a password and notes what comes.
type standIn struct {
	*httptest.Server
	mu       sync.Mutex
	requests []string
	answer   int
}

func newStandIn(t *testing.T) *standIn {
	t.Helper()
	s := &standIn{answer: http.StatusOK}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		s.mu.Lock()
		defer s.mu.Unlock()
		user, password, _ := r.BasicAuth()
		switch {
		case user != "u" || password != "p":
			w.WriteHeader(http.StatusUnauthorized)
		case r.Method == http.MethodDelete:
			w.WriteHeader(http.StatusAccepted)
		case s.answer == http.StatusFound:
			http.Redirect(w, r, "/elsewhere", s.answer)
		default:
			w.WriteHeader(s.answer)
		}
		what := r.Method + " " + r.URL.Path
		if strings.Contains(string(b), "a_gauge") {
			what += " with the gauge"
		}
		s.requests = append(s.requests, what)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *standIn) seen() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.requests...)
}

func begin(t *testing.T, s *standIn, logs io.Writer, more ...string) *promgateway.Reporter {
	t.Helper()
	o, err := promgateway.Parse(settings(append([]string{"hostUrl", s.URL, "needBasicAuth", "true", "username", "u", "password", "p", "interval", "1 s", "jobName", "j",
		"randomJobNameSuffix", "false"}, more...)...))
	if err != nil {
		t.Fatal(err)
	}
	g := prometheus.NewGauge(prometheus.GaugeOpts{Name: "a_gauge", Help: "."})
	return promgateway.Begin(*o, g, slog.New(slog.NewTextHandler(logs, nil)), func(err error) string { return strings.ReplaceAll(err.Error(), "secret", "******") })
}

func wait(t *testing.T, s *standIn, n int) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); len(s.seen()) < n; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("requests: %v", s.seen())
		}
	}
}

func TestPushAndDelete(t *testing.T) {
	for _, c := range []struct {
		name string
		more []string
		lost bool
		last string
	}{
		{"it is removed at the end", nil, false, "DELETE /metrics/job/j"},
		{"it stays", []string{"deleteOnShutdown", "false"}, false, "PUT /metrics/job/j with the gauge"},
		{"it is left to another instance", nil, true, "PUT /metrics/job/j with the gauge"},
		{"grouped", []string{"groupingKey", "zone=a"}, false, "DELETE /metrics/job/j/zone/a"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStandIn(t)
			r := begin(t, s, io.Discard, c.more...)
			wait(t, s, 1)
			r.End(c.lost)
			all := s.seen()
			if !strings.HasPrefix(all[0], "PUT /metrics/job/j") || !strings.HasSuffix(all[0], "with the gauge") || all[len(all)-1] != c.last {
				t.Errorf("requests: %v", all)
			}
		})
	}
}

// TestRefusals: what goes wrong is told once, without the password, and a redirect is
// not followed.
func TestRefusals(t *testing.T) {
	for name, c := range map[string]struct {
		answer int
		more   []string
		want   string
	}{
		"a wrong password": {http.StatusOK, []string{"password", "secret"}, "401"},
		"a redirect":       {http.StatusFound, nil, "redirect"},
		"out of order":     {http.StatusInternalServerError, nil, "500"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStandIn(t)
			s.answer = c.answer
			var logs strings.Builder
			r := begin(t, s, &logs, c.more...)
			wait(t, s, 2)
			r.End(true)
			text := logs.String()
			if strings.Count(text, "could not be pushed") != 1 || !strings.Contains(text, c.want) || strings.Contains(text, "secret") {
				t.Errorf("logged %s", text)
			}
			for _, q := range s.seen() {
				if strings.Contains(q, "elsewhere") {
					t.Error("the redirect was followed")
				}
			}
		})
	}
}
