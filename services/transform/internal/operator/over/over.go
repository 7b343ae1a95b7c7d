// Package over is OVER windows ordered by a time attribute.
package over

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/eval"
	"github.com/weirflow/weirflow/services/transform/internal/operator"
	"github.com/weirflow/weirflow/services/transform/internal/operator/aggregate"
	"github.com/weirflow/weirflow/services/transform/internal/operator/row"
	"github.com/weirflow/weirflow/services/transform/internal/operator/state"
	"github.com/weirflow/weirflow/services/transform/internal/plan"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

// Over adds the results of functions over a frame to the columns. By event time
// rows wait for the watermark, and come out in the order of their times.
type Over struct {
	state.Tables
	operator.Drops
	group    plan.OverGroup
	time     int
	proctime bool
	now      func() time.Time
	set      *aggregate.Set
	calls    []call
	parts    *state.Table[*partition]
	alarms   operator.Alarms
	mark     int64
	work     *operator.Rows
	out      *operator.Rows
	ordered  column.Batch
	times    []int64
	firing   string // the partition whose rows are put out
	width    int
	key      []byte
}

// New makes the operator of a node with one group.
func New(n *plan.Over, env eval.Env) (*Over, error) {
	env = env.Filled()
	in := n.Input.Out()
	g := n.Groups[0]
	if in.Mode != plan.InsertOnly {
		return nil, &eval.Unsupported{At: n.At, What: "OVER over rows that change"}
	}
	if len(g.OrderBy) != 1 || in.Fields[g.OrderBy[0].Column].Type.Attribute == types.NoAttribute || g.OrderBy[0].Descending {
		return nil, &eval.Unsupported{At: n.At, What: "OVER without ORDER BY of one time attribute, ascending,"}
	}
	o := &Over{Tables: state.NewTables(shape(n)), group: g, time: g.OrderBy[0].Column, now: env.Now, mark: operator.NoWatermark,
		work: operator.NewRows(in.Fields), out: operator.NewRows(n.Fields), width: len(in.Fields)}
	o.proctime = in.Fields[o.time].Type.Attribute == types.Proctime
	var plain []plan.AggCall
	lags := 0
	for _, c := range g.Calls {
		k, isPlain, err := newCall(c, env)
		if err != nil {
			return nil, err
		}
		if isPlain {
			plain = append(plain, c)
		}
		if k.kind == lagCall {
			k.place = lags
			lags++
		}
		o.calls = append(o.calls, k)
	}
	var err error
	if o.set, err = aggregate.NewSet(plain, env, g.Frame.Preceding >= 0); err != nil {
		return nil, err
	}
	state.AddCell(&o.Tables, "watermark",
		func(dst []byte) []byte { return binary.AppendVarint(dst, o.mark) },
		func(s string) (err error) { o.mark, _, err = row.Varint(s); return err })
	o.parts = state.AddTable(&o.Tables, "partitions", state.Codec[*partition]{Append: o.save, Decode: o.load})
	return o, nil
}

func shape(n *plan.Over) string {
	g := n.Groups[0]
	return state.Shape(fmt.Sprintf("over %v %v %v of", g.Partition, g.OrderBy, g.Frame), n.Fields, g.Calls)
}

// Process keeps the rows until their time.
func (o *Over) Process(_ int, b *column.Batch, out operator.Emitter) error {
	now := o.now().UnixMilli()
	for i := range b.Len {
		at := now
		if !o.proctime {
			if b.Cols[o.time].IsNull(i) {
				o.Leave(b.Record(i))
				continue
			}
			at = b.Cols[o.time].Ints[i]
		}
		o.key = row.Append(o.key[:0], b, o.group.Partition, i)
		p, known := o.parts.Get(o.key)
		if !o.proctime && o.isLate(p, at) {
			o.Leave(b.Record(i))
			continue
		}
		key := string(o.key)
		if !known {
			p = newPartition(o.set.New())
		}
		o.parts.Put(key, p)
		p.insert(timed{at, string(row.AppendAll(nil, b, i))})
		o.schedule(p, key)
	}
	if o.proctime {
		return o.fire(now, out)
	}
	return nil
}

// isLate reports whether a row comes too late: after the watermark, or, for a
// frame with a start, after a later row of its partition was put out.
func (o *Over) isLate(p *partition, at int64) bool {
	if o.group.Frame.Preceding < 0 {
		return at <= o.mark
	}
	return p != nil && at <= p.last
}

func (o *Over) schedule(p *partition, key string) {
	if at := p.pending[0].time; at < p.due {
		p.due = at
		o.alarms.Set(at, key)
	}
}

// Watermark puts out the rows whose time has come.
func (o *Over) Watermark(_ int, ts int64, out operator.Emitter) error {
	o.mark = max(o.mark, ts)
	if !o.proctime {
		if err := o.fire(ts, out); err != nil {
			return err
		}
	}
	return out.Watermark(ts)
}

func (o *Over) fire(mark int64, out operator.Emitter) error {
	o.times = o.times[:0]
	for at, key, ok := o.alarms.Next(mark); ok; at, key, ok = o.alarms.Next(mark) {
		p, known := o.parts.Get([]byte(key))
		if !known || p.due != at {
			continue
		}
		p.due = operator.MaxWatermark
		n := len(p.pending)
		if mark != operator.MaxWatermark {
			n, _ = slices.BinarySearchFunc(p.pending, mark+1, func(t timed, at int64) int { return cmp.Compare(t.time, at) })
		}
		due := p.pending[:n]
		o.firing = key
		if err := o.advance(p, due); err != nil {
			return err
		}
		p.pending = append([]timed(nil), p.pending[n:]...)
		if len(p.pending) > 0 {
			o.schedule(p, key)
		}
		o.parts.Touch(key)
	}
	return o.flush(out)
}

// flush puts the results out in the order of time.
func (o *Over) flush(out operator.Emitter) error {
	n := o.out.Batch.Len
	if n == 0 {
		return nil
	}
	order := make([]int32, n)
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortStableFunc(order, func(a, b int32) int { return cmp.Compare(o.times[a], o.times[b]) })
	o.out.Finish()
	for chunk := range slices.Chunk(order, 4096) {
		o.out.Batch.Select(&o.ordered, chunk, nil)
		if err := out.Emit(&o.ordered); err != nil {
			return err
		}
	}
	o.out.Reset()
	return nil
}

// End does nothing: the last watermark put all out.
func (o *Over) End(int, operator.Emitter) error { return nil }

// Named sets what the rows' names are made with.
func (o *Over) Named(id string) { o.out.Salt(id) }

// Close does nothing.
func (o *Over) Close() error { return nil }
