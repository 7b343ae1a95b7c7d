package prune

import (
	"slices"

	"github.com/weirflow/weirflow/services/transform/internal/plan"
)

// collect finds what is read of each node, from the roots down.
func (p *pruner) collect(roots []plan.Node) {
	var order []plan.Node
	seen := map[plan.Node]bool{}
	var visit func(plan.Node)
	visit = func(n plan.Node) {
		if seen[n] {
			return
		}
		seen[n] = true
		for _, in := range n.Inputs() {
			visit(in)
		}
		order = append(order, n)
	}
	for _, r := range roots {
		visit(r)
		p.of(r).all(r)
	}
	for _, n := range slices.Backward(order) {
		p.inputs(n)
	}
}

// of returns what is read of a node.
func (p *pruner) of(n plan.Node) needs {
	if p.need[n] == nil {
		p.need[n] = needs{}
	}
	return p.need[n]
}

// inputs notes what a node reads of its inputs.
func (p *pruner) inputs(n plan.Node) {
	own := p.of(n)
	switch n := n.(type) {
	case *plan.Sink:
		p.of(n.Input).all(n.Input)
	case *plan.Project:
		in := p.of(n.Input)
		for i, e := range n.Exprs {
			u := own[i]
			if u == nil {
				continue
			}
			if col, path, ok := access(e); ok && !u.whole {
				for _, rest := range u.paths {
					in.path(col, append(append([]int{}, path...), rest...))
				}
				continue
			}
			in.expr(e)
		}
	case *plan.Filter:
		in := p.passed(own, n.Input, 0)
		in.expr(n.Cond)
	case *plan.Watermark:
		in := p.passed(own, n.Input, 0)
		in.expr(n.Expr)
		in.whole(n.Column)
	case *plan.Union:
		for _, b := range n.Branches {
			p.passed(own, b, 0)
		}
	case *plan.Sort:
		in := p.passed(own, n.Input, 0)
		in.sortKeys(n.Keys)
	default:
		p.groupInputs(n, own)
	}
}

// passed hands the needs of a node's columns on to the input that they come from,
// which starts at the node's column from.
func (p *pruner) passed(own needs, input plan.Node, from int) needs {
	in := p.of(input)
	for i := range input.Out().Fields {
		if u := own[from+i]; u != nil {
			in.merge(i, u)
		}
	}
	return in
}

func (p *pruner) groupInputs(n plan.Node, own needs) {
	switch n := n.(type) {
	case *plan.Aggregate:
		in := p.of(n.Input)
		in.whole(n.Keys...)
		in.calls(n.Calls)
	case *plan.WindowAggregate:
		in := p.of(n.Input)
		in.whole(n.Keys...)
		in.calls(n.Calls)
		in.whole(n.Window.TimeColumn)
		in.whole(n.Window.Partition...)
		if n.Attached != nil {
			in.whole(n.Attached[0], n.Attached[1])
		}
	case *plan.WindowAssign:
		in := p.passed(own, n.Input, 0)
		in.whole(n.Window.TimeColumn)
		in.whole(n.Window.Partition...)
	case *plan.Over:
		in := p.passed(own, n.Input, 0)
		for _, g := range n.Groups {
			in.whole(g.Partition...)
			in.sortKeys(g.OrderBy)
			in.calls(g.Calls)
		}
	case *plan.Rank:
		in := p.passed(own, n.Input, 0)
		in.whole(n.Partition...)
		in.sortKeys(n.OrderBy)
		in.window(n.Window)
		if n.ToColumn != nil {
			in.whole(*n.ToColumn)
		}
	case *plan.Deduplicate:
		in := p.passed(own, n.Input, 0)
		in.whole(n.Keys...)
		in.whole(n.Time)
		in.window(n.Window)
	case *plan.Normalize:
		in := p.passed(own, n.Input, 0)
		in.whole(n.Keys...)
	default:
		p.joinInputs(n, own)
	}
}

func (n needs) window(w *[2]int) {
	if w != nil {
		n.whole(w[0], w[1])
	}
}

func (p *pruner) joinInputs(n plan.Node, own needs) {
	switch n := n.(type) {
	case *plan.Join:
		p.sides(n.Left, n.Right, own, n.On)
	case *plan.IntervalJoin:
		l, r := p.sides(n.Left, n.Right, own, n.On)
		l.whole(n.LeftTime)
		r.whole(n.RightTime)
	case *plan.WindowJoin:
		l, r := p.sides(n.Left, n.Right, own, n.On)
		l.window(&n.LeftWindow)
		r.window(&n.RightWindow)
	case *plan.TemporalJoin:
		l, r := p.sides(n.Left, n.Right, own, n.On)
		l.whole(n.LeftTime)
		r.whole(n.RightTime)
	case *plan.LookupJoin:
		l := p.passed(own, n.Left, 0)
		l.whole(n.On.LeftKeys...)
		p.residual(l, nil, n.On.Residual, len(n.Left.Out().Fields))
	case *plan.Unnest:
		in := p.passed(own, n.Input, 0)
		in.expr(n.Collection)
		p.residual(in, nil, n.Cond, len(n.Input.Out().Fields))
	case *plan.TableFunction:
		in := p.passed(own, n.Input, 0)
		in.expr(n.Function)
		p.residual(in, nil, n.Cond, len(n.Input.Out().Fields))
	default:
		for _, in := range n.Inputs() {
			p.of(in).all(in)
		}
	}
}

func (p *pruner) sides(left, right plan.Node, own needs, on plan.On) (l, r needs) {
	width := len(left.Out().Fields)
	l, r = p.passed(own, left, 0), p.passed(own, right, width)
	l.whole(on.LeftKeys...)
	r.whole(on.RightKeys...)
	p.residual(l, r, on.Residual, width)
	return l, r
}

// residual notes what a condition over both sides reads; a nil side is not pruned.
func (p *pruner) residual(l, r needs, cond plan.Expr, width int) {
	if cond == nil {
		return
	}
	both := needs{}
	both.expr(cond)
	for col, u := range both {
		if col < width {
			l.merge(col, u)
		} else if r != nil {
			r.merge(col-width, u)
		}
	}
}
