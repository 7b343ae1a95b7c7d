package json

import (
	"unicode/utf16"
	"unicode/utf8"
)

// Unescape appends the content of a string with its escapes resolved.
func Unescape(dst, raw []byte) ([]byte, error) {
	for i := 0; i < len(raw); i++ {
		c := raw[i]
		if c != '\\' {
			dst = append(dst, c)
			continue
		}
		i++
		if i >= len(raw) {
			return dst, errEscape
		}
		switch raw[i] {
		case '"', '\\', '/':
			dst = append(dst, raw[i])
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
			r, ok := hex4(raw, i+1)
			if !ok {
				return dst, errEscape
			}
			i += 4
			if utf16.IsSurrogate(r) {
				low, ok := hex4(raw, i+3)
				if ok && raw[i+1] == '\\' && raw[i+2] == 'u' && utf16.DecodeRune(r, low) != utf8.RuneError {
					r = utf16.DecodeRune(r, low)
					i += 6
				} else {
					r = utf8.RuneError
				}
			}
			dst = utf8.AppendRune(dst, r)
		default:
			return dst, errEscape
		}
	}
	return dst, nil
}

func hex4(raw []byte, at int) (rune, bool) {
	if at+4 > len(raw) {
		return 0, false
	}
	var r rune
	for _, c := range raw[at : at+4] {
		r <<= 4
		switch {
		case c-'0' < 10:
			r |= rune(c - '0')
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			r |= rune(c|0x20-'a') + 10
		default:
			return 0, false
		}
	}
	return r, true
}

const hexDigits = "0123456789ABCDEF"

// AppendQuoted appends s as a JSON string. Only what must be escaped is.
func AppendQuoted(dst []byte, s string) []byte {
	dst = append(dst, '"')
	from := 0
	for i := 0; i < len(s); {
		i = plainRun(s, i)
		if i >= len(s) {
			break
		}
		c := s[i]
		dst = append(dst, s[from:i]...)
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		case '\b':
			dst = append(dst, '\\', 'b')
		case '\f':
			dst = append(dst, '\\', 'f')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
		i++
		from = i
	}
	return append(append(dst, s[from:]...), '"')
}

// compact appends a value without the space between its tokens, its strings
// escaped in the shortest way.
func compact(dst, raw []byte) []byte {
	for p := 0; p < len(raw); {
		switch c := raw[p]; c {
		case ' ', '\n', '\r', '\t':
			p++
		case '"':
			t, end, err := scanString(raw, p+1)
			if err != nil {
				return append(dst, raw[p:]...)
			}
			if t.escaped {
				if content, err := Unescape(nil, raw[t.start:t.end]); err == nil {
					dst = AppendQuoted(dst, string(content))
					p = end
					continue
				}
			}
			dst = append(dst, raw[p:end]...)
			p = end
		default:
			dst = append(dst, c)
			p++
		}
	}
	return dst
}
