package aggs

import (
	"hash/maphash"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/apierr"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/dates"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/jsondoc"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/mapping"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/segment"
)

// source reads the values of an aggregation's field.
type source struct {
	field   string
	missing *jsondoc.Value
	format  *dates.Format
	zone    *time.Location // in which dates without one are meant
	millis  bool           // dates are wanted in milliseconds, whatever the field has
	f       *mapping.Field // of the last index that had it
}

func newSource(v *jsondoc.Value) (source, error) {
	s := source{field: v.Get("field").Text(), missing: v.Get("missing")}
	if v.Get("script") != nil {
		return s, apierr.Unsupported("scripts are not supported by the embedded store")
	}
	if t := v.Get("format").Text(); t != "" {
		f, err := dates.ParseFormat(t)
		if err == nil {
			s.format = f
		}
	}
	if z := v.Get("time_zone").Text(); z != "" {
		var err error
		if s.zone, err = dates.Zone(z); err != nil {
			return s, apierr.Illegal("%s", err)
		}
	}
	return s, nil
}

// bind finds the field in an index; nil when it has none.
func (s *source) bind(x *scope) (*mapping.Field, error) {
	f := x.env.Mapping.Field(s.field)
	if f == nil || f.Store == mapping.None {
		return nil, nil
	}
	if f.Store == mapping.Text {
		return nil, apierr.OnShard("illegal_argument_exception", "Fielddata is disabled on [%s] in [%s]. Text fields are not optimised for operations that require per-document field data like aggregations and sorting, so these operations are disabled by default. Please use a keyword field instead.", f.Path, x.env.Index)
	}
	s.f = f
	if f.Nested != x.path {
		return nil, nil // values of other rows are not seen from here
	}
	return f, nil
}

// number reads a value given in the request, such as missing.
func (s *source) number(v *jsondoc.Value) (float64, bool) {
	if s.f != nil && s.f.IsDate() && v.Is(jsondoc.StringKind) {
		format := s.f.Format
		if s.format != nil {
			format = s.format
		}
		if t, err := format.Math(v.S, now(), s.zone, false); err == nil {
			return float64(s.f.OfTime(t)), true
		}
	}
	if b, ok := v.Truth(); ok {
		if b {
			return 1, true
		}
		return 0, true
	}
	return v.Float64()
}

// numbers calls fn with each numeric value of the rows, or with the missing
// value for rows without one.
func (s *source) numbers(x *scope, rows []uint32, fn func(row uint32, v float64)) error {
	f, err := s.bind(x)
	if err != nil {
		return err
	}
	nanos := s.millis && f != nil && f.Type == "date_nanos"
	miss, hasMiss := 0.0, false
	if s.missing != nil {
		if miss, hasMiss = s.number(s.missing); nanos {
			miss = math.Floor(miss / 1e6)
		}
	}
	var c *segment.Nums
	if f != nil {
		if f.Store == mapping.Terms {
			return apierr.OnShard("illegal_argument_exception", "Field [%s] of type [%s] is not supported for this aggregation", f.Path, f.Type)
		}
		if c, err = x.tab.Nums(f.Path); err != nil {
			return err
		}
	}
	if c == nil {
		for _, r := range rows {
			if hasMiss {
				fn(r, miss)
			}
		}
		return nil
	}
	for _, r := range rows {
		lo, hi := c.Span(r)
		if lo == hi && hasMiss {
			fn(r, miss)
		}
		for ; lo < hi; lo++ {
			switch v := c.Vals[lo]; {
			case c.Real:
				fn(r, segment.Real(v))
			case nanos: // divided while whole: a float64 would round up to the next interval
				fn(r, math.Floor(float64(v-(v%1e6+1e6)%1e6)/1e6))
			default:
				fn(r, float64(v))
			}
		}
	}
	return nil
}

// metric is the state of an aggregation that yields numbers.
type metric struct {
	n        *node
	src      source
	count    int
	sum, sq  float64
	comp     float64 // Kahan's compensation
	min, max float64
	vals     []float64
	seen     map[uint64]struct{}
	seed     maphash.Seed
	wantVals bool
	percents []float64
	keyed    bool
	sigma    float64
	ranks    []float64
}

func newMetric(n *node) (state, error) {
	src, err := newSource(n.body)
	if err != nil {
		return nil, err
	}
	if src.field == "" {
		return nil, apierr.Illegal("Required one of fields [field, script], but none were specified. ")
	}
	m := &metric{n: n, src: src, min: math.Inf(1), max: math.Inf(-1), keyed: true, sigma: 2}
	switch n.kind {
	case "cardinality":
		m.seen, m.seed = map[uint64]struct{}{}, maphash.MakeSeed()
	case "percentiles":
		m.wantVals = true
		m.percents = []float64{1, 5, 25, 50, 75, 95, 99}
		if p := n.body.Get("percents"); p != nil {
			m.percents = floats(p)
		}
		if err := checkPercents(n, m.percents); err != nil {
			return nil, err
		}
	case "percentile_ranks":
		m.wantVals = true
		m.ranks = floats(n.body.Get("values"))
	case "median_absolute_deviation":
		m.wantVals = true
	}
	if k, ok := n.body.Get("keyed").Truth(); ok {
		m.keyed = k
	}
	if s, ok := n.body.Get("sigma").Float64(); ok {
		m.sigma = s
	}
	return m, nil
}

func checkPercents(n *node, ps []float64) error {
	if len(ps) == 0 {
		return apierr.Illegal("[percents] must not be empty: [%s]", n.name)
	}
	for _, p := range ps {
		if p < 0 || p > 100 {
			return apierr.Illegal("percent must be in [0,100], got [%s]: [%s]", jsondoc.FormatFloat(p, 64), n.name)
		}
	}
	return nil
}

func floats(v *jsondoc.Value) []float64 {
	var out []float64
	for _, x := range v.List() {
		if f, ok := x.Float64(); ok {
			out = append(out, f)
		}
	}
	return out
}

func (m *metric) collect(x *scope, rows []uint32) error {
	switch m.n.kind {
	case "value_count", "cardinality":
		return m.distinct(x, rows)
	}
	return m.src.numbers(x, rows, func(_ uint32, v float64) { m.add(v) })
}

func (m *metric) add(v float64) {
	m.count++
	y := v - m.comp
	t := m.sum + y
	m.comp = (t - m.sum) - y
	m.sum = t
	m.sq += v * v
	m.min = min(m.min, v)
	m.max = max(m.max, v)
	if m.wantVals {
		m.vals = append(m.vals, v)
	}
}

// distinct counts values of any kind of field.
func (m *metric) distinct(x *scope, rows []uint32) error {
	f, err := m.src.bind(x)
	if err != nil {
		return err
	}
	if f == nil {
		m.absent(len(rows))
		return nil
	}
	if f.Store != mapping.Terms {
		return m.src.eachKey(x, rows, func(_ uint32, k key) {
			m.count++
			switch {
			case m.seen == nil:
			case k.rest != 0:
				m.seen[maphash.Comparable(m.seed, k)] = struct{}{}
			default:
				m.seen[math.Float64bits(k.num)] = struct{}{}
			}
		})
	}
	c, err := x.tab.Terms(f.Path)
	if err != nil {
		return err
	}
	if c == nil {
		m.absent(len(rows))
		return nil
	}
	used, without := segment.NewBits(c.Dict.Len()), 0
	for _, r := range rows {
		lo, hi := c.Span(r)
		if lo == hi {
			without++
		}
		m.count += int(hi - lo)
		for ; lo < hi; lo++ {
			used.Set(c.Ords[lo])
		}
	}
	m.absent(without)
	if m.seen != nil {
		used.Each(func(o uint32) bool {
			m.seen[maphash.Bytes(m.seed, c.Dict.Term(int(o)))] = struct{}{}
			return true
		})
	}
	return nil
}

// absent counts documents without a term as if they had the missing value.
func (m *metric) absent(n int) {
	if m.src.missing == nil || n == 0 {
		return
	}
	m.count += n
	if m.seen != nil {
		m.seen[maphash.String(m.seed, m.src.missing.Text())] = struct{}{}
	}
}

// show writes a number, and as text where the field has a format.
func (m *metric) show(o *jsondoc.Value, name string, v float64) {
	if m.count == 0 && name != "sum" || math.IsNaN(v) {
		o.Set(name, jsondoc.NullValue())
		return
	}
	o.Set(name, jsondoc.Float(v))
	if s, ok := m.src.text(v); ok {
		o.Set(name+"_as_string", jsondoc.Str(s))
	}
}

// text formats a number as its field does.
func (s *source) text(v float64) (string, bool) {
	if s.f == nil {
		return "", false
	}
	switch {
	case s.f.IsDate():
		return s.dateFormat().Print(s.f.Time(int64(v)), s.zone), true
	case s.f.Type == "boolean":
		return strconv.FormatBool(v != 0), true
	}
	return "", false
}

// dateFormat is how dates of a bound field are written.
func (s *source) dateFormat() *dates.Format {
	if s.format != nil {
		return s.format
	}
	return s.f.Format
}

func (m *metric) result() (*jsondoc.Value, error) {
	o := jsondoc.Obj()
	avg := m.sum / float64(m.count)
	switch m.n.kind {
	case "value_count":
		o.Set("value", jsondoc.Int(m.count))
	case "cardinality":
		o.Set("value", jsondoc.Int(len(m.seen)))
	case "min":
		m.show(o, "value", m.min)
	case "max":
		m.show(o, "value", m.max)
	case "sum":
		m.show(o, "value", m.sum)
		if m.count == 0 {
			o.Set("value", jsondoc.Float(0))
		}
	case "avg":
		m.show(o, "value", avg)
	case "percentiles":
		slices.Sort(m.vals)
		return m.points(m.percents, func(p float64) float64 { return quantile(m.vals, p/100) }), nil
	case "percentile_ranks":
		slices.Sort(m.vals)
		return m.points(m.ranks, func(v float64) float64 { return rank(m.vals, v) * 100 }), nil
	case "median_absolute_deviation":
		o.Set("value", orNull(deviation(m.vals)))
	default:
		o.Set("count", jsondoc.Int(m.count))
		m.show(o, "min", m.min)
		m.show(o, "max", m.max)
		m.show(o, "avg", avg)
		m.show(o, "sum", m.sum)
		if m.n.kind == "extended_stats" {
			m.extended(o, avg)
		}
	}
	return o, nil
}

func orNull(f float64) *jsondoc.Value {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return jsondoc.NullValue()
	}
	return jsondoc.Float(f)
}

func (m *metric) extended(o *jsondoc.Value, avg float64) {
	n := float64(m.count)
	variance := max((m.sq-m.sum*m.sum/n)/n, 0)
	if m.count == 0 {
		variance = math.NaN()
	}
	sampling := variance * n / (n - 1)
	if m.count < 2 {
		sampling = math.NaN()
	}
	sd, ss := math.Sqrt(variance), math.Sqrt(sampling)
	set := func(o *jsondoc.Value, name string, v float64) {
		switch m.count {
		case 0:
			o.Set(name, jsondoc.NullValue())
		default:
			o.Set(name, jsondoc.Float(v))
		}
	}
	if m.count == 0 {
		o.Set("sum_of_squares", jsondoc.NullValue())
	} else {
		o.Set("sum_of_squares", jsondoc.Float(m.sq))
	}
	set(o, "variance", variance)
	set(o, "variance_population", variance)
	set(o, "variance_sampling", sampling)
	set(o, "std_deviation", sd)
	set(o, "std_deviation_population", sd)
	set(o, "std_deviation_sampling", ss)
	b := jsondoc.Obj()
	set(b, "upper", avg+m.sigma*sd)
	set(b, "lower", avg-m.sigma*sd)
	set(b, "upper_population", avg+m.sigma*sd)
	set(b, "lower_population", avg-m.sigma*sd)
	set(b, "upper_sampling", avg+m.sigma*ss)
	set(b, "lower_sampling", avg-m.sigma*ss)
	o.Set("std_deviation_bounds", b)
}

func (m *metric) points(at []float64, value func(float64) float64) *jsondoc.Value {
	key := func(p float64) string { return jsondoc.FormatFloat(p, 64) }
	one := func(p float64) (*jsondoc.Value, string, bool) {
		if len(m.vals) == 0 {
			return jsondoc.NullValue(), "", false
		}
		v := value(p)
		s, ok := m.src.text(v)
		return orNull(v), s, ok && m.n.kind == "percentiles"
	}
	if !m.keyed {
		l := jsondoc.Arr()
		for _, p := range at {
			v, s, ok := one(p)
			o := jsondoc.Obj("key", p, "value", v)
			if ok {
				o.Set("value_as_string", jsondoc.Str(s))
			}
			l.Add(o)
		}
		return jsondoc.Obj("values", l)
	}
	vals := jsondoc.Obj()
	for _, p := range at {
		v, s, ok := one(p)
		vals.Set(key(p), v)
		if ok {
			vals.Set(key(p)+"_as_string", jsondoc.Str(s))
		}
	}
	return jsondoc.Obj("values", vals)
}

// quantile interpolates between the values around a share of a sorted list.
func quantile(v []float64, q float64) float64 {
	if len(v) == 0 {
		return math.NaN()
	}
	at := q * float64(len(v)-1)
	i := int(math.Floor(at))
	if i < 0 {
		return v[0]
	}
	if i >= len(v)-1 {
		return v[len(v)-1]
	}
	return v[i] + (v[i+1]-v[i])*(at-float64(i))
}

// rank returns the share of a sorted list that is not above x.
func rank(v []float64, x float64) float64 {
	i, _ := slices.BinarySearchFunc(v, x, func(a, b float64) int {
		if a <= b {
			return -1
		}
		return 1
	})
	return float64(i) / float64(len(v))
}

func deviation(v []float64) float64 {
	v = slices.Clone(v)
	slices.Sort(v)
	mid := quantile(v, .5)
	for i := range v {
		v[i] = math.Abs(v[i] - mid)
	}
	slices.Sort(v)
	return quantile(v, .5)
}

// weighted is the state of weighted_avg.
type weighted struct {
	value, weight source
	sum, total    float64
}

func newWeighted(n *node) (state, error) {
	v, err := newSource(n.body.Get("value"))
	if err != nil {
		return nil, err
	}
	w, err := newSource(n.body.Get("weight"))
	return &weighted{value: v, weight: w}, err
}

func (w *weighted) collect(x *scope, rows []uint32) error {
	ws := map[uint32]float64{}
	if err := w.weight.numbers(x, rows, func(r uint32, v float64) { ws[r] = v }); err != nil {
		return err
	}
	return w.value.numbers(x, rows, func(r uint32, v float64) {
		if k, ok := ws[r]; ok {
			w.sum += v * k
			w.total += k
		}
	})
}

func (w *weighted) result() (*jsondoc.Value, error) {
	return jsondoc.Obj("value", orNull(w.sum/w.total)), nil
}

// top is the state of top_hits.
type top struct {
	n      *node
	parts  []any
	render func([]any, *jsondoc.Value) (*jsondoc.Value, error)
}

func newTop(n *node) (state, error) { return &top{n: n}, nil }

func (t *top) collect(x *scope, rows []uint32) error {
	t.parts = append(t.parts, x.top.Make(rows, x.path))
	t.render = x.top.Render
	return nil
}

func (t *top) result() (*jsondoc.Value, error) {
	if t.render == nil {
		return jsondoc.Obj("hits", jsondoc.Obj("total", jsondoc.Obj("value", 0, "relation", "eq"), "max_score", nil, "hits", jsondoc.Arr())), nil
	}
	v, err := t.render(t.parts, t.n.body)
	return jsondoc.Obj("hits", v), err
}
