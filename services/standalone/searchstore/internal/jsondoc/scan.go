// Package jsondoc reads and writes JSON without reflection: scanning
// functions over bytes for the indexing path, and an order-keeping Value tree
// for requests and answers.
package jsondoc

import (
	"fmt"
	"unicode/utf16"
	"unicode/utf8"
)

// MaxDepth is the deepest nesting that is read.
const MaxDepth = 200

// SyntaxError says where a text stops being JSON.
type SyntaxError struct {
	Offset int
	Reason string
	EOF    bool
}

// Error makes SyntaxError an error.
func (e *SyntaxError) Error() string {
	return fmt.Sprintf("%s at byte %d", e.Reason, e.Offset)
}

// Fail returns a SyntaxError at an offset, or an end-of-input one behind b.
func Fail(b []byte, i int, reason string) error {
	if i >= len(b) {
		return &SyntaxError{Offset: len(b), Reason: "unexpected end of input", EOF: true}
	}
	return &SyntaxError{Offset: i, Reason: reason}
}

// Space returns the first position at or after i that is no white space.
func Space(b []byte, i int) int {
	for i < len(b) {
		switch b[i] {
		case ' ', '\t', '\n', '\r':
			i++
		default:
			return i
		}
	}
	return i
}

// String scans the string that starts with the quote at i. It returns the
// bytes between the quotes, whether they hold escapes, and the next position.
func String(b []byte, i int) (raw []byte, escaped bool, next int, err error) {
	if i >= len(b) || b[i] != '"' {
		return nil, false, i, Fail(b, i, "expected a string")
	}
	i++
	start := i
	for i < len(b) {
		c := b[i]
		switch {
		case c == '"':
			return b[start:i], escaped, i + 1, nil
		case c == '\\':
			escaped = true
			i++
			if i >= len(b) {
				return nil, false, i, Fail(b, i, "")
			}
			if i, err = escape(b, i); err != nil {
				return nil, false, i, err
			}
		case c < 0x20:
			return nil, false, i, Fail(b, i, fmt.Sprintf("illegal unquoted character (code %d) in a string", c))
		default:
			i++
		}
	}
	return nil, false, i, Fail(b, i, "")
}

func escape(b []byte, i int) (int, error) {
	switch b[i] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return i + 1, nil
	case 'u':
		if i+4 >= len(b) {
			return len(b), Fail(b, len(b), "")
		}
		for j := i + 1; j <= i+4; j++ {
			if hexVal(b[j]) < 0 {
				return j, Fail(b, j, "expected a hex digit")
			}
		}
		return i + 5, nil
	}
	return i, Fail(b, i, "unrecognised escape")
}

func hexVal(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

func hex4(b []byte) rune {
	return rune(hexVal(b[0])<<12 | hexVal(b[1])<<8 | hexVal(b[2])<<4 | hexVal(b[3]))
}

// Unescape appends the meaning of a raw string to dst. raw must have been
// accepted by String.
func Unescape(dst, raw []byte) []byte {
	for i := 0; i < len(raw); i++ {
		c := raw[i]
		if c != '\\' {
			dst = append(dst, c)
			continue
		}
		i++
		switch raw[i] {
		case 'b':
			dst = append(dst, '\b')
		case 'f':
			dst = append(dst, '\f')
		case 'n':
			dst = append(dst, '\n')
		case 'r':
			dst = append(dst, '\r')
		case 't':
			dst = append(dst, '\t')
		case 'u':
			r := hex4(raw[i+1:])
			i += 4
			if utf16.IsSurrogate(r) {
				r2 := rune(-1)
				if i+6 < len(raw)+0 && raw[i+1] == '\\' && raw[i+2] == 'u' {
					r2 = utf16.DecodeRune(r, hex4(raw[i+3:]))
				}
				if r2 > 0 && r2 != utf8.RuneError {
					i += 6
					r = r2
				} else {
					r = utf8.RuneError
				}
			}
			dst = utf8.AppendRune(dst, r)
		default:
			dst = append(dst, raw[i])
		}
	}
	return dst
}

// Number scans a number at i and says whether it is written as an integer.
func Number(b []byte, i int) (next int, integer bool, err error) {
	start := i
	if i < len(b) && b[i] == '-' {
		i++
	}
	digits := i
	for i < len(b) && b[i] >= '0' && b[i] <= '9' {
		i++
	}
	if i == digits {
		return i, false, Fail(b, i, "expected a number")
	}
	if b[digits] == '0' && i > digits+1 {
		return i, false, Fail(b, digits, "invalid numeric value: leading zeroes not allowed")
	}
	integer = true
	if i < len(b) && b[i] == '.' {
		integer = false
		i++
		f := i
		for i < len(b) && b[i] >= '0' && b[i] <= '9' {
			i++
		}
		if i == f {
			return i, false, Fail(b, i, "expected a digit after the decimal point")
		}
	}
	if i < len(b) && (b[i] == 'e' || b[i] == 'E') {
		integer = false
		i++
		if i < len(b) && (b[i] == '+' || b[i] == '-') {
			i++
		}
		f := i
		for i < len(b) && b[i] >= '0' && b[i] <= '9' {
			i++
		}
		if i == f {
			return i, false, Fail(b, i, "expected an exponent")
		}
	}
	if i-start > 1000 {
		return i, false, Fail(b, start, "number too long")
	}
	return i, integer, nil
}

// Literal scans true, false or null at i.
func Literal(b []byte, i int) (next int, err error) {
	for _, w := range [...]string{"true", "false", "null"} {
		if len(b)-i >= len(w) && string(b[i:i+len(w)]) == w {
			return i + len(w), nil
		}
	}
	if rest := string(b[i:]); len(rest) < 5 && (hasPrefix("true", rest) || hasPrefix("false", rest) || hasPrefix("null", rest)) {
		return len(b), Fail(b, len(b), "")
	}
	return i, Fail(b, i, fmt.Sprintf("unexpected character (%q)", b[i]))
}

func hasPrefix(s, p string) bool { return len(s) >= len(p) && s[:len(p)] == p }

// Skip returns the position behind the value that starts at i.
func Skip(b []byte, i, depth int) (next int, err error) {
	i = Space(b, i)
	if i >= len(b) {
		return i, Fail(b, i, "")
	}
	switch c := b[i]; {
	case c == '"':
		_, _, next, err = String(b, i)
		return next, err
	case c == '{' || c == '[':
		return skipContainer(b, i, depth)
	case c == '-' || c >= '0' && c <= '9':
		next, _, err = Number(b, i)
		return next, err
	}
	return Literal(b, i)
}

func skipContainer(b []byte, i, depth int) (int, error) {
	if depth >= MaxDepth {
		return i, Fail(b, i, "nesting is too deep")
	}
	object, end := b[i] == '{', byte(']')
	if object {
		end = '}'
	}
	i = Space(b, i+1)
	if i < len(b) && b[i] == end {
		return i + 1, nil
	}
	var err error
	for {
		if object {
			if _, _, i, err = String(b, Space(b, i)); err != nil {
				return i, err
			}
			if i = Space(b, i); i >= len(b) || b[i] != ':' {
				return i, Fail(b, i, "expected a colon")
			}
			i++
		}
		if i, err = Skip(b, i, depth+1); err != nil {
			return i, err
		}
		i = Space(b, i)
		if i >= len(b) {
			return i, Fail(b, i, "")
		}
		if b[i] == end {
			return i + 1, nil
		}
		if b[i] != ',' {
			return i, Fail(b, i, "expected a comma or the end of the container")
		}
		i++
	}
}
