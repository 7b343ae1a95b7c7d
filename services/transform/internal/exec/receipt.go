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
	late    column.Bitmap // records that an operator left out; nil while there are none
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

// Touch notes that the rows of b reach a sink, or what an operator remembers.
func (r *Receipt) Touch(b *column.Batch) {
	r.mu.Lock()
	for i := range b.Len {
		r.touched.Set(b.Record(i))
	}
	r.mu.Unlock()
}

// TouchBut is Touch for all rows but those of the records left out, which are in
// the order of b.
func (r *Receipt) TouchBut(b *column.Batch, out []int32) {
	r.mu.Lock()
	for i := range b.Len {
		rec := b.Record(i)
		if len(out) > 0 && int(out[0]) == rec {
			out = out[1:]
			continue
		}
		r.touched.Set(rec)
	}
	r.mu.Unlock()
}

// leave notes records that an operator left out because of their time.
func (r *Receipt) leave(records []int32) {
	if len(records) == 0 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.late == nil {
		r.late = column.Bitmap(nil).Resize(r.Records)
	}
	for _, rec := range records {
		r.late.Set(int(rec))
	}
}

// Late returns the records that operators left out because of their time and
// that nothing else came of. It is asked after all operators have seen the batch.
func (r *Receipt) Late() []int32 {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.late == nil {
		return nil
	}
	var out []int32
	for i := range r.Records {
		if r.late.Get(i) && !r.touched.Get(i) {
			out = append(out, int32(i))
		}
	}
	return out
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
