package analyze

import (
	"math"

	"github.com/weirflow/weirflow/services/transform/internal/plan"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

var rankKinds = map[string]plan.RankKind{"ROW_NUMBER": plan.RowNumber, "RANK": plan.RankFunction, "DENSE_RANK": plan.DenseRank}

// rankFilter makes WHERE rn <= n over ROW_NUMBER() a top-N or a deduplication;
// nil if the filter is no such thing.
func rankFilter(f *plan.Filter) plan.Node {
	project, _ := f.Input.(*plan.Project)
	over, ok := f.Input.(*plan.Over)
	if project != nil {
		over, ok = project.Input.(*plan.Over)
	}
	if !ok || len(over.Groups) != 1 || len(over.Groups[0].Calls) != 1 {
		return nil
	}
	g := over.Groups[0]
	kind, ok := rankKinds[g.Calls[0].Function]
	if !ok || len(g.OrderBy) == 0 {
		return nil
	}
	number := len(over.Input.Out().Fields)
	from, to, rest := rankRange(f.Cond, func(e plan.Expr) bool { return isRowNumber(e, project, number) })
	var own *int
	if to == math.MaxInt64 && kind == plan.RowNumber {
		own, rest = rankColumn(rest, project, number)
	}
	if to == math.MaxInt64 && own == nil || from > to {
		return nil
	}
	used := project == nil
	if project != nil {
		for _, e := range project.Exprs {
			used = used || readsColumn(e, number)
		}
	}
	var node plan.Node
	if kind == plan.RowNumber && from == 1 && to == 1 {
		node = dedup(over, g, used)
	}
	if node == nil {
		node = rank(over, g, kind, from, to, used)
		if r, ok := node.(*plan.Rank); ok {
			r.ToColumn = own
		}
	}
	if project == nil {
		return filter(node, rest...)
	}
	p := *project
	p.Input = node
	p.Mode, p.UniqueKey = node.Out().Mode, projectKey(node.Out().UniqueKey, p.Exprs)
	return filter(&p, rest...)
}

// isRowNumber reports whether an expression above a projection is the row number.
func isRowNumber(e plan.Expr, p *plan.Project, number int) bool {
	r, ok := e.(*plan.InputRef)
	if !ok {
		return false
	}
	if p == nil {
		return r.Index == number
	}
	inner, ok := p.Exprs[r.Index].(*plan.InputRef)
	return ok && inner.Index == number
}

func readsColumn(e plan.Expr, col int) bool {
	return plan.Any(e, func(e plan.Expr) bool {
		r, ok := e.(*plan.InputRef)
		return ok && r.Index == col
	})
}

// rankRange reads the numbers that a condition lets through, and what else it says.
func rankRange(cond plan.Expr, isNumber func(plan.Expr) bool) (from, to int64, rest []plan.Expr) {
	from, to = 1, math.MaxInt64
	for _, c := range betweens(plan.Conjuncts(cond)) {
		op, n, ok := compareConstant(c, isNumber)
		if !ok {
			rest = append(rest, c)
			continue
		}
		switch op {
		case plan.FnEqual:
			from, to = max(from, n), min(to, n)
		case plan.FnLessEq:
			to = min(to, n)
		case plan.FnLess:
			to = min(to, n-1)
		case plan.FnGreaterEq:
			from = max(from, n)
		case plan.FnGreater:
			from = max(from, n+1)
		default:
			rest = append(rest, c)
		}
	}
	return from, to, rest
}

// rankColumn finds number <= column among conditions: a top-N whose N each
// partition has itself.
func rankColumn(conds []plan.Expr, p *plan.Project, number int) (own *int, rest []plan.Expr) {
	for _, c := range conds {
		e, ok := c.(*plan.Call)
		if own != nil || !ok || e.Function != plan.FnLessEq && e.Function != plan.FnGreaterEq {
			rest = append(rest, c)
			continue
		}
		a, b := e.Args[0], e.Args[1]
		if e.Function == plan.FnGreaterEq {
			a, b = b, a
		}
		if cast, isCast := b.(*plan.Cast); isCast && cast.Implicit {
			b = cast.X
		}
		r, isRef := b.(*plan.InputRef)
		if isRef && p != nil {
			r, isRef = p.Exprs[r.Index].(*plan.InputRef)
		}
		if !isRowNumber(a, p, number) || !isRef || r.Index >= number || !r.Typ.Kind.IsInteger() {
			rest = append(rest, c)
			continue
		}
		col := r.Index
		own = &col
	}
	return own, rest
}

// betweens writes BETWEEN as two comparisons.
func betweens(conds []plan.Expr) []plan.Expr {
	out := make([]plan.Expr, 0, len(conds))
	for _, c := range conds {
		b, ok := c.(*plan.Call)
		if !ok || b.Function != plan.FnBetween {
			out = append(out, c)
			continue
		}
		low := &plan.Call{Meta: b.Meta, Function: plan.FnGreaterEq, Args: []plan.Expr{b.Args[0], b.Args[1]}}
		high := &plan.Call{Meta: b.Meta, Function: plan.FnLessEq, Args: []plan.Expr{b.Args[0], b.Args[2]}}
		out = append(out, low, high)
	}
	return out
}

// compareConstant reads number op constant or constant op number.
func compareConstant(c plan.Expr, isNumber func(plan.Expr) bool) (op string, n int64, ok bool) {
	e, ok := c.(*plan.Call)
	if !ok || len(e.Args) < 2 {
		return "", 0, false
	}
	a, b, op := e.Args[0], e.Args[1], e.Function
	if isNumber(b) {
		flipped := map[string]string{plan.FnLess: plan.FnGreater, plan.FnLessEq: plan.FnGreaterEq, plan.FnGreater: plan.FnLess, plan.FnGreaterEq: plan.FnLessEq}
		a, b = b, a
		if f := flipped[op]; f != "" {
			op = f
		}
	}
	l, isLit := b.(*plan.Literal)
	if !isNumber(a) || !isLit || len(e.Args) != 2 {
		return "", 0, false
	}
	n, ok = l.Value.(int64)
	return op, n, ok
}

// windowKeys returns the window columns when the partition holds them.
func windowKeys(in plan.Node, partition []int) *[2]int {
	w := windowOf(in)
	if w == nil || w.start < 0 || w.end < 0 || indexOfInt(partition, w.start) < 0 || indexOfInt(partition, w.end) < 0 {
		return nil
	}
	return &[2]int{w.start, w.end}
}

// withNumber adds the row number to the columns.
func withNumber(in *plan.Output, g plan.OverGroup, used bool) []types.Field {
	if !used {
		return in.Fields
	}
	return append(append([]types.Field{}, in.Fields...), types.Field{Name: g.Calls[0].Name, Type: g.Calls[0].Type})
}

// dedup keeps the first or last row by a time attribute; nil if the order is none.
func dedup(over *plan.Over, g plan.OverGroup, used bool) plan.Node {
	in := over.Input.Out()
	attr := in.Fields[g.OrderBy[0].Column].Type.Attribute
	if len(g.OrderBy) != 1 || attr == types.NoAttribute || in.Mode != plan.InsertOnly {
		return nil
	}
	n := &plan.Deduplicate{Input: over.Input, Keys: g.Partition, Time: g.OrderBy[0].Column, Proctime: attr == types.Proctime, KeepLast: g.OrderBy[0].Descending, NumberColumn: used}
	n.Window = windowKeys(over.Input, g.Partition)
	n.Output = *in
	n.Fields, n.At, n.UniqueKey = withNumber(in, g, used), over.At, g.Partition
	if n.Window == nil && (n.KeepLast || !n.Proctime) {
		n.Mode = plan.Retract
	}
	return n
}

func rank(over *plan.Over, g plan.OverGroup, kind plan.RankKind, from, to int64, used bool) plan.Node {
	in := over.Input.Out()
	n := &plan.Rank{Input: over.Input, Kind: kind, Partition: g.Partition, OrderBy: g.OrderBy, From: from, To: to, NumberColumn: used}
	n.Window = windowKeys(over.Input, g.Partition)
	n.Output = *in
	n.Fields, n.At = withNumber(in, g, used), over.At
	if used {
		n.UniqueKey = append(append([]int{}, g.Partition...), len(in.Fields))
	}
	if kind == plan.RowNumber && to == 1 && from == 1 {
		n.UniqueKey = g.Partition
	}
	if n.Window == nil || in.Mode != plan.InsertOnly {
		n.Mode = plan.Retract
	}
	return n
}
