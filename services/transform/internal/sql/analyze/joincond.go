package analyze

import "github.com/weirflow/weirflow/services/transform/internal/plan"

// pushIntoJoin moves the conditions above an inner join into it: those about one
// side go below it, those about both become part of its condition. What was a
// cross join may so become a regular, window or interval join.
func (a *Analyzer) pushIntoJoin(n *plan.Join, conds []plan.Expr) (plan.Node, error) {
	width := len(n.Left.Out().Fields)
	var left, right, both []plan.Expr
	for _, c := range conds {
		switch sideOf(c, width) {
		case 'l':
			left = append(left, c)
		case 'r':
			right = append(right, plan.Shift(c, -width))
		default:
			both = append(both, c)
		}
	}
	l, r := n.Left, n.Right
	var err error
	if len(left) > 0 {
		if l, err = a.applyCondition(l, plan.And(left...)); err != nil {
			return nil, err
		}
	}
	if len(right) > 0 {
		if r, err = a.applyCondition(r, plan.And(right...)); err != nil {
			return nil, err
		}
	}
	all := append(onConditions(n), both...)
	if j := windowJoin(l, r, plan.InnerJoin, all, n.At); j != nil {
		return j, nil
	}
	if j := intervalJoin(l, r, plan.InnerJoin, all, n.At); j != nil {
		return j, nil
	}
	j := joinOf(l, r, plan.InnerJoin, all, n.At)
	inner := j
	if p, ok := inner.(*plan.Project); ok {
		inner = p.Input
	}
	if regular, ok := inner.(*plan.Join); ok {
		regular.TTL = n.TTL
	}
	return j, nil
}

// onConditions returns the condition of a join as expressions over both sides.
func onConditions(n *plan.Join) []plan.Expr {
	l, r := n.Left.Out().Fields, n.Right.Out().Fields
	var out []plan.Expr
	for i, k := range n.On.LeftKeys {
		fn := plan.FnEqual
		if n.On.NullSafe[i] {
			fn = plan.FnNotDistinct
		}
		right := plan.Shift(ref(r, n.On.RightKeys[i], n.At), len(l))
		out = append(out, call(fn, boolType(true), n.At, ref(l, k, n.At), right))
	}
	return append(out, plan.Conjuncts(n.On.Residual)...)
}

// hasSubquery reports whether an expression holds a subquery.
func hasSubquery(e plan.Expr) bool {
	return plan.Any(e, func(e plan.Expr) bool {
		_, ok := e.(*plan.Subquery)
		return ok
	})
}
