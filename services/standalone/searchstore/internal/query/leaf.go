package query

import (
	"bytes"
	"slices"

	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/segment"
)

// NumRange matches numbers between two bounds, both included.
type NumRange struct {
	Field  string
	Real   bool
	Lo, Hi int64
	FLo    float64
	FHi    float64
	Boost  float32
}

// Eval makes NumRange a Node.
func (q *NumRange) Eval(s *Scope) (Match, error) {
	m := s.none()
	m.Const = q.Boost
	c, err := s.Seg.Nums(q.Field)
	if err != nil || c == nil {
		return m, err
	}
	if c.Starts == nil && !c.Real {
		q.single(c, m.Bits)
		return m, nil
	}
	for d := range uint32(s.Seg.N) {
		lo, hi := c.Span(d)
		for ; lo < hi; lo++ {
			if q.in(c, c.Vals[lo]) {
				m.Bits.Set(d)
				break
			}
		}
	}
	return m, nil
}

func (q *NumRange) single(c *segment.Nums, out segment.Bits) {
	lo, hi := q.Lo, q.Hi
	for w := range out {
		base := w << 6
		end := min(base+64, len(c.Vals))
		var x uint64
		for i := base; i < end; i++ {
			if v := c.Vals[i]; v >= lo && v <= hi {
				x |= 1 << (i - base)
			}
		}
		out[w] = x
	}
	if c.Has != nil {
		out.And(c.Has)
	}
}

func (q *NumRange) in(c *segment.Nums, v int64) bool {
	if c.Real {
		f := segment.Real(v)
		return f >= q.FLo && f <= q.FHi
	}
	return v >= q.Lo && v <= q.Hi
}

// NumSet matches any of several numbers.
type NumSet struct {
	Field string
	Real  bool
	Ints  map[int64]bool
	Reals map[float64]bool
	Boost float32
}

// Eval makes NumSet a Node.
func (q *NumSet) Eval(s *Scope) (Match, error) {
	m := s.none()
	m.Const = q.Boost
	c, err := s.Seg.Nums(q.Field)
	if err != nil || c == nil {
		return m, err
	}
	for d := range uint32(s.Seg.N) {
		lo, hi := c.Span(d)
		for ; lo < hi; lo++ {
			if c.Real && q.Reals[segment.Real(c.Vals[lo])] || !c.Real && q.Ints[c.Vals[lo]] {
				m.Bits.Set(d)
				break
			}
		}
	}
	return m, nil
}

// TermSet matches keyword values that are one of a list. A list of one scores
// by how rare the value is, unless Flat is set.
type TermSet struct {
	Field string
	Terms [][]byte
	Flat  bool
	Boost float32
}

// Eval makes TermSet a Node.
func (q *TermSet) Eval(s *Scope) (Match, error) {
	m := s.none()
	m.Const = q.Boost
	c, err := s.Seg.Terms(q.Field)
	if err != nil || c == nil {
		return m, err
	}
	if len(q.Terms) == 1 {
		o, ok := c.Dict.Find(q.Terms[0])
		if ok {
			matchOrds(c, m.Bits, uint32(o), uint32(o))
		}
		if s.Scoring && !q.Flat {
			w, err := s.Stats.keyword(s.Path, q.Field, q.Terms[0])
			if err != nil {
				return m, err
			}
			m.Const = q.Boost * w.idf
		}
		return m, nil
	}
	set := segment.NewBits(c.Dict.Len())
	for _, t := range q.Terms {
		if o, ok := c.Dict.Find(t); ok {
			set.Set(uint32(o))
		}
	}
	matchSet(c, m.Bits, set)
	return m, nil
}

// matchOrds sets the documents with an ordinal in a range, both ends included.
func matchOrds(c *segment.Terms, out segment.Bits, lo, hi uint32) {
	if c.Starts == nil {
		for w := range out {
			base := w << 6
			end := min(base+64, len(c.Ords))
			var x uint64
			for i := base; i < end; i++ {
				if o := c.Ords[i]; o-lo <= hi-lo {
					x |= 1 << (i - base)
				}
			}
			out[w] |= x
		}
		return
	}
	for d := range len(c.Starts) - 1 {
		for _, o := range c.Ords[c.Starts[d]:c.Starts[d+1]] {
			if o-lo <= hi-lo {
				out.Set(uint32(d))
				break
			}
		}
	}
}

func matchSet(c *segment.Terms, out, set segment.Bits) {
	if !set.Any() {
		return
	}
	if c.Starts == nil {
		for i, o := range c.Ords {
			if o != segment.Missing && set.Get(o) {
				out.Set(uint32(i))
			}
		}
		return
	}
	for d := range len(c.Starts) - 1 {
		if slices.ContainsFunc(c.Ords[c.Starts[d]:c.Starts[d+1]], set.Get) {
			out.Set(uint32(d))
		}
	}
}

// TermRange matches keyword values between two bounds; nil bounds are open.
type TermRange struct {
	Field        string
	Lo, Hi       []byte
	LoEx, HiEx   bool
	Boost        float32
	FullText     bool
	UnboundBelow bool
	UnboundAbove bool
}

func (q *TermRange) span(d *segment.Dict) (lo, hi int) {
	lo, hi = 0, d.Len()
	if !q.UnboundBelow {
		lo = d.Seek(q.Lo)
		if q.LoEx && lo < d.Len() && bytes.Equal(d.Term(lo), q.Lo) {
			lo++
		}
	}
	if !q.UnboundAbove {
		hi = d.Seek(q.Hi)
		if !q.HiEx && hi < d.Len() && bytes.Equal(d.Term(hi), q.Hi) {
			hi++
		}
	}
	return lo, hi
}

// Eval makes TermRange a Node.
func (q *TermRange) Eval(s *Scope) (Match, error) {
	m := s.none()
	m.Const = q.Boost
	if q.FullText {
		c, err := s.Seg.Texts(q.Field)
		if err != nil || c == nil {
			return m, err
		}
		lo, hi := q.span(&c.Dict)
		for ; lo < hi; lo++ {
			addDocs(c, lo, m.Bits)
		}
		return m, nil
	}
	c, err := s.Seg.Terms(q.Field)
	if err != nil || c == nil {
		return m, err
	}
	if lo, hi := q.span(&c.Dict); lo < hi {
		matchOrds(c, m.Bits, uint32(lo), uint32(hi-1))
	}
	return m, nil
}

// Pattern matches values of a keyword or full-text field by a test of their
// terms: prefix, wildcard, regexp, fuzzy.
type Pattern struct {
	Field    string
	Prefix   []byte // all terms that match start with it
	Accept   func(term []byte) bool
	FullText bool
	Limit    int // most terms to expand to, 0 for no limit
	Scored   bool
	Boost    float32
}

// Ords returns the ordinals of the terms that match.
func (q *Pattern) Ords(d *segment.Dict) []int {
	var out []int
	for i := d.Seek(q.Prefix); i < d.Len(); i++ {
		t := d.Term(i)
		if !bytes.HasPrefix(t, q.Prefix) {
			break
		}
		if q.Accept == nil || q.Accept(t) {
			if out = append(out, i); q.Limit > 0 && len(out) >= q.Limit {
				break
			}
		}
	}
	return out
}

// Eval makes Pattern a Node.
func (q *Pattern) Eval(s *Scope) (Match, error) {
	m := s.none()
	m.Const = q.Boost
	if !q.FullText {
		c, err := s.Seg.Terms(q.Field)
		if err != nil || c == nil {
			return m, err
		}
		set := segment.NewBits(c.Dict.Len())
		for _, o := range q.Ords(&c.Dict) {
			set.Set(uint32(o))
		}
		matchSet(c, m.Bits, set)
		return m, nil
	}
	c, err := s.Seg.Texts(q.Field)
	if err != nil || c == nil {
		return m, err
	}
	for _, o := range q.Ords(&c.Dict) {
		addDocs(c, o, m.Bits)
	}
	return m, nil
}

func addDocs(c *segment.Texts, ord int, out segment.Bits) {
	for cur := c.Cursor(ord); cur.NextDoc(); {
		out.Set(cur.Doc)
	}
}

// Exists matches documents with a value in any of some fields.
type Exists struct {
	Fields []string
	Paths  []string // nested paths of which an object must be there
	Boost  float32
}

// Eval makes Exists a Node.
func (q *Exists) Eval(s *Scope) (Match, error) {
	m := s.none()
	m.Const = q.Boost
	for _, f := range q.Fields {
		b, err := Present(s.Seg, f)
		if err != nil {
			return m, err
		}
		m.Bits.Or(b)
	}
	return m, nil
}

// Present returns the rows of a segment that have a value of a field.
func Present(seg *segment.Segment, field string) (segment.Bits, error) {
	out := segment.NewBits(seg.N)
	n, err := seg.Nums(field)
	if err != nil {
		return nil, err
	}
	t, err := seg.Terms(field)
	if err != nil {
		return nil, err
	}
	x, err := seg.Texts(field)
	if err != nil {
		return nil, err
	}
	switch {
	case n != nil && n.Starts == nil && n.Has == nil, x != nil && x.Has == nil:
		return segment.AllBits(seg.N), nil
	case n != nil && n.Starts == nil:
		out.Or(n.Has)
	case x != nil:
		out.Or(x.Has)
	case n != nil:
		for d := range seg.N {
			if n.Starts[d] < n.Starts[d+1] {
				out.Set(uint32(d))
			}
		}
	case t != nil:
		for d := range uint32(seg.N) {
			if lo, hi := t.Span(d); lo < hi {
				out.Set(d)
			}
		}
	}
	return out, nil
}
