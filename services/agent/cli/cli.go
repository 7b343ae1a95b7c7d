// Package cli is the agent's command line, with Filebeat's flags.
package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"time"

	"github.com/spf13/cobra"

	"github.com/weirflow/weirflow/services/agent"
	"github.com/weirflow/weirflow/services/platform/admin"
	"github.com/weirflow/weirflow/services/platform/ports"
	"github.com/weirflow/weirflow/services/platform/process"
	"github.com/weirflow/weirflow/services/platform/status"
	"github.com/weirflow/weirflow/services/platform/telemetry"
	"github.com/weirflow/weirflow/services/platform/version"
)

// gcPercent has the collector run twice as often as by default: the agent makes
// little garbage, and should take little memory beside what it watches.
const gcPercent = 50

// flags are those of the command line.
type flags struct {
	files     []string
	overrides []string
	stderr    bool
	debug     []string
	verbose   bool
	logFormat string
	admin     string
	cfg       agent.Config
}

// Command is `agent`: it runs the agent, and has subcommands.
func Command() *cobra.Command {
	f := &flags{cfg: agent.DefaultConfig()}
	cmd := &cobra.Command{
		Use: "agent", Short: "Read log files as a Filebeat configuration says, and ship their lines", Args: cobra.NoArgs,
		Version: version.String(), SilenceUsage: true, SilenceErrors: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return f.run(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr(), cmd.Flags().Changed("admin.listen"))
		},
	}
	p := cmd.PersistentFlags()
	p.StringArrayVarP(&f.files, "c", "c", nil, "configuration `file`; may be given several times (default filebeat.yml)")
	p.StringArrayVarP(&f.overrides, "E", "E", nil, "setting `key=value`, laid over the file")
	p.BoolVarP(&f.stderr, "e", "e", false, "log to standard error, which is what the agent always does")
	p.StringArrayVarP(&f.debug, "d", "d", nil, "log debug messages (`selectors` are taken and not told apart)")
	p.BoolVarP(&f.verbose, "v", "v", false, "log at level info, which is the default")
	p.StringVar(&f.logFormat, "log-format", "text", "`form` of the log: text or json")
	p.StringVar(&f.admin, "admin.listen", ports.Loopback(ports.AgentAdmin), "`address` of /metrics, /ready, /live; empty for none")
	p.StringVar(&f.cfg.PathHome, "path.home", "", "`folder` that other paths are relative to (default: the working directory)")
	p.StringVar(&f.cfg.PathConfig, "path.config", "", "`folder` of configuration files")
	p.StringVar(&f.cfg.PathData, "path.data", "", "`folder` of registry and identity (default ${path.home}/data)")
	p.StringVar(&f.cfg.PathLogs, "path.logs", "", "taken for Filebeat's sake")
	p.BoolVar(&f.cfg.StrictPerms, "strict.perms", true, "refuse configuration files that others may write")
	p.BoolVar(&f.cfg.Once, "once", false, "read everything, wait until it is acknowledged, and end")
	cmd.AddCommand(f.test(), f.export(), versionCommand())
	return cmd
}

// config is what the command line asks for.
func (f *flags) config() agent.Config {
	cfg := f.cfg
	if len(f.files) > 0 {
		cfg.Files = f.files
	}
	cfg.Overrides = f.overrides
	return cfg
}

func (f *flags) run(ctx context.Context, stdout, stderr io.Writer, adminWanted bool) error {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	level := "info"
	if len(f.debug) > 0 {
		level = "debug"
	}
	t, err := telemetry.New(ctx, "agent", telemetry.Config{LogLevel: level, LogFormat: f.logFormat}, stderr)
	if err != nil {
		return err
	}
	defer func() {
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		if err := t.Close(end); err != nil {
			t.Logger.Debug("close telemetry", "error", err)
		}
	}()
	e, err := process.NewEnv("agent", process.Instance(), t)
	if err != nil {
		return err
	}
	s, err := agent.New(f.config(), agent.Deps{Logger: t.Logger, Meters: t.Meters, Board: e.Board, Book: e.Book, Stdout: stdout, Dial: dialer(t)})
	if err != nil {
		return err
	}
	stop, err := f.serveAdmin(ctx, t, e, adminWanted)
	if err != nil {
		return err
	}
	defer stop()
	return s.Run(ctx)
}

// serveAdmin opens the admin port. Without one that was asked for the agent does
// not start; the default one may belong to another agent.
func (f *flags) serveAdmin(ctx context.Context, t *telemetry.Telemetry, e process.Env, wanted bool) (stop func(), err error) {
	a, err := admin.New(ctx, admin.Config{Listen: f.admin}, admin.Deps{
		Logger: t.Logger, Metrics: t.Handler(), Boards: []*status.Board{e.Board}, Config: struct{ Files []string }{f.config().Files}, Defaults: struct{ Files []string }{agent.DefaultConfig().Files},
	})
	if err != nil && !wanted {
		t.Logger.Warn("no admin port; name another with --admin.listen", "error", err)
		return func() {}, nil
	}
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := a.Run(ctx); err != nil {
			t.Logger.Warn("the admin port has closed", "error", err)
		}
	}()
	return func() { cancel(); <-done }, nil
}

func (f *flags) test() *cobra.Command {
	cmd := &cobra.Command{Use: "test", Short: "Test the configuration"}
	cmd.AddCommand(&cobra.Command{
		Use: "config", Short: "Check the configuration, inputs and processors included", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := agent.Check(f.config()); err != nil {
				return err
			}
			_, err := fmt.Fprintln(cmd.OutOrStdout(), "Config OK")
			return err
		},
	})
	return cmd
}

func (f *flags) export() *cobra.Command {
	cmd := &cobra.Command{Use: "export", Short: "Show what the configuration comes to"}
	cmd.AddCommand(&cobra.Command{
		Use: "config", Short: "Print the configuration as it is used, secrets masked", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			text, err := agent.Export(f.config())
			if err != nil {
				return err
			}
			_, err = cmd.OutOrStdout().Write(text)
			return err
		},
	})
	return cmd
}

func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print the version", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "weirflow-agent version %s, events as of filebeat %s\n", version.String(), agent.Compatible)
			return err
		},
	}
}
