package state

import (
	"cmp"
	"encoding/binary"
	"slices"
	"strings"

	"github.com/weirflow/weirflow/services/transform/internal/column"
)

// fewEntries are sorted by looking at their keys each time.
const fewEntries = 1 << 10

// sortable is an entry with the bytes of its key in which it may first differ from
// others, so that most comparisons need not go and get the keys.
type sortable struct {
	head  uint64
	entry int32
}

// Sorted returns all entries in the order of their keys.
func (x *Index) Sorted() []int32 {
	all := make([]int32, 0, x.Len())
	for e := range x.Bound() {
		if x.Has(e) {
			all = append(all, e)
		}
	}
	if len(all) < fewEntries {
		slices.SortFunc(all, func(a, b int32) int { return strings.Compare(x.Key(a), x.Key(b)) })
		return all
	}
	same := x.common(all)
	// By one byte first, so that what is sorted together, and its heads, are little.
	var ends [257]int
	for _, e := range all {
		ends[bucket(x.Key(e), same)+1]++
	}
	for i := range 256 {
		ends[i+1] += ends[i]
	}
	out := make([]int32, len(all))
	starts := ends
	for _, e := range all {
		b := bucket(x.Key(e), same)
		out[starts[b]] = e
		starts[b]++
	}
	var heads []sortable
	for i := range 256 {
		heads = x.sort(out[ends[i]:ends[i+1]], same, heads)
	}
	return out
}

// common is how many bytes all keys begin with alike.
func (x *Index) common(entries []int32) int {
	first := x.Key(entries[0])
	n := len(first)
	for _, e := range entries[1:] {
		key := x.Key(e)
		n = min(n, len(key))
		for key[:n] != first[:n] {
			n--
		}
	}
	return n
}

func bucket(key string, at int) byte {
	if len(key) > at {
		return key[at]
	}
	return 0
}

// sort sorts entries by what their keys have behind the first bytes, which all share.
func (x *Index) sort(entries []int32, same int, heads []sortable) []sortable {
	heads = heads[:0]
	for _, e := range entries {
		heads = append(heads, sortable{head(x.Key(e)[same:]), e})
	}
	slices.SortFunc(heads, func(a, b sortable) int {
		if a.head != b.head {
			return cmp.Compare(a.head, b.head)
		}
		return strings.Compare(x.Key(a.entry), x.Key(b.entry))
	})
	for i, h := range heads {
		entries[i] = h.entry
	}
	return heads
}

// head is the first bytes of a key as a number that orders like them.
func head(key string) uint64 {
	if len(key) >= 8 {
		return binary.BigEndian.Uint64(column.ViewBytes(key[:8]))
	}
	var b [8]byte
	copy(b[:], key)
	return binary.BigEndian.Uint64(b[:])
}
