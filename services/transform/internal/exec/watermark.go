package exec

import (
	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/eval"
)

// watermark advances event time by what its expression gives, apart for each
// partition of the source: the slowest partition counts.
type watermark struct {
	stateless
	expr  *eval.Program
	parts map[int]int64
	last  int64
}

func (w *watermark) Process(_ int, b *column.Batch, out Emitter) error {
	v, err := w.expr.Eval(b)
	if err != nil {
		return located(err, b)
	}
	for i := range b.Len {
		if v.IsNull(i) {
			continue
		}
		part := 0
		if b.Origin != nil {
			part = b.Origin.Partition(b.Record(i))
		}
		if at, ok := w.parts[part]; !ok || v.Ints[i] > at {
			w.parts[part] = v.Ints[i]
		}
	}
	if err := out.Emit(b); err != nil {
		return err
	}
	low := int64(MaxWatermark)
	for _, at := range w.parts {
		low = min(low, at)
	}
	if len(w.parts) == 0 || low <= w.last {
		return nil
	}
	w.last = low
	return out.Watermark(low)
}
