// Package oncall knows people, how they are reached and whose turn it is.
package oncall

import (
	"errors"
	"fmt"
	"slices"
	"time"

	alertv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/alert/v1"
)

const (
	// maxLayers, maxPeople, maxRestrictions and maxOverrides bound a rota.
	maxLayers, maxPeople, maxRestrictions, maxOverrides = 20, 200, 50, 1000
	// maxDays bounds a turn.
	maxDays = 366
	// maxShifts bounds an answer.
	maxShifts = 2000
)

// ErrInput is wrapped by what is wrong with a request.
var ErrInput = errors.New("the request is not right")

func wrong(format string, args ...any) error {
	return fmt.Errorf("%w: %w", ErrInput, fmt.Errorf(format, args...))
}

// Schedule is a rota that can be asked.
type Schedule struct {
	rota   *alertv1.Rota
	zone   *time.Location
	layers []layer
}

type layer struct {
	name         string
	people       []string
	start        civil
	length       civil
	restrictions []restriction
}

type restriction struct {
	days     []int32
	from, to civil // to may be on the next day
}

// NewSchedule reads a rota and says what is wrong with it.
func NewSchedule(r *alertv1.Rota) (*Schedule, error) {
	s := &Schedule{rota: r, zone: time.UTC}
	var err error
	if z := r.GetTimeZone(); z != "" {
		if s.zone, err = time.LoadLocation(z); err != nil || z == "Local" {
			return nil, wrong("time_zone %q is not known: it is a name such as Asia/Shanghai", z)
		}
	}
	if len(r.GetLayers()) > maxLayers || len(r.GetOverrides()) > maxOverrides {
		return nil, wrong("a rota has at most %d layers and %d overrides", maxLayers, maxOverrides)
	}
	for i, l := range r.GetLayers() {
		x, err := readLayer(l)
		if err != nil {
			return nil, wrong("layer %d: %w", i+1, err)
		}
		s.layers = append(s.layers, x)
	}
	for _, o := range r.GetOverrides() {
		if err := checkOverride(o); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func checkOverride(o *alertv1.Override) error {
	if o.GetPerson() == "" || o.GetFrom() == nil || o.GetTo() == nil {
		return wrong("an override needs person, from and to")
	}
	if !o.GetFrom().AsTime().Before(o.GetTo().AsTime()) {
		return wrong("the override of %s ends before it begins", o.GetPerson())
	}
	return nil
}

func readLayer(l *alertv1.Layer) (layer, error) {
	out := layer{name: l.GetName(), people: l.GetPeople()}
	if len(l.GetPeople()) == 0 || len(l.GetPeople()) > maxPeople {
		return out, fmt.Errorf("people are required, %d at most", maxPeople)
	}
	start, err := date(l.GetStart())
	if err != nil {
		return out, fmt.Errorf("start: %w", err)
	}
	at, err := timeOfDay(l.GetHandOver())
	if err != nil {
		return out, fmt.Errorf("hand_over: %w", err)
	}
	out.start = start + at
	switch d, h := l.GetDays(), l.GetHours(); {
	case d >= 1 && d <= maxDays:
		out.length = civil(d) * day
	case h >= 1 && h <= 12 && 24%h == 0:
		out.length = civil(h) * hour
	default:
		return out, fmt.Errorf("a turn takes 1 to %d days, or 1, 2, 3, 4, 6, 8 or 12 hours", maxDays)
	}
	if len(l.GetRestrictions()) > maxRestrictions {
		return out, fmt.Errorf("at most %d restrictions", maxRestrictions)
	}
	for _, r := range l.GetRestrictions() {
		x, err := readRestriction(r)
		if err != nil {
			return out, fmt.Errorf("restriction: %w", err)
		}
		out.restrictions = append(out.restrictions, x)
	}
	return out, nil
}

func readRestriction(r *alertv1.Restriction) (restriction, error) {
	out := restriction{days: r.GetWeekdays()}
	for _, d := range out.days {
		if d < 1 || d > 7 {
			return out, fmt.Errorf("weekday %d is not one of 1 (Monday) to 7 (Sunday)", d)
		}
	}
	var err error
	if out.from, err = timeOfDay(r.GetFrom()); err != nil {
		return out, err
	}
	if out.to, err = timeOfDay(r.GetTo()); err != nil {
		return out, err
	}
	if out.to <= out.from {
		out.to += day
	}
	return out, nil
}

// turn is the person whose turn it is, and when it begins and ends. Before the first
// turn there is none, and it begins at the end.
func (l layer) turn(t time.Time, zone *time.Location) (person string, from, to time.Time) {
	k := (wall(t, zone) - l.start) / l.length
	begin := func(k civil) time.Time { return instant(l.start+k*l.length, zone) }
	for k > 0 && begin(k).After(t) {
		k--
	}
	for !begin(k + 1).After(t) {
		k++
	}
	if k <= 0 && begin(0).After(t) {
		return "", time.Time{}, begin(0)
	}
	k = max(k, 0)
	return l.people[int(k)%len(l.people)], begin(k), begin(k + 1)
}

// open reports whether the layer has someone on call at a time, and until when that
// holds, as far as the day after it.
func (l layer) open(t time.Time, zone *time.Location) (is bool, until time.Time) {
	today := wall(t, zone).midnight()
	until = instant(today+2*day, zone)
	if len(l.restrictions) == 0 {
		return true, until
	}
	for _, r := range l.restrictions {
		for d := today - day; d <= today+day; d += day {
			if len(r.days) > 0 && !slices.Contains(r.days, d.weekday()) {
				continue
			}
			for _, edge := range []civil{d + r.from, d + r.to} {
				if at := instant(edge, zone); at.After(t) && at.Before(until) {
					until = at
				}
			}
			is = is || !instant(d+r.from, zone).After(t) && instant(d+r.to, zone).After(t)
		}
	}
	return is, until
}

// at says who is on call at a time, and until when that surely holds.
func (s *Schedule) at(t time.Time) (*alertv1.Shift, time.Time) {
	shift, until := &alertv1.Shift{Rota: s.rota.GetName()}, t.Add(48*time.Hour)
	sooner := func(at time.Time) {
		if at.After(t) && at.Before(until) {
			until = at
		}
	}
	for _, l := range s.layers {
		is, edge := l.open(t, s.zone)
		sooner(edge)
		person, _, end := l.turn(t, s.zone)
		sooner(end)
		if is && person != "" {
			shift.Person, shift.Layer = person, l.name
		}
	}
	for _, o := range s.rota.GetOverrides() {
		from, to := o.GetFrom().AsTime(), o.GetTo().AsTime()
		sooner(from)
		sooner(to)
		if !from.After(t) && to.After(t) {
			shift.Person, shift.Layer, shift.Override = o.GetPerson(), "", o.GetId()
		}
	}
	return shift, until
}

// Person is who is on call at a time; empty for nobody.
func (s *Schedule) Person(t time.Time) string {
	shift, _ := s.at(t)
	return shift.GetPerson()
}
