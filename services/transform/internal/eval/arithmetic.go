package eval

import (
	"errors"
	"fmt"
	"math"
	"math/big"

	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/datum"
	"github.com/weirflow/weirflow/services/transform/internal/plan"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

var errDivision = errors.New("division by zero")

// arithmetic is + - * / % over numbers, dates, times and intervals.
type arithmetic struct {
	at     plan.Pos
	op     string
	x, y   node
	out    *column.Vector
	kernel func(n *arithmetic, x, y *column.Vector, i int) error
	fails  bool
}

func (c *compiler) arithmetic(e *plan.Call) (node, error) {
	args, err := c.all(e.Args)
	if err != nil {
		return nil, err
	}
	n := &arithmetic{at: e.At, op: e.Function, x: args[0], y: args[1], out: column.New(e.Typ)}
	if n.op == "MOD" {
		n.op = plan.FnMod
	}
	tx, ty := e.Args[0].Type(), e.Args[1].Type()
	divides := n.op == plan.FnDivide || n.op == plan.FnMod
	switch {
	case tx.Kind.IsDatetime() && ty.Kind.IsInterval():
		n.kernel = shiftTime(tx, ty, n.op == plan.FnMinus)
	case tx.Kind.IsInterval() && ty.Kind.IsDatetime():
		n.x, n.y = n.y, n.x
		n.kernel = shiftTime(ty, tx, false)
	case tx.Kind.IsInterval() || ty.Kind.IsInterval():
		n.kernel = spanKernel
		n.fails = divides
	case e.Typ.Kind == types.Decimal:
		n.kernel, n.fails = decimalKernel, divides
	case e.Typ.Kind.IsApprox():
		n.kernel = floatKernel
	case e.Typ.Kind.IsInteger() && tx.Kind.IsInteger() && ty.Kind.IsInteger():
		n.kernel, n.fails = intKernel, divides
	case e.Typ.Kind.IsInteger() && tx.Kind.IsExact() && ty.Kind.IsExact():
		n.kernel, n.fails = decimalKernel, divides
	default:
		return nil, &Unsupported{At: e.At, What: tx.String() + " " + n.op + " " + ty.String()}
	}
	return n, nil
}

func (n *arithmetic) mayFail() bool { return n.fails || n.x.mayFail() || n.y.mayFail() }

func (n *arithmetic) eval(b *column.Batch) (*column.Vector, error) {
	x, err := n.x.eval(b)
	if err != nil {
		return nil, err
	}
	y, err := n.y.eval(b)
	if err != nil {
		return nil, err
	}
	n.out.Reset(b.Len)
	n.out.AddNulls(x)
	n.out.AddNulls(y)
	for i := range b.Len {
		if n.out.IsNull(i) {
			continue
		}
		if err := n.kernel(n, x, y, i); err != nil {
			return nil, &Error{At: n.at, Row: i, Err: err}
		}
	}
	return n.out, nil
}

// wrap cuts an integer to the bits of its type, as Java's arithmetic does.
func wrap(v int64, k types.Kind) int64 {
	switch k {
	case types.TinyInt:
		return int64(int8(v))
	case types.SmallInt:
		return int64(int16(v))
	case types.Int:
		return int64(int32(v))
	default:
		return v
	}
}

func intKernel(n *arithmetic, x, y *column.Vector, i int) error {
	a, b := x.Ints[i], y.Ints[i]
	var r int64
	switch n.op {
	case plan.FnPlus:
		r = a + b
	case plan.FnMinus:
		r = a - b
	case plan.FnTimes:
		r = a * b
	default:
		if b == 0 {
			return errDivision
		}
		switch {
		case b == -1 && n.op == plan.FnDivide:
			r = -a
		case b == -1:
			r = 0
		case n.op == plan.FnDivide:
			r = a / b
		default:
			r = a % b
		}
	}
	n.out.Ints[i] = wrap(r, n.out.Type.Kind)
	return nil
}

func floatKernel(n *arithmetic, x, y *column.Vector, i int) error {
	a, b := floatOf(x, i), floatOf(y, i)
	var r float64
	switch n.op {
	case plan.FnPlus:
		r = a + b
	case plan.FnMinus:
		r = a - b
	case plan.FnTimes:
		r = a * b
	case plan.FnDivide:
		r = a / b
	default:
		r = math.Mod(a, b)
	}
	setFloat(n.out, i, r)
	return nil
}

// setFloat sets a DOUBLE, or a FLOAT rounded to its bits.
func setFloat(v *column.Vector, i int, f float64) {
	if v.Type.Kind == types.Float {
		f = float64(float32(f))
	}
	v.Floats[i] = f
}

func decimalKernel(n *arithmetic, x, y *column.Vector, i int) error {
	a, sa := decimalOf(x, i)
	b, sb := decimalOf(y, i)
	r, scale := new(big.Int), max(sa, sb)
	switch n.op {
	case plan.FnPlus:
		r.Add(datum.Rescale(a, sa, scale), datum.Rescale(b, sb, scale))
	case plan.FnMinus:
		r.Sub(datum.Rescale(a, sa, scale), datum.Rescale(b, sb, scale))
	case plan.FnTimes:
		r.Mul(a, b)
		scale = sa + sb
	default:
		if b.Sign() == 0 {
			return errDivision
		}
		if n.op == plan.FnMod {
			r.Rem(datum.Rescale(a, sa, scale), datum.Rescale(b, sb, scale))
			break
		}
		scale = n.out.Type.Scale
		if up := scale + sb - sa; up >= 0 {
			r = datum.DivRound(new(big.Int).Mul(a, datum.Pow10(up)), b)
		} else {
			r = datum.DivRound(a, new(big.Int).Mul(b, datum.Pow10(-up)))
		}
	}
	setDecimal(n.out, i, r, scale)
	return nil
}

// setDecimal sets a number of a scale, rounded to the type's; NULL when it does not fit.
func setDecimal(v *column.Vector, i int, unscaled *big.Int, scale int) {
	unscaled = datum.Rescale(unscaled, scale, v.Type.Scale)
	if column.LayoutOf(v.Type) == column.Ints {
		v.Ints[i] = wrap(unscaled.Int64(), v.Type.Kind)
		return
	}
	if !datum.Fits(unscaled, v.Type.Precision) {
		v.SetNull(i)
		return
	}
	v.Decs[i] = unscaled
}

// spanKernel is arithmetic of intervals, and of an interval and a number.
func spanKernel(n *arithmetic, x, y *column.Vector, i int) error {
	switch n.op {
	case plan.FnTimes, plan.FnDivide:
		if x.Type.Kind.IsInterval() != y.Type.Kind.IsInterval() && !x.Type.Kind.IsInterval() {
			x, y = y, x
		}
		f := floatOf(y, i)
		if n.op == plan.FnTimes {
			n.out.Ints[i] = int64(float64(x.Ints[i]) * f)
			return nil
		}
		if f == 0 {
			return errDivision
		}
		n.out.Ints[i] = int64(float64(x.Ints[i]) / f)
	case plan.FnPlus:
		n.out.Ints[i] = x.Ints[i] + y.Ints[i]
	default:
		n.out.Ints[i] = x.Ints[i] - y.Ints[i]
	}
	return nil
}

// shiftTime adds an interval to a date, time or timestamp.
func shiftTime(t, interval types.Type, minus bool) func(*arithmetic, *column.Vector, *column.Vector, int) error {
	months := interval.Kind == types.IntervalYearMonth
	return func(n *arithmetic, x, y *column.Vector, i int) error {
		by := y.Ints[i]
		if minus {
			by = -by
		}
		return shift(n.out, i, x, t.Kind, by, months)
	}
}

// shift sets row i of out to row i of x, later by months or milliseconds.
func shift(out *column.Vector, i int, x *column.Vector, k types.Kind, by int64, months bool) error {
	switch k {
	case types.Date:
		days := x.Ints[i]
		if out.Type.Kind.IsTimestamp() {
			out.SetTime(i, types.TimestampValue{Millis: days*datum.MillisPerDay + by})
			return nil
		}
		if months {
			out.Ints[i] = datum.AddMonths(days, by)
			return nil
		}
		out.Ints[i] = days + by/datum.MillisPerDay
	case types.Time:
		if months {
			by = 0
		}
		_, out.Ints[i] = datum.Split(x.Ints[i] + by)
	case types.Timestamp, types.TimestampLTZ:
		v := x.Time(i)
		if months {
			days, ofDay := datum.Split(v.Millis)
			v.Millis = datum.AddMonths(days, by)*datum.MillisPerDay + ofDay
		} else {
			v.Millis += by
		}
		out.SetTime(i, v)
	default:
		return fmt.Errorf("cannot add to %s", k)
	}
	return nil
}
