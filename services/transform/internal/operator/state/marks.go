package state

import "math/bits"

// Marks is a set of entries: a bit for each.
type Marks []uint64

// Has reports whether an entry is in the set.
func (m Marks) Has(entry int32) bool {
	w := int(entry >> 6)
	return w < len(m) && m[w]&(1<<(entry&63)) != 0
}

// Set adds an entry.
func (m *Marks) Set(entry int32) {
	for int(entry>>6) >= len(*m) {
		*m = append(*m, 0)
	}
	(*m)[entry>>6] |= 1 << (entry & 63)
}

// Unset takes an entry out.
func (m Marks) Unset(entry int32) {
	if w := int(entry >> 6); w < len(m) {
		m[w] &^= 1 << (entry & 63)
	}
}

// Take calls f for each entry and takes it out, until f fails.
func (m Marks) Take(f func(entry int32) error) error {
	for w := range m {
		for m[w] != 0 {
			bit := bits.TrailingZeros64(m[w])
			m[w] &^= 1 << bit
			if err := f(int32(w<<6 | bit)); err != nil {
				return err
			}
		}
	}
	return nil
}
