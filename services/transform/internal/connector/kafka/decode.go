package kafka

import (
	"errors"
	"fmt"
	"strings"

	"github.com/weirflow/weirflow/services/platform/kafka"

	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/connector"
	"github.com/weirflow/weirflow/services/transform/internal/format"
	"github.com/weirflow/weirflow/services/transform/internal/format/json"
	"github.com/weirflow/weirflow/services/transform/internal/plan"
)

// Where a column of the scan comes from.
const (
	fromValue = iota
	fromKey
	fromMeta
)

// decoding turns Kafka records into the columns of a scan.
type decoding struct {
	value  format.Decoder
	key    format.Decoder // nil without key columns
	places []place
	sel    []int32
	cols   []*column.Vector
	// letters are the records of the batch that could not be decoded and are kept.
	letters kafka.Records

	// Of a table that is upserted: records without a value delete a row.
	upsert  bool
	deletes bool    // the batch has such records
	from    []int32 // the row of the value for each row, -1 for a deletion
	rows    []int32
	kinds   []column.Kind
}

var errNoKey = errors.New("the record has no key, which the primary key is read from")

// keyBroken stands in decoding.sel for a record whose key cannot be decoded.
const keyBroken = -2

type place struct {
	from  int
	index int // among the columns of the value or key
	meta  string
	vec   *column.Vector // of metadata and, once aligned with the value's rows, of the key
}

func newDecoding(scan *plan.Scan, o *connector.Options) (*decoding, error) {
	l, err := layoutOf(scan.Table, o)
	if err != nil {
		return nil, err
	}
	d := &decoding{upsert: o.Text("connector") == upsertName}
	var values, keyed []json.Column
	for _, c := range scan.Columns {
		col := json.Column{Name: c.Name, Type: c.Type, Paths: c.Paths}
		switch {
		case c.Metadata != "":
			d.places = append(d.places, place{from: fromMeta, meta: c.Metadata, vec: column.New(c.Type)})
		case l.inKey[c.Physical]:
			col.Name = strings.TrimPrefix(c.Name, o.Text("key.fields-prefix"))
			d.places = append(d.places, place{from: fromKey, index: len(keyed), vec: column.New(c.Type)})
			keyed = append(keyed, col)
		default:
			d.places = append(d.places, place{from: fromValue, index: len(values)})
			values = append(values, col)
		}
	}
	name := valueFormat(o)
	if d.value, err = format.NewDecoder(o, o.Text(name), strings.TrimSuffix(name, "format"), values, l.valueFields); err != nil {
		return nil, err
	}
	if len(keyed) > 0 || d.upsert {
		d.key, err = format.NewDecoder(o, o.Text("key.format"), "key.", keyed, l.keyFields)
	}
	return d, err
}

// batch decodes the first n records. Those that cannot be decoded are given to
// bad, if there is one, and have no row.
func (d *decoding) batch(b records, n int, o *origin, bad *broken) ([]*column.Vector, []int32, error) {
	d.letters.Reset()
	var keys []*column.Vector
	if d.key != nil {
		var err error
		if keys, err = d.keys(b, n, o, bad); err != nil {
			return nil, nil, err
		}
	}
	d.value.Begin(n)
	d.deletes = false
	for i := range n {
		if err := d.decodeValue(b, i, o, bad); err != nil {
			return nil, nil, err
		}
	}
	cols, rows := d.value.Finish()
	if d.upsert {
		rows = d.merge(b, n, rows)
	}
	d.cols = d.cols[:0]
	for i := range d.places {
		p := &d.places[i]
		switch {
		case p.from == fromValue && d.deletes:
			if p.vec == nil {
				p.vec = column.New(cols[p.index].Type)
			}
			column.Gather(p.vec, cols[p.index], d.from)
			d.cols = append(d.cols, p.vec)
		case p.from == fromValue:
			d.cols = append(d.cols, cols[p.index])
		case p.from == fromKey:
			column.Gather(p.vec, keys[p.index], d.keyRows(rows))
			d.cols = append(d.cols, p.vec)
		default:
			p.vec.Reset(len(rows))
			for r, record := range rows {
				setMetadata(p.vec, r, p.meta, b, int(record))
			}
			d.cols = append(d.cols, p.vec)
		}
	}
	return d.cols, rows, nil
}

// decodeValue adds the rows of record i.
func (d *decoding) decodeValue(b records, i int, o *origin, bad *broken) error {
	value := b.Record(i).Value
	if d.key != nil && d.sel[i] == keyBroken {
		value = nil // no row
	} else if d.upsert && value == nil {
		d.deletes = true
		return skipRecord(d.value)
	}
	_, err := d.value.Decode(value)
	switch {
	case err == nil:
		return nil
	case bad == nil:
		return fmt.Errorf("%s: %w: %s", o.Describe(i), err, shorten(value))
	default:
		return bad.add(&d.letters, b, i, err)
	}
}

// skipRecord tells a decoder of a record that has no row.
func skipRecord(f format.Decoder) error {
	if s, ok := f.(interface{ Skip() }); ok {
		s.Skip()
		return nil
	}
	_, err := f.Decode(nil)
	return err
}

// merge puts the rows that deletions are between those of the values, and says
// what kind each is.
func (d *decoding) merge(b records, n int, rows []int32) []int32 {
	d.from, d.rows, d.kinds = d.from[:0], d.rows[:0], d.kinds[:0]
	next := 0
	for i := range n {
		for next < len(rows) && int(rows[next]) == i {
			d.from, d.rows, d.kinds = append(d.from, int32(next)), append(d.rows, int32(i)), append(d.kinds, column.UpdateAfter)
			next++
		}
		if b.Record(i).Value == nil && d.sel[i] >= 0 {
			d.from, d.rows, d.kinds = append(d.from, -1), append(d.rows, int32(i)), append(d.kinds, column.Delete)
		}
	}
	return d.rows
}

// keys decodes the keys; d.sel tells the row of each record, or why there is none.
func (d *decoding) keys(b records, n int, o *origin, bad *broken) ([]*column.Vector, error) {
	d.key.Begin(n)
	d.sel = d.sel[:0]
	row := int32(0)
	for i := range n {
		key := b.Record(i).Key
		added, err := d.key.Decode(key)
		if err == nil && d.upsert && (key == nil || added == 0) {
			err = errNoKey
		}
		switch {
		case err != nil && bad == nil:
			return nil, fmt.Errorf("key of %s: %w: %s", o.Describe(i), err, shorten(key))
		case err != nil:
			if err := bad.add(&d.letters, b, i, fmt.Errorf("key: %w", err)); err != nil {
				return nil, err
			}
			d.sel = append(d.sel, keyBroken)
			continue
		case added == 0:
			d.sel = append(d.sel, -1)
			continue
		}
		d.sel = append(d.sel, row)
		row += int32(added)
	}
	cols, _ := d.key.Finish()
	return cols, nil
}

func (d *decoding) keyRows(rows []int32) []int32 {
	sel := make([]int32, len(rows))
	for i, r := range rows {
		sel[i] = d.sel[r]
	}
	return sel
}

func shorten(b []byte) string {
	if len(b) > 200 {
		return string(b[:200]) + "…"
	}
	return string(b)
}
