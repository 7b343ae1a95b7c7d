package parse

import (
	"github.com/weirflow/weirflow/services/transform/internal/sql/ast"
	"github.com/weirflow/weirflow/services/transform/internal/sql/token"
)

// atQuery reports whether a query starts here.
func (p *parser) atQuery() bool { return p.queryStart(p.i, 0) }

// atQueryInParens reports whether "(" and a query come next.
func (p *parser) atQueryInParens() bool { return p.at("(") && p.queryStart(p.i+1, 0) }

// queryStart looks through parentheses: ((SELECT 1) UNION …) is a query, while
// ((SELECT 1) + 1) is an expression.
func (p *parser) queryStart(i, depth int) bool {
	t := p.toks[min(i, len(p.toks)-1)]
	if t.Is("SELECT") || t.Is("WITH") || t.Is("VALUES") {
		return true
	}
	if !t.Is("(") || depth > maxDepth || !p.queryStart(i+1, depth+1) {
		return false
	}
	after := p.toks[min(p.close[i]+1, len(p.toks)-1)]
	for _, w := range [...]string{"UNION", "INTERSECT", "EXCEPT", "MINUS", "ORDER", "LIMIT", "OFFSET", "FETCH", ")"} {
		if after.Is(w) {
			return true
		}
	}
	return after.Kind == token.EOF || after.Is(";")
}

// query reads [WITH …] body [ORDER BY …] [LIMIT …].
func (p *parser) query() *ast.Query {
	q := &ast.Query{At: p.here()}
	if !p.enter() {
		return q
	}
	defer p.leave()
	if p.accept("WITH") {
		if p.at("RECURSIVE") {
			p.failAt(p.pos(), "recursive queries are not supported")
		}
		for p.err == nil {
			q.With = append(q.With, p.cte())
			if !p.accept(",") {
				break
			}
		}
	}
	q.Body = p.setOps()
	if p.at("ORDER", "BY") {
		q.OrderBy = p.orderBy()
	}
	p.limit(q)
	return q
}

func (p *parser) cte() ast.CTE {
	c := ast.CTE{At: p.here(), Name: p.name("a name after WITH")}
	if p.at("(") {
		c.Columns = p.names("a column name")
	}
	p.expect("AS", "(")
	c.Query = p.query()
	p.expect(")")
	return c
}

func (p *parser) limit(q *ast.Query) {
	if p.accept("LIMIT") {
		if !p.accept("ALL") {
			q.Limit = p.sum()
		}
		if p.accept(",") {
			q.Offset, q.Limit = q.Limit, p.sum()
		}
	}
	if p.accept("OFFSET") {
		q.Offset = p.sum()
		p.acceptAny("ROW", "ROWS")
	}
	if q.Limit == nil && p.accept("LIMIT") {
		q.Limit = p.sum()
	}
	if p.accept("FETCH") {
		p.expectAny("FIRST", "NEXT")
		q.Fetch = true
		if p.at("ROW") || p.at("ROWS") {
			q.Limit = &ast.Literal{Base: p.base(), Kind: ast.IntegerLiteral, Text: "1"}
		} else {
			q.Limit = p.sum()
		}
		p.expectAny("ROW", "ROWS")
		p.expect("ONLY")
	}
}

// setOps reads UNION and EXCEPT; INTERSECT binds closer.
func (p *parser) setOps() ast.Body {
	return p.setChain(func() ast.Body {
		return p.setChain(p.queryPrimary, "INTERSECT")
	}, "UNION", "EXCEPT", "MINUS")
}

func (p *parser) setChain(operand func() ast.Body, ops ...string) ast.Body {
	l := operand()
	n := 0
	for p.err == nil && p.link(&n) {
		at := p.here()
		op := p.acceptAny(ops...)
		if op == "" {
			return l
		}
		if op == "MINUS" {
			op = "EXCEPT"
		}
		all := p.acceptAny("ALL", "DISTINCT") == "ALL"
		r := operand()
		l = &ast.SetOp{At: at, Op: op, All: all, L: queryOf(l), R: queryOf(r)}
	}
	return l
}

func queryOf(b ast.Body) *ast.Query {
	if paren, ok := b.(*ast.Paren); ok {
		return paren.Query
	}
	return &ast.Query{At: ast.At(b.Pos()), Body: b}
}

func (p *parser) queryPrimary() ast.Body {
	at := p.here()
	switch {
	case p.at("SELECT"):
		return p.selectBody()
	case p.at("VALUES"), p.at("VALUE"):
		p.next()
		v := &ast.Values{At: at}
		for p.err == nil {
			v.Rows = append(v.Rows, p.valuesRow())
			if !p.accept(",") {
				break
			}
		}
		return v
	case p.at("TABLE"):
		p.next()
		return &ast.TableBody{At: at, Table: p.path("a table name")}
	case p.at("("):
		p.next()
		q := p.query()
		p.expect(")")
		return &ast.Paren{At: at, Query: q}
	}
	p.unexpected("a query: SELECT, VALUES, WITH, TABLE or \"(\"")
	return &ast.Values{At: at}
}

func (p *parser) valuesRow() *ast.Row {
	b := p.base()
	explicit := p.accept("ROW")
	if !p.at("(") || p.atQueryInParens() {
		return &ast.Row{Base: b, Items: []ast.Expr{p.expr()}}
	}
	return p.row(b, explicit)
}

func (p *parser) selectBody() ast.Body {
	s := &ast.Select{At: p.here()}
	p.expect("SELECT")
	s.Hints = p.hints()
	p.accept("STREAM")
	s.Distinct = p.acceptAny("DISTINCT", "ALL") == "DISTINCT"
	for p.err == nil {
		s.Items = append(s.Items, p.selectItem())
		if !p.accept(",") {
			break
		}
	}
	if p.accept("FROM") {
		s.From = p.tableRefs()
	}
	if p.accept("WHERE") {
		s.Where = p.expr()
	}
	if p.at("GROUP", "BY") {
		p.skip(2)
		p.acceptAny("ALL", "DISTINCT")
		s.GroupAll = true
		s.GroupBy = p.groupItems()
	}
	if p.accept("HAVING") {
		s.Having = p.expr()
	}
	if p.accept("WINDOW") {
		for p.err == nil {
			w := ast.NamedWindow{Name: p.name("a window name")}
			p.expect("AS")
			w.Spec = p.windowSpec()
			s.Windows = append(s.Windows, w)
			if !p.accept(",") {
				break
			}
		}
	}
	if p.at("QUALIFY") {
		p.failAt(p.pos(), "QUALIFY is not supported")
	}
	return s
}

func (p *parser) selectItem() ast.SelectItem {
	if p.at("*") {
		item := ast.SelectItem{Expr: &ast.Star{Base: p.base()}}
		p.next()
		return item
	}
	item := ast.SelectItem{Expr: p.expr()}
	if _, ok := item.Expr.(*ast.Star); ok {
		return item
	}
	item.Alias = p.alias("an alias")
	return item
}

// alias reads [AS] name; nil if there is none.
func (p *parser) alias(what string) *ast.Name {
	if p.accept("AS") || p.isName(p.tok()) {
		n := p.name(what)
		return &n
	}
	return nil
}

func (p *parser) groupItems() []ast.GroupItem {
	var out []ast.GroupItem
	for p.err == nil {
		out = append(out, p.groupItem())
		if !p.accept(",") {
			break
		}
	}
	return out
}

func (p *parser) groupItem() ast.GroupItem {
	g := ast.GroupItem{At: p.here()}
	if !p.enter() {
		return g
	}
	defer p.leave()
	switch {
	case p.accept("GROUPING", "SETS"):
		g.Kind = "GROUPING SETS"
	case p.at("ROLLUP", "("), p.at("CUBE", "("):
		g.Kind = p.next().Upper
	case p.accept("(", ")"):
		g.Kind = "()"
		return g
	default:
		g.Expr = p.expr()
		if r, ok := g.Expr.(*ast.Row); ok && !r.Explicit {
			g.Expr, g.Exprs = nil, r.Items
		}
		return g
	}
	p.expect("(")
	g.Sets = p.groupItems()
	p.expect(")")
	return g
}

func (p *parser) orderBy() []ast.OrderItem {
	p.expect("ORDER", "BY")
	var out []ast.OrderItem
	for p.err == nil {
		o := ast.OrderItem{At: p.here(), Expr: p.expr()}
		o.Descending = p.acceptAny("ASC", "DESC") == "DESC"
		if p.accept("NULLS") {
			o.Nulls = p.expectAny("FIRST", "LAST")
		}
		out = append(out, o)
		if !p.accept(",") {
			break
		}
	}
	return out
}

// windowSpec reads ([name] [PARTITION BY …] [ORDER BY …] [frame]).
func (p *parser) windowSpec() *ast.WindowSpec {
	w := &ast.WindowSpec{At: p.here(), Inline: true}
	p.expect("(")
	if p.isName(p.tok()) {
		n := p.name("a window name")
		w.Name = &n
	}
	if p.accept("PARTITION", "BY") {
		w.PartitionBy = p.exprs()
	}
	if p.at("ORDER", "BY") {
		w.OrderBy = p.orderBy()
	}
	if p.at("ROWS") || p.at("RANGE") {
		w.Frame = p.frame()
	}
	p.expect(")")
	return w
}

func (p *parser) frame() *ast.Frame {
	f := &ast.Frame{At: p.here(), Rows: p.next().Upper == "ROWS"}
	if p.accept("BETWEEN") {
		f.From = p.bound()
		p.expect("AND")
		f.To = p.bound()
		return f
	}
	f.From = p.bound()
	f.To = ast.Bound{Kind: "CURRENT ROW"}
	return f
}

func (p *parser) bound() ast.Bound {
	switch {
	case p.accept("CURRENT", "ROW"):
		return ast.Bound{Kind: "CURRENT ROW"}
	case p.accept("UNBOUNDED"):
		return ast.Bound{Kind: "UNBOUNDED " + p.expectAny("PRECEDING", "FOLLOWING")}
	}
	e := p.sum()
	return ast.Bound{Kind: p.expectAny("PRECEDING", "FOLLOWING"), Value: e}
}

// hints reads /*+ NAME(…), … */ if one comes next.
func (p *parser) hints() []ast.Hint {
	var out []ast.Hint
	for p.err == nil && p.tok().Kind == token.Hint {
		p.next()
		for p.err == nil && p.tok().Kind != token.HintEnd {
			out = append(out, p.hint())
			p.accept(",")
		}
		p.next()
	}
	return out
}

func (p *parser) hint() ast.Hint {
	t := p.tok()
	h := ast.Hint{At: ast.At(t.At), Name: t.Upper}
	if t.Kind != token.Word {
		p.unexpected("the name of a hint")
		return h
	}
	p.next()
	if !p.accept("(") {
		return h
	}
	for p.err == nil && !p.at(")") {
		at := p.here()
		t := p.next()
		if p.accept("=") {
			h.Options = append(h.Options, ast.Option{Key: t.Text, Value: p.next().Text, At: at})
		} else {
			h.Args = append(h.Args, t.Text)
		}
		if !p.accept(",") {
			break
		}
	}
	p.expect(")")
	return h
}
