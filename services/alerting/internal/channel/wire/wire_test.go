package wire_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/weirflow/weirflow/services/alerting/internal/channel/wire"
	"github.com/weirflow/weirflow/services/alerting/internal/outgoing"
)

func TestCheck(t *testing.T) {
	for name, tt := range map[string]struct {
		status int
		after  string
		fails  bool
		again  bool
		wait   time.Duration
	}{
		"fine": {200, "", false, false, 0}, "created": {201, "", false, false, 0}, "moved": {302, "", true, false, 0}, "wrong": {400, "9", true, false, 0},
		"too many": {429, "", true, true, time.Minute}, "and says when": {429, "7", true, true, 7 * time.Second}, "for too long": {429, "999999", true, true, time.Hour},
		"a date": {429, "Wed, 21 Oct 2026 07:28:00 GMT", true, true, time.Minute}, "negative": {429, "-1", true, true, time.Minute},
		"late": {408, "", true, true, 0}, "broken": {500, "", true, true, 0}, "busy": {503, "3", true, true, 3 * time.Second},
	} {
		err := wire.Answer{Status: tt.status, Header: http.Header{"Retry-After": {tt.after}}}.Check()
		var f *wire.Failure
		if (err != nil) != tt.fails || err != nil && (!errors.As(err, &f) || f.Again != tt.again || f.Wait != tt.wait) {
			t.Errorf("%s: %v, %+v", name, err, f)
		}
	}
}

func TestQuote(t *testing.T) {
	for text, want := range map[string]string{"": "(empty)", "a\n\tb": "a b", "\xff": "?", strings.Repeat("日", 100): strings.Repeat("日", 66) + "…"} {
		if got := (wire.Answer{Body: []byte(text)}).Quote(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	calls := 0
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		calls++
		http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
	}))
	defer s.Close()
	a, err := wire.PostJSON(t.Context(), wire.Client(s.Client()), s.URL, "x")
	if err != nil || a.Check() == nil || calls != 1 {
		t.Errorf("%+v, %v, %d calls", a, err, calls)
	}
}

func TestTheGuard(t *testing.T) {
	s := httptest.NewServer(http.NotFoundHandler())
	defer s.Close()
	g, err := outgoing.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = wire.PostJSON(t.Context(), wire.Client(g.Client(time.Second)), s.URL+"/?key=s3cret", "x")
	if again, err := wire.Verdict(err); again || !errors.Is(err, outgoing.ErrRefused) || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("again %v, %v", again, err)
	}
}

func TestARequestOnItsWayIsFinished(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		cancel()
		time.Sleep(20 * time.Millisecond) // the client would have gone by now
		w.WriteHeader(http.StatusNoContent)
	}))
	defer s.Close()
	if a, err := wire.PostJSON(ctx, s.Client(), s.URL, "x"); err != nil || a.Status != http.StatusNoContent {
		t.Errorf("%+v, %v", a, err)
	}
	// And none is begun.
	_, err := wire.PostJSON(ctx, s.Client(), s.URL, "x")
	if again, err := wire.Verdict(err); !again || !errors.Is(err, context.Canceled) {
		t.Errorf("again %v, %v", again, err)
	}
}
