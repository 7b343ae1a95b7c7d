package parse

import (
	"github.com/weirflow/weirflow/services/transform/internal/sql/ast"
	"github.com/weirflow/weirflow/services/transform/internal/sql/token"
)

// tableRefs reads what follows FROM: tables joined by commas and JOINs.
func (p *parser) tableRefs() ast.TableRef {
	l := p.tableRef()
	n := 0
	for p.err == nil && p.link(&n) {
		at := p.here()
		if p.accept(",") {
			l = &ast.Join{At: at, Kind: "COMMA", L: l, R: p.tableRef()}
			continue
		}
		kind, natural, ok := p.joinKind()
		if !ok {
			return l
		}
		j := &ast.Join{At: at, Kind: kind, Natural: natural, L: l, R: p.tableRef()}
		switch {
		case kind == "CROSS" || natural:
		case p.accept("ON"):
			j.On = p.expr()
		case p.accept("USING"):
			j.Using = p.names("a column name")
		}
		l = j
	}
	return l
}

// joinKind reads [NATURAL] [INNER | LEFT | … [OUTER]] JOIN.
func (p *parser) joinKind() (kind string, natural, ok bool) {
	start := p.i
	natural = p.accept("NATURAL")
	kind = p.acceptAny("INNER", "LEFT", "RIGHT", "FULL", "CROSS")
	if kind == "LEFT" || kind == "RIGHT" || kind == "FULL" {
		p.accept("OUTER")
	}
	if kind == "CROSS" && p.at("APPLY") {
		p.failAt(p.pos(), "CROSS APPLY is not supported; write CROSS JOIN LATERAL TABLE(…)")
	}
	if !p.accept("JOIN") {
		if p.i != start {
			p.unexpected("\"JOIN\"")
		}
		return "", false, false
	}
	if kind == "" {
		kind = "INNER"
	}
	return kind, natural, true
}

// tableRef reads one table, query or table function with its alias.
func (p *parser) tableRef() ast.TableRef {
	if !p.enter() {
		return &ast.Table{At: p.here()}
	}
	defer p.leave()
	at := p.here()
	switch {
	case p.at("LATERAL"):
		p.next()
		switch {
		case p.accept("TABLE"):
			return p.tableFunc(at, true)
		case p.at("UNNEST"):
			return p.unnest(at)
		case p.at("("):
			return p.derived(at, true)
		}
		return p.bareTableFunc(at, true)
	case p.at("TABLE", "("):
		p.next()
		return p.tableFunc(at, false)
	case p.at("UNNEST"):
		return p.unnest(at)
	case p.at("("):
		if p.atQueryInParens() {
			return p.match(p.derived(at, false))
		}
		p.next()
		t := p.tableRefs()
		p.expect(")")
		return t
	}
	if t := p.tok(); (t.Kind == token.Word || t.Kind == token.Quoted) && p.ahead(1).Is("(") && p.isName(t) {
		return p.bareTableFunc(at, false)
	}
	return p.namedTable(at)
}

func (p *parser) namedTable(at ast.At) ast.TableRef {
	t := &ast.Table{At: at, Path: p.path("a table name, a query in parentheses or a table function")}
	t.Hints = p.hints()
	p.asOf(t)
	t.Alias = p.tableAlias()
	p.asOf(t)
	if t.Alias == nil {
		t.Alias = p.tableAlias()
	}
	if t.Hints == nil {
		t.Hints = p.hints()
	}
	if p.at("TABLESAMPLE") {
		p.failAt(p.pos(), "TABLESAMPLE is not supported; use WHERE RAND() < fraction")
	}
	return p.match(t)
}

func (p *parser) asOf(t *ast.Table) {
	if !p.at("FOR", "SYSTEM_TIME") {
		return
	}
	p.skip(2)
	p.expect("AS", "OF")
	t.AsOf = p.sum()
}

func (p *parser) tableAlias() *ast.Alias {
	if p.at("MATCH_RECOGNIZE") {
		return nil
	}
	n := p.alias("an alias")
	if n == nil {
		return nil
	}
	a := &ast.Alias{Name: *n}
	if p.at("(") {
		a.Columns = p.names("a column name")
	}
	return a
}

func (p *parser) derived(at ast.At, lateral bool) ast.TableRef {
	p.expect("(")
	d := &ast.Derived{At: at, Lateral: lateral, Query: p.query()}
	p.expect(")")
	d.Alias = p.tableAlias()
	return d
}

// tableFunc reads (f(…)) after TABLE.
func (p *parser) tableFunc(at ast.At, lateral bool) ast.TableRef {
	f := &ast.TableFunc{At: at, Lateral: lateral}
	p.expect("(")
	f.Call = p.tableCall()
	p.expect(")")
	f.Hints = p.hints()
	f.Alias = p.tableAlias()
	return f
}

func (p *parser) bareTableFunc(at ast.At, lateral bool) ast.TableRef {
	f := &ast.TableFunc{At: at, Lateral: lateral, Call: p.tableCall()}
	f.Alias = p.tableAlias()
	return f
}

func (p *parser) tableCall() *ast.Func {
	b := p.base()
	path := p.path("a table function, such as TUMBLE")
	if p.err == nil && !p.at("(") {
		p.unexpected("\"(\" and the arguments of the table function")
	}
	f, ok := p.call(b, path).(*ast.Func)
	if !ok {
		return &ast.Func{Base: b, Path: path}
	}
	return f
}

func (p *parser) unnest(at ast.At) ast.TableRef {
	p.next()
	p.expect("(")
	u := &ast.Unnest{At: at, Exprs: p.exprs()}
	p.expect(")")
	u.Ordinality = p.accept("WITH", "ORDINALITY")
	u.Alias = p.tableAlias()
	return u
}

// match reads MATCH_RECOGNIZE (…) after a table.
func (p *parser) match(t ast.TableRef) ast.TableRef {
	if !p.at("MATCH_RECOGNIZE") {
		return t
	}
	m := &ast.Match{At: p.here(), Input: t}
	p.next()
	p.expect("(")
	if p.accept("PARTITION", "BY") {
		m.PartitionBy = p.exprs()
	}
	if p.at("ORDER", "BY") {
		m.OrderBy = p.orderBy()
	}
	if p.accept("MEASURES") {
		m.Measures = p.measures()
	}
	if p.accept("ONE", "ROW", "PER", "MATCH") {
		m.AllRows = false
	} else if p.accept("ALL", "ROWS", "PER", "MATCH") {
		m.AllRows = true
	}
	p.afterMatch(m)
	p.expect("PATTERN", "(")
	m.StrictStart = p.accept("^")
	m.Pattern = p.patternAlt()
	m.StrictEnd = p.accept("$")
	p.expect(")")
	if p.accept("WITHIN") {
		m.Within = p.sum()
	}
	if p.accept("SUBSET") {
		p.subsets(m)
	}
	p.defines(m)
	p.expect(")")
	m.Alias = p.tableAlias()
	return m
}

func (p *parser) measures() []ast.SelectItem {
	var out []ast.SelectItem
	for p.err == nil {
		if w := p.acceptAny("RUNNING", "FINAL"); w == "RUNNING" {
			p.failAt(p.pos(), "RUNNING is not supported in MEASURES")
		}
		item := ast.SelectItem{Expr: p.expr()}
		p.expect("AS")
		n := p.name("an alias")
		item.Alias = &n
		out = append(out, item)
		if !p.accept(",") {
			break
		}
	}
	return out
}

func (p *parser) afterMatch(m *ast.Match) {
	if !p.accept("AFTER", "MATCH") {
		return
	}
	p.expect("SKIP")
	if p.accept("PAST", "LAST", "ROW") {
		m.After = "PAST LAST ROW"
		return
	}
	p.expect("TO")
	if p.accept("NEXT", "ROW") {
		m.After = "NEXT ROW"
		return
	}
	m.After = "LAST"
	if w := p.acceptAny("FIRST", "LAST"); w != "" {
		m.After = w
	}
	n := p.name("a pattern variable")
	m.AfterVar = &n
}

func (p *parser) subsets(m *ast.Match) {
	for p.err == nil {
		s := ast.Subset{Name: p.name("a name")}
		p.expect("=")
		s.Items = p.names("a pattern variable")
		m.Subsets = append(m.Subsets, s)
		if !p.accept(",") {
			return
		}
	}
}

func (p *parser) defines(m *ast.Match) {
	p.expect("DEFINE")
	for p.err == nil {
		d := ast.Define{Name: p.name("a pattern variable")}
		p.expect("AS")
		d.Cond = p.expr()
		m.Defines = append(m.Defines, d)
		if !p.accept(",") {
			return
		}
	}
}

func (p *parser) patternAlt() *ast.Pattern {
	pat := &ast.Pattern{At: p.here(), Op: "ALTER", Min: 1, Max: 1}
	if !p.enter() {
		return pat
	}
	defer p.leave()
	for p.err == nil {
		pat.Items = append(pat.Items, p.patternConcat())
		if !p.accept("|") {
			break
		}
	}
	if len(pat.Items) == 1 {
		return pat.Items[0]
	}
	return pat
}

func (p *parser) patternConcat() *ast.Pattern {
	pat := &ast.Pattern{At: p.here(), Op: "CONCAT", Min: 1, Max: 1}
	for p.err == nil && !p.at(")") && !p.at("|") && !p.at("$") && !p.at("-") && !p.at(",") {
		pat.Items = append(pat.Items, p.patternFactor())
	}
	if len(pat.Items) == 1 {
		return pat.Items[0]
	}
	if len(pat.Items) == 0 {
		p.unexpected("a pattern variable")
	}
	return pat
}

func (p *parser) patternFactor() *ast.Pattern {
	pat := p.patternPrimary()
	pat.Quantified = true
	switch {
	case p.accept("*"):
		pat.Min, pat.Max = 0, -1
	case p.accept("+"):
		pat.Min, pat.Max = 1, -1
	case p.accept("?"):
		pat.Min, pat.Max = 0, 1
	case p.accept("{"):
		p.repetition(pat)
	default:
		pat.Quantified = false
		return pat
	}
	pat.Reluctant = p.accept("?")
	return pat
}

func (p *parser) repetition(pat *ast.Pattern) {
	if p.accept("-") {
		p.failAt(p.pos(), "exclusion in patterns is not supported")
	}
	pat.Min, pat.Max = 0, -1
	if !p.at(",") {
		pat.Min = p.integer()
		pat.Max = pat.Min
	}
	if p.accept(",") {
		pat.Max = -1
		if !p.at("}") {
			pat.Max = p.integer()
		}
	}
	p.expect("}")
}

func (p *parser) patternPrimary() *ast.Pattern {
	at := p.here()
	switch {
	case p.accept("("):
		pat := p.patternAlt()
		p.expect(")")
		if !pat.Quantified {
			return pat
		}
		return &ast.Pattern{At: at, Op: "CONCAT", Items: []*ast.Pattern{pat}, Min: 1, Max: 1}
	case p.accept("PERMUTE", "("):
		pat := &ast.Pattern{At: at, Op: "PERMUTE", Min: 1, Max: 1}
		for p.err == nil {
			pat.Items = append(pat.Items, p.patternAlt())
			if !p.accept(",") {
				break
			}
		}
		p.expect(")")
		return pat
	}
	n := p.name("a pattern variable")
	return &ast.Pattern{At: at, Variable: &n, Min: 1, Max: 1}
}
