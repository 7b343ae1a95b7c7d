package explain

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/weirflow/weirflow/services/transform/internal/plan"
)

// Operator is an operator of a running plan.
type Operator struct {
	ID, Type, Contents string
	// Inputs are the ids of those that it reads, left before right.
	Inputs []string
}

// jsonNode is an operator in the form of Flink's plan visualizer.
type jsonNode struct {
	ID           string     `json:"id"`
	Type         string     `json:"type"`
	Pact         string     `json:"pact"`
	Contents     string     `json:"contents"`
	Parallelism  int        `json:"parallelism"`
	Predecessors []jsonEdge `json:"predecessors,omitempty"`
}

type jsonEdge struct {
	ID           string `json:"id"`
	ShipStrategy string `json:"ship_strategy"`
	Side         string `json:"side"`
}

// JSON returns operators in the form of Flink's plans. A job runs in one place, so
// that all rows are forwarded and the parallelism is 1.
func JSON(operators []Operator) (string, error) {
	nodes := make([]jsonNode, 0, len(operators))
	for _, o := range operators {
		n := jsonNode{ID: o.ID, Type: o.Type, Pact: "Operator", Contents: o.Contents, Parallelism: 1}
		switch {
		case len(o.Inputs) == 0:
			n.Pact = "Data Source"
		case strings.HasPrefix(o.Type, "Sink"):
			n.Pact = "Data Sink"
		}
		for i, in := range o.Inputs {
			side := "first"
			if i > 0 {
				side = "second"
			}
			n.Predecessors = append(n.Predecessors, jsonEdge{ID: in, ShipStrategy: "FORWARD", Side: side})
		}
		nodes = append(nodes, n)
	}
	out, err := json.MarshalIndent(map[string]any{"nodes": nodes}, "", "  ")
	if err != nil {
		return "", fmt.Errorf("encode plan: %w", err)
	}
	return string(out), nil
}

// Operators lists the nodes of plans that no engine has made operators of, inputs
// before those that read them.
func Operators(roots []plan.Node) []Operator {
	var out []Operator
	ids := map[plan.Node]string{}
	var add func(plan.Node) string
	add = func(n plan.Node) string {
		if id, ok := ids[n]; ok {
			return id
		}
		var inputs []string
		for _, in := range n.Inputs() {
			inputs = append(inputs, add(in))
		}
		text := Describe(n)
		name, _, _ := strings.Cut(text, "(")
		ids[n] = strconv.Itoa(len(out) + 1)
		out = append(out, Operator{ID: ids[n], Type: name, Contents: text, Inputs: inputs})
		return ids[n]
	}
	for _, r := range roots {
		add(r)
	}
	return out
}
