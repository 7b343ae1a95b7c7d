// Package jsonpath reads JSON texts as trees and finds values in them by path,
// as the JSON functions of SQL do.
package jsonpath

import (
	"errors"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/weirflow/weirflow/services/transform/internal/datum"
	"github.com/weirflow/weirflow/services/transform/internal/format/json"
)

// Kind is the kind of a JSON value.
type Kind uint8

// The kinds of JSON value.
const (
	Null Kind = iota
	Bool
	Number
	String
	Array
	Object
)

// Value is a JSON value. Members keep their order.
type Value struct {
	Kind Kind
	// Text is a string's content, a number's digits, or true or false.
	Text  string
	Keys  []string
	Elems []*Value
}

// ErrSyntax says that a text is not JSON.
var ErrSyntax = errors.New("not JSON")

const maxDepth = 500

// Parse reads a text that is one JSON value.
func Parse(s string) (*Value, error) {
	p := parser{s: s}
	p.space()
	v, err := p.value(0)
	if err != nil {
		return nil, err
	}
	p.space()
	if p.at != len(s) {
		return nil, ErrSyntax
	}
	return v, nil
}

// ParseFirst reads the JSON value that a text begins with, whatever follows it: so do
// Flink's JSON functions. A number and a word end before a space, a quote, or, if it
// is a word, before anything that no word has.
func ParseFirst(s string) (*Value, error) {
	p := parser{s: s}
	p.space()
	v, err := p.value(0)
	if err != nil || p.at == len(s) {
		return v, err
	}
	c := s[p.at]
	letter := c|0x20 >= 'a' && c|0x20 <= 'z' || c >= '0' && c <= '9' || c == '_' || c == '$' || c >= 0x80
	if v.Kind == Number && strings.IndexByte(" \t\r\n", c) < 0 || (v.Kind == Bool || v.Kind == Null) && letter {
		return nil, ErrSyntax
	}
	return v, nil
}

type parser struct {
	s  string
	at int
}

func (p *parser) space() {
	for p.at < len(p.s) && strings.IndexByte(" \t\r\n", p.s[p.at]) >= 0 {
		p.at++
	}
}

func (p *parser) peek() byte {
	if p.at < len(p.s) {
		return p.s[p.at]
	}
	return 0
}

func (p *parser) value(depth int) (*Value, error) {
	if depth > maxDepth {
		return nil, ErrSyntax
	}
	switch c := p.peek(); {
	case c == '{':
		return p.object(depth)
	case c == '[':
		return p.array(depth)
	case c == '"':
		s, err := p.text()
		return &Value{Kind: String, Text: s}, err
	case c == '-' || c >= '0' && c <= '9':
		return p.number()
	default:
		for word, v := range map[string]*Value{"true": {Kind: Bool, Text: "true"}, "false": {Kind: Bool, Text: "false"}, "null": {Kind: Null}} {
			if strings.HasPrefix(p.s[p.at:], word) {
				p.at += len(word)
				return v, nil
			}
		}
		return nil, ErrSyntax
	}
}

func (p *parser) object(depth int) (*Value, error) {
	v := &Value{Kind: Object}
	at := make(map[string]int)
	err := p.members('}', func() error {
		name, err := p.text()
		if err != nil {
			return err
		}
		p.space()
		if p.peek() != ':' {
			return ErrSyntax
		}
		p.at++
		p.space()
		e, err := p.value(depth + 1)
		if err != nil {
			return err
		}
		if i, ok := at[name]; ok {
			v.Elems[i] = e
			return nil
		}
		at[name] = len(v.Keys)
		v.Keys, v.Elems = append(v.Keys, name), append(v.Elems, e)
		return nil
	})
	return v, err
}

func (p *parser) array(depth int) (*Value, error) {
	v := &Value{Kind: Array}
	err := p.members(']', func() error {
		e, err := p.value(depth + 1)
		v.Elems = append(v.Elems, e)
		return err
	})
	return v, err
}

func (p *parser) members(end byte, member func() error) error {
	p.at++
	p.space()
	if p.peek() == end {
		p.at++
		return nil
	}
	for {
		if err := member(); err != nil {
			return err
		}
		p.space()
		switch p.peek() {
		case ',':
			p.at++
			p.space()
		case end:
			p.at++
			return nil
		default:
			return ErrSyntax
		}
	}
}

func (p *parser) text() (string, error) {
	if p.peek() != '"' {
		return "", ErrSyntax
	}
	p.at++
	start := p.at
	for p.at < len(p.s) {
		switch c := p.s[p.at]; {
		case c == '"':
			raw := p.s[start:p.at]
			p.at++
			if !strings.Contains(raw, `\`) {
				return raw, nil
			}
			b, err := json.Unescape(nil, []byte(raw))
			if err != nil {
				return "", ErrSyntax
			}
			return string(b), nil
		case c == '\\':
			p.at += 2
		case c < 0x20:
			return "", ErrSyntax
		default:
			p.at++
		}
	}
	return "", ErrSyntax
}

func (p *parser) number() (*Value, error) {
	start := p.at
	if p.peek() == '-' {
		p.at++
	}
	whole := p.digits()
	if whole == 0 || whole > 1 && strings.TrimPrefix(p.s[start:p.at], "-")[0] == '0' {
		return nil, ErrSyntax
	}
	if p.peek() == '.' {
		p.at++
		if p.digits() == 0 {
			return nil, ErrSyntax
		}
	}
	if c := p.peek(); c == 'e' || c == 'E' {
		p.at++
		if c := p.peek(); c == '+' || c == '-' {
			p.at++
		}
		if p.digits() == 0 {
			return nil, ErrSyntax
		}
	}
	if p.s[start:p.at] == "-0" {
		start++ // whole numbers have no negative zero
	}
	return &Value{Kind: Number, Text: p.s[start:p.at]}, nil
}

func (p *parser) digits() int {
	n := 0
	for c := p.peek(); c >= '0' && c <= '9'; c = p.peek() {
		p.at++
		n++
	}
	return n
}

// Scalar reports whether a value is no array and no object.
func (v *Value) Scalar() bool { return v.Kind < Array }

// Plain returns a scalar's text: a number as Java prints it.
func (v *Value) Plain() string {
	if v.Kind != Number || !strings.ContainsAny(v.Text, ".eE") {
		return v.Text
	}
	f, err := strconv.ParseFloat(v.Text, 64)
	if err != nil {
		return v.Text
	}
	return string(datum.AppendDouble(nil, f, 64))
}

// Append appends the value as JSON without spaces.
func (v *Value) Append(b []byte) []byte {
	switch v.Kind {
	case Null:
		return append(b, "null"...)
	case String:
		return json.AppendQuoted(b, v.Text)
	case Array:
		b = append(b, '[')
		for i, e := range v.Elems {
			if i > 0 {
				b = append(b, ',')
			}
			b = e.Append(b)
		}
		return append(b, ']')
	case Object:
		b = append(b, '{')
		for i, e := range v.Elems {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(json.AppendQuoted(b, v.Keys[i]), ':')
			b = e.Append(b)
		}
		return append(b, '}')
	default:
		return append(b, v.Plain()...)
	}
}

// Valid reports whether a text is JSON and UTF-8.
func Valid(s string) bool {
	_, err := Parse(s)
	return err == nil && utf8.ValidString(s)
}
