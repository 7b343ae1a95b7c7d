package segment

import (
	"hash/maphash"
	"slices"
	"sort"

	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/analysis"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/mapping"
)

// positionGap separates the values of an array of texts, so that phrases do
// not match across them.
const positionGap = 100

// Builder gathers parsed documents into a segment.
type Builder struct {
	seed     maphash.Seed
	n        int
	cols     []*columnBuilder // by field id
	ids      Dict
	versions []int64
	seqs     []int64
	src      *sourceBuilder
	children map[string]*Builder
	parents  []uint32
	dead     []uint32
	lower    []byte
	rowDoc   []uint32 // document number of each row of the current document
}

// columnBuilder gathers the values of one field.
type columnBuilder struct {
	field  *mapping.Field
	docs   []uint32
	vals   []int64
	terms  *interner
	tids   []uint32
	tdocs  []uint32 // of texts: the document of each occurrence
	pos    []uint32
	lenOf  []int32
	curDoc uint32
	curPos int
}

// NewBuilder returns an empty builder.
func NewBuilder(seed maphash.Seed) *Builder {
	return &Builder{seed: seed, src: newSourceBuilder(), children: map[string]*Builder{}, ids: Dict{Offs: []uint32{0}}}
}

// Len returns the number of documents.
func (b *Builder) Len() int { return b.n }

// Add appends a document and returns its number.
func (b *Builder) Add(id string, version, seq int64, src []byte, rows []mapping.Row) uint32 {
	doc := uint32(b.n)
	b.n++
	b.ids.push([]byte(id))
	b.versions = append(b.versions, version)
	b.seqs = append(b.seqs, seq)
	b.src.add(src)
	b.rowDoc = append(b.rowDoc[:0], doc)
	b.leaves(doc, rows[0].Leaves)
	for _, r := range rows[1:] {
		c := b.child(r.Path)
		cd := uint32(c.n)
		c.n++
		c.parents = append(c.parents, b.rowDoc[r.Parent]) // the row right above, which may be nested itself
		c.leaves(cd, r.Leaves)
		b.rowDoc = append(b.rowDoc, cd)
	}
	return doc
}

func (b *Builder) child(path string) *Builder {
	c := b.children[path]
	if c == nil {
		c = &Builder{seed: b.seed}
		b.children[path] = c
	}
	return c
}

// Delete marks a document of this batch as gone.
func (b *Builder) Delete(doc uint32) { b.dead = append(b.dead, doc) }

// Dead returns the documents that were overwritten or deleted again.
func (b *Builder) Dead() []uint32 { return b.dead }

// Source returns the source of a document of this batch.
func (b *Builder) Source(doc uint32) []byte { return b.src.raw(int(doc)) }

// Version returns the version and sequence number of a document.
func (b *Builder) Version(doc uint32) (version, seq int64) { return b.versions[doc], b.seqs[doc] }

func (b *Builder) leaves(doc uint32, leaves []mapping.Leaf) {
	for i := range leaves {
		l := &leaves[i]
		c := b.column(l.Field)
		switch l.Field.Store {
		case mapping.Ints, mapping.Reals:
			c.docs = append(c.docs, doc)
			c.vals = append(c.vals, l.I)
		case mapping.Terms:
			c.docs = append(c.docs, doc)
			c.tids = append(c.tids, c.terms.id(l.B))
		case mapping.Text:
			b.text(c, doc, l.B)
		}
	}
}

func (b *Builder) column(f *mapping.Field) *columnBuilder {
	for f.ID >= len(b.cols) {
		b.cols = append(b.cols, nil)
	}
	c := b.cols[f.ID]
	if c == nil {
		c = &columnBuilder{field: f, curDoc: Missing}
		if f.Store == mapping.Terms || f.Store == mapping.Text {
			c.terms = newInterner(b.seed)
		}
		b.cols[f.ID] = c
	}
	return c
}

func (b *Builder) text(c *columnBuilder, doc uint32, s []byte) {
	if c.curDoc != doc {
		c.curDoc, c.curPos = doc, 0
		c.docs = append(c.docs, doc)
		c.lenOf = append(c.lenOf, 0)
	} else {
		c.curPos += positionGap
	}
	base := c.curPos
	n := 0
	put := func(term []byte, pos int) {
		c.tids = append(c.tids, c.terms.id(term))
		c.tdocs = append(c.tdocs, doc)
		c.pos = append(c.pos, uint32(base+pos))
		c.curPos = base + pos + 1
		n++
	}
	if a := c.field.Analyzer; a.IsStandard() {
		pos := 0
		analysis.Standard(s, func(start, end int) {
			b.lower = analysis.Lower(b.lower[:0], s[start:end])
			put(b.lower, pos)
			pos++
		})
	} else {
		a.Each(s, func(term []byte, pos, _, _ int) { put(term, pos) })
	}
	c.lenOf[len(c.lenOf)-1] += int32(n)
}

// Seal turns the builder into a segment.
func (b *Builder) Seal() *Segment {
	s := b.seal()
	s.ids = &b.ids
	s.seqs = b.seqs
	if slices.ContainsFunc(b.versions, func(v int64) bool { return v != 1 }) {
		s.versions = b.versions
	}
	s.blocks = b.src.finish()
	s.table.Store(newIDTable(b.seed, s.ids))
	for path, c := range b.children {
		cs := c.seal()
		cs.Parent = c.parents
		s.Children[path] = cs
	}
	return s
}

func (b *Builder) seal() *Segment {
	s := newSegment(b.n, b.seed)
	for _, c := range b.cols {
		if c != nil && (len(c.docs) > 0) {
			s.put(c.field.Path, c.seal(b.n))
		}
	}
	return s
}

func (c *columnBuilder) seal(n int) any {
	switch c.field.Store {
	case mapping.Terms:
		return c.sealTerms(n)
	case mapping.Text:
		return c.sealText(n)
	}
	return sealNums(n, c.docs, c.vals, c.field.Store == mapping.Reals)
}

// starts returns the value positions of each document, or nil when none has
// more than one value. docs ascends.
func starts(n int, docs []uint32) []uint32 {
	multi := false
	for i := 1; i < len(docs); i++ {
		if docs[i] == docs[i-1] {
			multi = true
			break
		}
	}
	if !multi {
		return nil
	}
	st := make([]uint32, n+1)
	for _, d := range docs {
		st[d+1]++
	}
	for i := range n {
		st[i+1] += st[i]
	}
	return st
}

func sealNums(n int, docs []uint32, vals []int64, reals bool) *Nums {
	c := &Nums{Real: reals, Starts: starts(n, docs)}
	if c.Starts == nil {
		c.Vals = make([]int64, n)
		if len(docs) < n {
			c.Has = NewBits(n)
		}
		for i, d := range docs {
			c.Vals[d] = vals[i]
			if c.Has != nil {
				c.Has.Set(d)
			}
		}
		return c
	}
	c.Vals = slices.Clone(vals)
	for d := range n {
		part := c.Vals[c.Starts[d]:c.Starts[d+1]]
		if len(part) > 1 {
			if reals {
				sort.Slice(part, func(i, j int) bool { return Real(part[i]) < Real(part[j]) })
			} else {
				slices.Sort(part)
			}
		}
	}
	return c
}

func (c *columnBuilder) sealTerms(n int) *Terms {
	d, rank := c.terms.sorted()
	t := &Terms{Dict: d, Starts: starts(n, c.docs)}
	if t.Starts == nil {
		t.Ords = make([]uint32, n)
		for i := range t.Ords {
			t.Ords[i] = Missing
		}
		for i, doc := range c.docs {
			t.Ords[doc] = rank[c.tids[i]]
		}
		return t
	}
	t.Ords = make([]uint32, 0, len(c.tids))
	st := make([]uint32, n+1)
	for doc := range n {
		lo, hi := t.Starts[doc], t.Starts[doc+1]
		from := len(t.Ords)
		for _, tid := range c.tids[lo:hi] {
			t.Ords = append(t.Ords, rank[tid])
		}
		part := t.Ords[from:]
		slices.Sort(part)
		part = slices.Compact(part)
		t.Ords = t.Ords[:from+len(part)]
		st[doc+1] = uint32(len(t.Ords))
	}
	t.Starts = st
	return t
}

func (c *columnBuilder) sealText(n int) *Texts {
	d, rank := c.terms.sorted()
	t := &Texts{Dict: d, Norms: make([]byte, n), DocCount: len(c.docs)}
	if len(c.docs) < n {
		t.Has = NewBits(n)
	}
	for i, doc := range c.docs {
		if t.Has != nil {
			t.Has.Set(doc)
		}
		t.Norms[doc] = EncodeNorm(int(c.lenOf[i]))
		t.SumLen += int64(c.lenOf[i])
	}
	// A counting sort brings the occurrences of each term together; they stay
	// in the order of documents and positions.
	at := make([]uint32, d.Len()+1)
	for _, tid := range c.tids {
		at[rank[tid]+1]++
	}
	for i := range d.Len() {
		at[i+1] += at[i]
	}
	order := make([]uint32, len(c.tids))
	fill := slices.Clone(at)
	for i, tid := range c.tids {
		r := rank[tid]
		order[fill[r]] = uint32(i)
		fill[r]++
	}
	w := newPostingsWriter(d.Len())
	for r := range d.Len() {
		occ := order[at[r]:at[r+1]]
		for i := 0; i < len(occ); {
			doc := c.tdocs[occ[i]]
			j := i + 1
			for j < len(occ) && c.tdocs[occ[j]] == doc {
				j++
			}
			w.doc(doc, uint32(j-i))
			for ; i < j; i++ {
				w.position(c.pos[occ[i]])
			}
		}
		w.endTerm()
	}
	w.into(t)
	return t
}
