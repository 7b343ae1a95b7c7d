package exec

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"github.com/zeebo/xxh3"

	"github.com/weirflow/weirflow/services/transform/internal/plan"
	"github.com/weirflow/weirflow/services/transform/internal/sql/explain"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

// identities name operators by what they compute of which tables, so that state
// finds its operator again after statements were added, or columns that others read.
// Neither the order of the statements nor the names that they give columns matter.
type identities struct {
	streams map[plan.Node]string
	cols    map[nodeColumn]string
	taken   map[string]int
}

// nodeColumn is a column of a node.
type nodeColumn struct {
	node   plan.Node
	column int
}

func newIdentities() *identities {
	return &identities{streams: make(map[plan.Node]string), cols: make(map[nodeColumn]string), taken: make(map[string]int)}
}

// id returns the id of a node's operator; those that are the same get numbers.
func (x *identities) id(n plan.Node) string {
	id := x.short(x.stream(n))
	x.taken[id]++
	if k := x.taken[id]; k > 1 {
		id += "-" + strconv.Itoa(k)
	}
	return id
}

func (x *identities) short(text string) string {
	sum := xxh3.Hash128([]byte(text)).Bytes()
	return hex.EncodeToString(sum[:8])
}

// stream says which rows a node puts out, without their columns.
func (x *identities) stream(n plan.Node) string {
	if s, ok := x.streams[n]; ok {
		return s
	}
	s := x.describe(n)
	if len(s) > 200 { // what is built of it does not grow without end
		s = x.short(s)
	}
	x.streams[n] = s
	return s
}

func (x *identities) describe(n plan.Node) string {
	switch n := n.(type) {
	case *plan.Scan:
		return "scan " + n.Table.Catalog + "." + n.Table.Database + "." + n.Table.Name
	case *plan.Project:
		return x.stream(n.Input)
	case *plan.Filter:
		return x.stream(n.Input) + " where " + x.expr(n.Cond, n.Input)
	case *plan.Watermark:
		return x.stream(n.Input) + " watermark " + x.expr(n.Expr, n.Input)
	case *plan.Aggregate:
		return x.stream(n.Input) + " group by " + x.columns(n.Input, n.Keys) + x.calls(n.Calls, n.Input)
	case *plan.WindowAggregate:
		w := n.Window
		text := fmt.Sprintf("%s window %s %d %d %d %d on %s by %s", x.stream(n.Input), w.Kind, w.Size, w.Slide, w.Gap, w.Offset,
			x.columns(n.Input, []int{w.TimeColumn}), x.columns(n.Input, n.Keys))
		return text + " in " + x.columns(n.Input, w.Partition) + x.calls(n.Calls, n.Input)
	case *plan.Over:
		return x.whole(n) + x.over(n)
	}
	return x.whole(n)
}

// whole is for operators that keep rows as they come: all columns count.
func (x *identities) whole(n plan.Node) string {
	parts := []string{explain.Describe(n)}
	for _, in := range n.Inputs() {
		parts = append(parts, x.stream(in))
		for i := range in.Out().Fields {
			parts = append(parts, x.column(in, i))
		}
	}
	for _, e := range plan.Exprs(n) {
		parts = append(parts, e.String())
	}
	return strings.Join(parts, "\x00")
}

func (x *identities) over(n *plan.Over) string {
	var text strings.Builder
	for _, g := range n.Groups {
		text.WriteString(x.calls(g.Calls, n.Input))
	}
	return text.String()
}

func (x *identities) calls(calls []plan.AggCall, in plan.Node) string {
	var b strings.Builder
	for _, c := range calls {
		fmt.Fprintf(&b, " %s %t %s(", c.Function, c.Distinct, c.Type)
		for _, a := range c.Args {
			b.WriteString(x.expr(a, in) + ",")
		}
		b.WriteString(")")
		if c.Filter >= 0 {
			b.WriteString(" filter " + x.column(in, c.Filter))
		}
	}
	return b.String()
}

func (x *identities) columns(n plan.Node, cols []int) string {
	var list []string
	for _, c := range cols {
		list = append(list, x.column(n, c))
	}
	return strings.Join(list, ", ")
}

// column says how a column of a node is computed of those of tables.
func (x *identities) column(n plan.Node, c int) string {
	if c < 0 || c >= len(n.Out().Fields) {
		return ""
	}
	key := nodeColumn{n, c}
	s, ok := x.cols[key]
	if !ok {
		if s = x.computed(n, c); len(s) > 200 {
			s = x.short(s)
		}
		x.cols[key] = s
	}
	return s
}

func (x *identities) computed(n plan.Node, c int) string {
	switch n := n.(type) {
	case *plan.Scan:
		f := n.Fields[c]
		return f.Name + " " + f.Type.Kind.String()
	case *plan.Project:
		return x.expr(n.Exprs[c], n.Input)
	case *plan.Filter:
		return x.column(n.Input, c)
	case *plan.Watermark:
		return x.column(n.Input, c)
	}
	return x.short(x.stream(n)) + "." + strconv.Itoa(c)
}

// expr is an expression over tables' columns.
func (x *identities) expr(e plan.Expr, in plan.Node) string {
	if e == nil {
		return ""
	}
	over, err := plan.Rewrite(e, func(e plan.Expr) (plan.Expr, error) {
		if r, ok := e.(*plan.InputRef); ok {
			return &plan.InputRef{Meta: plan.Meta{Typ: types.Of(types.Boolean)}, Index: r.Index, Name: "{" + x.column(in, r.Index) + "}"}, nil
		}
		return nil, nil
	})
	if err != nil {
		return e.String()
	}
	return over.String()
}

// place says where an operator stands: what it is and which tables it reads.
func place(name string, n plan.Node) string {
	tables := ""
	plan.WalkNodes(n, func(n plan.Node) {
		if s, ok := n.(*plan.Scan); ok {
			tables += " " + s.Table.Name
		}
	})
	return name + " of" + tables
}
