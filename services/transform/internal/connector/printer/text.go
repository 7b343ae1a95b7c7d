package printer

import (
	"strconv"
	"time"

	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/datum"
	"github.com/weirflow/weirflow/services/transform/internal/eval"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

// appendValue appends a value as Java's toString renders it.
func appendValue(b []byte, v *column.Vector, i int) []byte {
	if v == nil || v.IsNull(i) {
		return append(b, "null"...)
	}
	switch column.LayoutOf(v.Type) {
	case column.Bools:
		return strconv.AppendBool(b, v.Bools[i])
	case column.Ints:
		if v.Type.Kind == types.Time {
			return appendClock(b, v.Ints[i], 0)
		}
		return eval.AppendText(b, v, i, time.UTC)
	case column.Times:
		t := v.Time(i)
		days, ofDay := datum.Split(t.Millis)
		b = append(datum.AppendDate(b, days), 'T')
		if v.Type.Kind == types.TimestampLTZ {
			return append(appendFraction(datum.AppendTime(b, ofDay-ofDay%1000, 0, 0), ofDay%1000, t.Nanos), 'Z')
		}
		return appendClock(b, ofDay, t.Nanos)
	case column.Strs:
		if v.Type.Kind.IsBinary() {
			return appendBytes(b, v.Strs[i])
		}
		return append(b, v.Strs[i]...)
	case column.Lists:
		b = append(b, '[')
		for k := range int(v.Spans[i].Len) {
			if k > 0 {
				b = append(b, ", "...)
			}
			b = appendValue(b, v.Elem, int(v.Spans[i].Start)+k)
		}
		return append(b, ']')
	case column.Maps:
		b = append(b, '{')
		for k := range int(v.Spans[i].Len) {
			if k > 0 {
				b = append(b, ", "...)
			}
			at := int(v.Spans[i].Start) + k
			b = append(appendValue(b, v.Key, at), '=')
			b = appendValue(b, v.Elem, at)
		}
		return append(b, '}')
	case column.Rows:
		b = append(b, "+I["...)
		for k, f := range v.Fields {
			if k > 0 {
				b = append(b, ", "...)
			}
			b = appendValue(b, f, i)
		}
		return append(b, ']')
	default:
		return eval.AppendText(b, v, i, time.UTC)
	}
}

// appendClock appends a time of day; seconds that are zero are left out.
func appendClock(b []byte, ofDay int64, nanos int32) []byte {
	text := datum.AppendTime(b, ofDay-ofDay%1000, 0, 0)
	if ofDay%60_000 == 0 && nanos == 0 {
		return text[:len(text)-len(":00")]
	}
	return appendFraction(text, ofDay%1000, nanos)
}

// appendFraction appends the part of a second as 3, 6 or 9 digits.
func appendFraction(b []byte, millis int64, nanos int32) []byte {
	all := millis*1_000_000 + int64(nanos)
	if all == 0 {
		return b
	}
	digits := strconv.FormatInt(1_000_000_000+all, 10)[1:]
	switch {
	case all%1_000_000 == 0:
		digits = digits[:3]
	case all%1_000 == 0:
		digits = digits[:6]
	}
	return append(append(b, '.'), digits...)
}

// appendBytes appends bytes as signed numbers.
func appendBytes(b []byte, s string) []byte {
	b = append(b, '[')
	for k := range len(s) {
		if k > 0 {
			b = append(b, ", "...)
		}
		b = strconv.AppendInt(b, int64(int8(s[k])), 10)
	}
	return append(b, ']')
}
