package notify

import (
	"context"

	"github.com/prometheus/alertmanager/alert"
	"github.com/prometheus/common/model"
)

// Active is an alert that goes on.
type Active struct {
	Alert *alert.Alert
	// Suppressed says that a silence or another alert holds it back.
	Suppressed bool
	Receivers  []string
}

// Plain returns labels or annotations as texts.
func Plain(set model.LabelSet) map[string]string {
	out := make(map[string]string, len(set))
	for k, v := range set {
		out[string(k)] = string(v)
	}
	return out
}

// Active lists the alerts that go on.
func (e *Engine) Active(ctx context.Context) ([]Active, error) {
	it := e.alerts.GetPending()
	defer it.Close()
	var all []Active
	for a := range it.Next() {
		if a.Data.Resolved() {
			continue
		}
		x := Active{Alert: a.Data, Suppressed: e.suppressed(ctx, a.Data.Labels)}
		for _, r := range e.routes.Load().Match(a.Data.Labels) {
			x.Receivers = append(x.Receivers, r.RouteOpts.Receiver)
		}
		all = append(all, x)
	}
	return all, it.Err()
}

func (e *Engine) suppressed(ctx context.Context, labels model.LabelSet) bool {
	return e.silencer.Mutes(ctx, labels) || e.inhibitor.Load().Mutes(ctx, labels)
}
