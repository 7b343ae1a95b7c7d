// Package sink holds the connections to the stores that jobs write to, as the
// jobs' sink records describe them.
package sink

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/elastic/go-elasticsearch/v8"
	"github.com/elastic/go-elasticsearch/v8/esapi"

	indexv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/index/v1"
	"github.com/weirflow/weirflow/services/indexer/internal/bulk"
)

// Client sends bulk requests to the store of one sink.
type Client struct {
	es *elasticsearch.Client
	tr *http.Transport
	// timeout bounds a request, from sending it to reading its answer.
	timeout time.Duration
}

// StatusError is a request that was refused as a whole.
type StatusError struct {
	Status int
	Body   string
}

// Error gives the status and what the store said.
func (e *StatusError) Error() string {
	return fmt.Sprintf("the store answered %d: %s", e.Status, e.Body)
}

// TooLarge reports whether the request was longer than the store takes.
func TooLarge(err error) bool {
	var s *StatusError
	return errors.As(err, &s) && s.Status == http.StatusRequestEntityTooLarge
}

// Malformed reports whether the store could not read the request at all.
func Malformed(err error) bool {
	var s *StatusError
	return errors.As(err, &s) && s.Status == http.StatusBadRequest
}

// NewClient prepares the connection that a sink record describes.
func NewClient(s *indexv1.Sink, own Store) (*Client, error) {
	addresses := make([]string, 0, len(s.GetHosts()))
	for _, h := range s.GetHosts() {
		addresses = append(addresses, address(h)+"/"+strings.Trim(s.GetConnectionPathPrefix(), "/"))
	}
	if len(addresses) == 0 {
		return nil, errors.New("the sink names no host")
	}
	tr := &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         (&net.Dialer{Timeout: millis(s.GetConnectionTimeoutMillis(), 10*time.Second)}).DialContext,
		MaxIdleConnsPerHost: 8, IdleConnTimeout: time.Minute, WriteBufferSize: 64 << 10, ReadBufferSize: 64 << 10,
		TLSClientConfig: tlsConfig(s.GetSslCertificateFingerprint()),
	}
	user, password := own.credentials(s)
	es, err := elasticsearch.NewClient(elasticsearch.Config{
		Addresses: addresses, Username: user, Password: password,
		// Retries are decided per item and per sink, not by the transport.
		DisableRetry: true, DisableMetaHeader: true, Transport: productHeader{tr},
	})
	if err != nil {
		return nil, fmt.Errorf("prepare the connection to the store: %w", err)
	}
	return &Client{es: es, tr: tr, timeout: millis(s.GetSocketTimeoutMillis(), 60*time.Second)}, nil
}

func millis(n int64, otherwise time.Duration) time.Duration {
	if n <= 0 {
		return otherwise
	}
	return time.Duration(n) * time.Millisecond
}

func tlsConfig(fingerprint string) *tls.Config {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if fingerprint == "" {
		return c
	}
	want := strings.ToLower(strings.ReplaceAll(fingerprint, ":", ""))
	c.InsecureSkipVerify = true // the fingerprint is verified instead
	c.VerifyConnection = func(cs tls.ConnectionState) error {
		for _, cert := range cs.PeerCertificates {
			if sum := sha256.Sum256(cert.Raw); hex.EncodeToString(sum[:]) == want {
				return nil
			}
		}
		return errors.New("no certificate of the store has the fingerprint that ssl.certificate-fingerprint gives")
	}
	return c
}

// Bulk sends a body of n actions. It returns nil items where all were done.
func (c *Client) Bulk(ctx context.Context, body []byte, n int, answer *bytes.Buffer) ([]bulk.Item, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	res, err := esapi.BulkRequest{Body: bytes.NewReader(body), FilterPath: []string{bulk.FilterPath}}.Do(ctx, c.es)
	if err != nil {
		return nil, fmt.Errorf("send a bulk request: %w", err)
	}
	defer func() { _ = res.Body.Close() }()
	if res.IsError() {
		text, _ := io.ReadAll(io.LimitReader(res.Body, 2000))
		return nil, &StatusError{Status: res.StatusCode, Body: string(text)}
	}
	answer.Reset()
	if _, err := answer.ReadFrom(res.Body); err != nil {
		return nil, fmt.Errorf("read the answer to a bulk request: %w", err)
	}
	return bulk.Parse(answer.Bytes(), n)
}

// Close gives up idle connections.
func (c *Client) Close() { c.tr.CloseIdleConnections() }

// productHeader lets go-elasticsearch talk to servers that do not name
// themselves in each answer: it refuses them after the request was carried out,
// which would write everything twice.
type productHeader struct{ next http.RoundTripper }

func (p productHeader) RoundTrip(req *http.Request) (*http.Response, error) {
	res, err := p.next.RoundTrip(req)
	if err == nil && res.Header.Get("X-Elastic-Product") == "" {
		res.Header.Set("X-Elastic-Product", "Elasticsearch")
	}
	return res, err
}
