package kafka

/*
#include "bridge.h"
*/
import "C"

import (
	"context"
	"fmt"
	"time"
)

// transactionWait bounds one call into librdkafka, so that the end of a context is
// noticed; a call that ran out of time is made again and goes on where it was.
const transactionWait = 500 * time.Millisecond

// InitTransactions makes the producer, whose transactional.id property must be set,
// the only one of that id: what an earlier one left open is aborted, and it can
// write no more. It is called once, before anything is produced, and waits for the
// cluster as long as the context lasts.
func (p *Producer) InitTransactions(ctx context.Context) error {
	return p.transact(ctx, "init transactions", func(ms C.int) *C.rd_kafka_error_t { return C.rd_kafka_init_transactions(p.c.rk, ms) })
}

// Begin opens a transaction, to which all records belong that are produced until
// Commit or Abort.
func (p *Producer) Begin() error {
	ctx, cancel := context.WithCancel(context.Background())
	cancel() // one try is enough: it asks nobody
	return p.transact(ctx, "begin transaction", func(C.int) *C.rd_kafka_error_t { return C.rd_kafka_begin_transaction(p.c.rk) })
}

// Commit waits until the cluster has the transaction's records and makes them
// visible together. After an error the transaction must be aborted, or, if Fatal
// says so, the producer replaced. Nothing may be produced meanwhile.
func (p *Producer) Commit(ctx context.Context) error {
	return p.transact(ctx, "commit transaction", func(ms C.int) *C.rd_kafka_error_t { return C.rd_kafka_commit_transaction(p.c.rk, ms) })
}

// Abort takes the transaction's records back: readers of committed records never
// see them.
func (p *Producer) Abort(ctx context.Context) error {
	return p.transact(ctx, "abort transaction", func(ms C.int) *C.rd_kafka_error_t { return C.rd_kafka_abort_transaction(p.c.rk, ms) })
}

func (p *Producer) transact(ctx context.Context, what string, call func(ms C.int) *C.rd_kafka_error_t) error {
	p.mu.Lock()
	if p.topics == nil {
		p.mu.Unlock()
		return fmt.Errorf("%s: %w", what, ErrClosed)
	}
	p.using.Add(1)
	p.mu.Unlock()
	defer p.using.Done()
	for {
		e := call(C.int(transactionWait.Milliseconds()))
		if e == nil {
			return nil
		}
		again := C.rd_kafka_error_is_retriable(e) != 0
		err := &Error{Code: int(C.rd_kafka_error_code(e)), Reason: C.GoString(C.rd_kafka_error_string(e))}
		C.rd_kafka_error_destroy(e)
		if !again {
			return fmt.Errorf("%s: %w", what, err)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: %w: %w", what, ctx.Err(), err)
		case <-p.stop:
			return fmt.Errorf("%s: %w", what, ErrClosed)
		case <-time.After(10 * time.Millisecond): // a call that is refused at once must not spin
		}
	}
}
