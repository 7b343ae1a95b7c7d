package prune

import (
	"github.com/weirflow/weirflow/services/transform/internal/plan"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

// pruner holds what is read of each node, and what became of it.
type pruner struct {
	need map[plan.Node]needs
	done map[plan.Node]pruned
}

// pruned is a node without the columns that nothing reads. at gives the new place
// of each old column, -1 for one that is gone.
type pruned struct {
	node plan.Node
	at   []int
}

// Nodes returns the plans with fewer columns inside. The roots keep all theirs;
// what they share stays shared.
func Nodes(roots []plan.Node) []plan.Node {
	p := &pruner{need: map[plan.Node]needs{}, done: map[plan.Node]pruned{}}
	p.collect(roots)
	out := make([]plan.Node, len(roots))
	for i, r := range roots {
		out[i] = p.prune(r).node
	}
	return out
}

func identity(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

func (p *pruner) prune(n plan.Node) pruned {
	if d, ok := p.done[n]; ok {
		return d
	}
	d := p.rewrite(n)
	p.done[n] = d
	return d
}

// output narrows the columns of a node.
func output(o plan.Output, at []int) plan.Output {
	fields := make([]types.Field, 0, len(o.Fields))
	for i, f := range o.Fields {
		if at[i] >= 0 {
			fields = append(fields, f)
		}
	}
	o.Fields = fields
	o.UniqueKey = keys(o.UniqueKey, at)
	return o
}

// keys moves columns; nil if one of them is gone.
func keys(cols, at []int) []int {
	if cols == nil {
		return nil
	}
	out := make([]int, len(cols))
	for i, c := range cols {
		if at[c] < 0 {
			return nil
		}
		out[i] = at[c]
	}
	return out
}

func moved(e plan.Expr, at []int) plan.Expr {
	if e == nil {
		return nil
	}
	return plan.Remap(e, func(i int) int { return at[i] })
}

func sortKeys(ks []plan.SortKey, at []int) []plan.SortKey {
	out := make([]plan.SortKey, len(ks))
	for i, k := range ks {
		out[i] = k
		out[i].Column = at[k.Column]
	}
	return out
}

func calls(cs []plan.AggCall, at []int) []plan.AggCall {
	out := make([]plan.AggCall, len(cs))
	for i, c := range cs {
		out[i] = c
		out[i].Args = make([]plan.Expr, len(c.Args))
		for j, a := range c.Args {
			out[i].Args[j] = moved(a, at)
		}
		if c.Filter >= 0 {
			out[i].Filter = at[c.Filter]
		}
		out[i].OrderBy = sortKeys(c.OrderBy, at)
	}
	return out
}

func window(w plan.Window, at []int) plan.Window {
	w.TimeColumn = at[w.TimeColumn]
	w.Partition = keys(w.Partition, at)
	return w
}

func pair(w *[2]int, at []int) *[2]int {
	if w == nil {
		return nil
	}
	return &[2]int{at[w[0]], at[w[1]]}
}

// appended gives the places of an input's columns and of more that follow them.
func appended(at []int, width, more int) []int {
	out := append([]int{}, at...)
	for i := range more {
		out = append(out, width+i)
	}
	return out
}

func (p *pruner) rewrite(n plan.Node) pruned {
	switch n := n.(type) {
	case *plan.Scan:
		return p.scan(n)
	case *plan.Values:
		return p.values(n)
	case *plan.Project:
		return p.project(n)
	case *plan.Filter:
		in := p.prune(n.Input)
		c := *n
		c.Input, c.Cond, c.Output = in.node, moved(n.Cond, in.at), output(n.Output, in.at)
		return pruned{&c, in.at}
	case *plan.Watermark:
		in := p.prune(n.Input)
		c := *n
		c.Input, c.Expr, c.Column, c.Output = in.node, moved(n.Expr, in.at), in.at[n.Column], output(n.Output, in.at)
		return pruned{&c, in.at}
	case *plan.Sort:
		in := p.prune(n.Input)
		c := *n
		c.Input, c.Keys, c.Output = in.node, sortKeys(n.Keys, in.at), output(n.Output, in.at)
		return pruned{&c, in.at}
	case *plan.Union:
		return p.union(n)
	}
	return p.group(n)
}

func (p *pruner) scan(n *plan.Scan) pruned {
	need := p.of(n)
	for _, f := range n.Filter {
		need.expr(f)
	}
	at := make([]int, len(n.Columns))
	c := *n
	c.Columns = nil
	for i, col := range n.Columns {
		u := need[i]
		if u == nil {
			at[i] = -1
			continue
		}
		at[i] = len(c.Columns)
		if !u.whole {
			col.Paths = u.paths
		}
		c.Columns = append(c.Columns, col)
	}
	c.Output = output(n.Output, at)
	c.Filter = make([]plan.Expr, len(n.Filter))
	for i, f := range n.Filter {
		c.Filter[i] = moved(f, at)
	}
	return pruned{&c, at}
}

// kept gives the places of the columns that are read.
func (p *pruner) kept(n plan.Node, width int) []int {
	need := p.of(n)
	at := make([]int, width)
	next := 0
	for i := range at {
		at[i] = -1
		if need[i] != nil {
			at[i] = next
			next++
		}
	}
	return at
}

func (p *pruner) values(n *plan.Values) pruned {
	at := p.kept(n, len(n.Fields))
	c := *n
	c.Output = output(n.Output, at)
	c.Rows = make([][]plan.Expr, len(n.Rows))
	for i, r := range n.Rows {
		row := make([]plan.Expr, 0, len(c.Fields))
		for j, e := range r {
			if at[j] >= 0 {
				row = append(row, e)
			}
		}
		c.Rows[i] = row
	}
	return pruned{&c, at}
}

func (p *pruner) project(n *plan.Project) pruned {
	in := p.prune(n.Input)
	at := p.kept(n, len(n.Exprs))
	c := *n
	c.Input, c.Output, c.Exprs = in.node, output(n.Output, at), nil
	for i, e := range n.Exprs {
		if at[i] >= 0 {
			c.Exprs = append(c.Exprs, moved(e, in.at))
		}
	}
	return pruned{&c, at}
}

// union brings all branches to the same columns: those that are read.
func (p *pruner) union(n *plan.Union) pruned {
	at := p.kept(n, len(n.Fields))
	c := *n
	c.Output = output(n.Output, at)
	c.Branches = make([]plan.Node, len(n.Branches))
	for i, b := range n.Branches {
		in := p.prune(b)
		c.Branches[i] = only(in, at)
	}
	return pruned{&c, at}
}

// only puts a projection over a node that has more columns than are kept.
func only(in pruned, keep []int) plan.Node {
	out := in.node.Out()
	p := &plan.Project{Input: in.node}
	p.Output = *out
	p.Fields, p.UniqueKey = nil, nil
	same := true
	for old, k := range keep {
		if k < 0 {
			continue
		}
		i := in.at[old]
		same = same && i == len(p.Exprs)
		p.Exprs = append(p.Exprs, &plan.InputRef{Meta: plan.Meta{Typ: out.Fields[i].Type, At: out.At}, Index: i, Name: out.Fields[i].Name})
		p.Fields = append(p.Fields, out.Fields[i])
	}
	if same && len(p.Exprs) == len(out.Fields) {
		return in.node
	}
	return p
}
