package access

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/weirflow/weirflow/gateway/internal/limit"
	accessv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/access/v1"
)

// guesses slow down who tries passwords: by name from one address, by name from
// anywhere, by address for whatever names.
type guesses struct {
	here, name, address *limit.Guesses
}

func newGuesses(now func() time.Time) guesses {
	return guesses{
		here: limit.NewGuesses(limit.Policy{Free: 5, First: time.Second, Most: 15 * time.Minute, Forget: time.Hour}, now),
		// From many addresses: whoever it is must not keep the user himself out for long.
		name:    limit.NewGuesses(limit.Policy{Free: 50, First: time.Second, Most: 30 * time.Second, Forget: time.Hour}, now),
		address: limit.NewGuesses(limit.Policy{Free: 20, First: time.Second, Most: 15 * time.Minute, Forget: time.Hour}, now),
	}
}

// begin counts a try; one that has to wait is not made.
func (g guesses) begin(name, address string) error {
	here := name + "\x00" + address
	if wait, ok := g.address.Begin(address); !ok {
		return waitError(wait)
	}
	if wait, ok := g.here.Begin(here); !ok {
		g.address.Undo(address)
		return waitError(wait)
	}
	if wait, ok := g.name.Begin(name); !ok {
		g.address.Undo(address)
		g.here.Undo(here)
		return waitError(wait)
	}
	return nil
}

func (g guesses) undo(name, address string) {
	g.address.Undo(address)
	g.here.Undo(name + "\x00" + address)
	g.name.Undo(name)
}

func (g guesses) right(name, address string) {
	g.address.Undo(address)
	g.here.Right(name + "\x00" + address)
	g.name.Right(name)
}

// tooMany says for how long one has to wait.
type tooMany struct {
	wait time.Duration
	what string
}

func waitError(d time.Duration) error { return &tooMany{d, "too many wrong passwords"} }

// seconds is the wait as Retry-After has it.
func (e *tooMany) seconds() int { return int((e.wait + time.Second - 1) / time.Second) }

func (e *tooMany) Error() string { return fmt.Sprintf("%s: try again in %d s", e.what, e.seconds()) }

// GRPCStatus is how the API answers.
func (e *tooMany) GRPCStatus() *status.Status { return status.New(codes.ResourceExhausted, e.Error()) }

// errPassword says no more than it must.
func errPassword() error { return status.Error(codes.Unauthenticated, "name or password is wrong") }

// byPassword finds who a name and a password are.
func (a *Access) byPassword(ctx context.Context, name, password, address string) (*accessv1.UserRecord, error) {
	if err := a.keeps(); err != nil {
		return nil, err
	}
	u, _ := a.store.users.Get(name)
	mark := a.hashes.remembered(u.GetPasswordHash(), password)
	if u.GetPasswordHash() != "" && !u.GetUser().GetDisabled() && a.known.has(mark) {
		return u, nil
	}
	key, place := strings.ToLower(name), neighbourhood(address)
	if len(key) > maxName {
		key = key[:maxName]
	}
	if err := a.guesses.begin(key, place); err != nil {
		return nil, err
	}
	ok, err := a.hashes.matches(ctx, u.GetPasswordHash(), password)
	if err != nil {
		a.guesses.undo(key, place)
		return nil, err
	}
	if !ok || u.GetUser().GetDisabled() {
		return nil, errPassword()
	}
	a.guesses.right(key, place)
	a.known.add(mark)
	return u, nil
}

// neighbourhood is an address as guesses are counted by: who has one of IPv6 has 2^64.
func neighbourhood(address string) string {
	ip, err := netip.ParseAddr(address)
	if err != nil || !ip.Is6() || ip.Is4In6() {
		return address
	}
	p, err := ip.WithZone("").Prefix(64)
	if err != nil {
		return address
	}
	return p.String()
}

// recentLogins remembers passwords that were right, by a keyed hash that changes with
// the process, the user and his password.
type recentLogins struct {
	now   func() time.Time
	mu    sync.Mutex
	until map[string]time.Time
}

const (
	rememberFor = 2 * time.Minute
	maxRecent   = 10_000
)

func (r *recentLogins) has(mark string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.now().Before(r.until[mark])
}

func (r *recentLogins) add(mark string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.until) >= maxRecent {
		clear(r.until)
	}
	r.until[mark] = r.now().Add(rememberFor)
}

func (r *recentLogins) sweep() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for mark, at := range r.until {
		if r.now().After(at) {
			delete(r.until, mark)
		}
	}
}
