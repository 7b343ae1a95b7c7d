package csv

import (
	"bytes"
	"fmt"
)

// value reads the value at p and returns its text, and where it ends: before a
// delimiter, before a line end, or at the end of the data. The text is part of the
// data, or of d.buf until the next value is read.
func (d *Decoder) value(data []byte, p int) (text []byte, end int, err error) {
	d.copied = false
	if len(d.quote) > 0 && bytes.HasPrefix(data[p:], d.quote) {
		return d.quoted(data, p+len(d.quote))
	}
	sep, escape := d.sep[0], first(d.escape)
	for i := p; i < len(data); i++ {
		switch c := data[i]; {
		case c == '\n' || c == '\r':
			return data[p:i], i, nil
		case c == sep && (len(d.sep) == 1 || bytes.HasPrefix(data[i:], d.sep)):
			return data[p:i], i, nil
		case int(c) == escape && bytes.HasPrefix(data[i:], d.escape):
			return d.escaped(data, p, i)
		}
	}
	return data[p:], len(data), nil
}

// first returns the first byte of a character, -1 without one.
func first(c []byte) int {
	if len(c) == 0 {
		return -1
	}
	return int(c[0])
}

// escaped reads the rest of a value that holds an escape at i.
func (d *Decoder) escaped(data []byte, p, i int) (text []byte, end int, err error) {
	d.take(data[p:i])
	for i < len(data) {
		switch c := data[i]; {
		case c == '\n' || c == '\r', bytes.HasPrefix(data[i:], d.sep):
			return d.buf, i, nil
		case bytes.HasPrefix(data[i:], d.escape):
			i = d.unescape(data, i+len(d.escape))
		default:
			d.buf = append(d.buf, c)
			i++
		}
	}
	return d.buf, i, nil
}

// unescape appends the character that was escaped and returns where it ends.
func (d *Decoder) unescape(data []byte, i int) int {
	if i >= len(data) {
		return i
	}
	switch data[i] {
	case '0':
		d.buf = append(d.buf, 0)
	case 'n':
		d.buf = append(d.buf, '\n')
	case 'r':
		d.buf = append(d.buf, '\r')
	case 't':
		d.buf = append(d.buf, '\t')
	default:
		d.buf = append(d.buf, data[i])
	}
	return i + 1
}

// quoted reads a value whose opening quote is before p.
func (d *Decoder) quoted(data []byte, p int) (text []byte, end int, err error) {
	from := p // what is not in d.buf yet
	quote, escape := d.quote[0], first(d.escape)
	for i := p; i < len(data); {
		c := data[i]
		switch {
		case c == quote && bytes.HasPrefix(data[i:], d.quote):
			behind := i + len(d.quote)
			if !bytes.HasPrefix(data[behind:], d.quote) {
				text = data[from:i]
				if d.copied {
					d.buf = append(d.buf, text...)
					text = d.buf
				}
				end, err = d.behindQuote(data, behind)
				return text, end, err
			}
			d.take(data[from:behind]) // one of the two
			i = behind + len(d.quote)
			from = i
		case int(c) == escape && bytes.HasPrefix(data[i:], d.escape):
			d.take(data[from:i])
			i = d.unescape(data, i+len(d.escape))
			from = i
		default:
			i++
		}
	}
	return nil, len(data), errQuote
}

// take moves a part of the value to d.buf.
func (d *Decoder) take(b []byte) {
	if !d.copied {
		d.buf = d.buf[:0]
	}
	d.copied = true
	d.buf = append(d.buf, b...)
}

// behindQuote goes over blanks behind a closing quote.
func (d *Decoder) behindQuote(data []byte, i int) (int, error) {
	for i < len(data) {
		switch {
		case bytes.HasPrefix(data[i:], d.sep), data[i] == '\n', data[i] == '\r':
			return i, nil
		case data[i] == ' ' || data[i] == '\t':
			i++
		default:
			return i, fmt.Errorf("a delimiter or the end of the record must follow the closing quote, not %q", data[i])
		}
	}
	return i, nil
}

// RecordEnd returns the place of the line feed that ends the first record of data,
// -1 when it is not there yet. Line ends between quotes belong to their value.
func (d *Decoder) RecordEnd(data []byte) int {
	if len(d.quote) == 0 || d.opt.AllowComments && len(data) > 0 && data[0] == '#' {
		return bytes.IndexByte(data, '\n')
	}
	if end := bytes.IndexByte(data, '\n'); end >= 0 && bytes.IndexByte(data[:end], d.quote[0]) < 0 {
		return end
	}
	start, inside := true, false // of a value; between quotes
	escape := first(d.escape)
	for i := 0; i < len(data); {
		c := data[i]
		switch {
		case int(c) == escape && bytes.HasPrefix(data[i:], d.escape):
			i += len(d.escape) + 1
			start = false
		case c == d.quote[0] && (inside || start) && bytes.HasPrefix(data[i:], d.quote):
			inside, start = !inside, inside // a second quote opens the value again
			i += len(d.quote)
		case inside:
			i++
		case c == '\n':
			return i
		case bytes.HasPrefix(data[i:], d.sep):
			start = true
			i += len(d.sep)
		default:
			start = false
			i++
		}
	}
	return -1
}
