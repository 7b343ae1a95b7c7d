package metrics

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/rules"
)

const (
	// outage is for how long alerting may have been down for the time that an alert
	// was pending to count still; grace the least that it then waits: Prometheus's.
	outage = time.Hour
	grace  = 10 * time.Minute
	// resend is how often an alert that goes on is told again.
	resend = time.Minute
	// held begins the names of rule groups that are not in files.
	held = "weirflow:"
	// shipped begins those of the ones that come with Weirflow.
	shipped = "shipped:"
)

// ruleSet evaluates the rules of files and those that were set.
type ruleSet struct {
	manager *rules.Manager
	e       *Engine

	mu    sync.Mutex
	file  *config.Config
	group map[string]*rulefmt.RuleGroups
	fixed map[string]*rulefmt.RuleGroups
}

func newRuleSet(e *Engine) *ruleSet {
	r := &ruleSet{e: e, group: make(map[string]*rulefmt.RuleGroups), fixed: make(map[string]*rulefmt.RuleGroups), file: e.file}
	notify := e.d.Notify
	if notify == nil {
		notify = func(context.Context, string, ...*rules.Alert) {}
	}
	r.manager = rules.NewManager(&rules.ManagerOptions{
		ExternalURL: &url.URL{}, QueryFunc: e.vector, NotifyFunc: notify, Context: context.Background(),
		AppendableV2: e.db, Queryable: e.db, Logger: e.d.Logger, Registerer: e.d.Registry, OutageTolerance: outage, ForGracePeriod: grace,
		ResendDelay: resend, GroupLoader: r, MaxConcurrentEvals: 4, ConcurrentEvalsEnabled: true, RestoreNewRuleGroups: true, Parser: e.parser,
	})
	return r
}

// Load gives a group that was set, or reads a file.
func (r *ruleSet) Load(id string, ignore bool, names model.ValidationScheme) (*rulefmt.RuleGroups, []error) {
	from := r.group
	name, ok := strings.CutPrefix(id, held)
	if fixed, is := strings.CutPrefix(id, shipped); is {
		name, from, ok = fixed, r.fixed, true
	}
	if !ok {
		g, errs := rulefmt.ParseFile(id, ignore, names, r.e.parser, r.e.d.Logger)
		if r.e.outside != nil && len(errs) == 0 {
			errs = recording(id, g)
		}
		return g, errs
	}
	g := from[name]
	if g == nil {
		return nil, []error{fmt.Errorf("there is no group of rules %q", name)}
	}
	return g, nil
}

// recording refuses rules that record: there is no store that their series could be in.
func recording(file string, g *rulefmt.RuleGroups) []error {
	var errs []error
	for _, group := range g.Groups {
		for _, rule := range group.Rules {
			if rule.Record != "" {
				errs = append(errs, fmt.Errorf("%s: the rule %q records a series: with alerting.metrics.external_url, have the other Prometheus evaluate it", file, rule.Record))
			}
		}
	}
	return errs
}

// vector evaluates the expression of a rule.
func (e *Engine) vector(ctx context.Context, expr string, at time.Time) (promql.Vector, error) {
	if e.outside == nil {
		return rules.EngineQueryFunc(e.queries, e.db)(ctx, expr, at)
	}
	r, err := e.outside.Query(ctx, expr, at)
	if err != nil {
		return nil, err
	}
	return r.Vector()
}

// Parse parses a rule's expression.
func (r *ruleSet) Parse(query string) (parser.Expr, error) { return r.e.parser.ParseExpr(query) }

func (r *ruleSet) apply(file *config.Config) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.file = file
	return r.update()
}

// update tells the manager which groups there are. r.mu is held, also for Load.
func (r *ruleSet) update() error {
	ids, err := ruleFiles(r.file)
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(r.group)) {
		ids = append(ids, held+name)
	}
	for _, name := range slices.Sorted(maps.Keys(r.fixed)) {
		ids = append(ids, shipped+name)
	}
	every := time.Duration(r.file.GlobalConfig.EvaluationInterval)
	if err := r.manager.Update(every, ids, r.file.GlobalConfig.ExternalLabels, "", nil); err != nil {
		return fmt.Errorf("load the rules: %w", err)
	}
	return nil
}

// SetRules replaces the groups of rules that are not in files, by the name of who
// gives them. What is wrong with one is told, and then none changes.
func (e *Engine) SetRules(groups map[string]*rulefmt.RuleGroups) error {
	r := e.rules
	r.mu.Lock()
	defer r.mu.Unlock()
	old := r.group
	r.group = groups
	if err := r.update(); err != nil {
		r.group = old
		return err
	}
	return nil
}

// AddRules adds groups of rules that stay, whatever SetRules sets.
func (e *Engine) AddRules(name string, text []byte) error {
	g, err := e.CheckRules(text)
	if err != nil {
		return fmt.Errorf("rules %q: %w", name, err)
	}
	r := e.rules
	r.mu.Lock()
	defer r.mu.Unlock()
	r.fixed[name] = g
	return r.update()
}

// CheckRules says what is wrong with groups of rules in Prometheus's form.
func (e *Engine) CheckRules(text []byte) (*rulefmt.RuleGroups, error) {
	g, errs := rulefmt.Parse(text, false, model.UTF8Validation, e.parser, e.d.Logger)
	return g, errors.Join(errs...)
}

// Alerts returns the alerts that rules have pending or firing.
func (e *Engine) Alerts() []*rules.Alert {
	var all []*rules.Alert
	for _, r := range e.rules.manager.AlertingRules() {
		all = append(all, r.ActiveAlerts()...)
	}
	slices.SortFunc(all, func(a, b *rules.Alert) int { return labels.Compare(a.Labels, b.Labels) })
	return all
}
