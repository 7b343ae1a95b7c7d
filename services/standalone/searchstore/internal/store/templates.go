package store

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/jsondoc"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/mapping"
)

// Kinds of templates.
const (
	IndexTemplate     = "index_template"
	ComponentTemplate = "component_template"
	LegacyTemplate    = "template"
)

func (s *Store) templateFile() string { return filepath.Join(s.dir, "templates.json") }

// Templates returns the templates of a kind by name.
func (s *Store) Templates(kind string) *jsondoc.Value {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if t := s.templates.Get(kind); t != nil {
		return t
	}
	return jsondoc.Obj()
}

// PutTemplate stores a template; a nil body removes it.
func (s *Store) PutTemplate(kind, name string, body *jsondoc.Value) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	next := jsondoc.Merge(jsondoc.Obj(), s.templates)
	of := jsondoc.Obj()
	if old := next.Get(kind); old != nil {
		for i, k := range old.Keys {
			of.Set(k, old.Items[i])
		}
	}
	if body == nil {
		of.Delete(name)
	} else {
		of.Set(name, body)
	}
	next.Set(kind, of)
	if err := replaceFile(s.templateFile(), next.Encode()); err != nil {
		return fmt.Errorf("write templates: %w", err)
	}
	s.templates = next
	return nil
}

func replaceFile(path string, data []byte) error {
	tmp := path + ".tmp"
	f, err := os.OpenFile(tmp, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return err
	}
	if err := os.Rename(tmp, path); err != nil {
		return err
	}
	d, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	err = d.Sync()
	if cerr := d.Close(); err == nil {
		err = cerr
	}
	return err
}

// matching returns the bodies of the templates for a new index, the weakest
// first: all legacy ones, or the one index template of the highest priority
// with its components.
func (s *Store) matching(name string) []*jsondoc.Value {
	it := s.Templates(IndexTemplate)
	var best *jsondoc.Value
	high := int64(-1)
	for _, t := range it.Items {
		p, _ := t.Get("priority").Int64()
		if fitsPattern(t, name) && p > high {
			best, high = t, p
		}
	}
	if best != nil {
		var out []*jsondoc.Value
		comps := s.Templates(ComponentTemplate)
		for _, c := range best.Get("composed_of").Texts() {
			if t := comps.Get(c).Get("template"); t != nil {
				out = append(out, t)
			}
		}
		if t := best.Get("template"); t != nil {
			out = append(out, t)
		}
		return out
	}
	var out []*jsondoc.Value
	for _, t := range s.Templates(LegacyTemplate).Items {
		if fitsPattern(t, name) {
			out = append(out, t)
		}
	}
	slices.SortStableFunc(out, func(a, b *jsondoc.Value) int {
		x, _ := a.Get("order").Int64()
		y, _ := b.Get("order").Int64()
		return cmp.Compare(x, y)
	})
	return out
}

func fitsPattern(t *jsondoc.Value, name string) bool {
	return slices.ContainsFunc(t.Get("index_patterns").Texts(), func(p string) bool { return mapping.Glob(p, name) })
}

// CheckTemplate refuses a template whose settings or mappings are wrong.
func CheckTemplate(body *jsondoc.Value) error {
	s := flatten(body.Get("settings"))
	if e := s.validate(); e != nil {
		return e
	}
	m, err := s.newMapping()
	if err != nil {
		return err
	}
	_, err = m.Merge(body.Get("mappings"))
	return err
}

// NestedSettings renders settings in their nested form under index.
func NestedSettings(v *jsondoc.Value) *jsondoc.Value { return flatten(v).Nested() }
