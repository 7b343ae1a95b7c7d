package cli

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/weirflow/weirflow/gateway/internal/storeerr"
)

const (
	dialWithin = 10 * time.Second
	callWithin = 2 * time.Minute
	maxAnswer  = 256 << 20
	maxLine    = 64 << 20
)

// client talks to one server.
type client struct {
	base *url.URL
	http *http.Client
	set  func(*http.Request) // puts in who asks
}

// apiError is an error that the server answered.
type apiError struct {
	Code    codes.Code `json:"code"`
	Message string     `json:"message"`
	status  int
}

func (e *apiError) Error() string {
	switch e.status {
	case http.StatusUnauthorized:
		return e.Message + " (weirflow login, or a token in WEIRFLOW_TOKEN)"
	default:
		return e.Message
	}
}

func newClient(c endpoint) (*client, error) {
	base, err := url.Parse(strings.TrimRight(c.Server, "/"))
	if err != nil || base.Host == "" || (base.Scheme != "http" && base.Scheme != "https") {
		return nil, fmt.Errorf("the server %q is not an address such as http://127.0.0.1:8080", c.Server)
	}
	t := &http.Transport{Proxy: http.ProxyFromEnvironment, ResponseHeaderTimeout: callWithin, TLSHandshakeTimeout: dialWithin}
	if c.CAFile != "" {
		pem, err := os.ReadFile(c.CAFile)
		if err != nil {
			return nil, fmt.Errorf("read the CA certificate: %w", err)
		}
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%s has no certificate in PEM form", c.CAFile)
		}
		t.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	}
	token, err := c.token()
	if err != nil {
		return nil, err
	}
	return &client{base: base, http: &http.Client{Transport: t}, set: func(r *http.Request) {
		if token != "" {
			r.Header.Set("Authorization", "Bearer "+token)
		}
	}}, nil
}

// path makes a path of the API; its parts may hold any character.
func path(parts ...string) string {
	var b strings.Builder
	b.WriteString("/api/v1")
	for _, p := range parts {
		b.WriteByte('/')
		if verb := strings.LastIndexByte(p, ':'); verb > 0 {
			b.WriteString(url.PathEscape(p[:verb]) + p[verb:])
			continue
		}
		b.WriteString(url.PathEscape(p))
	}
	return b.String()
}

func (c *client) do(ctx context.Context, method, path string, query url.Values, body io.Reader, accept string) (*http.Response, error) {
	u := c.base.String() + path
	if len(query) > 0 {
		u += "?" + query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, method, u, body)
	if err != nil {
		return nil, err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	req.Header.Set("Accept", accept)
	c.set(req)
	res, err := c.http.Do(req)
	if err != nil {
		if u, ok := errors.AsType[*url.Error](err); ok {
			err = u.Err // without the address, which is said
		}
		return nil, fmt.Errorf("%s does not answer: %w; is it running (weirflow run), or is another meant (--server, --context)?", c.base.Redacted(), err)
	}
	if res.StatusCode >= http.StatusBadRequest {
		defer func() { _ = res.Body.Close() }()
		return nil, refusal(res)
	}
	return res, nil
}

func refusal(res *http.Response) error {
	text, _ := io.ReadAll(io.LimitReader(res.Body, 1<<20)) // what there is
	e := &apiError{status: res.StatusCode}
	e.Message = storeerr.Reason(text)
	if json.Unmarshal(text, e) != nil || e.Message == "" {
		e.Code, e.Message = codes.Unknown, fmt.Sprintf("the server answered %s: %.200s", res.Status, bytes.TrimSpace(text))
	}
	return e
}

// raw makes a request and returns the answer as it is.
func (c *client) raw(ctx context.Context, method, path string, body []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, callWithin)
	defer cancel()
	res, err := c.do(ctx, method, path, nil, bytes.NewReader(body), "application/json")
	if err != nil {
		return nil, err
	}
	defer func() { _ = res.Body.Close() }()
	return read(res.Body)
}

func read(body io.Reader) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(body, maxAnswer))
	if err != nil {
		return nil, fmt.Errorf("read the answer: %w", err)
	}
	return text, nil
}

// call makes a request; in and out may be nil.
func (c *client) call(ctx context.Context, method, path string, query url.Values, in, out proto.Message) error {
	ctx, cancel := context.WithTimeout(ctx, callWithin)
	defer cancel()
	var body io.Reader
	if in != nil {
		b, err := protojson.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(b)
	}
	res, err := c.do(ctx, method, path, query, body, "application/json")
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	text, err := read(res.Body)
	if err != nil || out == nil {
		return err
	}
	if err := (protojson.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(text, out); err != nil {
		return fmt.Errorf("the answer of %s is not the API's (%.100q…): is it a Weirflow?", c.base.Redacted(), text)
	}
	return nil
}

// stream reads answers as they come until the server or the context ends them.
func (c *client) stream(ctx context.Context, method, path string, query url.Values, in proto.Message, each func(result []byte) error) error {
	var body io.Reader
	if in != nil {
		b, err := protojson.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(b)
	}
	res, err := c.do(ctx, method, path, query, body, "application/json")
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	lines := bufio.NewScanner(res.Body)
	lines.Buffer(make([]byte, 64<<10), maxLine)
	for lines.Scan() {
		var line struct {
			Result json.RawMessage `json:"result"`
			Error  *apiError       `json:"error"`
		}
		if len(bytes.TrimSpace(lines.Bytes())) == 0 {
			continue
		}
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			return fmt.Errorf("read the stream: %w", err)
		}
		if line.Error != nil {
			return line.Error
		}
		if err := each(line.Result); err != nil {
			return err
		}
	}
	if ctx.Err() != nil {
		return nil // it was interrupted
	}
	return lines.Err()
}
