package search

import (
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/apierr"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/dates"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/jsondoc"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/mapping"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/segment"
)

// sourceFields fills the answer of the fields option from a document.
func sourceFields(m *mapping.Mapping, src *jsondoc.Value, want []FieldFormat, out *jsondoc.Value) error {
	for _, w := range want {
		for _, f := range m.Match(w.Field) {
			if f.Nested != "" {
				continue
			}
			vals, err := formatted(m, f, src, w.Format)
			if err != nil {
				return err
			}
			if len(vals) > 0 {
				out.Set(f.Path, jsondoc.Arr(vals...))
			}
		}
		nestedFields(m, src, w, out)
	}
	return nil
}

// nestedFields adds nested objects as lists of objects of their own.
func nestedFields(m *mapping.Mapping, src *jsondoc.Value, w FieldFormat, out *jsondoc.Value) {
	byPath := map[string][]*mapping.Field{}
	for _, f := range m.Match(w.Field) {
		if f.Nested != "" {
			byPath[f.Nested] = append(byPath[f.Nested], f)
		}
	}
	for path, fs := range byPath {
		list := jsondoc.Arr()
		for _, obj := range Lookup(src, path) {
			o := jsondoc.Obj()
			for _, f := range fs {
				rel := *f
				rel.Path = strings.TrimPrefix(f.Path, path+".")
				vals, err := formatted(m, &rel, obj, w.Format)
				if err == nil && len(vals) > 0 {
					o.Set(rel.Path, jsondoc.Arr(vals...))
				}
			}
			if len(o.Keys) > 0 {
				list.Add(o)
			}
		}
		if len(list.Items) > 0 {
			out.Set(path, list)
		}
	}
}

func formatted(m *mapping.Mapping, f *mapping.Field, src *jsondoc.Value, format string) ([]*jsondoc.Value, error) {
	path := f.Path
	vals := Lookup(src, path)
	if len(vals) == 0 { // a multi-field's values are its parent's
		if dot := strings.LastIndexByte(path, '.'); dot > 0 {
			if p := m.Field(path[:dot]); p != nil && !p.IsObject() {
				vals = Lookup(src, path[:dot])
			}
		}
	}
	var out []*jsondoc.Value
	for _, v := range vals {
		if !v.Scalar() {
			continue
		}
		x, ok, err := formatValue(f, v, format)
		if err != nil {
			return nil, err
		}
		if ok {
			out = append(out, x)
		}
	}
	return out, nil
}

func formatValue(f *mapping.Field, v *jsondoc.Value, format string) (*jsondoc.Value, bool, error) {
	switch {
	case f.IsDate():
		df := f.Format
		t, err := df.Parse(v.Text(), time.UTC, false)
		if err != nil {
			return nil, false, nil //nolint:nilerr // a malformed value that was let pass
		}
		if format != "" {
			if df, err = dates.ParseFormat(format); err != nil {
				return nil, false, apierr.OnShard("illegal_argument_exception", "%s", err)
			}
		}
		return jsondoc.Str(df.Print(t, nil)), true, nil
	case f.Store == mapping.Terms:
		if f.IgnoreAbove < len(v.Text()) {
			return nil, false, nil
		}
		return jsondoc.Str(v.Text()), true, nil
	case f.Store == mapping.Text:
		return jsondoc.Str(v.Text()), true, nil
	case f.Type == "boolean":
		b, ok := v.Truth()
		return jsondoc.Boolean(b), ok, nil
	case f.Store == mapping.Reals:
		x, ok := v.Float64()
		if r, e := f.Round(x); e == nil {
			x = r
		}
		if f.Type == "float" {
			return &jsondoc.Value{Kind: jsondoc.Num, S: jsondoc.FormatFloat(x, 32)}, ok, nil
		}
		return jsondoc.Float(x), ok, nil
	case f.Store == mapping.Ints:
		if n, ok := v.Int64(); ok {
			return jsondoc.Int(n), true, nil
		}
		x, ok := v.Float64()
		return jsondoc.Int(int64(x)), ok, nil
	}
	return v, true, nil
}

// columnFields fills the answer of docvalue_fields from the columns.
func columnFields(m *mapping.Mapping, seg *segment.Segment, doc uint32, want []FieldFormat, out *jsondoc.Value) error {
	for _, w := range want {
		for _, f := range m.Match(w.Field) {
			if f.Nested != "" {
				continue
			}
			if f.Store == mapping.Text {
				if strings.Contains(w.Field, "*") {
					continue
				}
				return textFielddata(f)
			}
			vals, err := ColumnValues(f, seg, doc, w.Format)
			if err != nil {
				return err
			}
			if len(vals) > 0 {
				out.Set(f.Path, jsondoc.Arr(vals...))
			}
		}
	}
	return nil
}

// ColumnValues returns a row's values of a field as they are shown.
func ColumnValues(f *mapping.Field, seg *segment.Segment, row uint32, format string) ([]*jsondoc.Value, error) {
	var out []*jsondoc.Value
	if f.Store == mapping.Terms {
		c, err := seg.Terms(f.Path)
		if err != nil || c == nil {
			return nil, err
		}
		for lo, hi := c.Span(row); lo < hi; lo++ {
			t := c.Dict.Term(int(c.Ords[lo]))
			out = append(out, showTerm(f, t))
		}
		return out, nil
	}
	c, err := seg.Nums(f.Path)
	if err != nil || c == nil {
		return nil, err
	}
	for lo, hi := c.Span(row); lo < hi; lo++ {
		x, err := showNum(f, c, c.Vals[lo], format)
		if err != nil {
			return nil, err
		}
		out = append(out, x)
	}
	return out, nil
}

func showTerm(f *mapping.Field, t []byte) *jsondoc.Value {
	if f.Type == "ip" {
		if a, ok := netip.AddrFromSlice(t); ok {
			return jsondoc.Str(a.Unmap().String())
		}
	}
	return jsondoc.Str(string(t))
}

func showNum(f *mapping.Field, c *segment.Nums, v int64, format string) (*jsondoc.Value, error) {
	switch {
	case c.Real:
		return jsondoc.Float(segment.Real(v)), nil
	case f.Type == "boolean":
		return jsondoc.Boolean(v != 0), nil
	case f.IsDate():
		df := f.Format
		if format != "" {
			var err error
			if df, err = dates.ParseFormat(format); err != nil {
				return nil, apierr.OnShard("illegal_argument_exception", "%s", err)
			}
		}
		return jsondoc.Str(df.Print(f.Time(v), nil)), nil
	}
	return &jsondoc.Value{Kind: jsondoc.Num, S: strconv.FormatInt(v, 10)}, nil
}
