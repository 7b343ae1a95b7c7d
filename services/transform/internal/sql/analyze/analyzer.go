// Package analyze checks statements against the catalog and turns queries into
// typed plans.
package analyze

import (
	"slices"
	"strings"

	"github.com/weirflow/weirflow/services/transform/internal/plan"
	"github.com/weirflow/weirflow/services/transform/internal/sql/ast"
	"github.com/weirflow/weirflow/services/transform/internal/sql/catalog"
	"github.com/weirflow/weirflow/services/transform/internal/sql/diag"
	"github.com/weirflow/weirflow/services/transform/internal/sql/function"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

// TableValidator checks the options of a table where it is defined or used.
type TableValidator func(*plan.Table) error

// Analyzer turns queries into plans. One analyzer serves one session.
type Analyzer struct {
	catalog   *catalog.Catalog
	functions *function.Table
	validate  TableValidator
	// scans shares what several sinks of a statement set read; nil outside of one.
	scans map[catalog.ID]plan.Node
	views map[catalog.ID]*viewPlan
	depth int
	// plans of views being expanded, to find cycles
	expanding map[catalog.ID]bool
	settings  func(key string) string
	// hints are those of the SELECT that is planned.
	hints []ast.Hint
	// noRules leaves plans as they were analyzed, for EXPLAIN.
	noRules bool
}

// Configure tells the analyzer where to look settings up.
func (a *Analyzer) Configure(get func(key string) string) { a.settings = get }

func (a *Analyzer) setting(key string) string {
	if a.settings == nil {
		return ""
	}
	return a.settings(key)
}

// WithoutRules turns the optimizer's rules off until the function returned is called.
func (a *Analyzer) WithoutRules() func() {
	a.noRules = true
	return func() { a.noRules = false }
}

type viewPlan struct {
	node plan.Node
}

// maxDepth bounds how deep queries and views nest.
const maxDepth = 100

// New returns an analyzer over a catalog. The validator may be nil.
func New(c *catalog.Catalog, f *function.Table, v TableValidator) *Analyzer {
	return &Analyzer{catalog: c, functions: f, validate: v, expanding: map[catalog.ID]bool{}}
}

// share starts to hand out the same nodes for the same tables and views until
// the returned function is called.
func (a *Analyzer) share() func() {
	a.scans, a.views = map[catalog.ID]plan.Node{}, map[catalog.ID]*viewPlan{}
	return func() { a.scans, a.views = nil, nil }
}

// scope is the columns that names in an expression can refer to.
type scope struct {
	parent *scope
	rels   []relation
	fields []types.Field // of all relations
	hidden map[int]bool  // columns that USING merged away: found by their qualified name only
	// common are the columns that USING and NATURAL made of two, which * puts first.
	common []int
	full   [][2]int // pairs of FULL JOIN … USING that are to be computed
	ctes   map[string]*cte
	// aliases are the names that SELECT gives, while WHERE is read, which does not know them.
	aliases []string
}

// relation is a table in FROM under its alias.
type relation struct {
	alias  string
	path   []string // the full path of a table without alias
	fields []types.Field
	offset int
}

// cte is a query of WITH.
type cte struct {
	query   *ast.Query
	columns []ast.Name
	scope   *scope // where its names resolve
	plan    *viewPlan
	busy    bool
}

func newScope(parent *scope) *scope { return &scope{parent: parent} }

// add appends a relation's columns.
func (s *scope) add(r relation) {
	r.offset = len(s.fields)
	s.rels = append(s.rels, r)
	s.fields = append(s.fields, r.fields...)
}

// findCTE looks for a query of WITH in this and the outer scopes.
func (s *scope) findCTE(name string) *cte {
	for ; s != nil; s = s.parent {
		if c := s.ctes[name]; c != nil {
			return c
		}
	}
	return nil
}

func (s *scope) hide(i int) {
	if s.hidden == nil {
		s.hidden = map[int]bool{}
	}
	s.hidden[i] = true
}

// column finds a column by its bare name: its index, and how many there are.
func (s *scope) column(name string) (index, count int) {
	for i, f := range s.fields {
		if f.Name == name && !s.hidden[i] {
			if count == 0 {
				index = i
			}
			count++
		}
	}
	return index, count
}

// relation finds a relation by alias or path: the first n names of path.
func (s *scope) relation(path []string) *relation {
	for i := range s.rels {
		r := &s.rels[i]
		if len(path) == 1 && r.alias == path[0] || len(path) > 1 && len(r.path) >= len(path) && equal(r.path[len(r.path)-len(path):], path) {
			return r
		}
	}
	return nil
}

func equal(a, b []string) bool {
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return len(a) == len(b)
}

// resolved is a column and the names that are still to be looked up inside it.
type resolved struct {
	index int
	depth int // 0 in this scope, 1 in the next outer one …
	field types.Field
	rest  []ast.Name
}

// resolve finds the column that a path of names starts with: t.a, a.b or
// catalog.database.t.a.
func (s *scope) resolve(path ast.Path) (resolved, error) {
	texts := path.Texts()
	for depth, cur := 0, s; cur != nil; depth, cur = depth+1, cur.parent {
		r, ok, err := cur.resolveHere(path, texts)
		if err != nil {
			return r, err
		}
		if ok {
			r.depth = depth
			return r, nil
		}
	}
	return resolved{}, s.notFound(path)
}

func (s *scope) resolveHere(path ast.Path, texts []string) (resolved, bool, error) {
	for n := min(3, len(path)-1); n >= 1; n-- {
		r := s.relation(texts[:n])
		if r == nil {
			continue
		}
		for i, f := range r.fields {
			if f.Name == texts[n] {
				return resolved{index: r.offset + i, field: f, rest: path[n+1:]}, true, nil
			}
		}
	}
	i, count := s.column(texts[0])
	if count > 1 {
		return resolved{}, false, diag.At(path.Pos(), "column %q is ambiguous", texts[0]).
			WithHint("write the table before it, such as %s.%s", s.owners(texts[0])[0], texts[0])
	}
	if count == 1 {
		return resolved{index: i, field: s.fields[i], rest: path[1:]}, true, nil
	}
	return resolved{}, false, nil
}

func (s *scope) owners(column string) []string {
	var out []string
	for _, r := range s.rels {
		for _, f := range r.fields {
			if f.Name == column && r.alias != "" {
				out = append(out, r.alias)
			}
		}
	}
	return append(out, "t")
}

func (s *scope) notFound(path ast.Path) error {
	name := path[0].Text
	var candidates []string
	for cur := s; cur != nil; cur = cur.parent {
		for _, f := range cur.fields {
			candidates = append(candidates, f.Name)
		}
	}
	if len(path) > 1 {
		if r := s.relation([]string{name}); r != nil {
			err := diag.At(path[1].Pos(), "column %q not found in table %q", path[1].Text, name)
			return suggest(err, path[1].Text, fieldNames(r.fields))
		}
		for _, r := range s.rels {
			candidates = append(candidates, r.alias)
		}
		err := diag.At(path.Pos(), "table or column %q not found", name)
		return suggest(err, name, candidates)
	}
	err := diag.At(path.Pos(), "column %q not found in any table", name)
	if slices.Contains(s.aliases, name) {
		return err.WithHint("WHERE does not know the names that SELECT gives: write the expression again, or put the query into a subquery")
	}
	return suggest(err, name, candidates)
}

// suggest adds a hint that names the candidate most like name.
func suggest(err *diag.Error, name string, candidates []string) *diag.Error {
	for _, c := range candidates {
		if strings.EqualFold(c, name) {
			return err.WithHint("names are case-sensitive: did you mean %q?", c)
		}
	}
	if near := diag.Nearest(name, candidates); near != "" {
		return err.WithHint("did you mean %q?", near)
	}
	if len(candidates) > 0 && len(candidates) <= 12 {
		return err.WithHint("there are: %s", strings.Join(candidates, ", "))
	}
	return err
}

func fieldNames(fields []types.Field) []string {
	out := make([]string, len(fields))
	for i, f := range fields {
		out[i] = f.Name
	}
	return out
}

func meta(t types.Type, at plan.Pos) plan.Meta { return plan.Meta{Typ: t, At: at} }

func boolType(nullable bool) types.Type { return types.Of(types.Boolean).WithNullable(nullable) }

// ref returns a reference to a column of a node.
func ref(fields []types.Field, i int, at plan.Pos) *plan.InputRef {
	return &plan.InputRef{Meta: meta(fields[i].Type, at), Index: i, Name: fields[i].Name}
}

func symbol(text string, at plan.Pos) plan.Expr {
	return &plan.Literal{Meta: meta(types.Of(types.Symbol).NotNull(), at), Value: text}
}

func call(fn string, t types.Type, at plan.Pos, args ...plan.Expr) *plan.Call {
	return &plan.Call{Meta: meta(t, at), Function: fn, Args: args}
}
