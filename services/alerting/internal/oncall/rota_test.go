package oncall_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	alertv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/alert/v1"
	"github.com/weirflow/weirflow/services/alerting/internal/oncall"
)

func days(n int32, start, at string, people ...string) *alertv1.Layer {
	return &alertv1.Layer{Name: "l", People: people, Start: start, HandOver: at, Length: &alertv1.Layer_Days{Days: n}}
}

func hours(n int32, start, at string, people ...string) *alertv1.Layer {
	return &alertv1.Layer{Name: "l", People: people, Start: start, HandOver: at, Length: &alertv1.Layer_Hours{Hours: n}}
}

func only(l *alertv1.Layer, r ...*alertv1.Restriction) *alertv1.Layer {
	l.Restrictions = r
	return l
}

func rota(zone string, layers ...*alertv1.Layer) *alertv1.Rota {
	return &alertv1.Rota{Name: "ops", TimeZone: zone, Layers: layers}
}

func schedule(t *testing.T, r *alertv1.Rota) *oncall.Schedule {
	t.Helper()
	s, err := oncall.NewSchedule(r)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func at(t *testing.T, text string) time.Time {
	t.Helper()
	x, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func TestWhoIsOnCall(t *testing.T) {
	weekdays := &alertv1.Restriction{Weekdays: []int32{1, 2, 3, 4, 5}, From: "09:00", To: "18:00"}
	nights := &alertv1.Restriction{Weekdays: []int32{5}, From: "22:00", To: "06:00"}
	week := rota("Asia/Shanghai", days(7, "2026-11-30", "09:00", "ann", "bob"))
	office := rota("Europe/Berlin", days(1, "2026-10-19", "", "night"), only(days(7, "2026-10-19", "09:00", "ann"), weekdays))
	friday := rota("Europe/Berlin", only(days(7, "2026-10-05", "", "ann"), nights))
	daily := rota("Europe/Berlin", days(1, "2026-10-24", "09:00", "ann", "bob", "eve"))
	spring := rota("Europe/Berlin", days(1, "2027-03-26", "02:30", "ann", "bob"))
	autumn := rota("America/New_York", days(1, "2026-10-30", "01:30", "ann", "bob"))
	parts := rota("Europe/Berlin", hours(8, "2026-10-24", "06:00", "ann", "bob", "eve"))
	over := rota("UTC", days(1, "2026-11-28", "", "ann", "bob"))
	over.Overrides = []*alertv1.Override{
		{Id: "1", Person: "eve", From: timestamppb.New(at(t, "2026-11-28T10:00:00Z")), To: timestamppb.New(at(t, "2026-11-28T20:00:00Z"))},
		{Id: "2", Person: "dan", From: timestamppb.New(at(t, "2026-11-28T12:00:00Z")), To: timestamppb.New(at(t, "2026-11-28T13:00:00Z"))},
	}
	for name, tt := range map[string]struct {
		rota     *alertv1.Rota
		at, want string
	}{
		"before the first turn":             {week, "2026-11-30T08:59:59+08:00", ""},
		"the first turn":                    {week, "2026-11-30T09:00:00+08:00", "ann"},
		"the end of a turn":                 {week, "2026-12-07T08:59:59+08:00", "ann"},
		"the second":                        {week, "2026-12-07T09:00:00+08:00", "bob"},
		"and again":                         {week, "2026-12-14T01:00:00Z", "ann"},
		"years later":                       {week, "2036-11-30T08:00:00+08:00", "bob"},
		"in the office":                     {office, "2026-10-23T09:00:00+02:00", "ann"},
		"after work":                        {office, "2026-10-23T18:00:00+02:00", "night"},
		"at the weekend":                    {office, "2026-10-24T12:00:00+02:00", "night"},
		"Monday after the clocks changed":   {office, "2026-10-26T09:00:00+01:00", "ann"},
		"an hour before that":               {office, "2026-10-26T08:59:59+01:00", "night"},
		"a night of Friday":                 {friday, "2026-10-23T22:00:00+02:00", "ann"},
		"goes on on Saturday":               {friday, "2026-10-24T05:59:59+02:00", "ann"},
		"until six":                         {friday, "2026-10-24T06:00:00+02:00", ""},
		"not on another day":                {friday, "2026-10-24T23:00:00+02:00", ""},
		"before the clocks change":          {daily, "2026-10-24T09:00:00+02:00", "ann"},
		"24 hours later it is eight":        {daily, "2026-10-25T08:00:00+01:00", "ann"},
		"they hand over at nine all year":   {daily, "2026-10-25T09:00:00+01:00", "bob"},
		"a time that is skipped, before":    {spring, "2027-03-28T01:59:59+01:00", "bob"},
		"a time that is skipped, at three":  {spring, "2027-03-28T03:00:00+02:00", "bob"},
		"a time that is skipped, after":     {spring, "2027-03-28T03:30:00+02:00", "ann"},
		"a time that is twice, before":      {autumn, "2026-11-01T01:29:59-04:00", "bob"},
		"a time that is twice, at first":    {autumn, "2026-11-01T01:30:00-04:00", "ann"},
		"a time that is twice, again":       {autumn, "2026-11-01T01:15:00-05:00", "ann"},
		"eight hours":                       {parts, "2026-10-24T14:00:00+02:00", "bob"},
		"the night has nine":                {parts, "2026-10-25T05:59:59+01:00", "eve"},
		"the morning is at six as ever":     {parts, "2026-10-25T06:00:00+01:00", "ann"},
		"an override":                       {over, "2026-11-28T10:00:00Z", "eve"},
		"the one that was added last":       {over, "2026-11-28T12:30:00Z", "dan"},
		"back to the one before":            {over, "2026-11-28T13:00:00Z", "eve"},
		"over":                              {over, "2026-11-28T20:00:00Z", "ann"},
		"no layers":                         {rota(""), "2026-11-28T20:00:00Z", ""},
		"long before the first turn of all": {parts, "1969-01-01T00:00:00Z", ""},
	} {
		if got := schedule(t, tt.rota).Person(at(t, tt.at)); got != tt.want {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
}

func TestShifts(t *testing.T) {
	r := rota("Europe/Berlin", only(days(1, "2026-10-24", "09:00", "ann", "bob"), &alertv1.Restriction{From: "09:00", To: "21:00"}))
	r.Overrides = []*alertv1.Override{{Id: "o", Person: "eve", From: timestamppb.New(at(t, "2026-10-25T20:00:00+01:00")), To: timestamppb.New(at(t, "2026-10-25T22:00:00+01:00"))}}
	all, more := schedule(t, r).Shifts(at(t, "2026-10-24T12:00:00+02:00"), at(t, "2026-10-26T12:00:00+01:00"))
	var got []string
	for _, s := range all {
		got = append(got, s.GetPerson()+" "+s.GetFrom().AsTime().Format("02T15:04")+"-"+s.GetTo().AsTime().Format("02T15:04")+" "+s.GetLayer()+s.GetOverride())
	}
	want := "ann 24T10:00-24T19:00 l, 24T19:00-25T08:00 ,bob 25T08:00-25T19:00 l,eve 25T19:00-25T21:00 o, 25T21:00-26T08:00 ,ann 26T08:00-26T11:00 l"
	if strings.Join(got, ",") != want || more {
		t.Errorf("shifts %s", strings.Join(got, ","))
	}
	if s := schedule(t, r).Shift(at(t, "2026-10-25T09:00:00Z"), 48*time.Hour); s.GetPerson() != "bob" || !s.GetFrom().AsTime().Equal(at(t, "2026-10-25T08:00:00Z")) {
		t.Errorf("shift %v", s)
	}
	if _, more := schedule(t, rota("", hours(1, "2026-01-01", "", "ann", "bob"))).Shifts(at(t, "2026-01-01T00:00:00Z"), at(t, "2026-12-01T00:00:00Z")); !more {
		t.Error("nothing says that there are more")
	}
}

// TestShiftsAgreeWithTheClock compares who is on call at many instants with the list.
func TestShiftsAgreeWithTheClock(t *testing.T) {
	for _, zone := range []string{"Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Shanghai"} {
		s := schedule(t, rota(zone, hours(6, "2026-03-01", "02:00", "ann", "bob", "eve"),
			only(days(2, "2026-03-01", "02:30", "dan", "kim"), &alertv1.Restriction{Weekdays: []int32{6, 7}, From: "01:30", To: "03:00"})))
		from := at(t, "2026-03-05T00:00:00Z")
		to := from.Add(45 * 24 * time.Hour)
		all, _ := s.Shifts(from, to)
		for i, x := 0, from; x.Before(to); x = x.Add(5 * time.Minute) {
			for !all[i].GetTo().AsTime().After(x) {
				i++
			}
			if got := s.Person(x); got != all[i].GetPerson() {
				t.Fatalf("%s at %v: %s, in the list %s", zone, x, got, all[i].GetPerson())
			}
		}
	}
}

func TestRotasThatAreRefused(t *testing.T) {
	override := rota("")
	override.Overrides = []*alertv1.Override{{Person: "ann", From: timestamppb.New(time.Unix(2, 0)), To: timestamppb.New(time.Unix(1, 0))}}
	for want, r := range map[string]*alertv1.Rota{
		"time_zone":       rota("Asia/Peking"),
		"people":          rota("", days(1, "2026-11-30", "")),
		"not a day":       rota("", days(1, "30.11.2026", "", "ann")),
		"time of the day": rota("", days(1, "2026-11-30", "9:00", "ann")),
		"1 to 366 days":   rota("", days(0, "2026-11-30", "", "ann")),
		"6, 8 or 12":      rota("", hours(5, "2026-11-30", "", "ann")),
		"weekday 8":       rota("", only(days(1, "2026-11-30", "", "ann"), &alertv1.Restriction{Weekdays: []int32{8}})),
		"before it begin": override,
	} {
		if _, err := oncall.NewSchedule(r); !errors.Is(err, oncall.ErrInput) || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one about %q", err, want)
		}
	}
}
