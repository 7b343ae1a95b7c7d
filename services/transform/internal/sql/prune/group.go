package prune

import "github.com/weirflow/weirflow/services/transform/internal/plan"

// group rewrites the operators that group, number or join rows.
func (p *pruner) group(n plan.Node) pruned {
	switch n := n.(type) {
	case *plan.Sink:
		in := p.prune(n.Input)
		c := *n
		c.Input = in.node
		return pruned{&c, identity(len(n.Fields))}
	case *plan.Aggregate:
		in := p.prune(n.Input)
		c := *n
		c.Input, c.Keys, c.Calls = in.node, keys(n.Keys, in.at), calls(n.Calls, in.at)
		return pruned{&c, identity(len(n.Fields))}
	case *plan.WindowAggregate:
		in := p.prune(n.Input)
		c := *n
		c.Input, c.Keys, c.Calls = in.node, keys(n.Keys, in.at), calls(n.Calls, in.at)
		c.Window, c.Attached = window(n.Window, in.at), pair(n.Attached, in.at)
		return pruned{&c, identity(len(n.Fields))}
	case *plan.WindowAssign:
		in := p.prune(n.Input)
		c := *n
		at := appended(in.at, len(in.node.Out().Fields), 3)
		c.Input, c.Window, c.Output = in.node, window(n.Window, in.at), output(n.Output, at)
		return pruned{&c, at}
	case *plan.Over:
		return p.over(n)
	case *plan.Rank:
		in := p.prune(n.Input)
		c := *n
		at := p.numbered(n, in, &c.NumberColumn)
		c.Input, c.Partition, c.OrderBy, c.Window = in.node, keys(n.Partition, in.at), sortKeys(n.OrderBy, in.at), pair(n.Window, in.at)
		c.Output = output(n.Output, at)
		if n.ToColumn != nil {
			to := in.at[*n.ToColumn]
			c.ToColumn = &to
		}
		return pruned{&c, at}
	case *plan.Deduplicate:
		in := p.prune(n.Input)
		c := *n
		at := p.numbered(n, in, &c.NumberColumn)
		c.Input, c.Keys, c.Time, c.Window = in.node, keys(n.Keys, in.at), in.at[n.Time], pair(n.Window, in.at)
		c.Output = output(n.Output, at)
		return pruned{&c, at}
	case *plan.Normalize:
		in := p.prune(n.Input)
		c := *n
		c.Input, c.Keys, c.Output = in.node, keys(n.Keys, in.at), output(n.Output, in.at)
		return pruned{&c, in.at}
	case *plan.Unnest:
		in := p.prune(n.Input)
		c := *n
		at := appended(in.at, len(in.node.Out().Fields), len(n.Fields)-len(in.at))
		c.Input, c.Collection, c.Cond, c.Output = in.node, moved(n.Collection, in.at), moved(n.Cond, at), output(n.Output, at)
		return pruned{&c, at}
	case *plan.TableFunction:
		in := p.prune(n.Input)
		c := *n
		at := appended(in.at, len(in.node.Out().Fields), len(n.Fields)-len(in.at))
		if f, ok := moved(n.Function, in.at).(*plan.Call); ok {
			c.Function = f
		}
		c.Input, c.Cond, c.Output = in.node, moved(n.Cond, at), output(n.Output, at)
		return pruned{&c, at}
	}
	return p.join(n)
}

// numbered gives the places of an input's columns and of the row number after
// them, which is left out when nothing reads it.
func (p *pruner) numbered(n plan.Node, in pruned, number *bool) []int {
	width := len(in.at)
	if !*number {
		return in.at
	}
	if p.of(n)[width] == nil {
		*number = false
		return append(append([]int{}, in.at...), -1)
	}
	return appended(in.at, len(in.node.Out().Fields), 1)
}

func (p *pruner) over(n *plan.Over) pruned {
	in := p.prune(n.Input)
	c := *n
	at := appended(in.at, len(in.node.Out().Fields), len(n.Fields)-len(in.at))
	c.Input, c.Output = in.node, output(n.Output, at)
	c.Groups = make([]plan.OverGroup, len(n.Groups))
	for i, g := range n.Groups {
		g.Partition, g.OrderBy, g.Calls = keys(g.Partition, in.at), sortKeys(g.OrderBy, in.at), calls(g.Calls, in.at)
		c.Groups[i] = g
	}
	return pruned{&c, at}
}

// joined is both sides of a join after pruning, and where their columns went.
type joined struct {
	l, r pruned
	at   []int // both sides' columns
}

func (p *pruner) both(left, right plan.Node) joined {
	j := joined{l: p.prune(left), r: p.prune(right)}
	width := len(j.l.node.Out().Fields)
	j.at = append([]int{}, j.l.at...)
	for _, a := range j.r.at {
		if a >= 0 {
			a += width
		}
		j.at = append(j.at, a)
	}
	return j
}

func (j joined) on(o plan.On) plan.On {
	o.LeftKeys, o.RightKeys, o.Residual = keys(o.LeftKeys, j.l.at), keys(o.RightKeys, j.r.at), moved(o.Residual, j.at)
	return o
}

func (p *pruner) join(n plan.Node) pruned {
	switch n := n.(type) {
	case *plan.Join:
		j := p.both(n.Left, n.Right)
		c := *n
		at := j.at
		if n.Kind == plan.MarkJoin {
			at = appended(j.l.at, len(j.l.node.Out().Fields), 1)
		}
		at = at[:len(n.Fields)]
		c.Left, c.Right, c.On, c.Output = j.l.node, j.r.node, j.on(n.On), output(n.Output, at)
		return pruned{&c, at}
	case *plan.IntervalJoin:
		j := p.both(n.Left, n.Right)
		c := *n
		c.Left, c.Right, c.On, c.Output = j.l.node, j.r.node, j.on(n.On), output(n.Output, j.at)
		c.LeftTime, c.RightTime = j.l.at[n.LeftTime], j.r.at[n.RightTime]
		return pruned{&c, j.at}
	case *plan.WindowJoin:
		j := p.both(n.Left, n.Right)
		c := *n
		c.Left, c.Right, c.On, c.Output = j.l.node, j.r.node, j.on(n.On), output(n.Output, j.at)
		c.LeftWindow, c.RightWindow = *pair(&n.LeftWindow, j.l.at), *pair(&n.RightWindow, j.r.at)
		return pruned{&c, j.at}
	case *plan.TemporalJoin:
		j := p.both(n.Left, n.Right)
		c := *n
		c.Left, c.Right, c.On, c.Output = j.l.node, j.r.node, j.on(n.On), output(n.Output, j.at)
		c.LeftTime = j.l.at[n.LeftTime]
		if n.RightTime >= 0 {
			c.RightTime = j.r.at[n.RightTime]
		}
		return pruned{&c, j.at}
	case *plan.LookupJoin:
		l := p.prune(n.Left)
		c := *n
		at := appended(l.at, len(l.node.Out().Fields), len(n.Fields)-len(l.at))
		c.Left, c.Output = l.node, output(n.Output, at)
		c.On.LeftKeys, c.On.Residual = keys(n.On.LeftKeys, l.at), moved(n.On.Residual, at)
		return pruned{&c, at}
	}
	return p.rest(n)
}

// rest rewrites operators that read all columns of their inputs.
func (p *pruner) rest(n plan.Node) pruned {
	in := n.Inputs()
	kids := make([]plan.Node, len(in))
	for i, k := range in {
		d := p.prune(k)
		kids[i] = only(d, identity(len(d.at)))
	}
	return pruned{plan.WithInputs(n, kids), identity(len(n.Out().Fields))}
}
