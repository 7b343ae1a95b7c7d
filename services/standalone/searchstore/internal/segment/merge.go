package segment

import (
	"bytes"
	"fmt"
	"hash/maphash"
	"slices"
	"sort"
)

// Input is a segment to merge and the documents to leave out.
type Input struct {
	Seg  *Segment
	Dead Bits
}

// Map gives the new number of each document of one input, Missing for those
// that were left out.
type Map []uint32

// Merge joins segments into one, in order, without their dead documents. The
// columns of a result of more than keep documents are held encoded.
func Merge(in []Input, seed maphash.Seed, keep int) (*Segment, []Map, error) {
	maps, n := renumber(in)
	segs := make([]*Segment, len(in))
	for i := range in {
		segs[i] = in[i].Seg
	}
	out := newSegment(n, seed)
	if err := mergeColumns(out, segs, maps, n > keep); err != nil {
		return nil, nil, err
	}
	if err := mergeRoot(out, in, maps); err != nil {
		return nil, nil, err
	}
	if err := mergeChildren(out, segs, maps, keep); err != nil {
		return nil, nil, err
	}
	return out, maps, nil
}

func renumber(in []Input) ([]Map, int) {
	n := 0
	maps := make([]Map, len(in))
	for i, x := range in {
		m := make(Map, x.Seg.N)
		for d := range m {
			if x.Dead.Get(uint32(d)) {
				m[d] = Missing
				continue
			}
			m[d] = uint32(n)
			n++
		}
		maps[i] = m
	}
	return maps, n
}

func mergeRoot(out *Segment, in []Input, maps []Map) error {
	ids := &Dict{Offs: []uint32{0}}
	out.seqs = make([]int64, 0, out.N)
	versions := make([]int64, 0, out.N)
	all1 := true
	for i, x := range in {
		d, _, err := x.Seg.idDict()
		if err != nil {
			return err
		}
		for doc, to := range maps[i] {
			if to == Missing {
				continue
			}
			ids.push(d.Term(doc))
			v, s := x.Seg.Version(uint32(doc))
			versions = append(versions, v)
			out.seqs = append(out.seqs, s)
			all1 = all1 && v == 1
		}
	}
	if !all1 {
		out.versions = versions
	}
	out.ids = ids
	out.table.Store(newIDTable(out.seed, ids))
	return mergeSources(out, in, maps)
}

// mergeSources takes large blocks over as they are and packs the rest anew.
func mergeSources(out *Segment, in []Input, maps []Map) error {
	sb := newSourceBuilder()
	first := 0
	flush := func() {
		for _, b := range sb.finish() {
			b.first += first
			out.blocks = append(out.blocks, b)
		}
		first += len(sb.offs) - 1
		sb.text, sb.offs = sb.text[:0], append(sb.offs[:0], 0)
	}
	for i, x := range in {
		for bi, b := range x.Seg.blocks {
			data, err := x.Seg.blockData(bi)
			if err != nil {
				return err
			}
			if b.rawSize >= blockSize/2 && intact(maps[i][b.first:b.first+b.n]) {
				flush()
				nb := &block{first: first, n: b.n, rawSize: b.rawSize}
				nb.data.Store(&data)
				out.blocks = append(out.blocks, nb)
				first += b.n
				continue
			}
			o, err := openBlock(data, b.n)
			if err != nil {
				return err
			}
			for k := range b.n {
				if maps[i][b.first+k] != Missing {
					sb.add(o.text[o.offs[k]:o.offs[k+1]])
				}
			}
			if len(sb.text) > 64*blockSize {
				flush()
			}
		}
	}
	flush()
	return nil
}

func intact(m Map) bool { return !slices.Contains(m, Missing) }

// mergeChildren merges the nested objects of each path. Objects nested in
// nested ones follow those that hold them.
func mergeChildren(out *Segment, segs []*Segment, maps []Map, keep int) error {
	var paths []string
	for _, s := range segs {
		for p := range s.Children {
			if !slices.Contains(paths, p) {
				paths = append(paths, p)
			}
		}
	}
	sort.Strings(paths) // a path comes before the paths below it
	done := map[string][]Map{"": maps}
	for _, p := range paths {
		above := parentPath(p, done)
		child, cm, err := mergeChild(segs, p, done[above], out.seed, keep)
		if err != nil {
			return err
		}
		done[p] = cm
		out.Children[p] = child
	}
	return nil
}

// parentPath returns the longest path in done that p lies below.
func parentPath(p string, done map[string][]Map) string {
	best := ""
	for q := range done {
		if len(q) > len(best) && len(p) > len(q) && p[:len(q)] == q && p[len(q)] == '.' {
			best = q
		}
	}
	return best
}

func mergeChild(segs []*Segment, path string, above []Map, seed maphash.Seed, keep int) (*Segment, []Map, error) {
	out := newSegment(0, seed)
	maps := make([]Map, len(segs))
	kids := make([]*Segment, len(segs))
	for i, s := range segs {
		kids[i] = s.Children[path]
		if kids[i] == nil {
			kids[i] = newSegment(0, seed)
		}
		m := make(Map, kids[i].N)
		for d, par := range kids[i].Parent {
			m[d] = Missing
			if above[i][par] != Missing {
				m[d] = uint32(out.N)
				out.N++
				out.Parent = append(out.Parent, above[i][par])
			}
		}
		maps[i] = m
	}
	return out, maps, mergeColumns(out, kids, maps, out.N > keep)
}

func mergeColumns(out *Segment, segs []*Segment, maps []Map, pack bool) error {
	kinds := map[string]byte{}
	for _, s := range segs {
		for n, c := range s.cols {
			if k, ok := kinds[n]; ok && k != c.kind {
				return fmt.Errorf("merge column %s: kinds differ", n)
			}
			kinds[n] = c.kind
		}
	}
	for name, kind := range kinds {
		var col any
		var err error
		switch kind {
		case 'n':
			col, err = mergeNums(name, segs, maps, out.N)
		case 't':
			col, err = mergeTerms(name, segs, maps, out.N)
		default:
			col, err = mergeTexts(name, segs, maps, out.N)
		}
		if err != nil {
			return err
		}
		out.put(name, col)
		if pack { // one decoded column at a time, not all of them
			out.cols[name] = &column{kind: kind, enc: encodeColumn(col)}
		}
	}
	return nil
}

func mergeNums(name string, segs []*Segment, maps []Map, n int) (*Nums, error) {
	docs := make([]uint32, 0, n)
	vals := make([]int64, 0, n)
	reals := false
	for i, s := range segs {
		v, err := s.peek(name)
		if err != nil {
			return nil, err
		}
		c, _ := v.(*Nums)
		if c == nil {
			continue
		}
		reals = c.Real
		for d, to := range maps[i] {
			if to == Missing {
				continue
			}
			lo, hi := c.Span(uint32(d))
			for ; lo < hi; lo++ {
				docs = append(docs, to)
				vals = append(vals, c.Vals[lo])
			}
		}
	}
	return sealNums(n, docs, vals, reals), nil
}

// mergeDicts joins sorted dictionaries; ranks give each old ordinal's new one.
func mergeDicts(dicts []*Dict, keep func(seg, ord int) bool) (Dict, [][]uint32) {
	out := Dict{Offs: []uint32{0}}
	ranks := make([][]uint32, len(dicts))
	at := make([]int, len(dicts))
	for i, d := range dicts {
		ranks[i] = make([]uint32, d.Len())
	}
	for {
		var low []byte
		found := false
		for i, d := range dicts {
			for at[i] < d.Len() && !keep(i, at[i]) {
				ranks[i][at[i]] = Missing
				at[i]++
			}
			if at[i] < d.Len() {
				if t := d.Term(at[i]); !found || bytes.Compare(t, low) < 0 {
					low, found = t, true
				}
			}
		}
		if !found {
			return out, ranks
		}
		ord := uint32(out.Len())
		for i, d := range dicts {
			if at[i] < d.Len() && bytes.Equal(d.Term(at[i]), low) {
				ranks[i][at[i]] = ord
				at[i]++
			}
		}
		out.push(low)
	}
}

func mergeTerms(name string, segs []*Segment, maps []Map, n int) (*Terms, error) {
	cols := make([]*Terms, len(segs))
	dicts := make([]*Dict, len(segs))
	used := make([]Bits, len(segs))
	total := 0
	for i, s := range segs {
		v, err := s.peek(name)
		if err != nil {
			return nil, err
		}
		c, _ := v.(*Terms)
		if c == nil {
			c = &Terms{Starts: make([]uint32, s.N+1)}
		}
		cols[i], dicts[i], used[i] = c, &c.Dict, NewBits(c.Dict.Len())
		for d, to := range maps[i] {
			lo, hi := c.Span(uint32(d))
			for ; lo < hi && to != Missing; lo++ {
				used[i].Set(c.Ords[lo])
				total++
			}
		}
	}
	dict, ranks := mergeDicts(dicts, func(seg, ord int) bool { return used[seg].Get(uint32(ord)) })
	docs := make([]uint32, 0, total)
	ords := make([]uint32, 0, total)
	for i, c := range cols {
		for d, to := range maps[i] {
			if to == Missing {
				continue
			}
			lo, hi := c.Span(uint32(d))
			for ; lo < hi; lo++ {
				docs = append(docs, to)
				ords = append(ords, ranks[i][c.Ords[lo]])
			}
		}
	}
	out := &Terms{Dict: dict, Starts: starts(n, docs)}
	if out.Starts != nil {
		out.Ords = ords
		return out, nil
	}
	out.Ords = make([]uint32, n)
	for i := range out.Ords {
		out.Ords[i] = Missing
	}
	for i, d := range docs {
		out.Ords[d] = ords[i]
	}
	return out, nil
}

func mergeTexts(name string, segs []*Segment, maps []Map, n int) (*Texts, error) {
	cols := make([]*Texts, len(segs))
	dicts := make([]*Dict, len(segs))
	out := &Texts{Norms: make([]byte, n), Has: NewBits(n)}
	whole := make([]bool, len(segs))
	for i, s := range segs {
		v, err := s.peek(name)
		if err != nil {
			return nil, err
		}
		c, _ := v.(*Texts)
		if c == nil {
			c = &Texts{Norms: make([]byte, s.N), Has: NewBits(s.N)}
		}
		cols[i], dicts[i], whole[i] = c, &c.Dict, intact(maps[i])
		gone := 0
		for d, to := range maps[i] {
			has := c.Has == nil || c.Has.Get(uint32(d))
			switch {
			case to == Missing && has:
				gone++
				out.SumLen -= int64(DecodeNorm(c.Norms[d]))
			case has:
				out.Norms[to] = c.Norms[d]
				out.Has.Set(to)
			}
		}
		out.SumLen += c.SumLen
		out.DocCount += c.DocCount - gone
	}
	out.SumLen = max(out.SumLen, 0)
	if out.DocCount == n {
		out.Has = nil
	}
	alive := func(seg, ord int) bool { return whole[seg] || liveTerm(cols[seg], ord, maps[seg]) }
	dict, ranks := mergeDicts(dicts, alive)
	out.Dict = dict
	mergePostings(out, cols, maps, ranks)
	return out, nil
}

func liveTerm(c *Texts, ord int, m Map) bool {
	for cur := c.Cursor(ord); cur.NextDoc(); {
		if m[cur.Doc] != Missing {
			return true
		}
	}
	return false
}

func mergePostings(out *Texts, cols []*Texts, maps []Map, ranks [][]uint32) {
	w := newPostingsWriter(out.Dict.Len())
	at := make([]int, len(cols))
	for term := range out.Dict.Len() {
		for i, c := range cols {
			for at[i] < len(ranks[i]) && ranks[i][at[i]] == Missing {
				at[i]++
			}
			if at[i] >= len(ranks[i]) || ranks[i][at[i]] != uint32(term) {
				continue
			}
			for cur := c.Cursor(at[i]); cur.Next(); {
				to := maps[i][cur.Doc]
				if to == Missing {
					continue
				}
				w.doc(to, cur.Freq)
				for p, ok := cur.Position(); ok; p, ok = cur.Position() {
					w.position(p)
				}
			}
			at[i]++
		}
		w.endTerm()
	}
	w.into(out)
}
