package jsondoc

import (
	"strconv"
	"unicode/utf8"
)

const hexDigits = "0123456789abcdef"

// AppendString appends s as a JSON string.
func AppendString[T string | []byte](dst []byte, s T) []byte {
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			if c >= 0x20 && c != '"' && c != '\\' {
				i++
				continue
			}
			dst = append(dst, s[start:i]...)
			dst = appendEscape(dst, c)
			i++
			start = i
			continue
		}
		r, n := utf8.DecodeRuneInString(string(s[i:min(i+utf8.UTFMax, len(s))]))
		if r == utf8.RuneError && n == 1 {
			dst = append(dst, s[start:i]...)
			dst = append(dst, `\ufffd`...)
			i++
			start = i
			continue
		}
		i += n
	}
	dst = append(dst, s[start:]...)
	return append(dst, '"')
}

func appendEscape(dst []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\n':
		return append(dst, '\\', 'n')
	case '\r':
		return append(dst, '\\', 'r')
	case '\t':
		return append(dst, '\\', 't')
	}
	return append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
}

// Append writes the value as compact JSON.
func (v *Value) Append(dst []byte) []byte { return v.write(dst, -1) }

// AppendPretty writes the value indented by two spaces a level.
func (v *Value) AppendPretty(dst []byte) []byte { return v.write(dst, 0) }

func (v *Value) write(dst []byte, level int) []byte {
	if v == nil {
		return append(dst, "null"...)
	}
	switch v.Kind {
	case Bool:
		return strconv.AppendBool(dst, v.B)
	case Num, Raw:
		return append(dst, v.S...)
	case StringKind:
		return AppendString(dst, v.S)
	case Array:
		dst = append(dst, '[')
		for i, x := range v.Items {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = newline(dst, level, 1)
			dst = x.write(dst, deeper(level))
		}
		if len(v.Items) > 0 {
			dst = newline(dst, level, 0)
		}
		return append(dst, ']')
	case Object:
		dst = append(dst, '{')
		for i, x := range v.Items {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = newline(dst, level, 1)
			dst = AppendString(dst, v.Keys[i])
			if level >= 0 {
				dst = append(dst, " : "...)
			} else {
				dst = append(dst, ':')
			}
			dst = x.write(dst, deeper(level))
		}
		if len(v.Items) > 0 {
			dst = newline(dst, level, 0)
		}
		return append(dst, '}')
	}
	return append(dst, "null"...)
}

func deeper(level int) int {
	if level < 0 {
		return level
	}
	return level + 1
}

func newline(dst []byte, level, add int) []byte {
	if level < 0 {
		return dst
	}
	dst = append(dst, '\n')
	for range level + add {
		dst = append(dst, ' ', ' ')
	}
	return dst
}

// Encode returns the value as compact JSON.
func (v *Value) Encode() []byte { return v.Append(nil) }

// Equal reports whether two values hold the same JSON; the order of members
// does not matter, 1 and 1.0 are different.
func Equal(a, b *Value) bool {
	if a == nil || b == nil || a.Kind != b.Kind {
		return a.IsNull() && b.IsNull()
	}
	switch a.Kind {
	case Bool:
		return a.B == b.B
	case Num, StringKind, Raw:
		return a.S == b.S
	}
	if len(a.Items) != len(b.Items) {
		return false
	}
	for i, x := range a.Items {
		y := b.Items[i]
		if a.Kind == Object {
			y = b.Get(a.Keys[i])
			if y == nil {
				return false
			}
		}
		if !Equal(x, y) {
			return false
		}
	}
	return true
}

// Merge returns old with patch's members laid over it, object by object.
func Merge(old, patch *Value) *Value {
	if !old.Is(Object) || !patch.Is(Object) {
		return patch
	}
	out := &Value{Kind: Object, Keys: append([]string(nil), old.Keys...), Items: append([]*Value(nil), old.Items...)}
	for i, k := range patch.Keys {
		if prev := out.Get(k); prev != nil {
			out.Set(k, Merge(prev, patch.Items[i]))
			continue
		}
		out.Set(k, patch.Items[i])
	}
	return out
}
