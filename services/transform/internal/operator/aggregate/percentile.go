package aggregate

import (
	"slices"

	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/datum"
	"github.com/weirflow/weirflow/services/transform/internal/operator/row"
	"github.com/weirflow/weirflow/services/transform/internal/plan"
)

// percentile is PERCENTILE: entries hold value, percentage and perhaps frequency.
type percentile struct {
	cols []*column.Vector
}

func newPercentile(c plan.AggCall, f *list) *list {
	p := &percentile{}
	for _, a := range c.Args {
		p.cols = append(p.cols, column.New(a.Type()))
	}
	f.finish = p.finish
	return f
}

func (p *percentile) finish(list []string, dst *column.Vector) error {
	for _, c := range p.cols {
		c.Reset(0)
	}
	var xs []float64
	for i, x := range list {
		if _, err := row.Decode(x, p.cols); err != nil {
			return err
		}
		times := int64(1)
		if len(p.cols) > 2 {
			times = p.cols[2].Ints[i]
		}
		for range times {
			xs = append(xs, number(p.cols[0], i))
		}
	}
	if len(xs) == 0 {
		appendNull(dst)
		return nil
	}
	slices.Sort(xs)
	at := p.cols[1]
	if at.Elem == nil {
		appendFloat(dst, quantile(xs, at.Floats[0]))
		return nil
	}
	dst.Extend(1)
	start, s := dst.Elem.Len, at.Spans[0]
	for k := s.Start; k < s.Start+s.Len; k++ {
		appendFloat(dst.Elem, quantile(xs, at.Elem.Floats[k]))
	}
	dst.Spans[dst.Len-1] = column.Span{Start: int32(start), Len: s.Len}
	return nil
}

func number(v *column.Vector, i int) float64 {
	switch column.LayoutOf(v.Type) {
	case column.Floats:
		return v.Floats[i]
	case column.Decs:
		return datum.ToFloat(v.Decs[i], v.Type.Scale)
	default:
		return float64(v.Ints[i])
	}
}

// quantile interpolates between the two nearest values.
func quantile(xs []float64, p float64) float64 {
	at := p * float64(len(xs)-1)
	low := min(max(int(at), 0), len(xs)-1)
	high := min(low+1, len(xs)-1)
	return xs[low] + (xs[high]-xs[low])*(at-float64(low))
}
