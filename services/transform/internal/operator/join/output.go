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
	naming naming
	// copies are the numbers of the rows mine and other among those that are the
	// same on their side.
	copies [2]int64
}

// naming is what tells rows that are the same apart.
type naming uint8

const (
	together naming = iota // all come at once: their order
	counted                // copies is set
	byRecord               // each is of a record
)

// named names the row that was added last by the rows that it was joined of.
func (o *output) named(left, right string, copies [2]int64) {
	switch o.naming {
	case together:
		o.rows.NameAmong(left, right)
	case counted:
		o.rows.NameCopy(copies[0]<<32|copies[1]&(1<<32-1), left, right)
	case byRecord:
		o.rows.NameRecord()
	}
}

// joined adds the row mine of a side with the row other of the other side. An
// empty row is NULLs.
func (o *output) joined(kind column.Kind, side int, mine, other string) error {
	copies := o.copies
	if side == 1 {
		mine, other = other, mine
		copies[0], copies[1] = copies[1], copies[0]
	}
	o.rows.Add(kind, o.record)
	o.named(mine, other, copies)
	cols := o.rows.Batch.Cols
	if err := decode(mine, cols[:o.left]); err != nil {
		return err
	}
	return decode(other, cols[o.left:])
}

// lone adds a row that can have no partner and is not kept, so that nobody knows how
// many there were of it.
func (o *output) lone(kind column.Kind, side int, mine string) error {
	was := o.naming
	o.naming = byRecord
	defer func() { o.naming = was }()
	return o.joined(kind, side, mine, "")
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
	o.named(text, "", o.copies)
	return decode(text, o.rows.Batch.Cols)
}

// marked adds a row of the left side and whether it has a match.
func (o *output) marked(kind column.Kind, text string, mark bool) error {
	o.rows.Add(kind, o.record)
	cols := o.rows.Batch.Cols
	v := cols[len(cols)-1]
	v.Extend(1)
	v.Bools[v.Len-1] = mark
	return decode(text, cols[:len(cols)-1])
}
