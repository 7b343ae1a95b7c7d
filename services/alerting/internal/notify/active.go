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
