package tail

import (
	"bytes"

	"golang.org/x/text/encoding"
)

var byteOrderMark = []byte("\xef\xbb\xbf") //nolint:gochecknoglobals // constant

// cutter makes lines of a window.
type cutter struct {
	opts       *Options
	terminator []byte // encoded
	decoder    *encoding.Decoder
	decoded    []byte
	limit      int // raw bytes of a line that are kept

	scanned int // bytes of the unfinished line that hold no line end
	// A line beyond the limit: its start and what is kept of it.
	long      []byte
	longStart int64
}

func newCutter(o *Options, first []byte) (*cutter, error) {
	cs := o.Charset.WithMark(first)
	t, err := cs.Encode(o.Terminator)
	if err != nil {
		return nil, err
	}
	c := &cutter{opts: o, terminator: t, decoder: cs.Decoder(), limit: o.MaxBytes}
	if c.decoder != nil {
		c.limit = 4 * o.MaxBytes // a character may be longer in the file than in UTF-8
	}
	c.limit += 64 // the line's end and a byte order mark
	return c, nil
}

// reset forgets an unfinished line.
func (c *cutter) reset() { c.scanned, c.long = 0, nil }

// cut hands over the complete lines of a window.
func (c *cutter) cut(w *window, consumer Consumer) {
	for {
		rest := w.buf[w.start:w.n]
		i := c.find(rest)
		if i < 0 {
			break
		}
		end := i + len(c.terminator)
		offset := w.position()
		w.start += end
		c.scanned = 0
		if c.long != nil {
			room := max(0, c.limit-len(c.long))
			c.line(consumer, c.longStart, offset+int64(end), append(c.long, rest[:min(room, i)]...), true)
			c.long = nil
			continue
		}
		c.line(consumer, offset, offset+int64(end), rest[:i], false)
	}
	c.bound(w)
}

// bound keeps an endless line from filling the memory.
func (c *cutter) bound(w *window) {
	rest := w.buf[w.start:w.n]
	// The last bytes may be the first of a line end.
	c.scanned = max(0, len(rest)-len(c.terminator)+1)
	c.scanned -= c.scanned % c.opts.Charset.Unit
	if c.long == nil && len(rest) <= c.limit+chunkSize/4 {
		return
	}
	if c.long == nil {
		c.longStart = w.position()
		c.long = append(make([]byte, 0, c.limit), rest[:min(c.limit, len(rest))]...)
	} else if room := c.limit - len(c.long); room > 0 {
		c.long = append(c.long, rest[:min(room, c.scanned)]...)
	}
	w.start += c.scanned
	c.scanned = 0
}

// find looks for a line end, on the encoding's boundaries.
func (c *cutter) find(b []byte) int {
	if len(c.terminator) == 1 {
		if i := bytes.IndexByte(b[c.scanned:], c.terminator[0]); i >= 0 {
			return c.scanned + i
		}
		return -1
	}
	for from := c.scanned; ; {
		i := bytes.Index(b[from:], c.terminator)
		if i < 0 {
			return -1
		}
		if i += from; i%c.opts.Charset.Unit == 0 {
			return i
		}
		from = i + 1
	}
}

func (c *cutter) line(consumer Consumer, offset, end int64, text []byte, cut bool) {
	if c.decoder != nil {
		text = c.decode(text)
	}
	if c.opts.AutoTerminator && !cut && len(text) > 0 && text[len(text)-1] == '\r' {
		text = text[:len(text)-1]
	}
	for len(text) > 2 && text[0] == byteOrderMark[0] && bytes.HasPrefix(text, byteOrderMark) {
		text = text[len(byteOrderMark):]
	}
	consumer.Line(Line{Offset: offset, End: end, Text: text, Cut: cut})
}

func (c *cutter) decode(raw []byte) []byte {
	c.decoder.Reset()
	if need := 3*len(raw) + 64; cap(c.decoded) < need {
		c.decoded = make([]byte, need)
	}
	n, _, err := c.decoder.Transform(c.decoded[:cap(c.decoded)], raw, true)
	if err != nil {
		out, err := c.decoder.Bytes(raw)
		if err != nil {
			return raw // as it is, rather than not at all
		}
		return out
	}
	return c.decoded[:n]
}
