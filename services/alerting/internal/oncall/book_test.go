package oncall_test

import (
	"context"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	alertv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/alert/v1"
	"github.com/weirflow/weirflow/services/alerting/internal/oncall"
	"github.com/weirflow/weirflow/services/platform/kafka"
	"github.com/weirflow/weirflow/services/platform/kafka/kafkatest"
)

func serve(t *testing.T, cfg kafka.Config, now func() time.Time) (oncall.Server, func()) {
	t.Helper()
	b, err := oncall.NewBook(cfg, now, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- b.Run(ctx) }()
	for end := time.Now().Add(20 * time.Second); !b.Ready(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("not ready after 20 s")
		}
	}
	return oncall.Server{Book: b}, func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

func TestPeopleAndRotas(t *testing.T) {
	cfg, ctx := kafkatest.Start(t), t.Context()
	var clock atomic.Pointer[time.Time]
	set := func(text string) { x := at(t, text); clock.Store(&x) }
	set("2026-11-28T10:00:00Z")
	s, stop := serve(t, cfg, func() time.Time { return *clock.Load() })
	for _, p := range []*alertv1.Person{
		{Name: "ann", DisplayName: "Ann Li", Contacts: map[string]string{"phone": "13800138000", "wecom": "ann.li"}},
		{Name: "bob", Contacts: map[string]string{"email": "bob@example.com"}},
	} {
		if _, err := s.PutPerson(ctx, &alertv1.PutPersonRequest{Person: p}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.PutRota(ctx, &alertv1.PutRotaRequest{Rota: rota("UTC", days(1, "2026-11-28", "", "ann", "bob"))}); err != nil {
		t.Fatal(err)
	}
	added, err := s.AddOverride(ctx, &alertv1.AddOverrideRequest{Rota: "ops", Override: &alertv1.Override{Person: "bob", From: timestamppb.New(at(t, "2026-11-28T12:00:00Z")), To: timestamppb.New(at(t, "2026-11-28T14:00:00Z")), Reason: "dentist"}})
	if err != nil {
		t.Fatal(err)
	}
	// A rota that is put without overrides keeps those that there are.
	if _, err := s.PutRota(ctx, &alertv1.PutRotaRequest{Rota: rota("UTC", days(1, "2026-11-28", "", "ann", "bob"))}); err != nil {
		t.Fatal(err)
	}
	stop()
	s, stop = serve(t, cfg, func() time.Time { return *clock.Load() })
	defer stop()
	for _, tt := range []struct{ at, kind, want string }{
		{"2026-11-28T10:00:00Z", "phone", "13800138000"},
		{"2026-11-28T10:00:00Z", "wecom", "ann.li"},
		{"2026-11-28T10:00:00Z", "name", "ann"},
		{"2026-11-28T10:00:00Z", "display_name", "Ann Li"},
		{"2026-11-28T12:30:00Z", "email", "bob@example.com"},
		{"2026-11-28T12:30:00Z", "phone", `no contact "phone"`},
		{"2026-11-27T12:30:00Z", "phone", "nobody is on call"},
	} {
		set(tt.at)
		got, err := s.Book.Contact("ops", tt.kind)
		if err != nil {
			got = err.Error()
		}
		if !strings.Contains(got, tt.want) {
			t.Errorf("%s at %s: %s, want %s", tt.kind, tt.at, got, tt.want)
		}
	}
	if got, err := s.Book.Contact("none", "phone", "", "+8613900000000"); got != "+8613900000000" || err != nil {
		t.Errorf("instead of who is on call: %q (%v)", got, err)
	}
	res, err := s.GetOnCall(ctx, &alertv1.GetOnCallRequest{At: timestamppb.New(at(t, "2026-11-28T12:30:00Z"))})
	if err != nil || len(res.GetOnCall()) != 1 || res.GetOnCall()[0].GetPerson().GetContacts()["email"] != "bob@example.com" || res.GetOnCall()[0].GetShift().GetOverride() != added.GetOverride().GetId() {
		t.Errorf("on call %v (%v)", res, err)
	}
	shifts, err := s.ListShifts(ctx, &alertv1.ListShiftsRequest{Rota: "ops", From: timestamppb.New(at(t, "2026-11-28T00:00:00Z")), To: timestamppb.New(at(t, "2026-11-30T00:00:00Z"))})
	if err != nil || len(shifts.GetShifts()) != 4 {
		t.Errorf("shifts %v (%v)", shifts, err)
	}
	if _, err := s.DeleteOverride(ctx, &alertv1.DeleteOverrideRequest{Rota: "ops", Id: added.GetOverride().GetId()}); err != nil {
		t.Error(err)
	}
	for name, tt := range map[string]struct {
		call func() error
		want codes.Code
	}{
		"a person of a rota goes": {func() error { _, err := s.DeletePerson(ctx, &alertv1.DeletePersonRequest{Name: "ann"}); return err }, codes.FailedPrecondition},
		"a person without a name": {func() error { _, err := s.PutPerson(ctx, &alertv1.PutPersonRequest{}); return err }, codes.InvalidArgument},
		"a number that is none": {func() error {
			_, err := s.PutPerson(ctx, &alertv1.PutPersonRequest{Person: &alertv1.Person{Name: "x", Contacts: map[string]string{"phone": "12"}}})
			return err
		}, codes.InvalidArgument},
		"a rota of a stranger": {func() error {
			_, err := s.PutRota(ctx, &alertv1.PutRotaRequest{Rota: rota("", days(1, "2026-11-28", "", "kim"))})
			return err
		}, codes.InvalidArgument},
		"an override twice taken back": {func() error {
			_, err := s.DeleteOverride(ctx, &alertv1.DeleteOverrideRequest{Rota: "ops", Id: added.GetOverride().GetId()})
			return err
		}, codes.NotFound},
		"shifts of a year": {func() error {
			_, err := s.ListShifts(ctx, &alertv1.ListShiftsRequest{Rota: "ops", To: timestamppb.New(at(t, "2027-11-28T00:00:00Z"))})
			return err
		}, codes.InvalidArgument},
		"no such rota": {func() error { _, err := s.GetOnCall(ctx, &alertv1.GetOnCallRequest{Rota: "none"}); return err }, codes.NotFound},
	} {
		if err := tt.call(); status.Code(err) != tt.want {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := s.DeleteRota(ctx, &alertv1.DeleteRotaRequest{Name: "ops"}); err != nil {
		t.Error(err)
	}
	if _, err := s.DeletePerson(ctx, &alertv1.DeletePersonRequest{Name: "ann"}); err != nil {
		t.Error(err)
	}
	if people, err := s.ListPeople(ctx, nil); err != nil || len(people.GetPeople()) != 1 {
		t.Errorf("people %v (%v)", people, err)
	}
}
