package sqltest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// updatable reports whether what came out can take the place of what is expected.
func (r *Result) updatable() bool { return r.failed == "" && r.Case.Error == "" }

var errFlow = errors.New("tests that are written in braces cannot be updated; write them in block style")

// update rewrites the expectations of the tests that failed, and returns how many.
func update(f *File, results []*Result) (int, error) {
	places, err := placesOf(f.source)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", f.path, err)
	}
	lines := strings.SplitAfter(string(f.source), "\n")
	n := 0
	for _, r := range slices.Backward(results) { // from the end, so that lines keep their numbers
		if r.Passed() || !r.updatable() {
			continue
		}
		p, ok := places[r.Case.Name]
		if !ok {
			return n, fmt.Errorf("%s: test %q: %w", f.path, r.Case.Name, errFlow)
		}
		lines = slices.Replace(lines, p.from, p.to, r.expectation(p.column))
		n++
	}
	if n == 0 {
		return 0, nil
	}
	return n, os.WriteFile(f.path, []byte(strings.Join(lines, "")), 0o644) //nolint:gosec // a source file
}

// place is where the expectations of a test are, as lines.
type place struct{ from, to, column int }

// placesOf finds the expectations of the tests of a file, by name.
func placesOf(source []byte) (map[string]place, error) {
	file, err := parser.ParseBytes(source, 0)
	if err != nil {
		return nil, err
	}
	lines := strings.SplitAfter(string(source), "\n")
	out := make(map[string]place)
	for _, doc := range file.Docs {
		root, ok := doc.Body.(*ast.MappingNode)
		if !ok {
			continue
		}
		for _, v := range root.Values {
			tests, ok := v.Value.(*ast.SequenceNode)
			if v.Key.GetToken().Value != "tests" || !ok {
				continue
			}
			for _, t := range tests.Values {
				m, ok := t.(*ast.MappingNode)
				if ok && !m.IsFlowStyle {
					note(out, m, lines)
				}
			}
		}
	}
	return out, nil
}

// note notes where a test has its expectations, or where they would be.
func note(out map[string]place, m *ast.MappingNode, lines []string) {
	name := ""
	var p place
	for _, v := range m.Values {
		at := v.Key.GetToken().Position
		p.column = at.Column - 1
		if v.Key.GetToken().Value == "name" {
			name = v.Value.GetToken().Value
		}
	}
	last := m.Values[len(m.Values)-1].Key.GetToken().Position.Line - 1
	p.from = blockEnd(lines, last, p.column)
	p.to = p.from
	for _, v := range m.Values {
		if v.Key.GetToken().Value == "expect" {
			p.from = v.Key.GetToken().Position.Line - 1
			p.to = blockEnd(lines, p.from, p.column)
		}
	}
	out[name] = p
}

// blockEnd is the line behind what belongs to the key in a line.
func blockEnd(lines []string, key, column int) int {
	end := key + 1
	for i := key + 1; i < len(lines); i++ {
		text := strings.TrimLeft(lines[i], " ")
		indent := len(lines[i]) - len(text)
		if strings.TrimSpace(text) == "" {
			continue // it belongs to the block if more of it comes
		}
		if indent < column || indent == column && !strings.HasPrefix(text, "- ") {
			break
		}
		end = i + 1
	}
	return end
}

// expectation writes what came out as a test expects it.
func (r *Result) expectation(column int) string {
	var b strings.Builder
	pad := strings.Repeat(" ", column)
	b.WriteString(pad + "expect:\n")
	names := slices.Sorted(maps.Keys(r.Case.Expect))
	if len(names) == 0 {
		names = slices.Sorted(maps.Keys(r.tables))
	}
	for _, name := range names {
		m := r.tables[name]
		if m == nil {
			continue
		}
		e := r.Case.Expect[name]
		if e == nil {
			e = &Expect{}
		}
		m.expected(&b, pad+"  ", e)
	}
	return b.String()
}

// expected writes what a table holds: a list of rows, below what else an
// expectation says.
func (m *memory) expected(b *strings.Builder, pad string, e *Expect) {
	b.WriteString(pad + keyText(m.name) + ":")
	list := m.changes
	if !e.Changelog {
		list = m.final()
	}
	if e.Ordered || e.Changelog {
		pad += "  "
		b.WriteString("\n")
		if e.Ordered {
			b.WriteString(pad + "ordered: true\n")
		}
		if e.Changelog {
			b.WriteString(pad + "changelog: true\n")
		}
		b.WriteString(pad + "rows:")
	}
	if len(list) == 0 {
		b.WriteString(" []\n")
		return
	}
	b.WriteString("\n")
	columns := m.updated(e)
	for _, c := range list {
		b.WriteString(pad + "  - " + m.flow(c, columns, e.Changelog) + "\n")
	}
}

// keyText writes a key, quoted unless it is a plain word.
func keyText(name string) string {
	for i, r := range name {
		if r != '_' && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (i == 0 || r < '0' || r > '9') {
			quoted, _ := json.Marshal(name) // a string can always be written
			return string(quoted)
		}
	}
	switch strings.ToLower(name) {
	case "", "null", "true", "false", "yes", "no", "on", "off", "y", "n":
		return `"` + name + `"`
	}
	return name
}

// updated are the columns that an expectation names as far as the table has them;
// all without any.
func (m *memory) updated(e *Expect) []string {
	columns, err := m.columnsOf(e)
	if err != nil || len(columns) == 0 {
		return m.columns
	}
	return columns
}

// flow writes a row in braces.
func (m *memory) flow(c change, columns []string, changelog bool) string {
	var b bytes.Buffer
	b.WriteByte('{')
	sep := ""
	if changelog {
		fmt.Fprintf(&b, "%q: %q", opColumn, c.op)
		sep = ", "
	}
	for _, name := range columns {
		if name == opColumn {
			continue
		}
		b.WriteString(sep + keyText(name) + ": " + string(c.values[slices.Index(m.columns, name)]))
		sep = ", "
	}
	b.WriteByte('}')
	return b.String()
}
