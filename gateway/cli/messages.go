package cli

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os/signal"
	"slices"
	"strconv"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/encoding/protojson"

	topicv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/topic/v1"
)

// messageFlags say which messages are meant.
type messageFlags struct {
	follow, earliest bool
	partition, limit int
	offset, last     int64
	since, contains  string
	metadata         bool
	tail             bool // the last ones of all are meant
}

func (f *flags) messagesCommand() *cobra.Command {
	m := &messageFlags{}
	c := &cobra.Command{
		Use: "messages TOPIC", Aliases: []string{"message"}, Short: "Show the messages of a topic, the last ones or as they come", Args: cobra.ExactArgs(1), ValidArgsFunction: f.topicNames(),
		Example: "  weirflow messages topic-app-info -n 20\n  weirflow messages topic-app-info --follow --contains ERROR\n  weirflow messages topic-app-info --since 10m -o json | jq .",
		RunE: func(cmd *cobra.Command, args []string) error {
			q, err := m.query(cmd, f.now())
			if err != nil {
				return err
			}
			if m.follow {
				return f.followMessages(cmd, args[0], q, m)
			}
			return f.listMessages(cmd, args[0], q, m)
		},
	}
	fl := c.Flags()
	fl.BoolVar(&m.follow, "follow", false, "go on with what comes, until Ctrl-C")
	fl.IntVarP(&m.limit, "limit", "n", 0, "at most so many (20 without --follow)")
	fl.IntVar(&m.partition, "partition", 0, "of this partition only")
	fl.Int64Var(&m.offset, "offset", 0, "from this offset on")
	fl.Int64Var(&m.last, "last", 0, "the last ones of each partition")
	fl.BoolVar(&m.earliest, "earliest", false, "from the beginning")
	fl.StringVar(&m.since, "since", "", "from this time on: 10m for ten minutes ago, or as in 2026-01-02T15:04:05Z")
	fl.StringVar(&m.contains, "contains", "", "only those with this text in key or value")
	fl.BoolVar(&m.metadata, "metadata", false, "show partition, offset, time and key before each")
	c.MarkFlagsMutuallyExclusive("offset", "last", "earliest", "since")
	return c
}

func (m *messageFlags) query(cmd *cobra.Command, now time.Time) (url.Values, error) {
	q := url.Values{}
	if m.contains != "" {
		q.Set("contains", m.contains)
	}
	if cmd.Flags().Changed("partition") {
		q.Set("partition", strconv.Itoa(m.partition))
	}
	switch {
	case cmd.Flags().Changed("offset"):
		q.Set("start.offset", strconv.FormatInt(m.offset, 10))
	case m.last > 0:
		q.Set("start.last", strconv.FormatInt(m.last, 10))
	case m.earliest:
		q.Set("start.earliest", "true")
	case m.since != "":
		at, err := pointInTime(m.since, now)
		if err != nil {
			return nil, fmt.Errorf("--since: %w", err)
		}
		q.Set("start.timestamp", at.UTC().Format(time.RFC3339Nano))
	case !m.follow:
		m.tail = true
		q.Set("start.last", strconv.Itoa(m.most()))
	}
	return q, nil
}

// pointInTime reads a time, or how long ago it was.
func pointInTime(text string, now time.Time) (time.Time, error) {
	if d, err := time.ParseDuration(text); err == nil && d >= 0 {
		return now.Add(-d), nil
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02"} {
		if t, err := time.ParseInLocation(layout, text, time.Local); err == nil { //nolint:gosmopolitan // people write their own time
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is neither a duration such as 10m nor a time such as 2026-01-02T15:04:05Z", text)
}

func (f *flags) listMessages(cmd *cobra.Command, topic string, q url.Values, m *messageFlags) error {
	var found []*topicv1.Message
	for len(found) < m.most() || m.tail {
		q.Set("pageSize", strconv.Itoa(min(m.most(), 500)))
		var res topicv1.ListMessagesResponse
		if err := f.get(cmd.Context(), path("topics", topic, "messages"), q, &res); err != nil {
			return err
		}
		found = append(found, res.GetMessages()...)
		if res.GetNextPageToken() == "" {
			break
		}
		q.Set("pageToken", res.GetNextPageToken())
	}
	if m.tail { // each partition gave its last ones
		slices.SortStableFunc(found, func(a, b *topicv1.Message) int { return a.GetTimestamp().AsTime().Compare(b.GetTimestamp().AsTime()) })
		found = found[max(0, len(found)-m.most()):]
	}
	for _, x := range found[:min(len(found), m.most())] {
		if err := f.showMessage(cmd.OutOrStdout(), x, m); err != nil {
			return err
		}
	}
	return nil
}

// most is how many messages are shown.
func (m *messageFlags) most() int {
	if m.limit <= 0 {
		return 20
	}
	return m.limit
}

// errEnough ends a stream of which enough was seen.
var errEnough = errors.New("enough")

func (f *flags) followMessages(cmd *cobra.Command, topic string, q url.Values, m *messageFlags) error {
	ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	c, err := f.client()
	if err != nil {
		return err
	}
	seen := 0
	err = c.stream(ctx, http.MethodGet, path("topics", topic, "messages:follow"), q, nil, func(result []byte) error {
		var res topicv1.FollowMessagesResponse
		if err := (protojson.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(result, &res); err != nil {
			return fmt.Errorf("read the stream: %w", err)
		}
		for _, x := range res.GetMessages() {
			if err := f.showMessage(cmd.OutOrStdout(), x, m); err != nil {
				return err
			}
			if seen++; m.limit > 0 && seen >= m.limit {
				return errEnough
			}
		}
		return nil
	})
	if errors.Is(err, errEnough) || ctx.Err() != nil {
		return nil
	}
	return err
}

// showMessage prints a message on a line; in JSON, a line for each as well.
func (f *flags) showMessage(out io.Writer, x *topicv1.Message, m *messageFlags) error {
	switch f.output {
	case "json":
		text, err := protojson.Marshal(x)
		if err != nil {
			return err
		}
		var flat any
		if err := json.Unmarshal(text, &flat); err != nil {
			return err
		}
		return json.NewEncoder(out).Encode(flat)
	case "yaml":
		if err := said(out, "---"); err != nil {
			return err
		}
		return f.print(out, x, nil)
	}
	text := x.GetText()
	if text == "" && len(x.GetBinary()) > 0 {
		text = "base64:" + base64.StdEncoding.EncodeToString(x.GetBinary())
	}
	if x.GetTruncated() {
		text += fmt.Sprintf("… (%s in all)", size(x.GetSize()))
	}
	if m.metadata {
		text = fmt.Sprintf("%d/%d %s %s  %s", x.GetPartition(), x.GetOffset(), x.GetTimestamp().AsTime().Local().Format("2006-01-02T15:04:05.000"), clean(string(x.GetKey())), text)
	}
	return said(out, "%s", clean(text))
}
