package script

import (
	"errors"

	"github.com/weirflow/weirflow/services/transform/internal/exec"
	"github.com/weirflow/weirflow/services/transform/internal/plan"
	"github.com/weirflow/weirflow/services/transform/internal/sql/explain"
	"github.com/weirflow/weirflow/services/transform/internal/wasm"
)

// Explain returns the plan as EXPLAIN prints it.
func (p *Program) Explain() string {
	return "== Optimized Plan ==\n" + explain.Text(sinkNodes(p.Sinks), explain.Options{})
}

// ExplainJSON returns the operators as EXPLAIN JSON_EXECUTION_PLAN prints them.
func (p *Program) ExplainJSON() (string, error) { return explain.JSON(p.Operators) }

// Operators returns what tells a session which operators run for plans.
func Operators(functions wasm.Library) func([]plan.Node, map[string]string) ([]explain.Operator, error) {
	return func(roots []plan.Node, config map[string]string) ([]explain.Operator, error) {
		inputs, texts := make([]plan.Node, len(roots)), make([]string, len(roots))
		for i, r := range roots {
			inputs[i], texts[i] = r, "Collect"
			if s, ok := r.(*plan.Sink); ok {
				inputs[i], texts[i] = s.Input, explain.Describe(s)
			}
		}
		f := functions.Open()
		g, err := exec.Build(inputs, make([]exec.Sink, len(inputs)), EnvOf(config, nil, f))
		if err != nil {
			return nil, errors.Join(Diagnose(err), f.Close())
		}
		return g.Operators(texts), errors.Join(g.Close(), f.Close())
	}
}

func sinkNodes(sinks []*plan.Sink) []plan.Node {
	nodes := make([]plan.Node, len(sinks))
	for i, s := range sinks {
		nodes[i] = s
	}
	return nodes
}

func sinkTexts(sinks []*plan.Sink) []string {
	texts := make([]string, len(sinks))
	for i, s := range sinks {
		texts[i] = explain.Describe(s)
	}
	return texts
}
