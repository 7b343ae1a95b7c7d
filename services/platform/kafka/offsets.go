package kafka

/*
#include <stdlib.h>
#include "bridge.h"
*/
import "C"

import (
	"context"
	"fmt"
	"slices"
	"time"
	"unsafe"
)

func newList(ps []Position) *C.rd_kafka_topic_partition_list_t {
	l := C.rd_kafka_topic_partition_list_new(C.int(len(ps)))
	for _, p := range ps {
		name := C.CString(p.Topic)
		e := C.rd_kafka_topic_partition_list_add(l, name, C.int32_t(p.Partition))
		C.free(unsafe.Pointer(name))
		e.offset = C.int64_t(p.Offset)
	}
	return l
}

func positionsOf(l *C.rd_kafka_topic_partition_list_t) []Position {
	out := make([]Position, 0, int(l.cnt))
	for _, e := range unsafe.Slice(l.elems, int(l.cnt)) {
		out = append(out, Position{Topic: C.GoString(e.topic), Partition: int32(e.partition), Offset: int64(e.offset)})
	}
	return out
}

// codeGroupIDNotFound is what brokers answer for a group that nobody has made.
const codeGroupIDNotFound = 69

// Committed returns what the consumer's group has committed for the partitions;
// OffsetInvalid where nothing is.
func (c *Consumer) Committed(ctx context.Context, ps []Position) ([]Position, error) {
	l := newList(ps)
	defer C.rd_kafka_topic_partition_list_destroy(l)
	err := errorOf(C.rd_kafka_committed(c.c.rk, l, timeout(ctx)))
	if HasCode(err, codeGroupIDNotFound) { // brokers differ in whether a new group is an error
		none := slices.Clone(ps)
		for i := range none {
			none[i].Offset = OffsetInvalid
		}
		return none, nil
	}
	if err != nil {
		return nil, fmt.Errorf("ask for committed offsets: %w", err)
	}
	return positionsOf(l), nil
}

// OffsetsForTime returns for each partition the offset of the first record at or
// after the time that its Position carries as Offset, in milliseconds;
// OffsetEnd where there is none.
func (c *Consumer) OffsetsForTime(ctx context.Context, ps []Position) ([]Position, error) {
	l := newList(ps)
	defer C.rd_kafka_topic_partition_list_destroy(l)
	if err := errorOf(C.rd_kafka_offsets_for_times(c.c.rk, l, timeout(ctx))); err != nil {
		return nil, fmt.Errorf("ask for offsets of a time: %w", err)
	}
	return positionsOf(l), nil
}

// Bounds returns the offset of the first record of a partition and the one that
// the next record will get.
func (c *Consumer) Bounds(ctx context.Context, topic string, partition int32) (low, high int64, err error) {
	name := C.CString(topic)
	defer C.free(unsafe.Pointer(name))
	var lo, hi C.int64_t
	code := C.rd_kafka_query_watermark_offsets(c.c.rk, name, C.int32_t(partition), &lo, &hi, timeout(ctx))
	if err := errorOf(code); err != nil {
		return 0, 0, fmt.Errorf("ask for offsets of %s/%d: %w", topic, partition, err)
	}
	return int64(lo), int64(hi), nil
}

// timeout is the rest of the context's time in milliseconds, ten seconds without one.
func timeout(ctx context.Context) C.int {
	if d, ok := ctx.Deadline(); ok {
		return C.int(max(1, time.Until(d).Milliseconds()))
	}
	return 10_000
}
