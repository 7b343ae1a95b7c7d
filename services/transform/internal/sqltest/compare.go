package sqltest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/weirflow/weirflow/services/platform/suggest"
)

// opColumn is the kind of a change in a changelog.
const opColumn = "$op"

// line is a row of a difference.
type line struct {
	mark  byte // ' ', '-' for missing, '+' for not expected
	cells []string
}

// difference is how what a table holds differs from what it shall hold.
type difference struct {
	table   string
	columns []string
	lines   []line
	missing int
	extra   int
}

// grid is the rows of a table as texts.
type rows struct {
	columns []string
	cells   [][]string
}

// actualRows are what a table holds, in the columns that are compared.
func (m *memory) rows(e *Expect, columns []string) (rows, error) {
	list := m.changes
	if !e.Changelog {
		list = m.final()
	}
	out := rows{columns: columns}
	for _, c := range list {
		var cells []string
		for _, name := range columns {
			if name == opColumn {
				cells = append(cells, c.op)
				continue
			}
			text, err := canonicalJSON(c.values[slices.Index(m.columns, name)])
			if err != nil {
				return out, err
			}
			cells = append(cells, text)
		}
		out.cells = append(out.cells, cells)
	}
	return out, nil
}

// columnsOf are those that an expectation names, in the table's order; all when it
// expects no rows.
func (m *memory) columnsOf(e *Expect) ([]string, error) {
	named := make(map[string]bool)
	for _, r := range e.Rows {
		for k := range r {
			if k != opColumn && !slices.Contains(m.columns, k) {
				return nil, fmt.Errorf("table %q has no column %q%s", m.name, k, suggest.Hint(k, m.columns))
			}
			if k == opColumn && !e.Changelog {
				return nil, fmt.Errorf("table %q: %s needs changelog: true", m.name, opColumn)
			}
			named[k] = true
		}
	}
	var out []string
	if e.Changelog {
		out = append(out, opColumn)
	}
	for _, c := range m.columns {
		if len(e.Rows) == 0 || named[c] {
			out = append(out, c)
		}
	}
	return out, nil
}

// compare returns nil when a table holds what it shall.
func (m *memory) compare(e *Expect) (*difference, error) {
	columns, err := m.columnsOf(e)
	if err != nil {
		return nil, err
	}
	got, err := m.rows(e, columns)
	if err != nil {
		return nil, err
	}
	var want [][]string
	for _, r := range e.Rows {
		var cells []string
		for _, c := range columns {
			v, ok := r[c]
			if c == opColumn && !ok {
				v = "+I"
			}
			cells = append(cells, canonical(v))
		}
		want = append(want, cells)
	}
	d := &difference{table: m.name, columns: columns}
	if e.Ordered || e.Changelog {
		d.ordered(want, got.cells)
	} else {
		d.unordered(want, got.cells)
	}
	for _, l := range d.lines {
		switch l.mark {
		case '-':
			d.missing++
		case '+':
			d.extra++
		}
	}
	if d.missing+d.extra == 0 {
		return nil, nil
	}
	return d, nil
}

// unordered pairs equal rows wherever they are, and puts what came instead of a
// missing row behind it.
func (d *difference) unordered(want, got [][]string) {
	left := slices.Clone(got)
	missing := make([]bool, len(want))
	for i, w := range want {
		at := slices.IndexFunc(left, func(g []string) bool { return slices.Equal(g, w) })
		if at < 0 {
			missing[i] = true
			continue
		}
		left = slices.Delete(left, at, at+1)
	}
	for i, w := range want {
		if !missing[i] {
			d.lines = append(d.lines, line{' ', w})
			continue
		}
		d.lines = append(d.lines, line{'-', w})
		if at := nearest(w, left); at >= 0 {
			d.lines = append(d.lines, line{'+', left[at]})
			left = slices.Delete(left, at, at+1)
		}
	}
	for _, g := range left {
		d.lines = append(d.lines, line{'+', g})
	}
}

// nearest returns the row that has the most cells in common; -1 when none has any.
func nearest(row []string, among [][]string) int {
	best, most := -1, 0
	for i, g := range among {
		same := 0
		for c := range row {
			if row[c] == g[c] {
				same++
			}
		}
		if same > most {
			best, most = i, same
		}
	}
	return best
}

// ordered finds the longest part that both have in the same order.
func (d *difference) ordered(want, got [][]string) {
	n, m := len(want), len(got)
	length := make([][]int, n+1)
	for i := range length {
		length[i] = make([]int, m+1)
	}
	for i := n - 1; i >= 0; i-- {
		for j := m - 1; j >= 0; j-- {
			if slices.Equal(want[i], got[j]) {
				length[i][j] = length[i+1][j+1] + 1
			} else {
				length[i][j] = max(length[i+1][j], length[i][j+1])
			}
		}
	}
	i, j := 0, 0
	for i < n || j < m {
		switch {
		case i < n && j < m && slices.Equal(want[i], got[j]):
			d.lines = append(d.lines, line{' ', want[i]})
			i++
			j++
		case i < n && (j == m || length[i+1][j] >= length[i][j+1]):
			d.lines = append(d.lines, line{'-', want[i]})
			i++
		default:
			d.lines = append(d.lines, line{'+', got[j]})
			j++
		}
	}
}

func canonicalJSON(raw json.RawMessage) (string, error) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return "", fmt.Errorf("read a value of a row: %w", err)
	}
	return canonical(v), nil
}

// canonical gives values that are the same one text. A text and a number or truth
// value that are written alike are the same: YAML does not tell them apart well.
func canonical(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case string:
		if v == "null" {
			return `"null"` // the text, not the absence of a value
		}
		return v
	case bool:
		return strconv.FormatBool(v)
	case json.Number:
		return number(string(v))
	case []any:
		parts := make([]string, len(v))
		for i, x := range v {
			parts[i] = canonical(x)
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case map[string]any:
		var parts []string
		for _, k := range slices.Sorted(maps.Keys(v)) {
			parts = append(parts, k+": "+canonical(v[k]))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case float64:
		return number(strconv.FormatFloat(v, 'g', -1, 64))
	default:
		return number(fmt.Sprint(v))
	}
}

// number writes a number without exponent and closing zeros.
func number(s string) string {
	if strings.ContainsAny(s, "eE") {
		if f, err := strconv.ParseFloat(s, 64); err == nil {
			s = strconv.FormatFloat(f, 'f', -1, 64)
		}
	}
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	if s == "-0" {
		return "0"
	}
	return s
}
