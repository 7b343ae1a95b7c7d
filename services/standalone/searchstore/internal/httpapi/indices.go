package httpapi

import (
	"net/http"
	"slices"
	"strings"

	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/apierr"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/jsondoc"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/mapping"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/store"
)

func (a *API) indexRoutes(add adder) {
	add("PUT", "/{index}", a.createIndex)
	add("DELETE", "/{index}", a.deleteIndex)
	add("GET HEAD", "/{index}", a.getIndex)
	add("GET", "/_mapping", a.getMapping)
	add("GET", "/{index}/_mapping", a.getMapping)
	add("PUT POST", "/{index}/_mapping", a.putMapping)
	add("GET", "/_mapping/field/{fields}", a.getFieldMapping)
	add("GET", "/{index}/_mapping/field/{fields}", a.getFieldMapping)
	add("GET", "/_settings", a.getSettings)
	add("PUT", "/_settings", a.putSettings)
	add("GET", "/_settings/{setting}", a.getSettings)
	add("GET", "/{index}/_settings", a.getSettings)
	add("GET", "/{index}/_settings/{setting}", a.getSettings)
	add("PUT", "/{index}/_settings", a.putSettings)
	for _, op := range [...]string{"_refresh", "_flush", "_forcemerge", "_cache/clear"} {
		add("GET POST", "/"+op, a.touch)
		add("GET POST", "/{index}/"+op, a.touch)
	}
	add("POST", "/{index}/_close", a.closeIndex)
	add("POST", "/{index}/_open", a.openIndex)
	add("GET POST", "/_field_caps", a.fieldCaps)
	add("GET POST", "/{index}/_field_caps", a.fieldCaps)
	add("GET", "/_stats", a.stats)
	add("GET", "/_stats/{metric}", a.stats)
	add("GET", "/{index}/_stats", a.stats)
	add("GET", "/{index}/_stats/{metric}", a.stats)
	add("GET", "/_resolve/index/{name}", a.resolve)
	a.aliasRoutes(add)
	a.templateRoutes(add)
}

func (a *API) createIndex(c *call) (*reply, error) {
	body, err := c.json()
	if err != nil {
		return nil, err
	}
	if body != nil {
		for _, k := range body.Keys {
			if k != "settings" && k != "mappings" && k != "aliases" {
				return nil, apierr.New(http.StatusBadRequest, "parse_exception", "unknown key [%s] for create index", k)
			}
		}
	}
	if c.query.Has("include_type_name") {
		return nil, apierr.Illegal("request [/%s] contains unrecognized parameter: [include_type_name]", c.params["index"])
	}
	ix, err := a.Store.Create(c.req.Context(), c.params["index"], body)
	if err != nil {
		return nil, err
	}
	return ok(jsondoc.Obj("acknowledged", true, "shards_acknowledged", true, "index", ix.Name))
}

func (a *API) deleteIndex(c *call) (*reply, error) {
	o := c.lookup()
	o.NoAliases, o.KeepClosed = true, true
	for name := range strings.SplitSeq(c.params["index"], ",") {
		if name == "_all" || strings.Contains(name, "*") { // as Elasticsearch does by default: a slip costs too much
			return nil, apierr.Illegal("Wildcard expressions or all indices are not allowed")
		}
	}
	targets, err := c.targets(o)
	if err != nil {
		return nil, err
	}
	for _, t := range targets {
		if err := a.Store.Delete(t.Index); err != nil {
			return nil, err
		}
	}
	return acknowledged()
}

// indices resolves the path's indices, closed ones included.
func (c *call) indices() ([]*store.Index, error) {
	o := c.lookup()
	o.KeepClosed = true
	targets, err := c.targets(o)
	out := make([]*store.Index, len(targets))
	for i, t := range targets {
		out[i] = t.Index
	}
	return out, err
}

func aliasObject(ix *store.Index) *jsondoc.Value {
	o := jsondoc.Obj()
	all := ix.Aliases()
	names := make([]string, 0, len(all))
	for n := range all {
		names = append(names, n)
	}
	slices.Sort(names)
	for _, n := range names {
		o.Set(n, all[n])
	}
	return o
}

func mappingOf(ix *store.Index) *jsondoc.Value {
	v := ix.View()
	defer v.Release()
	return v.Mapping.JSON()
}

func (a *API) getIndex(c *call) (*reply, error) {
	list, err := c.indices()
	if err != nil {
		return nil, err
	}
	out := jsondoc.Obj()
	for _, ix := range list {
		out.Set(ix.Name, jsondoc.Obj("aliases", aliasObject(ix), "mappings", mappingOf(ix), "settings", ix.Settings().Nested()))
	}
	return ok(out)
}

func (a *API) getMapping(c *call) (*reply, error) {
	list, err := c.indices()
	if err != nil {
		return nil, err
	}
	out := jsondoc.Obj()
	for _, ix := range list {
		out.Set(ix.Name, jsondoc.Obj("mappings", mappingOf(ix)))
	}
	return ok(out)
}

func (a *API) putMapping(c *call) (*reply, error) {
	body, err := c.json()
	if err != nil {
		return nil, err
	}
	if body == nil {
		return nil, validation("mapping source is empty")
	}
	list, err := c.indices()
	if err != nil {
		return nil, err
	}
	for _, ix := range list {
		if err := ix.PutMapping(c.req.Context(), body); err != nil {
			return nil, err
		}
	}
	return acknowledged()
}

func (a *API) getFieldMapping(c *call) (*reply, error) {
	list, err := c.indices()
	if err != nil {
		return nil, err
	}
	out := jsondoc.Obj()
	for _, ix := range list {
		v := ix.View()
		found := jsondoc.Obj()
		v.Mapping.Paths(func(p string, f *mapping.Field) {
			if f == nil || f.IsObject() {
				return
			}
			for want := range strings.SplitSeq(c.params["fields"], ",") {
				if mapping.Glob(want, p) {
					found.Set(p, jsondoc.Obj("full_name", p, "mapping", jsondoc.Obj(f.Name, f.JSON())))
				}
			}
		})
		v.Release()
		out.Set(ix.Name, jsondoc.Obj("mappings", found))
	}
	return ok(out)
}

func (a *API) getSettings(c *call) (*reply, error) {
	list, err := c.indices()
	if err != nil {
		return nil, err
	}
	out := jsondoc.Obj()
	for _, ix := range list {
		s := ix.Settings()
		if want := c.params["setting"]; want != "" && want != "_all" {
			for k := range s {
				if !slices.ContainsFunc(strings.Split(want, ","), func(p string) bool { return mapping.Glob(p, k) }) {
					delete(s, k)
				}
			}
			if len(s) == 0 {
				continue
			}
		}
		v := s.Nested()
		if c.flag("flat_settings") {
			v = jsondoc.Obj()
			for k, x := range s {
				v.Set(k, jsondoc.Str(x))
			}
		}
		out.Set(ix.Name, jsondoc.Obj("settings", v))
	}
	return ok(out)
}

func (a *API) putSettings(c *call) (*reply, error) {
	body, err := c.json()
	if err != nil {
		return nil, err
	}
	if s := body.Get("settings"); s.Is(jsondoc.Object) {
		body = s
	}
	if body == nil || len(body.Keys) == 0 {
		return nil, validation("no settings to update")
	}
	list, err := c.indices()
	if err != nil {
		return nil, err
	}
	for _, ix := range list {
		if err := ix.PutSettings(c.req.Context(), body); err != nil {
			return nil, err
		}
	}
	return acknowledged()
}

// touch answers refresh and flush: what was acknowledged is visible and on
// disk already.
func (a *API) touch(c *call) (*reply, error) {
	targets, err := c.targets(c.lookup())
	if err != nil {
		return nil, err
	}
	return ok(jsondoc.Obj("_shards", shards(len(targets), false)))
}

func (a *API) closeIndex(c *call) (*reply, error) {
	list, err := c.indices()
	if err != nil {
		return nil, err
	}
	closed := jsondoc.Obj()
	for _, ix := range list {
		if err := ix.SetClosed(c.req.Context(), true); err != nil {
			return nil, err
		}
		closed.Set(ix.Name, jsondoc.Obj("closed", true))
	}
	return ok(jsondoc.Obj("acknowledged", true, "shards_acknowledged", true, "indices", closed))
}

func (a *API) openIndex(c *call) (*reply, error) {
	list, err := c.indices()
	if err != nil {
		return nil, err
	}
	for _, ix := range list {
		if err := ix.SetClosed(c.req.Context(), false); err != nil {
			return nil, err
		}
	}
	return ok(jsondoc.Obj("acknowledged", true, "shards_acknowledged", true))
}

func (a *API) stats(c *call) (*reply, error) {
	list, err := c.indices()
	if err != nil {
		return nil, err
	}
	out := jsondoc.Obj()
	sum := [3]int64{}
	one := func(n [3]int64) *jsondoc.Value {
		return jsondoc.Obj("docs", jsondoc.Obj("count", n[0], "deleted", n[1], "total_size_in_bytes", n[2]), "store", jsondoc.Obj("size_in_bytes", n[2], "total_data_set_size_in_bytes", n[2], "reserved_in_bytes", 0))
	}
	pick := func(n [3]int64) *jsondoc.Value {
		v := one(n)
		if m := c.params["metric"]; m != "" && m != "_all" {
			for _, k := range slices.Clone(v.Keys) {
				if !slices.Contains(strings.Split(m, ","), k) {
					v.Delete(k)
				}
			}
		}
		return v
	}
	for _, ix := range list {
		v := ix.View()
		n := [3]int64{int64(v.Count()), int64(v.Gone()), ix.Size()}
		v.Release()
		for i := range sum {
			sum[i] += n[i]
		}
		out.Set(ix.Name, jsondoc.Obj("uuid", ix.UUID, "health", "green", "status", openWord(ix), "primaries", pick(n), "total", pick(n)))
	}
	return ok(jsondoc.Obj("_shards", shards(len(list), false), "_all", jsondoc.Obj("primaries", pick(sum), "total", pick(sum)), "indices", out))
}

func openWord(ix *store.Index) string {
	if ix.Closed() {
		return "close"
	}
	return "open"
}

func (a *API) resolve(c *call) (*reply, error) {
	c.params["index"] = c.params["name"]
	indices, aliases := jsondoc.Arr(), map[string][]string{}
	o := c.lookup()
	o.KeepClosed = true
	targets, err := c.targets(o)
	if err != nil {
		return nil, err
	}
	patterns := strings.Split(c.params["name"], ",")
	named := func(n string) bool {
		return slices.ContainsFunc(patterns, func(p string) bool { return mapping.Glob(p, n) })
	}
	for _, t := range targets {
		ix := t.Index
		var names []string
		for n := range ix.Aliases() {
			names = append(names, n)
			if named(n) {
				aliases[n] = append(aliases[n], ix.Name)
			}
		}
		slices.Sort(names)
		if named(ix.Name) {
			x := jsondoc.Obj("name", ix.Name)
			if names != nil {
				x.Set("aliases", jsondoc.Strs(names))
			}
			indices.Add(x.Set("attributes", jsondoc.Strs([]string{strings.ReplaceAll(openWord(ix), "close", "closed")})))
		}
	}
	list := jsondoc.Arr()
	for _, n := range sortedKeys(aliases) {
		list.Add(jsondoc.Obj("name", n, "indices", aliases[n]))
	}
	return ok(jsondoc.Obj("indices", indices, "aliases", list, "data_streams", jsondoc.Arr()))
}

func sortedKeys[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}
