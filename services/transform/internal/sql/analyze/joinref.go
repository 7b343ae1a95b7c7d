package analyze

import (
	"strings"

	"github.com/weirflow/weirflow/services/transform/internal/plan"
	"github.com/weirflow/weirflow/services/transform/internal/sql/ast"
	"github.com/weirflow/weirflow/services/transform/internal/sql/diag"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

var joinKinds = map[string]plan.JoinKind{
	"INNER": plan.InnerJoin, "CROSS": plan.InnerJoin, "COMMA": plan.InnerJoin, "LEFT": plan.LeftJoin, "RIGHT": plan.RightJoin, "FULL": plan.FullJoin,
}

// join plans a join of FROM.
func (a *Analyzer) join(j *ast.Join, s, outer *scope) (plan.Node, error) {
	left, err := a.tableRef(j.L, s, outer)
	if err != nil {
		return nil, err
	}
	kind := joinKinds[j.Kind]
	switch r := j.R.(type) {
	case *ast.Unnest:
		if kind != plan.InnerJoin && kind != plan.LeftJoin {
			return nil, diag.At(j.Pos(), "UNNEST can only be joined with INNER, LEFT or CROSS JOIN")
		}
		return a.unnest(left, r, s, kind, j.On, outer)
	case *ast.TableFunc:
		if _, known := windowParams[strings.ToUpper(r.Call.Path.Last())]; !known {
			return a.lateralFunction(left, r, s, kind, j)
		}
	case *ast.Table:
		if r.AsOf != nil {
			return a.temporalJoin(left, r, s, kind, j, outer)
		}
	case *ast.Derived:
		if r.Lateral {
			return a.lateralQuery(left, r, s, kind, j)
		}
	}
	right, err := a.tableRef(j.R, s, outer)
	if err != nil {
		return nil, err
	}
	conds, err := a.joinConditions(j, s, len(left.Out().Fields))
	if err != nil {
		return nil, err
	}
	var subqueries []plan.Expr
	if kind == plan.InnerJoin {
		conds, subqueries = apart(conds)
	}
	node := windowJoin(left, right, kind, conds, j.Pos())
	if node == nil {
		node = intervalJoin(left, right, kind, conds, j.Pos())
	}
	if node == nil {
		node = joinOf(left, right, kind, conds, j.Pos())
		a.hintJoin(node, j)
	}
	s.setFields(node.Out().Fields)
	if len(subqueries) > 0 {
		if node, err = a.applyCondition(node, plan.And(subqueries...)); err != nil {
			return nil, err
		}
		s.setFields(node.Out().Fields)
	}
	return s.coalesced(node)
}

// apart splits conditions into those without and those with a subquery.
func apart(conds []plan.Expr) (plain, subqueries []plan.Expr) {
	for _, c := range conds {
		if hasSubquery(c) {
			subqueries = append(subqueries, c)
		} else {
			plain = append(plain, c)
		}
	}
	return plain, subqueries
}

// setFields takes over the types of a node's columns.
func (s *scope) setFields(fields []types.Field) {
	for i := range s.fields {
		s.fields[i].Type = fields[i].Type
	}
	for r := range s.rels {
		rel := &s.rels[r]
		rel.fields = s.fields[rel.offset : rel.offset+len(rel.fields)]
	}
}

// joinConditions binds ON, USING or NATURAL. The left side has width columns.
func (a *Analyzer) joinConditions(j *ast.Join, s *scope, width int) ([]plan.Expr, error) {
	if j.On != nil {
		x := &exprs{Analyzer: a, scope: s, clause: "ON"}
		c, err := x.condition(j.On)
		if err != nil {
			return nil, err
		}
		if l, ok := c.(*plan.Literal); ok && l.Value == true {
			return nil, nil
		}
		for _, part := range plan.Conjuncts(c) {
			if joinKinds[j.Kind] != plan.InnerJoin && hasSubquery(part) {
				return nil, diag.At(part.Pos(), "subqueries in ON of an outer join are not supported").WithHint("select from the subquery and join that")
			}
		}
		return plan.Conjuncts(c), nil
	}
	names := j.Using
	if j.Natural {
		for _, l := range s.fields[:width] {
			for _, r := range s.fields[width:] {
				if l.Name == r.Name {
					names = append(names, ast.Name{Text: l.Name, At: j.At})
				}
			}
		}
	}
	if len(names) == 0 && (j.Kind == "LEFT" || j.Kind == "RIGHT" || j.Kind == "FULL" || j.Kind == "INNER") && !j.Natural {
		return nil, diag.At(j.Pos(), "the %s JOIN lacks ON or USING", j.Kind).WithHint("write CROSS JOIN to combine all rows")
	}
	var conds []plan.Expr
	for _, n := range names {
		l, lc := find(s.fields[:width], n.Text, s.hidden, 0)
		r, rc := find(s.fields[width:], n.Text, s.hidden, width)
		if lc != 1 || rc != 1 {
			return nil, diag.At(n.Pos(), "column %q of USING must be once on both sides", n.Text)
		}
		c, err := compare(plan.FnEqual, ref(s.fields, l, n.Pos()), ref(s.fields, width+r, n.Pos()), n.Pos())
		if err != nil {
			return nil, err
		}
		conds = append(conds, c)
		s.merge(l, width+r, j.Kind)
	}
	return conds, nil
}

// merge makes two columns of USING one: a row has the value on the side that
// always has a match. Those of FULL JOIN are computed by coalesced.
func (s *scope) merge(l, r int, kind string) {
	keep := l
	switch kind {
	case "RIGHT":
		keep = r
		s.hide(l)
	case "FULL":
		s.hide(l)
		s.hide(r)
		s.full = append(s.full, [2]int{l, r})
		return
	default:
		s.hide(r)
	}
	if at := indexOfInt(s.common, l); at >= 0 {
		s.common[at] = keep
	} else {
		s.common = append(s.common, keep)
	}
}

// coalesced computes the columns of FULL JOIN … USING behind those of the join.
func (s *scope) coalesced(node plan.Node) (plan.Node, error) {
	pairs := s.full
	s.full = nil
	for _, p := range pairs {
		in := node.Out()
		args := []plan.Expr{ref(in.Fields, p[0], in.At), ref(in.Fields, p[1], in.At)}
		t, err := unify(args, "the columns of USING", in.At)
		if err != nil {
			return nil, err
		}
		c := allColumns(node)
		name := in.Fields[p[0]].Name
		c.exprs = append(c.exprs, call("COALESCE", t.OrNull().Plain(), in.At, args...))
		c.fields = append(c.fields, types.Field{Name: name, Type: t.OrNull().Plain()})
		at := len(s.fields)
		s.add(relation{fields: []types.Field{{Name: name, Type: t.OrNull().Plain()}}})
		if i := indexOfInt(s.common, p[0]); i >= 0 {
			s.common[i] = at
		} else {
			s.common = append(s.common, at)
		}
		node = project(node, c.exprs, c.fields, in.At)
	}
	return node, nil
}

func find(fields []types.Field, name string, hidden map[int]bool, base int) (index, count int) {
	for i, f := range fields {
		if f.Name == name && !hidden[base+i] {
			index = i
			count++
		}
	}
	return index, count
}

// lateralFunction joins with LATERAL TABLE(f(…)) of a user's function.
func (a *Analyzer) lateralFunction(left plan.Node, t *ast.TableFunc, s *scope, kind plan.JoinKind, j *ast.Join) (plan.Node, error) {
	x := &exprs{Analyzer: a, scope: s, clause: "LATERAL TABLE"}
	e, err := x.userFunction(t.Call)
	if err != nil {
		return nil, err
	}
	c, ok := e.(*plan.Call)
	if !ok || c.Typ.Kind != types.Row && (c.Typ.Kind != types.Array || c.Typ.Elem.Kind != types.Row) {
		return nil, diag.At(t.Call.Pos(), "%s is not a table function", t.Call.Path.String())
	}
	row := c.Typ
	if row.Kind == types.Array {
		row = *row.Elem
	}
	n := &plan.TableFunction{Input: left, Function: c, Left: kind == plan.LeftJoin}
	own := &plan.TableFunction{}
	own.Fields = row.Fields
	if _, err := a.addRelation(own, relation{}, t.Alias, s, t.At); err != nil {
		return nil, err
	}
	n.Output = *left.Out()
	n.At, n.UniqueKey = t.Pos(), nil
	n.Fields = append(append([]types.Field{}, left.Out().Fields...), own.Fields...)
	return n, a.joinCondition(&n.Cond, j.On, s)
}

// lateralQuery joins with LATERAL (query), which may name columns of the left.
func (a *Analyzer) lateralQuery(left plan.Node, d *ast.Derived, s *scope, kind plan.JoinKind, j *ast.Join) (plan.Node, error) {
	right, err := a.query(d.Query, s)
	if err != nil {
		return nil, err
	}
	width := len(left.Out().Fields)
	flat, conds, err := decorrelate(right, width)
	if err != nil && globalAggregate(right) {
		var d scalarPlan
		d, err = decorrelateScalar(left, &plan.Subquery{Plan: right})
		flat, conds = d.plan, d.conds
	}
	if err != nil {
		n := &plan.Correlate{Left: left, Right: right, Kind: kind}
		if _, err := a.addRelation(right, relation{}, d.Alias, s, d.At); err != nil {
			return nil, err
		}
		n.Fields = plainFields(joinFields(left, right, kind))
		n.At, n.Mode = d.Pos(), joinMode(kind, left, right)
		n.Bounded = left.Out().Bounded && right.Out().Bounded
		return n, a.joinCondition(&n.Cond, j.On, s)
	}
	if _, err := a.addRelation(right, relation{}, d.Alias, s, d.At); err != nil {
		return nil, err
	}
	var on plan.Expr
	if err := a.joinCondition(&on, j.On, s); err != nil {
		return nil, err
	}
	node := joinOf(left, flat, kind, append(conds, plan.Conjuncts(on)...), d.Pos())
	node = withoutExtra(node, width, width, len(right.Out().Fields))
	s.setFields(node.Out().Fields)
	return node, nil
}
