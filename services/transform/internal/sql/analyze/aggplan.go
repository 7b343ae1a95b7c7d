package analyze

import (
	"github.com/weirflow/weirflow/services/transform/internal/plan"
	"github.com/weirflow/weirflow/services/transform/internal/sql/diag"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

// columns collects expressions into a projection, each once.
type columns struct {
	exprs  []plan.Expr
	fields []types.Field
	// own is the number of columns at the start that later expressions do not share.
	own int
}

// add returns the column that computes e.
func (c *columns) add(e plan.Expr) int {
	for i, o := range c.exprs {
		if i >= c.own && plan.Same(o, e) {
			return i
		}
	}
	c.exprs = append(c.exprs, e)
	c.fields = append(c.fields, types.Field{Name: columnName(e, len(c.fields)), Type: e.Type()})
	return len(c.exprs) - 1
}

func columnName(e plan.Expr, i int) string {
	switch e := e.(type) {
	case *plan.InputRef:
		return e.Name
	case *plan.FieldAccess:
		return e.Name
	}
	return defaultName(i)
}

// sortKeys turns expressions to sort by into columns.
func (c *columns) sortKeys(items []sortExpr) []plan.SortKey {
	out := make([]plan.SortKey, len(items))
	for i, s := range items {
		out[i] = plan.SortKey{Column: c.add(s.expr), Descending: s.descending, NullsFirst: s.nullsFirst}
	}
	return out
}

// call makes the arguments of an aggregate columns.
func (c *columns) call(p *pendingAgg) plan.AggCall {
	out := plan.AggCall{Function: p.fn, Distinct: p.distinct, Filter: -1, Type: p.Typ, At: p.At, NullOnNull: !p.absent}
	for _, a := range p.args {
		if _, ok := a.(*plan.Literal); ok {
			out.Args = append(out.Args, a)
			continue
		}
		col := c.add(a)
		out.Args = append(out.Args, ref(c.fields, col, a.Pos()))
	}
	if p.filter != nil {
		out.Filter = c.add(p.filter)
	}
	out.OrderBy = c.sortKeys(p.orderBy)
	return out
}

// keyColumns is how many columns come before the calls in the output.
func (g *grouping) keyColumns() int {
	if g.sets != nil {
		return len(g.keys) + 1
	}
	return len(g.keys)
}

// plan builds the operators and rewrites the items over their output.
func (g *grouping) plan() error {
	pre := &columns{}
	for _, k := range g.keys {
		pre.add(k)
	}
	if g.sets != nil {
		// Grouping sets make keys NULL, while the arguments of aggregates keep their values.
		pre.own = len(g.keys)
	}
	calls := make([]plan.AggCall, len(g.calls))
	for i, p := range g.calls {
		calls[i] = pre.call(p)
		calls[i].Name = defaultName(i)
	}
	var err error
	if g.window != nil {
		err = g.planWindow(pre, calls)
	} else {
		g.planGroup(pre, calls)
	}
	if err != nil {
		return err
	}
	return g.rewriteAll()
}

func (g *grouping) rewriteAll() error {
	fields := g.node.Out().Fields
	var err error
	for i := range g.items {
		if g.items[i].expr, err = g.rewrite(g.items[i].expr, fields); err != nil {
			return err
		}
	}
	for i := range g.sorts {
		if g.sorts[i].expr == nil {
			continue
		}
		if g.sorts[i].expr, err = g.rewrite(g.sorts[i].expr, fields); err != nil {
			return err
		}
	}
	if g.having != nil {
		g.having, err = g.rewrite(g.having, fields)
	}
	return err
}

// preProject puts the projection under the aggregate, unless it changes nothing.
func (g *grouping) preProject(pre *columns) plan.Node {
	in := g.node.Out()
	if identity(pre.exprs, in.Fields, pre.fields) {
		return g.node
	}
	return project(g.node, pre.exprs, pre.fields, g.ast.Pos())
}

func (g *grouping) planGroup(pre *columns, calls []plan.AggCall) {
	input := g.preProject(pre)
	in := input.Out()
	n := &plan.Aggregate{Input: input, Calls: calls, TTL: g.stateTTL(namesOf(g.ast.From)...)}
	for i := range g.keys {
		n.Keys = append(n.Keys, i)
	}
	if g.sets != nil {
		n.Input = g.expand(input)
		n.Keys = append(n.Keys, len(in.Fields))
	}
	w := windowOf(n.Input)
	hasWindow := w != nil && indexOfInt(n.Keys, w.start) >= 0 && indexOfInt(n.Keys, w.end) >= 0
	inFields := n.Input.Out().Fields
	for _, k := range n.Keys {
		f := inFields[k]
		if !hasWindow || k != w.time {
			f.Type = f.Type.Plain()
		}
		n.Fields = append(n.Fields, f)
	}
	for _, c := range calls {
		n.Fields = append(n.Fields, types.Field{Name: c.Name, Type: c.Type})
	}
	n.At, n.Bounded = g.ast.Pos(), in.Bounded
	n.UniqueKey = make([]int, len(n.Keys))
	for i := range n.UniqueKey {
		n.UniqueKey[i] = i
	}
	if !hasWindow && (len(calls) > 0 || in.Mode != plan.InsertOnly) {
		n.Mode = plan.Retract
	}
	g.node = n
}

// expand puts out each row once for each grouping set, with the keys that are not
// in the set as NULL and the set's number as last column.
func (g *grouping) expand(input plan.Node) plan.Node {
	in := input.Out()
	e := &plan.Expand{Input: input}
	e.Fields = append(append([]types.Field{}, in.Fields...), types.Field{Name: "$e", Type: types.Of(types.BigInt).NotNull()})
	optional := map[int]bool{}
	for _, set := range g.sets {
		for i := range g.keys {
			if indexOfInt(set, i) < 0 {
				optional[i] = true
			}
		}
	}
	for i := range g.keys {
		if optional[i] {
			e.Fields[i].Type = e.Fields[i].Type.OrNull()
		}
	}
	for number, set := range g.sets {
		row := make([]plan.Expr, len(in.Fields), len(in.Fields)+1)
		for i := range in.Fields {
			if i < len(g.keys) && indexOfInt(set, i) < 0 {
				row[i] = &plan.Literal{Meta: meta(e.Fields[i].Type, in.At)}
				continue
			}
			row[i] = ref(in.Fields, i, in.At)
		}
		e.Projects = append(e.Projects, append(row, &plan.Literal{Meta: meta(types.Of(types.BigInt).NotNull(), in.At), Value: int64(number)}))
	}
	e.Mode, e.Bounded, e.At = in.Mode, in.Bounded, in.At
	return e
}

// groupingID computes GROUPING, GROUPING_ID and GROUP_ID from the set's number.
func (g *grouping) groupingID(p *pendingGrouping, fields []types.Field) (plan.Expr, error) {
	args := p.args
	if p.fn == "GROUP_ID" {
		args = nil
	}
	cols := make([]int, len(args))
	for i, a := range args {
		cols[i] = -1
		for k, key := range g.keys {
			if plan.Same(key, a) {
				cols[i] = k
			}
		}
		if cols[i] < 0 {
			return nil, diag.At(a.Pos(), "the argument of %s must be in GROUP BY", p.fn)
		}
	}
	number := func(n int64) plan.Expr { return &plan.Literal{Meta: p.Meta, Value: n} }
	if g.sets == nil {
		return number(0), nil
	}
	out := &plan.Case{Meta: p.Meta, Else: number(0)}
	for i, set := range g.sets {
		bits := int64(0)
		for _, c := range cols {
			bits <<= 1
			if indexOfInt(set, c) < 0 {
				bits |= 1
			}
		}
		cond := call(plan.FnEqual, boolType(false), p.At, ref(fields, len(g.keys), p.At), number(int64(i)))
		out.Whens = append(out.Whens, plan.When{Cond: cond, Then: number(bits)})
	}
	return out, nil
}

// planWindow plans GROUP BY TUMBLE(…), HOP(…) or SESSION(…).
func (g *grouping) planWindow(pre *columns, calls []plan.AggCall) error {
	if g.sets != nil {
		return diag.At(g.window.At, "%s cannot be combined with grouping sets", g.window.name).
			WithHint("use the window table function: FROM TABLE(%s(TABLE t, …))", g.window.name)
	}
	if g.node.Out().Mode != plan.InsertOnly {
		return diag.At(g.window.At, "%s needs an input that is never updated", g.window.name)
	}
	n := &plan.WindowAggregate{Calls: calls, Window: g.window.window, Legacy: true}
	n.Window.TimeColumn = pre.add(g.window.time)
	n.Input = g.preProject(pre)
	for i := range g.keys {
		n.Keys = append(n.Keys, i)
		f := n.Input.Out().Fields[i]
		f.Type = f.Type.Plain()
		n.Fields = append(n.Fields, f)
	}
	for _, c := range calls {
		n.Fields = append(n.Fields, types.Field{Name: c.Name, Type: c.Type})
	}
	for _, p := range g.props {
		n.Properties = append(n.Properties, p.property)
		n.Fields = append(n.Fields, types.Field{Name: p.name, Type: p.Typ})
	}
	n.At, n.Bounded = g.window.At, g.node.Out().Bounded
	g.node = n
	return nil
}
