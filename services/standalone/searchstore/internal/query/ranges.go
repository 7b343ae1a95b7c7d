package query

import (
	"bytes"
	"math"
	"math/big"
	"net/http"
	"net/netip"
	"time"

	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/apierr"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/dates"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/jsondoc"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/mapping"
)

// bounds are the ends of a range query; nil is open.
type bounds struct {
	lo, hi     *jsondoc.Value
	loEx, hiEx bool
	format     *dates.Format
	zone       *time.Location
	relation   string
	boost      float32
}

func parseRange(e *Env, v *jsondoc.Value) (Node, error) {
	field, body, _, err := fieldQuery("range", v)
	if err != nil {
		return nil, err
	}
	if !body.Is(jsondoc.Object) {
		return nil, apierr.Parsing("[range] query does not support [%s]", field)
	}
	b, err := readBounds(body)
	if err != nil {
		return nil, err
	}
	n, err := e.rangeOn(field, b)
	return labelled(n, body, err)
}

func readBounds(body *jsondoc.Value) (*bounds, error) {
	b := &bounds{}
	open := func(x *jsondoc.Value) *jsondoc.Value {
		if x.IsNull() {
			return nil
		}
		return x
	}
	boost, err := options("range", body, func(k string, x *jsondoc.Value) (bool, error) {
		var err error
		switch k {
		case "gte":
			b.lo, b.loEx = open(x), false
		case "gt":
			b.lo, b.loEx = open(x), true
		case "lte":
			b.hi, b.hiEx = open(x), false
		case "lt":
			b.hi, b.hiEx = open(x), true
		case "from":
			b.lo = open(x)
		case "to":
			b.hi = open(x)
		case "include_lower":
			in, _ := x.Truth()
			b.loEx = !in
		case "include_upper":
			in, _ := x.Truth()
			b.hiEx = !in
		case "format":
			if b.format, err = dates.ParseFormat(x.Text()); err != nil {
				return true, apierr.Illegal("%s", err)
			}
		case "time_zone":
			if b.zone, err = dates.Zone(x.Text()); err != nil {
				return true, apierr.New(http.StatusBadRequest, "zone_rules_exception", "%s", err)
			}
		case "relation":
			b.relation = x.Text()
		default:
			return false, nil
		}
		return true, nil
	})
	b.boost = boost
	return b, err
}

func (e *Env) rangeOn(field string, b *bounds) (Node, error) {
	f := e.Mapping.Field(field)
	if f == nil || f.Store == mapping.None {
		if field == "_id" {
			return nil, apierr.OnShard("illegal_argument_exception", "Field [_id] of type [_id] does not support range queries")
		}
		return None{}, nil
	}
	if b.lo == nil && b.hi == nil {
		return e.exists(field, b.boost), nil
	}
	var n Node
	var err error
	switch {
	case f.IsDate():
		n, err = e.dateRange(f, b)
	case f.Type == "ip":
		n, err = ipRange(f, b)
	case f.Store == mapping.Terms || f.Store == mapping.Text:
		n = termRange(f, b)
	case f.Type == "boolean":
		n, err = boolRange(f, b)
	case f.Store == mapping.Reals:
		n, err = realRange(f, b)
	default:
		n, err = intRange(f, b)
	}
	if err != nil {
		return nil, err
	}
	return e.at(f, n), nil
}

func termRange(f *mapping.Field, b *bounds) Node {
	q := &TermRange{Field: f.Path, FullText: f.Store == mapping.Text, Boost: b.boost, LoEx: b.loEx, HiEx: b.hiEx}
	q.UnboundBelow, q.UnboundAbove = b.lo == nil, b.hi == nil
	q.Lo, q.Hi = []byte(b.lo.Text()), []byte(b.hi.Text())
	return q
}

// dateRange reads the dates of a range or term query.
type dateRange struct {
	e      *Env
	f      *mapping.Field
	format *dates.Format
	zone   *time.Location
}

func (r dateRange) bound(text string, up bool) (int64, error) {
	format := r.format
	if format == nil {
		format = r.f.Format
	}
	t, err := format.Math(text, r.e.Now, r.zone, up)
	if err != nil {
		e := apierr.OnShard("parse_exception", "failed to parse date field [%s] with format [%s]: [%s]", text, format, err)
		e.Cause = apierr.Illegal("%s", err)
		return 0, e
	}
	return r.f.OfTime(t), nil
}

func (e *Env) dateRange(f *mapping.Field, b *bounds) (Node, error) {
	r := dateRange{e, f, b.format, b.zone}
	q := &NumRange{Field: f.Path, Lo: math.MinInt64, Hi: math.MaxInt64, Boost: b.boost}
	var err error
	if b.lo != nil {
		// gt rounds up, so that "later than the day" means from the next one
		if q.Lo, err = r.bound(b.lo.Text(), b.loEx); err != nil {
			return nil, err
		}
		if b.loEx {
			q.Lo++
		}
	}
	if b.hi != nil {
		if q.Hi, err = r.bound(b.hi.Text(), !b.hiEx); err != nil {
			return nil, err
		}
		if b.hiEx {
			q.Hi--
		}
	}
	return q, nil
}

func ipRange(f *mapping.Field, b *bounds) (Node, error) {
	q := &TermRange{Field: f.Path, Boost: b.boost, LoEx: b.loEx, HiEx: b.hiEx, UnboundBelow: b.lo == nil, UnboundAbove: b.hi == nil}
	for _, x := range [...]struct {
		v   *jsondoc.Value
		out *[]byte
	}{{b.lo, &q.Lo}, {b.hi, &q.Hi}} {
		if x.v == nil {
			continue
		}
		a, err := netip.ParseAddr(x.v.Text())
		if err != nil {
			return nil, badValue(apierr.Illegal("'%s' is not an IP string literal.", x.v.Text()))
		}
		s := a.As16()
		*x.out = s[:]
	}
	if !q.UnboundBelow && !q.UnboundAbove && bytes.Compare(q.Lo, q.Hi) > 0 {
		return None{}, nil
	}
	return q, nil
}

func boolRange(f *mapping.Field, b *bounds) (Node, error) {
	word := func(v *jsondoc.Value, def int64) (int64, error) {
		if v == nil {
			return def, nil
		}
		t, ok := v.Truth()
		if !ok {
			return 0, badValue(apierr.Illegal("Can't parse boolean value [%s], expected [true] or [false]", v.Text()))
		}
		if t {
			return 1, nil
		}
		return 0, nil
	}
	lo, err := word(b.lo, 0)
	if err != nil {
		return nil, err
	}
	hi, err := word(b.hi, 1)
	if b.lo != nil && b.loEx {
		lo++
	}
	if b.hi != nil && b.hiEx {
		hi--
	}
	return &NumRange{Field: f.Path, Lo: lo, Hi: hi, Boost: b.boost}, err
}

// intRange rounds fractions to the integers that lie within the bounds.
func intRange(f *mapping.Field, b *bounds) (Node, error) {
	q := &NumRange{Field: f.Path, Lo: math.MinInt64, Hi: math.MaxInt64, Boost: b.boost}
	one := big.NewInt(1)
	if b.lo != nil {
		x, ok := number(b.lo.Text())
		if !ok || b.lo.Is(jsondoc.Bool) {
			return nil, badNumber(b.lo.Text())
		}
		n := floor(x)
		if !x.IsInt() || b.loEx {
			n.Add(n, one)
		}
		if !n.IsInt64() {
			if n.Sign() > 0 {
				return None{}, nil
			}
			n.SetInt64(math.MinInt64)
		}
		q.Lo = n.Int64()
	}
	if b.hi != nil {
		x, ok := number(b.hi.Text())
		if !ok || b.hi.Is(jsondoc.Bool) {
			return nil, badNumber(b.hi.Text())
		}
		n := floor(x)
		if x.IsInt() && b.hiEx {
			n.Sub(n, one)
		}
		if !n.IsInt64() {
			if n.Sign() < 0 {
				return None{}, nil
			}
			n.SetInt64(math.MaxInt64)
		}
		q.Hi = n.Int64()
	}
	return q, nil
}

func floor(x *big.Rat) *big.Int {
	q, m := new(big.Int), new(big.Int)
	q.DivMod(x.Num(), x.Denom(), m)
	return q
}

func realRange(f *mapping.Field, b *bounds) (Node, error) {
	q := &NumRange{Field: f.Path, Real: true, FLo: math.Inf(-1), FHi: math.Inf(1), Boost: b.boost}
	read := func(v *jsondoc.Value) (float64, error) {
		x, ok := v.Float64()
		if !ok {
			return 0, badNumber(v.Text())
		}
		if r, e := f.Round(x); e == nil {
			x = r
		}
		return x, nil
	}
	var err error
	if b.lo != nil {
		if q.FLo, err = read(b.lo); err != nil {
			return nil, err
		}
		if b.loEx {
			q.FLo = math.Nextafter(q.FLo, math.Inf(1))
		}
	}
	if b.hi != nil {
		if q.FHi, err = read(b.hi); err != nil {
			return nil, err
		}
		if b.hiEx {
			q.FHi = math.Nextafter(q.FHi, math.Inf(-1))
		}
	}
	return q, nil
}
