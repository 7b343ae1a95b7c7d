package analyze

import (
	"strconv"

	"github.com/weirflow/weirflow/services/transform/internal/plan"
	"github.com/weirflow/weirflow/services/transform/internal/sql/ast"
	"github.com/weirflow/weirflow/services/transform/internal/sql/diag"
	"github.com/weirflow/weirflow/services/transform/internal/sql/function"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

// defaultName is the name of a column that has none.
func defaultName(i int) string { return "EXPR$" + strconv.Itoa(i) }

// query plans a query. Names that it does not know itself are looked up in outer.
func (a *Analyzer) query(q *ast.Query, outer *scope) (plan.Node, error) {
	a.depth++
	defer func() { a.depth-- }()
	if a.depth > maxDepth {
		return nil, diag.At(q.Pos(), "queries and views are nested more than %d levels deep", maxDepth)
	}
	if len(q.With) > 0 {
		outer = withScope(q, outer)
	}
	if s, ok := q.Body.(*ast.Select); ok {
		return a.selectQuery(s, q, outer)
	}
	node, err := a.body(q.Body, outer)
	if err != nil {
		return nil, err
	}
	if len(q.OrderBy) == 0 && q.Limit == nil && q.Offset == nil {
		return node, nil
	}
	return a.orderPlain(node, q, outer)
}

// withScope is a scope that knows the queries of WITH; each sees those before it.
func withScope(q *ast.Query, outer *scope) *scope {
	for _, c := range q.With {
		s := newScope(outer)
		s.ctes = map[string]*cte{c.Name.Text: {query: c.Query, columns: c.Columns, scope: outer}}
		outer = s
	}
	return outer
}

func (a *Analyzer) body(b ast.Body, outer *scope) (plan.Node, error) {
	switch b := b.(type) {
	case *ast.Select:
		return a.selectQuery(b, &ast.Query{At: b.At, Body: b}, outer)
	case *ast.Paren:
		return a.query(b.Query, outer)
	case *ast.Values:
		return a.values(b, outer)
	case *ast.SetOp:
		return a.setOp(b, outer)
	case *ast.TableBody:
		node, _, err := a.table(&ast.Table{At: b.At, Path: b.Table}, outer)
		return node, err
	}
	return nil, diag.At(b.Pos(), "this query is not supported")
}

// values plans VALUES (…), (…).
func (a *Analyzer) values(v *ast.Values, outer *scope) (plan.Node, error) {
	x := &exprs{Analyzer: a, scope: newScope(outer), clause: "VALUES"}
	rows := make([][]plan.Expr, len(v.Rows))
	for i, r := range v.Rows {
		row, err := x.list(r.Items)
		if err != nil {
			return nil, err
		}
		if len(row) != len(v.Rows[0].Items) {
			return nil, diag.At(r.Pos(), "VALUES has rows of different lengths: %d and %d", len(v.Rows[0].Items), len(row))
		}
		rows[i] = row
	}
	n := &plan.Values{Rows: rows}
	n.At, n.Bounded = v.Pos(), true
	column := make([]plan.Expr, len(rows))
	for c := range rows[0] {
		for i := range rows {
			column[i] = rows[i][c]
		}
		t, err := unify(column, "the values of column "+strconv.Itoa(c+1), column[0].Pos())
		if err != nil {
			return nil, err
		}
		for i := range rows {
			rows[i][c] = column[i]
		}
		n.Fields = append(n.Fields, types.Field{Name: defaultName(c), Type: t.Plain()})
	}
	return n, nil
}

// setOp plans UNION, INTERSECT and EXCEPT.
func (a *Analyzer) setOp(s *ast.SetOp, outer *scope) (plan.Node, error) {
	operands := []*ast.Query{s.R}
	l := s.L
	for { // UNION ALL of many is one node
		inner, ok := l.Body.(*ast.SetOp)
		if !ok || s.Op != "UNION" || inner.Op != "UNION" || inner.All != s.All || plainQuery(l) {
			break
		}
		operands, l = append(operands, inner.R), inner.L
	}
	operands = append(operands, l)
	nodes := make([]plan.Node, len(operands))
	for i, q := range operands {
		n, err := a.query(q, outer)
		if err != nil {
			return nil, err
		}
		nodes[len(operands)-1-i] = n
	}
	fields, err := a.unifyBranches(s, nodes)
	if err != nil {
		return nil, err
	}
	if s.Op != "UNION" {
		n := &plan.SetOp{Left: nodes[0], Right: nodes[1], Except: s.Op == "EXCEPT", All: s.All}
		n.Fields, n.At, n.Mode, n.Bounded = fields, s.Pos(), plan.Retract, allBounded(nodes)
		return n, nil
	}
	n := &plan.Union{Branches: nodes}
	n.Fields, n.At, n.Mode, n.Bounded = fields, s.Pos(), worstMode(nodes), allBounded(nodes)
	if s.All {
		return n, nil
	}
	return distinct(n), nil
}

// plainQuery reports whether a query has clauses of its own around its body.
func plainQuery(q *ast.Query) bool {
	return len(q.With) > 0 || len(q.OrderBy) > 0 || q.Limit != nil || q.Offset != nil
}

func allBounded(nodes []plan.Node) bool {
	for _, n := range nodes {
		if !n.Out().Bounded {
			return false
		}
	}
	return true
}

func worstMode(nodes []plan.Node) plan.Changelog {
	m := plan.InsertOnly
	for _, n := range nodes {
		m = max(m, n.Out().Mode)
	}
	return m
}

// unifyBranches gives all branches the same column types, casting where needed.
func (a *Analyzer) unifyBranches(s *ast.SetOp, nodes []plan.Node) ([]types.Field, error) {
	name := s.Op
	if s.All {
		name += " ALL"
	}
	fields := make([]types.Field, len(nodes[0].Out().Fields))
	copy(fields, nodes[0].Out().Fields)
	for _, n := range nodes[1:] {
		other := n.Out().Fields
		if len(other) != len(fields) {
			return nil, diag.At(s.Pos(), "column count mismatch in %s: %d and %d", name, len(fields), len(other))
		}
		for i := range fields {
			t, ok := types.Common(fields[i].Type, other[i].Type)
			if !ok {
				return nil, diag.At(s.Pos(), "column %d (%s) of %s has the types %s and %s, which do not fit together", i+1, fields[i].Name, name,
					fields[i].Type.OrNull(), other[i].Type.OrNull())
			}
			fields[i].Type = t
		}
	}
	for i, n := range nodes {
		nodes[i] = castTo(n, fields)
	}
	return fields, nil
}

// castTo returns n with columns of the types given.
func castTo(n plan.Node, fields []types.Field) plan.Node {
	in := n.Out()
	es := make([]plan.Expr, len(fields))
	changed := false
	out := make([]types.Field, len(fields))
	for i, f := range fields {
		es[i] = function.Coerce(ref(in.Fields, i, in.At), f.Type)
		changed = changed || !in.Fields[i].Type.Plain().Same(f.Type.Plain())
		out[i] = types.Field{Name: in.Fields[i].Name, Type: es[i].Type()}
	}
	if !changed {
		return n
	}
	return project(n, es, out, in.At)
}

// project puts a projection over a node.
func project(in plan.Node, es []plan.Expr, fields []types.Field, at plan.Pos) *plan.Project {
	p := &plan.Project{Input: in, Exprs: es}
	i := in.Out()
	p.Fields, p.At, p.Mode, p.Bounded = fields, at, i.Mode, i.Bounded
	p.UniqueKey = projectKey(i.UniqueKey, es)
	return p
}

// projectKey finds the columns of a key among projected expressions.
func projectKey(key []int, es []plan.Expr) []int {
	if key == nil {
		return nil
	}
	out := make([]int, 0, len(key))
	for _, k := range key {
		found := -1
		for i, e := range es {
			if r, ok := e.(*plan.InputRef); ok && r.Index == k {
				found = i
				break
			}
		}
		if found < 0 {
			return nil
		}
		out = append(out, found)
	}
	return out
}

// distinct groups by all columns.
func distinct(in plan.Node) plan.Node {
	i := in.Out()
	n := &plan.Aggregate{Input: in}
	for c, f := range i.Fields {
		n.Keys = append(n.Keys, c)
		f.Type = f.Type.Plain()
		n.Fields = append(n.Fields, f)
	}
	n.At, n.Bounded, n.UniqueKey = i.At, i.Bounded, n.Keys
	if i.Mode != plan.InsertOnly {
		n.Mode = plan.Retract
	}
	return n
}

// filter puts conditions over a node; none leave it as it is.
func filter(in plan.Node, conds ...plan.Expr) plan.Node {
	kept := make([]plan.Expr, 0, len(conds))
	for _, c := range conds {
		if l, ok := c.(*plan.Literal); !ok || l.Value != true {
			kept = append(kept, c)
		}
	}
	cond := plan.And(kept...)
	if cond == nil {
		return in
	}
	f := &plan.Filter{Input: in, Cond: cond}
	f.Output = *in.Out()
	f.At = cond.Pos()
	return f
}

// orderPlain sorts the output of VALUES or a set operation, whose columns are
// all that ORDER BY can name.
func (a *Analyzer) orderPlain(n plan.Node, q *ast.Query, outer *scope) (plan.Node, error) {
	s := newScope(outer)
	s.add(relation{fields: n.Out().Fields})
	x := &exprs{Analyzer: a, scope: s, clause: "ORDER BY"}
	var keys []plan.SortKey
	for _, o := range q.OrderBy {
		col, err := x.sortColumn(o, n.Out().Fields)
		if err != nil {
			return nil, err
		}
		keys = append(keys, plan.SortKey{Column: col, Descending: o.Descending, NullsFirst: nullsFirst(o)})
	}
	return x.sort(n, keys, q)
}

// sortColumn finds the output column that an ORDER BY item names.
func (x *exprs) sortColumn(o ast.OrderItem, fields []types.Field) (int, error) {
	if l, ok := o.Expr.(*ast.Literal); ok && l.Kind == ast.IntegerLiteral {
		n, err := strconv.Atoi(l.Text)
		if err != nil || n < 1 || n > len(fields) {
			return 0, diag.At(o.Pos(), "ORDER BY %s: there are %d columns", l.Text, len(fields))
		}
		return n - 1, nil
	}
	e, err := x.expr(o.Expr)
	if err != nil {
		return 0, err
	}
	r, ok := e.(*plan.InputRef)
	if !ok {
		return 0, diag.At(o.Pos(), "ORDER BY can only name output columns here")
	}
	return r.Index, nil
}

// sort puts ORDER BY and LIMIT over a node.
func (x *exprs) sort(in plan.Node, keys []plan.SortKey, q *ast.Query) (plan.Node, error) {
	n := &plan.Sort{Input: in, Keys: keys, Limit: -1}
	n.Output = *in.Out()
	n.At = q.Pos()
	var err error
	if q.Limit != nil {
		if n.Limit, err = x.constantInt(q.Limit, "LIMIT"); err != nil {
			return nil, err
		}
	}
	if q.Offset != nil {
		if n.Offset, err = x.constantInt(q.Offset, "OFFSET"); err != nil {
			return nil, err
		}
	}
	if len(keys) == 0 && n.Limit < 0 && n.Offset == 0 {
		return in, nil
	}
	timeOrdered := len(keys) > 0 && in.Out().Fields[keys[0].Column].Type.Attribute != types.NoAttribute && !keys[0].Descending
	if n.Limit < 0 && len(keys) > 0 && !timeOrdered && !in.Out().Bounded {
		return nil, diag.At(q.OrderBy[0].Pos(), "ORDER BY without LIMIT over an unbounded input must start with a time attribute in ascending order").
			WithHint("add LIMIT, or order by the watermarked column first")
	}
	if n.Limit >= 0 && len(keys) > 0 || in.Out().Mode != plan.InsertOnly {
		n.Mode = plan.Retract
	}
	return n, nil
}
