package outgoing

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
	"time"
)

func TestAddresses(t *testing.T) {
	g, err := New([]string{"10.1.0.0/16", "192.168.7.7"})
	if err != nil {
		t.Fatal(err)
	}
	for address, allowed := range map[string]bool{
		"8.8.8.8": true, "2606:4700::1111": true, "10.1.2.3": true, "::ffff:10.1.2.3": true, "192.168.7.7": true,
		"127.0.0.1": false, "127.9.9.9": false, "::1": false, "::ffff:127.0.0.1": false, "0.0.0.0": false, "::": false, "10.2.0.1": false,
		"172.16.0.1": false, "192.168.7.8": false, "169.254.169.254": false, "fe80::1": false, "fd00:ec2::254": false, "100.100.100.200": false,
		"64:ff9b::7f00:1": false, "2002:7f00:1::": false, "224.0.0.1": false, "255.255.255.255": false, "198.18.0.1": false,
	} {
		err := g.Allows(netip.MustParseAddr(address))
		if (err == nil) != allowed || err != nil && !errors.Is(err, ErrRefused) {
			t.Errorf("%s: %v, want allowed %v", address, err, allowed)
		}
	}
	if _, err := New([]string{"ten"}); err == nil {
		t.Error("a network that is none passes")
	}
}

func TestClientsAreHeldBack(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/away" {
			http.Redirect(w, r, "http://127.0.0.2:1/", http.StatusFound)
		}
	}))
	defer s.Close()
	get := func(allowed []string, url string) error {
		g, err := New(allowed)
		if err != nil {
			t.Fatal(err)
		}
		res, err := g.Client(time.Second).Get(url) //nolint:noctx // a test
		if err == nil {
			_ = res.Body.Close()
		}
		return err
	}
	if err := get(nil, s.URL); !errors.Is(err, ErrRefused) {
		t.Errorf("loopback: %v", err)
	}
	if err := get([]string{"127.0.0.1"}, s.URL); err != nil {
		t.Errorf("allowed: %v", err)
	}
	if err := get([]string{"127.0.0.1"}, s.URL+"/away"); !errors.Is(err, ErrRefused) {
		t.Errorf("a redirect to what is not allowed: %v", err)
	}
	if err := get(nil, "http://localhost:1/"); !errors.Is(err, ErrRefused) {
		t.Errorf("by name: %v", err)
	}
}
