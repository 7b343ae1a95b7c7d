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
		b = append(b, 0xfe, 0xff)
		for _, u := range utf16.Encode([]rune(s)) {
			b = binary.BigEndian.AppendUint16(b, u)
		}
	default:
		out.SetNull(i)
		return nil
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
		out.Strs[i] = strings.ToValidUTF8(s, string(utf8.RuneError))
		return nil
	case "US-ASCII", "ISO-8859-1":
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
	default:
		return fmt.Errorf("unknown charset %q", a[1].Strs[i])
	}
	out.SetBytes(i, b)
	return nil
}

// isDecimal reports whether a value is a number or spells one.
func isDecimal(a []*column.Vector, i int, out *column.Vector) error {
	out.Bools[i] = false
	if a[0].IsNull(i) {
		return nil
	}
	if !isText(a[0].Type) {
		out.Bools[i] = a[0].Type.Kind.IsNumeric()
		return nil
	}
	_, _, err := datum.ParseDecimal(a[0].Strs[i])
	out.Bools[i] = err == nil
	return nil
}
