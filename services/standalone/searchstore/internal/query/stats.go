package query

import (
	"math"
	"sync"

	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/segment"
)

// Okapi BM25's parameters.
const (
	k1 = 1.2
	b1 = 0.75
)

// Stats answers how frequent terms are in the whole index.
type Stats struct {
	Segs []*segment.Segment
	mu   sync.Mutex
	memo map[string]weight
}

// weight is a term's part of its score.
type weight struct {
	idf   float32
	avgdl float32
}

func (st *Stats) tables(path string) []*segment.Segment {
	if path == "" {
		return st.Segs
	}
	var out []*segment.Segment
	for _, s := range st.Segs {
		if c := s.Children[path]; c != nil {
			out = append(out, c)
		}
	}
	return out
}

func idf(n, df int) float32 {
	return float32(math.Log(1 + (float64(n)-float64(df)+0.5)/(float64(df)+0.5)))
}

// text returns the weight of a term of a full-text field.
func (st *Stats) text(path, field string, term []byte) (weight, error) {
	return st.once("x"+path+"\x00"+field+"\x00"+string(term), func() (weight, error) {
		docs, df := 0, 0
		sum := int64(0)
		for _, s := range st.tables(path) {
			c, err := s.Texts(field)
			if err != nil {
				return weight{}, err
			}
			if c == nil {
				continue
			}
			docs += c.DocCount
			sum += c.SumLen
			if o, ok := c.Dict.Find(term); ok {
				df += int(c.DF[o])
			}
		}
		return weight{idf(docs, df), float32(float64(sum) / math.Max(float64(docs), 1))}, nil
	})
}

// keyword returns the weight of a term of a keyword field.
func (st *Stats) keyword(path, field string, term []byte) (weight, error) {
	return st.once("k"+path+"\x00"+field+"\x00"+string(term), func() (weight, error) {
		docs, df := 0, 0
		for _, s := range st.tables(path) {
			c, err := s.Terms(field)
			if err != nil {
				return weight{}, err
			}
			if c == nil {
				continue
			}
			o, ok := c.Dict.Find(term)
			for d := range uint32(s.N) {
				lo, hi := c.Span(d)
				if lo < hi {
					docs++
				}
				for ; ok && lo < hi; lo++ {
					if c.Ords[lo] == uint32(o) {
						df++
					}
				}
			}
		}
		return weight{idf: idf(docs, df)}, nil
	})
}

func (st *Stats) once(key string, compute func() (weight, error)) (weight, error) {
	st.mu.Lock()
	defer st.mu.Unlock()
	if w, ok := st.memo[key]; ok {
		return w, nil
	}
	w, err := compute()
	if err != nil {
		return w, err
	}
	if st.memo == nil {
		st.memo = map[string]weight{}
	}
	st.memo[key] = w
	return w, nil
}

// bm25 is the score of a term that stands freq times in a text of a length.
func (w weight) bm25(freq float32, norm byte) float32 {
	dl := float32(segment.DecodeNorm(norm))
	avg := w.avgdl
	if avg <= 0 {
		avg = 1
	}
	return w.idf * (k1 + 1) * freq / (freq + k1*(1-b1+b1*dl/avg))
}
