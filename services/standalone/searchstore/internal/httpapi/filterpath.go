package httpapi

import (
	"strings"

	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/jsondoc"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/mapping"
)

// filterPath keeps the parts of an answer that a filter_path names; patterns
// with a minus take parts away.
func filterPath(v *jsondoc.Value, spec string) *jsondoc.Value {
	var in, out [][]string
	for p := range strings.SplitSeq(spec, ",") {
		p = strings.TrimSpace(p)
		if rest, neg := strings.CutPrefix(p, "-"); neg {
			out = append(out, strings.Split(rest, "."))
		} else if p != "" {
			in = append(in, strings.Split(p, "."))
		}
	}
	if len(in) > 0 {
		v = keepPaths(v, in)
	}
	if len(out) > 0 && v != nil {
		v = dropPaths(v, out)
	}
	if v == nil {
		return jsondoc.Obj()
	}
	return v
}

// step moves patterns over one name; done is whether one is used up.
func step(paths [][]string, name string) (next [][]string, done bool) {
	for _, p := range paths {
		if p[0] == "**" {
			next = append(next, p)
			if len(p) == 1 {
				done = true
			} else if mapping.Glob(p[1], name) {
				if len(p) == 2 {
					done = true
				} else {
					next = append(next, p[2:])
				}
			}
			continue
		}
		if !mapping.Glob(p[0], name) {
			continue
		}
		if len(p) == 1 {
			done = true
		} else {
			next = append(next, p[1:])
		}
	}
	return next, done
}

// open parses a raw value so that one can look into it.
func open(v *jsondoc.Value) *jsondoc.Value {
	if v.Is(jsondoc.Raw) {
		if p, err := jsondoc.Parse([]byte(v.S)); err == nil {
			return p
		}
	}
	return v
}

func keepPaths(v *jsondoc.Value, paths [][]string) *jsondoc.Value {
	v = open(v)
	switch v.Kind {
	case jsondoc.Object:
		o := jsondoc.Obj()
		for i, k := range v.Keys {
			next, done := step(paths, k)
			if done {
				o.Set(k, v.Items[i])
			} else if len(next) > 0 {
				if x := keepPaths(v.Items[i], next); x != nil {
					o.Set(k, x)
				}
			}
		}
		if len(o.Keys) > 0 {
			return o
		}
	case jsondoc.Array:
		a := jsondoc.Arr()
		for _, x := range v.Items {
			if y := keepPaths(x, paths); y != nil {
				a.Add(y)
			}
		}
		if len(a.Items) > 0 {
			return a
		}
	}
	return nil
}

func dropPaths(v *jsondoc.Value, paths [][]string) *jsondoc.Value {
	v = open(v)
	switch v.Kind {
	case jsondoc.Object:
		o := jsondoc.Obj()
		for i, k := range v.Keys {
			next, done := step(paths, k)
			if done {
				continue
			}
			if len(next) == 0 {
				o.Set(k, v.Items[i])
			} else if x := dropPaths(v.Items[i], next); x != nil {
				o.Set(k, x)
			}
		}
		if len(o.Keys) == 0 && len(v.Keys) > 0 {
			return nil
		}
		return o
	case jsondoc.Array:
		a := jsondoc.Arr()
		for _, x := range v.Items {
			if y := dropPaths(x, paths); y != nil {
				a.Add(y)
			}
		}
		return a
	}
	return v
}
