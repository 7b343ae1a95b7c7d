package checkpoint

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/s2"
	"github.com/zeebo/xxh3"

	"github.com/weirflow/weirflow/services/transform/internal/operator"
)

// ErrDamaged says that chunks of state are not what was written.
var ErrDamaged = errors.New("damaged state")

// maxSection bounds what a section may claim to hold.
const maxSection = 1 << 31

// packed is a compressed section of a segment.
type packed struct {
	segment   int // later segments have greater numbers
	op, state string
	swept     bool
	data      []byte
}

// Image is the state that a checkpoint names.
type Image struct{ sections []packed }

// swept marks the sections up to a segment, where a sweep came round, as those
// that hold each key once. Those of a later sweep, which has not, are changes.
func (m *Image) swept(last int) {
	for i := range m.sections {
		m.sections[i].swept = m.sections[i].swept && m.sections[i].segment <= last
	}
}

// add takes in the chunks of the next segment.
func (m *Image) add(segment int, chunks [][]byte) error {
	var run []byte
	for i, c := range chunks {
		switch {
		case len(c) == 0 || c[0] > 1 || i == 0 && c[0] == 1:
			return ErrDamaged
		case c[0] == 1:
			run = append(bytes.Clone(run), c[1:]...)
			continue
		}
		if err := m.run(segment, run); err != nil {
			return err
		}
		run = c[1:]
	}
	return m.run(segment, run)
}

// run takes in sections that follow each other.
func (m *Image) run(segment int, b []byte) error {
	for len(b) > 0 {
		var p packed
		var op, state []byte
		var err error
		if op, b, err = text(b); err != nil {
			return err
		}
		if state, b, err = text(b); err != nil {
			return err
		}
		if len(b) == 0 || b[0] > 1 {
			return ErrDamaged
		}
		p.segment, p.op, p.state, p.swept = segment, string(op), string(state), b[0] == 1
		if p.data, b, err = text(b[1:]); err != nil {
			return err
		}
		m.sections = append(m.sections, p)
	}
	return nil
}

// Reader gives the state of an operator.
func (m *Image) Reader(op string) operator.StateReader { return imageReader{m, op} }

// Operators are the ids of the operators with state.
func (m *Image) Operators() map[string]bool {
	ops := make(map[string]bool)
	for _, s := range m.sections {
		ops[s.op] = true
	}
	return ops
}

type imageReader struct {
	m  *Image
	op string
}

// place is where the newest change of a key is.
type place struct {
	section, at int
}

// Each calls f for the newest entry of every key that is not deleted. Swept
// entries, which are most, are passed on as they come; only of changed keys is a
// note kept which of their entries is the newest.
func (r imageReader) Each(state string, f func(key []byte, value io.Reader) error) error {
	changed := make(map[xxh3.Uint128]place)
	var in bytes.Reader
	buf := make([]byte, 0, sectionBytes)
	err := r.sections(state, false, &buf, func(i int, data []byte) error {
		return entries(data, func(at int, key, _ []byte) error {
			changed[xxh3.Hash128(key)] = place{i, at}
			return nil
		})
	})
	if err != nil {
		return err
	}
	err = r.sections(state, true, &buf, func(i int, data []byte) error {
		return entries(data, func(_ int, key, value []byte) error {
			sum := xxh3.Hash128(key)
			if p, ok := changed[sum]; ok {
				if r.m.sections[p.section].segment > r.m.sections[i].segment {
					return nil
				}
				// It is as the sweep found it: older changes count no more.
				delete(changed, sum)
			}
			in.Reset(value)
			return f(key, &in)
		})
	})
	if err != nil || len(changed) == 0 {
		return err
	}
	return r.sections(state, false, &buf, func(i int, data []byte) error {
		return entries(data, func(at int, key, value []byte) error {
			if value == nil || changed[xxh3.Hash128(key)] != (place{i, at}) {
				return nil
			}
			in.Reset(value)
			return f(key, &in)
		})
	})
}

// Replay calls f for all that was written of a state, oldest first: several times for
// a key that changed, and with nil where it was deleted. What a checkpoint wrote of
// changes comes before what a sweep wrote beside it, which is no older.
func (r imageReader) Replay(state string, f func(key, value []byte) error) error {
	buf := make([]byte, 0, sectionBytes)
	for i, s := range r.m.sections {
		if s.op != r.op || s.state != state {
			continue
		}
		err := r.section(i, &buf, func(_ int, data []byte) error {
			return entries(data, func(_ int, key, value []byte) error { return f(key, value) })
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// sections calls f with the entries of each section of a state, oldest first.
func (r imageReader) sections(state string, swept bool, buf *[]byte, f func(i int, data []byte) error) error {
	for i, s := range r.m.sections {
		if s.op != r.op || s.state != state || s.swept != swept {
			continue
		}
		if err := r.section(i, buf, f); err != nil {
			return err
		}
	}
	return nil
}

// section calls f with the entries of one section.
func (r imageReader) section(i int, buf *[]byte, f func(i int, data []byte) error) error {
	s := &r.m.sections[i]
	n, err := s2.DecodedLen(s.data)
	if err != nil || n > maxSection {
		return fmt.Errorf("%w: section %d of %s", ErrDamaged, i, s.state)
	}
	data, err := s2.Decode((*buf)[:cap(*buf)], s.data)
	if err != nil {
		return fmt.Errorf("%w: section %d of %s: %w", ErrDamaged, i, s.state, err)
	}
	*buf = data
	return f(i, data)
}

// entries calls f for each entry with where it begins; a nil value is a deletion.
func entries(b []byte, f func(at int, key, value []byte) error) error {
	whole := len(b)
	for len(b) > 0 {
		at := whole - len(b)
		key, rest, err := text(b)
		if err != nil {
			return err
		}
		n, used := binary.Uvarint(rest)
		if used <= 0 || n > uint64(len(rest)-used)+1 {
			return ErrDamaged
		}
		rest = rest[used:]
		var value []byte
		if n > 0 {
			value, rest = rest[:n-1:n-1], rest[n-1:]
		}
		if err := f(at, key, value); err != nil {
			return err
		}
		b = rest
	}
	return nil
}

func text(b []byte) (s, rest []byte, err error) {
	n, used := binary.Uvarint(b)
	if used <= 0 || n > uint64(len(b)-used) {
		return nil, nil, ErrDamaged
	}
	return b[used : used+int(n) : used+int(n)], b[used+int(n):], nil
}
