package join

import (
	"time"

	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/eval"
	"github.com/weirflow/weirflow/services/transform/internal/operator"
	"github.com/weirflow/weirflow/services/transform/internal/operator/row"
	"github.com/weirflow/weirflow/services/transform/internal/operator/state"
	"github.com/weirflow/weirflow/services/transform/internal/plan"
)

// Interval joins rows whose times are near. Rows are kept until no row near them
// can come any more.
type Interval struct {
	state.Tables
	operator.Drops
	node     *plan.IntervalJoin
	now      func() time.Time
	keys     *keys
	residual *residual
	sides    [2]*timeline
	size     [2]int64 // how far behind the time of a row of the side the other side's may be
	slack    int64
	marks    operator.Marks
	out      output
	copy     int64 // how many rows like the one at hand there are already
}

// NewInterval makes the operator of a node.
func NewInterval(n *plan.IntervalJoin, env eval.Env) (*Interval, error) {
	env = env.Filled()
	left, right := n.Left.Out().Fields, n.Right.Out().Fields
	j := &Interval{Tables: state.NewTables(shape("interval", n.On, left, right)), node: n, now: env.Now, marks: operator.NewMarks(2),
		size: [2]int64{n.Upper, -n.Lower}, slack: max(0, (n.Upper-n.Lower)/2)}
	j.out = output{rows: operator.NewRows(n.Fields), left: len(left), naming: counted}
	state.AddMarks(&j.Tables, &j.marks)
	var err error
	if j.keys, err = newKeys(n.On, left, right, env); err != nil {
		return nil, err
	}
	if j.residual, err = newResidual(n.On.Residual, left, right, env); err != nil {
		return nil, err
	}
	for side, name := range []string{"left", "right"} {
		j.sides[side] = newTimeline(&j.Tables, name, j.keep(side))
	}
	return j, nil
}

// keep is how long after its time a row of a side is kept.
func (j *Interval) keep(side int) int64 { return j.size[side] + j.slack + 1 }

// outer reports whether rows of a side come out alone when nothing matched them.
func (j *Interval) outer(side int) bool {
	switch j.node.Kind {
	case plan.FullJoin:
		return true
	case plan.LeftJoin:
		return side == 0
	case plan.RightJoin:
		return side == 1
	default:
		return false
	}
}

// mark is the operator's time.
func (j *Interval) mark() int64 {
	if j.node.Proctime {
		return j.now().UnixMilli()
	}
	return j.marks.Now()
}

// Process joins the rows with those of the other side that are near.
func (j *Interval) Process(in int, b *column.Batch, out operator.Emitter) error {
	if err := j.keys.bind(in, b); err != nil {
		return err
	}
	j.out.rows.From(b)
	times := b.Cols[[]int{j.node.LeftTime, j.node.RightTime}[in]]
	for i := range b.Len {
		j.out.record = b.Record(i)
		at := j.mark()
		if !j.node.Proctime {
			if times.IsNull(i) {
				j.Leave(b.Record(i))
				continue
			}
			at = times.Ints[i]
		}
		if err := j.add(in, string(row.AppendAll(nil, b, i)), at, i); err != nil {
			return err
		}
		if err := j.out.rows.Spill(out); err != nil {
			return err
		}
	}
	return j.out.rows.Flush(out)
}

func (j *Interval) add(side int, text string, at int64, i int) error {
	key, ok := j.keys.key(side, i)
	if !ok {
		if j.outer(side) {
			return j.out.lone(column.Insert, side, text)
		}
		return nil
	}
	low, high := at-j.size[1-side], at+j.size[side]
	j.copy = j.sides[side].same(key, text, at)
	matched, err := j.join(side, key, text, low, high)
	if err != nil {
		return err
	}
	if j.mark() < high {
		j.sides[side].add(key, timed{time: at, row: text, matched: matched}, at+j.keep(side))
		return nil
	}
	if !matched && j.outer(side) {
		j.out.copies = [2]int64{j.copy}
		return j.out.joined(column.Insert, side, text, "")
	}
	return nil
}

// join joins a row with the other side's from low to high.
func (j *Interval) join(side int, key []byte, text string, low, high int64) (bool, error) {
	s, ok := j.sides[1-side].table.Get(key)
	if !ok {
		return false, nil
	}
	from := 0
	for from < len(s.rows) && s.rows[from].time < low {
		from++
	}
	to := from
	for to < len(s.rows) && s.rows[to].time <= high {
		to++
	}
	near := s.rows[from:to]
	good, err := j.residual.match(side, text, func(i int) string { return near[i].row }, len(near))
	if err != nil {
		return false, err
	}
	matched := false
	for i, yes := range good {
		if !yes {
			continue
		}
		matched = true
		j.out.copies = [2]int64{j.copy, before(s.rows, from+i)}
		if !near[i].matched && j.outer(1-side) {
			near[i].matched = true
			j.sides[1-side].table.TouchBytes(key)
		}
		if err := j.out.joined(column.Insert, side, text, near[i].row); err != nil {
			return false, err
		}
	}
	return matched, j.expire(1-side, string(key), s)
}

// expire lets the rows go to which no row can come any more.
func (j *Interval) expire(side int, key string, s *series) error {
	mark := j.mark()
	if mark == operator.NoWatermark {
		return nil
	}
	gone := 0
	for gone < len(s.rows) && s.rows[gone].time < mark-j.size[side] {
		if t := s.rows[gone]; !t.matched && j.outer(side) {
			j.out.copies = [2]int64{before(s.rows, gone)}
			if err := j.out.joined(column.Insert, side, t.row, ""); err != nil {
				return err
			}
		}
		gone++
	}
	if gone > 0 {
		s.rows = append(s.rows[:0:0], s.rows[gone:]...)
		j.sides[side].settle(key, s, j.keep(side))
	}
	return nil
}

// Watermark lets old rows go, outer ones alone.
func (j *Interval) Watermark(in int, ts int64, out operator.Emitter) error {
	if !j.marks.Advance(in, ts) {
		return nil
	}
	if !j.node.Proctime {
		if err := j.clean(j.marks.Now(), out); err != nil {
			return err
		}
	}
	// What is joined may be older than the watermark by the interval's size.
	mark := j.marks.Now()
	if mark != operator.MaxWatermark {
		mark -= max(j.size[0], j.size[1], 0)
	}
	return out.Watermark(mark)
}

func (j *Interval) clean(mark int64, out operator.Emitter) error {
	j.out.rows.From(nil)
	j.out.record = 0
	for side, l := range j.sides {
		for key, s := l.next(mark); s != nil; key, s = l.next(mark) {
			if mark == operator.MaxWatermark {
				if err := j.drain(side, key, s); err != nil {
					return err
				}
				continue
			}
			if err := j.expire(side, key, s); err != nil {
				return err
			}
			if len(s.rows) > 0 {
				l.schedule(s, s.rows[0].time+j.keep(side), key)
			}
			if err := j.out.rows.Spill(out); err != nil {
				return err
			}
		}
	}
	return j.out.rows.Flush(out)
}

// drain lets all rows of a key go.
func (j *Interval) drain(side int, key string, s *series) error {
	for i, t := range s.rows {
		if !t.matched && j.outer(side) {
			j.out.copies = [2]int64{before(s.rows, i)}
			if err := j.out.joined(column.Insert, side, t.row, ""); err != nil {
				return err
			}
		}
	}
	j.sides[side].table.Delete(key)
	return nil
}

// Next returns when the first row of processing time goes.
func (j *Interval) Next() time.Time {
	at := never
	if j.node.Proctime {
		for _, l := range j.sides {
			if len(l.alarms) > 0 {
				at = min(at, l.alarms[0].at)
			}
		}
	}
	if at == never {
		return time.Time{}
	}
	return time.UnixMilli(at)
}

// Tick lets rows of processing time go.
func (j *Interval) Tick(now time.Time, out operator.Emitter) error {
	return j.clean(now.UnixMilli(), out)
}

// End lets all rows of processing time go when both sides have ended.
func (j *Interval) End(int, operator.Emitter) error { return nil }

// Named sets what the rows' names are made with.
func (j *Interval) Named(id string) { j.out.rows.Salt(id) }

// Close does nothing.
func (j *Interval) Close() error { return nil }
