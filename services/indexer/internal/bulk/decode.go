package bulk

import (
	"errors"
	"fmt"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"
)

// Batch is an IndexBatch whose documents are not copied out of the record.
type Batch struct {
	Job, Sink string
	// Body is part of the record that was decoded.
	Body    []byte
	Lengths []uint32
	// ReplayOf is the dead letter whose documents these are.
	ReplayOf string
	// Run of the job that wrote the record; zero if that is not known.
	Run Run
}

// Run is a run of a job among those of the same job.
type Run struct{ Epoch, Generation int64 }

// Before reports whether a run began before another.
func (r Run) Before(x Run) bool {
	return r.Epoch < x.Epoch || r.Epoch == x.Epoch && r.Generation < x.Generation
}

// Field numbers of weirflow.index.v1.IndexBatch.
const (
	fieldJob        = 1
	fieldSink       = 2
	fieldBody       = 3
	fieldLengths    = 4
	fieldReplayOf   = 6
	fieldEpoch      = 7
	fieldGeneration = 8
)

var errTruncated = errors.New("the record ends within a field")

// DecodeBatch reads an IndexBatch record. The generated decoder would copy the
// documents, which are nearly all of it.
func DecodeBatch(record []byte) (Batch, error) {
	var b Batch
	for len(record) > 0 {
		num, typ, n := protowire.ConsumeTag(record)
		if n < 0 {
			return Batch{}, fmt.Errorf("decode IndexBatch: %w", protowire.ParseError(n))
		}
		record = record[n:]
		if typ == protowire.VarintType && (num == fieldEpoch || num == fieldGeneration) {
			v, n := protowire.ConsumeVarint(record)
			if n < 0 {
				return Batch{}, fmt.Errorf("decode IndexBatch: %w", errTruncated)
			}
			record = record[n:]
			if num == fieldEpoch {
				b.Run.Epoch = int64(v)
			} else {
				b.Run.Generation = int64(v)
			}
			continue
		}
		if typ != protowire.BytesType || num > fieldReplayOf {
			if n = protowire.ConsumeFieldValue(num, typ, record); n < 0 {
				return Batch{}, fmt.Errorf("decode IndexBatch: %w", protowire.ParseError(n))
			}
			record = record[n:]
			continue
		}
		v, n := protowire.ConsumeBytes(record)
		if n < 0 {
			return Batch{}, fmt.Errorf("decode IndexBatch: %w", errTruncated)
		}
		record = record[n:]
		switch num {
		case fieldJob:
			b.Job = string(v)
		case fieldSink:
			b.Sink = string(v)
		case fieldBody:
			b.Body = v
		case fieldReplayOf:
			b.ReplayOf = strings.ToValidUTF8(string(v), "")
		case fieldLengths:
			if err := b.lengths(v); err != nil {
				return Batch{}, err
			}
		}
	}
	var sum uint64
	for _, n := range b.Lengths {
		sum += uint64(n)
	}
	if sum != uint64(len(b.Body)) {
		return Batch{}, fmt.Errorf("decode IndexBatch: lengths add up to %d bytes, the documents have %d", sum, len(b.Body))
	}
	return b, nil
}

// lengths reads the packed list of lengths.
func (b *Batch) lengths(v []byte) error {
	for len(v) > 0 {
		x, n := protowire.ConsumeVarint(v)
		if n < 0 {
			return fmt.Errorf("decode IndexBatch: %w", errTruncated)
		}
		b.Lengths = append(b.Lengths, uint32(x))
		v = v[n:]
	}
	return nil
}
