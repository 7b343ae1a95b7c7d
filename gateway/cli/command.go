package cli

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/proto"

	"github.com/weirflow/weirflow/services/platform/suggest"
)

// flags are those that all commands have.
type flags struct {
	server, context, tokenFile, caFile string
	output                             string

	env func(string) string
	now func() time.Time
}

// Commands are all commands that use a running server.
func Commands() []*cobra.Command {
	f := &flags{env: os.Getenv, now: time.Now}
	all := []*cobra.Command{
		f.statusCommand(), f.jobsCommand(), f.topicsCommand(), f.messagesCommand(), f.searchCommand(), f.indicesCommand(), f.lettersCommand(),
		f.agentsCommand(), f.alertsCommand(), f.policiesCommand(), f.applyCommand(), f.contextCommand(), f.loginCommand(),
	}
	for _, c := range all {
		f.add(c)
	}
	return all
}

// add gives a command the flags, and has them checked.
func (f *flags) add(c *cobra.Command) {
	p := c.PersistentFlags()
	p.StringVar(&f.server, "server", "", "address of the HTTP API (WEIRFLOW_SERVER; http://127.0.0.1:8080)")
	p.StringVar(&f.context, "context", "", "server by its name, see weirflow context (WEIRFLOW_CONTEXT)")
	p.StringVar(&f.tokenFile, "token-file", "", "file with the token to send (else WEIRFLOW_TOKEN)")
	p.StringVar(&f.caFile, "ca-file", "", "certificates by which the server is known, in PEM form")
	p.StringVarP(&f.output, "output", "o", "table", "form of the answer: table, json or yaml")
	c.PersistentPreRunE = func(*cobra.Command, []string) error {
		forms := []string{"table", "json", "yaml"}
		if !slices.Contains(forms, f.output) {
			return fmt.Errorf("--output %q is none of table, json, yaml%s", f.output, suggest.Hint(f.output, forms))
		}
		return nil
	}
	_ = c.RegisterFlagCompletionFunc("context", f.contextNames) // the flag is there
	_ = c.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{"table", "json", "yaml"}, cobra.ShellCompDirectiveNoFileComp))
}

func (f *flags) client() (*client, error) {
	e, err := f.endpoint()
	if err != nil {
		return nil, err
	}
	return newClient(e)
}

// call makes one request of the server that is meant.
func (f *flags) call(ctx context.Context, method, path string, query url.Values, in, out proto.Message) error {
	c, err := f.client()
	if err != nil {
		return err
	}
	return c.call(ctx, method, path, query, in, out)
}

func (f *flags) get(ctx context.Context, path string, query url.Values, out proto.Message) error {
	return f.call(ctx, http.MethodGet, path, query, nil, out)
}

// names completes the first argument by what list returns.
func (f *flags) names(list func(context.Context) ([]string, error)) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		ctx, cancel := context.WithTimeout(cmd.Context(), 3*time.Second)
		defer cancel()
		all, err := list(ctx)
		if err != nil {
			return nil, cobra.ShellCompDirectiveError
		}
		return all, cobra.ShellCompDirectiveNoFileComp
	}
}

// pages asks for one page after the other.
func pages(ask func(token string) (next string, err error)) error {
	token := ""
	for {
		next, err := ask(token)
		if err != nil || next == "" {
			return err
		}
		token = next
	}
}
