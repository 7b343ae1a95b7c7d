package datum

import "math/big"

// Pow10 returns 10^n.
func Pow10(n int) *big.Int {
	return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil)
}

// Rescale returns v × 10^-from as an unscaled value of scale to, rounded half up.
func Rescale(v *big.Int, from, to int) *big.Int {
	switch {
	case from == to:
		return v
	case from < to:
		return new(big.Int).Mul(v, Pow10(to-from))
	default:
		return DivRound(v, Pow10(from-to))
	}
}

// DivRound returns a / b rounded half away from zero; b must not be 0.
func DivRound(a, b *big.Int) *big.Int {
	q, r := new(big.Int).QuoRem(a, b, new(big.Int))
	if r.Sign() == 0 {
		return q
	}
	if r.Lsh(r, 1).CmpAbs(b) >= 0 {
		step := int64(1)
		if a.Sign() != b.Sign() {
			step = -1
		}
		q.Add(q, big.NewInt(step))
	}
	return q
}

// Fits reports whether an unscaled value has at most precision digits.
func Fits(v *big.Int, precision int) bool { return v.CmpAbs(Pow10(precision)) < 0 }

// AppendDecimal appends an unscaled value of a scale in plain notation.
func AppendDecimal(b []byte, v *big.Int, scale int) []byte {
	at := len(b)
	b = v.Append(b, 10)
	if v.Sign() < 0 {
		at++
	}
	if scale <= 0 {
		for ; scale < 0 && v.Sign() != 0; scale++ {
			b = append(b, '0')
		}
		return b
	}
	for len(b)-at <= scale {
		b = append(b, 0)
		copy(b[at+1:], b[at:])
		b[at] = '0'
	}
	b = append(b, 0)
	copy(b[len(b)-scale:], b[len(b)-scale-1:])
	b[len(b)-scale-1] = '.'
	return b
}

// AppendShortest appends an unscaled value of a scale without zeros at its end, and
// with an exponent where Java's BigDecimal has one then: as JSON writers do.
func AppendShortest(b []byte, v *big.Int, scale int) []byte {
	if v.Sign() == 0 {
		return append(b, '0')
	}
	digits := v.Append(nil, 10)
	if v.Sign() < 0 {
		b, digits = append(b, '-'), digits[1:]
	}
	for digits[len(digits)-1] == '0' {
		digits = digits[:len(digits)-1]
		scale--
	}
	exponent := len(digits) - 1 - scale
	switch {
	case scale >= 0 && exponent >= -6:
		n, _ := new(big.Int).SetString(string(digits), 10) // digits are digits
		return AppendDecimal(b, n, scale)
	case scale == 0:
		return append(b, digits...)
	}
	b = append(b, digits[0])
	if len(digits) > 1 {
		b = append(append(b, '.'), digits[1:]...)
	}
	b = append(b, 'E')
	if exponent > 0 {
		b = append(b, '+')
	}
	return AppendInt(b, int64(exponent))
}

// ToFloat returns the DOUBLE nearest to an unscaled value of a scale.
func ToFloat(v *big.Int, scale int) float64 {
	f, _ := ParseDouble(string(AppendDecimal(nil, v, scale)), 64)
	return f
}
