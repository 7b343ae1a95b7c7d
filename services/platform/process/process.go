// Package process makes a command of a service: configuration, telemetry, admin
// port, signals. The same command is the whole of a service's own binary and a
// subcommand of the all-in-one.
package process

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/weirflow/weirflow/services/platform/admin"
	"github.com/weirflow/weirflow/services/platform/config"
	"github.com/weirflow/weirflow/services/platform/ledger"
	"github.com/weirflow/weirflow/services/platform/lifecycle"
	"github.com/weirflow/weirflow/services/platform/status"
	"github.com/weirflow/weirflow/services/platform/telemetry"
	"github.com/weirflow/weirflow/services/platform/version"
)

// Env is what a service's process has for the service.
type Env struct {
	Telemetry *telemetry.Telemetry
	Board     *status.Board
	Book      *ledger.Book
	// Instance names this process among others of its service.
	Instance string
}

// NewEnv makes the environment of a service inside a process.
func NewEnv(service, instance string, t *telemetry.Telemetry) (Env, error) {
	b, err := ledger.NewBook(service, instance, t.Meters)
	if err != nil {
		return Env{}, err
	}
	return Env{Telemetry: t, Board: status.New(service, instance), Book: b, Instance: instance}, nil
}

// Instance makes a name for this process: the host and something that no other has.
func Instance() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return host + "-" + uuid.NewString()[:8]
}

// File is the configuration file of a service's own process.
type File[C any] struct {
	Telemetry telemetry.Config `yaml:"telemetry"`
	Admin     admin.Config     `yaml:"admin"`
	Service   C                `yaml:",inline"`
}

// Validate joins what is wrong in each part.
func (f *File[C]) Validate() error {
	err := f.Telemetry.Validate()
	if v, ok := any(f.Service).(config.Validator); ok {
		err = errors.Join(err, v.Validate())
	}
	return err
}

// Spec describes a service to Command.
type Spec[C any] struct {
	// Name is the service's name, such as ingest.
	Name  string
	Short string
	// AdminListen is the default address of its admin port.
	AdminListen string
	Default     C
	// Build makes the parts that are run, in their order.
	Build func(cfg C, e Env) ([]lifecycle.Part, error)
	// Instance names the process; nil for a name that no other has.
	Instance func(cfg C) string
}

// Command makes the command that runs a service until a signal ends it.
func Command[C any](s Spec[C]) *cobra.Command {
	def := File[C]{Telemetry: telemetry.DefaultConfig(), Admin: admin.Config{Listen: s.AdminListen}, Service: s.Default}
	var files []string
	var verify bool
	cmd := &cobra.Command{
		Use: s.Name, Short: s.Short, Args: cobra.NoArgs, Version: version.String(),
		SilenceUsage: true, SilenceErrors: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg := def
			if err := config.Load(&cfg, config.Sources{Files: files, Environ: os.Environ(), Flags: cmd.Flags()}); err != nil {
				return err
			}
			if verify {
				return nil
			}
			return run(cmd.Context(), s, cfg, def, cmd.ErrOrStderr())
		},
	}
	cmd.Flags().StringSliceVar(&files, "config", nil, "YAML configuration file; later ones win over earlier ones")
	cmd.Flags().BoolVar(&verify, "config.verify", false, "check the configuration and exit")
	config.AddFlags(cmd.Flags(), def)
	return cmd
}

func run[C any](ctx context.Context, s Spec[C], cfg, def File[C], logs io.Writer) error {
	t, err := telemetry.New(ctx, s.Name, cfg.Telemetry, logs)
	if err != nil {
		return err
	}
	defer func() {
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
		defer cancel()
		if err := t.Close(end); err != nil {
			t.Logger.Warn("telemetry was not all sent", "error", err)
		}
	}()
	name := Instance()
	if s.Instance != nil {
		name = s.Instance(cfg.Service)
	}
	e, err := NewEnv(s.Name, name, t)
	if err != nil {
		return err
	}
	a, err := admin.New(ctx, cfg.Admin, admin.Deps{Logger: t.Logger, Metrics: t.Handler(), Boards: []*status.Board{e.Board}, Config: cfg, Defaults: def})
	if err != nil {
		return err
	}
	parts, err := s.Build(cfg.Service, e)
	if err != nil {
		return err
	}
	g := lifecycle.New(t.Logger)
	g.Add(lifecycle.Part{Name: "admin port", Runner: a})
	for _, p := range parts {
		g.Add(p)
	}
	t.Logger.Info("starting", "version", version.String(), "instance", e.Instance, "admin", a.Addr())
	err = g.Run(ctx)
	t.Logger.Info("stopped")
	return err
}

// Main runs a command until it ends or a signal comes, and returns the exit code.
func Main(cmd *cobra.Command) int {
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	if err := cmd.ExecuteContext(ctx); err != nil {
		fmt.Fprintln(os.Stderr, cmd.Name()+": "+err.Error())
		return 1
	}
	return 0
}
