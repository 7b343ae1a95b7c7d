package access

import (
	"context"
	"errors"
	"net/http"
	"strconv"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	accessv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/access/v1"
	"github.com/weirflow/weirflow/services/platform/version"
)

// sessionServer answers SessionService. Its calls must come by HTTP: they set cookies.
type sessionServer struct {
	accessv1.UnimplementedSessionServiceServer
	*Access
}

// shown is a user as the API shows him.
func (a *Access) shown(u *accessv1.UserRecord) *accessv1.User {
	c, _ := proto.Clone(u.GetUser()).(*accessv1.User)
	if at := a.store.lastUse("user/" + c.GetName()); !at.IsZero() {
		c.LastLoginAt = stampOf(at)
	}
	return c
}

// GetSession says who asks and what he may do.
func (s sessionServer) GetSession(ctx context.Context, _ *accessv1.GetSessionRequest) (*accessv1.GetSessionResponse, error) {
	c := From(ctx)
	res := &accessv1.GetSessionResponse{Open: c.Open, Environment: s.cfg.Environment, Version: version.String()}
	if s.oidc != nil {
		res.OidcName = s.cfg.OIDC.Name
	}
	if c.session != "" {
		res.CsrfToken = csrfToken(c.session)
	}
	switch {
	case c.User != "":
		u, ok := s.store.users.Get(c.User)
		if !ok {
			return nil, status.Error(codes.Unauthenticated, "the user is not there any more")
		}
		res.User = s.shown(u)
		res.User.Role = c.Role // a token may do less than its owner
	case c.Token == StaticToken:
		res.User = &accessv1.User{Name: StaticToken, Role: admin}
	}
	return res, nil
}

// CreateSession logs in with name and password.
func (s sessionServer) CreateSession(ctx context.Context, req *accessv1.CreateSessionRequest) (*accessv1.CreateSessionResponse, error) {
	rec := recordOf(ctx)
	rec.entry.Target = req.GetName()
	v, ok := visitOf(ctx)
	if !ok {
		return nil, status.Error(codes.Unimplemented, "sessions are for browsers: use Authorization")
	}
	if err := s.keeps(); err != nil {
		return nil, err
	}
	u, err := s.byPassword(ctx, req.GetName(), req.GetPassword(), From(ctx).Address)
	if err != nil {
		if wait, ok := errors.AsType[*tooMany](err); ok {
			v.w.Header().Set("Retry-After", strconv.Itoa(wait.seconds()))
		}
		return nil, err
	}
	session, err := s.logIn(ctx, v.w, u)
	if err != nil {
		return nil, err
	}
	return &accessv1.CreateSessionResponse{User: s.shown(u), CsrfToken: csrfToken(session)}, nil
}

// logIn begins a session, in the place of the one that there was, and sets its cookie.
func (a *Access) logIn(ctx context.Context, w http.ResponseWriter, u *accessv1.UserRecord) (string, error) {
	c := From(ctx)
	session, err := a.beginSession(ctx, u, c.Address)
	if err != nil {
		return "", err
	}
	if c.session != "" {
		a.endSession(ctx, sessionKey(c.session))
	}
	recordOf(ctx).entry.User = u.GetUser().GetName()
	http.SetCookie(w, a.cookie(session))
	return session, nil
}

// DeleteSession logs out; where nobody is logged in there is nothing to do.
func (s sessionServer) DeleteSession(ctx context.Context, _ *accessv1.DeleteSessionRequest) (*accessv1.DeleteSessionResponse, error) {
	v, ok := visitOf(ctx)
	if !ok {
		return nil, status.Error(codes.Unimplemented, "sessions are for browsers: use Authorization")
	}
	if c := From(ctx); c.session != "" {
		if err := kept("log out", s.store.sessions.Delete(ctx, sessionKey(c.session))); err != nil {
			return nil, err
		}
		s.store.forget(ctx, "session/"+sessionKey(c.session))
	}
	http.SetCookie(v.w, s.cookie(""))
	return &accessv1.DeleteSessionResponse{}, nil
}

// ChangePassword changes the caller's own password and ends all his sessions; the one
// in which he did it goes on as a new one.
func (s sessionServer) ChangePassword(ctx context.Context, req *accessv1.ChangePasswordRequest) (*accessv1.ChangePasswordResponse, error) {
	c := From(ctx)
	if !c.person() {
		return nil, status.Error(codes.PermissionDenied, "only who has logged in with his password can change it")
	}
	if err := checkPassword(c.User, req.GetNewPassword()); err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	if _, err := s.byPassword(ctx, c.User, req.GetOldPassword(), c.Address); err != nil {
		if status.Code(err) == codes.Unauthenticated {
			return nil, status.Error(codes.PermissionDenied, "the old password is wrong")
		}
		return nil, err
	}
	u, err := s.setPassword(ctx, c.User, req.GetNewPassword())
	if err != nil {
		return nil, err
	}
	if v, ok := visitOf(ctx); ok && c.session != "" {
		if _, err := s.logIn(ctx, v.w, u); err != nil {
			return nil, err
		}
	}
	return &accessv1.ChangePasswordResponse{}, nil
}
