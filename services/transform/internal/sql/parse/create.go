package parse

import (
	"strings"

	"github.com/weirflow/weirflow/services/transform/internal/sql/ast"
	"github.com/weirflow/weirflow/services/transform/internal/sql/token"
)

// create reads CREATE ….
func (p *parser) create() ast.Statement {
	at := p.here()
	p.expect("CREATE")
	replace := p.accept("OR", "REPLACE")
	temporary := p.accept("TEMPORARY")
	system := p.accept("SYSTEM")
	what := p.acceptAny("TABLE", "VIEW", "FUNCTION", "CATALOG", "DATABASE")
	ifNot := p.accept("IF", "NOT", "EXISTS")
	switch what {
	case "TABLE":
		return p.createTable(&ast.CreateTable{At: at, Temporary: temporary, OrReplace: replace, IfNotExists: ifNot})
	case "VIEW":
		return p.createView(&ast.CreateView{At: at, Temporary: temporary, IfNotExists: ifNot})
	case "FUNCTION":
		return p.createFunction(&ast.CreateFunction{At: at, Temporary: temporary, System: system, IfNotExists: ifNot})
	case "CATALOG":
		c := &ast.CreateCatalog{At: at, IfNotExists: ifNot, Name: p.name("a catalog name")}
		c.Comment = p.comment()
		c.Options = p.withOptions()
		return c
	case "DATABASE":
		d := &ast.CreateDatabase{At: at, IfNotExists: ifNot, Path: p.path("a database name")}
		d.Comment = p.comment()
		d.Options = p.withOptions()
		return d
	}
	if p.at("MATERIALIZED") || p.at("MODEL") || p.at("CONNECTION") {
		p.failAt(at.Pos(), "CREATE %s is not supported", p.tok().Upper)
		return nil
	}
	p.unexpected("TABLE, VIEW, FUNCTION, CATALOG or DATABASE after CREATE")
	return nil
}

func (p *parser) comment() *string {
	if !p.accept("COMMENT") {
		return nil
	}
	s := p.text("a comment between single quotes")
	return &s
}

func (p *parser) withOptions() []ast.Option {
	if !p.accept("WITH") {
		return nil
	}
	return p.options()
}

// options reads ('key' = 'value', …).
func (p *parser) options() []ast.Option {
	out := []ast.Option{}
	p.expect("(")
	if p.accept(")") {
		return out
	}
	for p.err == nil {
		o := ast.Option{At: p.here(), Key: p.text("an option such as 'connector'")}
		p.expect("=")
		o.Value = p.text("the option's value between single quotes")
		out = append(out, o)
		if !p.accept(",") {
			break
		}
	}
	p.expect(")")
	return out
}

func (p *parser) createTable(c *ast.CreateTable) ast.Statement {
	c.Path = p.path("a table name")
	if p.at("(") {
		c.TableElements = p.tableElements(true)
	}
	c.Comment = p.comment()
	if p.at("DISTRIBUTED") {
		c.Distribution = p.distribution()
	}
	if p.accept("PARTITIONED", "BY") {
		c.PartitionedBy = p.names("a column name")
	}
	c.Options = p.withOptions()
	if p.at("LIKE") {
		c.Like = p.like()
	}
	if p.accept("AS") {
		c.As = p.query()
	}
	return c
}

// distribution skips DISTRIBUTED [BY [HASH|RANGE] (…)] [INTO n BUCKETS].
func (p *parser) distribution() string {
	start := p.tok().Start
	p.next()
	if p.accept("BY") {
		p.acceptAny("HASH", "RANGE")
		p.names("a column name")
	}
	if p.accept("INTO") {
		p.integer()
		p.expect("BUCKETS")
	}
	return strings.TrimSpace(p.src[start:p.tok().Start])
}

// tableElements reads (column, WATERMARK FOR …, PRIMARY KEY …).
func (p *parser) tableElements(create bool) ast.TableElements {
	var e ast.TableElements
	p.expect("(")
	if create && p.accept(")") {
		return e
	}
	if create && p.isName(p.tok()) && (p.ahead(1).Is(",") || p.ahead(1).Is(")")) {
		for p.err == nil {
			e.Names = append(e.Names, p.name("a column name"))
			if !p.accept(",") {
				break
			}
		}
		p.expect(")")
		return e
	}
	for p.err == nil {
		p.tableElement(&e)
		if !p.accept(",") {
			break
		}
	}
	p.expect(")")
	return e
}

func (p *parser) tableElement(e *ast.TableElements) {
	switch {
	case p.at("WATERMARK", "FOR"):
		at := p.here()
		p.skip(2)
		w := &ast.Watermark{At: at, Column: p.path("a column name")}
		p.expect("AS")
		w.Expr = p.expr()
		if e.Watermark != nil {
			p.failAt(at.Pos(), "the table has more than one watermark")
		}
		e.Watermark = w
	case p.at("PRIMARY"), p.at("UNIQUE"), p.at("CONSTRAINT"):
		e.Constraints = append(e.Constraints, p.constraint())
	default:
		e.Columns = append(e.Columns, p.columnDef())
	}
}

func (p *parser) constraint() *ast.Constraint {
	c := &ast.Constraint{At: p.here()}
	if p.accept("CONSTRAINT") {
		n := p.name("a constraint name")
		c.Name = &n
	}
	if p.accept("UNIQUE") {
		c.Unique = true
	} else {
		p.expect("PRIMARY", "KEY")
	}
	c.Columns = p.names("a column name")
	c.Enforced = p.enforced()
	return c
}

func (p *parser) enforced() *bool {
	switch {
	case p.accept("NOT", "ENFORCED"):
		return new(bool)
	case p.accept("ENFORCED"):
		yes := true
		return &yes
	}
	return nil
}

func (p *parser) columnDef() *ast.ColumnDef {
	c := &ast.ColumnDef{At: p.here()}
	if p.tok().Kind == token.EOF {
		p.unexpected("a column, WATERMARK or PRIMARY KEY")
		return c
	}
	c.Name = p.name("a column name")
	if p.accept("AS") {
		c.Expr = p.expr()
		c.Comment = p.comment()
		p.columnPosition(c)
		return c
	}
	c.Type = p.dataType()
	if p.accept("METADATA") {
		c.Metadata = true
		if p.accept("FROM") {
			s := p.text("a metadata key between single quotes")
			c.MetadataKey = &s
		}
		c.Virtual = p.accept("VIRTUAL")
	}
	if p.accept("PRIMARY", "KEY") {
		c.PrimaryKey = true
		p.enforced()
	}
	c.Comment = p.comment()
	p.columnPosition(c)
	return c
}

func (p *parser) columnPosition(c *ast.ColumnDef) {
	if p.accept("FIRST") {
		c.Position = "FIRST"
	} else if p.accept("AFTER") {
		n := p.name("a column name")
		c.Position, c.After = "AFTER", &n
	}
}

func (p *parser) like() *ast.LikeTable {
	l := &ast.LikeTable{At: p.here()}
	p.expect("LIKE")
	l.Table = p.path("a table name")
	if !p.accept("(") {
		return l
	}
	for p.err == nil && !p.at(")") {
		o := ast.LikeOption{At: p.here()}
		o.Action = p.expectAny("INCLUDING", "EXCLUDING", "OVERWRITING")
		o.Feature = p.expectAny("ALL", "CONSTRAINTS", "DISTRIBUTION", "GENERATED", "METADATA", "OPTIONS", "PARTITIONS", "WATERMARKS")
		l.Options = append(l.Options, o)
	}
	p.expect(")")
	return l
}

func (p *parser) createView(v *ast.CreateView) ast.Statement {
	v.Path = p.path("a view name")
	if p.at("(") {
		v.Columns = p.names("a column name")
	}
	v.Comment = p.comment()
	p.expect("AS")
	v.Query = p.query()
	return v
}

// createFunction reads AS 'class' LANGUAGE …, or our own SQL-bodied form:
// f(x INT) RETURNS INT AS x + 1.
func (p *parser) createFunction(f *ast.CreateFunction) ast.Statement {
	f.Path = p.path("a function name")
	if p.accept("(") {
		f.HasParams = true
		for p.err == nil && !p.at(")") {
			f.Params = append(f.Params, ast.TypeField{Name: p.name("a parameter name"), Type: p.dataType()})
			if !p.accept(",") {
				break
			}
		}
		p.expect(")")
	}
	if p.accept("RETURNS") {
		f.Returns = p.dataType()
	}
	p.language(f)
	switch {
	case p.accept("RETURN"):
		f.Body = p.expr()
	case p.accept("AS"):
		if p.tok().Kind == token.String && (!f.HasParams || f.Language != "" && f.Language != "SQL" || p.ahead(1).Is("LANGUAGE")) {
			f.Class = p.next().Text
		} else {
			f.Body = p.expr()
		}
	default:
		p.unexpected("\"AS\" and the class or the body of the function")
	}
	p.language(f)
	for p.accept("USING") || len(f.Using) > 0 && p.accept(",") {
		p.expectAny("JAR", "ARTIFACT", "FILE")
		f.Using = append(f.Using, p.text("a path between single quotes"))
	}
	f.Options = p.withOptions()
	return f
}

func (p *parser) language(f *ast.CreateFunction) {
	if p.accept("LANGUAGE") {
		t := p.next()
		if t.Kind != token.Word {
			p.unexpected("SQL, WASM, JAVA, SCALA or PYTHON")
		}
		f.Language = t.Upper
	}
}
