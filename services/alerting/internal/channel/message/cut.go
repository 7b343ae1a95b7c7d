package message

import (
	"encoding/json"
	"sort"
	"strings"
	"unicode/utf8"
)

// ellipsis stands where text was cut.
const ellipsis = "…"

// Size measures text as a provider does.
type Size func(string) int

// Bytes measures text in bytes of UTF-8.
func Bytes(s string) int { return len(s) }

// Runes measures text in characters.
func Runes(s string) int { return utf8.RuneCountInString(s) }

// JSONBytes measures text in bytes of a JSON string, for providers that bound the
// whole request.
func JSONBytes(s string) int {
	b, err := json.Marshal(s)
	if err != nil { // strings always can be
		return len(s)
	}
	return len(b)
}

// Cut shortens text to a size, on a rune's boundary and with an ellipsis. Bytes that
// are not UTF-8 are replaced first: JSON would do it later, and text would grow.
func Cut(s string, limit int, size Size) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if size(s) <= limit {
		return s
	}
	at := func(i int) string { return s[:boundary(s, i)] + ellipsis }
	n := sort.Search(len(s)+1, func(i int) bool { return size(at(i)) > limit })
	if n == 0 { // not even the ellipsis has room
		return ""
	}
	return at(n - 1)
}

// boundary is the last beginning of a rune at or before a place.
func boundary(s string, i int) int {
	for i > 0 && i < len(s) && !utf8.RuneStart(s[i]) {
		i--
	}
	return i
}
