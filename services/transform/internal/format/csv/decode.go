package csv

import (
	"bytes"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

var (
	errUTF8  = errors.New("the text is not UTF-8")
	errQuote = errors.New("a quoted value does not end")
)

// field is a place in the record.
type field struct {
	name string
	typ  types.Type
	vec  *column.Vector // nil when nobody reads it
}

// Decoder decodes records into columns, a batch at a time.
type Decoder struct {
	opt    Options
	sep    []byte
	quote  []byte
	escape []byte
	fields []field
	cols   []*column.Vector
	row    int // the next row
	size   int // the rows that the vectors have room for
	record int32
	origin []int32
	buf    []byte // a value whose escapes have been taken out
	copied bool   // the value is in buf
}

// NewDecoder returns a decoder of records that have the given fields. read names
// the fields that are wanted, in the order of the columns.
func NewDecoder(fields []types.Field, read []string, opt Options) (*Decoder, error) {
	if err := opt.Validate(); err != nil {
		return nil, err
	}
	d := &Decoder{opt: opt, sep: []byte(opt.FieldDelimiter), quote: []byte(opt.Quote), escape: []byte(opt.Escape)}
	at := make(map[string]int, len(fields))
	for i, f := range fields {
		at[f.Name] = i
		d.fields = append(d.fields, field{name: f.Name, typ: f.Type})
		if err := supported(f.Type, 0); err != nil {
			return nil, fmt.Errorf("column %q: %w", f.Name, err)
		}
	}
	for _, name := range read {
		i, ok := at[name]
		if !ok {
			return nil, fmt.Errorf("format 'csv' has no column %q", name)
		}
		vec := column.New(d.fields[i].typ)
		d.fields[i].vec = vec
		d.cols = append(d.cols, vec)
	}
	return d, nil
}

// supported says why the format cannot carry a type.
func supported(t types.Type, depth int) error {
	switch {
	case t.Kind == types.Map, t.Kind == types.Multiset, t.Kind == types.Raw:
		return fmt.Errorf("format 'csv' has no %s", t.Kind)
	case t.Kind == types.Time && t.Precision > 3:
		return fmt.Errorf("format 'csv' has TIME of at most 3 fraction digits, not %d", t.Precision)
	case (t.Kind == types.Array || t.Kind == types.Row) && depth > 0:
		return fmt.Errorf("format 'csv' has no %s within an ARRAY or ROW", t.Kind)
	case t.Kind == types.Array:
		return supported(*t.Elem, depth+1)
	}
	for _, f := range t.Fields {
		if err := supported(f.Type, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// Begin starts a batch of about n records. The vectors of the last batch are used again.
func (d *Decoder) Begin(n int) {
	d.row, d.record, d.size = 0, 0, n
	d.origin = d.origin[:0]
	for _, c := range d.cols {
		c.ResetNull(n)
	}
}

// Decode adds the row of a record and returns how many were added: none for a
// null or empty record, for a comment, and for a record that is skipped because of
// csv.ignore-parse-errors. What follows the first line end outside quotes is not read.
func (d *Decoder) Decode(data []byte) (int, error) {
	record := d.record
	d.record++
	for d.opt.AllowComments && len(data) > 0 && data[0] == '#' {
		end := bytes.IndexByte(data, '\n')
		if end < 0 {
			return 0, nil
		}
		data = data[end+1:]
	}
	if len(data) == 0 {
		return 0, nil
	}
	if d.row >= d.size {
		d.grow()
	}
	if err := d.decode(data); err != nil {
		for _, c := range d.cols {
			setNulls(c, d.row, d.row+1)
		}
		if d.opt.IgnoreParseErrors {
			return 0, nil
		}
		return 0, err
	}
	d.row++
	d.origin = append(d.origin, record)
	return 1, nil
}

func (d *Decoder) decode(data []byte) error {
	if !utf8.Valid(data) {
		return errUTF8
	}
	p, n := 0, 0
	for {
		text, end, err := d.value(data, p)
		if err != nil {
			return d.at(n, err)
		}
		more := end < len(data) && bytes.HasPrefix(data[end:], d.sep)
		if n >= len(d.fields) {
			// A delimiter behind the last value is allowed.
			if n > len(d.fields) || more || len(text) > 0 {
				return fmt.Errorf("the record has more values than the table has columns, which is %d", len(d.fields))
			}
			return nil
		}
		if f := &d.fields[n]; f.vec != nil {
			if err := d.set(f.vec, d.row, text); err != nil {
				if !d.opt.IgnoreParseErrors {
					return d.at(n, err)
				}
				setNulls(f.vec, d.row, d.row+1)
			}
		}
		n++
		if !more {
			break
		}
		p = end + len(d.sep)
	}
	if n < len(d.fields) && !d.opt.IgnoreParseErrors {
		return fmt.Errorf("the record has %d values, and the table %d columns", n, len(d.fields))
	}
	return nil
}

func (d *Decoder) at(n int, err error) error {
	if n < len(d.fields) {
		return fmt.Errorf("value %d (%q): %w", n+1, d.fields[n].name, err)
	}
	return fmt.Errorf("value %d: %w", n+1, err)
}

func (d *Decoder) grow() {
	add := max(d.size, 16)
	for _, c := range d.cols {
		extendNull(c, add)
	}
	d.size += add
}

func extendNull(v *column.Vector, n int) {
	from := v.Len
	v.Extend(n)
	setNulls(v, from, v.Len)
}

func setNulls(v *column.Vector, from, to int) {
	for i := from; i < to; i++ {
		v.SetNull(i)
	}
	for _, f := range v.Fields {
		if f != nil {
			setNulls(f, from, to)
		}
	}
}

// Finish returns the columns of the batch and, for each row, the number of its
// record among those given to Decode. Both are valid until Begin.
func (d *Decoder) Finish() (cols []*column.Vector, records []int32) {
	for _, c := range d.cols {
		c.Truncate(d.row)
		c.Settle()
	}
	return d.cols, d.origin
}
