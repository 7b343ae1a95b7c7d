package csv

import (
	"encoding/base64"
	"fmt"
	"math/big"
	"strconv"
	"unicode/utf8"

	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/datum"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

// maxUnquoted is how many characters a text may have that is written without
// quotes; longer ones are quoted without looking.
const maxUnquoted = 24

// Encoder renders rows as records without a line end.
type Encoder struct {
	opt  Options
	safe rune   // characters before it make a text be quoted
	text []byte // a value whose quoting is not decided yet
}

// NewEncoder returns an encoder for rows of the fields given.
func NewEncoder(fields []types.Field, opt Options) (*Encoder, error) {
	if err := opt.Validate(); err != nil {
		return nil, err
	}
	for _, f := range fields {
		if err := supported(f.Type, 0); err != nil {
			return nil, fmt.Errorf("column %q: %w", f.Name, err)
		}
	}
	sep, _ := utf8.DecodeRuneInString(opt.FieldDelimiter)
	quote, _ := utf8.DecodeRuneInString(opt.Quote)
	if opt.Quote == "" {
		quote = 0
	}
	return &Encoder{opt: opt, safe: max(sep, quote, '\r') + 1}, nil
}

// Begin does nothing: nothing is kept from batch to batch.
func (e *Encoder) Begin() {}

// AppendRow appends row i of the columns as a record.
func (e *Encoder) AppendRow(dst []byte, cols []*column.Vector, i int) ([]byte, error) {
	for c, col := range cols {
		if c > 0 {
			dst = append(dst, e.opt.FieldDelimiter...)
		}
		if col.IsNull(i) {
			dst = append(dst, e.opt.NullLiteral...)
			continue
		}
		switch column.LayoutOf(col.Type) {
		case column.Bools, column.Floats:
			dst = e.appendPlain(dst, col, i)
		case column.Ints:
			if col.Type.Kind == types.Date || col.Type.Kind == types.Time {
				dst = e.quoted(dst, col, i)
			} else {
				dst = e.appendPlain(dst, col, i)
			}
		default:
			dst = e.quoted(dst, col, i)
		}
	}
	return dst, nil
}

func (e *Encoder) quoted(dst []byte, v *column.Vector, i int) []byte {
	if v.Type.Kind.IsCharacter() {
		return e.appendText(dst, v.Strs[i])
	}
	e.text = e.appendPlain(e.text[:0], v, i)
	return e.appendText(dst, column.View(e.text))
}

// appendPlain appends a value as it is before it is quoted.
func (e *Encoder) appendPlain(dst []byte, v *column.Vector, i int) []byte {
	if v.IsNull(i) {
		return append(dst, e.opt.NullLiteral...)
	}
	switch column.LayoutOf(v.Type) {
	case column.Bools:
		return strconv.AppendBool(dst, v.Bools[i])
	case column.Floats:
		bits := 64
		if v.Type.Kind == types.Float {
			bits = 32
		}
		return datum.AppendDouble(dst, v.Floats[i], bits)
	case column.Decs:
		return e.appendDecimal(dst, v.Decs[i], v.Type.Scale)
	case column.Ints:
		switch v.Type.Kind {
		case types.Date:
			return datum.AppendDate(dst, v.Ints[i])
		case types.Time:
			return datum.AppendTime(dst, v.Ints[i], 0, -1)
		default:
			return strconv.AppendInt(dst, v.Ints[i], 10)
		}
	case column.Times:
		dst = datum.AppendTimestamp(dst, v.Time(i), ' ', -1)
		if v.Type.Kind == types.TimestampLTZ {
			dst = append(dst, 'Z')
		}
		return dst
	case column.Strs:
		if v.Type.Kind.IsBinary() {
			return base64.StdEncoding.AppendEncode(dst, column.ViewBytes(v.Strs[i]))
		}
		return append(dst, v.Strs[i]...)
	case column.Lists:
		s := v.Spans[i]
		for k := range int(s.Len) {
			if k > 0 {
				dst = append(dst, e.opt.ArrayDelimiter...)
			}
			dst = e.appendPlain(dst, v.Elem, int(s.Start)+k)
		}
		return dst
	case column.Rows:
		for k, f := range v.Fields {
			if k > 0 {
				dst = append(dst, e.opt.ArrayDelimiter...)
			}
			dst = e.appendPlain(dst, f, i)
		}
		return dst
	default:
		return dst
	}
}

// appendText appends a text, between quotes where it may need them.
func (e *Encoder) appendText(dst []byte, s string) []byte {
	if e.opt.Quote == "" || s == "" || !e.mayNeedQuotes(s) {
		return append(dst, s...)
	}
	dst = append(dst, e.opt.Quote...)
	quote, _ := utf8.DecodeRuneInString(e.opt.Quote)
	escape := quote
	if e.opt.Escape != "" {
		escape, _ = utf8.DecodeRuneInString(e.opt.Escape)
	}
	from := 0
	for i, r := range s {
		if r == quote || r == escape { // both are doubled
			dst = append(dst, s[from:i]...)
			dst = utf8.AppendRune(dst, r)
			from = i
		}
	}
	return append(append(dst, s[from:]...), e.opt.Quote...)
}

func (e *Encoder) mayNeedQuotes(s string) bool {
	if len(s) > maxUnquoted && utf8.RuneCountInString(s) > maxUnquoted {
		return true
	}
	escape := rune(-1)
	if e.opt.Escape != "" {
		escape, _ = utf8.DecodeRuneInString(e.opt.Escape)
	}
	for _, r := range s {
		if r < e.safe || r == escape {
			return true
		}
	}
	return false
}

// appendDecimal appends a decimal without its trailing zeros, as BigDecimal.toString
// renders it: 100 is 1E+2. Plain decimals keep them.
func (e *Encoder) appendDecimal(dst []byte, v *big.Int, scale int) []byte {
	if e.opt.PlainDecimals {
		return datum.AppendDecimal(dst, v, scale)
	}
	if v.Sign() == 0 {
		return append(dst, '0')
	}
	text := v.String()
	sign := ""
	if text[0] == '-' {
		sign, text = "-", text[1:]
	}
	for text[len(text)-1] == '0' {
		text, scale = text[:len(text)-1], scale-1
	}
	exponent := len(text) - 1 - scale
	if scale >= 0 && exponent >= -6 {
		n, _ := new(big.Int).SetString(sign+text, 10)
		return datum.AppendDecimal(dst, n, scale)
	}
	dst = append(append(dst, sign...), text[0])
	if len(text) > 1 {
		dst = append(append(dst, '.'), text[1:]...)
	}
	dst = append(dst, 'E')
	if exponent > 0 {
		dst = append(dst, '+')
	}
	return strconv.AppendInt(dst, int64(exponent), 10)
}
