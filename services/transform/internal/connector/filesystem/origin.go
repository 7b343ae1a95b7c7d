package filesystem

import (
	"fmt"
	"strconv"
)

// origin knows the records of a file.
type origin struct {
	part    int
	path    string
	name    string
	offsets []int64
}

// AppendEventID appends file and offset, which stay the same however often the file is read.
func (o *origin) AppendEventID(b []byte, i int) []byte {
	b = append(append(b, o.name...), '@')
	return strconv.AppendInt(b, o.offsets[i], 10)
}

// Partition is the number of the file.
func (o *origin) Partition(int) int { return o.part }

// Describe names file and byte.
func (o *origin) Describe(i int) string { return fmt.Sprintf("%s, byte %d", o.name, o.offsets[i]) }

// EventMillis is not known.
func (o *origin) EventMillis(int) int64 { return 0 }
