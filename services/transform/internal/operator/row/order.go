package row

import (
	"encoding/binary"
	"math"
	"math/big"

	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/plan"
)

// AppendSortKey appends the sort columns of row i so that comparing the bytes
// orders the rows.
func AppendSortKey(dst []byte, b *column.Batch, keys []plan.SortKey, i int) []byte {
	for _, k := range keys {
		v := b.Cols[k.Column]
		if v.IsNull(i) {
			if k.NullsFirst {
				dst = append(dst, 0)
			} else {
				dst = append(dst, 2)
			}
			continue
		}
		dst = append(dst, 1)
		at := len(dst)
		dst = appendOrdered(dst, v, i)
		if k.Descending {
			for j := at; j < len(dst); j++ {
				dst[j] = ^dst[j]
			}
		}
	}
	return dst
}

// AppendOrdered appends row i of a vector, which is not NULL, so that comparing
// the bytes orders the values.
func AppendOrdered(dst []byte, v *column.Vector, i int) []byte { return appendOrdered(dst, v, i) }

func appendOrdered(dst []byte, v *column.Vector, i int) []byte {
	switch column.LayoutOf(v.Type) {
	case column.Bools:
		if v.Bools[i] {
			return append(dst, 1)
		}
		return append(dst, 0)
	case column.Ints:
		return binary.BigEndian.AppendUint64(dst, uint64(v.Ints[i])^1<<63)
	case column.Times:
		t := v.Time(i)
		return binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint64(dst, uint64(t.Millis)^1<<63), uint32(t.Nanos))
	case column.Floats:
		bits := floatBits(v.Floats[i])
		if math.Signbit(v.Floats[i]) {
			bits = ^bits
		} else {
			bits |= 1 << 63
		}
		return binary.BigEndian.AppendUint64(dst, bits)
	case column.Decs:
		return appendOrderedBig(dst, v.Decs[i])
	case column.Strs:
		return appendOrderedText(dst, v.Strs[i])
	case column.Lists, column.Maps:
		s := v.Spans[i]
		for k := int(s.Start); k < int(s.Start+s.Len); k++ {
			if v.Key != nil {
				dst = appendNullable(dst, v.Key, k)
			}
			dst = appendNullable(dst, v.Elem, k)
		}
		return append(dst, 0)
	case column.Rows:
		for _, f := range v.Fields {
			dst = appendNullable(dst, f, i)
		}
		return dst
	default:
		return dst
	}
}

func appendNullable(dst []byte, v *column.Vector, i int) []byte {
	if v == nil || v.IsNull(i) {
		return append(dst, 1)
	}
	return appendOrdered(append(dst, 2), v, i)
}

// bigWidth holds every decimal of 38 digits.
const bigWidth = 20

func appendOrderedBig(dst []byte, x *big.Int) []byte {
	at := len(dst)
	for range bigWidth {
		dst = append(dst, 0)
	}
	part := dst[at:]
	if x.BitLen() < 8*bigWidth-1 {
		x.FillBytes(part)
	}
	part[0] |= 0x80
	if x.Sign() < 0 {
		for j := range part {
			part[j] = ^part[j]
		}
	}
	return dst
}

// appendOrderedText ends text with 0 0; a zero byte in it becomes 0 0xFF.
func appendOrderedText(dst []byte, s string) []byte {
	for j := range len(s) {
		dst = append(dst, s[j])
		if s[j] == 0 {
			dst = append(dst, 0xFF)
		}
	}
	return append(dst, 0, 0)
}
