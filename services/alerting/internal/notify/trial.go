package notify

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/alertmanager/alert"
	"github.com/prometheus/alertmanager/dispatch"
	"github.com/prometheus/alertmanager/notify"
	"github.com/prometheus/common/model"
)

const (
	// TestLabel marks alerts of a test.
	TestLabel = "test"
	// trialTimeout bounds a test of a channel, its tries together.
	trialTimeout = 30 * time.Second
	// trialPause is between two tries.
	trialPause = time.Second
)

// ErrReceiver says that there is no such receiver or channel.
var ErrReceiver = errors.New("the configuration has none of this name")

// trial is what tells watched that a message is a test.
type trial struct{}

// Receiver is one of the configuration.
type Receiver struct {
	Name     string
	Channels []string
	// Used says that a route leads to it.
	Used bool
}

// Outcome is what became of a test at a channel.
type Outcome struct {
	Channel string
	Took    time.Duration
	Err     error
}

// ReceiverList returns the receivers of the configuration.
func (e *Engine) ReceiverList() ([]Receiver, error) {
	f, used := e.file.Load(), make(map[string]bool)
	e.routes.Load().Walk(func(r *dispatch.Route) { used[r.RouteOpts.Receiver] = true })
	var all []Receiver
	for _, r := range f.Receivers {
		r := Receiver{Name: r.Name, Used: used[r.Name]}
		built, err := e.build(f, r.Name, e.tmpl.Load())
		if err != nil {
			return nil, err
		}
		for _, c := range built {
			r.Channels = append(r.Channels, c.channel)
		}
		all = append(all, r)
	}
	return all, nil
}

// Test sends alerts to a receiver, or to one of its channels, and says what became of
// it. What failed for the moment is tried again for some seconds.
func (e *Engine) Test(ctx context.Context, receiver, channel string, alerts ...*alert.Alert) ([]Outcome, error) {
	f := e.file.Load()
	if !slices.ContainsFunc(f.names(), func(n string) bool { return n == receiver }) {
		return nil, fmt.Errorf("receiver %q: %w", receiver, ErrReceiver)
	}
	built, err := e.build(f, receiver, e.tmpl.Load())
	if err != nil {
		return nil, err
	}
	if channel != "" {
		built = slices.DeleteFunc(built, func(c watched) bool { return c.channel != channel })
		if len(built) == 0 {
			return nil, fmt.Errorf("channel %q of the receiver %q: %w", channel, receiver, ErrReceiver)
		}
	}
	ctx = trialContext(ctx, receiver, alerts)
	all := make([]Outcome, 0, len(built))
	for _, c := range built {
		start := time.Now()
		err := c.try(ctx, alerts)
		all = append(all, Outcome{Channel: c.channel, Took: time.Since(start), Err: err})
	}
	return all, nil
}

func (f *File) names() []string {
	all := make([]string, 0, len(f.Receivers))
	for _, r := range f.Receivers {
		all = append(all, r.Name)
	}
	return all
}

// try sends, and again for some seconds where that may help.
func (n watched) try(ctx context.Context, alerts []*alert.Alert) error {
	ctx, cancel := context.WithTimeout(ctx, trialTimeout)
	defer cancel()
	if !n.resolved.SendResolved() {
		alerts = slices.DeleteFunc(slices.Clone(alerts), func(a *alert.Alert) bool { return a.Resolved() })
	}
	if len(alerts) == 0 {
		return errors.New("this channel does not tell the end of alerts: send_resolved is false")
	}
	for {
		again, err := n.Notify(ctx, alerts...)
		if err == nil || !again {
			return err
		}
		select {
		case <-time.After(trialPause):
		case <-ctx.Done():
			return err
		}
	}
}

// trialContext is what the Alertmanager gives a notifier. The group is one of its own,
// so that no channel takes it for something that it has sent already.
func trialContext(ctx context.Context, receiver string, alerts []*alert.Alert) context.Context {
	ctx = context.WithValue(ctx, trial{}, true)
	ctx = notify.WithGroupKey(ctx, "test/"+uuid.NewString())
	ctx = notify.WithReceiverName(ctx, receiver)
	labels := model.LabelSet{}
	if len(alerts) > 0 {
		labels["alertname"] = alerts[0].Labels["alertname"]
	}
	ctx = notify.WithGroupLabels(ctx, labels)
	ctx = notify.WithRepeatInterval(ctx, time.Hour)
	ctx = notify.WithNow(ctx, time.Now())
	ctx = notify.WithNotificationReason(ctx, notify.ReasonFirstNotification)
	var firing, resolved []uint64
	for _, a := range alerts {
		if a.Resolved() {
			resolved = append(resolved, logged(a))
		} else {
			firing = append(firing, logged(a))
		}
	}
	return notify.WithResolvedAlerts(notify.WithFiringAlerts(ctx, firing), resolved)
}

// Find returns an alert that goes on.
func (e *Engine) Find(fingerprint string) (*alert.Alert, error) {
	fp, err := model.ParseFingerprint(fingerprint)
	if err != nil {
		return nil, fmt.Errorf("%q is not the fingerprint of an alert", fingerprint)
	}
	a, err := e.alerts.Get(fp)
	if err != nil || a.Resolved() { // the only error is that it is not there
		return nil, fmt.Errorf("there is no alert %s now", fingerprint)
	}
	return a, nil
}
