package exec

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/eval"
	"github.com/weirflow/weirflow/services/transform/internal/operator"
	"github.com/weirflow/weirflow/services/transform/internal/operator/join"
	"github.com/weirflow/weirflow/services/transform/internal/operator/rank"
	"github.com/weirflow/weirflow/services/transform/internal/plan"
	"github.com/weirflow/weirflow/services/transform/internal/sql/explain"
)

// builder turns plan nodes into vertices; a node that several read becomes one.
type builder struct {
	g     *Graph
	env   eval.Env
	built map[plan.Node]*vertex
	ids   *identities
	uses  map[plan.Node]int
}

// Build makes the graph of a statement set: sinks[i] takes the rows of roots[i].
// A root is a *plan.Sink's input or the root of a query.
func Build(roots []plan.Node, sinks []Sink, env eval.Env) (*Graph, error) {
	b := &builder{g: &Graph{}, env: env, ids: newIdentities(), built: make(map[plan.Node]*vertex), uses: make(map[plan.Node]int)}
	for _, r := range roots {
		b.count(r)
	}
	for i, r := range roots {
		v, err := b.vertex(r)
		if err != nil {
			return nil, err
		}
		s := b.add("Sink", &sinkOp{g: b.g, sink: sinks[i]}, 1)
		v.outputs = append(v.outputs, edge{to: s})
	}
	return b.g, nil
}

// sinkOp hands rows to a sink, with the receipt of the batch they came from.
type sinkOp struct {
	stateless
	g    *Graph
	sink Sink
}

func (s *sinkOp) Process(_ int, b *column.Batch, _ Emitter) error {
	if s.g.receipt != nil && b.Origin != nil && b.Origin == s.g.origin {
		s.g.receipt.Touch(b)
	}
	return s.sink.Write(b, s.g.receipt)
}

func (b *builder) count(n plan.Node) {
	b.uses[n]++
	if b.uses[n] > 1 {
		return
	}
	for _, in := range n.Inputs() {
		b.count(in)
	}
}

func (b *builder) add(name string, op Operator, inputs int) *vertex {
	v := &vertex{g: b.g, id: strconv.Itoa(len(b.g.vertices) + 1), name: name, op: op, inputs: inputs}
	if k, ok := op.(operator.Stateful); ok {
		v.keeps = k.Stateful()
	}
	v.late, _ = op.(operator.Lates)
	v.mark.Store(NoWatermark)
	for range inputs {
		v.marks, v.idles = append(v.marks, NoWatermark), append(v.idles, false)
	}
	b.g.vertices = append(b.g.vertices, v)
	return v
}

func (b *builder) vertex(n plan.Node) (*vertex, error) {
	if v, ok := b.built[n]; ok {
		return v, nil
	}
	if one := oneGroup(n); one != n {
		v, err := b.vertex(one)
		b.built[n] = v
		return v, err
	}
	var from []*vertex
	for _, in := range n.Inputs() {
		v, err := b.vertex(in)
		if err != nil {
			return nil, err
		}
		from = append(from, v)
	}
	name, op, err := b.operator(n)
	if err != nil {
		return nil, err
	}
	v := b.add(name, op, len(from))
	v.id, v.place, v.text = b.ids.id(n), place(name, n), explain.Describe(n)
	if named, ok := op.(operator.Named); ok {
		named.Named(v.id)
	}
	for i, f := range from {
		f.outputs = append(f.outputs, edge{to: v, in: i})
	}
	switch n := n.(type) {
	case *plan.Scan:
		b.g.Scans = append(b.g.Scans, &Scan{Plan: n, v: v, g: b.g})
	case *plan.LookupJoin:
		if l, ok := op.(*join.Lookup); ok {
			b.g.Lookups = append(b.g.Lookups, &Lookup{Plan: n, Lookup: l})
		}
	case *plan.Values:
		b.g.values = append(b.g.values, &valuesVertex{node: n, v: v, env: b.env})
	}
	if p, ok := n.(*plan.Project); ok && b.uses[p.Input] == 1 {
		narrow(p, from[0])
	}
	b.built[n] = v
	return v, nil
}

// narrow tells a filter which columns the projection behind it reads.
func narrow(p *plan.Project, input *vertex) {
	f, ok := input.op.(*filter)
	if !ok {
		return
	}
	f.want = make([]bool, len(p.Input.Out().Fields))
	for _, e := range p.Exprs {
		for i, read := range eval.Refs(e) {
			f.want[i] = f.want[i] || read
		}
	}
}

// operator makes the operator of a node.
func (b *builder) operator(n plan.Node) (string, Operator, error) {
	switch n := n.(type) {
	case *plan.Scan:
		return "Source: " + n.Table.Name, source{}, nil
	case *plan.Values:
		return "Values", source{}, nil
	case *plan.Filter:
		op, err := b.filter(n)
		return "Filter", op, err
	case *plan.Project:
		exprs, err := b.programs(n.Exprs)
		return "Calc", &project{exprs: exprs}, err
	case *plan.Union:
		marks := make([]int64, len(n.Branches))
		for i := range marks {
			marks[i] = NoWatermark
		}
		u := &union{inputs: len(n.Branches), marks: marks, last: NoWatermark}
		u.remember()
		return "Union", u, nil
	case *plan.Watermark:
		op, err := newWatermark(n, b.env)
		return "WatermarkAssigner", op, err
	case *plan.Sort:
		op, err := b.sort(n)
		return "Sort", op, err
	case *plan.Unnest:
		op, err := b.unnest(n)
		return "Unnest", op, err
	default:
		if name, op, ok, err := b.stateful(n); ok {
			return name, op, err
		}
		name := strings.TrimPrefix(fmt.Sprintf("%T", n), "*plan.")
		return "", nil, &eval.Unsupported{At: n.Out().At, What: describe(name)}
	}
}

// describe names a node of the plan in the words of SQL.
func describe(node string) string {
	switch node {
	case "Aggregate":
		return "GROUP BY or an aggregate function"
	case "WindowAggregate", "WindowAssign":
		return "a window"
	case "Over":
		return "OVER"
	case "Rank", "Deduplicate":
		return "ROW_NUMBER as a filter"
	case "Correlate":
		return "LATERAL over a query of this form"
	case "TableFunction":
		return "a table function"
	case "SetOp":
		return "INTERSECT or EXCEPT"
	default:
		return node
	}
}

func (b *builder) programs(exprs []plan.Expr) ([]*eval.Program, error) {
	programs := make([]*eval.Program, 0, len(exprs))
	for _, e := range exprs {
		p, err := eval.Compile(e, b.env)
		if err != nil {
			return nil, err
		}
		programs = append(programs, p)
	}
	return programs, nil
}

func (b *builder) filter(n *plan.Filter) (Operator, error) {
	cond, err := eval.Compile(n.Cond, b.env)
	if err != nil {
		return nil, err
	}
	return &filter{cond: cond}, nil
}

func (b *builder) sort(n *plan.Sort) (Operator, error) {
	if n.Input.Out().Mode != plan.InsertOnly && n.Limit >= 0 {
		return rank.NewSort(n, b.env), nil
	}
	if len(n.Keys) == 0 {
		left := n.Limit
		if left < 0 {
			left = -1
		}
		l := &limiter{skip: n.Offset, left: left}
		l.remember()
		return l, nil
	}
	if !n.Input.Out().Bounded && n.Limit >= 0 {
		return rank.NewSort(n, b.env), nil
	}
	if !n.Input.Out().Bounded {
		return nil, &eval.Unsupported{At: n.At, What: "ORDER BY over an unbounded input"}
	}
	if n.Input.Out().Mode != plan.InsertOnly {
		return nil, &eval.Unsupported{At: n.At, What: "ORDER BY over rows that change"}
	}
	return newSorter(n), nil
}

func (b *builder) unnest(n *plan.Unnest) (Operator, error) {
	coll, err := eval.Compile(n.Collection, b.env)
	if err != nil {
		return nil, err
	}
	u := &unnest{node: n, coll: coll, width: len(n.Input.Out().Fields)}
	if n.Cond != nil {
		u.cond, err = eval.Compile(n.Cond, b.env)
	}
	return u, err
}

// valuesVertex emits the rows of VALUES.
type valuesVertex struct {
	node *plan.Values
	v    *vertex
	env  eval.Env
}

func (v *valuesVertex) run(before bool) error {
	if before {
		if err := v.v.Watermark(MaxWatermark); err != nil {
			return err
		}
		return v.v.finish()
	}
	fields := v.node.Fields
	batch := column.Batch{Len: len(v.node.Rows)}
	for c, f := range fields {
		vec := column.New(f.Type)
		for _, row := range v.node.Rows {
			value, err := eval.Constant(row[c], v.env)
			if err != nil {
				return err
			}
			vec.Append(value)
		}
		batch.Cols = append(batch.Cols, vec)
	}
	if len(fields) == 0 {
		batch.Cols = nil
	}
	if err := v.v.Emit(&batch); err != nil {
		return err
	}
	if err := v.v.Watermark(MaxWatermark); err != nil {
		return err
	}
	return v.v.finish()
}
