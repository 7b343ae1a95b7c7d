package exec

import (
	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/eval"
)

// source stands for a scan; batches are pushed into what follows it.
type source struct{ stateless }

func (source) Process(_ int, b *column.Batch, out Emitter) error { return out.Emit(b) }

// filter keeps the rows for which the condition is TRUE.
type filter struct {
	stateless
	cond *eval.Program
	want []bool // the columns that are read behind it; nil for all
	sel  []int32
	out  column.Batch
}

func (f *filter) Process(_ int, b *column.Batch, out Emitter) error {
	v, err := f.cond.Eval(b)
	if err != nil {
		return located(err, b)
	}
	f.sel = f.sel[:0]
	if v.HasNulls() {
		for i := range b.Len {
			if v.Bools[i] && !v.IsNull(i) {
				f.sel = append(f.sel, int32(i))
			}
		}
	} else {
		for i, ok := range v.Bools[:b.Len] {
			if ok {
				f.sel = append(f.sel, int32(i))
			}
		}
	}
	switch len(f.sel) {
	case 0:
		return nil
	case b.Len:
		return out.Emit(b)
	}
	b.Select(&f.out, f.sel, f.want)
	return out.Emit(&f.out)
}

// project computes columns.
type project struct {
	stateless
	exprs []*eval.Program
	out   column.Batch
}

func (p *project) Process(_ int, b *column.Batch, out Emitter) error {
	p.out.Len, p.out.Kinds, p.out.Origin, p.out.Rows, p.out.Lane = b.Len, b.Kinds, b.Origin, b.Rows, b.Lane
	p.out.Cols = p.out.Cols[:0]
	for _, e := range p.exprs {
		v, err := e.Eval(b)
		if err != nil {
			return located(err, b)
		}
		p.out.Cols = append(p.out.Cols, v)
	}
	return out.Emit(&p.out)
}

// union passes the rows of all inputs on, each in its own lane.
type union struct {
	remembering
	inputs int
	marks  []int64
	last   int64
	out    column.Batch
}

func (u *union) Process(in int, b *column.Batch, out Emitter) error {
	u.out = *b
	u.out.Lane = b.Lane*uint32(u.inputs) + uint32(in)
	return out.Emit(&u.out)
}

func (u *union) Watermark(in int, ts int64, out Emitter) error {
	u.marks[in] = ts
	low := ts
	for _, m := range u.marks {
		low = min(low, m)
	}
	if low <= u.last {
		return nil
	}
	u.last = low
	return out.Watermark(low)
}

// RowError is an error of one row, with the record that it came from.
type RowError struct {
	Record string
	Err    error
}

// Error names the record.
func (e *RowError) Error() string {
	if e.Record == "" {
		return e.Err.Error()
	}
	return e.Err.Error() + " (" + e.Record + ")"
}

// Unwrap returns the error without the record.
func (e *RowError) Unwrap() error { return e.Err }

// located adds to an expression's error which record it was.
func located(err error, b *column.Batch) error {
	e, ok := err.(*eval.Error) //nolint:errorlint // programs return it unwrapped
	if !ok || b.Origin == nil || e.Row >= b.Len {
		return err
	}
	return &RowError{Record: b.Origin.Describe(b.Record(e.Row)), Err: err}
}
