package match

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/eval"
	"github.com/weirflow/weirflow/services/transform/internal/operator"
	"github.com/weirflow/weirflow/services/transform/internal/operator/row"
	"github.com/weirflow/weirflow/services/transform/internal/operator/state"
	"github.com/weirflow/weirflow/services/transform/internal/plan"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

const (
	// maxVariables is how many variables a pattern may have: an event has a bit for each.
	maxVariables = 64
	// maxAttempts is how many matches of a partition may be under way.
	maxAttempts = 100_000
)

// Match finds the pattern in the rows of each partition, and puts out a row for
// each match. By event time rows wait for the watermark.
type Match struct {
	state.Tables
	operator.Drops
	plan     *plan.Match
	time     int
	proctime bool
	now      func() time.Time
	auto     *automaton
	alone    []*eval.Program // by variable; nil if the condition looks at other rows or there is none
	conds    []*expression   // by variable; nil for none
	measures []*expression
	skipTo   []bool
	rows     *rows
	parts    *state.Table[*partition]
	alarms   operator.Alarms
	mark     int64
	out      *operator.Rows
	key      []byte
	truths   []*column.Vector
	failed   []bool
	holds    [maxVariables]int8 // of the step under way: 0 unknown, 1 true, -1 false
	stack    []int
}

// New makes the operator of a node.
func New(n *plan.Match, env eval.Env) (*Match, error) {
	env = env.Filled()
	in := n.Input.Out()
	m := &Match{Tables: state.NewTables(shape(n)), plan: n, time: n.OrderBy[0].Column, now: env.Now, auto: newAutomaton(n.Pattern),
		rows: newRows(in.Fields), out: operator.NewRows(n.Fields), mark: operator.NoWatermark}
	if len(m.auto.names) > maxVariables {
		return nil, &eval.Unsupported{At: n.At, What: fmt.Sprintf("a pattern of more than %d variables", maxVariables)}
	}
	m.proctime = in.Fields[m.time].Type.Attribute == types.Proctime
	c := &compiler{fields: in.Fields, variables: m.auto.names, time: m.time, env: env}
	for _, p := range n.Pattern {
		if err := m.define(c, p); err != nil {
			return nil, err
		}
	}
	for _, e := range n.Measures {
		x, err := c.expression(e)
		if err != nil {
			return nil, err
		}
		m.measures = append(m.measures, x)
	}
	if n.SkipTo != "" {
		m.skipTo = c.members(n.SkipTo)
	}
	m.truths, m.failed = make([]*column.Vector, len(m.alone)), make([]bool, len(m.alone))
	state.AddCell(&m.Tables, "watermark",
		func(dst []byte) []byte { return binary.AppendVarint(dst, m.mark) },
		func(s string) (err error) { m.mark, _, err = row.Varint(s); return err })
	m.parts = state.AddTable(&m.Tables, "partitions", state.Codec[*partition]{Append: save, Decode: m.load})
	return m, nil
}

func (m *Match) define(c *compiler, p plan.PatternElement) error {
	if p.Cond == nil {
		m.alone, m.conds = append(m.alone, nil), append(m.conds, nil)
		return nil
	}
	alone, err := c.alone(p.Variable, p.Cond)
	if err != nil {
		return err
	}
	x, err := c.expression(p.Cond)
	if err != nil {
		return err
	}
	m.alone, m.conds = append(m.alone, alone), append(m.conds, x)
	return nil
}

// shape covers the input and the pattern: measures and conditions may change
// without losing the state.
func shape(n *plan.Match) string {
	var head strings.Builder
	fmt.Fprintf(&head, "match %v %v", n.Partition, n.OrderBy)
	for _, p := range n.Pattern {
		fmt.Fprintf(&head, " %s{%d,%d,%t}", p.Variable, p.Min, p.Max, p.Reluctant)
	}
	return state.Shape(head.String()+" of", n.Input.Out().Fields, nil)
}

func (m *Match) load(key, s string) (*partition, error) {
	p, err := load(s, len(m.auto.nodes), len(m.auto.names))
	if err != nil {
		return nil, err
	}
	m.schedule(p, key)
	return p, nil
}

// Process keeps the rows until their time; by processing time that is now.
func (m *Match) Process(_ int, b *column.Batch, out operator.Emitter) error {
	m.judge(b)
	now := m.now().UnixMilli()
	for i := range b.Len {
		at := now
		if !m.proctime {
			if b.Cols[m.time].IsNull(i) || b.Cols[m.time].Ints[i] <= m.mark {
				m.Leave(b.Record(i))
				continue
			}
			at = b.Cols[m.time].Ints[i]
		}
		m.key = row.Append(m.key[:0], b, m.plan.Partition, i)
		p, known := m.parts.Get(m.key)
		key := string(m.key)
		if !known {
			p = newPartition()
		}
		e := &event{time: at, row: string(row.AppendAll(nil, b, i))}
		if len(m.plan.OrderBy) > 1 {
			e.order = string(row.AppendSortKey(nil, b, m.plan.OrderBy[1:], i))
		}
		m.mind(e, i)
		p.insert(e)
		m.parts.Put(key, p)
		m.schedule(p, key)
	}
	if m.proctime {
		return m.fire(now, out)
	}
	return nil
}

// judge evaluates, for all rows at once, the conditions that look at one row. A
// condition that some row makes fail is left until a match asks for it.
func (m *Match) judge(b *column.Batch) {
	for v, p := range m.alone {
		if p == nil {
			continue
		}
		truth, err := p.Eval(b)
		m.truths[v], m.failed[v] = truth, err != nil
	}
}

func (m *Match) mind(e *event, i int) {
	for v, p := range m.alone {
		if p == nil || m.failed[v] {
			continue
		}
		e.known |= 1 << v
		if t := m.truths[v]; !t.IsNull(i) && t.Bools[i] {
			e.truth |= 1 << v
		}
	}
}

// schedule sets an alarm for the first row to come, and for the time when an
// attempt is over.
func (m *Match) schedule(p *partition, key string) {
	due := int64(operator.MaxWatermark)
	if len(p.pending) > 0 {
		due = p.pending[0].time
	}
	if m.plan.Within > 0 && len(p.live) > 0 {
		due = min(due, p.live[0].start.time+m.plan.Within)
	}
	if due < p.due {
		p.due = due
		m.alarms.Set(due, key)
	}
}

// Watermark looks at the rows whose time has come.
func (m *Match) Watermark(_ int, ts int64, out operator.Emitter) error {
	m.mark = max(m.mark, ts)
	if !m.proctime {
		if err := m.fire(ts, out); err != nil {
			return err
		}
	}
	return out.Watermark(ts)
}

func (m *Match) fire(mark int64, out operator.Emitter) error {
	for at, key, ok := m.alarms.Next(mark); ok; at, key, ok = m.alarms.Next(mark) {
		p, known := m.parts.Get([]byte(key))
		if !known || p.due != at {
			continue
		}
		p.due = operator.MaxWatermark
		if err := m.advance(p, key, mark); err != nil {
			return err
		}
		if p.empty() {
			m.parts.Delete(key)
			continue
		}
		m.parts.Touch(key)
		m.schedule(p, key)
		if err := m.out.Spill(out); err != nil {
			return err
		}
	}
	return m.out.Flush(out)
}

// advance lets a partition take the rows up to a time.
func (m *Match) advance(p *partition, key string, mark int64) error {
	n := 0
	for n < len(p.pending) && p.pending[n].time <= mark {
		e := p.pending[n]
		if n == 0 || e.time != p.pending[n-1].time {
			if err := m.expire(p, key, e.time); err != nil {
				return err
			}
		}
		e.number = p.next
		p.next++
		if err := m.take(p, key, e); err != nil {
			return err
		}
		n++
	}
	p.pending = slices.Delete(p.pending, 0, n)
	return m.expire(p, key, mark)
}

// expire ends the attempts that have lasted as long as WITHIN allows. That may
// set matches free that waited for them.
func (m *Match) expire(p *partition, key string, now int64) error {
	if m.plan.Within == 0 || len(p.live) == 0 {
		return nil
	}
	p.live = slices.DeleteFunc(p.live, func(a attempt) bool {
		return now == math.MaxInt64 || now-a.start.time >= m.plan.Within
	})
	return m.settle(p, key)
}

// take shows a row to all attempts, and to a new one.
func (m *Match) take(p *partition, key string, e *event) error {
	var live, complete []attempt
	for i := 0; i <= len(p.live); i++ {
		a := attempt{state: m.auto.start, start: e.at()}
		if i < len(p.live) {
			a = p.live[i]
		}
		var err error
		if live, complete, err = m.step(a, e, live, complete); err != nil {
			return err
		}
	}
	if len(live) > maxAttempts {
		return &eval.Error{At: m.plan.At, Err: fmt.Errorf("more than %d matches of one partition are under way: "+
			"bound the pattern with WITHIN, or give its variables conditions that exclude each other", maxAttempts)}
	}
	p.live = live
	for _, a := range complete {
		at, _ := slices.BinarySearchFunc(p.done, a, func(x, y attempt) int {
			if c := x.start.compare(y.start); c != 0 {
				return c
			}
			return -1
		})
		p.done = slices.Insert(p.done, at, a)
	}
	return m.settle(p, key)
}

// step follows all edges that a row opens to an attempt.
func (m *Match) step(a attempt, e *event, live, complete []attempt) ([]attempt, []attempt, error) {
	m.holds = [maxVariables]int8{}
	m.stack = append(m.stack[:0], a.state)
	for len(m.stack) > 0 {
		at := m.stack[len(m.stack)-1]
		m.stack = m.stack[:len(m.stack)-1]
		for _, g := range m.auto.nodes[at].edges {
			open, err := m.open(a, e, g.terms)
			switch {
			case err != nil:
				return nil, nil, err
			case !open:
				continue
			case !g.takes:
				m.stack = append(m.stack, g.to)
				continue
			}
			next := attempt{state: g.to, last: &step{before: a.last, variable: m.auto.nodes[at].variable, event: e}, start: a.start}
			if g.to == final {
				complete = append(complete, next)
				continue
			}
			live = append(live, next)
			ends, err := m.ends(a, e, g.to)
			if err != nil {
				return nil, nil, err
			}
			if ends {
				next.state = final
				complete = append(complete, next)
			}
		}
	}
	return live, complete, nil
}

// ends reports whether what is left of the pattern may be passed by.
func (m *Match) ends(a attempt, e *event, at int) (bool, error) {
	for _, g := range m.auto.nodes[at].edges {
		if g.takes {
			continue
		}
		open, err := m.open(a, e, g.terms)
		if err != nil {
			return false, err
		}
		if !open {
			continue
		}
		if g.to == final {
			return true, nil
		}
		if ends, err := m.ends(a, e, g.to); ends || err != nil {
			return ends, err
		}
	}
	return false, nil
}

// open reports whether the conditions of an edge hold for a row.
func (m *Match) open(a attempt, e *event, terms []term) (bool, error) {
	for _, t := range terms {
		ok, err := m.satisfies(a, e, t.variable)
		if err != nil || ok == t.not {
			return false, err
		}
	}
	return true, nil
}

func (m *Match) satisfies(a attempt, e *event, v int) (bool, error) {
	switch {
	case m.conds[v] == nil:
		return true, nil
	case e.known>>v&1 == 1:
		return e.truth>>v&1 == 1, nil
	case m.holds[v] != 0:
		return m.holds[v] > 0, nil
	}
	m.rows.open(a.last, e, v)
	x, err := m.rows.eval(m.conds[v])
	if err != nil {
		return false, err
	}
	m.holds[v] = -1
	if !x.IsNull(0) && x.Bools[0] {
		m.holds[v] = 1
	}
	return m.holds[v] > 0, nil
}

// settle puts out the matches before which no other can begin any more, and
// drops what AFTER MATCH SKIP leaves out because of them.
func (m *Match) settle(p *partition, key string) error {
	for len(p.done) > 0 {
		a := p.done[0]
		if len(p.live) > 0 && p.live[0].start.compare(a.start) < 0 {
			return nil
		}
		p.done = p.done[1:]
		m.rows.open(a.last, nil, 0)
		skips, err := m.skips(a)
		if err != nil {
			return err
		}
		p.live = slices.DeleteFunc(p.live, func(o attempt) bool { return skips(o.start) })
		p.done = slices.DeleteFunc(p.done, func(o attempt) bool { return skips(o.start) })
		if err := m.emit(key); err != nil {
			return err
		}
		m.out.NameCopy(a.start.number, key, strconv.FormatInt(a.start.time, 10))
	}
	p.done = nil
	return nil
}

// Named sets what the rows' names are made with.
func (m *Match) Named(id string) { m.out.Salt(id) }

// skips returns which starts AFTER MATCH SKIP leaves out after the match opened.
func (m *Match) skips(a attempt) (func(first) bool, error) {
	switch m.plan.Skip {
	case plan.SkipToNextRow:
		return func(s first) bool { return s.compare(a.start) <= 0 }, nil
	case plan.SkipPastLastRow:
		end := a.last.event.at()
		return func(s first) bool { return s.compare(end) <= 0 }, nil
	}
	list := m.rows.pick(m.skipTo)
	if len(list) == 0 {
		return nil, m.fail("AFTER MATCH cannot skip to %s: the match has no row of it", m.plan.SkipTo)
	}
	to := list[0].at()
	if m.plan.Skip == plan.SkipToLast {
		to = list[len(list)-1].at()
	}
	if to == a.start {
		return nil, m.fail("AFTER MATCH cannot skip to %s: it is the first row of the match, which would be found again and again", m.plan.SkipTo)
	}
	return func(s first) bool { return s.compare(to) < 0 }, nil
}

func (m *Match) fail(format string, args ...any) error {
	return &eval.Error{At: m.plan.At, Err: fmt.Errorf(format, args...)}
}

// emit adds the row of the match opened: the partition's columns, then the measures.
func (m *Match) emit(key string) error {
	m.out.Add(column.Insert, 0)
	n := len(m.plan.Partition)
	if _, err := row.Decode(key, m.out.Batch.Cols[:n]); err != nil {
		return err
	}
	for i, x := range m.measures {
		v, err := m.rows.eval(x)
		if err != nil {
			return err
		}
		// The vector is written anew for the next match, so its text is copied.
		m.key = row.AppendValue(m.key[:0], v, 0)
		if _, err := row.DecodeValue(string(m.key), m.out.Batch.Cols[n+i]); err != nil {
			return err
		}
	}
	return nil
}

// End does nothing: the last watermark looked at all rows.
func (m *Match) End(int, operator.Emitter) error { return nil }

// Close does nothing.
func (m *Match) Close() error { return nil }
