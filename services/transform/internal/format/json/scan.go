package json

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
)

// What may be wrong with the text of a record.
var (
	errEnd     = errors.New("unexpected end of the record")
	errControl = errors.New("control character within a string; it must be escaped")
	errEscape  = errors.New("unknown escape within a string")
	errUTF8    = errors.New("invalid UTF-8 within a string")
	errDeep    = errors.New("nested too deeply")
	errNumber  = errors.New("malformed number")
	errMissing = errors.New("some field is missing")
)

const maxDepth = 1000

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// text is what scanning a string found: its content is data[start:end].
type text struct {
	start, end int
	escaped    bool
	foreign    bool // it may hold bytes beyond ASCII
}

// scanString scans a string whose opening quote is at p-1; p is its first byte.
// It returns the place behind the closing quote.
func scanString(data []byte, p int) (text, int, error) {
	t := text{start: p}
	for p <= len(data) {
		for rest := data[p:]; len(rest) >= 8; rest = rest[8:] {
			x := binary.LittleEndian.Uint64(rest)
			if x&highs != 0 {
				t.foreign = true
			}
			if stop := special(x); stop != 0 {
				p += bits.TrailingZeros64(stop) >> 3
				break
			}
			p += 8
		}
		for p < len(data) && data[p] != '"' && data[p] != '\\' && data[p] >= 0x20 {
			t.foreign = t.foreign || data[p] >= 0x80
			p++
		}
		if p >= len(data) {
			return t, p, errEnd
		}
		switch c := data[p]; {
		case c == '"':
			t.end = p
			return t, p + 1, nil
		case c == '\\':
			t.escaped = true
			p += 2
		case c < 0x20:
			return t, p, errControl
		}
	}
	return t, p, errEnd
}

func skipSpace(data []byte, p int) int {
	for p < len(data) && (data[p] == ' ' || data[p] == '\n' || data[p] == '\t' || data[p] == '\r') {
		p++
	}
	return p
}

// scanNumber returns the place behind a number and whether it is an integer.
// Leading zeros are let through, as Flink does.
func scanNumber(data []byte, p int) (end int, integer bool, err error) {
	if p < len(data) && data[p] == '-' {
		p++
	}
	digits := p
	for p < len(data) && data[p]-'0' < 10 {
		p++
	}
	if p == digits {
		return p, false, errNumber
	}
	integer = true
	if p < len(data) && data[p] == '.' {
		integer = false
		p++
		digits = p
		for p < len(data) && data[p]-'0' < 10 {
			p++
		}
		if p == digits {
			return p, false, errNumber
		}
	}
	if p < len(data) && data[p]|0x20 == 'e' {
		integer = false
		p++
		if p < len(data) && (data[p] == '+' || data[p] == '-') {
			p++
		}
		digits = p
		for p < len(data) && data[p]-'0' < 10 {
			p++
		}
		if p == digits {
			return p, false, errNumber
		}
	}
	return p, integer, nil
}

// scanWord returns the place behind true, false or null.
func scanWord(data []byte, p int) (int, error) {
	var word string
	switch data[p] {
	case 't':
		word = "true"
	case 'f':
		word = "false"
	case 'n':
		word = "null"
	default:
		return p, unexpected(data, p, "a value")
	}
	if len(data)-p < len(word) || string(data[p:p+len(word)]) != word {
		return p, unexpected(data, p, "a value")
	}
	return p + len(word), nil
}

// skip returns the place behind the value at p.
func skip(data []byte, p, depth int) (int, error) {
	if p >= len(data) {
		return p, errEnd
	}
	if depth > maxDepth {
		return p, errDeep
	}
	switch c := data[p]; {
	case c == '"':
		_, end, err := scanString(data, p+1)
		return end, err
	case c == '{' || c == '[':
		return skipContainer(data, p, depth)
	case c == '-' || c-'0' < 10:
		end, _, err := scanNumber(data, p)
		return end, err
	default:
		return scanWord(data, p)
	}
}

func skipContainer(data []byte, p, depth int) (int, error) {
	object := data[p] == '{'
	closing := byte(']')
	if object {
		closing = '}'
	}
	p = skipSpace(data, p+1)
	if p < len(data) && data[p] == closing {
		return p + 1, nil
	}
	for {
		var err error
		if object {
			if _, p, err = key(data, p); err != nil {
				return p, err
			}
		}
		if p, err = skip(data, p, depth+1); err != nil {
			return p, err
		}
		more := false
		if p, more, err = next(data, p, closing); err != nil || !more {
			return p, err
		}
	}
}

// key scans the name of a member and its colon; p is where the quote must be.
// It returns the place of the value.
func key(data []byte, p int) (text, int, error) {
	if p >= len(data) {
		return text{}, p, errEnd
	}
	if data[p] != '"' {
		return text{}, p, unexpected(data, p, "a field name in double quotes")
	}
	name, p, err := scanString(data, p+1)
	if err != nil {
		return name, p, err
	}
	if p < len(data) && data[p] == ':' && p+1 < len(data) && data[p+1] > ' ' {
		return name, p + 1, nil
	}
	p = skipSpace(data, p)
	if p >= len(data) {
		return name, p, errEnd
	}
	if data[p] != ':' {
		return name, p, unexpected(data, p, "a colon")
	}
	return name, skipSpace(data, p+1), nil
}

// next goes over the comma or the closing bracket behind a member.
func next(data []byte, p int, closing byte) (int, bool, error) {
	p = skipSpace(data, p)
	if p >= len(data) {
		return p, false, errEnd
	}
	switch data[p] {
	case closing:
		return p + 1, false, nil
	case ',':
		return skipSpace(data, p+1), true, nil
	default:
		return p, false, unexpected(data, p, "a comma or "+string(closing))
	}
}

func unexpected(data []byte, p int, want string) error {
	if p >= len(data) {
		return errEnd
	}
	return fmt.Errorf("unexpected character %q at byte %d: expected %s", rune(data[p]), p+1, want)
}
