package eval

import (
	"strings"
	"time"
	"unicode/utf8"

	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/datum"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

// toText is CAST to CHAR, VARCHAR and STRING.
func (c *compiler) toText(to types.Type) convert {
	zone := c.env.Zone
	fit := fitText(to)
	if to.Kind == types.Char && to.Length > maxText {
		return func(*column.Vector, int, *column.Vector, int) error { return errTooLong }
	}
	return func(v *column.Vector, j int, out *column.Vector, i int) error {
		if column.LayoutOf(v.Type) == column.Strs {
			s := v.Strs[j]
			if v.Type.Kind.IsBinary() {
				s = validText(s)
			}
			out.Strs[i] = fit(s)
			return nil
		}
		scratch := out.Scratch()
		at := len(scratch)
		scratch = AppendText(scratch, v, j, zone)
		out.Keep(i, scratch, at)
		out.Strs[i] = fit(out.Strs[i])
		return nil
	}
}

// fitText cuts to VARCHAR(n), and pads to CHAR(n).
func fitText(to types.Type) func(string) string {
	if to.Length == types.MaxLength {
		return func(s string) string { return s }
	}
	return func(s string) string {
		if len(s) <= to.Length && to.Kind == types.Varchar {
			return s
		}
		n := utf8.RuneCountInString(s)
		switch {
		case n > to.Length:
			return s[:byteOffset(s, to.Length)]
		case n < to.Length && to.Kind == types.Char:
			return s + strings.Repeat(" ", to.Length-n)
		default:
			return s
		}
	}
}

// byteOffset returns where character n of s begins.
func byteOffset(s string, n int) int {
	if n <= 0 {
		return 0
	}
	for at := range s {
		if n == 0 {
			return at
		}
		n--
	}
	return len(s)
}

// AppendText appends row i as CAST(… AS STRING) prints it; the row is not NULL.
func AppendText(b []byte, v *column.Vector, i int, zone *time.Location) []byte {
	switch column.LayoutOf(v.Type) {
	case column.Bools:
		if v.Bools[i] {
			return append(b, "TRUE"...)
		}
		return append(b, "FALSE"...)
	case column.Ints:
		return appendIntText(b, v.Ints[i], v.Type)
	case column.Floats:
		bits := 64
		if v.Type.Kind == types.Float {
			bits = 32
		}
		return datum.AppendDouble(b, v.Floats[i], bits)
	case column.Decs:
		return datum.AppendDecimal(b, v.Decs[i], v.Type.Scale)
	case column.Times:
		t := v.Time(i)
		if v.Type.Kind == types.TimestampLTZ {
			t = inZone(t, zone)
		}
		return datum.AppendTimestamp(b, t, ' ', v.Type.Precision)
	case column.Lists:
		return appendElements(append(b, '['), v, i, zone, ']')
	case column.Maps:
		return appendMapText(b, v, i, zone)
	case column.Rows:
		b = append(b, '(')
		for k, f := range v.Fields {
			if k > 0 {
				b = append(b, ", "...)
			}
			b = appendOrNull(b, f, i, zone)
		}
		return append(b, ')')
	case column.Strs:
		return append(b, v.Strs[i]...)
	default:
		return append(b, "NULL"...)
	}
}

func appendIntText(b []byte, n int64, t types.Type) []byte {
	switch t.Kind {
	case types.Date:
		return datum.AppendDate(b, n)
	case types.Time:
		return datum.AppendTime(b, n, 0, t.Precision)
	case types.IntervalYearMonth:
		sign := byte('+')
		if n < 0 {
			sign, n = '-', -n
		}
		b = datum.AppendInt(append(b, sign), n/12)
		if n%12 < 10 {
			return append(b, '-', '0', byte('0'+n%12))
		}
		return datum.AppendInt(append(b, '-'), n%12)
	case types.IntervalDayTime:
		sign := byte('+')
		if n < 0 {
			sign, n = '-', -n
		}
		b = datum.AppendInt(append(b, sign), n/datum.MillisPerDay)
		return datum.AppendTime(append(b, ' '), n%datum.MillisPerDay, 0, 3)
	default:
		return datum.AppendInt(b, n)
	}
}

func appendOrNull(b []byte, v *column.Vector, i int, zone *time.Location) []byte {
	if v == nil || v.IsNull(i) {
		return append(b, "NULL"...)
	}
	return AppendText(b, v, i, zone)
}

func appendElements(b []byte, v *column.Vector, i int, zone *time.Location, end byte) []byte {
	s := v.Spans[i]
	for k := range int(s.Len) {
		if k > 0 {
			b = append(b, ", "...)
		}
		b = appendOrNull(b, v.Elem, int(s.Start)+k, zone)
	}
	return append(b, end)
}

func appendMapText(b []byte, v *column.Vector, i int, zone *time.Location) []byte {
	s := v.Spans[i]
	b = append(b, '{')
	for k := range int(s.Len) {
		if k > 0 {
			b = append(b, ", "...)
		}
		b = appendOrNull(b, v.Key, int(s.Start)+k, zone)
		b = appendOrNull(append(b, '='), v.Elem, int(s.Start)+k, zone)
	}
	return append(b, '}')
}
