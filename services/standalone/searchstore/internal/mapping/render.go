package mapping

import (
	"slices"

	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/jsondoc"
)

// JSON renders the mapping as the API shows it.
func (m *Mapping) JSON() *jsondoc.Value {
	out := jsondoc.Obj()
	if m.Root.Dynamic != "" {
		out.Set("dynamic", jsondoc.Str(m.Root.Dynamic))
	}
	for i, k := range m.extra.Keys {
		out.Set(k, m.extra.Items[i])
	}
	if len(m.Root.Children) > 0 {
		out.Set("properties", properties(m.Root))
	}
	return out
}

func properties(f *Field) *jsondoc.Value {
	out := jsondoc.Obj()
	names := make([]string, 0, len(f.Children))
	for n := range f.Children {
		names = append(names, n)
	}
	slices.Sort(names)
	for _, n := range names {
		out.Set(n, f.Children[n].JSON())
	}
	return out
}

// JSON renders one field's definition.
func (f *Field) JSON() *jsondoc.Value {
	out := jsondoc.Obj()
	if !f.IsObject() || f.Type == "nested" || len(f.Children) == 0 {
		out.Set("type", jsondoc.Str(f.Type))
	}
	if f.IsObject() && f.Dynamic != "" {
		out.Set("dynamic", jsondoc.Str(f.Dynamic))
	}
	if f.Params != nil {
		for i, k := range f.Params.Keys {
			out.Set(k, f.Params.Items[i])
		}
	}
	if len(f.Children) > 0 {
		out.Set("properties", properties(f))
	}
	if len(f.Multi) > 0 {
		subs := jsondoc.Obj()
		for _, s := range f.Multi {
			subs.Set(s.Name, s.JSON())
		}
		out.Set("fields", subs)
	}
	return out
}
