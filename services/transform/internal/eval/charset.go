package eval

import (
	"encoding/binary"
	"fmt"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/datum"
)

// encode is ENCODE(text, charset).
func encode(a []*column.Vector, i int, out *column.Vector) error {
	s := a[0].Strs[i]
	var b []byte
	switch strings.ToUpper(a[1].Strs[i]) {
	case "UTF-8", "UTF8":
		out.Strs[i] = s
		return nil
	case "US-ASCII", "ISO-8859-1":
		limit := rune(0x100)
		if strings.HasPrefix(strings.ToUpper(a[1].Strs[i]), "US") {
			limit = 0x80
		}
		for _, r := range s {
			if r >= limit {
				r = '?'
			}
			b = append(b, byte(r))
		}
	case "UTF-16BE":
		for _, u := range utf16.Encode([]rune(s)) {
			b = binary.BigEndian.AppendUint16(b, u)
		}
	case "UTF-16LE":
		for _, u := range utf16.Encode([]rune(s)) {
			b = binary.LittleEndian.AppendUint16(b, u)
		}
	case "UTF-16":
		if s != "" {
			b = append(b, 0xfe, 0xff)
		}
		for _, u := range utf16.Encode([]rune(s)) {
			b = binary.BigEndian.AppendUint16(b, u)
		}
	default:
		return fmt.Errorf("unknown charset %q", brief(a[1].Strs[i]))
	}
	out.SetBytes(i, b)
	return nil
}

// decode is DECODE(binary, charset).
func decode(a []*column.Vector, i int, out *column.Vector) error {
	s := a[0].Strs[i]
	var b []byte
	switch strings.ToUpper(a[1].Strs[i]) {
	case "UTF-8", "UTF8":
		out.Strs[i] = validText(s)
		return nil
	case "US-ASCII":
		for k := range len(s) {
			if s[k] < utf8.RuneSelf {
				b = append(b, s[k])
			} else {
				b = utf8.AppendRune(b, utf8.RuneError)
			}
		}
	case "ISO-8859-1":
		for k := range len(s) {
			b = utf8.AppendRune(b, rune(s[k]))
		}
	case "UTF-16BE", "UTF-16LE", "UTF-16":
		var order binary.ByteOrder = binary.BigEndian
		if strings.HasSuffix(strings.ToUpper(a[1].Strs[i]), "LE") || strings.HasPrefix(s, "\xff\xfe") {
			order = binary.LittleEndian
		}
		s = strings.TrimPrefix(strings.TrimPrefix(s, "\xfe\xff"), "\xff\xfe")
		var units []uint16
		for k := 0; k+2 <= len(s); k += 2 {
			units = append(units, order.Uint16([]byte(s[k:k+2])))
		}
		b = []byte(string(utf16.Decode(units)))
		if len(s)%2 == 1 {
			b = utf8.AppendRune(b, utf8.RuneError)
		}
	default:
		return fmt.Errorf("unknown charset %q", a[1].Strs[i])
	}
	out.SetBytes(i, b)
	return nil
}

// validText puts U+FFFD in the place of bytes that are no UTF-8: one for each
// longest beginning of a character, as Java does.
func validText(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	for s != "" {
		r, n := utf8.DecodeRuneInString(s)
		if r == utf8.RuneError && n == 1 {
			for n < 4 && n < len(s) && !utf8.FullRuneInString(s[:n]) && !utf8.RuneStart(s[n]) {
				n++
			}
			if utf8.FullRuneInString(s[:n]) && n > 1 {
				n-- // the last byte makes it wrong
			}
		}
		b.WriteRune(r)
		s = s[n:]
	}
	return b.String()
}

// isDecimal reports whether a text spells a number. Numbers do, but for
// DECIMALs; even NULLs of such types.
func isDecimal(a []*column.Vector, i int, out *column.Vector) error {
	out.Bools[i] = false
	switch {
	case !isText(a[0].Type):
		out.Bools[i] = a[0].Type.Kind.IsInteger() || a[0].Type.Kind.IsApprox()
	case !a[0].IsNull(i):
		_, err := datum.ParseDouble(a[0].Strs[i], 64)
		out.Bools[i] = err == nil
	}
	return nil
}
