package window

import (
	"encoding/binary"

	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/operator"
	"github.com/weirflow/weirflow/services/transform/internal/operator/aggregate"
	"github.com/weirflow/weirflow/services/transform/internal/operator/pages"
	"github.com/weirflow/weirflow/services/transform/internal/operator/row"
	"github.com/weirflow/weirflow/services/transform/internal/operator/state"
)

const (
	// spanBytes is how long a span is in front of a key.
	spanBytes = 16
	// groupState is the name of the state of groups.
	groupState = "groups"
	// none stands for a slot that is not known yet.
	none = -1
)

// groups are the groups of an open window. Their keys are kept without the window's
// bounds, which would be most of the memory.
type groups struct {
	span  span
	index *state.Index
	slots pages.List[int32] // of the index's entries
	dirty state.Marks       // entries that changed since the last snapshot
	saved state.Marks       // entries that are in it
}

// windows are the open windows.
type windows struct {
	set      *aggregate.Set
	open     map[span]*groups
	tracking bool // there was a snapshot
	// over tells, of what is restored, whether its window was put out before: so that
	// nothing need be written for all the groups that go with a window. nil where
	// that can't be told.
	over    func(s span) bool
	closed  []*groups // since the last snapshot; not kept where over tells
	opened  func(s span)
	current *groups
	scratch []byte
}

func newWindows(set *aggregate.Set) *windows {
	return &windows{set: set, open: make(map[span]*groups)}
}

// of returns the groups of a window.
func (w *windows) of(s span) *groups {
	if w.current != nil && w.current.span == s {
		return w.current
	}
	g := w.open[s]
	if g == nil {
		g = &groups{span: s, index: state.NewIndex()}
		w.open[s] = g
		w.opened(s)
	}
	w.current = g
	return g
}

// slot returns the slot of a group, which is about to change.
func (w *windows) slot(s span, key []byte) int32 {
	g := w.of(s)
	at, added := g.index.Add(key)
	if added {
		g.slots.Append(w.set.New()) // no key of a window is ever deleted
	}
	if w.tracking {
		g.dirty.Set(at)
	}
	return *g.slots.At(at)
}

// close forgets a window.
func (w *windows) close(s span) {
	if w.tracking && w.over == nil {
		w.closed = append(w.closed, w.open[s])
	}
	delete(w.open, s)
	w.current = nil
}

// Snapshot writes all groups the first time, later those that changed.
func (w *windows) Snapshot(to operator.StateWriter) error {
	for _, g := range w.closed {
		if err := g.saved.Take(func(at int32) error { return to.Put(groupState, w.key(g, at), nil) }); err != nil {
			return err
		}
	}
	w.closed = nil
	for _, g := range w.open {
		if w.tracking {
			if err := g.dirty.Take(func(at int32) error { return w.put(to, g, at) }); err != nil {
				return err
			}
			continue
		}
		for at := range g.index.Bound() {
			if err := w.put(to, g, at); err != nil {
				return err
			}
		}
	}
	w.tracking = true
	return nil
}

// Sweep writes all groups.
func (w *windows) Sweep(to operator.StateWriter, more func() bool) (bool, error) {
	for s, g := range w.open {
		for at := int32(0); at < g.index.Bound(); at++ {
			if err := w.put(to, g, at); err != nil || !more() {
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
		n += g.index.Len()
	}
	return n
}

// key writes the key of a group as it is in the state.
func (w *windows) key(g *groups, at int32) []byte {
	w.scratch = append(appendSpan(w.scratch[:0], g.span), g.index.Key(at)...)
	return w.scratch
}

func (w *windows) put(to operator.StateWriter, g *groups, at int32) error {
	if w.over == nil {
		g.saved.Set(at)
	}
	n := len(w.key(g, at))
	w.scratch = w.set.Save(w.scratch, *g.slots.At(at))
	return to.Put(groupState, w.scratch[:n:n], w.scratch[n:])
}

// Restore reads all groups of windows that are not over.
func (w *windows) Restore(from operator.StateReader) error {
	w.tracking = true
	newest := make(map[*groups]*state.Newest)
	err := state.Replay(from, groupState, func(n uint32, key, value []byte) error {
		if len(key) < spanBytes {
			return row.ErrDamaged
		}
		s := readSpan(column.View(key))
		if w.over != nil && w.over(s) {
			return nil
		}
		g := w.of(s)
		at, added := g.index.Add(key[spanBytes:])
		if added {
			g.slots.Append(none)
		}
		if newest[g] == nil {
			newest[g] = &state.Newest{}
		}
		if value == nil {
			newest[g].See(at, 0)
		} else {
			newest[g].See(at, n)
		}
		return nil
	})
	if err != nil {
		return err
	}
	err = state.Replay(from, groupState, func(n uint32, key, value []byte) error {
		g := w.open[readSpan(column.View(key))]
		if g == nil || value == nil {
			return nil
		}
		at, ok := g.index.Find(key[spanBytes:])
		if !ok || !newest[g].Is(at, n) {
			return nil
		}
		slot := w.set.New()
		*g.slots.At(at) = slot
		if w.over == nil {
			g.saved.Set(at)
		}
		_, err := w.set.Load(slot, string(value))
		return err
	})
	w.dropDeleted()
	return err
}

// dropDeleted leaves out the windows of processing time whose groups were deleted.
// Groups that were deleted of a window that came again are empty ones.
func (w *windows) dropDeleted() {
	for s, g := range w.open {
		left := 0
		for at := range g.index.Bound() {
			if *g.slots.At(at) != none {
				left++
			}
		}
		if left == 0 {
			delete(w.open, s)
			w.current = nil
			continue
		}
		for at := range g.index.Bound() {
			if slot := g.slots.At(at); *slot == none {
				*slot = w.set.New()
			}
		}
	}
}

func appendSpan(dst []byte, s span) []byte {
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(dst, uint64(s.end)), uint64(s.start))
}

func readSpan(key string) span {
	b := column.ViewBytes(key[:spanBytes])
	return span{start: int64(binary.BigEndian.Uint64(b[8:])), end: int64(binary.BigEndian.Uint64(b))}
}
