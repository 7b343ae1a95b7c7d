package eval

import (
	"math"
	"math/big"
)

// The JVM's sin, cos, tan, exp, log, log10 and pow are right to about half a unit
// of the last place. To print the same digits, these are computed with twice the
// precision of a DOUBLE and rounded once.

// wide is hi + lo, where lo is below half a unit of hi's last place.
type wide struct{ hi, lo float64 }

func twoSum(a, b float64) wide {
	s := a + b
	t := s - a
	return wide{s, (a - (s - t)) + (b - t)}
}

func twoProd(a, b float64) wide {
	p := a * b
	return wide{p, math.FMA(a, b, -p)}
}

func (a wide) add(b wide) wide {
	s, t := twoSum(a.hi, b.hi), twoSum(a.lo, b.lo)
	s = twoSum(s.hi, s.lo+t.hi)
	return twoSum(s.hi, s.lo+t.lo)
}

func (a wide) neg() wide { return wide{-a.hi, -a.lo} }

func (a wide) mul(b wide) wide {
	p := twoProd(a.hi, b.hi)
	return twoSum(p.hi, p.lo+(a.hi*b.lo+a.lo*b.hi))
}

func (a wide) times(f float64) wide {
	p := twoProd(a.hi, f)
	return twoSum(p.hi, p.lo+a.lo*f)
}

func (a wide) div(b wide) wide {
	q := a.hi / b.hi
	r := a.add(b.times(q).neg())
	q2 := r.hi / b.hi
	r = r.add(b.times(q2).neg())
	s := twoSum(q, q2)
	return s.add(wide{r.hi / b.hi, 0})
}

// Constants as sums of DOUBLEs, each the rest that the ones before leave.
const (
	ln2A, ln2B, ln2C          = 0.6931471805599453, 2.3190468138462996e-17, 5.707708438416212e-34
	ln10A, ln10B              = 2.302585092994046, -2.1707562233822494e-16
	halfPiA, halfPiB, halfPiC = 1.5707963267948966, 6.123233995736766e-17, -1.4973849048591698e-33
)

func exact(f float64) wide { return wide{f, 0} }

// expWide is e^x for |x| below 745 or so, as mantissa and power of two.
func expWide(x wide) (wide, int) {
	k := math.Round(x.hi / ln2A)
	r := x.add(twoProd(k, ln2A).neg()).add(twoProd(k, ln2B).neg()).add(exact(-k * ln2C))
	const halvings = 9
	r = wide{math.Ldexp(r.hi, -halvings), math.Ldexp(r.lo, -halvings)}
	// e^r - 1 by its series; squaring keeps the 1 apart: (1+s)² - 1 = 2s + s².
	sum, term := r, r
	for n := 2.0; n <= 9; n++ {
		term = term.mul(r).div(exact(n))
		sum = sum.add(term)
	}
	for range halvings {
		sum = sum.times(2).add(sum.mul(sum))
	}
	return sum.add(exact(1)), int(k)
}

func preciseExp(x float64) float64 {
	if math.IsNaN(x) || x > 710 || x < -746 {
		return math.Exp(x)
	}
	m, k := expWide(exact(x))
	return ldexp(m, k)
}

// ldexp scales and rounds once, also where the result is subnormal.
func ldexp(m wide, k int) float64 {
	if k < -1000 {
		f := new(big.Float).SetPrec(120).SetFloat64(m.hi)
		f.Add(f, new(big.Float).SetFloat64(m.lo))
		f.SetMantExp(f, k)
		v, _ := f.Float64()
		return v
	}
	return math.Ldexp(m.hi+m.lo, k)
}

// logWide is ln x for finite x above 0.
func logWide(x float64) wide {
	mantissa, k := math.Frexp(x)
	if mantissa < math.Sqrt2/2 {
		mantissa *= 2
		k--
	}
	y := math.Log(mantissa)
	e, p := expWide(exact(-y))
	e = wide{math.Ldexp(e.hi, p), math.Ldexp(e.lo, p)}
	// ln m = y + ln(m·e^-y), and that is near 1: ln(1+d) = d - d²/2.
	d := e.times(mantissa).add(exact(-1))
	out := exact(y).add(d).add(d.mul(d).times(-0.5))
	n := float64(k)
	return twoProd(n, ln2A).add(twoProd(n, ln2B)).add(out)
}

func preciseLog(x float64) float64 {
	if !(x > 0) || math.IsInf(x, 1) {
		return math.Log(x)
	}
	w := logWide(x)
	return w.hi + w.lo
}

func preciseLog10(x float64) float64 {
	if !(x > 0) || math.IsInf(x, 1) {
		return math.Log(x)
	}
	w := logWide(x).div(wide{ln10A, ln10B})
	return w.hi + w.lo
}

func precisePow(x, y float64) float64 {
	plain := math.Pow(x, y)
	switch {
	case math.Abs(x) == 1 && math.IsInf(y, 0), x == 1 && math.IsNaN(y):
		return math.NaN() // as Java, which differs from C here
	case math.IsNaN(plain) || math.IsInf(x, 0) || math.IsInf(y, 0) || x == 0 || y == 0 || y == 1:
		return plain
	}
	t := logWide(math.Abs(x)).times(y)
	if !(math.Abs(t.hi) < 746) || t.hi > 710 {
		return plain
	}
	m, k := expWide(t)
	return math.Copysign(ldexp(m, k), plain)
}

// reduce takes multiples of a quarter turn off an angle and says how many, modulo 4.
func reduce(x float64) (wide, int) {
	k := math.Round(x / halfPiA)
	if math.Abs(k) < 1<<26 {
		r := twoProd(k, halfPiA).neg().add(exact(x)).add(twoProd(k, halfPiB).neg()).add(exact(-k * halfPiC))
		return r, int(int64(k) & 3)
	}
	// Far away the angle needs as many digits of π as its exponent has, and then some.
	const precision = 1280
	half, _, _ := big.ParseFloat(manyHalfPi, 10, precision, big.ToNearestEven) // a constant that parses
	v := new(big.Float).SetPrec(precision).SetFloat64(x)
	q := new(big.Float).SetPrec(precision).Quo(v, half)
	if q.Sign() >= 0 {
		q.Add(q, big.NewFloat(0.5))
	} else {
		q.Sub(q, big.NewFloat(0.5))
	}
	n, _ := q.Int(nil)
	v.Sub(v, half.Mul(half, new(big.Float).SetPrec(precision).SetInt(n)))
	hi, _ := v.Float64()
	lo, _ := v.Sub(v, big.NewFloat(hi)).Float64()
	return wide{hi, lo}, int(new(big.Int).And(n, big.NewInt(3)).Int64())
}

// sinCos are the series for angles up to an eighth of a turn.
func sinCos(r wide) (sin, cos wide) {
	square := r.mul(r)
	sin, cos = r, exact(1)
	s, c := r, exact(1)
	for n := 1.0; n <= 14; n++ {
		c = c.mul(square).div(exact(-(2*n - 1) * (2 * n)))
		s = s.mul(square).div(exact(-(2 * n) * (2*n + 1)))
		cos, sin = cos.add(c), sin.add(s)
	}
	return sin, cos
}

// turned returns sine and cosine of any angle.
func turned(x float64) (sin, cos wide) {
	r, quarter := reduce(x)
	sin, cos = sinCos(r)
	switch quarter {
	case 1:
		return cos, sin.neg()
	case 2:
		return sin.neg(), cos.neg()
	case 3:
		return cos.neg(), sin
	}
	return sin, cos
}

func preciseSin(x float64) float64 {
	if math.IsNaN(x) || math.IsInf(x, 0) || math.Abs(x) < 1e-8 {
		return math.Sin(x)
	}
	s, _ := turned(x)
	return s.hi + s.lo
}

func preciseCos(x float64) float64 {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return math.Cos(x)
	}
	_, c := turned(x)
	return c.hi + c.lo
}

func preciseTan(x float64) float64 {
	if math.IsNaN(x) || math.IsInf(x, 0) || math.Abs(x) < 1e-8 {
		return math.Tan(x)
	}
	s, c := turned(x)
	w := s.div(c)
	return w.hi + w.lo
}

// strictExp is e^x as the JVM's strict library gives it: not always the nearest.
func strictExp(x float64) float64 {
	const (
		high, low, inverse = 6.93147180369123816490e-01, 1.90821492927058770002e-10, 1.44269504088896338700e+00
		p1, p2, p3         = 1.66666666666666019037e-01, -2.77777777770155933842e-03, 6.61375632143793436117e-05
		p4, p5             = -1.65339022054652515390e-06, 4.13813679705723846039e-08
	)
	if math.IsNaN(x) || x > 709.78 || x < -745.13 {
		return math.Exp(x)
	}
	k := 0.0
	if math.Abs(x) > 0.5*math.Ln2 {
		k = math.Trunc(inverse*x + math.Copysign(0.5, x))
	}
	hi, lo := x-k*high, k*low
	r := hi - lo
	t := r * r
	c := r - t*(p1+t*(p2+t*(p3+t*(p4+t*p5))))
	if k == 0 {
		return 1 - ((r*c)/(c-2) - r)
	}
	return math.Ldexp(1-((lo-(r*c)/(2-c))-hi), int(k))
}

// javaSinh, javaCosh and javaTanh follow the formulas of Java's strict library.
func javaSinh(x float64) float64 {
	a, half := math.Abs(x), math.Copysign(0.5, x)
	switch {
	case a < 22:
		if a < 1.0/(1<<28) {
			return x
		}
		t := math.Expm1(a)
		if a < 1 {
			return half * (2*t - t*t/(t+1))
		}
		return half * (t + t/(t+1))
	case a < 709.7822265625:
		return half * strictExp(a)
	case a <= 710.4758600739439:
		w := strictExp(0.5 * a)
		return half * w * w
	default:
		return x * 1e307 * 10
	}
}

func javaCosh(x float64) float64 {
	a := math.Abs(x)
	switch {
	case math.IsNaN(x):
		return x
	case a < 0.34657359027997264: // half of ln 2
		t := math.Expm1(a)
		if a < 1.0/(1<<55) {
			return 1 + t
		}
		return 1 + t*t/(2*(1+t))
	case a < 22:
		t := strictExp(a)
		return 0.5*t + 0.5/t
	case a < 709.7822265625:
		return 0.5 * strictExp(a)
	case a <= 710.4758600739439:
		w := strictExp(0.5 * a)
		return 0.5 * w * w
	default:
		return math.Inf(1)
	}
}

func javaTanh(x float64) float64 {
	a, z := math.Abs(x), 1.0
	switch {
	case math.IsNaN(x), a < 1.0/(1<<55):
		return x
	case a >= 22:
	case a >= 1:
		z = 1 - 2/(math.Expm1(2*a)+2)
	default:
		t := math.Expm1(-2 * a)
		z = -t / (t + 2)
	}
	return math.Copysign(z, x)
}

// manyHalfPi is π/2 with the digits that the largest DOUBLE needs.
const manyHalfPi = "1.57079632679489661923132169163975144209858469968755291048747229615390820314310449931401741267105853" +
	"3991074043256641153323546922304775291115862679704064240558725142051350969260552779822311474477465190" +
	"9822144054878329667230642378241168933915826356009545728242834617301743052271633241066968036301245706" +
	"3686229350330315779408744076046048141462704585768218394629518000566526527441023326069207347597075580"
