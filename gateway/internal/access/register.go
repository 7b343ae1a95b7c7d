package access

import (
	"context"
	"errors"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/grpc"

	accessgw "github.com/weirflow/weirflow/gateway/gen/weirflow/access/v1"
	accessv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/access/v1"
)

// Handle adds the calls about sessions, users, tokens and the audit log to a REST router.
func (a *Access) Handle(ctx context.Context, mux *runtime.ServeMux, log accessv1.AuditServiceServer) error {
	return errors.Join(
		accessgw.RegisterSessionServiceHandlerServer(ctx, mux, sessionServer{Access: a}),
		accessgw.RegisterUserServiceHandlerServer(ctx, mux, userServer{Access: a}),
		accessgw.RegisterTokenServiceHandlerServer(ctx, mux, tokenServer{Access: a}),
		accessgw.RegisterAuditServiceHandlerServer(ctx, mux, log),
	)
}

// Register adds the same, but for sessions, which are for browsers, to a gRPC server.
func (a *Access) Register(g grpc.ServiceRegistrar, log accessv1.AuditServiceServer) {
	accessv1.RegisterUserServiceServer(g, userServer{Access: a})
	accessv1.RegisterTokenServiceServer(g, tokenServer{Access: a})
	accessv1.RegisterAuditServiceServer(g, log)
}
