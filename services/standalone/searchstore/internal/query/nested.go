package query

import (
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/jsondoc"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/segment"
)

// Nested matches documents one of whose nested objects matches.
type Nested struct {
	Path  string
	Above string // the nested path that the query itself stands in
	Query Node
	Mode  string // avg, sum, min, max, none
	Boost float32
	Inner *jsondoc.Value // inner_hits
}

// Rows evaluates the inner query on the nested objects of a segment.
func (q *Nested) Rows(s *Scope) (*segment.Segment, Match, error) {
	child := s.Root.Children[q.Path]
	if child == nil {
		return nil, Match{}, nil
	}
	c := *s
	c.Seg, c.Path, c.Scoring = child, q.Path, s.Scoring && q.Mode != "none"
	m, err := q.Query.Eval(&c)
	return child, m, err
}

// Eval makes Nested a Node.
func (q *Nested) Eval(s *Scope) (Match, error) {
	out := s.none()
	child, m, err := q.Rows(s)
	if err != nil || child == nil {
		return out, err
	}
	if !s.Scoring || q.Mode == "none" {
		m.Bits.Each(func(r uint32) bool {
			out.Bits.Set(child.Parent[r])
			return true
		})
		return out, nil
	}
	scores, counts := s.scores(), make([]float32, s.Seg.N)
	m.Bits.Each(func(r uint32) bool {
		p, sc := child.Parent[r], m.Score(r)
		first := !out.Bits.Get(p)
		out.Bits.Set(p)
		switch q.Mode {
		case "max":
			scores[p] = max(scores[p], sc)
		case "min":
			if first || sc < scores[p] {
				scores[p] = sc
			}
		default:
			scores[p] += sc
		}
		counts[p]++
		return true
	})
	for i := range scores {
		if q.Mode == "avg" && counts[i] > 0 {
			scores[i] /= counts[i]
		}
		scores[i] *= q.Boost
	}
	out.Scores = scores
	return out, nil
}
