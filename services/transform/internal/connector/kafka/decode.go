package kafka

import (
	"fmt"
	"slices"
	"strings"

	"github.com/weirflow/weirflow/services/platform/kafka"

	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/connector"
	"github.com/weirflow/weirflow/services/transform/internal/format"
	"github.com/weirflow/weirflow/services/transform/internal/format/json"
	"github.com/weirflow/weirflow/services/transform/internal/plan"
	"github.com/weirflow/weirflow/services/transform/internal/types"
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
}

// keyBroken stands in decoding.sel for a record whose key cannot be decoded.
const keyBroken = -2

type place struct {
	from  int
	index int // among the columns of the value or key
	meta  string
	vec   *column.Vector // of metadata and, once aligned with the value's rows, of the key
}

var metadata = []string{"topic", "partition", "offset", "timestamp", "timestamp-type", "headers", "leader-epoch"}

func checkScan(scan *plan.Scan, _ *connector.Options) error {
	for _, c := range scan.Columns {
		if c.Metadata != "" && !slices.Contains(metadata, c.Metadata) {
			return fmt.Errorf("table %q: column %q: connector 'kafka' has no metadata %q; it has %s", scan.Table.Name, c.Name, c.Metadata, strings.Join(metadata, ", "))
		}
	}
	return nil
}

func newDecoding(scan *plan.Scan, o *connector.Options) (*decoding, error) {
	keys, err := keyFields(scan.Table, o)
	if err != nil {
		return nil, err
	}
	exceptKey := o.Enum("value.fields-include") == "EXCEPT_KEY"
	d := &decoding{}
	var values, keyed []json.Column
	for _, c := range scan.Columns {
		col := json.Column{Name: c.Name, Type: c.Type, Paths: c.Paths}
		switch {
		case c.Metadata != "":
			d.places = append(d.places, place{from: fromMeta, meta: c.Metadata, vec: column.New(c.Type)})
		case keys[c.Physical] && exceptKey:
			col.Name = strings.TrimPrefix(c.Name, o.Text("key.fields-prefix"))
			d.places = append(d.places, place{from: fromKey, index: len(keyed), vec: column.New(c.Type)})
			keyed = append(keyed, col)
		default:
			d.places = append(d.places, place{from: fromValue, index: len(values)})
			values = append(values, col)
		}
	}
	name := valueFormat(o)
	if d.value, err = format.NewDecoder(o, o.Text(name), strings.TrimSuffix(name, "format"), values); err != nil {
		return nil, err
	}
	if len(keyed) > 0 {
		d.key, err = format.NewDecoder(o, o.Text("key.format"), "key.", keyed)
	}
	return d, err
}

// batch decodes the first n records. Those that cannot be decoded are given to
// bad, if there is one, and have no row.
func (d *decoding) batch(b *kafka.Batch, n int, o *origin, bad *broken) ([]*column.Vector, []int32, error) {
	d.letters.Reset()
	var keys []*column.Vector
	if d.key != nil {
		var err error
		if keys, err = d.keys(b, n, o, bad); err != nil {
			return nil, nil, err
		}
	}
	d.value.Begin(n)
	for i := range n {
		value := b.Record(i).Value
		if d.key != nil && d.sel[i] == keyBroken {
			value = nil // no row
		}
		if _, err := d.value.Decode(value); err != nil {
			if bad == nil {
				return nil, nil, fmt.Errorf("%s: %w: %s", o.Describe(i), err, shorten(value))
			}
			if err := bad.add(&d.letters, b, i, err); err != nil {
				return nil, nil, err
			}
		}
	}
	cols, rows := d.value.Finish()
	d.cols = d.cols[:0]
	for i := range d.places {
		p := &d.places[i]
		switch p.from {
		case fromValue:
			d.cols = append(d.cols, cols[p.index])
		case fromKey:
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

// keys decodes the keys; d.sel tells the row of each record, or why there is none.
func (d *decoding) keys(b *kafka.Batch, n int, o *origin, bad *broken) ([]*column.Vector, error) {
	d.key.Begin(n)
	d.sel = d.sel[:0]
	row := int32(0)
	for i := range n {
		key := b.Record(i).Key
		added, err := d.key.Decode(key)
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

func setMetadata(v *column.Vector, row int, meta string, b *kafka.Batch, i int) {
	r := b.Record(i)
	switch meta {
	case "topic":
		v.Strs[row] = r.Topic
	case "partition":
		v.Ints[row] = int64(r.Partition)
	case "offset":
		v.Ints[row] = r.Offset
	case "timestamp":
		v.SetTime(row, types.TimestampValue{Millis: r.TimestampMillis})
	case "timestamp-type":
		v.Strs[row] = "CreateTime"
		if r.LogAppendTime {
			v.Strs[row] = "LogAppendTime"
		}
	case "headers":
		var m column.MapValue
		for _, h := range b.Headers(i) {
			m.Keys, m.Values = append(m.Keys, h.Key), append(m.Values, string(h.Value))
		}
		v.Set(row, m)
	default:
		v.SetNull(row)
	}
}
