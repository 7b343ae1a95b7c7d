package logpattern_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"
	"google.golang.org/protobuf/types/known/durationpb"

	alertv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/alert/v1"
	jobv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/job/v1"
	"github.com/weirflow/weirflow/services/alerting/internal/logpattern"
	"github.com/weirflow/weirflow/services/platform/kafka"
)

func policy(p *alertv1.LogPattern) *alertv1.Policy {
	if p.GetTopic() == "" {
		p.Topic = "topic-app-info"
	}
	return &alertv1.Policy{Name: "disk-full", Condition: &alertv1.Policy_LogPattern{LogPattern: p}}
}

func contains(text string) *alertv1.LogPattern {
	return &alertv1.LogPattern{Pattern: &alertv1.LogPattern_Contains{Contains: text}}
}

func TestStatements(t *testing.T) {
	counted := contains("disk's full")
	counted.By, counted.Count, counted.Within = []string{"host.name", "host.ip", "tag"}, 10, durationpb.New(2*time.Minute)
	labelled := policy(&alertv1.LogPattern{Field: "log.text", Pattern: &alertv1.LogPattern_Regexp{Regexp: `err\d+`}, By: []string{"host.name"}, ResolveAfter: durationpb.New(time.Hour)})
	labelled.Severity, labelled.Labels = "critical", map[string]string{"team": "ops's"}
	labelled.Annotations = map[string]string{"summary": "{{ $labels.host_name }} of {{$labels.team}}: {{ $line }}", "runbook_url": "https://example.com"}
	for name, tt := range map[string]struct {
		policy *alertv1.Policy
		wants  []string
	}{
		"a line": {policy(contains("x")), []string{
			"CREATE TABLE `lines` (`message` STRING) WITH ('connector' = 'kafka', 'topic' = 'topic-app-info', 'properties.bootstrap.servers' = 'k1:9092,k2:9092'", "'properties.sasl.password' = '******'",
			"CREATE TABLE `alerts` (`severity` STRING, `summary` STRING) WITH ('connector' = 'alert', 'alertname' = 'disk-full', 'resolve-after' = '300000 ms')",
			"INSERT INTO `alerts` SELECT 'warning', `weirflow_line` FROM (SELECT SUBSTRING(`message`, 1, 500) AS `weirflow_line` FROM `lines` WHERE POSITION('x' IN `message`) > 0);",
		}},
		"several by field": {policy(counted), []string{
			"(`host` ROW<`ip` STRING, `name` STRING>, `message` STRING, `tag` STRING, `weirflow_time` AS PROCTIME())", "POSITION('disk''s full' IN `message`) > 0",
			"PRIMARY KEY (`host_name`, `host_ip`, `tag`) NOT ENFORCED",
			"COUNT(*) OVER (PARTITION BY COALESCE(`host`.`name`, ''), COALESCE(`host`.`ip`, ''), COALESCE(`tag`, '') ORDER BY `weirflow_time` RANGE BETWEEN INTERVAL '120' SECOND(5) PRECEDING AND CURRENT ROW)",
			"WHERE `weirflow_count` >= 10;",
		}},
		"labels and annotations": {labelled, []string{
			"REGEXP(`log`.`text`, 'err\\d+')", "'labels' = 'team'", "'resolve-after' = '3600000 ms'", "`team` STRING", "'ops''s'",
			"`host_name` || ' of ' || 'ops''s' || ': ' || `weirflow_line`, 'https://example.com' FROM", "(`host_name` STRING, `severity` STRING, `team` STRING, `summary` STRING, `runbook_url` STRING, PRIMARY KEY",
		}},
	} {
		s, err := logpattern.New(tt.policy, kafka.Config{Brokers: []string{"k1:9092", "k2:9092"}, Username: "u", Password: "s3cret"})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for _, want := range tt.wants {
			if !strings.Contains(s.SQL(false), want) {
				t.Errorf("%s: %s\nlacks %s", name, s.SQL(false), want)
			}
		}
		if strings.Contains(s.SQL(false), "s3cret") || !strings.Contains(s.SQL(true), "s3cret") {
			t.Errorf("%s: the password is shown, or is missing where it is needed", name)
		}
	}
}

func TestPatternsThatAreRefused(t *testing.T) {
	with := func(f func(p *alertv1.Policy)) *alertv1.Policy {
		p := policy(contains("x"))
		f(p)
		return p
	}
	for want, p := range map[string]*alertv1.Policy{
		"one of contains and regexp": policy(&alertv1.LogPattern{}),
		"missing closing":            policy(&alertv1.LogPattern{Pattern: &alertv1.LogPattern_Regexp{Regexp: "("}}),
		"topic":                      policy(&alertv1.LogPattern{Topic: "a b", Pattern: &alertv1.LogPattern_Contains{Contains: "x"}}),
		"path of a field":            with(func(p *alertv1.Policy) { p.GetLogPattern().Field = "a`b" }),
		"there is one of this name":  with(func(p *alertv1.Policy) { p.GetLogPattern().By = []string{"a.b", "a_b"} }),
		"label \"severity\"":         with(func(p *alertv1.Policy) { p.GetLogPattern().By = []string{"severity"} }),
		"a text and an object":       with(func(p *alertv1.Policy) { p.GetLogPattern().By = []string{"message.x"} }),
		"within":                     with(func(p *alertv1.Policy) { p.GetLogPattern().Within = durationpb.New(time.Millisecond) }),
		"keep_firing_for":            with(func(p *alertv1.Policy) { p.For = durationpb.New(time.Minute) }),
		"{{ $labels.none }}":         with(func(p *alertv1.Policy) { p.Annotations = map[string]string{"summary": "{{ $labels.none }}"} }),
		"is not closed":              with(func(p *alertv1.Policy) { p.Annotations = map[string]string{"summary": "{{ $value"} }),
		"count is negative":          with(func(p *alertv1.Policy) { p.GetLogPattern().Count = -1 }),
	} {
		if _, err := logpattern.New(p, kafka.Config{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one about %q", err, want)
		}
	}
}

// jobs is a service of jobs that notes its calls.
type jobs struct {
	jobv1.UnimplementedJobServiceServer
	calls []string
	fail  error
}

func (j *jobs) CreateJob(_ context.Context, r *jobv1.CreateJobRequest) (*jobv1.CreateJobResponse, error) {
	j.calls = append(j.calls, "create "+r.GetName())
	if r.GetStart() && r.GetReplace() && strings.Contains(r.GetSql(), "s3cret") {
		j.calls = append(j.calls, "start")
	}
	return &jobv1.CreateJobResponse{}, j.fail
}

func (j *jobs) StopJob(_ context.Context, r *jobv1.StopJobRequest) (*jobv1.StopJobResponse, error) {
	j.calls = append(j.calls, "stop "+r.GetName())
	return &jobv1.StopJobResponse{}, j.fail
}

func (j *jobs) DeleteJob(_ context.Context, r *jobv1.DeleteJobRequest) (*jobv1.DeleteJobResponse, error) {
	j.calls = append(j.calls, "delete "+r.GetName())
	return &jobv1.DeleteJobResponse{}, j.fail
}

func TestJobsOfPolicies(t *testing.T) {
	service := &jobs{}
	g := grpc.NewServer()
	jobv1.RegisterJobServiceServer(g, service)
	l := bufconn.Listen(1 << 20)
	go func() { _ = g.Serve(l) }()
	defer g.Stop()
	conn, err := grpc.NewClient("passthrough:///jobs", grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return l.DialContext(ctx) }), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	j := logpattern.NewJobs(conn, kafka.Config{Brokers: []string{"k:9092"}, Username: "u", Password: "s3cret"})
	p := policy(contains("x"))
	off := policy(contains("x"))
	off.Disabled = true
	if err := errors.Join(j.Put(t.Context(), p), j.Put(t.Context(), off), j.Delete(t.Context(), "disk-full")); err != nil {
		t.Fatal(err)
	}
	if got, want := strings.Join(service.calls, ","), "create policy-disk-full,start,create policy-disk-full,stop policy-disk-full,delete policy-disk-full"; got != want {
		t.Errorf("calls %s", got)
	}
	service.fail = status.Error(codes.NotFound, "there is none")
	if err := j.Delete(t.Context(), "disk-full"); err != nil {
		t.Errorf("a job that is not there: %v", err)
	}
	service.fail = status.Error(codes.InvalidArgument, "line 1")
	if err := j.Put(t.Context(), p); !errors.Is(err, logpattern.ErrPattern) || !strings.Contains(err.Error(), "line 1") {
		t.Errorf("error %v", err)
	}
	service.fail = status.Error(codes.Unavailable, "away")
	if err := errors.Join(j.Put(t.Context(), p)); err == nil || errors.Is(err, logpattern.ErrPattern) {
		t.Errorf("error %v", err)
	}
	none := logpattern.NewJobs(nil, kafka.Config{})
	if err := none.Put(t.Context(), p); !errors.Is(err, logpattern.ErrNoJobs) {
		t.Errorf("error %v", err)
	}
}
