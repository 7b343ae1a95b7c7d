package eval

import "math"

// Java's inverse functions follow the approximations of fdlibm, Go's do not, and
// the last digit shows. These are fdlibm's: a rational or odd polynomial on a
// reduced argument.

const (
	piLow      = 1.2246467991473531772e-16
	halfPi     = 1.57079632679489655800e+00
	halfPiLow  = 6.12323399573676603587e-17
	quarterPi  = 7.85398163397448278999e-01
	lowWordOff = 0xffffffff00000000
)

func javaAtan(x float64) float64 {
	abs := math.Abs(x)
	if math.IsNaN(x) || abs < 0x1p-29 {
		return x
	}
	if abs >= 0x1p66 {
		return math.Copysign(halfPi+halfPiLow, x)
	}
	var high, low, t float64
	switch {
	case abs < 0.4375:
		return x - x*atanSeries(x)
	case abs < 0.6875:
		high, low, t = 4.63647609000806093515e-01, 2.26987774529616870924e-17, (2*abs-1)/(2+abs)
	case abs < 1.1875:
		high, low, t = quarterPi, 3.06161699786838301793e-17, (abs-1)/(abs+1)
	case abs < 2.4375:
		high, low, t = 9.82793723247329054082e-01, 1.39033110312309984516e-17, (abs-1.5)/(1+1.5*abs)
	default:
		high, low, t = halfPi, halfPiLow, -1/abs
	}
	return math.Copysign(high-((t*atanSeries(t)-low)-t), x)
}

func atanSeries(x float64) float64 {
	z := x * x
	w := z * z
	odd := z * (3.33333333333329318027e-01 + w*(1.42857142725034663711e-01+w*(9.09088713343650656196e-02+
		w*(6.66107313738753120669e-02+w*(4.97687799461593236017e-02+w*1.62858201153657823623e-02)))))
	even := w * (-1.99999999998764832476e-01 + w*(-1.11111104054623557880e-01+w*(-7.69187620504482999495e-02+
		w*(-5.83357013379057348645e-02+w*-3.65315727442169155270e-02))))
	return odd + even
}

func javaAtan2(y, x float64) float64 {
	if math.IsNaN(x) || math.IsNaN(y) || x == 0 || y == 0 || math.IsInf(x, 0) || math.IsInf(y, 0) {
		return math.Atan2(y, x)
	}
	if x == 1 {
		return javaAtan(y)
	}
	_, ey := math.Frexp(y)
	_, ex := math.Frexp(x)
	z := 0.0
	switch k := ey - ex; {
	case k > 60:
		z = halfPi + 0.5*piLow
	case x > 0 || k >= -60:
		z = javaAtan(math.Abs(y / x))
	}
	if x < 0 {
		z = math.Pi - (z - piLow)
	}
	return math.Copysign(z, y)
}

// arcRatio is the rational part of asin and acos.
func arcRatio(t float64) float64 {
	p := t * (1.66666666666666657415e-01 + t*(-3.25565818622400915405e-01+t*(2.01212532134862925881e-01+
		t*(-4.00555345006794114027e-02+t*(7.91534994289814532176e-04+t*3.47933107596021167570e-05)))))
	q := 1 + t*(-2.40339491173441421878e+00+t*(2.02094576023350569471e+00+t*(-6.88283971605453293030e-01+t*7.70381505559019352791e-02)))
	return p / q
}

func javaAsin(x float64) float64 {
	abs := math.Abs(x)
	switch {
	case math.IsNaN(x) || abs >= 1:
		return math.Asin(x)
	case abs < 0x1p-27:
		return x
	case abs < 0.5:
		return x + x*arcRatio(x*x)
	}
	t := (1 - abs) * 0.5
	r, s := arcRatio(t), math.Sqrt(t)
	if abs >= 0.975 {
		return math.Copysign(halfPi-(2*(s+s*r)-halfPiLow), x)
	}
	w := math.Float64frombits(math.Float64bits(s) & lowWordOff)
	c := (t - w*w) / (s + w)
	return math.Copysign(quarterPi-((2*s*r-(halfPiLow-2*c))-(quarterPi-2*w)), x)
}

func javaAcos(x float64) float64 {
	abs := math.Abs(x)
	switch {
	case math.IsNaN(x) || abs >= 1:
		return math.Acos(x)
	case abs < 0x1p-57:
		return halfPi + halfPiLow
	case abs < 0.5:
		return halfPi - (x - (halfPiLow - x*arcRatio(x*x)))
	case x < 0:
		z := (1 + x) * 0.5
		s := math.Sqrt(z)
		return math.Pi - 2*(s+(arcRatio(z)*s-halfPiLow))
	}
	z := (1 - x) * 0.5
	s := math.Sqrt(z)
	w := math.Float64frombits(math.Float64bits(s) & lowWordOff)
	return 2 * (w + (arcRatio(z)*s + (z-w*w)/(s+w)))
}
