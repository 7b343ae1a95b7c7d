package join

import (
	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/operator"
	"github.com/weirflow/weirflow/services/transform/internal/operator/row"
)

// output puts joined rows out.
type output struct {
	rows   *operator.Rows
	left   int
	record int
}

// joined adds the row mine of a side with the row other of the other side. An
// empty row is NULLs.
func (o *output) joined(kind column.Kind, side int, mine, other string) error {
	if side == 1 {
		mine, other = other, mine
	}
	o.rows.Add(kind, o.record)
	cols := o.rows.Batch.Cols
	if err := decode(mine, cols[:o.left]); err != nil {
		return err
	}
	return decode(other, cols[o.left:])
}

func decode(text string, cols []*column.Vector) error {
	if text == "" {
		for _, c := range cols {
			operator.AppendNull(c)
		}
		return nil
	}
	_, err := row.Decode(text, cols)
	return err
}

// alone adds a row of the left side by itself.
func (o *output) alone(kind column.Kind, text string) error {
	o.rows.Add(kind, o.record)
	return decode(text, o.rows.Batch.Cols)
}
