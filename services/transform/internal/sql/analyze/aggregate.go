package analyze

import (
	"github.com/weirflow/weirflow/services/transform/internal/plan"
	"github.com/weirflow/weirflow/services/transform/internal/sql/ast"
	"github.com/weirflow/weirflow/services/transform/internal/sql/diag"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

// grouping is the GROUP BY of a SELECT while it is planned.
type grouping struct {
	*selection
	keys   []plan.Expr    // distinct key expressions, over FROM
	sets   [][]int        // grouping sets: indexes of keys; nil without
	window *pendingWindow // TUMBLE(…) among the keys
	calls  []*pendingAgg
	props  []*pendingWindow
	ids    []*pendingGrouping
}

// aggregates plans GROUP BY, aggregate functions and HAVING, and makes the items
// refer to their output.
func (s *selection) aggregates() error {
	g := &grouping{selection: s}
	if err := g.groupBy(); err != nil {
		return err
	}
	if s.ast.Having != nil {
		x := s.exprs("HAVING")
		x.aggs = true
		var err error
		if s.having, err = x.condition(s.ast.Having); err != nil {
			return err
		}
	}
	g.collect()
	if len(g.calls) == 0 && !s.ast.GroupAll && s.having == nil && len(g.ids) == 0 {
		if len(g.props) > 0 {
			return diag.At(g.props[0].At, "%s needs GROUP BY with its window", g.props[0].name)
		}
		return nil
	}
	if err := g.subqueries(); err != nil {
		return err
	}
	if err := g.plan(); err != nil {
		return err
	}
	if s.having == nil {
		return nil
	}
	var err error
	s.node, err = s.applyCondition(s.node, s.having)
	return err
}

// subqueries joins those in the arguments of aggregates below the grouping.
func (g *grouping) subqueries() error {
	var err error
	for _, c := range g.calls {
		for i, a := range c.args {
			if g.node, c.args[i], err = joinScalars(g.node, a); err != nil {
				return err
			}
		}
		if c.filter == nil {
			continue
		}
		if g.node, c.filter, err = joinScalars(g.node, c.filter); err != nil {
			return err
		}
	}
	return nil
}

// groupBy analyzes the keys and expands GROUPING SETS, ROLLUP and CUBE.
func (g *grouping) groupBy() error {
	x := g.exprs("GROUP BY")
	sets := [][]int{{}}
	special := false
	for _, item := range g.ast.GroupBy {
		alternatives, err := g.alternatives(x, item)
		if err != nil {
			return g.groupError(item, err)
		}
		special = special || item.Kind != ""
		var product [][]int
		for _, l := range sets {
			for _, r := range alternatives {
				product = append(product, union(l, r))
			}
		}
		if sets = product; len(sets) > 512 {
			return diag.At(item.Pos(), "GROUP BY has more than 512 grouping sets")
		}
	}
	if special && (len(sets) != 1 || len(sets[0]) != len(g.keys)) {
		g.sets = sets
	}
	return nil
}

// groupError adds a hint when a key is an alias of the SELECT list.
func (g *grouping) groupError(it ast.GroupItem, err error) error {
	id, ok := it.Expr.(*ast.Ident)
	if e, isDiag := err.(*diag.Error); ok && isDiag && len(id.Path) == 1 && findName(g.items, id.Path[0].Text) >= 0 { //nolint:errorlint // made in this package, never wrapped
		return e.WithHint("an alias of SELECT cannot be used in GROUP BY; repeat its expression")
	}
	return err
}

// alternatives returns the sets of keys that an item stands for.
func (g *grouping) alternatives(x *exprs, it ast.GroupItem) ([][]int, error) {
	switch it.Kind {
	case "":
		set, err := g.keySet(x, it)
		return [][]int{set}, err
	case "()":
		return [][]int{{}}, nil
	case "GROUPING SETS":
		var out [][]int
		for _, sub := range it.Sets {
			alt, err := g.alternatives(x, sub)
			if err != nil {
				return nil, err
			}
			out = append(out, alt...)
		}
		return out, nil
	}
	parts := make([][]int, len(it.Sets))
	for i, sub := range it.Sets {
		set, err := g.keySet(x, sub)
		if err != nil {
			return nil, err
		}
		parts[i] = set
	}
	if it.Kind == "ROLLUP" {
		return rollup(parts), nil
	}
	if len(parts) > 9 {
		return nil, diag.At(it.Pos(), "CUBE takes at most 9 columns, found %d", len(parts))
	}
	return cube(parts), nil
}

func rollup(parts [][]int) [][]int {
	var out [][]int
	for n := len(parts); n >= 0; n-- {
		var set []int
		for _, p := range parts[:n] {
			set = union(set, p)
		}
		out = append(out, set)
	}
	return out
}

func cube(parts [][]int) [][]int {
	var out [][]int
	for mask := 1<<len(parts) - 1; mask >= 0; mask-- {
		var set []int
		for i, p := range parts {
			if mask&(1<<(len(parts)-1-i)) != 0 {
				set = union(set, p)
			}
		}
		out = append(out, set)
	}
	return out
}

func union(a, b []int) []int {
	out := append([]int{}, a...)
	for _, i := range b {
		if indexOfInt(out, i) < 0 {
			out = append(out, i)
		}
	}
	return out
}

func indexOfInt(list []int, n int) int {
	for i, x := range list {
		if x == n {
			return i
		}
	}
	return -1
}

func (g *grouping) keySet(x *exprs, it ast.GroupItem) ([]int, error) {
	list := it.Exprs
	if it.Expr != nil {
		list = []ast.Expr{it.Expr}
	}
	if it.Kind != "" && it.Kind != "()" {
		return nil, diag.At(it.Pos(), "%s cannot be nested in ROLLUP or CUBE", it.Kind)
	}
	var set []int
	for _, e := range list {
		p, err := x.expr(e)
		if err != nil {
			return nil, err
		}
		if w, ok := p.(*pendingWindow); ok {
			if !w.isKey {
				return nil, diag.At(w.At, "%s cannot be in GROUP BY; group by the window itself", w.name)
			}
			if g.window != nil {
				return nil, diag.At(w.At, "GROUP BY can hold only one window")
			}
			g.window = w
			continue
		}
		if p.Type().Kind.IsCollection() && p.Type().Kind != types.Array {
			return nil, diag.At(p.Pos(), "cannot group by %s", p.Type().OrNull())
		}
		set = union(set, []int{g.key(p)})
	}
	return set, nil
}

func (g *grouping) key(p plan.Expr) int {
	for i, k := range g.keys {
		if plan.Same(k, p) {
			return i
		}
	}
	g.keys = append(g.keys, p)
	return len(g.keys) - 1
}

// collect finds the aggregate calls and window properties in all clauses.
func (g *grouping) collect() {
	for _, it := range g.items {
		g.collectIn(it.expr)
	}
	for _, so := range g.sorts {
		if so.expr != nil {
			g.collectIn(so.expr)
		}
	}
	if g.having != nil {
		g.collectIn(g.having)
	}
}

func (g *grouping) collectIn(e plan.Expr) {
	plan.Walk(e, func(e plan.Expr) bool {
		switch e := e.(type) {
		case *pendingAgg:
			if g.callIndex(e) < 0 {
				g.calls = append(g.calls, e)
			}
		case *pendingWindow:
			if g.propIndex(e) < 0 {
				g.props = append(g.props, e)
			}
		case *pendingGrouping:
			g.ids = append(g.ids, e)
		case *pendingOver:
			for _, inner := range e.exprs() {
				g.collectIn(inner)
			}
		}
		return true
	})
}

func (g *grouping) callIndex(p *pendingAgg) int {
	for i, c := range g.calls {
		if c.same(p) {
			return i
		}
	}
	return -1
}

func (g *grouping) propIndex(p *pendingWindow) int {
	for i, o := range g.props {
		if o.property == p.property {
			return i
		}
	}
	return -1
}

// exprs returns all expressions inside a call with OVER.
func (p *pendingOver) exprs() []plan.Expr {
	out := append([]plan.Expr{}, p.args...)
	if p.filter != nil {
		out = append(out, p.filter)
	}
	out = append(out, p.partition...)
	for _, s := range p.order {
		out = append(out, s.expr)
	}
	return out
}

// rewrite makes an expression over FROM one over the output of the aggregate.
func (g *grouping) rewrite(e plan.Expr, fields []types.Field) (plan.Expr, error) {
	return plan.Rewrite(e, func(e plan.Expr) (plan.Expr, error) {
		for i, k := range g.keys {
			if plan.Same(k, e) {
				return ref(fields, i, e.Pos()), nil
			}
		}
		switch e := e.(type) {
		case *pendingAgg:
			return ref(fields, g.keyColumns()+g.callIndex(e), e.At), nil
		case *pendingWindow:
			return g.windowProperty(e, fields)
		case *pendingGrouping:
			return g.groupingID(e, fields)
		case *pendingOver:
			return g.rewriteOver(e, fields)
		case *plan.Subquery:
			if r := correlation(e.Plan); r != nil {
				return nil, unsupportedCorrelation(r)
			}
		case *plan.InputRef:
			return nil, diag.At(e.At, "expression '%s' is not being grouped", e.Name).
				WithHint("add it to GROUP BY, or put it into an aggregate function such as MAX(%s)", e.Name)
		}
		return nil, nil //nolint:nilnil // nil leaves the expression as it is
	})
}

func (g *grouping) windowProperty(e *pendingWindow, fields []types.Field) (plan.Expr, error) {
	if g.window == nil || e.isKey {
		return nil, diag.At(e.At, "%s needs GROUP BY with its window", e.name)
	}
	w, o := g.window.window, e.window
	if w.Kind != o.Kind || w.Size != o.Size || w.Slide != o.Slide || w.Gap != o.Gap || w.Offset != o.Offset || !plan.Same(g.window.time, e.time) {
		return nil, diag.At(e.At, "%s does not match the window of GROUP BY", e.name)
	}
	return ref(fields, g.keyColumns()+len(g.calls)+g.propIndex(e), e.At), nil
}

func (g *grouping) rewriteOver(p *pendingOver, fields []types.Field) (plan.Expr, error) {
	c := *p
	all := p.exprs()
	for i, e := range all {
		r, err := g.rewrite(e, fields)
		if err != nil {
			return nil, err
		}
		all[i] = r
	}
	c.setExprs(all)
	return &c, nil
}

// setExprs undoes exprs with other expressions.
func (p *pendingOver) setExprs(all []plan.Expr) {
	n := len(p.args)
	p.args, all = all[:n:n], all[n:]
	if p.filter != nil {
		p.filter, all = all[0], all[1:]
	}
	n = len(p.partition)
	p.partition, all = all[:n:n], all[n:]
	order := make([]sortExpr, len(p.order))
	for i := range order {
		order[i] = p.order[i]
		order[i].expr = all[i]
	}
	p.order = order
}
