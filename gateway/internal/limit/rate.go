package limit

import (
	"container/list"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// maxKeys bounds the callers that are remembered; the one unseen longest is forgotten.
const maxKeys = 10_000

// Rate allows each key so many events a second, and a burst of them.
type Rate struct {
	every rate.Limit
	burst int
	now   func() time.Time

	mu   sync.Mutex
	keys *recent[*rate.Limiter]
}

// NewRate makes a limit; perSecond of 0 or less is none.
func NewRate(perSecond float64, burst int, now func() time.Time) *Rate {
	return &Rate{every: rate.Limit(perSecond), burst: burst, now: now, keys: newRecent[*rate.Limiter](maxKeys)}
}

// Allow reports whether the key may now; if not, after which time it is worth trying.
func (r *Rate) Allow(key string) (wait time.Duration, ok bool) {
	if r.every <= 0 {
		return 0, true
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	l := r.keys.get(key, func() *rate.Limiter { return rate.NewLimiter(r.every, r.burst) })
	now := r.now()
	if l.AllowN(now, 1) {
		return 0, true
	}
	ask := l.ReserveN(now, 1)
	wait = ask.DelayFrom(now)
	ask.CancelAt(now)
	return wait, false
}

// recent is a map that forgets the key that was asked for longest ago.
type recent[V any] struct {
	max   int
	order *list.List // of entry[V], the latest first
	at    map[string]*list.Element
}

type entry[V any] struct {
	key   string
	value V
}

func newRecent[V any](most int) *recent[V] {
	return &recent[V]{max: most, order: list.New(), at: map[string]*list.Element{}}
}

func (r *recent[V]) get(key string, empty func() V) V {
	if e, ok := r.at[key]; ok {
		r.order.MoveToFront(e)
		return e.Value.(entry[V]).value //nolint:forcetypeassert // only entries are put in
	}
	v := empty()
	r.at[key] = r.order.PushFront(entry[V]{key, v})
	if r.order.Len() > r.max {
		last := r.order.Back()
		delete(r.at, last.Value.(entry[V]).key) //nolint:forcetypeassert // only entries are put in
		r.order.Remove(last)
	}
	return v
}

func (r *recent[V]) drop(key string) {
	if e, ok := r.at[key]; ok {
		delete(r.at, key)
		r.order.Remove(e)
	}
}
