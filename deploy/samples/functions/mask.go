//go:build wasip1

// This program is a module with functions for SQL. Build it with
//
//	GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared -o functions.wasm mask.go
//
// and see docs/functions.md for the form of a call.
package main

import (
	"encoding/binary"
	"strings"
	"unsafe"
)

func main() {}

// mask hides the host part of an IPv4 address: 192.168.1.7 becomes 192.168.x.x.
//
//go:wasmexport mask
func mask(at, size uint32) uint64 {
	return texts(at, size, func(row []string) string {
		part := strings.SplitN(row[0], ".", 3)
		if len(part) < 3 {
			return row[0]
		}
		return part[0] + "." + part[1] + ".x.x"
	})
}

// join puts two texts together with a dash.
//
//go:wasmexport join
func join(at, size uint32) uint64 {
	return texts(at, size, func(row []string) string { return row[0] + "-" + row[1] })
}

// request and answer are kept between calls, so that the collector leaves them.
var request, answer []byte

// allocate makes room for the next call's arguments.
//
//go:wasmexport allocate
func allocate(size uint32) uint32 {
	if uint32(cap(request)) < size+1 {
		request = make([]byte, size+1)
	}
	return uint32(uintptr(unsafe.Pointer(unsafe.SliceData(request[:cap(request)]))))
}

// column is an argument: the texts of all rows, one behind the other.
type column struct {
	nulls, lengths []byte
	bytes          string
}

// next takes the text of row i, which must be asked for in order.
func (c *column) next(i int) string {
	n := binary.LittleEndian.Uint32(c.lengths[4*i:])
	text := c.bytes[:n]
	c.bytes = c.bytes[n:]
	return text
}

// texts applies f to each row of a call whose arguments are texts. A row with a
// NULL gives NULL.
func texts(_, size uint32, f func(row []string) string) uint64 {
	in := request[:size]
	rows, columns := int(binary.LittleEndian.Uint32(in)), int(binary.LittleEndian.Uint32(in[4:]))
	in = in[8:]
	args := make([]column, columns)
	nulls := make([]byte, rows)
	for c := range args {
		if in[0] != 4 {
			return give(append([]byte{1}, "the arguments must be STRING"...))
		}
		args[c] = column{nulls: in[1 : 1+rows], lengths: in[1+rows : 1+5*rows]}
		total := 0
		for i := range rows {
			total += int(binary.LittleEndian.Uint32(args[c].lengths[4*i:]))
			nulls[i] |= args[c].nulls[i]
		}
		in = in[1+5*rows:]
		args[c].bytes = unsafe.String(unsafe.SliceData(in), total)
		in = in[total:]
	}
	out := append(answer[:0], 0, 4)
	out = append(out, nulls...)
	at := len(out)
	out = append(out, make([]byte, 4*rows)...)
	row := make([]string, columns)
	for i := range rows {
		for c := range args {
			row[c] = args[c].next(i)
		}
		if nulls[i] != 0 {
			continue
		}
		text := f(row)
		binary.LittleEndian.PutUint32(out[at+4*i:], uint32(len(text)))
		out = append(out, text...)
	}
	return give(out)
}

// give returns the place and the size of an answer.
func give(b []byte) uint64 {
	answer = b
	return uint64(uintptr(unsafe.Pointer(unsafe.SliceData(b))))<<32 | uint64(len(b))
}
