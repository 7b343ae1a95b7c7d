package join

import (
	"cmp"
	"slices"
	"sort"

	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/eval"
	"github.com/weirflow/weirflow/services/transform/internal/operator"
	"github.com/weirflow/weirflow/services/transform/internal/operator/row"
	"github.com/weirflow/weirflow/services/transform/internal/operator/state"
	"github.com/weirflow/weirflow/services/transform/internal/plan"
)

// Temporal joins each left row with the version of the right that was valid at
// the left's time. By event time left rows wait for the watermark.
type Temporal struct {
	state.Tables
	operator.Drops
	node     *plan.TemporalJoin
	keys     *keys
	residual *residual
	left     *timeline
	versions *state.Table[*series]
	marks    operator.Marks
	out      output
}

// NewTemporal makes the operator of a node.
func NewTemporal(n *plan.TemporalJoin, env eval.Env) (*Temporal, error) {
	env = env.Filled()
	left, right := n.Left.Out().Fields, n.Right.Out().Fields
	j := &Temporal{Tables: state.NewTables(shape("temporal", n.On, left, right)), node: n, marks: operator.NewMarks(2)}
	j.out = output{rows: operator.NewRows(n.Fields), left: len(left)}
	state.AddMarks(&j.Tables, &j.marks)
	var err error
	if j.keys, err = newKeys(n.On, left, right, env); err != nil {
		return nil, err
	}
	if j.residual, err = newResidual(n.On.Residual, left, right, env); err != nil {
		return nil, err
	}
	j.left = newTimeline(&j.Tables, "left", 0)
	j.versions = state.AddTable(&j.Tables, "versions", state.Codec[*series]{Append: saveSeries,
		Decode: func(_, s string) (*series, error) { return loadSeries(s) }})
	return j, nil
}

// Process keeps versions, and left rows until their time.
func (j *Temporal) Process(in int, b *column.Batch, out operator.Emitter) error {
	if err := j.keys.bind(in, b); err != nil {
		return err
	}
	if in == 1 {
		return j.right(b)
	}
	j.out.rows.From(b)
	j.out.naming = byRecord
	for i := range b.Len {
		j.out.record = b.Record(i)
		text := string(row.AppendAll(nil, b, i))
		key, ok := j.keys.key(0, i)
		if j.node.Proctime || !ok {
			if err := j.emit(b.Kind(i), text, key, ok, never); err != nil {
				return err
			}
			continue
		}
		times := b.Cols[j.node.LeftTime]
		if times.IsNull(i) || times.Ints[i] <= j.marks.Now() && j.marks.Now() != operator.NoWatermark {
			j.Leave(b.Record(i))
			continue
		}
		j.left.add(key, timed{time: times.Ints[i], row: text, kind: uint8(b.Kind(i))}, times.Ints[i])
	}
	return j.out.rows.Flush(out)
}

func (j *Temporal) right(b *column.Batch) error {
	for i := range b.Len {
		key, ok := j.keys.key(1, i)
		if !ok || b.Kind(i) == column.UpdateBefore {
			continue
		}
		s, known := j.versions.Get(key)
		if !known {
			s = &series{due: never}
		}
		v := timed{row: string(row.AppendAll(nil, b, i)), kind: uint8(b.Kind(i))}
		if j.node.Proctime || j.node.RightTime < 0 {
			s.rows = append(s.rows[:0], v)
		} else {
			times := b.Cols[j.node.RightTime]
			if times.IsNull(i) {
				j.Leave(b.Record(i))
				continue
			}
			v.time = times.Ints[i]
			at := sort.Search(len(s.rows), func(k int) bool { return s.rows[k].time >= v.time })
			if at < len(s.rows) && s.rows[at].time == v.time {
				s.rows[at] = v
			} else {
				s.rows = slices.Insert(s.rows, at, v)
			}
		}
		j.versions.Put(string(key), s)
	}
	return nil
}

// emit puts a left row out with the version of a time.
func (j *Temporal) emit(kind column.Kind, text string, key []byte, ok bool, at int64) error {
	if ok {
		if s, known := j.versions.Get(key); known {
			v := sort.Search(len(s.rows), func(k int) bool { return s.rows[k].time > at }) - 1
			if v >= 0 && column.Kind(s.rows[v].kind) != column.Delete {
				good, err := j.residual.match(0, text, func(int) string { return s.rows[v].row }, 1)
				if err != nil {
					return err
				}
				if good[0] {
					return j.out.joined(kind, 0, text, s.rows[v].row)
				}
			}
		}
	}
	if j.node.Kind == plan.LeftJoin {
		return j.out.joined(kind, 0, text, "")
	}
	return nil
}

// due is a left row whose time has come.
type due struct {
	timed
	key string
}

// Watermark puts out the left rows whose time has come, in order.
func (j *Temporal) Watermark(in int, ts int64, out operator.Emitter) error {
	if !j.marks.Advance(in, ts) {
		return nil
	}
	mark := j.marks.Now()
	var ready []due
	for key, s := j.left.next(mark); s != nil; key, s = j.left.next(mark) {
		n := sort.Search(len(s.rows), func(k int) bool { return s.rows[k].time > mark })
		for _, t := range s.rows[:n] {
			ready = append(ready, due{t, key})
		}
		s.rows = append(s.rows[:0:0], s.rows[n:]...)
		j.left.settle(key, s, 0)
	}
	slices.SortStableFunc(ready, func(a, b due) int { return cmp.Or(cmp.Compare(a.time, b.time), cmp.Compare(a.key, b.key)) })
	j.out.rows.From(nil)
	j.out.record, j.out.naming = 0, together
	for _, d := range ready {
		if err := j.emit(column.Kind(d.kind), d.row, []byte(d.key), true, d.time); err != nil {
			return err
		}
		if err := j.out.rows.Spill(out); err != nil {
			return err
		}
	}
	if err := j.out.rows.Flush(out); err != nil {
		return err
	}
	for _, d := range ready {
		j.prune(d.key, mark)
	}
	return out.Watermark(mark)
}

// prune forgets the versions of a key that no left row to come can see.
func (j *Temporal) prune(key string, mark int64) {
	s, ok := j.versions.Get([]byte(key))
	if !ok || j.node.Proctime {
		return
	}
	if n := sort.Search(len(s.rows), func(k int) bool { return s.rows[k].time > mark }) - 1; n > 0 {
		s.rows = append(s.rows[:0:0], s.rows[n:]...)
		j.versions.Touch(key)
	}
}

// End does nothing.
func (j *Temporal) End(int, operator.Emitter) error { return nil }

// Named sets what the rows' names are made with.
func (j *Temporal) Named(id string) { j.out.rows.Salt(id) }

// Close does nothing.
func (j *Temporal) Close() error { return nil }
