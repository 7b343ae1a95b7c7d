package aggs

import (
	"cmp"
	"math"
	"net/http"
	"slices"
	"time"

	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/apierr"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/dates"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/jsondoc"
)

// histogram is the state of histogram and date_histogram.
type histogram struct {
	n        *node
	src      source
	round    *dates.Rounding // of dates
	zone     *time.Location
	interval float64 // of numbers
	offset   float64
	shift    float64 // the offset of dates, which extended bounds are moved by
	minDoc   int
	keyed    bool
	orders   []order
	extended *jsondoc.Value
	hard     *jsondoc.Value
	auto     int // buckets wanted by auto_date_histogram
	buckets  map[float64]*bucket
	rows     []autoRows
}

// autoRows are rows that wait for auto_date_histogram to choose its interval.
type autoRows struct {
	x    *scope
	rows []uint32
}

func newHistogram(n *node) (state, error) {
	src, err := newSource(n.body)
	if err != nil {
		return nil, err
	}
	src.millis = n.kind != "histogram"
	h := &histogram{n: n, src: src, buckets: map[float64]*bucket{}, extended: n.body.Get("extended_bounds"), hard: n.body.Get("hard_bounds")}
	if k, ok := n.body.Get("min_doc_count").Int64(); ok {
		h.minDoc = int(k)
	}
	h.keyed, _ = n.body.Get("keyed").Truth()
	if h.orders, err = parseOrder(n.body.Get("order")); err != nil {
		return nil, err
	}
	if err := checkOrders(n, h.orders); err != nil {
		return nil, err
	}
	switch n.kind {
	case "histogram":
		if err := h.checkBounds(); err != nil {
			return nil, err
		}
		f, ok := n.body.Get("interval").Float64()
		if !ok || f <= 0 {
			return nil, apierr.Illegal("[interval] must be >0 for histogram aggregation [%s]", n.name)
		}
		h.interval = f
		h.offset, _ = n.body.Get("offset").Float64()
		return h, nil
	case "auto_date_histogram":
		h.auto = 10
		if k, ok := n.body.Get("buckets").Int64(); ok && k > 0 {
			h.auto = int(k)
		}
	}
	h.zone = src.zone
	if h.auto > 0 {
		return h, nil
	}
	if err := h.dateInterval(); err != nil {
		return nil, err
	}
	return h, h.checkBounds()
}

// checkBounds refuses bounds that end before they begin.
func (h *histogram) checkBounds() error {
	for name, b := range map[string]*jsondoc.Value{"extended_bounds": h.extended, "hard_bounds": h.hard} {
		lo, hasLo := h.bound(b, "min")
		if hi, has := h.bound(b, "max"); hasLo && has && lo > hi {
			return apierr.Illegal("[%s.min][%s] cannot be greater than [%s.max][%s] for histogram aggregation [%s]", name, b.Get("min").Text(), name, b.Get("max").Text(), h.n.name)
		}
	}
	return nil
}

func (h *histogram) dateInterval() error {
	offset := int64(0)
	if o := h.n.body.Get("offset").Text(); o != "" {
		sign, text := int64(1), o
		if o[0] == '-' || o[0] == '+' {
			text = o[1:]
			if o[0] == '-' {
				sign = -1
			}
		}
		d, err := dates.Duration(text)
		if err != nil {
			return apierr.Illegal("%s", err)
		}
		offset = sign * d.Milliseconds()
		h.shift = float64(offset)
	}
	cal, fixed, old := h.n.body.Get("calendar_interval").Text(), h.n.body.Get("fixed_interval").Text(), h.n.body.Get("interval").Text()
	bad := func(field string, err error) error {
		e := apierr.XContent("[1:1] [date_histogram] failed to parse field [%s]", field)
		e.Cause = apierr.Illegal("%s", err)
		return e
	}
	var err error
	switch {
	case cal != "" && fixed != "":
		return bad("fixed_interval", errBoth)
	case cal != "":
		if h.round, err = dates.Calendar(cal, h.zone, offset); err != nil {
			return bad("calendar_interval", err)
		}
	case fixed != "":
		if h.round, err = dates.Fixed(fixed, h.zone, offset); err != nil {
			return bad("fixed_interval", err)
		}
	case old != "":
		return apierr.XContent("[1:1] [date_histogram] unknown field [interval] did you mean [calendar_interval, fixed_interval]?")
	default:
		return apierr.OnShard("illegal_argument_exception", "Invalid interval specified, must be non-null and non-empty")
	}
	return nil
}

var errBoth = apierr.Illegal("Cannot use [fixed_interval] with [calendar_interval] configuration option.")

func (h *histogram) floor(v float64) float64 {
	if h.round != nil {
		return float64(h.round.Floor(int64(v)))
	}
	return math.Floor((v-h.offset)/h.interval)*h.interval + h.offset
}

func (h *histogram) next(k float64) float64 {
	if h.round != nil {
		return float64(h.round.Next(int64(k)))
	}
	return math.Round((k-h.offset)/h.interval+1)*h.interval + h.offset
}

func (h *histogram) collect(x *scope, rows []uint32) error {
	if h.auto > 0 && h.round == nil {
		h.rows = append(h.rows, autoRows{x, slices.Clone(rows)})
		_, err := h.src.bind(x)
		return err
	}
	groups := map[float64]*[]uint32{}
	lo, hi := math.Inf(1), math.Inf(-1) // the interval of the last row
	var last *[]uint32
	err := h.src.numbers(x, rows, func(r uint32, v float64) {
		if v < lo || v >= hi {
			lo = h.floor(v)
			hi = h.next(lo)
			if last = groups[lo]; last == nil {
				last = &[]uint32{}
				groups[lo] = last
			}
		}
		if n := len(*last); n == 0 || (*last)[n-1] != r {
			*last = append(*last, r)
		}
	})
	if err != nil {
		return err
	}
	for k, g := range groups {
		if h.outside(k) {
			continue
		}
		b := h.buckets[k]
		if b == nil {
			if b, err = h.n.bucket(); err != nil {
				return err
			}
			h.buckets[k] = b
		}
		if err := b.add(x, *g); err != nil {
			return err
		}
	}
	return nil
}

// bound reads an end of extended or hard bounds.
func (h *histogram) bound(v *jsondoc.Value, name string) (float64, bool) {
	x := v.Get(name)
	switch {
	case x.IsNull():
		return 0, false
	case h.round == nil || !x.Is(jsondoc.StringKind):
		return h.src.number(x)
	}
	f, err := h.dateFormat()
	if err != nil {
		return 0, false
	}
	t, err := f.Math(x.S, now(), h.zone, false)
	return float64(t.UnixMilli()), err == nil
}

// dateFormat is how dates of the request are read and keys are written.
func (h *histogram) dateFormat() (*dates.Format, error) {
	if h.src.format != nil {
		return h.src.format, nil
	}
	if h.src.f != nil && h.src.f.Format != nil {
		return h.src.f.Format, nil
	}
	return dates.ParseFormat(dates.DefaultFormat)
}

func (h *histogram) outside(k float64) bool {
	if h.hard == nil {
		return false
	}
	lo, hasLo := h.bound(h.hard, "min")
	hi, hasHi := h.bound(h.hard, "max")
	return hasLo && k < h.floor(lo) || hasHi && k >= hi
}

// choose picks the interval of auto_date_histogram: the finest of a fixed
// list that needs no more buckets than wanted.
func (h *histogram) choose() error {
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, a := range h.rows {
		if err := h.src.numbers(a.x, a.rows, func(_ uint32, v float64) { lo, hi = min(lo, v), max(hi, v) }); err != nil {
			return err
		}
	}
	for _, step := range [...]string{"1s", "5s", "10s", "30s", "1m", "5m", "10m", "30m", "1h", "3h", "12h", "1d", "7d", "1M", "3M", "1y", "5y", "10y", "20y", "50y", "100y"} {
		h.round, h.interval = nil, 0
		r, err := autoRounding(step, h.zone)
		if err != nil {
			continue
		}
		h.round = r
		n := 0
		for k := r.Floor(int64(lo)); float64(k) <= hi && n <= h.auto && !math.IsInf(lo, 0); k = r.Next(k) {
			n++
		}
		if n <= h.auto {
			for _, a := range h.rows {
				if err := h.collect(a.x, a.rows); err != nil {
					return err
				}
			}
			h.extended = jsondoc.Obj("step", step)
			return nil
		}
	}
	return nil
}

func autoRounding(step string, zone *time.Location) (*dates.Rounding, error) {
	switch step {
	case "1M", "1d", "1h", "1m", "1s", "1y":
		return dates.Calendar(step, zone, 0)
	case "3M":
		return dates.Calendar("1q", zone, 0)
	}
	return dates.Fixed(step, zone, 0)
}

func tooMany(n int) error {
	e := apierr.OnShard("too_many_buckets_exception", "Trying to create too many buckets. Must be less than or equal to: [%d] but was [%d]. This limit can be set by changing the [search.max_buckets] cluster level setting.", maxBuckets, n)
	e.NoRoot, e.Status = true, http.StatusBadRequest
	return e
}

// fill adds the empty buckets between the others.
func (h *histogram) fill(keys []float64) ([]float64, error) {
	if h.minDoc > 0 {
		return keys, nil
	}
	lo, hi := math.Inf(1), math.Inf(-1)
	if len(keys) > 0 {
		lo, hi = keys[0], keys[len(keys)-1]
	}
	if h.extended != nil {
		if v, ok := h.bound(h.extended, "min"); ok {
			lo = min(lo, h.floor(v+h.shift))
			hi = max(hi, lo)
		}
		if v, ok := h.bound(h.extended, "max"); ok {
			hi = max(hi, h.floor(v+h.shift))
			if len(keys) == 0 && h.extended.Get("min").IsNull() {
				lo = hi
			}
		}
	}
	if math.IsInf(lo, 0) || math.IsInf(hi, 0) {
		return keys, nil
	}
	var out []float64
	for k := lo; k <= hi+1e-9; k = h.next(k) {
		if out = append(out, k); len(out) > *h.n.left {
			return nil, tooMany(maxBuckets - *h.n.left + len(out))
		}
	}
	return out, nil
}

func (h *histogram) result() (*jsondoc.Value, error) {
	step := ""
	if h.auto > 0 && h.round == nil {
		if err := h.choose(); err != nil {
			return nil, err
		}
		step = h.extended.Get("step").Text()
		h.extended = nil
	}
	keys := make([]float64, 0, len(h.buckets))
	for k := range h.buckets {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	keys, err := h.fill(keys)
	if err != nil {
		return nil, err
	}
	list := jsondoc.Arr()
	for _, k := range keys {
		b := h.buckets[k]
		if b == nil {
			if b, err = h.n.bucket(); err != nil {
				return nil, err
			}
		}
		if b.count < h.minDoc {
			continue
		}
		o := jsondoc.Obj()
		h.show(o, k)
		if _, err := b.render(o, h.n); err != nil {
			return nil, err
		}
		list.Add(o)
	}
	if err := parents(h.n, list); err != nil {
		return nil, err
	}
	h.sort(list)
	out := jsondoc.Obj("buckets", list)
	if h.keyed {
		out = jsondoc.Obj("buckets", keyed(list))
	}
	if step != "" {
		out.Set("interval", jsondoc.Str(step))
	}
	return out, nil
}

func (h *histogram) show(o *jsondoc.Value, k float64) {
	if h.round == nil {
		o.Set("key", jsondoc.Float(k))
		return
	}
	if f, err := h.dateFormat(); err == nil {
		o.Set("key_as_string", jsondoc.Str(f.Print(time.UnixMilli(int64(k)), h.zone)))
	}
	o.Set("key", jsondoc.Int(int64(k)))
}

// sort applies an order other than by key, ascending.
func (h *histogram) sort(list *jsondoc.Value) {
	if h.orders == nil {
		return
	}
	slices.SortStableFunc(list.Items, func(a, b *jsondoc.Value) int {
		for _, o := range h.orders {
			path := o.path
			if path == "_time" {
				path = "_key"
			}
			x, _ := value(a, path)
			y, _ := value(b, path)
			c := cmp.Compare(x, y)
			if !o.asc {
				c = -c
			}
			if c != 0 {
				return c
			}
		}
		return 0
	})
}

// keyed turns a list of buckets into an object by key.
func keyed(list *jsondoc.Value) *jsondoc.Value {
	o := jsondoc.Obj()
	for _, b := range list.Items {
		name := b.Get("key_as_string")
		if name == nil {
			name = b.Get("key")
		}
		o.Set(name.Text(), b)
	}
	return o
}
