// Package analysis turns text into the terms that full-text search works on.
package analysis

import (
	"unicode"
	"unicode/utf8"
)

// maxTokenLength is where the standard tokenizer cuts long words.
const maxTokenLength = 255

// Token is one term with where it stood.
type Token struct {
	Term       []byte
	Position   int
	Start, End int // byte offsets
	Type       string
}

// class is a character's word-break class.
type class uint8

const (
	other class = iota
	letter
	digit
	extendNumLet // _
	midLetter    // :
	midNum       // , ;
	midNumLet    // . '
	ideograph    // one token a character
	katakana
	extend // combining marks: stay with what is before
)

func classify(r rune) class {
	if r < utf8.RuneSelf {
		switch {
		case r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z':
			return letter
		case r >= '0' && r <= '9':
			return digit
		case r == '_':
			return extendNumLet
		case r == ':':
			return midLetter
		case r == ',' || r == ';':
			return midNum
		case r == '.' || r == '\'':
			return midNumLet
		}
		return other
	}
	return classifyWide(r)
}

func classifyWide(r rune) class {
	switch {
	case unicode.Is(unicode.Han, r) || unicode.Is(unicode.Hiragana, r):
		return ideograph
	case unicode.Is(unicode.Katakana, r) || r == 0x30FC:
		return katakana
	case r == 0x2018 || r == 0x2019 || r == 0x2024 || r == 0xFF07 || r == 0xFF0E || r == 0xFE52:
		return midNumLet
	case r == 0xB7 || r == 0x387 || r == 0x2027 || r == 0xFF1A || r == 0xFE13 || r == 0xFE55:
		return midLetter
	case r == 0x66C || r == 0xFF0C || r == 0xFF1B || r == 0x37E || r == 0x589:
		return midNum
	case unicode.Is(unicode.Thai, r) || unicode.Is(unicode.Lao, r) || unicode.Is(unicode.Khmer, r) || unicode.Is(unicode.Myanmar, r):
		return letter
	case unicode.Is(unicode.Pc, r):
		return extendNumLet
	case unicode.IsMark(r) || unicode.Is(unicode.Cf, r):
		return extend
	case unicode.Is(unicode.Nd, r):
		return digit
	case unicode.IsLetter(r) || unicode.Is(unicode.Nl, r):
		return letter
	case unicode.Is(unicode.So, r) && r >= 0x1F000:
		return ideograph
	}
	return other
}

// word reads the word that starts at i (a letter, digit or underscore) and
// returns its end and whether it holds anything but underscores.
func word(s []byte, i int) (end int, solid bool) {
	prev := other
	for i < len(s) {
		r, n := rune(s[i]), 1
		if r >= utf8.RuneSelf {
			r, n = utf8.DecodeRune(s[i:])
		}
		c := classify(r)
		switch c {
		case letter, digit:
			if prev == katakana {
				return i, solid
			}
			solid = true
		case katakana:
			if prev != other && prev != katakana && prev != extendNumLet {
				return i, solid
			}
			solid = true
		case extendNumLet:
		case extend:
			i += n
			continue
		case midLetter, midNum, midNumLet:
			if !joins(s, i+n, c, prev) {
				return i, solid
			}
			i += n
			continue
		default:
			return i, solid
		}
		prev = c
		i += n
	}
	return i, solid
}

// joins reports whether a mid character stands between two letters or digits.
func joins(s []byte, next int, mid, prev class) bool {
	if next >= len(s) {
		return false
	}
	r, _ := utf8.DecodeRune(s[next:])
	c := classify(r)
	if mid != midNum && prev == letter && c == letter {
		return true
	}
	return mid != midLetter && prev == digit && c == digit
}

// Standard calls emit for each word of s, as Unicode text segmentation cuts
// it, with byte offsets. Words longer than 255 characters are cut.
func Standard(s []byte, emit func(start, end int)) {
	for i := 0; i < len(s); {
		r, n := rune(s[i]), 1
		if r >= utf8.RuneSelf {
			r, n = utf8.DecodeRune(s[i:])
		}
		switch classify(r) {
		case ideograph:
			end := i + n
			for end < len(s) {
				r2, n2 := utf8.DecodeRune(s[end:])
				if classify(r2) != extend {
					break
				}
				end += n2
			}
			emit(i, end)
			i = end
		case letter, digit, extendNumLet, katakana:
			end, solid := word(s, i)
			if solid {
				cut(s, i, end, emit)
			}
			i = end
		default:
			i += n
		}
	}
}

func cut(s []byte, start, end int, emit func(start, end int)) {
	for end-start > maxTokenLength {
		i, chars := start, 0
		for i < end && chars < maxTokenLength {
			_, n := utf8.DecodeRune(s[i:])
			i += n
			chars++
		}
		emit(start, i)
		start = i
	}
	if start < end {
		emit(start, end)
	}
}

// Lower appends the lower case of a term to dst.
func Lower(dst, term []byte) []byte {
	for i, c := range term {
		if c >= utf8.RuneSelf {
			return lowerWide(dst, term[i:])
		}
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		dst = append(dst, c)
	}
	return dst
}

func lowerWide(dst, term []byte) []byte {
	for len(term) > 0 {
		r, n := utf8.DecodeRune(term)
		dst = utf8.AppendRune(dst, unicode.ToLower(r))
		term = term[n:]
	}
	return dst
}
