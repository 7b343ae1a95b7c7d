package notify

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/cespare/xxhash/v2"
	"github.com/prometheus/alertmanager/alert"
	"github.com/prometheus/alertmanager/nflog/nflogpb"
	"github.com/prometheus/alertmanager/silence"
	"github.com/prometheus/common/model"
	"google.golang.org/protobuf/proto"
)

// released knows since when alerts that go on are no longer silenced. What a receiver
// was told of them before counts as not told: otherwise it would hear nothing until
// the next repetition, and could take the silence for the end. It is worked out of the
// silences that have ended, which are on disk, and so is the same after a crash.
type released struct {
	mu sync.Mutex
	// at is when the last silence of an alert ended, by the hash that the log of what
	// was sent has.
	at map[uint64]time.Time
	// looked is until which end of a silence an alert was looked at.
	looked map[model.Fingerprint]time.Time
}

func newReleased() *released {
	return &released{at: make(map[uint64]time.Time), looked: make(map[model.Fingerprint]time.Time)}
}

// look finds the silences that have ended of the alerts that go on.
func (e *Engine) look(ctx context.Context) error {
	ended, _, err := e.silences.Query(ctx, silence.QState(silence.SilenceStateExpired))
	if err != nil {
		return err
	}
	var last time.Time
	for _, s := range ended {
		if at := s.GetEndsAt().AsTime(); at.After(last) {
			last = at
		}
	}
	r := e.log.released
	r.mu.Lock()
	defer r.mu.Unlock()
	if last.IsZero() {
		clear(r.at)
		clear(r.looked)
		return nil
	}
	it := e.alerts.GetPending()
	defer it.Close()
	live, hashes := make(map[model.Fingerprint]bool), make(map[uint64]bool)
	for a := range it.Next() {
		fp, hash := a.Data.Fingerprint(), logged(a.Data)
		live[fp], hashes[hash] = true, true
		if a.Data.Resolved() || r.looked[fp].Equal(last) {
			continue
		}
		r.looked[fp] = last
		of, _, err := e.silences.Query(ctx, silence.QState(silence.SilenceStateExpired), silence.QMatches(a.Data.Labels))
		if err != nil {
			return err
		}
		for _, s := range of {
			from, to := s.GetStartsAt().AsTime(), s.GetEndsAt().AsTime()
			if from.Before(to) && to.After(r.at[hash]) { // one that was taken back before it began never held
				r.at[hash] = to
			}
		}
	}
	for fp := range r.looked {
		if !live[fp] {
			delete(r.looked, fp)
		}
	}
	for hash := range r.at {
		if !hashes[hash] {
			delete(r.at, hash)
		}
	}
	return it.Err()
}

// entry is what was sent, without what was sent before a silence. Those alerts have
// another hash then, rather than none: that something was told stays, so that its end
// is told, too.
func (r *released) entry(e *nflogpb.Entry) *nflogpb.Entry {
	r.mu.Lock()
	defer r.mu.Unlock()
	told := e.GetTimestamp().AsTime()
	before := func(hash uint64) bool { return r.at[hash].After(told) }
	if len(r.at) == 0 || !slices.ContainsFunc(e.GetFiringAlerts(), before) {
		return e
	}
	out, _ := proto.Clone(e).(*nflogpb.Entry)
	for i, hash := range out.FiringAlerts {
		if before(hash) {
			out.FiringAlerts[i] = ^hash
		}
	}
	return out
}

// logged is the hash by which the log of what was sent knows an alert. It is the
// Alertmanager's, and not the fingerprint.
func logged(a *alert.Alert) uint64 {
	names := make([]model.LabelName, 0, len(a.Labels))
	for n := range a.Labels {
		names = append(names, n)
	}
	slices.Sort(names)
	var b []byte
	for _, n := range names {
		b = append(append(b, n...), '\xff')
		b = append(append(b, a.Labels[n]...), '\xff')
	}
	return xxhash.Sum64(b)
}
