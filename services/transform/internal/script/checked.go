package script

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/exec"
	"github.com/weirflow/weirflow/services/transform/internal/plan"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

// Checked wraps a sink so that what does not fit the table's columns fails the
// job, or is left out or cut, as the settings say.
func Checked(p *plan.Sink, s exec.Sink) exec.Sink {
	c := &checked{plan: p, sink: s}
	if p.Lengths != plan.IgnoreLength {
		for i, f := range p.Table.Physical {
			if limited(f.Type) && i < len(p.Input.Out().Fields) {
				c.limited = append(c.limited, i)
			}
		}
	}
	if len(p.NotNull) == 0 && len(c.limited) == 0 {
		return s
	}
	return c
}

func limited(t types.Type) bool {
	switch t.Kind {
	case types.Char, types.Binary:
		return true
	case types.Varchar, types.Varbinary:
		return t.Length > 0 && t.Length < types.MaxLength
	default:
		return false
	}
}

type checked struct {
	plan    *plan.Sink
	sink    exec.Sink
	limited []int
	sel     []int32
	kept    column.Batch
	fitted  column.Batch
}

// Write checks the rows and passes them on.
func (c *checked) Write(b *column.Batch, r *exec.Receipt) error {
	b, err := c.notNull(b)
	if err != nil || b.Len == 0 {
		return err
	}
	for _, col := range c.limited {
		if b, err = c.fit(b, col); err != nil {
			return err
		}
	}
	return c.sink.Write(b, r)
}

// notNull returns the rows without NULL where the table wants none.
func (c *checked) notNull(b *column.Batch) (*column.Batch, error) {
	nulls := false
	for _, col := range c.plan.NotNull {
		nulls = nulls || b.Cols[col].HasNulls()
	}
	if !nulls {
		return b, nil
	}
	c.sel = c.sel[:0]
	for i := range b.Len {
		bad := -1
		for _, col := range c.plan.NotNull {
			if b.Cols[col].IsNull(i) {
				bad = col
				break
			}
		}
		switch {
		case bad < 0:
			c.sel = append(c.sel, int32(i))
		case !c.plan.DropNulls:
			return nil, c.rowError(b, i, fmt.Errorf("table %q: column %q is NOT NULL, and a row has NULL for it; filter such rows out, drop the constraint, or SET 'table.exec.sink.not-null-enforcer' = 'DROP'",
				c.plan.Table.Name, c.name(bad)))
		}
	}
	if len(c.sel) == b.Len {
		return b, nil
	}
	b.Select(&c.kept, c.sel, nil)
	return &c.kept, nil
}

func (c *checked) name(col int) string { return c.plan.Input.Out().Fields[col].Name }

func (c *checked) rowError(b *column.Batch, i int, err error) error {
	e := &exec.RowError{Err: err}
	if b.Origin != nil {
		e.Record = b.Origin.Describe(b.Record(i))
	}
	return e
}

// fit cuts or fills the values of a column to its length, or refuses them.
func (c *checked) fit(b *column.Batch, col int) (*column.Batch, error) {
	t := c.plan.Table.Physical[col].Type
	v := b.Cols[col]
	var own *column.Vector
	for i := range b.Len {
		if v.IsNull(i) {
			continue
		}
		s, ok := fitted(v.Strs[i], t)
		if ok {
			continue
		}
		if c.plan.Lengths == plan.RefuseLength {
			return nil, c.rowError(b, i, fmt.Errorf("table %q: column %q is %s, and a row has a value of another length for it; cast it, or SET 'table.exec.sink.type-length-enforcer' = 'TRIM_PAD'",
				c.plan.Table.Name, c.name(col), t.OrNull()))
		}
		if own == nil {
			own = column.New(v.Type)
			for k := range b.Len {
				own.AppendRow(v, k)
			}
		}
		own.Strs[i] = s
	}
	if own == nil {
		return b, nil
	}
	if b != &c.fitted {
		c.fitted = *b
		c.fitted.Cols = append([]*column.Vector{}, b.Cols...)
	}
	c.fitted.Cols[col] = own
	return &c.fitted, nil
}

// fitted returns a value of the length that a type wants; ok says that it has it.
func fitted(s string, t types.Type) (out string, ok bool) {
	text := t.Kind.IsCharacter()
	n := len(s)
	if text {
		n = utf8.RuneCountInString(s)
	}
	switch {
	case n > t.Length && text:
		return string([]rune(s)[:t.Length]), false
	case n > t.Length:
		return s[:t.Length], false
	case n < t.Length && t.Kind == types.Char:
		return s + strings.Repeat(" ", t.Length-n), false
	case n < t.Length && t.Kind == types.Binary:
		return s + strings.Repeat("\x00", t.Length-n), false
	}
	return s, true
}
