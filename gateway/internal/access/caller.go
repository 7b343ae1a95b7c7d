package access

import (
	"context"
	"slices"
	"strings"

	accessv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/access/v1"
)

// Caller is who makes a request.
type Caller struct {
	// User is the name of who is logged in; empty for the configured token, in open
	// mode and for nobody.
	User string
	// Role is what he may; unspecified for nobody.
	Role accessv1.Role
	// Scopes bound it to areas; none is all.
	Scopes []string
	// Token is the id of the API token that was brought, StaticToken for the configured one.
	Token string
	// Open says that nobody is configured, and everybody on this machine may all.
	Open bool
	// Address is from where the request came.
	Address string

	// session is the secret of the cookie that was brought.
	session string
}

// StaticToken is the id of the configured token.
const StaticToken = "gateway.token"

// Known reports whether somebody is there at all.
func (c *Caller) Known() bool { return c.Role != accessv1.Role_ROLE_UNSPECIFIED }

// person reports whether the caller logged in himself, rather than a program for him.
func (c *Caller) person() bool { return c.User != "" && c.Token == "" }

// inScope reports whether the caller's scopes include an area.
func (c *Caller) inScope(area string) bool {
	return len(c.Scopes) == 0 || area == "" || slices.Contains(c.Scopes, area)
}

// key is by which the caller's requests are counted.
func (c *Caller) key() string {
	switch {
	case c.Token != "" && c.Token != StaticToken:
		return "token/" + c.Token
	case c.User != "":
		return "user/" + c.User
	default:
		return "address/" + c.Address
	}
}

type contextKey struct{}

// With returns a context in which From finds the caller.
func With(ctx context.Context, c *Caller) context.Context {
	return context.WithValue(ctx, contextKey{}, c)
}

// From returns who makes the request of a context; nobody if that is not known.
func From(ctx context.Context) *Caller {
	if c, ok := ctx.Value(contextKey{}).(*Caller); ok {
		return c
	}
	return &Caller{}
}

// Who is the name of who makes a request, empty where nobody is logged in.
func Who(ctx context.Context) string { return From(ctx).User }

// roleNamed is the role of a name in the configuration; unspecified if there is none.
func roleNamed(name string) accessv1.Role {
	if name == "unspecified" {
		return 0
	}
	return accessv1.Role(accessv1.Role_value["ROLE_"+strings.ToUpper(name)])
}

// roleName is a role as people call it.
func roleName(r accessv1.Role) string {
	return strings.ToLower(strings.TrimPrefix(r.String(), "ROLE_"))
}
