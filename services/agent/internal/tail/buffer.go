package tail

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/weirflow/weirflow/services/agent/internal/registry"
)

// chunkSize is how much is read at once.
const chunkSize = 256 << 10

// overlap is how many bytes each read takes up again.
const overlap = registry.MaxTail

// errRewritten says that the file no longer continues what was read of it.
var errRewritten = errors.New("file was cut or written anew")

// chunks lends out read buffers, so that files at rest hold none.
type chunks struct{ pool sync.Pool }

func (c *chunks) get() []byte {
	if b, ok := c.pool.Get().(*[]byte); ok {
		return *b
	}
	return make([]byte, chunkSize)
}

func (c *chunks) put(b []byte) {
	if len(b) == chunkSize {
		c.pool.Put(&b)
	}
}

// window is the part of a file that is in memory: buf[:n] are the bytes of the
// file from base on, buf[start:n] those that are not yet lines.
type window struct {
	file   *os.File
	lender *chunks
	buf    []byte
	base   int64
	n      int
	start  int
	// rest holds what is kept while the buffer is lent back.
	rest []byte
}

// seek places the window, which must have been released, at an offset of the file.
func (w *window) seek(file *os.File, offset int64) error {
	w.file = file
	back := min(offset, overlap)
	w.rest = make([]byte, back)
	w.base, w.start, w.n = offset-back, int(back), int(back)
	return readFull(file, w.rest, w.base)
}

func readFull(file *os.File, b []byte, offset int64) error {
	n, err := file.ReadAt(b, offset)
	if n == len(b) {
		return nil
	}
	if errors.Is(err, io.EOF) {
		return errRewritten
	}
	return fmt.Errorf("read %s: %w", file.Name(), err)
}

// end is the offset up to which has been read.
func (w *window) end() int64 { return w.base + int64(w.n) }

// position is the offset up to which has been made lines.
func (w *window) position() int64 { return w.base + int64(w.start) }

// fill reads more. It returns how many bytes are new; errRewritten if what was
// read before is no longer there.
func (w *window) fill() (int, error) {
	w.acquire()
	w.compact()
	if len(w.buf)-w.n < chunkSize/4 {
		w.grow()
	}
	k := min(w.n, overlap)
	var seen [overlap]byte
	copy(seen[:], w.buf[w.n-k:w.n])
	n, err := w.file.ReadAt(w.buf[w.n-k:], w.base+int64(w.n-k))
	if err != nil && !errors.Is(err, io.EOF) {
		copy(w.buf[w.n-k:], seen[:k])
		return 0, fmt.Errorf("read %s: %w", w.file.Name(), err)
	}
	if n < k || string(w.buf[w.n-k:w.n]) != string(seen[:k]) {
		copy(w.buf[w.n-k:], seen[:k])
		return 0, errRewritten
	}
	w.n += n - k
	return n - k, nil
}

func (w *window) acquire() {
	if w.buf != nil {
		return
	}
	w.buf = w.lender.get()
	for len(w.buf) < w.n {
		w.buf = make([]byte, 2*len(w.buf))
	}
	copy(w.buf, w.rest[:w.n])
}

// compact drops what has been made lines, but for the overlap.
func (w *window) compact() {
	drop := w.start - overlap
	if drop <= 0 || len(w.buf)-w.n >= chunkSize/2 {
		return
	}
	copy(w.buf, w.buf[drop:w.n])
	w.base, w.n, w.start = w.base+int64(drop), w.n-drop, w.start-drop
}

func (w *window) grow() {
	bigger := make([]byte, 2*len(w.buf))
	copy(bigger, w.buf[:w.n])
	w.lender.put(w.buf)
	w.buf = bigger
}

// release lends the buffer back, keeping the unfinished line and the overlap.
func (w *window) release() {
	if w.buf == nil {
		return
	}
	keep := max(0, w.start-overlap)
	w.rest = append([]byte(nil), w.buf[keep:w.n]...)
	w.base, w.start, w.n = w.base+int64(keep), w.start-keep, w.n-keep
	w.lender.put(w.buf)
	w.buf = nil
}

// tail sums the bytes before an offset.
func (w *window) tail(offset int64) (registry.Sum, error) {
	back := min(offset, overlap)
	from, to := offset-back-w.base, offset-w.base
	if w.buf != nil && from >= 0 && to <= int64(w.n) {
		return registry.SumOf(w.buf[from:to]), nil
	}
	return sumAt(w.file, offset-back, int(back))
}

func sumAt(file *os.File, offset int64, length int) (registry.Sum, error) {
	b := make([]byte, length)
	if err := readFull(file, b, offset); err != nil {
		return registry.Sum{}, err
	}
	return registry.SumOf(b), nil
}
