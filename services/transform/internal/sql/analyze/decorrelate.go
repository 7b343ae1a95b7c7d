package analyze

import (
	"github.com/weirflow/weirflow/services/transform/internal/plan"
	"github.com/weirflow/weirflow/services/transform/internal/sql/diag"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

// outerRef returns a reference to an outer query's column in e, if there is one.
func outerRef(e plan.Expr) *plan.OuterRef {
	var out *plan.OuterRef
	plan.Walk(e, func(e plan.Expr) bool {
		switch e := e.(type) {
		case *plan.OuterRef:
			out = e
		case *plan.Subquery:
			if r := correlation(e.Plan); r != nil && r.Depth > 1 {
				out = r
			}
		}
		return out == nil
	})
	return out
}

// correlation returns a reference from inside a plan to an outer query.
func correlation(n plan.Node) *plan.OuterRef {
	var out *plan.OuterRef
	plan.WalkNodes(n, func(n plan.Node) {
		for _, e := range plan.Exprs(n) {
			if r := outerRef(e); r != nil && out == nil {
				out = r
			}
		}
	})
	return out
}

func unsupportedCorrelation(r *plan.OuterRef) error {
	return diag.At(r.At, "the reference to %q of the outer query is not supported here", r.Name).
		WithHint("compare it with = in the subquery's own WHERE, or write a JOIN")
}

// decorrelate moves conditions that refer to the outer query out of a subquery's
// plan. They come back over the outer query's columns (width of them) followed by
// those of the plan returned.
func decorrelate(n plan.Node, width int) (plan.Node, []plan.Expr, error) {
	first := correlation(n)
	if first == nil {
		return n, nil, nil
	}
	switch n := n.(type) {
	case *plan.Filter:
		return decorrelateFilter(n, width)
	case *plan.Project:
		return decorrelateProject(n, width)
	case *plan.Aggregate:
		if len(n.Keys) > 0 {
			return decorrelateGroups(n, width)
		}
	}
	return nil, nil, unsupportedCorrelation(first)
}

// globalAggregate reports whether a query has exactly one row: aggregates without
// GROUP BY.
func globalAggregate(n plan.Node) bool {
	if p, ok := n.(*plan.Project); ok {
		n = p.Input
	}
	a, ok := n.(*plan.Aggregate)
	return ok && len(a.Keys) == 0 && len(a.Calls) > 0
}

// decorrelateGroups groups also by the columns that are compared with the outer
// query, which come behind the columns of the aggregate.
func decorrelateGroups(n *plan.Aggregate, width int) (plan.Node, []plan.Expr, error) {
	in, conds, err := decorrelate(n.Input, width)
	if err != nil {
		return nil, nil, err
	}
	if !onlyEqualities(conds, width) {
		return nil, nil, unsupportedCorrelation(correlation(n))
	}
	inFields := in.Out().Fields
	g := *n
	g.Input, g.Keys = in, append([]int{}, n.Keys...)
	place := map[int]int{} // of a column of the input among the keys
	for _, c := range conds {
		set := map[int]bool{}
		plan.Columns(c, set)
		for col := range inFields {
			if set[width+col] {
				if at := indexOfInt(g.Keys, col); at >= 0 {
					place[col] = at
				} else {
					place[col] = len(g.Keys)
					g.Keys = append(g.Keys, col)
				}
			}
		}
	}
	nk, more := len(n.Keys), len(g.Keys)-len(n.Keys)
	g.Fields = append([]types.Field{}, n.Fields[:nk]...)
	for _, k := range g.Keys[nk:] {
		f := inFields[k]
		f.Type = f.Type.Plain()
		g.Fields = append(g.Fields, f)
	}
	g.Fields = append(g.Fields, n.Fields[nk:]...)
	g.UniqueKey = nil
	// The columns of the aggregate come first again, then the keys that were added.
	out := make([]int, len(g.Fields)) // where a column of g goes
	var es []plan.Expr
	var fields []types.Field
	add := func(col int) {
		out[col] = len(es)
		es, fields = append(es, ref(g.Fields, col, n.At)), append(fields, g.Fields[col])
	}
	for col := range g.Fields {
		if col < nk || col >= nk+more {
			add(col)
		}
	}
	for col := nk; col < nk+more; col++ {
		add(col)
	}
	for i, c := range conds {
		conds[i] = plan.Remap(c, func(col int) int {
			if col < width {
				return col
			}
			return width + out[place[col-width]]
		})
	}
	return project(&g, es, fields, n.At), conds, nil
}

func decorrelateFilter(n *plan.Filter, width int) (plan.Node, []plan.Expr, error) {
	in, conds, err := decorrelate(n.Input, width)
	if err != nil {
		return nil, nil, err
	}
	var rest []plan.Expr
	for _, c := range plan.Conjuncts(n.Cond) {
		if outerRef(c) == nil {
			rest = append(rest, c)
			continue
		}
		moved, err := plan.Rewrite(plan.Shift(c, width), func(e plan.Expr) (plan.Expr, error) {
			switch e := e.(type) {
			case *plan.OuterRef:
				if e.Depth != 1 {
					return nil, unsupportedCorrelation(e)
				}
				return &plan.InputRef{Meta: e.Meta, Index: e.Index, Name: e.Name}, nil
			case *plan.Subquery:
				return nil, diag.At(e.At, "a subquery inside a correlated condition is not supported").WithHint("write a JOIN")
			}
			return nil, nil //nolint:nilnil // nil leaves the expression as it is
		})
		if err != nil {
			return nil, nil, err
		}
		conds = append(conds, moved)
	}
	return filter(in, rest...), conds, nil
}

// decorrelateProject adds the columns that the moved conditions need.
func decorrelateProject(n *plan.Project, width int) (plan.Node, []plan.Expr, error) {
	for _, e := range n.Exprs {
		if r := outerRef(e); r != nil {
			return nil, nil, unsupportedCorrelation(r)
		}
	}
	in, conds, err := decorrelate(n.Input, width)
	if err != nil {
		return nil, nil, err
	}
	inFields := in.Out().Fields
	es := append([]plan.Expr{}, n.Exprs...)
	fields := append([]types.Field{}, n.Fields...)
	place := map[int]int{}
	for i, c := range conds {
		conds[i] = plan.Remap(c, func(col int) int {
			if col < width {
				return col
			}
			col -= width
			if _, ok := place[col]; !ok {
				place[col] = len(es)
				es = append(es, ref(inFields, col, n.At))
				fields = append(fields, inFields[col])
			}
			return width + place[col]
		})
	}
	return project(in, es, fields, n.At), conds, nil
}

// scalarPlan is a scalar subquery's plan with at most one row for each outer row.
type scalarPlan struct {
	plan  plan.Node
	conds []plan.Expr
	empty plan.Expr // the value where the subquery has no rows; nil for NULL
}

// decorrelateScalar makes a scalar subquery's plan one that gives at most one row
// for each row of left.
func decorrelateScalar(left plan.Node, s *plan.Subquery) (scalarPlan, error) {
	width := len(left.Out().Fields)
	first := correlation(s.Plan)
	if first == nil {
		return scalarPlan{plan: single(s.Plan)}, nil
	}
	top, _ := s.Plan.(*plan.Project)
	agg, ok := s.Plan.(*plan.Aggregate)
	if top != nil {
		agg, ok = top.Input.(*plan.Aggregate)
		for _, e := range top.Exprs {
			if ok && outerRef(e) != nil {
				return scalarPlan{}, unsupportedCorrelation(first)
			}
		}
	}
	if !ok || len(agg.Keys) > 0 {
		top, agg = nil, singleValue(s.Plan)
	}
	in, conds, err := decorrelate(agg.Input, width)
	if err != nil {
		return scalarPlan{}, err
	}
	out := scalarPlan{empty: emptyValue(agg, top)}
	if onlyEqualities(conds, width) {
		out.plan, out.conds, err = groupByCorrelation(agg, in, conds, width, first)
	} else {
		out.plan, out.conds = groupByOuter(agg, in, conds, left)
	}
	if err == nil && top != nil {
		out.plan, out.conds = liftProject(top, out.plan, out.conds, width)
	}
	return out, err
}

// emptyValue is what an aggregate without rows gives, where that is not NULL.
func emptyValue(agg *plan.Aggregate, top *plan.Project) plan.Expr {
	values := make([]plan.Expr, len(agg.Calls))
	counts := false
	for i, c := range agg.Calls {
		lit := &plan.Literal{Meta: meta(c.Type.OrNull(), c.At)}
		if c.Function == "COUNT" {
			lit.Typ, lit.Value = c.Type, int64(0)
			counts = true
		}
		values[i] = lit
	}
	switch {
	case !counts:
		return nil
	case top == nil:
		return values[0]
	}
	return plan.Substitute(top.Exprs[0], values)
}

// onlyEqualities reports whether the conditions compare columns of the subquery
// with expressions of the outer query by = alone.
func onlyEqualities(conds []plan.Expr, width int) bool {
	for _, c := range conds {
		eq, ok := c.(*plan.Call)
		if !ok || eq.Function != plan.FnEqual {
			return false
		}
		a, b := sideOf(eq.Args[0], width), sideOf(eq.Args[1], width)
		if a == 'b' || b == 'b' || a == b {
			return false
		}
	}
	return true
}

// groupByOuter computes an aggregate for each distinct combination of the outer
// columns that the conditions read.
func groupByOuter(agg *plan.Aggregate, in plan.Node, conds []plan.Expr, left plan.Node) (plan.Node, []plan.Expr) {
	outer := left.Out()
	width := len(outer.Fields)
	var cols []int
	for _, c := range conds {
		set := map[int]bool{}
		plan.Columns(c, set)
		for i := range outer.Fields {
			if set[i] && indexOfInt(cols, i) < 0 {
				cols = append(cols, i)
			}
		}
	}
	es := make([]plan.Expr, len(cols))
	fields := make([]types.Field, len(cols))
	for i, c := range cols {
		es[i], fields[i] = ref(outer.Fields, c, agg.At), outer.Fields[c]
		fields[i].Type = fields[i].Type.Plain()
	}
	keys := distinct(project(left, es, fields, agg.At))
	nk := len(cols)
	moved := make([]plan.Expr, len(conds))
	for i, c := range conds {
		moved[i] = plan.Remap(c, func(col int) int {
			if col < width {
				return indexOfInt(cols, col)
			}
			return col - width + nk
		})
	}
	g := *agg
	g.Input, g.Keys, g.Mode = joinOf(keys, in, plan.InnerJoin, moved, agg.At), nil, plan.Retract
	g.Calls = make([]plan.AggCall, len(agg.Calls))
	for i, c := range agg.Calls {
		g.Calls[i] = c
		g.Calls[i].Args = make([]plan.Expr, len(c.Args))
		for k, arg := range c.Args {
			g.Calls[i].Args[k] = plan.Shift(arg, nk)
		}
		if c.Filter >= 0 {
			g.Calls[i].Filter = c.Filter + nk
		}
	}
	g.Fields = append(append([]types.Field{}, fields...), agg.Fields...)
	out := make([]types.Field, 0, len(g.Fields))
	var order []plan.Expr
	for i := range g.Fields {
		col := (i + nk) % len(g.Fields)
		order, out = append(order, ref(g.Fields, col, agg.At)), append(out, g.Fields[col])
	}
	for i := range nk {
		g.Keys = append(g.Keys, i)
	}
	g.UniqueKey = g.Keys
	p := project(&g, order, out, agg.At)
	match := make([]plan.Expr, nk)
	for i, c := range cols {
		match[i] = call(plan.FnNotDistinct, boolType(false), agg.At, ref(outer.Fields, c, agg.At), plan.Shift(ref(out, len(agg.Fields)+i, agg.At), width))
	}
	return p, match
}

// groupByCorrelation groups an aggregate by the columns that the conditions
// compare with the outer query.
func groupByCorrelation(agg *plan.Aggregate, in plan.Node, conds []plan.Expr, width int, first *plan.OuterRef) (plan.Node, []plan.Expr, error) {
	g := *agg
	g.Input, g.Keys, g.Fields = in, nil, nil
	inFields := in.Out().Fields
	calls := agg.Fields
	for _, c := range conds {
		eq, ok := c.(*plan.Call)
		if !ok || eq.Function != plan.FnEqual {
			return nil, nil, unsupportedCorrelation(first)
		}
		set := map[int]bool{}
		plan.Columns(c, set)
		for col := range set {
			if col >= width && indexOfInt(g.Keys, col-width) < 0 {
				g.Keys = append(g.Keys, col-width)
			}
		}
	}
	// The output is keys first; a projection puts the calls back in front.
	for _, k := range g.Keys {
		f := inFields[k]
		f.Type = f.Type.Plain()
		g.Fields = append(g.Fields, f)
	}
	nk := len(g.Keys)
	g.Fields = append(g.Fields, calls...)
	g.Mode = plan.Retract
	var es []plan.Expr
	var fields []types.Field
	for i := range g.Fields {
		col := (i + nk) % len(g.Fields)
		es = append(es, ref(g.Fields, col, agg.At))
		fields = append(fields, g.Fields[col])
	}
	for i, c := range conds {
		conds[i] = plan.Remap(c, func(col int) int {
			if col < width {
				return col
			}
			return width + len(calls) + indexOfInt(g.Keys, col-width)
		})
	}
	return project(&g, es, fields, agg.At), conds, nil
}

// liftProject computes the subquery's value above the grouping and keeps the
// columns that the conditions need.
func liftProject(top *plan.Project, in plan.Node, conds []plan.Expr, width int) (plan.Node, []plan.Expr) {
	inFields := in.Out().Fields
	es := append([]plan.Expr{}, top.Exprs...)
	fields := append([]types.Field{}, top.Fields...)
	place := map[int]int{}
	for i, c := range conds {
		conds[i] = plan.Remap(c, func(col int) int {
			if col < width {
				return col
			}
			col -= width
			if _, ok := place[col]; !ok {
				place[col] = len(es)
				es = append(es, ref(inFields, col, top.At))
				fields = append(fields, inFields[col])
			}
			return width + place[col]
		})
	}
	return project(in, es, fields, top.At), conds
}

// single makes sure that a plan gives at most one row.
func single(n plan.Node) plan.Node {
	inner := n
	for {
		if p, ok := inner.(*plan.Project); ok {
			inner = p.Input
			continue
		}
		break
	}
	if a, ok := inner.(*plan.Aggregate); ok && len(a.Keys) == 0 {
		return n
	}
	if v, ok := inner.(*plan.Values); ok && len(v.Rows) == 1 {
		return n
	}
	return singleValue(n)
}

// singleValue gives the value of the only row, and fails where there are more.
func singleValue(n plan.Node) *plan.Aggregate {
	in := n.Out()
	t := in.Fields[0].Type.Plain().OrNull()
	a := &plan.Aggregate{Input: n, Calls: []plan.AggCall{{
		Function: "SINGLE_VALUE", Args: []plan.Expr{ref(in.Fields, 0, in.At)}, Filter: -1, Type: t, Name: in.Fields[0].Name, At: in.At,
	}}}
	a.Fields = []types.Field{{Name: in.Fields[0].Name, Type: t}}
	a.At, a.Mode, a.Bounded = in.At, plan.Retract, in.Bounded
	return a
}
