package kafka

/*
#include "bridge.h"
*/
import "C"

import (
	"encoding/binary"
	"slices"
)

// PartitionByKey lets the partitioner choose: by the key, or at random without one.
const PartitionByKey int32 = -1

// Header is a record header.
type Header struct {
	Key   string
	Value []byte
}

// Records is a batch to produce: keys, values and headers one after the other
// in one buffer. It is made once and used again after Reset.
type Records struct {
	buf    []byte
	meta   []C.wf_record
	header int // where the open header's length is
}

// Reset empties the batch and keeps its memory.
func (r *Records) Reset() { r.buf, r.meta = r.buf[:0], r.meta[:0] }

// Len is the number of records.
func (r *Records) Len() int { return len(r.meta) }

// Size is the number of bytes of all keys, values and headers.
func (r *Records) Size() int { return len(r.buf) }

// Capacity is the number of bytes that the batch's memory holds.
func (r *Records) Capacity() int { return cap(r.buf) }

// Grow makes room for so many more records, and bytes of all of them.
func (r *Records) Grow(records, size int) {
	r.meta = slices.Grow(r.meta, records)
	r.buf = slices.Grow(r.buf, size)
}

// Append adds a record. A nil key or value is null.
func (r *Records) Append(partition int32, key, value []byte, headers ...Header) {
	r.start(partition, key)
	r.Close(append(r.buf, value...))
	if value == nil {
		r.meta[len(r.meta)-1].val_len = -1
	}
	for _, h := range headers {
		r.CloseHeader(append(r.OpenHeader(h.Key), h.Value...))
		if h.Value == nil {
			binary.NativeEndian.PutUint32(r.buf[r.header:], ^uint32(0))
		}
	}
}

// Open begins a record and returns the batch's buffer, to which the caller
// appends the value and which it gives to Close. It is Append without a copy.
func (r *Records) Open(partition int32, key []byte) []byte {
	r.start(partition, key)
	return r.buf
}

// Close ends the record that Open began.
func (r *Records) Close(buf []byte) {
	r.buf = buf
	m := &r.meta[len(r.meta)-1]
	m.val_len = C.int32_t(len(r.buf) - int(m.val_off))
	m.hdr_off = C.uint32_t(len(r.buf))
}

// SetTime sets the timestamp of the record added last, in milliseconds since
// the epoch. Without one it is the time of producing.
func (r *Records) SetTime(millis int64) { r.meta[len(r.meta)-1].timestamp = C.int64_t(millis) }

// OpenHeader begins a header of the record added last, like Open.
func (r *Records) OpenHeader(key string) []byte {
	r.meta[len(r.meta)-1].headers++
	r.buf = binary.NativeEndian.AppendUint32(r.buf, uint32(len(key)))
	r.buf = append(append(r.buf, key...), 0)
	r.header = len(r.buf)
	r.buf = append(r.buf, 0, 0, 0, 0)
	return r.buf
}

// CloseHeader ends the header that OpenHeader began.
func (r *Records) CloseHeader(buf []byte) {
	r.buf = buf
	binary.NativeEndian.PutUint32(r.buf[r.header:], uint32(len(r.buf)-r.header-4))
}

// Value returns the value of record i, valid until records are added.
func (r *Records) Value(i int) []byte {
	m := &r.meta[i]
	if m.val_len < 0 {
		return nil
	}
	return r.buf[m.val_off : int(m.val_off)+int(m.val_len)]
}

func (r *Records) start(partition int32, key []byte) {
	m := C.wf_record{partition: C.int32_t(partition), key_off: C.uint32_t(len(r.buf)), key_len: -1}
	if key != nil {
		m.key_len = C.int32_t(len(key))
		r.buf = append(r.buf, key...)
	}
	m.val_off = C.uint32_t(len(r.buf))
	r.meta = append(r.meta, m)
}
