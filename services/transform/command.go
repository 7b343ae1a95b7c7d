package transform

import (
	"github.com/spf13/cobra"

	"github.com/weirflow/weirflow/services/platform/lifecycle"
	"github.com/weirflow/weirflow/services/platform/ports"
	"github.com/weirflow/weirflow/services/platform/process"
	"github.com/weirflow/weirflow/services/platform/rpc"

	"github.com/weirflow/weirflow/services/transform/sqlcli"
)

// Command is the service as a process of its own, with `sql` below it.
func Command() *cobra.Command {
	c := process.Command(process.Spec[Config]{
		Name: "transform", Short: "Run SQL jobs", AdminListen: ports.Loopback(ports.TransformAdmin),
		Default: DefaultConfig(), Build: Parts,
	})
	c.AddCommand(sqlcli.Command())
	return c
}

// Parts makes the service and its port.
func Parts(cfg Config, e process.Env) ([]lifecycle.Part, error) {
	s, err := New(cfg, Deps{Logger: e.Telemetry.Logger.With("component", "transform"), Meters: e.Telemetry.Meters,
		Board: e.Board, Book: e.Book, Instance: e.Instance})
	if err != nil {
		return nil, err
	}
	g, err := rpc.NewServer(cfg.RPC, e.Telemetry)
	if err != nil {
		return nil, err
	}
	s.Register(g.Server)
	return []lifecycle.Part{{Name: "transform", Runner: s}, {Name: "transform gRPC", Runner: g}}, nil
}
