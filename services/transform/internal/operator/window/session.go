package window

import (
	"cmp"
	"container/heap"
	"encoding/binary"
	"slices"
	"time"

	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/eval"
	"github.com/weirflow/weirflow/services/transform/internal/operator"
	"github.com/weirflow/weirflow/services/transform/internal/operator/aggregate"
	"github.com/weirflow/weirflow/services/transform/internal/operator/row"
	"github.com/weirflow/weirflow/services/transform/internal/operator/state"
	"github.com/weirflow/weirflow/services/transform/internal/plan"
)

// session is an open session of a partition, with its groups, or its rows.
type session struct {
	span
	groups map[string]int32
	rows   []string
}

// sessions are the open sessions of a partition.
type sessions struct {
	open []*session
	// due is when the partition is looked at next; MaxWatermark for never.
	due int64
}

// due is when a partition may have a session that is over.
type due struct {
	end int64
	key string
}

type dues []due

func (d dues) Len() int           { return len(d) }
func (d dues) Less(i, j int) bool { return d[i].end < d[j].end }
func (d dues) Swap(i, j int)      { d[i], d[j] = d[j], d[i] }

// Push is for the heap.
func (d *dues) Push(x any) { *d = append(*d, x.(due)) }

// Pop is for the heap.
func (d *dues) Pop() any {
	last := (*d)[len(*d)-1]
	*d = (*d)[:len(*d)-1]
	return last
}

// Session is session windows: with an aggregate, or as a table function that
// puts rows out when their session is over.
type Session struct {
	state.Tables
	operator.Drops
	window    plan.Window
	partition []int
	aggregate *plan.WindowAggregate // nil for the table function
	clock     clock
	set       *aggregate.Set
	parts     *state.Table[*sessions]
	dues      dues
	out       *operator.Rows
	mark      int64
	key       []byte
	group     []byte
}

// NewSession makes the operator of an aggregate over session windows.
func NewSession(n *plan.WindowAggregate, env eval.Env) (*Session, error) {
	env = env.Filled()
	set, err := aggregate.NewSet(n.Calls, env, false)
	if err != nil {
		return nil, err
	}
	s := newSession(n.Window, shape(n), env)
	s.aggregate, s.set, s.out = n, set, operator.NewRows(n.Fields)
	if n.Legacy {
		s.partition = n.Keys
	}
	return s, nil
}

// NewSessionAssign makes the operator of SESSION as a table function.
func NewSessionAssign(n *plan.WindowAssign, env eval.Env) *Session {
	s := newSession(n.Window, "session rows "+n.Window.Kind.String(), env.Filled())
	s.out = operator.NewRows(n.Fields)
	return s
}

func newSession(w plan.Window, shape string, env eval.Env) *Session {
	s := &Session{Tables: state.NewTables(shape), window: w, partition: w.Partition, clock: newClock(w, env), mark: operator.NoWatermark}
	state.AddCell(&s.Tables, "watermark",
		func(dst []byte) []byte { return binary.AppendVarint(dst, s.mark) },
		func(text string) (err error) { s.mark, _, err = row.Varint(text); return err })
	s.parts = state.AddTable(&s.Tables, "sessions", state.Codec[*sessions]{Append: s.save, Decode: s.load})
	return s
}

// Process puts the rows into their sessions, which may join.
func (s *Session) Process(_ int, b *column.Batch, _ operator.Emitter) error {
	if s.set != nil {
		if err := s.set.Bind(b); err != nil {
			return err
		}
	}
	now := s.clock.wall(s.clock.now().UnixMilli())
	for i := range b.Len {
		ts := now
		if !s.window.Proctime {
			times := b.Cols[s.window.TimeColumn]
			if times.IsNull(i) {
				s.Leave(b.Record(i))
				continue
			}
			ts = s.clock.wall(times.Ints[i])
		}
		if err := s.add(b, i, span{ts, ts + s.window.Gap}); err != nil {
			return err
		}
	}
	return nil
}

func (s *Session) add(b *column.Batch, i int, at span) error {
	s.key = row.Append(s.key[:0], b, s.partition, i)
	p, known := s.parts.Get(s.key)
	if !known {
		p = &sessions{due: operator.MaxWatermark}
	}
	in, err := s.join(p, at)
	if err != nil {
		return err
	}
	if in == nil {
		if !s.window.Proctime && s.clock.done(at.end, s.mark) {
			s.Leave(b.Record(i))
			return nil
		}
		in = &session{span: at}
		p.open = append(p.open, in)
	}
	key := string(s.key)
	s.parts.Put(key, p)
	s.schedule(p, in.end, key)
	if s.set == nil {
		in.rows = append(in.rows, string(row.AppendAll(nil, b, i)))
		return nil
	}
	s.group = row.Append(s.group[:0], b, s.aggregate.Keys, i)
	slot, ok := in.groups[string(s.group)]
	if !ok {
		if in.groups == nil {
			in.groups = make(map[string]int32, 1)
		}
		slot = s.set.New()
		in.groups[string(s.group)] = slot
	}
	s.set.Add(slot, i)
	return nil
}

// schedule makes sure that a partition is looked at when a session may end. A
// session that grows meanwhile is scheduled again then.
func (s *Session) schedule(p *sessions, end int64, key string) {
	if end < p.due {
		p.due = end
		heap.Push(&s.dues, due{end, key})
	}
}

// join makes one of the sessions that touch a span, and returns it; nil if none does.
func (s *Session) join(p *sessions, at span) (*session, error) {
	var in *session
	kept := p.open[:0]
	for _, o := range p.open {
		switch {
		case o.start > at.end || o.end < at.start:
			kept = append(kept, o)
		case in == nil:
			in = o
			kept = append(kept, o)
		default:
			if err := s.merge(in, o); err != nil {
				return nil, err
			}
		}
	}
	p.open = kept
	if in != nil {
		in.start, in.end = min(in.start, at.start), max(in.end, at.end)
	}
	return in, nil
}

// merge moves all of a session into another.
func (s *Session) merge(in, o *session) error {
	in.start, in.end = min(in.start, o.start), max(in.end, o.end)
	in.rows = append(in.rows, o.rows...)
	for key, slot := range o.groups {
		to, ok := in.groups[key]
		if !ok {
			in.groups[key] = slot
			continue
		}
		if err := s.set.Merge(to, slot); err != nil {
			return err
		}
		s.set.Free(slot)
	}
	return nil
}

// Watermark puts out the sessions that are over.
func (s *Session) Watermark(_ int, ts int64, out operator.Emitter) error {
	s.mark = max(s.mark, ts)
	if !s.window.Proctime {
		if err := s.fire(ts, out); err != nil {
			return err
		}
	}
	return out.Watermark(ts)
}

// over is a session that is over.
type over struct {
	*session
	key string
}

func (s *Session) fire(mark int64, out operator.Emitter) error {
	var done []over
	for len(s.dues) > 0 && s.clock.done(s.dues[0].end, mark) {
		d, _ := heap.Pop(&s.dues).(due)
		p, ok := s.parts.Get([]byte(d.key))
		if !ok || d.end != p.due {
			continue
		}
		p.due = operator.MaxWatermark
		kept := p.open[:0]
		for _, o := range p.open {
			if s.clock.done(o.end, mark) {
				done = append(done, over{o, d.key})
			} else {
				kept = append(kept, o)
				s.schedule(p, o.end, d.key)
			}
		}
		if p.open = kept; len(kept) == 0 {
			s.parts.Delete(d.key)
		} else {
			s.parts.Touch(d.key)
		}
	}
	slices.SortFunc(done, func(x, y over) int {
		return cmp.Or(cmp.Compare(x.end, y.end), cmp.Compare(x.start, y.start), cmp.Compare(x.key, y.key))
	})
	s.out.From(nil)
	for _, o := range done {
		if err := s.emit(o.session); err != nil {
			return err
		}
		if err := s.out.Spill(out); err != nil {
			return err
		}
	}
	return s.out.Flush(out)
}

func (s *Session) emit(o *session) error {
	for _, text := range o.rows {
		s.out.Add(column.Insert, 0)
		cols := s.out.Batch.Cols
		width := len(cols) - 3
		if _, err := row.Decode(text, cols[:width]); err != nil {
			return err
		}
		appendBounds(cols[width:], s.clock, o.span)
		s.out.NameAmong(string(appendSpan(nil, o.span)), text)
	}
	for _, key := range sorted(o.groups) {
		if err := emit(s.out, s.aggregate, s.clock, s.set, key, o.groups[key], o.span); err != nil {
			return err
		}
		s.set.Free(o.groups[key])
	}
	return nil
}

func sorted(groups map[string]int32) []string {
	keys := make([]string, 0, len(groups))
	for k := range groups {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// Next returns when the first session of processing time may be over.
func (s *Session) Next() time.Time {
	if !s.window.Proctime || len(s.dues) == 0 {
		return time.Time{}
	}
	return time.UnixMilli(s.clock.instant(s.dues[0].end))
}

// Tick puts out the sessions of processing time that are over.
func (s *Session) Tick(now time.Time, out operator.Emitter) error {
	return s.fire(now.UnixMilli()-1, out)
}

// End puts out what is left of processing time.
func (s *Session) End(_ int, out operator.Emitter) error { return s.fire(operator.MaxWatermark, out) }

// Named sets what the rows' names are made with.
func (s *Session) Named(id string) { s.out.Salt(id) }

// Close does nothing.
func (s *Session) Close() error { return nil }

func (s *Session) save(dst []byte, p *sessions) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(p.open)))
	for _, o := range p.open {
		dst = binary.AppendVarint(binary.AppendVarint(dst, o.start), o.end)
		dst = binary.AppendUvarint(dst, uint64(len(o.rows)))
		for _, r := range o.rows {
			dst = row.AppendText(dst, r)
		}
		dst = binary.AppendUvarint(dst, uint64(len(o.groups)))
		for _, key := range sorted(o.groups) {
			dst = s.set.Save(row.AppendText(dst, key), o.groups[key])
		}
	}
	return dst
}

func (s *Session) load(key, text string) (*sessions, error) {
	n, text, err := row.Uvarint(text)
	if err != nil {
		return nil, err
	}
	p := &sessions{due: operator.MaxWatermark}
	for range n {
		o := &session{}
		if text, err = s.loadSession(o, text); err != nil {
			return nil, err
		}
		p.open = append(p.open, o)
		s.schedule(p, o.end, key)
	}
	return p, nil
}

func (s *Session) loadSession(o *session, text string) (string, error) {
	var err error
	if o.start, text, err = row.Varint(text); err != nil {
		return text, err
	}
	if o.end, text, err = row.Varint(text); err != nil {
		return text, err
	}
	n, text, err := row.Uvarint(text)
	if err != nil {
		return text, err
	}
	for range n {
		var r string
		if r, text, err = row.Text(text); err != nil {
			return text, err
		}
		o.rows = append(o.rows, r)
	}
	if n, text, err = row.Uvarint(text); err != nil {
		return text, err
	}
	o.groups = make(map[string]int32)
	for range n {
		var key string
		if key, text, err = row.Text(text); err != nil {
			return text, err
		}
		slot := s.set.New()
		o.groups[key] = slot
		if text, err = s.set.Load(slot, text); err != nil {
			return text, err
		}
	}
	return text, nil
}
