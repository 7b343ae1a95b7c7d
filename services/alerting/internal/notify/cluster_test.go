package notify_test

import (
	"crypto/x509"
	"encoding/pem"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/weirflow/weirflow/services/alerting/internal/notify"
	"github.com/weirflow/weirflow/services/platform/rpc"
)

// free returns an address of loopback that nothing uses.
func free(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

// identity is a certificate for 127.0.0.1, its key, and the authority that gave it.
func identity(t *testing.T) rpc.TLS {
	t.Helper()
	cert, ca := certificate(t)
	der, err := x509.MarshalPKCS8PrivateKey(cert.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	key := filepath.Join(t.TempDir(), "key.pem")
	if err := os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return rpc.TLS{CertFile: ca, KeyFile: key, CAFile: ca}
}

// Who has no certificate of the instances' authority is not heard.
func TestStrangersAreNoInstances(t *testing.T) {
	h := newHook(t)
	a, b := newFixture(t, routed(h.URL)), newFixture(t, routed(h.URL))
	at := [2]string{free(t), free(t)}
	a.cluster = notify.Cluster{Listen: at[0], Peers: []string{at[1]}, Wait: time.Second, TLS: identity(t)}
	b.cluster = notify.Cluster{Listen: at[1], Peers: []string{at[0]}, Wait: time.Second, TLS: identity(t)} // another authority's
	one, stopOne := a.run("127.0.0.1")
	two, stopTwo := b.run("127.0.0.1")
	quiet(t, one, "Silent")
	post(t, one, "/api/v2/alerts", firing("First"))
	eventually(t, "it goes on alone", func() bool { return h.told("firing First") == 1 })
	if all, err := two.Silences(t.Context()); err != nil || len(all) > 0 {
		t.Errorf("%v %v", all, err)
	}
	stopOne()
	stopTwo()
}

func TestTwoInstancesTellOnce(t *testing.T) {
	for name, tls := range map[string]rpc.TLS{"plain": {}, "TLS": identity(t)} {
		t.Run(name, func(t *testing.T) { tellOnce(t, tls) })
	}
}

func tellOnce(t *testing.T, tls rpc.TLS) {
	t.Helper()
	h := newHook(t)
	a, b := newFixture(t, routed(h.URL)), newFixture(t, routed(h.URL))
	at := [2]string{free(t), free(t)}
	a.cluster = notify.Cluster{Listen: at[0], Peers: []string{at[1]}, Wait: 3 * time.Second, TLS: tls}
	b.cluster = notify.Cluster{Listen: at[1], Peers: []string{at[0]}, Wait: 3 * time.Second, TLS: tls}
	one, stopOne := a.run("127.0.0.1")
	two, stopTwo := b.run("127.0.0.1")
	id := quiet(t, one, "Silent")
	eventually(t, "the other knows of the silence", func() bool {
		all, err := two.Silences(t.Context())
		return err == nil && len(all) == 1 && all[0].GetId() == id && all[0].GetComment() == "why"
	})
	for _, e := range []*notify.Engine{one, two} {
		post(t, e, "/api/v2/alerts", firing("Deep"))
		post(t, e, "/api/v2/alerts", firing("Silent"))
	}
	eventually(t, "it is told", func() bool { return h.told("firing Deep") == 1 })
	// Both have had their turn when both have told a further one, of which each alone
	// knows.
	post(t, one, "/api/v2/alerts", firing("First"))
	post(t, two, "/api/v2/alerts", firing("Second"))
	eventually(t, "each tells what it alone knows", func() bool { return h.told("firing First") == 1 && h.told("firing Second") == 1 })
	stopOne()
	post(t, two, "/api/v2/alerts", firing("Later"))
	eventually(t, "the one that is left goes on", func() bool { return h.told("firing Later") == 1 })
	stopTwo()
	if n := h.told("firing Deep"); n != 1 {
		t.Errorf("told %d times", n)
	}
	if n := h.told("firing Silent"); n != 0 {
		t.Errorf("what is silenced is told %d times", n)
	}
}
