package pace

import "sync"

// Gates are those of robots, by what a provider counts messages by: all receivers that
// write to one robot share its gate, and a new configuration keeps it.
type Gates struct {
	mu  sync.Mutex
	all map[string]*Gate
}

// NewGates returns none yet.
func NewGates() *Gates { return &Gates{all: make(map[string]*Gate)} }

// Of returns the gate of a robot, which it makes with the limits given.
func (g *Gates) Of(robot string, limits ...Limit) *Gate {
	g.mu.Lock()
	defer g.mu.Unlock()
	gate, ok := g.all[robot]
	if !ok {
		gate = newGate(limits)
		g.all[robot] = gate
	}
	return gate
}
