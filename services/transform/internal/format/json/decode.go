package json

import (
	"fmt"

	"github.com/weirflow/weirflow/services/transform/internal/column"
)

// Decoder decodes records into columns, a batch at a time.
type Decoder struct {
	opt    Options
	root   []*field
	cols   []*column.Vector
	row    int // the next row
	size   int // the rows that the vectors have room for
	track  *tracker
	cache  cache
	buf    []byte
	origin []int32
	record int32
}

// NewDecoder returns a decoder of the columns given.
func NewDecoder(columns []Column, opt Options) *Decoder {
	d := &Decoder{opt: opt}
	for _, c := range columns {
		vec := column.New(c.Type)
		d.cols = append(d.cols, vec)
		d.root = append(d.root, newField(c.Name, c.Type, vec, c.Paths))
	}
	return d
}

// Begin starts a batch of about n records. The vectors of the last batch are used again.
func (d *Decoder) Begin(n int) {
	d.row, d.record, d.size = 0, 0, n
	d.origin = d.origin[:0]
	d.cache.generation++
	for _, c := range d.cols {
		c.ResetNull(n)
	}
}

// Decode adds the rows of one record: one for an object, one for each element of
// an array. What it returns is how many. A null record adds none, nor does one
// that is skipped because of json.ignore-parse-errors.
func (d *Decoder) Decode(data []byte) (int, error) {
	if data == nil {
		d.record++
		return 0, nil
	}
	before := d.row
	err := d.decode(data)
	record := d.record
	d.record++
	if err != nil {
		d.clear(before)
		if d.opt.IgnoreParseErrors {
			return 0, nil
		}
		return 0, err
	}
	for range d.row - before {
		d.origin = append(d.origin, record)
	}
	return d.row - before, nil
}

func (d *Decoder) decode(data []byte) error {
	if d.row >= d.size {
		d.grow()
	}
	if d.cache.decode(d, data) {
		return nil
	}
	p := skipSpace(data, 0)
	if p >= len(data) {
		return errEnd
	}
	switch data[p] {
	case '{':
		d.track = d.cache.tracker()
		if _, err := d.object(d.root, data, p, d.row, 0); err != nil {
			return err
		}
		d.cache.keep(data, d.track)
		d.track = nil
		d.row++
		return nil
	case '[':
		return d.array(data, p)
	default:
		return unexpected(data, p, "a JSON object")
	}
}

func (d *Decoder) array(data []byte, p int) error {
	p = skipSpace(data, p+1)
	if p < len(data) && data[p] == ']' {
		return nil
	}
	for {
		if p >= len(data) {
			return errEnd
		}
		if data[p] != '{' {
			return unexpected(data, p, "a JSON object")
		}
		if d.row >= d.size {
			d.grow()
		}
		var err error
		if p, err = d.object(d.root, data, p, d.row, 1); err != nil {
			return err
		}
		d.row++
		more := false
		if p, more, err = next(data, p, ']'); err != nil || !more {
			return err
		}
	}
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

// clear takes back the rows from row on.
func (d *Decoder) clear(row int) {
	d.track = nil
	for _, c := range d.cols {
		setNulls(c, row, min(d.row+1, d.size))
	}
	d.row = row
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

// object decodes the object at p into row of the fields' vectors.
func (d *Decoder) object(fields []*field, data []byte, p, row, depth int) (int, error) {
	if depth > maxDepth {
		return p, errDeep
	}
	p = skipSpace(data, p+1)
	if p < len(data) && data[p] == '}' {
		if d.opt.FailOnMissingField && len(fields) > 0 {
			return p, fmt.Errorf("%w: %q", errMissing, fields[0].name)
		}
		return p + 1, nil
	}
	var few [4]uint64
	seen := column.Bitmap(few[:])
	if len(fields) > 64*len(few) {
		seen = make(column.Bitmap, (len(fields)+63)/64)
	}
	for hint := 0; ; {
		name, at, err := key(data, p)
		if err != nil {
			return p, err
		}
		p = at
		match := -1
		if fields != nil {
			match = find(fields, d.name(data, name), hint)
		}
		if match >= 0 {
			hint = match + 1
			if d.track != nil && seen.Get(match) {
				d.track.bad = true // the last of two members of one name counts
			}
			seen.Set(match)
			p, err = d.member(fields[match], data, p, row, depth)
		} else {
			p, err = d.unread(data, p, depth)
		}
		if err != nil {
			return p, err
		}
		more := false
		if p, more, err = next(data, p, '}'); err != nil {
			return p, err
		}
		if !more {
			break
		}
	}
	if d.opt.FailOnMissingField {
		for i, f := range fields {
			if !seen.Get(i) {
				return p, fmt.Errorf("%w: %q", errMissing, f.name)
			}
		}
	}
	return p, nil
}

func (d *Decoder) name(data []byte, t text) []byte {
	raw := data[t.start:t.end]
	if t.escaped {
		if b, err := Unescape(d.buf[:0], raw); err == nil {
			d.buf = b
			return b
		}
	}
	return raw
}

// member decodes a value that is read, into a row that is NULL so far.
func (d *Decoder) member(f *field, data []byte, p, row, depth int) (int, error) {
	if f.layout == column.Rows && p < len(data) && data[p] == '{' {
		if d.track != nil {
			d.track.row(f)
		}
		f.vec.SetNotNull(row)
		end, err := d.object(f.fields, data, p, row, depth+1)
		if err != nil && d.opt.IgnoreParseErrors {
			return d.forgive(f, data, p, row, depth)
		}
		return end, err
	}
	end, err := d.value(f, data, p, row, depth)
	if d.track != nil && err == nil {
		d.track.leaf(f, p, end)
	}
	return end, err
}

// unread goes over a value that nobody reads.
func (d *Decoder) unread(data []byte, p, depth int) (int, error) {
	if d.track != nil && p < len(data) && data[p] == '{' {
		return d.object(nil, data, p, 0, depth+1)
	}
	end, err := skip(data, p, depth)
	if d.track != nil && err == nil {
		d.track.leaf(nil, p, end)
	}
	return end, err
}

// forgive makes a value NULL that is not of its type.
func (d *Decoder) forgive(f *field, data []byte, p, row, depth int) (int, error) {
	if d.track != nil {
		d.track.bad = true
	}
	setNulls(f.vec, row, row+1)
	return skip(data, p, depth)
}

// value decodes any value but the object of a ROW that member has taken.
func (d *Decoder) value(f *field, data []byte, p, row, depth int) (int, error) {
	if p >= len(data) {
		return p, errEnd
	}
	if data[p] == 'n' {
		end, err := scanWord(data, p)
		if err == nil {
			f.vec.SetNull(row)
		}
		return end, err
	}
	end, err := d.convert(f, data, p, row, depth)
	if err == nil {
		return end, nil
	}
	if d.opt.IgnoreParseErrors {
		return d.forgive(f, data, p, row, depth)
	}
	if f.name == "" {
		return end, err
	}
	return end, fmt.Errorf("field %q: %w", f.name, err)
}

func (d *Decoder) convert(f *field, data []byte, p, row, depth int) (int, error) {
	if depth > maxDepth {
		return p, errDeep
	}
	switch f.layout {
	case column.Rows:
		if data[p] != '{' {
			return p, unexpected(data, p, "an object for "+f.typ.Kind.String())
		}
		f.vec.SetNotNull(row)
		saved := d.track
		d.track = nil
		end, err := d.object(f.fields, data, p, row, depth+1)
		d.track = saved
		return end, err
	case column.Lists:
		return d.list(f, data, p, row, depth)
	case column.Maps:
		return d.mapping(f, data, p, row, depth)
	default:
		return d.scalar(f, data, p, row, depth)
	}
}
