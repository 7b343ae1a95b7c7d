package analyze

import (
	"github.com/weirflow/weirflow/services/transform/internal/plan"
	"github.com/weirflow/weirflow/services/transform/internal/sql/ast"
	"github.com/weirflow/weirflow/services/transform/internal/sql/diag"
	"github.com/weirflow/weirflow/services/transform/internal/sql/function"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

// subquery analyzes EXISTS, IN (query), a quantified comparison or a scalar query.
func (x *exprs) subquery(e ast.Expr) (plan.Expr, error) {
	switch e := e.(type) {
	case *ast.Exists:
		n, err := x.query(e.Query, x.scope)
		if err != nil {
			return nil, err
		}
		if globalAggregate(n) { // it always has a row
			return &plan.Literal{Meta: meta(boolType(false), e.Pos()), Value: true}, nil
		}
		return &plan.Subquery{Meta: meta(boolType(false), e.Pos()), Kind: plan.ExistsSubquery, Plan: n}, nil
	case *ast.Subquery:
		n, err := x.query(e.Query, x.scope)
		if err != nil {
			return nil, err
		}
		fields := n.Out().Fields
		if len(fields) != 1 {
			return nil, diag.At(e.Pos(), "a query as a value must have one column, found %d", len(fields))
		}
		return &plan.Subquery{Meta: meta(fields[0].Type.Plain().OrNull(), e.Pos()), Kind: plan.ScalarSubquery, Plan: n}, nil
	case *ast.In:
		return x.inQuery(e.X, e.Query, "", e.Not, e.Pos())
	case *ast.Quantified:
		if e.Query == nil {
			return x.quantifiedList(e)
		}
		op := e.Op
		if e.All { // x > ALL (…) is NOT x <= ANY (…)
			op = opposite[e.Op]
		}
		if op == plan.FnEqual {
			op = ""
		}
		return x.inQuery(e.X, e.Query, op, e.All, e.Pos())
	}
	return nil, diag.At(e.Pos(), "this subquery is not supported")
}

// opposite is the comparison that is TRUE where another is FALSE.
var opposite = map[string]string{
	plan.FnEqual: plan.FnNotEqual, plan.FnNotEqual: plan.FnEqual, plan.FnLess: plan.FnGreaterEq,
	plan.FnGreaterEq: plan.FnLess, plan.FnGreater: plan.FnLessEq, plan.FnLessEq: plan.FnGreater,
}

// quantifiedList is x op ANY (a, b): a chain of comparisons.
func (x *exprs) quantifiedList(e *ast.Quantified) (plan.Expr, error) {
	l, err := x.expr(e.X)
	if err != nil {
		return nil, err
	}
	var parts []plan.Expr
	nullable := false
	for _, it := range e.List {
		r, err := x.expr(it)
		if err != nil {
			return nil, err
		}
		c, err := compare(e.Op, l, r, it.Pos())
		if err != nil {
			return nil, err
		}
		nullable = nullable || c.Type().Nullable
		parts = append(parts, c)
	}
	if len(parts) == 1 {
		return parts[0], nil
	}
	fn := plan.FnOr
	if e.All {
		fn = plan.FnAnd
	}
	return call(fn, boolType(nullable), e.Pos(), parts...), nil
}

func (x *exprs) inQuery(left ast.Expr, q *ast.Query, op string, not bool, at plan.Pos) (plan.Expr, error) {
	items := []ast.Expr{left}
	if r, ok := left.(*ast.Row); ok {
		items = r.Items
	}
	l, err := x.list(items)
	if err != nil {
		return nil, err
	}
	n, err := x.query(q, x.scope)
	if err != nil {
		return nil, err
	}
	fields := n.Out().Fields
	if len(fields) != len(l) {
		return nil, diag.At(at, "IN compares %d columns with a query of %d", len(l), len(fields))
	}
	want := make([]types.Field, len(fields))
	nullable := false
	for i, f := range fields {
		t, ok := function.ComparisonType(l[i].Type(), f.Type)
		if !ok {
			return nil, diag.At(l[i].Pos(), "IN cannot compare %s with %s", l[i].Type().OrNull(), f.Type.OrNull())
		}
		l[i] = function.Coerce(l[i], t)
		want[i] = types.Field{Name: f.Name, Type: t}
		nullable = nullable || l[i].Type().Nullable || f.Type.Nullable
	}
	if len(l) == 1 && correlation(n) != nil && globalAggregate(n) { // it has one row
		one := castTo(n, want)
		value := &plan.Subquery{Meta: meta(want[0].Type.Plain().OrNull(), at), Kind: plan.ScalarSubquery, Plan: one}
		if op == "" {
			op = plan.FnEqual
		}
		c := call(op, boolType(true), at, l[0], value)
		if not {
			c = call(plan.FnNot, boolType(true), at, c)
		}
		return c, nil
	}
	return &plan.Subquery{Meta: meta(boolType(nullable), at), Kind: plan.InSubquery, Left: l, Op: op, Plan: castTo(n, want), Not: not}, nil
}

// applyCondition filters a node. EXISTS and IN among the conjuncts become semi
// and anti joins, scalar subqueries become joined columns.
func (a *Analyzer) applyCondition(node plan.Node, cond plan.Expr) (plan.Node, error) {
	var rest []plan.Expr
	var subs []*plan.Subquery
	for _, c := range plan.Conjuncts(cond) {
		if s := asJoinable(c); s != nil {
			subs = append(subs, s)
			continue
		}
		rest = append(rest, c)
	}
	width := len(node.Out().Fields)
	joined := node
	if j, ok := node.(*plan.Join); ok && j.Kind == plan.InnerJoin {
		var plain, other []plan.Expr
		for _, c := range rest {
			if hasSubquery(c) || outerRef(c) != nil {
				other = append(other, c)
			} else {
				plain = append(plain, c)
			}
		}
		var err error
		if joined, err = a.pushIntoJoin(j, plain); err != nil {
			return nil, err
		}
		rest = other
	}
	for i, c := range rest {
		var err error
		if joined, rest[i], err = joinScalars(joined, c); err != nil {
			return nil, err
		}
	}
	joined = filter(joined, rest...)
	if len(joined.Out().Fields) > width {
		joined = narrow(joined, width)
	}
	for _, s := range subs {
		var err error
		if joined, err = semiJoin(joined, s); err != nil {
			return nil, err
		}
	}
	return joined, nil
}

// narrow keeps the first columns of a node.
func narrow(n plan.Node, width int) plan.Node {
	in := n.Out()
	es := make([]plan.Expr, width)
	for i := range es {
		es[i] = ref(in.Fields, i, in.At)
	}
	return project(n, es, in.Fields[:width:width], in.At)
}

// asJoinable returns the subquery of a conjunct that is EXISTS, IN, or NOT of one.
func asJoinable(e plan.Expr) *plan.Subquery {
	switch e := e.(type) {
	case *plan.Subquery:
		if e.Kind != plan.ScalarSubquery && e.Op == "" {
			return e
		}
	case *plan.Call:
		if len(e.Args) == 0 {
			return nil
		}
		if s, ok := e.Args[0].(*plan.Subquery); ok && e.Function == plan.FnNot && s.Kind != plan.ScalarSubquery && s.Op == "" {
			c := *s
			c.Not = !s.Not
			return &c
		}
	}
	return nil
}

// semiJoin joins a node with an EXISTS or IN subquery.
func semiJoin(left plan.Node, s *plan.Subquery) (plan.Node, error) {
	right, conds, err := decorrelate(s.Plan, len(left.Out().Fields))
	if err != nil {
		return nil, err
	}
	width := len(left.Out().Fields)
	fields := right.Out().Fields
	for i, l := range s.Left {
		r := plan.Shift(ref(fields, i, l.Pos()), width)
		conds = append(conds, call(plan.FnEqual, boolType(l.Type().Nullable || fields[i].Type.Nullable), s.At, l, r))
	}
	n := &plan.Join{Left: left, Right: right, Kind: plan.SemiJoin}
	if s.Not {
		n.Kind = plan.AntiJoin
		n.NullAware = s.Kind == plan.InSubquery
	}
	n.Left, n.Right, n.On = splitOn(left, right, conds)
	n.Output = *left.Out()
	n.At, n.Mode = s.At, joinMode(n.Kind, left, right)
	n.Bounded = left.Out().Bounded && right.Out().Bounded
	if len(n.Left.Out().Fields) > width {
		n.Fields = n.Left.Out().Fields
		return narrow(n, width), nil
	}
	return n, nil
}

// joinScalars replaces the scalar subqueries in an expression by columns that are
// joined to the node.
func joinScalars(node plan.Node, e plan.Expr) (plan.Node, plan.Expr, error) {
	out, err := plan.Rewrite(e, func(e plan.Expr) (plan.Expr, error) {
		s, ok := e.(*plan.Subquery)
		if !ok {
			return nil, nil //nolint:nilnil // nil leaves the expression as it is
		}
		join := joinScalar
		if s.Kind != plan.ScalarSubquery {
			join = joinMark
		}
		n, col, err := join(node, s)
		if err != nil {
			return nil, err
		}
		node = n
		return col, nil
	})
	return node, out, err
}

// constant returns the value of a query without FROM, such as (SELECT 5).
func constant(n plan.Node) plan.Expr {
	p, ok := n.(*plan.Project)
	if !ok || len(p.Exprs) != 1 || outerRef(p.Exprs[0]) != nil {
		return nil
	}
	if v, ok := p.Input.(*plan.Values); ok && len(v.Rows) == 1 && len(v.Fields) == 0 {
		return p.Exprs[0]
	}
	return nil
}

func joinScalar(left plan.Node, s *plan.Subquery) (plan.Node, plan.Expr, error) {
	if e := constant(s.Plan); e != nil {
		return left, e, nil
	}
	width := len(left.Out().Fields)
	d, err := decorrelateScalar(left, s)
	if err != nil {
		return nil, nil, err
	}
	right := d.plan
	n := &plan.Join{Left: left, Right: right, Kind: plan.LeftJoin}
	n.Left, n.Right, n.On = splitOn(left, right, d.conds)
	extra := len(n.Left.Out().Fields) - width
	n.Fields = joinFields(n.Left, n.Right, plan.LeftJoin)
	n.At, n.Mode = s.At, joinMode(plan.LeftJoin, left, right)
	n.Bounded = left.Out().Bounded && right.Out().Bounded
	var value plan.Expr = &plan.InputRef{Meta: meta(s.Typ, s.At), Index: width + extra, Name: n.Fields[width+extra].Name}
	if d.empty != nil {
		// The value for no rows at all, such as 0 of COUNT, is not NULL.
		marker := ref(n.Fields, width+extra+1, s.At)
		value = &plan.Case{Meta: meta(s.Typ, s.At), Else: value, Whens: []plan.When{{
			Cond: call(plan.FnIsNull, boolType(false), s.At, marker), Then: d.empty,
		}}}
	}
	return appendColumn(n, width, value)
}

// appendColumn keeps the first columns of a node and puts a value behind them.
func appendColumn(n plan.Node, width int, value plan.Expr) (plan.Node, plan.Expr, error) {
	in := n.Out()
	if r, ok := value.(*plan.InputRef); ok && r.Index == width {
		return n, value, nil
	}
	es := make([]plan.Expr, 0, width+1)
	for i := range width {
		es = append(es, ref(in.Fields, i, in.At))
	}
	fields := append(append([]types.Field{}, in.Fields[:width]...), types.Field{Name: defaultName(width), Type: value.Type()})
	col := &plan.InputRef{Meta: meta(value.Type(), value.Pos()), Index: width, Name: defaultName(width)}
	return project(n, append(es, value), fields, in.At), col, nil
}

// joinMark makes EXISTS or IN that is part of an expression a column.
func joinMark(left plan.Node, s *plan.Subquery) (plan.Node, plan.Expr, error) {
	width := len(left.Out().Fields)
	found, isFound, err := mark(left, s, false)
	if err != nil {
		return nil, nil, err
	}
	value := isFound
	if s.Typ.Nullable {
		// Where no comparison is TRUE, one that is unknown makes all unknown.
		both, maybe, err := mark(found, s, true)
		if err != nil {
			return nil, nil, err
		}
		null := &plan.Literal{Meta: meta(boolType(true), s.At)}
		found, value = both, &plan.Case{Meta: meta(boolType(true), s.At), Else: isFound, Whens: []plan.When{{
			Cond: call(plan.FnAnd, boolType(false), s.At, call(plan.FnNot, boolType(false), s.At, isFound), maybe), Then: null,
		}}}
	}
	if s.Not {
		value = call(plan.FnNot, value.Type(), s.At, value)
	}
	return appendColumn(found, width, value)
}

// mark adds a column that tells whether a row has a match in the subquery, or,
// when maybe is set, one whose comparison is TRUE or unknown.
func mark(left plan.Node, s *plan.Subquery, maybe bool) (plan.Node, plan.Expr, error) {
	width := len(left.Out().Fields)
	right, conds, err := decorrelate(s.Plan, width)
	if err != nil {
		return nil, nil, err
	}
	op := s.Op
	if op == "" {
		op = plan.FnEqual
	}
	fields := right.Out().Fields
	compared := make([]plan.Expr, 0, len(s.Left))
	for i, l := range s.Left {
		r := plan.Shift(ref(fields, i, l.Pos()), width)
		compared = append(compared, call(op, boolType(l.Type().Nullable || fields[i].Type.Nullable), s.At, l, r))
	}
	if all := plan.And(compared...); maybe && all != nil {
		compared = []plan.Expr{call(plan.FnIsNotFalse, boolType(false), s.At, all)}
	}
	n := &plan.Join{Kind: plan.MarkJoin}
	n.Left, n.Right, n.On = splitOn(left, right, append(conds, compared...))
	n.Fields = append(append([]types.Field{}, n.Left.Out().Fields...), types.Field{Name: "$mark", Type: boolType(false)})
	n.At, n.Mode = s.At, joinMode(n.Kind, left, right)
	n.Bounded = left.Out().Bounded && right.Out().Bounded
	return appendColumn(n, width, ref(n.Fields, len(n.Fields)-1, s.At))
}

// scalarSubqueries joins the scalar subqueries of the SELECT list.
func (s *selection) scalarSubqueries() error {
	var err error
	for i := range s.items {
		if s.node, s.items[i].expr, err = joinScalars(s.node, s.items[i].expr); err != nil {
			return err
		}
	}
	for i := range s.sorts {
		if s.sorts[i].expr == nil {
			continue
		}
		if s.node, s.sorts[i].expr, err = joinScalars(s.node, s.sorts[i].expr); err != nil {
			return err
		}
	}
	return nil
}
