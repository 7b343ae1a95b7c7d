package cli

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/spf13/cobra"

	"github.com/weirflow/weirflow/services/platform/ports"
	"github.com/weirflow/weirflow/services/platform/suggest"
)

// endpoint is a server and how to log in there.
type endpoint struct {
	Server    string `yaml:"server"`
	Token     string `yaml:"token,omitempty"`
	TokenFile string `yaml:"token_file,omitempty"`
	CAFile    string `yaml:"ca_file,omitempty"`
}

func (e endpoint) token() (string, error) {
	if e.TokenFile == "" {
		return e.Token, nil
	}
	text, err := os.ReadFile(e.TokenFile)
	if err != nil {
		return "", fmt.Errorf("read the token: %w", err)
	}
	return strings.TrimSpace(string(text)), nil
}

// settings are the contexts that somebody has, as they stand in a file.
type settings struct {
	Current  string              `yaml:"current,omitempty"`
	Contexts map[string]endpoint `yaml:"contexts,omitempty"`
}

// settingsFile is where contexts are kept: WEIRFLOW_CLI_CONFIG, or weirflow/cli.yaml in
// the user's folder of configurations.
func settingsFile(env func(string) string) (string, error) {
	if f := env("WEIRFLOW_CLI_CONFIG"); f != "" {
		return f, nil
	}
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", fmt.Errorf("find the folder of configurations (or set WEIRFLOW_CLI_CONFIG): %w", err)
	}
	return filepath.Join(dir, "weirflow", "cli.yaml"), nil
}

func loadSettings(file string) (settings, error) {
	s := settings{Contexts: map[string]endpoint{}}
	text, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return s, fmt.Errorf("read contexts: %w", err)
	}
	if err := yaml.UnmarshalWithOptions(text, &s, yaml.Strict()); err != nil {
		return s, fmt.Errorf("%s: %s", file, strings.TrimSpace(yaml.FormatError(err, false, false)))
	}
	if s.Contexts == nil {
		s.Contexts = map[string]endpoint{}
	}
	return s, nil
}

// save writes contexts so that nobody else can read their tokens.
func (s settings) save(file string) error {
	text, err := yaml.Marshal(s)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return fmt.Errorf("write contexts: %w", err)
	}
	if err := os.WriteFile(file+".new", text, 0o600); err != nil {
		return fmt.Errorf("write contexts: %w", err)
	}
	return os.Rename(file+".new", file)
}

func (s settings) find(name string) (endpoint, error) {
	e, ok := s.Contexts[name]
	if !ok {
		return e, fmt.Errorf("there is no context %q%s", name, suggest.Hint(name, slices.Sorted(maps.Keys(s.Contexts))))
	}
	return e, nil
}

// endpoint is the server that the flags, the environment and the contexts name, in
// this order.
func (f *flags) endpoint() (endpoint, error) {
	file, err := settingsFile(f.env)
	if err != nil {
		return endpoint{}, err
	}
	s, err := loadSettings(file)
	if err != nil {
		return endpoint{}, err
	}
	e := endpoint{}
	if name := cmp.Or(f.context, f.env("WEIRFLOW_CONTEXT"), s.Current); name != "" {
		if e, err = s.find(name); err != nil {
			return e, err
		}
	}
	if server := cmp.Or(f.server, f.env("WEIRFLOW_SERVER")); server != "" && server != e.Server {
		e = endpoint{Server: server} // a token is for its own server only
	}
	e.Server = cmp.Or(e.Server, "http://"+ports.Loopback(ports.GatewayHTTP))
	e.CAFile = cmp.Or(f.caFile, e.CAFile)
	if t := f.env("WEIRFLOW_TOKEN"); t != "" {
		e.Token, e.TokenFile = t, ""
	}
	if f.tokenFile != "" {
		e.TokenFile = f.tokenFile
	}
	return e, nil
}

func (f *flags) contextCommand() *cobra.Command {
	c := &cobra.Command{Use: "context", Short: "Keep several servers by name, and choose one"}
	c.AddCommand(f.contextSet(), f.contextUse(), f.contextList(), f.contextDelete())
	return c
}

// change loads, changes and saves the contexts.
func (f *flags) change(do func(*settings) error) error {
	file, err := settingsFile(f.env)
	if err != nil {
		return err
	}
	s, err := loadSettings(file)
	if err != nil {
		return err
	}
	if err := do(&s); err != nil {
		return err
	}
	return s.save(file)
}

func (f *flags) contextSet() *cobra.Command {
	return &cobra.Command{
		Use: "set NAME --server URL [--token-file FILE] [--ca-file FILE]", Short: "Make or change a context, and use it", Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if f.server == "" {
				return errors.New("--server is missing: the address of the HTTP API, such as https://weirflow.example:8080")
			}
			e := endpoint{Server: f.server, TokenFile: f.tokenFile, CAFile: f.caFile}
			if _, err := newClient(endpoint{Server: e.Server, CAFile: e.CAFile}); err != nil {
				return err
			}
			return f.change(func(s *settings) error {
				s.Contexts[args[0]], s.Current = e, args[0]
				return nil
			})
		},
	}
}

func (f *flags) contextUse() *cobra.Command {
	return &cobra.Command{
		Use: "use NAME", Short: "Use a context from now on", Args: cobra.ExactArgs(1), ValidArgsFunction: f.contextNames,
		RunE: func(_ *cobra.Command, args []string) error {
			return f.change(func(s *settings) error {
				_, err := s.find(args[0])
				s.Current = args[0]
				return err
			})
		},
	}
}

func (f *flags) contextDelete() *cobra.Command {
	return &cobra.Command{
		Use: "delete NAME", Short: "Forget a context", Args: cobra.ExactArgs(1), ValidArgsFunction: f.contextNames,
		RunE: func(_ *cobra.Command, args []string) error {
			return f.change(func(s *settings) error {
				if _, err := s.find(args[0]); err != nil {
					return err
				}
				delete(s.Contexts, args[0])
				if s.Current == args[0] {
					s.Current = ""
				}
				return nil
			})
		},
	}
}

func (f *flags) contextList() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List contexts", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			file, err := settingsFile(f.env)
			if err != nil {
				return err
			}
			s, err := loadSettings(file)
			if err != nil {
				return err
			}
			t := newTable(cmd.OutOrStdout(), "", "NAME", "SERVER", "LOGIN")
			for _, name := range slices.Sorted(maps.Keys(s.Contexts)) {
				e, mark, login := s.Contexts[name], "", "none"
				if name == s.Current {
					mark = "*"
				}
				if e.Token != "" || e.TokenFile != "" {
					login = "token"
				}
				t.row(mark, name, e.Server, login)
			}
			return t.end()
		},
	}
}

func (f *flags) contextNames(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	file, err := settingsFile(f.env)
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	s, err := loadSettings(file)
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	return slices.Sorted(maps.Keys(s.Contexts)), cobra.ShellCompDirectiveNoFileComp
}
