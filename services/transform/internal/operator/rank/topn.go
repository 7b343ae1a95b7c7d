package rank

import (
	"fmt"

	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/eval"
	"github.com/weirflow/weirflow/services/transform/internal/operator"
	"github.com/weirflow/weirflow/services/transform/internal/operator/row"
	"github.com/weirflow/weirflow/services/transform/internal/operator/state"
	"github.com/weirflow/weirflow/services/transform/internal/plan"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

// TopN keeps, per partition, the rows with the numbers From to To.
type TopN struct {
	state.Tables
	partition []int
	order     []plan.SortKey
	from, to  int  // counted from 0, to exclusive
	own       *int // the column that gives to; nil when it is constant
	number    bool
	changing  bool // rows may be taken back: all are kept
	lists     *state.Table[*list]
	out       *operator.Rows
	record    int
	key       []byte
	sort      []byte
	row       []byte
}

// NewTopN makes the operator of a node without a window.
func NewTopN(n *plan.Rank, env eval.Env) (*TopN, error) {
	if n.Kind != plan.RowNumber {
		return nil, &eval.Unsupported{At: n.At, What: "top-N by RANK or DENSE_RANK instead of ROW_NUMBER over a stream"}
	}
	in := n.Input.Out()
	t := newTopN(n.Partition, n.OrderBy, n.From, n.To, n.NumberColumn, in.Mode != plan.InsertOnly, n.Fields, in.Fields, env)
	if n.ToColumn != nil {
		t.Tables = state.NewTables(fmt.Sprintf("top from %d to %d of %v %v %v", n.From, *n.ToColumn, n.Partition, n.OrderBy, kinds(in.Fields)))
		t.own, t.lists = n.ToColumn, state.AddTable(&t.Tables, "rows", state.Codec[*list]{Append: saveOwn, Decode: loadOwn})
		env = env.Filled()
		t.lists.Expire(env.StateTTL, env.Now, nil)
	}
	return t, nil
}

// NewSort makes the operator of ORDER BY … LIMIT over rows that change.
func NewSort(n *plan.Sort, env eval.Env) *TopN {
	in := n.Input.Out()
	return newTopN(nil, n.Keys, n.Offset+1, n.Offset+n.Limit, false, in.Mode != plan.InsertOnly, n.Fields, in.Fields, env)
}

func newTopN(partition []int, order []plan.SortKey, from, to int64, number, changing bool, out, in []types.Field, env eval.Env) *TopN {
	env = env.Filled()
	t := &TopN{Tables: state.NewTables(fmt.Sprintf("top %d to %d of %v %v %v", from, to, partition, order, kinds(in))), partition: partition, order: order,
		from: int(from) - 1, to: int(to), number: number, changing: changing, out: operator.NewRows(out)}
	t.lists = state.AddTable(&t.Tables, "rows", state.Codec[*list]{Append: saveList, Decode: loadList})
	t.lists.Expire(env.StateTTL, env.Now, nil)
	return t
}

func kinds(fields []types.Field) string { return state.Shape("", fields, nil) }

// Process puts the rows into their order.
func (t *TopN) Process(_ int, b *column.Batch, out operator.Emitter) error {
	t.out.From(b)
	for i := range b.Len {
		t.record = b.Record(i)
		if err := t.change(b, i); err != nil {
			return err
		}
		if err := t.out.Spill(out); err != nil {
			return err
		}
	}
	return t.out.Flush(out)
}

func (t *TopN) change(b *column.Batch, i int) error {
	t.key = row.Append(t.key[:0], b, t.partition, i)
	t.sort = row.AppendSortKey(t.sort[:0], b, t.order, i)
	l, ok := t.lists.Get(t.key)
	back := b.Kind(i) == column.UpdateBefore || b.Kind(i) == column.Delete
	if !ok {
		if back {
			return nil
		}
		l = &list{}
		if t.own != nil && !b.Cols[*t.own].IsNull(i) {
			l.to = int(max(0, b.Cols[*t.own].Ints[i]))
		}
		t.lists.Put(string(t.key), l)
	}
	if t.own != nil {
		t.to = l.to
	}
	if back {
		t.row = row.AppendAll(t.row[:0], b, i)
		at := l.find(t.sort, t.row)
		if at < 0 {
			return nil
		}
		if err := t.shrink(l, at); err != nil {
			return err
		}
		if len(l.entries) == 0 {
			t.lists.Delete(string(t.key))
			return nil
		}
		t.lists.TouchBytes(t.key)
		return nil
	}
	at := l.after(t.sort)
	if at >= t.to && !t.changing {
		return nil
	}
	t.lists.TouchBytes(t.key)
	return t.grow(l, at, entry{string(t.sort), string(row.AppendAll(nil, b, i))})
}

// grow puts a row at its place.
func (t *TopN) grow(l *list, at int, e entry) error {
	n := len(l.entries)
	l.insert(at, e)
	if at >= t.to {
		return nil
	}
	err := t.shift(at, min(n, t.to)-1, l, 1)
	if !t.changing && len(l.entries) > t.to {
		l.remove(t.to)
	}
	return err
}

// shift puts out that a row came at a place, and those behind it moved by one;
// last is the place of the last row that was visible before.
func (t *TopN) shift(at, last int, l *list, by int) error {
	first := max(at, t.from)
	if !t.number {
		full := last == t.to-1 && last >= t.from
		switch {
		case first >= len(l.entries) || first >= t.to:
			return nil
		case full:
			if err := t.emit(column.UpdateBefore, l.entries[t.to], 0); err != nil {
				return err
			}
			return t.emit(column.UpdateAfter, l.entries[first], 0)
		default:
			return t.emit(column.Insert, l.entries[first], 0)
		}
	}
	for r := first; r <= last; r++ {
		if err := t.emit(column.UpdateBefore, l.entries[r+by], r); err != nil {
			return err
		}
		if err := t.emit(column.UpdateAfter, l.entries[r], r); err != nil {
			return err
		}
	}
	if end := last + 1; end < t.to && end >= first && end < len(l.entries) {
		return t.emit(column.Insert, l.entries[end], end)
	}
	return nil
}

// shrink takes the row at a place away.
func (t *TopN) shrink(l *list, at int) error {
	before := min(len(l.entries), t.to)
	if at >= t.to {
		l.remove(at)
		return nil
	}
	first := max(at, t.from)
	if !t.number {
		if first < before {
			out := l.entries[first]
			enters := len(l.entries) > t.to
			kind := column.Delete
			if enters {
				kind = column.UpdateBefore
			}
			if err := t.emit(kind, out, 0); err != nil {
				return err
			}
			if enters {
				if err := t.emit(column.UpdateAfter, l.entries[t.to], 0); err != nil {
					return err
				}
			}
		}
		l.remove(at)
		return nil
	}
	old := append([]entry{}, l.entries[at:before]...)
	l.remove(at)
	for r := first; r < before; r++ {
		if r >= len(l.entries) {
			if err := t.emit(column.Delete, old[r-at], r); err != nil {
				return err
			}
			continue
		}
		if err := t.emit(column.UpdateBefore, old[r-at], r); err != nil {
			return err
		}
		if err := t.emit(column.UpdateAfter, l.entries[r], r); err != nil {
			return err
		}
	}
	return nil
}

// emit adds a row to the output, with its number if that is asked for.
func (t *TopN) emit(kind column.Kind, e entry, number int) error {
	return emit(t.out, kind, t.record, e.row, t.number, number)
}

func emit(out *operator.Rows, kind column.Kind, record int, text string, numbered bool, number int) error {
	out.Add(kind, record)
	cols := out.Batch.Cols
	if numbered {
		last := cols[len(cols)-1]
		cols = cols[:len(cols)-1]
		last.Extend(1)
		last.Ints[last.Len-1] = int64(number) + 1
	}
	_, err := row.Decode(text, cols)
	return err
}

// Watermark passes it on.
func (t *TopN) Watermark(_ int, ts int64, out operator.Emitter) error { return out.Watermark(ts) }

// End does nothing.
func (t *TopN) End(int, operator.Emitter) error { return nil }

// Close does nothing.
func (t *TopN) Close() error { return nil }
