package explore_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	metricv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/metric/v1"
	"github.com/weirflow/weirflow/services/alerting/internal/explore"
	"github.com/weirflow/weirflow/services/alerting/internal/metrics"
)

// now is the time of the questions: all samples are before it.
func server(t *testing.T, targets ...string) (explore.Server, *metrics.Engine, time.Time) {
	t.Helper()
	e, err := metrics.New(metrics.Config{Dir: t.TempDir(), Retention: 24 * time.Hour, QueryTimeout: time.Minute, ScrapeInterval: 100 * time.Millisecond, EvaluationInterval: time.Second,
		Targets: map[string][]string{"ingest": targets}}, metrics.Deps{Logger: slog.New(slog.DiscardHandler), Registry: prometheus.NewRegistry()})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- e.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	now := time.Now().Truncate(time.Second)
	app := e.Appender(t.Context())
	for age := 10 * time.Minute; age >= 0; age -= time.Minute {
		for i, host := range []string{"web1", "web2", "web3"} {
			if _, err := app.Append(0, labels.FromStrings("__name__", "depth", "host", host), 0, now.Add(-age).UnixMilli(), float64(i)+1, nil, nil, storage.AppendV2Options{}); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := app.Commit(); err != nil {
		t.Fatal(err)
	}
	return explore.Server{Source: e, Now: func() time.Time { return now }, Timeout: time.Minute}, e, now
}

func text(all []*metricv1.Series) string {
	var out []string
	for _, s := range all {
		values := make([]string, len(s.GetSamples()))
		for i, p := range s.GetSamples() {
			values[i] = fmt.Sprint(p.GetValue())
		}
		out = append(out, s.GetLabels()["host"]+":"+strings.Join(values, " "))
	}
	return strings.Join(out, ";")
}

func TestQueries(t *testing.T) {
	s, _, now := server(t)
	for name, tt := range map[string]struct {
		req        *metricv1.QueryRequest
		kind, want string
	}{
		"vector":      {&metricv1.QueryRequest{Expr: "depth > 1"}, "vector", "web2:2;web3:3"},
		"scalar":      {&metricv1.QueryRequest{Expr: "1 + 1"}, "scalar", ":2"},
		"matrix":      {&metricv1.QueryRequest{Expr: `depth{host="web1"}[2m]`}, "matrix", "web1:1 1"},
		"text":        {&metricv1.QueryRequest{Expr: `"x"`}, "string", ""},
		"not a value": {&metricv1.QueryRequest{Expr: "0 / 0"}, "scalar", ":NaN"},
		"at a time":   {&metricv1.QueryRequest{Expr: "depth", Time: timestamppb.New(now.Add(-time.Hour))}, "vector", ""},
		"bounded":     {&metricv1.QueryRequest{Expr: "depth", Limit: 2}, "vector", "web1:1;web2:2"},
	} {
		res, err := s.Query(t.Context(), tt.req)
		if err != nil || res.GetResultType() != tt.kind || text(res.GetSeries()) != tt.want {
			t.Errorf("%s: %s %q (%v)", name, res.GetResultType(), text(res.GetSeries()), err)
		}
		if warned := len(res.GetWarnings()) > 0; warned != (name == "bounded") {
			t.Errorf("%s: warnings %v", name, res.GetWarnings())
		}
	}
	res, err := s.QueryRange(t.Context(), &metricv1.QueryRangeRequest{Expr: "sum(depth)", Start: timestamppb.New(now.Add(-2 * time.Minute)), Step: durationpb.New(time.Minute)})
	if err != nil || text(res.GetSeries()) != ":6 6 6" || !res.GetSeries()[0].GetSamples()[2].GetTime().AsTime().Equal(now) {
		t.Errorf("%v (%v)", res, err)
	}
	res, err = s.QueryRange(t.Context(), &metricv1.QueryRangeRequest{Expr: "sum(depth)", Start: timestamppb.New(now.Add(-5000 * time.Second))})
	if err != nil || res.GetStep().AsDuration() != 20*time.Second {
		t.Errorf("step %v (%v)", res.GetStep().AsDuration(), err)
	}
}

func TestWhatIsRefused(t *testing.T) {
	s, _, now := server(t)
	span := func(d, step time.Duration) *metricv1.QueryRangeRequest {
		return &metricv1.QueryRangeRequest{Expr: "depth", Start: timestamppb.New(now.Add(-d)), Step: durationpb.New(step)}
	}
	for name, tt := range map[string]struct {
		call func(ctx context.Context) error
		code codes.Code
		want string
	}{
		"no query": {func(ctx context.Context) error { _, err := s.Query(ctx, &metricv1.QueryRequest{}); return err }, codes.InvalidArgument, "expr is required"},
		"broken": {func(ctx context.Context) error {
			_, err := s.Query(ctx, &metricv1.QueryRequest{Expr: "sum("})
			return err
		}, codes.InvalidArgument, "parse error"},
		"cannot be evaluated": {func(ctx context.Context) error {
			_, err := s.Query(ctx, &metricv1.QueryRequest{Expr: `label_replace(depth, "host", "x", "", "")`})
			return err
		}, codes.InvalidArgument, "same labelset"},
		"no start": {func(ctx context.Context) error {
			_, err := s.QueryRange(ctx, &metricv1.QueryRangeRequest{Expr: "depth"})
			return err
		}, codes.InvalidArgument, "start is required"},
		"too many": {func(ctx context.Context) error {
			_, err := s.QueryRange(ctx, span(11_001*time.Second, time.Second))
			return err
		}, codes.InvalidArgument, "11000 steps"},
		"backwards": {func(ctx context.Context) error {
			_, err := s.QueryRange(ctx, span(-time.Hour, time.Second))
			return err
		}, codes.InvalidArgument, "before start"},
		"no step": {func(ctx context.Context) error { _, err := s.QueryRange(ctx, span(time.Hour, 0)); return err }, codes.InvalidArgument, "step"},
		"no label": {func(ctx context.Context) error {
			_, err := s.ListLabelValues(ctx, &metricv1.ListLabelValuesRequest{})
			return err
		}, codes.InvalidArgument, "label"},
		"bad selector": {func(ctx context.Context) error {
			_, err := s.ListLabelValues(ctx, &metricv1.ListLabelValuesRequest{Label: "host", Match: "{"})
			return err
		}, codes.InvalidArgument, "parse error"},
		"too slow": {func(ctx context.Context) error {
			_, err := s.Query(ctx, &metricv1.QueryRequest{Expr: "depth", Timeout: durationpb.New(time.Nanosecond)})
			return err
		}, codes.DeadlineExceeded, "too long"},
	} {
		if err := tt.call(t.Context()); status.Code(err) != tt.code || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := s.QueryRange(t.Context(), span(11_000*time.Second, time.Second)); err != nil {
		t.Errorf("11,000 steps: %v", err)
	}
}

func TestWhatThereIs(t *testing.T) {
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "# HELP jobs_total Jobs begun.\n# TYPE jobs_total counter\njobs_total 4\n# HELP took_seconds How long.\n# TYPE took_seconds histogram\ntook_seconds_bucket{le=\"+Inf\"} 1\ntook_seconds_sum 1\ntook_seconds_count 1\n")
	}))
	defer target.Close()
	s, _, _ := server(t, strings.TrimPrefix(target.URL, "http://"))
	list := func(match string, limit int32) string {
		t.Helper()
		res, err := s.ListMetrics(t.Context(), &metricv1.ListMetricsRequest{Match: match, Limit: limit})
		if err != nil {
			t.Fatal(err)
		}
		var out []string
		for _, m := range res.GetMetrics() {
			out = append(out, m.GetName()+","+m.GetType()+","+m.GetHelp())
		}
		return strings.Join(append(out, res.GetWarnings()...), ";")
	}
	want := "took_seconds_bucket,histogram,How long.;took_seconds_count,histogram,How long.;took_seconds_sum,histogram,How long."
	for end := time.Now().Add(20 * time.Second); list("took", 0) != want; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("metrics %s", list("took", 0))
		}
	}
	for match, want := range map[string]string{"jobs": "jobs_total,counter,Jobs begun.", "depth": "depth,,", "d.p": ""} {
		if got := list(match, 0); got != want {
			t.Errorf("metrics of %q: %s", match, got)
		}
	}
	if got := list("took", 1); !strings.HasPrefix(got, "took_seconds_bucket,histogram,How long.;there are more than 1 metrics") {
		t.Errorf("metrics %s", got)
	}
	for _, tt := range []struct {
		req  *metricv1.ListLabelValuesRequest
		want string
	}{
		{&metricv1.ListLabelValuesRequest{Label: "host"}, "[web1 web2 web3] 0"},
		{&metricv1.ListLabelValuesRequest{Label: "host", Match: `depth{host!="web2"}`}, "[web1 web3] 0"},
		{&metricv1.ListLabelValuesRequest{Label: "host", Limit: 2}, "[web1 web2] 1"},
		{&metricv1.ListLabelValuesRequest{Label: "none"}, "[] 0"},
	} {
		res, err := s.ListLabelValues(t.Context(), tt.req)
		if got := fmt.Sprint(res.GetValues(), " ", len(res.GetWarnings())); err != nil || got != tt.want {
			t.Errorf("%v: %s (%v)", tt.req, got, err)
		}
	}
}
