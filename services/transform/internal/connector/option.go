package connector

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/weirflow/weirflow/services/platform/suggest"
)

// Kind is the type of an option's value.
type Kind uint8

// The kinds of option.
const (
	Text Kind = iota
	Int
	Bool
	Duration
	Size
	List // separated by semicolons
	Enum
)

// Option is an option that a connector or format takes.
type Option struct {
	Key      string
	Kind     Kind
	Default  string
	Required bool
	// Values are those of an Enum.
	Values []string
	// Prefix says that Key is the beginning of any number of keys.
	Prefix bool
}

// Options are a table's options, checked against a declaration.
type Options struct {
	table    string
	values   map[string]string
	declared []Option
}

// OptionError is an option that is wrong.
type OptionError struct {
	Table, Key, Reason string
}

// Error says which option of which table is wrong, and why.
func (e *OptionError) Error() string {
	text := e.Reason
	if e.Key != "" {
		text = fmt.Sprintf("option '%s': %s", e.Key, e.Reason)
	}
	if e.Table == "" {
		return text
	}
	return fmt.Sprintf("table %q: %s", e.Table, text)
}

// NewOptions checks the options of a table. An unknown one is an error that
// suggests the nearest.
func NewOptions(table string, values map[string]string, declared []Option) (*Options, error) {
	o := &Options{table: table, values: values, declared: declared}
	for _, key := range slices.Sorted(maps.Keys(values)) {
		d := o.find(key)
		if d == nil {
			return nil, &OptionError{Table: table, Key: key, Reason: "is not known" + suggest.Hint(key, o.keys())}
		}
		if err := check(d, values[key]); err != nil {
			return nil, &OptionError{Table: table, Key: key, Reason: err.Error()}
		}
	}
	for _, d := range declared {
		if d.Required && values[d.Key] == "" {
			return nil, &OptionError{Table: table, Key: d.Key, Reason: "is required"}
		}
	}
	return o, nil
}

func (o *Options) keys() []string {
	keys := make([]string, 0, len(o.declared))
	for _, d := range o.declared {
		keys = append(keys, d.Key)
	}
	return keys
}

func (o *Options) find(key string) *Option {
	for i := range o.declared {
		d := &o.declared[i]
		if d.Key == key || d.Prefix && strings.HasPrefix(key, d.Key) {
			return d
		}
	}
	return nil
}

func check(d *Option, value string) error {
	switch d.Kind {
	case Int:
		if _, err := strconv.ParseInt(strings.TrimSpace(value), 10, 64); err != nil {
			return fmt.Errorf("%q is not a whole number", value)
		}
	case Bool:
		if _, err := parseBool(value); err != nil {
			return err
		}
	case Duration:
		if _, err := ParseDuration(value); err != nil {
			return err
		}
	case Size:
		if _, err := ParseSize(value); err != nil {
			return err
		}
	case Enum:
		if !slices.ContainsFunc(d.Values, func(v string) bool { return strings.EqualFold(v, value) }) {
			return fmt.Errorf("%q is not one of %s%s", value, strings.Join(d.Values, ", "), suggest.Hint(value, d.Values))
		}
	case Text, List:
	}
	return nil
}

// Has reports whether the statement sets the option.
func (o *Options) Has(key string) bool {
	_, ok := o.values[key]
	return ok
}

// Text returns an option's value or its default.
func (o *Options) Text(key string) string {
	if v, ok := o.values[key]; ok {
		return v
	}
	if d := o.find(key); d != nil {
		return d.Default
	}
	return ""
}

// Enum returns an option's value in the spelling of its declaration.
func (o *Options) Enum(key string) string {
	v := o.Text(key)
	if d := o.find(key); d != nil {
		for _, known := range d.Values {
			if strings.EqualFold(known, v) {
				return known
			}
		}
	}
	return v
}

// Int returns a whole number.
func (o *Options) Int(key string) int64 {
	n, _ := strconv.ParseInt(strings.TrimSpace(o.Text(key)), 10, 64)
	return n
}

// Bool returns a truth value.
func (o *Options) Bool(key string) bool {
	b, _ := parseBool(o.Text(key))
	return b
}

// Duration returns a span of time.
func (o *Options) Duration(key string) time.Duration {
	d, _ := ParseDuration(o.Text(key))
	return d
}

// Size returns a number of bytes.
func (o *Options) Size(key string) int64 {
	n, _ := ParseSize(o.Text(key))
	return n
}

// List returns the parts of a list.
func (o *Options) List(key string) []string {
	var parts []string
	for p := range strings.SplitSeq(o.Text(key), ";") {
		if p = strings.TrimSpace(p); p != "" {
			parts = append(parts, p)
		}
	}
	return parts
}

// Under returns the options whose key begins with a prefix, without it.
func (o *Options) Under(prefix string) map[string]string {
	m := make(map[string]string)
	for k, v := range o.values {
		if rest, ok := strings.CutPrefix(k, prefix); ok {
			m[rest] = v
		}
	}
	return m
}

// Wrong returns an error about an option.
func (o *Options) Wrong(key, reason string) error {
	return &OptionError{Table: o.table, Key: key, Reason: reason}
}

func parseBool(s string) (bool, error) {
	switch strings.ToLower(strings.TrimSpace(s)) {
	case "true":
		return true, nil
	case "false", "":
		return false, nil
	default:
		return false, fmt.Errorf("%q is neither true nor false", s)
	}
}

// ParseDuration reads a span of time as Flink writes it: 10 s, 5min, 100 ms, or
// a number of milliseconds.
func ParseDuration(s string) (time.Duration, error) {
	number, unit := splitUnit(s)
	if s == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%q is not a duration such as '10 s' or '500 ms'", s)
	}
	var scale time.Duration
	switch unit {
	case "d", "day", "days":
		scale = 24 * time.Hour
	case "h", "hour", "hours":
		scale = time.Hour
	case "min", "m", "minute", "minutes":
		scale = time.Minute
	case "s", "sec", "secs", "second", "seconds":
		scale = time.Second
	case "", "ms", "milli", "millis", "millisecond", "milliseconds":
		scale = time.Millisecond
	case "µs", "us", "micro", "micros", "microsecond", "microseconds":
		scale = time.Microsecond
	case "ns", "nano", "nanos", "nanosecond", "nanoseconds":
		scale = time.Nanosecond
	default:
		return 0, fmt.Errorf("%q has no unit of time that is known (d, h, min, s, ms)", s)
	}
	if n > int64(1<<62)/int64(scale) || n < 0 {
		return 0, fmt.Errorf("%q is out of range", s)
	}
	return time.Duration(n) * scale, nil
}

// ParseSize reads a number of bytes as Flink writes it: 2mb, 512 kb, 1 g.
func ParseSize(s string) (int64, error) {
	number, unit := splitUnit(s)
	if s == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%q is not a size such as '2mb'", s)
	}
	var shift uint
	switch unit {
	case "", "b", "bytes":
	case "k", "kb", "kibibytes":
		shift = 10
	case "m", "mb", "mebibytes":
		shift = 20
	case "g", "gb", "gibibytes":
		shift = 30
	case "t", "tb", "tebibytes":
		shift = 40
	default:
		return 0, fmt.Errorf("%q has no unit of size that is known (b, kb, mb, gb)", s)
	}
	if n < -1 || n > int64(1<<62)>>shift {
		return 0, fmt.Errorf("%q is out of range", s)
	}
	if n < 0 {
		return n, nil
	}
	return n << shift, nil
}

func splitUnit(s string) (number, unit string) {
	s = strings.ToLower(strings.TrimSpace(s))
	at := 0
	for at < len(s) && (s[at] >= '0' && s[at] <= '9' || at == 0 && s[at] == '-') {
		at++
	}
	return s[:at], strings.TrimSpace(s[at:])
}
