package cli

import (
	"context"
	"io"
	"net/url"

	"github.com/spf13/cobra"

	agentv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/agent/v1"
)

func (f *flags) agentsCommand() *cobra.Command {
	c := &cobra.Command{Use: "agents", Short: "Agents that report: list them, or the files of one"}
	c.AddCommand(
		&cobra.Command{
			Use: "list", Short: "List agents", Args: cobra.NoArgs,
			RunE: func(cmd *cobra.Command, _ []string) error {
				all, err := f.agents(cmd.Context())
				if err != nil {
					return err
				}
				return f.print(cmd.OutOrStdout(), all, func(out io.Writer) error {
					t := newTable(out, "ID", "NAME", "STATE", "FILES", "LAG", "LINES", "REPORTED", "UP SINCE")
					for _, a := range all.GetAgents() {
						t.row(a.GetId(), a.GetName(), short(a.GetState(), "AGENT_STATE_"), count(a.GetFileCount()), size(a.GetLagBytes()), count(a.GetLines()), f.ago(a.GetReportedAt()), f.ago(a.GetStartedAt()))
					}
					return t.end()
				})
			},
		},
		&cobra.Command{
			Use: "get ID", Short: "Show an agent's files with offset and lag", Args: cobra.ExactArgs(1),
			ValidArgsFunction: f.names(func(ctx context.Context) ([]string, error) {
				all, err := f.agents(ctx)
				var ids []string
				for _, a := range all.GetAgents() {
					ids = append(ids, a.GetId())
				}
				return ids, err
			}),
			RunE: func(cmd *cobra.Command, args []string) error {
				var res agentv1.GetAgentResponse
				if err := f.get(cmd.Context(), path("agents", args[0]), nil, &res); err != nil {
					return err
				}
				return f.print(cmd.OutOrStdout(), &res, func(out io.Writer) error {
					t := newTable(out, "FILE", "SIZE", "READ TO", "LAG", "CHANGED", "INPUT")
					for _, x := range res.GetAgent().GetFiles() {
						t.row(x.GetPath(), size(x.GetSize()), count(x.GetOffset()), size(x.GetLagBytes()), f.ago(x.GetModifiedAt()), x.GetInput())
					}
					return t.end()
				})
			},
		},
	)
	return c
}

func (f *flags) agents(ctx context.Context) (*agentv1.ListAgentsResponse, error) {
	all := &agentv1.ListAgentsResponse{}
	return all, pages(func(token string) (string, error) {
		var res agentv1.ListAgentsResponse
		err := f.get(ctx, path("agents"), url.Values{"pageSize": {"500"}, "pageToken": {token}}, &res)
		all.Agents = append(all.Agents, res.GetAgents()...)
		return res.GetNextPageToken(), err
	})
}
