package elasticsearch

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/elastic/go-elasticsearch/v8"

	"github.com/weirflow/weirflow/services/transform/internal/connector"
)

const (
	connectTimeout = 10 * time.Second
	answerTimeout  = 60 * time.Second
	firstPause     = 100 * time.Millisecond
)

// client asks the store that a table names.
type client struct {
	es      *elasticsearch.Client
	tr      *http.Transport
	timeout time.Duration
}

func newClient(o *connector.Options) (*client, error) {
	var addresses []string
	for _, h := range o.List("hosts") {
		addresses = append(addresses, strings.TrimRight(h, "/")+"/"+strings.Trim(o.Text("connection.path-prefix"), "/"))
	}
	connect, answer := connectTimeout, answerTimeout
	if d := o.Duration("connection.timeout"); d > 0 {
		connect = d
	}
	if d := o.Duration("socket.timeout"); d > 0 {
		answer = d
	}
	tr := &http.Transport{Proxy: http.ProxyFromEnvironment, DialContext: (&net.Dialer{Timeout: connect}).DialContext,
		MaxIdleConnsPerHost: 4, IdleConnTimeout: time.Minute, TLSClientConfig: tlsConfig(o.Text("ssl.certificate-fingerprint"))}
	es, err := elasticsearch.NewClient(elasticsearch.Config{Addresses: addresses, Username: o.Text("username"), Password: o.Text("password"),
		DisableRetry: true, DisableMetaHeader: true, Transport: named{tr}})
	if err != nil {
		return nil, fmt.Errorf("prepare the connection to the store: %w", err)
	}
	return &client{es: es, tr: tr, timeout: answer}, nil
}

// tlsConfig trusts the certificate of a fingerprint, or what the machine trusts.
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
		return errors.New("no certificate of the store has the fingerprint that 'ssl.certificate-fingerprint' gives")
	}
	return c
}

// named lets go-elasticsearch talk to servers that do not name themselves.
type named struct{ next http.RoundTripper }

// RoundTrip sends a request and names the server in its answer.
func (n named) RoundTrip(req *http.Request) (*http.Response, error) {
	res, err := n.next.RoundTrip(req)
	if err == nil && res.Header.Get("X-Elastic-Product") == "" {
		res.Header.Set("X-Elastic-Product", "Elasticsearch")
	}
	return res, err
}

// pause waits before a request is sent again, longer each time.
func (c *client) pause(ctx context.Context, try int) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(firstPause << min(try, 6)):
		return nil
	}
}
