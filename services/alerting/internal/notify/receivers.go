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
}

// receivers makes the integrations of the receivers that routes use.
func (e *Engine) receivers(f *File, routes *dispatch.Route, tmpl *template.Template) (map[string][]notify.Integration, error) {
	used := make(map[string]bool)
	routes.Walk(func(r *dispatch.Route) { used[r.RouteOpts.Receiver] = true })
	env := channel.Env{Logger: e.d.Logger, Templates: tmpl, HTTP: e.d.Guard.Client(sendTimeout), Now: time.Now}
	all := make(map[string][]notify.Integration)
	for _, r := range f.Receivers {
		if !used[r.Name] {
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
		var out []notify.Integration
		for _, i := range list {
			n := watched{next: &i, e: e, receiver: r.Name, channel: i.String()}
			n.guard, n.host = e.d.Guard, hosts[i.String()]
			out = append(out, notify.NewIntegration(n, &i, i.Name(), i.Index(), r.Name))
		}
		for _, c := range f.Channels[r.Name] {
			n, err := c.Config.Open(env)
			if err != nil {
				return nil, fmt.Errorf("receiver %q: %s: %w", r.Name, c.Kind, err)
			}
			out = append(out, notify.NewIntegration(watched{next: n, e: e, receiver: r.Name, channel: fmt.Sprintf("%s[%d]", c.Kind, c.Index)}, c.Config, c.Kind, c.Index, r.Name))
		}
		all[r.Name] = out
	}
	return all, nil
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
	// host is that of a mail server, which the library connects to by itself.
	host  string
	guard *outgoing.Guard
}

// Notify sends.
func (n watched) Notify(ctx context.Context, alerts ...*alert.Alert) (again bool, err error) {
	if n.e.handled(alerts) {
		return false, nil
	}
	start := time.Now()
	if n.host != "" {
		err = n.guard.Resolve(ctx, n.host)
		if _, temporary := err.(*net.DNSError); temporary { //nolint:errorlint // Resolve returns it so
			again = true
		}
	}
	if err == nil {
		again, err = n.next.Notify(ctx, alerts...)
	}
	if n.e.d.Sent != nil {
		group, _ := notify.ExtractGroupKey(ctx)
		n.e.d.Sent(Delivery{At: start, Took: time.Since(start), Receiver: n.receiver, Channel: n.channel, Group: group.String(), Alerts: alerts, Again: again && err != nil, Err: err})
	}
	return again, err
}
