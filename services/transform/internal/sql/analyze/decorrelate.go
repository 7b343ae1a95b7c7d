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
	}
	return nil, nil, unsupportedCorrelation(first)
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

// decorrelateScalar makes a scalar subquery's plan one that gives at most one row
// for each outer row.
func decorrelateScalar(s *plan.Subquery, width int) (plan.Node, []plan.Expr, error) {
	first := correlation(s.Plan)
	if first == nil {
		return single(s.Plan), nil, nil
	}
	top, _ := s.Plan.(*plan.Project)
	agg, ok := s.Plan.(*plan.Aggregate)
	if top != nil {
		agg, ok = top.Input.(*plan.Aggregate)
	}
	if !ok || len(agg.Keys) > 0 {
		return nil, nil, unsupportedCorrelation(first)
	}
	for _, c := range agg.Calls {
		if c.Function == "COUNT" || c.Function == "COLLECT" {
			return nil, nil, diag.At(c.At, "%s in a correlated subquery is not supported", c.Function).WithHint("write a LEFT JOIN with GROUP BY")
		}
	}
	in, conds, err := decorrelate(agg.Input, width)
	if err != nil {
		return nil, nil, err
	}
	grouped, conds, err := groupByCorrelation(agg, in, conds, width, first)
	if err != nil || top == nil {
		return grouped, conds, err
	}
	return liftProject(top, grouped, conds, width)
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
func liftProject(top *plan.Project, in plan.Node, conds []plan.Expr, width int) (plan.Node, []plan.Expr, error) {
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
	return project(in, es, fields, top.At), conds, nil
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
	in := n.Out()
	t := in.Fields[0].Type.Plain().OrNull()
	a := &plan.Aggregate{Input: n, Calls: []plan.AggCall{{
		Function: "SINGLE_VALUE", Args: []plan.Expr{ref(in.Fields, 0, in.At)}, Filter: -1, Type: t, Name: in.Fields[0].Name, At: in.At,
	}}}
	a.Fields = []types.Field{{Name: in.Fields[0].Name, Type: t}}
	a.At, a.Mode, a.Bounded = in.At, plan.Retract, in.Bounded
	return a
}
