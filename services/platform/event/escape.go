package event

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf8"
)

const (
	lows  = 0x0101010101010101
	highs = 0x8080808080808080

	hexDigits = "0123456789abcdef"
)

// AppendString appends s as a JSON string with its quotes.
func AppendString[S ~string | ~[]byte](dst []byte, s S) []byte {
	dst = append(dst, '"')
	dst = AppendEscaped(dst, []byte(s))
	return append(dst, '"')
}

// AppendEscaped appends the content of a JSON string, without quotes, that
// stands for the text.
func AppendEscaped(dst, text []byte) []byte {
	start, i := 0, 0
	for {
		i += plainPrefix(text[i:])
		if i == len(text) {
			return append(dst, text[start:]...)
		}
		b := text[i]
		if b < utf8.RuneSelf {
			dst = append(dst, text[start:i]...)
			dst = appendEscapedByte(dst, b)
			i++
			start = i
			continue
		}
		r, size := utf8.DecodeRune(text[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			dst = append(dst, text[start:i]...)
			dst = append(dst, `\ufffd`...)
			start = i + 1
		case r == '\u2028' || r == '\u2029':
			dst = append(dst, text[start:i]...)
			dst = append(dst, '\\', 'u', '2', '0', '2', hexDigits[r&0xf])
			start = i + size
		}
		i += size
	}
}

// plainPrefix counts the leading bytes of text that stand for themselves in a
// JSON string: ASCII, no control character, no quote, no backslash. It looks at
// eight bytes at a time; of the flags it computes the lowest is always right,
// which is the only one that it uses.
func plainPrefix(text []byte) int {
	i := 0
	for ; i+8 <= len(text); i += 8 {
		x := binary.LittleEndian.Uint64(text[i:])
		quote := x ^ lows*'"'
		slash := x ^ lows*'\\'
		special := x | (x-lows*0x20)&^x | (quote-lows)&^quote | (slash-lows)&^slash
		if special &= highs; special != 0 {
			return i + bits.TrailingZeros64(special)>>3
		}
	}
	for ; i < len(text); i++ {
		if b := text[i]; b < 0x20 || b >= utf8.RuneSelf || b == '"' || b == '\\' {
			return i
		}
	}
	return i
}

func appendEscapedByte(dst []byte, b byte) []byte {
	switch b {
	case '"', '\\':
		return append(dst, '\\', b)
	case '\n':
		return append(dst, '\\', 'n')
	case '\r':
		return append(dst, '\\', 'r')
	case '\t':
		return append(dst, '\\', 't')
	default:
		return append(dst, '\\', 'u', '0', '0', hexDigits[b>>4], hexDigits[b&0xf])
	}
}
