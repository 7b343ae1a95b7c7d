package explain

import (
	"fmt"

	"github.com/weirflow/weirflow/services/transform/internal/plan"
)

// Advice says what is likely to hurt when the plans run for long. A setting is
// what SET gave for it, empty without.
func Advice(roots []plan.Node, setting func(key string) string) []string {
	var out []string
	seen := map[plan.Node]bool{}
	for _, r := range roots {
		plan.WalkNodes(r, func(n plan.Node) {
			if seen[n] {
				return
			}
			seen[n] = true
			if a := advise(n, setting); a != "" {
				out = append(out, a)
			}
		})
	}
	return out
}

func advise(n plan.Node, setting func(string) string) string {
	grows := false
	switch n := n.(type) {
	case *plan.Aggregate:
		grows = len(n.Keys) > 0
	case *plan.Join, *plan.SetOp, *plan.Normalize, *plan.Materialize, *plan.Deduplicate:
		grows = true
	case *plan.Rank:
		grows = n.Window == nil
	}
	if bounded(n) || !grows || setting("table.exec.state.ttl") != "" {
		return ""
	}
	at := ""
	if p := n.Out().At; p.Line > 0 {
		at = fmt.Sprintf(" (line %d, column %d)", p.Line, p.Column)
	}
	return Describe(n) + at + " remembers every key of an input that does not end: SET 'table.exec.state.ttl', or use a window"
}

// bounded reports whether all inputs of a node end.
func bounded(n plan.Node) bool {
	for _, in := range n.Inputs() {
		if !in.Out().Bounded {
			return false
		}
	}
	return true
}
