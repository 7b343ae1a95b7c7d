package csv

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Options are the csv.* options of a table.
type Options struct {
	// FieldDelimiter, ArrayDelimiter, Quote and Escape are single characters; an
	// empty Quote or Escape means that there is none.
	FieldDelimiter string
	ArrayDelimiter string
	Quote          string
	Escape         string
	AllowComments  bool
	// IgnoreParseErrors makes values NULL that are not of their type, and skips
	// records that cannot be read at all.
	IgnoreParseErrors bool
	// NullLiteral stands for NULL, if HasNull.
	NullLiteral string
	HasNull     bool
	// PlainDecimals writes decimals without an exponent and with all their digits.
	PlainDecimals bool
}

// DefaultOptions are those of a table that sets none.
func DefaultOptions() Options {
	return Options{FieldDelimiter: ",", ArrayDelimiter: ";", Quote: `"`}
}

// Validate says which option does not fit.
func (o Options) Validate() error {
	for name, v := range map[string]string{"field-delimiter": o.FieldDelimiter, "array-element-delimiter": o.ArrayDelimiter} {
		if utf8.RuneCountInString(v) != 1 {
			return &OptionError{name, fmt.Sprintf("%q must be a single character", v)}
		}
	}
	for name, v := range map[string]string{"quote-character": o.Quote, "escape-character": o.Escape} {
		if utf8.RuneCountInString(v) > 1 {
			return &OptionError{name, fmt.Sprintf("%q must be a single character", v)}
		}
	}
	switch {
	case strings.ContainsAny(o.FieldDelimiter, "\r\n"):
		return &OptionError{"field-delimiter", "cannot be a line end"}
	case o.Quote == o.FieldDelimiter:
		return &OptionError{"quote-character", "is the field delimiter as well"}
	case o.Escape != "" && (o.Escape == o.FieldDelimiter || o.Escape == o.Quote):
		return &OptionError{"escape-character", "is the field delimiter or the quote character as well"}
	}
	return nil
}

// OptionError is an option that does not fit; Key is its name without csv.
type OptionError struct{ Key, Reason string }

// Error says which option is wrong, and why.
func (e *OptionError) Error() string { return "csv." + e.Key + ": " + e.Reason }

var errUnescape = errors.New("a backslash is not followed by what it may be followed by")

// Unescape reads Java's escapes: \t, \n, \\, A, 001.
func Unescape(s string) (string, error) {
	if !strings.Contains(s, `\`) {
		return s, nil
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' {
			b.WriteByte(s[i])
			continue
		}
		if i++; i >= len(s) {
			return "", errUnescape
		}
		c := s[i]
		switch at := strings.IndexByte("tnrbf", c); {
		case at >= 0:
			b.WriteByte("\t\n\r\b\f"[at])
		case c == 'u':
			for i < len(s) && s[i] == 'u' {
				i++
			}
			if i+4 > len(s) {
				return "", errUnescape
			}
			n, err := strconv.ParseUint(s[i:i+4], 16, 32)
			if err != nil {
				return "", errUnescape
			}
			b.WriteRune(rune(n))
			i += 3
		case c >= '0' && c <= '7':
			end := i + 1
			for end < len(s) && end < i+3 && s[end] >= '0' && s[end] <= '7' {
				end++
			}
			n, err := strconv.ParseUint(s[i:end], 8, 8)
			if err != nil {
				return "", errUnescape
			}
			b.WriteRune(rune(n))
			i = end - 1
		default:
			b.WriteByte(c)
		}
	}
	return b.String(), nil
}
