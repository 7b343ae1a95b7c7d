package notify_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// postbox is a mail server that wants TLS and a password.
type postbox struct {
	mu       sync.Mutex
	messages []string
	fail     int // refuses so many messages for the moment
}

func (p *postbox) NewSession(*smtp.Conn) (smtp.Session, error) { return &postman{box: p}, nil }

// postman is a session with a client.
type postman struct {
	box   *postbox
	known bool
	to    []string
}

func (s *postman) AuthMechanisms() []string { return []string{sasl.Plain} }

func (s *postman) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != "weirflow" || password != "s3cret" {
			return smtp.ErrAuthFailed
		}
		s.known = true
		return nil
	}), nil
}

func (s *postman) Mail(string, *smtp.MailOptions) error {
	if !s.known {
		return smtp.ErrAuthRequired
	}
	return nil
}

func (s *postman) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.to = append(s.to, to)
	return nil
}

func (s *postman) Data(r io.Reader) error {
	b, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	s.box.mu.Lock()
	defer s.box.mu.Unlock()
	if s.box.fail > 0 {
		s.box.fail--
		return &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 3, 0}, Message: "come again"}
	}
	s.box.messages = append(s.box.messages, string(b))
	return nil
}

func (s *postman) Reset()        { s.to = nil }
func (s *postman) Logout() error { return nil }

// certificate makes a key pair for 127.0.0.1 and the file of its authority.
func certificate(t *testing.T) (tls.Certificate, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "mail"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, file
}

// serveMail runs a mail server, with TLS from the start or after STARTTLS.
func serveMail(t *testing.T, box *postbox, implicit bool) (addr, ca string) {
	t.Helper()
	cert, ca := certificate(t)
	s := smtp.NewServer(box)
	s.TLSConfig = &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if implicit {
		l = tls.NewListener(l, s.TLSConfig)
	}
	done := make(chan error, 1)
	go func() { done <- s.Serve(l) }()
	t.Cleanup(func() {
		_ = s.Close()
		if err := <-done; err != nil && !errors.Is(err, smtp.ErrServerClosed) {
			t.Error(err)
		}
	})
	return l.Addr().String(), ca
}

// bodies returns the parts of a message by their type.
func bodies(t *testing.T, text string) (subject string, parts map[string]string) {
	t.Helper()
	m, err := mail.ReadMessage(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if subject, err = new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject")); err != nil {
		t.Fatal(err)
	}
	_, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	parts = make(map[string]string)
	r := multipart.NewReader(m.Body, params["boundary"])
	for {
		p, err := r.NextRawPart()
		if errors.Is(err, io.EOF) {
			return subject, parts
		}
		if err != nil {
			t.Fatal(err)
		}
		kind, _, _ := mime.ParseMediaType(p.Header.Get("Content-Type"))
		var b bytes.Buffer
		if _, err := b.ReadFrom(quotedprintable.NewReader(p)); err != nil {
			t.Fatal(err)
		}
		parts[kind] = b.String()
	}
}

func TestMail(t *testing.T) {
	for name, implicit := range map[string]bool{"STARTTLS": false, "TLS from the start": true} {
		t.Run(name, func(t *testing.T) {
			box := &postbox{fail: 1}
			addr, ca := serveMail(t, box, implicit)
			f := newFixture(t, fmt.Sprintf(`
route: {receiver: mail, group_by: [alertname], group_wait: 0s}
receivers:
- name: mail
  email_configs:
  - to: '{{ oncall "ops" "email" }}'
    from: weirflow@example.com
    smarthost: %s
    auth_username: weirflow
    auth_password: s3cret
    force_implicit_tls: %v
    tls_config: {ca_file: '%s'}
    headers: {Subject: '磁盘 {{ .CommonLabels.alertname }}'}
    text: '{{ range .Alerts }}{{ .Annotations.summary }}{{ end }}'
`, addr, implicit, ca))
			e, stop := f.run("127.0.0.1")
			defer stop()
			post(t, e, "/api/v2/alerts", firing("Deep"))
			count := func() int { box.mu.Lock(); defer box.mu.Unlock(); return len(box.messages) }
			eventually(t, "the message comes, at the second try", func() bool { return count() == 1 })
			subject, parts := bodies(t, box.messages[0])
			if subject != "磁盘 Deep" || strings.TrimSpace(parts["text/plain"]) != "it is" || !strings.Contains(parts["text/html"], "http://console.example") {
				t.Errorf("subject %q, parts %q", subject, parts)
			}
		})
	}
}
