package oncall

import (
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	alertv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/alert/v1"
)

// Shifts says who is on call between two times, and whether that is not all of it.
func (s *Schedule) Shifts(from, to time.Time) ([]*alertv1.Shift, bool) {
	var all []*alertv1.Shift
	for t := from; t.Before(to); {
		shift, until := s.at(t)
		until = earlier(until, to)
		if n := len(all); n > 0 && same(all[n-1], shift) {
			all[n-1].To = timestamppb.New(until)
		} else {
			if n == maxShifts {
				return all, true
			}
			shift.From, shift.To = timestamppb.New(t), timestamppb.New(until)
			all = append(all, shift)
		}
		t = until
	}
	return all, false
}

// Shift is the one that a time is in, as far as it is known around it.
func (s *Schedule) Shift(t time.Time, around time.Duration) *alertv1.Shift {
	all, _ := s.Shifts(t.Add(-around), t.Add(around))
	for _, x := range all {
		if !x.GetFrom().AsTime().After(t) && x.GetTo().AsTime().After(t) {
			return x
		}
	}
	shift, until := s.at(t) // there are very many
	shift.From, shift.To = timestamppb.New(t), timestamppb.New(until)
	return shift
}

func same(a, b *alertv1.Shift) bool {
	return a.GetPerson() == b.GetPerson() && a.GetLayer() == b.GetLayer() && a.GetOverride() == b.GetOverride()
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
