package types

import (
	"math/big"
	"strings"
)

// DecimalValue is an exact decimal number: Unscaled × 10^-Scale.
type DecimalValue struct {
	Unscaled *big.Int
	Scale    int
}

// String returns the number in plain notation.
func (d DecimalValue) String() string {
	if d.Unscaled == nil {
		return "0"
	}
	digits := new(big.Int).Abs(d.Unscaled).String()
	if d.Scale > 0 {
		if pad := d.Scale + 1 - len(digits); pad > 0 {
			digits = strings.Repeat("0", pad) + digits
		}
		digits = digits[:len(digits)-d.Scale] + "." + digits[len(digits)-d.Scale:]
	} else if d.Scale < 0 && d.Unscaled.Sign() != 0 {
		digits += strings.Repeat("0", -d.Scale)
	}
	if d.Unscaled.Sign() < 0 {
		return "-" + digits
	}
	return digits
}

// TimestampValue is a point in time: milliseconds since 1970-01-01 00:00:00 and
// the nanoseconds within that millisecond, 0 to 999,999.
type TimestampValue struct {
	Millis int64
	Nanos  int32
}
