// Package row writes rows as bytes: for state, as keys of maps, and in an order
// that comparing the bytes gives.
package row

import (
	"encoding/binary"
	"errors"
	"math"
	"math/big"

	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

// ErrDamaged says that bytes are not a row of the types expected.
var ErrDamaged = errors.New("damaged row")

// Values begin with one of these, so that NULL differs from all values.
const (
	null  = 0
	value = 1
)

// Append appends the columns cols of row i of a batch. Equal rows, and NULLs of
// one column, give equal bytes.
func Append(dst []byte, b *column.Batch, cols []int, i int) []byte {
	for _, c := range cols {
		dst = AppendValue(dst, b.Cols[c], i)
	}
	return dst
}

// AppendAll appends all columns of row i.
func AppendAll(dst []byte, b *column.Batch, i int) []byte {
	for _, c := range b.Cols {
		dst = AppendValue(dst, c, i)
	}
	return dst
}

// HasNull reports whether one of the columns is NULL in row i.
func HasNull(b *column.Batch, cols []int, i int) bool {
	for _, c := range cols {
		if b.Cols[c].IsNull(i) {
			return true
		}
	}
	return false
}

// AppendValue appends row i of a vector; a nil vector is one that nobody reads.
func AppendValue(dst []byte, v *column.Vector, i int) []byte {
	if v == nil || v.IsNull(i) {
		return append(dst, null)
	}
	switch column.LayoutOf(v.Type) {
	case column.Bools:
		if v.Bools[i] {
			return append(dst, value, 1)
		}
		return append(dst, value, 0)
	case column.Ints:
		return binary.AppendVarint(append(dst, value), v.Ints[i])
	case column.Times:
		t := v.Time(i)
		return binary.AppendUvarint(binary.AppendVarint(append(dst, value), t.Millis), uint64(t.Nanos))
	case column.Floats:
		return binary.BigEndian.AppendUint64(append(dst, value), floatBits(v.Floats[i]))
	case column.Decs:
		return appendBig(append(dst, value), v.Decs[i])
	case column.Strs:
		dst = binary.AppendUvarint(append(dst, value), uint64(len(v.Strs[i])))
		return append(dst, v.Strs[i]...)
	case column.Lists, column.Maps:
		s := v.Spans[i]
		dst = binary.AppendUvarint(append(dst, value), uint64(s.Len))
		for k := int(s.Start); k < int(s.Start+s.Len); k++ {
			if v.Key != nil {
				dst = AppendValue(dst, v.Key, k)
			}
			dst = AppendValue(dst, v.Elem, k)
		}
		return dst
	case column.Rows:
		dst = append(dst, value)
		for _, f := range v.Fields {
			dst = AppendValue(dst, f, i)
		}
		return dst
	default:
		return append(dst, null)
	}
}

// floatBits makes all NaNs one.
func floatBits(f float64) uint64 {
	if f != f {
		return math.Float64bits(math.NaN())
	}
	return math.Float64bits(f)
}

func appendBig(dst []byte, x *big.Int) []byte {
	sign := uint64(0)
	if x.Sign() < 0 {
		sign = 1
	}
	n := (x.BitLen() + 7) / 8
	dst = binary.AppendUvarint(dst, uint64(n)<<1|sign)
	at := len(dst)
	for range n {
		dst = append(dst, 0)
	}
	x.FillBytes(dst[at:])
	return dst
}

// Decode appends a row that Append wrote to the vectors, one value each, and
// returns what is left. Text is shared with s.
func Decode(s string, cols []*column.Vector) (string, error) {
	var err error
	for _, v := range cols {
		if s, err = DecodeValue(s, v); err != nil {
			return s, err
		}
	}
	return s, nil
}

// DecodeValue appends a value that AppendValue wrote to a vector.
func DecodeValue(s string, v *column.Vector) (string, error) {
	v.Extend(1)
	return decodeInto(s, v, v.Len-1)
}

func decodeInto(s string, v *column.Vector, at int) (string, error) {
	if s == "" {
		return s, ErrDamaged
	}
	tag := s[0]
	s = s[1:]
	if tag == null {
		v.SetNull(at)
		for _, f := range v.Fields {
			if f != nil {
				f.SetNull(at)
			}
		}
		return s, nil
	}
	switch column.LayoutOf(v.Type) {
	case column.Bools:
		if s == "" {
			return s, ErrDamaged
		}
		v.Bools[at] = s[0] == 1
		return s[1:], nil
	case column.Ints:
		n, rest, err := Varint(s)
		v.Ints[at] = n
		return rest, err
	case column.Times:
		ms, rest, err := Varint(s)
		if err != nil {
			return s, err
		}
		nanos, rest, err := Uvarint(rest)
		v.SetTime(at, types.TimestampValue{Millis: ms, Nanos: int32(nanos)})
		return rest, err
	case column.Floats:
		if len(s) < 8 {
			return s, ErrDamaged
		}
		v.Floats[at] = math.Float64frombits(binary.BigEndian.Uint64(column.ViewBytes(s[:8])))
		return s[8:], nil
	case column.Decs:
		x, rest, err := decodeBig(s)
		v.Decs[at] = x
		return rest, err
	case column.Strs:
		text, rest, err := Text(s)
		v.Strs[at] = text
		return rest, err
	case column.Lists, column.Maps:
		return decodeList(s, v, at)
	case column.Rows:
		return decodeFields(s, v, at)
	default:
		return s, ErrDamaged
	}
}

func decodeFields(s string, v *column.Vector, at int) (string, error) {
	var err error
	for _, f := range v.Fields {
		if s, err = decodeInto(s, f, at); err != nil {
			return s, err
		}
	}
	return s, nil
}

func decodeList(s string, v *column.Vector, at int) (string, error) {
	n, s, err := Uvarint(s)
	if err != nil || n > uint64(len(s)) {
		return s, ErrDamaged
	}
	start := v.Elem.Len
	for range n {
		if v.Key != nil {
			if s, err = DecodeValue(s, v.Key); err != nil {
				return s, err
			}
		}
		if s, err = DecodeValue(s, v.Elem); err != nil {
			return s, err
		}
	}
	v.Spans[at] = column.Span{Start: int32(start), Len: int32(n)}
	return s, nil
}

func decodeBig(s string) (*big.Int, string, error) {
	head, s, err := Uvarint(s)
	n := head >> 1
	if err != nil || n > uint64(len(s)) {
		return nil, s, ErrDamaged
	}
	x := new(big.Int).SetBytes(column.ViewBytes(s[:n]))
	if head&1 == 1 {
		x.Neg(x)
	}
	return x, s[n:], nil
}

// Varint reads what binary.AppendVarint wrote.
func Varint(s string) (int64, string, error) {
	u, rest, err := Uvarint(s)
	n := int64(u >> 1)
	if u&1 != 0 {
		n = ^n
	}
	return n, rest, err
}

// Uvarint reads what binary.AppendUvarint wrote.
func Uvarint(s string) (uint64, string, error) {
	var x uint64
	for i := 0; i < len(s) && i < binary.MaxVarintLen64; i++ {
		b := s[i]
		x |= uint64(b&0x7f) << (7 * i)
		if b < 0x80 {
			return x, s[i+1:], nil
		}
	}
	return 0, s, ErrDamaged
}

// AppendText appends text with its length.
func AppendText(dst []byte, s string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}

// Text reads what AppendText wrote.
func Text(s string) (text, rest string, err error) {
	n, s, err := Uvarint(s)
	if err != nil || n > uint64(len(s)) {
		return "", s, ErrDamaged
	}
	return s[:n], s[n:], nil
}
