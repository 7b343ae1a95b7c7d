package parse

import (
	"strconv"

	"github.com/weirflow/weirflow/services/transform/internal/sql/ast"
	"github.com/weirflow/weirflow/services/transform/internal/sql/token"
)

// integer reads an unsigned integer literal.
func (p *parser) integer() int {
	t := p.tok()
	if t.Kind != token.Integer {
		p.unexpected("an integer")
		return 0
	}
	n, err := strconv.ParseInt(t.Text, 10, 32)
	if err != nil {
		p.failAt(t.At, "%s is too large", t.Text)
		return 0
	}
	p.next()
	return int(n)
}

// dataType reads a type with its nullability and ARRAY or MULTISET suffixes.
func (p *parser) dataType() *ast.Type {
	if !p.enter() {
		return &ast.Type{At: p.here()}
	}
	defer p.leave()
	t := p.plainType()
	n := 0
	for p.err == nil && p.link(&n) {
		switch {
		case p.at("NOT", "NULL"):
			p.skip(2)
			t.Nullable = new(bool)
		case p.at("NULL"):
			p.next()
			yes := true
			t.Nullable = &yes
		case p.at("ARRAY"), p.at("MULTISET"):
			t = &ast.Type{At: t.At, Name: p.next().Upper, Elem: t}
		default:
			return t
		}
	}
	return t
}

func (p *parser) plainType() *ast.Type {
	t := p.tok()
	ty := &ast.Type{At: ast.At(t.At), Name: t.Upper}
	if t.Kind == token.Quoted || t.Kind == token.Word && p.ahead(1).Is(".") {
		ty.Path = p.path("a type")
		return ty
	}
	if t.Kind != token.Word {
		p.unexpected("a data type")
		return ty
	}
	if !p.typeWord(ty, t.Upper) {
		p.unexpected("a data type, such as STRING, INT, DECIMAL(10, 2), TIMESTAMP(3), ARRAY<…>, MAP<…, …> or ROW<…>")
	}
	return ty
}

// typeWord reads the type that starts with a word; false if none does.
func (p *parser) typeWord(ty *ast.Type, word string) bool {
	switch word {
	case "BOOLEAN", "BOOL", "TINYINT", "SMALLINT", "INT", "INTEGER", "BIGINT", "FLOAT", "REAL", "DATE", "STRING", "BYTES", "NULL", "DESCRIPTOR", "VARIANT":
		p.next()
		return true
	case "DOUBLE":
		p.next()
		p.accept("PRECISION")
	case "CHAR", "VARCHAR", "BINARY", "VARBINARY", "DECIMAL", "DEC", "NUMERIC":
		p.next()
		p.typeParams(ty)
	case "CHARACTER":
		p.next()
		ty.Name = "CHAR"
		if p.accept("VARYING") {
			ty.Name = "VARCHAR"
		}
		p.typeParams(ty)
	case "TIME", "TIMESTAMP", "TIMESTAMP_LTZ":
		p.next()
		p.typeParams(ty)
		if word != "TIMESTAMP_LTZ" {
			p.timeZone(ty)
		}
	case "INTERVAL":
		p.next()
		ty.Interval = p.intervalUnit()
	case "ARRAY", "MULTISET":
		p.next()
		p.expect("<")
		ty.Elem = p.dataType()
		p.expect(">")
	case "MAP":
		p.next()
		p.expect("<")
		ty.Key = p.dataType()
		p.expect(",")
		ty.Elem = p.dataType()
		p.expect(">")
	case "ROW":
		p.next()
		p.rowType(ty)
	case "RAW":
		p.next()
		p.expect("(")
		ty.Class = p.text("a class name")
		if p.accept(",") {
			p.text("a serializer")
		}
		p.expect(")")
	default:
		return false
	}
	return true
}

func (p *parser) typeParams(ty *ast.Type) {
	if !p.accept("(") {
		return
	}
	for p.err == nil {
		ty.Params = append(ty.Params, p.integer())
		if !p.accept(",") {
			break
		}
	}
	p.expect(")")
}

// timeZone reads WITHOUT TIME ZONE, WITH TIME ZONE and WITH LOCAL TIME ZONE.
func (p *parser) timeZone(ty *ast.Type) {
	switch {
	case p.accept("WITHOUT", "TIME", "ZONE"):
	case p.at("WITH", "LOCAL", "TIME", "ZONE"):
		if ty.Name == "TIME" {
			p.failAt(p.pos(), "TIME WITH LOCAL TIME ZONE is not supported")
			return
		}
		p.skip(4)
		ty.Name = "TIMESTAMP_LTZ"
	case p.at("WITH", "TIME", "ZONE"):
		p.failAt(p.pos(), "%s WITH TIME ZONE is not supported; use TIMESTAMP_LTZ", ty.Name)
	}
}

// rowType reads <name type 'comment', …> or the same in parentheses.
func (p *parser) rowType(ty *ast.Type) {
	if p.accept("<>") {
		return
	}
	end := ">"
	if p.expectAny("<", "(") == "(" {
		end = ")"
	}
	if p.accept(end) {
		return
	}
	for p.err == nil {
		f := ast.TypeField{Name: p.name("a field name")}
		f.Type = p.dataType()
		if p.tok().Kind == token.String {
			f.Comment = p.next().Text
		}
		ty.Fields = append(ty.Fields, f)
		if !p.accept(",") {
			break
		}
	}
	p.expect(end)
}
