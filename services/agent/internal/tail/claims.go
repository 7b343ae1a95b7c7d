package tail

import (
	"sync"

	"github.com/weirflow/weirflow/services/agent/internal/registry"
)

// Claims settle which input a file belongs to, where inputs share a key. A file
// that a second input reads too gets a second entry, so that each keeps its own
// account of it.
type Claims struct {
	mu     sync.Mutex
	owners map[registry.ID]*Input
}

// NewClaims makes an empty set.
func NewClaims() *Claims { return &Claims{owners: map[registry.ID]*Input{}} }

// claim returns the identity under which the input may read the file.
func (c *Claims) claim(id registry.ID, in *Input) registry.ID {
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		owner := c.owners[id]
		if owner == nil {
			c.owners[id] = in
		}
		if owner == nil || owner == in {
			return id
		}
		id.Input += "+"
	}
}

// release gives a file up that is gone.
func (c *Claims) release(id registry.ID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.owners, id)
}

// Taken says whether a running input has claimed the file.
func (c *Claims) Taken(id registry.ID) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.owners[id] != nil
}
