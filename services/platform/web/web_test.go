package web

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// serve runs a server that has little patience.
func serve(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	s, err := Listen(Config{Listen: "127.0.0.1:0"}, h, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	s.patience = 300 * time.Millisecond
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return s.Addr()
}

func TestAnswersMayTakeLongerThanRequests(t *testing.T) {
	addr := serve(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		for i := range 4 {
			select {
			case <-r.Context().Done():
				return
			case <-time.After(250 * time.Millisecond):
			}
			_, _ = fmt.Fprintln(w, i)
			_ = http.NewResponseController(w).Flush()
		}
	})
	for method, body := range map[string]string{http.MethodGet: "", http.MethodPost: "hello"} {
		req, err := http.NewRequestWithContext(t.Context(), method, "http://"+addr, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if err != nil || string(text) != "0\n1\n2\n3\n" {
			t.Errorf("%s: %q, %v", method, text, err)
		}
	}
}

func TestSlowRequestsAreCut(t *testing.T) {
	read := make(chan error, 2)
	addr := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		_, err := io.Copy(io.Discard, r.Body)
		read <- err
	})
	for name, sent := range map[string]string{"body": "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhal", "header": "GET / HTTP/1.1\r\nHo"} {
		c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(c, sent); err != nil {
			t.Fatal(err)
		}
		if err := c.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
			t.Fatal(err)
		}
		_, err = io.Copy(io.Discard, bufio.NewReader(c)) // until the server hangs up
		if err != nil {
			t.Errorf("%s: the connection stays open: %v", name, err)
		}
		_ = c.Close()
	}
	if err := <-read; err == nil {
		t.Error("half a body was taken for a whole one")
	}
}
