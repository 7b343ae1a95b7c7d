package kafka

/*
#include "bridge.h"
*/
import "C"

import "encoding/binary"

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
	buf  []byte
	meta []C.wf_record
}

// Reset empties the batch and keeps its memory.
func (r *Records) Reset() { r.buf, r.meta = r.buf[:0], r.meta[:0] }

// Len is the number of records.
func (r *Records) Len() int { return len(r.meta) }

// Size is the number of bytes of all keys, values and headers.
func (r *Records) Size() int { return len(r.buf) }

// Append adds a record. A nil key or value is null.
func (r *Records) Append(partition int32, key, value []byte, headers ...Header) {
	m := r.start(partition, key)
	if value != nil {
		r.buf = append(r.buf, value...)
	}
	r.finish(m, value == nil, headers)
}

// AppendFunc adds a record whose value is appended by render to the batch's
// buffer, which saves a copy.
func (r *Records) AppendFunc(partition int32, key []byte, render func(dst []byte) []byte, headers ...Header) {
	m := r.start(partition, key)
	r.buf = render(r.buf)
	r.finish(m, false, headers)
}

// Last returns the value of the record added last, valid until the next call.
func (r *Records) Last() []byte {
	m := &r.meta[len(r.meta)-1]
	if m.val_len < 0 {
		return nil
	}
	return r.buf[m.val_off : int(m.val_off)+int(m.val_len)]
}

func (r *Records) start(partition int32, key []byte) int {
	m := C.wf_record{partition: C.int32_t(partition), key_off: C.uint32_t(len(r.buf)), key_len: -1}
	if key != nil {
		m.key_len = C.int32_t(len(key))
		r.buf = append(r.buf, key...)
	}
	m.val_off = C.uint32_t(len(r.buf))
	r.meta = append(r.meta, m)
	return len(r.meta) - 1
}

func (r *Records) finish(i int, null bool, headers []Header) {
	m := &r.meta[i]
	if m.val_len = C.int32_t(len(r.buf) - int(m.val_off)); null {
		m.val_len = -1
	}
	m.hdr_off = C.uint32_t(len(r.buf))
	m.headers = C.int32_t(len(headers))
	for _, h := range headers {
		r.buf = binary.NativeEndian.AppendUint32(r.buf, uint32(len(h.Key)))
		r.buf = append(append(r.buf, h.Key...), 0)
		n := uint32(len(h.Value))
		if h.Value == nil {
			n = ^uint32(0)
		}
		r.buf = append(binary.NativeEndian.AppendUint32(r.buf, n), h.Value...)
	}
}
