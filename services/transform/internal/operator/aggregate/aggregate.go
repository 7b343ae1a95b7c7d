// Package aggregate holds the aggregate functions. The accumulators of all groups
// lie in columns; a group is a slot, the number of its place in all of them.
package aggregate

import (
	"math/big"

	"github.com/weirflow/weirflow/services/transform/internal/column"
)

// Function is an aggregate function with the accumulators of all slots.
type Function interface {
	// Grow makes room for n slots.
	Grow(n int)
	// Clear empties a slot.
	Clear(slot int32)
	// Add takes row i of the arguments in, Retract takes it out again.
	Add(slot int32, args []*column.Vector, i int)
	Retract(slot int32, args []*column.Vector, i int)
	// Merge adds what src has taken in to dst.
	Merge(dst, src int32)
	// Append appends the result to a vector.
	Append(slot int32, dst *column.Vector) error
	// Save writes the accumulator, Load reads it and returns what is left.
	Save(dst []byte, slot int32) []byte
	Load(slot int32, s string) (string, error)
}

// appendInt appends an integer.
func appendInt(dst *column.Vector, n int64) {
	dst.Extend(1)
	dst.Ints[dst.Len-1] = n
}

func appendFloat(dst *column.Vector, f float64) {
	dst.Extend(1)
	dst.Floats[dst.Len-1] = f
}

func appendText(dst *column.Vector, s string) {
	dst.Extend(1)
	dst.Strs[dst.Len-1] = s
}

func appendDecimal(dst *column.Vector, x *big.Int) {
	dst.Extend(1)
	dst.Decs[dst.Len-1] = x
}

func appendNull(dst *column.Vector) {
	dst.Extend(1)
	dst.SetNull(dst.Len - 1)
}
