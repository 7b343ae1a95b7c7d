package aggregate

import (
	"encoding/binary"

	"github.com/weirflow/weirflow/services/transform/internal/operator/row"
	"github.com/weirflow/weirflow/services/transform/internal/operator/state"
)

// distinct is the arguments of a group with how often each came.
type distinct struct {
	index *state.Index
	n     []int64 // by entry
}

// distinctOf returns those of a slot.
func (k *call) distinctOf(slot int32) *distinct {
	d := k.distinct.At(slot)
	if *d == nil {
		*d = &distinct{index: state.NewIndex()}
	}
	return *d
}

// add counts arguments and returns how often they have come. Those that were taken
// back as often as they came are forgotten.
func (d *distinct) add(key []byte, by int64) int64 {
	at, added := d.index.Add(key)
	switch {
	case int(at) == len(d.n):
		d.n = append(d.n, 0)
	case added:
		d.n[at] = 0
	}
	d.n[at] += by
	n := d.n[at]
	if n == 0 {
		d.index.Delete(at)
		d.n = d.n[:d.index.Bound()]
	}
	return n
}

// each calls f for all arguments.
func (d *distinct) each(f func(key string, n int64) error) error {
	if d == nil {
		return nil
	}
	for at := range d.index.Bound() {
		if !d.index.Has(at) {
			continue
		}
		if err := f(d.index.Key(at), d.n[at]); err != nil {
			return err
		}
	}
	return nil
}

func (s *Set) encode(k *call, i int) {
	s.scratch = s.scratch[:0]
	for _, a := range k.args {
		s.scratch = row.AppendValue(s.scratch, a, i)
	}
}

// first counts the arguments of row i, and reports whether they came the first time.
func (s *Set) first(k *call, slot int32, i int) bool {
	s.encode(k, i)
	return k.distinctOf(slot).add(s.scratch, 1) == 1
}

// last takes the arguments of row i back, and reports whether they are gone.
func (s *Set) last(k *call, slot int32, i int) bool {
	s.encode(k, i)
	return k.distinctOf(slot).add(s.scratch, -1) == 0
}

func (k *call) mergeDistinct(dst, src int32) error {
	into := k.distinctOf(dst)
	return (*k.distinct.At(src)).each(func(key string, n int64) error {
		if into.add([]byte(key), n) != n {
			return nil
		}
		for _, v := range k.merged {
			v.Reset(0)
		}
		if _, err := row.Decode(key, k.merged); err != nil {
			return err
		}
		k.fn.Add(dst, k.merged, 0)
		return nil
	})
}

func (k *call) saveDistinct(dst []byte, slot int32) []byte {
	d := *k.distinct.At(slot)
	if d == nil {
		return append(dst, 0)
	}
	dst = binary.AppendUvarint(dst, uint64(d.index.Len()))
	_ = d.each(func(key string, n int64) error {
		dst = binary.AppendVarint(row.AppendText(dst, key), n)
		return nil
	})
	return dst
}

func (k *call) loadDistinct(slot int32, text string) (string, error) {
	n, text, err := row.Uvarint(text)
	if err != nil || n == 0 {
		return text, err
	}
	d := k.distinctOf(slot)
	for range n {
		var key string
		var times int64
		if key, text, err = row.Text(text); err != nil {
			return text, err
		}
		if times, text, err = row.Varint(text); err != nil {
			return text, err
		}
		d.add([]byte(key), times)
	}
	return text, nil
}
