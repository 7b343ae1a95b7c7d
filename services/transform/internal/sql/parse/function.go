package parse

import (
	"github.com/weirflow/weirflow/services/transform/internal/sql/ast"
	"github.com/weirflow/weirflow/services/transform/internal/sql/token"
)

// functionWords are the reserved words that name a function before "(".
const functionWords = ` ABS AVG CARDINALITY CEIL CEILING CHAR CHARACTER_LENGTH CHAR_LENGTH CLASSIFIER COALESCE COLLECT CONVERT CORR COUNT
COVAR_POP COVAR_SAMP CUME_DIST DATE DAY DENSE_RANK ELEMENT EVERY EXP EXTRACT FIRST_VALUE FLOOR FUSION GROUPING HASH HOUR IF
INTERSECTION JSON_ARRAY JSON_ARRAYAGG JSON_EXISTS JSON_OBJECT JSON_OBJECTAGG JSON_QUERY JSON_VALUE LAG LAST_VALUE LEAD LEFT LN
LOCALTIME LOCALTIMESTAMP LOWER MATCH_NUMBER MAX MIN MINUTE MOD MONTH NEXT NTH_VALUE NTILE NULLIF OCTET_LENGTH OVERLAY PERCENT_RANK
PERCENTILE_CONT PERCENTILE_DISC POSITION POWER PREV RANK REGR_COUNT REGR_SXX REGR_SYY RIGHT ROW_NUMBER SECOND SOME SQRT STDDEV_POP
STDDEV_SAMP SUBSTRING SUM TIMESTAMP TIME TRANSLATE TRIM TRUNCATE UPPER USER VAR_POP VAR_SAMP YEAR CURRENT_TIMESTAMP CURRENT_DATE
CURRENT_TIME SYSTEM_USER MATCHES VALUE_OF `

// function reads a call whose name is the next word.
func (p *parser) function() ast.Expr {
	t := p.tok()
	b := ast.ExprAt(t.At)
	if p.words.Reserved(t.Upper) && !wordIn(functionWords, t.Upper) {
		p.unexpected("an expression or a function name")
		return p.nothing()
	}
	p.next()
	path := ast.Path{wordName(t)}
	if f := p.specialForm(b, path, t.Upper); f != nil {
		return p.suffix(f)
	}
	return p.call(b, path)
}

func wordIn(list, word string) bool {
	for i := 0; i+len(word) < len(list); i++ {
		if list[i:i+len(word)] == word && blank(list[i+len(word)]) && (i == 0 || blank(list[i-1])) {
			return true
		}
	}
	return false
}

func blank(c byte) bool { return c == ' ' || c == '\n' }

// call reads the arguments of an ordinary call; "(" comes next.
func (p *parser) call(b ast.Base, path ast.Path) ast.Expr {
	if !p.enter() {
		return p.nothing()
	}
	defer p.leave()
	f := &ast.Func{Base: b, Path: path}
	p.expect("(")
	if p.accept(")") {
		return p.suffix(f)
	}
	if p.at("*") && p.ahead(1).Is(")") {
		p.skip(2)
		f.Star = true
		return p.suffix(f)
	}
	if p.accept("DISTINCT") {
		f.Distinct = true
	} else {
		p.accept("ALL")
	}
	for p.err == nil {
		f.Args = append(f.Args, p.arg())
		if !p.accept(",") {
			break
		}
	}
	f.Nulls = p.nulls()
	if p.at("ORDER", "BY") {
		f.OrderBy = p.orderBy()
	}
	p.expect(")")
	return p.suffix(f)
}

func (p *parser) nulls() string {
	if (p.at("IGNORE") || p.at("RESPECT")) && p.ahead(1).Is("NULLS") {
		w := p.next().Upper
		p.next()
		return w
	}
	return ""
}

// arg reads an argument of a call.
func (p *parser) arg() ast.Expr {
	b := p.base()
	switch {
	case p.at("TABLE"):
		return p.tableArg()
	case p.at("DESCRIPTOR", "("):
		p.next()
		return &ast.DescriptorArg{Base: b, Columns: p.names("a column name")}
	case p.at("DEFAULT"):
		p.next()
		return &ast.Symbol{Base: b, Text: "DEFAULT"}
	case p.atQuery():
		return &ast.Subquery{Base: b, Query: p.query()}
	case p.isArgName(p.tok()) && p.ahead(1).Is("=>"):
		t := p.next()
		p.next()
		return &ast.NamedArg{Base: b, Name: ast.Name{Text: t.Text, Quoted: t.Kind == token.Quoted, At: ast.At(t.At)}, Value: p.arg()}
	}
	return p.expr()
}

// isArgName accepts reserved words too: SIZE, OFFSET and the like name arguments.
func (p *parser) isArgName(t token.Token) bool {
	return t.Kind == token.Word || t.Kind == token.Quoted
}

func (p *parser) tableArg() ast.Expr {
	a := &ast.TableArg{Base: p.base()}
	p.expect("TABLE")
	if p.at("(") {
		p.next()
		a.Query = p.query()
		p.expect(")")
	} else {
		a.Table = p.path("a table name")
	}
	if p.accept("PARTITION", "BY") {
		if p.at("(") {
			p.next()
			a.PartitionBy = p.exprs()
			p.expect(")")
		} else {
			a.PartitionBy = p.partitionArgs()
		}
	}
	if p.at("ORDER", "BY") {
		a.OrderBy = p.orderBy()
	}
	return a
}

// partitionArgs reads columns up to the argument that follows: in
// SESSION(TABLE t PARTITION BY a, b, DESCRIPTOR(ts), …) the list ends at DESCRIPTOR.
func (p *parser) partitionArgs() []ast.Expr {
	var out []ast.Expr
	for p.err == nil {
		out = append(out, p.expr())
		after := p.ahead(1)
		named := p.isArgName(after) && p.ahead(2).Is("=>")
		if !p.at(",") || named || after.Is("DESCRIPTOR") || after.Is("INTERVAL") {
			break
		}
		p.next()
	}
	return out
}

// suffix reads WITHIN GROUP, FILTER, IGNORE NULLS and OVER after a call.
func (p *parser) suffix(f *ast.Func) ast.Expr {
	if p.err == nil && f.Nulls == "" {
		f.Nulls = p.nulls()
	}
	if p.accept("WITHIN", "GROUP") {
		p.expect("(")
		f.OrderBy, f.Within = p.orderBy(), true
		p.expect(")")
	}
	if p.accept("FILTER") {
		p.expect("(", "WHERE")
		f.Filter = p.expr()
		p.expect(")")
	}
	if p.accept("OVER") {
		if p.at("(") {
			f.Over = p.windowSpec()
		} else {
			at := p.here()
			n := p.name("a window name or \"(\"")
			f.Over = &ast.WindowSpec{At: at, Name: &n}
		}
	}
	return f
}

// specialForm reads calls with keywords inside; nil if the name has none.
func (p *parser) specialForm(b ast.Base, path ast.Path, name string) *ast.Func {
	f := &ast.Func{Base: b, Path: path, Special: true}
	var read func(*ast.Func)
	switch name {
	case "EXTRACT":
		read = p.extractArgs
	case "TRIM":
		read = p.trimArgs
	case "POSITION":
		read = p.positionArgs
	case "OVERLAY":
		read = p.overlayArgs
	case "SUBSTRING":
		read = p.substringArgs
	case "FLOOR", "CEIL", "CEILING":
		read = p.roundArgs
	case "TIMESTAMPADD", "TIMESTAMPDIFF":
		read = p.unitArgs
	case "JSON_VALUE", "JSON_QUERY", "JSON_EXISTS":
		read = p.jsonPathArgs
	case "JSON_OBJECT", "JSON_OBJECTAGG":
		read = p.jsonObjectArgs
	case "JSON_ARRAY", "JSON_ARRAYAGG":
		read = p.jsonArrayArgs
	default:
		return nil
	}
	if !p.enter() {
		return f
	}
	defer p.leave()
	p.expect("(")
	read(f)
	p.expect(")")
	return f
}

// symbol reads a time unit such as YEAR or SQL_TSI_DAY as an argument.
func (p *parser) symbol() ast.Expr {
	t := p.tok()
	if t.Kind != token.Word {
		p.unexpected("a unit of time, such as DAY")
		return p.nothing()
	}
	p.next()
	return &ast.Symbol{Base: ast.ExprAt(t.At), Text: t.Upper}
}

func (p *parser) extractArgs(f *ast.Func) {
	f.Args = append(f.Args, p.symbol())
	p.expect("FROM")
	f.Args = append(f.Args, p.expr())
}

func (p *parser) trimArgs(f *ast.Func) {
	b := p.base()
	side := p.acceptAny("BOTH", "LEADING", "TRAILING")
	var chars ast.Expr
	if side == "" {
		x := p.expr()
		if !p.accept("FROM") {
			f.Special = false
			f.Args = append(f.Args, x)
			for p.accept(",") {
				f.Args = append(f.Args, p.expr())
			}
			return
		}
		side, chars = "BOTH", x
	} else {
		if !p.at("FROM") {
			chars = p.expr()
		}
		p.expect("FROM")
	}
	if chars == nil {
		chars = &ast.Literal{Base: b, Kind: ast.StringLiteral, Text: " "}
	}
	f.Args = append(f.Args, &ast.Symbol{Base: b, Text: side}, chars, p.expr())
}

func (p *parser) positionArgs(f *ast.Func) {
	f.Args = append(f.Args, p.sum())
	p.expect("IN")
	f.Args = append(f.Args, p.sum())
	if p.accept("FROM") {
		f.Args = append(f.Args, p.expr())
	}
}

func (p *parser) overlayArgs(f *ast.Func) {
	f.Args = append(f.Args, p.expr())
	p.expect("PLACING")
	f.Args = append(f.Args, p.expr())
	p.expect("FROM")
	f.Args = append(f.Args, p.expr())
	if p.accept("FOR") {
		f.Args = append(f.Args, p.expr())
	}
}

func (p *parser) substringArgs(f *ast.Func) {
	f.Args = append(f.Args, p.expr())
	sep := p.expectAny("FROM", ",")
	f.Special = sep == "FROM"
	f.Args = append(f.Args, p.expr())
	if p.acceptAny("FOR", ",") != "" {
		f.Args = append(f.Args, p.expr())
	}
}

func (p *parser) roundArgs(f *ast.Func) {
	f.Args = append(f.Args, p.expr())
	if f.Special = p.accept("TO"); f.Special {
		f.Args = append(f.Args, p.symbol())
	}
}

func (p *parser) unitArgs(f *ast.Func) {
	f.Special = false
	f.Args = append(f.Args, p.symbol())
	p.expect(",")
	f.Args = append(f.Args, p.expr())
	p.expect(",")
	f.Args = append(f.Args, p.expr())
}
