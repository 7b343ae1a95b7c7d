package cli

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	accessv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/access/v1"
)

func (f *flags) loginCommand() *cobra.Command {
	var name, context string
	var days int32
	c := &cobra.Command{
		Use: "login [--server URL] [--user NAME]", Short: "Log in with name and password, and keep a token", Args: cobra.NoArgs,
		Long: "Ask for a name and a password, make a token that ends by itself, and keep it in a context.\n" +
			"The password is not kept. Standard input gives it where no terminal is attached.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			e, err := f.endpoint()
			if err != nil {
				return err
			}
			e.Token, e.TokenFile = "", ""
			cl, err := newClient(e)
			if err != nil {
				return err
			}
			name, password, err := credentials(cmd, name)
			if err != nil {
				return err
			}
			cl.set = func(r *http.Request) { r.SetBasicAuth(name, password) }
			host, err := os.Hostname()
			if err != nil {
				host = "this machine"
			}
			var res accessv1.CreateTokenResponse
			req := &accessv1.CreateTokenRequest{Name: "weirflow login on " + host, LifetimeDays: days}
			if err := cl.call(cmd.Context(), http.MethodPost, path("tokens"), nil, req, &res); err != nil {
				return err
			}
			e.Token = res.GetSecret()
			key := cmp.Or(context, f.context, cl.base.Hostname())
			if err := f.change(func(s *settings) error {
				s.Contexts[key], s.Current = e, key
				return nil
			}); err != nil {
				return err
			}
			return said(cmd.OutOrStdout(), "logged in at %s as %s until %s (context %s)", e.Server, name, res.GetToken().GetExpiresAt().AsTime().Local().Format("2006-01-02"), key)
		},
	}
	c.Flags().StringVarP(&name, "user", "u", "", "name; asked for if not given")
	c.Flags().StringVar(&context, "as", "", "name of the context (the server's host)")
	c.Flags().Int32Var(&days, "days", 30, "for how many days the token is good")
	return c
}

// credentials asks for what is missing; a password is not shown.
func credentials(cmd *cobra.Command, name string) (user, password string, err error) {
	in := bufio.NewReader(cmd.InOrStdin())
	file, _ := cmd.InOrStdin().(*os.File)
	terminal := file != nil && term.IsTerminal(int(file.Fd()))
	if name == "" {
		if !terminal {
			return "", "", errors.New("--user is missing")
		}
		_, _ = fmt.Fprint(cmd.ErrOrStderr(), "Name: ") // the answer counts
		if name, err = in.ReadString('\n'); err != nil {
			return "", "", fmt.Errorf("read the name: %w", err)
		}
	}
	if !terminal {
		password, err = in.ReadString('\n')
		if err != nil && password == "" {
			return "", "", fmt.Errorf("read the password: %w", err)
		}
		return strings.TrimSpace(name), strings.TrimRight(password, "\r\n"), nil
	}
	_, _ = fmt.Fprint(cmd.ErrOrStderr(), "Password: ")
	secret, err := term.ReadPassword(int(file.Fd()))
	_, _ = fmt.Fprintln(cmd.ErrOrStderr())
	if err != nil {
		return "", "", fmt.Errorf("read the password: %w", err)
	}
	return strings.TrimSpace(name), string(secret), nil
}
