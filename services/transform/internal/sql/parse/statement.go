package parse

import (
	"strings"

	"github.com/weirflow/weirflow/services/transform/internal/sql/ast"
	"github.com/weirflow/weirflow/services/transform/internal/sql/diag"
	"github.com/weirflow/weirflow/services/transform/internal/sql/token"
)

var statementWords = []string{
	"SELECT", "INSERT", "CREATE", "DROP", "ALTER", "SHOW", "DESCRIBE", "EXPLAIN", "EXECUTE", "WITH", "VALUES", "SET", "RESET", "USE",
	"BEGIN", "DELETE", "UPDATE", "ADD", "REMOVE", "LOAD", "UNLOAD", "CALL", "TRUNCATE", "ANALYZE", "STOP", "COMPILE", "DESC",
}

// statement reads one statement.
func (p *parser) statement() ast.Statement {
	if !p.enter() {
		return nil
	}
	defer p.leave()
	at := p.here()
	switch {
	case p.atQuery(), p.at("TABLE"), p.at("VALUES"):
		return &ast.QueryStatement{At: at, Query: p.query()}
	case p.at("INSERT"):
		return p.insert()
	case p.at("CREATE"):
		return p.create()
	case p.at("DROP"):
		return p.drop()
	case p.at("ALTER"):
		return p.alter()
	case p.at("SHOW"):
		return p.show()
	case p.at("DESCRIBE"), p.at("DESC"):
		return p.describe()
	case p.at("EXPLAIN"):
		return p.explain()
	case p.at("EXECUTE"), p.at("STATEMENT", "SET"), p.at("BEGIN", "STATEMENT", "SET"):
		return p.execute()
	case p.at("SET"):
		return p.set()
	case p.at("RESET"):
		p.next()
		r := &ast.Reset{At: at, All: true}
		if !p.at(";") && p.tok().Kind != token.EOF {
			r.Key, r.All = p.configKey(), false
		}
		return r
	case p.at("USE"):
		return p.use()
	case p.at("DELETE"):
		return p.deleteFrom()
	case p.at("UPDATE"):
		return p.update()
	}
	return p.other()
}

// other reads a statement of which only the words are known.
func (p *parser) other() ast.Statement {
	t := p.tok()
	switch t.Upper {
	case "ADD", "REMOVE", "LOAD", "UNLOAD", "CALL", "TRUNCATE", "ANALYZE", "STOP", "COMPILE", "QUIT", "EXIT", "CLEAR", "HELP", "SOURCE":
		o := &ast.Other{At: ast.At(t.At), Words: t.Upper}
		if n := p.ahead(1); n.Kind == token.Word {
			o.Words += " " + n.Upper
		}
		end := t.End
		for p.tok().Kind != token.EOF && !p.at(";") {
			end = p.next().End
		}
		o.Text = p.src[t.Start:end]
		return o
	}
	err := diag.At(t.At, "found %s, expected a statement such as SELECT, INSERT INTO or CREATE TABLE", t.Describe())
	if t.Kind == token.Word {
		if near := diag.Nearest(t.Upper, statementWords); near != "" {
			err = err.WithHint("did you mean %s?", near)
		}
	}
	p.fail(err)
	return nil
}

func (p *parser) insert() *ast.Insert {
	in := &ast.Insert{At: p.here()}
	p.expect("INSERT")
	in.Overwrite = p.expectAny("INTO", "OVERWRITE") == "OVERWRITE"
	p.accept("TABLE")
	in.Table = p.path("a table name")
	in.Hints = p.hints()
	if p.accept("PARTITION", "(") {
		in.Partition = p.partitionSpec()
	}
	if p.at("(") && !p.atQueryInParens() {
		p.next()
		for p.err == nil {
			in.Columns = append(in.Columns, p.path("a column name"))
			if !p.accept(",") {
				break
			}
		}
		p.expect(")")
	}
	in.Query = p.query()
	return in
}

func (p *parser) partitionSpec() []ast.Option {
	var out []ast.Option
	for p.err == nil {
		o := ast.Option{At: p.here(), Key: p.name("a column name").Text}
		p.expect("=")
		t := p.tok()
		if t.Kind != token.String && t.Kind != token.Integer {
			p.unexpected("a literal")
		}
		o.Value = p.next().Text
		out = append(out, o)
		if !p.accept(",") {
			break
		}
	}
	p.expect(")")
	return out
}

// execute reads EXECUTE STATEMENT SET BEGIN … END and its other forms.
func (p *parser) execute() ast.Statement {
	at := p.here()
	p.accept("EXECUTE")
	switch {
	case p.accept("STATEMENT", "SET"):
		p.expect("BEGIN")
	case p.accept("BEGIN", "STATEMENT", "SET"):
		p.expect(";")
	case p.at("INSERT"):
		in := p.insert()
		in.Execute = true
		return in
	case p.at("PLAN"):
		p.failAt(at.Pos(), "EXECUTE PLAN is not supported; submit the statements themselves")
		return nil
	default:
		return &ast.QueryStatement{At: at, Query: p.query()}
	}
	s := &ast.StatementSet{At: at}
	for p.err == nil {
		for p.accept(";") {
			continue
		}
		if p.accept("END") {
			break
		}
		if !p.at("INSERT") {
			p.unexpected("INSERT or END in the statement set")
			break
		}
		s.Inserts = append(s.Inserts, p.insert())
		if p.err == nil && !p.at(";") && !p.at("END") {
			p.unexpected("\";\" after the INSERT")
		}
	}
	if p.err == nil && len(s.Inserts) == 0 {
		p.failAt(at.Pos(), "the statement set holds no INSERT")
	}
	return s
}

func (p *parser) explain() ast.Statement {
	e := &ast.Explain{At: p.here()}
	p.next()
	if p.accept("PLAN", "FOR") {
		e.PlanFor = true
	}
	for p.err == nil {
		w := p.acceptAny("ESTIMATED_COST", "CHANGELOG_MODE", "JSON_EXECUTION_PLAN", "PLAN_ADVICE")
		if w == "" {
			break
		}
		e.Details = append(e.Details, w)
		if !p.accept(",") {
			break
		}
	}
	e.Statement = p.statement()
	return e
}

// set reads SET, SET 'key' = 'value' and SET key = value.
func (p *parser) set() ast.Statement {
	s := &ast.Set{At: p.here()}
	p.next()
	if p.at(";") || p.tok().Kind == token.EOF {
		s.All = true
		return s
	}
	s.Key = p.configKey()
	p.expect("=")
	s.Value = p.raw("a value")
	return s
}

// configKey reads 'a.b' or a.b-c.
func (p *parser) configKey() string { return p.raw("a key such as 'table.exec.state.ttl'", "=") }

// raw reads a literal, or the text up to the next ";" or one of the stops.
func (p *parser) raw(what string, stops ...string) string {
	t := p.tok()
	if t.Kind == token.String {
		return p.next().Text
	}
	if t.Kind == token.EOF || p.at(";") {
		p.unexpected(what)
		return ""
	}
	end := t.Start
	for p.tok().Kind != token.EOF && !p.at(";") && (len(stops) == 0 || !p.at(stops[0])) {
		end = p.next().End
	}
	return strings.TrimSpace(p.src[t.Start:end])
}

func (p *parser) use() ast.Statement {
	u := &ast.Use{At: p.here()}
	p.next()
	u.What = p.acceptAny("CATALOG", "MODULES")
	if u.What == "MODULES" {
		for p.err == nil {
			u.Names = append(u.Names, p.name("a module name"))
			if !p.accept(",") {
				break
			}
		}
		return u
	}
	u.Path = p.path("a name")
	return u
}

func (p *parser) deleteFrom() ast.Statement {
	d := &ast.Delete{At: p.here()}
	p.next()
	p.expect("FROM")
	d.Table = p.path("a table name")
	if p.accept("WHERE") {
		d.Where = p.expr()
	}
	return d
}

func (p *parser) update() ast.Statement {
	u := &ast.Update{At: p.here()}
	p.next()
	u.Table = p.path("a table name")
	p.expect("SET")
	for p.err == nil {
		u.Columns = append(u.Columns, p.name("a column name"))
		p.expect("=")
		u.Values = append(u.Values, p.expr())
		if !p.accept(",") {
			break
		}
	}
	if p.accept("WHERE") {
		u.Where = p.expr()
	}
	return u
}
