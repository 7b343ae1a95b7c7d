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

// spread says which of the four functions of variance it is.
type spread struct {
	sample bool
	root   bool
}

// divisor is what the squares are divided by; 0 for no result.
func (s spread) divisor(n int64) int64 {
	if s.sample {
		return n - 1
	}
	return n
}

// varInts is variance of integers. Flink computes it in the integers' own type,
// with their overflow and truncation; so does this.
type varInts struct {
	spread
	typ     types.Kind
	sum, sq pages.List[int64]
	n       pages.List[int64]
}

func (f *varInts) Grow(n int) {
	f.sum.Grow(n)
	f.sq.Grow(n)
	f.n.Grow(n)
}

func (f *varInts) Clear(slot int32) { *f.sum.At(slot), *f.sq.At(slot), *f.n.At(slot) = 0, 0, 0 }

func (f *varInts) put(slot int32, x, sq, n int64) {
	*f.sum.At(slot) = wrap(f.typ, *f.sum.At(slot)+x)
	*f.sq.At(slot) = wrap(f.typ, *f.sq.At(slot)+sq)
	*f.n.At(slot) += n
}

func (f *varInts) Add(slot int32, args []*column.Vector, i int) {
	x := args[0].Ints[i]
	f.put(slot, x, wrap(f.typ, x*x), 1)
}

func (f *varInts) Retract(slot int32, args []*column.Vector, i int) {
	x := args[0].Ints[i]
	f.put(slot, -x, -wrap(f.typ, x*x), -1)
}

func (f *varInts) Merge(dst, src int32) { f.put(dst, *f.sum.At(src), *f.sq.At(src), *f.n.At(src)) }

func (f *varInts) Append(slot int32, dst *column.Vector) error {
	n := *f.n.At(slot)
	d := f.divisor(n)
	if n == 0 || d == 0 {
		appendNull(dst)
		return nil
	}
	v := (*f.sq.At(slot) - wrap(f.typ, *f.sum.At(slot)**f.sum.At(slot))/n) / d
	if f.root {
		r := math.Sqrt(float64(v))
		if math.IsNaN(r) {
			r = 0
		}
		v = int64(r)
	}
	appendInt(dst, wrap(f.typ, v))
	return nil
}

func (f *varInts) Save(dst []byte, slot int32) []byte {
	return binary.AppendVarint(binary.AppendVarint(binary.AppendVarint(dst, *f.sum.At(slot)), *f.sq.At(slot)), *f.n.At(slot))
}

func (f *varInts) Load(slot int32, s string) (rest string, err error) {
	for _, p := range []*int64{f.sum.At(slot), f.sq.At(slot), f.n.At(slot)} {
		if *p, s, err = row.Varint(s); err != nil {
			return s, err
		}
	}
	return s, nil
}

// varFloats is variance of FLOAT and DOUBLE.
type varFloats struct {
	spread
	typ     types.Kind
	sum, sq pages.List[float64]
	n       pages.List[int64]
}

func (f *varFloats) Grow(n int) {
	f.sum.Grow(n)
	f.sq.Grow(n)
	f.n.Grow(n)
}

func (f *varFloats) Clear(slot int32) { *f.sum.At(slot), *f.sq.At(slot), *f.n.At(slot) = 0, 0, 0 }

func (f *varFloats) put(slot int32, x, sq float64, n int64) {
	*f.sum.At(slot) = round(f.typ, *f.sum.At(slot)+x)
	*f.sq.At(slot) = round(f.typ, *f.sq.At(slot)+sq)
	*f.n.At(slot) += n
}

func (f *varFloats) Add(slot int32, args []*column.Vector, i int) {
	x := args[0].Floats[i]
	f.put(slot, x, round(f.typ, x*x), 1)
}

func (f *varFloats) Retract(slot int32, args []*column.Vector, i int) {
	x := args[0].Floats[i]
	f.put(slot, -x, -round(f.typ, x*x), -1)
}

func (f *varFloats) Merge(dst, src int32) { f.put(dst, *f.sum.At(src), *f.sq.At(src), *f.n.At(src)) }

func (f *varFloats) Append(slot int32, dst *column.Vector) error {
	n := *f.n.At(slot)
	d := f.divisor(n)
	if n == 0 || d == 0 {
		appendNull(dst)
		return nil
	}
	v := (*f.sq.At(slot) - *f.sum.At(slot)**f.sum.At(slot)/float64(n)) / float64(d)
	if f.root {
		v = math.Sqrt(v)
	}
	appendFloat(dst, round(f.typ, v))
	return nil
}

func (f *varFloats) Save(dst []byte, slot int32) []byte {
	return binary.AppendVarint(appendBits(appendBits(dst, *f.sum.At(slot)), *f.sq.At(slot)), *f.n.At(slot))
}

func (f *varFloats) Load(slot int32, s string) (rest string, err error) {
	if *f.sum.At(slot), s, err = readBits(s); err != nil {
		return s, err
	}
	if *f.sq.At(slot), s, err = readBits(s); err != nil {
		return s, err
	}
	*f.n.At(slot), rest, err = row.Varint(s)
	return rest, err
}

// varScale is the scale of the squares of decimals in Flink's computation.
const varScale = 6

// varDecimals is variance of DECIMAL, each step with 38 digits and 6 of fraction.
type varDecimals struct {
	spread
	from, scale int
	sum, sq     pages.List[*big.Int]
	n           pages.List[int64]
}

func (f *varDecimals) Grow(n int) {
	f.sum.Grow(n)
	f.sq.Grow(n)
	f.n.Grow(n)
}

func (f *varDecimals) Clear(slot int32) { *f.sum.At(slot), *f.sq.At(slot), *f.n.At(slot) = nil, nil, 0 }

func (f *varDecimals) put(slot int32, x, sq *big.Int, sign int64) {
	if *f.sum.At(slot) == nil {
		*f.sum.At(slot), *f.sq.At(slot) = new(big.Int), new(big.Int)
	}
	if sign < 0 {
		(*f.sum.At(slot)).Sub(*f.sum.At(slot), x)
		(*f.sq.At(slot)).Sub(*f.sq.At(slot), sq)
	} else {
		(*f.sum.At(slot)).Add(*f.sum.At(slot), x)
		(*f.sq.At(slot)).Add(*f.sq.At(slot), sq)
	}
}

func (f *varDecimals) square(x *big.Int) *big.Int {
	return datum.Rescale(new(big.Int).Mul(x, x), 2*f.scale, varScale)
}

func (f *varDecimals) Add(slot int32, args []*column.Vector, i int) {
	x := datum.Rescale(args[0].Decs[i], f.from, f.scale)
	f.put(slot, x, f.square(x), 1)
	*f.n.At(slot)++
}

func (f *varDecimals) Retract(slot int32, args []*column.Vector, i int) {
	x := datum.Rescale(args[0].Decs[i], f.from, f.scale)
	f.put(slot, x, f.square(x), -1)
	*f.n.At(slot)--
}

func (f *varDecimals) Merge(dst, src int32) {
	if *f.sum.At(src) != nil {
		f.put(dst, *f.sum.At(src), *f.sq.At(src), 1)
	}
	*f.n.At(dst) += *f.n.At(src)
}

func (f *varDecimals) Append(slot int32, dst *column.Vector) error {
	n := *f.n.At(slot)
	d := f.divisor(n)
	if n == 0 || d == 0 {
		appendNull(dst)
		return nil
	}
	mean := datum.DivRound(f.square(*f.sum.At(slot)), big.NewInt(n))
	v := datum.DivRound(new(big.Int).Sub(*f.sq.At(slot), mean), big.NewInt(d))
	if f.root {
		r, _, err := datum.ParseDecimal(big.NewFloat(math.Sqrt(datum.ToFloat(v, varScale))).Text('f', f.scale))
		if err != nil {
			return err
		}
		appendDecimal(dst, r)
		return nil
	}
	appendDecimal(dst, datum.Rescale(v, varScale, f.scale))
	return nil
}

func (f *varDecimals) Save(dst []byte, slot int32) []byte {
	f.put(slot, new(big.Int), new(big.Int), 1)
	dst = row.AppendText(row.AppendText(dst, (*f.sum.At(slot)).Text(36)), (*f.sq.At(slot)).Text(36))
	return binary.AppendVarint(dst, *f.n.At(slot))
}

func (f *varDecimals) Load(slot int32, s string) (string, error) {
	for _, p := range []**big.Int{f.sum.At(slot), f.sq.At(slot)} {
		text, rest, err := row.Text(s)
		if err != nil {
			return s, err
		}
		x, ok := new(big.Int).SetString(text, 36)
		if !ok {
			return s, row.ErrDamaged
		}
		*p, s = x, rest
	}
	var err error
	*f.n.At(slot), s, err = row.Varint(s)
	return s, err
}
