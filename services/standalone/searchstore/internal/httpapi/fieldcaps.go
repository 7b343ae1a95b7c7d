package httpapi

import (
	"slices"
	"strings"

	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/apierr"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/jsondoc"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/mapping"
)

func (a *API) fieldCaps(c *call) (*reply, error) {
	v, err := c.json()
	if err != nil {
		return nil, err
	}
	want := v.Get("fields").Texts()
	if s := c.query.Get("fields"); s != "" {
		want = strings.Split(s, ",")
	}
	if len(want) == 0 {
		return nil, validation("no fields specified")
	}
	targets, err := c.targets(c.lookup())
	if err != nil {
		return nil, err
	}
	// path -> type -> indices
	found := map[string]map[string][]string{}
	aggregatable := map[string]bool{}
	var names []string
	for _, t := range targets {
		names = append(names, t.Index.Name)
		view := t.Index.View()
		view.Mapping.Paths(func(p string, f *mapping.Field) {
			if f == nil || !slices.ContainsFunc(want, func(w string) bool { return mapping.Glob(w, p) }) {
				return
			}
			typ := f.Family()
			if found[p] == nil {
				found[p] = map[string][]string{}
			}
			if !slices.Contains(found[p][typ], t.Index.Name) {
				found[p][typ] = append(found[p][typ], t.Index.Name)
			}
			aggregatable[p+"\x00"+typ] = f.Store != mapping.None && f.Store != mapping.Text
			parents(view.Mapping, p, t.Index.Name, found)
		})
		view.Release()
	}
	metaFields(want, names, found, aggregatable)
	slices.Sort(names)
	out := jsondoc.Obj()
	for _, p := range sortedKeys(found) {
		types := jsondoc.Obj()
		for _, typ := range sortedKeys(found[p]) {
			in := found[p][typ]
			searchable := typ != "object" && typ != "nested"
			o := jsondoc.Obj("type", typ, "metadata_field", strings.HasPrefix(p, "_"), "searchable", searchable, "aggregatable", aggregatable[p+"\x00"+typ])
			if len(found[p]) > 1 {
				slices.Sort(in)
				o.Set("indices", jsondoc.Strs(in))
			}
			types.Set(typ, o)
		}
		out.Set(p, types)
	}
	if names == nil {
		names = []string{}
	}
	return ok(jsondoc.Obj("indices", names, "fields", out))
}

// parents adds the objects that a field lives in.
func parents(m *mapping.Mapping, path, index string, found map[string]map[string][]string) {
	for i := len(path) - 1; i > 0; i-- {
		if path[i] != '.' {
			continue
		}
		f := m.Field(path[:i])
		if f == nil || !f.IsObject() {
			continue
		}
		if found[f.Path] == nil {
			found[f.Path] = map[string][]string{}
		}
		if !slices.Contains(found[f.Path][f.Type], index) {
			found[f.Path][f.Type] = append(found[f.Path][f.Type], index)
		}
	}
}

// metaFields adds the fields that every index has.
func metaFields(want, indices []string, found map[string]map[string][]string, aggregatable map[string]bool) {
	if len(indices) == 0 {
		return
	}
	for name, typ := range map[string]string{"_id": "_id", "_index": "_index", "_source": "_source", "_version": "_version", "_seq_no": "_seq_no", "_ignored": "_ignored", "_routing": "_routing", "_doc_count": "integer", "_field_names": "_field_names", "_ignored_source": "_ignored_source", "_nested_path": "_nested_path", "_tier": "keyword"} {
		if slices.ContainsFunc(want, func(w string) bool { return mapping.Glob(w, name) }) {
			found[name] = map[string][]string{typ: indices}
			aggregatable[name+"\x00"+typ] = name == "_index" || name == "_ignored"
		}
	}
}

func (a *API) analyze(c *call) (*reply, error) {
	v, err := c.json()
	if err != nil {
		return nil, err
	}
	texts := v.Get("text").Texts()
	if s := c.query.Get("text"); s != "" {
		texts = []string{s}
	}
	if len(texts) == 0 {
		return nil, validation("text is missing")
	}
	an, err := a.pickAnalyzer(c, v)
	if err != nil {
		return nil, err
	}
	list := jsondoc.Arr()
	pos, off := 0, 0
	for _, t := range texts {
		last := -1
		for _, k := range an.Tokens(t) {
			last = k.Position
			list.Add(jsondoc.Obj("token", string(k.Term), "start_offset", off+k.Start, "end_offset", off+k.End, "type", k.Type, "position", pos+k.Position))
		}
		pos += last + 1
		if v.Get("field") != nil { // the values of an array stand apart, so that phrases do not match across them
			pos += 100
		}
		off += len([]rune(t)) + 1
	}
	return ok(jsondoc.Obj("tokens", list))
}

func (a *API) pickAnalyzer(c *call, v *jsondoc.Value) (*analyzer, error) {
	name := v.Get("analyzer").Text()
	if s := c.query.Get("analyzer"); s != "" {
		name = s
	}
	if name == "" && v.Get("tokenizer") != nil || v.Get("filter") != nil {
		tok := v.Get("tokenizer").Text()
		if tok == "" {
			tok = "keyword"
		}
		return customAnalyzer(tok, v.Get("filter").Texts())
	}
	if c.params["index"] == "" {
		if an := builtinAnalyzer(name); an != nil {
			return an, nil
		}
		return nil, apierr.Illegal("failed to find global analyzer [%s]", name)
	}
	targets, err := c.targets(c.lookup())
	if err != nil {
		return nil, err
	}
	if len(targets) == 0 {
		return nil, apierr.NotFoundIndex(c.params["index"])
	}
	view := targets[0].Index.View()
	defer view.Release()
	if field := v.Get("field").Text(); field != "" {
		f := view.Mapping.Field(field)
		if f != nil && f.Analyzer != nil {
			return f.Analyzer, nil
		}
		if f != nil && f.Store == mapping.Terms {
			return builtinAnalyzer("keyword"), nil
		}
	}
	if an := view.Mapping.Analyzer(name); an != nil {
		return an, nil
	}
	return nil, apierr.Illegal("analyzer [%s] was not found for [%s]", name, targets[0].Index.Name)
}
