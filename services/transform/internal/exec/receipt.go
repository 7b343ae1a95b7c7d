package exec

import (
	"sync"

	"github.com/weirflow/weirflow/services/transform/internal/column"
)

// Receipt follows the records of one source batch until every sink has
// acknowledged what came of them.
type Receipt struct {
	// Records is how many records were read; Skipped of them gave no row at all.
	Records int

	mu      sync.Mutex
	pending int
	touched column.Bitmap
	err     error
	done    func(r *Receipt)
}

// NewReceipt returns a receipt that the caller holds. done is called once, when
// all have released it.
func NewReceipt(records int, done func(r *Receipt)) *Receipt {
	return &Receipt{Records: records, pending: 1, touched: column.Bitmap(nil).Resize(records), done: done}
}

// Hold says that one more sink works on the batch.
func (r *Receipt) Hold() {
	r.mu.Lock()
	r.pending++
	r.mu.Unlock()
}

// Touch notes that the rows of b reach a sink.
func (r *Receipt) Touch(b *column.Batch) {
	r.mu.Lock()
	for i := range b.Len {
		r.touched.Set(b.Record(i))
	}
	r.mu.Unlock()
}

// Release says that a holder is done; err is why its rows did not get through.
func (r *Receipt) Release(err error) {
	r.mu.Lock()
	r.pending--
	if err != nil && r.err == nil {
		r.err = err
	}
	last := r.pending == 0
	r.mu.Unlock()
	if last {
		r.done(r)
	}
}

// Out is how many records gave rows to a sink.
func (r *Receipt) Out() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.touched.Count()
}

// Err is why rows did not get through; nil when all did.
func (r *Receipt) Err() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.err
}
