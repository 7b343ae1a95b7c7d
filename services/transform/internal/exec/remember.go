package exec

import (
	"encoding/binary"
	"slices"
	"strings"

	"github.com/weirflow/weirflow/services/transform/internal/operator/row"
	"github.com/weirflow/weirflow/services/transform/internal/operator/state"
)

// remembering is what operators embed that have a little state.
type remembering struct {
	stateless
	tables state.Tables
}

func (r *remembering) Snapshot(w StateWriter) error   { return r.tables.Snapshot(w) }
func (r *remembering) Restore(from StateReader) error { return r.tables.Restore(from) }

// Sweep writes all state.
func (r *remembering) Sweep(w StateWriter, more func() bool) (bool, error) {
	return r.tables.Sweep(w, more)
}

// Entries is the number of entries.
func (r *remembering) Entries() int { return r.tables.Entries() }

// Shape is empty: marks have no shape.
func (r *remembering) Shape() string { return r.tables.Shape() }

// integers makes numbers part of the state, as many as there are at a time.
func (r *remembering) integers(name string, get func() []int64, set func([]int64)) {
	state.AddCell(&r.tables, name, func(dst []byte) []byte {
		for _, n := range get() {
			dst = binary.AppendVarint(dst, n)
		}
		return dst
	}, func(s string) error {
		var list []int64
		for s != "" {
			n, rest, err := row.Varint(s)
			if err != nil {
				return err
			}
			list, s = append(list, n), rest
		}
		set(list)
		return nil
	})
}

func (w *watermark) remember() {
	state.AddCell(&w.tables, "lanes", func(dst []byte) []byte {
		for _, n := range []int64{w.last, w.current, w.emitted} {
			dst = binary.AppendVarint(dst, n)
		}
		var lanes []*lane
		w.lanes(func(l *lane) { lanes = append(lanes, l) })
		slices.SortFunc(lanes, func(a, b *lane) int { return strings.Compare(a.name, b.name) })
		for _, l := range lanes {
			dst = binary.AppendVarint(row.AppendText(dst, l.name), l.mark)
			dst = append(dst, idle(l))
		}
		return dst
	}, w.recall)
}

func idle(l *lane) byte {
	if l.idle {
		return 1
	}
	return 0
}

// recall reads the watermarks. Partitions are known by name: their numbers may be
// others now. Those that were silent do not hold the watermark back again.
func (w *watermark) recall(s string) (err error) {
	for _, n := range []*int64{&w.last, &w.current, &w.emitted} {
		if *n, s, err = row.Varint(s); err != nil {
			return err
		}
	}
	now := w.now()
	for s != "" {
		l := &lane{seen: now}
		if l.name, s, err = row.Text(s); err != nil {
			return err
		}
		if l.mark, s, err = row.Varint(s); err != nil {
			return err
		}
		if s == "" {
			return row.ErrDamaged
		}
		l.idle, s = s[0] == 1, s[1:]
		w.known[l.name] = l
	}
	return nil
}

func (u *union) remember() {
	u.integers("marks", func() []int64 { return append([]int64{u.last}, u.marks...) }, func(list []int64) {
		if len(list) == len(u.marks)+1 {
			u.last = list[0]
			copy(u.marks, list[1:])
		}
	})
}

func (l *limiter) remember() {
	l.integers("left", func() []int64 { return []int64{l.skip, l.left} }, func(list []int64) {
		if len(list) == 2 {
			l.skip, l.left = list[0], list[1]
		}
	})
}

// Stateful reports that there is state.
func (l *limiter) Stateful() bool { return true }

func (s *sorter) remember() {
	state.AddCell(&s.tables, "rows", func(dst []byte) []byte {
		dst = binary.AppendUvarint(dst, uint64(s.rows.Len))
		for i := range s.rows.Len {
			dst = row.AppendAll(dst, &s.rows, i)
		}
		return dst
	}, func(text string) error {
		n, text, err := row.Uvarint(text)
		if err != nil {
			return err
		}
		for range n {
			if text, err = row.Decode(text, s.rows.Cols); err != nil {
				return err
			}
		}
		s.rows.Len = int(n)
		return nil
	})
}

// Stateful reports that there is state.
func (s *sorter) Stateful() bool { return true }
