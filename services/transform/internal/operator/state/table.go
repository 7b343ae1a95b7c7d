// Package state keeps the keyed state of operators, writes what changed of it to
// checkpoints, and reads it back.
package state

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/operator"
)

// version of the form in which state is written.
const version = 1

// ErrVersion says that state was written by another version, or for another plan.
var ErrVersion = errors.New("state of another form")

// Part is some of an operator's state.
type Part interface {
	// Snapshot writes everything the first time, later what changed. After
	// Restore it writes what changed since.
	Snapshot(w operator.StateWriter) error
	Restore(r operator.StateReader) error
	// Sweep writes everything. more is called after every entry; there the state
	// may change, and false ends the sweep, which then returns false.
	Sweep(w operator.StateWriter, more func() bool) (bool, error)
	// Len is the number of entries.
	Len() int
}

// formatState is the name of the state that says how the rest is written.
const formatState = "format"

// Tables are all state of an operator. Operators embed it.
type Tables struct {
	shape  string
	parts  []Part
	marked bool // the format has been written
}

// NewTables returns tables for rows of a shape: a text that differs when state
// of the one cannot be read as state of the other.
func NewTables(shape string) Tables { return Tables{shape: shape} }

// Stateful reports that there is state.
func (t *Tables) Stateful() bool { return true }

// Shape is what the state is written for.
func (t *Tables) Shape() string { return t.shape }

// Entries is the number of entries that are kept.
func (t *Tables) Entries() int {
	n := 0
	for _, p := range t.parts {
		n += p.Len()
	}
	return n
}

func (t *Tables) mark(w operator.StateWriter) error {
	return w.Put(formatState, []byte("version"), append([]byte{version}, t.shape...))
}

// Snapshot writes what changed since the last snapshot.
func (t *Tables) Snapshot(w operator.StateWriter) error {
	if !t.marked {
		if err := t.mark(w); err != nil {
			return err
		}
		t.marked = true
	}
	for _, p := range t.parts {
		if err := p.Snapshot(w); err != nil {
			return err
		}
	}
	return nil
}

// Sweep writes all state; it is what is left of it when more says that it shall go on.
func (t *Tables) Sweep(w operator.StateWriter, more func() bool) (bool, error) {
	if err := t.mark(w); err != nil || !more() {
		return false, err
	}
	for _, p := range t.parts {
		if ok, err := p.Sweep(w, more); err != nil || !ok {
			return false, err
		}
	}
	return true, nil
}

// Restore reads all state.
func (t *Tables) Restore(r operator.StateReader) error {
	err := r.Each(formatState, func(_ []byte, value io.Reader) error {
		b, err := io.ReadAll(value)
		if err != nil {
			return err
		}
		if len(b) == 0 || b[0] != version {
			return fmt.Errorf("%w: version %v, this is version %d", ErrVersion, b[:min(1, len(b))], version)
		}
		if string(b[1:]) != t.shape {
			return fmt.Errorf("%w: it was written for %s, the plan now has %s", ErrVersion, b[1:], t.shape)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, p := range t.parts {
		if err := p.Restore(r); err != nil {
			return err
		}
	}
	return nil
}

// Codec writes and reads the entries of a table.
type Codec[E any] struct {
	Append func(dst []byte, e E) []byte
	// Decode may keep parts of s.
	Decode func(key, s string) (E, error)
}

// Table is a map from keys to entries.
type Table[E any] struct {
	name     string
	codec    Codec[E]
	entries  map[string]E
	touched  map[string]struct{} // since the last snapshot; nil while there was none
	ttl      time.Duration
	now      func() time.Time
	used     map[string]int64 // when an entry was last written; nil without TTL
	sweepAt  int64
	scratch  []byte
	onExpire func(key string, e E)
}

// Add adds a part that an operator keeps by itself.
func (t *Tables) Add(p Part) { t.parts = append(t.parts, p) }

// AddTable adds a table to an operator's state.
func AddTable[E any](t *Tables, name string, codec Codec[E]) *Table[E] {
	table := &Table[E]{name: name, codec: codec, entries: make(map[string]E)}
	t.parts = append(t.parts, table)
	return table
}

// Expire forgets entries that were not written for the time given; 0 keeps all.
// dropped is told of those that go; it may be nil.
func (t *Table[E]) Expire(ttl time.Duration, now func() time.Time, dropped func(key string, e E)) {
	if ttl <= 0 {
		return
	}
	t.ttl, t.now, t.onExpire = ttl, now, dropped
	t.used = make(map[string]int64)
}

// Len returns the number of entries.
func (t *Table[E]) Len() int { return len(t.entries) }

// Get returns the entry of a key.
func (t *Table[E]) Get(key []byte) (E, bool) {
	e, ok := t.entries[string(key)]
	if ok && t.used != nil && t.now().UnixMilli()-t.used[string(key)] >= t.ttl.Milliseconds() {
		t.drop(string(key), e)
		var none E
		return none, false
	}
	return e, ok
}

func (t *Table[E]) drop(key string, e E) {
	if t.onExpire != nil {
		t.onExpire(key, e)
	}
	t.Delete(key)
}

// Put sets the entry of a key.
func (t *Table[E]) Put(key string, e E) {
	t.entries[key] = e
	t.Touch(key)
}

// Touch says that the entry of a key was changed in place.
func (t *Table[E]) Touch(key string) {
	if t.touched != nil {
		t.touched[key] = struct{}{}
	}
	if t.used == nil {
		return
	}
	now := t.now().UnixMilli()
	t.used[key] = now
	if now >= t.sweepAt {
		t.sweep(now)
	}
}

// TouchBytes is Touch for a key that is in the table.
func (t *Table[E]) TouchBytes(key []byte) {
	if t.touched == nil && t.used == nil {
		return
	}
	t.Touch(string(key))
}

// sweep drops all that is over its time, once per lifetime.
func (t *Table[E]) sweep(now int64) {
	first := t.sweepAt == 0
	t.sweepAt = now + t.ttl.Milliseconds()
	if first {
		return
	}
	for key, at := range t.used {
		if now-at >= t.ttl.Milliseconds() {
			t.drop(key, t.entries[key])
		}
	}
}

// Delete removes a key.
func (t *Table[E]) Delete(key string) {
	delete(t.entries, key)
	if t.used != nil {
		delete(t.used, key)
	}
	if t.touched != nil {
		t.touched[key] = struct{}{}
	}
}

// Each calls f for every entry, in no order. f may delete the entry it is given.
func (t *Table[E]) Each(f func(key string, e E) error) error {
	for k, e := range t.entries {
		if err := f(k, e); err != nil {
			return err
		}
	}
	return nil
}

// Snapshot writes all entries the first time, later what was touched.
func (t *Table[E]) Snapshot(w operator.StateWriter) error {
	if t.touched == nil {
		for k, e := range t.entries {
			if err := t.put(w, k, e); err != nil {
				return err
			}
		}
		t.touched = make(map[string]struct{})
		return nil
	}
	for k := range t.touched {
		e, ok := t.entries[k]
		var err error
		if ok {
			err = t.put(w, k, e)
		} else {
			err = w.Put(t.name, column.ViewBytes(k), nil)
		}
		if err != nil {
			return err
		}
	}
	clear(t.touched)
	return nil
}

func (t *Table[E]) put(w operator.StateWriter, key string, e E) error {
	t.scratch = t.codec.Append(t.scratch[:0], e)
	if t.scratch == nil {
		t.scratch = []byte{}
	}
	return w.Put(t.name, column.ViewBytes(key), t.scratch)
}

// Sweep writes all entries.
func (t *Table[E]) Sweep(w operator.StateWriter, more func() bool) (bool, error) {
	for k, e := range t.entries { // an entry that goes while more is called is not visited
		if err := t.put(w, k, e); err != nil || !more() {
			return false, err
		}
	}
	return true, nil
}

// Restore reads all entries.
func (t *Table[E]) Restore(r operator.StateReader) error {
	t.touched = make(map[string]struct{})
	return r.Each(t.name, func(key []byte, value io.Reader) error {
		b, err := io.ReadAll(value)
		if err != nil {
			return err
		}
		k := string(key)
		e, err := t.codec.Decode(k, string(b))
		if err != nil {
			return fmt.Errorf("%s: %w", t.name, err)
		}
		t.entries[k] = e
		if t.used != nil {
			t.used[k] = t.now().UnixMilli()
		}
		return nil
	})
}

// Cell is a single value of state.
type Cell struct {
	name    string
	write   func(dst []byte) []byte
	read    func(s string) error
	written []byte
}

// AddCell adds a single value to an operator's state.
func AddCell(t *Tables, name string, write func(dst []byte) []byte, read func(s string) error) {
	t.parts = append(t.parts, &Cell{name: name, write: write, read: read})
}

// Snapshot writes the value if it changed.
func (c *Cell) Snapshot(w operator.StateWriter) error {
	b := c.write([]byte{})
	if c.written != nil && string(b) == string(c.written) {
		return nil
	}
	c.written = b
	return w.Put(c.name, []byte{0}, b)
}

// Sweep writes the value.
func (c *Cell) Sweep(w operator.StateWriter, more func() bool) (bool, error) {
	if err := w.Put(c.name, []byte{0}, c.write([]byte{})); err != nil {
		return false, err
	}
	return more(), nil
}

// Len is 0: a value is no entry.
func (c *Cell) Len() int { return 0 }

// Restore reads the value.
func (c *Cell) Restore(r operator.StateReader) error {
	return r.Each(c.name, func(_ []byte, value io.Reader) error {
		b, err := io.ReadAll(value)
		if err != nil {
			return err
		}
		return c.read(string(b))
	})
}

// AddMarks makes the watermarks of an operator's inputs part of its state.
func AddMarks(t *Tables, m *operator.Marks) {
	AddCell(t, "marks", m.Append, m.Read)
}
