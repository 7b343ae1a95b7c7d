// Package outgoing keeps requests that users may direct (webhooks, mail servers,
// templates of HTTP calls) away from the addresses of this machine and its network.
package outgoing

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"
)

// ErrRefused says that an address may not be reached.
var ErrRefused = errors.New("the address is not a public one: an administrator may allow it with alerting.outgoing.allow")

// refused are networks that netip does not name: shared, benchmark and translated
// addresses, which may lead to what is inside.
func refused() []netip.Prefix {
	var all []netip.Prefix
	for _, p := range []string{"0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "198.18.0.0/15", "240.0.0.0/4", "64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32"} {
		all = append(all, netip.MustParsePrefix(p))
	}
	return all
}

// Guard decides which addresses may be reached.
type Guard struct {
	allowed []netip.Prefix
	refused []netip.Prefix
	dialer  net.Dialer
}

// New returns a guard that lets public addresses and those of allowed networks
// through: "10.0.0.0/8", "127.0.0.1".
func New(allowed []string) (*Guard, error) {
	g := &Guard{refused: refused(), dialer: net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}}
	for _, text := range allowed {
		p, err := netip.ParsePrefix(text)
		if err != nil {
			a, aerr := netip.ParseAddr(text)
			if aerr != nil {
				return nil, fmt.Errorf("%q is neither an address nor a network such as 10.0.0.0/8", text)
			}
			p = netip.PrefixFrom(a, a.BitLen())
		}
		g.allowed = append(g.allowed, p.Masked())
	}
	g.dialer.Control = func(_, address string, _ syscall.RawConn) error { return g.check(address) }
	return g, nil
}

// check looks at the address that is about to be connected: after names were
// resolved, and for every redirect.
func (g *Guard) check(address string) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("%s: %w", address, ErrRefused)
	}
	return g.Allows(ap.Addr())
}

// Allows returns ErrRefused for an address that may not be reached.
func (g *Guard) Allows(a netip.Addr) error {
	a = a.Unmap().WithZone("")
	for _, p := range g.allowed {
		if p.Contains(a) {
			return nil
		}
	}
	bad := !a.IsGlobalUnicast() || a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast()
	for _, p := range g.refused {
		bad = bad || p.Contains(a)
	}
	if bad {
		return fmt.Errorf("%s: %w", a, ErrRefused)
	}
	return nil
}

// DialContext connects, unless the address may not be reached.
func (g *Guard) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	return g.dialer.DialContext(ctx, network, address)
}

// Resolve returns ErrRefused where a host has an address that may not be reached,
// for clients that connect by themselves.
func (g *Guard) Resolve(ctx context.Context, host string) error {
	addrs, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return err
	}
	for _, a := range addrs {
		if err := g.Allows(a); err != nil {
			return fmt.Errorf("%s: %w", host, err)
		}
	}
	return nil
}

// Client returns an HTTP client that reaches what the guard lets through. It uses no
// proxy of the environment: behind one, addresses could not be seen.
func (g *Guard) Client(timeout time.Duration) *http.Client {
	t := &http.Transport{
		DialContext: g.DialContext, ForceAttemptHTTP2: true, MaxIdleConns: 100, MaxIdleConnsPerHost: 4, IdleConnTimeout: 90 * time.Second,
		TLSHandshakeTimeout: 10 * time.Second, ResponseHeaderTimeout: timeout,
	}
	return &http.Client{Transport: t, Timeout: timeout}
}
