package notify

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/prometheus/alertmanager/alert"
	"github.com/prometheus/alertmanager/config"
	amcommon "github.com/prometheus/alertmanager/config/common"
	"github.com/prometheus/alertmanager/matcher/compat"
	"github.com/prometheus/alertmanager/pkg/labels"
	"github.com/prometheus/common/model"
)

const (
	// EscalationLabel names the receiver that an alert escalated to. An escalated
	// alert is one more, with the same labels and this one.
	EscalationLabel = "escalation"
	// lookAround is how often alerts are looked at that may escalate.
	lookAround = time.Second
	// renew is how often an escalated alert is put again, and lasting for how long it
	// then goes on by itself.
	renew   = 20 * time.Second
	lasting = time.Minute
)

// Escalation tells a further receiver about alerts that nobody has acknowledged
// for some time.
type Escalation struct {
	Matchers labels.Matchers
	After    time.Duration
	Receiver string
}

// escalation is its form in YAML.
type escalation struct {
	Matchers []string `yaml:"matchers"`
	After    string   `yaml:"after"`
	Receiver string   `yaml:"receiver"`
}

// escalations reads the list of that key.
func escalations(value any) ([]Escalation, error) {
	text, err := yaml.Marshal(value)
	if err != nil {
		return nil, err
	}
	var list []escalation
	if err := yaml.UnmarshalWithOptions(text, &list, yaml.Strict()); err != nil {
		return nil, fmt.Errorf("escalations: %w", err)
	}
	var all []Escalation
	for i, x := range list {
		e := Escalation{Receiver: x.Receiver}
		after, err := model.ParseDuration(x.After)
		if err != nil || after <= 0 {
			return nil, fmt.Errorf("escalations, entry %d: after %q is not a time such as 10m", i+1, x.After)
		}
		e.After = time.Duration(after)
		for _, m := range x.Matchers {
			parsed, err := compat.Matchers(m, "escalations")
			if err != nil {
				return nil, fmt.Errorf("escalations, entry %d: %w", i+1, err)
			}
			e.Matchers = append(e.Matchers, parsed...)
		}
		all = append(all, e)
	}
	return all, nil
}

// route leads escalated alerts to their receivers, before all other routes.
func (f *File) route() error {
	known := make(map[string]bool)
	for _, r := range f.Receivers {
		known[r.Name] = true
	}
	var first []*config.Route
	for _, e := range f.Escalations {
		if !known[e.Receiver] {
			return fmt.Errorf("escalations: there is no receiver %q", e.Receiver)
		}
		m, err := labels.NewMatcher(labels.MatchEqual, EscalationLabel, e.Receiver)
		if err != nil {
			return err
		}
		at := model.Duration(0)
		first = append(first, &config.Route{Receiver: e.Receiver, Matchers: amcommon.Matchers{m}, GroupWait: &at})
	}
	f.Route.Routes = slices.Concat(first, f.Route.Routes)
	return nil
}

// watch looks at alerts until the context ends: who must be told as well, and which are
// silenced no longer.
func (e *Engine) watch(ctx context.Context) {
	put := make(map[model.Fingerprint]time.Time)
	tick := time.NewTicker(lookAround)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := e.look(ctx); err != nil && ctx.Err() == nil {
			e.d.Logger.Error("look for silences that have ended", "error", err)
		}
		list := e.file.Load().Escalations
		if len(list) == 0 {
			continue
		}
		if err := e.escalated(ctx, list, put); err != nil && ctx.Err() == nil {
			e.d.Logger.Error("escalate alerts", "error", err)
		}
	}
}

// escalated puts the alerts that nobody dealt with in time, and ends those that
// somebody deals with now.
func (e *Engine) escalated(ctx context.Context, list []Escalation, put map[model.Fingerprint]time.Time) error {
	active, err := e.Active(ctx)
	if err != nil {
		return err
	}
	now := time.Now()
	due := make(map[model.Fingerprint]*alert.Alert)
	for _, a := range active {
		if _, is := a.Alert.Labels[EscalationLabel]; is || a.Suppressed || e.d.Acknowledged != nil && e.d.Acknowledged(a.Alert) {
			continue
		}
		for _, x := range list {
			if now.Sub(a.Alert.StartsAt) >= x.After && x.Matchers.Matches(a.Alert.Labels) {
				n := further(a.Alert, x, now)
				due[n.Fingerprint()] = n
			}
		}
	}
	var change []*alert.Alert
	for fp, n := range due {
		if now.Sub(put[fp]) >= renew {
			change, put[fp] = append(change, n), now
		}
	}
	for _, a := range active { // of an earlier process as well
		fp := a.Alert.Fingerprint()
		if _, is := a.Alert.Labels[EscalationLabel]; is && due[fp] == nil {
			over := *a.Alert
			over.EndsAt, over.UpdatedAt, over.Timeout = now, now, false
			change = append(change, &over)
			delete(put, fp)
		}
	}
	if len(change) == 0 {
		return nil
	}
	return e.Put(ctx, change...)
}

// further is the alert that a further receiver is told about.
func further(a *alert.Alert, x Escalation, now time.Time) *alert.Alert {
	n := *a
	n.Labels = maps.Clone(a.Labels)
	n.Labels[EscalationLabel] = model.LabelValue(x.Receiver)
	n.EndsAt, n.UpdatedAt, n.Timeout = now.Add(lasting), now, true
	return &n
}
