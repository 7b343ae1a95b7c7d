package cli

import (
	"io"
	"net/http"
	"strconv"

	"github.com/spf13/cobra"

	jobv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/job/v1"
)

func (f *flags) savepointsCommand() *cobra.Command {
	c := &cobra.Command{Use: "savepoints", Short: "Savepoints of a job: list, create, delete"}
	c.AddCommand(
		&cobra.Command{
			Use: "list JOB", Short: "List savepoints", Args: cobra.ExactArgs(1), ValidArgsFunction: f.jobNames(),
			RunE: func(cmd *cobra.Command, args []string) error {
				var res jobv1.ListSavepointsResponse
				if err := f.get(cmd.Context(), path("jobs", args[0], "savepoints"), nil, &res); err != nil {
					return err
				}
				return f.print(cmd.OutOrStdout(), &res, func(out io.Writer) error {
					t := newTable(out, "NAME", "MADE", "STATE", "CHECKPOINT")
					for _, s := range res.GetSavepoints() {
						t.row(s.GetName(), f.ago(s.GetAt()), size(s.GetBytes()), strconv.FormatInt(s.GetCheckpoint(), 10))
					}
					return t.end()
				})
			},
		},
		&cobra.Command{
			Use: "create JOB NAME", Short: "Keep the job's state under a name", Args: cobra.ExactArgs(2), ValidArgsFunction: f.jobNames(),
			RunE: func(cmd *cobra.Command, args []string) error {
				var res jobv1.CreateSavepointResponse
				if err := f.call(cmd.Context(), http.MethodPost, path("jobs", args[0], "savepoints"), nil, &jobv1.CreateSavepointRequest{Name: args[1]}, &res); err != nil {
					return err
				}
				return f.print(cmd.OutOrStdout(), &res, func(out io.Writer) error {
					return said(out, "savepoint %s has %s of state", args[1], size(res.GetSavepoint().GetBytes()))
				})
			},
		},
		&cobra.Command{
			Use: "delete JOB NAME", Short: "Forget a savepoint", Args: cobra.ExactArgs(2), ValidArgsFunction: f.jobNames(),
			RunE: func(cmd *cobra.Command, args []string) error {
				if err := f.call(cmd.Context(), http.MethodDelete, path("jobs", args[0], "savepoints", args[1]), nil, nil, nil); err != nil {
					return err
				}
				return said(cmd.OutOrStdout(), "savepoint %s is deleted", args[1])
			},
		},
	)
	return c
}
