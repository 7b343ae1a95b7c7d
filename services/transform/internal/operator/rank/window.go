package rank

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/eval"
	"github.com/weirflow/weirflow/services/transform/internal/operator"
	"github.com/weirflow/weirflow/services/transform/internal/operator/row"
	"github.com/weirflow/weirflow/services/transform/internal/operator/state"
	"github.com/weirflow/weirflow/services/transform/internal/operator/window"
	"github.com/weirflow/weirflow/services/transform/internal/plan"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

// Window is top-N and deduplication where the partition is a window: rows are put
// out once, when it is over.
type Window struct {
	state.Tables
	operator.Drops
	partition []int
	order     []plan.SortKey
	from, to  int
	number    bool
	newest    bool // among equals the last to come is first
	end       int  // the column of the window's end
	proctime  bool
	clock     window.Clock
	lists     *state.Table[*list] // by end and partition
	open      map[int64][]string
	mark      int64
	out       *operator.Rows
	key       []byte
	sort      []byte
}

// NewWindowTopN makes the operator of a top-N per window.
func NewWindowTopN(n *plan.Rank, env eval.Env) (*Window, error) {
	if n.Kind != plan.RowNumber {
		return nil, &eval.Unsupported{At: n.At, What: "top-N by RANK or DENSE_RANK instead of ROW_NUMBER over a stream"}
	}
	return newWindow(&Window{partition: n.Partition, order: n.OrderBy, from: int(n.From) - 1, to: int(n.To), number: n.NumberColumn, end: n.Window[1]},
		n.Input.Out().Fields, n.Fields, env), nil
}

// NewWindowDeduplicate makes the operator of a deduplication per window.
func NewWindowDeduplicate(n *plan.Deduplicate, env eval.Env) *Window {
	order := []plan.SortKey{{Column: n.Time, Descending: n.KeepLast}}
	return newWindow(&Window{partition: n.Keys, order: order, to: 1, number: n.NumberColumn, newest: n.KeepLast, end: n.Window[1], proctime: n.Proctime},
		n.Input.Out().Fields, n.Fields, env)
}

func newWindow(w *Window, in, out []types.Field, env eval.Env) *Window {
	env = env.Filled()
	w.Tables = state.NewTables(fmt.Sprintf("window top %d to %d of %v %v %s", w.from, w.to, w.partition, w.order, kinds(in)))
	w.clock = window.ClockOf(in, env)
	w.open, w.mark, w.out = make(map[int64][]string), operator.NoWatermark, operator.NewRows(out)
	state.AddCell(&w.Tables, "watermark",
		func(dst []byte) []byte { return binary.AppendVarint(dst, w.mark) },
		func(s string) (err error) { w.mark, _, err = row.Varint(s); return err })
	w.lists = state.AddTable(&w.Tables, "rows", state.Codec[*list]{Append: saveList, Decode: w.load})
	return w
}

func (w *Window) load(key, s string) (*list, error) {
	end, _, err := row.Varint(key)
	if err != nil {
		return nil, err
	}
	w.open[end] = append(w.open[end], key)
	return loadList(key, s)
}

// Process puts the rows into the order of their window.
func (w *Window) Process(_ int, b *column.Batch, _ operator.Emitter) error {
	ends := b.Cols[w.end]
	for i := range b.Len {
		if ends.IsNull(i) || !w.proctime && w.clock.Done(ends.Ints[i], w.mark) {
			w.Leave(b.Record(i))
			continue
		}
		end := ends.Ints[i]
		w.key = row.Append(binary.AppendVarint(w.key[:0], end), b, w.partition, i)
		w.sort = row.AppendSortKey(w.sort[:0], b, w.order, i)
		l, ok := w.lists.Get(w.key)
		if !ok {
			l = &list{}
			key := string(w.key)
			w.lists.Put(key, l)
			w.open[end] = append(w.open[end], key)
		}
		at := l.after(w.sort)
		if w.newest {
			at = l.before(w.sort)
		}
		if at >= w.to {
			continue
		}
		w.lists.TouchBytes(w.key)
		l.insert(at, entry{string(w.sort), string(row.AppendAll(nil, b, i))})
		if len(l.entries) > w.to {
			l.remove(w.to)
		}
	}
	return nil
}

// Watermark puts out the windows that are over.
func (w *Window) Watermark(_ int, ts int64, out operator.Emitter) error {
	w.mark = max(w.mark, ts)
	if !w.proctime {
		if err := w.fire(ts, out); err != nil {
			return err
		}
	}
	return out.Watermark(ts)
}

func (w *Window) fire(mark int64, out operator.Emitter) error {
	var over []int64
	for end := range w.open {
		if w.clock.Done(end, mark) {
			over = append(over, end)
		}
	}
	slices.Sort(over)
	w.out.From(nil)
	for _, end := range over {
		keys := w.open[end]
		slices.SortFunc(keys, strings.Compare)
		for _, key := range keys {
			l, ok := w.lists.Get([]byte(key))
			if !ok {
				return row.ErrDamaged
			}
			for i := w.from; i < len(l.entries); i++ {
				if err := emit(w.out, column.Insert, 0, l.entries[i].row, w.number, i); err != nil {
					return err
				}
				w.out.NameCopy(int64(i), key)
			}
			w.lists.Delete(key)
			if err := w.out.Spill(out); err != nil {
				return err
			}
		}
		delete(w.open, end)
	}
	return w.out.Flush(out)
}

// Next returns when the first window of processing time is over.
func (w *Window) Next() time.Time {
	if !w.proctime || len(w.open) == 0 {
		return time.Time{}
	}
	first := int64(operator.MaxWatermark)
	for end := range w.open {
		first = min(first, end)
	}
	return time.UnixMilli(w.clock.Instant(first))
}

// Tick puts out the windows of processing time that are over.
func (w *Window) Tick(now time.Time, out operator.Emitter) error {
	return w.fire(now.UnixMilli()-1, out)
}

// End puts out what is left of processing time.
func (w *Window) End(_ int, out operator.Emitter) error { return w.fire(operator.MaxWatermark, out) }

// Named sets what the rows' names are made with.
func (w *Window) Named(id string) { w.out.Salt(id) }

// Close does nothing.
func (w *Window) Close() error { return nil }
