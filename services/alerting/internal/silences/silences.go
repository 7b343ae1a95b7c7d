// Package silences answers SilenceService with the silences of the Alertmanager.
package silences

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/alertmanager/silence"
	"github.com/prometheus/alertmanager/silence/silencepb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	alertv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/alert/v1"
)

const (
	// maxAlerts bounds the alerts that are named with a silence.
	maxAlerts = 100
	// maxMatchers, maxText and maxSilences bound what is kept.
	maxMatchers, maxText, maxSilences = 50, 10_000, 10_000
)

// Engine keeps silences.
type Engine interface {
	Silences(ctx context.Context) ([]*silencepb.Silence, error)
	SetSilence(ctx context.Context, s *silencepb.Silence) error
	ExpireSilence(ctx context.Context, id string) error
	// Silenced returns the fingerprints of alerts that silences hold back, by id.
	Silenced(ctx context.Context, limit int) (map[string][]string, error)
}

// Server answers SilenceService.
type Server struct {
	alertv1.UnimplementedSilenceServiceServer
	Engine Engine
	Now    func() time.Time
}

// ListSilences returns silences.
func (s Server) ListSilences(ctx context.Context, req *alertv1.ListSilencesRequest) (*alertv1.ListSilencesResponse, error) {
	list, err := s.Engine.Silences(ctx)
	if err != nil {
		return nil, status.Error(codes.Unavailable, err.Error())
	}
	held, err := s.Engine.Silenced(ctx, maxAlerts)
	if err != nil {
		return nil, status.Error(codes.Unavailable, err.Error())
	}
	res := &alertv1.ListSilencesResponse{}
	want := strings.ToLower(req.GetText())
	for _, x := range list {
		out := shown(x, s.Now())
		out.Alerts = held[out.GetId()]
		if (req.GetState() == 0 || out.GetState() == req.GetState()) && mentions(out, want) {
			res.Silences = append(res.Silences, out)
		}
	}
	slices.SortFunc(res.Silences, func(a, b *alertv1.Silence) int {
		if c := a.GetEndsAt().AsTime().Compare(b.GetEndsAt().AsTime()); c != 0 {
			return c
		}
		return strings.Compare(a.GetId(), b.GetId())
	})
	return res, nil
}

func mentions(s *alertv1.Silence, want string) bool {
	has := func(text string) bool { return strings.Contains(strings.ToLower(text), want) }
	return want == "" || has(s.GetCreatedBy()) || has(s.GetComment()) ||
		slices.ContainsFunc(s.GetMatchers(), func(m *alertv1.Matcher) bool { return has(m.GetName()) || has(m.GetValue()) })
}

// CreateSilence makes a silence, or changes one.
func (s Server) CreateSilence(ctx context.Context, req *alertv1.CreateSilenceRequest) (*alertv1.CreateSilenceResponse, error) {
	in := req.GetSilence()
	if err := s.check(in); err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	if all, err := s.Engine.Silences(ctx); err == nil && len(all) >= maxSilences {
		return nil, status.Errorf(codes.ResourceExhausted, "there are %d silences: end some, they are forgotten after five days", len(all))
	}
	kept := &silencepb.Silence{Id: in.GetId(), StartsAt: in.GetStartsAt(), EndsAt: in.GetEndsAt(), CreatedBy: in.GetCreatedBy(), Comment: in.GetComment(),
		MatcherSets: []*silencepb.MatcherSet{matchers(in.GetMatchers())}}
	switch err := s.Engine.SetSilence(ctx, kept); {
	case errors.Is(err, silence.ErrNotFound):
		return nil, status.Errorf(codes.NotFound, "there is no silence %q", in.GetId())
	case err != nil:
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	return &alertv1.CreateSilenceResponse{Silence: shown(kept, s.Now())}, nil
}

// check says what is missing.
func (s Server) check(in *alertv1.Silence) error {
	var errs []error
	need := func(ok bool, what string) {
		if !ok {
			errs = append(errs, errors.New(what))
		}
	}
	need(len(in.GetMatchers()) > 0 && len(in.GetMatchers()) <= maxMatchers, "matchers are required, 50 at most: which alerts it holds back")
	need(in.GetEndsAt() != nil, "ends_at is required")
	need(in.GetCreatedBy() != "" && len(in.GetCreatedBy()) <= maxText, "created_by is required: who wants it")
	need(in.GetComment() != "" && len(in.GetComment()) <= maxText, "comment is required: why")
	if in.GetEndsAt() != nil {
		need(in.GetEndsAt().AsTime().After(s.Now()), "ends_at is in the past")
		need(in.GetStartsAt() == nil || in.GetStartsAt().AsTime().Before(in.GetEndsAt().AsTime()), "ends_at is before starts_at")
	}
	return errors.Join(errs...)
}

// ExpireSilence ends a silence.
func (s Server) ExpireSilence(ctx context.Context, req *alertv1.ExpireSilenceRequest) (*alertv1.ExpireSilenceResponse, error) {
	switch err := s.Engine.ExpireSilence(ctx, req.GetId()); {
	case errors.Is(err, silence.ErrNotFound):
		return nil, status.Errorf(codes.NotFound, "there is no silence %q", req.GetId())
	case err != nil:
		return nil, status.Error(codes.Unavailable, err.Error())
	}
	return &alertv1.ExpireSilenceResponse{}, nil
}

func matchers(list []*alertv1.Matcher) *silencepb.MatcherSet {
	out := &silencepb.MatcherSet{}
	for _, m := range list {
		kind := silencepb.Matcher_EQUAL
		switch {
		case m.GetRegexp() && m.GetNegated():
			kind = silencepb.Matcher_NOT_REGEXP
		case m.GetRegexp():
			kind = silencepb.Matcher_REGEXP
		case m.GetNegated():
			kind = silencepb.Matcher_NOT_EQUAL
		}
		out.Matchers = append(out.Matchers, &silencepb.Matcher{Type: kind, Name: m.GetName(), Pattern: m.GetValue()})
	}
	return out
}

func shown(s *silencepb.Silence, now time.Time) *alertv1.Silence {
	out := &alertv1.Silence{Id: s.GetId(), StartsAt: s.GetStartsAt(), EndsAt: s.GetEndsAt(), UpdatedAt: s.GetUpdatedAt(), CreatedBy: s.GetCreatedBy(), Comment: s.GetComment(),
		State: alertv1.SilenceState_SILENCE_STATE_ACTIVE}
	switch {
	case now.Before(s.GetStartsAt().AsTime()):
		out.State = alertv1.SilenceState_SILENCE_STATE_PENDING
	case !now.Before(s.GetEndsAt().AsTime()):
		out.State = alertv1.SilenceState_SILENCE_STATE_EXPIRED
	}
	for _, set := range s.GetMatcherSets() {
		for _, m := range set.GetMatchers() {
			t := m.GetType()
			out.Matchers = append(out.Matchers, &alertv1.Matcher{Name: m.GetName(), Value: m.GetPattern(),
				Regexp:  t == silencepb.Matcher_REGEXP || t == silencepb.Matcher_NOT_REGEXP,
				Negated: t == silencepb.Matcher_NOT_EQUAL || t == silencepb.Matcher_NOT_REGEXP})
		}
	}
	return out
}
