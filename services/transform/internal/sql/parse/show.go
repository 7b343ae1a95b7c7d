package parse

import (
	"github.com/weirflow/weirflow/services/transform/internal/sql/ast"
)

// show reads SHOW ….
func (p *parser) show() ast.Statement {
	s := &ast.Show{At: p.here()}
	p.next()
	switch {
	case p.accept("CREATE"):
		s.What = "CREATE " + p.expectAny("TABLE", "VIEW", "CATALOG")
		s.Path = p.path("a name")
		return s
	case p.accept("CURRENT"):
		s.What = "CURRENT " + p.expectAny("CATALOG", "DATABASE")
		return s
	case p.accept("FULL"):
		s.Full = true
		p.expect("MODULES")
		s.What = "MODULES"
		return s
	case p.accept("USER"):
		s.UserOnly = true
		p.expect("FUNCTIONS")
		s.What = "FUNCTIONS"
	case p.accept("TEMPORARY"):
		s.What = p.expectAny("TABLES", "VIEWS")
	default:
		s.What = p.expectAny("TABLES", "VIEWS", "COLUMNS", "DATABASES", "CATALOGS", "FUNCTIONS", "MODULES", "JARS", "JOBS", "PARTITIONS", "PROCEDURES")
	}
	if s.What == "PARTITIONS" {
		s.Path = p.path("a table name")
	}
	if p.acceptAny("FROM", "IN") != "" {
		s.From = p.path("a name")
	}
	s.Not = p.accept("NOT")
	if w := p.acceptAny("LIKE", "ILIKE"); w != "" {
		text := p.text("a pattern between single quotes")
		s.Like, s.ILike = &text, w == "ILIKE"
	} else if s.Not {
		p.unexpected("\"LIKE\"")
	}
	return s
}

func (p *parser) describe() ast.Statement {
	d := &ast.Describe{At: p.here()}
	p.next()
	if !p.ahead(1).Is(";") && !p.ahead(1).Is(".") {
		d.What = p.acceptAny("CATALOG", "DATABASE", "FUNCTION", "JOB")
	}
	d.Extended = p.accept("EXTENDED")
	if d.What == "JOB" {
		d.Path = ast.Path{{Text: p.text("a job id"), At: p.here()}}
		return d
	}
	d.Path = p.path("a table name")
	return d
}

func (p *parser) drop() ast.Statement {
	d := &ast.Drop{At: p.here()}
	p.next()
	d.Temporary = p.accept("TEMPORARY")
	d.System = p.accept("SYSTEM")
	d.What = p.expectAny("TABLE", "VIEW", "FUNCTION", "CATALOG", "DATABASE")
	d.IfExists = p.accept("IF", "EXISTS")
	d.Path = p.path("a name")
	switch p.acceptAny("CASCADE", "RESTRICT") {
	case "CASCADE":
		d.Cascade = true
	case "RESTRICT":
		d.Restrict = true
	}
	return d
}

// alter reads ALTER ….
func (p *parser) alter() ast.Statement {
	a := &ast.Alter{At: p.here()}
	p.next()
	temporary := p.accept("TEMPORARY")
	p.accept("SYSTEM")
	a.What = p.expectAny("TABLE", "VIEW", "FUNCTION", "DATABASE", "CATALOG")
	if temporary && a.What != "FUNCTION" {
		p.unexpected("\"FUNCTION\"")
	}
	a.IfExists = p.accept("IF", "EXISTS")
	a.Path = p.path("a name")
	switch {
	case p.accept("RENAME", "TO"):
		a.Action, a.NewPath = "RENAME TO", p.path("a new name")
	case p.accept("RENAME"):
		a.Action = "RENAME COLUMN"
		from := p.name("a column name")
		p.expect("TO")
		a.Names = []ast.Name{from, p.name("a column name")}
	case p.accept("SET"):
		a.Action, a.Options = "SET", p.options()
	case p.accept("RESET"):
		a.Action = "RESET"
		p.expect("(")
		for p.err == nil && !p.at(")") {
			a.Keys = append(a.Keys, p.text("an option"))
			if !p.accept(",") {
				break
			}
		}
		p.expect(")")
	case p.accept("AS"):
		if a.What == "FUNCTION" {
			a.Action, a.Class = "AS", p.text("a class name")
			if p.accept("LANGUAGE") {
				a.Language = p.next().Upper
			}
		} else {
			a.Action, a.Query = "AS", p.query()
		}
	case p.at("COMMENT"):
		a.Action, a.Comment = "COMMENT", p.comment()
	default:
		p.alterElements(a)
	}
	return a
}

// alterElements reads ADD, MODIFY and DROP of columns, watermark and keys.
func (p *parser) alterElements(a *ast.Alter) {
	switch a.Action = p.expectAny("ADD", "MODIFY", "DROP"); a.Action {
	case "ADD", "MODIFY":
		if p.at("PARTITION") || p.at("IF") || p.at("DISTRIBUTION") {
			p.failAt(p.pos(), "ALTER TABLE … %s %s is not supported", a.Action, p.tok().Upper)
			return
		}
		if p.at("(") {
			a.Elements = p.tableElements(false)
			return
		}
		p.accept("COLUMN")
		p.tableElement(&a.Elements)
	case "DROP":
		switch {
		case p.accept("PRIMARY", "KEY"):
			a.Action = "DROP PRIMARY KEY"
		case p.accept("CONSTRAINT"):
			a.Action, a.Names = "DROP CONSTRAINT", []ast.Name{p.name("a constraint name")}
		case p.accept("WATERMARK"):
			a.Action = "DROP WATERMARK"
		case p.at("("):
			a.Action, a.Names = "DROP COLUMN", p.names("a column name")
		case p.at("PARTITION") || p.at("IF") || p.at("DISTRIBUTION"):
			p.failAt(p.pos(), "ALTER TABLE … DROP %s is not supported", p.tok().Upper)
		default:
			p.accept("COLUMN")
			a.Action, a.Names = "DROP COLUMN", []ast.Name{p.name("a column name")}
		}
	}
}
