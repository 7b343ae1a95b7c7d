package datum

import (
	"math"
	"math/big"
	"math/bits"
)

// Java before version 19 does not always print the shortest digits that read
// back as the same number: 2.0E-3 is "0.002" but 1.23456792E8 keeps a digit that
// it does not need. People compare texts, so the digits here are Java's: those of
// a digit-by-digit conversion that stops when the rest is within half a unit of
// the last place, with the same shortcuts for whole numbers.

const (
	significand = 53 // bits of a DOUBLE with the hidden one
	maxPow5     = 27 // powers of five that fit 64 bits
)

// pow5Bits returns how many bits 5^n has, or an estimate from above where Java estimates.
func pow5Bits(n int) int {
	if n < maxPow5 {
		if n == 0 {
			return 0
		}
		return bits.Len64(pow5(n))
	}
	return n * 3
}

func pow5(n int) uint64 {
	p := uint64(1)
	for range n {
		p *= 5
	}
	return p
}

// javaDigits returns the decimal digits of a finite number above 0 and the place
// of the decimal point relative to the first of them.
func javaDigits(buf []byte, v float64, size int) (digits []byte, point int) {
	fraction, exponent, precise := decompose(v, size)
	tail := bits.TrailingZeros64(fraction)
	length := significand - tail // bits that matter
	tiny := max(0, length-exponent-1)
	if exponent <= 62 && exponent >= -21 && tiny == 0 {
		return wholeDigits(buf, fraction, exponent, precise)
	}
	d := math.Float64frombits(fraction&(1<<52-1) | 1023<<52)
	decimal := int(math.Floor((d-1.5)*0.289529654 + 0.176091259 + float64(exponent)*0.301029995663981))

	s := scaled{length: length, b5: max(0, -decimal), s5: max(0, decimal)}
	s.b2 = s.b5 + tiny + exponent
	s.s2 = s.s5 + tiny
	s.m2 = s.b2 - precise
	s.b2 -= length - 1
	common := min(s.b2, s.s2)
	s.b2, s.s2, s.m2 = s.b2-common, s.s2-common, s.m2-common
	if length == 1 {
		s.m2-- // the gap below a power of two is half as wide
	}
	if s.m2 < 0 {
		s.b2, s.s2, s.m2 = s.b2-s.m2, s.s2-s.m2, 0
	}
	s.fraction = fraction >> tail
	if s.length+s.b2+pow5Bits(s.b5) < 64 && s.s2+1+pow5Bits(s.s5+1) < 64 {
		return s.small(buf, decimal)
	}
	return s.large(buf, decimal)
}

// decompose gives the fraction with its highest bit at 52, the binary exponent,
// and how many bits of the fraction are precise.
func decompose(v float64, size int) (fraction uint64, exponent, precise int) {
	if size == 32 {
		b := math.Float32bits(float32(v))
		f, e := uint64(b&(1<<23-1)), int(b>>23&0xff)
		if e == 0 {
			shift := bits.LeadingZeros32(uint32(f)) - 8
			return f << shift << 29, 1 - shift - 127, 24 - shift
		}
		return (f | 1<<23) << 29, e - 127, 24
	}
	b := math.Float64bits(v)
	f, e := b&(1<<52-1), int(b>>52&0x7ff)
	if e == 0 {
		shift := bits.LeadingZeros64(f) - 11
		return f << shift, 1 - shift - 1023, significand - shift
	}
	return f | 1<<52, e - 1023, significand
}

// wholeDigits is for numbers without a fraction that fit 63 bits. Digits beyond
// the precision of the type are rounded away.
func wholeDigits(buf []byte, fraction uint64, exponent, precise int) ([]byte, int) {
	n := fraction
	if exponent >= 52 {
		n <<= exponent - 52
	} else {
		n >>= 52 - exponent
	}
	point := 0
	if p := exponent - precise - 1; exponent > precise && p > 1 {
		unit := uint64(1)
		for range p * 30103 / 100000 { // the decimal digits within p bits
			unit *= 10
			point++
		}
		rest := n % unit
		n /= unit
		if rest >= unit>>1 && point > 0 {
			n++
		}
	}
	for n%10 == 0 {
		n /= 10
		point++
	}
	buf = AppendInt(buf[:0], int64(n))
	return buf, point + len(buf)
}

// scaled is a number as fraction × 2^b2 × 5^b5 over 2^s2 × 5^s5; half a unit of
// its last place is 2^m2 × 5^b5.
type scaled struct {
	fraction       uint64
	length         int
	b2, b5, s2, s5 int
	m2             int
}

// wide tells whether Java prints at least two digits: it does with an exponent.
func wide(decimal int) bool { return decimal < -3 || decimal >= 8 }

func (s *scaled) small(buf []byte, decimal int) ([]byte, int) {
	b := int64(s.fraction*pow5(s.b5)) << s.b2
	unit := int64(pow5(s.s5)) << s.s2
	m := int64(pow5(s.b5)) << s.m2
	tens := unit * 10
	buf = buf[:0]
	q := b / unit
	b, m = 10*(b%unit), m*10
	low, high := b < m, b+m > tens
	if q == 0 && !high {
		decimal--
	} else {
		buf = append(buf, byte('0'+q))
	}
	if wide(decimal) {
		low, high = false, false
	}
	for !low && !high {
		q = b / unit
		b, m = 10*(b%unit), m*10
		if m > 0 {
			low, high = b < m, b+m > tens
		} else { // m has overflowed: no more digits than these can matter
			low, high = true, true
		}
		buf = append(buf, byte('0'+q))
	}
	diff := b<<1 - tens
	sign := 0
	if diff < 0 {
		sign = -1
	} else if diff > 0 {
		sign = 1
	}
	return finish(buf, decimal+1, low, high, sign)
}

func (s *scaled) large(buf []byte, decimal int) ([]byte, int) {
	pow := func(n int) *big.Int { return new(big.Int).Exp(big.NewInt(5), big.NewInt(int64(n)), nil) }
	unit := pow(s.s5)
	unit.Lsh(unit, uint(s.s2))
	b := new(big.Int).SetUint64(s.fraction)
	b.Lsh(b.Mul(b, pow(s.b5)), uint(s.b2))
	m := pow(s.b5)
	m.Lsh(m, uint(s.m2))
	ten := big.NewInt(10)
	tens := new(big.Int).Mul(unit, ten)
	q, sum := new(big.Int), new(big.Int)
	step := func() (digit byte, low, high bool) {
		q.QuoRem(b, unit, b)
		b.Mul(b, ten)
		m.Mul(m, ten)
		return byte('0' + q.Int64()), b.Cmp(m) < 0, tens.Cmp(sum.Add(b, m)) <= 0
	}
	buf = buf[:0]
	digit, low, high := step()
	if digit == '0' && !high {
		decimal--
	} else {
		buf = append(buf, digit)
	}
	if wide(decimal) {
		low, high = false, false
	}
	for !low && !high {
		digit, low, high = step()
		buf = append(buf, digit)
	}
	sign := 0
	if low && high {
		sign = b.Lsh(b, 1).Cmp(tens)
	}
	return finish(buf, decimal+1, low, high, sign)
}

// finish rounds the last digit by what is left behind it.
func finish(buf []byte, point int, low, high bool, rest int) ([]byte, int) {
	up := high
	if high && low {
		up = rest > 0 || rest == 0 && buf[len(buf)-1]&1 == 1
	}
	if !up {
		return buf, point
	}
	i := len(buf) - 1
	for i > 0 && buf[i] == '9' {
		buf[i] = '0'
		i--
	}
	if buf[i] == '9' { // all nines
		buf[i] = '1'
		return buf, point + 1
	}
	buf[i]++
	return buf, point
}
