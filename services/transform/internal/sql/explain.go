package sql

import (
	"fmt"
	"slices"
	"strings"

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
	if slices.Contains(e.Details, "PLAN_ADVICE") {
		out += "\n" + s.advice(optimized)
	}
	if slices.Contains(e.Details, "JSON_EXECUTION_PLAN") {
		js, err := s.jsonPlan(optimized)
		if err != nil {
			return Result{}, err
		}
		out += "\n== Physical Execution Plan ==\n" + js + "\n"
	}
	info := newInfo("result")
	info.add(out)
	return Result{Info: info}, nil
}

// advice writes what explain.Advice says, as Flink does.
func (s *Session) advice(roots []plan.Node) string {
	list := explain.Advice(roots, func(key string) string { return s.config[key] })
	if len(list) == 0 {
		return "No available advice...\n"
	}
	var b strings.Builder
	for i, a := range list {
		fmt.Fprintf(&b, "advice[%d]: [WARNING] %s\n", i+1, a)
	}
	return b.String()
}

// jsonPlan returns the operators that the engine would run, or without an engine
// those of the plan.
func (s *Session) jsonPlan(roots []plan.Node) (string, error) {
	if s.operators == nil {
		return explain.JSON(explain.Operators(roots))
	}
	ops, err := s.operators(roots, s.Config())
	if err != nil {
		return "", err
	}
	return explain.JSON(ops)
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
