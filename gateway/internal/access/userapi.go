package access

import (
	"context"
	"crypto/rand"
	"slices"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	accessv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/access/v1"
)

const (
	// maxUsers bounds how many there may be.
	maxUsers = 10_000
	// maxDisplay bounds a display name, in bytes.
	maxDisplay = 200
)

// userServer answers UserService.
type userServer struct {
	accessv1.UnimplementedUserServiceServer
	*Access
}

func stampOf(t time.Time) *timestamppb.Timestamp { return timestamppb.New(t) }

// ListUsers returns all users, by name.
func (s userServer) ListUsers(context.Context, *accessv1.ListUsersRequest) (*accessv1.ListUsersResponse, error) {
	res := &accessv1.ListUsersResponse{}
	if s.store == nil {
		return res, nil
	}
	for _, u := range s.store.users.All() {
		res.Users = append(res.Users, s.shown(u))
	}
	slices.SortFunc(res.Users, func(x, y *accessv1.User) int { return strings.Compare(x.GetName(), y.GetName()) })
	return res, nil
}

func checkUser(u *accessv1.User) error {
	if err := checkName(u.GetName()); err != nil {
		return status.Errorf(codes.InvalidArgument, "user.name: %v", err)
	}
	switch u.GetRole() {
	case viewer, operator, admin:
	default:
		return status.Error(codes.InvalidArgument, "user.role is none of ROLE_VIEWER, ROLE_OPERATOR, ROLE_ADMIN")
	}
	if len(u.GetDisplayName()) > maxDisplay {
		return status.Errorf(codes.InvalidArgument, "user.display_name has more than %d bytes", maxDisplay)
	}
	return nil
}

// CreateUser adds a user.
func (s userServer) CreateUser(ctx context.Context, req *accessv1.CreateUserRequest) (*accessv1.CreateUserResponse, error) {
	recordOf(ctx).entry.Target = req.GetUser().GetName()
	if err := s.keeps(); err != nil {
		return nil, err
	}
	if err := checkUser(req.GetUser()); err != nil {
		return nil, err
	}
	if err := checkPassword(req.GetUser().GetName(), req.GetPassword()); err != nil {
		return nil, status.Errorf(codes.InvalidArgument, "password: %v", err)
	}
	hash, err := s.hashes.hash(ctx, req.GetPassword())
	if err != nil {
		return nil, err
	}
	s.change.Lock()
	defer s.change.Unlock()
	all := s.store.users.All()
	for name := range all {
		if strings.EqualFold(name, req.GetUser().GetName()) {
			return nil, status.Errorf(codes.AlreadyExists, "there is a user %q already", name)
		}
	}
	if len(all) == 0 && (req.GetUser().GetRole() != admin || req.GetUser().GetDisabled()) {
		return nil, status.Error(codes.FailedPrecondition, "the first user must be an administrator: from then on one has to log in")
	}
	if len(all) >= maxUsers {
		return nil, status.Errorf(codes.ResourceExhausted, "there are %d users already", maxUsers)
	}
	u := &accessv1.UserRecord{
		User: &accessv1.User{
			Name: req.GetUser().GetName(), DisplayName: req.GetUser().GetDisplayName(), Role: req.GetUser().GetRole(),
			Disabled: req.GetUser().GetDisabled(), CreatedAt: s.stamp(),
		},
		PasswordHash: hash, Id: rand.Text(), Generation: rand.Text(),
	}
	if err := kept("make the user", s.store.users.Put(ctx, u.GetUser().GetName(), u)); err != nil {
		return nil, err
	}
	return &accessv1.CreateUserResponse{User: s.shown(u)}, nil
}

// lastAdmin reports whether nobody but a name is an administrator who can log in.
func (a *Access) lastAdmin(name string) bool {
	for _, r := range a.store.users.All() {
		if u := r.GetUser(); u.GetName() != name && u.GetRole() == admin && !u.GetDisabled() {
			return false
		}
	}
	return true
}

func (a *Access) find(name string) (*accessv1.UserRecord, error) {
	u, ok := a.store.users.Get(name)
	if !ok {
		return nil, status.Errorf(codes.NotFound, "there is no user %q", name)
	}
	c, _ := proto.Clone(u).(*accessv1.UserRecord)
	return c, nil
}

// UpdateUser makes a user as the request says.
func (s userServer) UpdateUser(ctx context.Context, req *accessv1.UpdateUserRequest) (*accessv1.UpdateUserResponse, error) {
	want := req.GetUser()
	recordOf(ctx).entry.Target = want.GetName()
	if err := s.keeps(); err != nil {
		return nil, err
	}
	if err := checkUser(want); err != nil {
		return nil, err
	}
	hash := ""
	if req.GetPassword() != "" {
		if err := checkPassword(want.GetName(), req.GetPassword()); err != nil {
			return nil, status.Errorf(codes.InvalidArgument, "password: %v", err)
		}
		var err error
		if hash, err = s.hashes.hash(ctx, req.GetPassword()); err != nil {
			return nil, err
		}
	}
	s.change.Lock()
	defer s.change.Unlock()
	u, err := s.find(want.GetName())
	if err != nil {
		return nil, err
	}
	was := u.GetUser()
	if (want.GetRole() != admin || want.GetDisabled()) && was.GetRole() == admin && !was.GetDisabled() && s.lastAdmin(want.GetName()) {
		return nil, status.Errorf(codes.FailedPrecondition, "%q is the last administrator, and has to stay one", want.GetName())
	}
	if hash != "" {
		if was.GetExternal() {
			return nil, noPassword(want.GetName())
		}
		u.PasswordHash = hash
	}
	if hash != "" || (want.GetDisabled() && !was.GetDisabled()) {
		u.Generation = rand.Text() // the sessions that there are have ended
	}
	u.User.DisplayName, u.User.Role, u.User.Disabled = want.GetDisplayName(), want.GetRole(), want.GetDisabled()
	if err := kept("change the user", s.store.users.Put(ctx, want.GetName(), u)); err != nil {
		return nil, err
	}
	return &accessv1.UpdateUserResponse{User: s.shown(u)}, nil
}

func noPassword(name string) error {
	return status.Errorf(codes.FailedPrecondition, "%q logs in at the OpenID provider, and has no password here", name)
}

// setPassword changes a password and ends all sessions.
func (a *Access) setPassword(ctx context.Context, name, password string) (*accessv1.UserRecord, error) {
	hash, err := a.hashes.hash(ctx, password)
	if err != nil {
		return nil, err
	}
	a.change.Lock()
	defer a.change.Unlock()
	u, err := a.find(name)
	if err != nil {
		return nil, err
	}
	if u.GetUser().GetExternal() {
		return nil, noPassword(name)
	}
	u.PasswordHash, u.Generation = hash, rand.Text()
	return u, kept("change the password", a.store.users.Put(ctx, name, u))
}

// DeleteUser removes a user; his tokens and sessions end with him.
func (s userServer) DeleteUser(ctx context.Context, req *accessv1.DeleteUserRequest) (*accessv1.DeleteUserResponse, error) {
	if err := s.keeps(); err != nil {
		return nil, err
	}
	s.change.Lock()
	defer s.change.Unlock()
	name := req.GetName()
	if _, err := s.find(name); err != nil {
		return nil, err
	}
	if s.lastAdmin(name) {
		return nil, status.Errorf(codes.FailedPrecondition, "%q is the last administrator, and has to stay", name)
	}
	if err := kept("delete the user", s.store.users.Delete(ctx, name)); err != nil {
		return nil, err
	}
	// They are worthless already, for their owner is gone; the sweep takes what is left.
	for id, t := range s.store.tokens.All() {
		if t.GetToken().GetOwner() == name {
			if err := s.store.tokens.Delete(ctx, id); err != nil {
				s.log.Warn("a deleted user's token could not be deleted yet", "token", id, "error", err)
			}
		}
	}
	for key, x := range s.store.sessions.All() {
		if x.GetUser() == name {
			s.endSession(ctx, key)
		}
	}
	s.store.forget(ctx, "user/"+name)
	return &accessv1.DeleteUserResponse{}, nil
}
