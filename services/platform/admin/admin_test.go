package admin_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/weirflow/weirflow/services/platform/admin"
	"github.com/weirflow/weirflow/services/platform/secret"
	"github.com/weirflow/weirflow/services/platform/status"
	"github.com/weirflow/weirflow/services/platform/telemetry"
)

type sample struct {
	Name     string        `yaml:"name"`
	Password secret.String `yaml:"password"`
}

func TestAdminPort(t *testing.T) {
	tel, err := telemetry.New(t.Context(), "test", telemetry.DefaultConfig(), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	board := status.New("test", "i")
	board.NotReady("kafka", "does not answer")
	s, err := admin.New(t.Context(), admin.Config{Listen: "127.0.0.1:0"}, admin.Deps{
		Logger: tel.Logger, Metrics: tel.Handler(), Boards: []*status.Board{board}, Config: sample{"mine", "hunter2"}, Defaults: sample{},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	get := func(path string) (int, string) {
		res, err := http.Get("http://" + s.Addr() + path)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = res.Body.Close() }()
		b, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return res.StatusCode, string(b)
	}
	if code, body := get("/ready"); code != http.StatusServiceUnavailable || !strings.Contains(body, "does not answer") {
		t.Errorf("/ready = %d %s", code, body)
	}
	board.Ready("kafka")
	for path, want := range map[string]string{
		"/ready": `"ready":true`, "/live": "live", "/metrics": "go_goroutines", "/config": "name: mine", "/config?mode=diff": "# default", "/debug/pprof/": "goroutine",
	} {
		if code, body := get(path); code != http.StatusOK || !strings.Contains(body, want) || strings.Contains(body, "hunter2") {
			t.Errorf("%s = %d %.200s, want %q and no secret", path, code, body, want)
		}
	}
	if _, err := admin.New(t.Context(), admin.Config{Listen: s.Addr()}, admin.Deps{}); err == nil || !strings.Contains(err.Error(), s.Addr()) {
		t.Errorf("a taken port: %v, want its address named", err)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
