package search

import (
	"bytes"
	"cmp"
	"math"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/apierr"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/dates"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/jsondoc"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/mapping"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/query"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/segment"
)

// SortKey is one key of a sort.
type SortKey struct {
	Field    string // or _score, _doc, _shard_doc
	Desc     bool
	Missing  *jsondoc.Value
	Mode     string
	Unmapped string
	Format   string
	Nested   string
	NumType  string
	filter   *jsondoc.Value
}

// ParseSort reads a sort: a name, an object, or a list of them.
func ParseSort(v *jsondoc.Value) ([]SortKey, error) {
	var out []SortKey
	for _, x := range v.List() {
		switch {
		case x.Is(jsondoc.StringKind):
			name, dir, _ := strings.Cut(x.S, ":")
			out = append(out, SortKey{Field: name, Desc: dir == "desc" || dir == "" && name == "_score"})
		case x.Is(jsondoc.Object):
			for i, name := range x.Keys {
				k, err := sortKey(name, x.Items[i])
				if err != nil {
					return nil, err
				}
				out = append(out, k)
			}
		default:
			return nil, apierr.Illegal("malformed sort format, within the sort array, an object, or an actual string are allowed")
		}
	}
	return out, nil
}

func sortKey(name string, v *jsondoc.Value) (SortKey, error) {
	k := SortKey{Field: name, Desc: name == "_score"}
	if name == "_script" || name == "_geo_distance" {
		return k, apierr.Unsupported("sorting by [%s] is not supported by the embedded store", name)
	}
	if v.Is(jsondoc.StringKind) {
		return k, k.order(v.S)
	}
	for i, o := range v.Keys {
		x := v.Items[i]
		switch o {
		case "order":
			if err := k.order(x.Text()); err != nil {
				return k, err
			}
		case "missing":
			k.Missing = x
		case "mode":
			k.Mode = x.Text()
		case "unmapped_type":
			k.Unmapped = x.Text()
		case "format":
			k.Format = x.Text()
		case "numeric_type":
			k.NumType = x.Text()
		case "nested":
			k.Nested, k.filter = x.Get("path").Text(), x.Get("filter")
		case "nested_path":
			k.Nested = x.Text()
		case "nested_filter":
			k.filter = x
		case "ignore_unmapped", "boost":
		default:
			return k, apierr.XContent("[1:1] [field_sort] unknown field [%s]", o)
		}
	}
	return k, nil
}

func (k *SortKey) order(s string) error {
	switch strings.ToLower(s) {
	case "asc":
		k.Desc = false
	case "desc":
		k.Desc = true
	default:
		return apierr.Illegal("No enum constant org.elasticsearch.search.sort.SortOrder.%s", strings.ToUpper(s))
	}
	return nil
}

// value is a document's value of a sort key.
type value struct {
	kind byte // 'i' integer, 'f' float, 's' bytes, 0 missing
	low  bool // of a missing value: it comes before all others
	i    int64
	f    float64
	s    []byte
}

// compare orders values, ascending.
func (a *value) compare(b *value) int {
	if a.kind == 0 || b.kind == 0 {
		return cmp.Compare(a.rank(), b.rank())
	}
	if a.kind == 's' || b.kind == 's' {
		if a.kind != b.kind {
			return cmp.Compare(a.kind, b.kind)
		}
		return bytes.Compare(a.s, b.s)
	}
	if a.kind == 'i' && b.kind == 'i' {
		return cmp.Compare(a.i, b.i)
	}
	return cmp.Compare(a.float(), b.float())
}

func (a *value) rank() int {
	switch {
	case a.kind != 0:
		return 0
	case a.low:
		return -1
	}
	return 1
}

func (a *value) float() float64 {
	if a.kind == 'i' {
		return float64(a.i)
	}
	return a.f
}

// column reads a sort key's values in one segment.
type column struct {
	key     *SortKey
	f       *mapping.Field
	nums    *segment.Nums
	terms   *segment.Terms
	missing value
	rows    [][]uint32 // of nested keys: the rows of each document
	inner   []int64    // of _doc: the nested rows that come before each document
}

// bind prepares a key for an index.
func (k *SortKey) bind(m *mapping.Mapping) (*mapping.Field, error) {
	if strings.HasPrefix(k.Field, "_") && (k.Field == "_score" || k.Field == "_doc" || k.Field == "_shard_doc" || k.Field == "_id" || k.Field == "_index" || k.Field == "_seq_no") {
		return nil, nil
	}
	f := m.Field(k.Field)
	if f == nil || f.IsObject() {
		if k.Unmapped == "" {
			return nil, apierr.OnShard("query_shard_exception", "No mapping found for [%s] in order to sort on", k.Field)
		}
		return nil, nil
	}
	if f.Store == mapping.Text {
		return nil, textFielddata(f)
	}
	return f, nil
}

func textFielddata(f *mapping.Field) error {
	return apierr.OnShard("illegal_argument_exception", "Fielddata is disabled on [%s] in [%s]. Text fields are not optimised for operations that require per-document field data like aggregations and sorting, so these operations are disabled by default. Please use a keyword field instead. Alternatively, set fielddata=true on [%s] in order to load field data by uninverting the inverted index. Note that this can use significant memory.", f.Path, f.Path, f.Path)
}

// open returns the reader of a key's values in a segment.
func (k *SortKey) open(f *mapping.Field, env *query.Env, seg *segment.Segment, stats *query.Stats) (*column, error) {
	c := &column{key: k, f: f}
	if err := c.setMissing(); err != nil {
		return nil, err
	}
	if k.Field == "_doc" && len(seg.Children) > 0 {
		c.inner = innerRows(seg)
	}
	if f == nil {
		return c, nil
	}
	rows := seg
	if f.Nested != "" {
		if rows = seg.Children[f.Nested]; rows == nil {
			return c, nil
		}
		if err := c.nested(env, seg, rows, stats); err != nil {
			return nil, err
		}
	}
	var err error
	if f.Store == mapping.Terms {
		c.terms, err = rows.Terms(f.Path)
	} else {
		c.nums, err = rows.Nums(f.Path)
	}
	return c, err
}

// innerRows counts, for each document, the nested objects up to it: they are
// documents of their own where documents are numbered.
func innerRows(seg *segment.Segment) []int64 {
	n := make([]int64, seg.N)
	for _, child := range seg.Children {
		for _, p := range child.Parent {
			if int(p) < len(n) {
				n[p]++
			}
		}
	}
	for i := 1; i < len(n); i++ {
		n[i] += n[i-1]
	}
	return n
}

func (c *column) nested(env *query.Env, seg, rows *segment.Segment, stats *query.Stats) error {
	c.rows = make([][]uint32, seg.N)
	keep := segment.AllBits(rows.N)
	if c.key.filter != nil {
		sub := *env
		sub.Nested = c.f.Nested
		n, err := sub.Parse(c.key.filter)
		if err != nil {
			return err
		}
		m, err := n.Eval(&query.Scope{Seg: rows, Root: seg, Path: c.f.Nested, Stats: stats})
		if err != nil {
			return err
		}
		keep = m.Bits
	}
	keep.Each(func(r uint32) bool {
		c.rows[rows.Parent[r]] = append(c.rows[rows.Parent[r]], r)
		return true
	})
	return nil
}

func (c *column) setMissing() error {
	m := c.key.Missing
	switch text := m.Text(); {
	case m.IsNull() || text == "_last":
		c.missing = value{low: c.key.Desc}
	case text == "_first":
		c.missing = value{low: !c.key.Desc}
	case c.f == nil:
		c.missing = value{low: c.key.Desc}
	default:
		v, err := parseValue(c.f, text, "")
		if err != nil {
			return err
		}
		c.missing = v
	}
	return nil
}

// parseValue reads a sort value as text in a request.
func parseValue(f *mapping.Field, text, format string) (value, error) {
	switch {
	case f.Type == "ip":
		a, err := netip.ParseAddr(text)
		if err != nil {
			return value{}, apierr.OnShard("illegal_argument_exception", "'%s' is not an IP string literal.", text)
		}
		b := a.As16()
		return value{kind: 's', s: b[:]}, nil
	case f.Store == mapping.Terms:
		return value{kind: 's', s: []byte(text)}, nil
	case f.IsDate():
		if n, err := strconv.ParseInt(text, 10, 64); err == nil && format == "" {
			return value{kind: 'i', i: n}, nil
		}
		df := f.Format
		if format != "" {
			var err error
			if df, err = dates.ParseFormat(format); err != nil {
				return value{}, apierr.OnShard("illegal_argument_exception", "%s", err)
			}
		}
		t, err := df.Math(text, time.Now(), nil, false)
		if err != nil {
			return value{}, apierr.OnShard("parse_exception", "%s", err)
		}
		return value{kind: 'i', i: f.OfTime(t)}, nil
	case f.Type == "boolean" && (text == "true" || text == "false"):
		return value{kind: 'i', i: map[string]int64{"true": 1}[text]}, nil
	}
	x, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return value{}, apierr.OnShard("illegal_argument_exception", "Failed to parse search_after value for field [%s]: [%s]", f.Path, text)
	}
	if f.Store == mapping.Reals {
		return value{kind: 'f', f: x}, nil
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return value{kind: 'i', i: n}, nil
	}
	return value{kind: 'f', f: x}, nil
}

// at returns a document's value.
func (c *column) at(doc uint32) value {
	if c.rows != nil {
		best := value{}
		for _, r := range c.rows[doc] {
			v := c.of(r)
			if v.kind == 0 {
				continue
			}
			if best.kind == 0 || (v.compare(&best) < 0) != c.pickHigh() {
				best = v
			}
		}
		if best.kind == 0 {
			return c.missing
		}
		return best
	}
	if v := c.of(doc); v.kind != 0 {
		return v
	}
	return c.missing
}

// pickHigh says whether the highest of several values sorts a document.
func (c *column) pickHigh() bool {
	switch c.key.Mode {
	case "max":
		return true
	case "min":
		return false
	}
	return c.key.Desc
}

func (c *column) of(row uint32) value {
	switch {
	case c.terms != nil:
		lo, hi := c.terms.Span(row)
		if lo == hi {
			return value{}
		}
		if c.pickHigh() {
			lo = hi - 1
		}
		return value{kind: 's', s: c.terms.Dict.Term(int(c.terms.Ords[lo]))}
	case c.nums != nil:
		lo, hi := c.nums.Span(row)
		if lo == hi {
			return value{}
		}
		if hi-lo > 1 && (c.key.Mode == "avg" || c.key.Mode == "sum" || c.key.Mode == "median") {
			return c.combine(lo, hi)
		}
		if c.pickHigh() {
			lo = hi - 1
		}
		return c.num(c.nums.Vals[lo])
	}
	return value{}
}

func (c *column) num(v int64) value {
	if c.nums.Real {
		return value{kind: 'f', f: segment.Real(v)}
	}
	return value{kind: 'i', i: v}
}

func (c *column) combine(lo, hi uint32) value {
	sum, n := 0.0, float64(hi-lo)
	for _, v := range c.nums.Vals[lo:hi] {
		x := c.num(v)
		sum += x.float()
	}
	switch c.key.Mode {
	case "avg":
		sum /= n
	case "median":
		a, b := c.num(c.nums.Vals[(lo+hi-1)/2]), c.num(c.nums.Vals[(lo+hi)/2])
		sum = (a.float() + b.float()) / 2
	}
	if c.nums.Real {
		return value{kind: 'f', f: sum}
	}
	return value{kind: 'i', i: int64(math.Round(sum))}
}

// render writes a sort value as hits show it.
func (k *SortKey) render(f *mapping.Field, v value) *jsondoc.Value {
	switch {
	case v.kind == 0:
		return k.renderMissing(f, v.low)
	case v.kind == 's' && f != nil && f.Type == "ip":
		if a, ok := netip.AddrFromSlice(v.s); ok {
			return jsondoc.Str(a.Unmap().String())
		}
	case v.kind == 's':
		return jsondoc.Str(string(v.s))
	case v.kind == 'f' && f != nil && (f.Type == "float" || f.Type == "half_float"):
		return &jsondoc.Value{Kind: jsondoc.Num, S: jsondoc.FormatFloat(v.f, 32)}
	case v.kind == 'f':
		return jsondoc.Float(v.f)
	}
	if f != nil && f.IsDate() && k.Format != "" {
		if df, err := dates.ParseFormat(k.Format); err == nil {
			return jsondoc.Str(df.Print(f.Time(v.i), nil))
		}
	}
	return jsondoc.Int(v.i)
}

func (k *SortKey) renderMissing(f *mapping.Field, low bool) *jsondoc.Value {
	if f == nil || f.Store == mapping.Terms {
		return jsondoc.NullValue()
	}
	if f.Store == mapping.Reals {
		if low {
			return jsondoc.Str("-Infinity")
		}
		return jsondoc.Str("Infinity")
	}
	if low {
		return jsondoc.Int(int64(math.MinInt64))
	}
	return jsondoc.Int(int64(math.MaxInt64))
}
