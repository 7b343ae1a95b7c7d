package notify

import (
	"context"
	"fmt"
	"net"
	"time"

	"github.com/prometheus/alertmanager/alert"
	"github.com/prometheus/alertmanager/config/receiver"
	"github.com/prometheus/alertmanager/dispatch"
	"github.com/prometheus/alertmanager/notify"
	"github.com/prometheus/alertmanager/template"
	commoncfg "github.com/prometheus/common/config"

	"github.com/weirflow/weirflow/services/alerting/internal/channel"
	"github.com/weirflow/weirflow/services/alerting/internal/channel/receipt"
	"github.com/weirflow/weirflow/services/alerting/internal/outgoing"
)

// Delivery is a try to tell a receiver about alerts.
type Delivery struct {
	At       time.Time
	Took     time.Duration
	Receiver string
	// Channel is the kind and place of the integration: "email[0]".
	Channel string
	// Group is the key of the alerts' group.
	Group  string
	Alerts []*alert.Alert
	// Again says that it will be tried again; Err why it failed.
	Again bool
	Err   error
	// Test says that somebody tried the receiver.
	Test bool
	// Taken are the numbers that a provider took it for.
	Taken []receipt.Taken
}

// receivers makes the integrations of the receivers that routes use.
func (e *Engine) receivers(f *File, routes *dispatch.Route, tmpl *template.Template) (map[string][]notify.Integration, error) {
	used := make(map[string]bool)
	routes.Walk(func(r *dispatch.Route) { used[r.RouteOpts.Receiver] = true })
	all := make(map[string][]notify.Integration)
	for _, r := range f.Receivers {
		if !used[r.Name] {
			continue
		}
		built, err := e.build(f, r.Name, tmpl)
		if err != nil {
			return nil, err
		}
		var out []notify.Integration
		for _, n := range built {
			out = append(out, notify.NewIntegration(n, n.resolved, n.kind, n.index, r.Name))
		}
		all[r.Name] = out
	}
	return all, nil
}

// build makes the channels of a receiver.
func (e *Engine) build(f *File, name string, tmpl *template.Template) ([]watched, error) {
	env := channel.Env{Logger: e.d.Logger, Templates: tmpl, HTTP: e.client, Now: time.Now, Receipts: e.cfg.Receipts, Signers: e.d.Signers}
	var out []watched
	for _, r := range f.Receivers {
		if r.Name != name {
			continue
		}
		list, err := receiver.BuildReceiverIntegrations(r, tmpl, e.d.Logger, commoncfg.WithDialContextFunc(e.d.Guard.DialContext))
		if err != nil {
			return nil, fmt.Errorf("receiver %q: %w", r.Name, err)
		}
		hosts := make(map[string]string)
		for i, m := range r.EmailConfigs {
			hosts[fmt.Sprintf("email[%d]", i)] = m.Smarthost.Host
		}
		for _, i := range list {
			n := watched{next: &i, resolved: &i, e: e, receiver: r.Name, channel: i.String(), kind: i.Name(), index: i.Index()}
			n.guard, n.host = e.d.Guard, hosts[i.String()]
			out = append(out, n)
		}
		for _, c := range f.Channels[r.Name] {
			n, err := c.Config.Open(env)
			if err != nil {
				return nil, fmt.Errorf("receiver %q: %s: %w", r.Name, c.Kind, err)
			}
			out = append(out, watched{next: n, resolved: c.Config, e: e, receiver: r.Name, channel: fmt.Sprintf("%s[%d]", c.Kind, c.Index), kind: c.Kind, index: c.Index})
		}
	}
	return out, nil
}

// handled reports whether someone deals with all alerts of a message: then it would
// only repeat what they know. The end of alerts is told.
func (e *Engine) handled(alerts []*alert.Alert) bool {
	if e.d.Acknowledged == nil {
		return false
	}
	for _, a := range alerts {
		if a.Resolved() || !e.d.Acknowledged(a) {
			return false
		}
	}
	return true
}

// watched tells of every try to send.
type watched struct {
	next              notify.Notifier
	e                 *Engine
	receiver, channel string
	kind              string
	index             int
	resolved          notify.ResolvedSender
	// host is that of a mail server, which the library connects to by itself.
	host  string
	guard *outgoing.Guard
}

// Notify sends.
func (n watched) Notify(ctx context.Context, alerts ...*alert.Alert) (again bool, err error) {
	test := ctx.Value(trial{}) != nil
	if err := n.e.settle(ctx); err != nil {
		return true, err
	}
	if !test && n.e.handled(alerts) {
		return false, nil
	}
	start := time.Now()
	if n.host != "" {
		err = n.guard.Resolve(ctx, n.host)
		if _, temporary := err.(*net.DNSError); temporary { //nolint:errorlint // Resolve returns it so
			again = true
		}
	}
	ctx, taken := receipt.Collect(ctx)
	if err == nil {
		again, err = n.next.Notify(ctx, alerts...)
	}
	if n.e.d.Sent != nil {
		group, _ := notify.ExtractGroupKey(ctx)
		n.e.d.Sent(Delivery{At: start, Took: time.Since(start), Receiver: n.receiver, Channel: n.channel, Group: group.String(), Alerts: alerts, Again: again && err != nil, Err: err, Test: test, Taken: taken.All()})
	}
	return again, err
}
