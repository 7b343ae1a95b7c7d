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
		s := coll.Spans[i]
		for k := range s.Len {
			u.rows, u.elems = append(u.rows, int32(i)), append(u.elems, s.Start+k)
		}
	}
	if len(u.rows) == 0 {
		return nil
	}
	b.Select(&u.out, u.rows, nil)
	u.out.Cols = append(u.out.Cols[:u.width:u.width], u.elements(coll)...)
	if u.node.Ordinality {
		u.out.Cols = append(u.out.Cols, u.numbers(coll))
	}
	if u.cond == nil {
		return out.Emit(&u.out)
	}
	return u.filtered(out)
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
