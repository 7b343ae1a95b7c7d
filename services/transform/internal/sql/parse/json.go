package parse

import (
	"strings"

	"github.com/weirflow/weirflow/services/transform/internal/sql/ast"
)

// jsonPathArgs reads JSON_VALUE's, JSON_QUERY's and JSON_EXISTS's arguments.
func (p *parser) jsonPathArgs(f *ast.Func) {
	name := strings.ToUpper(f.Path.Last())
	j := &ast.JSONClauses{}
	f.JSON = j
	f.Args = append(f.Args, p.expr())
	p.accept("FORMAT", "JSON")
	p.expect(",")
	f.Args = append(f.Args, p.expr())
	if p.accept("RETURNING") {
		j.Returning = p.returning()
	}
	if name == "JSON_QUERY" {
		j.Wrapper = p.jsonWrapper()
	}
	for p.err == nil && !p.at(")") {
		at := p.pos()
		b := p.jsonBehavior(name)
		p.expect("ON")
		which := &j.OnEmpty
		if p.expectAny("EMPTY", "ERROR") == "ERROR" {
			which = &j.OnError
		}
		if *which != nil {
			p.failAt(at, "the clause is given twice")
		}
		*which = b
	}
}

// returning reads the type after RETURNING; a NULL after it starts NULL ON ….
func (p *parser) returning() *ast.Type {
	if !p.enter() {
		return &ast.Type{At: p.here()}
	}
	defer p.leave()
	return p.plainType()
}

func (p *parser) jsonWrapper() string {
	switch {
	case p.accept("WITHOUT"):
		p.accept("ARRAY")
		p.expect("WRAPPER")
		return "WITHOUT"
	case p.accept("WITH"):
		kind := p.acceptAny("CONDITIONAL", "UNCONDITIONAL")
		p.accept("ARRAY")
		p.expect("WRAPPER")
		if kind == "" {
			kind = "UNCONDITIONAL"
		}
		return kind
	}
	return ""
}

func (p *parser) jsonBehavior(name string) *ast.JSONBehavior {
	switch {
	case p.at("DEFAULT") && name == "JSON_VALUE":
		p.next()
		return &ast.JSONBehavior{What: "DEFAULT", Default: p.expr()}
	case p.at("EMPTY") && name == "JSON_QUERY":
		p.next()
		if p.accept("OBJECT") {
			return &ast.JSONBehavior{What: "EMPTY OBJECT"}
		}
		p.accept("ARRAY")
		return &ast.JSONBehavior{What: "EMPTY ARRAY"}
	case name == "JSON_EXISTS":
		return &ast.JSONBehavior{What: p.expectAny("TRUE", "FALSE", "UNKNOWN", "ERROR")}
	}
	return &ast.JSONBehavior{What: p.expectAny("NULL", "ERROR")}
}

// jsonObjectArgs reads KEY k VALUE v, …; k : v also serves.
func (p *parser) jsonObjectArgs(f *ast.Func) {
	j := &ast.JSONClauses{}
	f.JSON = j
	for p.err == nil && !p.at(")") && !p.atOnNull() {
		if p.at("KEY") && !p.ahead(1).Is(",") && !p.ahead(1).Is("VALUE") && !p.ahead(1).Is(":") && !p.ahead(1).Is(".") {
			p.next()
		}
		j.Keys = append(j.Keys, p.expr())
		p.expectAny("VALUE", ":", ",")
		f.Args = append(f.Args, p.expr())
		p.accept("FORMAT", "JSON")
		if !p.accept(",") {
			break
		}
	}
	p.jsonOnNull(j)
}

func (p *parser) jsonArrayArgs(f *ast.Func) {
	j := &ast.JSONClauses{}
	f.JSON = j
	for p.err == nil && !p.at(")") && !p.atOnNull() {
		f.Args = append(f.Args, p.expr())
		p.accept("FORMAT", "JSON")
		if !p.accept(",") {
			break
		}
	}
	if p.at("ORDER", "BY") {
		f.OrderBy = p.orderBy()
	}
	p.jsonOnNull(j)
}

func (p *parser) atOnNull() bool {
	return p.at("NULL", "ON", "NULL") || p.at("ABSENT", "ON", "NULL")
}

func (p *parser) jsonOnNull(j *ast.JSONClauses) {
	if p.atOnNull() {
		j.OnNull = p.next().Upper
		p.skip(2)
	}
}
