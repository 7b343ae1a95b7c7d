package notify

import (
	"context"
	"fmt"

	"github.com/prometheus/alertmanager/silence"
	"github.com/prometheus/alertmanager/silence/silencepb"
)

// Silences returns the silences that are, and those that ended some days ago at most.
func (e *Engine) Silences(ctx context.Context) ([]*silencepb.Silence, error) {
	all, _, err := e.silences.Query(ctx)
	return all, err
}

// SetSilence makes a silence, or changes the one of its id. It is on disk when it
// returns.
func (e *Engine) SetSilence(ctx context.Context, s *silencepb.Silence) error {
	if err := e.silences.Set(ctx, s); err != nil {
		return err
	}
	return e.files[1].save()
}

// ExpireSilence ends a silence; that is on disk when it returns.
func (e *Engine) ExpireSilence(ctx context.Context, id string) error {
	if err := e.silences.Expire(ctx, id); err != nil {
		return err
	}
	return e.files[1].save()
}

// Silenced returns the fingerprints of alerts that go on and that silences hold back,
// by the silence's id, so many of each.
func (e *Engine) Silenced(ctx context.Context, limit int) (map[string][]string, error) {
	it := e.alerts.GetPending()
	defer it.Close()
	all := make(map[string][]string)
	for a := range it.Next() {
		if a.Data.Resolved() {
			continue
		}
		of, _, err := e.silences.Query(ctx, silence.QState(silence.SilenceStateActive), silence.QMatches(a.Data.Labels))
		if err != nil {
			return nil, fmt.Errorf("find the silences of an alert: %w", err)
		}
		for _, s := range of {
			if len(all[s.GetId()]) < limit {
				all[s.GetId()] = append(all[s.GetId()], a.Data.Fingerprint().String())
			}
		}
	}
	return all, it.Err()
}
