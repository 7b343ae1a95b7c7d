package cli

import (
	"google.golang.org/grpc"

	"github.com/weirflow/weirflow/services/platform/rpc"
	"github.com/weirflow/weirflow/services/platform/telemetry"
)

// dialer connects with the process's telemetry.
func dialer(t *telemetry.Telemetry) func(rpc.ClientConfig) (*grpc.ClientConn, error) {
	return func(c rpc.ClientConfig) (*grpc.ClientConn, error) { return rpc.Dial(c, t) }
}
