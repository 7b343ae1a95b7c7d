// Package channeltest has what tests of channels need: alerts, the context that the
// Alertmanager gives, and a way to call a server of the test's own without a network.
package channeltest

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/prometheus/alertmanager/alert"
	"github.com/prometheus/alertmanager/notify"
	"github.com/prometheus/alertmanager/template"
	"github.com/prometheus/common/model"

	"github.com/weirflow/weirflow/services/alerting/internal/channel"
)

// Direct is a client that calls a handler, with no network and no further goroutines:
// it may be used where time is not the real one.
func Direct(h http.Handler) *http.Client { return &http.Client{Transport: direct{h}} }

type direct struct{ h http.Handler }

// RoundTrip calls the handler.
func (d direct) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	in := r.Clone(r.Context())
	in.Host = r.URL.Host
	if in.Body == nil {
		in.Body = http.NoBody
	}
	d.h.ServeHTTP(w, in)
	return w.Result(), nil
}

// Env is what channels are given.
func Env(t *testing.T, client *http.Client) channel.Env {
	t.Helper()
	tmpl, err := template.FromGlobs(nil)
	if err != nil {
		t.Fatal(err)
	}
	tmpl.ExternalURL = &url.URL{Scheme: "http", Host: "console.example"}
	return channel.Env{Logger: slog.New(slog.DiscardHandler), Templates: tmpl, HTTP: client, Now: time.Now}
}

// Open reads a configuration and makes its channel.
func Open(t *testing.T, c channel.Config, text string, e channel.Env) notify.Notifier {
	t.Helper()
	if err := yaml.UnmarshalWithOptions([]byte(text), c, yaml.Strict()); err != nil {
		t.Fatal(err)
	}
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	n, err := c.Open(e)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// Firing makes an alert that goes on. Labels are name, value, name, value.
func Firing(name, summary string, labels ...string) *alert.Alert {
	a := &alert.Alert{UpdatedAt: time.Now()}
	a.Labels = model.LabelSet{"alertname": model.LabelValue(name)}
	for i := 0; i+1 < len(labels); i += 2 {
		a.Labels[model.LabelName(labels[i])] = model.LabelValue(labels[i+1])
	}
	a.Annotations = model.LabelSet{"summary": model.LabelValue(summary)}
	a.StartsAt = time.Now().Add(-time.Minute)
	a.EndsAt = time.Now().Add(time.Hour)
	a.GeneratorURL = "http://console.example/#/metrics?query=up"
	return a
}

// Resolved makes an alert that is over.
func Resolved(name, summary string, labels ...string) *alert.Alert {
	a := Firing(name, summary, labels...)
	a.EndsAt = time.Now().Add(-time.Second)
	return a
}

// Context is what the Alertmanager gives a notifier for a group.
func Context(ctx context.Context, group string) context.Context {
	ctx = notify.WithGroupKey(ctx, group)
	ctx = notify.WithReceiverName(ctx, "ops")
	ctx = notify.WithGroupLabels(ctx, model.LabelSet{"alertname": model.LabelValue(group)})
	ctx = notify.WithRepeatInterval(ctx, 4*time.Hour)
	return notify.WithNotificationReason(ctx, notify.ReasonFirstNotification)
}

// Body reads a request.
func Body(t *testing.T, r *http.Request) []byte {
	t.Helper()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Error(err)
	}
	return b
}
