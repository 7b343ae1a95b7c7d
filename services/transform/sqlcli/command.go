package sqlcli

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
)

// Command returns `sql`.
func Command() *cobra.Command {
	var file, output string
	var set []string
	c := &cobra.Command{
		Use:   "sql [STATEMENT…]",
		Short: "Run SQL statements and print the rows of each SELECT",
		Long: "Run the statements of a file, of the command line or of standard input. Bounded inputs end by\n" +
			"themselves; unbounded ones run until they are interrupted.",
		SilenceUsage: true, SilenceErrors: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			text, err := readScript(file, args, cmd.InOrStdin())
			if err != nil {
				return err
			}
			ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			config, err := settings(set)
			if err != nil {
				return err
			}
			o := Options{Script: text, Output: output, Settings: config, Stdout: cmd.OutOrStdout(), Stderr: cmd.ErrOrStderr(),
				Logger: slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), &slog.HandlerOptions{Level: slog.LevelWarn}))}
			return Execute(ctx, o)
		},
	}
	c.Flags().StringVarP(&file, "file", "f", "", "file of statements; - for standard input")
	c.Flags().StringVarP(&output, "output", "o", "table", "how rows are printed: table, ndjson or csv")
	c.Flags().StringArrayVar(&set, "set", nil, "a setting, as KEY=VALUE; may be given again")
	return c
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

func readScript(file string, args []string, stdin io.Reader) (string, error) {
	switch {
	case file != "" && len(args) > 0:
		return "", errors.New("give either --file or statements, not both")
	case len(args) > 0:
		return strings.Join(args, " "), nil
	case file == "" || file == "-":
		b, err := io.ReadAll(stdin)
		return string(b), err
	default:
		b, err := os.ReadFile(file)
		return string(b), err
	}
}
