package standalone

import (
	"os"

	"github.com/spf13/cobra"

	"github.com/weirflow/weirflow/gateway"
	"github.com/weirflow/weirflow/gateway/cli"
	agent "github.com/weirflow/weirflow/services/agent/cli"
	"github.com/weirflow/weirflow/services/alerting"
	"github.com/weirflow/weirflow/services/indexer"
	"github.com/weirflow/weirflow/services/ingest"
	"github.com/weirflow/weirflow/services/platform/config"
	"github.com/weirflow/weirflow/services/platform/version"
	"github.com/weirflow/weirflow/services/transform"
	"github.com/weirflow/weirflow/services/transform/sqlcli"
)

// Command is the whole of Weirflow: `run` for all in one process, and each
// service and tool by its name.
func Command() *cobra.Command {
	root := &cobra.Command{
		Use: "weirflow", Short: "Personalised real-time monitoring of system and application logs",
		Version: version.String(), SilenceUsage: true, SilenceErrors: true,
	}
	root.AddGroup(&cobra.Group{ID: "run", Title: "Run:"}, &cobra.Group{ID: "use", Title: "Use a running server:"})
	for _, c := range []*cobra.Command{runCommand(), agent.Command(), ingest.Command(), transform.Command(), indexer.Command(), alerting.Command(), gateway.Command(), sqlcli.Command()} {
		c.GroupID = "run"
		root.AddCommand(c)
	}
	for _, c := range cli.Commands() {
		c.GroupID = "use"
		root.AddCommand(c)
	}
	return root
}

func runCommand() *cobra.Command {
	def := DefaultConfig()
	var in Inputs
	var files []string
	var password string
	cmd := &cobra.Command{
		Use: "run", Short: "Run everything in this process, with a demonstration unless you bring your own", Args: cobra.NoArgs,
		Example: "  weirflow run\n  weirflow run -c filebeat.yml --sql job.sql",
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg := def
			if password != "" {
				if err := cmd.Flags().Set("search.password", password); err != nil {
					return err
				}
			}
			if err := config.Load(&cfg, config.Sources{Files: files, Environ: os.Environ(), Flags: cmd.Flags()}); err != nil {
				return err
			}
			return Run(cmd.Context(), cfg, def, in, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	f := cmd.Flags()
	f.StringArrayVarP(&in.Filebeat, "filebeat", "c", nil, "Filebeat configuration file to tail what it says (repeatable)")
	f.StringArrayVar(&in.SQL, "sql", nil, "file of SQL statements to run as a job (repeatable)")
	f.StringSliceVar(&files, "config", nil, "YAML configuration file; later ones win over earlier ones")
	f.StringVar(&password, "search-password", "", "password of the search store's user (WEIRFLOW_SEARCH_PASSWORD)")
	config.AddFlags(f, &def)
	return cmd
}
