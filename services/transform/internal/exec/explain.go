package exec

import "github.com/weirflow/weirflow/services/transform/internal/sql/explain"

// Operators lists the operators as EXPLAIN shows them, by the ids that Stats gives
// them. sinks says what each sink is, in the order in which Build was given them.
func (g *Graph) Operators(sinks []string) []explain.Operator {
	out := make([]explain.Operator, len(g.vertices))
	at := make(map[*vertex]int, len(g.vertices))
	for i, v := range g.vertices {
		at[v] = i
		out[i] = explain.Operator{ID: v.id, Type: v.name, Contents: v.text, Inputs: make([]string, v.inputs)}
		if _, ok := v.op.(*sinkOp); ok && len(sinks) > 0 {
			out[i].Contents, sinks = sinks[0], sinks[1:]
		}
	}
	sources := func(v *vertex) bool { _, ok := v.op.(source); return ok }
	for i, v := range g.vertices {
		if sources(v) {
			out[i].Inputs = nil
		}
		for _, e := range v.outputs {
			out[at[e.to]].Inputs[e.in] = v.id
		}
	}
	return out
}
