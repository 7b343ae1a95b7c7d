package json

import (
	"encoding/binary"
	"math/bits"

	"github.com/weirflow/weirflow/services/transform/internal/column"
)

// special marks, at its highest bit, each byte of x that may not stand in a string
// as it is: control characters, the quote and the backslash. Only the lowest mark
// is exact; bytes above it may be marked in error.
func special(x uint64) uint64 {
	return ((x - ones*0x20) | ((x ^ ones*'"') - ones) | ((x ^ ones*'\\') - ones)) &^ x & highs
}

// plainRun returns the place of the first byte from i on that must be escaped.
func plainRun(s string, i int) int {
	data := column.ViewBytes(s)[i:]
	for len(data) >= 16 {
		low := special(binary.LittleEndian.Uint64(data))
		high := special(binary.LittleEndian.Uint64(data[8:]))
		if low|high != 0 {
			at := len(s) - len(data)
			if low != 0 {
				return at + bits.TrailingZeros64(low)>>3
			}
			return at + 8 + bits.TrailingZeros64(high)>>3
		}
		data = data[16:]
	}
	for k, c := range data {
		if c == '"' || c == '\\' || c < 0x20 {
			return len(s) - len(data) + k
		}
	}
	return len(s)
}
