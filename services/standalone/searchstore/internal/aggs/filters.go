package aggs

import (
	"slices"
	"strconv"

	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/apierr"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/jsondoc"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/mapping"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/query"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/segment"
)

// filters is the state of the aggregations whose buckets are known before:
// filter, filters, missing, global, nested, reverse_nested, sampler.
type filters struct {
	n       *node
	names   []string
	queries []*jsondoc.Value
	named   bool
	keyed   bool // named buckets are members of an object
	other   string
	buckets []*bucket
	nodes   map[*query.Env][]query.Node
}

func newFilters(n *node) (state, error) {
	f := &filters{n: n, nodes: map[*query.Env][]query.Node{}}
	switch n.kind {
	case "filters":
		v := n.body.Get("filters")
		f.named = v.Is(jsondoc.Object)
		f.keyed = f.named
		if k, ok := n.body.Get("keyed").Truth(); ok {
			f.keyed = f.keyed && k
		}
		for i, q := range items(v) {
			f.queries = append(f.queries, q)
			if f.named {
				f.names = append(f.names, v.Keys[i])
			}
		}
		if len(f.queries) == 0 {
			return nil, apierr.Parsing("[filters] cannot be empty.")
		}
		f.other = n.body.Get("other_bucket_key").Text()
		if on, _ := n.body.Get("other_bucket").Truth(); on && f.other == "" {
			f.other = "_other_"
		}
	case "filter":
		f.queries = []*jsondoc.Value{n.body}
	case "nested":
		if n.body.Get("path").Text() == "" {
			return nil, apierr.Parsing("Missing [path] field for nested aggregation [%s]", n.name)
		}
	}
	count := max(len(f.queries), 1)
	if f.other != "" {
		count++
	}
	for range count {
		b, err := n.bucket()
		if err != nil {
			return nil, err
		}
		f.buckets = append(f.buckets, b)
	}
	return f, nil
}

func (f *filters) collect(x *scope, rows []uint32) error {
	switch f.n.kind {
	case "filter", "filters":
		return f.split(x, rows)
	case "missing":
		return f.missing(x, rows)
	case "global":
		y := *x
		y.tab, y.path = x.root, ""
		return f.buckets[0].add(&y, list(x.live))
	case "nested":
		return f.nested(x, rows)
	case "reverse_nested":
		return f.reverse(x, rows)
	}
	return f.buckets[0].add(x, rows)
}

func (f *filters) compile(env *query.Env, path string) ([]query.Node, error) {
	if n, ok := f.nodes[env]; ok {
		return n, nil
	}
	sub := *env
	sub.Nested = path
	var out []query.Node
	for _, q := range f.queries {
		if q.Is(jsondoc.Object) && len(q.Keys) == 0 {
			out = append(out, &query.All{Boost: 1})
			continue
		}
		n, err := sub.Parse(q)
		if err != nil {
			return nil, err
		}
		out = append(out, n)
	}
	f.nodes[env] = out
	return out, nil
}

func (f *filters) split(x *scope, rows []uint32) error {
	nodes, err := f.compile(x.env, x.path)
	if err != nil {
		return err
	}
	taken := segment.NewBits(x.tab.N)
	for i, n := range nodes {
		m, err := n.Eval(&query.Scope{Seg: x.tab, Root: x.root, Path: x.path, Stats: x.stats})
		if err != nil {
			return err
		}
		var in []uint32
		for _, r := range rows {
			if m.Bits.Get(r) {
				in = append(in, r)
				taken.Set(r)
			}
		}
		if err := f.buckets[i].add(x, in); err != nil {
			return err
		}
	}
	if f.other == "" {
		return nil
	}
	var rest []uint32
	for _, r := range rows {
		if !taken.Get(r) {
			rest = append(rest, r)
		}
	}
	return f.buckets[len(nodes)].add(x, rest)
}

func (f *filters) missing(x *scope, rows []uint32) error {
	field := f.n.body.Get("field").Text()
	mf := x.env.Mapping.Field(field)
	if mf == nil || mf.Store == mapping.None {
		return f.buckets[0].add(x, rows)
	}
	has, err := query.Present(x.tab, mf.Path)
	if err != nil {
		return err
	}
	var out []uint32
	for _, r := range rows {
		if !has.Get(r) {
			out = append(out, r)
		}
	}
	return f.buckets[0].add(x, out)
}

// nested goes from rows to the objects nested in them.
func (f *filters) nested(x *scope, rows []uint32) error {
	path := f.n.body.Get("path").Text()
	child := x.root.Children[path]
	if child == nil {
		return nil
	}
	in := segment.NewBits(x.tab.N)
	for _, r := range rows {
		in.Set(r)
	}
	above := ""
	if mf := x.env.Mapping.Field(path); mf != nil {
		above = mf.Nested
	}
	var out []uint32
	for r, p := range child.Parent {
		for at := above; at != x.path && at != ""; { // objects in between
			mid := x.root.Children[at]
			if mid == nil {
				break
			}
			p = mid.Parent[p]
			at = nestedAbove(x, at)
		}
		if in.Get(p) {
			out = append(out, uint32(r))
		}
	}
	y := *x
	y.tab, y.path = child, path
	return f.buckets[0].add(&y, out)
}

func nestedAbove(x *scope, path string) string {
	if mf := x.env.Mapping.Field(path); mf != nil {
		return mf.Nested
	}
	return ""
}

// reverse goes from nested objects back to the documents that hold them.
func (f *filters) reverse(x *scope, rows []uint32) error {
	want := f.n.body.Get("path").Text()
	out := slices.Clone(rows)
	path, tab := x.path, x.tab
	for path != want && path != "" {
		for i, r := range out {
			out[i] = tab.Parent[r]
		}
		path = nestedAbove(x, path)
		tab = x.root
		if path != "" {
			tab = x.root.Children[path]
		}
	}
	slices.Sort(out)
	y := *x
	y.tab, y.path = tab, path
	return f.buckets[0].add(&y, slices.Compact(out))
}

func (f *filters) result() (*jsondoc.Value, error) {
	if f.n.kind != "filters" {
		o, err := f.buckets[0].render(jsondoc.Obj(), f.n)
		return o, err
	}
	keys := jsondoc.Obj()
	for i, b := range f.buckets {
		name := f.other
		if i < len(f.names) {
			name = f.names[i]
		} else if i < len(f.queries) {
			name = strconv.Itoa(i)
		}
		o := jsondoc.Obj()
		if f.named && !f.keyed {
			o.Set("key", jsondoc.Str(name))
		}
		if _, err := b.render(o, f.n); err != nil {
			return nil, err
		}
		keys.Set(name, o)
	}
	if f.keyed {
		return jsondoc.Obj("buckets", keys), nil
	}
	return jsondoc.Obj("buckets", jsondoc.Arr(keys.Items...)), nil
}

// items returns the items of an array or the members of an object.
func items(v *jsondoc.Value) []*jsondoc.Value {
	if v == nil {
		return nil
	}
	return v.Items
}
