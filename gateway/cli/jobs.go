package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	jobv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/job/v1"
)

func (f *flags) jobsCommand() *cobra.Command {
	c := &cobra.Command{Use: "jobs", Aliases: []string{"job"}, Short: "SQL jobs: list, apply, start, stop, delete, validate; savepoints and versions"}
	c.AddCommand(f.jobsList(), f.jobsGet(), f.jobsApply(), f.jobsStart(), f.jobsStop(), f.jobsDelete(), f.jobsValidate(), f.jobsVersions(), f.savepointsCommand())
	return c
}

// jobs lists all jobs.
func (f *flags) jobs(ctx context.Context) (*jobv1.ListJobsResponse, error) {
	all := &jobv1.ListJobsResponse{}
	return all, pages(func(token string) (string, error) {
		var res jobv1.ListJobsResponse
		err := f.get(ctx, path("jobs"), url.Values{"pageSize": {"500"}, "pageToken": {token}}, &res)
		all.Jobs = append(all.Jobs, res.GetJobs()...)
		return res.GetNextPageToken(), err
	})
}

func (f *flags) jobNames() cobra.CompletionFunc {
	return f.names(func(ctx context.Context) ([]string, error) {
		all, err := f.jobs(ctx)
		var names []string
		for _, j := range all.GetJobs() {
			names = append(names, j.GetName())
		}
		return names, err
	})
}

func (f *flags) jobsList() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List jobs with state and lag", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			all, err := f.jobs(cmd.Context())
			if err != nil {
				return err
			}
			return f.print(cmd.OutOrStdout(), all, func(out io.Writer) error {
				t := newTable(out, "NAME", "STATE", "IN", "OUT", "DEAD", "LAG", "BEHIND", "RESTARTS", "SINCE", "ERROR")
				for _, j := range all.GetJobs() {
					st, l := j.GetStatus(), j.GetStatus().GetLedger()
					lag, behind := lagOf(st)
					t.row(j.GetName(), short(st.GetState(), "JOB_STATE_"), count(l.GetIn()), count(l.GetOut()), count(l.GetDeadLettered()), lag, behind,
						strconv.Itoa(int(st.GetRestarts())), f.ago(st.GetChangedAt()), firstLine(st.GetError()))
				}
				return t.end()
			})
		},
	}
}

// lagOf is how many records a job is behind in all, and how old the oldest of them is.
func lagOf(st *jobv1.JobStatus) (records, age string) {
	if len(st.GetSources()) == 0 {
		return "-", "-"
	}
	var lag, millis int64
	for _, s := range st.GetSources() {
		lag, millis = lag+s.GetLag(), max(millis, s.GetLagMillis())
	}
	return count(lag), brief(time.Duration(millis) * time.Millisecond)
}

func firstLine(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	if len([]rune(s)) > 80 {
		s = string([]rune(s)[:79]) + "…"
	}
	return s
}

func (f *flags) jobsGet() *cobra.Command {
	return &cobra.Command{
		Use: "get NAME", Short: "Show a job: state, sources, operators, statements", Args: cobra.ExactArgs(1), ValidArgsFunction: f.jobNames(),
		RunE: func(cmd *cobra.Command, args []string) error {
			var res jobv1.GetJobResponse
			if err := f.get(cmd.Context(), path("jobs", args[0]), nil, &res); err != nil {
				return err
			}
			return f.print(cmd.OutOrStdout(), &res, func(out io.Writer) error { return f.showJob(out, res.GetJob()) })
		},
	}
}

func (f *flags) showJob(out io.Writer, j *jobv1.Job) error {
	st := j.GetStatus()
	t := newTable(out, "name", j.GetName())
	t.row("state", short(st.GetState(), "JOB_STATE_")+", since "+f.ago(st.GetChangedAt()))
	if st.GetError() != "" {
		t.row("error", st.GetError())
	}
	l := st.GetLedger()
	t.row("records", fmt.Sprintf("%s in, %s out, %s filtered, %s dead-lettered, %s in flight", count(l.GetIn()), count(l.GetOut()), count(l.GetFiltered()), count(l.GetDeadLettered()), count(l.GetInFlight())))
	if c := st.GetCheckpoint(); c.GetId() > 0 {
		t.row("checkpoint", fmt.Sprintf("%d, %s, state %s", c.GetId(), f.ago(c.GetAt()), size(c.GetTotalBytes())))
	}
	t.row("instance", st.GetInstance())
	if err := t.end(); err != nil {
		return err
	}
	_, _ = fmt.Fprintln(out) // the next write tells
	t = newTable(out, "SOURCE", "TOPIC", "PARTITION", "OFFSET", "END", "LAG", "BEHIND", "")
	for _, s := range st.GetSources() {
		note := ""
		if s.GetHoldsBack() {
			note = "holds the watermark back"
		}
		t.row(s.GetTable(), s.GetTopic(), strconv.Itoa(int(s.GetPartition())), count(s.GetOffset()), count(s.GetEnd()), count(s.GetLag()), brief(time.Duration(s.GetLagMillis())*time.Millisecond), note)
	}
	if err := t.end(); err != nil {
		return err
	}
	_, _ = fmt.Fprintln(out)
	t = newTable(out, "OPERATOR", "IN", "OUT", "LATE", "STATE")
	for _, o := range st.GetOperators() {
		state := "-"
		if o.GetStateful() {
			state = fmt.Sprintf("%s entries, %s", count(o.GetStateEntries()), size(o.GetStateBytes()))
		}
		t.row(o.GetName(), count(o.GetRecordsIn()), count(o.GetRecordsOut()), count(o.GetLate()), state)
	}
	if err := t.end(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(out, "\n%s\n", strings.TrimSpace(cleanLines(j.GetSql())))
	return err
}

// cleanLines is text of several lines without what a terminal would obey.
func cleanLines(s string) string {
	lines := strings.Split(s, "\n")
	for i, l := range lines {
		lines[i] = clean(strings.ReplaceAll(l, "\t", "    "))
	}
	return strings.Join(lines, "\n")
}

// statements reads a file of statements; - is standard input.
func statements(cmd *cobra.Command, file string) (string, error) {
	var text []byte
	var err error
	if file == "-" {
		text, err = io.ReadAll(cmd.InOrStdin())
	} else {
		text, err = os.ReadFile(file)
	}
	if err != nil {
		return "", fmt.Errorf("read the statements: %w", err)
	}
	return string(text), nil
}

func (f *flags) jobsApply() *cobra.Command {
	var file, name string
	var params []string
	var noStart bool
	c := &cobra.Command{
		Use: "apply -f FILE [--name NAME]", Short: "Create a job, or give it new statements, and run it", Args: cobra.NoArgs,
		Long: "Create a job from a file of statements, or replace its statements, and run it. The job goes on with its state\n" +
			"as far as the change lets it: weirflow jobs validate NAME -f FILE tells beforehand.",
		Example: "  weirflow jobs apply -f errors.sql\n  cat errors.sql | weirflow jobs apply -f - --name errors",
		RunE: func(cmd *cobra.Command, _ []string) error {
			text, err := statements(cmd, file)
			if err != nil {
				return err
			}
			if name == "" {
				if file == "-" {
					return errors.New("--name is missing: standard input has none")
				}
				name = jobName(file)
			}
			p, err := keyValues(params)
			if err != nil {
				return err
			}
			req := &jobv1.CreateJobRequest{Name: name, Sql: text, Parameters: p, Start: !noStart, Replace: true}
			var res jobv1.CreateJobResponse
			if err := f.call(cmd.Context(), http.MethodPost, path("jobs"), nil, req, &res); err != nil {
				return err
			}
			return f.print(cmd.OutOrStdout(), &res, func(out io.Writer) error {
				_, err := fmt.Fprintf(out, "job %s is %s\n", res.GetJob().GetName(), short(res.GetJob().GetStatus().GetState(), "JOB_STATE_"))
				return err
			})
		},
	}
	c.Flags().StringVarP(&file, "file", "f", "", "file of statements; - for standard input")
	c.Flags().StringVar(&name, "name", "", "the job's name (the file's)")
	c.Flags().StringArrayVar(&params, "set", nil, "a setting, as KEY=VALUE; may be given again")
	c.Flags().BoolVar(&noStart, "no-start", false, "do not start it")
	_ = c.MarkFlagRequired("file") // the flag is there
	return c
}

// jobName is the name of the job of a file.
func jobName(file string) string {
	base := filepath.Base(file)
	return strings.TrimSuffix(base, filepath.Ext(base))
}

func keyValues(all []string) (map[string]string, error) {
	out := make(map[string]string, len(all))
	for _, kv := range all {
		k, v, ok := strings.Cut(kv, "=")
		if !ok || k == "" {
			return nil, fmt.Errorf("--set %q is not KEY=VALUE", kv)
		}
		out[k] = v
	}
	return out, nil
}

func (f *flags) jobsStart() *cobra.Command {
	req := &jobv1.StartJobRequest{}
	c := &cobra.Command{
		Use: "start NAME", Short: "Start a job where it was, anew, or from a savepoint", Args: cobra.ExactArgs(1), ValidArgsFunction: f.jobNames(),
		RunE: func(cmd *cobra.Command, args []string) error {
			var res jobv1.StartJobResponse
			if err := f.call(cmd.Context(), http.MethodPost, path("jobs", args[0]+":start"), nil, req, &res); err != nil {
				return err
			}
			return f.print(cmd.OutOrStdout(), &res, func(out io.Writer) error { return said(out, "job %s is started", args[0]) })
		},
	}
	c.Flags().BoolVar(&req.FromScratch, "from-scratch", false, "forget state and positions")
	c.Flags().StringVar(&req.Savepoint, "savepoint", "", "begin at this savepoint")
	return c
}

func (f *flags) jobsStop() *cobra.Command {
	req := &jobv1.StopJobRequest{}
	c := &cobra.Command{
		Use: "stop NAME", Short: "Stop a job cleanly; it goes on there when it is started", Args: cobra.ExactArgs(1), ValidArgsFunction: f.jobNames(),
		RunE: func(cmd *cobra.Command, args []string) error {
			var res jobv1.StopJobResponse
			if err := f.call(cmd.Context(), http.MethodPost, path("jobs", args[0]+":stop"), nil, req, &res); err != nil {
				return err
			}
			return f.print(cmd.OutOrStdout(), &res, func(out io.Writer) error { return said(out, "job %s is stopped", args[0]) })
		},
	}
	c.Flags().StringVar(&req.Savepoint, "savepoint", "", "keep a savepoint of this name")
	return c
}

func (f *flags) jobsDelete() *cobra.Command {
	var yes bool
	c := &cobra.Command{
		Use: "delete NAME", Short: "Stop a job and forget it with its state and savepoints", Args: cobra.ExactArgs(1), ValidArgsFunction: f.jobNames(),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := confirm(cmd, yes, args[0], "The job's state and savepoints are lost."); err != nil {
				return err
			}
			if err := f.call(cmd.Context(), http.MethodDelete, path("jobs", args[0]), nil, nil, nil); err != nil {
				return err
			}
			return said(cmd.OutOrStdout(), "job %s is deleted", args[0])
		},
	}
	c.Flags().BoolVar(&yes, "yes", false, "do not ask")
	return c
}

func (f *flags) jobsValidate() *cobra.Command {
	var file string
	c := &cobra.Command{
		Use: "validate [NAME] -f FILE", Short: "Say what is wrong with statements, or whether a job's state fits them", Args: cobra.MaximumNArgs(1), ValidArgsFunction: f.jobNames(),
		RunE: func(cmd *cobra.Command, args []string) error {
			text, err := statements(cmd, file)
			if err != nil {
				return err
			}
			req := &jobv1.ValidateJobRequest{Sql: text}
			if len(args) > 0 {
				req.Job = args[0]
			}
			var res jobv1.ValidateJobResponse
			if err := f.call(cmd.Context(), http.MethodPost, path("jobs:validate"), nil, req, &res); err != nil {
				return err
			}
			if err := f.print(cmd.OutOrStdout(), &res, func(out io.Writer) error { return showVerdict(out, file, &res) }); err != nil {
				return err
			}
			if !res.GetValid() {
				return errors.New("the statements are not valid")
			}
			return nil
		},
	}
	c.Flags().StringVarP(&file, "file", "f", "", "file of statements; - for standard input")
	_ = c.MarkFlagRequired("file") // the flag is there
	return c
}

func showVerdict(out io.Writer, file string, res *jobv1.ValidateJobResponse) error {
	for _, p := range res.GetProblems() {
		at := file
		if p.GetLine() > 0 {
			at = fmt.Sprintf("%s:%d:%d", file, p.GetLine(), p.GetColumn())
		}
		if err := said(out, "%s: %s", at, cleanLines(p.GetMessage())); err != nil {
			return err
		}
		if p.GetHint() != "" {
			_ = said(out, "  hint: %s", cleanLines(p.GetHint())) // the next write tells
		}
	}
	if !res.GetValid() {
		return nil
	}
	if res.GetEffect() != jobv1.Effect_EFFECT_UNSPECIFIED {
		_ = said(out, "effect on the job's state: %s", strings.ToLower(short(res.GetEffect(), "EFFECT_")))
		for _, c := range res.GetChanges() {
			_ = said(out, "  %s: %s: %s", strings.ToLower(short(c.GetEffect(), "EFFECT_")), clean(c.GetOperator()), clean(c.GetReason()))
		}
		_ = said(out, "")
	}
	return said(out, "%s", strings.TrimSpace(cleanLines(res.GetPlan())))
}

func (f *flags) jobsVersions() *cobra.Command {
	var diff bool
	c := &cobra.Command{
		Use: "versions NAME", Short: "List how a job's statements were", Args: cobra.ExactArgs(1), ValidArgsFunction: f.jobNames(),
		RunE: func(cmd *cobra.Command, args []string) error {
			var res jobv1.ListJobVersionsResponse
			if err := f.get(cmd.Context(), path("jobs", args[0], "versions"), nil, &res); err != nil {
				return err
			}
			return f.print(cmd.OutOrStdout(), &res, func(out io.Writer) error {
				if diff {
					return showVersions(out, res.GetVersions())
				}
				t := newTable(out, "VERSION", "SINCE", "LINES")
				for _, v := range res.GetVersions() {
					t.row(strconv.FormatInt(v.GetVersion(), 10), f.ago(v.GetAt()), strconv.Itoa(strings.Count(v.GetSql(), "\n")+1))
				}
				return t.end()
			})
		},
	}
	c.Flags().BoolVar(&diff, "diff", false, "show what each version changed")
	return c
}

// showVersions prints what each version changed, the newest last.
func showVersions(out io.Writer, all []*jobv1.JobVersion) error {
	slices.Reverse(all)
	before := &jobv1.JobVersion{}
	for _, v := range all {
		if _, err := fmt.Fprint(out, unified(fmt.Sprintf("version %d", before.GetVersion()), fmt.Sprintf("version %d", v.GetVersion()), before.GetSql(), v.GetSql())); err != nil {
			return err
		}
		before = v
	}
	return nil
}

func said(out io.Writer, format string, args ...any) error {
	_, err := fmt.Fprintf(out, format+"\n", args...)
	return err
}
