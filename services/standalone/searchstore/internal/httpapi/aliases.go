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

func (a *API) aliasRoutes(add adder) {
	add("POST", "/_aliases", a.changeAliases)
	add("GET HEAD", "/_alias", a.getAlias)
	add("GET HEAD", "/_alias/{name}", a.getAlias)
	add("GET HEAD", "/{index}/_alias", a.getAlias)
	add("GET HEAD", "/{index}/_alias/{name}", a.getAlias)
	for _, word := range [...]string{"_alias", "_aliases"} {
		add("PUT POST", "/{index}/"+word+"/{name}", a.putAlias)
		add("DELETE", "/{index}/"+word+"/{name}", a.deleteAlias)
	}
}

// aliasDef keeps what an alias is made of.
func aliasDef(v *jsondoc.Value) *jsondoc.Value {
	o := jsondoc.Obj()
	for _, k := range [...]string{"filter", "index_routing", "search_routing", "is_write_index", "is_hidden"} {
		if x := v.Get(k); x != nil {
			o.Set(k, x)
		}
	}
	if r := v.Get("routing"); r != nil {
		o.Set("index_routing", r)
		o.Set("search_routing", r)
	}
	return o
}

// aliasChange is one action of _aliases, checked.
type aliasChange struct {
	ix     *store.Index
	name   string
	def    *jsondoc.Value // nil: remove
	delete bool           // remove_index
}

func (a *API) changeAliases(c *call) (*reply, error) {
	body, err := c.json()
	if err != nil {
		return nil, err
	}
	var changes []aliasChange
	for _, act := range body.Get("actions").List() {
		if !act.Is(jsondoc.Object) || len(act.Keys) != 1 {
			return nil, apierr.XContent("[1:1] [aliases] failed to parse field [actions]")
		}
		list, err := a.aliasAction(act.Keys[0], act.Items[0])
		if err != nil {
			return nil, err
		}
		changes = append(changes, list...)
	}
	if len(changes) == 0 {
		return nil, validation("Must specify at least one alias action")
	}
	for _, ch := range changes {
		if ch.delete {
			err = a.Store.Delete(ch.ix)
		} else {
			err = ch.ix.SetAlias(c.req.Context(), ch.name, ch.def)
		}
		if err != nil {
			return nil, err
		}
	}
	return ok(jsondoc.Obj("acknowledged", true, "errors", false))
}

func (a *API) aliasAction(verb string, v *jsondoc.Value) ([]aliasChange, error) {
	both := func(one, many string) []string { return append(v.Get(one).Texts(), v.Get(many).Texts()...) }
	targets, err := a.Store.Resolve(strings.Join(both("index", "indices"), ","), store.Lookup{NoAliases: true})
	if err != nil {
		return nil, err
	}
	names := both("alias", "aliases")
	var out []aliasChange
	switch verb {
	case "remove_index":
		for _, t := range targets {
			out = append(out, aliasChange{ix: t.Index, delete: true})
		}
	case "add":
		for _, t := range targets {
			for _, n := range names {
				if e := store.CheckName(n); e != nil {
					return nil, apierr.New(http.StatusBadRequest, "invalid_alias_name_exception", "%s", e.Reason)
				}
				if a.Store.Index(n) != nil {
					return nil, apierr.New(http.StatusBadRequest, "invalid_alias_name_exception", "Invalid alias name [%s]: an index or data stream exists with the same name as the alias", n)
				}
				out = append(out, aliasChange{ix: t.Index, name: n, def: aliasDef(v)})
			}
		}
	case "remove":
		out = removals(targets, names)
		must, given := v.Get("must_exist").Truth()
		if len(out) == 0 && (!given || must) {
			return nil, aliasesMissing(names)
		}
	default:
		return nil, apierr.XContent("[1:1] [alias_action] unknown field [%s]", verb)
	}
	return out, nil
}

func removals(targets []store.Target, names []string) []aliasChange {
	var out []aliasChange
	for _, t := range targets {
		for have := range t.Index.Aliases() {
			if slices.ContainsFunc(names, func(p string) bool { return mapping.Glob(p, have) }) {
				out = append(out, aliasChange{ix: t.Index, name: have})
			}
		}
	}
	return out
}

func aliasesMissing(names []string) error {
	e := apierr.New(http.StatusNotFound, "aliases_not_found_exception", "aliases [%s] missing", strings.Join(names, ", "))
	e.Fields = []apierr.Field{{Name: "resource.type", Value: jsondoc.Str("aliases")}, {Name: "resource.id", Value: jsondoc.Str(strings.Join(names, ","))}}
	return e
}

func (a *API) putAlias(c *call) (*reply, error) {
	v, err := c.json()
	if err != nil {
		return nil, err
	}
	act := jsondoc.Obj("index", strings.Split(c.params["index"], ","), "alias", c.params["name"])
	if v != nil {
		for i, k := range v.Keys {
			act.Set(k, v.Items[i])
		}
	}
	changes, err := a.aliasAction("add", act)
	if err != nil {
		return nil, err
	}
	for _, ch := range changes {
		if err := ch.ix.SetAlias(c.req.Context(), ch.name, ch.def); err != nil {
			return nil, err
		}
	}
	return ok(jsondoc.Obj("acknowledged", true, "errors", false))
}

func (a *API) deleteAlias(c *call) (*reply, error) {
	targets, err := c.targets(store.Lookup{NoAliases: true})
	if err != nil {
		return nil, err
	}
	names := strings.Split(c.params["name"], ",")
	if names[0] == "_all" {
		names[0] = "*"
	}
	list := removals(targets, names)
	if len(list) == 0 {
		return nil, aliasesMissing(names)
	}
	for _, ch := range list {
		if err := ch.ix.SetAlias(c.req.Context(), ch.name, nil); err != nil {
			return nil, err
		}
	}
	return ok(jsondoc.Obj("acknowledged", true, "errors", false))
}

func (a *API) getAlias(c *call) (*reply, error) {
	list, err := c.indices()
	if err != nil {
		return nil, err
	}
	want := c.params["name"]
	if want == "_all" {
		want = "*"
	}
	out := jsondoc.Obj()
	seen := map[string]bool{}
	for _, ix := range list {
		o := jsondoc.Obj()
		for _, n := range sortedKeys(ix.Aliases()) {
			for p := range strings.SplitSeq(want, ",") {
				if want == "" || mapping.Glob(p, n) {
					o.Set(n, ix.Aliases()[n])
					seen[p] = true
				}
			}
		}
		if len(o.Keys) > 0 || want == "" {
			out.Set(ix.Name, jsondoc.Obj("aliases", o))
		}
	}
	var gone []string
	for p := range strings.SplitSeq(want, ",") {
		if want != "" && !seen[p] && !strings.Contains(p, "*") {
			gone = append(gone, p)
		}
	}
	if gone == nil {
		return ok(out)
	}
	word := "alias"
	if len(gone) > 1 {
		word = "aliases"
	}
	res := jsondoc.Obj("error", word+" ["+strings.Join(gone, ",")+"] missing", "status", http.StatusNotFound)
	for i, k := range out.Keys {
		res.Set(k, out.Items[i])
	}
	return &reply{status: http.StatusNotFound, body: res}, nil
}
