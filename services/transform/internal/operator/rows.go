package operator

import (
	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

// fullBatch is how many rows are put out together.
const fullBatch = 4096

// Rows collects the rows that an operator puts out.
type Rows struct {
	Batch  column.Batch
	kinds  []column.Kind
	rows   []int32
	names  names
	origin column.Origin // that the rows follow from
	lane   uint32
}

// NewRows returns rows with columns of the types of fields.
func NewRows(fields []types.Field) *Rows {
	r := &Rows{}
	for _, f := range fields {
		r.Batch.Cols = append(r.Batch.Cols, column.New(f.Type))
	}
	return r
}

// From says that the rows to come follow from row i of b.
func (r *Rows) From(b *column.Batch) {
	r.origin, r.lane = nil, 0
	if b != nil {
		r.origin, r.lane = b.Origin, b.Lane
	}
	clear(r.names.copies)
}

// Add begins a row of a kind; the caller then appends a value to every column.
// record is the row's record in its origin.
func (r *Rows) Add(kind column.Kind, record int) {
	r.Batch.Len++
	r.kinds = append(r.kinds, kind)
	r.rows = append(r.rows, int32(record))
}

// Drop takes the last n rows back.
func (r *Rows) Drop(n int) {
	r.Batch.Len -= n
	r.kinds, r.rows = r.kinds[:r.Batch.Len], r.rows[:r.Batch.Len]
	r.names.list = r.names.list[:min(len(r.names.list), r.Batch.Len)]
	for _, c := range r.Batch.Cols {
		c.Truncate(r.Batch.Len)
	}
}

// SetKind changes the kind of a row.
func (r *Rows) SetKind(i int, kind column.Kind) { r.kinds[i] = kind }

// Kind returns the kind of a row.
func (r *Rows) Kind(i int) column.Kind { return r.kinds[i] }

// Spill puts the rows out if they are many.
func (r *Rows) Spill(out Emitter) error {
	if r.Batch.Len < fullBatch {
		return nil
	}
	return r.Flush(out)
}

// Flush puts the rows out.
func (r *Rows) Flush(out Emitter) error {
	if r.Batch.Len == 0 {
		return nil
	}
	r.Finish()
	err := out.Emit(&r.Batch)
	r.Reset()
	return err
}

// Finish makes Batch what Flush puts out.
func (r *Rows) Finish() {
	r.Batch.Kinds, r.Batch.Rows, r.Batch.Origin, r.Batch.Lane = nil, r.rows, r.origin, r.lane
	for _, k := range r.kinds {
		if k != column.Insert {
			r.Batch.Kinds = r.kinds
			break
		}
	}
	if len(r.names.list) == r.Batch.Len && r.Batch.Len > 0 {
		r.names.origin, r.names.rows = r.origin, r.rows
		r.Batch.Origin, r.Batch.Rows, r.Batch.Lane = &r.names, nil, 0
		return
	}
	if r.Batch.Origin == nil {
		r.Batch.Rows = nil
	}
}

// Reset forgets all rows.
func (r *Rows) Reset() {
	r.Batch.Len = 0
	r.kinds, r.rows, r.names.list = r.kinds[:0], r.rows[:0], r.names.list[:0]
	for _, c := range r.Batch.Cols {
		c.Reset(0)
	}
}

// Append appends row i of src to dst, which is of the same layout. Text is shared.
func Append(dst, src *column.Vector, i int) {
	dst.Extend(1)
	if src == nil {
		dst.SetNull(dst.Len - 1)
		return
	}
	column.CopyRow(dst, dst.Len-1, src, i)
}

// AppendNull appends NULL.
func AppendNull(dst *column.Vector) {
	dst.Extend(1)
	dst.SetNull(dst.Len - 1)
	for _, f := range dst.Fields {
		if f != nil {
			f.SetNull(dst.Len - 1)
		}
	}
}
