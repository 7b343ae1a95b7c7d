package policy_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"google.golang.org/protobuf/types/known/durationpb"

	alertv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/alert/v1"
	"github.com/weirflow/weirflow/services/alerting/internal/logpattern"
	"github.com/weirflow/weirflow/services/alerting/internal/metrics"
	"github.com/weirflow/weirflow/services/alerting/internal/policy"
	"github.com/weirflow/weirflow/services/platform/kafka"
	"github.com/weirflow/weirflow/services/platform/kafka/kafkatest"
)

func engine(t *testing.T) *metrics.Engine {
	t.Helper()
	e, err := metrics.New(metrics.Config{Dir: t.TempDir(), Retention: 60 * 24 * time.Hour, QueryTimeout: time.Minute, ScrapeInterval: time.Second, EvaluationInterval: 100 * time.Millisecond},
		metrics.Deps{Logger: slog.New(slog.DiscardHandler), Registry: prometheus.NewRegistry()})
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
	return e
}

// book runs a book of policies; what ends it is registered.
func book(t *testing.T, cfg kafka.Config, e *metrics.Engine) *policy.Book {
	t.Helper()
	b, err := policy.NewBook(cfg, e, logpattern.NewJobs(nil, cfg), time.Now, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- b.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	select {
	case <-b.Ready():
	case <-time.After(20 * time.Second):
		t.Fatal("the policies are not known after 20 s")
	}
	return b
}

// fill writes a sample every minute of the time that ends now, of values by age.
func fill(t *testing.T, e *metrics.Engine, now time.Time, age time.Duration, series map[string]func(age time.Duration) float64) {
	t.Helper()
	app := e.Appender(t.Context())
	for a := age; a >= 0; a -= time.Minute {
		for name, value := range series {
			if _, err := app.Append(0, labels.FromStrings("__name__", name, "host", "web1"), 0, now.Add(-a).UnixMilli(), value(a), nil, nil, storage.AppendV2Options{}); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := app.Commit(); err != nil {
		t.Fatal(err)
	}
}

func threshold(series string, c alertv1.Comparison, value float64) *alertv1.Policy {
	return &alertv1.Policy{Name: "p", Condition: &alertv1.Policy_Threshold{Threshold: &alertv1.Threshold{Series: series, Comparison: c, Value: value}}}
}

func TestWhatPoliciesAskFor(t *testing.T) {
	b := book(t, kafkatest.Start(t), engine(t))
	above := alertv1.Comparison_COMPARISON_ABOVE
	for name, tt := range map[string]struct {
		policy *alertv1.Policy
		want   string // of the query, or of the error
	}{
		"PromQL":    {&alertv1.Policy{Name: "p", Condition: &alertv1.Policy_Promql{Promql: &alertv1.PromQL{Expr: "up == 0"}}}, "up == 0"},
		"threshold": {threshold(`lag{job="a"}`, above, 100), `last_over_time(lag{job="a"}[5m]) > 100`},
		"of a sum": {&alertv1.Policy{Name: "p", Condition: &alertv1.Policy_Threshold{Threshold: &alertv1.Threshold{Series: "n", Function: "rate", Window: durationpb.New(time.Minute),
			Comparison: alertv1.Comparison_COMPARISON_AT_MOST, Value: 0.5, By: []string{"job", "host"}}}}, "sum by (job, host) (rate(n[1m])) <= 0.5"},
		"absence": {&alertv1.Policy{Name: "p", Condition: &alertv1.Policy_Absence{Absence: &alertv1.Absence{Series: `up{job="a"}`}}}, `absent_over_time(up{job="a"}[5m])`},
		"ratio": {&alertv1.Policy{Name: "p", Condition: &alertv1.Policy_Ratio{Ratio: &alertv1.Ratio{Part: "bad", Whole: "all", Comparison: above, Value: 0.05, By: []string{"job"}}}},
			"sum by (job) (rate(bad[5m])) / sum by (job) (rate(all[5m])) > 0.05"},
		"anomaly":          {&alertv1.Policy{Name: "p", Condition: &alertv1.Policy_Anomaly{Anomaly: &alertv1.Anomaly{Series: "n", Days: 2}}}, "offset 2d"},
		"no condition":     {&alertv1.Policy{Name: "p"}, "one of promql, threshold"},
		"no name":          {threshold("", above, 1), "series"},
		"bad name":         {&alertv1.Policy{Name: "a b", Condition: &alertv1.Policy_Promql{Promql: &alertv1.PromQL{Expr: "up"}}}, `"a b"`},
		"broken query":     {&alertv1.Policy{Name: "p", Condition: &alertv1.Policy_Promql{Promql: &alertv1.PromQL{Expr: "up ="}}}, "unexpected"},
		"a text":           {&alertv1.Policy{Name: "p", Condition: &alertv1.Policy_Promql{Promql: &alertv1.PromQL{Expr: `"up"`}}}, "instant vector"},
		"not a series":     {threshold("rate(n[5m])", above, 1), "does not select series"},
		"a query as a way": {threshold("up or vector(1)", above, 1), "does not select series"},
		"no comparison":    {threshold("up", 0, 1), "comparison is missing"},
		"unknown function": {&alertv1.Policy{Name: "p", Condition: &alertv1.Policy_Threshold{Threshold: &alertv1.Threshold{Series: "n", Function: "average", Comparison: above}}}, `"average" is not known`},
		"label of its own": {&alertv1.Policy{Name: "p", Labels: map[string]string{"severity": "x"}, Condition: &alertv1.Policy_Promql{Promql: &alertv1.PromQL{Expr: "up"}}}, `"severity" cannot be given`},
		"broken template":  {&alertv1.Policy{Name: "p", Annotations: map[string]string{"summary": "{{ $labels.host"}, Condition: &alertv1.Policy_Promql{Promql: &alertv1.PromQL{Expr: "up"}}}, "template"},
		"too many days":    {&alertv1.Policy{Name: "p", Condition: &alertv1.Policy_Anomaly{Anomaly: &alertv1.Anomaly{Series: "n", Days: 31}}}, "days must be 2 to 30"},
	} {
		t.Run(name, func(t *testing.T) {
			_, expr, err := b.Put(t.Context(), tt.policy)
			if err != nil {
				if expr = err.Error(); !errors.Is(err, policy.ErrPolicy) {
					t.Error("the error is not one about the policy")
				}
			}
			if !strings.Contains(expr, tt.want) {
				t.Errorf("got %q, want %q", expr, tt.want)
			}
		})
	}
}

func TestWhenAPolicyWouldHaveFired(t *testing.T) {
	e := engine(t)
	b := book(t, kafkatest.Start(t), e)
	now := time.Now().Truncate(time.Minute)
	minute := func(n int) time.Time { return now.Add(-time.Duration(n) * time.Minute) }
	// Above 10 from 40 to 31 minutes ago, for a moment at 20, and from 5 minutes ago on.
	fill(t, e, now, time.Hour, map[string]func(time.Duration) float64{"depth": func(a time.Duration) float64 {
		m := int(a / time.Minute)
		if m <= 40 && m >= 31 || m == 20 || m <= 5 {
			return 20
		}
		return 1
	}})
	p := threshold("depth", alertv1.Comparison_COMPARISON_ABOVE, 10)
	p.Condition.(*alertv1.Policy_Threshold).Threshold.Window = durationpb.New(time.Minute)
	p.For = durationpb.New(2 * time.Minute)
	_, all, _, err := b.Past(t.Context(), p, minute(60), now)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, x := range all {
		to := "on"
		if x.GetTo() != nil {
			to = strconv.Itoa(int(now.Sub(x.GetTo().AsTime()).Round(time.Minute).Minutes()))
		}
		got = append(got, fmt.Sprintf("%s %s from %d to %s, %v", x.GetLabels()["host"], x.GetLabels()["severity"], int(now.Sub(x.GetFrom().AsTime()).Round(time.Minute).Minutes()), to, x.GetValue()))
	}
	if want := "web1 warning from 38 to 30, 20; web1 warning from 3 to on, 20"; strings.Join(got, "; ") != want {
		t.Errorf("got %s, want %s", strings.Join(got, "; "), want)
	}
	if _, _, _, err := b.Past(t.Context(), p, now, minute(60)); !errors.Is(err, policy.ErrPolicy) {
		t.Errorf("times the wrong way round: %v", err)
	}
}

// TestAnomalies has four days of the same course, and today three times as much.
func TestAnomalies(t *testing.T) {
	e := engine(t)
	b := book(t, kafkatest.Start(t), e)
	now := time.Now().Truncate(time.Minute)
	course := func(a time.Duration) float64 {
		day := int(a / (24 * time.Hour))
		return 100 + 50*float64((a%(24*time.Hour))/(6*time.Hour)) + float64(day)
	}
	fill(t, e, now, 4*24*time.Hour, map[string]func(time.Duration) float64{"steady": course, "sudden": func(a time.Duration) float64 {
		if a <= 30*time.Minute {
			return 3 * course(a)
		}
		return course(a)
	}})
	fill(t, e, now, 20*time.Minute, map[string]func(time.Duration) float64{"fresh": course})
	for series, want := range map[string]int{"steady": 0, "sudden": 1, "fresh": 0} {
		p := &alertv1.Policy{Name: "p", Condition: &alertv1.Policy_Anomaly{Anomaly: &alertv1.Anomaly{Series: series, Window: durationpb.New(10 * time.Minute), AtLeast: 10}}}
		_, all, _, err := b.Past(t.Context(), p, now.Add(-time.Hour), now)
		if err != nil {
			t.Fatal(err)
		}
		if len(all) != want {
			t.Errorf("%s: %d episodes, want %d", series, len(all), want)
		}
	}
}

func TestPoliciesAreKeptAndEvaluated(t *testing.T) {
	cfg, e := kafkatest.Start(t), engine(t)
	var seen *policy.Book
	t.Run("put", func(t *testing.T) {
		b := book(t, cfg, engine(t))
		for _, name := range []string{"always", "never", "off"} {
			expr := "vector(1)"
			if name == "never" {
				expr = "vector(1) > 2"
			}
			if _, _, err := b.Put(t.Context(), &alertv1.Policy{Name: name, Disabled: name == "off", Condition: &alertv1.Policy_Promql{Promql: &alertv1.PromQL{Expr: expr}}}); err != nil {
				t.Fatal(err)
			}
		}
	})
	seen = book(t, cfg, e)
	if all := seen.List(); len(all) != 3 || all[0].GetName() != "always" || all[0].GetUpdatedAt() == nil {
		t.Fatalf("policies %v", all)
	}
	active := func() string {
		var names []string
		for _, a := range e.Alerts() {
			names = append(names, a.Labels.Get("alertname"))
		}
		return strings.Join(names, ",")
	}
	for end := time.Now().Add(20 * time.Second); active() != "always" && time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
	}
	if active() != "always" {
		t.Errorf("alerts %q", active())
	}
	if err := seen.Delete(t.Context(), "always"); err != nil {
		t.Fatal(err)
	}
	if _, _, err := seen.Get("always"); !errors.Is(err, policy.ErrNotFound) {
		t.Errorf("error %v", err)
	}
	if err := seen.Delete(t.Context(), "always"); !errors.Is(err, policy.ErrNotFound) {
		t.Errorf("error %v", err)
	}
	for end := time.Now().Add(20 * time.Second); active() != "" && time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
	}
	if active() != "" {
		t.Errorf("alerts %q of a policy that is gone", active())
	}
}
