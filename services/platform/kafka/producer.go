package kafka

/*
#include <stdlib.h>
#include "bridge.h"
*/
import "C"

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"
)

// ErrClosed is returned by a client that has been closed.
var ErrClosed = errors.New("kafka client is closed")

// ProducerOptions are what callers choose of a producer.
type ProducerOptions struct {
	// Properties override the defaults: idempotent, acks=all, lz4, linger 5 ms.
	Properties map[string]string
	// Logger hears of outages, once each. Required.
	Logger *slog.Logger
}

// Failure is a record that was not written.
type Failure struct {
	// Index of the record in its batch.
	Index int
	Err   error
}

// Done hears what became of a batch: err joins what went wrong, failed names
// the records that were not written; both are nil when all were.
type Done func(err error, failed []Failure)

// Producer writes batches of records and tells when the cluster holds them.
// Its methods may be called from several goroutines.
type Producer struct {
	c      *C.wf_client
	outage outage

	mu      sync.Mutex
	topics  map[string]*C.rd_kafka_topic_t // nil once closed
	batches map[uint64]Done
	next    uint64
	using   sync.WaitGroup // calls that are inside librdkafka; added to under mu

	// Batches that are complete, in order, and whether a goroutine is calling
	// back: one at a time, so that callbacks keep the order.
	settling sync.Mutex
	ready    *C.wf_batch
	last     *C.wf_batch
	calling  bool

	inFlight atomic.Int64
	free     chan struct{} // told when deliveries made room
	stop     chan struct{}
	stopped  chan struct{}
	closing  sync.Once
}

func producerDefaults() map[string]string {
	return map[string]string{
		"acks": "all", "enable.idempotence": "true", "compression.type": "lz4",
		"linger.ms": "5", "batch.size": "1000000", "batch.num.messages": "100000",
		// As much as fills the way to the broker: more only costs memory and caches.
		"queue.buffering.max.messages": "200000", "queue.buffering.max.kbytes": "65536",
		"message.max.bytes": "33554432",
		// Records wait for the cluster as long as it takes; callers bound how many.
		"message.timeout.ms": "0", "reconnect.backoff.max.ms": "5000",
		"client.id": "weirflow",
	}
}

// NewProducer connects in the background: a cluster that is not there is no error.
func NewProducer(cfg Config, o ProducerOptions) (*Producer, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	properties := cfg.properties(producerDefaults(), o.Properties)
	c, err := newClient(typeProducer, properties)
	if err != nil {
		return nil, err
	}
	p := &Producer{
		c: c, outage: outage{log: o.Logger}, topics: map[string]*C.rd_kafka_topic_t{}, batches: map[uint64]Done{},
		free: make(chan struct{}, 1), stop: make(chan struct{}), stopped: make(chan struct{}),
	}
	go p.poll(properties["enable.idempotence"] == "true")
	return p, nil
}

// InFlight is the number of records handed over and not yet answered.
func (p *Producer) InFlight() int64 { return p.inFlight.Load() }

// Produce copies the records to librdkafka and returns; while its queue is full
// it waits. done is called once, from the producer's own goroutine or, if
// nothing could be sent, from this one: it must not block. Batches are called
// back in the order in which they were completed. A returned error means that
// done has been or will be called with it.
func (p *Producer) Produce(ctx context.Context, topic string, r *Records, done Done) error {
	n := r.Len()
	if n == 0 {
		done(nil, nil)
		return nil
	}
	rkt, id, err := p.begin(topic, done)
	if err != nil {
		done(err, nil)
		return err
	}
	defer p.using.Done()
	p.inFlight.Add(int64(n))
	if r.buf == nil { // for librdkafka an empty value at no address is null
		r.buf = []byte{}
	}
	b := C.wf_batch_new(C.uint64_t(id), C.int32_t(n))
	var from C.int32_t
	for {
		from = C.wf_produce(p.c, rkt, b, (*C.char)(unsafe.Pointer(unsafe.SliceData(r.buf))), unsafe.SliceData(r.meta), from)
		if int(from) == n {
			C.wf_release(p.c, b)
			break
		}
		if err := p.waitForRoom(ctx); err != nil {
			C.wf_fail(p.c, b, from, C.WF_ERR_FAIL)
			p.settle()
			return err
		}
	}
	p.settle() // the batch is complete already if none of it could be sent
	return nil
}

func (p *Producer) begin(topic string, done Done) (*C.rd_kafka_topic_t, uint64, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.topics == nil {
		return nil, 0, ErrClosed
	}
	rkt := p.topics[topic]
	if rkt == nil {
		name := C.CString(topic)
		defer C.free(unsafe.Pointer(name))
		if rkt = C.wf_topic_new(p.c, name); rkt == nil {
			return nil, 0, fmt.Errorf("open topic %q: not a topic name that kafka allows", topic)
		}
		p.topics[topic] = rkt
	}
	p.next++
	p.batches[p.next] = done
	p.using.Add(1) // under the lock: Close can't have begun to wait
	return rkt, p.next, nil
}

func (p *Producer) waitForRoom(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-p.stop:
		return ErrClosed
	case <-p.free:
	case <-time.After(50 * time.Millisecond):
	}
	return nil
}

// poll serves delivery reports until the producer is closed.
func (p *Producer) poll(idempotent bool) {
	defer close(p.stopped)
	var h hold
	for {
		served := C.rd_kafka_poll(p.c.rk, C.int(h.wait().Milliseconds()))
		p.outage.check(p.c)
		if served > 0 {
			p.settle()
			select {
			case p.free <- struct{}{}:
			default:
			}
		}
		if idempotent {
			h.serve(p, served > 0)
		}
		select {
		case <-p.stop:
			return
		default:
		}
	}
}

// settle calls back for batches that are complete, in the order in which they
// became so. While another goroutine does it, that one takes these too.
func (p *Producer) settle() {
	p.settling.Lock()
	defer p.settling.Unlock()
	p.gather()
	if p.calling {
		return
	}
	p.calling = true
	for p.ready != nil {
		b := p.ready
		if p.ready = b.next; p.ready == nil {
			p.last = nil
		}
		p.settling.Unlock()
		p.finish(b)
		p.settling.Lock()
		p.gather()
	}
	p.calling = false
}

// gather appends what librdkafka has completed to the list of what is ready.
func (p *Producer) gather() {
	b := C.wf_done(p.c)
	if b == nil {
		return
	}
	if p.last == nil {
		p.ready = b
	} else {
		p.last.next = b
	}
	for ; b != nil; b = b.next {
		p.last = b
	}
}

func (p *Producer) finish(b *C.wf_batch) {
	failed, err := resultOf(b)
	p.mu.Lock()
	done := p.batches[uint64(b.id)]
	delete(p.batches, uint64(b.id))
	p.mu.Unlock()
	n := int64(b.total)
	C.free(unsafe.Pointer(b))
	if err == nil {
		p.outage.over()
	}
	p.inFlight.Add(-n)
	if done != nil { // else Close has given it up
		done(err, failed)
	}
}

func resultOf(b *C.wf_batch) ([]Failure, error) {
	if b.failed == 0 {
		return nil, nil
	}
	slots := unsafe.Slice((*C.wf_slot)(unsafe.Add(unsafe.Pointer(b), unsafe.Sizeof(*b))), int(b.total))
	failed := make([]Failure, 0, int(b.failed))
	for i := range slots {
		if slots[i].err != 0 {
			failed = append(failed, Failure{Index: i, Err: errorOf(slots[i].err)})
		}
	}
	return failed, fmt.Errorf("produce %d of %d records: %w", len(failed), int(b.total), failed[0].Err)
}

// Flush waits until everything that was handed over is answered.
func (p *Producer) Flush(ctx context.Context) error {
	for p.inFlight.Load() > 0 {
		select {
		case <-ctx.Done():
			return fmt.Errorf("flush %d records: %w", p.inFlight.Load(), ctx.Err())
		case <-p.stop:
			return ErrClosed
		case <-time.After(time.Millisecond):
		}
	}
	return nil
}

// Fatal returns the error after which an idempotent producer can't go on and
// must be replaced, or nil.
func (p *Producer) Fatal() error {
	p.mu.Lock()
	if p.topics == nil {
		p.mu.Unlock()
		return ErrClosed
	}
	p.using.Add(1)
	p.mu.Unlock()
	defer p.using.Done()
	var text [256]C.char
	if code := C.rd_kafka_fatal_error(p.c.rk, &text[0], C.size_t(len(text))); code != 0 {
		return &Error{Code: int(code), Reason: C.GoString(&text[0])}
	}
	return nil
}

// Close gives up what was not flushed (its callbacks hear of it) and frees the
// client. Calls of Produce that are under way return ErrClosed. It must not be
// called from a callback.
func (p *Producer) Close() {
	p.closing.Do(func() {
		p.mu.Lock()
		topics := p.topics
		p.topics = nil // nothing begins any more
		p.mu.Unlock()
		close(p.stop)
		<-p.stopped
		p.using.Wait()
		const queueAndInFlight = 3
		C.rd_kafka_purge(p.c.rk, queueAndInFlight)
		for range 50 {
			if p.settle(); p.inFlight.Load() == 0 {
				break
			}
			C.rd_kafka_poll(p.c.rk, 100)
		}
		p.giveUp()
		for _, t := range topics {
			C.wf_topic_destroy(t)
		}
		C.wf_client_destroy(p.c)
	})
}

// giveUp calls back for batches that librdkafka has not answered for.
func (p *Producer) giveUp() {
	p.mu.Lock()
	left := p.batches
	p.batches = nil
	p.mu.Unlock()
	for _, id := range slices.Sorted(maps.Keys(left)) {
		left[id](ErrClosed, nil)
	}
}
