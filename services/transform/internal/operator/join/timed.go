package join

import (
	"container/heap"
	"encoding/binary"
	"math"

	"github.com/weirflow/weirflow/services/transform/internal/operator/row"
	"github.com/weirflow/weirflow/services/transform/internal/operator/state"
)

// timed is a row with its time, and whether something matched it.
type timed struct {
	time    int64
	row     string
	matched bool
	kind    uint8
}

// series is the timed rows of a key, in the order of their times; rows of one time
// in the order they came.
type series struct {
	rows []timed
	due  int64 // when it is looked at next
}

func (s *series) insert(t timed) {
	at := len(s.rows)
	for at > 0 && s.rows[at-1].time > t.time {
		at--
	}
	s.rows = append(s.rows, timed{})
	copy(s.rows[at+1:], s.rows[at:])
	s.rows[at] = t
}

func saveSeries(dst []byte, s *series) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(s.rows)))
	for _, t := range s.rows {
		flags := t.kind << 1
		if t.matched {
			flags |= 1
		}
		dst = append(row.AppendText(binary.AppendVarint(dst, t.time), t.row), flags)
	}
	return dst
}

func loadSeries(s string) (*series, error) {
	n, s, err := row.Uvarint(s)
	if err != nil {
		return nil, err
	}
	out := &series{due: never}
	for range n {
		var t timed
		if t.time, s, err = row.Varint(s); err != nil {
			return nil, err
		}
		if t.row, s, err = row.Text(s); err != nil {
			return nil, err
		}
		if s == "" {
			return nil, row.ErrDamaged
		}
		t.matched, t.kind = s[0]&1 == 1, s[0]>>1
		s = s[1:]
		out.rows = append(out.rows, t)
	}
	return out, nil
}

// never is a time that does not come.
const never int64 = math.MaxInt64

// alarm is when a key is looked at.
type alarm struct {
	at  int64
	key string
}

// alarms are ordered by time, then by key.
type alarms []alarm

func (a alarms) Len() int { return len(a) }
func (a alarms) Less(i, j int) bool {
	return a[i].at < a[j].at || a[i].at == a[j].at && a[i].key < a[j].key
}
func (a alarms) Swap(i, j int) { a[i], a[j] = a[j], a[i] }

// Push is for the heap.
func (a *alarms) Push(x any) { *a = append(*a, x.(alarm)) }

// Pop is for the heap.
func (a *alarms) Pop() any {
	last := (*a)[len(*a)-1]
	(*a)[len(*a)-1] = alarm{}
	*a = (*a)[:len(*a)-1]
	return last
}

// timeline is the series of all keys of a side, with when to look at them.
type timeline struct {
	table  *state.Table[*series]
	alarms alarms
}

// newTimeline adds a timeline to an operator's state; after is how long after a
// row's time its key is looked at.
func newTimeline(t *state.Tables, name string, after int64) *timeline {
	l := &timeline{}
	l.table = state.AddTable(t, name, state.Codec[*series]{Append: saveSeries, Decode: func(key, s string) (*series, error) {
		x, err := loadSeries(s)
		if err == nil && len(x.rows) > 0 {
			l.schedule(x, x.rows[0].time+after, key)
		}
		return x, err
	}})
	return l
}

// add puts a row into the series of a key, which is looked at at a time.
func (l *timeline) add(key []byte, t timed, at int64) {
	s, ok := l.table.Get(key)
	k := string(key)
	if !ok {
		s = &series{due: never}
	}
	s.insert(t)
	l.table.Put(k, s)
	l.schedule(s, at, k)
}

// same is how many rows like one there are in the series of a key.
func (l *timeline) same(key []byte, text string, time int64) int64 {
	s, ok := l.table.Get(key)
	if !ok {
		return 0
	}
	n := int64(0)
	for i := len(s.rows) - 1; i >= 0 && s.rows[i].time >= time; i-- {
		if s.rows[i].row == text {
			n++
		}
	}
	return n
}

// before is how many rows like row at come before it.
func before(rows []timed, at int) int64 {
	n := int64(0)
	for i := at - 1; i >= 0 && rows[i].time == rows[at].time; i-- {
		if rows[i].row == rows[at].row {
			n++
		}
	}
	return n
}

func (l *timeline) schedule(s *series, at int64, key string) {
	if at < s.due {
		s.due = at
		heap.Push(&l.alarms, alarm{at, key})
	}
}

// next returns a key whose time has come, nil when there is none.
func (l *timeline) next(mark int64) (string, *series) {
	for len(l.alarms) > 0 && l.alarms[0].at <= mark {
		a, _ := heap.Pop(&l.alarms).(alarm)
		s, ok := l.table.Get([]byte(a.key))
		if !ok || s.due != a.at {
			continue
		}
		s.due = never
		return a.key, s
	}
	return "", nil
}

// settle keeps a series after its rows changed, or forgets it when none are left.
func (l *timeline) settle(key string, s *series, after int64) {
	if len(s.rows) == 0 {
		l.table.Delete(key)
		return
	}
	l.table.Touch(key)
	l.schedule(s, s.rows[0].time+after, key)
}
