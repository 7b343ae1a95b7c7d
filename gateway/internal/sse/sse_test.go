package sse_test

import (
	"bufio"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"

	"github.com/weirflow/weirflow/gateway/internal/sse"
)

func TestEvents(t *testing.T) {
	m := sse.Marshaler{Marshaler: &runtime.JSONBuiltin{}}
	for _, c := range []struct {
		v    any
		want string
	}{
		{map[string]any{"result": map[string]any{"a": 1}}, `data: {"a":1}`},
		{map[string]any{"error": map[string]any{"code": 14, "message": "gone\nfor good"}}, "event: error\ndata: {\"code\":14,\"message\":\"gone\\nfor good\"}"},
		{map[string]any{"code": 5}, `data: {"code":5}`},
	} {
		if got, err := m.Marshal(c.v); err != nil || string(got) != c.want {
			t.Errorf("%q, %v; want %q", got, err, c.want)
		}
	}
}

func TestStreamsAreKeptAlive(t *testing.T) {
	release := make(chan struct{})
	s := httptest.NewServer(sse.Keep(20*time.Millisecond, time.Minute, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", sse.Type)
		_, _ = w.Write([]byte("data: 1\n\n"))
		w.(http.Flusher).Flush()
		<-release
		_, _ = w.Write([]byte("data: 2\n\n"))
	})))
	defer s.Close()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept", sse.Type)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	if res.Header.Get("X-Accel-Buffering") != "no" {
		t.Error("proxies may hold the stream back")
	}
	lines := bufio.NewScanner(res.Body)
	var seen []string
	for lines.Scan() {
		if lines.Text() == "" {
			continue
		}
		seen = append(seen, lines.Text())
		if len(seen) == 3 { // two comments came while nothing else did
			close(release)
		}
	}
	if len(seen) < 4 || seen[0] != "data: 1" || seen[len(seen)-1] != "data: 2" || !strings.HasPrefix(seen[1], ":") {
		t.Errorf("%q", seen)
	}
}

func TestOtherAnswersAreLeftAlone(t *testing.T) {
	h := sse.Keep(time.Millisecond, time.Minute, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusForbidden)
		time.Sleep(20 * time.Millisecond) // beats come in between
		_, _ = w.Write([]byte("{}"))
	}))
	r := httptest.NewRequest(http.MethodGet, "/", http.NoBody)
	r.Header.Set("Accept", sse.Type)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if w.Code != http.StatusForbidden || w.Body.String() != "{}" {
		t.Errorf("%d %q", w.Code, w.Body)
	}
}
