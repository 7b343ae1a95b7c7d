package analysis

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Analyzer is a tokenizer followed by filters.
type Analyzer struct {
	Name      string
	tokenizer string
	filters   []string
	stop      map[string]bool
}

// english are the stop words of the stop and english analyzers.
const english = "a an and are as at be but by for if in into is it no not of on or such that the their then there these they this to was will with"

// Builtin returns a named analyzer, or nil.
func Builtin(name string) *Analyzer {
	switch name {
	case "standard", "default", "":
		return &Analyzer{Name: "standard", tokenizer: "standard", filters: []string{"lowercase"}}
	case "simple":
		return &Analyzer{Name: name, tokenizer: "lowercase"}
	case "whitespace", "keyword":
		return &Analyzer{Name: name, tokenizer: name}
	case "stop":
		return &Analyzer{Name: name, tokenizer: "lowercase", filters: []string{"stop"}, stop: words(english)}
	}
	return nil
}

func words(s string) map[string]bool {
	m := map[string]bool{}
	for w := range strings.FieldsSeq(s) {
		m[w] = true
	}
	return m
}

// Custom builds an analyzer of a tokenizer and token filters; unknown names
// are returned.
func Custom(tokenizer string, filters []string) (a *Analyzer, unknown string) {
	switch tokenizer {
	case "standard", "whitespace", "keyword", "letter", "lowercase", "classic", "uax_url_email", "pattern":
	default:
		return nil, "tokenizer [" + tokenizer + "]"
	}
	for _, f := range filters {
		switch f {
		case "lowercase", "uppercase", "asciifolding", "stop", "trim", "unique", "reverse":
		default:
			return nil, "filter [" + f + "]"
		}
	}
	return &Analyzer{Name: "_custom_", tokenizer: tokenizer, filters: filters, stop: words(english)}, ""
}

// IsStandard reports whether this is the standard analyzer, for which the
// indexing path has a faster way.
func (a *Analyzer) IsStandard() bool { return a.Name == "standard" }

// Each calls emit for every term of s; term is only valid during the call.
func (a *Analyzer) Each(s []byte, emit func(term []byte, pos, start, end int)) {
	pos := 0
	var buf []byte
	each := func(start, end int) {
		term := s[start:end]
		buf = append(buf[:0], term...)
		var keep bool
		buf, keep = a.filter(buf)
		if keep {
			emit(buf, pos, start, end)
		}
		pos++
	}
	switch a.tokenizer {
	case "whitespace":
		split(s, func(r rune) bool { return !unicode.IsSpace(r) }, each)
	case "lowercase", "letter", "pattern":
		split(s, func(r rune) bool {
			return unicode.IsLetter(r) || a.tokenizer == "pattern" && (unicode.IsDigit(r) || r == '_')
		}, each)
	case "keyword":
		each(0, len(s))
	default:
		Standard(s, each)
	}
}

func (a *Analyzer) filter(b []byte) ([]byte, bool) {
	if a.tokenizer == "lowercase" {
		b = Lower(nil, b)
	}
	for _, f := range a.filters {
		switch f {
		case "lowercase":
			b = Lower(b[:0], b)
		case "uppercase":
			b = []byte(strings.ToUpper(string(b)))
		case "asciifolding":
			b = fold(b)
		case "trim":
			b = []byte(strings.TrimSpace(string(b)))
		case "stop":
			if a.stop[string(b)] {
				return b, false
			}
		case "reverse":
			r := []rune(string(b))
			for i, j := 0, len(r)-1; i < j; i, j = i+1, j-1 {
				r[i], r[j] = r[j], r[i]
			}
			b = []byte(string(r))
		}
	}
	return b, true
}

// Tokens returns all terms of a text with their offsets in characters of
// UTF-16, as the analyze API shows them.
func (a *Analyzer) Tokens(s string) []Token {
	var out []Token
	a.Each([]byte(s), func(term []byte, pos, start, end int) {
		out = append(out, Token{Term: append([]byte(nil), term...), Position: pos,
			Start: utf16Len(s[:start]), End: utf16Len(s[:end]), Type: a.kind(s[start:end])})
	})
	return out
}

// Terms returns the terms of a text.
func (a *Analyzer) Terms(s string) []Token {
	var out []Token
	a.Each([]byte(s), func(term []byte, pos, start, end int) {
		out = append(out, Token{Term: append([]byte(nil), term...), Position: pos, Start: start, End: end})
	})
	return out
}

func (a *Analyzer) kind(s string) string {
	if a.tokenizer != "standard" {
		return "word"
	}
	r, _ := utf8.DecodeRuneInString(s)
	switch {
	case unicode.Is(unicode.Hiragana, r):
		return "<HIRAGANA>"
	case classify(r) == ideograph && unicode.Is(unicode.So, r):
		return "<EMOJI>"
	case classify(r) == ideograph:
		return "<IDEOGRAPHIC>"
	case classify(r) == katakana:
		return "<KATAKANA>"
	case unicode.Is(unicode.Hangul, r):
		return "<HANGUL>"
	}
	for _, c := range s {
		if unicode.IsLetter(c) {
			return "<ALPHANUM>"
		}
	}
	return "<NUM>"
}

func utf16Len(s string) int {
	n := 0
	for _, r := range s {
		n++
		if r > 0xFFFF {
			n++
		}
	}
	return n
}

func split(s []byte, in func(rune) bool, emit func(start, end int)) {
	start := -1
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRune(s[i:])
		if in(r) {
			if start < 0 {
				start = i
			}
		} else if start >= 0 {
			cut(s, start, i, emit)
			start = -1
		}
		i += n
	}
	if start >= 0 {
		cut(s, start, len(s), emit)
	}
}

// folds are the base letters of accented Latin letters.
var folds = map[rune]string{'ß': "ss", 'æ': "ae", 'Æ': "AE", 'œ': "oe", 'Œ': "OE", 'ø': "o", 'Ø': "O", 'đ': "d", 'Đ': "D", 'ł': "l", 'Ł': "L", 'þ': "th", 'ð': "d"}

// bases pairs runs of accented letters with their base letter.
var bases = [...][2]string{{"àáâãäåāăą", "a"}, {"çćĉċč", "c"}, {"ďḑ", "d"}, {"èéêëēĕėęě", "e"}, {"ĝğġģ", "g"}, {"ĥħ", "h"}, {"ìíîïĩīĭįı", "i"}, {"ĵ", "j"}, {"ķ", "k"},
	{"ĺļľŀ", "l"}, {"ñńņňŉ", "n"}, {"òóôõöōŏő", "o"}, {"ŕŗř", "r"}, {"śŝşš", "s"}, {"ţťŧ", "t"}, {"ùúûüũūŭůűų", "u"}, {"ŵ", "w"}, {"ýÿŷ", "y"}, {"źżž", "z"}}

func fold(b []byte) []byte {
	var out []byte
	for _, r := range string(b) {
		if r < utf8.RuneSelf {
			out = append(out, byte(r))
			continue
		}
		out = append(out, foldRune(r)...)
	}
	return out
}

func foldRune(r rune) string {
	if s, ok := folds[r]; ok {
		return s
	}
	for _, p := range bases {
		if strings.ContainsRune(p[0], unicode.ToLower(r)) {
			if unicode.IsUpper(r) {
				return strings.ToUpper(p[1])
			}
			return p[1]
		}
	}
	return string(r)
}
