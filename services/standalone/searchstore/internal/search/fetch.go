package search

import (
	"math"
	"slices"
	"sort"

	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/aggs"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/apierr"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/jsondoc"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/mapping"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/query"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/segment"
)

// Result is what a search found.
type Result struct {
	Total    int
	Relation string
	MaxScore *jsondoc.Value
	Hits     []*jsondoc.Value
	Aggs     *jsondoc.Value
	Shards   int
	// Failures are the errors of the indices that have no share in the result.
	Failures []*apierr.Error
	NoTotal  bool
	// LastSort is the sort values of the last hit, for paging on.
	LastSort *jsondoc.Value
	Early    bool
}

func (r *run) finish(targets []Target) (*Result, error) {
	list := r.top.list
	sort.Slice(list, func(i, j int) bool { return r.better(&list[i], &list[j]) })
	res := &Result{Total: r.total, Relation: "eq", Shards: len(targets), MaxScore: jsondoc.NullValue(), NoTotal: r.req.Track == 0}
	if r.total > r.req.Track {
		res.Total, res.Relation = r.req.Track, "gte"
	}
	if len(r.req.Sort) == 0 && len(list) > 0 {
		res.MaxScore = score32(r.max)
	}
	if r.req.Sort != nil && r.req.TrackScores {
		best := float32(math.Inf(-1))
		for i := range list {
			best = max(best, list[i].score)
		}
		if len(list) > 0 {
			res.MaxScore = score32(best)
		}
	}
	var groups []group
	if r.req.Collapse != nil {
		var err error
		if groups, err = r.collapse(list); err != nil {
			return nil, err
		}
		list = list[:0:0]
		for i := range groups {
			list = append(list, groups[i].members[0])
		}
	}
	from := min(r.req.From, len(list))
	end := len(list)
	if r.req.Size < end-from {
		end = from + r.req.Size
	}
	for i := from; i < end; i++ {
		h, err := r.render(&list[i])
		if err != nil {
			return nil, err
		}
		if groups != nil {
			if err := r.expand(h, &groups[i]); err != nil {
				return nil, err
			}
		}
		res.Hits = append(res.Hits, h)
	}
	if n := len(res.Hits); n > 0 {
		res.LastSort = res.Hits[n-1].Get("sort")
	}
	if r.plan != nil {
		a, err := r.plan.Result(r.req.TypedKeys)
		if err != nil {
			return nil, err
		}
		res.Aggs = a
	}
	return res, nil
}

func score32(f float32) *jsondoc.Value {
	return &jsondoc.Value{Kind: jsondoc.Num, S: jsondoc.FormatFloat(float64(f), 32)}
}

// render writes one hit.
func (r *run) render(h *hit) (*jsondoc.Value, error) {
	p := h.ix.t.View.Parts[h.part]
	id, err := p.Seg.ID(h.doc)
	if err != nil {
		return nil, err
	}
	out := jsondoc.Obj("_index", h.ix.env.Index)
	if !r.req.NoID {
		out.Set("_id", jsondoc.Str(id))
	}
	version, seq := p.Seg.Version(h.doc)
	if r.req.Version {
		out.Set("_version", jsondoc.Int(version))
	}
	if r.req.SeqNo {
		out.Set("_seq_no", jsondoc.Int(seq))
		out.Set("_primary_term", jsondoc.Int(1))
	}
	if len(r.req.Sort) == 0 || r.scoring() {
		out.Set("_score", score32(h.score))
	} else {
		out.Set("_score", jsondoc.NullValue())
	}
	if err := ignored(p.Seg, h.doc, out); err != nil {
		return nil, err
	}
	if err := r.renderSource(h, p.Seg, out); err != nil {
		return nil, err
	}
	if len(r.req.Sort) > 0 {
		vals := jsondoc.Arr()
		for i := range r.req.Sort {
			vals.Add(r.req.Sort[i].render(h.ix.fields[i], h.keys[i]))
		}
		out.Set("sort", vals)
	}
	r.renderNamed(h, out)
	return out, r.renderInner(h, p.Seg, out)
}

// ignored lists the fields whose values were not indexed.
func ignored(seg *segment.Segment, doc uint32, out *jsondoc.Value) error {
	c, err := seg.Terms(mapping.IgnoredColumn)
	if err != nil || c == nil {
		return err
	}
	var names []string
	for lo, hi := c.Span(doc); lo < hi; lo++ {
		names = append(names, string(c.Dict.Term(int(c.Ords[lo]))))
	}
	if names != nil {
		out.Set("_ignored", jsondoc.Strs(names))
	}
	return nil
}

func (r *run) renderSource(h *hit, seg *segment.Segment, out *jsondoc.Value) error {
	req := r.req
	off := req.Source != nil && req.Source.Off
	parse := len(req.Fields) > 0 || req.Highlight != nil || req.Collapse != nil
	if off && !parse && len(req.DocValues) == 0 {
		return nil
	}
	src, err := seg.Source(h.doc)
	if err != nil {
		return err
	}
	if !off {
		v, err := req.Source.Apply(src)
		if err != nil {
			return err
		}
		out.Set("_source", v)
	}
	fields := jsondoc.Obj()
	if err := columnFields(h.ix.t.View.Mapping, seg, h.doc, req.DocValues, fields); err != nil {
		return err
	}
	var doc *jsondoc.Value
	if parse {
		if doc, err = jsondoc.Parse(src); err != nil {
			return err
		}
		if err := sourceFields(h.ix.t.View.Mapping, doc, req.Fields, fields); err != nil {
			return err
		}
	}
	if c := req.Collapse; c != nil {
		if f := h.ix.t.View.Mapping.Field(c.Get("field").Text()); f != nil {
			vals, err := ColumnValues(f, seg, h.doc, "")
			if err != nil {
				return err
			}
			if vals == nil {
				vals = []*jsondoc.Value{jsondoc.NullValue()}
			}
			fields.Set(f.Path, jsondoc.Arr(vals...))
		}
	}
	if len(fields.Keys) > 0 {
		out.Set("fields", fields)
	}
	if req.Highlight != nil {
		hl, err := highlight(req.Highlight, h.ix, doc)
		if err != nil {
			return err
		}
		if len(hl.Keys) > 0 {
			out.Set("highlight", hl)
		}
	}
	return nil
}

func (r *run) renderNamed(h *hit, out *jsondoc.Value) {
	var names []string
	for name, bits := range h.ix.named[h.part] {
		if bits.Get(h.doc) {
			names = append(names, name)
		}
	}
	if names != nil {
		slices.Sort(names)
		out.Set("matched_queries", jsondoc.Strs(names))
	}
}

// renderInner adds the inner hits of nested queries.
func (r *run) renderInner(h *hit, seg *segment.Segment, out *jsondoc.Value) error {
	var failed error
	query.Walk(h.ix.node, func(n query.Node) {
		q, ok := n.(*query.Nested)
		if !ok || q.Inner == nil || failed != nil {
			return
		}
		name := q.Inner.Get("name").Text()
		if name == "" {
			name = q.Path
		}
		v, err := r.inner(q, h, seg)
		if err != nil {
			failed = err
			return
		}
		all := out.Get("inner_hits")
		if all == nil {
			all = jsondoc.Obj()
			out.Set("inner_hits", all)
		}
		all.Set(name, v)
	})
	return failed
}

func (r *run) inner(q *query.Nested, h *hit, seg *segment.Segment) (*jsondoc.Value, error) {
	req, err := ParseRequest(without(q.Inner, "name", "ignore_unmapped"))
	if err != nil {
		return nil, err
	}
	if q.Inner.Get("size") == nil {
		req.Size = 3
	}
	child, m, err := q.Rows(&query.Scope{Seg: seg, Root: seg, Stats: h.ix.stats, Scoring: true})
	if err != nil || child == nil {
		return jsondoc.Obj("hits", hitsObject(0, "eq", jsondoc.NullValue(), nil)), err
	}
	type row struct {
		r     uint32
		off   int
		score float32
	}
	var rows []row
	off, best := 0, float32(0)
	for i, p := range child.Parent {
		if p != h.doc {
			continue
		}
		if rn := uint32(i); m.Bits.Get(rn) {
			rows = append(rows, row{rn, off, m.Score(rn)})
			best = max(best, m.Score(rn))
		}
		off++
	}
	sort.SliceStable(rows, func(i, j int) bool { return rows[i].score > rows[j].score })
	src, err := seg.Source(h.doc)
	if err != nil {
		return nil, err
	}
	doc, err := jsondoc.Parse(src)
	if err != nil {
		return nil, err
	}
	objs := Lookup(doc, q.Path)
	id, err := seg.ID(h.doc)
	if err != nil {
		return nil, err
	}
	var hits []*jsondoc.Value
	for i := min(req.From, len(rows)); i < min(len(rows), req.From+req.Size); i++ {
		x := rows[i]
		o := jsondoc.Obj("_index", h.ix.env.Index, "_id", id, "_nested", jsondoc.Obj("field", q.Path, "offset", x.off), "_score", score32(x.score))
		if x.off < len(objs) && (req.Source == nil || !req.Source.Off) {
			s, err := req.Source.Apply(objs[x.off].Encode())
			if err != nil {
				return nil, err
			}
			o.Set("_source", s)
		}
		hits = append(hits, o)
	}
	return jsondoc.Obj("hits", hitsObject(len(rows), "eq", score32(best), hits)), nil
}

func without(v *jsondoc.Value, keys ...string) *jsondoc.Value {
	out := jsondoc.Obj()
	for i, k := range v.Keys {
		if !slices.Contains(keys, k) {
			out.Set(k, v.Items[i])
		}
	}
	return out
}

func hitsObject(total int, relation string, best *jsondoc.Value, hits []*jsondoc.Value) *jsondoc.Value {
	return jsondoc.Obj("total", jsondoc.Obj("value", total, "relation", relation), "max_score", best, "hits", jsondoc.Arr(hits...))
}

// JSON renders the hits and aggregations of a result into a response.
func (res *Result) JSON(into *jsondoc.Value, totalAsInt bool) *jsondoc.Value {
	h := jsondoc.Obj()
	switch {
	case res.NoTotal && totalAsInt:
		h.Set("total", jsondoc.Int(-1))
	case res.NoTotal:
	case totalAsInt:
		h.Set("total", jsondoc.Int(res.Total))
	default:
		h.Set("total", jsondoc.Obj("value", res.Total, "relation", res.Relation))
	}
	h.Set("max_score", res.MaxScore)
	h.Set("hits", jsondoc.Arr(res.Hits...))
	into.Set("hits", h)
	if res.Aggs != nil {
		into.Set("aggregations", res.Aggs)
	}
	return into
}

// group is the hits with one value of the collapse field.
type group struct {
	members []hit
}

func (r *run) collapse(list []hit) ([]group, error) {
	name := r.req.Collapse.Get("field").Text()
	at := map[string]int{}
	var out []group
	for _, h := range list {
		f := h.ix.t.View.Mapping.Field(name)
		if f == nil {
			return nil, apierr.OnShard("illegal_argument_exception", "no mapping found for `%s` in order to collapse on", name)
		}
		if f.Store == mapping.Text {
			return nil, apierr.OnShard("illegal_argument_exception", "cannot collapse on field `%s` without `doc_values`", name)
		}
		vals, err := ColumnValues(f, h.ix.t.View.Parts[h.part].Seg, h.doc, "")
		if err != nil {
			return nil, err
		}
		key := string(jsondoc.Arr(vals...).Encode())
		i, ok := at[key]
		if !ok {
			i = len(out)
			at[key] = i
			out = append(out, group{})
		}
		out[i].members = append(out[i].members, h)
	}
	return out, nil
}

// expand adds the inner hits of a collapsed group.
func (r *run) expand(out *jsondoc.Value, g *group) error {
	for _, spec := range r.req.Collapse.Get("inner_hits").List() {
		req, err := ParseRequest(without(spec, "name", "collapse"))
		if err != nil {
			return err
		}
		if spec.Get("size") == nil {
			req.Size = 3
		}
		v, err := r.subset(req, g.members)
		if err != nil {
			return err
		}
		all := out.Get("inner_hits")
		if all == nil {
			all = jsondoc.Obj()
			out.Set("inner_hits", all)
		}
		all.Set(spec.Get("name").Text(), jsondoc.Obj("hits", v))
	}
	return nil
}

// subset sorts and renders some hits by another request.
func (r *run) subset(req *Request, members []hit) (*jsondoc.Value, error) {
	sub := &run{req: req, limit: req.From + req.Size}
	sub.top.run = sub
	for i := range members {
		h := members[i]
		ix := *h.ix
		ix.fields = nil
		h.keys = nil
		for k := range req.Sort {
			f, err := req.Sort[k].bind(ix.t.View.Mapping)
			if err != nil {
				return nil, err
			}
			ix.fields = append(ix.fields, f)
			seg := ix.t.View.Parts[h.part].Seg
			c, err := req.Sort[k].open(f, ix.env, seg, ix.stats)
			if err != nil {
				return nil, err
			}
			v, err := sub.key(c, &h, seg)
			if err != nil {
				return nil, err
			}
			h.keys = append(h.keys, v)
		}
		h.ix = &ix
		sub.offer(h)
	}
	list := sub.top.list
	sort.Slice(list, func(i, j int) bool { return sub.better(&list[i], &list[j]) })
	var hits []*jsondoc.Value
	best := jsondoc.NullValue()
	for i := min(req.From, len(list)); i < len(list); i++ {
		o, err := sub.render(&list[i])
		if err != nil {
			return nil, err
		}
		if i == 0 && len(req.Sort) == 0 {
			best = o.Get("_score")
		}
		hits = append(hits, o)
	}
	return hitsObject(len(members), "eq", best, hits), nil
}

// topHits returns what renders the top_hits aggregation of a segment.
func (r *run) topHits(ix *indexRun, part int, m query.Match) aggs.TopHits {
	return aggs.TopHits{
		Make: func(docs []uint32, path string) any {
			out := make([]hit, 0, len(docs))
			for _, d := range docs {
				if path == "" {
					out = append(out, hit{ix: ix, part: part, doc: d, score: m.Score(d), order: ix.base + int64(part)<<32 + int64(d)})
				}
			}
			return out
		},
		Render: func(parts []any, body *jsondoc.Value) (*jsondoc.Value, error) {
			req, err := ParseRequest(body)
			if err != nil {
				return nil, err
			}
			if body.Get("size") == nil {
				req.Size = 3
			}
			var all []hit
			for _, p := range parts {
				if hs, ok := p.([]hit); ok {
					all = append(all, hs...)
				}
			}
			return r.subset(req, all)
		},
	}
}
