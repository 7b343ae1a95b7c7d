package cli

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	alertv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/alert/v1"
	dashboardv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/dashboard/v1"
	jobv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/job/v1"
	topicv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/topic/v1"
)

func fine(context.Context, *resource, bool) (string, error) { return "", nil }

func (f *flags) jobKind() *kind {
	return &kind{
		name: "job",
		live: func(ctx context.Context) (map[string]string, error) {
			all, err := f.jobs(ctx)
			out := map[string]string{}
			for _, j := range all.GetJobs() {
				out[j.GetName()] = settingsText(j.GetParameters()) + withoutSecrets(j.GetSql())
			}
			return out, err
		},
		check: f.checkJob,
		remove: func(ctx context.Context, name string) error {
			return f.call(ctx, http.MethodDelete, path("jobs", name), nil, nil, nil)
		},
	}
}

// settingsText is a job's parameters as statements, which is how files give them.
func settingsText(p map[string]string) string {
	var b strings.Builder
	for _, k := range slices.Sorted(maps.Keys(p)) {
		fmt.Fprintf(&b, "SET '%s' = '%s';\n", k, p[k])
	}
	return b.String()
}

func (f *flags) jobOf(name, file, text string) (*resource, error) {
	sql, hide, err := f.expand(file, text)
	if err != nil {
		return nil, err
	}
	return &resource{kind: "job", name: name, text: withoutSecrets(hide(sql)), put: func(ctx context.Context) error {
		return f.call(ctx, http.MethodPost, path("jobs"), nil, &jobv1.CreateJobRequest{Name: name, Sql: sql, Start: true, Replace: true}, &jobv1.CreateJobResponse{})
	}, source: sql, file: file}, nil
}

// checkJob has the server look at statements, and says what becomes of the job's state.
func (f *flags) checkJob(ctx context.Context, r *resource, there bool) (string, error) {
	req := &jobv1.ValidateJobRequest{Sql: r.source}
	if there {
		req.Job = r.name
	}
	var res jobv1.ValidateJobResponse
	if err := f.call(ctx, http.MethodPost, path("jobs:validate"), nil, req, &res); err != nil {
		return "", err
	}
	var faults []error
	for _, p := range res.GetProblems() {
		text := fmt.Sprintf("%s:%d:%d: %s", r.file, p.GetLine(), p.GetColumn(), cleanLines(p.GetMessage()))
		if p.GetHint() != "" {
			text += " (" + cleanLines(p.GetHint()) + ")"
		}
		faults = append(faults, errors.New(text))
	}
	if !there || res.GetEffect() == jobv1.Effect_EFFECT_UNSPECIFIED {
		return "", errors.Join(faults...)
	}
	note := []string{"state: " + strings.ToLower(short(res.GetEffect(), "EFFECT_"))}
	for _, c := range res.GetChanges() {
		note = append(note, c.GetOperator()+": "+c.GetReason())
	}
	return strings.Join(note, "\n"), errors.Join(faults...)
}

func (f *flags) policyKind() *kind {
	return &kind{
		name: "policy",
		live: func(ctx context.Context) (map[string]string, error) {
			all, err := f.policies(ctx)
			if err != nil {
				return nil, err
			}
			return texts(all.GetPolicies(), policySpec)
		},
		check: fine,
		remove: func(ctx context.Context, name string) error {
			return f.call(ctx, http.MethodDelete, path("policies", name), nil, nil, nil)
		},
	}
}

// texts describes messages by name.
func texts[M interface {
	proto.Message
	GetName() string
}](all []M, spec func(M) M) (map[string]string, error) {
	out := map[string]string{}
	for _, m := range all {
		text, err := asYAML(spec(m))
		if err != nil {
			return nil, err
		}
		out[m.GetName()] = text
	}
	return out, nil
}

func (f *flags) policyOf(name, file, text string) (*resource, error) {
	p := &alertv1.Policy{}
	if err := f.message(file, text, p); err != nil {
		return nil, err
	}
	if p.Name = orFile(p.GetName(), name); p.GetName() != name {
		return nil, fmt.Errorf("%s: the policy is called %q; file and policy have one name", file, p.GetName())
	}
	shown, err := asYAML(policySpec(p))
	return &resource{kind: "policy", name: name, text: shown, file: file, put: func(ctx context.Context) error {
		return f.call(ctx, http.MethodPut, path("policies", name), nil, p, &alertv1.PutPolicyResponse{})
	}}, err
}

func orFile(name, file string) string {
	if name == "" {
		return file
	}
	return name
}

// message reads a message of the API from a file.
func (f *flags) message(file, text string, m proto.Message) error {
	expanded, _, err := f.expand(file, text)
	if err != nil {
		return err
	}
	return fromYAML(file, []byte(expanded), m)
}

func (f *flags) dashboardKind() *kind {
	return &kind{
		name: "dashboard",
		live: func(ctx context.Context) (map[string]string, error) {
			var list dashboardv1.ListDashboardsResponse
			if err := f.get(ctx, path("dashboards"), nil, &list); err != nil {
				return nil, err
			}
			var own []*dashboardv1.Dashboard
			for _, d := range list.GetDashboards() {
				if d.GetShipped() {
					continue
				}
				var res dashboardv1.GetDashboardResponse
				if err := f.get(ctx, path("dashboards", d.GetName()), nil, &res); err != nil {
					return nil, err
				}
				own = append(own, res.GetDashboard())
			}
			return texts(own, dashboardSpec)
		},
		check: fine,
		remove: func(ctx context.Context, name string) error {
			return f.call(ctx, http.MethodDelete, path("dashboards", name), nil, nil, nil)
		},
	}
}

// dashboardSpec is a dashboard without what the server adds.
func dashboardSpec(d *dashboardv1.Dashboard) *dashboardv1.Dashboard {
	c, _ := proto.Clone(d).(*dashboardv1.Dashboard)
	c.Version, c.UpdatedAt, c.UpdatedBy, c.Shipped = 0, nil, "", false
	return c
}

func (f *flags) dashboardOf(name, file, text string) (*resource, error) {
	d := &dashboardv1.Dashboard{}
	if err := f.message(file, text, d); err != nil {
		return nil, err
	}
	if d.Name = orFile(d.GetName(), name); d.GetName() != name {
		return nil, fmt.Errorf("%s: the dashboard is called %q; file and dashboard have one name", file, d.GetName())
	}
	shown, err := asYAML(dashboardSpec(d))
	return &resource{kind: "dashboard", name: name, text: shown, file: file, put: func(ctx context.Context) error {
		var old dashboardv1.GetDashboardResponse
		if err := f.get(ctx, path("dashboards", name), nil, &old); err == nil {
			d.Version = old.GetDashboard().GetVersion()
		}
		return f.call(ctx, http.MethodPut, path("dashboards", name), nil, d, &dashboardv1.PutDashboardResponse{})
	}}, err
}

func (f *flags) topicKind() *kind {
	return &kind{
		name: "topic",
		live: func(ctx context.Context) (map[string]string, error) {
			all, err := f.topics(ctx, false)
			out := map[string]string{}
			for _, t := range all.GetTopics() {
				out[t.GetName()] = fmt.Sprintf("partitions: %d\n", len(t.GetPartitions()))
			}
			return out, err
		},
		check: func(_ context.Context, r *resource, there bool) (string, error) {
			if there {
				return "", errors.New("the partitions of a topic can't be changed here: make another topic, or use Kafka's own tools")
			}
			return "", nil
		},
	}
}

func (f *flags) topicOf(name, file, text string) (*resource, error) {
	req := &topicv1.CreateTopicRequest{}
	if err := f.message(file, text, req); err != nil {
		return nil, err
	}
	req.Topic = orFile(req.GetTopic(), name)
	if req.GetPartitions() == 0 {
		req.Partitions = 1
	}
	return &resource{kind: "topic", name: req.GetTopic(), file: file, text: fmt.Sprintf("partitions: %d\n", req.GetPartitions()), put: func(ctx context.Context) error {
		return f.call(ctx, http.MethodPost, path("topics"), nil, req, &topicv1.CreateTopicResponse{})
	}}, nil
}
