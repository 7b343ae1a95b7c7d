// Package state keeps the keyed state of operators, writes what changed of it to
// checkpoints, and reads it back.
package state

import (
	"errors"
	"fmt"
	"io"

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

// Add adds a part that an operator keeps by itself.
func (t *Tables) Add(p Part) { t.parts = append(t.parts, p) }

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
