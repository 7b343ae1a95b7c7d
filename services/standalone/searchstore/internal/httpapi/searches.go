package httpapi

import (
	"bytes"
	"net/http"
	"strings"
	"time"

	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/apierr"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/jsondoc"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/query"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/search"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/segment"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/store"
)

func (a *API) searchRoutes(add adder) {
	add("GET POST", "/_search", a.search)
	add("GET POST", "/{index}/_search", a.search)
	add("GET POST", "/_count", a.count)
	add("GET POST", "/{index}/_count", a.count)
	add("GET POST", "/_msearch", a.msearch)
	add("GET POST", "/{index}/_msearch", a.msearch)
	add("GET POST", "/_search/scroll", a.scroll)
	add("GET POST", "/_search/scroll/{scroll_id}", a.scroll)
	add("DELETE", "/_search/scroll", a.clearScroll)
	add("DELETE", "/_search/scroll/{scroll_id}", a.clearScroll)
	add("POST", "/{index}/_pit", a.openPIT)
	add("DELETE", "/_pit", a.closePIT)
	add("GET POST", "/_validate/query", a.validate)
	add("GET POST", "/{index}/_validate/query", a.validate)
	add("POST", "/{index}/_delete_by_query", a.deleteByQuery)
	add("POST", "/{index}/_update_by_query", a.updateByQuery)
	add("POST", "/_reindex", a.reindex)
	add("GET POST", "/_analyze", a.analyze)
	add("GET POST", "/{index}/_analyze", a.analyze)
}

// request reads a search from the body and the URL.
func (c *call) request() (*search.Request, error) {
	v, err := c.json()
	if err != nil {
		return nil, err
	}
	r, err := search.ParseRequest(v)
	if err != nil {
		return nil, err
	}
	if q := c.query.Get("q"); q != "" {
		r.Query = c.uriQuery(q)
	}
	if r.From, err = c.number("from", r.From); err != nil {
		return nil, err
	}
	if r.Size, err = c.number("size", r.Size); err != nil {
		return nil, err
	}
	if err := c.searchParams(r); err != nil {
		return nil, err
	}
	return r, r.Check()
}

// uriQuery turns ?q= into a query.
func (c *call) uriQuery(q string) *jsondoc.Value {
	body := jsondoc.Obj("query", q)
	for from, to := range map[string]string{"df": "default_field", "default_operator": "default_operator", "lenient": "lenient", "analyzer": "analyzer", "analyze_wildcard": "analyze_wildcard"} {
		if s := c.query.Get(from); s != "" {
			body.Set(to, jsondoc.Str(s))
		}
	}
	return jsondoc.Obj("query_string", body)
}

func (c *call) searchParams(r *search.Request) error {
	if s := c.query.Get("sort"); s != "" {
		list := jsondoc.Arr()
		for p := range strings.SplitSeq(s, ",") {
			list.Add(jsondoc.Str(p))
		}
		keys, err := search.ParseSort(list)
		if err != nil {
			return err
		}
		r.Sort = keys
	}
	f, err := c.sourceFilter(nil)
	if err != nil {
		return err
	}
	if f != nil {
		r.Source = f
	}
	if s := c.query.Get("track_total_hits"); s != "" {
		if r.Track, err = search.ParseTrack(jsondoc.Str(s)); err != nil {
			return err
		}
	}
	for name, to := range map[string]*bool{"version": &r.Version, "seq_no_primary_term": &r.SeqNo, "track_scores": &r.TrackScores} {
		if c.query.Has(name) {
			*to = c.flag(name)
		}
	}
	if s := c.query.Get("docvalue_fields"); s != "" {
		for p := range strings.SplitSeq(s, ",") {
			r.DocValues = append(r.DocValues, search.FieldFormat{Field: p})
		}
	}
	if c.flag("rest_total_hits_as_int") {
		r.Track = search.Exact
	}
	r.TypedKeys = c.flag("typed_keys")
	return nil
}

// acquire takes a view of each index.
func acquire(targets []store.Target) []search.Target {
	out := make([]search.Target, len(targets))
	for i, t := range targets {
		out[i] = search.Target{View: t.Index.View(), Filters: t.Filters}
	}
	return out
}

func release(ts []search.Target) {
	for _, t := range ts {
		t.View.Release()
	}
}

func (a *API) search(c *call) (*reply, error) {
	r, err := c.request()
	if err != nil {
		return nil, err
	}
	if s := c.query.Get("scroll"); s != "" {
		return a.startScroll(c, r, s)
	}
	if r.PIT != "" {
		return a.searchPIT(c, r)
	}
	targets, err := c.targets(c.lookup())
	if err != nil {
		return nil, err
	}
	ts := acquire(targets)
	defer release(ts)
	return a.answer(c, r, ts, nil)
}

// answer runs a search and renders the response; extra members go first.
func (a *API) answer(c *call, r *search.Request, ts []search.Target, extra *jsondoc.Value) (*reply, error) {
	start := time.Now()
	res, err := search.Run(r, ts, start)
	if err != nil {
		return nil, err
	}
	return ok(response(res, start, extra, c.flag("rest_total_hits_as_int")))
}

func response(res *search.Result, start time.Time, extra *jsondoc.Value, asInt bool) *jsondoc.Value {
	o := jsondoc.Obj()
	if extra != nil {
		for i, k := range extra.Keys {
			o.Set(k, extra.Items[i])
		}
	}
	o.Set("took", jsondoc.Int(time.Since(start).Milliseconds()))
	o.Set("timed_out", jsondoc.Boolean(false))
	o.Set("_shards", searched(res))
	return res.JSON(o, asInt)
}

// searched tells of how many indices a result is, and what failed on others.
func searched(res *search.Result) *jsondoc.Value {
	o := shards(res.Shards, true)
	if n := len(res.Failures); n > 0 {
		list := jsondoc.Arr()
		for _, e := range res.Failures {
			list.Add(jsondoc.Obj("shard", 0, "index", e.Index, "node", "weirflow", "reason", e.Object()))
		}
		o.Set("successful", jsondoc.Int(res.Shards-n)).Set("failed", jsondoc.Int(n)).Set("failures", list)
	}
	return o
}

func shards(n int, skipped bool) *jsondoc.Value {
	o := jsondoc.Obj("total", n, "successful", n)
	if skipped {
		o.Set("skipped", jsondoc.Int(0))
	}
	return o.Set("failed", jsondoc.Int(0))
}

func (a *API) count(c *call) (*reply, error) {
	v, err := c.json()
	if err != nil {
		return nil, err
	}
	if v != nil {
		for _, k := range v.Keys {
			if k != "query" {
				return nil, apierr.Parsing("request does not support [%s]", k)
			}
		}
	}
	r := search.DefaultRequest()
	r.Query, r.Size, r.Track = v.Get("query"), 0, search.Exact
	if q := c.query.Get("q"); q != "" {
		r.Query = c.uriQuery(q)
	}
	targets, err := c.targets(c.lookup())
	if err != nil {
		return nil, err
	}
	ts := acquire(targets)
	defer release(ts)
	res, err := search.Run(r, ts, time.Now())
	if err != nil {
		return nil, err
	}
	return ok(jsondoc.Obj("count", res.Total, "_shards", searched(res)))
}

// msearchKeys are what the header lines of _msearch may hold.
const msearchKeys = " index indices search_type preference routing ignore_unavailable allow_no_indices expand_wildcards request_cache requestCache allow_partial_search_results ccs_minimize_roundtrips ignore_throttled project_routing "

func (a *API) msearch(c *call) (*reply, error) {
	body, err := c.bytes()
	if err != nil {
		return nil, err
	}
	if len(bytes.TrimSpace(body)) == 0 {
		return nil, apierr.New(http.StatusBadRequest, "parse_exception", "request body or source parameter is required")
	}
	if body[len(body)-1] != '\n' {
		return nil, apierr.Illegal("The msearch request must be terminated by a newline [\\n]")
	}
	start := time.Now()
	var runs []func() (*jsondoc.Value, error)
	for len(body) > 0 {
		var head, line []byte
		head, body = cutLine(body)
		h := jsondoc.Obj()
		if len(bytes.TrimSpace(head)) > 0 {
			if h, err = jsondoc.Parse(head); err != nil {
				return nil, apierr.Syntax(err)
			}
		} else if len(body) == 0 {
			break
		}
		for _, k := range h.Keys {
			if !strings.Contains(msearchKeys, " "+k+" ") {
				return nil, apierr.Illegal("key [%s] is not supported in the metadata section", k)
			}
		}
		line, body = cutLine(body)
		v, err := jsondoc.Parse(line)
		if err != nil {
			return nil, apierr.Syntax(err)
		}
		r, perr := search.ParseRequest(v)
		if perr != nil {
			return nil, perr
		}
		runs = append(runs, func() (*jsondoc.Value, error) { return a.msearchOne(c, h, r) })
	}
	if len(runs) == 0 {
		return nil, validation("no requests added")
	}
	out := jsondoc.Arr()
	for _, run := range runs {
		v, err := run()
		if err != nil {
			e := apierr.Of(err)
			v = jsondoc.Obj("error", errorObject(e), "status", e.Status)
		}
		out.Add(v)
	}
	return ok(jsondoc.Obj("took", time.Since(start).Milliseconds(), "responses", out))
}

func (a *API) msearchOne(c *call, h *jsondoc.Value, r *search.Request) (*jsondoc.Value, error) {
	start := time.Now()
	names := h.Get("index")
	if names == nil {
		names = h.Get("indices")
	}
	expr := strings.Join(names.Texts(), ",")
	if expr == "" {
		expr = c.params["index"]
	}
	o := c.lookup()
	if b, ok := h.Get("ignore_unavailable").Truth(); ok {
		o.IgnoreUnavailable = b
	}
	if b, ok := h.Get("allow_no_indices").Truth(); ok {
		o.NoIndicesFails = !b
	}
	targets, err := a.Store.Resolve(expr, o)
	if err != nil {
		return nil, err
	}
	ts := acquire(targets)
	defer release(ts)
	asInt := c.flag("rest_total_hits_as_int")
	if asInt {
		r.Track = search.Exact
	}
	r.TypedKeys = c.flag("typed_keys")
	res, err := search.Run(r, ts, start)
	if err != nil {
		return nil, err
	}
	return response(res, start, nil, asInt).Set("status", jsondoc.Int(http.StatusOK)), nil
}

func (a *API) validate(c *call) (*reply, error) {
	v, err := c.json()
	valid, reason := true, ""
	if err != nil {
		valid, reason = false, err.Error()
	}
	targets, err := c.targets(c.lookup())
	if err != nil {
		return nil, err
	}
	q := v.Get("query")
	if s := c.query.Get("q"); s != "" {
		q = c.uriQuery(s)
	}
	for _, t := range targets {
		view := t.Index.View()
		_, err := search.NewEnv(view, time.Now()).Parse(q)
		view.Release()
		if err != nil {
			valid, reason = false, err.Error()
		}
	}
	o := jsondoc.Obj("_shards", shards(len(targets), false), "valid", valid)
	if reason != "" && c.flag("explain") {
		o.Set("error", jsondoc.Str(reason))
	}
	return ok(o)
}

// matching calls fn with the ids of the documents of a query, index by index.
func (a *API) matching(targets []store.Target, q *jsondoc.Value, fn func(ix *store.Index, v *store.View, p *store.Part, doc uint32) error) error {
	for _, t := range targets {
		v := t.Index.View()
		err := func() error {
			n, err := search.Compile(search.NewEnv(v, time.Now()), q, t.Filters)
			if err != nil {
				return err
			}
			st := &query.Stats{}
			for _, p := range v.Parts {
				m, err := n.Eval(&query.Scope{Seg: p.Seg, Root: p.Seg, Stats: st})
				if err != nil {
					return err
				}
				m.Bits.AndNot(p.Dead)
				if err := each(m.Bits, func(d uint32) error { return fn(t.Index, v, p, d) }); err != nil {
					return err
				}
			}
			return nil
		}()
		v.Release()
		if err != nil {
			return err
		}
	}
	return nil
}

func each(b segment.Bits, fn func(d uint32) error) (err error) {
	b.Each(func(d uint32) bool {
		err = fn(d)
		return err == nil
	})
	return err
}

// byQuery rewrites the documents of a query through make, in batches.
func (a *API) byQuery(c *call, q *jsondoc.Value, targets []store.Target, dest func(*store.Index) (*store.Index, error), makeOp func(id string, src []byte, seq int64) store.Op) (*jsondoc.Value, error) {
	start := time.Now()
	batches := map[*store.Index][]store.Op{}
	total, done, conflicts, created, updated := 0, 0, 0, 0, 0
	flush := func(ix *store.Index) error {
		res, err := ix.Apply(c.req.Context(), batches[ix])
		batches[ix] = nil
		for i := range res {
			switch {
			case res[i].Err != nil && res[i].Status == http.StatusConflict:
				conflicts++
			case res[i].Err != nil:
				return res[i].Err
			case res[i].Word == "created":
				created++
			case res[i].Word == "updated":
				updated++
			default:
				done++
			}
		}
		return err
	}
	err := a.matching(targets, q, func(from *store.Index, _ *store.View, p *store.Part, doc uint32) error {
		id, err := p.Seg.ID(doc)
		if err != nil {
			return err
		}
		src, err := p.Seg.Source(doc)
		if err != nil {
			return err
		}
		_, seq := p.Seg.Version(doc)
		ix, err := dest(from)
		if err != nil {
			return err
		}
		total++
		if batches[ix] = append(batches[ix], makeOp(id, src, seq)); len(batches[ix]) >= 2000 {
			return flush(ix)
		}
		return nil
	})
	for ix, ops := range batches {
		if err == nil && len(ops) > 0 {
			err = flush(ix)
		}
	}
	if err != nil {
		return nil, err
	}
	if conflicts > 0 && c.query.Get("conflicts") != "proceed" {
		return nil, apierr.New(http.StatusConflict, "version_conflict_engine_exception", "%d documents were changed meanwhile: send conflicts=proceed to skip them", conflicts)
	}
	return jsondoc.Obj("took", time.Since(start).Milliseconds(), "timed_out", false, "total", total, "created", created, "updated", updated, "deleted", done, "batches", (total+999)/1000,
		"version_conflicts", conflicts, "noops", 0, "retries", jsondoc.Obj("bulk", 0, "search", 0), "throttled_millis", 0, "requests_per_second", -1.0, "throttled_until_millis", 0, "failures", jsondoc.Arr()), nil
}

func (a *API) deleteByQuery(c *call) (*reply, error) {
	v, err := c.json()
	if err != nil {
		return nil, err
	}
	q := v.Get("query")
	if s := c.query.Get("q"); s != "" {
		q = c.uriQuery(s)
	}
	if q == nil {
		return nil, validation("query is missing")
	}
	targets, err := c.targets(c.lookup())
	if err != nil {
		return nil, err
	}
	o, err := a.byQuery(c, q, targets, same, func(id string, _ []byte, seq int64) store.Op {
		op := store.NewOp(store.Delete, id, nil)
		op.IfSeq, op.IfTerm = seq, 1
		return op
	})
	if err != nil {
		return nil, err
	}
	o.Delete("created")
	o.Delete("updated")
	return ok(o)
}

func same(ix *store.Index) (*store.Index, error) { return ix, nil }

func (a *API) updateByQuery(c *call) (*reply, error) {
	v, err := c.json()
	if err != nil {
		return nil, err
	}
	if v.Get("script") != nil {
		return nil, apierr.Unsupported("scripts are not supported by the embedded store")
	}
	q := v.Get("query")
	if s := c.query.Get("q"); s != "" {
		q = c.uriQuery(s)
	}
	targets, err := c.targets(c.lookup())
	if err != nil {
		return nil, err
	}
	o, err := a.byQuery(c, q, targets, same, func(id string, src []byte, seq int64) store.Op {
		op := store.NewOp(store.Put, id, bytes.Clone(src))
		op.IfSeq, op.IfTerm = seq, 1
		return op
	})
	if err != nil {
		return nil, err
	}
	o.Delete("created")
	return ok(o)
}

func (a *API) reindex(c *call) (*reply, error) {
	v, err := c.json()
	if err != nil {
		return nil, err
	}
	if v.Get("script") != nil || v.At("source", "remote") != nil {
		return nil, apierr.Unsupported("scripts and remote sources are not supported by the embedded store")
	}
	from, to := strings.Join(v.At("source", "index").Texts(), ","), v.At("dest", "index").Text()
	if from == "" || to == "" {
		return nil, validation("use _all if you really want to copy from all existing indexes")
	}
	targets, err := a.Store.Resolve(from, store.Lookup{})
	if err != nil {
		return nil, err
	}
	filter, err := (&call{query: nil}).sourceFilter(v.At("source", "_source"))
	if err != nil {
		return nil, err
	}
	action := store.Put
	if v.At("dest", "op_type").Text() == "create" {
		action = store.Create
	}
	o, err := a.byQuery(c, v.At("source", "query"), targets, func(*store.Index) (*store.Index, error) { return a.Store.ForWrite(c.req.Context(), to) },
		func(id string, src []byte, _ int64) store.Op {
			if part, err := filter.Apply(src); err == nil && filter != nil {
				src = part.Encode()
			}
			return store.NewOp(action, id, bytes.Clone(src))
		})
	if err != nil {
		return nil, err
	}
	return ok(o)
}
