package aggs

import (
	"math"
	"slices"
	"time"

	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/apierr"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/jsondoc"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/mapping"
)

// compositeSource is one part of a composite key.
type compositeSource struct {
	name    string
	kind    string
	src     source
	hist    *histogram // of (date_)histogram sources
	desc    bool
	missing bool
}

// composite is the state of composite: combinations of values, in order, page
// by page.
type composite struct {
	n       *node
	sources []*compositeSource
	size    int
	after   *jsondoc.Value
	buckets map[key]*bucket
	parts   map[key][]key
}

func newComposite(n *node) (state, error) {
	c := &composite{n: n, size: 10, after: n.body.Get("after"), buckets: map[key]*bucket{}, parts: map[key][]key{}}
	if k, ok := n.body.Get("size").Int64(); ok {
		c.size = int(min(max(k, 0), maxBuckets))
	}
	for _, s := range n.body.Get("sources").List() {
		if len(s.Keys) != 1 || len(s.Items[0].Keys) != 1 {
			return nil, apierr.Parsing("a source of the composite aggregation [%s] must have one name and one type", n.name)
		}
		cs := &compositeSource{name: s.Keys[0], kind: s.Items[0].Keys[0]}
		body := s.Items[0].Items[0]
		var err error
		if cs.src, err = newSource(body); err != nil {
			return nil, err
		}
		cs.desc = body.Get("order").Text() == "desc"
		cs.missing, _ = body.Get("missing_bucket").Truth()
		switch cs.kind {
		case "terms":
		case "histogram", "date_histogram":
			h, err := newHistogram(&node{name: cs.name, kind: cs.kind, body: without(body, "order")})
			if err != nil {
				return nil, err
			}
			hist, ok := h.(*histogram)
			if !ok {
				return nil, apierr.Parsing("invalid source [%s]", cs.name)
			}
			cs.hist = hist
		default:
			return nil, apierr.Parsing("invalid source type: %s", cs.kind)
		}
		c.sources = append(c.sources, cs)
	}
	if len(c.sources) == 0 {
		return nil, apierr.Illegal("Composite [sources] cannot be null or empty")
	}
	return c, nil
}

func without(v *jsondoc.Value, name string) *jsondoc.Value {
	o := jsondoc.Obj()
	for i, k := range v.Keys {
		if k != name {
			o.Set(k, v.Items[i])
		}
	}
	return o
}

// null is the key of rows without a value; it sorts before all others.
func null() key { return key{kind: 'a'} }

func (c *composite) collect(x *scope, rows []uint32) error {
	lists := make([]map[uint32][]key, len(c.sources))
	for i, s := range c.sources {
		m, err := s.src.keys(x, rows)
		if err != nil {
			return err
		}
		if s.hist != nil {
			s.hist.src.f = s.src.f
			for r, ks := range m {
				for k := range ks {
					ks[k] = key{num: s.hist.floor(ks[k].num), kind: 'n'}
				}
				m[r] = slices.Compact(ks)
			}
		}
		lists[i] = m
	}
	groups := map[key][]uint32{}
	for _, r := range rows {
		combos := [][]key{nil}
		for i, s := range c.sources {
			ks := lists[i][r]
			if ks == nil && s.missing {
				ks = []key{null()}
			}
			var next [][]key
			for _, p := range combos {
				for _, k := range ks {
					next = append(next, append(slices.Clone(p), k))
				}
			}
			combos = next
		}
		for _, p := range combos {
			id := joined(p)
			c.parts[id] = p
			groups[id] = append(groups[id], r)
		}
	}
	for id, g := range groups {
		b := c.buckets[id]
		if b == nil {
			var err error
			if b, err = c.n.bucket(); err != nil {
				return err
			}
			c.buckets[id] = b
		}
		if err := b.add(x, g); err != nil {
			return err
		}
	}
	return nil
}

func (c *composite) compare(a, b []key) int {
	for i, s := range c.sources {
		r := a[i].compare(b[i])
		if s.desc {
			r = -r
		}
		if r != 0 {
			return r
		}
	}
	return 0
}

// afterKey reads the key to go on behind.
func (c *composite) afterKey() []key {
	if !c.after.Is(jsondoc.Object) {
		return nil
	}
	out := make([]key, len(c.sources))
	for i, s := range c.sources {
		v := c.after.Get(s.name)
		switch {
		case v.IsNull():
			out[i] = null()
		case s.hist == nil && v.Is(jsondoc.Num) && (s.src.f == nil || s.src.f.Store == mapping.Ints):
			n, ok := v.Int64()
			if !ok {
				n = math.MinInt64
			}
			out[i] = wholeKey(n)
		case s.hist != nil || v.Is(jsondoc.Num) || s.src.f != nil && s.src.f.IsDate():
			f, ok := s.src.number(v)
			if !ok {
				f = math.Inf(-1)
			}
			out[i] = key{num: f, kind: 'n'}
		default:
			out[i] = key{text: v.Text(), kind: 's'}
		}
	}
	return out
}

func (c *composite) result() (*jsondoc.Value, error) {
	ids := make([]key, 0, len(c.parts))
	after := c.afterKey()
	for id, p := range c.parts {
		if after == nil || c.compare(p, after) > 0 {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, func(a, b key) int { return c.compare(c.parts[a], c.parts[b]) })
	ids = ids[:min(len(ids), c.size)]
	list := jsondoc.Arr()
	out := jsondoc.Obj()
	var last *jsondoc.Value
	for _, id := range ids {
		last = jsondoc.Obj()
		for i, k := range c.parts[id] {
			last.Set(c.sources[i].name, c.sources[i].show(k))
		}
		o, err := c.buckets[id].render(jsondoc.Obj("key", last), c.n)
		if err != nil {
			return nil, err
		}
		list.Add(o)
	}
	if last != nil {
		out.Set("after_key", last)
	}
	return out.Set("buckets", list), parents(c.n, list)
}

func (s *compositeSource) show(k key) *jsondoc.Value {
	switch {
	case k.kind == 'a':
		return jsondoc.NullValue()
	case k.kind == 's':
		return jsondoc.Str(termText(s.src.f, []byte(k.text)))
	case s.hist != nil && s.hist.round == nil:
		return jsondoc.Float(k.num)
	case s.hist != nil && s.src.format != nil:
		return jsondoc.Str(s.src.format.Print(time.UnixMilli(int64(k.num)), s.hist.zone))
	case s.src.f != nil && s.src.f.Type == "boolean":
		return jsondoc.Boolean(k.num != 0)
	}
	return s.src.shown(k)
}
