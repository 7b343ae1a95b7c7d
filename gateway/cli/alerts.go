package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os/user"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/types/known/timestamppb"

	alertv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/alert/v1"
)

func (f *flags) alertsCommand() *cobra.Command {
	c := &cobra.Command{Use: "alerts", Aliases: []string{"alert"}, Short: "Alerts: list, acknowledge, assign, comment, silence; who was told"}
	c.AddCommand(f.alertsList(), f.alertsAcknowledge(), f.alertsAssign(), f.alertsComment(), f.alertsSilence(), f.alertsDeliveries())
	return c
}

func (f *flags) alerts(ctx context.Context, text string) (*alertv1.ListAlertsResponse, error) {
	res := &alertv1.ListAlertsResponse{}
	return res, f.get(ctx, path("alerts"), url.Values{"text": {text}}, res)
}

func (f *flags) fingerprints() cobra.CompletionFunc {
	return f.names(func(ctx context.Context) ([]string, error) {
		res, err := f.alerts(ctx, "")
		var out []string
		for _, a := range res.GetAlerts() {
			out = append(out, a.GetFingerprint()+"\t"+a.GetLabels()["alertname"])
		}
		return out, err
	})
}

func (f *flags) alertsList() *cobra.Command {
	var text string
	c := &cobra.Command{
		Use: "list", Short: "List what goes on, the oldest first", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			res, err := f.alerts(cmd.Context(), text)
			if err != nil {
				return err
			}
			return f.print(cmd.OutOrStdout(), res, func(out io.Writer) error {
				t := newTable(out, "FINGERPRINT", "ALERT", "SEVERITY", "STATE", "SINCE", "WHO", "SUMMARY")
				for _, a := range res.GetAlerts() {
					who := a.GetHandling().GetAssignee()
					if who == "" {
						who = a.GetHandling().GetAcknowledgedBy()
					}
					t.row(a.GetFingerprint(), a.GetLabels()["alertname"], a.GetLabels()["severity"], short(a.GetState(), "ALERT_STATE_"), f.ago(a.GetStartsAt()), who, firstLine(a.GetAnnotations()["summary"]))
				}
				return t.end()
			})
		},
	}
	c.Flags().StringVar(&text, "contains", "", "only those with this text in labels or annotations")
	return c
}

// me is who asks, unless the server knows it better.
func me() string {
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return ""
}

func (f *flags) alertsAcknowledge() *cobra.Command {
	req := &alertv1.AcknowledgeAlertRequest{}
	c := &cobra.Command{
		Use: "ack FINGERPRINT", Aliases: []string{"acknowledge"}, Short: "Say that somebody is on it", Args: cobra.ExactArgs(1), ValidArgsFunction: f.fingerprints(),
		RunE: func(cmd *cobra.Command, args []string) error {
			var res alertv1.AcknowledgeAlertResponse
			if err := f.call(cmd.Context(), http.MethodPost, path("alerts", args[0]+":acknowledge"), nil, req, &res); err != nil {
				return err
			}
			return f.print(cmd.OutOrStdout(), &res, func(out io.Writer) error {
				if req.GetUndo() {
					return said(out, "alert %s waits again", args[0])
				}
				return said(out, "alert %s is acknowledged by %s", args[0], clean(res.GetHandling().GetAcknowledgedBy()))
			})
		},
	}
	c.Flags().StringVar(&req.By, "by", me(), "who it is, where nobody logs in")
	c.Flags().StringVar(&req.Comment, "comment", "", "what is being done")
	c.Flags().BoolVar(&req.Undo, "undo", false, "take it back")
	return c
}

func (f *flags) alertsAssign() *cobra.Command {
	return &cobra.Command{
		Use: "assign FINGERPRINT WHO", Short: "Say whose it is", Args: cobra.ExactArgs(2), ValidArgsFunction: f.fingerprints(),
		RunE: func(cmd *cobra.Command, args []string) error {
			var res alertv1.AssignAlertResponse
			if err := f.call(cmd.Context(), http.MethodPost, path("alerts", args[0]+":assign"), nil, &alertv1.AssignAlertRequest{Assignee: args[1]}, &res); err != nil {
				return err
			}
			return f.print(cmd.OutOrStdout(), &res, func(out io.Writer) error { return said(out, "alert %s is %s's", args[0], args[1]) })
		},
	}
}

func (f *flags) alertsComment() *cobra.Command {
	req := &alertv1.CommentAlertRequest{}
	c := &cobra.Command{
		Use: "comment FINGERPRINT TEXT", Short: "Write something down", Args: cobra.ExactArgs(2), ValidArgsFunction: f.fingerprints(),
		RunE: func(cmd *cobra.Command, args []string) error {
			req.Text = args[1]
			var res alertv1.CommentAlertResponse
			if err := f.call(cmd.Context(), http.MethodPost, path("alerts", args[0]+":comment"), nil, req, &res); err != nil {
				return err
			}
			return f.print(cmd.OutOrStdout(), &res, func(out io.Writer) error { return said(out, "it is written down") })
		},
	}
	c.Flags().StringVar(&req.By, "by", me(), "who it is, where nobody logs in")
	return c
}

func (f *flags) alertsSilence() *cobra.Command {
	s := &alertv1.Silence{}
	var length time.Duration
	c := &cobra.Command{
		Use: "silence MATCHER… --comment TEXT", Short: "Tell nobody of alerts with certain labels, for a while", Args: cobra.MinimumNArgs(1),
		Example: "  weirflow alerts silence alertname=full_disks host=~'web.*' --duration 2h --comment 'disks are being replaced'",
		RunE: func(cmd *cobra.Command, args []string) error {
			for _, a := range args {
				m, err := matcher(a)
				if err != nil {
					return err
				}
				s.Matchers = append(s.Matchers, m)
			}
			if s.GetComment() == "" {
				return errors.New("--comment is missing: others will ask why")
			}
			s.StartsAt, s.EndsAt = timestamppb.New(f.now()), timestamppb.New(f.now().Add(length))
			var res alertv1.CreateSilenceResponse
			if err := f.call(cmd.Context(), http.MethodPost, path("silences"), nil, &alertv1.CreateSilenceRequest{Silence: s}, &res); err != nil {
				return err
			}
			return f.print(cmd.OutOrStdout(), &res, func(out io.Writer) error {
				return said(out, "silence %s until %s", res.GetSilence().GetId(), res.GetSilence().GetEndsAt().AsTime().Local().Format("2006-01-02 15:04:05"))
			})
		},
	}
	c.Flags().DurationVar(&length, "duration", time.Hour, "for how long")
	c.Flags().StringVar(&s.Comment, "comment", "", "why")
	c.Flags().StringVar(&s.CreatedBy, "by", me(), "who it is, where nobody logs in")
	return c
}

// matcher reads a=b, a!=b, a=~b or a!~b.
func matcher(text string) (*alertv1.Matcher, error) {
	i := strings.IndexAny(text, "=!")
	if i <= 0 {
		return nil, fmt.Errorf("%q is no matcher such as host=web1 or host=~'web.*'", text)
	}
	name, rest := text[:i], text[i:]
	for _, op := range []struct {
		text            string
		regexp, negated bool
	}{{"=~", true, false}, {"!~", true, true}, {"!=", false, true}, {"=", false, false}} {
		if value, ok := strings.CutPrefix(rest, op.text); ok {
			return &alertv1.Matcher{Name: name, Value: value, Regexp: op.regexp, Negated: op.negated}, nil
		}
	}
	return nil, fmt.Errorf("%q is no matcher such as host=web1 or host=~'web.*'", text)
}

func (f *flags) alertsDeliveries() *cobra.Command {
	var text, since string
	var failed bool
	c := &cobra.Command{
		Use: "deliveries", Short: "Show who was told what, and what failed", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			q := url.Values{"text": {text}, "pageSize": {"100"}}
			if failed {
				q.Set("failed", "true")
			}
			if since != "" {
				at, err := pointInTime(since, f.now())
				if err != nil {
					return fmt.Errorf("--since: %w", err)
				}
				q.Set("since", at.UTC().Format(time.RFC3339Nano))
			}
			var res alertv1.ListDeliveriesResponse
			if err := f.get(cmd.Context(), path("deliveries"), q, &res); err != nil {
				return err
			}
			return f.print(cmd.OutOrStdout(), &res, func(out io.Writer) error {
				t := newTable(out, "WHEN", "RECEIVER", "CHANNEL", "ALERTS", "RESULT")
				for _, d := range res.GetDeliveries() {
					names := make(map[string]bool)
					for _, a := range d.GetAlerts() {
						names[a.GetLabels()["alertname"]] = true
					}
					result := "sent"
					if d.GetError() != "" {
						result = firstLine(d.GetError())
					}
					t.row(f.ago(d.GetAt()), d.GetReceiver(), d.GetChannel(), strings.Join(slices.Sorted(maps.Keys(names)), ", "), result)
				}
				return t.end()
			})
		},
	}
	c.Flags().StringVar(&text, "contains", "", "only those with this text")
	c.Flags().StringVar(&since, "since", "", "not older: 2h, or as in 2026-01-02T15:04:05Z")
	c.Flags().BoolVar(&failed, "failed", false, "only those that failed")
	return c
}
