package column

import "math/bits"

// Bitmap is a set of row numbers.
type Bitmap []uint64

// Get reports whether i is in the set.
func (b Bitmap) Get(i int) bool { return b[uint(i)>>6]&(1<<(uint(i)&63)) != 0 }

// Set adds i.
func (b Bitmap) Set(i int) { b[uint(i)>>6] |= 1 << (uint(i) & 63) }

// Clear takes i out.
func (b Bitmap) Clear(i int) { b[uint(i)>>6] &^= 1 << (uint(i) & 63) }

// Resize returns an empty set with room for n rows, in b's memory if it fits.
func (b Bitmap) Resize(n int) Bitmap {
	words := (n + 63) / 64
	if cap(b) < words {
		return make(Bitmap, words, max(words, 2*cap(b)))
	}
	b = b[:words]
	clear(b)
	return b
}

// Grow returns the set with room for n rows, keeping what is in it.
func (b Bitmap) Grow(n int) Bitmap {
	for len(b) < (n+63)/64 {
		b = append(b, 0)
	}
	return b
}

// Or adds all of o.
func (b Bitmap) Or(o Bitmap) {
	for i := range min(len(b), len(o)) {
		b[i] |= o[i]
	}
}

// Fill adds the rows 0 to n-1.
func (b Bitmap) Fill(n int) {
	for i := range b {
		b[i] = ^uint64(0)
	}
	if rest := uint(n) & 63; rest != 0 && len(b) > 0 {
		b[len(b)-1] = 1<<rest - 1
	}
}

// Count returns how many rows are in the set.
func (b Bitmap) Count() int { return b.countTo(64 * len(b)) }

// countTo counts the rows below n.
func (b Bitmap) countTo(n int) int {
	count := 0
	for i := 0; i < n/64; i++ {
		count += bits.OnesCount64(b[i])
	}
	if rest := uint(n) & 63; rest != 0 {
		count += bits.OnesCount64(b[n/64] & (1<<rest - 1))
	}
	return count
}
