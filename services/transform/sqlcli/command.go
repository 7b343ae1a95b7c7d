package sqlcli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
)

// flags are what the command line says.
type flags struct {
	file, init, output string
	execute, set       []string
	limit              int
	timeout            time.Duration
}

// Command returns `sql`.
func Command() *cobra.Command {
	var f flags
	c := &cobra.Command{
		Use:   "sql [STATEMENT…]",
		Short: "Run SQL statements and print the rows of each SELECT",
		Long: "Run the statements of a file, of the command line or of standard input; at a terminal, ask for them.\n" +
			"Bounded inputs end by themselves; unbounded ones run until they are interrupted.\n" +
			"The exit code is 0, or 1 when a statement or a value is wrong: nothing is run after that.",
		Args:         cobra.ArbitraryArgs,
		SilenceUsage: true, SilenceErrors: true,
		RunE: f.run,
	}
	c.Flags().StringVarP(&f.file, "file", "f", "", "file of statements; - for standard input")
	c.Flags().StringArrayVarP(&f.execute, "execute", "e", nil, "run this statement; may be given again")
	c.Flags().StringVarP(&f.init, "init", "i", "", "file of statements to run before all others, such as CREATE TABLE")
	c.Flags().StringVarP(&f.output, "output", "o", "table", "how rows are printed: table, ndjson or csv")
	c.Flags().StringArrayVar(&f.set, "set", nil, "a setting, as KEY=VALUE; may be given again")
	c.Flags().IntVar(&f.limit, "limit", 0, "end each query after so many rows")
	c.Flags().DurationVar(&f.timeout, "timeout", 0, "end each query after so long, such as 10s")
	c.AddCommand(testCommand())
	return c
}

func (f *flags) run(cmd *cobra.Command, args []string) error {
	config, err := settings(f.set)
	if err != nil {
		return err
	}
	if f.limit < 0 || f.timeout < 0 {
		return errors.New("--limit and --timeout must not be negative")
	}
	o := Options{Output: f.output, Settings: config, Limit: f.limit, Timeout: f.timeout, Stdout: cmd.OutOrStdout(), Stderr: cmd.ErrOrStderr(),
		Width:  columnsOf(cmd.OutOrStdout()),
		Logger: slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), &slog.HandlerOptions{Level: slog.LevelWarn}))}
	if f.init != "" {
		text, err := os.ReadFile(f.init)
		if err != nil {
			return err
		}
		o.Init = string(text)
	}
	if f.file == "" && len(f.execute)+len(args) == 0 && terminal(cmd.InOrStdin()) && terminal(cmd.OutOrStdout()) {
		if err := checkOutput(o.Output); err != nil {
			return err
		}
		signal.Reset(os.Interrupt, syscall.SIGTERM) // Ctrl-C ends a statement, not the session
		return Interact(context.WithoutCancel(cmd.Context()), o)
	}
	if o.Script, err = f.script(args, cmd.InOrStdin()); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return Execute(ctx, o)
}

func settings(pairs []string) (map[string]string, error) {
	m := make(map[string]string)
	for _, p := range pairs {
		k, v, ok := strings.Cut(p, "=")
		if !ok {
			return nil, fmt.Errorf("--set %q: must be KEY=VALUE", p)
		}
		m[strings.TrimSpace(k)] = strings.TrimSpace(v)
	}
	return m, nil
}

// script returns the statements to run.
func (f *flags) script(args []string, stdin io.Reader) (string, error) {
	given := 0
	for _, b := range []bool{f.file != "", len(f.execute) > 0, len(args) > 0} {
		if b {
			given++
		}
	}
	switch {
	case given > 1:
		return "", errors.New("give one of --file, --execute and statements")
	case len(f.execute) > 0:
		return strings.Join(f.execute, "\n;\n"), nil
	case len(args) > 0:
		return strings.Join(args, " "), nil
	case f.file == "" || f.file == "-":
		b, err := io.ReadAll(stdin)
		return string(b), err
	default:
		b, err := os.ReadFile(f.file)
		return string(b), err
	}
}
