package match

import (
	"cmp"
	"encoding/binary"
	"slices"

	"github.com/weirflow/weirflow/services/transform/internal/operator"
	"github.com/weirflow/weirflow/services/transform/internal/operator/row"
)

// event is a row of the input.
type event struct {
	time   int64
	number int64 // counts the rows of a partition in the order in which they are looked at
	order  string
	row    string
	// known and truth say, by variable, whether its condition was evaluated for the
	// row alone, and what came of it.
	known, truth uint64
}

// step is a row that a variable has taken, and the steps before it, which
// several attempts share.
type step struct {
	before   *step
	variable int
	event    *event
}

// first tells where a match starts.
type first struct{ time, number int64 }

func (f first) compare(o first) int {
	return cmp.Or(cmp.Compare(f.time, o.time), cmp.Compare(f.number, o.number))
}

func (e *event) at() first { return first{e.time, e.number} }

// attempt is a match that has begun.
type attempt struct {
	state int
	last  *step
	start first
}

// partition is the state of a partition: rows that wait for the watermark,
// attempts under way, and complete matches that wait for those that began before
// them; both in the order of their starts.
type partition struct {
	pending []*event
	live    []attempt
	done    []attempt
	next    int64
	due     int64
}

func newPartition() *partition { return &partition{due: operator.MaxWatermark} }

// insert puts a row among those to come, behind those of its time and order.
func (p *partition) insert(e *event) {
	at, _ := slices.BinarySearchFunc(p.pending, e, func(a, b *event) int {
		return cmp.Or(cmp.Compare(a.time, b.time), cmp.Compare(a.order, b.order), -1)
	})
	p.pending = slices.Insert(p.pending, at, e)
}

func (p *partition) empty() bool { return len(p.pending)+len(p.live)+len(p.done) == 0 }

// save writes a partition: its events, the steps over them, and what refers to these.
func save(dst []byte, p *partition) []byte {
	w := &writer{events: make(map[*event]int), steps: make(map[*step]int)}
	for _, e := range p.pending {
		w.event(e)
	}
	for _, list := range [][]attempt{p.live, p.done} {
		for _, a := range list {
			w.step(a.last)
		}
	}
	dst = binary.AppendVarint(dst, p.next)
	dst = binary.AppendUvarint(dst, uint64(len(w.eventList)))
	for _, e := range w.eventList {
		dst = binary.AppendVarint(binary.AppendVarint(dst, e.time), e.number)
		dst = row.AppendText(row.AppendText(dst, e.order), e.row)
	}
	dst = binary.AppendUvarint(dst, uint64(len(p.pending)))
	dst = binary.AppendUvarint(dst, uint64(len(w.stepList)))
	for _, s := range w.stepList {
		before := 0
		if s.before != nil {
			before = w.steps[s.before] + 1
		}
		for _, n := range []int{before, s.variable, w.events[s.event]} {
			dst = binary.AppendUvarint(dst, uint64(n))
		}
	}
	for _, list := range [][]attempt{p.live, p.done} {
		dst = binary.AppendUvarint(dst, uint64(len(list)))
		for _, a := range list {
			dst = binary.AppendUvarint(binary.AppendUvarint(dst, uint64(a.state)), uint64(w.steps[a.last]))
			dst = binary.AppendVarint(binary.AppendVarint(dst, a.start.time), a.start.number)
		}
	}
	return dst
}

type writer struct {
	events    map[*event]int
	eventList []*event
	steps     map[*step]int
	stepList  []*step
}

func (w *writer) event(e *event) {
	if _, ok := w.events[e]; ok {
		return
	}
	w.events[e] = len(w.eventList)
	w.eventList = append(w.eventList, e)
}

// step numbers a step behind those before it.
func (w *writer) step(s *step) {
	var chain []*step
	for ; s != nil; s = s.before {
		if _, ok := w.steps[s]; ok {
			break
		}
		chain = append(chain, s)
	}
	for _, s := range slices.Backward(chain) {
		w.event(s.event)
		w.steps[s] = len(w.stepList)
		w.stepList = append(w.stepList, s)
	}
}

// load reads what save wrote, for an automaton with a number of states and variables.
func load(s string, states, variables int) (*partition, error) {
	p := newPartition()
	r := &reader{s: s}
	p.next = r.varint()
	events := make([]*event, 0, min(r.count(), 1024))
	for range r.n {
		events = append(events, &event{time: r.varint(), number: r.varint(), order: r.text(), row: r.text()})
		if r.err != nil {
			return nil, r.err
		}
	}
	if r.count() > len(events) {
		return nil, row.ErrDamaged
	}
	p.pending = slices.Clone(events[:r.n])
	var steps []*step
	for range r.count() {
		before, variable, at := r.index(len(steps)+1), r.index(variables), r.index(len(events))
		if r.err != nil {
			return nil, r.err
		}
		one := &step{variable: variable, event: events[at]}
		if before > 0 {
			one.before = steps[before-1]
		}
		steps = append(steps, one)
	}
	for _, list := range []*[]attempt{&p.live, &p.done} {
		for range r.count() {
			state, last := r.index(states), r.index(len(steps))
			start := first{r.varint(), r.varint()}
			if r.err != nil {
				return nil, r.err
			}
			*list = append(*list, attempt{state: state, last: steps[last], start: start})
		}
	}
	return p, r.err
}

// reader reads the parts of a saved partition and keeps the first error.
type reader struct {
	s   string
	n   int
	err error
}

func (r *reader) varint() (n int64) {
	if r.err == nil {
		n, r.s, r.err = row.Varint(r.s)
	}
	return n
}

func (r *reader) text() (t string) {
	if r.err == nil {
		t, r.s, r.err = row.Text(r.s)
	}
	return t
}

// count reads how many things follow, of at least a byte each.
func (r *reader) count() int {
	r.n = r.index(len(r.s) + 1)
	return r.n
}

// index reads a number below limit.
func (r *reader) index(limit int) int {
	if r.err != nil {
		return 0
	}
	n, rest, err := row.Uvarint(r.s)
	if err == nil && n >= uint64(max(0, limit)) {
		err = row.ErrDamaged
	}
	r.s, r.err = rest, err
	if err != nil {
		return 0
	}
	return int(n)
}
