package gateway_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"

	jobv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/job/v1"
	topicv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/topic/v1"
)

func (b *behind) lastText() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return strings.ReplaceAll(prototext.MarshalOptions{}.Format(b.last), ":  ", ":")
}

func TestScriptsInNamesAndLinesStayText(t *testing.T) {
	const script = `<script>alert(1)</script>`
	c := besiege(t, nil)
	c.behind.answer = func(_ string, reply proto.Message) {
		switch m := reply.(type) {
		case *jobv1.GetJobResponse:
			m.Job = &jobv1.Job{Name: script}
		case *topicv1.ListMessagesResponse:
			m.Messages = []*topicv1.Message{{Text: script}}
		}
	}
	for _, path := range []string{
		"/api/v1/jobs/x", "/api/v1/topics/x/messages", "/api/v1/jobs/%3Cscript%3Ealert(1)%3C%2Fscript%3E", "/api/v1/" + "%3Cscript%3E", "/%3Cscript%3E.html",
		"/api/v1/users/%3Cscript%3E", "/api/v1/audit?page_token=%3Cscript%3E", "/api/v1/search/%3Cscript%3E/_search",
	} {
		for _, accept := range []string{"text/html", "text/event-stream", "*/*"} {
			a := c.do("GET", path, "", basic(root, rootSecret), header("Accept", accept))
			kind := a.header.Get("Content-Type")
			if strings.Contains(kind, "html") || kind == "" || a.header.Get("X-Content-Type-Options") != "nosniff" {
				t.Errorf("%s (%s) = %d %q %q", path, accept, a.code, kind, a.header.Get("X-Content-Type-Options"))
			}
			if csp := a.header.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") {
				t.Errorf("%s: policy %q", path, csp)
			}
		}
	}
	page := c.do("GET", "/jobs/x", "")
	csp := page.header.Get("Content-Security-Policy")
	for _, part := range []string{"default-src 'none'", "script-src 'self';", "frame-ancestors 'none'", "base-uri 'none'", "connect-src 'self'", "form-action 'self'", "'nonce-"} {
		if !strings.Contains(csp, part) {
			t.Errorf("the page's policy lacks %s: %s", part, csp)
		}
	}
	if strings.Contains(csp, "unsafe") || strings.Contains(page.body, "__CSP_NONCE__") {
		t.Errorf("the page's policy is loose: %s", csp)
	}
	_, nonce, _ := strings.Cut(csp, "'nonce-")
	if again := c.do("GET", "/jobs/x", ""); strings.Contains(again.header.Get("Content-Security-Policy"), strings.SplitN(nonce, "'", 2)[0]) {
		t.Error("the nonce is the same twice")
	}
	for name, want := range map[string]string{"X-Frame-Options": "DENY", "Cross-Origin-Opener-Policy": "same-origin", "Referrer-Policy": "no-referrer"} {
		if got := page.header.Get(name); got != want {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestPathTraversal(t *testing.T) {
	c := besiege(t, nil)
	for _, path := range []string{
		"/../../../etc/passwd", "/assets/../../../../etc/passwd", "/assets/..%2f..%2f..%2fetc%2fpasswd", "/%2e%2e/%2e%2e/etc/passwd", "/assets/....//....//etc/passwd",
		"/..%5c..%5cetc%5cpasswd", "/assets/%00../etc/passwd", "//etc/passwd", "/.git/config", "/gateway/config.go", "/index.html.bak",
		"/api/v1/search/..%2f..%2f_cat/indices", "/api/v1/search/%2e%2e/x", "/api/v1/topics/..%2f..%2fjobs/messages",
	} {
		res := raw(t, c, "GET "+path+" HTTP/1.1\r\nHost: "+strings.TrimPrefix(c.url, "http://")+"\r\nConnection: close\r\n\r\n")
		if strings.Contains(res, "root:x:") || strings.Contains(res, "package gateway") || strings.Contains(res, "[core]") {
			t.Errorf("%s gives a file away: %.300s", path, res)
		}
	}
}

// raw sends bytes and returns all that comes back until the other side hangs up.
func raw(t *testing.T, c *castle, text string) string {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimPrefix(c.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if err := conn.SetDeadline(time.Now().Add(60 * time.Second)); err != nil {
		t.Fatal(err)
	}
	go func() { _, _ = io.WriteString(conn, text) }() // it may hang up before it has all
	b, _ := io.ReadAll(bufio.NewReader(conn))         // a reset is an answer, too
	return string(b)
}

func TestRequestSmuggling(t *testing.T) {
	c := besiege(t, nil)
	host := "Host: " + strings.TrimPrefix(c.url, "http://") + "\r\n"
	inner := "GET /healthz?smuggled HTTP/1.1\r\n" + host + "\r\n"
	for name, x := range map[string]struct {
		text string
		want string // of the first answer; empty: none, or a refusal
	}{
		"two lengths":                 {"POST /api/v1/session HTTP/1.1\r\n" + host + "Content-Length: 5\r\nContent-Length: 60\r\n\r\nhello" + inner, "400"},
		"two lengths in one":          {"POST /api/v1/session HTTP/1.1\r\n" + host + "Content-Length: 5, 60\r\n\r\nhello" + inner, "400"},
		"a length that is none":       {"POST /api/v1/session HTTP/1.1\r\n" + host + "Content-Length: +5\r\n\r\nhello" + inner, "400"},
		"an encoding that is unknown": {"POST /api/v1/session HTTP/1.1\r\n" + host + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + inner, "501"},
		"two encodings":               {"POST /api/v1/session HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n" + inner, "501"},
		"a space before the colon":    {"POST /api/v1/session HTTP/1.1\r\n" + host + "Content-Length : 5\r\n\r\nhello" + inner, "400"},
		"a broken chunk":              {"POST /api/v1/session HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\nzz\r\n" + inner, "400"},
		"two hosts":                   {"GET /healthz HTTP/1.1\r\n" + host + "Host: evil.example\r\n\r\n", "400"},
		"no host":                     {"GET /healthz HTTP/1.1\r\n\r\n", "400"},
		"a huge header":               {"GET /healthz HTTP/1.1\r\n" + host + "X: " + strings.Repeat("a", 200<<10) + "\r\n\r\n", "431"},
		"many headers":                {"GET /healthz HTTP/1.1\r\n" + host + strings.Repeat("X: "+strings.Repeat("a", 1000)+"\r\n", 200) + "\r\n", "431"},
		"a huge path":                 {"GET /" + strings.Repeat("a", 200<<10) + " HTTP/1.1\r\n" + host + "\r\n", "431"},
	} {
		res := raw(t, c, x.text)
		if res != "" && !strings.HasPrefix(res, "HTTP/1.1 "+x.want) {
			t.Errorf("%s: %.200q", name, res)
		}
		if strings.Contains(res, `"status":"ok"`) {
			t.Errorf("%s: the request inside was answered: %q", name, res)
		}
	}
	// Both a length and an encoding: the encoding counts, the length is not used, and the
	// connection is not used again, so that nobody in front can disagree.
	res := raw(t, c, "POST /api/v1/session HTTP/1.1\r\n"+host+"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"+inner)
	if strings.Contains(res, `"status":"ok"`) {
		t.Errorf("both: the request inside was answered: %q", res)
	}
}

func TestHugeBodiesAreCut(t *testing.T) {
	c := besiege(t, nil)
	body := `{"name":"` + strings.Repeat("a", 33<<20) + `"}`
	a := c.do("POST", "/api/v1/jobs", body, basic(root, rootSecret))
	if a.code != http.StatusBadRequest && a.code != http.StatusRequestEntityTooLarge {
		t.Errorf("33 MiB: %d %.100s", a.code, a.body)
	}
	if a := c.do("GET", "/api/v1/jobs", "", basic(root, strings.Repeat("x", 8<<10))); a.code != 401 {
		t.Errorf("a password of 8 KiB: %d", a.code)
	}
}

func TestSlowClientsAreCut(t *testing.T) {
	c := besiege(t, nil)
	began := time.Now()
	raw(t, c, "GET /healthz HTTP/1.1\r\nHo")
	if d := time.Since(began); d > 30*time.Second {
		t.Errorf("half a header holds a connection for %s", d)
	}
}
