package wasm

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

// The kinds of column in a call.
const (
	boolColumn  = 1
	intColumn   = 2
	floatColumn = 3
	textColumn  = 4
)

// kindOf is the kind of column that holds a type; 0 for none.
func kindOf(t types.Type) byte {
	switch column.LayoutOf(t) {
	case column.Bools:
		return boolColumn
	case column.Ints:
		return intColumn
	case column.Floats:
		return floatColumn
	case column.Strs:
		return textColumn
	default:
		return 0
	}
}

// appendRequest writes the arguments: the numbers of rows and of columns (u32),
// then each column as its kind (u8), a byte for each row that is 1 for NULL, and
// the values. All numbers are little-endian.
func appendRequest(dst []byte, args []*column.Vector, n int) []byte {
	dst = binary.LittleEndian.AppendUint32(dst, uint32(n))
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(args)))
	for _, v := range args {
		kind := kindOf(v.Type)
		dst = append(dst, kind)
		for i := range n {
			dst = append(dst, bit(v.IsNull(i)))
		}
		switch kind {
		case boolColumn:
			for i := range n {
				dst = append(dst, bit(v.Bools[i]))
			}
		case intColumn:
			for i := range n {
				dst = binary.LittleEndian.AppendUint64(dst, uint64(v.Ints[i]))
			}
		case floatColumn:
			for i := range n {
				dst = binary.LittleEndian.AppendUint64(dst, math.Float64bits(v.Floats[i]))
			}
		case textColumn:
			dst = appendTexts(dst, v, n)
		}
	}
	return dst
}

// appendTexts writes the lengths, then the bytes.
func appendTexts(dst []byte, v *column.Vector, n int) []byte {
	for i := range n {
		size := 0
		if !v.IsNull(i) {
			size = len(v.Strs[i])
		}
		dst = binary.LittleEndian.AppendUint32(dst, uint32(size))
	}
	for i := range n {
		if !v.IsNull(i) {
			dst = append(dst, v.Strs[i]...)
		}
	}
	return dst
}

func bit(b bool) byte {
	if b {
		return 1
	}
	return 0
}

var errShort = errors.New("the module's answer is too short")

// readAnswer reads what a module answered: a byte 0 and a column, or a byte 1 and
// the text of an error.
func readAnswer(b []byte, n int, out *column.Vector) error {
	if len(b) == 0 {
		return errShort
	}
	if b[0] != 0 {
		return errors.New(string(b[1:]))
	}
	kind := kindOf(out.Type)
	if len(b) < 2+n {
		return errShort
	}
	if b[1] != kind {
		return fmt.Errorf("the module's answer is a column of kind %d, %s needs %d", b[1], out.Type.OrNull(), kind)
	}
	nulls, b := b[2:2+n], b[2+n:]
	out.Reset(n)
	for i, null := range nulls {
		if null != 0 {
			out.SetNull(i)
		}
	}
	switch kind {
	case boolColumn:
		if len(b) < n {
			return errShort
		}
		for i := range n {
			out.Bools[i] = b[i] != 0
		}
		return nil
	case textColumn:
		return readTexts(b, n, out)
	}
	if len(b) < 8*n {
		return errShort
	}
	for i := range n {
		x := binary.LittleEndian.Uint64(b[8*i:])
		if kind == floatColumn {
			out.Floats[i] = math.Float64frombits(x)
			continue
		}
		out.Ints[i] = int64(x)
		if low, high := rangeOf(out.Type.Kind); !out.IsNull(i) && (out.Ints[i] < low || out.Ints[i] > high) {
			return fmt.Errorf("the module's answer %d does not fit %s", out.Ints[i], out.Type.OrNull())
		}
	}
	return nil
}

func readTexts(b []byte, n int, out *column.Vector) error {
	if len(b) < 4*n {
		return errShort
	}
	lengths, b := b[:4*n], b[4*n:]
	all := string(b) // the module's memory is written anew by the next call
	for i := range n {
		size := uint64(binary.LittleEndian.Uint32(lengths[4*i:]))
		if size > uint64(len(all)) {
			return errShort
		}
		out.Strs[i], all = all[:size], all[size:]
	}
	return nil
}

func rangeOf(k types.Kind) (low, high int64) {
	switch k {
	case types.TinyInt:
		return math.MinInt8, math.MaxInt8
	case types.SmallInt:
		return math.MinInt16, math.MaxInt16
	case types.Int, types.Date, types.Time:
		return math.MinInt32, math.MaxInt32
	default:
		return math.MinInt64, math.MaxInt64
	}
}
