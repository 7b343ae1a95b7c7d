package csv

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"strings"

	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/datum"
	"github.com/weirflow/weirflow/services/transform/internal/format/json"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

// set sets a row, which is NULL so far, from the text of a value.
func (d *Decoder) set(v *column.Vector, row int, text []byte) error {
	if d.opt.HasNull && string(text) == d.opt.NullLiteral {
		return nil
	}
	switch column.LayoutOf(v.Type) {
	case column.Lists:
		return d.list(v, row, text)
	case column.Rows:
		return d.nested(v, row, text)
	case column.Nothing:
		return nil
	default:
	}
	if v.Type.Kind.IsCharacter() {
		if d.copied {
			v.SetBytes(row, text)
		} else {
			v.Strs[row] = column.View(text)
		}
		v.SetNotNull(row)
		return nil
	}
	null, err := scalar(v, row, column.View(text))
	if err != nil {
		return fmt.Errorf("%q is no %s", shorten(text), v.Type.Kind)
	}
	if !null {
		v.SetNotNull(row)
	}
	return nil
}

func shorten(b []byte) string {
	if len(b) > 100 {
		return string(b[:100]) + "…"
	}
	return string(b)
}

var errForm = errors.New("not of the form that is wanted")

// scalar sets a value that is no text; null says that it must be NULL instead.
func scalar(v *column.Vector, row int, s string) (null bool, err error) {
	switch k := v.Type.Kind; k {
	case types.Boolean:
		v.Bools[row] = strings.EqualFold(datum.TrimSpace(s), "true")
	case types.TinyInt:
		v.Ints[row], err = datum.ParseInt(datum.TrimSpace(s), 8)
	case types.SmallInt:
		v.Ints[row], err = datum.ParseInt(datum.TrimSpace(s), 16)
	case types.Int, types.IntervalYearMonth:
		v.Ints[row], err = datum.ParseInt(datum.TrimSpace(s), 32)
	case types.BigInt, types.IntervalDayTime:
		v.Ints[row], err = datum.ParseInt(datum.TrimSpace(s), 64)
	case types.Float:
		v.Floats[row], err = datum.ParseDouble(datum.TrimSpace(s), 32)
	case types.Double:
		v.Floats[row], err = datum.ParseDouble(datum.TrimSpace(s), 64)
	case types.Decimal:
		return decimal(v, row, s)
	case types.Binary, types.Varbinary:
		var raw []byte
		if raw, err = base64.StdEncoding.DecodeString(s); err == nil {
			v.SetBytes(row, raw)
		}
	default:
		err = temporal(v, row, s)
	}
	return false, err
}

func decimal(v *column.Vector, row int, s string) (null bool, err error) {
	unscaled, scale, err := datum.ParseDecimal(s)
	if err != nil || scale < -1000 || scale > 1000 {
		return false, errForm
	}
	unscaled = datum.Rescale(unscaled, scale, v.Type.Scale)
	if !datum.Fits(unscaled, v.Type.Precision) {
		return true, nil // as DecimalData.fromBigDecimal
	}
	v.Decs[row] = new(big.Int).Set(unscaled)
	return false, nil
}

func temporal(v *column.Vector, row int, s string) error {
	switch v.Type.Kind {
	case types.Date:
		days, n, ok := datum.ParseDate(s)
		if !ok || n != len(s) {
			return errForm
		}
		v.Ints[row] = days
	case types.Time:
		ofDay, _, n, ok := datum.ParseTime(s)
		if !ok || n != len(s) || n < 5 {
			return errForm
		}
		step := int64(1000)
		for range v.Type.Precision {
			step /= 10
		}
		v.Ints[row] = ofDay - ofDay%max(1, step)
	case types.Timestamp, types.TimestampLTZ:
		s = datum.TrimSpace(s)
		if len(s) < 19 || s[4] != '-' || s[10] != ' ' {
			return errForm
		}
		t, rest, ok := datum.ParseTimestamp(s, " ")
		want := ""
		if v.Type.Kind == types.TimestampLTZ {
			want = "Z"
		}
		if !ok || rest != want {
			return errForm
		}
		v.SetTime(row, json.Cut(t, v.Type.Precision))
	default:
		return errForm
	}
	return nil
}

// list sets an ARRAY from elements with their own delimiter between them.
func (d *Decoder) list(v *column.Vector, row int, text []byte) error {
	start := v.Elem.Len
	for part := range d.parts(text) {
		extendNull(v.Elem, 1)
		if err := d.element(v.Elem, v.Elem.Len-1, part); err != nil {
			return err
		}
	}
	v.Spans[row] = column.Span{Start: int32(start), Len: int32(v.Elem.Len - start)}
	v.SetNotNull(row)
	return nil
}

// nested sets a ROW, whose fields stand in the record like the elements of an ARRAY.
func (d *Decoder) nested(v *column.Vector, row int, text []byte) error {
	n := 0
	for part := range d.parts(text) {
		if n < len(v.Fields) {
			if err := d.element(v.Fields[n], row, part); err != nil {
				return fmt.Errorf("field %q: %w", v.Type.Fields[n].Name, err)
			}
		}
		n++
	}
	if n == 0 {
		return nil // NULL
	}
	if n != len(v.Fields) && !d.opt.IgnoreParseErrors {
		return fmt.Errorf("the ROW has %d fields, not %d", len(v.Fields), n)
	}
	v.SetNotNull(row)
	return nil
}

func (d *Decoder) element(v *column.Vector, row int, text []byte) error {
	err := d.set(v, row, text)
	if err != nil && d.opt.IgnoreParseErrors {
		setNulls(v, row, row+1)
		return nil
	}
	return err
}

// parts goes through the elements of an ARRAY.
func (d *Decoder) parts(text []byte) func(yield func([]byte) bool) {
	return func(yield func([]byte) bool) {
		for len(text) > 0 {
			part, rest, found := bytes.Cut(text, []byte(d.opt.ArrayDelimiter))
			if !yield(part) {
				return
			}
			if !found {
				return
			}
			if len(rest) == 0 {
				yield(nil)
				return
			}
			text = rest
		}
	}
}
