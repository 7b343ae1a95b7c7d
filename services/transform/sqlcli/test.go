package sqlcli

import (
	"fmt"
	"regexp"

	"github.com/spf13/cobra"

	"github.com/weirflow/weirflow/services/transform/internal/sqltest"
)

// testCommand returns `sql test`.
func testCommand() *cobra.Command {
	var only, junit string
	var verbose, update bool
	c := &cobra.Command{
		Use:   "test DIR…",
		Short: "Run the unit tests of jobs",
		Long: "Run the tests in the files *" + sqltest.Suffix + " of folders and those below: rows go into the tables of a job,\n" +
			"a simulated clock is moved on, and what comes out is compared with what is expected.\n" +
			"All tables are in memory; nothing else has to run.",
		Args:         cobra.MinimumNArgs(1),
		SilenceUsage: true, SilenceErrors: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			o := sqltest.Options{Verbose: verbose, Update: update, JUnit: junit, Out: cmd.OutOrStdout(), Color: colored(cmd.OutOrStdout())}
			if only != "" {
				re, err := regexp.Compile(only)
				if err != nil {
					return fmt.Errorf("--run: %w", err)
				}
				o.Run = re
			}
			return sqltest.RunAll(args, o)
		},
	}
	c.Flags().StringVar(&only, "run", "", "run only the tests whose \"file: name\" matches this regular expression")
	c.Flags().BoolVarP(&verbose, "verbose", "v", false, "list the tests that pass as well")
	c.Flags().StringVar(&junit, "junit", "", "write the results to this file in the form of JUnit")
	c.Flags().BoolVar(&update, "update", false, "write what came out into the files as what is expected")
	return c
}
