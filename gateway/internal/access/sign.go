package access

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	alertv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/alert/v1"
)

// Signed is a connection whose calls say truly who makes them: fields such as by get
// the name of who is logged in, and another name in them is refused.
func Signed(conn grpc.ClientConnInterface) grpc.ClientConnInterface { return signed{conn} }

type signed struct{ grpc.ClientConnInterface }

// Invoke signs a call and makes it.
func (s signed) Invoke(ctx context.Context, method string, args, reply any, opts ...grpc.CallOption) error {
	if err := sign(From(ctx).User, args); err != nil {
		return err
	}
	return s.ClientConnInterface.Invoke(ctx, method, args, reply, opts...)
}

// sign writes a name into a request.
func sign(name string, req any) error {
	var field *string
	switch r := req.(type) {
	case *alertv1.AcknowledgeAlertRequest:
		field = &r.By
	case *alertv1.CommentAlertRequest:
		field = &r.By
	case *alertv1.CreateSilenceRequest:
		if r.GetSilence() != nil {
			field = &r.Silence.CreatedBy
		}
	}
	if name == "" || field == nil {
		return nil
	}
	if *field != "" && *field != name {
		return status.Errorf(codes.PermissionDenied, "you are %q and can't sign as %q", name, *field)
	}
	*field = name
	return nil
}
