package httpapi

import (
	"bytes"
	"context"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/apierr"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/jsondoc"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/search"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/store"
)

// item is one operation of a bulk and its outcome.
type item struct {
	verb   string
	index  string
	group  *bulkGroup
	pos    int // in its group
	err    *apierr.Error
	id     string
	filter *search.SourceFilter
}

// bulkGroup is the operations of one index.
type bulkGroup struct {
	ix  *store.Index
	err error
	ops []store.Op
	out []store.Result
}

// bulkRun is a bulk request while it is read.
type bulkRun struct {
	c        *call
	def      string // the index of the path
	require  bool
	items    []item
	groups   map[string]*bulkGroup
	order    []*bulkGroup
	last     *bulkGroup
	lastName string
}

func (a *API) bulk(c *call) (*reply, error) {
	start := time.Now()
	body, err := c.bytes()
	if err != nil {
		return nil, err
	}
	b := &bulkRun{c: c, def: c.params["index"], require: c.flag("require_alias"), groups: map[string]*bulkGroup{}}
	if len(bytes.TrimSpace(body)) == 0 {
		return nil, apierr.New(http.StatusBadRequest, "parse_exception", "request body is required")
	}
	if err := b.parse(body); err != nil {
		return nil, err
	}
	if len(b.items) == 0 {
		return nil, validation("no requests added")
	}
	b.apply(c.req.Context())
	raw, good, bad := b.render(time.Since(start))
	a.Observe.Bulk(time.Since(start), good, bad)
	if c.query.Has("filter_path") || c.flag("pretty") {
		if bad == 0 && onlyErrors(c.query.Get("filter_path")) {
			return &reply{status: http.StatusOK, raw: []byte(`{"errors":false}`)}, nil
		}
		v, err := jsondoc.Parse(raw)
		if err != nil {
			return nil, err
		}
		return ok(v)
	}
	return &reply{status: http.StatusOK, raw: raw}, nil
}

// onlyErrors reports whether a filter leaves nothing but errors:false of a
// bulk without failures.
func onlyErrors(fp string) bool {
	found := false
	for p := range strings.SplitSeq(fp, ",") {
		switch {
		case p == "errors":
			found = true
		case strings.HasPrefix(p, "items.*.error"):
		default:
			return false
		}
	}
	return found
}

// parse reads the lines of a bulk.
func (b *bulkRun) parse(body []byte) error {
	if body[len(body)-1] != '\n' {
		return apierr.Illegal("The bulk request must be terminated by a newline [\\n]")
	}
	for line := 1; len(body) > 0; {
		head, rest := cutLine(body)
		body = rest
		line++
		if len(bytes.TrimSpace(head)) == 0 {
			continue
		}
		act, err := parseAction(head, line-1)
		if err != nil {
			return err
		}
		var src []byte
		if act.verb != "delete" {
			if len(body) == 0 {
				return apierr.Illegal("Malformed action/metadata line [%d]: a source line is missing behind it", line-1)
			}
			src, body = cutLine(body)
			line++
		}
		if err := b.add(act, src); err != nil {
			return err
		}
	}
	return nil
}

func cutLine(b []byte) (line, rest []byte) {
	i := bytes.IndexByte(b, '\n')
	if i < 0 {
		return b, nil
	}
	line = b[:i]
	if i > 0 && line[i-1] == '\r' {
		line = line[:i-1]
	}
	return line, b[i+1:]
}

func (b *bulkRun) add(act action, src []byte) error {
	if act.index == "" {
		act.index = b.def
	}
	if act.index == "" {
		return apierr.New(http.StatusBadRequest, "action_request_validation_exception", "Validation Failed: 1: index is missing;")
	}
	op := store.NewOp(store.Put, act.id, src)
	switch act.verb {
	case "create":
		op.Action = store.Create
	case "update":
		op.Action = store.Update
	case "delete":
		op.Action = store.Delete
	}
	op.IfSeq, op.IfTerm, op.Version = act.ifSeq, act.ifTerm, act.version
	it := item{verb: act.verb, index: act.index, id: act.id}
	switch {
	case act.hasID && act.id == "":
		it.err = apierr.Illegal("if _id is specified it must not be empty")
	case act.id == "" && (act.verb == "delete" || act.verb == "update"):
		return apierr.New(http.StatusBadRequest, "action_request_validation_exception", "Validation Failed: 1: id is missing;")
	case act.id == "":
		op.ID, op.Auto = newID(), true
		it.id = op.ID
	}
	if err := checkConditions(&op, act.versionType); err != nil && it.err == nil {
		if len(act.id) > 512 {
			return err
		}
		it.err = apierr.Of(err)
	}
	if b.require || act.requireAlias {
		if e := b.c.api.requireAlias(act.index); e != nil {
			it.err = e
		}
	}
	if act.verb == "update" && it.err == nil {
		b.updateSource(&it, src, act)
	}
	if it.err == nil {
		g := b.group(act.index)
		it.group, it.pos = g, len(g.ops)
		g.ops = append(g.ops, op)
	}
	b.items = append(b.items, it)
	return nil
}

// updateSource finds out whether an update wants its document back.
func (b *bulkRun) updateSource(it *item, src []byte, act action) {
	v := act.source
	if v == nil && bytes.Contains(src, []byte(`"_source"`)) {
		if body, err := jsondoc.Parse(src); err == nil {
			v = body.Get("_source")
		}
	}
	if f, err := b.c.sourceFilter(v); err == nil {
		it.filter = f
	}
}

func (b *bulkRun) group(name string) *bulkGroup {
	if b.last != nil && name == b.lastName {
		return b.last
	}
	g := b.groups[name]
	if g == nil {
		g = &bulkGroup{}
		b.groups[name] = g
		b.order = append(b.order, g)
	}
	b.last, b.lastName = g, name
	return g
}

// apply opens the indices and carries out the operations of each.
func (b *bulkRun) apply(ctx context.Context) {
	var wg sync.WaitGroup
	for name, g := range b.groups {
		if b.deletesOnly(g) {
			ix, err := b.c.api.Store.Single(name, true)
			if err == nil && ix == nil {
				g.err = apierr.NotFoundIndex(name)
				continue
			}
		}
		if g.ix, g.err = b.c.api.Store.ForWrite(ctx, name); g.err != nil {
			continue
		}
		wg.Go(func() { g.out, g.err = g.ix.Apply(ctx, g.ops) })
	}
	wg.Wait()
}

func (b *bulkRun) deletesOnly(g *bulkGroup) bool {
	for i := range g.ops {
		if g.ops[i].Action != store.Delete {
			return false
		}
	}
	return true
}

func (b *bulkRun) render(took time.Duration) (out []byte, good, bad int) {
	forced := b.c.flag("refresh") && b.c.query.Get("refresh") != "wait_for"
	out = make([]byte, 0, 64+160*len(b.items))
	var list []byte
	list = out
	for i := range b.items {
		if i > 0 {
			list = append(list, ',')
		}
		var okItem bool
		list, okItem = b.items[i].render(list, forced)
		if okItem {
			good++
		} else {
			bad++
		}
	}
	head := []byte(`{"errors":` + strconv.FormatBool(bad > 0) + `,"took":` + strconv.FormatInt(took.Milliseconds(), 10) + `,"items":[`)
	res := make([]byte, 0, len(head)+len(list)+2)
	res = append(append(res, head...), list...)
	return append(res, "]}"...), good, bad
}

func (it *item) render(dst []byte, forced bool) ([]byte, bool) {
	name := it.index
	var r *store.Result
	e := it.err
	if g := it.group; g != nil {
		if g.ix != nil {
			name = g.ix.Name
		}
		switch {
		case g.err != nil:
			e = apierr.Of(g.err)
		default:
			r = &g.out[it.pos]
			e = r.Err
		}
	}
	dst = append(dst, `{"`...)
	dst = append(dst, it.verb...)
	dst = append(dst, `":{"_index":`...)
	dst = jsondoc.AppendString(dst, name)
	dst = append(dst, `,"_id":`...)
	dst = jsondoc.AppendString(dst, it.id)
	if e != nil {
		dst = append(dst, `,"status":`...)
		dst = strconv.AppendInt(dst, int64(e.Status), 10)
		dst = append(dst, `,"error":`...)
		dst = e.Object().Append(dst)
		return append(dst, "}}"...), false
	}
	dst = append(dst, `,"_version":`...)
	dst = strconv.AppendInt(dst, r.Version, 10)
	dst = append(dst, `,"result":"`...)
	dst = append(dst, r.Word...)
	dst = append(dst, '"')
	if forced && r.Word != "noop" {
		dst = append(dst, `,"forced_refresh":true`...)
	}
	dst = append(dst, `,"_shards":{"total":1,"successful":1,"failed":0},"_seq_no":`...)
	dst = strconv.AppendInt(dst, r.Seq, 10)
	dst = append(dst, `,"_primary_term":1`...)
	if it.filter != nil && !it.filter.Off {
		if g, err := got(r.Seq, it.filter, r.Source); err == nil {
			dst = append(dst, `,"get":`...)
			dst = g.Append(dst)
		}
	}
	dst = append(dst, `,"status":`...)
	dst = strconv.AppendInt(dst, int64(r.Status), 10)
	return append(dst, "}}"...), true
}
