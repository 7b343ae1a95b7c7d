package policy

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"google.golang.org/protobuf/types/known/timestamppb"

	alertv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/alert/v1"
	"github.com/weirflow/weirflow/services/alerting/internal/logpattern"
)

const (
	// pastSteps is how many times a test looks at the past; stepLeast the least time
	// between two looks.
	pastSteps = 2000
	stepLeast = 15 * time.Second
	// maxEpisodes bounds the answer of a test.
	maxEpisodes = 1000
)

const namesAllowed = model.UTF8Validation

// Past says when a policy would have fired between two times.
func (b *Book) Past(ctx context.Context, p *alertv1.Policy, from, to time.Time) (string, []*alertv1.Episode, bool, error) {
	expr, err := b.check(p)
	if err != nil {
		return "", nil, false, err
	}
	if !from.Before(to) {
		return "", nil, false, wrong("from is not before to")
	}
	if p.GetLogPattern() != nil {
		runs, err := b.jobs.Past(ctx, p, from, to)
		if err != nil {
			return "", nil, false, err
		}
		all, more := ordered(ofLines(p, runs))
		return expr, all, more, nil
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
	all, more := ordered(all)
	return expr, all, more, nil
}

// ordered puts the first episodes first, and says whether there were too many.
func ordered(all []*alertv1.Episode) (_ []*alertv1.Episode, more bool) {
	slices.SortStableFunc(all, func(x, y *alertv1.Episode) int {
		return cmp.Compare(x.GetFrom().AsTime().UnixNano(), y.GetFrom().AsTime().UnixNano())
	})
	if len(all) > maxEpisodes {
		return all[:maxEpisodes], true
	}
	return all, false
}

// ofLines are the episodes of a log pattern.
func ofLines(p *alertv1.Policy, runs []logpattern.Run) []*alertv1.Episode {
	var all []*alertv1.Episode
	for _, r := range runs {
		e := &alertv1.Episode{Labels: rule(p, "").Labels, From: timestamppb.New(r.From), Value: float64(r.Lines)}
		maps.Copy(e.Labels, r.Labels)
		if !r.To.IsZero() {
			e.To = timestamppb.New(r.To)
		}
		all = append(all, e)
	}
	return all
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
