package gateway

import (
	"github.com/spf13/cobra"
	"google.golang.org/grpc"

	"github.com/weirflow/weirflow/services/platform/lifecycle"
	"github.com/weirflow/weirflow/services/platform/ports"
	"github.com/weirflow/weirflow/services/platform/process"
	"github.com/weirflow/weirflow/services/platform/rpc"
)

// Command is the gateway as a process of its own.
func Command() *cobra.Command {
	return process.Command(process.Spec[Config]{
		Name: "gateway", Short: "Serve the HTTP API", AdminListen: ports.Loopback(ports.GatewayAdmin),
		Default: DefaultConfig(), Build: Parts,
	})
}

// Parts makes the gateway with connections to the services that are configured.
func Parts(cfg Config, e process.Env) ([]lifecycle.Part, error) {
	backends := map[string]grpc.ClientConnInterface{}
	for name, c := range map[string]rpc.ClientConfig{"ingest": cfg.Ingest, "transform": cfg.Transform, "indexer": cfg.Indexer, "agent": cfg.Agent, "alerting": cfg.Alerting} {
		if c.Address == "" {
			continue
		}
		conn, err := rpc.Dial(c, e.Telemetry)
		if err != nil {
			return nil, err
		}
		backends[name] = conn
	}
	return PartsWith(cfg, e, backends)
}

// PartsWith makes the gateway with connections that there are already.
func PartsWith(cfg Config, e process.Env, backends map[string]grpc.ClientConnInterface) ([]lifecycle.Part, error) {
	s, err := New(cfg, Deps{
		Logger: e.Telemetry.Logger.With("component", "gateway"), Meters: e.Telemetry.Meters, Tracers: e.Telemetry.Tracers,
		Propagator: e.Telemetry.Propagator, Board: e.Board, Backends: backends,
	})
	if err != nil {
		return nil, err
	}
	return []lifecycle.Part{{Name: "gateway", Runner: s}}, nil
}
