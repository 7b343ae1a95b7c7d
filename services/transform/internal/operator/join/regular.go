package join

import (
	"errors"

	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/eval"
	"github.com/weirflow/weirflow/services/transform/internal/operator"
	"github.com/weirflow/weirflow/services/transform/internal/operator/row"
	"github.com/weirflow/weirflow/services/transform/internal/operator/state"
	"github.com/weirflow/weirflow/services/transform/internal/plan"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

// Regular joins two changing tables, which are both kept.
type Regular struct {
	state.Tables
	kind     plan.JoinKind
	keys     *keys
	residual *residual
	sides    [2]*state.Table[*bucket]
	marks    operator.Marks
	out      output
	row      []byte
}

// New makes the operator of a node.
func New(n *plan.Join, env eval.Env) (*Regular, error) {
	env = env.Filled()
	left, right := n.Left.Out().Fields, n.Right.Out().Fields
	on := n.On
	if n.NullAware {
		on = nullAware(on, left, right)
	}
	j := &Regular{Tables: state.NewTables(shape(n.Kind.String(), on, left, right)), kind: n.Kind, marks: operator.NewMarks(2)}
	j.out = output{rows: operator.NewRows(n.Fields), left: len(left), naming: counted}
	state.AddMarks(&j.Tables, &j.marks)
	var err error
	if j.keys, err = newKeys(on, left, right, env); err != nil {
		return nil, err
	}
	if j.residual, err = newResidual(on.Residual, left, right, env); err != nil {
		return nil, err
	}
	for side, name := range []string{"left", "right"} {
		j.sides[side] = buckets(&j.Tables, name)
		ttl := env.StateTTL
		if n.TTL[side] != nil {
			ttl = *n.TTL[side]
		}
		j.sides[side].Expire(ttl, env.Now, nil)
	}
	return j, nil
}

// nullAware makes the last key of NOT IN a condition: a row is in unless the
// comparison is FALSE.
func nullAware(on plan.On, left, right []types.Field) plan.On {
	last := len(on.LeftKeys) - 1
	if last < 0 {
		return on
	}
	l, r := on.LeftKeys[last], on.RightKeys[last]
	if !left[l].Type.Nullable && !right[r].Type.Nullable {
		return on
	}
	boolean := plan.Meta{Typ: types.Of(types.Boolean)}
	same := &plan.Call{Meta: boolean, Function: plan.FnEqual, Args: []plan.Expr{
		&plan.InputRef{Meta: plan.Meta{Typ: left[l].Type}, Index: l, Name: left[l].Name},
		&plan.InputRef{Meta: plan.Meta{Typ: right[r].Type}, Index: len(left) + r, Name: right[r].Name},
	}}
	cond := plan.Expr(&plan.Call{Meta: boolean, Function: plan.FnIsNotFalse, Args: []plan.Expr{same}})
	if on.Residual != nil {
		cond = plan.And(cond, on.Residual)
	}
	return plan.On{LeftKeys: on.LeftKeys[:last], RightKeys: on.RightKeys[:last], NullSafe: on.NullSafe[:last], Residual: cond}
}

// outer reports whether rows of a side come out alone when nothing matches them.
func (j *Regular) outer(side int) bool {
	switch j.kind {
	case plan.FullJoin:
		return true
	case plan.LeftJoin:
		return side == 0
	case plan.RightJoin:
		return side == 1
	default:
		return false
	}
}

// half reports whether only rows of the left come out.
func (j *Regular) half() bool { return j.kind >= plan.SemiJoin }

// Process joins the rows with what the other side holds.
func (j *Regular) Process(in int, b *column.Batch, out operator.Emitter) error {
	if err := j.keys.bind(in, b); err != nil {
		return err
	}
	j.out.rows.From(b)
	for i := range b.Len {
		j.out.record = b.Record(i)
		j.row = row.AppendAll(j.row[:0], b, i)
		if err := j.change(in, b.Kind(i), i); err != nil {
			return err
		}
		if err := j.out.rows.Spill(out); err != nil {
			return err
		}
	}
	return j.out.rows.Flush(out)
}

func (j *Regular) change(side int, kind column.Kind, i int) error {
	key, ok := j.keys.key(side, i)
	if !ok {
		// It matches nothing, ever, so it need not be kept.
		switch {
		case j.kind == plan.MarkJoin && side == 0:
			return j.out.marked(kind, string(j.row), false)
		case j.half() && side == 0 && j.kind == plan.AntiJoin:
			return j.out.alone(kind, string(j.row))
		case !j.half() && j.outer(side):
			return j.out.joined(kind, side, string(j.row), "")
		}
		return nil
	}
	text, back := j.keep(side, key, kind)
	if text == nil {
		return nil
	}
	matches, err := j.matching(side, key, text.row)
	if err != nil {
		return err
	}
	if j.half() {
		return j.semi(side, kind, back, text, matches)
	}
	return j.pair(side, kind, back, text, matches)
}

// keep adds the row to its side or takes it away; nil when it was not there.
func (j *Regular) keep(side int, key []byte, kind column.Kind) (it *item, back bool) {
	back = kind == column.UpdateBefore || kind == column.Delete
	table := j.sides[side]
	bk, ok := table.Get(key)
	if !ok {
		if back {
			return nil, back
		}
		bk = &bucket{}
		table.Put(string(key), bk)
	}
	at := bk.find(j.row)
	switch {
	case back && at < 0:
		return nil, back
	case back:
		it = bk.items[at]
		if it.n--; it.n == 0 {
			if bk.remove(at); len(bk.items) == 0 {
				table.Delete(string(key))
				return it, back
			}
		}
	case at >= 0:
		it = bk.items[at]
		it.n++
	default:
		it = &item{row: string(j.row), n: 1}
		bk.add(it)
	}
	table.TouchBytes(key)
	return it, back
}

// matching returns the rows of the other side that match.
func (j *Regular) matching(side int, key []byte, text string) ([]*item, error) {
	bk, ok := j.sides[1-side].Get(key)
	if !ok {
		return nil, nil
	}
	if j.residual.cond == nil {
		return bk.items, nil
	}
	good, err := j.residual.match(side, text, func(i int) string { return bk.items[i].row }, len(bk.items))
	if err != nil {
		return nil, err
	}
	var out []*item
	for i, yes := range good {
		if yes {
			out = append(out, bk.items[i])
		}
	}
	return out, nil
}

// pair puts out what a row of an inner or outer join changes.
func (j *Regular) pair(side int, kind column.Kind, back bool, it *item, matches []*item) error {
	if len(matches) == 0 {
		it.matches = 0
		if j.outer(side) {
			j.out.copies = [2]int64{it.n}
			return j.out.joined(kind, side, it.row, "")
		}
		return nil
	}
	step := int64(1)
	if back {
		step = -1
	}
	total := int64(0)
	for _, m := range matches {
		total += m.n
		alone := m.matches == 0
		if j.outer(1 - side) {
			m.matches += step
			j.touch(1 - side)
		}
		for c := range m.n {
			j.out.copies = [2]int64{it.n, c + 1}
			if alone && !back && j.outer(1-side) {
				if err := j.out.joined(column.Delete, 1-side, m.row, ""); err != nil {
					return err
				}
			}
			if err := j.out.joined(kind, side, it.row, m.row); err != nil {
				return err
			}
			if back && j.outer(1-side) && m.matches == 0 {
				if err := j.out.joined(column.Insert, 1-side, m.row, ""); err != nil {
					return err
				}
			}
		}
	}
	it.matches = total
	return nil
}

// touch says that rows of the other side's bucket of the current key changed.
func (j *Regular) touch(side int) { j.sides[side].TouchBytes(j.keys.buf) }

// semi puts out what a row of a semi or anti join changes.
func (j *Regular) semi(side int, kind column.Kind, back bool, it *item, matches []*item) error {
	anti := j.kind == plan.AntiJoin
	if side == 0 {
		total := int64(0)
		for _, m := range matches {
			total += m.n
		}
		it.matches = total
		if j.kind == plan.MarkJoin {
			return j.out.marked(kind, it.row, total > 0)
		}
		if (total == 0) == anti {
			j.out.copies = [2]int64{it.n}
			return j.out.alone(kind, it.row)
		}
		return nil
	}
	for _, m := range matches {
		was := m.matches > 0
		if back {
			m.matches--
		} else {
			m.matches++
		}
		j.touch(0)
		is := m.matches > 0
		if was == is {
			continue
		}
		change := column.Insert
		if is == anti {
			change = column.Delete
		}
		for c := range m.n {
			j.out.copies = [2]int64{c + 1}
			if j.kind == plan.MarkJoin {
				if err := errors.Join(j.out.marked(column.UpdateBefore, m.row, was), j.out.marked(column.UpdateAfter, m.row, is)); err != nil {
					return err
				}
				continue
			}
			if err := j.out.alone(change, m.row); err != nil {
				return err
			}
		}
	}
	return nil
}

// Watermark passes on the slower side's.
func (j *Regular) Watermark(in int, ts int64, out operator.Emitter) error {
	if !j.marks.Advance(in, ts) {
		return nil
	}
	return out.Watermark(j.marks.Now())
}

// End does nothing.
func (j *Regular) End(int, operator.Emitter) error { return nil }

// Named sets what the rows' names are made with.
func (j *Regular) Named(id string) { j.out.rows.Salt(id) }

// Close does nothing.
func (j *Regular) Close() error { return nil }
