package state

import (
	"encoding/binary"
	"hash/maphash"
	"math"
	"math/bits"

	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/operator/pages"
)

const (
	smallChunk = 256
	// bigChunk is how long chunks of keys become.
	bigChunk = 256 << 10
	// manyEntries is how many there must have been for an index that has become empty
	// to give its memory back.
	manyEntries = 1 << 12
	// gone marks an entry that has no key.
	gone = math.MaxUint64
	// hashBits of a key are kept beside its entry.
	hashBits = 32
)

// Index numbers keys. Its memory holds no pointers but those to chunks of many keys,
// so that millions of keys cost the garbage collector nothing, and about 30 bytes
// each beside their own. The number of a key, its entry, stays until the key is
// deleted; then it is used again.
type Index struct {
	seed maphash.Seed
	// table holds hash and entry+1 of each key, at the first free place from where its
	// hash points; 0 is a free place.
	table  []uint64
	refs   pages.List[uint64] // of each entry: chunk and offset of its key
	free   []int32            // entries without a key
	chunks []chunk
	open   int // the chunk that new keys go to
	unused []int32
}

// chunk holds keys, each with its length in front. What was written stays as it is:
// text that is part of it may be kept by anybody.
type chunk struct {
	data []byte
	live int // bytes of keys that are not deleted
}

// NewIndex returns an empty index.
func NewIndex() *Index { return &Index{seed: maphash.MakeSeed()} }

// Len is the number of keys.
func (x *Index) Len() int { return x.refs.Len() - len(x.free) }

// Bound is above all entries.
func (x *Index) Bound() int32 { return int32(x.refs.Len()) }

// Has reports whether a number is that of a key.
func (x *Index) Has(entry int32) bool { return int(entry) < x.refs.Len() && *x.refs.At(entry) != gone }

// Key returns the key of an entry.
func (x *Index) Key(entry int32) string { return x.keyAt(*x.refs.At(entry)) }

func (x *Index) keyAt(ref uint64) string {
	b := x.chunks[ref>>hashBits].data[uint32(ref):]
	n, used := uint64(b[0]), 1
	if n >= 0x80 {
		n, used = binary.Uvarint(b)
	}
	return column.View(b[used : used+int(n)])
}

// Find returns the entry of a key.
func (x *Index) Find(key []byte) (int32, bool) {
	if len(x.table) == 0 {
		return 0, false
	}
	at, ok := x.look(key, x.hash(key))
	if !ok {
		return 0, false
	}
	return entryOf(x.table[at]), true
}

func (x *Index) hash(key []byte) uint32 { return uint32(maphash.Bytes(x.seed, key)) }

func entryOf(place uint64) int32 { return int32(uint32(place)) - 1 }

// look returns the place of a key, or the free one where it belongs.
func (x *Index) look(key []byte, hash uint32) (at int, ok bool) {
	mask := len(x.table) - 1
	for at = int(hash) & mask; ; at = (at + 1) & mask {
		p := x.table[at]
		if p == 0 {
			return at, false
		}
		if uint32(p>>hashBits) == hash && x.Key(entryOf(p)) == string(key) {
			return at, true
		}
	}
}

// Add returns the entry of a key, and whether it is a new one.
func (x *Index) Add(key []byte) (entry int32, added bool) {
	if 4*(x.Len()+1) > 3*len(x.table) {
		x.grow()
	}
	hash := x.hash(key)
	at, ok := x.look(key, hash)
	if ok {
		return entryOf(x.table[at]), false
	}
	ref := x.keep(key)
	if last := len(x.free) - 1; last >= 0 {
		entry = x.free[last]
		x.free = x.free[:last]
		*x.refs.At(entry) = ref
	} else {
		entry = int32(x.refs.Len())
		x.refs.Append(ref)
	}
	x.table[at] = uint64(hash)<<hashBits | uint64(uint32(entry+1))
	return entry, true
}

func (x *Index) grow() {
	old := x.table
	x.table = make([]uint64, max(8, 2*len(old)))
	mask := len(x.table) - 1
	for _, p := range old {
		if p == 0 {
			continue
		}
		at := int(p>>hashBits) & mask
		for x.table[at] != 0 {
			at = (at + 1) & mask
		}
		x.table[at] = p
	}
}

// keep writes a key into the open chunk.
func (x *Index) keep(key []byte) uint64 {
	need := (bits.Len(uint(len(key))|1)+6)/7 + len(key)
	if len(x.chunks) == 0 || len(x.chunks[x.open].data)+need > cap(x.chunks[x.open].data) {
		x.openChunk(need)
	}
	c := &x.chunks[x.open]
	ref := uint64(x.open)<<hashBits | uint64(len(c.data))
	c.data = append(binary.AppendUvarint(c.data, uint64(len(key))), key...)
	c.live += need
	return ref
}

func (x *Index) openChunk(need int) {
	size := bigChunk
	if len(x.chunks) < 11 { // few keys need little
		size = smallChunk << len(x.chunks)
	}
	c := chunk{data: make([]byte, 0, max(size, need))}
	if last := len(x.unused) - 1; last >= 0 {
		x.open = int(x.unused[last])
		x.unused = x.unused[:last]
		x.chunks[x.open] = c
		return
	}
	x.open = len(x.chunks)
	x.chunks = append(x.chunks, c)
}

// Delete forgets the key of an entry.
func (x *Index) Delete(entry int32) {
	ref := *x.refs.At(entry)
	key := column.ViewBytes(x.keyAt(ref))
	mask := len(x.table) - 1
	at := int(x.hash(key)) & mask
	for entryOf(x.table[at]) != entry {
		at = (at + 1) & mask
	}
	// Keys behind it that are not at their own place move up.
	for next := (at + 1) & mask; x.table[next] != 0; next = (next + 1) & mask {
		home := int(x.table[next]>>hashBits) & mask
		if (next-home)&mask >= (next-at)&mask {
			x.table[at] = x.table[next]
			at = next
		}
	}
	x.table[at] = 0
	*x.refs.At(entry) = gone
	x.free = append(x.free, entry)
	n := int(ref >> hashBits)
	c := &x.chunks[n]
	c.live -= len(key) + (bits.Len(uint(len(key))|1)+6)/7
	if n != x.open && 4*c.live <= len(c.data) {
		x.clear(n)
	}
	if x.Len() == 0 && x.refs.Len() >= manyEntries {
		*x = Index{seed: x.seed}
	}
}

// clear moves what is left of a chunk into the open one.
func (x *Index) clear(n int) {
	data := x.chunks[n].data
	for at := 0; at < len(data) && x.chunks[n].live > 0; {
		size, used := binary.Uvarint(data[at:])
		key := data[at+used : at+used+int(size)]
		if place, ok := x.look(key, x.hash(key)); ok {
			entry := entryOf(x.table[place])
			if *x.refs.At(entry) == uint64(n)<<hashBits|uint64(at) {
				*x.refs.At(entry) = x.keep(key)
				x.chunks[n].live -= used + int(size)
			}
		}
		at += used + int(size)
	}
	x.chunks[n] = chunk{}
	x.unused = append(x.unused, int32(n))
}
