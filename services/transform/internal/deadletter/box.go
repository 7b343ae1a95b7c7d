package deadletter

import (
	"cmp"
	"encoding/binary"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/zeebo/xxh3"

	deadletterv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/deadletter/v1"
)

// The states of a letter, in short.
const (
	open      = deadletterv1.DeadLetterState_DEAD_LETTER_STATE_OPEN
	replayed  = deadletterv1.DeadLetterState_DEAD_LETTER_STATE_REPLAYED
	discarded = deadletterv1.DeadLetterState_DEAD_LETTER_STATE_DISCARDED
)

// maxNotes is about how many letters of one job are known; the oldest are left out first.
const maxNotes = 1_000_000

// ref names a letter: its place in the job's topic.
type ref struct {
	partition int32
	offset    int64
}

// String returns the letter's id.
func (r ref) String() string {
	return strconv.Itoa(int(r.partition)) + "-" + strconv.FormatInt(r.offset, 10)
}

func parseRef(id string) (ref, bool) {
	p, o, ok := strings.Cut(id, "-")
	partition, err := strconv.ParseInt(p, 10, 32)
	offset, err2 := strconv.ParseInt(o, 10, 64)
	r := ref{int32(partition), offset}
	return r, ok && err == nil && err2 == nil && partition >= 0 && offset >= 0 && r.String() == id
}

// note is what is held in memory of a letter.
type note struct {
	ref
	at      int64 // when it was set aside, in milliseconds since the epoch
	changed int64 // when its state changed
	kind    int   // among the box's kinds
	state   deadletterv1.DeadLetterState
}

// kind is what letters are counted by.
type kind struct{ errorType, table, stage string }

// box is the letters of one job.
type box struct {
	act sync.Mutex // held while letters are replayed or discarded

	// What follows is guarded by the keeper's mutex.
	parts map[int32]*[]note // by partition, in the order of offsets
	kinds []kind
	known map[kind]int
	// again are letters of which a replay was read before the letter.
	again map[ref]int64
	// same finds an open letter of the same event: one that was set aside twice
	// because a job went on from before it, is one letter.
	same   map[uint64]ref
	seen   map[string]map[int32]int64 // offsets behind what was read, by topic
	counts map[int]*[4]int64          // by kind and state
}

func newBox() *box {
	return &box{parts: make(map[int32]*[]note), known: make(map[kind]int), again: make(map[ref]int64), same: make(map[uint64]ref),
		seen: make(map[string]map[int32]int64), counts: make(map[int]*[4]int64)}
}

// add notes a letter.
func (b *box) add(r ref, l *deadletterv1.DeadLetter, event uint64) {
	if of, ok := b.same[event]; ok && of != r {
		if was := b.find(of); was != nil && was.state == open {
			return
		}
	}
	part := b.parts[r.partition]
	if part == nil {
		part = &[]note{}
		b.parts[r.partition] = part
	}
	if n := len(*part); n > 0 && (*part)[n-1].offset >= r.offset {
		return // it was read before
	}
	k := kind{l.GetErrorType(), l.GetSourceTable(), l.GetStage()}
	number, ok := b.known[k]
	if !ok {
		number = len(b.kinds)
		b.kinds, b.known[k] = append(b.kinds, k), number
		b.counts[number] = &[4]int64{}
	}
	n := note{ref: r, at: l.GetIngestionTs().AsTime().UnixMilli(), kind: number, state: open}
	if at, ok := b.again[r]; ok {
		n.state, n.changed = replayed, at
		delete(b.again, r)
	}
	b.counts[number][n.state]++
	*part = append(*part, n)
	b.same[event] = r
	if len(*part) > maxNotes+maxNotes/8 { // many at once: to forget costs as much as is kept
		b.trim(r.partition, (*part)[len(*part)-maxNotes].offset)
	}
}

// eventOf is equal for letters that are the same event set aside twice.
func eventOf(l *deadletterv1.DeadLetter) uint64 {
	h := xxh3.New()
	text := func(parts ...string) {
		for _, s := range parts {
			_, _ = h.Write(binary.AppendUvarint(nil, uint64(len(s))))
			_, _ = h.WriteString(s)
		}
	}
	text(l.GetStage(), l.GetSourceTable(), l.GetInput(), l.GetErrorType(), l.GetReplayOf(), l.GetEventId())
	if l.GetEventId() == "" {
		_, _ = h.Write(l.GetRawPayload())
	}
	return h.Sum64()
}

func (b *box) find(r ref) *note {
	part := b.parts[r.partition]
	if part == nil {
		return nil
	}
	i, ok := slices.BinarySearchFunc(*part, r.offset, func(n note, offset int64) int { return cmp.Compare(n.offset, offset) })
	if !ok {
		return nil
	}
	return &(*part)[i]
}

func (b *box) set(n *note, state deadletterv1.DeadLetterState, at int64) {
	b.counts[n.kind][n.state]--
	n.state, n.changed = state, at
	b.counts[n.kind][n.state]++
}

// decide applies what became of letters of a partition.
func (b *box) decide(partition int32, f *deadletterv1.Fate) {
	part := b.parts[partition]
	if part == nil || f.GetState() < open || f.GetState() > discarded {
		return
	}
	at := f.GetAt().AsTime().UnixMilli()
	for _, r := range f.GetLetters() {
		i, _ := slices.BinarySearchFunc(*part, r.GetFirst(), func(n note, offset int64) int { return cmp.Compare(n.offset, offset) })
		for ; i < len(*part) && (*part)[i].offset <= r.GetLast(); i++ {
			b.set(&(*part)[i], f.GetState(), at)
		}
	}
}

// replay notes that a letter is in the topic of replays. That is what makes it
// replayed: whoever wrote it may have died before it could say so.
func (b *box) replay(r ref, at time.Time) {
	switch n := b.find(r); {
	case n == nil:
		b.again[r] = at.UnixMilli()
	case n.state == open:
		b.set(n, replayed, at.UnixMilli())
	}
}

// trim forgets the letters of a partition before an offset.
func (b *box) trim(partition int32, first int64) {
	for r := range b.again {
		if r.partition == partition && r.offset < first {
			delete(b.again, r)
		}
	}
	part := b.parts[partition]
	if part == nil || len(*part) == 0 || (*part)[0].offset >= first {
		return
	}
	i, _ := slices.BinarySearchFunc(*part, first, func(n note, offset int64) int { return cmp.Compare(n.offset, offset) })
	for _, n := range (*part)[:i] {
		b.counts[n.kind][n.state]--
	}
	*part = slices.Clone((*part)[i:])
	for event, r := range b.same {
		if r.partition == partition && r.offset < first {
			delete(b.same, event)
		}
	}
}

// forget forgets all letters.
func (b *box) forget() {
	clear(b.parts)
	clear(b.same)
	for _, c := range b.counts {
		*c = [4]int64{}
	}
}

// choice is which letters are asked for.
type choice struct {
	errorType, table, stage string
	from, to                int64 // milliseconds; 0: no bound
	text                    string
	state                   deadletterv1.DeadLetterState // 0: any
}

func (b *box) fits(n *note, c *choice) bool {
	k := &b.kinds[n.kind]
	return (c.state == 0 || c.state == n.state) && (c.errorType == "" || c.errorType == k.errorType) && (c.table == "" || c.table == k.table) &&
		(c.stage == "" || c.stage == k.stage) && (c.from == 0 || n.at >= c.from) && (c.to == 0 || n.at < c.to)
}

// newestFirst orders notes for a list.
func newestFirst(a, b note) int {
	return cmp.Or(cmp.Compare(b.at, a.at), cmp.Compare(b.partition, a.partition), cmp.Compare(b.offset, a.offset))
}

// choose returns the notes that fit, newest first.
func (b *box) choose(c *choice) []note {
	var out []note
	for _, part := range b.parts {
		for i := range *part {
			if n := &(*part)[i]; b.fits(n, c) {
				out = append(out, *n)
			}
		}
	}
	slices.SortFunc(out, newestFirst)
	return out
}
