package search

import (
	"strings"

	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/apierr"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/jsondoc"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/mapping"
)

// SourceFilter says which parts of a document are returned.
type SourceFilter struct {
	Off                bool
	Includes, Excludes []string
}

// ParseSource reads a _source option.
func ParseSource(v *jsondoc.Value) (*SourceFilter, error) {
	switch {
	case v.Is(jsondoc.Bool):
		return &SourceFilter{Off: !v.B}, nil
	case v.Is(jsondoc.StringKind):
		if v.S == "false" || v.S == "true" {
			return &SourceFilter{Off: v.S == "false"}, nil
		}
		return &SourceFilter{Includes: []string{v.S}}, nil
	case v.Is(jsondoc.Array):
		return &SourceFilter{Includes: v.Texts()}, nil
	case v.Is(jsondoc.Object):
		f := &SourceFilter{}
		for i, k := range v.Keys {
			switch k {
			case "includes", "include":
				f.Includes = v.Items[i].Texts()
			case "excludes", "exclude":
				f.Excludes = v.Items[i].Texts()
			default:
				return nil, apierr.Parsing("Unknown key for a %s in [%s].", tokenName(v.Items[i]), k)
			}
		}
		return f, nil
	}
	return nil, apierr.Parsing("Expected one of [VALUE_BOOLEAN, START_OBJECT] but found [%s]", tokenName(v))
}

// whole reports whether documents are returned as they are.
func (f *SourceFilter) whole() bool {
	return f == nil || len(f.Includes) == 0 && len(f.Excludes) == 0
}

// Apply returns the part of a document that the filter lets through.
func (f *SourceFilter) Apply(src []byte) (*jsondoc.Value, error) {
	if f.whole() {
		return jsondoc.RawJSON(src), nil
	}
	v, err := jsondoc.Parse(src)
	if err != nil {
		return nil, err
	}
	out := f.filter(v, "")
	if out == nil {
		out = jsondoc.Obj()
	}
	return out, nil
}

func (f *SourceFilter) filter(v *jsondoc.Value, path string) *jsondoc.Value {
	switch v.Kind {
	case jsondoc.Object:
		out := jsondoc.Obj()
		for i, k := range v.Keys {
			p := k
			if path != "" {
				p = path + "." + k
			}
			if anyPath(f.Excludes, p) {
				continue
			}
			x := v.Items[i]
			in := len(f.Includes) == 0 || anyPath(f.Includes, p)
			switch {
			case in && len(f.Excludes) == 0:
				out.Set(k, x)
			case x.Is(jsondoc.Object) || x.Is(jsondoc.Array):
				sub := f
				if in {
					sub = &SourceFilter{Excludes: f.Excludes}
				}
				if y := sub.filter(x, p); y != nil && (in || len(y.Items) > 0) {
					out.Set(k, y)
				}
			case in:
				out.Set(k, x)
			}
		}
		return out
	case jsondoc.Array:
		out := jsondoc.Arr()
		for _, x := range v.Items {
			if x.Is(jsondoc.Object) || x.Is(jsondoc.Array) {
				if y := f.filter(x, path); y != nil && (len(y.Items) > 0 || len(f.Includes) == 0) {
					out.Add(y)
				}
				continue
			}
			if len(f.Includes) == 0 || anyPath(f.Includes, path) {
				out.Add(x)
			}
		}
		return out
	}
	return v
}

// anyPath reports whether a path, or an object above it, matches a pattern.
func anyPath(patterns []string, path string) bool {
	for _, p := range patterns {
		if mapping.Glob(p, path) || strings.HasPrefix(path, p+".") {
			return true
		}
		if strings.Contains(p, "*") {
			for i := range len(path) {
				if path[i] == '.' && mapping.Glob(p, path[:i]) {
					return true
				}
			}
		}
	}
	return false
}

// Lookup collects the values at a path of a document, through arrays and
// names with dots.
func Lookup(v *jsondoc.Value, path string) []*jsondoc.Value {
	var out []*jsondoc.Value
	lookup(v, path, &out)
	return out
}

func lookup(v *jsondoc.Value, path string, out *[]*jsondoc.Value) {
	if v == nil {
		return
	}
	if v.Is(jsondoc.Array) {
		for _, x := range v.Items {
			lookup(x, path, out)
		}
		return
	}
	if path == "" {
		if v.Kind != jsondoc.Null {
			*out = append(*out, v)
		}
		return
	}
	if !v.Is(jsondoc.Object) {
		return
	}
	for i, k := range v.Keys {
		if k == path {
			lookup(v.Items[i], "", out)
		} else if strings.HasPrefix(path, k+".") {
			lookup(v.Items[i], path[len(k)+1:], out)
		}
	}
}
