package window

import (
	"encoding/binary"
	"io"

	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/operator"
	"github.com/weirflow/weirflow/services/transform/internal/operator/aggregate"
	"github.com/weirflow/weirflow/services/transform/internal/operator/row"
)

const (
	// spanBytes is how long a span is in front of a key.
	spanBytes = 16
	// groupState is the name of the state of groups.
	groupState = "groups"
)

// groups are the groups of an open window.
type groups struct {
	groups  map[string]int32
	touched map[string]struct{} // since the last snapshot
}

// windows are the open windows. Their keys are kept without the window's bounds,
// which would be most of the memory.
type windows struct {
	set      *aggregate.Set
	open     map[span]*groups
	tracking bool     // there was a snapshot
	closed   []string // keys that went since the last one
	opened   func(s span)
	last     span
	current  *groups // of last
	scratch  []byte
}

func newWindows(set *aggregate.Set) *windows {
	return &windows{set: set, open: make(map[span]*groups)}
}

// of returns the groups of a window.
func (w *windows) of(s span) *groups {
	if w.current != nil && w.last == s {
		return w.current
	}
	g := w.open[s]
	if g == nil {
		g = &groups{groups: make(map[string]int32), touched: make(map[string]struct{})}
		w.open[s] = g
		w.opened(s)
	}
	w.last, w.current = s, g
	return g
}

// slot returns the slot of a group, which is about to change.
func (w *windows) slot(s span, key []byte) int32 {
	g := w.of(s)
	slot, ok := g.groups[string(key)]
	if !ok {
		slot = w.set.New()
		g.groups[string(key)] = slot
	}
	if w.tracking {
		g.touched[string(key)] = struct{}{}
	}
	return slot
}

// close forgets a window.
func (w *windows) close(s span) {
	if w.tracking {
		for key := range w.open[s].groups {
			w.closed = append(w.closed, string(appendSpan(nil, s))+key)
		}
	}
	delete(w.open, s)
	w.current = nil
}

// Snapshot writes all groups the first time, later those that changed.
func (w *windows) Snapshot(to operator.StateWriter) error {
	for _, key := range w.closed {
		if err := to.Put(groupState, []byte(key), nil); err != nil {
			return err
		}
	}
	w.closed = nil
	for s, g := range w.open {
		if !w.tracking {
			for key := range g.groups {
				if err := w.put(to, s, g, key); err != nil {
					return err
				}
			}
		}
		for key := range g.touched {
			if err := w.put(to, s, g, key); err != nil {
				return err
			}
		}
		clear(g.touched)
	}
	w.tracking = true
	return nil
}

// Sweep writes all groups.
func (w *windows) Sweep(to operator.StateWriter, more func() bool) (bool, error) {
	for s, g := range w.open {
		for key := range g.groups {
			if err := w.put(to, s, g, key); err != nil || !more() {
				return false, err
			}
			if w.open[s] != g {
				break // it has been closed meanwhile: its slots are others' now
			}
		}
	}
	return true, nil
}

// Len is the number of groups.
func (w *windows) Len() int {
	n := 0
	for _, g := range w.open {
		n += len(g.groups)
	}
	return n
}

func (w *windows) put(to operator.StateWriter, s span, g *groups, key string) error {
	w.scratch = append(appendSpan(w.scratch[:0], s), key...)
	at := len(w.scratch)
	w.scratch = w.set.Save(w.scratch, g.groups[key])
	return to.Put(groupState, w.scratch[:at:at], w.scratch[at:])
}

// Restore reads all groups.
func (w *windows) Restore(from operator.StateReader) error {
	w.tracking = true
	return from.Each(groupState, func(key []byte, value io.Reader) error {
		if len(key) < spanBytes {
			return row.ErrDamaged
		}
		text, err := io.ReadAll(value)
		if err != nil {
			return err
		}
		slot := w.set.New()
		if _, err := w.set.Load(slot, string(text)); err != nil {
			return err
		}
		w.of(readSpan(string(key[:spanBytes]))).groups[string(key[spanBytes:])] = slot
		return nil
	})
}

func appendSpan(dst []byte, s span) []byte {
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(dst, uint64(s.end)), uint64(s.start))
}

func readSpan(key string) span {
	b := column.ViewBytes(key[:spanBytes])
	return span{start: int64(binary.BigEndian.Uint64(b[8:])), end: int64(binary.BigEndian.Uint64(b))}
}
