package operator

import (
	"encoding/binary"
	"encoding/hex"
	"strconv"

	"github.com/zeebo/xxh3"

	"github.com/weirflow/weirflow/services/transform/internal/column"
)

// A row that follows from several records, or from time, must have the same name
// when it comes again after a restart, though the records of several partitions may
// then come in another order. So its name is made of what it is: of the window and
// key, or of the rows that were joined.

// Named is an operator that names its rows. It is told its id, which keeps its
// names apart from those of others.
type Named interface {
	Named(id string)
}

// names are the names of a batch's rows. They are its origin.
type names struct {
	salt   uint64
	list   []xxh3.Uint128
	copies map[xxh3.Uint128]uint64
	text   []byte
	origin column.Origin
	rows   []int32
}

// Salt sets what all names are made with.
func (r *Rows) Salt(id string) { r.names.salt = xxh3.HashString(id) }

// Name names the row that was added last by what tells it from all others.
func (r *Rows) Name(parts ...string) { r.names.list = append(r.names.list, r.names.sum(parts, 0)) }

// NameCopy is Name for a row that is copy number n of those with the same parts.
func (r *Rows) NameCopy(n int64, parts ...string) {
	r.names.list = append(r.names.list, r.names.sum(parts, uint64(n)))
}

// NameAmong names the row by what it is; those that are the same are numbered in
// the order in which they come since From. All must come between two calls of it.
func (r *Rows) NameAmong(parts ...string) {
	x := &r.names
	sum := x.sum(parts, 0)
	if x.copies == nil {
		x.copies = make(map[xxh3.Uint128]uint64)
	}
	n := x.copies[sum]
	x.copies[sum] = n + 1
	if n > 0 {
		sum = x.sum(parts, n)
	}
	x.list = append(x.list, sum)
}

// NameRecord names the row by the record that it follows from: for operators that
// put out one row for each at most.
func (r *Rows) NameRecord() {
	x := &r.names
	if r.origin == nil {
		return
	}
	var id [64]byte
	text := r.origin.AppendEventID(id[:0], int(r.rows[len(r.rows)-1]))
	x.list = append(x.list, x.sum([]string{string(text), strconv.Itoa(int(r.lane))}, 0))
}

func (x *names) sum(parts []string, n uint64) xxh3.Uint128 {
	b := x.text[:0]
	for _, p := range parts {
		b = append(binary.AppendUvarint(b, uint64(len(p))), p...)
	}
	if n > 0 {
		b = binary.AppendUvarint(b, n)
	}
	x.text = b
	return xxh3.Hash128Seed(b, x.salt)
}

// AppendEventID appends the name of row i.
func (x *names) AppendEventID(b []byte, i int) []byte {
	sum := x.list[i].Bytes()
	return hex.AppendEncode(b, sum[:])
}

// Partition is that of the record that the row follows from, 0 without one.
func (x *names) Partition(i int) int {
	if x.origin == nil {
		return 0
	}
	return x.origin.Partition(int(x.rows[i]))
}

// Describe says which record the row follows from.
func (x *names) Describe(i int) string {
	if x.origin == nil {
		return "a row that follows from several records"
	}
	return x.origin.Describe(int(x.rows[i]))
}

// EventMillis is the time of the record that the row follows from, 0 without one.
func (x *names) EventMillis(i int) int64 {
	if x.origin == nil {
		return 0
	}
	return x.origin.EventMillis(int(x.rows[i]))
}
