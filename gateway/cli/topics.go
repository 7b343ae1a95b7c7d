package cli

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	topicv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/topic/v1"
)

func (f *flags) topicsCommand() *cobra.Command {
	c := &cobra.Command{Use: "topics", Aliases: []string{"topic"}, Short: "Topics: list, get, create, delete"}
	c.AddCommand(f.topicsList(), f.topicsGet(), f.topicsCreate(), f.topicsDelete())
	return c
}

func (f *flags) topics(ctx context.Context, internal bool) (*topicv1.ListTopicsResponse, error) {
	all := &topicv1.ListTopicsResponse{}
	return all, pages(func(token string) (string, error) {
		var res topicv1.ListTopicsResponse
		err := f.get(ctx, path("topics"), url.Values{"pageSize": {"500"}, "pageToken": {token}, "includeInternal": {strconv.FormatBool(internal)}}, &res)
		all.Topics = append(all.Topics, res.GetTopics()...)
		return res.GetNextPageToken(), err
	})
}

func (f *flags) topicNames() cobra.CompletionFunc {
	return f.names(func(ctx context.Context) ([]string, error) {
		all, err := f.topics(ctx, true)
		var names []string
		for _, t := range all.GetTopics() {
			names = append(names, t.GetName())
		}
		return names, err
	})
}

func (f *flags) topicsList() *cobra.Command {
	var internal bool
	c := &cobra.Command{
		Use: "list", Short: "List topics with their sizes", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			all, err := f.topics(cmd.Context(), internal)
			if err != nil {
				return err
			}
			return f.print(cmd.OutOrStdout(), all, func(out io.Writer) error {
				t := newTable(out, "NAME", "PARTITIONS", "MESSAGES")
				for _, x := range all.GetTopics() {
					var n int64
					for _, p := range x.GetPartitions() {
						n += p.GetHigh() - p.GetLow()
					}
					t.row(x.GetName(), strconv.Itoa(len(x.GetPartitions())), count(n))
				}
				return t.end()
			})
		},
	}
	c.Flags().BoolVarP(&internal, "all", "a", false, "Kafka's and Weirflow's own as well")
	return c
}

func (f *flags) topicsGet() *cobra.Command {
	return &cobra.Command{
		Use: "get TOPIC", Short: "Show a topic's partitions and settings", Args: cobra.ExactArgs(1), ValidArgsFunction: f.topicNames(),
		RunE: func(cmd *cobra.Command, args []string) error {
			var res topicv1.GetTopicResponse
			if err := f.get(cmd.Context(), path("topics", args[0]), nil, &res); err != nil {
				return err
			}
			return f.print(cmd.OutOrStdout(), &res, func(out io.Writer) error {
				t := newTable(out, "PARTITION", "FIRST", "END", "MESSAGES", "LEADER", "IN SYNC")
				for _, p := range res.GetTopic().GetPartitions() {
					t.row(strconv.Itoa(int(p.GetId())), count(p.GetLow()), count(p.GetHigh()), count(p.GetHigh()-p.GetLow()), strconv.Itoa(int(p.GetLeader())),
						fmt.Sprintf("%d of %d", len(p.GetInSyncReplicas()), len(p.GetReplicas())))
				}
				if err := t.end(); err != nil {
					return err
				}
				for _, k := range slices.Sorted(maps.Keys(res.GetTopic().GetConfig())) {
					_ = said(out, "%s = %s", clean(k), clean(res.GetTopic().GetConfig()[k])) // the last write tells
				}
				return nil
			})
		},
	}
}

func (f *flags) topicsCreate() *cobra.Command {
	req := &topicv1.CreateTopicRequest{}
	var config []string
	c := &cobra.Command{
		Use: "create TOPIC", Short: "Make a topic", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var err error
			if req.Config, err = keyValues(config); err != nil {
				return err
			}
			req.Topic = args[0]
			var res topicv1.CreateTopicResponse
			if err := f.call(cmd.Context(), http.MethodPost, path("topics"), nil, req, &res); err != nil {
				return err
			}
			return f.print(cmd.OutOrStdout(), &res, func(out io.Writer) error { return said(out, "topic %s is made", args[0]) })
		},
	}
	c.Flags().Int32Var(&req.Partitions, "partitions", 1, "how many")
	c.Flags().Int32Var(&req.ReplicationFactor, "replication-factor", 0, "on how many brokers (the cluster's default)")
	c.Flags().StringArrayVar(&config, "set", nil, "a setting of Kafka's, as KEY=VALUE; may be given again")
	return c
}

func (f *flags) topicsDelete() *cobra.Command {
	var yes bool
	c := &cobra.Command{
		Use: "delete TOPIC", Short: "Delete a topic with its messages", Args: cobra.ExactArgs(1), ValidArgsFunction: f.topicNames(),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := confirm(cmd, yes, args[0], "The topic's messages are lost."); err != nil {
				return err
			}
			if err := f.call(cmd.Context(), http.MethodDelete, path("topics", args[0]), nil, nil, nil); err != nil {
				return err
			}
			return said(cmd.OutOrStdout(), "topic %s is deleted", args[0])
		},
	}
	c.Flags().BoolVar(&yes, "yes", false, "do not ask")
	return c
}
