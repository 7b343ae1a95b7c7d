package segment

import (
	"fmt"
	"hash/maphash"
	"slices"
)

// Section is one named part of a stored segment.
type Section struct {
	Name string
	Data []byte
}

// Encode returns the sections to store; the first is the directory "meta".
func (s *Segment) Encode() ([]Section, error) {
	var out []Section
	w := &writer{}
	err := s.encode(w, "", &out)
	return append([]Section{{"meta", w.b}}, out...), err
}

func (s *Segment) encode(w *writer, prefix string, out *[]Section) error {
	w.uvarint(uint64(s.N))
	names := s.Columns()
	w.uvarint(uint64(len(names)))
	for _, n := range names {
		w.bytes([]byte(n))
		w.uvarint(uint64(s.cols[n].kind))
		data := s.cols[n].enc
		if data == nil {
			col, err := s.column(n)
			if err != nil {
				return err
			}
			data = encodeColumn(col)
		}
		*out = append(*out, Section{prefix + "c:" + n, data})
	}
	if prefix == "" {
		return s.encodeRoot(w, out)
	}
	w.uint32s(s.Parent)
	return nil
}

func (s *Segment) encodeRoot(w *writer, out *[]Section) error {
	ids, _, err := s.idDict()
	if err != nil {
		return err
	}
	iw := &writer{}
	iw.dict(ids)
	*out = append(*out, Section{"ids", iw.b})
	w.maybe(s.versions != nil, func() { w.ints(s.versions) })
	w.ints(s.seqs)
	w.uvarint(uint64(len(s.blocks)))
	for i, b := range s.blocks {
		data, err := s.blockData(i)
		if err != nil {
			return err
		}
		w.uvarint(uint64(b.n))
		w.uvarint(uint64(b.rawSize))
		*out = append(*out, Section{fmt.Sprintf("src:%d", i), data})
	}
	paths := make([]string, 0, len(s.Children))
	for p := range s.Children {
		paths = append(paths, p)
	}
	slices.Sort(paths)
	w.uvarint(uint64(len(paths)))
	for _, p := range paths {
		w.bytes([]byte(p))
		if err := s.Children[p].encode(w, "n:"+p+"\x00", out); err != nil {
			return err
		}
	}
	return nil
}

// Open makes a segment of its stored directory; load reads the other sections
// when they are needed.
func Open(meta []byte, seed maphash.Seed, load func(section string) ([]byte, error)) (*Segment, error) {
	r := &reader{b: meta}
	s := openColumns(r, seed, load, "")
	if r.present() {
		s.versions = r.ints()
	}
	s.seqs = r.ints()
	blocks := r.count()
	if blocks > len(meta) {
		r.err = errDamaged
		blocks = 0
	}
	first := 0
	for range blocks {
		b := &block{first: first, n: r.count(), rawSize: r.count()}
		first += b.n
		s.blocks = append(s.blocks, b)
	}
	children := r.count()
	for range min(children, len(meta)) {
		path := string(r.bytes())
		c := openColumns(r, seed, load, "n:"+path+"\x00")
		c.Parent = r.uint32s()
		if len(c.Parent) != c.N {
			r.err = errDamaged
		}
		s.Children[path] = c
	}
	if r.err != nil || len(s.seqs) != s.N || first != s.N || s.versions != nil && len(s.versions) != s.N {
		return nil, fmt.Errorf("open segment: %w", errDamaged)
	}
	return s, nil
}

func openColumns(r *reader, seed maphash.Seed, load func(string) ([]byte, error), prefix string) *Segment {
	s := newSegment(r.count(), seed)
	s.load, s.prefix = load, prefix
	n := r.count()
	for range n {
		if r.err != nil {
			break
		}
		name := string(r.bytes())
		s.cols[name] = &column{kind: byte(r.uvarint())}
	}
	return s
}

func encodeColumn(col any) []byte {
	w := &writer{}
	switch c := col.(type) {
	case *Nums:
		w.maybe(c.Real, func() {})
		w.maybe(c.Starts != nil, func() { w.steps(c.Starts) })
		w.bits(c.Has)
		w.ints(c.Vals)
	case *Terms:
		w.dict(&c.Dict)
		w.maybe(c.Starts != nil, func() { w.steps(c.Starts) })
		w.uvarint(uint64(len(c.Ords)))
		// Missing is written as 0 so that columns stay narrow.
		w.planes(len(c.Ords), func(i int) uint64 { return uint64(c.Ords[i] + 1) })
	case *Texts:
		w.dict(&c.Dict)
		w.uint32s(c.DF)
		w.steps(c.DocOff)
		w.steps(c.PosOff)
		w.bytes(c.Docs)
		w.bytes(c.Pos)
		w.bytes(c.Norms)
		w.bits(c.Has)
		w.uvarint(uint64(c.SumLen))
		w.uvarint(uint64(c.DocCount))
	}
	return w.b
}

func decodeColumn(kind byte, data []byte, n int) (any, error) {
	r := &reader{b: data}
	var out any
	var ok bool
	switch kind {
	case 'n':
		c := &Nums{Real: r.present()}
		if r.present() {
			c.Starts = r.steps()
		}
		c.Has = r.bits()
		c.Vals = r.ints()
		ok = fitsStarts(c.Starts, len(c.Vals), n)
		out = c
	case 't':
		c := &Terms{Dict: r.dict()}
		if r.present() {
			c.Starts = r.steps()
		}
		c.Ords = r.uint32s()
		for i := range c.Ords {
			c.Ords[i]--
		}
		ok = fitsStarts(c.Starts, len(c.Ords), n) && ordsFit(c)
		out = c
	case 'x':
		c := &Texts{Dict: r.dict()}
		c.DF, c.DocOff, c.PosOff = r.uint32s(), r.steps(), r.steps()
		c.Docs, c.Pos, c.Norms = r.bytes(), r.bytes(), r.bytes()
		c.Has = r.bits()
		c.SumLen, c.DocCount = int64(r.uvarint()), r.count()
		terms := c.Dict.Len()
		ok = len(c.DF) == terms && offsetsFit(c.DocOff, terms, len(c.Docs)) && offsetsFit(c.PosOff, terms, len(c.Pos)) && len(c.Norms) == n
		out = c
	default:
		ok = false
	}
	if r.err != nil || !ok {
		return nil, errDamaged
	}
	return out, nil
}

func fitsStarts(starts []uint32, vals, n int) bool {
	if starts == nil {
		return vals == n
	}
	return len(starts) == n+1 && int(starts[n]) == vals
}

func ordsFit(c *Terms) bool {
	n := uint32(c.Dict.Len())
	for _, o := range c.Ords {
		if o >= n && o != Missing {
			return false
		}
	}
	return true
}

func offsetsFit(offs []uint32, terms, size int) bool {
	return len(offs) == terms+1 && int(offs[terms]) == size
}
