package alerting

import (
	"os"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/weirflow/weirflow/services/platform/lifecycle"
	"github.com/weirflow/weirflow/services/platform/ports"
	"github.com/weirflow/weirflow/services/platform/process"
	"github.com/weirflow/weirflow/services/platform/rpc"
)

// gcPercent is how much garbage there may be beside what is in use. Most of that are
// series, which change little: to look through them more often costs less than memory.
const gcPercent = 40

// Command is the service as a process of its own.
func Command() *cobra.Command {
	c := process.Command(process.Spec[Config]{
		Name: "alerting", Short: "Keep metrics, evaluate policies and tell people", AdminListen: ports.Loopback(ports.AlertingAdmin),
		Default: DefaultConfig(), Build: Parts,
	})
	c.PreRun = func(*cobra.Command, []string) {
		if os.Getenv("GOGC") == "" {
			debug.SetGCPercent(gcPercent)
		}
	}
	return c
}

// Parts makes the service and its ports.
func Parts(cfg Config, e process.Env) ([]lifecycle.Part, error) {
	d := Deps{Logger: e.Telemetry.Logger.With("component", "alerting"), Registry: e.Telemetry.Registry(), Board: e.Board, Book: e.Book}
	if cfg.Transform.Address != "" {
		jobs, err := rpc.Dial(cfg.Transform, e.Telemetry)
		if err != nil {
			return nil, err
		}
		d.Jobs = jobs
	}
	s, err := New(cfg, d)
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
