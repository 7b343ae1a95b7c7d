package cli

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/types/known/timestamppb"

	deadletterv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/deadletter/v1"
)

func (f *flags) lettersCommand() *cobra.Command {
	c := &cobra.Command{Use: "deadletters", Aliases: []string{"deadletter"}, Short: "Dead letters of a job: list, show, count, replay, discard"}
	c.AddCommand(f.lettersList(), f.lettersShow(), f.lettersCount(), f.lettersReplay(), f.lettersDiscard())
	return c
}

// letterFlags choose letters.
type letterFlags struct {
	kind, table, stage, text, since string
	all                             bool
	limit                           int
}

func (l *letterFlags) add(c *cobra.Command) {
	fl := c.Flags()
	fl.StringVar(&l.kind, "error-type", "", "of this kind of error")
	fl.StringVar(&l.table, "table", "", "of this source table")
	fl.StringVar(&l.stage, "stage", "", "set aside by this stage")
	fl.StringVar(&l.text, "contains", "", "with this text in payload or error")
	fl.StringVar(&l.since, "since", "", "not older: 2h, or as in 2026-01-02T15:04:05Z")
}

func (l *letterFlags) filter(now time.Time) (*deadletterv1.LetterFilter, error) {
	out := &deadletterv1.LetterFilter{ErrorType: l.kind, SourceTable: l.table, Stage: l.stage, Text: l.text}
	if l.since != "" {
		at, err := pointInTime(l.since, now)
		if err != nil {
			return nil, fmt.Errorf("--since: %w", err)
		}
		out.From = timestamppb.New(at)
	}
	return out, nil
}

func (f *flags) lettersList() *cobra.Command {
	l := &letterFlags{}
	c := &cobra.Command{
		Use: "list JOB", Short: "List dead letters, the newest first", Args: cobra.ExactArgs(1), ValidArgsFunction: f.jobNames(),
		RunE: func(cmd *cobra.Command, args []string) error {
			filter, err := l.filter(f.now())
			if err != nil {
				return err
			}
			q := url.Values{"pageSize": {strconv.Itoa(l.limit)}, "errorType": {l.kind}, "sourceTable": {l.table}, "stage": {l.stage}, "text": {l.text}}
			if filter.GetFrom() != nil {
				q.Set("from", filter.GetFrom().AsTime().Format(time.RFC3339Nano))
			}
			if !l.all {
				q.Set("state", deadletterv1.DeadLetterState_DEAD_LETTER_STATE_OPEN.String())
			}
			var res deadletterv1.ListDeadLettersResponse
			if err := f.get(cmd.Context(), path("jobs", args[0], "deadletters"), q, &res); err != nil {
				return err
			}
			return f.print(cmd.OutOrStdout(), &res, func(out io.Writer) error {
				t := newTable(out, "ID", "STATE", "WHEN", "ERROR", "TABLE", "MESSAGE")
				for _, x := range res.GetLetters() {
					d := x.GetLetter()
					t.row(x.GetId(), short(x.GetState(), "DEAD_LETTER_STATE_"), f.ago(d.GetIngestionTs()), d.GetErrorType(), d.GetSourceTable(), firstLine(d.GetErrorMessage()))
				}
				return t.end()
			})
		},
	}
	l.add(c)
	c.Flags().BoolVarP(&l.all, "all", "a", false, "those that were replayed or discarded as well")
	c.Flags().IntVarP(&l.limit, "limit", "n", 50, "at most so many")
	return c
}

func (f *flags) lettersShow() *cobra.Command {
	return &cobra.Command{
		Use: "show JOB ID", Short: "Show a dead letter with its payload", Args: cobra.ExactArgs(2), ValidArgsFunction: f.jobNames(),
		RunE: func(cmd *cobra.Command, args []string) error {
			var res deadletterv1.GetDeadLetterResponse
			if err := f.get(cmd.Context(), path("jobs", args[0], "deadletters", args[1]), nil, &res); err != nil {
				return err
			}
			return f.print(cmd.OutOrStdout(), &res, func(out io.Writer) error {
				x, d := res.GetLetter(), res.GetLetter().GetLetter()
				t := newTable(out, "id", x.GetId())
				t.row("state", short(x.GetState(), "DEAD_LETTER_STATE_"))
				t.row("error", d.GetErrorType()+": "+d.GetErrorMessage())
				t.row("from", fmt.Sprintf("table %s, %s/%d at %d", d.GetSourceTable(), d.GetTopic(), d.GetPartition(), d.GetOffset()))
				t.row("set aside", f.ago(d.GetIngestionTs())+", by "+d.GetStage())
				if err := t.end(); err != nil {
					return err
				}
				return said(out, "\n%s", cleanLines(x.GetText()))
			})
		},
	}
}

func (f *flags) lettersCount() *cobra.Command {
	return &cobra.Command{
		Use: "count JOB", Short: "Count dead letters by kind", Args: cobra.ExactArgs(1), ValidArgsFunction: f.jobNames(),
		RunE: func(cmd *cobra.Command, args []string) error {
			var res deadletterv1.CountDeadLettersResponse
			if err := f.get(cmd.Context(), path("jobs", args[0], "deadletters:count"), nil, &res); err != nil {
				return err
			}
			return f.print(cmd.OutOrStdout(), &res, func(out io.Writer) error {
				t := newTable(out, "ERROR", "TABLE", "STAGE", "OPEN", "REPLAYED", "DISCARDED", "NEWEST")
				for _, k := range res.GetKinds() {
					t.row(k.GetErrorType(), k.GetSourceTable(), k.GetStage(), count(k.GetOpen()), count(k.GetReplayed()), count(k.GetDiscarded()), f.ago(k.GetNewest()))
				}
				t.row("all", "", "", count(res.GetOpen()), count(res.GetReplayed()), count(res.GetDiscarded()), "")
				return t.end()
			})
		},
	}
}

func (f *flags) lettersReplay() *cobra.Command {
	l := &letterFlags{}
	req := &deadletterv1.ReplayDeadLettersRequest{}
	var text string
	c := &cobra.Command{
		Use: "replay JOB [ID…]", Short: "Send dead letters through the job again, by id or by what they have in common", Args: cobra.MinimumNArgs(1), ValidArgsFunction: f.jobNames(),
		Example: "  weirflow deadletters replay errors 0-17\n  weirflow deadletters replay errors 0-17 --payload '{\"message\": \"mended\"}'\n  weirflow deadletters replay errors --error-type parse_error",
		RunE: func(cmd *cobra.Command, args []string) error {
			var err error
			req.Ids = args[1:]
			if req.Filter, err = l.chosen(cmd, req.GetIds(), f.now()); err != nil {
				return err
			}
			if cmd.Flags().Changed("payload") {
				req.Mended = &deadletterv1.ReplayDeadLettersRequest_Text{Text: text}
			}
			var res deadletterv1.ReplayDeadLettersResponse
			if err := f.call(cmd.Context(), http.MethodPost, path("jobs", args[0], "deadletters:replay"), nil, req, &res); err != nil {
				return err
			}
			return f.print(cmd.OutOrStdout(), &res, func(out io.Writer) error {
				for _, n := range res.GetNotes() {
					_ = said(out, "%s", clean(n)) // the last write tells
				}
				return showOutcome(out, "replayed", res.GetReplayed(), res.GetSkipped(), res.GetFailed(), res.GetProblems())
			})
		},
	}
	l.add(c)
	c.Flags().BoolVarP(&l.all, "all", "a", false, "all that are open")
	c.Flags().StringVar(&text, "payload", "", "in the place of the payload, of one letter")
	c.Flags().BoolVar(&req.Again, "again", false, "those as well that were replayed or discarded")
	return c
}

// chosen is the filter where no ids are given; all letters are meant only if that is said.
func (l *letterFlags) chosen(cmd *cobra.Command, ids []string, now time.Time) (*deadletterv1.LetterFilter, error) {
	narrowed := false
	for _, name := range []string{"error-type", "table", "stage", "contains", "since"} {
		narrowed = narrowed || cmd.Flags().Changed(name)
	}
	switch {
	case len(ids) > 0 && (narrowed || l.all):
		return nil, errors.New("give either ids or what letters have in common, not both")
	case len(ids) > 0:
		return nil, nil
	case !narrowed && !l.all:
		return nil, errors.New("which letters? Give ids, or what they have in common (--error-type, --contains …), or --all")
	}
	return l.filter(now)
}

func showOutcome(out io.Writer, done string, n, skipped, failed int64, problems []*deadletterv1.LetterProblem) error {
	for _, p := range problems {
		_ = said(out, "%s: %s", clean(p.GetId()), clean(p.GetMessage())) // the last write tells
	}
	if err := said(out, "%s %s, %s skipped, %s failed", count(n), done, count(skipped), count(failed)); err != nil {
		return err
	}
	if failed > 0 {
		return errors.New("some letters failed")
	}
	return nil
}

func (f *flags) lettersDiscard() *cobra.Command {
	l := &letterFlags{}
	var yes bool
	c := &cobra.Command{
		Use: "discard JOB [ID…]", Short: "Give dead letters up", Args: cobra.MinimumNArgs(1), ValidArgsFunction: f.jobNames(),
		RunE: func(cmd *cobra.Command, args []string) error {
			req := &deadletterv1.DiscardDeadLettersRequest{Ids: args[1:]}
			var err error
			if req.Filter, err = l.chosen(cmd, req.GetIds(), f.now()); err != nil {
				return err
			}
			if err := confirm(cmd, yes || len(req.GetIds()) > 0, args[0], "What was set aside is given up."); err != nil {
				return err
			}
			var res deadletterv1.DiscardDeadLettersResponse
			if err := f.call(cmd.Context(), http.MethodPost, path("jobs", args[0], "deadletters:discard"), nil, req, &res); err != nil {
				return err
			}
			return f.print(cmd.OutOrStdout(), &res, func(out io.Writer) error {
				return showOutcome(out, "discarded", res.GetDiscarded(), res.GetSkipped(), res.GetFailed(), res.GetProblems())
			})
		},
	}
	l.add(c)
	c.Flags().BoolVarP(&l.all, "all", "a", false, "all that are open")
	c.Flags().BoolVar(&yes, "yes", false, "do not ask")
	return c
}
