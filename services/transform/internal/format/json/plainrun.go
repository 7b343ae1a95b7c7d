package json

import (
	"encoding/binary"
	"math/bits"

	"github.com/weirflow/weirflow/services/transform/internal/column"
)

// plainRun returns the place of the first byte from i on that must be escaped.
func plainRun(s string, i int) int {
	data := column.ViewBytes(s)
	for i+8 <= len(data) {
		x := binary.LittleEndian.Uint64(data[i:])
		quote := x ^ (ones * '"')
		slash := x ^ (ones * '\\')
		stop := (((quote - ones) &^ quote) | ((slash - ones) &^ slash) | ((x - ones*0x20) &^ x)) & highs
		if stop != 0 {
			return i + bits.TrailingZeros64(stop)>>3
		}
		i += 8
	}
	for i < len(data) && data[i] != '"' && data[i] != '\\' && data[i] >= 0x20 {
		i++
	}
	return i
}
