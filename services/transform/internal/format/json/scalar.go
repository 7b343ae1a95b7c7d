package json

import (
	"encoding/base64"
	"errors"
	"fmt"
	"math"
	"math/big"
	"strings"
	"unicode/utf8"

	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/datum"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

// scalar decodes a value that is no ROW or collection; it is not null.
func (d *Decoder) scalar(f *field, data []byte, p, row, depth int) (int, error) {
	switch c := data[p]; {
	case c == '"':
		t, end, err := scanString(data, p+1)
		if err != nil {
			return end, err
		}
		return end, d.text(f, data, t, row)
	case c == '-' || c-'0' < 10:
		end, integer, err := scanNumber(data, p)
		if err != nil {
			return end, err
		}
		return end, d.number(f, data[p:end], integer, row)
	case c == 't' || c == 'f':
		end, err := scanWord(data, p)
		if err != nil {
			return end, err
		}
		if f.layout == column.Bools {
			f.vec.Bools[row] = c == 't'
			f.vec.SetNotNull(row)
			return end, nil
		}
		return end, d.plain(f, column.View(data[p:end]), row)
	case c == '{' || c == '[':
		end, err := skip(data, p, depth)
		if err != nil {
			return end, err
		}
		if !f.typ.Kind.IsCharacter() {
			return end, fmt.Errorf("an object or array is no %s", f.typ.Kind)
		}
		scratch := f.vec.Scratch()
		at := len(scratch)
		f.vec.Keep(row, compact(scratch, data[p:end]), at)
		f.vec.SetNotNull(row)
		return end, nil
	default:
		return p, unexpected(data, p, "a value")
	}
}

// text sets a row from a JSON string.
func (d *Decoder) text(f *field, data []byte, t text, row int) error {
	raw := data[t.start:t.end]
	if t.foreign && !utf8.Valid(raw) {
		return errUTF8
	}
	if f.typ.Kind.IsCharacter() {
		f.vec.SetNotNull(row)
		if !t.escaped {
			f.vec.Strs[row] = column.View(raw)
			return nil
		}
		scratch := f.vec.Scratch()
		at := len(scratch)
		out, err := Unescape(scratch, raw)
		if err != nil {
			return err
		}
		f.vec.Keep(row, out, at)
		return nil
	}
	if t.escaped {
		out, err := Unescape(nil, raw)
		if err != nil {
			return err
		}
		raw = out
	}
	return d.plain(f, column.View(raw), row)
}

// number sets a row from a JSON number.
func (d *Decoder) number(f *field, raw []byte, integer bool, row int) error {
	if k := f.typ.Kind; integer && (k == types.Int || k == types.BigInt) {
		if v, ok := smallInt(raw); ok && (k == types.BigInt || v >= math.MinInt32 && v <= math.MaxInt32) {
			f.vec.Ints[row] = v
			f.vec.SetNotNull(row)
			return nil
		}
		return fmt.Errorf("number %s is out of range of %s", raw, k)
	} else if k == types.Int || k == types.BigInt {
		v, err := datum.ParseDouble(column.View(raw), 64)
		low, high := float64(math.MinInt32), float64(math.MaxInt32)
		if k == types.BigInt {
			low, high = math.MinInt64, math.MaxInt64
		}
		if err != nil || v < low || v > high {
			return fmt.Errorf("number %s is out of range of %s", raw, k)
		}
		f.vec.Ints[row] = int64(v)
		f.vec.SetNotNull(row)
		return nil
	}
	return d.plain(f, column.View(raw), row)
}

// smallInt reads an integer of at most 64 bits.
func smallInt(raw []byte) (int64, bool) {
	if len(raw) > 18 {
		v, err := datum.ParseInt(column.View(raw), 64)
		return v, err == nil
	}
	i, negative := 0, raw[0] == '-'
	if negative {
		i = 1
	}
	var v int64
	for ; i < len(raw); i++ {
		v = v*10 + int64(raw[i]-'0')
	}
	if negative {
		v = -v
	}
	return v, true
}

// plain sets a row from the text of a scalar of any kind, as Flink coerces it.
// The text lies in the record.
func (d *Decoder) plain(f *field, s string, row int) error {
	v := f.vec
	var err error
	switch k := f.typ.Kind; k {
	case types.Char, types.Varchar:
		v.Strs[row] = s
	case types.Boolean:
		v.Bools[row] = strings.EqualFold(datum.TrimSpace(s), "true")
	case types.TinyInt, types.SmallInt, types.Int, types.BigInt:
		v.Ints[row], err = datum.ParseInt(datum.TrimSpace(s), bitsOf(k))
	case types.Float:
		v.Floats[row], err = datum.ParseDouble(s, 32)
	case types.Double:
		v.Floats[row], err = datum.ParseDouble(s, 64)
	case types.Decimal:
		return d.decimal(f, s, row)
	case types.Binary, types.Varbinary:
		var raw []byte
		if raw, err = base64.StdEncoding.DecodeString(s); err == nil {
			v.SetBytes(row, raw)
		}
	default:
		err = d.temporal(f, s, row)
	}
	if err != nil {
		return fmt.Errorf("%q is no %s", shorten(s), f.typ.Kind)
	}
	v.SetNotNull(row)
	return nil
}

func bitsOf(k types.Kind) int { return [...]int{8, 16, 32, 64}[k-types.TinyInt] }

func shorten(s string) string {
	if len(s) > 100 {
		return s[:100] + "…"
	}
	return s
}

func (d *Decoder) decimal(f *field, s string, row int) error {
	unscaled, scale, err := datum.ParseDecimal(datum.TrimSpace(s))
	if err != nil || scale < -1000 {
		return fmt.Errorf("%q is no DECIMAL", shorten(s))
	}
	unscaled = datum.Rescale(unscaled, scale, f.typ.Scale)
	if !datum.Fits(unscaled, f.typ.Precision) {
		f.vec.SetNull(row) // as DecimalData.fromBigDecimal
		return nil
	}
	f.vec.Decs[row] = new(big.Int).Set(unscaled)
	f.vec.SetNotNull(row)
	return nil
}

var errTemporal = errors.New("not a date or time")

func (d *Decoder) temporal(f *field, s string, row int) error {
	switch f.typ.Kind {
	case types.Date:
		days, ok := datum.ParseStrictDate(s)
		if !ok {
			return errTemporal
		}
		f.vec.Ints[row] = days
	case types.Time:
		ofDay, _, n, ok := datum.ParseTime(s)
		if !ok || n != len(s) || n < 8 {
			return errTemporal
		}
		f.vec.Ints[row] = ofDay
	case types.Timestamp, types.TimestampLTZ:
		t, err := d.timestamp(s, f.typ.Kind == types.TimestampLTZ)
		if err != nil {
			return err
		}
		f.vec.SetTime(row, Cut(t, f.typ.Precision))
	default:
		return errTemporal
	}
	return nil
}

// Cut takes off the fraction digits behind the precision.
func Cut(t types.TimestampValue, precision int) types.TimestampValue {
	step := int64(1)
	for range max(0, 9-precision) {
		step *= 10
	}
	if step <= 1_000_000 {
		t.Nanos -= t.Nanos % int32(step)
		return t
	}
	t.Nanos = 0
	days, ofDay := datum.Split(t.Millis)
	t.Millis = days*datum.MillisPerDay + ofDay - ofDay%(step/1_000_000)
	return t
}

func (d *Decoder) timestamp(s string, local bool) (types.TimestampValue, error) {
	separators := "T"
	if d.opt.TimestampStandard == "" || d.opt.TimestampStandard == SQL {
		separators = " "
	}
	if len(s) < 19 || s[10] != separators[0] || s[4] != '-' {
		return types.TimestampValue{}, errTemporal
	}
	t, rest, ok := datum.ParseTimestamp(s, separators)
	if !ok {
		return t, errTemporal
	}
	switch {
	case local && d.opt.TimestampStandard == ISO8601Offset:
		offset, ok := zoneOffset(rest)
		if !ok {
			return t, errTemporal
		}
		t.Millis -= offset
	case local && rest != "Z", !local && rest != "":
		return t, errTemporal
	}
	return t, nil
}

// zoneOffset reads Z, +08:00 or +0800 as milliseconds.
func zoneOffset(s string) (int64, bool) {
	if s == "Z" {
		return 0, true
	}
	if len(s) < 3 || s[0] != '+' && s[0] != '-' {
		return 0, false
	}
	ofDay, _, n, ok := datum.ParseTime(strings.Replace(s[1:], ":", "", 1)[:2] + ":" + strings.Replace(s[1:], ":", "", 1)[2:])
	if !ok || n == 0 {
		return 0, false
	}
	if s[0] == '-' {
		ofDay = -ofDay
	}
	return ofDay, true
}
