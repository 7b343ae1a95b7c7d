package parse

import (
	"github.com/weirflow/weirflow/services/transform/internal/sql/ast"
	"github.com/weirflow/weirflow/services/transform/internal/sql/token"
)

// primary reads an expression without operators.
func (p *parser) primary() ast.Expr {
	t := p.tok()
	switch t.Kind {
	case token.Integer:
		return p.literal(ast.IntegerLiteral)
	case token.Decimal:
		return p.literal(ast.DecimalLiteral)
	case token.Approx:
		return p.literal(ast.ApproxLiteral)
	case token.String:
		return p.stringLiteral()
	case token.Binary:
		return p.literal(ast.BinaryLiteral)
	case token.Quoted:
		return p.identifier()
	case token.Op:
		if t.Text == "(" {
			return p.parens()
		}
		if t.Text == "?" {
			p.failAt(t.At, "parameters (?) are not supported")
			return p.nothing()
		}
	case token.Word:
		return p.word(t)
	}
	p.unexpected("an expression")
	return p.nothing()
}

func (p *parser) literal(kind ast.LiteralKind) ast.Expr {
	b := p.base()
	return &ast.Literal{Base: b, Kind: kind, Text: p.next().Text}
}

// stringLiteral joins literals that stand on lines of their own.
func (p *parser) stringLiteral() ast.Expr {
	l := &ast.Literal{Base: p.base(), Kind: ast.StringLiteral}
	last := p.next()
	l.Text = last.Text
	for p.tok().Kind == token.String && p.tok().At.Line > last.At.Line {
		last = p.next()
		l.Text += last.Text
	}
	return l
}

// word reads an expression that starts with a word.
func (p *parser) word(t token.Token) ast.Expr {
	switch t.Upper {
	case "NULL":
		return p.literal(ast.NullLiteral)
	case "TRUE", "FALSE":
		return p.literal(ast.BoolLiteral)
	case "UNKNOWN":
		p.next()
		return &ast.Literal{Base: ast.ExprAt(t.At), Kind: ast.NullLiteral, Text: "UNKNOWN"}
	case "DATE", "TIME", "TIMESTAMP":
		if e := p.datetime(); e != nil {
			return e
		}
	case "INTERVAL":
		return p.interval()
	case "CASE":
		return p.caseExpr()
	case "CAST":
		return p.cast(false)
	case "TRY_CAST":
		if p.ahead(1).Is("(") {
			return p.cast(true)
		}
	case "EXISTS":
		p.next()
		p.expect("(")
		e := &ast.Exists{Base: ast.ExprAt(t.At), Query: p.query()}
		p.expect(")")
		return e
	case "ROW":
		p.next()
		return p.row(ast.ExprAt(t.At), true)
	case "ARRAY", "MAP", "MULTISET":
		if p.ahead(1).Is("[") || p.ahead(1).Is("(") {
			return p.constructor()
		}
	case "NEXT":
		if p.at("NEXT", "VALUE", "FOR") {
			p.failAt(t.At, "sequences are not supported")
			return p.nothing()
		}
	}
	if p.ahead(1).Is("(") {
		return p.function()
	}
	if noParens(t.Upper) {
		p.next()
		return &ast.Func{Base: ast.ExprAt(t.At), Path: ast.Path{wordName(t)}, NoParens: true}
	}
	return p.identifier()
}

func wordName(t token.Token) ast.Name { return ast.Name{Text: t.Text, At: ast.At(t.At)} }

// noParens reports whether a word is a function without parentheses.
func noParens(upper string) bool {
	switch upper {
	case "CURRENT_DATE", "CURRENT_TIME", "CURRENT_TIMESTAMP", "LOCALTIME", "LOCALTIMESTAMP",
		"CURRENT_USER", "SESSION_USER", "SYSTEM_USER", "USER", "CURRENT_CATALOG", "CURRENT_PATH", "CURRENT_ROLE", "CURRENT_SCHEMA":
		return true
	}
	return false
}

// identifier reads a.b.c, t.*, or a call of a function with a path.
func (p *parser) identifier() ast.Expr {
	b := p.base()
	path := ast.Path{p.name("an expression or a column name")}
	n := 0
	for p.err == nil && p.at(".") && p.link(&n) {
		if p.ahead(1).Is("*") {
			p.skip(2)
			return &ast.Star{Base: b, Qualifier: path}
		}
		p.next()
		path = append(path, p.name("a name after \".\""))
	}
	if p.err == nil && p.at("(") {
		return p.call(b, path)
	}
	return &ast.Ident{Base: b, Path: path}
}

// datetime reads DATE '…', TIME '…' and TIMESTAMP '…'; nil if it is not one.
func (p *parser) datetime() ast.Expr {
	t := p.tok()
	kind := map[string]ast.LiteralKind{"DATE": ast.DateLiteral, "TIME": ast.TimeLiteral, "TIMESTAMP": ast.TimestampLiteral}[t.Upper]
	if p.ahead(1).Kind == token.String {
		p.next()
		return &ast.Literal{Base: ast.ExprAt(t.At), Kind: kind, Text: p.next().Text}
	}
	if t.Upper == "TIMESTAMP" && p.at("TIMESTAMP", "WITH", "LOCAL", "TIME", "ZONE") {
		p.skip(5)
		return &ast.Literal{Base: ast.ExprAt(t.At), Kind: kind, Text: p.text("a string literal"), LTZ: true}
	}
	return nil
}

func (p *parser) interval() ast.Expr {
	l := &ast.Literal{Base: p.base(), Kind: ast.IntervalLiteral}
	p.next()
	if p.accept("-") {
		l.Negative = true
	} else {
		p.accept("+")
	}
	l.Text = p.text("a string literal such as '1' after INTERVAL")
	l.Interval = p.intervalUnit()
	return l
}

// intervalUnit reads DAY(2) TO SECOND(3).
func (p *parser) intervalUnit() *ast.IntervalUnit {
	u := &ast.IntervalUnit{FromPrecision: -1, Precision: -1}
	u.From = p.timeUnit()
	if p.accept("(") {
		u.FromPrecision = p.integer()
		if u.From == "SECOND" && p.accept(",") {
			u.Precision = p.integer()
		}
		p.expect(")")
	}
	if p.at("TO") {
		switch p.ahead(1).Upper {
		case "MONTH", "DAY", "HOUR", "MINUTE", "SECOND":
			p.next()
			u.To = p.timeUnit()
			if p.accept("(") {
				u.Precision = p.integer()
				p.expect(")")
			}
		}
	}
	return u
}

// timeUnit reads a unit of an interval; plurals are accepted.
func (p *parser) timeUnit() string {
	t := p.tok()
	switch t.Upper {
	case "YEAR", "QUARTER", "MONTH", "WEEK", "DAY", "HOUR", "MINUTE", "SECOND":
		p.next()
		return t.Upper
	case "YEARS", "QUARTERS", "MONTHS", "WEEKS", "DAYS", "HOURS", "MINUTES", "SECONDS":
		p.next()
		return t.Upper[:len(t.Upper)-1]
	}
	p.unexpected("a unit: YEAR, QUARTER, MONTH, WEEK, DAY, HOUR, MINUTE or SECOND")
	return ""
}

func (p *parser) caseExpr() ast.Expr {
	e := &ast.Case{Base: p.base()}
	p.next()
	if !p.at("WHEN") {
		e.Operand = p.expr()
	}
	for p.err == nil && p.accept("WHEN") {
		var w ast.When
		w.Cond = p.expr()
		for p.at(",") && e.Operand != nil { // WHEN a, b THEN
			b := p.base()
			p.next()
			w.Cond = &ast.Binary{Base: b, Op: ",", L: w.Cond, R: p.expr()}
		}
		p.expect("THEN")
		w.Then = p.expr()
		e.Whens = append(e.Whens, w)
	}
	if len(e.Whens) == 0 {
		p.unexpected("\"WHEN\"")
	}
	if p.accept("ELSE") {
		e.Else = p.expr()
	}
	p.expect("END")
	return e
}

func (p *parser) cast(try bool) ast.Expr {
	e := &ast.Cast{Base: p.base(), Try: try}
	p.next()
	p.expect("(")
	e.X = p.expr()
	p.expect("AS")
	e.Type = p.dataType()
	p.expect(")")
	return e
}

// row reads (a, b) after ROW, or an implicit row.
func (p *parser) row(b ast.Base, explicit bool) *ast.Row {
	r := &ast.Row{Base: b, Explicit: explicit}
	p.expect("(")
	if !p.at(")") {
		r.Items = p.exprs()
	}
	p.expect(")")
	return r
}

// parens reads (expr), (a, b) or (query).
func (p *parser) parens() ast.Expr {
	if !p.enter() {
		return p.nothing()
	}
	defer p.leave()
	b := p.base()
	if p.atQueryInParens() {
		p.next()
		e := &ast.Subquery{Base: b, Query: p.query()}
		p.expect(")")
		return e
	}
	p.next()
	items := p.exprs()
	p.expect(")")
	if len(items) == 1 {
		return items[0]
	}
	return &ast.Row{Base: b, Items: items}
}

// constructor reads ARRAY[…], MAP[…], MULTISET[…] and ARRAY(query).
func (p *parser) constructor() ast.Expr {
	b := p.base()
	kind := p.next().Upper
	if p.at("(") {
		if kind != "ARRAY" || !p.atQueryInParens() {
			p.unexpected("\"[\"")
			return p.nothing()
		}
		p.next()
		e := &ast.Array{Base: b, Query: p.query()}
		p.expect(")")
		return e
	}
	p.next()
	var items []ast.Expr
	if !p.at("]") {
		items = p.exprs()
	}
	p.expect("]")
	switch kind {
	case "MAP":
		if len(items)%2 != 0 && p.err == nil {
			p.failAt(b.Pos(), "MAP needs an even number of values: a key and a value for each entry")
		}
		return &ast.Map{Base: b, Items: items}
	case "MULTISET":
		return &ast.Multiset{Base: b, Items: items}
	default:
		return &ast.Array{Base: b, Items: items}
	}
}
