package eval

import (
	"math"
	"math/big"
	"math/rand/v2"
	"strconv"
	"strings"

	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/datum"
	"github.com/weirflow/weirflow/services/transform/internal/plan"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

var mathFunctions = map[string]builder{
	plan.FnNegate: perNumber(func(v int64) int64 { return -v }, func(f float64) float64 { return -f }, (*big.Int).Neg),
	"ABS":         perNumber(func(v int64) int64 { return max(v, -v) }, math.Abs, (*big.Int).Abs),
	"POWER":       double2(precisePow), "EXP": double(preciseExp), "LN": double(preciseLog), "LOG10": double(preciseLog10), "LOG2": double(func(f float64) float64 { return preciseLog(f) / preciseLog(2) }),
	"LOG": logarithm, "SQRT": double(func(f float64) float64 { return precisePow(f, 0.5) }), "SIN": double(preciseSin), "COS": double(preciseCos), "TAN": double(preciseTan),
	"COT": double(func(f float64) float64 { return 1 / preciseTan(f) }), "ASIN": double(javaAsin), "ACOS": double(javaAcos),
	"ATAN": double(javaAtan), "ATAN2": double2(javaAtan2), "SINH": double(javaSinh), "COSH": double(javaCosh), "TANH": double(javaTanh),
	"DEGREES": double(func(f float64) float64 { return f * (180 / math.Pi) }), "RADIANS": double(func(f float64) float64 { return f * (math.Pi / 180) }),
	"SIGN": sign, "ROUND": round, "TRUNCATE": round, plan.FnFloor: floorCeil, plan.FnCeil: floorCeil,
	"PI": value(func() any { return math.Pi }), "E": value(func() any { return math.E }),
	"RAND": random, "RAND_INTEGER": random,
	"HEX": hex, "UNHEX": lenient(unhex), "BIN": simple(bin),
	"GREATEST": extreme, "LEAST": extreme,
}

func value(f func() any) builder {
	return simple(func(_ []*column.Vector, i int, out *column.Vector) error { out.Set(i, f()); return nil })
}

func double(f func(float64) float64) builder {
	return simple(func(a []*column.Vector, i int, out *column.Vector) error {
		setFloat(out, i, f(floatOf(a[0], i)))
		return nil
	})
}

func double2(f func(x, y float64) float64) builder {
	return simple(func(a []*column.Vector, i int, out *column.Vector) error {
		setFloat(out, i, f(floatOf(a[0], i), floatOf(a[1], i)))
		return nil
	})
}

// perNumber is a function that keeps the type of its argument.
func perNumber(whole func(int64) int64, approx func(float64) float64, dec func(z, x *big.Int) *big.Int) builder {
	return func(_ *compiler, e *plan.Call) (*spec, error) {
		switch column.LayoutOf(e.Typ) {
		case column.Ints:
			return &spec{fn: func(a []*column.Vector, i int, out *column.Vector) error {
				out.Ints[i] = wrap(whole(a[0].Ints[i]), out.Type.Kind)
				return nil
			}}, nil
		case column.Floats:
			return &spec{fn: func(a []*column.Vector, i int, out *column.Vector) error {
				setFloat(out, i, approx(a[0].Floats[i]))
				return nil
			}}, nil
		case column.Decs:
			return &spec{fn: func(a []*column.Vector, i int, out *column.Vector) error {
				setDecimal(out, i, dec(new(big.Int), a[0].Decs[i]), a[0].Type.Scale)
				return nil
			}}, nil
		default:
			return nil, nil
		}
	}
}

func logarithm(_ *compiler, e *plan.Call) (*spec, error) {
	return &spec{fn: func(a []*column.Vector, i int, out *column.Vector) error {
		if len(e.Args) == 1 {
			out.Floats[i] = preciseLog(floatOf(a[0], i))
			return nil
		}
		out.Floats[i] = preciseLog(floatOf(a[1], i)) / preciseLog(floatOf(a[0], i))
		return nil
	}}, nil
}

func sign(_ *compiler, e *plan.Call) (*spec, error) {
	return &spec{fn: func(a []*column.Vector, i int, out *column.Vector) error {
		switch column.LayoutOf(e.Typ) {
		case column.Ints:
			out.Ints[i] = int64(big.NewInt(a[0].Ints[i]).Sign())
		case column.Floats:
			f := floatOf(a[0], i)
			switch {
			case f > 0:
				f = 1
			case f < 0:
				f = -1
			}
			out.Floats[i] = f
		default:
			n, _ := decimalOf(a[0], i)
			setDecimal(out, i, big.NewInt(int64(n.Sign())), 0)
		}
		return nil
	}}, nil
}

// round is ROUND and TRUNCATE, with an optional number of digits.
func round(_ *compiler, e *plan.Call) (*spec, error) {
	truncate := e.Function == "TRUNCATE"
	return &spec{fn: func(a []*column.Vector, i int, out *column.Vector) error {
		digits := 0
		if len(a) > 1 {
			digits = int(a[1].Ints[i])
		}
		if column.LayoutOf(a[0].Type) == column.Floats {
			f := a[0].Floats[i]
			if math.IsNaN(f) || math.IsInf(f, 0) {
				out.Floats[i] = f
				return nil
			}
			n, scale, err := datum.ParseDecimal(string(datum.AppendDouble(nil, f, 64)))
			if err != nil {
				return err
			}
			n, scale = roundTo(n, scale, digits, truncate)
			setFloat(out, i, datum.ToFloat(n, scale))
			return nil
		}
		n, scale := decimalOf(a[0], i)
		n, scale = roundTo(n, scale, digits, truncate)
		if column.LayoutOf(out.Type) == column.Ints {
			out.Ints[i] = wrap(datum.Rescale(n, scale, 0).Int64(), out.Type.Kind)
			return nil
		}
		setDecimal(out, i, n, scale)
		return nil
	}}, nil
}

func roundTo(n *big.Int, scale, digits int, truncate bool) (*big.Int, int) {
	digits = max(min(digits, 400), -400)
	if digits >= scale {
		return n, scale
	}
	if truncate {
		return new(big.Int).Quo(n, datum.Pow10(scale-digits)), digits
	}
	return datum.DivRound(n, datum.Pow10(scale-digits)), digits
}

func floorCeil(c *compiler, e *plan.Call) (*spec, error) {
	if len(e.Args) == 2 {
		return floorTime(c, e)
	}
	ceil := e.Function == plan.FnCeil
	return &spec{fn: func(a []*column.Vector, i int, out *column.Vector) error {
		switch column.LayoutOf(a[0].Type) {
		case column.Floats:
			f := math.Floor(a[0].Floats[i])
			if ceil {
				f = math.Ceil(a[0].Floats[i])
			}
			out.Floats[i] = f
		case column.Decs:
			step := datum.Pow10(a[0].Type.Scale)
			q, r := new(big.Int).DivMod(a[0].Decs[i], step, new(big.Int)) // Euclidean: r >= 0
			if ceil && r.Sign() != 0 {
				q.Add(q, big.NewInt(1))
			}
			setDecimal(out, i, q, 0)
		default:
			out.Ints[i] = a[0].Ints[i]
		}
		return nil
	}}, nil
}

func random(_ *compiler, e *plan.Call) (*spec, error) {
	var source *rand.Rand
	seeded := len(e.Args) - 1
	if e.Function == "RAND" {
		seeded = len(e.Args)
	}
	return &spec{fn: func(a []*column.Vector, i int, out *column.Vector) error {
		if source == nil {
			seed := rand.Uint64() //nolint:gosec // RAND is no secret
			if seeded > 0 {
				seed = uint64(a[0].Ints[i])
			}
			source = rand.New(rand.NewPCG(seed, seed)) //nolint:gosec // RAND is no secret
		}
		if e.Function == "RAND" {
			out.Floats[i] = source.Float64()
			return nil
		}
		bound := a[len(a)-1].Ints[i]
		if bound <= 0 {
			out.SetNull(i)
			return nil
		}
		out.Ints[i] = source.Int64N(bound)
		return nil
	}}, nil
}

func hex(_ *compiler, e *plan.Call) (*spec, error) {
	return &spec{fn: func(a []*column.Vector, i int, out *column.Vector) error {
		const digits = "0123456789ABCDEF"
		if e.Args[0].Type().Kind.IsInteger() {
			out.Strs[i] = strings.ToUpper(strconv.FormatUint(uint64(a[0].Ints[i]), 16))
			return nil
		}
		b := make([]byte, 0, 2*len(a[0].Strs[i]))
		for k := range len(a[0].Strs[i]) {
			c := a[0].Strs[i][k]
			b = append(b, digits[c>>4], digits[c&15])
		}
		out.SetBytes(i, b)
		return nil
	}}, nil
}

func unhex(a []*column.Vector, i int, out *column.Vector) error {
	if a[0].IsNull(i) {
		out.SetNull(i)
		return nil
	}
	s := a[0].Strs[i]
	if len(s)%2 == 1 {
		s = "0" + s
	}
	b := make([]byte, 0, len(s)/2)
	for k := 0; k < len(s); k += 2 {
		n, err := strconv.ParseUint(s[k:k+2], 16, 8)
		if err != nil {
			out.SetNull(i)
			return nil //nolint:nilerr // NULL is the answer
		}
		b = append(b, byte(n))
	}
	out.SetBytes(i, b)
	return nil
}

func bin(a []*column.Vector, i int, out *column.Vector) error {
	out.Strs[i] = strconv.FormatUint(uint64(a[0].Ints[i]), 2)
	return nil
}

// extreme is GREATEST and LEAST: NULL when any argument is.
func extreme(_ *compiler, e *plan.Call) (*spec, error) {
	want := 1
	if e.Function == "LEAST" {
		want = -1
	}
	for _, a := range e.Args {
		if CompareOf(e.Args[0].Type(), a.Type()) == nil {
			return nil, nil
		}
	}
	return &spec{fn: func(a []*column.Vector, i int, out *column.Vector) error {
		best := a[0]
		for _, v := range a[1:] {
			if CompareOf(v.Type, best.Type)(v, i, best, i) == want {
				best = v
			}
		}
		switch {
		case column.LayoutOf(out.Type) == column.LayoutOf(best.Type) && out.Type.Kind != types.Decimal:
			column.CopyRow(out, i, best, i)
		case out.Type.Kind == types.Decimal:
			n, scale := decimalOf(best, i)
			setDecimal(out, i, n, scale)
		default:
			setFloat(out, i, floatOf(best, i))
		}
		return nil
	}}, nil
}
