package join

import (
	"encoding/binary"
	"slices"

	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/eval"
	"github.com/weirflow/weirflow/services/transform/internal/operator"
	"github.com/weirflow/weirflow/services/transform/internal/operator/row"
	"github.com/weirflow/weirflow/services/transform/internal/operator/state"
	"github.com/weirflow/weirflow/services/transform/internal/operator/window"
	"github.com/weirflow/weirflow/services/transform/internal/plan"
)

// Window joins rows of the same window when it is over.
type Window struct {
	state.Tables
	operator.Drops
	node     *plan.WindowJoin
	clock    window.Clock
	keys     *keys
	residual *residual
	sides    [2]*state.Table[*bucket] // by window and key
	open     map[int64]map[string]bool
	marks    operator.Marks
	out      output
	key      []byte
	scratch  []byte
}

// NewWindow makes the operator of a node.
func NewWindow(n *plan.WindowJoin, env eval.Env) (*Window, error) {
	env = env.Filled()
	left, right := n.Left.Out().Fields, n.Right.Out().Fields
	j := &Window{Tables: state.NewTables(shape("window", n.On, left, right)), node: n, clock: window.ClockOf(left, env),
		open: make(map[int64]map[string]bool), marks: operator.NewMarks(2)}
	j.out = output{rows: operator.NewRows(n.Fields), left: len(left)}
	state.AddMarks(&j.Tables, &j.marks)
	on := n.On
	var err error
	if j.keys, err = newKeys(on, left, right, env); err != nil {
		return nil, err
	}
	if j.residual, err = newResidual(on.Residual, left, right, env); err != nil {
		return nil, err
	}
	for side, name := range []string{"left", "right"} {
		j.sides[side] = state.AddTable(&j.Tables, name, state.Codec[*bucket]{Append: saveBucket, Decode: func(key, s string) (*bucket, error) {
			end, _, err := row.Varint(key)
			if err != nil {
				return nil, err
			}
			j.note(end, key)
			return loadBucket(key, s)
		}})
	}
	return j, nil
}

func (j *Window) note(end int64, key string) {
	if j.open[end] == nil {
		j.open[end] = make(map[string]bool)
	}
	j.open[end][key] = true
}

// Process keeps the rows until their window is over.
func (j *Window) Process(in int, b *column.Batch, out operator.Emitter) error {
	if err := j.keys.bind(in, b); err != nil {
		return err
	}
	j.out.rows.From(b)
	bounds := [][2]int{j.node.LeftWindow, j.node.RightWindow}[in]
	starts, ends := b.Cols[bounds[0]], b.Cols[bounds[1]]
	for i := range b.Len {
		if starts.IsNull(i) || ends.IsNull(i) || j.clock.Done(ends.Ints[i], j.marks.Now()) {
			j.Leave(b.Record(i))
			continue
		}
		key, ok := j.keys.key(in, i)
		j.key = binary.AppendVarint(binary.AppendVarint(j.key[:0], ends.Ints[i]), starts.Ints[i])
		if ok {
			j.key = append(append(j.key, 1), key...)
		} else {
			j.key = append(j.key, 0) // it matches nothing
		}
		j.scratch = row.AppendAll(j.scratch[:0], b, i)
		bk, known := j.sides[in].Get(j.key)
		if !known {
			bk = &bucket{}
			k := string(j.key)
			j.sides[in].Put(k, bk)
			j.note(ends.Ints[i], k)
		}
		j.sides[in].TouchBytes(j.key)
		if at := bk.find(j.scratch); at >= 0 {
			bk.items[at].n++
		} else {
			bk.add(&item{row: string(j.scratch), n: 1})
		}
	}
	return j.out.rows.Flush(out)
}

// Watermark joins the windows that are over.
func (j *Window) Watermark(in int, ts int64, out operator.Emitter) error {
	if !j.marks.Advance(in, ts) {
		return nil
	}
	if err := j.fire(j.marks.Now(), out); err != nil {
		return err
	}
	return out.Watermark(j.marks.Now())
}

func (j *Window) fire(mark int64, out operator.Emitter) error {
	var over []int64
	for end := range j.open {
		if j.clock.Done(end, mark) {
			over = append(over, end)
		}
	}
	slices.Sort(over)
	j.out.rows.From(nil)
	j.out.record = 0
	for _, end := range over {
		keys := make([]string, 0, len(j.open[end]))
		for k := range j.open[end] {
			keys = append(keys, k)
		}
		slices.Sort(keys)
		for _, key := range keys {
			if err := j.join(key); err != nil {
				return err
			}
			if err := j.out.rows.Spill(out); err != nil {
				return err
			}
		}
		delete(j.open, end)
	}
	return j.out.rows.Flush(out)
}

// join joins the rows of a window and key, and forgets them.
func (j *Window) join(key string) error {
	var items [2][]*item
	for side, t := range j.sides {
		if bk, ok := t.Get([]byte(key)); ok {
			items[side] = bk.items
			t.Delete(key)
		}
	}
	left, right := items[0], items[1]
	if _, rest, _ := row.Varint(key); rest != "" {
		if _, rest, _ = row.Varint(rest); rest == "\x00" { // keys with NULL
			for _, l := range left {
				l.matches = 0
			}
			return j.alone(left, right)
		}
	}
	for _, l := range left {
		good, err := j.residual.match(0, l.row, func(i int) string { return right[i].row }, len(right))
		if err != nil {
			return err
		}
		for i, yes := range good {
			if !yes {
				continue
			}
			l.matches++
			right[i].matches++
			if j.node.Kind == plan.SemiJoin || j.node.Kind == plan.AntiJoin {
				continue
			}
			for range l.n * right[i].n {
				if err := j.out.joined(column.Insert, 0, l.row, right[i].row); err != nil {
					return err
				}
			}
		}
	}
	return j.alone(left, right)
}

// alone puts out the rows that matched nothing, or, for semi joins, something.
func (j *Window) alone(left, right []*item) error {
	kind := j.node.Kind
	for _, l := range left {
		for range l.n {
			var err error
			switch {
			case kind == plan.SemiJoin && l.matches > 0, kind == plan.AntiJoin && l.matches == 0:
				err = j.out.alone(column.Insert, l.row)
			case (kind == plan.LeftJoin || kind == plan.FullJoin) && l.matches == 0:
				err = j.out.joined(column.Insert, 0, l.row, "")
			}
			if err != nil {
				return err
			}
		}
	}
	if kind != plan.RightJoin && kind != plan.FullJoin {
		return nil
	}
	for _, r := range right {
		if r.matches > 0 {
			continue
		}
		for range r.n {
			if err := j.out.joined(column.Insert, 1, r.row, ""); err != nil {
				return err
			}
		}
	}
	return nil
}

// End does nothing.
func (j *Window) End(int, operator.Emitter) error { return nil }

// Named sets what the rows' names are made with.
func (j *Window) Named(id string) { j.out.rows.Salt(id) }

// Close does nothing.
func (j *Window) Close() error { return nil }
