package analyze

import (
	"github.com/weirflow/weirflow/services/transform/internal/plan"
	"github.com/weirflow/weirflow/services/transform/internal/sql/ast"
	"github.com/weirflow/weirflow/services/transform/internal/sql/diag"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

// selection is a SELECT while it is planned.
type selection struct {
	*Analyzer
	ast   *ast.Select
	query *ast.Query
	scope *scope
	node  plan.Node
	items []item
	// sorts are the ORDER BY expressions; those that name an output column have
	// its index, others are computed beside the columns.
	sorts  []sortItem
	having plan.Expr
	wins   map[string]*ast.WindowSpec
}

type item struct {
	expr plan.Expr
	name string
}

type sortItem struct {
	ast    ast.OrderItem
	column int // -1: expr
	expr   plan.Expr
}

func (a *Analyzer) selectQuery(sel *ast.Select, q *ast.Query, outer *scope) (plan.Node, error) {
	s := &selection{Analyzer: a, ast: sel, query: q, wins: map[string]*ast.WindowSpec{}}
	outerHints := a.hints
	a.hints = sel.Hints
	defer func() { a.hints = outerHints }()
	if err := checkHints(sel.Hints); err != nil {
		return nil, err
	}
	if err := s.from(outer); err != nil {
		return nil, err
	}
	if err := s.where(); err != nil {
		return nil, err
	}
	for _, w := range sel.Windows {
		if s.wins[w.Name.Text] != nil {
			return nil, diag.At(w.Name.Pos(), "window %q is defined twice", w.Name.Text)
		}
		s.wins[w.Name.Text] = w.Spec
	}
	if err := s.selectItems(); err != nil {
		return nil, err
	}
	if err := s.orderItems(); err != nil {
		return nil, err
	}
	if err := s.aggregates(); err != nil {
		return nil, err
	}
	if err := s.overs(); err != nil {
		return nil, err
	}
	if err := s.scalarSubqueries(); err != nil {
		return nil, err
	}
	return s.finish()
}

func (s *selection) from(outer *scope) error {
	s.scope = newScope(outer)
	if s.ast.From == nil {
		v := &plan.Values{Rows: [][]plan.Expr{{}}}
		v.At, v.Bounded = s.ast.Pos(), true
		s.node = v
		return nil
	}
	node, err := s.tableRef(s.ast.From, s.scope, outer)
	s.node = node
	return err
}

func (s *selection) exprs(clause string) *exprs {
	return &exprs{Analyzer: s.Analyzer, scope: s.scope, clause: clause, windows: s.wins}
}

// where splits WHERE: subqueries become joins, the rest a filter.
func (s *selection) where() error {
	if s.ast.Where == nil {
		return nil
	}
	for _, it := range s.ast.Items {
		if it.Alias != nil {
			s.scope.aliases = append(s.scope.aliases, it.Alias.Text)
		}
	}
	defer func() { s.scope.aliases = nil }()
	cond, err := s.exprs("WHERE").condition(s.ast.Where)
	if err != nil {
		return err
	}
	if s.node, err = s.applyCondition(s.node, cond); err == nil {
		s.scope.setFields(s.node.Out().Fields)
	}
	return err
}

// selectItems analyzes the SELECT list, with stars expanded.
func (s *selection) selectItems() error {
	x := s.exprs("SELECT")
	x.aggs, x.overs = true, true
	for _, it := range s.ast.Items {
		if star, ok := it.Expr.(*ast.Star); ok {
			if err := s.star(star); err != nil {
				return err
			}
			continue
		}
		e, err := x.expr(it.Expr)
		if err != nil {
			return err
		}
		name := defaultName(len(s.items))
		if it.Alias != nil {
			name = it.Alias.Text
		} else if id, ok := it.Expr.(*ast.Ident); ok {
			name = id.Path.Last()
		}
		s.items = append(s.items, item{expr: e, name: name})
	}
	return nil
}

// star expands * and t.*; r.* gives the fields of a ROW.
func (s *selection) star(e *ast.Star) error {
	if len(e.Qualifier) == 0 {
		if s.ast.From == nil {
			return diag.At(e.Pos(), "SELECT * needs a FROM clause")
		}
		for _, i := range s.scope.common {
			s.items = append(s.items, item{expr: ref(s.scope.fields, i, e.Pos()), name: s.scope.fields[i].Name})
		}
		for i := range s.scope.fields {
			if !s.scope.hidden[i] && indexOfInt(s.scope.common, i) < 0 {
				s.items = append(s.items, item{expr: ref(s.scope.fields, i, e.Pos()), name: s.scope.fields[i].Name})
			}
		}
		return nil
	}
	if r := s.scope.relation(e.Qualifier.Texts()); r != nil {
		for i, f := range r.fields {
			s.items = append(s.items, item{expr: ref(s.scope.fields, r.offset+i, e.Pos()), name: f.Name})
		}
		return nil
	}
	row, err := s.exprs("SELECT").ident(&ast.Ident{Base: ast.ExprAt(e.Pos()), Path: e.Qualifier})
	if err != nil {
		return err
	}
	if row.Type().Kind != types.Row {
		return diag.At(e.Pos(), "%s.* needs a table or a ROW, found %s", e.Qualifier, row.Type().OrNull())
	}
	for _, f := range row.Type().Fields {
		fe, err := fieldOf(row, ast.Name{Text: f.Name, At: e.At})
		if err != nil {
			return err
		}
		s.items = append(s.items, item{expr: fe, name: f.Name})
	}
	return nil
}

// orderItems analyzes ORDER BY: an output column by position or alias, or an
// expression over FROM.
func (s *selection) orderItems() error {
	x := s.exprs("ORDER BY")
	x.aggs, x.overs = true, true
	fields := make([]types.Field, len(s.items))
	for i, it := range s.items {
		fields[i] = types.Field{Name: it.name, Type: it.expr.Type()}
	}
	for _, o := range s.query.OrderBy {
		so := sortItem{ast: o, column: -1}
		switch e := o.Expr.(type) {
		case *ast.Literal:
			if e.Kind == ast.IntegerLiteral {
				col, err := x.sortColumn(o, fields)
				if err != nil {
					return err
				}
				so.column = col
			}
		case *ast.Ident:
			if len(e.Path) == 1 {
				so.column = findName(s.items, e.Path[0].Text)
			}
		}
		if so.column < 0 {
			e, err := x.expr(o.Expr)
			if err != nil {
				return err
			}
			so.expr = e
			for i, it := range s.items {
				if plan.Same(it.expr, e) {
					so.column = i
				}
			}
		}
		s.sorts = append(s.sorts, so)
	}
	return nil
}

func findName(items []item, name string) int {
	for i, it := range items {
		if it.name == name {
			return i
		}
	}
	return -1
}

// finish projects the items, then applies DISTINCT, ORDER BY and LIMIT.
func (s *selection) finish() (plan.Node, error) {
	es := make([]plan.Expr, len(s.items))
	fields := make([]types.Field, len(s.items))
	for i, it := range s.items {
		es[i] = it.expr
		t := it.expr.Type()
		if _, isRef := it.expr.(*plan.InputRef); !isRef && t.Attribute == types.Rowtime {
			t = t.Plain()
		}
		fields[i] = types.Field{Name: it.name, Type: t}
	}
	visible := len(es)
	keys := make([]plan.SortKey, len(s.sorts))
	for i, so := range s.sorts {
		col := so.column
		if col < 0 {
			if s.ast.Distinct {
				return nil, diag.At(so.ast.Pos(), "ORDER BY with SELECT DISTINCT can only name selected columns")
			}
			col = len(es)
			es = append(es, so.expr)
			fields = append(fields, types.Field{Name: defaultName(col), Type: so.expr.Type()})
		}
		keys[i] = plan.SortKey{Column: col, Descending: so.ast.Descending, NullsFirst: nullsFirst(so.ast)}
	}
	var node plan.Node = project(s.node, es, fields, s.ast.Pos())
	if identity(es, s.node.Out().Fields, fields) {
		node = s.node
	}
	if s.ast.Distinct {
		node = distinct(node)
	}
	node, err := s.exprs("LIMIT").sort(node, keys, s.query)
	if err != nil || len(es) == visible {
		return node, err
	}
	out := make([]plan.Expr, visible)
	for i := range out {
		out[i] = ref(fields, i, s.ast.Pos())
	}
	return project(node, out, fields[:visible], s.ast.Pos()), nil
}

// identity reports whether a projection changes nothing.
func identity(es []plan.Expr, in, out []types.Field) bool {
	if len(es) != len(in) || len(in) == 0 {
		return false
	}
	for i, e := range es {
		r, ok := e.(*plan.InputRef)
		if !ok || r.Index != i || in[i].Name != out[i].Name {
			return false
		}
	}
	return true
}
