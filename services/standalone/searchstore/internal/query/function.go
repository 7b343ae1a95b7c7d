package query

import (
	"math"

	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/segment"
)

// Function changes scores by functions of the documents.
type Function struct {
	Query     Node
	Functions []Score
	ScoreMode string
	BoostMode string
	MaxBoost  float32
	MinScore  *float32
	Boost     float32
}

// Score is one function: a weight, a field's value, or a random number, for
// the documents that its filter matches.
type Score struct {
	Filter    Node
	Weight    float32
	Field     string
	Factor    float32
	Modifier  string
	Missing   *float64
	Random    bool
	Seed      uint64
	HasWeight bool
}

// Eval makes Function a Node.
func (q *Function) Eval(s *Scope) (Match, error) {
	m, err := q.Query.Eval(s)
	if err != nil || !s.Scoring && q.MinScore == nil {
		return m, err
	}
	fns := make([]func(d uint32) (float32, bool), len(q.Functions))
	for i := range q.Functions {
		if fns[i], err = q.Functions[i].prepare(s); err != nil {
			return m, err
		}
	}
	scores := s.scores()
	m.Bits.Each(func(d uint32) bool {
		f, applied := q.combine(fns, d)
		if applied {
			scores[d] = q.mix(m.Score(d), min(f, q.MaxBoost)) * q.Boost
		} else {
			scores[d] = q.mixNone(m.Score(d)) * q.Boost
		}
		if q.MinScore != nil && scores[d] < *q.MinScore {
			m.Bits.Clear(d)
		}
		return true
	})
	m.Scores = scores
	return m, nil
}

// mixNone is the score when no function applies: the functions count as 1.
func (q *Function) mixNone(score float32) float32 { return q.mix(score, 1) }

func (q *Function) combine(fns []func(uint32) (float32, bool), d uint32) (float32, bool) {
	var acc, n, weights float32
	for i, fn := range fns {
		v, ok := fn(d)
		if !ok {
			continue
		}
		if n == 0 {
			acc = v
		} else {
			switch q.ScoreMode {
			case "sum", "avg":
				acc += v
			case "max":
				acc = max(acc, v)
			case "min":
				acc = min(acc, v)
			case "first":
			default:
				acc *= v
			}
		}
		n++
		weights += q.Functions[i].Weight
	}
	if q.ScoreMode == "avg" && weights > 0 {
		acc /= weights
	}
	return acc, n > 0
}

func (q *Function) mix(score, f float32) float32 {
	switch q.BoostMode {
	case "replace":
		return f
	case "sum":
		return score + f
	case "avg":
		return (score + f) / 2
	case "max":
		return max(score, f)
	case "min":
		return min(score, f)
	}
	return score * f
}

func (f *Score) prepare(s *Scope) (func(d uint32) (float32, bool), error) {
	in := func(uint32) bool { return true }
	if f.Filter != nil {
		m, err := f.Filter.Eval(s.plain())
		if err != nil {
			return nil, err
		}
		in = m.Bits.Get
	}
	var col *segment.Nums
	if f.Field != "" {
		var err error
		if col, err = s.Seg.Nums(f.Field); err != nil {
			return nil, err
		}
	}
	return func(d uint32) (float32, bool) {
		if !in(d) {
			return 0, false
		}
		v := float64(1)
		switch {
		case f.Random:
			h := (uint64(d)+1)*0x9E3779B97F4A7C15 ^ f.Seed*0xBF58476D1CE4E5B9
			h ^= h >> 31
			v = float64(h%(1<<24)) / (1 << 24)
		case f.Field != "":
			v = f.value(col, d)
		}
		return float32(v) * f.Weight, true
	}, nil
}

func (f *Score) value(c *segment.Nums, d uint32) float64 {
	v := 0.0
	found := false
	if c != nil {
		if lo, hi := c.Span(d); lo < hi {
			found = true
			if v = float64(c.Vals[lo]); c.Real {
				v = segment.Real(c.Vals[lo])
			}
		}
	}
	if !found && f.Missing != nil {
		v = *f.Missing
	}
	v *= float64(f.Factor)
	switch f.Modifier {
	case "log":
		v = math.Log10(v)
	case "log1p":
		v = math.Log10(v + 1)
	case "log2p":
		v = math.Log10(v + 2)
	case "ln":
		v = math.Log(v)
	case "ln1p":
		v = math.Log1p(v)
	case "ln2p":
		v = math.Log(v + 2)
	case "square":
		v *= v
	case "sqrt":
		v = math.Sqrt(v)
	case "reciprocal":
		v = 1 / v
	}
	return v
}
