package sql

import (
	"maps"
	"slices"
	"strings"

	"github.com/weirflow/weirflow/services/transform/internal/plan"
	"github.com/weirflow/weirflow/services/transform/internal/sql/analyze"
	"github.com/weirflow/weirflow/services/transform/internal/sql/ast"
	"github.com/weirflow/weirflow/services/transform/internal/sql/catalog"
	"github.com/weirflow/weirflow/services/transform/internal/sql/diag"
	"github.com/weirflow/weirflow/services/transform/internal/sql/explain"
	"github.com/weirflow/weirflow/services/transform/internal/sql/function"
	"github.com/weirflow/weirflow/services/transform/internal/sql/parse"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

// Error is a fault in SQL text, with its line and column.
type Error = diag.Error

// Options are what a session may be given.
type Options struct {
	// Validate checks a table's connector options at CREATE TABLE and where the
	// table is used; nil checks nothing.
	Validate func(*plan.Table) error
	// Config holds settings as SET gives them.
	Config map[string]string
	// Setting checks the value of a setting; nil takes all.
	Setting func(key, value string) error
	// Operators returns what the engine makes of plans, for EXPLAIN JSON_EXECUTION_PLAN;
	// nil shows the plans' own nodes.
	Operators func(roots []plan.Node, config map[string]string) ([]explain.Operator, error)
}

// Session holds the catalog and settings of one user or job. It is used by one
// goroutine at a time.
type Session struct {
	catalog   *catalog.Catalog
	functions *function.Table
	analyzer  *analyze.Analyzer
	config    map[string]string
	defaults  map[string]string
	setting   func(key, value string) error
	operators func(roots []plan.Node, config map[string]string) ([]explain.Operator, error)
}

// NewSession returns a session with an empty catalog.
func NewSession(o Options) *Session {
	s := &Session{catalog: catalog.New(), functions: function.NewTable(), config: map[string]string{}, defaults: maps.Clone(o.Config), operators: o.Operators, setting: o.Setting}
	maps.Copy(s.config, o.Config)
	s.analyzer = analyze.New(s.catalog, s.functions, o.Validate)
	s.analyzer.Configure(func(key string) string { return s.config[key] })
	return s
}

// Parse returns the statements of a script, which semicolons end.
func Parse(script string) ([]ast.Statement, error) { return parse.Script(script) }

// Catalog returns the tables, views and functions that were defined.
func (s *Session) Catalog() *catalog.Catalog { return s.catalog }

// Config returns a copy of the settings.
func (s *Session) Config() map[string]string { return maps.Clone(s.config) }

// Get returns a setting.
func (s *Session) Get(key string) (string, bool) {
	v, ok := s.config[key]
	return v, ok
}

// Result is what a statement came to: one of the fields is set, or none for a
// statement that only changed the session.
type Result struct {
	// Message says what a statement did.
	Message string
	// Info is the rows of SHOW, DESCRIBE, EXPLAIN and SET.
	Info *Info
	// Query is a SELECT for the engine to run.
	Query *plan.Query
	// Inserts is an INSERT or statement set for the engine to run.
	Inserts *plan.StatementSet
}

// Info is rows that the front end itself answers. All values are text, NULL is nil.
type Info struct {
	Columns []types.Field
	Rows    [][]*string
}

// Run parses a script and analyzes its statements in order. It stops at the first
// error; the results before it stay valid.
func (s *Session) Run(script string) ([]Result, error) {
	stmts, err := Parse(script)
	if err != nil {
		return nil, err
	}
	out := make([]Result, 0, len(stmts))
	for _, st := range stmts {
		r, err := s.Analyze(st)
		if err != nil {
			return out, err
		}
		out = append(out, r)
	}
	return out, nil
}

// Analyze checks a statement, applies definitions to the catalog, and plans queries.
func (s *Session) Analyze(st ast.Statement) (Result, error) {
	switch st := st.(type) {
	case *ast.QueryStatement:
		q, err := s.analyzer.Query(st.Query)
		return Result{Query: q}, err
	case *ast.Insert:
		set, err := s.analyzer.Inserts([]*ast.Insert{st})
		return Result{Inserts: set}, err
	case *ast.StatementSet:
		set, err := s.analyzer.Inserts(st.Inserts)
		return Result{Inserts: set}, err
	case *ast.CreateTable:
		return s.createTable(st)
	case *ast.CreateView:
		return s.createView(st)
	case *ast.CreateFunction:
		return s.createFunction(st)
	case *ast.CreateCatalog, *ast.CreateDatabase, *ast.Use:
		return s.namespace(st)
	case *ast.Drop:
		return s.drop(st)
	case *ast.Alter:
		return s.alter(st)
	case *ast.Show:
		return s.show(st)
	case *ast.Describe:
		return s.describe(st)
	case *ast.Explain:
		return s.explain(st)
	case *ast.Set:
		return s.set(st)
	case *ast.Reset:
		return s.reset(st), nil
	}
	return s.unsupported(st)
}

func (s *Session) unsupported(st ast.Statement) (Result, error) {
	switch st := st.(type) {
	case *ast.Delete:
		return Result{}, diag.At(st.Pos(), "DELETE is not supported: a streaming sink cannot be queried").
			WithHint("send deletions as an updating query to a sink with a PRIMARY KEY")
	case *ast.Update:
		return Result{}, diag.At(st.Pos(), "UPDATE is not supported: a streaming sink cannot be queried").
			WithHint("INSERT rows with the same PRIMARY KEY")
	case *ast.Other:
		return Result{}, diag.At(st.Pos(), "%s is not supported", st.Words)
	}
	return Result{}, diag.At(st.Pos(), "this statement is not supported")
}

func (s *Session) set(st *ast.Set) (Result, error) {
	if !st.All {
		if err := checkSetting(st); err != nil {
			return Result{}, err
		}
		if s.setting != nil {
			if err := s.setting(st.Key, st.Value); err != nil {
				return Result{}, diag.At(st.Pos(), "the setting '%s': %s", st.Key, err)
			}
		}
		s.config[st.Key] = st.Value
		if strings.HasPrefix(st.Key, "table.exec.mini-batch.") || strings.HasPrefix(st.Key, "table.optimizer.") {
			return Result{Message: "set " + st.Key + ", which has no effect here"}, nil
		}
		return Result{Message: "set " + st.Key}, nil
	}
	info := newInfo("key", "value")
	for _, k := range slices.Sorted(maps.Keys(s.config)) {
		info.add(k, Mask(k, s.config[k]))
	}
	return Result{Info: info}, nil
}

func (s *Session) reset(st *ast.Reset) Result {
	if st.All {
		s.config = maps.Clone(s.defaults)
		if s.config == nil {
			s.config = map[string]string{}
		}
		return Result{Message: "reset all settings"}
	}
	delete(s.config, st.Key)
	if v, ok := s.defaults[st.Key]; ok {
		s.config[st.Key] = v
	}
	return Result{Message: "reset " + st.Key}
}

// newInfo returns an empty table of text columns.
func newInfo(columns ...string) *Info {
	info := &Info{}
	for _, c := range columns {
		info.Columns = append(info.Columns, types.Field{Name: c, Type: types.StringType()})
	}
	return info
}

func (i *Info) add(values ...string) {
	row := make([]*string, len(values))
	for n, v := range values {
		row[n] = &v
	}
	i.Rows = append(i.Rows, row)
}

// at puts the place of a statement to an error of the catalog.
func at(pos plan.Pos, err error) error {
	if err == nil {
		return nil
	}
	return diag.At(pos, "%s", err.Error())
}
