package shipped_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/promql/promqltest"
	"github.com/prometheus/prometheus/rules"

	"github.com/weirflow/weirflow/services/alerting/internal/shipped"
)

// unitTest is a test in promtool's form.
type unitTest struct {
	Name     string
	Interval model.Duration
	Series   []struct{ Series, Values string } `yaml:"input_series"`
	Alerts   []struct {
		At       model.Duration `yaml:"eval_time"`
		Name     string         `yaml:"alertname"`
		Expected []struct {
			Labels      map[string]string `yaml:"exp_labels"`
			Annotations map[string]string `yaml:"exp_annotations"`
		} `yaml:"exp_alerts"`
	} `yaml:"alert_rule_test"`
}

func groups(t *testing.T) *rulefmt.RuleGroups {
	t.Helper()
	g, errs := rulefmt.Parse(shipped.Rules, false, model.UTF8Validation, parser.NewParser(parser.Options{}), slog.New(slog.DiscardHandler))
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	return g
}

// TestRules runs the unit tests, which promtool runs, too.
func TestRules(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("testdata", "weirflow.test.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Tests []unitTest }
	if err := yaml.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	tested := make(map[string]bool)
	for _, u := range file.Tests {
		for _, a := range u.Alerts {
			tested[a.Name] = tested[a.Name] || len(a.Expected) > 0
		}
		t.Run(u.Name, func(t *testing.T) { run(t, u) })
	}
	for _, g := range groups(t).Groups {
		for _, r := range g.Rules {
			if !tested[r.Alert] {
				t.Errorf("no test has %s fire", r.Alert)
			}
		}
	}
}

func run(t *testing.T, u unitTest) {
	var load strings.Builder
	fmt.Fprintf(&load, "load %s\n", u.Interval)
	for _, s := range u.Series {
		fmt.Fprintf(&load, "  %s %s\n", s.Series, s.Values)
	}
	store := promqltest.LoadedStorage(t, load.String())
	engine := promqltest.NewTestEngine(t, false, 0, promqltest.DefaultMaxSamplesPerQuery)
	m := rules.NewManager(&rules.ManagerOptions{
		ExternalURL: &url.URL{}, QueryFunc: rules.EngineQueryFunc(engine, store), Context: t.Context(), AppendableV2: store, Queryable: store,
		Logger: slog.New(slog.DiscardHandler), NotifyFunc: func(context.Context, string, ...*rules.Alert) {}, Parser: parser.NewParser(parser.Options{}),
	})
	loaded, errs := m.LoadGroups(time.Minute, labels.EmptyLabels(), "", nil, false, "weirflow.rules.yaml")
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	last := time.Duration(0)
	for _, a := range u.Alerts {
		last = max(last, time.Duration(a.At))
	}
	for at := time.Duration(0); at <= last; at += time.Minute {
		now := time.Unix(0, 0).UTC().Add(at)
		firing := make(map[string][]string)
		for _, g := range loaded {
			g.Eval(t.Context(), now)
			for _, r := range g.AlertingRules() {
				for _, a := range r.ActiveAlerts() {
					if a.State == rules.StateFiring {
						firing[r.Name()] = append(firing[r.Name()], shown(withoutName(a.Labels.Map()))+shown(a.Annotations.Map()))
					}
				}
				if err := r.LastError(); err != nil {
					t.Fatalf("%s: %v", r.Name(), err)
				}
			}
		}
		for _, a := range u.Alerts {
			if time.Duration(a.At) != at {
				continue
			}
			want := make([]string, 0, len(a.Expected))
			for _, e := range a.Expected {
				want = append(want, shown(e.Labels)+shown(e.Annotations))
			}
			got := firing[a.Name]
			slices.Sort(got)
			slices.Sort(want)
			if !slices.Equal(got, want) {
				t.Errorf("%s at %v:\n got %q\nwant %q", a.Name, at, got, want)
			}
		}
	}
}

func withoutName(m map[string]string) map[string]string {
	delete(m, model.AlertNameLabel)
	return m
}

func shown(m map[string]string) string { return labels.FromMap(m).String() }

// TestEachRuleTellsWhatToDo: each has a severity, a summary, a description, and a page.
func TestEachRuleTellsWhatToDo(t *testing.T) {
	for _, g := range groups(t).Groups {
		for _, r := range g.Rules {
			if s := r.Labels["severity"]; s != "critical" && s != "warning" {
				t.Errorf("%s: severity %q", r.Alert, s)
			}
			for _, a := range []string{"summary", "description", "runbook_url"} {
				if r.Annotations[a] == "" {
					t.Errorf("%s has no %s", r.Alert, a)
				}
			}
			_, page, ok := strings.Cut(r.Annotations["runbook_url"], "/blob/main/")
			text, err := os.ReadFile(filepath.Join("..", "..", "..", "..", page))
			if !ok || err != nil {
				t.Errorf("%s: the page %q: %v", r.Alert, page, err)
				continue
			}
			if !regexp.MustCompile(`\b` + r.Alert + `\b`).Match(text) {
				t.Errorf("%s: its page %s does not name it", r.Alert, page)
			}
		}
	}
}
