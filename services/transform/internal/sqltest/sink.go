package sqltest

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/exec"
	format "github.com/weirflow/weirflow/services/transform/internal/format/json"
	"github.com/weirflow/weirflow/services/transform/internal/plan"
)

// change is a row that was written.
type change struct {
	op     string
	values []json.RawMessage
}

// key is a change's values of some columns; of all for nil.
func (c change) key(cols []int) string {
	var b strings.Builder
	for i, v := range c.values {
		if cols == nil || slices.Contains(cols, i) {
			b.Write(v)
			b.WriteByte(0)
		}
	}
	return b.String()
}

// memory is a table that is written.
type memory struct {
	name    string
	columns []string
	primary []int
	changes []change
}

func newMemory(p *plan.Sink) *memory {
	m := &memory{name: p.Table.Name, primary: p.PrimaryKey}
	for _, f := range p.Input.Out().Fields {
		m.columns = append(m.columns, f.Name)
	}
	for i := range min(len(p.Table.Physical), len(m.columns)) {
		m.columns[i] = p.Table.Physical[i].Name
	}
	return m
}

// writes is a sink of a table; several INSERTs have one each.
type writes struct {
	to  *memory
	enc *format.Encoder
}

func newWrites(to *memory, p *plan.Sink) *writes {
	return &writes{to: to, enc: format.NewEncoder(p.Input.Out().Fields, format.Options{PlainDecimals: true, MapNullKeyMode: "LITERAL", MapNullKeyLiteral: "null"})}
}

// Write keeps the rows.
func (w *writes) Write(b *column.Batch, _ *exec.Receipt) error {
	for i := range b.Len {
		c := change{op: b.Kind(i).String()}
		for _, col := range b.Cols {
			v, err := w.enc.AppendValue(nil, col, i)
			if err != nil {
				return err
			}
			c.values = append(c.values, v)
		}
		w.to.changes = append(w.to.changes, c)
	}
	return nil
}

// Poll does nothing.
func (w *writes) Poll(time.Time) error { return nil }

// Flush does nothing.
func (w *writes) Flush(context.Context) error { return nil }

// Close does nothing.
func (w *writes) Close() error { return nil }

// final is what the table holds when all changes are applied.
func (m *memory) final() []change {
	var rows []change
	for _, c := range m.changes {
		key := c.key(m.primaryOrAll())
		at := -1
		for i, r := range slices.Backward(rows) {
			if r.key(m.primaryOrAll()) == key {
				at = i
				break
			}
		}
		added := c.op == "+I" || c.op == "+U"
		switch {
		case len(m.primary) > 0 && c.op == "-U":
		case added && len(m.primary) > 0 && at >= 0:
			rows[at] = c
		case added:
			rows = append(rows, c)
		case at >= 0:
			rows = slices.Delete(rows, at, at+1)
		}
	}
	for i := range rows {
		rows[i].op = "+I"
	}
	return rows
}

func (m *memory) primaryOrAll() []int {
	if len(m.primary) > 0 {
		return m.primary
	}
	return nil
}
