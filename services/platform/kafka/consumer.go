package kafka

/*
#include <stdlib.h>
#include "bridge.h"
*/
import "C"

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"sync"
	"time"
	"unsafe"
)

// Offsets that are not numbers of records.
const (
	OffsetBeginning int64 = -2
	OffsetEnd       int64 = -1
	OffsetStored    int64 = -1000
	OffsetInvalid   int64 = -1001
)

// Position is an offset in a partition: that of the next record to read.
type Position struct {
	Topic     string
	Partition int32
	Offset    int64
}

// ConsumerOptions are what callers choose of a consumer.
type ConsumerOptions struct {
	// GroupID is the group that Commit writes to. Empty: commits are not possible.
	GroupID string
	// Header is the one header whose value Record carries.
	Header string
	// MaxRecords bounds a batch; default 4096.
	MaxRecords int
	// Ends has Poll return too when the end of a partition is reached; End tells which.
	Ends bool
	// Properties override the defaults.
	Properties map[string]string
	// Logger hears of outages, once each. Required.
	Logger *slog.Logger
}

// Record is a consumed record. Its slices are librdkafka's memory, valid until
// the batch is released.
type Record struct {
	Topic           string
	Partition       int32
	Offset          int64
	TimestampMillis int64
	// LogAppendTime tells that the broker, not the producer, set the timestamp.
	LogAppendTime bool
	// Key and Value are nil where the record's are null.
	Key, Value []byte
	// Header is the value of the header that the options name, nil if absent.
	Header []byte
}

// Consumer reads partitions that it is told to read. Its methods are not safe
// for use by several goroutines, but for Commit and the offset queries.
type Consumer struct {
	c      *C.wf_client
	header *C.char
	max    int
	outage outage
	topics sync.Map // of names by *C.rd_kafka_topic_t: batches are looked at by other goroutines
	ends   map[end]int64
	free   []*Batch
	all    []*Batch
}

// end names a partition whose end has been seen.
type end struct {
	topic     string
	partition int32
}

func consumerDefaults() map[string]string {
	return map[string]string{
		"enable.auto.commit": "false", "auto.offset.reset": "error",
		"fetch.message.max.bytes": "8388608", "queued.max.messages.kbytes": "131072",
		"queued.min.messages": "1000000",
		// The default of a second stalls a consumer whose queue was full for a moment.
		"fetch.queue.backoff.ms": "1", "fetch.error.backoff.ms": "100",
		"fetch.wait.max.ms": "100", "reconnect.backoff.max.ms": "5000",
		"allow.auto.create.topics": "false", "check.crcs": "false",
		"client.id": "weirflow",
	}
}

// NewConsumer connects in the background: a cluster that is not there is no error.
func NewConsumer(cfg Config, o ConsumerOptions) (*Consumer, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	group := o.GroupID
	if group == "" {
		group = "weirflow" // librdkafka wants one even where no offset is committed
	}
	own := map[string]string{"group.id": group, "enable.partition.eof": strconv.FormatBool(o.Ends)}
	c, err := newClient(typeConsumer, cfg.properties(consumerDefaults(), own, o.Properties))
	if err != nil {
		return nil, err
	}
	k := &Consumer{c: c, max: o.MaxRecords, outage: outage{log: o.Logger}, ends: map[end]int64{}}
	if k.max <= 0 {
		k.max = 4096
	}
	if o.Header != "" {
		k.header = C.CString(o.Header)
	}
	return k, nil
}

// Assign replaces the partitions that are read.
func (c *Consumer) Assign(ps []Position) error {
	c.topics.Clear() // librdkafka may use an address again for another topic
	clear(c.ends)
	l := newList(ps)
	defer C.rd_kafka_topic_partition_list_destroy(l)
	return errorOf(C.rd_kafka_assign(c.c.rk, l))
}

// AssignMore adds partitions to those that are read.
func (c *Consumer) AssignMore(ps []Position) error {
	l := newList(ps)
	defer C.rd_kafka_topic_partition_list_destroy(l)
	return takeError(C.rd_kafka_incremental_assign(c.c.rk, l))
}

// AssignFewer removes partitions from those that are read.
func (c *Consumer) AssignFewer(ps []Position) error {
	for _, p := range ps {
		delete(c.ends, end{p.Topic, p.Partition})
	}
	l := newList(ps)
	defer C.rd_kafka_topic_partition_list_destroy(l)
	return takeError(C.rd_kafka_incremental_unassign(c.c.rk, l))
}

// Pause stops fetching from the partitions until Resume.
func (c *Consumer) Pause(ps []Position) error {
	l := newList(ps)
	defer C.rd_kafka_topic_partition_list_destroy(l)
	return errorOf(C.rd_kafka_pause_partitions(c.c.rk, l))
}

// Resume goes on with fetching where Pause stopped it.
func (c *Consumer) Resume(ps []Position) error {
	l := newList(ps)
	defer C.rd_kafka_topic_partition_list_destroy(l)
	return errorOf(C.rd_kafka_resume_partitions(c.c.rk, l))
}

// Poll returns the records that are there, waiting at most wait for the first.
// Without any it returns nil, which it may do early. Errors are those of single partitions, joined;
// records that came beside them are in the batch.
func (c *Consumer) Poll(ctx context.Context, wait time.Duration) (*Batch, error) {
	b := c.take()
	deadline := time.Now().Add(wait)
	for {
		slice := max(0, min(time.Until(deadline), 100*time.Millisecond))
		n := C.wf_consume(c.c, C.int(slice.Milliseconds()), c.header, b.msgs, b.views, C.size_t(c.max))
		c.outage.check(c.c)
		if n > 0 {
			return c.filled(b, int(n))
		}
		if err := ctx.Err(); err != nil || !time.Now().Before(deadline) {
			b.Release()
			return nil, err
		}
	}
}

func (c *Consumer) take() *Batch {
	if n := len(c.free); n > 0 {
		b := c.free[n-1]
		c.free = c.free[:n-1]
		b.lent = true
		return b
	}
	b := &Batch{
		c: c, lent: true,
		msgs:  (**C.rd_kafka_message_t)(C.malloc(C.size_t(c.max) * C.size_t(unsafe.Sizeof(uintptr(0))))),
		views: (*C.wf_view)(C.calloc(C.size_t(c.max), C.size_t(unsafe.Sizeof(C.wf_view{})))),
	}
	c.all = append(c.all, b)
	return b
}

// filled sets the batch's length, separating errors from records.
func (c *Consumer) filled(b *Batch, n int) (*Batch, error) {
	b.total = n
	b.index = b.index[:0]
	var errs []error
	for i, v := range unsafe.Slice(b.views, n) {
		switch v.err {
		case 0:
			b.index = append(b.index, int32(i))
		case C.WF_ERR_PARTITION_EOF:
			c.ends[end{c.topic(v.rkt), int32(v.partition)}] = int64(v.offset)
		default:
			errs = append(errs, &PartitionError{Topic: c.topic(v.rkt), Partition: int32(v.partition), Err: errorOf(C.int(v.err))})
		}
	}
	err := errors.Join(errs...)
	if len(b.index) > 0 {
		c.outage.over()
		return b, err
	}
	b.Release()
	return nil, err
}

func (c *Consumer) topic(rkt *C.rd_kafka_topic_t) string {
	if rkt == nil {
		return ""
	}
	if name, ok := c.topics.Load(rkt); ok {
		return name.(string)
	}
	name := C.GoString(C.rd_kafka_topic_name(rkt))
	c.topics.Store(rkt, name)
	return name
}

// Commit writes offsets to the consumer's group and waits for the answer.
func (c *Consumer) Commit(ps []Position) error {
	l := newList(ps)
	defer C.rd_kafka_topic_partition_list_destroy(l)
	return errorOf(C.rd_kafka_commit(c.c.rk, l, 0))
}

// End is the offset at which the consumer has last seen the end of a partition:
// everything before it that is still in the topic has been polled. False before
// the end has been seen since Assign. It needs the option Ends.
func (c *Consumer) End(topic string, partition int32) (int64, bool) {
	at, ok := c.ends[end{topic, partition}]
	return at, ok
}

// Close frees the client. Batches not yet released become invalid.
func (c *Consumer) Close() {
	for _, b := range c.all { // librdkafka can't go while it has lent records
		b.Release()
		b.destroy()
	}
	c.all, c.free = nil, nil
	C.wf_client_destroy(c.c)
	if c.header != nil {
		C.free(unsafe.Pointer(c.header))
	}
}

// PartitionError is an error of one partition that a consumer reads.
type PartitionError struct {
	Topic     string
	Partition int32
	Err       error
}

// Error names the partition.
func (e *PartitionError) Error() string {
	return "read " + e.Topic + "/" + itoa(e.Partition) + ": " + e.Err.Error()
}

// Unwrap returns Kafka's error.
func (e *PartitionError) Unwrap() error { return e.Err }
