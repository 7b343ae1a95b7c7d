package exec

import (
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/eval"
	"github.com/weirflow/weirflow/services/transform/internal/plan"
)

const (
	// eagerStep is by how much the watermark of a bounded source must grow to be
	// passed on between two rows: Flink's interval of watermarks.
	eagerStep = 200
	// defaultIdle is after what time a silent partition counts no longer.
	defaultIdle = 30 * time.Second
	// emptyIdle is the same for a partition that never had a record.
	emptyIdle = 2 * time.Second
)

var errNoRowtime = errors.New("the time attribute is NULL; filter such rows out, or give the column a default")

// watermark advances event time by what its expression gives. It is kept apart for
// each partition: the slowest counts, unless it is silent. Over a bounded source
// without several partitions it may move after every row, so that the same rows are
// late as in Flink.
type watermark struct {
	remembering
	node    *plan.Watermark
	expr    *eval.Program
	now     func() time.Time
	idle    time.Duration
	bounded bool
	strict  bool // a NULL time is an error
	parts   map[int]*lane
	known   map[string]*lane // restored, and not heard of since
	mu      sync.Mutex       // held while parts change, for who looks at them from elsewhere
	last    int64            // what was passed on
	current int64            // of a bounded source: the highest so far
	emitted int64            // of a bounded source: the one that moved last
	begun   time.Time        // when it was first asked for its timer
	nothing bool             // no partition came to be known for long
	told    bool             // that all partitions are silent was passed on
	floor   []int64
	cuts    []cut
	sel     []int32
	part    column.Batch
}

// Lane is a partition that has its own watermark.
type Lane struct {
	// Partition is its name, as the source gives it.
	Partition string
	Watermark int64
	// Idle says that it has been silent for so long that nobody waits for it.
	Idle bool
	// Holds says that it is the one that holds the watermark back.
	Holds bool
}

// named is an origin that knows the names of its partitions, by their numbers.
type named interface{ PartitionName(n int) string }

// lane is a partition with its own time.
type lane struct {
	name string
	mark int64
	seen time.Time
	idle bool // it was silent for too long
	// empty says that the partition never had a record.
	empty bool
}

// cut is a place in a batch where the watermark moves: after row at.
type cut struct {
	at   int
	mark int64
}

func newWatermark(n *plan.Watermark, env eval.Env) (*watermark, error) {
	env = env.Filled()
	e, err := eval.Compile(n.Expr, env)
	w := &watermark{node: n, expr: e, now: env.Now, idle: env.IdleTimeout, bounded: n.Input.Out().Bounded,
		strict: !pushesWatermarks(n.Input), parts: make(map[int]*lane), known: make(map[string]*lane), last: NoWatermark}
	if w.idle == 0 {
		w.idle = defaultIdle
	}
	w.remember()
	return w, err
}

// pushesWatermarks reports whether the source below makes the watermarks itself,
// as Kafka's does: rows without time go on, and window operators leave them out.
func pushesWatermarks(n plan.Node) bool {
	for {
		if s, ok := n.(*plan.Scan); ok {
			return strings.Contains(s.Table.Options["connector"]+s.Table.Options["connector.type"], "kafka")
		}
		in := n.Inputs()
		if len(in) != 1 {
			return false
		}
		n = in[0]
	}
}

func (w *watermark) Process(_ int, b *column.Batch, out Emitter) error {
	v, err := w.expr.Eval(b)
	if err != nil {
		return located(err, b)
	}
	if w.strict {
		times := b.Cols[w.node.Column]
		for i := range b.Len {
			if times.IsNull(i) {
				return located(&eval.Error{At: w.node.At, Row: i, Err: errNoRowtime}, b)
			}
		}
	}
	if w.bounded && !w.several() {
		return w.eager(b, v, out)
	}
	now := w.now()
	w.follow(b, v, now)
	if err := w.silence(out); err != nil {
		return err
	}
	if err := out.Emit(b); err != nil {
		return err
	}
	return w.pass(w.lowest(), out)
}

// several reports whether a source reads partitions that go on side by side: what
// one of them has reached says nothing about the others, bounded or not.
func (w *watermark) several() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.parts)+len(w.known) > 1
}

// follow moves the partitions' watermarks by the rows of a batch.
func (w *watermark) follow(b *column.Batch, v *column.Vector, now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := range b.Len {
		if v.IsNull(i) {
			continue
		}
		part := 0
		if b.Origin != nil {
			part = b.Origin.Partition(b.Record(i))
		}
		if part == column.NoPartition {
			continue // a row that comes again, out of turn
		}
		l := w.parts[part]
		if l == nil {
			l = w.lane(part, b.Origin)
		}
		l.mark, l.seen, l.idle, l.empty = max(l.mark, v.Ints[i]), now, false, false
	}
}

// lane begins to follow a partition, or goes on where it was. w.mu is held.
func (w *watermark) lane(part int, o column.Origin) *lane {
	name := strconv.Itoa(part)
	if n, ok := o.(named); ok {
		name = n.PartitionName(part)
	}
	l := w.known[name]
	if l == nil {
		l = &lane{name: name, mark: NoWatermark}
	}
	delete(w.known, name)
	w.parts[part] = l
	return l
}

// expect follows a partition of which no row has come yet.
func (w *watermark) expect(name string, empty bool) {
	if w.bounded && empty {
		return // nor will one come
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, l := range w.parts {
		if l.name == name {
			return
		}
	}
	if w.known[name] == nil {
		w.known[name] = &lane{name: name, mark: NoWatermark, seen: w.now(), empty: empty}
	}
}

// lanes calls f for all partitions.
func (w *watermark) lanes(f func(l *lane)) {
	for _, l := range w.parts {
		f(l)
	}
	for _, l := range w.known {
		f(l)
	}
}

// lowest returns the watermark of the slowest partition that is not silent.
func (w *watermark) lowest() int64 {
	low, found := int64(MaxWatermark), false
	w.lanes(func(l *lane) {
		if !l.idle {
			low, found = min(low, l.mark), true
		}
	})
	if !found {
		return NoWatermark
	}
	return low
}

func (w *watermark) pass(mark int64, out Emitter) error {
	if mark <= w.last {
		return nil
	}
	w.last = mark
	return out.Watermark(mark)
}

// eager passes a batch on in pieces, with the watermark between them where a row
// behind it could be late by it.
func (w *watermark) eager(b *column.Batch, v *column.Vector, out Emitter) error {
	times := b.Cols[w.node.Column]
	w.cuts = w.cuts[:0]
	for i := range b.Len {
		if !v.IsNull(i) {
			w.current = max(w.current, v.Ints[i])
		}
		if w.current-w.emitted > eagerStep {
			w.emitted = w.current
			w.cuts = append(w.cuts, cut{i, w.emitted})
		}
	}
	if len(w.cuts) == 0 {
		return out.Emit(b)
	}
	w.floor = append(w.floor[:0], make([]int64, b.Len+1)...)
	w.floor[b.Len] = math.MaxInt64
	for i := b.Len - 1; i >= 0; i-- {
		w.floor[i] = w.floor[i+1]
		if !times.IsNull(i) {
			w.floor[i] = min(w.floor[i], times.Ints[i])
		}
	}
	from := 0
	for k, c := range w.cuts {
		if k < len(w.cuts)-1 && w.floor[c.at+1] > c.mark+1 {
			continue // no row behind it can be late
		}
		if err := w.piece(b, from, c.at+1, out); err != nil {
			return err
		}
		from = c.at + 1
		if err := w.pass(c.mark, out); err != nil {
			return err
		}
	}
	return w.piece(b, from, b.Len, out)
}

// piece passes rows from to before to on.
func (w *watermark) piece(b *column.Batch, from, to int, out Emitter) error {
	switch {
	case from == to:
		return nil
	case from == 0 && to == b.Len:
		return out.Emit(b)
	}
	w.sel = w.sel[:0]
	for i := from; i < to; i++ {
		w.sel = append(w.sel, int32(i))
	}
	b.Select(&w.part, w.sel, nil)
	return out.Emit(&w.part)
}

// Lanes lists the partitions. It may be called from any goroutine.
func (w *watermark) Lanes() []Lane {
	w.mu.Lock()
	defer w.mu.Unlock()
	all := make([]Lane, 0, len(w.parts)+len(w.known))
	holds := -1
	w.lanes(func(l *lane) {
		if !l.idle && (holds < 0 || l.mark < all[holds].Watermark) {
			holds = len(all)
		}
		all = append(all, Lane{Partition: l.name, Watermark: l.mark, Idle: l.idle})
	})
	if holds >= 0 {
		all[holds].Holds = true
	}
	slices.SortFunc(all, func(a, b Lane) int { return strings.Compare(a.Partition, b.Partition) })
	return all
}
