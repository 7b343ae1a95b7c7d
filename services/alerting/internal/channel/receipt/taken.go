package receipt

import (
	"context"
	"sync"
)

// Taken is a message that a provider took for a number. What becomes of it, the provider
// says later, by its id.
type Taken struct{ Provider, Number, ID string }

// Takings collects what providers took for one notification.
type Takings struct {
	mu  sync.Mutex
	all []Taken
}

// All returns them.
func (t *Takings) All() []Taken {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append([]Taken(nil), t.all...)
}

type takings struct{}

// Collect returns a context in which Took notes.
func Collect(ctx context.Context) (context.Context, *Takings) {
	t := &Takings{}
	return context.WithValue(ctx, takings{}, t), t
}

// Took notes that a provider took a message for a number, of which only a part is kept.
func Took(ctx context.Context, provider, number, id string) {
	t, ok := ctx.Value(takings{}).(*Takings)
	if !ok || id == "" {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.all = append(t.all, Taken{Provider: provider, Number: Masked(number), ID: id})
}

// Signers knows the secrets by which providers sign what they call back with, by account.
type Signers struct {
	mu sync.Mutex
	by map[string]func() (string, error)
}

// NewSigners returns one that knows none.
func NewSigners() *Signers { return &Signers{by: make(map[string]func() (string, error))} }

// Has reports whether an account is one of ours, be its secret known or not.
func (s *Signers) Has(account string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := s.by[account]
	return ok
}

// Set has an account's secret be read by a function; nil says that it is not known.
func (s *Signers) Set(account string, secret func() (string, error)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.by[account] = secret
}

// Secret returns that of an account, and whether it is known.
func (s *Signers) Secret(account string) (string, bool, error) {
	s.mu.Lock()
	f := s.by[account]
	s.mu.Unlock()
	if f == nil {
		return "", false, nil
	}
	text, err := f()
	return text, true, err
}
