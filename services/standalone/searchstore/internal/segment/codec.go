package segment

import (
	"encoding/binary"
	"errors"
	"math/bits"
)

// errDamaged says that a stored part does not decode.
var errDamaged = errors.New("stored part is damaged")

// writer builds a section.
type writer struct{ b []byte }

func (w *writer) uvarint(n uint64) { w.b = binary.AppendUvarint(w.b, n) }

// bytes writes a run of bytes, compressed where that helps.
func (w *writer) bytes(p []byte) {
	w.uvarint(uint64(len(p)))
	if len(p) < 64 {
		w.b = append(w.b, p...)
		return
	}
	c := compress(nil, p)
	if len(c) >= len(p)-len(p)/16 {
		w.uvarint(0)
		w.b = append(w.b, p...)
		return
	}
	w.uvarint(uint64(len(c)))
	w.b = append(w.b, c...)
}

// planes writes numbers as the bytes of equal weight together, so that the
// high ones, which change little, compress well.
func (w *writer) planes(n int, at func(i int) uint64) {
	width := 0
	for i := range n {
		width = max(width, (bits.Len64(at(i))+7)/8)
	}
	w.uvarint(uint64(width))
	plane := make([]byte, n)
	for k := range width {
		for i := range n {
			plane[i] = byte(at(i) >> (8 * k))
		}
		w.bytes(plane)
	}
}

func (w *writer) ints(v []int64) {
	lo := int64(0)
	if len(v) > 0 {
		lo = v[0]
		for _, x := range v {
			lo = min(lo, x)
		}
	}
	w.uvarint(uint64(len(v)))
	w.uvarint(uint64(lo))
	w.planes(len(v), func(i int) uint64 { return uint64(v[i] - lo) })
}

func (w *writer) uint32s(v []uint32) {
	w.uvarint(uint64(len(v)))
	w.planes(len(v), func(i int) uint64 { return uint64(v[i]) })
}

// steps writes an ascending list as its differences.
func (w *writer) steps(v []uint32) {
	w.uvarint(uint64(len(v)))
	w.planes(len(v), func(i int) uint64 {
		if i == 0 {
			return uint64(v[0])
		}
		return uint64(v[i] - v[i-1])
	})
}

// maybe writes a list that may be nil.
func (w *writer) maybe(present bool, write func()) {
	if !present {
		w.uvarint(0)
		return
	}
	w.uvarint(1)
	write()
}

func (w *writer) bits(b Bits) {
	w.maybe(b != nil, func() {
		raw := make([]byte, 0, 8*len(b))
		for _, x := range b {
			raw = binary.LittleEndian.AppendUint64(raw, x)
		}
		w.bytes(raw)
	})
}

func (w *writer) dict(d *Dict) {
	w.steps(d.Offs)
	w.bytes(d.Data)
}

// reader reads a section; after an error it yields zero values.
type reader struct {
	b   []byte
	err error
}

func (r *reader) uvarint() uint64 {
	n, k := binary.Uvarint(r.b)
	if k <= 0 {
		r.err = errDamaged
		r.b = nil
		return 0
	}
	r.b = r.b[k:]
	return n
}

// count reads a length and refuses absurd ones.
func (r *reader) count() int {
	n := r.uvarint()
	if n > 1<<31 {
		r.err = errDamaged
		return 0
	}
	return int(n)
}

func (r *reader) take(n int) []byte {
	if n > len(r.b) || r.err != nil {
		r.err = errDamaged
		return nil
	}
	p := r.b[:n:n]
	r.b = r.b[n:]
	return p
}

func (r *reader) bytes() []byte {
	n := r.count()
	if n < 64 {
		return r.take(n)
	}
	c := r.count()
	if c == 0 {
		return r.take(n)
	}
	out, err := decompress(r.take(c))
	if err != nil || len(out) != n || r.err != nil {
		r.err = errDamaged
		return nil
	}
	return out
}

func (r *reader) planes(n int, put func(i int, v uint64)) {
	width := r.count()
	if width > 8 {
		r.err = errDamaged
		return
	}
	for k := range width {
		p := r.bytes()
		if len(p) != n {
			r.err = errDamaged
			return
		}
		for i, c := range p {
			if c != 0 {
				put(i, uint64(c)<<(8*k))
			}
		}
	}
}

func (r *reader) ints() []int64 {
	n := r.count()
	lo := int64(r.uvarint())
	if r.err != nil {
		return nil
	}
	v := make([]int64, n)
	r.planes(n, func(i int, x uint64) { v[i] += int64(x) })
	for i := range v {
		v[i] += lo
	}
	return v
}

func (r *reader) uint32s() []uint32 {
	n := r.count()
	if r.err != nil {
		return nil
	}
	v := make([]uint32, n)
	r.planes(n, func(i int, x uint64) { v[i] += uint32(x) })
	return v
}

func (r *reader) steps() []uint32 {
	v := r.uint32s()
	for i := 1; i < len(v); i++ {
		v[i] += v[i-1]
	}
	return v
}

func (r *reader) present() bool { return r.uvarint() == 1 }

func (r *reader) bits() Bits {
	if !r.present() {
		return nil
	}
	raw := r.bytes()
	b := make(Bits, len(raw)/8)
	for i := range b {
		b[i] = binary.LittleEndian.Uint64(raw[8*i:])
	}
	return b
}

func (r *reader) dict() Dict {
	d := Dict{Offs: r.steps(), Data: r.bytes()}
	if len(d.Offs) == 0 || int(d.Offs[len(d.Offs)-1]) != len(d.Data) {
		if len(d.Offs) != 0 || len(d.Data) != 0 {
			r.err = errDamaged
		}
	}
	return d
}
