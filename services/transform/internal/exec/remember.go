package exec

import (
	"encoding/binary"
	"slices"

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
	w.integers("marks", func() []int64 {
		list := []int64{w.last, w.current, w.emitted}
		parts := make([]int, 0, len(w.parts))
		for p := range w.parts {
			parts = append(parts, p)
		}
		slices.Sort(parts)
		for _, p := range parts {
			list = append(list, int64(p), w.parts[p].mark)
		}
		return list
	}, func(list []int64) {
		if len(list) < 3 {
			return
		}
		w.last, w.current, w.emitted = list[0], list[1], list[2]
		now := w.now()
		for i := 3; i+1 < len(list); i += 2 {
			w.parts[int(list[i])] = &lane{mark: list[i+1], seen: now}
		}
	})
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
