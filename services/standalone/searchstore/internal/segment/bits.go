// Package segment holds immutable groups of documents in columns: numbers,
// term dictionaries with ordinals, postings with positions, compressed
// sources. A segment is built from parsed documents, or merged from others.
package segment

import "slices"

import "math/bits"

// Bits is a set of document numbers. A nil set is empty.
type Bits []uint64

// NewBits returns an empty set for n documents.
func NewBits(n int) Bits { return make(Bits, (n+63)/64) }

// AllBits returns a set of all n documents.
func AllBits(n int) Bits {
	b := NewBits(n)
	for i := range b {
		b[i] = ^uint64(0)
	}
	if n%64 != 0 {
		b[len(b)-1] = 1<<(n%64) - 1
	}
	return b
}

// Get reports whether i is in the set.
func (b Bits) Get(i uint32) bool {
	w := int(i >> 6)
	return w < len(b) && b[w]>>(i&63)&1 != 0
}

// Set adds i.
func (b Bits) Set(i uint32) { b[i>>6] |= 1 << (i & 63) }

// Clear removes i.
func (b Bits) Clear(i uint32) { b[i>>6] &^= 1 << (i & 63) }

// Count returns the number of members.
func (b Bits) Count() int {
	n := 0
	for _, w := range b {
		n += bits.OnesCount64(w)
	}
	return n
}

// And keeps what is in both sets.
func (b Bits) And(o Bits) {
	for i := range b {
		if i < len(o) {
			b[i] &= o[i]
		} else {
			b[i] = 0
		}
	}
}

// Or adds what is in o.
func (b Bits) Or(o Bits) {
	for i := range o {
		b[i] |= o[i]
	}
}

// AndNot removes what is in o.
func (b Bits) AndNot(o Bits) {
	for i := range min(len(b), len(o)) {
		b[i] &^= o[i]
	}
}

// Clone returns a copy.
func (b Bits) Clone() Bits { return append(Bits(nil), b...) }

// Any reports whether the set has members.
func (b Bits) Any() bool {
	for _, w := range b {
		if w != 0 {
			return true
		}
	}
	return false
}

// EachDown calls fn for each member, the highest first, until it returns false.
func (b Bits) EachDown(fn func(i uint32) bool) {
	for wi, v := range slices.Backward(b) {
		for w := v; w != 0; {
			top := bits.Len64(w) - 1
			if !fn(uint32(wi<<6 + top)) {
				return
			}
			w &^= 1 << top
		}
	}
}

// Each calls fn for each member, in order, until it returns false.
func (b Bits) Each(fn func(i uint32) bool) {
	for wi, w := range b {
		for w != 0 {
			i := uint32(wi<<6 + bits.TrailingZeros64(w))
			if !fn(i) {
				return
			}
			w &= w - 1
		}
	}
}
