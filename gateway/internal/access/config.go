package access

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/weirflow/weirflow/services/platform/secret"
)

// Config says who may log in, and how.
type Config struct {
	// Admin is made when there is no administrator.
	Admin Admin `yaml:"admin"`
	// Session bounds how long a login holds.
	Session Session `yaml:"session"`
	// OIDC lets people log in with an OpenID provider.
	OIDC OIDC `yaml:"oidc"`
	// PublicURL is how browsers reach the gateway, such as https://weirflow.example.com.
	PublicURL string `yaml:"public_url" help:"URL by which browsers reach the gateway"`
	// TrustedProxies are addresses or networks whose X-Forwarded-For is believed.
	TrustedProxies []string `yaml:"trusted_proxies" help:"proxies whose X-Forwarded-For is believed, as addresses or networks"`
	// Environment is shown in the console.
	Environment string `yaml:"environment" help:"name of this installation, shown in the console"`
	// Rate bounds the requests of each user, token or address.
	Rate Rate `yaml:"rate"`
	// Hash is what checking a password costs.
	Hash Hash `yaml:"hash"`
}

// Admin is the first administrator.
type Admin struct {
	Name     string        `yaml:"name" help:"name of the administrator that is made if there is none"`
	Password secret.String `yaml:"password" help:"password of that administrator"`
}

// Session is for how long a login holds.
type Session struct {
	Idle     time.Duration `yaml:"idle" help:"a session ends after so long without a request"`
	Lifetime time.Duration `yaml:"lifetime" help:"a session ends so long after the login"`
}

// OIDC is an OpenID provider.
type OIDC struct {
	Issuer       string        `yaml:"issuer" help:"URL of the OpenID provider"`
	ClientID     string        `yaml:"client_id" help:"our client there"`
	ClientSecret secret.String `yaml:"client_secret" help:"its secret"`
	Name         string        `yaml:"name" help:"name of the provider on the login page"`
	Scopes       []string      `yaml:"scopes" help:"scopes to ask for"`
	// NameClaim is the claim that becomes the user's name.
	NameClaim string `yaml:"name_claim" help:"claim that is the user's name"`
	// RoleClaim is the claim whose values Roles maps to viewer, operator or admin; the
	// highest that is found counts.
	RoleClaim string            `yaml:"role_claim" help:"claim whose values give the role"`
	Roles     map[string]string `yaml:"roles" help:"role of each value of that claim, as {value: role}"`
	// DefaultRole is for those whose claim gives none; empty lets them not in.
	DefaultRole string `yaml:"default_role" help:"role of who has none of them; empty: they may not log in"`
}

// Rate bounds requests.
type Rate struct {
	PerSecond float64 `yaml:"per_second" help:"API requests a second of each user, token or address; 0: no limit"`
	Burst     int     `yaml:"burst" help:"so many may come at once"`
}

// Hash is argon2id's cost.
type Hash struct {
	MemoryKiB uint32 `yaml:"memory_kib" help:"memory of one password check"`
	Passes    uint32 `yaml:"passes" help:"passes over it"`
	// AtOnce bounds the checks that run at the same time.
	AtOnce int `yaml:"at_once" help:"password checks at the same time"`
}

// DefaultConfig has no users and no provider.
func DefaultConfig() Config {
	return Config{
		Session: Session{Idle: 12 * time.Hour, Lifetime: 7 * 24 * time.Hour},
		OIDC:    OIDC{Name: "OpenID", Scopes: []string{"openid", "profile", "email"}, NameClaim: "preferred_username", RoleClaim: "groups"},
		Rate:    Rate{PerSecond: 200, Burst: 400},
		Hash:    Hash{MemoryKiB: 19 << 10, Passes: 2, AtOnce: 4},
	}
}

// Guarded reports whether somebody must log in from the first request on.
func (c Config) Guarded() bool { return c.Admin.Name != "" || c.OIDC.Issuer != "" }

// Validate says what is wrong with the configuration.
func (c Config) Validate(prefix string) error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(prefix+"."+format, args...)) }
	if (c.Admin.Name == "") != (c.Admin.Password == "") {
		bad("admin needs both name and password")
	} else if c.Admin.Name != "" {
		if err := checkName(c.Admin.Name); err != nil {
			bad("admin.name: %w", err)
		}
		if err := checkPassword(c.Admin.Name, c.Admin.Password.Reveal()); err != nil {
			bad("admin.password: %w", err)
		}
	}
	if c.Session.Idle < time.Minute || c.Session.Lifetime < c.Session.Idle {
		bad("session: idle must be a minute at least, and lifetime not shorter than idle")
	}
	if c.PublicURL != "" {
		if u, err := url.Parse(c.PublicURL); err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") || strings.Trim(u.Path, "/") != "" {
			bad("public_url %q is not a URL such as https://weirflow.example.com", c.PublicURL)
		}
	}
	if _, err := parseNetworks(c.TrustedProxies); err != nil {
		bad("trusted_proxies: %w", err)
	}
	if c.Rate.PerSecond > 0 && c.Rate.Burst < 1 {
		bad("rate.burst must be 1 at least")
	}
	if c.Hash.MemoryKiB < 8<<10 || c.Hash.MemoryKiB > maxMemoryKiB || c.Hash.Passes < 1 || c.Hash.Passes > maxPasses || c.Hash.AtOnce < 1 || c.Hash.AtOnce > 64 {
		bad("hash: memory_kib must be 8192 to %d, passes 1 to %d, at_once 1 to 64", maxMemoryKiB, maxPasses)
	}
	return errors.Join(append(errs, c.OIDC.validate(prefix+".oidc", c.PublicURL))...)
}

func (o OIDC) validate(prefix, public string) error {
	if o.Issuer == "" {
		return nil
	}
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(prefix+format, args...)) }
	if u, err := url.Parse(o.Issuer); err != nil || u.Host == "" {
		bad(".issuer %q is not a URL", o.Issuer)
	}
	if o.ClientID == "" || o.ClientSecret == "" {
		bad(" needs client_id and client_secret")
	}
	if public == "" {
		bad(" needs access.public_url, to which the provider sends people back")
	}
	if o.NameClaim == "" {
		bad(".name_claim is empty")
	}
	for value, role := range o.Roles {
		if roleNamed(role) == 0 {
			bad(".roles: %q is no role for %q: viewer, operator or admin", role, value)
		}
	}
	if o.DefaultRole != "" && roleNamed(o.DefaultRole) == 0 {
		bad(".default_role %q is no role: viewer, operator or admin", o.DefaultRole)
	}
	if len(o.Roles) == 0 && o.DefaultRole == "" {
		bad(" lets nobody in: set roles or default_role")
	}
	return errors.Join(errs...)
}

// parseNetworks reads addresses and networks.
func parseNetworks(list []string) ([]netip.Prefix, error) {
	out := make([]netip.Prefix, 0, len(list))
	for _, s := range list {
		if a, err := netip.ParseAddr(s); err == nil {
			out = append(out, netip.PrefixFrom(a, a.BitLen()))
			continue
		}
		p, err := netip.ParsePrefix(s)
		if err != nil {
			return nil, fmt.Errorf("%q is neither an address nor a network such as 10.0.0.0/8", s)
		}
		out = append(out, p)
	}
	return out, nil
}
