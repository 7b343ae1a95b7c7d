package search

import (
	"container/heap"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/aggs"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/apierr"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/jsondoc"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/mapping"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/query"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/segment"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/store"
)

// Target is an index to search, as it was at one moment.
type Target struct {
	View    *store.View
	Filters []*jsondoc.Value // of the aliases that it was named by; any of them
}

// hit is a document that was found.
type hit struct {
	ix    *indexRun
	part  int
	doc   uint32
	score float32
	keys  []value
	order int64 // position over all indices, for ties
}

// indexRun is a search on one index.
type indexRun struct {
	t      *Target
	env    *query.Env
	node   query.Node
	post   query.Node
	stats  *query.Stats
	fields []*mapping.Field // of the sort keys
	named  []map[string]segment.Bits
	base   int64
}

// run is the state of one search.
type run struct {
	req   *Request
	ixs   []*indexRun
	after []value
	top   hitHeap
	limit int
	total int
	max   float32
	plan  *aggs.Plan
}

// Run executes a request over targets. Where it fails on some of several
// indices, the result is that of the others and names the failures; when it
// fails on all, the error names the reasons of each.
func Run(req *Request, targets []Target, now time.Time) (*Result, error) {
	res, err := runAll(req, targets, now)
	if err == nil || len(targets) < 2 {
		return res, err
	}
	e := apierr.Of(err)
	if !ofIndex(e) {
		return nil, err
	}
	var good []Target
	var failed []*apierr.Error
	for i := range targets {
		_, err := runAll(req, targets[i:i+1], now)
		if err == nil {
			good = append(good, targets[i])
			continue
		}
		f := apierr.Of(err)
		if !ofIndex(f) {
			return nil, err
		}
		if f.Index == "" {
			c := *f
			f = &c
			f.Index = targets[i].View.Index.Name
		}
		failed = append(failed, f)
	}
	if len(good) == 0 || len(failed) == 0 {
		e.Shard, e.Others = true, failed
		return nil, e
	}
	if res, err = runAll(req, good, now); err != nil {
		return nil, err
	}
	res.Shards, res.Failures = len(targets), failed
	return res, nil
}

// ofIndex reports whether an error is about one index and not about the request.
func ofIndex(e *apierr.Error) bool {
	return (e.Shard || e.Status >= http.StatusInternalServerError && e.Status != http.StatusNotImplemented) && !e.NoRoot
}

func runAll(req *Request, targets []Target, now time.Time) (*Result, error) {
	r := &run{req: req, max: float32(math.Inf(-1))}
	r.limit = req.From + req.Size
	if req.Collapse != nil {
		r.limit = math.MaxInt
	}
	r.top.run = r
	for i := range targets {
		if err := req.checkWindow(targets[i].View.Index.Window()); err != nil {
			return nil, err
		}
		ix, err := r.prepare(&targets[i], now)
		if err != nil {
			return nil, err
		}
		r.ixs = append(r.ixs, ix)
	}
	if err := r.readAfter(); err != nil {
		return nil, err
	}
	if req.Aggs != nil {
		var err error
		if r.plan, err = aggs.Parse(req.Aggs); err != nil {
			return nil, err
		}
	}
	for _, ix := range r.ixs {
		if err := r.index(ix); err != nil {
			return nil, err
		}
	}
	return r.finish(targets)
}

// Compile checks a query against an index and compiles it.
func Compile(env *query.Env, q *jsondoc.Value, filters []*jsondoc.Value) (query.Node, error) {
	n, err := env.Parse(q)
	if err != nil || len(filters) == 0 {
		return n, err
	}
	oneOf := &query.Bool{MinShould: 1, Boost: 1}
	for _, f := range filters {
		fn, err := env.Parse(f)
		if err != nil {
			return nil, err
		}
		oneOf.Should = append(oneOf.Should, fn)
	}
	return &query.Bool{Must: []query.Node{n}, Filter: []query.Node{oneOf}, Boost: 1}, nil
}

// NewEnv returns what queries are compiled against for a view.
func NewEnv(v *store.View, now time.Time) *query.Env {
	env := &query.Env{Mapping: v.Mapping, Index: v.Index.Name, Now: now}
	for a := range v.Index.Aliases() {
		env.Aliases = append(env.Aliases, a)
	}
	return env
}

func (r *run) prepare(t *Target, now time.Time) (*indexRun, error) {
	if e := t.View.Index.Broken(); e != nil {
		return nil, e
	}
	ix := &indexRun{t: t, env: NewEnv(t.View, now), stats: &query.Stats{}}
	for _, x := range r.ixs {
		ix.base = x.base + int64(docs(x.t.View))
	}
	for _, p := range t.View.Parts {
		ix.stats.Segs = append(ix.stats.Segs, p.Seg)
	}
	var err error
	if ix.node, err = Compile(ix.env, r.req.Query, t.Filters); err != nil {
		return nil, withIndex(err, t)
	}
	if r.req.PostFilter != nil {
		if ix.post, err = ix.env.Parse(r.req.PostFilter); err != nil {
			return nil, withIndex(err, t)
		}
	}
	for i := range r.req.Sort {
		f, err := r.req.Sort[i].bind(t.View.Mapping)
		if err != nil {
			return nil, withIndex(err, t)
		}
		ix.fields = append(ix.fields, f)
	}
	return ix, nil
}

func docs(v *store.View) int {
	n := 0
	for _, p := range v.Parts {
		n += p.Seg.N
	}
	return n
}

// withIndex notes in an error which index it is about.
func withIndex(err error, t *Target) error {
	e := apierr.Of(err)
	if e.Shard && e.Index == "" && (e.Type == "query_shard_exception") {
		e.Index = t.View.Index.Name
		e.Fields = append(e.Fields, apierr.Field{Name: "index_uuid", Value: jsondoc.Str(t.View.Index.UUID)})
	}
	return e
}

func (r *run) readAfter() error {
	if !r.req.HasAfter {
		return nil
	}
	if len(r.req.Sort) == 0 {
		return apierr.OnShard("illegal_argument_exception", "Sort must contain at least one field.")
	}
	if len(r.req.After) != len(r.req.Sort) {
		return apierr.OnShard("illegal_argument_exception", "search_after has %d value(s) but sort has %d.", len(r.req.After), len(r.req.Sort))
	}
	if r.req.From > 0 {
		return apierr.Illegal("`from` parameter must be set to 0 when `search_after` is used")
	}
	for i := range r.req.Sort {
		v, err := r.afterValue(i)
		if err != nil {
			return err
		}
		r.after = append(r.after, v)
	}
	return nil
}

func (r *run) afterValue(i int) (value, error) {
	k, x := &r.req.Sort[i], r.req.After[i]
	if x.IsNull() {
		for _, ix := range r.ixs {
			if f := ix.fields[i]; f != nil && f.Store != mapping.Terms {
				return value{}, apierr.OnShard("illegal_argument_exception", "[search_after] value at position %d cannot be null for sort field [%s] of type [%s].", i, k.Field, strings.ToUpper(f.Type))
			}
		}
		c := column{key: k}
		err := c.setMissing()
		return c.missing, err
	}
	for _, ix := range r.ixs {
		if f := ix.fields[i]; f != nil {
			v, err := parseValue(f, x.Text(), k.Format)
			if err == nil && v.kind == 'i' && (v.i == math.MaxInt64 || v.i == math.MinInt64) {
				v = value{low: v.i < 0}
			}
			return v, err
		}
	}
	if f, ok := x.Float64(); ok && k.Field != "_id" {
		if n, isInt := x.Int64(); isInt {
			return value{kind: 'i', i: n}, nil
		}
		return value{kind: 'f', f: f}, nil
	}
	return value{kind: 's', s: []byte(x.Text())}, nil
}

// downward says whether later documents are likely to come first, as they do
// when logs are sorted by time, the newest first.
func (r *run) downward() bool {
	return len(r.req.Sort) > 0 && r.req.Sort[0].Desc && !isMeta(r.req.Sort[0].Field)
}

func (r *run) index(ix *indexRun) error {
	parts := ix.t.View.Parts
	ix.named = make([]map[string]segment.Bits, len(parts))
	bases := make([]int64, len(parts))
	base := ix.base
	for i, p := range parts {
		bases[i] = base
		base += int64(p.Seg.N)
	}
	for k := range parts {
		i := k
		if r.downward() {
			i = len(parts) - 1 - k
		}
		if err := r.part(ix, i, bases[i]); err != nil {
			return err
		}
	}
	return nil
}

// part searches one segment.
func (r *run) part(ix *indexRun, i int, base int64) error {
	p := ix.t.View.Parts[i]
	s := &query.Scope{Seg: p.Seg, Root: p.Seg, Stats: ix.stats, Scoring: r.scoring(), Named: map[string]segment.Bits{}}
	ix.named[i] = s.Named
	m, err := ix.node.Eval(s)
	if err != nil {
		return withIndex(err, ix.t)
	}
	m.Bits.AndNot(p.Dead)
	r.slice(ix, m.Bits)
	if r.req.MinScore != nil {
		m.Bits.Each(func(d uint32) bool {
			if m.Score(d) < *r.req.MinScore {
				m.Bits.Clear(d)
			}
			return true
		})
	}
	if r.plan != nil {
		if err := r.plan.Collect(ix.env, ix.stats, p.Seg, m.Bits, p.Dead, r.topHits(ix, i, m)); err != nil {
			return withIndex(err, ix.t)
		}
	}
	if ix.post != nil {
		pm, err := ix.post.Eval(&query.Scope{Seg: p.Seg, Root: p.Seg, Stats: ix.stats, Named: s.Named})
		if err != nil {
			return err
		}
		m.Bits.And(pm.Bits)
	}
	return r.collect(ix, i, base, p.Seg, m)
}

// scoring says whether scores are of any use.
func (r *run) scoring() bool {
	if r.req.MinScore != nil || r.req.TrackScores {
		return true
	}
	if r.req.Size+r.req.From == 0 && r.req.Aggs == nil {
		return false
	}
	for _, k := range r.req.Sort {
		if k.Field == "_score" {
			return true
		}
	}
	return len(r.req.Sort) == 0
}

// slice keeps the share of a sliced search.
func (r *run) slice(_ *indexRun, b segment.Bits) {
	if r.req.Slice == nil {
		return
	}
	id, _ := r.req.Slice.Get("id").Int64()
	n, _ := r.req.Slice.Get("max").Int64()
	if n < 2 {
		return
	}
	b.Each(func(d uint32) bool {
		if int64(d)%n != id {
			b.Clear(d)
		}
		return true
	})
}

func (r *run) collect(ix *indexRun, part int, base int64, seg *segment.Segment, m query.Match) error {
	r.total += m.Bits.Count()
	if r.limit == 0 {
		return nil
	}
	if len(r.req.Sort) == 0 {
		m.Bits.Each(func(d uint32) bool {
			sc := m.Score(d)
			r.max = max(r.max, sc)
			if len(r.top.list) >= r.limit && sc <= r.top.list[0].score {
				return true
			}
			r.offer(hit{ix: ix, part: part, doc: d, score: sc, order: base + int64(d)})
			return true
		})
		return nil
	}
	cols := make([]*column, len(r.req.Sort))
	for i := range r.req.Sort {
		c, err := r.req.Sort[i].open(ix.fields[i], ix.env, seg, ix.stats)
		if err != nil {
			return withIndex(err, ix.t)
		}
		cols[i] = c
	}
	var failed error
	keys := make([]value, len(cols))
	each := m.Bits.Each
	if r.downward() {
		each = m.Bits.EachDown
	}
	each(func(d uint32) bool {
		if r.hopeless(cols[0], d) {
			return true
		}
		h := hit{ix: ix, part: part, doc: d, score: float32(math.NaN()), order: base + int64(d), keys: keys}
		if r.scoring() {
			h.score = m.Score(d)
		}
		for i, c := range cols {
			h.keys[i], failed = r.key(c, &h, seg)
		}
		if r.after == nil || r.compare(h.keys, r.after) > 0 {
			r.offer(h)
		}
		return failed == nil
	})
	return failed
}

// hopeless reports, cheaply, that a document can't get into a full list.
func (r *run) hopeless(c *column, d uint32) bool {
	if len(r.top.list) < r.limit || c.nums == nil || c.nums.Starts != nil || c.rows != nil || c.nums.Real || c.nums.Has != nil {
		return false
	}
	worst := &r.top.list[0].keys[0]
	if worst.kind != 'i' {
		return false
	}
	if c.key.Desc {
		return c.nums.Vals[d] < worst.i
	}
	return c.nums.Vals[d] > worst.i
}

func (r *run) key(c *column, h *hit, seg *segment.Segment) (value, error) {
	switch c.key.Field {
	case "_score":
		return value{kind: 'f', f: float64(h.score)}, nil
	case "_doc", "_shard_doc":
		if c.inner != nil {
			return value{kind: 'i', i: h.order + c.inner[h.doc]}, nil
		}
		return value{kind: 'i', i: h.order}, nil
	case "_id":
		id, err := seg.ID(h.doc)
		return value{kind: 's', s: []byte(id)}, err
	case "_index":
		return value{kind: 's', s: []byte(h.ix.env.Index)}, nil
	case "_seq_no":
		_, seq := seg.Version(h.doc)
		return value{kind: 'i', i: seq}, nil
	}
	return c.at(h.doc), nil
}

// compare orders hits by their keys, best first.
func (r *run) compare(a, b []value) int {
	for i := range r.req.Sort {
		c := a[i].compare(&b[i])
		if r.req.Sort[i].Desc {
			c = -c
		}
		if c != 0 {
			return c
		}
	}
	return 0
}

// better orders hits completely.
func (r *run) better(a, b *hit) bool {
	if len(r.req.Sort) == 0 {
		if a.score != b.score {
			return a.score > b.score
		}
		return a.order < b.order
	}
	if c := r.compare(a.keys, b.keys); c != 0 {
		return c < 0
	}
	return a.order < b.order
}

// offer keeps a hit when it is good enough; its keys are copied then.
func (r *run) offer(h hit) {
	if len(r.top.list) < r.limit {
		h.keys = slices.Clone(h.keys)
		heap.Push(&r.top, h)
		return
	}
	if r.better(&h, &r.top.list[0]) {
		h.keys = slices.Clone(h.keys)
		r.top.list[0] = h
		heap.Fix(&r.top, 0)
	}
}

// hitHeap keeps the best hits, the worst of them on top.
type hitHeap struct {
	run  *run
	list []hit
}

func (h *hitHeap) Len() int           { return len(h.list) }
func (h *hitHeap) Less(i, j int) bool { return h.run.better(&h.list[j], &h.list[i]) }
func (h *hitHeap) Swap(i, j int)      { h.list[i], h.list[j] = h.list[j], h.list[i] }

// Push adds a hit.
func (h *hitHeap) Push(x any) {
	if v, ok := x.(hit); ok {
		h.list = append(h.list, v)
	}
}

// Pop takes the worst hit.
func (h *hitHeap) Pop() any {
	last := h.list[len(h.list)-1]
	h.list = h.list[:len(h.list)-1]
	return last
}

// isMeta reports whether a sort key is not a field.
func isMeta(name string) bool { return strings.HasPrefix(name, "_") }
