package mapping

import (
	"bytes"
	"math"
	"net/http"
	"net/netip"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/apierr"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/dates"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/jsondoc"
)

// token is a scalar as it stands in the document.
type token struct {
	text    []byte
	quoted  bool
	integer bool
	word    bool // true or false
}

// scalar reads the string, number, boolean or null at i into a field.
func (p *Parser) scalar(f *Field, row, i int) (int, error) {
	b := p.b
	var t token
	var next int
	var err error
	switch c := b[i]; {
	case c == '"':
		var esc bool
		if t.text, esc, next, err = jsondoc.String(b, i); err != nil {
			return next, err
		}
		if esc {
			t.text = p.unescape(t.text)
		}
		t.quoted = true
	case c == '-' || c >= '0' && c <= '9':
		if next, t.integer, err = jsondoc.Number(b, i); err != nil {
			return next, err
		}
		t.text = b[i:next]
	default:
		if next, err = jsondoc.Literal(b, i); err != nil {
			return next, err
		}
		if c == 'n' {
			return next, p.null(f, row)
		}
		t.text, t.word = b[i:next], true
	}
	return next, p.spread(f, row, t, i)
}

func (p *Parser) null(f *Field, row int) error {
	if f.NullValue == nil {
		return nil
	}
	v := f.NullValue
	return p.spread(f, row, token{text: []byte(v.Text()), quoted: v.Is(jsondoc.StringKind), integer: true, word: v.Is(jsondoc.Bool)}, 0)
}

// spread gives a token to a field, its multi-fields and its copies.
func (p *Parser) spread(f *Field, row int, t token, at int) error {
	if f.Store != None {
		if err := p.one(f, row, t, at); err != nil {
			return err
		}
	}
	for _, s := range f.Multi {
		if err := p.one(s, row, t, at); err != nil {
			return err
		}
	}
	for _, name := range f.CopyTo {
		target := p.m.Field(name)
		if target == nil {
			if !p.owned {
				return errGrow
			}
			if err := p.m.addProperties(p.m.Root, jsondoc.Obj(name, p.m.definition(name, name, "string", nil, 0))); err != nil {
				return err
			}
			target = p.m.Field(name)
		}
		if target.Path != f.Path && len(target.CopyTo) == 0 {
			if err := p.spread(target, 0, t, at); err != nil {
				return err
			}
		}
	}
	return nil
}

func (p *Parser) one(f *Field, row int, t token, at int) error {
	l, keep, err := f.convert(t)
	if err != nil {
		_, e := p.reject(f, row, at, at, t.text, err)
		return e
	}
	if keep {
		p.put(row, l)
	} else if f.Store == Terms {
		p.Ignored = append(p.Ignored, f.Path)
	}
	return nil
}

// reject is what a value that does not fit its field leads to.
func (p *Parser) reject(f *Field, _, at, next int, preview []byte, cause *apierr.Error) (int, error) {
	if f.IgnoreBad {
		p.Ignored = append(p.Ignored, f.Path)
		return next, nil
	}
	if len(preview) > 50 {
		preview = preview[:50]
	}
	e := DocumentError("[1:%d] failed to parse field [%s] of type [%s] in document with id '%s'. Preview of field's value: '%s'",
		at+1, f.Path, f.Type, p.id, bytes.ToValidUTF8(preview, nil))
	e.Cause = cause
	return next, e
}

// convert turns a token into the stored value of a field; keep is false for a
// keyword that is too long to be indexed.
func (f *Field) convert(t token) (l Leaf, keep bool, err *apierr.Error) {
	l = Leaf{Field: f}
	switch f.Store {
	case Text:
		l.B = t.text
		return l, true, nil
	case Terms:
		return f.convertTerm(l, t)
	case Reals:
		v, e := f.real(t)
		l.I = int64(math.Float64bits(v))
		return l, true, e
	}
	switch {
	case f.IsDate():
		l.I, err = f.date(t)
	case f.Type == "boolean":
		l.I, err = boolean(t)
	default:
		l.I, err = f.integer(t)
	}
	return l, true, err
}

func (f *Field) convertTerm(l Leaf, t token) (Leaf, bool, *apierr.Error) {
	if f.Type == "ip" {
		a, err := netip.ParseAddr(string(t.text))
		if err != nil || !t.quoted || a.Zone() != "" {
			return l, false, apierr.Illegal("'%s' is not an IP string literal.", t.text)
		}
		x := a.As16()
		l.B = x[:]
		return l, true, nil
	}
	if len(t.text) > f.IgnoreAbove && utf8.RuneCount(t.text) > f.IgnoreAbove {
		return l, false, nil
	}
	l.B = t.text
	if f.Lowercase {
		l.B = bytes.ToLower(t.text)
	}
	if len(l.B) > 32766 {
		return l, false, apierr.Illegal("Document contains at least one immense term in field=\"%s\" (whose UTF8 encoding is longer than the max length 32766)", f.Path)
	}
	return l, true, nil
}

func boolean(t token) (int64, *apierr.Error) {
	switch string(t.text) {
	case "true":
		return 1, nil
	case "false":
		return 0, nil
	case "":
		if t.quoted {
			return 0, nil
		}
	}
	return 0, apierr.Illegal("Failed to parse value [%s] as only [true] or [false] are allowed.", t.text)
}

func (f *Field) integer(t token) (int64, *apierr.Error) {
	if t.word || len(t.text) == 0 || t.quoted && !f.Coerce {
		return 0, numberFormat(t.text)
	}
	n, err := strconv.ParseInt(string(t.text), 10, 64)
	if err != nil {
		x, ferr := strconv.ParseFloat(string(t.text), 64)
		if ferr != nil {
			return 0, numberFormat(t.text)
		}
		if math.Abs(x) >= 1<<63 {
			return 0, apierr.Illegal("Value [%s] is out of range for a%s %s", t.text, vowel(f.Type), f.Type)
		}
		if x != math.Trunc(x) && !f.Coerce {
			return 0, apierr.Illegal("%s cannot be converted to %s without data loss", t.text, f.Type)
		}
		n = int64(x)
	}
	if n < f.lo || n > f.hi {
		return 0, apierr.Illegal("Value [%s] is out of range for a%s %s", t.text, vowel(f.Type), f.Type)
	}
	return n, nil
}

func vowel(s string) string {
	if s == "integer" || s == "unsigned_long" {
		return "n"
	}
	return ""
}

func numberFormat(text []byte) *apierr.Error {
	return apierr.Illegal("For input string: \"%s\"", text)
}

func (f *Field) real(t token) (float64, *apierr.Error) {
	if t.word || len(t.text) == 0 || t.quoted && !f.Coerce {
		return 0, numberFormat(t.text)
	}
	x, err := strconv.ParseFloat(string(t.text), 64)
	if err != nil && !math.IsInf(x, 0) {
		return 0, numberFormat(t.text)
	}
	return f.Round(x)
}

// Round gives a float the precision of its type.
func (f *Field) Round(x float64) (float64, *apierr.Error) {
	switch f.Type {
	case "float":
		x = float64(float32(x))
	case "half_float":
		x = float64(float32(math.Round(x*2048) / 2048))
	case "scaled_float":
		x = math.Round(x*f.Scaling) / f.Scaling
	}
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return 0, apierr.Illegal("[%s] supports only finite values, but got [%v]", f.Type, x)
	}
	return x, nil
}

func (f *Field) date(t token) (int64, *apierr.Error) {
	if t.quoted && f.Type == "date" && f.Format.String()[0] == 's' {
		if ms, ok := dates.FastMillis(t.text); ok {
			return ms, nil
		}
	}
	tm, err := f.Format.Parse(string(t.text), time.UTC, false)
	if err != nil || t.word {
		e := apierr.Illegal("failed to parse date field [%s] with format [%s]", t.text, f.Format)
		e.Cause = apierr.New(http.StatusBadRequest, "date_time_parse_exception", "Failed to parse with all enclosed parsers")
		return 0, e
	}
	return f.OfTime(tm), nil
}
