package datum

import (
	"errors"
	"math"
	"math/big"
	"strconv"
	"strings"
)

// ErrNumber says that a text is not a number of the kind wanted.
var ErrNumber = errors.New("not a number")

// AppendInt appends an integer.
func AppendInt(b []byte, v int64) []byte { return strconv.AppendInt(b, v, 10) }

// AppendDouble appends a DOUBLE (bits 64) or FLOAT (bits 32) in Java's notation.
func AppendDouble(b []byte, v float64, bits int) []byte {
	switch {
	case math.IsNaN(v):
		return append(b, "NaN"...)
	case math.IsInf(v, 1):
		return append(b, "Infinity"...)
	case math.IsInf(v, -1):
		return append(b, "-Infinity"...)
	case v == 0:
		if math.Signbit(v) {
			return append(b, "-0.0"...)
		}
		return append(b, "0.0"...)
	}
	if v < 0 {
		b, v = append(b, '-'), -v
	}
	var room [32]byte
	digits, point := javaDigits(room[:0], v, bits)
	switch {
	case point > 0 && point < 8:
		for i := range max(point, len(digits)) {
			if i == point {
				b = append(b, '.')
			}
			if i < len(digits) {
				b = append(b, digits[i])
			} else {
				b = append(b, '0')
			}
		}
		if len(digits) <= point {
			b = append(b, '.', '0')
		}
		return b
	case point <= 0 && point > -3:
		b = append(b, '0', '.')
		for range -point {
			b = append(b, '0')
		}
		return append(b, digits...)
	}
	b = append(b, digits[0], '.')
	if len(digits) == 1 {
		b = append(b, '0')
	}
	b = append(append(b, digits[1:]...), 'E')
	return strconv.AppendInt(b, int64(point-1), 10)
}

// ParseDouble reads a number as Java's Double.parseDouble does.
func ParseDouble(s string, bits int) (float64, error) {
	s = TrimSpace(s)
	bare := s
	if bare != "" && (bare[0] == '+' || bare[0] == '-') {
		bare = bare[1:]
	}
	switch {
	case bare == "NaN" || bare == "Infinity":
	case bare == "" || bare[0] != '.' && (bare[0] < '0' || bare[0] > '9') || strings.IndexByte(bare, '_') >= 0:
		return 0, ErrNumber
	default:
		s = s[:len(s)-1] + strings.TrimRight(s[len(s)-1:], "dDfF")
	}
	v, err := strconv.ParseFloat(s, bits)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return 0, ErrNumber
	}
	return v, nil
}

// ParseInt reads an integer of the number of bits given, as Java's parseLong does.
func ParseInt(s string, bits int) (int64, error) {
	v, err := strconv.ParseInt(s, 10, bits)
	if err != nil || strings.Contains(s, "_") {
		return 0, ErrNumber
	}
	return v, nil
}

// ParseDecimal reads a number as Java's BigDecimal does: unscaled value and scale.
func ParseDecimal(s string) (*big.Int, int, error) {
	mantissa, exponent := s, 0
	if at := strings.IndexAny(s, "eE"); at >= 0 {
		e, err := strconv.ParseInt(s[at+1:], 10, 32)
		if err != nil || e > 10_000 || e < -10_000 {
			return nil, 0, ErrNumber
		}
		mantissa, exponent = s[:at], int(e)
	}
	scale := 0
	digits := mantissa
	if at := strings.IndexByte(mantissa, '.'); at >= 0 {
		digits = mantissa[:at] + mantissa[at+1:]
		scale = len(mantissa) - at - 1
	}
	if len(digits) > 10_000 {
		return nil, 0, ErrNumber
	}
	bare := strings.TrimPrefix(strings.TrimPrefix(digits, "-"), "+")
	if bare == "" || strings.Trim(bare, "0123456789") != "" {
		return nil, 0, ErrNumber
	}
	v, ok := new(big.Int).SetString(digits, 10)
	if !ok {
		return nil, 0, ErrNumber
	}
	return v, scale - exponent, nil
}

// TrimSpace takes off what Java's String.trim does: all up to and including the space.
func TrimSpace(s string) string {
	for s != "" && s[0] <= ' ' {
		s = s[1:]
	}
	for s != "" && s[len(s)-1] <= ' ' {
		s = s[:len(s)-1]
	}
	return s
}
