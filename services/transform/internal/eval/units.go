package eval

import (
	"strings"
	"unicode/utf16"
)

// Some of Flink's functions count the units of UTF-16, of which a character
// beyond U+FFFF, such as an emoji, has two. One that they cut in half is shown as
// a question mark.

// astral reports whether a text has characters of two units.
func astral(s string) bool {
	for i := range len(s) {
		if s[i] >= 0xF0 {
			return true
		}
	}
	return false
}

func units(s string) []uint16 { return utf16.Encode([]rune(s)) }

func fromUnits(u []uint16) string {
	var b strings.Builder
	for i := 0; i < len(u); i++ {
		r := rune(u[i])
		if utf16.IsSurrogate(r) {
			pair := rune(-1)
			if i+1 < len(u) {
				pair = utf16.DecodeRune(r, rune(u[i+1]))
			}
			if pair < 0x10000 { // U+FFFD, or none
				b.WriteByte('?')
				continue
			}
			r = pair
			i++
		}
		b.WriteRune(r)
	}
	return b.String()
}

// padUnits fills s up to size units.
func padUnits(s, with string, size int, atLeft bool) string {
	text, filler := units(s), units(with)
	if size <= len(text) {
		return fromUnits(text[:size])
	}
	fill := make([]uint16, size-len(text))
	for i := range fill {
		fill[i] = filler[i%len(filler)]
	}
	if atLeft {
		return fromUnits(append(fill, text...))
	}
	return fromUnits(append(text, fill...))
}

// overlayUnits sets with in place of size units of s, from start on.
func overlayUnits(s, with string, start, size int64) string {
	text := units(s)
	n := int64(len(text))
	if start <= 0 || start > n {
		return s
	}
	out := append(append([]uint16{}, text[:start-1]...), units(with)...)
	if size > 0 && start-1+size < n {
		out = append(out, text[start-1+size:]...)
	}
	return fromUnits(out)
}
