package connector

import (
	"encoding/base64"
	"strconv"

	"github.com/zeebo/xxh3"

	"github.com/weirflow/weirflow/services/transform/internal/column"
)

// RowIDs names the rows of a job's outputs so that a replay gives the same names:
// the source record's event id and the row's number among the rows of that record.
type RowIDs struct {
	// Lane tells apart sinks of one job that write the same table.
	Lane    uint32
	record  int
	ordinal int
}

// Begin starts a batch.
func (r *RowIDs) Begin() { r.record, r.ordinal = -1, 0 }

// Append appends the name of row i: event-id/ordinal. It is called for every
// row of a batch in order. A row that comes from no record has no name.
func (r *RowIDs) Append(dst []byte, b *column.Batch, i int) []byte {
	if b.Origin == nil {
		return dst
	}
	record := b.Record(i)
	if record == r.record {
		r.ordinal++
	} else {
		r.record, r.ordinal = record, 0
	}
	dst = append(b.Origin.AppendEventID(dst, record), '/')
	if r.Lane != 0 || b.Lane != 0 {
		dst = append(strconv.AppendUint(dst, uint64(r.Lane), 10), '.')
		dst = append(strconv.AppendUint(dst, uint64(b.Lane), 10), '.')
	}
	return strconv.AppendInt(dst, int64(r.ordinal), 10)
}

// IDLength is how many characters a derived document id has.
const IDLength = 22

// AppendDerivedID appends the id of a document: the 128 bits of XXH3 of job and
// row name, in URL-safe base64. It must never change: a document that is written
// again would get a second id.
func AppendDerivedID(dst []byte, name []byte) []byte {
	sum := xxh3.Hash128(name).Bytes()
	return base64.RawURLEncoding.AppendEncode(dst, sum[:])
}
