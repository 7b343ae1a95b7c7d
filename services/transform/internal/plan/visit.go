package plan

// Exprs returns the expressions of a node itself, not of its inputs.
func Exprs(n Node) []Expr {
	switch n := n.(type) {
	case *Scan:
		return n.Filter
	case *Values:
		var out []Expr
		for _, r := range n.Rows {
			out = append(out, r...)
		}
		return out
	case *Filter:
		return []Expr{n.Cond}
	case *Project:
		return n.Exprs
	case *Watermark:
		return []Expr{n.Expr}
	case *Expand:
		var out []Expr
		for _, p := range n.Projects {
			out = append(out, p...)
		}
		return out
	case *Aggregate:
		return callArgs(n.Calls)
	case *WindowAggregate:
		return callArgs(n.Calls)
	case *Over:
		var out []Expr
		for _, g := range n.Groups {
			out = append(out, callArgs(g.Calls)...)
		}
		return out
	case *Join:
		return optional(n.On.Residual)
	case *IntervalJoin:
		return optional(n.On.Residual)
	case *WindowJoin:
		return optional(n.On.Residual)
	case *TemporalJoin:
		return optional(n.On.Residual)
	case *LookupJoin:
		return optional(n.On.Residual)
	case *Unnest:
		return optional(n.Collection, n.Cond)
	case *TableFunction:
		return optional(n.Function, n.Cond)
	case *Correlate:
		return optional(n.Cond)
	case *Match:
		out := append([]Expr{}, n.Measures...)
		for _, p := range n.Pattern {
			out = append(out, optional(p.Cond)...)
		}
		return out
	}
	return nil
}

func callArgs(calls []AggCall) []Expr {
	var out []Expr
	for _, c := range calls {
		out = append(out, c.Args...)
	}
	return out
}

func optional(es ...Expr) []Expr {
	out := make([]Expr, 0, len(es))
	for _, e := range es {
		if e != nil {
			out = append(out, e)
		}
	}
	return out
}

// WithInputs returns a copy of the node that reads other inputs, which have the
// same columns. The same inputs give the same node.
func WithInputs(n Node, in []Node) Node {
	old := n.Inputs()
	same := len(old) == len(in)
	for i := range old {
		same = same && old[i] == in[i]
	}
	if same {
		return n
	}
	switch n := n.(type) {
	case *Filter:
		c := *n
		c.Input = in[0]
		return &c
	case *Project:
		c := *n
		c.Input = in[0]
		return &c
	case *Watermark:
		c := *n
		c.Input = in[0]
		return &c
	case *Union:
		c := *n
		c.Branches = in
		return &c
	case *SetOp:
		c := *n
		c.Left, c.Right = in[0], in[1]
		return &c
	case *Sort:
		c := *n
		c.Input = in[0]
		return &c
	}
	return withGroupInputs(n, in)
}

func withGroupInputs(n Node, in []Node) Node {
	switch n := n.(type) {
	case *Aggregate:
		c := *n
		c.Input = in[0]
		return &c
	case *Expand:
		c := *n
		c.Input = in[0]
		return &c
	case *WindowAssign:
		c := *n
		c.Input = in[0]
		return &c
	case *WindowAggregate:
		c := *n
		c.Input = in[0]
		return &c
	case *Over:
		c := *n
		c.Input = in[0]
		return &c
	case *Rank:
		c := *n
		c.Input = in[0]
		return &c
	case *Deduplicate:
		c := *n
		c.Input = in[0]
		return &c
	case *Match:
		c := *n
		c.Input = in[0]
		return &c
	case *Sink:
		c := *n
		c.Input = in[0]
		return &c
	case *Normalize:
		c := *n
		c.Input = in[0]
		return &c
	case *Materialize:
		c := *n
		c.Input = in[0]
		return &c
	}
	return withJoinInputs(n, in)
}

func withJoinInputs(n Node, in []Node) Node {
	switch n := n.(type) {
	case *Join:
		c := *n
		c.Left, c.Right = in[0], in[1]
		return &c
	case *IntervalJoin:
		c := *n
		c.Left, c.Right = in[0], in[1]
		return &c
	case *WindowJoin:
		c := *n
		c.Left, c.Right = in[0], in[1]
		return &c
	case *TemporalJoin:
		c := *n
		c.Left, c.Right = in[0], in[1]
		return &c
	case *LookupJoin:
		c := *n
		c.Left = in[0]
		return &c
	case *Unnest:
		c := *n
		c.Input = in[0]
		return &c
	case *TableFunction:
		c := *n
		c.Input = in[0]
		return &c
	case *Correlate:
		c := *n
		c.Left, c.Right = in[0], in[1]
		return &c
	}
	return n
}

// WalkNodes calls f for each node of a plan once, inputs after the node.
func WalkNodes(root Node, f func(Node)) {
	seen := map[Node]bool{}
	var walk func(Node)
	walk = func(n Node) {
		if seen[n] {
			return
		}
		seen[n] = true
		f(n)
		for _, in := range n.Inputs() {
			walk(in)
		}
	}
	walk(root)
}
