// Package scan cuts SQL text into tokens.
package scan

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/weirflow/weirflow/services/transform/internal/plan"
	"github.com/weirflow/weirflow/services/transform/internal/sql/diag"
	"github.com/weirflow/weirflow/services/transform/internal/sql/token"
)

// MaxLength is the longest text that is scanned, in bytes.
const MaxLength = 4 << 20

// Scanner walks over SQL text.
type Scanner struct {
	src    string
	off    int
	line   int
	column int
	inHint bool
}

// All returns the tokens of the text; the last one is EOF.
func All(src string) ([]token.Token, error) {
	if len(src) > MaxLength {
		return nil, diag.At(plan.Pos{Line: 1, Column: 1}, "the text is longer than %d bytes", MaxLength)
	}
	s := &Scanner{src: src, line: 1, column: 1}
	if strings.HasPrefix(src, "\ufeff") {
		s.off = len("\ufeff")
	}
	toks := make([]token.Token, 0, len(src)/5+1)
	for {
		t, err := s.next()
		if err != nil {
			return nil, err
		}
		toks = append(toks, t)
		if t.Kind == token.EOF {
			return toks, nil
		}
	}
}

func (s *Scanner) pos() plan.Pos { return plan.Pos{Line: s.line, Column: s.column} }

func (s *Scanner) peek(n int) byte {
	if s.off+n < len(s.src) {
		return s.src[s.off+n]
	}
	return 0
}

// step moves over one character.
func (s *Scanner) step() {
	c := s.src[s.off]
	if c < utf8.RuneSelf {
		s.off++
		if c == '\n' {
			s.line++
			s.column = 1
			return
		}
		s.column++
		return
	}
	_, size := utf8.DecodeRuneInString(s.src[s.off:])
	s.off += size
	s.column++
}

func (s *Scanner) steps(n int) {
	for ; n > 0 && s.off < len(s.src); n-- {
		s.step()
	}
}

// space moves over blanks and comments.
func (s *Scanner) space() error {
	for s.off < len(s.src) {
		c := s.src[s.off]
		switch {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v':
			s.step()
		case c == '-' && s.peek(1) == '-', c == '/' && s.peek(1) == '/':
			for s.off < len(s.src) && s.src[s.off] != '\n' {
				s.step()
			}
		case c == '/' && s.peek(1) == '*' && s.peek(2) != '+':
			if err := s.comment(); err != nil {
				return err
			}
		case c >= utf8.RuneSelf:
			r, _ := utf8.DecodeRuneInString(s.src[s.off:])
			if !unicode.IsSpace(r) {
				return nil
			}
			s.step()
		default:
			return nil
		}
	}
	return nil
}

func (s *Scanner) comment() error {
	at := s.pos()
	s.steps(2)
	for s.off < len(s.src) {
		if s.src[s.off] == '*' && s.peek(1) == '/' {
			s.steps(2)
			return nil
		}
		s.step()
	}
	return diag.At(at, "the comment is not closed").WithHint("end it with */")
}

func (s *Scanner) next() (token.Token, error) {
	if err := s.space(); err != nil {
		return token.Token{}, err
	}
	t := token.Token{At: s.pos(), Start: s.off}
	if s.off >= len(s.src) {
		t.End = s.off
		if s.inHint {
			return t, diag.At(t.At, "the hint is not closed").WithHint("end it with */")
		}
		return t, nil
	}
	var err error
	c := s.src[s.off]
	switch {
	case c == '\'':
		t.Kind = token.String
		t.Text, err = s.quoted('\'', "string literal")
	case c == '`':
		t.Kind = token.Quoted
		t.Text, err = s.quoted('`', "identifier")
		if err == nil && t.Text == "" {
			err = diag.At(t.At, "an identifier between backquotes must not be empty")
		}
	case c >= '0' && c <= '9', c == '.' && isDigit(s.peek(1)):
		t.Kind, t.Text = s.number()
	case s.prefixed(c):
		t.Kind, t.Text, err = s.prefixedLiteral()
	case isWordStart(s.rune()):
		s.word(&t)
	default:
		t.Kind, t.Text, err = s.operator()
	}
	t.End = s.off
	return t, err
}

func (s *Scanner) rune() rune {
	r, _ := utf8.DecodeRuneInString(s.src[s.off:])
	return r
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isWordStart(r rune) bool { return r == '_' || r == '$' || unicode.IsLetter(r) }

func isWordPart(r rune) bool {
	return isWordStart(r) || unicode.IsDigit(r) || unicode.Is(unicode.Mn, r) || unicode.Is(unicode.Mc, r)
}

func (s *Scanner) word(t *token.Token) {
	start := s.off
	for s.off < len(s.src) && isWordPart(s.rune()) {
		s.step()
	}
	t.Kind = token.Word
	t.Text = s.src[start:s.off]
	t.Upper = strings.ToUpper(t.Text)
}

// quoted reads text up to the closing quote; a doubled quote stands for one.
func (s *Scanner) quoted(q byte, what string) (string, error) {
	at := s.pos()
	s.step()
	start := s.off
	doubled := false
	for s.off < len(s.src) {
		if s.src[s.off] != q {
			s.step()
			continue
		}
		if s.peek(1) == q {
			doubled = true
			s.steps(2)
			continue
		}
		text := s.src[start:s.off]
		s.step()
		if doubled {
			text = strings.ReplaceAll(text, string(q)+string(q), string(q))
		}
		if !utf8.ValidString(text) {
			return "", diag.At(at, "the %s is not valid UTF-8", what)
		}
		return text, nil
	}
	err := diag.At(at, "the %s is not closed", what)
	if q == '\'' {
		return "", err.WithHint("end it with '; a quote within is written ''")
	}
	return "", err.WithHint("end it with %c", q)
}

func (s *Scanner) digits() {
	for isDigit(s.peek(0)) {
		s.step()
	}
}

func (s *Scanner) number() (token.Kind, string) {
	start, kind := s.off, token.Integer
	s.digits()
	if s.peek(0) == '.' {
		kind = token.Decimal
		s.step()
		s.digits()
	}
	if c := s.peek(0); c == 'e' || c == 'E' {
		n := 1
		if d := s.peek(1); d == '+' || d == '-' {
			n = 2
		}
		if isDigit(s.peek(n)) {
			kind = token.Approx
			s.steps(n)
			s.digits()
		}
	}
	return kind, s.src[start:s.off]
}

// operators, longest first.
var operators = [...]string{"/*+", "||", "<>", "<=", ">=", "!=", "=>", "*/", "..", "->", "(", ")", "[", "]", "{", "}", ",", ";", ".", "+", "-", "*", "/", "%", "=", "<", ">", "?", ":", "|", "^", "@", "!", "&"}

func (s *Scanner) operator() (token.Kind, string, error) {
	rest := s.src[s.off:]
	for _, op := range operators {
		if !strings.HasPrefix(rest, op) || op == "*/" && !s.inHint {
			continue
		}
		s.steps(len(op))
		switch op {
		case "/*+":
			s.inHint = true
			return token.Hint, op, nil
		case "*/":
			s.inHint = false
			return token.HintEnd, op, nil
		}
		return token.Op, op, nil
	}
	r := s.rune()
	err := diag.At(s.pos(), "unexpected character %q", r)
	switch r {
	case '"', '“', '”':
		err = err.WithHint("write names between backquotes and text between single quotes")
	case '‘', '’':
		err = err.WithHint("write text between straight single quotes (')")
	case '，', '；', '（', '）':
		err = err.WithHint("use the ASCII form of this character")
	case '\\':
		err = err.WithHint("SHOW TABLES lists the tables, DESCRIBE t the columns of one")
	case '#':
		err = err.WithHint("a comment begins with --")
	}
	return token.EOF, "", err
}
