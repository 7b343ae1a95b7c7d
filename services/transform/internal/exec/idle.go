package exec

import "time"

// idler is an emitter that hears that nothing is to be waited for, or is again.
type idler interface {
	Idle(idle bool) error
}

// Idle passes on that the operator is silent: those that have other inputs do not
// wait for its watermark until it has rows again, as Flink's watermark status does.
func (v *vertex) Idle(idle bool) error {
	if v.idle == idle {
		return nil
	}
	v.idle = idle
	for _, e := range v.outputs {
		if err := e.to.silent(e.in, idle); err != nil {
			return err
		}
	}
	return nil
}

// silent hears whether an input is silent.
func (v *vertex) silent(in int, idle bool) error {
	v.idles[in] = idle
	all := true
	for _, i := range v.idles {
		all = all && i
	}
	if err := v.Idle(all); err != nil {
		return err
	}
	return v.follow()
}

// follow lets the silent inputs keep up with the slowest of the others. Inputs that
// have ended say nothing about the time of those that have not.
func (v *vertex) follow() error {
	if len(v.idles) < 2 {
		return nil
	}
	low, waits := int64(MaxWatermark), false
	for in, idle := range v.idles {
		if !idle {
			low = min(low, v.marks[in])
		} else {
			waits = true
		}
	}
	if !waits || low == MaxWatermark || low == NoWatermark {
		return nil
	}
	for in, idle := range v.idles {
		if idle && low > v.marks[in] {
			v.marks[in] = low
			if err := v.op.Watermark(in, low, v); err != nil {
				return err
			}
		}
	}
	return nil
}

// silence tells out whether all partitions are silent.
func (w *watermark) silence(out Emitter) error {
	all := w.allIdle()
	if all == w.told {
		return nil
	}
	w.told = all
	if o, ok := out.(idler); ok {
		return o.Idle(all)
	}
	return nil
}

// allIdle reports whether all partitions are silent. A source of which no partition
// is known is so when that has lasted long enough.
func (w *watermark) allIdle() bool {
	if len(w.parts)+len(w.known) == 0 {
		return w.nothing
	}
	all := true
	w.lanes(func(l *lane) { all = all && l.idle })
	return all
}

// patience is for how long a silent partition is waited for: not long for one that
// never had a record.
func (w *watermark) patience(l *lane) time.Duration {
	if l.empty {
		return min(w.idle, emptyIdle)
	}
	return w.idle
}

// Next returns when a partition that stays silent is no longer waited for.
func (w *watermark) Next() time.Time {
	if w.bounded || w.idle < 0 {
		return time.Time{}
	}
	if w.begun.IsZero() {
		w.begun = w.now()
	}
	if w.allIdle() != w.told {
		return w.begun // what was restored is not passed on yet
	}
	if len(w.parts)+len(w.known) == 0 && !w.nothing {
		return w.begun.Add(w.idle)
	}
	var next time.Time
	w.lanes(func(l *lane) {
		if at := l.seen.Add(w.patience(l)); !l.idle && (next.IsZero() || at.Before(next)) {
			next = at
		}
	})
	return next
}

// Tick lets the watermark go on without the partitions that are silent.
func (w *watermark) Tick(now time.Time, out Emitter) error {
	w.mu.Lock()
	w.nothing = now.Sub(w.begun) >= w.idle
	w.lanes(func(l *lane) { l.idle = l.idle || now.Sub(l.seen) >= w.patience(l) })
	w.mu.Unlock()
	if err := w.pass(w.lowest(), out); err != nil {
		return err
	}
	return w.silence(out)
}
