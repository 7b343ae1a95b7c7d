package limit

import (
	"sync"
	"time"
)

// Policy says how often one may be wrong, and what it costs.
type Policy struct {
	// Free is how many wrong tries cost nothing.
	Free int
	// First is the wait after the next one; each further one doubles it, up to Most.
	First, Most time.Duration
	// Forget is after how long without a try all is forgotten.
	Forget time.Duration
}

// Guesses counts wrong tries by key and has who was wrong too often wait.
type Guesses struct {
	policy Policy
	now    func() time.Time

	mu   sync.Mutex
	keys *recent[*tries]
}

type tries struct {
	wrong int
	until time.Time
	last  time.Time
}

// NewGuesses makes a count.
func NewGuesses(p Policy, now func() time.Time) *Guesses {
	return &Guesses{policy: p, now: now, keys: newRecent[*tries](maxKeys)}
}

// Begin counts a try as a wrong one until Right says otherwise, so that tries made all
// at once are counted, too. It returns how long is to be waited if this one is too many;
// that one is not counted.
func (g *Guesses) Begin(key string) (wait time.Duration, ok bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.now()
	t := g.keys.get(key, func() *tries { return &tries{} })
	if now.Sub(t.last) > g.policy.Forget {
		*t = tries{}
	}
	if now.Before(t.until) {
		return t.until.Sub(now), false
	}
	t.wrong++
	t.last = now
	if over := t.wrong - g.policy.Free; over > 0 {
		t.until = now.Add(g.cost(over))
	}
	return 0, true
}

func (g *Guesses) cost(over int) time.Duration {
	d := g.policy.First
	for i := 1; i < over && d < g.policy.Most; i++ {
		d *= 2
	}
	return min(d, g.policy.Most)
}

// Undo takes back what Begin counted: the try was right, or was not looked at.
func (g *Guesses) Undo(key string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	t := g.keys.get(key, func() *tries { return &tries{} })
	t.wrong = max(0, t.wrong-1)
	t.until = time.Time{}
}

// Right forgets the wrong tries of a key.
func (g *Guesses) Right(key string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.keys.drop(key)
}
