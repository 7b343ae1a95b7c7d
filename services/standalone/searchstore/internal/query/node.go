// Package query reads Elasticsearch's query language into trees of nodes and
// evaluates them on segments, giving the matching documents and their scores.
package query

import (
	"time"

	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/mapping"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/segment"
)

// Node is a compiled query. Nodes are immutable and safe for concurrent use.
type Node interface {
	// Eval returns what matches in the scope's segment. The bits may be
	// changed by the caller.
	Eval(s *Scope) (Match, error)
}

// Match is the result of a node on one segment. Without Scores every match
// scores Const.
type Match struct {
	Bits   segment.Bits
	Scores []float32
	Const  float32
}

// Score returns the score of a document that matches.
func (m *Match) Score(doc uint32) float32 {
	if m.Scores != nil {
		return m.Scores[doc]
	}
	return m.Const
}

// Env is what a query is compiled against: one index.
type Env struct {
	Mapping *mapping.Mapping
	Index   string
	Aliases []string
	Now     time.Time
	// Nested is the path of the nested query around, or "".
	Nested string
	depth  int
}

// Scope is one segment in an evaluation.
type Scope struct {
	Seg   *segment.Segment // the rows that are matched: the root's, or a nested path's
	Root  *segment.Segment
	Path  string // the nested path of Seg
	Stats *Stats
	// Scoring is false where only the set of documents matters.
	Scoring bool
	// Named collects what each named query matched, when not nil.
	Named map[string]segment.Bits
}

// plain returns the scope for a part of a query that does not score.
func (s *Scope) plain() *Scope {
	c := *s
	c.Scoring = false
	return &c
}

// none returns an empty match.
func (s *Scope) none() Match { return Match{Bits: segment.NewBits(s.Seg.N)} }

// all returns a match of every row.
func (s *Scope) all(score float32) Match { return Match{Bits: segment.AllBits(s.Seg.N), Const: score} }

// scores returns a fresh slice of scores.
func (s *Scope) scores() []float32 { return make([]float32, s.Seg.N) }

// All matches every document.
type All struct{ Boost float32 }

// Eval makes All a Node.
func (q *All) Eval(s *Scope) (Match, error) { return s.all(q.Boost), nil }

// None matches nothing.
type None struct{}

// Eval makes None a Node.
func (None) Eval(s *Scope) (Match, error) { return s.none(), nil }

// IDs matches documents by id.
type IDs struct {
	Values []string
	Boost  float32
}

// Eval makes IDs a Node.
func (q *IDs) Eval(s *Scope) (Match, error) {
	m := s.none()
	m.Const = q.Boost
	if s.Path != "" {
		return m, nil
	}
	for _, id := range q.Values {
		seen := segment.Bits(nil)
		for { // an id may be there several times, all but one of them dead
			doc, ok, err := s.Seg.Find(id, seen)
			if err != nil {
				return m, err
			}
			if !ok {
				break
			}
			if seen == nil {
				seen = segment.NewBits(s.Seg.N)
			}
			seen.Set(doc)
			m.Bits.Set(doc)
		}
	}
	return m, nil
}

// Bool combines queries.
type Bool struct {
	Must, Filter, Should, MustNot []Node
	MinShould                     int
	Boost                         float32
}

// Eval makes Bool a Node.
func (q *Bool) Eval(s *Scope) (Match, error) {
	var out Match
	var err error
	if len(q.Must)+len(q.Filter) == 0 && q.MinShould == 0 {
		out = s.all(0)
	}
	sum := newSum(s)
	for _, n := range q.Must {
		if err = q.and(s, n, &out, sum); err != nil {
			return out, err
		}
	}
	for _, n := range q.Filter {
		if err = q.and(s.plain(), n, &out, nil); err != nil {
			return out, err
		}
	}
	if err = q.should(s, &out, sum); err != nil {
		return out, err
	}
	for _, n := range q.MustNot {
		m, err := n.Eval(s.plain())
		if err != nil {
			return out, err
		}
		out.Bits.AndNot(m.Bits)
	}
	sum.into(&out, q.Boost)
	return out, nil
}

func (q *Bool) and(s *Scope, n Node, out *Match, sum *summer) error {
	m, err := n.Eval(s)
	if err != nil {
		return err
	}
	if out.Bits == nil {
		out.Bits = m.Bits
	} else {
		out.Bits.And(m.Bits)
	}
	if sum != nil {
		sum.add(m)
	}
	return nil
}

func (q *Bool) should(s *Scope, out *Match, sum *summer) error {
	if len(q.Should) == 0 {
		if q.MinShould > 0 && out.Bits == nil {
			*out = s.none()
		}
		return nil
	}
	if q.MinShould == 0 && !s.Scoring && s.Named == nil {
		return nil
	}
	var counts []uint16
	if q.MinShould > 1 {
		counts = make([]uint16, s.Seg.N)
	}
	union := segment.NewBits(s.Seg.N)
	for _, n := range q.Should {
		m, err := n.Eval(s)
		if err != nil {
			return err
		}
		sum.add(m)
		if counts != nil {
			m.Bits.Each(func(d uint32) bool { counts[d]++; return true })
		}
		union.Or(m.Bits)
	}
	if q.MinShould == 0 {
		return nil
	}
	if counts != nil {
		union.Each(func(d uint32) bool {
			if int(counts[d]) < q.MinShould {
				union.Clear(d)
			}
			return true
		})
	}
	if out.Bits == nil {
		out.Bits = union
	} else {
		out.Bits.And(union)
	}
	return nil
}

// summer adds up the scores of clauses.
type summer struct {
	on     bool
	scores []float32
}

func newSum(s *Scope) *summer {
	x := &summer{on: s.Scoring}
	if x.on {
		x.scores = s.scores()
	}
	return x
}

func (x *summer) add(m Match) {
	if !x.on {
		return
	}
	m.Bits.Each(func(d uint32) bool {
		x.scores[d] += m.Score(d)
		return true
	})
}

func (x *summer) into(out *Match, boost float32) {
	if !x.on {
		return
	}
	if boost != 1 {
		for i := range x.scores {
			x.scores[i] *= boost
		}
	}
	out.Scores = x.scores
}

// Constant gives every match of a query the same score.
type Constant struct {
	Query Node
	Boost float32
}

// Eval makes Constant a Node.
func (q *Constant) Eval(s *Scope) (Match, error) {
	m, err := q.Query.Eval(s.plain())
	m.Scores, m.Const = nil, q.Boost
	return m, err
}

// DisMax takes the best score of several queries.
type DisMax struct {
	Queries []Node
	Tie     float32
	Boost   float32
}

// Eval makes DisMax a Node.
func (q *DisMax) Eval(s *Scope) (Match, error) {
	out := s.none()
	var best, sum []float32
	if s.Scoring {
		best, sum = s.scores(), s.scores()
	}
	for _, n := range q.Queries {
		m, err := n.Eval(s)
		if err != nil {
			return out, err
		}
		out.Bits.Or(m.Bits)
		if s.Scoring {
			m.Bits.Each(func(d uint32) bool {
				sc := m.Score(d)
				best[d] = max(best[d], sc)
				sum[d] += sc
				return true
			})
		}
	}
	for i := range best {
		best[i] = (best[i] + q.Tie*(sum[i]-best[i])) * q.Boost
	}
	out.Scores = best
	return out, nil
}

// Boosting lowers the score of what also matches a second query.
type Boosting struct {
	Positive, Negative Node
	Factor, Boost      float32
}

// Eval makes Boosting a Node.
func (q *Boosting) Eval(s *Scope) (Match, error) {
	m, err := q.Positive.Eval(s)
	if err != nil || !s.Scoring {
		return m, err
	}
	neg, err := q.Negative.Eval(s.plain())
	if err != nil {
		return m, err
	}
	scores := s.scores()
	m.Bits.Each(func(d uint32) bool {
		scores[d] = m.Score(d) * q.Boost
		if neg.Bits.Get(d) {
			scores[d] *= q.Factor
		}
		return true
	})
	m.Scores = scores
	return m, nil
}

// Named remembers what a query with a _name matched.
type Named struct {
	Query Node
	Name  string
}

// Eval makes Named a Node.
func (q *Named) Eval(s *Scope) (Match, error) {
	m, err := q.Query.Eval(s)
	if err == nil && s.Named != nil && s.Path == "" {
		s.Named[q.Name] = m.Bits.Clone()
	}
	return m, err
}

// Boosted multiplies scores.
type Boosted struct {
	Query Node
	Boost float32
}

// Eval makes Boosted a Node.
func (q *Boosted) Eval(s *Scope) (Match, error) {
	m, err := q.Query.Eval(s)
	m.Const *= q.Boost
	for i := range m.Scores {
		m.Scores[i] *= q.Boost
	}
	return m, err
}

// Walk calls fn for a node and all nodes below it.
func Walk(n Node, fn func(Node)) {
	if n == nil {
		return
	}
	fn(n)
	for _, c := range children(n) {
		Walk(c, fn)
	}
}

func children(n Node) []Node {
	switch q := n.(type) {
	case *Bool:
		out := append([]Node(nil), q.Must...)
		return append(append(out, q.Filter...), q.Should...)
	case *Constant:
		return []Node{q.Query}
	case *DisMax:
		return q.Queries
	case *Boosting:
		return []Node{q.Positive}
	case *Named:
		return []Node{q.Query}
	case *Boosted:
		return []Node{q.Query}
	case *Nested:
		return []Node{q.Query}
	case *Function:
		return []Node{q.Query}
	}
	return nil
}
