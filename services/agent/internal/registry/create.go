package registry

import "time"

// creation is a group of new entries that are written and synced together.
type creation struct {
	buf     []byte
	entries []*Entry
	done    bool
	err     error
}

// Create begins a new incarnation of a file; an older one is forgotten. When it
// returns without an error, the new file id is on disk. Calls at the same time
// share a sync.
func (r *Registry) Create(id ID, path string, at Position) (*Entry, error) {
	fileID, err := newFileID()
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	e := &Entry{ID: id, FileID: fileID, Path: path, Position: at, Updated: time.Now(), number: r.next}
	r.next++
	c := r.creating
	if c == nil {
		c = &creation{}
		r.creating = c
	}
	c.buf, c.entries = appendPut(c.buf, e), append(c.entries, e)
	r.mu.Unlock()

	r.fileMu.Lock()
	defer r.fileMu.Unlock()
	if !c.done {
		r.write(c)
	}
	if c.err != nil {
		return nil, c.err
	}
	return e, nil
}

// write puts a group of new entries on disk and then into the registry.
func (r *Registry) write(c *creation) {
	r.mu.Lock()
	r.creating = nil // nobody joins any more
	r.mu.Unlock()
	c.done = true
	if c.err = r.append(c.buf); c.err != nil {
		return
	}
	r.live += int64(len(c.buf))
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range c.entries {
		if old := r.entries[e.ID]; old != nil {
			old.removed = true // its acknowledgements no longer count
		}
		r.entries[e.ID] = e
	}
}
