package kafka

/*
#include <stdlib.h>
#include "bridge.h"
*/
import "C"

import (
	"strconv"
	"unsafe"
)

// Batch is what one Poll received.
type Batch struct {
	c     *Consumer
	msgs  **C.rd_kafka_message_t
	views *C.wf_view
	total int
	index []int32 // of the records among the messages
	lent  bool    // to the caller of Poll
	rkt   *C.rd_kafka_topic_t
	topic string // the name of rkt, that of the last record asked for
}

// Len is the number of records.
func (b *Batch) Len() int { return len(b.index) }

// Record returns record i; see Record for how long its slices live. One goroutine at
// a time may ask.
func (b *Batch) Record(i int) Record {
	v := &unsafe.Slice(b.views, b.total)[b.index[i]]
	if v.rkt != b.rkt {
		b.rkt, b.topic = v.rkt, b.c.topic(v.rkt)
	}
	return Record{
		Topic: b.topic, Partition: int32(v.partition), Offset: int64(v.offset),
		TimestampMillis: int64(v.timestamp), LogAppendTime: v.timestamp_type == 2,
		Key: span(v.key, v.key_len), Value: span(v.val, v.val_len), Header: span(v.hdr, v.hdr_len),
	}
}

// Headers returns all headers of record i, copied.
func (b *Batch) Headers(i int) []Header {
	m := unsafe.Slice(b.msgs, b.total)[b.index[i]]
	var h *C.rd_kafka_headers_t
	if C.rd_kafka_message_headers(m, &h) != 0 { //nolint:gocritic // the duplicate is in what cgo generates
		return nil
	}
	var out []Header
	for k := 0; ; k++ {
		var name *C.char
		var val unsafe.Pointer
		var n C.size_t
		if C.rd_kafka_header_get_all(h, C.size_t(k), &name, &val, &n) != 0 { //nolint:gocritic // the duplicate is in what cgo generates
			return out
		}
		x := Header{Key: C.GoString(name)}
		if val != nil {
			x.Value = C.GoBytes(val, C.int(n))
		}
		out = append(out, x)
	}
}

// Release gives the records back to librdkafka. The batch must not be used
// afterwards; to release it twice does nothing.
func (b *Batch) Release() {
	if !b.lent {
		return
	}
	b.lent, b.rkt = false, nil
	if b.total > 0 {
		C.wf_consume_release(b.msgs, C.size_t(b.total))
		b.total, b.index = 0, b.index[:0]
	}
	b.c.free = append(b.c.free, b)
}

func (b *Batch) destroy() {
	C.free(unsafe.Pointer(b.msgs))
	C.free(unsafe.Pointer(b.views))
}

func span(p unsafe.Pointer, n C.int32_t) []byte {
	if n < 0 {
		return nil
	}
	if n == 0 {
		return []byte{}
	}
	return unsafe.Slice((*byte)(p), int(n))
}

func itoa(n int32) string { return strconv.Itoa(int(n)) }
