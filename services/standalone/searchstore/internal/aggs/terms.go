package aggs

import (
	"bytes"
	"cmp"
	"hash/fnv"
	"math"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/apierr"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/jsondoc"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/mapping"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/segment"
)

func now() time.Time { return time.Now() }

// terms is the state of terms, rare_terms and multi_terms.
type terms struct {
	n       *node
	srcs    []source
	size    int
	minDoc  int
	maxDoc  int // of rare_terms
	orders  []order
	include func(string) bool
	buckets map[key]*bucket
	parts   map[key][]key // of multi_terms
}

// order is one key of a bucket order.
type order struct {
	path string
	asc  bool
}

func newTerms(n *node) (state, error) {
	t := &terms{n: n, size: 10, minDoc: 1, buckets: map[key]*bucket{}}
	specs := []*jsondoc.Value{n.body}
	if n.kind == "multi_terms" {
		specs = n.body.Get("terms").List()
		t.parts = map[key][]key{}
	}
	for _, s := range specs {
		src, err := newSource(s)
		if err != nil {
			return nil, err
		}
		t.srcs = append(t.srcs, src)
	}
	if v := n.body.Get("size"); v != nil {
		k, ok := v.Int64()
		if !ok || k <= 0 {
			e := apierr.XContent("[1:1] [terms] failed to parse field [size]")
			e.Cause = apierr.Illegal("[size] must be greater than 0. Found [%s] in [%s]", v.Text(), n.name)
			return nil, e
		}
		t.size = int(min(k, math.MaxInt32))
	}
	if k, ok := n.body.Get("min_doc_count").Int64(); ok {
		t.minDoc = int(k)
	}
	if n.kind == "rare_terms" {
		t.maxDoc, t.size = 1, math.MaxInt32
		if k, ok := n.body.Get("max_doc_count").Int64(); ok {
			t.maxDoc = int(k)
		}
	}
	var err error
	if t.orders, err = parseOrder(n.body.Get("order")); err != nil {
		return nil, err
	}
	if t.orders == nil {
		t.orders = []order{{path: "_count", asc: n.kind == "rare_terms"}}
	}
	if err := checkOrders(n, t.orders); err != nil {
		return nil, err
	}
	return t, t.filter(n.body.Get("include"), n.body.Get("exclude"))
}

func parseOrder(v *jsondoc.Value) ([]order, error) {
	var out []order
	for _, x := range v.List() {
		if !x.Is(jsondoc.Object) || len(x.Keys) != 1 {
			return nil, apierr.Parsing("Must specify exactly one value for order path and direction")
		}
		switch dir := strings.ToLower(x.Items[0].Text()); dir {
		case "asc", "desc":
			out = append(out, order{x.Keys[0], dir == "asc"})
		default:
			return nil, apierr.Parsing("Unknown order direction [%s]", dir)
		}
	}
	return out, nil
}

// checkOrders refuses orders by what is not there, or by what has several values and
// does not say which.
func checkOrders(n *node, orders []order) error {
	for _, o := range orders {
		if err := checkOrder(n.subs, o.path); err != nil {
			return err
		}
	}
	return nil
}

func checkOrder(subs []*node, path string) error {
	refuse := func(format string, args ...any) error {
		e := apierr.OnShard("illegal_argument_exception", "Invalid aggregation order path [%s]. "+format, append([]any{path}, args...)...)
		e.NoRoot = true
		return e
	}
	if path == "_count" || path == "_key" || path == "_time" {
		return nil
	}
	for rest := path; ; {
		head, below, deeper := strings.Cut(rest, ">")
		at := slices.IndexFunc(subs, func(s *node) bool { return s.name == head || s.name == firstStep(head) })
		if at < 0 {
			return refuse("Cannot find aggregation named [%s]", firstStep(head))
		}
		s := subs[at]
		if deeper {
			if isMetric(s.kind) || !single(s.kind) {
				return refuse("Sub-path [%s] points to a multi-bucket aggregation. Only single-bucket aggregations can be walked through", below)
			}
			if below == "_count" {
				return nil
			}
			subs, rest = s.subs, below
			continue
		}
		switch {
		case single(s.kind) && !isMetric(s.kind):
			return nil // by how many documents it has
		case !isMetric(s.kind) || s.kind == "top_hits":
			return refuse("Aggregation [%s] can't be ordered by: it has buckets or hits", s.name)
		case severalValues(s.kind) && head == s.name:
			return refuse("Missing value key in [%s] which refers to a multi-value metric aggregation", rest)
		}
		return nil
	}
}

// single reports whether an aggregation has one bucket.
func single(kind string) bool {
	return slices.Contains([]string{"filter", "missing", "global", "nested", "reverse_nested", "sampler"}, kind)
}

func severalValues(kind string) bool {
	return slices.Contains([]string{"stats", "extended_stats", "percentiles", "percentile_ranks"}, kind)
}

func matcher(v *jsondoc.Value) (func(string) bool, error) {
	if v.Is(jsondoc.StringKind) {
		re, err := regexp.Compile(`(?s)\A(?:` + v.S + `)\z`)
		if err != nil {
			return nil, apierr.Illegal("invalid pattern [%s]: %s", v.S, err)
		}
		return re.MatchString, nil
	}
	set := map[string]bool{}
	for _, s := range v.Texts() {
		set[s] = true
	}
	return func(s string) bool { return set[s] }, nil
}

// partition takes one of so many parts of all terms.
func partition(v *jsondoc.Value) (func(string) bool, error) {
	part, ok := v.Get("partition").Int64()
	of, has := v.Get("num_partitions").Int64()
	if !ok || !has || part < 0 || part >= of {
		return nil, apierr.Parsing("[include] needs [partition], from 0 on, and [num_partitions], which is more")
	}
	return func(s string) bool {
		h := fnv.New32a()
		_, _ = h.Write([]byte(s)) // a hash takes all
		return int64(h.Sum32())%of == part
	}, nil
}

func (t *terms) filter(include, exclude *jsondoc.Value) error {
	in := func(string) bool { return true }
	var err error
	switch {
	case include.Is(jsondoc.Object):
		if in, err = partition(include); err != nil {
			return err
		}
	case include != nil:
		if in, err = matcher(include); err != nil {
			return err
		}
	}
	t.include = in
	if exclude != nil {
		out, err := matcher(exclude)
		if err != nil {
			return err
		}
		t.include = func(s string) bool { return in(s) && !out(s) }
	}
	if include == nil && exclude == nil {
		t.include = nil
	}
	return nil
}

func (t *terms) at(k key) (*bucket, error) {
	b := t.buckets[k]
	if b == nil {
		var err error
		if b, err = t.n.bucket(); err != nil {
			return nil, err
		}
		t.buckets[k] = b
	}
	return b, nil
}

func (t *terms) collect(x *scope, rows []uint32) error {
	if t.parts != nil {
		return t.multi(x, rows)
	}
	src := &t.srcs[0]
	if src.field == "_index" {
		t.n.keys = "s"
		b, err := t.at(key{text: x.env.Index, kind: 's'})
		if err != nil || len(rows) == 0 {
			return err
		}
		return b.add(x, rows)
	}
	f, err := src.bind(x)
	if err != nil {
		return err
	}
	switch {
	case f == nil:
	case f.Store == mapping.Terms:
		t.n.keys = "s"
		return t.keywords(x, f, rows)
	case f.Store == mapping.Reals:
		t.n.keys = "d"
	default:
		t.n.keys = "l"
	}
	if f == nil && src.missing.Is(jsondoc.StringKind) && len(rows) > 0 {
		return t.put(x, nil, []byte(src.missing.S), rows)
	}
	wholes := map[int64][]uint32{}
	done, err := src.wholes(x, rows, func(r uint32, v int64) { wholes[v] = once(wholes[v], r) })
	if err != nil {
		return err
	}
	for v, g := range wholes {
		if err := t.putNumber(x, wholeKey(v), g); err != nil {
			return err
		}
	}
	if done {
		return nil
	}
	groups := map[float64][]uint32{}
	if err := src.numbers(x, rows, func(r uint32, v float64) { groups[v] = once(groups[v], r) }); err != nil {
		return err
	}
	for v, g := range groups {
		if err := t.putNumber(x, key{num: v, kind: 'n'}, g); err != nil {
			return err
		}
	}
	return nil
}

// once adds a row to a list: a value counts once a document.
func once(g []uint32, r uint32) []uint32 {
	if n := len(g); n > 0 && g[n-1] == r {
		return g
	}
	return append(g, r)
}

func (t *terms) putNumber(x *scope, k key, rows []uint32) error {
	if t.include != nil && !t.include(k.digits()) {
		return nil
	}
	b, err := t.at(k)
	if err != nil {
		return err
	}
	return b.add(x, rows)
}

// keywords groups rows by ordinal with a counting sort.
func (t *terms) keywords(x *scope, f *mapping.Field, rows []uint32) error {
	c, err := x.tab.Terms(f.Path)
	if err != nil {
		return err
	}
	var without []uint32
	if c == nil {
		without = rows
		c = &segment.Terms{Ords: nil}
		rows = nil
	}
	n := c.Dict.Len()
	at := make([]uint32, n+1)
	for _, r := range rows {
		lo, hi := c.Span(r)
		if lo == hi {
			without = append(without, r)
		}
		for ; lo < hi; lo++ {
			at[c.Ords[lo]+1]++
		}
	}
	for i := range n {
		at[i+1] += at[i]
	}
	sorted := make([]uint32, at[n])
	fill := slices.Clone(at)
	for _, r := range rows {
		for lo, hi := c.Span(r); lo < hi; lo++ {
			o := c.Ords[lo]
			sorted[fill[o]] = r
			fill[o]++
		}
	}
	for o := range n {
		g := sorted[at[o]:at[o+1]]
		if len(g) == 0 && t.minDoc > 0 {
			continue
		}
		if err := t.put(x, f, c.Dict.Term(o), g); err != nil {
			return err
		}
	}
	if m := t.srcs[0].missing; m != nil && len(without) > 0 {
		return t.put(x, nil, []byte(m.Text()), without)
	}
	return nil
}

func (t *terms) put(x *scope, f *mapping.Field, term []byte, rows []uint32) error {
	text := termText(f, term)
	if t.include != nil && !t.include(text) {
		return nil
	}
	k := key{text: string(term), kind: 's'}
	if f != nil && f.Type == "ip" {
		k.text = string(bytes.Clone(term))
	}
	b, err := t.at(k)
	if err != nil {
		return err
	}
	return b.add(x, rows)
}

func termText(f *mapping.Field, term []byte) string {
	if f != nil && f.Type == "ip" {
		if a, ok := netip.AddrFromSlice(term); ok {
			return a.Unmap().String()
		}
	}
	return string(term)
}

// multi groups rows by the values of several fields.
func (t *terms) multi(x *scope, rows []uint32) error {
	groups := map[key][]uint32{}
	lists := make([]map[uint32][]key, len(t.srcs))
	for i := range t.srcs {
		var err error
		if lists[i], err = t.srcs[i].keys(x, rows); err != nil {
			return err
		}
	}
	for _, r := range rows {
		combos := [][]key{nil}
		for i := range t.srcs {
			var next [][]key
			for _, c := range combos {
				for _, k := range lists[i][r] {
					next = append(next, append(slices.Clone(c), k))
				}
			}
			combos = next
		}
		for _, c := range combos {
			id := joined(c)
			t.parts[id] = c
			groups[id] = append(groups[id], r)
		}
	}
	for k, g := range groups {
		b, err := t.at(k)
		if err != nil {
			return err
		}
		if err := b.add(x, g); err != nil {
			return err
		}
	}
	return nil
}

// sorted is a bucket on its way to the answer.
type sorted struct {
	k key
	b *bucket
	v *jsondoc.Value // what it is ordered by
}

func (t *terms) result() (*jsondoc.Value, error) {
	total := 0
	list := make([]sorted, 0, len(t.buckets))
	byMetric := slices.ContainsFunc(t.orders, func(o order) bool { return o.path != "_count" && o.path != "_key" })
	for k, b := range t.buckets {
		if b.count < t.minDoc || t.maxDoc > 0 && b.count > t.maxDoc {
			continue
		}
		total += b.count
		s := sorted{k: k, b: b}
		if byMetric {
			var err error
			if s.v, err = t.ordering(b); err != nil {
				return nil, err
			}
		}
		list = append(list, s)
	}
	slices.SortFunc(list, t.compare)
	other := 0
	out := jsondoc.Arr()
	for i, s := range list {
		if i >= t.size {
			other += s.b.count
			continue
		}
		v, err := t.one(s)
		if err != nil {
			return nil, err
		}
		out.Add(v)
	}
	if err := parents(t.n, out); err != nil {
		return nil, err
	}
	if t.n.kind == "rare_terms" {
		return jsondoc.Obj("buckets", out), nil
	}
	return jsondoc.Obj("doc_count_error_upper_bound", 0, "sum_other_doc_count", other, "buckets", out), nil
}

// compare orders buckets as the request wants them.
func (t *terms) compare(a, b sorted) int {
	for _, o := range t.orders {
		c := 0
		switch o.path {
		case "_count":
			c = cmp.Compare(a.b.count, b.b.count)
		case "_key":
			c = t.compareKeys(a.k, b.k)
		default:
			x, okx := value(a.v, o.path)
			y, oky := value(b.v, o.path)
			if okx != oky { // what has no value comes last
				return map[bool]int{true: -1, false: 1}[okx]
			}
			c = cmp.Compare(x, y)
		}
		if !o.asc {
			c = -c
		}
		if c != 0 {
			return c
		}
	}
	return t.compareKeys(a.k, b.k)
}

func (t *terms) compareKeys(a, b key) int {
	if t.parts == nil {
		return a.compare(b)
	}
	x, y := t.parts[a], t.parts[b]
	for i := range x {
		if c := x[i].compare(y[i]); c != 0 {
			return c
		}
	}
	return 0
}

// ordering renders what of a bucket the orders look at. Buckets that only lend their
// figures for that are not counted: most of them will not be in the answer.
func (t *terms) ordering(b *bucket) (*jsondoc.Value, error) {
	o := jsondoc.Obj()
	left := *t.n.left
	defer func() { *t.n.left = left }()
	for _, by := range t.orders {
		head := firstStep(by.path)
		i := slices.IndexFunc(t.n.subs, func(n *node) bool { return n.name == head })
		if i < 0 || o.Get(head) != nil {
			continue
		}
		v, err := b.subs[i].result()
		if err != nil {
			return nil, err
		}
		o.Set(head, v)
	}
	return o, nil
}

func (t *terms) one(s sorted) (*jsondoc.Value, error) {
	o := jsondoc.Obj()
	if t.parts == nil {
		t.srcs[0].show(o, s.k)
		return s.b.render(o, t.n)
	}
	list, texts := jsondoc.Arr(), []string{}
	for i, k := range t.parts[s.k] {
		x := jsondoc.Obj()
		t.srcs[i].show(x, k)
		list.Add(x.Get("key"))
		text := x.Get("key_as_string")
		if text == nil {
			text = x.Get("key")
		}
		texts = append(texts, text.Text())
	}
	o.Set("key", list)
	o.Set("key_as_string", jsondoc.Str(strings.Join(texts, "|")))
	return s.b.render(o, t.n)
}
