package access

import (
	"context"
	"crypto/sha256"
	"slices"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	accessv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/access/v1"
)

const (
	defaultDays = 90
	maxDays     = 365
	// maxTokens bounds how many one user may have.
	maxTokens    = 100
	maxTokenName = 200
)

// tokenServer answers TokenService.
type tokenServer struct {
	accessv1.UnimplementedTokenServiceServer
	*Access
}

// sees reports whether a caller may see, and delete, a token.
func (c *Caller) sees(t *accessv1.TokenRecord) bool {
	return c.Role == admin || (c.User != "" && t.GetToken().GetOwner() == c.User)
}

// ListTokens returns the caller's tokens, or all for an administrator, the newest first.
func (s tokenServer) ListTokens(ctx context.Context, _ *accessv1.ListTokensRequest) (*accessv1.ListTokensResponse, error) {
	res := &accessv1.ListTokensResponse{}
	if s.store == nil {
		return res, nil
	}
	for id, r := range s.store.tokens.All() {
		if !From(ctx).sees(r) {
			continue
		}
		t, _ := proto.Clone(r.GetToken()).(*accessv1.Token)
		if at := s.store.lastUse("token/" + id); !at.IsZero() {
			t.LastUsedAt = stampOf(at)
		}
		res.Tokens = append(res.Tokens, t)
	}
	slices.SortFunc(res.Tokens, func(x, y *accessv1.Token) int {
		if c := y.GetCreatedAt().AsTime().Compare(x.GetCreatedAt().AsTime()); c != 0 {
			return c
		}
		return strings.Compare(x.GetId(), y.GetId())
	})
	return res, nil
}

// CreateToken makes a token of the caller's.
func (s tokenServer) CreateToken(ctx context.Context, req *accessv1.CreateTokenRequest) (*accessv1.CreateTokenResponse, error) {
	if err := s.keeps(); err != nil {
		return nil, err
	}
	c := From(ctx)
	switch {
	case c.User == "":
		return nil, status.Error(codes.FailedPrecondition, "a token belongs to a user: make a user, and log in as him")
	case c.Token != "":
		return nil, status.Error(codes.PermissionDenied, "a token can't make tokens, for it would outlive itself: log in with name and password")
	}
	t, err := s.asked(c, req)
	if err != nil {
		return nil, err
	}
	s.change.Lock()
	defer s.change.Unlock()
	owner, err := s.find(c.User)
	if err != nil {
		return nil, err
	}
	own := 0
	for _, r := range s.store.tokens.All() {
		if r.GetToken().GetOwner() == c.User {
			own++
		}
	}
	if own >= maxTokens {
		return nil, status.Errorf(codes.ResourceExhausted, "you have %d tokens already: delete some", own)
	}
	id, secret := newToken()
	t.Id = id
	sum := sha256.Sum256([]byte(secret))
	if err := kept("make the token", s.store.tokens.Put(ctx, id, &accessv1.TokenRecord{Token: t, Hash: sum[:], OwnerId: owner.GetId()})); err != nil {
		return nil, err
	}
	return &accessv1.CreateTokenResponse{Token: t, Secret: secret}, nil
}

// asked is the token that a request wants, if the caller may have it.
func (s tokenServer) asked(c *Caller, req *accessv1.CreateTokenRequest) (*accessv1.Token, error) {
	name, days, role := strings.TrimSpace(req.GetName()), req.GetLifetimeDays(), req.GetRole()
	if days == 0 {
		days = defaultDays
	}
	if role == anybody {
		role = c.Role
	}
	switch {
	case name == "" || len(name) > maxTokenName:
		return nil, status.Errorf(codes.InvalidArgument, "name says what the token is for, in 1 to %d bytes", maxTokenName)
	case days < 1 || days > maxDays:
		return nil, status.Errorf(codes.InvalidArgument, "lifetime_days must be 1 to %d", maxDays)
	case role != viewer && role != operator && role != admin:
		return nil, status.Error(codes.InvalidArgument, "role is none of ROLE_VIEWER, ROLE_OPERATOR, ROLE_ADMIN")
	case role > c.Role:
		return nil, status.Errorf(codes.PermissionDenied, "your role is %s, so the token can't be %s", roleName(c.Role), roleName(role))
	}
	there := s.Scopes()
	for _, scope := range req.GetScopes() {
		if !slices.Contains(there, scope) {
			return nil, status.Errorf(codes.InvalidArgument, "%q is no scope; there are %s", scope, strings.Join(there, ", "))
		}
	}
	scopes := slices.Compact(slices.Sorted(slices.Values(req.GetScopes())))
	return &accessv1.Token{
		Name: name, Owner: c.User, Role: role, Scopes: scopes, CreatedAt: s.stamp(),
		ExpiresAt: stampOf(s.d.Now().Add(time.Duration(days) * 24 * time.Hour)),
	}, nil
}

// DeleteToken makes a token worthless at once.
func (s tokenServer) DeleteToken(ctx context.Context, req *accessv1.DeleteTokenRequest) (*accessv1.DeleteTokenResponse, error) {
	if err := s.keeps(); err != nil {
		return nil, err
	}
	r, ok := s.store.tokens.Get(req.GetId())
	if !ok || !From(ctx).sees(r) { // whose tokens there are is nobody else's business
		return nil, status.Errorf(codes.NotFound, "there is no token %q of yours", req.GetId())
	}
	if err := kept("delete the token", s.store.tokens.Delete(ctx, req.GetId())); err != nil {
		return nil, err
	}
	s.store.forget(ctx, "token/"+req.GetId())
	return &accessv1.DeleteTokenResponse{}, nil
}
