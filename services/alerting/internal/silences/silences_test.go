package silences_test

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/alertmanager/alert"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/model"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	alertv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/alert/v1"
	"github.com/weirflow/weirflow/services/alerting/internal/notify"
	"github.com/weirflow/weirflow/services/alerting/internal/outgoing"
	"github.com/weirflow/weirflow/services/alerting/internal/silences"
)

func engine(t *testing.T, dir string) (silences.Server, *notify.Engine, func()) {
	t.Helper()
	guard, err := outgoing.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	e, err := notify.New(notify.Config{Dir: dir}, notify.Deps{Logger: slog.New(slog.DiscardHandler), Registry: prometheus.NewRegistry(), Guard: guard})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- e.Run(ctx) }()
	return silences.Server{Engine: e, Now: time.Now}, e, func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

func silence(end time.Duration, by, comment string, m ...*alertv1.Matcher) *alertv1.CreateSilenceRequest {
	return &alertv1.CreateSilenceRequest{Silence: &alertv1.Silence{EndsAt: timestamppb.New(time.Now().Add(end)), CreatedBy: by, Comment: comment, Matchers: m}}
}

func TestSilences(t *testing.T) {
	dir := t.TempDir()
	s, e, stop := engine(t, dir)
	a := &alert.Alert{}
	a.Labels, a.StartsAt, a.EndsAt = model.LabelSet{"alertname": "Deep", "host": "web1"}, time.Now(), time.Now().Add(time.Hour)
	if err := e.Put(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	deep := &alertv1.Matcher{Name: "alertname", Value: "De.p", Regexp: true}
	made, err := s.CreateSilence(t.Context(), silence(time.Hour, "ann", "the disk is being replaced", deep, &alertv1.Matcher{Name: "host", Value: "web2", Negated: true}))
	if err != nil {
		t.Fatal(err)
	}
	id := made.GetSilence().GetId()
	if _, err := s.CreateSilence(t.Context(), silence(2*time.Hour, "bob", "a test", &alertv1.Matcher{Name: "alertname", Value: "Other"})); err != nil {
		t.Fatal(err)
	}
	stop()
	s, _, stop = engine(t, dir) // they survive
	defer stop()
	list := func(req *alertv1.ListSilencesRequest) []*alertv1.Silence {
		t.Helper()
		res, err := s.ListSilences(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		return res.GetSilences()
	}
	all := list(&alertv1.ListSilencesRequest{})
	if len(all) != 2 || all[0].GetId() != id || all[0].GetState() != alertv1.SilenceState_SILENCE_STATE_ACTIVE || len(all[0].GetAlerts()) != 1 ||
		all[0].GetAlerts()[0] != a.Fingerprint().String() || !all[0].GetMatchers()[0].GetRegexp() || !all[0].GetMatchers()[1].GetNegated() || len(all[1].GetAlerts()) != 0 {
		t.Errorf("silences %v", all)
	}
	if got := list(&alertv1.ListSilencesRequest{Text: "DISK"}); len(got) != 1 || got[0].GetCreatedBy() != "ann" {
		t.Errorf("silences %v", got)
	}
	longer := silence(3*time.Hour, "ann", "it takes longer", all[0].GetMatchers()...)
	longer.Silence.Id, longer.Silence.StartsAt = id, all[0].GetStartsAt()
	if changed, err := s.CreateSilence(t.Context(), longer); err != nil || changed.GetSilence().GetId() != id {
		t.Errorf("changed %v (%v)", changed, err)
	}
	if _, err := s.ExpireSilence(t.Context(), &alertv1.ExpireSilenceRequest{Id: id}); err != nil {
		t.Fatal(err)
	}
	if got := list(&alertv1.ListSilencesRequest{State: alertv1.SilenceState_SILENCE_STATE_EXPIRED}); len(got) != 1 || got[0].GetComment() != "it takes longer" || len(got[0].GetAlerts()) != 0 {
		t.Errorf("silences %v", got)
	}
}

func TestSilencesThatAreRefused(t *testing.T) {
	s, _, stop := engine(t, t.TempDir())
	defer stop()
	m := &alertv1.Matcher{Name: "a", Value: "b"}
	unknown := silence(time.Hour, "ann", "x", m)
	unknown.Silence.Id = "none"
	for name, tt := range map[string]struct {
		req  *alertv1.CreateSilenceRequest
		code codes.Code
		want string
	}{
		"nothing":    {&alertv1.CreateSilenceRequest{}, codes.InvalidArgument, "matchers are required"},
		"no author":  {silence(time.Hour, "", "x", m), codes.InvalidArgument, "created_by"},
		"no reason":  {silence(time.Hour, "ann", "", m), codes.InvalidArgument, "comment"},
		"over":       {silence(-time.Hour, "ann", "x", m), codes.InvalidArgument, "past"},
		"everything": {silence(time.Hour, "ann", "x", &alertv1.Matcher{Name: "a", Value: ".*", Regexp: true}), codes.InvalidArgument, "matcher"},
		"broken":     {silence(time.Hour, "ann", "x", &alertv1.Matcher{Name: "a", Value: "(", Regexp: true}), codes.InvalidArgument, "missing closing"},
		"unknown":    {unknown, codes.NotFound, "none"},
	} {
		if _, err := s.CreateSilence(t.Context(), tt.req); status.Code(err) != tt.code || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := s.ExpireSilence(t.Context(), &alertv1.ExpireSilenceRequest{Id: "none"}); status.Code(err) != codes.NotFound {
		t.Errorf("error %v", err)
	}
}
