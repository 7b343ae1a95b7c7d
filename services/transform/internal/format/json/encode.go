package json

import (
	"encoding/base64"
	"errors"
	"math"
	"math/big"
	"strconv"

	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/datum"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

// ErrNullKey says that a MAP with a NULL key was to be written.
var ErrNullKey = errors.New("a JSON object cannot have a NULL key; set 'json.map-null-key.mode' to DROP or LITERAL")

// Encoder renders rows as JSON objects.
type Encoder struct {
	opt    Options
	fields []types.Field
	names  [][]byte // "name":
	memos  []memo
}

// memo is what a column's last row was and how it was rendered. Consecutive rows
// of one source have the same host and the same path.
type memo struct {
	text     string
	span     column.Span
	list     bool // span is valid
	rendered []byte
}

// NewEncoder returns an encoder for rows of the fields given.
func NewEncoder(fields []types.Field, opt Options) *Encoder {
	e := &Encoder{opt: opt, fields: fields}
	for _, f := range fields {
		e.names = append(e.names, append(AppendQuoted(nil, f.Name), ':'))
	}
	e.memos = make([]memo, len(fields))
	return e
}

// Begin tells that the rows to come are of another batch.
func (e *Encoder) Begin() {
	for i := range e.memos {
		e.memos[i].list = false
	}
}

// appendColumn appends a value of a row, from memory if the last row's was the same.
func (e *Encoder) appendColumn(dst []byte, c int, v *column.Vector, i int) ([]byte, error) {
	m := &e.memos[c]
	switch {
	case v.IsNull(i):
		return append(dst, "null"...), nil
	case v.Type.Kind.IsCharacter():
		s := v.Strs[i]
		if s == m.text && s != "" {
			return append(dst, m.rendered...), nil
		}
		at := len(dst)
		dst = AppendQuoted(dst, s)
		if len(s) <= maxMemo {
			m.rendered = append(m.rendered[:0], dst[at:]...)
			m.text = column.View(m.rendered[1 : len(m.rendered)-1])
			if len(m.rendered) != len(s)+2 {
				m.text = "" // it holds escapes
			}
		}
		return dst, nil
	case v.Type.Kind == types.Array:
		if m.list && m.span == v.Spans[i] {
			return append(dst, m.rendered...), nil
		}
		at := len(dst)
		dst, err := e.AppendValue(dst, v, i)
		m.span, m.list, m.rendered = v.Spans[i], len(dst)-at <= maxMemo, append(m.rendered[:0], dst[at:min(len(dst), at+maxMemo)]...)
		return dst, err
	default:
		return e.AppendValue(dst, v, i)
	}
}

// maxMemo bounds what is kept of a value; long ones seldom repeat.
const maxMemo = 256

// AppendRow appends row i of the columns as a JSON object.
func (e *Encoder) AppendRow(dst []byte, cols []*column.Vector, i int) ([]byte, error) {
	dst = append(dst, '{')
	first := true
	for c, col := range cols {
		if e.opt.OmitNulls && col.IsNull(i) {
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = append(dst, e.names[c]...)
		var err error
		if dst, err = e.appendColumn(dst, c, col, i); err != nil {
			return dst, err
		}
	}
	return append(dst, '}'), nil
}

// AppendValue appends row i of a vector as JSON.
func (e *Encoder) AppendValue(dst []byte, v *column.Vector, i int) ([]byte, error) {
	if v.IsNull(i) {
		return append(dst, "null"...), nil
	}
	switch column.LayoutOf(v.Type) {
	case column.Bools:
		return strconv.AppendBool(dst, v.Bools[i]), nil
	case column.Floats:
		return appendFloat(dst, v.Floats[i], v.Type.Kind), nil
	case column.Decs:
		return e.appendDecimal(dst, v.Decs[i], v.Type.Scale), nil
	case column.Strs:
		if v.Type.Kind.IsBinary() {
			dst = append(dst, '"')
			dst = base64.StdEncoding.AppendEncode(dst, column.ViewBytes(v.Strs[i]))
			return append(dst, '"'), nil
		}
		return AppendQuoted(dst, v.Strs[i]), nil
	case column.Ints:
		return e.appendInt(dst, v, i), nil
	case column.Times:
		return e.appendTimestamp(dst, v, i), nil
	case column.Lists:
		return e.appendList(dst, v, i)
	case column.Maps:
		return e.appendMap(dst, v, i)
	case column.Rows:
		return e.appendObject(dst, v, i)
	default:
		return append(dst, "null"...), nil
	}
}

func (e *Encoder) appendInt(dst []byte, v *column.Vector, i int) []byte {
	switch v.Type.Kind {
	case types.Date:
		return append(datum.AppendDate(append(dst, '"'), v.Ints[i]), '"')
	case types.Time:
		dst = datum.AppendTime(append(dst, '"'), v.Ints[i], 0, -1)
		if e.opt.Legacy {
			dst = append(dst, 'Z')
		}
		return append(dst, '"')
	default:
		return strconv.AppendInt(dst, v.Ints[i], 10)
	}
}

func (e *Encoder) appendTimestamp(dst []byte, v *column.Vector, i int) []byte {
	separator := byte('T')
	if !e.opt.Legacy && (e.opt.TimestampStandard == "" || e.opt.TimestampStandard == SQL) {
		separator = ' '
	}
	dst = datum.AppendTimestamp(append(dst, '"'), v.Time(i), separator, -1)
	if e.opt.Legacy || v.Type.Kind == types.TimestampLTZ {
		dst = append(dst, 'Z')
	}
	return append(dst, '"')
}

func appendFloat(dst []byte, f float64, k types.Kind) []byte {
	bits := 64
	if k == types.Float {
		bits = 32
	}
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return append(datum.AppendDouble(append(dst, '"'), f, bits), '"')
	}
	return datum.AppendDouble(dst, f, bits)
}

// appendDecimal writes as BigDecimal.toString does, which has an exponent for
// small numbers, unless plain numbers are asked for.
func (e *Encoder) appendDecimal(dst []byte, v *big.Int, scale int) []byte {
	digits := len(new(big.Int).Abs(v).String())
	adjusted := digits - 1 - scale
	if e.opt.PlainDecimals || adjusted >= -6 {
		return datum.AppendDecimal(dst, v, scale)
	}
	text := v.String()
	sign := ""
	if v.Sign() < 0 {
		sign, text = "-", text[1:]
	}
	dst = append(append(dst, sign...), text[0])
	if len(text) > 1 {
		dst = append(append(dst, '.'), text[1:]...)
	}
	return strconv.AppendInt(append(dst, 'E'), int64(adjusted), 10)
}

func (e *Encoder) appendList(dst []byte, v *column.Vector, i int) ([]byte, error) {
	s := v.Spans[i]
	dst = append(dst, '[')
	for k := range int(s.Len) {
		if k > 0 {
			dst = append(dst, ',')
		}
		var err error
		if dst, err = e.AppendValue(dst, v.Elem, int(s.Start)+k); err != nil {
			return dst, err
		}
	}
	return append(dst, ']'), nil
}

func (e *Encoder) appendMap(dst []byte, v *column.Vector, i int) ([]byte, error) {
	s := v.Spans[i]
	dst = append(dst, '{')
	first := true
	for k := range int(s.Len) {
		at := int(s.Start) + k
		name := e.opt.MapNullKeyLiteral
		if !v.Key.IsNull(at) {
			var err error
			if name, err = e.name(v.Key, at); err != nil {
				return dst, err
			}
		} else if e.opt.MapNullKeyMode == mapNullDrop {
			continue
		} else if e.opt.MapNullKeyMode != mapNullLiteral {
			return dst, ErrNullKey
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = append(AppendQuoted(dst, name), ':')
		var err error
		if dst, err = e.AppendValue(dst, v.Elem, at); err != nil {
			return dst, err
		}
	}
	return append(dst, '}'), nil
}

// name returns a key of a map as the name of a member.
func (e *Encoder) name(v *column.Vector, i int) (string, error) {
	if column.LayoutOf(v.Type) == column.Strs {
		return v.Strs[i], nil
	}
	text, err := e.AppendValue(nil, v, i)
	if n := len(text); err == nil && n > 1 && text[0] == '"' {
		text = text[1 : n-1] // times hold nothing that is escaped
	}
	return string(text), err
}

func (e *Encoder) appendObject(dst []byte, v *column.Vector, i int) ([]byte, error) {
	dst = append(dst, '{')
	first := true
	for f, field := range v.Fields {
		if e.opt.OmitNulls && field.IsNull(i) {
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = append(AppendQuoted(dst, v.Type.Fields[f].Name), ':')
		var err error
		if dst, err = e.AppendValue(dst, field, i); err != nil {
			return dst, err
		}
	}
	return append(dst, '}'), nil
}
