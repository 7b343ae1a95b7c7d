package checkpoint

import (
	"encoding/binary"

	"github.com/klauspost/compress/s2"

	"github.com/weirflow/weirflow/services/transform/internal/operator"
	"github.com/weirflow/weirflow/services/transform/internal/operator/row"
)

const (
	// sectionBytes is about how many bytes of entries are compressed together.
	sectionBytes = 256 << 10
	// firstBytes is what a section has room for at first.
	firstBytes = 4 << 10
	// chunkBytes is how long a record may be: well below the megabyte that
	// brokers allow.
	chunkBytes = 768 << 10
)

// Entries are written as length of key, key, length of value plus one, value; a
// 0 in place of the last length deletes the key.

// section is entries of one state of one operator.
type section struct {
	op, state string
	// swept says that the entries are from a sweep: each key is in it once, and
	// none is deleted.
	swept bool
	data  []byte
}

// Delta is what a checkpoint writes of the state. Its memory is used again after Reset.
type Delta struct {
	sections []section
	free     [][]byte
	// Bytes is how much was written, Swept how much of it by the sweep.
	Bytes, Swept int64
	// Done says that the sweep came round with this checkpoint.
	Done  bool
	sizes map[string]*size
}

// size is what the entries of an operator have taken so far.
type size struct{ bytes, entries int64 }

// NewDelta returns an empty delta.
func NewDelta() *Delta { return &Delta{sizes: make(map[string]*size)} }

// Reset empties the delta and keeps its memory.
func (d *Delta) Reset() {
	for _, s := range d.sections {
		if cap(s.data) <= 2*sectionBytes {
			d.free = append(d.free, s.data[:0])
		}
	}
	clear(d.sections)
	d.sections, d.Bytes, d.Swept, d.Done = d.sections[:0], 0, 0, false
}

func (d *Delta) sizeOf(op string) *size {
	sz := d.sizes[op]
	if sz == nil {
		sz = &size{}
		d.sizes[op] = sz
	}
	return sz
}

// Writer takes what changed of an operator's state.
func (d *Delta) Writer(op string) operator.StateWriter { return &deltaWriter{d: d, op: op} }

// Sweeper takes entries of an operator that may not have changed.
func (d *Delta) Sweeper(op string) operator.StateWriter {
	return &deltaWriter{d: d, op: op, swept: true}
}

type deltaWriter struct {
	d     *Delta
	op    string
	swept bool
	size  *size
}

// section returns the one that an entry goes to.
func (w *deltaWriter) section(state string) *section {
	d := w.d
	if last := len(d.sections) - 1; last >= 0 {
		s := &d.sections[last]
		if len(s.data) < sectionBytes && s.state == state && s.op == w.op && s.swept == w.swept {
			return s
		}
	}
	s := section{op: w.op, state: state, swept: w.swept}
	if n := len(d.free) - 1; n >= 0 {
		s.data, d.free = d.free[n], d.free[:n]
	} else {
		s.data = make([]byte, 0, firstBytes)
	}
	d.sections = append(d.sections, s)
	return &d.sections[len(d.sections)-1]
}

// Put adds an entry.
func (w *deltaWriter) Put(state string, key, value []byte) error {
	d := w.d
	s := w.section(state)
	before := len(s.data)
	s.data = append(binary.AppendUvarint(s.data, uint64(len(key))), key...)
	if value == nil {
		s.data = append(s.data, 0)
	} else {
		s.data = append(binary.AppendUvarint(s.data, uint64(len(value))+1), value...)
	}
	n := int64(len(s.data) - before)
	d.Bytes += n
	if w.swept {
		d.Swept += n
	}
	if value != nil {
		if w.size == nil {
			w.size = d.sizeOf(w.op)
		}
		w.size.bytes, w.size.entries = w.size.bytes+n, w.size.entries+1
	}
	return nil
}

// average is about how many bytes an entry of an operator takes.
func (d *Delta) average(op string) int64 {
	if s := d.sizes[op]; s != nil && s.entries > 0 {
		return s.bytes / s.entries
	}
	return 0
}

// chunks packs the sections into records: each begins with 1 if it goes on the
// one before it, else with 0.
func (d *Delta) chunks() [][]byte {
	var out [][]byte
	var open []byte
	var packed []byte
	for i := range d.sections {
		s := &d.sections[i]
		packed = s2.Encode(packed[:cap(packed)], s.data)
		head := len(s.op) + len(s.state) + 2*binary.MaxVarintLen64
		if len(open) > 1 && len(open)+head+len(packed) > chunkBytes {
			out, open = cut(out, open), nil
		}
		if open == nil {
			open = append(make([]byte, 0, min(chunkBytes, head+len(packed)+64)), 0)
		}
		open = row.AppendText(row.AppendText(open, s.op), s.state)
		open = append(open, flag(s.swept))
		open = append(binary.AppendUvarint(open, uint64(len(packed))), packed...)
	}
	if open != nil {
		out = cut(out, open)
	}
	return out
}

// cut adds a run of sections to the chunks, in pieces if it is too long for one.
func cut(out [][]byte, run []byte) [][]byte {
	for len(run) > chunkBytes {
		out = append(out, run[:chunkBytes:chunkBytes])
		run = append([]byte{1}, run[chunkBytes:]...)
	}
	return append(out, run)
}

func flag(b bool) byte {
	if b {
		return 1
	}
	return 0
}
