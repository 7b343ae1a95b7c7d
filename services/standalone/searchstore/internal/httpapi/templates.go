package httpapi

import (
	"net/http"

	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/apierr"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/jsondoc"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/mapping"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/store"
)

// templateKind is how the API of one kind of template looks.
type templateKind struct {
	kind, path, list, one string
	legacy                bool
}

func (a *API) templateRoutes(add adder) {
	for _, k := range [...]templateKind{
		{store.IndexTemplate, "_index_template", "index_templates", "index_template", false},
		{store.ComponentTemplate, "_component_template", "component_templates", "component_template", false},
		{store.LegacyTemplate, "_template", "", "", true},
	} {
		add("GET HEAD", "/"+k.path, func(c *call) (*reply, error) { return a.getTemplate(c, k) })
		add("GET HEAD", "/"+k.path+"/{name}", func(c *call) (*reply, error) { return a.getTemplate(c, k) })
		add("PUT POST", "/"+k.path+"/{name}", func(c *call) (*reply, error) { return a.putTemplate(c, k) })
		add("DELETE", "/"+k.path+"/{name}", func(c *call) (*reply, error) { return a.deleteTemplate(c, k) })
	}
}

func (a *API) putTemplate(c *call, k templateKind) (*reply, error) {
	v, err := c.json()
	if err != nil {
		return nil, err
	}
	if v == nil {
		return nil, apierr.New(http.StatusBadRequest, "parse_exception", "request body is required")
	}
	if k.kind != store.ComponentTemplate && len(v.Get("index_patterns").Texts()) == 0 {
		return nil, validation("index patterns are missing")
	}
	body := v
	if !k.legacy {
		body = v.Get("template")
	}
	if err := store.CheckTemplate(body); err != nil {
		return nil, err
	}
	if c.flag("create") && a.Store.Templates(k.kind).Get(c.params["name"]) != nil {
		return nil, apierr.Illegal("index template [%s] already exists", c.params["name"])
	}
	if err := a.Store.PutTemplate(k.kind, c.params["name"], normalTemplate(v, k)); err != nil {
		return nil, err
	}
	return acknowledged()
}

// normalTemplate stores settings the way they are shown.
func normalTemplate(v *jsondoc.Value, k templateKind) *jsondoc.Value {
	out := jsondoc.Merge(jsondoc.Obj(), v)
	if k.legacy {
		if s := v.Get("settings"); s != nil {
			out.Set("settings", store.NestedSettings(s))
		}
		for _, name := range [...]string{"settings", "mappings", "aliases"} {
			if out.Get(name) == nil {
				out.Set(name, jsondoc.Obj())
			}
		}
		if out.Get("order") == nil {
			out.Set("order", jsondoc.Int(0))
		}
		return out
	}
	if t := v.Get("template"); t != nil {
		nt := jsondoc.Merge(jsondoc.Obj(), t)
		if s := t.Get("settings"); s != nil {
			nt.Set("settings", store.NestedSettings(s))
		}
		out.Set("template", nt)
	}
	if k.kind == store.IndexTemplate && out.Get("composed_of") == nil {
		out.Set("composed_of", jsondoc.Arr())
	}
	return out
}

func (a *API) getTemplate(c *call, k templateKind) (*reply, error) {
	all := a.Store.Templates(k.kind)
	want := c.params["name"]
	found := jsondoc.Obj()
	for i, n := range all.Keys {
		if want == "" || mapping.Glob(want, n) {
			found.Set(n, all.Items[i])
		}
	}
	if k.legacy {
		if len(found.Keys) == 0 && want != "" {
			return &reply{status: http.StatusNotFound, body: found}, nil
		}
		return ok(found)
	}
	if len(found.Keys) == 0 && want != "" && !containsStar(want) {
		return nil, apierr.New(http.StatusNotFound, "resource_not_found_exception", "%s matching [%s] not found", noun(k), want)
	}
	list := jsondoc.Arr()
	for i, n := range found.Keys {
		list.Add(jsondoc.Obj("name", n, k.one, found.Items[i]))
	}
	return ok(jsondoc.Obj(k.list, list))
}

func containsStar(s string) bool {
	for i := range len(s) {
		if s[i] == '*' {
			return true
		}
	}
	return false
}

func noun(k templateKind) string {
	if k.kind == store.ComponentTemplate {
		return "component template"
	}
	return "index template"
}

func (a *API) deleteTemplate(c *call, k templateKind) (*reply, error) {
	n := 0
	for _, name := range a.Store.Templates(k.kind).Keys {
		if mapping.Glob(c.params["name"], name) {
			n++
			if err := a.Store.PutTemplate(k.kind, name, nil); err != nil {
				return nil, err
			}
		}
	}
	if n == 0 {
		typ := "resource_not_found_exception"
		if k.legacy {
			typ = "index_template_missing_exception"
		}
		return nil, apierr.New(http.StatusNotFound, typ, "%s [%s] missing", noun(k), c.params["name"])
	}
	return acknowledged()
}
