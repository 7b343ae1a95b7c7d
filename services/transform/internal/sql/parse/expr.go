package parse

import (
	"github.com/weirflow/weirflow/services/transform/internal/sql/ast"
	"github.com/weirflow/weirflow/services/transform/internal/sql/token"
)

// expr reads an expression: OR binds weakest, then AND, NOT, IS tests,
// comparisons, BETWEEN/IN/LIKE, sums, products, signs.
func (p *parser) expr() ast.Expr {
	if !p.enter() {
		return p.nothing()
	}
	defer p.leave()
	l := p.and()
	n := 0
	for p.err == nil && p.at("OR") && p.link(&n) {
		b := p.base()
		p.next()
		l = &ast.Binary{Base: b, Op: "OR", L: l, R: p.and()}
	}
	return l
}

// nothing stands for an expression after an error.
func (p *parser) nothing() ast.Expr { return &ast.Literal{Base: p.base()} }

func (p *parser) exprs() []ast.Expr {
	var out []ast.Expr
	for p.err == nil {
		out = append(out, p.expr())
		if !p.accept(",") {
			break
		}
	}
	return out
}

func (p *parser) and() ast.Expr {
	l := p.not()
	n := 0
	for p.err == nil && p.at("AND") && p.link(&n) {
		b := p.base()
		p.next()
		l = &ast.Binary{Base: b, Op: "AND", L: l, R: p.not()}
	}
	return l
}

func (p *parser) not() ast.Expr {
	if !p.at("NOT") {
		return p.is()
	}
	if !p.enter() {
		return p.nothing()
	}
	defer p.leave()
	b := p.base()
	p.next()
	return &ast.Unary{Base: b, Op: "NOT", X: p.not()}
}

// is reads tests that follow their operand.
func (p *parser) is() ast.Expr {
	x := p.comparison()
	n := 0
	for p.err == nil && p.at("IS") && p.link(&n) {
		b := p.base()
		p.next()
		not := p.accept("NOT")
		test := p.acceptAny("NULL", "TRUE", "FALSE", "UNKNOWN", "JSON", "EMPTY", "A")
		switch test {
		case "":
			p.unexpected("NULL, TRUE, FALSE, UNKNOWN, DISTINCT FROM or JSON after IS")
		case "JSON":
			if kind := p.acceptAny("VALUE", "OBJECT", "ARRAY", "SCALAR"); kind != "" {
				test += " " + kind
			} else {
				test += " VALUE"
			}
		case "A":
			p.expect("SET")
			test = "A SET"
		}
		x = &ast.Is{Base: b, X: x, Test: test, Not: not}
	}
	return x
}

// comparisonOp returns the comparison operator that comes next, and its length
// in tokens.
func (p *parser) comparisonOp() (string, int) {
	t := p.tok()
	if t.Kind == token.Op {
		switch t.Text {
		case "=", "<>", "<", "<=", ">", ">=":
			return t.Text, 1
		case "!=":
			return "<>", 1
		}
		return "", 0
	}
	switch {
	case p.at("IS", "DISTINCT", "FROM"):
		return "IS DISTINCT FROM", 3
	case p.at("IS", "NOT", "DISTINCT", "FROM"):
		return "IS NOT DISTINCT FROM", 4
	case p.at("MEMBER", "OF"):
		return "MEMBER OF", 2
	case p.at("SUBMULTISET", "OF"):
		return "SUBMULTISET OF", 2
	case p.at("OVERLAPS"):
		return "OVERLAPS", 1
	}
	return "", 0
}

func (p *parser) comparison() ast.Expr {
	l := p.predicate()
	n := 0
	for p.err == nil && p.link(&n) {
		op, length := p.comparisonOp()
		if op == "" {
			return l
		}
		b := p.base()
		for range length {
			p.next()
		}
		if q := p.acceptAny("ALL", "ANY", "SOME"); q != "" {
			l = p.quantified(b, l, op, q == "ALL")
			continue
		}
		l = &ast.Binary{Base: b, Op: op, L: l, R: p.predicate()}
	}
	return l
}

func (p *parser) quantified(b ast.Base, x ast.Expr, op string, all bool) ast.Expr {
	q := &ast.Quantified{Base: b, X: x, Op: op, All: all}
	p.expect("(")
	if p.atQuery() {
		q.Query = p.query()
	} else {
		q.List = p.exprs()
	}
	p.expect(")")
	return q
}

// predicate reads BETWEEN, IN, LIKE and SIMILAR TO.
func (p *parser) predicate() ast.Expr {
	x := p.sum()
	n := 0
	for p.err == nil && p.link(&n) {
		skip := 0
		if p.at("NOT") {
			skip = 1
		}
		b, not := p.base(), skip == 1
		switch t := p.ahead(skip); {
		case t.Is("BETWEEN"):
			x = p.between(b, x, skip)
		case t.Is("IN"):
			p.skip(skip + 1)
			in := &ast.In{Base: b, X: x, Not: not}
			p.expect("(")
			if p.atQuery() {
				in.Query = p.query()
			} else {
				in.List = p.exprs()
			}
			p.expect(")")
			x = in
		case t.Is("LIKE"), t.Is("SIMILAR"):
			p.skip(skip + 1)
			like := &ast.Like{Base: b, X: x, Not: not, Similar: t.Is("SIMILAR")}
			if like.Similar {
				p.expect("TO")
			}
			like.Pattern = p.sum()
			if p.accept("ESCAPE") {
				like.Escape = p.sum()
			}
			x = like
		default:
			return x
		}
	}
	return x
}

func (p *parser) skip(n int) {
	for range n {
		p.next()
	}
}

func (p *parser) between(b ast.Base, x ast.Expr, skip int) ast.Expr {
	p.skip(skip + 1)
	e := &ast.Between{Base: b, X: x, Not: skip == 1}
	e.Symmetric = p.acceptAny("SYMMETRIC", "ASYMMETRIC") == "SYMMETRIC"
	e.Low = p.sum()
	p.expect("AND")
	e.High = p.sum()
	return e
}

func (p *parser) sum() ast.Expr {
	l := p.product()
	n := 0
	for p.err == nil && (p.at("+") || p.at("-")) && p.link(&n) {
		b := p.base()
		op := p.next().Text
		l = &ast.Binary{Base: b, Op: op, L: l, R: p.product()}
	}
	return l
}

func (p *parser) product() ast.Expr {
	l := p.unary()
	n := 0
	for p.err == nil && (p.at("*") || p.at("/") || p.at("%") || p.at("||")) && p.link(&n) {
		b := p.base()
		op := p.next().Text
		l = &ast.Binary{Base: b, Op: op, L: l, R: p.unary()}
	}
	return l
}

func (p *parser) unary() ast.Expr {
	if !p.at("+") && !p.at("-") {
		return p.postfix()
	}
	if !p.enter() {
		return p.nothing()
	}
	defer p.leave()
	b := p.base()
	op := p.next().Text
	return &ast.Unary{Base: b, Op: op, X: p.unary()}
}

// postfix reads x[key], x.field.
func (p *parser) postfix() ast.Expr {
	x := p.primary()
	n := 0
	for p.err == nil && (p.at("[") || p.at(".")) && p.link(&n) {
		b := p.base()
		if p.next().Text == "[" {
			key := p.expr()
			p.expect("]")
			x = &ast.Item{Base: b, X: x, Key: key}
			continue
		}
		x = &ast.Field{Base: b, X: x, Name: p.name("a field name after \".\"")}
	}
	return x
}
