package aggs

import (
	"bytes"
	"cmp"
	"math"
	"net/netip"
	"slices"
	"time"

	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/apierr"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/dates"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/jsondoc"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/mapping"
)

// span is one range: from is included, to is not.
type span struct {
	name             string
	from, to         *jsondoc.Value
	lo, hi           float64
	loIP, hiIP       []byte
	fromText, toText string
	bucket           *bucket
}

// ranges is the state of range, date_range and ip_range.
type ranges struct {
	n     *node
	src   source
	spans []*span
	keyed bool
	bound bool
}

func newRange(n *node) (state, error) {
	src, err := newSource(n.body)
	if err != nil {
		return nil, err
	}
	src.millis = true
	r := &ranges{n: n, src: src}
	r.keyed, _ = n.body.Get("keyed").Truth()
	for _, v := range n.body.Get("ranges").List() {
		s := &span{name: v.Get("key").Text(), from: v.Get("from"), to: v.Get("to"), lo: math.Inf(-1), hi: math.Inf(1)}
		if m := v.Get("mask").Text(); m != "" {
			if err := s.mask(m); err != nil {
				return nil, err
			}
		}
		if s.bucket, err = n.bucket(); err != nil {
			return nil, err
		}
		r.spans = append(r.spans, s)
	}
	if len(r.spans) == 0 {
		return nil, apierr.Illegal("No [ranges] specified for the [%s] aggregation", n.name)
	}
	return r, nil
}

// mask turns a network into a range.
func (s *span) mask(m string) error {
	p, err := netip.ParsePrefix(m)
	if err != nil {
		return apierr.Illegal("invalid IP mask [%s]", m)
	}
	if s.name == "" {
		s.name = m
	}
	p = p.Masked()
	last := p.Addr().AsSlice()
	for i := p.Bits(); i < len(last)*8; i++ {
		last[i/8] |= 1 << (7 - i%8)
	}
	s.from = jsondoc.Str(p.Addr().String())
	if end, ok := netip.AddrFromSlice(last); ok && end.Next().IsValid() {
		s.to = jsondoc.Str(end.Next().String())
	}
	return nil
}

// read turns the ends of all ranges into values, now that the field is known.
func (r *ranges) read() error {
	if r.bound {
		return nil
	}
	r.bound = true
	for _, s := range r.spans {
		for _, end := range [...]struct {
			v    *jsondoc.Value
			num  *float64
			ip   *[]byte
			text *string
		}{{s.from, &s.lo, &s.loIP, &s.fromText}, {s.to, &s.hi, &s.hiIP, &s.toText}} {
			if end.v.IsNull() {
				continue
			}
			if r.n.kind == "ip_range" {
				a, err := netip.ParseAddr(end.v.Text())
				if err != nil {
					return apierr.OnShard("illegal_argument_exception", "'%s' is not an IP string literal.", end.v.Text())
				}
				b := a.As16()
				*end.ip, *end.text = b[:], a.String()
				continue
			}
			if err := r.end(end.v, end.num, end.text); err != nil {
				return err
			}
		}
	}
	slices.SortStableFunc(r.spans, func(a, b *span) int {
		if c := cmp.Compare(a.lo, b.lo); c != 0 {
			return c
		}
		if c := bytes.Compare(a.loIP, b.loIP); c != 0 {
			return c
		}
		return cmp.Compare(a.hi, b.hi)
	})
	return nil
}

func (r *ranges) end(v *jsondoc.Value, num *float64, text *string) error {
	if r.n.kind != "date_range" && (!r.dates() || !v.Is(jsondoc.StringKind)) {
		f, ok := v.Float64()
		if !ok {
			return apierr.OnShard("illegal_argument_exception", "For input string: \"%s\"", v.Text())
		}
		*num, *text = f, jsondoc.FormatFloat(f, 64)
		if r.dates() {
			*text = r.src.dateFormat().Print(time.UnixMilli(int64(f)), r.src.zone)
		}
		return nil
	}
	format := r.src.format
	if format == nil {
		if r.src.f != nil && r.src.f.IsDate() {
			format = r.src.f.Format
		} else {
			f, err := dates.ParseFormat(dates.DefaultFormat)
			if err != nil {
				return err
			}
			format = f
		}
	}
	t, err := format.Math(v.Text(), now(), r.src.zone, false)
	if err != nil {
		return apierr.OnShard("parse_exception", "%s", err)
	}
	*num, *text = float64(t.UnixMilli()), format.Print(t, r.src.zone)
	return nil
}

// dates reports whether a plain range is over a date: its ends are milliseconds then.
func (r *ranges) dates() bool { return r.n.kind == "range" && r.src.f != nil && r.src.f.IsDate() }

func (r *ranges) collect(x *scope, rows []uint32) error {
	f, err := r.src.bind(x)
	if err != nil {
		return err
	}
	if err := r.read(); err != nil {
		return err
	}
	lists := make([][]uint32, len(r.spans))
	put := func(i int, row uint32) {
		if n := len(lists[i]); n == 0 || lists[i][n-1] != row {
			lists[i] = append(lists[i], row)
		}
	}
	if f != nil && f.Store == mapping.Terms {
		err = r.addresses(x, f, rows, put)
	} else {
		err = r.src.numbers(x, rows, func(row uint32, v float64) {
			for i, s := range r.spans {
				if v >= s.lo && v < s.hi {
					put(i, row)
				}
			}
		})
	}
	if err != nil {
		return err
	}
	for i, s := range r.spans {
		if err := s.bucket.add(x, lists[i]); err != nil {
			return err
		}
	}
	return nil
}

func (r *ranges) addresses(x *scope, f *mapping.Field, rows []uint32, put func(i int, row uint32)) error {
	c, err := x.tab.Terms(f.Path)
	if err != nil || c == nil {
		return err
	}
	for _, row := range rows {
		for lo, hi := c.Span(row); lo < hi; lo++ {
			t := c.Dict.Term(int(c.Ords[lo]))
			for i, s := range r.spans {
				if (s.loIP == nil || bytes.Compare(t, s.loIP) >= 0) && (s.hiIP == nil || bytes.Compare(t, s.hiIP) < 0) {
					put(i, row)
				}
			}
		}
	}
	return nil
}

func (r *ranges) result() (*jsondoc.Value, error) {
	if err := r.read(); err != nil {
		return nil, err
	}
	list, keys := jsondoc.Arr(), jsondoc.Obj()
	for _, s := range r.spans {
		o := jsondoc.Obj()
		name := s.name
		if name == "" {
			name = orStar(s.fromText) + "-" + orStar(s.toText)
		}
		if !r.keyed {
			o.Set("key", jsondoc.Str(name))
		}
		r.ends(o, "from", s.from, s.lo, s.fromText)
		r.ends(o, "to", s.to, s.hi, s.toText)
		if _, err := s.bucket.render(o, r.n); err != nil {
			return nil, err
		}
		list.Add(o)
		keys.Set(name, o)
	}
	if r.keyed {
		return jsondoc.Obj("buckets", keys), nil
	}
	return jsondoc.Obj("buckets", list), nil
}

func orStar(s string) string {
	if s == "" {
		return "*"
	}
	return s
}

func (r *ranges) ends(o *jsondoc.Value, name string, v *jsondoc.Value, num float64, text string) {
	switch {
	case v.IsNull():
	case r.n.kind == "ip_range":
		o.Set(name, jsondoc.Str(text))
	default:
		o.Set(name, jsondoc.Float(num))
		if r.n.kind == "date_range" || r.dates() {
			o.Set(name+"_as_string", jsondoc.Str(text))
		}
	}
}
