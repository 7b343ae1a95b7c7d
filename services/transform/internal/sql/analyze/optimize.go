package analyze

import (
	"strconv"

	"github.com/weirflow/weirflow/services/transform/internal/plan"
	"github.com/weirflow/weirflow/services/transform/internal/sql/function"
	"github.com/weirflow/weirflow/services/transform/internal/sql/prune"
)

func itoa(n int) string { return strconv.Itoa(n) }

// optimize applies the rules to plans and checks that they can run as streams.
// What the plans share stays shared.
func optimize(roots []plan.Node) ([]plan.Node, error) {
	o := newOptimizer(roots, apply)
	out := make([]plan.Node, len(roots))
	for i, r := range roots {
		out[i] = o.rewrite(r)
		if err := check(out[i]); err != nil {
			return nil, err
		}
	}
	out = tidy(prune.Nodes(out))
	deriveModes(out)
	return out, nil
}

// optimizer applies a rule from the leaves up, each node once.
type optimizer struct {
	rule    func(plan.Node) plan.Node
	done    map[plan.Node]plan.Node
	readers map[plan.Node]int // how many nodes read a node
}

func newOptimizer(roots []plan.Node, rule func(plan.Node) plan.Node) *optimizer {
	o := &optimizer{rule: rule, done: map[plan.Node]plan.Node{}, readers: map[plan.Node]int{}}
	seen := map[plan.Node]bool{}
	for _, r := range roots {
		plan.WalkNodes(r, func(n plan.Node) {
			if seen[n] {
				return
			}
			seen[n] = true
			for _, in := range n.Inputs() {
				o.readers[in]++
			}
		})
	}
	return o
}

func (o *optimizer) rewrite(n plan.Node) plan.Node {
	if r, ok := o.done[n]; ok {
		return r
	}
	in := n.Inputs()
	kids := make([]plan.Node, len(in))
	shared := false
	for i, k := range in {
		kids[i] = o.rewrite(k)
		shared = shared || o.readers[k] > 1
	}
	out := plan.WithInputs(n, kids)
	if !shared {
		out = o.rule(out)
	}
	o.done[n] = out
	return out
}

// apply applies the rules to a node whose inputs are done.
func apply(n plan.Node) plan.Node {
	switch n := n.(type) {
	case *plan.Project:
		return mergeProjects(n)
	case *plan.Filter:
		if r := rankFilter(n); r != nil {
			return r
		}
		return pushFilter(n)
	case *plan.Aggregate:
		if w := windowAggregate(n); w != nil {
			return w
		}
	}
	return n
}

// mergeProjects folds a projection of a projection into one, where that computes
// nothing twice.
func mergeProjects(n *plan.Project) plan.Node {
	in, ok := n.Input.(*plan.Project)
	if !ok || !cheapToInline(n.Exprs, in.Exprs) {
		return n
	}
	es := make([]plan.Expr, len(n.Exprs))
	for i, e := range n.Exprs {
		es[i] = foldCasts(plan.Substitute(e, in.Exprs))
	}
	c := *n
	c.Input, c.Exprs = in.Input, es
	return &c
}

// foldCasts converts constants under implicit casts.
func foldCasts(e plan.Expr) plan.Expr {
	out, _ := plan.Rewrite(e, func(e plan.Expr) (plan.Expr, error) {
		c, ok := e.(*plan.Cast)
		if !ok || !c.Implicit {
			return nil, nil //nolint:nilnil // nil leaves the expression as it is
		}
		if _, isLit := c.X.(*plan.Literal); isLit {
			return function.Coerce(c.X, c.Typ), nil
		}
		return nil, nil //nolint:nilnil // nil leaves the expression as it is
	})
	return out
}

// cheapToInline reports whether every computed expression is used at most once.
func cheapToInline(upper, lower []plan.Expr) bool {
	uses := make([]int, len(lower))
	for _, e := range upper {
		plan.Walk(e, func(e plan.Expr) bool {
			if r, ok := e.(*plan.InputRef); ok {
				uses[r.Index]++
			}
			return true
		})
	}
	for i, e := range lower {
		if uses[i] > 1 && !trivial(e) {
			return false
		}
	}
	return true
}

// trivial reports whether an expression costs nothing to compute again.
func trivial(e plan.Expr) bool {
	switch e := e.(type) {
	case *plan.InputRef, *plan.Literal:
		return true
	case *plan.FieldAccess:
		return trivial(e.X)
	}
	return false
}

// pushFilter moves conditions below projections that only rename or pick fields,
// below unions, and tells the scan of them.
func pushFilter(n *plan.Filter) plan.Node {
	switch in := n.Input.(type) {
	case *plan.Filter:
		conds := append(plan.Conjuncts(in.Cond), plan.Conjuncts(n.Cond)...)
		return apply(filter(in.Input, conds...))
	case *plan.Project:
		var below, above []plan.Expr
		for _, c := range plan.Conjuncts(n.Cond) {
			if readsTrivial(c, in.Exprs) {
				below = append(below, plan.Substitute(c, in.Exprs))
			} else {
				above = append(above, c)
			}
		}
		if len(below) == 0 {
			return n
		}
		p := *in
		p.Input = apply(filter(in.Input, below...))
		return filter(&p, above...)
	case *plan.Union:
		u := *in
		u.Branches = make([]plan.Node, len(in.Branches))
		for i, b := range in.Branches {
			u.Branches[i] = apply(filter(b, n.Cond))
		}
		return &u
	case *plan.Scan:
		s := *in
		s.Filter = append(append([]plan.Expr{}, in.Filter...), plan.Conjuncts(n.Cond)...)
		c := *n
		c.Input = &s
		return &c
	}
	return n
}

func readsTrivial(c plan.Expr, exprs []plan.Expr) bool {
	set := map[int]bool{}
	plan.Columns(c, set)
	for col := range set {
		if !trivial(exprs[col]) {
			return false
		}
	}
	return len(set) > 0
}

// check refuses what cannot run as a stream.
func check(root plan.Node) error {
	var err error
	plan.WalkNodes(root, func(n plan.Node) {
		if over, ok := n.(*plan.Over); ok && err == nil {
			err = checkOver(over)
		}
	})
	return err
}
