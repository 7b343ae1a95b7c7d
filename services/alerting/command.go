package alerting

import (
	"github.com/spf13/cobra"

	"github.com/weirflow/weirflow/services/platform/lifecycle"
	"github.com/weirflow/weirflow/services/platform/ports"
	"github.com/weirflow/weirflow/services/platform/process"
	"github.com/weirflow/weirflow/services/platform/rpc"
)

// Command is the service as a process of its own.
func Command() *cobra.Command {
	return process.Command(process.Spec[Config]{
		Name: "alerting", Short: "Keep metrics, evaluate policies and tell people", AdminListen: ports.Loopback(ports.AlertingAdmin),
		Default: DefaultConfig(), Build: Parts,
	})
}

// Parts makes the service and its ports.
func Parts(cfg Config, e process.Env) ([]lifecycle.Part, error) {
	s, err := New(cfg, Deps{Logger: e.Telemetry.Logger.With("component", "alerting"), Registry: e.Telemetry.Registry(), Board: e.Board, Book: e.Book})
	if err != nil {
		return nil, err
	}
	g, err := rpc.NewServer(cfg.RPC, e.Telemetry)
	if err != nil {
		return nil, err
	}
	s.Register(g.Server)
	return []lifecycle.Part{{Name: "alerting", Runner: s}, {Name: "alerting gRPC", Runner: g}}, nil
}
