package analyze

import (
	"fmt"
	"slices"

	"github.com/weirflow/weirflow/services/transform/internal/plan"
	"github.com/weirflow/weirflow/services/transform/internal/sql/ast"
	"github.com/weirflow/weirflow/services/transform/internal/sql/diag"
	"github.com/weirflow/weirflow/services/transform/internal/sql/parse"
)

// Validate checks the options of a table.
func (a *Analyzer) Validate(t *plan.Table, at plan.Pos) error {
	if a.validate == nil {
		return nil
	}
	if err := a.validate(t); err != nil {
		return diag.At(at, "table %s: %s", t.Name, err.Error())
	}
	return nil
}

// AlterColumns returns a table with columns, key or watermark added, changed,
// dropped or renamed. Expressions are bound again from their text.
func (a *Analyzer) AlterColumns(st *ast.Alter, old *plan.Table) (*plan.Table, error) {
	t := *old
	t.Columns = slices.Clone(old.Columns)
	b := &tableBuilder{Analyzer: a, table: &t, names: map[string]bool{}, altered: true, at: st.Path.Pos()}
	var err error
	switch st.Action {
	case "ADD":
		err = b.add(st)
	case "MODIFY":
		err = b.modify(st)
	case "DROP COLUMN":
		err = b.dropColumns(st)
	case "RENAME COLUMN":
		err = b.renameColumn(st)
	default:
		err = diag.At(st.Pos(), "ALTER TABLE … %s is not supported", st.Action)
	}
	if err != nil {
		return nil, err
	}
	if err := b.rebind(st); err != nil {
		return nil, err
	}
	return &t, nil
}

// without explains that what is kept of a table cannot do without the change.
func without(st *ast.Alter, what string, err error) error {
	d, ok := err.(*diag.Error) //nolint:errorlint // made in this package, never wrapped
	if !ok {
		return err
	}
	return diag.At(st.Path.Pos(), "%s would no longer hold: %s", what, d.Message).WithHint("change or drop it first")
}

// rebind binds the expressions of kept columns and the watermark again.
func (b *tableBuilder) rebind(st *ast.Alter) error {
	pending := map[string]bool{}
	for _, c := range b.computed {
		pending[c.Name.Text] = true
	}
	for _, c := range b.table.Columns {
		if c.Kind != plan.ComputedColumn || pending[c.Name] {
			continue
		}
		e, err := parse.Expr(c.SQL)
		if err != nil {
			return err
		}
		def := &ast.ColumnDef{At: st.At, Name: ast.Name{Text: c.Name, At: st.At}, Expr: e}
		b.physical()
		if err := b.computedColumn(def); err != nil {
			return without(st, fmt.Sprintf("computed column %q", c.Name), err)
		}
		b.computed = append(b.computed, def)
	}
	kept := b.table.Watermark
	if b.watermark != nil {
		kept = nil
	}
	if err := b.finish(nil); err != nil || kept == nil {
		return err
	}
	e, err := parse.Expr(kept.SQL)
	if err != nil {
		return err
	}
	b.watermark = &ast.Watermark{At: st.At, Column: ast.Path{{Text: kept.Column, At: st.At}}, Expr: e}
	if err := b.bindWatermark(); err != nil {
		return without(st, "the watermark", err)
	}
	return nil
}

func (b *tableBuilder) add(st *ast.Alter) error {
	for _, c := range b.table.Columns {
		b.names[c.Name] = true
	}
	if st.Elements.Watermark != nil && b.table.Watermark != nil {
		return diag.At(st.Elements.Watermark.Pos(), "table %q already has a watermark", b.table.Name).WithHint("write MODIFY")
	}
	if err := b.elements(&st.Elements); err != nil {
		return err
	}
	return b.reorder(st.Elements.Columns)
}

// reorder moves columns to where FIRST and AFTER want them.
func (b *tableBuilder) reorder(defs []*ast.ColumnDef) error {
	for _, d := range defs {
		if d.Position == "" {
			continue
		}
		i := slices.IndexFunc(b.table.Columns, func(c plan.Column) bool { return c.Name == d.Name.Text })
		col := b.table.Columns[i]
		b.table.Columns = slices.Delete(b.table.Columns, i, i+1)
		to := 0
		if d.After != nil {
			to = slices.IndexFunc(b.table.Columns, func(c plan.Column) bool { return c.Name == d.After.Text }) + 1
			if to == 0 {
				return suggest(diag.At(d.After.Pos(), "column %q is not in the table", d.After.Text), d.After.Text, b.columnNames())
			}
		}
		b.table.Columns = slices.Insert(b.table.Columns, to, col)
	}
	return nil
}

func (b *tableBuilder) modify(st *ast.Alter) error {
	e := st.Elements
	for _, d := range e.Columns {
		i := slices.IndexFunc(b.table.Columns, func(c plan.Column) bool { return c.Name == d.Name.Text })
		if i < 0 {
			return suggest(diag.At(d.Pos(), "column %q is not in the table", d.Name.Text), d.Name.Text, b.columnNames())
		}
		if err := b.column(d); err != nil {
			return err
		}
		last := len(b.table.Columns) - 1
		if d.Comment == nil {
			b.table.Columns[last].Comment = b.table.Columns[i].Comment
		}
		b.table.Columns[i] = b.table.Columns[last]
		b.table.Columns = b.table.Columns[:last]
	}
	for _, c := range b.table.Columns {
		b.names[c.Name] = true
	}
	if len(e.Constraints) > 0 {
		if b.table.PrimaryKey == nil {
			return diag.At(e.Constraints[0].Pos(), "table %q has no primary key", b.table.Name).WithHint("write ADD")
		}
		b.table.PrimaryKey = nil
		for _, c := range e.Constraints {
			if err := b.constraint(c); err != nil {
				return err
			}
		}
	}
	if e.Watermark != nil {
		if b.table.Watermark == nil {
			return diag.At(e.Watermark.Pos(), "table %q has no watermark", b.table.Name).WithHint("write ADD")
		}
		b.table.Watermark, b.watermark = nil, e.Watermark
	}
	return b.reorder(e.Columns)
}

func (b *tableBuilder) dropColumns(st *ast.Alter) error {
	for _, n := range st.Names {
		i := slices.IndexFunc(b.table.Columns, func(c plan.Column) bool { return c.Name == n.Text })
		switch {
		case i < 0:
			return suggest(diag.At(n.Pos(), "column %q is not in the table", n.Text), n.Text, b.columnNames())
		case slices.Contains(b.table.PrimaryKey, n.Text):
			return diag.At(n.Pos(), "column %q is in the primary key", n.Text)
		case b.table.Watermark != nil && b.table.Watermark.Column == n.Text:
			return diag.At(n.Pos(), "column %q has the watermark", n.Text)
		}
		b.table.Columns = slices.Delete(b.table.Columns, i, i+1)
	}
	return nil
}

// renameColumn renames a column that no expression names.
func (b *tableBuilder) renameColumn(st *ast.Alter) error {
	from, to := st.Names[0], st.Names[1]
	if b.columnByName(to.Text) != nil {
		return diag.At(to.Pos(), "column %q is already in the table", to.Text)
	}
	c := b.columnByName(from.Text)
	if c == nil {
		return suggest(diag.At(from.Pos(), "column %q is not in the table", from.Text), from.Text, b.columnNames())
	}
	c.Name = to.Text
	b.table.PrimaryKey = slices.Clone(b.table.PrimaryKey)
	for i, k := range b.table.PrimaryKey {
		if k == from.Text {
			b.table.PrimaryKey[i] = to.Text
		}
	}
	if w := b.table.Watermark; w != nil && w.Column == from.Text {
		return diag.At(from.Pos(), "column %q has the watermark", from.Text).WithHint("DROP WATERMARK first")
	}
	return nil
}
