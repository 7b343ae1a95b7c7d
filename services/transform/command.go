package transform

import (
	"net"
	"os"
	"runtime/debug"

	"github.com/spf13/cobra"
	"google.golang.org/grpc"

	"github.com/weirflow/weirflow/services/platform/lifecycle"
	"github.com/weirflow/weirflow/services/platform/ports"
	"github.com/weirflow/weirflow/services/platform/process"
	"github.com/weirflow/weirflow/services/platform/rpc"
	"github.com/weirflow/weirflow/services/platform/telemetry"

	"github.com/weirflow/weirflow/services/transform/sqlcli"
)

// gcPercent is how much garbage there may be beside what is in use. The state of jobs
// is large and has few pointers, so that to look through it more often costs little.
const gcPercent = 60

// Command is the service as a process of its own, with `sql` below it.
func Command() *cobra.Command {
	c := process.Command(process.Spec[Config]{
		Name: "transform", Short: "Run SQL jobs", AdminListen: ports.Loopback(ports.TransformAdmin),
		Default: DefaultConfig(), Build: Parts, Instance: instance,
	})
	c.AddCommand(sqlcli.Command())
	c.PreRun = func(*cobra.Command, []string) {
		if os.Getenv("GOGC") == "" {
			debug.SetGCPercent(gcPercent)
		}
	}
	return c
}

// Parts makes the service and its port.
func Parts(cfg Config, e process.Env) ([]lifecycle.Part, error) {
	s, err := New(cfg, Deps{Logger: e.Telemetry.Logger.With("component", "transform"), Meters: e.Telemetry.Meters,
		Board: e.Board, Book: e.Book, Instance: e.Instance, Dial: Dialer(cfg.RPC, e.Telemetry), Registry: e.Telemetry.Registry()})
	if err != nil {
		return nil, err
	}
	g, err := rpc.NewServer(cfg.RPC, e.Telemetry)
	if err != nil {
		return nil, err
	}
	s.Register(g.Server)
	s.At(g.Addr())
	return []lifecycle.Part{{Name: "transform", Runner: s}, {Name: "transform gRPC", Runner: g}}, nil
}

// Dialer connects instances to one another: the port of each asks of the others what
// it asks of the gateway.
func Dialer(own rpc.ServerConfig, t *telemetry.Telemetry) func(address string) (*grpc.ClientConn, error) {
	return func(address string) (*grpc.ClientConn, error) {
		return rpc.Dial(rpc.ClientConfig{Address: address, TLS: own.TLS, Token: own.Token}, t)
	}
}

// instance is the name of a process: the configured one, or its host and port.
func instance(cfg Config) string {
	if cfg.Instance != "" {
		return cfg.Instance
	}
	host, err := os.Hostname()
	_, port, err2 := net.SplitHostPort(cfg.RPC.Listen)
	if name := host + "-" + port; err == nil && err2 == nil && port != "0" && instanceName.MatchString(name) {
		return name
	}
	return process.Instance()
}
