package jsondoc

import (
	"fmt"
	"math"
	"strconv"
	"unicode/utf8"
)

// Kind is the kind of a JSON value.
type Kind uint8

// The kinds. Raw is JSON text that is written as it is.
const (
	Null Kind = iota
	Bool
	Num
	StringKind
	Array
	Object
	Raw
)

// Value is a JSON value; objects keep the order of their members.
type Value struct {
	Kind  Kind
	B     bool
	S     string // text of a string, literal of a number, JSON of a raw value
	Keys  []string
	Items []*Value
}

// Str returns a string value.
func Str(s string) *Value { return &Value{Kind: StringKind, S: s} }

// Int returns an integer value.
func Int[T int | int64 | uint32 | uint64 | int32](n T) *Value {
	return &Value{Kind: Num, S: strconv.FormatInt(int64(n), 10)}
}

// Boolean returns a boolean value.
func Boolean(b bool) *Value { return &Value{Kind: Bool, B: b} }

// Float returns a number as Java prints doubles in JSON; a number that JSON
// cannot hold becomes a string.
func Float(f float64) *Value {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		switch {
		case math.IsNaN(f):
			return Str("NaN")
		case f > 0:
			return Str("Infinity")
		}
		return Str("-Infinity")
	}
	return &Value{Kind: Num, S: FormatFloat(f, 64)}
}

// FormatFloat prints a float as Java does: always with a decimal point, with
// an exponent from 1e7 and below 1e-3.
func FormatFloat(f float64, bits int) string {
	abs := math.Abs(f)
	if abs != 0 && (abs < 1e-3 || abs >= 1e7) {
		s := strconv.FormatFloat(f, 'E', -1, bits)
		m, e := s, ""
		for i := range len(s) {
			if s[i] == 'E' {
				m, e = s[:i], s[i+1:]
			}
		}
		if !contains(m, '.') {
			m += ".0"
		}
		n, err := strconv.Atoi(e)
		if err != nil {
			return s
		}
		return m + "E" + strconv.Itoa(n)
	}
	s := strconv.FormatFloat(f, 'f', -1, bits)
	if !contains(s, '.') {
		s += ".0"
	}
	return s
}

func contains(s string, c byte) bool {
	for i := range len(s) {
		if s[i] == c {
			return true
		}
	}
	return false
}

// NullValue returns null.
func NullValue() *Value { return &Value{} }

// RawJSON returns a value that is written as the given JSON text.
func RawJSON(b []byte) *Value { return &Value{Kind: Raw, S: string(b)} }

// Arr returns an array.
func Arr(items ...*Value) *Value { return &Value{Kind: Array, Items: items} }

// Strs returns an array of strings.
func Strs(list []string) *Value {
	a := Arr()
	for _, s := range list {
		a.Add(Str(s))
	}
	return a
}

// Obj returns an object from pairs of names and Go values or Values.
func Obj(pairs ...any) *Value {
	o := &Value{Kind: Object}
	for i := 0; i+1 < len(pairs); i += 2 {
		name, ok := pairs[i].(string)
		if !ok {
			continue
		}
		o.Keys = append(o.Keys, name)
		o.Items = append(o.Items, Of(pairs[i+1]))
	}
	return o
}

// Of turns a plain Go value into a Value.
func Of(x any) *Value {
	switch v := x.(type) {
	case *Value:
		if v == nil {
			return NullValue()
		}
		return v
	case nil:
		return NullValue()
	case string:
		return Str(v)
	case bool:
		return Boolean(v)
	case int:
		return Int(v)
	case int64:
		return Int(v)
	case float64:
		return Float(v)
	case []string:
		return Strs(v)
	}
	return Str(fmt.Sprint(x))
}

// Set adds or replaces a member and returns the object.
func (v *Value) Set(key string, x *Value) *Value {
	for i, k := range v.Keys {
		if k == key {
			v.Items[i] = x
			return v
		}
	}
	v.Keys = append(v.Keys, key)
	v.Items = append(v.Items, x)
	return v
}

// Delete removes a member.
func (v *Value) Delete(key string) {
	for i, k := range v.Keys {
		if k == key {
			v.Keys = append(v.Keys[:i:i], v.Keys[i+1:]...)
			v.Items = append(v.Items[:i:i], v.Items[i+1:]...)
			return
		}
	}
}

// Add adds items to an array.
func (v *Value) Add(x ...*Value) { v.Items = append(v.Items, x...) }

// Get returns a member of an object, or nil.
func (v *Value) Get(key string) *Value {
	if v == nil || v.Kind != Object {
		return nil
	}
	for i, k := range v.Keys {
		if k == key {
			return v.Items[i]
		}
	}
	return nil
}

// At follows member names.
func (v *Value) At(path ...string) *Value {
	for _, p := range path {
		v = v.Get(p)
	}
	return v
}

// Is reports whether the value is there and of a kind.
func (v *Value) Is(k Kind) bool { return v != nil && v.Kind == k }

// IsNull reports whether the value is absent or null.
func (v *Value) IsNull() bool { return v == nil || v.Kind == Null }

// Scalar reports whether the value is a string, number or boolean.
func (v *Value) Scalar() bool {
	return v != nil && (v.Kind == StringKind || v.Kind == Num || v.Kind == Bool)
}

// Text returns a scalar as text: the string, the number as written, or the
// boolean's word; "" for anything else.
func (v *Value) Text() string {
	if v == nil {
		return ""
	}
	switch v.Kind {
	case StringKind, Num:
		return v.S
	case Bool:
		return strconv.FormatBool(v.B)
	}
	return ""
}

// Float64 reads a number, also one in a string.
func (v *Value) Float64() (float64, bool) {
	if v == nil || v.Kind != Num && v.Kind != StringKind {
		return 0, false
	}
	f, err := strconv.ParseFloat(v.S, 64)
	return f, err == nil
}

// Int64 reads an integer, also one in a string or written as a whole float.
func (v *Value) Int64() (int64, bool) {
	if v == nil || v.Kind != Num && v.Kind != StringKind {
		return 0, false
	}
	if n, err := strconv.ParseInt(v.S, 10, 64); err == nil {
		return n, true
	}
	f, err := strconv.ParseFloat(v.S, 64)
	if err != nil || f != math.Trunc(f) || math.Abs(f) > 1<<62 {
		return 0, false
	}
	return int64(f), true
}

// Truth reads a boolean, also one in a string.
func (v *Value) Truth() (b, ok bool) {
	if v == nil {
		return false, false
	}
	if v.Kind == Bool {
		return v.B, true
	}
	if v.Kind == StringKind && (v.S == "true" || v.S == "false") {
		return v.S == "true", true
	}
	return false, false
}

// List returns the items of an array, or the value itself as the only item.
func (v *Value) List() []*Value {
	if v == nil {
		return nil
	}
	if v.Kind == Array {
		return v.Items
	}
	return []*Value{v}
}

// Texts returns the texts of an array's or a single value's scalars.
func (v *Value) Texts() []string {
	var out []string
	for _, x := range v.List() {
		if x.Scalar() {
			out = append(out, x.Text())
		}
	}
	return out
}

// Parse reads one JSON value and nothing behind it.
func Parse(b []byte) (*Value, error) {
	if !utf8.Valid(b) {
		return nil, &SyntaxError{Reason: "invalid UTF-8"}
	}
	v, i, err := parse(b, Space(b, 0), 0)
	if err != nil {
		return nil, err
	}
	if i = Space(b, i); i < len(b) {
		return nil, Fail(b, i, "unexpected text behind the value")
	}
	return v, nil
}

func parse(b []byte, i, depth int) (*Value, int, error) {
	if i >= len(b) {
		return nil, i, Fail(b, i, "")
	}
	switch c := b[i]; {
	case c == '"':
		s, next, err := parseString(b, i)
		return &Value{Kind: StringKind, S: s}, next, err
	case c == '{' || c == '[':
		if depth >= MaxDepth {
			return nil, i, Fail(b, i, "nesting is too deep")
		}
		if c == '{' {
			return parseObject(b, i, depth)
		}
		return parseArray(b, i, depth)
	case c == '-' || c >= '0' && c <= '9':
		next, _, err := Number(b, i)
		if err != nil {
			return nil, next, err
		}
		return &Value{Kind: Num, S: string(b[i:next])}, next, nil
	}
	next, err := Literal(b, i)
	if err != nil {
		return nil, next, err
	}
	if b[i] == 'n' {
		return &Value{}, next, nil
	}
	return Boolean(b[i] == 't'), next, nil
}

func parseString(b []byte, i int) (string, int, error) {
	raw, esc, next, err := String(b, i)
	if err != nil {
		return "", next, err
	}
	if esc {
		raw = Unescape(make([]byte, 0, len(raw)), raw)
	}
	return string(raw), next, nil
}

func parseArray(b []byte, i, depth int) (*Value, int, error) {
	v := &Value{Kind: Array}
	i = Space(b, i+1)
	if i < len(b) && b[i] == ']' {
		return v, i + 1, nil
	}
	for {
		x, next, err := parse(b, Space(b, i), depth+1)
		if err != nil {
			return nil, next, err
		}
		v.Items = append(v.Items, x)
		i = Space(b, next)
		if i < len(b) && b[i] == ']' {
			return v, i + 1, nil
		}
		if i >= len(b) || b[i] != ',' {
			return nil, i, Fail(b, i, "expected a comma or ]")
		}
		i++
	}
}

func parseObject(b []byte, i, depth int) (*Value, int, error) {
	v := &Value{Kind: Object}
	i = Space(b, i+1)
	if i < len(b) && b[i] == '}' {
		return v, i + 1, nil
	}
	for {
		i = Space(b, i)
		key, next, err := parseString(b, i)
		if err != nil {
			return nil, next, err
		}
		if len(v.Keys) < 64 && v.Get(key) != nil {
			return nil, i, Fail(b, i, fmt.Sprintf("duplicate field '%s'", key))
		}
		if next = Space(b, next); next >= len(b) || b[next] != ':' {
			return nil, next, Fail(b, next, "expected a colon")
		}
		x, next, err := parse(b, Space(b, next+1), depth+1)
		if err != nil {
			return nil, next, err
		}
		v.Keys = append(v.Keys, key)
		v.Items = append(v.Items, x)
		i = Space(b, next)
		if i < len(b) && b[i] == '}' {
			return v, i + 1, nil
		}
		if i >= len(b) || b[i] != ',' {
			return nil, i, Fail(b, i, "expected a comma or }")
		}
		i++
	}
}
