package aggregate

import (
	"encoding/binary"
	"math"
	"math/big"

	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/datum"
	"github.com/weirflow/weirflow/services/transform/internal/operator/pages"
	"github.com/weirflow/weirflow/services/transform/internal/operator/row"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

// wrap cuts an integer to the width of its type, as Java does.
func wrap(k types.Kind, n int64) int64 {
	switch k {
	case types.TinyInt:
		return int64(int8(n))
	case types.SmallInt:
		return int64(int16(n))
	case types.Int:
		return int64(int32(n))
	default:
		return n
	}
}

// round cuts a number to FLOAT where the type is that.
func round(k types.Kind, f float64) float64 {
	if k == types.Float {
		return float64(float32(f))
	}
	return f
}

// sumKind is what becomes of a sum.
type sumKind uint8

const (
	plainSum sumKind = iota
	sumOrZero
	average
)

// sumInts is SUM, $SUM0 and AVG of integers and of intervals.
type sumInts struct {
	kind sumKind
	typ  types.Kind
	sum  pages.List[int64]
	n    pages.List[int64]
}

func (f *sumInts) Grow(n int) {
	f.sum.Grow(n)
	f.n.Grow(n)
}

func (f *sumInts) Clear(slot int32) { *f.sum.At(slot), *f.n.At(slot) = 0, 0 }

func (f *sumInts) Add(slot int32, args []*column.Vector, i int) {
	*f.sum.At(slot) += args[0].Ints[i]
	*f.n.At(slot)++
}

func (f *sumInts) Retract(slot int32, args []*column.Vector, i int) {
	*f.sum.At(slot) -= args[0].Ints[i]
	*f.n.At(slot)--
}

func (f *sumInts) Merge(dst, src int32) {
	*f.sum.At(dst) += *f.sum.At(src)
	*f.n.At(dst) += *f.n.At(src)
}

func (f *sumInts) Append(slot int32, dst *column.Vector) error {
	switch {
	case *f.n.At(slot) == 0 && f.kind != sumOrZero:
		appendNull(dst)
	case f.kind == average:
		appendInt(dst, wrap(f.typ, *f.sum.At(slot)/(*f.n.At(slot))))
	default:
		appendInt(dst, wrap(f.typ, *f.sum.At(slot)))
	}
	return nil
}

func (f *sumInts) Save(dst []byte, slot int32) []byte {
	return binary.AppendVarint(binary.AppendVarint(dst, *f.sum.At(slot)), *f.n.At(slot))
}

func (f *sumInts) Load(slot int32, s string) (rest string, err error) {
	if *f.sum.At(slot), s, err = row.Varint(s); err != nil {
		return s, err
	}
	*f.n.At(slot), rest, err = row.Varint(s)
	return rest, err
}

// sumFloats is SUM, $SUM0 and AVG of FLOAT and DOUBLE.
type sumFloats struct {
	kind sumKind
	typ  types.Kind
	sum  pages.List[float64]
	n    pages.List[int64]
}

func (f *sumFloats) Grow(n int) {
	f.sum.Grow(n)
	f.n.Grow(n)
}

func (f *sumFloats) Clear(slot int32) { *f.sum.At(slot), *f.n.At(slot) = 0, 0 }

func (f *sumFloats) put(slot int32, x float64) {
	if f.kind == average { // whose sum is a DOUBLE
		*f.sum.At(slot) += x
		return
	}
	*f.sum.At(slot) = round(f.typ, *f.sum.At(slot)+x)
}

func (f *sumFloats) Add(slot int32, args []*column.Vector, i int) {
	f.put(slot, args[0].Floats[i])
	*f.n.At(slot)++
}

func (f *sumFloats) Retract(slot int32, args []*column.Vector, i int) {
	f.put(slot, -args[0].Floats[i])
	*f.n.At(slot)--
}

func (f *sumFloats) Merge(dst, src int32) {
	f.put(dst, *f.sum.At(src))
	*f.n.At(dst) += *f.n.At(src)
}

func (f *sumFloats) Append(slot int32, dst *column.Vector) error {
	switch {
	case *f.n.At(slot) == 0 && f.kind != sumOrZero:
		appendNull(dst)
	case f.kind == average:
		appendFloat(dst, round(f.typ, *f.sum.At(slot)/float64(*f.n.At(slot))))
	default:
		appendFloat(dst, *f.sum.At(slot))
	}
	return nil
}

func (f *sumFloats) Save(dst []byte, slot int32) []byte {
	return binary.AppendVarint(appendBits(dst, *f.sum.At(slot)), *f.n.At(slot))
}

func (f *sumFloats) Load(slot int32, s string) (rest string, err error) {
	if *f.sum.At(slot), s, err = readBits(s); err != nil {
		return s, err
	}
	*f.n.At(slot), rest, err = row.Varint(s)
	return rest, err
}

func appendBits(dst []byte, f float64) []byte {
	return binary.BigEndian.AppendUint64(dst, math.Float64bits(f))
}

func readBits(s string) (float64, string, error) {
	if len(s) < 8 {
		return 0, s, row.ErrDamaged
	}
	return math.Float64frombits(binary.BigEndian.Uint64(column.ViewBytes(s[:8]))), s[8:], nil
}

// sumDecimals is SUM, $SUM0 and AVG of DECIMAL. A sum of more than 38 digits is NULL.
type sumDecimals struct {
	kind  sumKind
	from  int // scale of the argument
	scale int // of the result
	sum   pages.List[*big.Int]
	n     pages.List[int64]
}

func (f *sumDecimals) Grow(n int) {
	f.sum.Grow(n)
	f.n.Grow(n)
}

func (f *sumDecimals) Clear(slot int32) { *f.sum.At(slot), *f.n.At(slot) = nil, 0 }

func (f *sumDecimals) at(slot int32) *big.Int {
	if *f.sum.At(slot) == nil {
		*f.sum.At(slot) = new(big.Int)
	}
	return *f.sum.At(slot)
}

func (f *sumDecimals) Add(slot int32, args []*column.Vector, i int) {
	x := f.at(slot)
	x.Add(x, args[0].Decs[i])
	*f.n.At(slot)++
}

func (f *sumDecimals) Retract(slot int32, args []*column.Vector, i int) {
	x := f.at(slot)
	x.Sub(x, args[0].Decs[i])
	*f.n.At(slot)--
}

func (f *sumDecimals) Merge(dst, src int32) {
	if *f.sum.At(src) != nil {
		x := f.at(dst)
		x.Add(x, *f.sum.At(src))
	}
	*f.n.At(dst) += *f.n.At(src)
}

func (f *sumDecimals) Append(slot int32, dst *column.Vector) error {
	if *f.n.At(slot) == 0 && f.kind != sumOrZero || *f.sum.At(slot) != nil && !datum.Fits(*f.sum.At(slot), types.MaxDecimalPrecision) {
		appendNull(dst)
		return nil
	}
	x := f.at(slot)
	if f.kind == average {
		x = datum.DivRound(new(big.Int).Mul(x, datum.Pow10(max(0, f.scale-f.from))), big.NewInt(*f.n.At(slot)))
	} else {
		x = new(big.Int).Set(x)
	}
	appendDecimal(dst, x)
	return nil
}

func (f *sumDecimals) Save(dst []byte, slot int32) []byte {
	return binary.AppendVarint(row.AppendText(dst, f.at(slot).Text(36)), *f.n.At(slot))
}

func (f *sumDecimals) Load(slot int32, s string) (string, error) {
	text, s, err := row.Text(s)
	if err != nil {
		return s, err
	}
	x, ok := new(big.Int).SetString(text, 36)
	if !ok {
		return s, row.ErrDamaged
	}
	*f.sum.At(slot) = x
	*f.n.At(slot), s, err = row.Varint(s)
	return s, err
}
