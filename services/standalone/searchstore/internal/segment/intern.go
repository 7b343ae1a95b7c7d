package segment

import (
	"bytes"
	"hash/maphash"
	"slices"
)

// interner numbers distinct terms in the order of their first appearance.
type interner struct {
	seed  maphash.Seed
	slots []uint64 // fingerprint<<32 | number+1
	offs  []uint32
	data  []byte
}

func newInterner(seed maphash.Seed) *interner {
	return &interner{seed: seed, slots: make([]uint64, 256), offs: []uint32{0}}
}

func (t *interner) len() int { return len(t.offs) - 1 }

func (t *interner) term(i uint32) []byte { return t.data[t.offs[i]:t.offs[i+1]] }

// id returns the number of a term, a new one for a new term.
func (t *interner) id(term []byte) uint32 {
	h := maphash.Bytes(t.seed, term)
	mask := uint64(len(t.slots) - 1)
	fp := h >> 32
	for i := h & mask; ; i = (i + 1) & mask {
		s := t.slots[i]
		if s == 0 {
			n := uint32(t.len())
			t.data = append(t.data, term...)
			t.offs = append(t.offs, uint32(len(t.data)))
			t.slots[i] = fp<<32 | uint64(n+1)
			if 2*t.len() > len(t.slots) {
				t.grow()
			}
			return n
		}
		if s>>32 == fp {
			n := uint32(s) - 1
			if bytes.Equal(t.term(n), term) {
				return n
			}
		}
	}
}

func (t *interner) grow() {
	t.slots = make([]uint64, 4*len(t.slots))
	mask := uint64(len(t.slots) - 1)
	for n := range t.len() {
		h := maphash.Bytes(t.seed, t.term(uint32(n)))
		i := h & mask
		for t.slots[i] != 0 {
			i = (i + 1) & mask
		}
		t.slots[i] = h>>32<<32 | uint64(n+1)
	}
}

// sorted returns the terms as a dictionary and the new number of each term.
func (t *interner) sorted() (d Dict, rank []uint32) {
	n := t.len()
	perm := make([]uint32, n)
	for i := range perm {
		perm[i] = uint32(i)
	}
	slices.SortFunc(perm, func(a, b uint32) int { return bytes.Compare(t.term(a), t.term(b)) })
	rank = make([]uint32, n)
	d = Dict{Offs: make([]uint32, 1, n+1), Data: make([]byte, 0, len(t.data))}
	for r, i := range perm {
		rank[i] = uint32(r)
		d.push(t.term(i))
	}
	return d, rank
}

// ids finds documents by their id.
type idTable struct {
	seed  maphash.Seed
	slots []uint64
}

func newIDTable(seed maphash.Seed, ids *Dict) *idTable {
	size := 16
	for size < 2*ids.Len() {
		size *= 2
	}
	t := &idTable{seed: seed, slots: make([]uint64, size)}
	mask := uint64(size - 1)
	for n := range ids.Len() {
		h := maphash.Bytes(seed, ids.Term(n))
		i := h & mask
		for t.slots[i] != 0 {
			i = (i + 1) & mask
		}
		t.slots[i] = h>>32<<32 | uint64(n+1)
	}
	return t
}

// find returns the last document with an id that alive accepts.
func (t *idTable) find(ids *Dict, id []byte, alive func(doc uint32) bool) (uint32, bool) {
	h := maphash.Bytes(t.seed, id)
	mask := uint64(len(t.slots) - 1)
	for i := h & mask; t.slots[i] != 0; i = (i + 1) & mask {
		s := t.slots[i]
		if s>>32 != h>>32 {
			continue
		}
		n := uint32(s) - 1
		if bytes.Equal(ids.Term(int(n)), id) && alive(n) {
			return n, true
		}
	}
	return 0, false
}
