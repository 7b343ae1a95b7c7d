// Package explain prints plans for people.
package explain

import (
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
