// Package format is Filebeat's format strings: text with %{[field]},
// %{[field]:default} and %{+yyyy.MM.dd} in it.
package format

import (
	"fmt"
	"strings"
	"time"

	"github.com/weirflow/weirflow/services/agent/internal/document"
)

// String is a compiled format string.
type String struct {
	parts []part
}

type part struct {
	text     string // literal
	field    string
	fallback string
	optional bool
	layout   string // of Go's time package
}

// Compile reads a format string.
func Compile(s string) (*String, error) {
	f := &String{}
	for rest := s; rest != ""; {
		start := strings.Index(rest, "%{")
		if start < 0 {
			f.parts = append(f.parts, part{text: rest})
			break
		}
		if start > 0 {
			f.parts = append(f.parts, part{text: rest[:start]})
		}
		end := strings.IndexByte(rest[start:], '}')
		if end < 0 {
			return nil, fmt.Errorf("format string %q: %%{ without }", s)
		}
		p, err := compilePart(rest[start+2 : start+end])
		if err != nil {
			return nil, fmt.Errorf("format string %q: %w", s, err)
		}
		f.parts = append(f.parts, p)
		rest = rest[start+end+1:]
	}
	return f, nil
}

func compilePart(body string) (part, error) {
	switch {
	case strings.HasPrefix(body, "+"):
		return part{layout: layout(body[1:])}, nil
	case strings.HasPrefix(body, "["):
		end := strings.IndexByte(body, ']')
		if end < 2 {
			return part{}, fmt.Errorf("%%{%s}: want %%{[field]}", body)
		}
		p := part{field: body[1:end]}
		switch rest := body[end+1:]; {
		case rest == "":
		case rest[0] == ':':
			p.fallback, p.optional = rest[1:], true
		default:
			return part{}, fmt.Errorf("%%{%s}: want %%{[field]:default}", body)
		}
		return p, nil
	}
	return part{}, fmt.Errorf("%%{%s}: want %%{[field]} or %%{+yyyy.MM.dd}", body)
}

// layout translates a date pattern such as yyyy.MM.dd.
func layout(pattern string) string {
	return strings.NewReplacer(
		"yyyy", "2006", "YYYY", "2006", "xxxx", "2006", "yy", "06", "MMMM", "January", "MMM", "Jan", "MM", "01", "dd", "02", "d", "2",
		"HH", "15", "hh", "03", "mm", "04", "ss", "05", "SSS", "000", "EEEE", "Monday", "EEE", "Mon", "Z", "-0700", "'", "",
	).Replace(pattern)
}

// Fields lists the fields that the string uses.
func (f *String) Fields() []string {
	var out []string
	for _, p := range f.parts {
		if p.field != "" {
			out = append(out, p.field)
		}
	}
	return out
}

// Literal says whether the string is the same for all events.
func (f *String) Literal() bool {
	for _, p := range f.parts {
		if p.field != "" || p.layout != "" {
			return false
		}
	}
	return true
}

// Run fills the string in from an event.
func (f *String) Run(e *document.Event) (string, error) {
	var b strings.Builder
	for _, p := range f.parts {
		switch {
		case p.layout != "":
			b.WriteString(e.Timestamp.UTC().Format(p.layout))
		case p.field != "":
			v, err := e.Get(p.field)
			if err != nil {
				if !p.optional {
					return "", fmt.Errorf("field %s: %w", p.field, err)
				}
				v = p.fallback
			}
			b.WriteString(text(v))
		default:
			b.WriteString(p.text)
		}
	}
	return b.String(), nil
}

func text(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case time.Time:
		return v.UTC().Format("2006-01-02T15:04:05.000Z")
	default:
		return fmt.Sprint(v)
	}
}
