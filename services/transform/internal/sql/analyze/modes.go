package analyze

import "github.com/weirflow/weirflow/services/transform/internal/plan"

// deriveModes sets how the rows of each node change, and by which columns they
// are known, after the rules have changed the plan.
func deriveModes(roots []plan.Node) {
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
		deriveMode(n)
	}
	for _, r := range roots {
		visit(r)
	}
}

func deriveMode(n plan.Node) {
	out := n.Out()
	switch n := n.(type) {
	case *plan.Project:
		out.Mode, out.UniqueKey = n.Input.Out().Mode, projectKey(n.Input.Out().UniqueKey, n.Exprs)
	case *plan.Filter:
		out.Mode, out.UniqueKey = n.Input.Out().Mode, n.Input.Out().UniqueKey
	case *plan.Watermark:
		out.Mode, out.UniqueKey = n.Input.Out().Mode, n.Input.Out().UniqueKey
	case *plan.Sort:
		in := n.Input.Out()
		out.Mode, out.UniqueKey = in.Mode, in.UniqueKey
		if n.Limit >= 0 && len(n.Keys) > 0 || in.Mode != plan.InsertOnly {
			out.Mode = plan.Retract
		}
	case *plan.Aggregate:
		if n.Input.Out().Mode != plan.InsertOnly || len(n.Calls) > 0 {
			out.Mode = plan.Retract
		}
	case *plan.Rank:
		if n.Window == nil || n.Input.Out().Mode != plan.InsertOnly {
			out.Mode = plan.Retract
		}
	case *plan.Join:
		out.Mode = joinMode(n.Kind, n.Left, n.Right)
	case *plan.Union:
		out.Mode = worstMode(n.Branches)
	case *plan.Expand, *plan.WindowAssign, *plan.Over, *plan.Unnest, *plan.TableFunction, *plan.LookupJoin, *plan.TemporalJoin:
		out.Mode = n.Inputs()[0].Out().Mode
	case *plan.Normalize:
		out.Mode, out.UniqueKey = plan.Retract, n.Keys
	case *plan.Sink:
		out.Mode = n.Input.Out().Mode
		n.KeyMismatch = out.Mode != plan.InsertOnly && len(n.PrimaryKey) > 0 && !within(n.Input.Out().UniqueKey, n.PrimaryKey)
	}
}

// tidy folds projections that the other rules left on top of each other, and
// drops those that change nothing.
func tidy(roots []plan.Node) []plan.Node {
	o := newOptimizer(roots, func(n plan.Node) plan.Node {
		p, ok := n.(*plan.Project)
		if !ok {
			return n
		}
		if m, isProject := mergeProjects(p).(*plan.Project); isProject {
			p = m
		}
		if identity(p.Exprs, p.Input.Out().Fields, p.Fields) {
			return p.Input
		}
		return p
	})
	out := make([]plan.Node, len(roots))
	for i, r := range roots {
		out[i] = o.rewrite(r)
	}
	return out
}
