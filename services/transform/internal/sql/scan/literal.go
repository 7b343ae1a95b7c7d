package scan

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/weirflow/weirflow/services/transform/internal/sql/diag"
	"github.com/weirflow/weirflow/services/transform/internal/sql/token"
)

// prefixed reports whether a literal with a prefix starts here: U&'..', X'..',
// N'..', E'..' or _charset'..'.
func (s *Scanner) prefixed(c byte) bool {
	switch c {
	case 'u', 'U':
		return s.peek(1) == '&' && s.peek(2) == '\''
	case 'x', 'X', 'n', 'N', 'e', 'E':
		return s.peek(1) == '\''
	case '_':
		end := s.charset()
		return end > 1 && s.peek(end) == '\''
	}
	return false
}

// charset returns the length of the _charset name here.
func (s *Scanner) charset() int {
	n := 1
	for c := s.peek(n); c == '-' || c == '_' || isDigit(c) || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'; c = s.peek(n) {
		n++
	}
	return n
}

func (s *Scanner) prefixedLiteral() (token.Kind, string, error) {
	at := s.pos()
	switch s.src[s.off] {
	case 'u', 'U':
		s.steps(2)
		text, err := s.quoted('\'', "string literal")
		if err != nil {
			return token.String, "", err
		}
		text, err = s.unicode(text)
		return token.String, text, err
	case 'x', 'X':
		s.step()
		text, err := s.quoted('\'', "binary literal")
		if err != nil {
			return token.Binary, "", err
		}
		if len(text)%2 != 0 || strings.Trim(strings.ToLower(text), "0123456789abcdef") != "" {
			return token.Binary, "", diag.At(at, "a binary literal needs an even number of hexadecimal digits")
		}
		return token.Binary, text, nil
	case 'e', 'E':
		s.step()
		text, err := s.cString()
		return token.String, text, err
	case '_':
		s.steps(s.charset())
	default:
		s.step()
	}
	text, err := s.quoted('\'', "string literal")
	return token.String, text, err
}

// unicode resolves \XXXX and \+XXXXXX, with another escape character if UESCAPE
// follows.
func (s *Scanner) unicode(text string) (string, error) {
	at := s.pos()
	escape := byte('\\')
	save := *s
	if err := s.space(); err != nil {
		return "", err
	}
	if len(s.src)-s.off >= 7 && strings.EqualFold(s.src[s.off:s.off+7], "UESCAPE") {
		s.steps(7)
		if err := s.space(); err != nil {
			return "", err
		}
		if s.peek(0) != '\'' || s.peek(2) != '\'' {
			return "", diag.At(s.pos(), "UESCAPE needs one character between single quotes")
		}
		escape = s.peek(1)
		s.steps(3)
	} else {
		*s = save
	}
	var b strings.Builder
	for i := 0; i < len(text); {
		if text[i] != escape {
			b.WriteByte(text[i])
			i++
			continue
		}
		i++
		if i < len(text) && text[i] == escape {
			b.WriteByte(escape)
			i++
			continue
		}
		n := 4
		if i < len(text) && text[i] == '+' {
			i++
			n = 6
		}
		if i+n > len(text) {
			return "", diag.At(at, "a Unicode escape needs %d hexadecimal digits", n)
		}
		v, err := strconv.ParseUint(text[i:i+n], 16, 32)
		if err != nil || v > utf8.MaxRune {
			return "", diag.At(at, "%q is not a Unicode character", text[i:i+n])
		}
		b.WriteRune(rune(v))
		i += n
	}
	return b.String(), nil
}

var cEscapes = map[byte]byte{'n': '\n', 't': '\t', 'r': '\r', 'b': '\b', 'f': '\f', '\\': '\\', '\'': '\''}

// cString reads E'..', where a backslash starts an escape.
func (s *Scanner) cString() (string, error) {
	at := s.pos()
	s.step()
	var b strings.Builder
	for s.off < len(s.src) {
		c := s.src[s.off]
		switch {
		case c == '\\':
			s.step()
			if r, ok := cEscapes[s.peek(0)]; ok {
				b.WriteByte(r)
				s.step()
				continue
			}
			if s.peek(0) == 'u' && s.off+5 <= len(s.src) {
				v, err := strconv.ParseUint(s.src[s.off+1:s.off+5], 16, 32)
				if err == nil {
					b.WriteRune(rune(v))
					s.steps(5)
					continue
				}
			}
			return "", diag.At(s.pos(), "unknown escape in a string literal")
		case c == '\'' && s.peek(1) == '\'':
			b.WriteByte('\'')
			s.steps(2)
		case c == '\'':
			s.step()
			if !utf8.ValidString(b.String()) {
				return "", diag.At(at, "the string literal is not valid UTF-8")
			}
			return b.String(), nil
		default:
			b.WriteByte(c)
			if c < utf8.RuneSelf || utf8.RuneStart(c) {
				s.column++
			}
			if c == '\n' {
				s.line++
				s.column = 1
			}
			s.off++
		}
	}
	return "", diag.At(at, "the string literal is not closed").WithHint("end it with '; a quote within is written ''")
}
