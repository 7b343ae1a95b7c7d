package analyze

import (
	"github.com/weirflow/weirflow/services/transform/internal/plan"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

// joinMode derives how the output of a join changes.
func joinMode(kind plan.JoinKind, l, r plan.Node) plan.Changelog {
	worst := worstMode([]plan.Node{l, r})
	if kind != plan.InnerJoin && kind != plan.SemiJoin || worst != plan.InsertOnly {
		return plan.Retract
	}
	return plan.InsertOnly
}

// joinFields are the columns of both sides; those of an outer side may be NULL.
// Time attributes end at a regular join.
func joinFields(l, r plan.Node, kind plan.JoinKind) []types.Field {
	out := make([]types.Field, 0, len(l.Out().Fields)+len(r.Out().Fields))
	for _, f := range l.Out().Fields {
		if kind == plan.RightJoin || kind == plan.FullJoin {
			f.Type = f.Type.OrNull()
		}
		out = append(out, f)
	}
	for _, f := range r.Out().Fields {
		if kind == plan.LeftJoin || kind == plan.FullJoin {
			f.Type = f.Type.OrNull()
		}
		out = append(out, f)
	}
	return out
}

func plainFields(fields []types.Field) []types.Field {
	out := make([]types.Field, len(fields))
	for i, f := range fields {
		f.Type = f.Type.Plain()
		out[i] = f
	}
	return out
}

// sideOf says which side of a join an expression reads: 'l', 'r', 'b' for both
// and 'n' for neither.
func sideOf(e plan.Expr, width int) byte {
	set := map[int]bool{}
	plan.Columns(e, set)
	side := byte('n')
	for c := range set {
		s := byte('l')
		if c >= width {
			s = 'r'
		}
		if side != 'n' && side != s {
			return 'b'
		}
		side = s
	}
	return side
}

// splitOn finds the equalities among the conditions of a join, which are over
// both sides' columns. A side of an equality that is not a column is computed
// below the join as a further column of that side.
func splitOn(l, r plan.Node, conds []plan.Expr) (left, right plan.Node, on plan.On) {
	width := len(l.Out().Fields)
	lcols, rcols := allColumns(l), allColumns(r)
	var rest []plan.Expr
	for _, c := range conds {
		eq, ok := c.(*plan.Call)
		if !ok || eq.Function != plan.FnEqual && eq.Function != plan.FnNotDistinct {
			rest = append(rest, c)
			continue
		}
		a, b := eq.Args[0], eq.Args[1]
		if sideOf(a, width) == 'r' && sideOf(b, width) == 'l' {
			a, b = b, a
		}
		if sideOf(a, width) != 'l' || sideOf(b, width) != 'r' {
			rest = append(rest, c)
			continue
		}
		on.LeftKeys = append(on.LeftKeys, lcols.add(a))
		on.RightKeys = append(on.RightKeys, rcols.add(plan.Shift(b, -width)))
		on.NullSafe = append(on.NullSafe, eq.Function == plan.FnNotDistinct)
	}
	left, right = extend(l, lcols), extend(r, rcols)
	extra := len(left.Out().Fields) - width
	for i, c := range rest {
		rest[i] = plan.Remap(c, func(col int) int {
			if col >= width {
				return col + extra
			}
			return col
		})
	}
	on.Residual = plan.And(rest...)
	return left, right, on
}

func allColumns(n plan.Node) *columns {
	c := &columns{}
	fields := n.Out().Fields
	for i := range fields {
		c.exprs = append(c.exprs, ref(fields, i, n.Out().At))
		c.fields = append(c.fields, fields[i])
	}
	return c
}

// extend computes the columns that were added to those of the node.
func extend(n plan.Node, c *columns) plan.Node {
	if len(c.exprs) == len(n.Out().Fields) {
		return n
	}
	return project(n, c.exprs, c.fields, n.Out().At)
}

// joinOf builds a regular join; its columns are the left's followed by the right's.
func joinOf(l, r plan.Node, kind plan.JoinKind, conds []plan.Expr, at plan.Pos) plan.Node {
	lw, rw := len(l.Out().Fields), len(r.Out().Fields)
	n := &plan.Join{Kind: kind}
	n.Left, n.Right, n.On = splitOn(l, r, conds)
	n.Fields = joinFields(n.Left, n.Right, kind)
	if len(conds) > 0 || kind != plan.InnerJoin {
		// A cross join keeps time attributes: WHERE may yet make it an interval join.
		n.Fields = plainFields(n.Fields)
	}
	n.At, n.Mode = at, joinMode(kind, l, r)
	n.Bounded = l.Out().Bounded && r.Out().Bounded
	return withoutExtra(n, lw, len(n.Left.Out().Fields), rw)
}

// withoutExtra drops the columns that splitOn added: keep lw columns of the left
// and rw of the right, which starts at rstart.
func withoutExtra(n plan.Node, lw, rstart, rw int) plan.Node {
	fields := n.Out().Fields
	if len(fields) == lw+rw {
		return n
	}
	var es []plan.Expr
	var out []types.Field
	for i := range fields {
		if i < lw || i >= rstart && i < rstart+rw {
			es = append(es, ref(fields, i, n.Out().At))
			out = append(out, fields[i])
		}
	}
	return project(n, es, out, n.Out().At)
}
