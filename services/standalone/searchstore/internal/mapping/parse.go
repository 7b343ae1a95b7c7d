package mapping

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/apierr"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/jsondoc"
)

// Leaf is one value of one field of a document: I for Ints (and the bits of a
// float64 for Reals), B for Terms and Text.
type Leaf struct {
	Field *Field
	I     int64
	B     []byte
}

// Row is the root of a document or one of its nested objects.
type Row struct {
	Parent int    // index of the row that it is nested in, -1 for the root
	Path   string // the nested path
	Leaves []Leaf
}

// Parser takes documents apart. Its rows are valid until the next Parse.
type Parser struct {
	Rows    []Row
	Ignored []string

	m     *Mapping
	owned bool // m is a private clone that may be added to
	id    string
	b     []byte
	text  []byte // arena of unescaped strings
}

// errGrow asks for a second pass with a mapping of one's own.
var errGrow = errors.New("mapping grows")

// DocumentError is the per-document error of a mapping conflict.
func DocumentError(format string, args ...any) *apierr.Error {
	return apierr.New(http.StatusBadRequest, "document_parsing_exception", format, args...)
}

// Parse reads a document into rows. The mapping that comes back is m itself,
// or a clone with the fields that the document brought.
func (p *Parser) Parse(m *Mapping, id string, src []byte) (*Mapping, error) {
	p.m, p.owned, p.id, p.b = m, false, id, src
	if !utf8.Valid(src) {
		return m, malformed(&jsondoc.SyntaxError{Reason: "invalid UTF-8"})
	}
	err := p.run()
	if errors.Is(err, errGrow) {
		p.m, p.owned = m.Clone(), true
		err = p.run()
	}
	if err != nil {
		return m, err
	}
	for i, name := range p.Ignored {
		if !slices.Contains(p.Ignored[:i], name) {
			p.put(0, Leaf{Field: p.m.Columns[0], B: []byte(name)})
		}
	}
	if len(p.m.byPath) > p.m.Limit && p.owned {
		e := DocumentError("failed to parse: Limit of total fields [%d] has been exceeded while adding new fields", p.m.Limit)
		return m, e
	}
	return p.m, nil
}

func (p *Parser) run() error {
	p.Rows = p.Rows[:0]
	p.Ignored = p.Ignored[:0]
	p.text = p.text[:0]
	p.addRow(-1, "")
	i := jsondoc.Space(p.b, 0)
	if i >= len(p.b) {
		return malformed(jsondoc.Fail(p.b, i, ""))
	}
	if p.b[i] != '{' {
		if _, err := jsondoc.Parse(p.b); err != nil {
			return malformed(err)
		}
		return DocumentError("Malformed content, must start with an object")
	}
	if !p.m.Root.Enabled {
		_, err := jsondoc.Skip(p.b, i, 0)
		return malformed(err)
	}
	next, err := p.object(p.m.Root, 0, i, 0)
	if err != nil {
		return malformed(err)
	}
	if next = jsondoc.Space(p.b, next); next < len(p.b) {
		return apierr.Illegal("Malformed content, found extra data after parsing at byte %d", next)
	}
	return nil
}

// malformed turns syntax errors into a document error; others pass.
func malformed(err error) error {
	var se *jsondoc.SyntaxError
	if !errors.As(err, &se) {
		return err
	}
	e := DocumentError("[1:%d] failed to parse", se.Offset+1)
	e.Cause = apierr.Syntax(err)
	return e
}

func (p *Parser) addRow(parent int, path string) int {
	if len(p.Rows) < cap(p.Rows) {
		p.Rows = p.Rows[:len(p.Rows)+1]
		r := &p.Rows[len(p.Rows)-1]
		r.Parent, r.Path, r.Leaves = parent, path, r.Leaves[:0]
	} else {
		p.Rows = append(p.Rows, Row{Parent: parent, Path: path})
	}
	return len(p.Rows) - 1
}

// object reads the members of the object at i into a row.
func (p *Parser) object(f *Field, row, i, depth int) (int, error) {
	if depth > jsondoc.MaxDepth {
		return i, jsondoc.Fail(p.b, i, "nesting is too deep")
	}
	b := p.b
	i = jsondoc.Space(b, i+1)
	if i < len(b) && b[i] == '}' {
		return i + 1, nil
	}
	for {
		key, esc, next, err := jsondoc.String(b, jsondoc.Space(b, i))
		if err != nil {
			return next, err
		}
		if esc {
			key = p.unescape(key)
		}
		if next = jsondoc.Space(b, next); next >= len(b) || b[next] != ':' {
			return next, jsondoc.Fail(b, next, "expected a colon")
		}
		i = jsondoc.Space(b, next+1)
		if i, err = p.member(f, key, row, i, depth); err != nil {
			return i, err
		}
		i = jsondoc.Space(b, i)
		if i < len(b) && b[i] == '}' {
			return i + 1, nil
		}
		if i >= len(b) || b[i] != ',' {
			return i, jsondoc.Fail(b, i, "expected a comma or }")
		}
		i++
	}
}

func (p *Parser) member(f *Field, key []byte, row, i, depth int) (int, error) {
	child := f.Children[string(key)]
	if child != nil {
		return p.value(child, row, i, depth+1)
	}
	name := string(key)
	if strings.Contains(name, ".") {
		return p.dotted(f, name, row, i, depth)
	}
	if name == "" {
		return i, DocumentError("[1:%d] failed to parse: field name cannot be an empty string", i+1)
	}
	return p.unknown(f, name, row, i, depth)
}

// dotted follows a name with dots through the objects that it names.
func (p *Parser) dotted(f *Field, name string, row, i, depth int) (int, error) {
	head, rest, _ := strings.Cut(name, ".")
	if head == "" || rest == "" || strings.HasSuffix(rest, ".") {
		return i, DocumentError("[1:%d] failed to parse: field name starting or ending with a [.] makes object resolution ambiguous: [%s]", i+1, name)
	}
	child := f.Children[head]
	if child == nil {
		if p.dynamic(f) != "true" {
			return p.unknown(f, name, row, i, depth)
		}
		if !p.owned {
			return i, errGrow
		}
		child = p.m.object(f, head, "object")
	}
	if !child.IsObject() {
		return i, DocumentError("[1:%d] object mapping for [%s] tried to parse field [%s] as object, but found a concrete value", i+1, child.Path, child.Name)
	}
	if !child.Enabled {
		return jsondoc.Skip(p.b, i, depth)
	}
	if child.Type == "nested" {
		row = p.addRow(row, child.Path)
	}
	return p.member(child, []byte(rest), row, i, depth+1)
}

func (p *Parser) dynamic(f *Field) string {
	path := f.Path
	for {
		if f.Dynamic != "" {
			return f.Dynamic
		}
		if path == "" {
			return "true"
		}
		dot := strings.LastIndexByte(path, '.')
		if dot < 0 {
			f, path = p.m.Root, ""
			continue
		}
		path = path[:dot]
		if f = p.m.byPath[path]; f == nil {
			return "true"
		}
	}
}

// unknown meets a field that the mapping does not have.
func (p *Parser) unknown(f *Field, name string, row, i, depth int) (int, error) {
	switch p.dynamic(f) {
	case "strict":
		where := f.Path
		if where == "" {
			where = "_doc"
		}
		e := apierr.New(http.StatusBadRequest, "strict_dynamic_mapping_exception",
			"[1:%d] mapping set to strict, dynamic introduction of [%s] within [%s] is not allowed", i+1, name, where)
		return i, e
	case "false", "runtime":
		return jsondoc.Skip(p.b, i, depth)
	}
	typ := p.m.detect(p.b, i)
	if typ == "" {
		return jsondoc.Skip(p.b, i, depth)
	}
	if !p.owned {
		return i, errGrow
	}
	path := join(f.Path, name)
	if strings.Count(path, ".") >= 20 {
		return i, DocumentError("Limit of mapping depth [20] has been exceeded due to object field [%s]", path)
	}
	if err := p.m.addField(f, name, p.m.definition(path, name, typ, p.b, i)); err != nil {
		return i, err
	}
	return p.value(f.Children[name], row, i, depth+1)
}

// value reads the value at i into a field.
func (p *Parser) value(f *Field, row, i, depth int) (int, error) {
	b := p.b
	if i >= len(b) {
		return i, jsondoc.Fail(b, i, "")
	}
	if !f.Enabled {
		return jsondoc.Skip(b, i, depth)
	}
	switch b[i] {
	case '[':
		if f.Type != "geo_point" && f.Type != "dense_vector" {
			return p.array(f, row, i, depth)
		}
		return jsondoc.Skip(b, i, depth)
	case '{':
		switch {
		case f.Type == "nested":
			return p.object(f, p.addRow(row, f.Path), i, depth)
		case f.Type == "object":
			return p.object(f, row, i, depth)
		case f.Type == "flattened":
			return p.flattened(f, row, i, depth)
		case f.Store == None:
			return jsondoc.Skip(b, i, depth)
		}
		next, err := jsondoc.Skip(b, i, depth)
		if err != nil {
			return next, err
		}
		return p.reject(f, row, i, next, p.b[i:next], apierr.New(http.StatusBadRequest, "illegal_state_exception", "Can't get text on a START_OBJECT at 1:%d", i+1))
	}
	if f.IsObject() && b[i] != 'n' {
		return i, DocumentError("[1:%d] object mapping for [%s] tried to parse field [%s] as object, but found a concrete value", i+1, f.Path, f.Name)
	}
	return p.scalar(f, row, i)
}

func (p *Parser) array(f *Field, row, i, depth int) (int, error) {
	if depth > jsondoc.MaxDepth {
		return i, jsondoc.Fail(p.b, i, "nesting is too deep")
	}
	b := p.b
	i = jsondoc.Space(b, i+1)
	if i < len(b) && b[i] == ']' {
		return i + 1, nil
	}
	for {
		var err error
		if i, err = p.value(f, row, jsondoc.Space(b, i), depth+1); err != nil {
			return i, err
		}
		i = jsondoc.Space(b, i)
		if i < len(b) && b[i] == ']' {
			return i + 1, nil
		}
		if i >= len(b) || b[i] != ',' {
			return i, jsondoc.Fail(b, i, "expected a comma or ]")
		}
		i++
	}
}

// flattened keeps the leaves of an object as keywords.
func (p *Parser) flattened(f *Field, row, i, depth int) (int, error) {
	next, err := jsondoc.Skip(p.b, i, depth)
	if err != nil {
		return next, err
	}
	v, err := jsondoc.Parse(p.b[i:next])
	if err != nil {
		return next, err
	}
	p.flattenedLeaves(f, row, v)
	return next, nil
}

func (p *Parser) flattenedLeaves(f *Field, row int, v *jsondoc.Value) {
	if v.Scalar() {
		p.put(row, Leaf{Field: f, B: []byte(v.Text())})
		return
	}
	for _, x := range v.Items {
		p.flattenedLeaves(f, row, x)
	}
}

func (p *Parser) unescape(raw []byte) []byte {
	start := len(p.text)
	p.text = jsondoc.Unescape(p.text, raw)
	return p.text[start:len(p.text):len(p.text)]
}

func (p *Parser) put(row int, l Leaf) {
	r := &p.Rows[row]
	r.Leaves = append(r.Leaves, l)
}
