package exec

import (
	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/eval"
	"github.com/weirflow/weirflow/services/transform/internal/plan"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

// unnest puts out a row for each element of a collection.
type unnest struct {
	stateless
	node  *plan.Unnest
	coll  *eval.Program
	cond  *eval.Program
	width int // columns of the input
	rows  []int32
	elems []int32
	out   column.Batch
	kept  column.Batch
}

func (u *unnest) Process(_ int, b *column.Batch, out Emitter) error {
	coll, err := u.coll.Eval(b)
	if err != nil {
		return located(err, b)
	}
	u.rows, u.elems = u.rows[:0], u.elems[:0]
	for i := range b.Len {
		if coll.IsNull(i) || coll.Spans[i].Len == 0 {
			if u.node.Left {
				u.rows, u.elems = append(u.rows, int32(i)), append(u.elems, -1)
			}
			continue
		}
		before := len(u.rows)
		u.expand(coll, i)
		if len(u.rows) == before && u.node.Left {
			u.rows, u.elems = append(u.rows, int32(i)), append(u.elems, -1)
		}
	}
	if len(u.rows) == 0 {
		return nil
	}
	u.gather(b, coll)
	switch {
	case u.cond == nil:
		return out.Emit(&u.out)
	case u.node.Left:
		return u.filteredLeft(b, coll, out)
	}
	return u.filtered(out)
}

// expand notes the elements of row i. A NULL among ROWs is no row, as in Flink; an
// element of a multiset comes as often as it is in there.
func (u *unnest) expand(coll *column.Vector, i int) {
	s := coll.Spans[i]
	for k := s.Start; k < s.Start+s.Len; k++ {
		times := int64(1)
		switch coll.Type.Kind {
		case types.Multiset:
			times = coll.Elem.Ints[k]
		case types.Array:
			if coll.Elem.Type.Kind == types.Row && coll.Elem.IsNull(int(k)) {
				times = 0
			}
		default:
		}
		for range times {
			u.rows, u.elems = append(u.rows, int32(i)), append(u.elems, k)
		}
	}
}

// gather makes the output of the rows and elements noted.
func (u *unnest) gather(b *column.Batch, coll *column.Vector) {
	b.Select(&u.out, u.rows, nil)
	u.out.Cols = append(u.out.Cols[:u.width:u.width], u.elements(coll)...)
	if u.node.Ordinality {
		u.out.Cols = append(u.out.Cols, u.numbers(coll))
	}
}

// filteredLeft keeps the elements that fulfil the condition, and rows without any
// such element once.
func (u *unnest) filteredLeft(b *column.Batch, coll *column.Vector, out Emitter) error {
	v, err := u.cond.Eval(&u.out)
	if err != nil {
		return located(err, &u.out)
	}
	rows, elems := u.rows, u.elems
	u.rows, u.elems = nil, nil
	for i := 0; i < len(rows); {
		end, before := i, len(u.rows)
		for ; end < len(rows) && rows[end] == rows[i]; end++ {
			if elems[end] >= 0 && !v.IsNull(end) && v.Bools[end] {
				u.rows, u.elems = append(u.rows, rows[end]), append(u.elems, elems[end])
			}
		}
		if len(u.rows) == before {
			u.rows, u.elems = append(u.rows, rows[i]), append(u.elems, -1)
		}
		i = end
	}
	u.gather(b, coll)
	return out.Emit(&u.out)
}

// elements returns the columns that an element becomes.
func (u *unnest) elements(coll *column.Vector) []*column.Vector {
	var from []*column.Vector
	switch coll.Type.Kind {
	case types.Map:
		from = []*column.Vector{coll.Key, coll.Elem}
	case types.Multiset:
		from = []*column.Vector{coll.Key}
	default:
		from = []*column.Vector{coll.Elem}
	}
	cols := make([]*column.Vector, 0, len(from))
	for _, v := range from {
		dst := column.New(v.Type)
		column.Gather(dst, v, u.elems)
		if v.Type.Kind != types.Row || len(from) > 1 {
			cols = append(cols, dst)
			continue
		}
		for _, f := range dst.Fields {
			cols = append(cols, f.WithNulls(nil, dst))
		}
	}
	return cols
}

func (u *unnest) numbers(coll *column.Vector) *column.Vector {
	v := column.New(types.Of(types.Int))
	v.Reset(len(u.rows))
	for i, r := range u.rows {
		if u.elems[i] < 0 {
			v.SetNull(i)
			continue
		}
		v.Ints[i] = int64(u.elems[i]-coll.Spans[r].Start) + 1
	}
	return v
}

func (u *unnest) filtered(out Emitter) error {
	v, err := u.cond.Eval(&u.out)
	if err != nil {
		return located(err, &u.out)
	}
	var sel []int32
	for i := range u.out.Len {
		if !v.IsNull(i) && v.Bools[i] {
			sel = append(sel, int32(i))
		}
	}
	if len(sel) == 0 {
		return nil
	}
	u.out.Select(&u.kept, sel, nil)
	return out.Emit(&u.kept)
}
