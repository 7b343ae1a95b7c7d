package over

import (
	"slices"

	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/operator"
	"github.com/weirflow/weirflow/services/transform/internal/operator/row"
)

// advance computes the results of the rows of a partition whose time has come.
func (o *Over) advance(p *partition, due []timed) error {
	if len(due) == 0 {
		return nil
	}
	leaving := o.leaving(p, due)
	o.work.Reset()
	for _, list := range [][]timed{p.frame[:leaving], due} {
		for _, t := range list {
			o.work.Add(column.Insert, 0)
			if _, err := row.Decode(t.row, o.work.Batch.Cols); err != nil {
				return err
			}
		}
	}
	if err := o.set.Bind(&o.work.Batch); err != nil {
		return err
	}
	for k := range o.calls {
		if err := o.calls[k].bind(&o.work.Batch); err != nil {
			return err
		}
	}
	kept := len(p.frame) // rows before the first due one
	all := slices.Concat(p.frame, due)
	at := func(pos int) int { // where a row is in the batch
		if pos < kept {
			return pos
		}
		return pos - kept + leaving
	}
	first := 0 // the first row of the frame
	for pos := kept; pos < len(all); {
		end := pos + 1
		// By processing time each row is a moment of its own, unless the frame is one of time.
		for !o.group.Frame.Rows && (!o.proctime || o.group.Frame.Preceding >= 0) && end < len(all) && all[end].time == all[pos].time {
			end++
		}
		for i := pos; i < end; i++ {
			o.set.Add(p.slot, at(i))
		}
		for o.outside(all, first, end-1) {
			o.set.Retract(p.slot, at(first))
			first++
		}
		for i := pos; i < end; i++ {
			if err := o.emit(p, all[i].time, at(i)); err != nil {
				return err
			}
		}
		pos = end
	}
	if o.group.Frame.Preceding < 0 {
		p.frame = nil
	} else {
		p.frame = append([]timed(nil), all[first:]...)
	}
	return nil
}

// outside reports whether row i is before the frame of row current.
func (o *Over) outside(all []timed, i, current int) bool {
	f := o.group.Frame
	switch {
	case f.Preceding < 0:
		return false
	case f.Rows:
		return int64(i) < int64(current)-f.Preceding
	default:
		return all[i].time < all[current].time-f.Preceding
	}
}

// leaving is how many rows of the frame leave it until the last row that is due.
func (o *Over) leaving(p *partition, due []timed) int {
	f := o.group.Frame
	switch {
	case f.Preceding < 0:
		return 0
	case f.Rows:
		return int(min(int64(len(p.frame)), max(0, int64(len(p.frame)+len(due)-1)-f.Preceding)))
	}
	n := 0
	for n < len(p.frame) && p.frame[n].time < due[len(due)-1].time-f.Preceding {
		n++
	}
	return n
}

// emit adds row i of the working batch to the output, with the results.
func (o *Over) emit(p *partition, time int64, i int) error {
	p.rows++
	if time != p.last || p.rows == 1 {
		p.rank = p.rows
		p.dense++
	}
	p.last = time
	o.out.Add(column.Insert, 0)
	o.out.NameCopy(p.rows, o.firing)
	cols := o.out.Batch.Cols
	for c, v := range o.work.Batch.Cols {
		operator.Append(cols[c], v, i)
	}
	cols = cols[o.width:]
	var plain []*column.Vector
	for k := range o.calls {
		c := &o.calls[k]
		if c.kind == aggregateCall {
			plain = append(plain, cols[k])
			continue
		}
		if err := c.append(cols[k], p, i); err != nil {
			return err
		}
	}
	if err := o.set.Append(p.slot, plain); err != nil {
		return err
	}
	o.remember(p, i)
	o.times = append(o.times, time)
	return nil
}

// remember keeps the values that LAG may ask for.
func (o *Over) remember(p *partition, i int) {
	depth := 0
	var text []byte
	for k := range o.calls {
		if c := &o.calls[k]; c.kind == lagCall {
			depth = max(depth, c.offset)
			text = row.AppendText(text, string(row.AppendValue(nil, c.value, i)))
		}
	}
	if depth == 0 {
		return
	}
	p.history = append(p.history, string(text))
	if len(p.history) > depth {
		p.history = append(p.history[:0:0], p.history[len(p.history)-depth:]...)
	}
}
