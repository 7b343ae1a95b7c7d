// Package pace keeps to how often a provider takes messages. Those that have to wait
// are sent together, in their order.
package pace

import "time"

// Limit is that of a provider: so many messages in so much time.
type Limit struct {
	N   int
	Per time.Duration
}

// window says when the next message may go. The first half of a limit may be used at
// once; the rest is spread, so that nothing ever waits for the whole of the window.
type window struct {
	limit Limit
	sent  []time.Time // the last N
}

// next is the earliest time at or after now.
func (w *window) next(now time.Time) time.Time {
	for len(w.sent) > 0 && now.Sub(w.sent[0]) >= w.limit.Per {
		w.sent = w.sent[1:]
	}
	n := len(w.sent)
	half := w.limit.N / 2
	if n == 0 || n < half {
		return now
	}
	at := w.sent[n-1].Add(w.limit.Per / time.Duration(w.limit.N-half))
	if n >= w.limit.N {
		if full := w.sent[n-w.limit.N].Add(w.limit.Per); full.After(at) {
			at = full
		}
	}
	if at.Before(now) {
		return now
	}
	return at
}

func (w *window) add(now time.Time) { w.sent = append(w.sent, now) }
