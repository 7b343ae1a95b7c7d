package sql

import (
	"slices"

	"github.com/weirflow/weirflow/services/transform/internal/plan"
	"github.com/weirflow/weirflow/services/transform/internal/sql/ast"
	"github.com/weirflow/weirflow/services/transform/internal/sql/diag"
	"github.com/weirflow/weirflow/services/transform/internal/sql/explain"
)

// explain answers EXPLAIN: the statement as understood, then its plan.
func (s *Session) explain(e *ast.Explain) (Result, error) {
	switch e.Statement.(type) {
	case *ast.QueryStatement, *ast.Insert, *ast.StatementSet:
	default:
		return Result{}, diag.At(e.Pos(), "only queries, INSERT and statement sets can be explained")
	}
	logical, err := s.roots(e.Statement, true)
	if err != nil {
		return Result{}, err
	}
	optimized, err := s.roots(e.Statement, false)
	if err != nil {
		return Result{}, err
	}
	opts := explain.Options{Changelog: slices.Contains(e.Details, "CHANGELOG_MODE")}
	out := "== Abstract Syntax Tree ==\n" + explain.Text(logical, explain.Options{}) + "\n== Optimized Plan ==\n" + explain.Text(optimized, opts)
	if slices.Contains(e.Details, "JSON_EXECUTION_PLAN") {
		js, err := explain.JSON(optimized)
		if err != nil {
			return Result{}, at(e.Pos(), err)
		}
		out += "\n== JSON Plan ==\n" + js + "\n"
	}
	info := newInfo("result")
	info.add(out)
	return Result{Info: info}, nil
}

// roots plans a statement, with or without the optimizer's rules.
func (s *Session) roots(st ast.Statement, logical bool) ([]plan.Node, error) {
	if logical {
		defer s.analyzer.WithoutRules()()
	}
	r, err := s.Analyze(st)
	return Roots(r), err
}

// Roots returns the top operators of a result: a query's, or each sink.
func Roots(r Result) []plan.Node {
	if r.Query != nil {
		return []plan.Node{r.Query.Root}
	}
	if r.Inserts == nil {
		return nil
	}
	out := make([]plan.Node, len(r.Inserts.Sinks))
	for i, sink := range r.Inserts.Sinks {
		out[i] = sink
	}
	return out
}
