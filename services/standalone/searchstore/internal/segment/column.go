package segment

import (
	"bytes"
	"encoding/binary"
	"sort"
)

// Missing is the ordinal of a document without a value.
const Missing = ^uint32(0)

// Nums is a column of integers, or of float64 bits when Real is set.
type Nums struct {
	Real   bool
	Starts []uint32 // n+1 positions in Vals when a document has several values
	Has    Bits     // documents with a value when Starts is nil; nil: all
	Vals   []int64
}

// Span returns the positions of a document's values in Vals.
func (c *Nums) Span(doc uint32) (lo, hi uint32) {
	if c.Starts != nil {
		return c.Starts[doc], c.Starts[doc+1]
	}
	if c.Has != nil && !c.Has.Get(doc) {
		return 0, 0
	}
	return doc, doc + 1
}

// Terms is a column of ordinals into a sorted dictionary.
type Terms struct {
	Dict   Dict
	Starts []uint32
	Ords   []uint32
}

// Span returns the positions of a document's ordinals in Ords.
func (c *Terms) Span(doc uint32) (lo, hi uint32) {
	if c.Starts != nil {
		return c.Starts[doc], c.Starts[doc+1]
	}
	if c.Ords[doc] == Missing {
		return 0, 0
	}
	return doc, doc + 1
}

// Texts is a full-text column.
type Texts struct {
	Dict     Dict
	DF       []uint32 // documents a term
	DocOff   []uint32 // of each term in Docs, and the end
	PosOff   []uint32
	Docs     []byte // per document: gap<<1|1 (once) or gap<<1, frequency
	Pos      []byte // per document: position gaps
	Norms    []byte // field lengths, as one byte
	Has      Bits   // documents with the field; nil: all
	SumLen   int64  // terms of all documents
	DocCount int
}

// Posting is one document of a term.
type Posting struct {
	Doc, Freq uint32
}

// Cursor walks over a term's postings.
type Cursor struct {
	docs, pos []byte
	doc       uint32
	first     bool
	left      uint32 // positions of the current document not yet read
	last      uint32
	Posting
}

// Cursor returns a cursor at the start of a term's postings.
func (t *Texts) Cursor(ord int) Cursor {
	return Cursor{docs: t.Docs[t.DocOff[ord]:t.DocOff[ord+1]], pos: t.Pos[t.PosOff[ord]:t.PosOff[ord+1]], first: true}
}

// Next moves to the next document.
func (c *Cursor) Next() bool {
	if len(c.docs) == 0 {
		return false
	}
	c.skipPositions()
	g, n := binary.Uvarint(c.docs)
	if n <= 0 {
		c.docs = nil
		return false
	}
	c.docs = c.docs[n:]
	gap := uint32(g >> 1)
	if c.first {
		c.doc, c.first = gap, false
	} else {
		c.doc += gap
	}
	c.Doc, c.Freq = c.doc, 1
	if g&1 == 0 {
		f, n := binary.Uvarint(c.docs)
		if n <= 0 {
			c.docs = nil
			return false
		}
		c.Freq = uint32(f)
		c.docs = c.docs[n:]
	}
	c.left, c.last = c.Freq, 0
	return true
}

// NextDoc moves to the next document without keeping track of positions.
func (c *Cursor) NextDoc() bool {
	c.left = 0
	return c.Next()
}

// Position returns the next position in the current document.
func (c *Cursor) Position() (uint32, bool) {
	if c.left == 0 {
		return 0, false
	}
	p, n := binary.Uvarint(c.pos)
	if n <= 0 {
		return 0, false
	}
	c.pos = c.pos[n:]
	c.left--
	c.last += uint32(p)
	return c.last, true
}

func (c *Cursor) skipPositions() {
	for c.left > 0 {
		i := 0
		for i < len(c.pos) && c.pos[i] >= 0x80 {
			i++
		}
		if i >= len(c.pos) {
			c.left = 0
			return
		}
		c.pos = c.pos[i+1:]
		c.left--
	}
}

// Dict is a sorted list of terms.
type Dict struct {
	Offs []uint32
	Data []byte
}

// Len returns the number of terms.
func (d *Dict) Len() int { return max(len(d.Offs)-1, 0) }

// Term returns a term by its ordinal.
func (d *Dict) Term(i int) []byte { return d.Data[d.Offs[i]:d.Offs[i+1]:d.Offs[i+1]] }

// Seek returns the first ordinal whose term is not below the given one.
func (d *Dict) Seek(term []byte) int {
	return sort.Search(d.Len(), func(i int) bool { return bytes.Compare(d.Term(i), term) >= 0 })
}

// Find returns the ordinal of a term.
func (d *Dict) Find(term []byte) (int, bool) {
	i := d.Seek(term)
	return i, i < d.Len() && bytes.Equal(d.Term(i), term)
}

func (d *Dict) push(term []byte) {
	if len(d.Offs) == 0 {
		d.Offs = append(d.Offs, 0)
	}
	d.Data = append(d.Data, term...)
	d.Offs = append(d.Offs, uint32(len(d.Data)))
}

// EncodeNorm keeps a field length in one byte, as Lucene does: exact below
// 40, then with three bits of mantissa.
func EncodeNorm(n int) byte {
	const free = 24
	if n < free {
		return byte(n)
	}
	x := n - free
	shift := 0
	for x>>shift >= 16 {
		shift++
	}
	if x < 8 {
		return byte(free + x)
	}
	return byte(min(free+((x>>shift)&7|(shift+1)<<3), 255))
}

// DecodeNorm returns the length that a byte stands for.
func DecodeNorm(b byte) int {
	const free = 24
	if b < free {
		return int(b)
	}
	x := int(b) - free
	if x < 8 {
		return free + x
	}
	return free + (x&7|8)<<(x>>3-1)
}
