package eval

import (
	"fmt"
	"math"
	"math/big"
	"strings"
	"time"

	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/datum"
	"github.com/weirflow/weirflow/services/transform/internal/plan"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

// convert sets row i of out from row j of v, which is not NULL.
type convert func(v *column.Vector, j int, out *column.Vector, i int) error

// cast is CAST and TRY_CAST.
type cast struct {
	at      plan.Pos
	x       node
	try     bool
	fails   bool
	convert convert
	out     *column.Vector
}

func (c *compiler) cast(e *plan.Cast) (node, error) {
	x, err := c.compile(e.X)
	if err != nil {
		return nil, err
	}
	from, to := e.X.Type(), e.Typ
	if from.OrNull().Plain().Same(to.OrNull().Plain()) {
		return x, nil
	}
	// Text only ever grows into STRING: nothing to do but call it so.
	if from.Kind.IsCharacter() && to.Kind == types.Varchar && (to.Length >= from.Length || to.Length == types.MaxLength) {
		return x, nil
	}
	// A constant is not rounded to FLOAT on its way to DOUBLE: Flink folds it as the decimal it is.
	if inner, ok := e.X.(*plan.Cast); ok && from.Kind == types.Float && to.Kind == types.Double {
		if lit, ok := inner.X.(*plan.Literal); ok {
			return c.cast(&plan.Cast{Meta: e.Meta, X: lit, Try: e.Try})
		}
	}
	f, fails := c.conversion(from, to)
	if f == nil {
		return nil, &Unsupported{At: e.At, What: "CAST of " + from.OrNull().String() + " to " + to.OrNull().String()}
	}
	return &cast{at: e.At, x: x, try: e.Try, fails: fails, convert: f, out: column.New(to)}, nil
}

func (n *cast) mayFail() bool { return n.fails && !n.try || n.x.mayFail() }

func (n *cast) eval(b *column.Batch) (*column.Vector, error) {
	v, err := n.x.eval(b)
	if err != nil {
		return nil, err
	}
	n.out.Reset(b.Len)
	n.out.AddNulls(v)
	for i := range b.Len {
		if n.out.IsNull(i) {
			continue
		}
		if err := n.convert(v, i, n.out, i); err != nil {
			if !n.try {
				return nil, &Error{At: n.at, Row: i, Err: err}
			}
			n.out.SetNull(i)
		}
	}
	return n.out, nil
}

// conversion returns how from becomes to, and whether values may not convert.
func (c *compiler) conversion(from, to types.Type) (convert, bool) {
	switch k := to.Kind; {
	case from.Kind == types.Null:
		return func(_ *column.Vector, _ int, out *column.Vector, i int) error { out.SetNull(i); return nil }, false
	case k.IsCharacter():
		return c.toText(to), false
	case k == types.Boolean:
		return toBoolean(from), from.Kind.IsCharacter()
	case k == types.BigInt && from.Kind.IsInterval():
		return copyRow, false // milliseconds or months
	case k.IsInteger():
		return toInteger(from, to), from.Kind.IsCharacter()
	case k.IsApprox():
		return toFloat(from, to), from.Kind.IsCharacter()
	case k == types.Decimal:
		return toDecimal(from), from.Kind.IsCharacter()
	case k.IsBinary():
		return toBinary(from, to), false
	case k.IsDatetime():
		return c.toTemporal(from, to), from.Kind.IsCharacter()
	case k.IsInterval() && from.Kind.IsInterval():
		return copyRow, false
	case k == types.IntervalYearMonth && from.Kind.IsInteger():
		return copyRow, false
	case k.IsNested():
		return c.toNested(from, to)
	default:
		return nil, false
	}
}

func copyRow(v *column.Vector, j int, out *column.Vector, i int) error {
	column.CopyRow(out, i, v, j)
	return nil
}

func toBoolean(from types.Type) convert {
	switch {
	case from.Kind == types.Boolean:
		return copyRow
	case from.Kind.IsInteger():
		return func(v *column.Vector, j int, out *column.Vector, i int) error {
			out.Bools[i] = v.Ints[j] != 0
			return nil
		}
	case from.Kind.IsNumeric():
		return func(v *column.Vector, j int, out *column.Vector, i int) error {
			out.Bools[i] = floatOf(v, j) != 0
			return nil
		}
	case from.Kind.IsCharacter():
		return func(v *column.Vector, j int, out *column.Vector, i int) error {
			switch strings.ToLower(v.Strs[j]) {
			case "t", "true", "y", "yes", "1":
				out.Bools[i] = true
			case "f", "false", "n", "no", "0":
				out.Bools[i] = false
			default:
				return fmt.Errorf("cannot parse %q as BOOLEAN", brief(v.Strs[j]))
			}
			return nil
		}
	default:
		return nil
	}
}

func brief(s string) string {
	if len(s) > 100 {
		return s[:100] + "…"
	}
	return s
}

func bitsOf(k types.Kind) int { return [...]int{8, 16, 32, 64}[k-types.TinyInt] }

func toInteger(from, to types.Type) convert {
	k := to.Kind
	switch {
	case from.Kind.IsInteger() || from.Kind.IsInterval():
		return func(v *column.Vector, j int, out *column.Vector, i int) error {
			out.Ints[i] = wrap(v.Ints[j], k)
			return nil
		}
	case from.Kind == types.Boolean:
		return func(v *column.Vector, j int, out *column.Vector, i int) error {
			out.Ints[i] = int64(boolRank(v.Bools[j]))
			return nil
		}
	case from.Kind.IsApprox():
		return func(v *column.Vector, j int, out *column.Vector, i int) error {
			out.Ints[i] = javaInt(v.Floats[j], k)
			return nil
		}
	case from.Kind == types.Decimal:
		return func(v *column.Vector, j int, out *column.Vector, i int) error {
			q := new(big.Int).Quo(v.Decs[j], datum.Pow10(v.Type.Scale))
			out.Ints[i] = wrap(lowBits(q), k)
			return nil
		}
	case from.Kind.IsCharacter():
		return func(v *column.Vector, j int, out *column.Vector, i int) error {
			s := datum.TrimSpace(v.Strs[j])
			n, err := textToInt(s, bitsOf(k))
			if err != nil {
				return fmt.Errorf("cannot parse %q as %s", brief(v.Strs[j]), k)
			}
			out.Ints[i] = n
			return nil
		}
	default:
		return nil
	}
}

// lowBits returns the lowest 64 bits in two's complement, as Java's longValue does.
func lowBits(n *big.Int) int64 {
	v := new(big.Int).And(n, new(big.Int).SetUint64(math.MaxUint64))
	return int64(v.Uint64())
}

// textToInt reads an integer; a fraction behind it is cut off, as in Flink.
func textToInt(s string, bits int) (int64, error) {
	whole, fraction, found := strings.Cut(s, ".")
	if found && strings.Trim(fraction, "0123456789") != "" {
		return 0, datum.ErrNumber
	}
	if found && strings.Trim(whole, "+-") == "" && len(whole) < 2 {
		return 0, nil // .5 is 0
	}
	return datum.ParseInt(whole, bits)
}

// javaInt narrows a DOUBLE as Java does: NaN is 0, the rest is clamped and cut.
func javaInt(f float64, k types.Kind) int64 {
	if math.IsNaN(f) {
		return 0
	}
	if k == types.BigInt {
		switch {
		case f >= math.MaxInt64:
			return math.MaxInt64
		case f <= math.MinInt64:
			return math.MinInt64
		}
		return int64(f)
	}
	switch {
	case f >= math.MaxInt32:
		return wrap(math.MaxInt32, k)
	case f <= math.MinInt32:
		return wrap(math.MinInt32, k)
	}
	return wrap(int64(f), k)
}

func toFloat(from, to types.Type) convert {
	bits := 64
	if to.Kind == types.Float {
		bits = 32
	}
	switch {
	case from.Kind == types.Float && to.Kind == types.Double:
		return func(v *column.Vector, j int, out *column.Vector, i int) error {
			out.Floats[i] = v.Floats[j]
			return nil
		}
	case from.Kind.IsNumeric():
		return func(v *column.Vector, j int, out *column.Vector, i int) error {
			setFloat(out, i, floatOf(v, j))
			return nil
		}
	case from.Kind == types.Boolean:
		return func(v *column.Vector, j int, out *column.Vector, i int) error {
			out.Floats[i] = float64(boolRank(v.Bools[j]))
			return nil
		}
	case from.Kind.IsCharacter():
		return func(v *column.Vector, j int, out *column.Vector, i int) error {
			f, err := datum.ParseDouble(v.Strs[j], bits)
			if err != nil {
				return fmt.Errorf("cannot parse %q as %s", brief(v.Strs[j]), to.Kind)
			}
			out.Floats[i] = f
			return nil
		}
	default:
		return nil
	}
}

func toDecimal(from types.Type) convert {
	switch {
	case from.Kind.IsExact():
		return func(v *column.Vector, j int, out *column.Vector, i int) error {
			unscaled, scale := decimalOf(v, j)
			setDecimal(out, i, unscaled, scale)
			return nil
		}
	case from.Kind == types.Boolean:
		return func(v *column.Vector, j int, out *column.Vector, i int) error {
			setDecimal(out, i, big.NewInt(int64(boolRank(v.Bools[j]))), 0)
			return nil
		}
	case from.Kind.IsApprox():
		return func(v *column.Vector, j int, out *column.Vector, i int) error {
			unscaled, scale, err := datum.ParseDecimal(string(datum.AppendDouble(nil, v.Floats[j], 64)))
			if err != nil {
				out.SetNull(i)
				return nil
			}
			setDecimal(out, i, unscaled, scale)
			return nil
		}
	case from.Kind.IsCharacter():
		return func(v *column.Vector, j int, out *column.Vector, i int) error {
			unscaled, scale, err := datum.CastDecimal(v.Strs[j], out.Type.Precision)
			if err != nil {
				return fmt.Errorf("cannot parse %q as DECIMAL", brief(v.Strs[j]))
			}
			setDecimal(out, i, unscaled, scale)
			return nil
		}
	default:
		return nil
	}
}

func toBinary(from, to types.Type) convert {
	if !from.Kind.IsCharacter() && !from.Kind.IsBinary() {
		return nil
	}
	return func(v *column.Vector, j int, out *column.Vector, i int) error {
		s := v.Strs[j]
		if len(s) > to.Length {
			s = s[:to.Length]
		}
		// Flink fills VARBINARY(n) up as well when it cuts BYTES to it.
		fill := to.Kind == types.Binary || from.Kind.IsBinary() && to.Length < from.Length
		if fill && to.Length > maxText {
			return errTooLong
		}
		if fill && len(s) < to.Length {
			s += strings.Repeat("\x00", to.Length-len(s))
		}
		out.Strs[i] = s
		return nil
	}
}

// atZone turns local time into a point in time.
func atZone(t types.TimestampValue, zone *time.Location) types.TimestampValue {
	if zone == time.UTC {
		return t
	}
	days, ofDay := datum.Split(t.Millis)
	y, m, d := datum.Civil(days)
	local := time.Date(y, time.Month(m), d, 0, 0, 0, int(ofDay)*int(time.Millisecond), zone)
	return types.TimestampValue{Millis: local.UnixMilli(), Nanos: t.Nanos}
}

// inZone turns a point in time into local time.
func inZone(t types.TimestampValue, zone *time.Location) types.TimestampValue {
	if zone == time.UTC {
		return t
	}
	_, offset := time.UnixMilli(t.Millis).In(zone).Zone()
	return types.TimestampValue{Millis: t.Millis + int64(offset)*1000, Nanos: t.Nanos}
}
