// Package raw is the format whose record is the value of the only column.
package raw

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/format/json"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

// ErrColumns says that a table has not exactly one column.
var ErrColumns = errors.New("format 'raw' wants a table of exactly one physical column")

// Decoder takes each record as one value.
type Decoder struct {
	order  binary.ByteOrder
	column *column.Vector // nil when nobody reads it
	record int32
	origin []int32
}

// NewDecoder returns a decoder of at most one column.
func NewDecoder(columns []json.Column, little bool) (*Decoder, error) {
	if len(columns) > 1 {
		return nil, ErrColumns
	}
	d := &Decoder{order: order(little)}
	if len(columns) == 1 {
		d.column = column.New(columns[0].Type)
	}
	return d, nil
}

func order(little bool) binary.ByteOrder {
	if little {
		return binary.LittleEndian
	}
	return binary.BigEndian
}

// Begin starts a batch.
func (d *Decoder) Begin(int) {
	d.record, d.origin = 0, d.origin[:0]
	if d.column != nil {
		d.column.Reset(0)
	}
}

// Skip tells of a record that has no row.
func (d *Decoder) Skip() { d.record++ }

// Decode adds a record.
func (d *Decoder) Decode(data []byte) (int, error) {
	d.origin = append(d.origin, d.record)
	d.record++
	if d.column == nil {
		return 1, nil
	}
	d.column.Extend(1)
	i := d.column.Len - 1
	if data == nil {
		d.column.SetNull(i)
		return 1, nil
	}
	if err := d.set(i, data); err != nil {
		d.column.Truncate(i)
		d.origin = d.origin[:len(d.origin)-1]
		return 0, err
	}
	return 1, nil
}

func (d *Decoder) set(i int, data []byte) error {
	v, k := d.column, d.column.Type.Kind
	size := map[types.Kind]int{types.Boolean: 1, types.TinyInt: 1, types.SmallInt: 2, types.Int: 4, types.BigInt: 8, types.Float: 4, types.Double: 8}[k]
	if size > 0 && len(data) != size {
		return fmt.Errorf("%d bytes are no %s, which has %d", len(data), k, size)
	}
	switch k {
	case types.Boolean:
		v.Bools[i] = data[0] != 0
	case types.TinyInt:
		v.Ints[i] = int64(int8(data[0]))
	case types.SmallInt:
		v.Ints[i] = int64(int16(d.order.Uint16(data)))
	case types.Int:
		v.Ints[i] = int64(int32(d.order.Uint32(data)))
	case types.BigInt:
		v.Ints[i] = int64(d.order.Uint64(data))
	case types.Float:
		v.Floats[i] = float64(math.Float32frombits(d.order.Uint32(data)))
	case types.Double:
		v.Floats[i] = math.Float64frombits(d.order.Uint64(data))
	default:
		if column.LayoutOf(v.Type) != column.Strs {
			return fmt.Errorf("format 'raw' has no %s", k)
		}
		v.Strs[i] = column.View(data)
	}
	return nil
}

// Finish returns the column.
func (d *Decoder) Finish() ([]*column.Vector, []int32) {
	if d.column == nil {
		return nil, d.origin
	}
	return []*column.Vector{d.column}, d.origin
}

// Encoder writes the value of the only column.
type Encoder struct{ order binary.ByteOrder }

// NewEncoder returns an encoder of one column.
func NewEncoder(fields []types.Field, little bool) (*Encoder, error) {
	if len(fields) != 1 {
		return nil, ErrColumns
	}
	return &Encoder{order: order(little)}, nil
}

// Begin does nothing: nothing is kept from batch to batch.
func (e *Encoder) Begin() {}

// AppendRow appends the value of row i.
func (e *Encoder) AppendRow(dst []byte, cols []*column.Vector, i int) ([]byte, error) {
	v := cols[0]
	if v.IsNull(i) {
		return dst, nil
	}
	switch v.Type.Kind {
	case types.Boolean:
		if v.Bools[i] {
			return append(dst, 1), nil
		}
		return append(dst, 0), nil
	case types.TinyInt:
		return append(dst, byte(v.Ints[i])), nil
	case types.SmallInt:
		return appendOrder(dst, e.order, uint64(v.Ints[i]), 2), nil
	case types.Int:
		return appendOrder(dst, e.order, uint64(v.Ints[i]), 4), nil
	case types.BigInt:
		return appendOrder(dst, e.order, uint64(v.Ints[i]), 8), nil
	case types.Float:
		return appendOrder(dst, e.order, uint64(math.Float32bits(float32(v.Floats[i]))), 4), nil
	case types.Double:
		return appendOrder(dst, e.order, math.Float64bits(v.Floats[i]), 8), nil
	default:
		if column.LayoutOf(v.Type) != column.Strs {
			return dst, fmt.Errorf("format 'raw' has no %s", v.Type.Kind)
		}
		return append(dst, v.Strs[i]...), nil
	}
}

func appendOrder(dst []byte, o binary.ByteOrder, n uint64, size int) []byte {
	var b [8]byte
	if o == binary.ByteOrder(binary.LittleEndian) {
		binary.LittleEndian.PutUint64(b[:], n)
		return append(dst, b[:size]...)
	}
	binary.BigEndian.PutUint64(b[:], n)
	return append(dst, b[8-size:]...)
}
