package policy

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"google.golang.org/protobuf/types/known/timestamppb"

	alertv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/alert/v1"
)

const (
	// pastSteps is how many times a test looks at the past; stepLeast the least time
	// between two looks.
	pastSteps = 2000
	stepLeast = 15 * time.Second
	// maxEpisodes bounds the answer of a test.
	maxEpisodes = 1000
)

// ErrUnsupported says that a policy cannot be tested.
var ErrUnsupported = errors.New("this kind of policy has no test")

const namesAllowed = model.UTF8Validation

// Past says when a policy would have fired between two times.
func (b *Book) Past(ctx context.Context, p *alertv1.Policy, from, to time.Time) (string, []*alertv1.Episode, bool, error) {
	expr, err := b.check(p)
	if err != nil {
		return "", nil, false, err
	}
	if p.GetLogPattern() != nil {
		return "", nil, false, fmt.Errorf("%w: log patterns look at lines from now on: the preview of a job shows what their statements find in the past", ErrUnsupported)
	}
	if !from.Before(to) {
		return "", nil, false, wrong("from is not before to")
	}
	step := max(stepLeast, to.Sub(from)/pastSteps).Truncate(time.Second)
	from = to.Add(-to.Sub(from) / step * step) // so that the last look is at the end
	found, err := b.engine.QueryRange(ctx, expr, from, to, step)
	if err != nil {
		return "", nil, false, wrong("%w", err)
	}
	var all []*alertv1.Episode
	for _, s := range found.Series {
		all = append(all, episodes(p, s, step, to)...)
	}
	slices.SortStableFunc(all, func(x, y *alertv1.Episode) int {
		return cmp.Compare(x.GetFrom().AsTime().UnixNano(), y.GetFrom().AsTime().UnixNano())
	})
	if len(all) > maxEpisodes {
		return expr, all[:maxEpisodes], true, nil
	}
	return expr, all, false, nil
}

// episodes goes through the times at which the query gave a series.
func episodes(p *alertv1.Policy, s promql.Series, step time.Duration, end time.Time) []*alertv1.Episode {
	wait, keep := atLeastZero(p.GetFor()), atLeastZero(p.GetKeepFiringFor())
	set := rule(p, "").Labels
	s.Metric.Range(func(l labels.Label) {
		if _, given := set[l.Name]; !given && l.Name != model.MetricNameLabel {
			set[l.Name] = l.Value
		}
	})
	var all []*alertv1.Episode
	var since, last time.Time // of the run of samples that is looked at
	var firing *alertv1.Episode
	finish := func(at time.Time) {
		if firing != nil {
			firing.To = timestamppb.New(at)
			firing = nil
		}
	}
	for _, f := range s.Floats {
		at := time.UnixMilli(f.T)
		if last.IsZero() || at.Sub(last) > step {
			if firing != nil && at.Sub(last) > step+keep {
				finish(last.Add(step + keep))
			}
			since = at
		}
		last = at
		if firing == nil && at.Sub(since) >= wait {
			firing = &alertv1.Episode{Labels: set, From: timestamppb.New(at), Value: f.F}
			all = append(all, firing)
		}
	}
	if over := last.Add(step + keep); firing != nil && !over.After(end) {
		finish(over)
	}
	return all
}
