package query

import (
	"slices"

	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/segment"
)

// TextTerm matches documents whose text holds a term.
type TextTerm struct {
	Field string
	Term  []byte
	Boost float32
}

// Eval makes TextTerm a Node.
func (q *TextTerm) Eval(s *Scope) (Match, error) {
	m := s.none()
	c, err := s.Seg.Texts(q.Field)
	if err != nil || c == nil {
		return m, err
	}
	o, ok := c.Dict.Find(q.Term)
	if !ok {
		return m, nil
	}
	if !s.Scoring {
		addDocs(c, o, m.Bits)
		return m, nil
	}
	w, err := s.Stats.text(s.Path, q.Field, q.Term)
	if err != nil {
		return m, err
	}
	m.Scores = s.scores()
	for cur := c.Cursor(o); cur.NextDoc(); {
		m.Bits.Set(cur.Doc)
		m.Scores[cur.Doc] = q.Boost * w.bm25(float32(cur.Freq), c.Norms[cur.Doc])
	}
	return m, nil
}

// Slot is one place of a phrase: a term, or any of the terms of a pattern.
type Slot struct {
	Term    []byte
	Pattern *Pattern
	Offset  int
}

func (sl *Slot) ords(d *segment.Dict) []int {
	if sl.Pattern != nil {
		return sl.Pattern.Ords(d)
	}
	if o, ok := d.Find(sl.Term); ok {
		return []int{o}
	}
	return nil
}

// Phrase matches terms that stand one after the other, up to Slop moves apart.
type Phrase struct {
	Field string
	Slots []Slot
	Slop  int
	Boost float32
}

// Eval makes Phrase a Node.
func (q *Phrase) Eval(s *Scope) (Match, error) {
	m := s.none()
	c, err := s.Seg.Texts(q.Field)
	if err != nil || c == nil || len(q.Slots) == 0 {
		return m, err
	}
	ords := make([][]int, len(q.Slots))
	var cand segment.Bits
	for i := range q.Slots {
		ords[i] = q.Slots[i].ords(&c.Dict)
		docs := segment.NewBits(s.Seg.N)
		for _, o := range ords[i] {
			addDocs(c, o, docs)
		}
		if cand == nil {
			cand = docs
		} else {
			cand.And(docs)
		}
		if !cand.Any() {
			return m, nil
		}
	}
	freqs := q.match(c, ords, cand)
	var w weight
	if s.Scoring {
		if w, err = q.weight(s); err != nil {
			return m, err
		}
		m.Scores = s.scores()
	}
	for d, f := range freqs {
		m.Bits.Set(d)
		if m.Scores != nil {
			m.Scores[d] = q.Boost * w.bm25(f, c.Norms[d])
		}
	}
	return m, nil
}

func (q *Phrase) weight(s *Scope) (weight, error) {
	var out weight
	for _, sl := range q.Slots {
		if sl.Pattern != nil {
			continue
		}
		w, err := s.Stats.text(s.Path, q.Field, sl.Term)
		if err != nil {
			return out, err
		}
		out.idf += w.idf
		out.avgdl = w.avgdl
	}
	if out.idf == 0 {
		out.idf = 1
	}
	return out, nil
}

// match returns how often the phrase stands in each candidate.
func (q *Phrase) match(c *segment.Texts, ords [][]int, cand segment.Bits) map[uint32]float32 {
	places := map[uint32][][]int{}
	cand.Each(func(d uint32) bool {
		places[d] = make([][]int, len(q.Slots))
		return true
	})
	for i := range q.Slots {
		for _, o := range ords[i] {
			for cur := c.Cursor(o); cur.Next(); {
				if !cand.Get(cur.Doc) {
					continue
				}
				pl := places[cur.Doc]
				for p, ok := cur.Position(); ok; p, ok = cur.Position() {
					pl[i] = append(pl[i], int(p)-q.Slots[i].Offset)
				}
			}
		}
	}
	out := map[uint32]float32{}
	for d, pl := range places {
		if f := q.count(pl); f > 0 {
			out[d] = f
		}
	}
	return out
}

// count sweeps over the positions, each moved back by its slot's offset: the
// phrase stands where they all meet within the slop.
func (q *Phrase) count(pl [][]int) float32 {
	at := make([]int, len(pl))
	for i := range pl {
		slices.Sort(pl[i])
	}
	freq := float32(0)
	for {
		lo, hi, who := 1<<60, -1<<60, 0
		for i := range pl {
			if at[i] >= len(pl[i]) {
				return freq
			}
			p := pl[i][at[i]]
			if p < lo {
				lo, who = p, i
			}
			hi = max(hi, p)
		}
		if hi-lo <= q.Slop && q.distinct(pl, at) {
			freq += 1 / float32(1+hi-lo)
		}
		at[who]++
	}
}

// distinct reports that no two slots use the same word, which can happen when
// a term stands in the phrase twice.
func (q *Phrase) distinct(pl [][]int, at []int) bool {
	if q.Slop == 0 {
		return true
	}
	for i := range pl {
		for j := range i {
			if pl[i][at[i]]+q.Slots[i].Offset == pl[j][at[j]]+q.Slots[j].Offset {
				return false
			}
		}
	}
	return true
}
