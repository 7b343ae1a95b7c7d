package httpapi

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"

	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/apierr"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/jsondoc"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/search"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/store"
)

type adder func(methods, pattern string, h handler)

func (a *API) documentRoutes(add adder) {
	add("POST", "/{index}/_doc", a.index)
	add("GET HEAD", "/{index}/_doc/{id}", a.get)
	add("PUT POST", "/{index}/_doc/{id}", a.index)
	add("DELETE", "/{index}/_doc/{id}", a.remove)
	add("PUT POST", "/{index}/_create/{id}", a.index)
	add("POST", "/{index}/_update/{id}", a.update)
	add("GET HEAD", "/{index}/_source/{id}", a.source)
	add("GET POST", "/_mget", a.mget)
	add("GET POST", "/{index}/_mget", a.mget)
	add("POST PUT", "/_bulk", a.bulk)
	add("POST PUT", "/{index}/_bulk", a.bulk)
}

// newID makes a document id.
func newID() string {
	var b [15]byte
	_, _ = rand.Read(b[:]) // never fails
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// conditions reads the parameters that an operation depends on.
func (c *call) conditions(op *store.Op) error {
	for _, p := range [...]struct {
		name string
		to   *int64
	}{{"if_seq_no", &op.IfSeq}, {"if_primary_term", &op.IfTerm}, {"version", &op.Version}} {
		s := c.query.Get(p.name)
		if s == "" {
			continue
		}
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil {
			return apierr.Illegal("Failed to parse long parameter [%s] with value [%s]", p.name, s)
		}
		*p.to = n
	}
	return checkConditions(op, c.query.Get("version_type"))
}

func validation(text string) *apierr.Error {
	return apierr.New(http.StatusBadRequest, "action_request_validation_exception", "Validation Failed: 1: %s;", text)
}

func checkConditions(op *store.Op, versionType string) error {
	switch versionType {
	case "external", "external_gt":
	case "external_gte":
		op.GTE = true
	case "", "internal":
		if op.Version >= 0 {
			return validation("internal versioning can not be used for optimistic concurrency control. Please use `if_seq_no` and `if_primary_term` instead")
		}
	default:
		return apierr.Illegal("No version type match [%s]", versionType)
	}
	if (op.IfSeq >= 0) != (op.IfTerm > 0) {
		return validation("ifSeqNo is set, but primary term is [0]")
	}
	if len(op.ID) > 512 {
		return validation("id [" + op.ID[:64] + "...] is too long, must be no longer than 512 bytes but was: " + strconv.Itoa(len(op.ID)))
	}
	return nil
}

func (a *API) index(c *call) (*reply, error) {
	body, err := c.bytes()
	if err != nil {
		return nil, err
	}
	op := store.NewOp(store.Put, c.params["id"], bytes.Clone(body))
	if c.query.Get("op_type") == "create" || strings.Contains(c.req.URL.Path, "/_create/") {
		op.Action = store.Create
	} else if t := c.query.Get("op_type"); t != "" && t != "index" {
		return nil, apierr.Illegal("opType must be 'create' or 'index', found: [%s]", t)
	}
	if op.ID == "" {
		op.ID, op.Auto = newID(), true
	}
	if err := c.conditions(&op); err != nil {
		return nil, err
	}
	if len(bytes.TrimSpace(body)) == 0 {
		return nil, apierr.New(http.StatusBadRequest, "parse_exception", "request body is required")
	}
	return a.one(c, op)
}

func (a *API) remove(c *call) (*reply, error) {
	op := store.NewOp(store.Delete, c.params["id"], nil)
	if err := c.conditions(&op); err != nil {
		return nil, err
	}
	if op.Version < 0 { // only an external version makes an index
		ix, err := a.Store.Single(c.params["index"], true)
		if err != nil {
			return nil, err
		}
		if ix == nil {
			return nil, apierr.NotFoundIndex(c.params["index"])
		}
	}
	return a.one(c, op)
}

// one applies an operation and answers with its result.
func (a *API) one(c *call, op store.Op) (*reply, error) {
	if c.flag("require_alias") {
		if e := a.requireAlias(c.params["index"]); e != nil {
			return nil, e
		}
	}
	ix, err := a.Store.ForWrite(c.req.Context(), c.params["index"])
	if err != nil {
		return nil, err
	}
	res, err := ix.Apply(c.req.Context(), []store.Op{op})
	if err != nil {
		return nil, err
	}
	r := &res[0]
	if r.Err != nil {
		return nil, r.Err
	}
	a.Observe.Documents(1)
	return a.written(c, ix, r)
}

func (a *API) requireAlias(name string) *apierr.Error {
	if ix := a.Store.Index(name); ix == nil {
		if ix, err := a.Store.Single(name, true); err == nil && ix != nil {
			return nil
		}
	}
	e := apierr.NotFoundIndex(name)
	e.Reason = "no such index [" + name + "] and [require_alias] request flag is [true] and [" + name + "] is not an alias"
	return e
}

func (a *API) written(c *call, ix *store.Index, r *store.Result) (*reply, error) {
	o := jsondoc.Obj("_index", ix.Name, "_id", r.ID, "_version", r.Version, "result", r.Word)
	if refresh := c.query.Get("refresh"); c.flag("refresh") && refresh != "wait_for" && r.Word != "noop" {
		o.Set("forced_refresh", jsondoc.Boolean(true))
	}
	shards := jsondoc.Obj("total", 1, "successful", 1, "failed", 0)
	if r.Word == "noop" {
		shards = jsondoc.Obj("total", 0, "successful", 0, "failed", 0)
	}
	o.Set("_shards", shards)
	o.Set("_seq_no", jsondoc.Int(r.Seq))
	o.Set("_primary_term", jsondoc.Int(1))
	rep := &reply{status: r.Status, body: o}
	if r.Status == http.StatusCreated {
		rep.header = http.Header{"Location": {"/" + ix.Name + "/_doc/" + r.ID}}
	}
	return rep, nil
}

func (a *API) update(c *call) (*reply, error) {
	body, err := c.bytes()
	if err != nil {
		return nil, err
	}
	if len(bytes.TrimSpace(body)) == 0 {
		return nil, apierr.New(http.StatusBadRequest, "parse_exception", "request body is required")
	}
	op := store.NewOp(store.Update, c.params["id"], bytes.Clone(body))
	if err := c.conditions(&op); err != nil {
		return nil, err
	}
	v, err := jsondoc.Parse(body)
	if err != nil {
		return nil, apierr.Syntax(err)
	}
	filter, err := c.sourceFilter(v.Get("_source"))
	if err != nil {
		return nil, err
	}
	ix, err := a.Store.Single(c.params["index"], true)
	if err != nil {
		return nil, err
	}
	if ix == nil && v.Get("upsert") == nil && v.Get("doc_as_upsert") == nil {
		return nil, apierr.NotFoundIndex(c.params["index"])
	}
	if ix, err = a.Store.ForWrite(c.req.Context(), c.params["index"]); err != nil {
		return nil, err
	}
	res, err := ix.Apply(c.req.Context(), []store.Op{op})
	if err != nil {
		return nil, err
	}
	r := &res[0]
	if r.Err != nil {
		return nil, r.Err
	}
	a.Observe.Documents(1)
	rep, err := a.written(c, ix, r)
	if err == nil && filter != nil && !filter.Off {
		g, err := got(r.Seq, filter, r.Source)
		if err != nil {
			return nil, err
		}
		rep.body.Set("get", g)
	}
	return rep, err
}

func got(seq int64, filter *search.SourceFilter, src []byte) (*jsondoc.Value, error) {
	v, err := filter.Apply(src)
	if err != nil {
		return nil, err
	}
	return jsondoc.Obj("_seq_no", seq, "_primary_term", 1, "found", true, "_source", v), nil
}

// sourceFilter reads _source from a body or the URL; nil when nothing is said.
func (c *call) sourceFilter(v *jsondoc.Value) (*search.SourceFilter, error) {
	if !v.IsNull() {
		return search.ParseSource(v)
	}
	list := func(name string) []string {
		if s := c.query.Get(name); s != "" {
			return strings.Split(s, ",")
		}
		return nil
	}
	f := &search.SourceFilter{Includes: list("_source_includes"), Excludes: list("_source_excludes")}
	switch s := c.query.Get("_source"); s {
	case "":
		if !c.query.Has("_source") && f.Includes == nil && f.Excludes == nil {
			return nil, nil
		}
	case "true":
	case "false":
		f.Off = true
	default:
		f.Includes = append(f.Includes, strings.Split(s, ",")...)
	}
	return f, nil
}

// find reads the document that the path names.
func (a *API) find(c *call) (*store.Index, *store.Doc, error) {
	ix, err := a.Store.Single(c.params["index"], false)
	if err != nil {
		return nil, nil, err
	}
	if ix == nil {
		return nil, nil, apierr.NotFoundIndex(c.params["index"])
	}
	if ix.Closed() {
		return nil, nil, ix.ClosedError()
	}
	v := ix.View()
	defer v.Release()
	d, err := v.Get(c.params["id"])
	return ix, d, err
}

func (a *API) get(c *call) (*reply, error) {
	filter, err := c.sourceFilter(nil)
	if err != nil {
		return nil, err
	}
	ix, d, err := a.find(c)
	if err != nil {
		return nil, err
	}
	if d == nil {
		return &reply{status: http.StatusNotFound, body: jsondoc.Obj("_index", ix.Name, "_id", c.params["id"], "found", false)}, nil
	}
	if want := c.query.Get("version"); want != "" && want != strconv.FormatInt(d.Version, 10) {
		e := apierr.New(http.StatusConflict, "version_conflict_engine_exception", "[%s]: version conflict, current version [%d] is different than the one provided [%s]", d.ID, d.Version, want)
		e.Index = ix.Name
		return nil, e
	}
	o, err := document(ix, d, filter)
	if err != nil {
		return nil, err
	}
	return ok(o)
}

func document(ix *store.Index, d *store.Doc, filter *search.SourceFilter) (*jsondoc.Value, error) {
	o := jsondoc.Obj("_index", ix.Name, "_id", d.ID, "_version", d.Version, "_seq_no", d.Seq, "_primary_term", 1, "found", true)
	if filter == nil || !filter.Off {
		s, err := filter.Apply(d.Source)
		if err != nil {
			return nil, err
		}
		o.Set("_source", s)
	}
	return o, nil
}

func (a *API) source(c *call) (*reply, error) {
	filter, err := c.sourceFilter(nil)
	if err != nil {
		return nil, err
	}
	ix, d, err := a.find(c)
	if err != nil {
		return nil, err
	}
	if d == nil {
		return nil, apierr.New(http.StatusNotFound, "resource_not_found_exception", "Document not found [%s]/[%s]", ix.Name, c.params["id"])
	}
	s, err := filter.Apply(d.Source)
	if err != nil {
		return nil, err
	}
	return ok(s)
}

func (a *API) mget(c *call) (*reply, error) {
	v, err := c.json()
	if err != nil {
		return nil, err
	}
	if v == nil {
		return nil, apierr.New(http.StatusBadRequest, "parse_exception", "request body is required")
	}
	var specs []*jsondoc.Value
	for i, k := range v.Keys {
		switch k {
		case "docs":
			specs = append(specs, v.Items[i].List()...)
		case "ids":
			for _, id := range v.Items[i].Texts() {
				specs = append(specs, jsondoc.Obj("_id", id))
			}
		default:
			return nil, apierr.Parsing("unknown key [%s] for a %s, expected [docs] or [ids]", k, "START_ARRAY")
		}
	}
	if len(specs) == 0 {
		return nil, validation("no documents to get")
	}
	out := jsondoc.Arr()
	for _, s := range specs {
		d, err := a.mgetOne(c, s)
		if err != nil {
			return nil, err
		}
		out.Add(d)
	}
	return ok(jsondoc.Obj("docs", out))
}

func (a *API) mgetOne(c *call, spec *jsondoc.Value) (*jsondoc.Value, error) {
	name, id := spec.Get("_index").Text(), spec.Get("_id").Text()
	if name == "" {
		name = c.params["index"]
	}
	if name == "" {
		return nil, validation("index is missing for doc 0")
	}
	if id == "" {
		return nil, validation("id is missing for doc 0")
	}
	filter, err := c.sourceFilter(spec.Get("_source"))
	if err != nil {
		return nil, err
	}
	ix, err := a.Store.Single(name, false)
	if err == nil && ix == nil {
		err = apierr.NotFoundIndex(name)
	}
	if err != nil {
		return jsondoc.Obj("_index", name, "_id", id, "error", apierr.Of(err).Full()), nil
	}
	v := ix.View()
	defer v.Release()
	d, err := v.Get(id)
	if err != nil {
		return nil, err
	}
	if d == nil {
		return jsondoc.Obj("_index", ix.Name, "_id", id, "found", false), nil
	}
	return document(ix, d, filter)
}
