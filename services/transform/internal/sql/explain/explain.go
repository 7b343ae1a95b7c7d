// Package explain prints plans for people.
package explain

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/weirflow/weirflow/services/transform/internal/plan"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

// Options say what to add to each operator.
type Options struct {
	Changelog bool
}

// Text returns the plans as trees, one operator a line. An operator that several
// plans share is printed once and referred to by its number after that.
func Text(roots []plan.Node, o Options) string {
	p := &printer{opts: o, count: map[plan.Node]int{}, number: map[plan.Node]int{}}
	for _, r := range roots {
		p.visit(r)
	}
	for i, r := range roots {
		if i > 0 {
			p.b.WriteByte('\n')
		}
		p.node(r, "", "")
	}
	return p.b.String()
}

type printer struct {
	b      strings.Builder
	opts   Options
	count  map[plan.Node]int
	number map[plan.Node]int
}

func (p *printer) visit(n plan.Node) {
	if p.count[n]++; p.count[n] > 1 {
		return
	}
	for _, in := range n.Inputs() {
		p.visit(in)
	}
}

func (p *printer) node(n plan.Node, first, rest string) {
	p.b.WriteString(first)
	if p.number[n] > 0 {
		p.b.WriteString("Reused(reference_id=[" + strconv.Itoa(p.number[n]) + "])\n")
		return
	}
	p.b.WriteString(Describe(n))
	if p.opts.Changelog {
		p.b.WriteString(", changelogMode=[" + n.Out().Mode.String() + "]")
	}
	if p.count[n] > 1 && len(n.Inputs()) > 0 {
		p.number[n] = len(p.number) + 1
		p.b.WriteString(", reuse_id=[" + strconv.Itoa(p.number[n]) + "]")
	}
	p.b.WriteByte('\n')
	in := n.Inputs()
	for i, k := range in {
		if i == len(in)-1 {
			p.node(k, rest+"+- ", rest+"   ")
		} else {
			p.node(k, rest+":- ", rest+":  ")
		}
	}
}

// node of the JSON form.
type jsonNode struct {
	ID           int        `json:"id"`
	Type         string     `json:"type"`
	Contents     string     `json:"contents"`
	Predecessors []jsonEdge `json:"predecessors,omitempty"`
}

type jsonEdge struct {
	ID int `json:"id"`
}

// JSON returns the plans as a list of operators, inputs before those that read them.
func JSON(roots []plan.Node) (string, error) {
	var nodes []jsonNode
	ids := map[plan.Node]int{}
	var add func(plan.Node) int
	add = func(n plan.Node) int {
		if id := ids[n]; id > 0 {
			return id
		}
		var edges []jsonEdge
		for _, in := range n.Inputs() {
			edges = append(edges, jsonEdge{ID: add(in)})
		}
		text := Describe(n)
		name, _, _ := strings.Cut(text, "(")
		id := len(nodes) + 1
		ids[n] = id
		nodes = append(nodes, jsonNode{ID: id, Type: name, Contents: text, Predecessors: edges})
		return id
	}
	for _, r := range roots {
		add(r)
	}
	out, err := json.MarshalIndent(map[string]any{"nodes": nodes}, "", "  ")
	if err != nil {
		return "", fmt.Errorf("encode plan: %w", err)
	}
	return string(out), nil
}

func names(fields []types.Field) string {
	out := make([]string, len(fields))
	for i, f := range fields {
		out[i] = f.Name
	}
	return strings.Join(out, ", ")
}

func pick(fields []types.Field, cols []int) string {
	out := make([]string, len(cols))
	for i, c := range cols {
		out[i] = fields[c].Name
	}
	return strings.Join(out, ", ")
}
