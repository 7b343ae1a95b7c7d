package analyze

import (
	"github.com/weirflow/weirflow/services/transform/internal/plan"
	"github.com/weirflow/weirflow/services/transform/internal/sql/diag"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

// overs plans the calls with OVER: a projection computes what they read, an Over
// node adds their results to the columns.
func (s *selection) overs() error {
	var calls []*pendingOver
	find := func(e plan.Expr) {
		if e == nil {
			return
		}
		plan.Walk(e, func(e plan.Expr) bool {
			if p, ok := e.(*pendingOver); ok && overIndex(calls, p) < 0 {
				calls = append(calls, p)
			}
			return true
		})
	}
	for _, it := range s.items {
		find(it.expr)
	}
	for _, so := range s.sorts {
		find(so.expr)
	}
	if len(calls) == 0 {
		return nil
	}
	in := s.node.Out()
	pre := &columns{}
	for i := range in.Fields {
		pre.exprs = append(pre.exprs, ref(in.Fields, i, in.At))
		pre.fields = append(pre.fields, in.Fields[i])
	}
	n := &plan.Over{}
	where := make([][2]int, len(calls)) // group, call
	for i, p := range calls {
		where[i] = addOver(n, pre, p)
	}
	base := len(pre.fields)
	columnOf := make([]int, len(calls))
	s.finishOver(n, pre, base, where, columnOf)
	s.node = n
	replace := func(e plan.Expr) (plan.Expr, error) {
		if p, ok := e.(*pendingOver); ok {
			return ref(n.Fields, columnOf[overIndex(calls, p)], p.At), nil
		}
		return nil, nil //nolint:nilnil // nil leaves the expression as it is
	}
	var err error
	for i := range s.items {
		if s.items[i].expr, err = plan.Rewrite(s.items[i].expr, replace); err != nil {
			return err
		}
	}
	for i := range s.sorts {
		if s.sorts[i].expr == nil {
			continue
		}
		if s.sorts[i].expr, err = plan.Rewrite(s.sorts[i].expr, replace); err != nil {
			return err
		}
	}
	return nil
}

// addOver puts a call into the group with its partition, order and frame.
func addOver(n *plan.Over, pre *columns, p *pendingOver) [2]int {
	g := plan.OverGroup{OrderBy: pre.sortKeys(p.order), Frame: p.frame}
	for _, e := range p.partition {
		g.Partition = append(g.Partition, pre.add(e))
	}
	c := pre.call(&p.pendingAgg)
	c.Name = p.fn
	for i := range n.Groups {
		if sameGroup(&n.Groups[i], &g) {
			n.Groups[i].Calls = append(n.Groups[i].Calls, c)
			return [2]int{i, len(n.Groups[i].Calls) - 1}
		}
	}
	g.Calls = []plan.AggCall{c}
	n.Groups = append(n.Groups, g)
	return [2]int{len(n.Groups) - 1, 0}
}

func (s *selection) finishOver(n *plan.Over, pre *columns, base int, where [][2]int, columnOf []int) {
	in := s.node.Out()
	n.Input = s.node
	if base != len(in.Fields) {
		n.Input = project(s.node, pre.exprs, pre.fields, s.ast.Pos())
	}
	n.Fields = append([]types.Field{}, pre.fields...)
	start := make([]int, len(n.Groups))
	for i, g := range n.Groups {
		start[i] = len(n.Fields)
		for _, c := range g.Calls {
			n.Fields = append(n.Fields, types.Field{Name: c.Name, Type: c.Type})
		}
	}
	for i, w := range where {
		columnOf[i] = start[w[0]] + w[1]
	}
	n.At, n.Bounded, n.Mode, n.UniqueKey = s.ast.Pos(), in.Bounded, in.Mode, in.UniqueKey
}

func sameGroup(a, b *plan.OverGroup) bool {
	if len(a.Partition) != len(b.Partition) || len(a.OrderBy) != len(b.OrderBy) || a.Frame != b.Frame {
		return false
	}
	for i := range a.Partition {
		if a.Partition[i] != b.Partition[i] {
			return false
		}
	}
	for i := range a.OrderBy {
		if a.OrderBy[i] != b.OrderBy[i] {
			return false
		}
	}
	return true
}

func overIndex(calls []*pendingOver, p *pendingOver) int {
	for i, c := range calls {
		if c.same(&p.pendingAgg) && sameExprs(c.exprs(), p.exprs()) && c.frame == p.frame && sameOrder(c.order, p.order) && len(c.partition) == len(p.partition) {
			return i
		}
	}
	return -1
}

func sameOrder(a, b []sortExpr) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].descending != b[i].descending || a[i].nullsFirst != b[i].nullsFirst {
			return false
		}
	}
	return true
}

// checkOver refuses OVER nodes that no rule made into something that streams: the
// order must be a time attribute.
func checkOver(n *plan.Over) error {
	fields := n.Input.Out().Fields
	for _, g := range n.Groups {
		for _, c := range g.Calls {
			switch c.Function {
			case "LEAD", "PERCENT_RANK", "CUME_DIST", "NTILE":
				err := diag.At(c.At, "%s is not supported over a stream: it depends on rows that are still to come", c.Function)
				if c.Function == "LEAD" {
					err = err.WithHint("use LAG, and take the present row for the next one")
				}
				return err
			}
			if err := checkOverOrder(n, g, c, fields); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkOverOrder refuses windows that are not ordered by one time attribute.
func checkOverOrder(n *plan.Over, g plan.OverGroup, c plan.AggCall, fields []types.Field) error {
	switch {
	case len(g.OrderBy) == 0:
		return diag.At(c.At, "%s OVER needs ORDER BY a time attribute", c.Function)
	case fields[g.OrderBy[0].Column].Type.Attribute == types.NoAttribute:
		err := diag.At(c.At, "OVER windows must be ordered by a time attribute, found %s", fields[g.OrderBy[0].Column].Type.OrNull())
		if c.Function == "ROW_NUMBER" {
			return err.WithHint("for top-N, filter ROW_NUMBER() in an outer query with <= a constant")
		}
		return err.WithHint("declare WATERMARK FOR the column in CREATE TABLE; for top-N, filter ROW_NUMBER() in an outer query with <= a constant")
	case len(g.OrderBy) > 1:
		return diag.At(c.At, "OVER windows can only be ordered by a single time attribute")
	case g.OrderBy[0].Descending:
		return diag.At(c.At, "OVER windows over a stream can only be ordered ascending")
	case n.Input.Out().Mode != plan.InsertOnly:
		return diag.At(c.At, "%s OVER needs an input that is never updated", c.Function).WithHint("aggregate after it instead, or put the rows into a window first")
	}
	return nil
}
