package store

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/apierr"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/jsondoc"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/mapping"
)

// Target is an index that a request means, with the filters of the aliases by
// which it was named.
type Target struct {
	Index   *Index
	Filters []*jsondoc.Value
	plain   bool // also named without a filter
}

// Lookup are the options of resolving names.
type Lookup struct {
	IgnoreUnavailable bool
	NoIndicesFails    bool // allow_no_indices=false
	KeepClosed        bool // closed indices are part of the answer
	NoAliases         bool // only concrete names
}

// Aliases returns a copy of an index's aliases.
func (ix *Index) Aliases() map[string]*jsondoc.Value {
	ix.mu.RLock()
	defer ix.mu.RUnlock()
	out := map[string]*jsondoc.Value{}
	maps.Copy(out, ix.aliases)
	return out
}

func (s *Store) isAlias(name string) bool {
	for _, ix := range s.All() {
		if ix.Aliases()[name] != nil {
			return true
		}
	}
	return false
}

// Resolve finds the indices that a list of names, aliases and patterns means.
func (s *Store) Resolve(expr string, o Lookup) ([]Target, error) {
	if expr == "" || expr == "_all" {
		expr = "*"
	}
	r := resolver{store: s, o: o, all: s.All()}
	for p := range strings.SplitSeq(expr, ",") {
		if err := r.part(p); err != nil {
			return nil, err
		}
	}
	if len(r.found) == 0 && o.NoIndicesFails {
		return nil, apierr.NotFoundIndex(expr)
	}
	return r.targets(), nil
}

type resolver struct {
	store *Store
	o     Lookup
	all   []*Index
	found []meaning
	wild  bool
}

// meaning is what a name stands for: an index by its own name, or by an alias.
// An exclusion takes names away, not indices: what another alias still means stays.
type meaning struct {
	name   string
	ix     *Index
	filter *jsondoc.Value
	plain  bool
}

func (r *resolver) part(p string) error {
	if rest, ok := strings.CutPrefix(p, "-"); ok && r.wild {
		r.found = slices.DeleteFunc(r.found, func(m meaning) bool { return mapping.Glob(rest, m.name) })
		return nil
	}
	if p == "_all" {
		p = "*"
	}
	if strings.Contains(p, "*") {
		r.wild = true
		r.match(p)
		return nil
	}
	if p == "" || strings.HasPrefix(p, "_") {
		return InvalidName(p, "must not start with '_'.")
	}
	return r.named(p)
}

func (r *resolver) match(p string) {
	for _, ix := range r.all {
		hidden := strings.HasPrefix(ix.Name, ".") && !strings.HasPrefix(p, ".")
		if mapping.Glob(p, ix.Name) && !hidden && (r.o.KeepClosed || !ix.Closed()) {
			r.add(ix.Name, ix, nil, true)
		}
		if r.o.NoAliases {
			continue
		}
		for name, def := range ix.Aliases() {
			if mapping.Glob(p, name) && (r.o.KeepClosed || !ix.Closed()) {
				r.add(name, ix, def.Get("filter"), def.Get("filter").IsNull())
			}
		}
	}
}

func (r *resolver) named(p string) error {
	if ix := r.store.Index(p); ix != nil {
		return r.open(p, ix, nil, true)
	}
	found := false
	for _, ix := range r.all {
		def := ix.Aliases()[p]
		if def == nil {
			continue
		}
		if r.o.NoAliases {
			e := apierr.Illegal("The provided expression [%s] matches an alias, specify the corresponding concrete indices instead.", p)
			return e
		}
		found = true
		if err := r.open(p, ix, def.Get("filter"), def.Get("filter").IsNull()); err != nil {
			return err
		}
	}
	if !found && !r.o.IgnoreUnavailable {
		return apierr.NotFoundIndex(p)
	}
	return nil
}

func (r *resolver) open(name string, ix *Index, filter *jsondoc.Value, plain bool) error {
	if ix.Closed() && !r.o.KeepClosed {
		if r.o.IgnoreUnavailable {
			return nil
		}
		return ix.ClosedError()
	}
	r.add(name, ix, filter, plain)
	return nil
}

func (r *resolver) add(name string, ix *Index, filter *jsondoc.Value, plain bool) {
	r.found = append(r.found, meaning{name, ix, filter, plain})
}

// targets joins what was found, each index once.
func (r *resolver) targets() []Target {
	var out []Target
	at := map[*Index]int{}
	for _, m := range r.found {
		i, ok := at[m.ix]
		if !ok {
			i = len(out)
			at[m.ix] = i
			out = append(out, Target{Index: m.ix})
		}
		if m.plain {
			out[i].plain = true
		} else {
			out[i].Filters = append(out[i].Filters, m.filter)
		}
	}
	for i := range out {
		if out[i].plain {
			out[i].Filters = nil
		}
	}
	return out
}

// Single finds the one index that a document operation means; nil when there
// is none of that name.
func (s *Store) Single(name string, write bool) (*Index, error) {
	if ix := s.Index(name); ix != nil {
		if e := ix.Broken(); e != nil {
			return nil, e
		}
		return ix, nil
	}
	var found []*Index
	var names []string
	for _, ix := range s.All() {
		def := ix.Aliases()[name]
		if def == nil {
			continue
		}
		if w, _ := def.Get("is_write_index").Truth(); w && write {
			return ix, nil
		}
		found = append(found, ix)
		names = append(names, ix.Name)
	}
	switch {
	case len(found) == 1:
		return found[0], nil
	case len(found) > 1 && write:
		return nil, apierr.Illegal("no write index is defined for alias [%s]. The write index may be explicitly disabled using is_write_index=false or the alias points to multiple indices without one being designated as a write index", name)
	case len(found) > 1:
		return nil, apierr.Illegal("alias [%s] has more than one index associated with it [%s], can't execute a single index op", name, strings.Join(names, ", "))
	}
	return nil, nil
}

// ForWrite finds the index of a write, creating it when missing.
func (s *Store) ForWrite(ctx context.Context, name string) (*Index, error) {
	ix, err := s.Single(name, true)
	if err != nil {
		return nil, err
	}
	if ix == nil {
		if ix, err = s.Create(ctx, name, jsondoc.Obj()); err != nil {
			if other := s.Index(name); other != nil { // somebody was faster
				return other, nil
			}
			return nil, err
		}
	}
	if e := ix.Broken(); e != nil {
		return nil, e
	}
	if ix.Closed() {
		return nil, ix.ClosedError()
	}
	if e := ix.Blocked(); e != nil {
		return nil, e
	}
	return ix, nil
}

// SetAlias adds, or with a nil definition removes, an alias of an index.
func (ix *Index) SetAlias(ctx context.Context, name string, def *jsondoc.Value) error {
	var next map[string]*jsondoc.Value
	return ix.persist(ctx, "aliases", func() []byte {
		if next = ix.Aliases(); def == nil {
			delete(next, name)
		} else {
			next[name] = def
		}
		return object(next).Encode()
	}, func() { ix.aliases = next })
}
