package match

import (
	"slices"

	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/eval"
	"github.com/weirflow/weirflow/services/transform/internal/operator"
	"github.com/weirflow/weirflow/services/transform/internal/operator/aggregate"
	"github.com/weirflow/weirflow/services/transform/internal/operator/row"
	"github.com/weirflow/weirflow/services/transform/internal/plan"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

// allRows is the variable of names that are given without one.
const allRows = "*"

// value is what an expression asks of the rows matched: a column of one of them,
// or an aggregate over some.
type value struct {
	variables []bool // whose rows
	column    int
	first     bool
	offset    int
	aggregate *aggregate.Set // nil for a column
	slot      int32
}

// expression is a condition or a measure over the rows matched. Its program is
// over a batch with one row, whose columns are the values.
type expression struct {
	program *eval.Program
	values  []value
	batch   column.Batch
}

// compiler makes expressions.
type compiler struct {
	fields    []types.Field // of the input
	variables []string
	time      int // the column that ORDER BY begins with
	env       eval.Env
}

// members are the variables that a name stands for.
func (c *compiler) members(name string) []bool {
	in := make([]bool, len(c.variables))
	for i, v := range c.variables {
		in[i] = name == allRows || v == name
	}
	return in
}

// expression compiles an expression over matched rows.
func (c *compiler) expression(e plan.Expr) (*expression, error) {
	out := &expression{batch: column.Batch{Len: 1}}
	add := func(v value, m plan.Meta) plan.Expr {
		out.values = append(out.values, v)
		out.batch.Cols = append(out.batch.Cols, column.New(m.Typ))
		return &plan.InputRef{Meta: m, Index: len(out.values) - 1}
	}
	flat, err := plan.Rewrite(e, func(e plan.Expr) (plan.Expr, error) {
		switch e := e.(type) {
		case *plan.PatternRef:
			return add(value{variables: c.members(e.Variable), column: e.Column, first: e.First, offset: e.Offset}, e.Meta), nil
		case *plan.PatternAgg:
			set, err := c.aggregate(e)
			if err != nil {
				return nil, err
			}
			return add(value{variables: c.members(e.Variable), aggregate: set, slot: set.New()}, e.Meta), nil
		case *plan.Call:
			switch e.Function {
			case "MATCH_ROWTIME":
				return add(value{variables: c.members(allRows), column: c.time}, e.Meta), nil
			case "MATCH_PROCTIME":
				now := *e
				now.Function, now.Args = "PROCTIME", nil
				return &now, nil
			}
		}
		return nil, nil //nolint:nilnil // nil leaves the expression as it is
	})
	if err != nil {
		return nil, err
	}
	out.program, err = eval.Compile(flat, c.env)
	return out, err
}

// aggregate makes an aggregate function whose arguments are over rows of the input.
func (c *compiler) aggregate(e *plan.PatternAgg) (*aggregate.Set, error) {
	call := plan.AggCall{Function: e.Function, Distinct: e.Distinct, Filter: -1, Type: e.Typ, At: e.At}
	for _, a := range e.Args {
		arg, err := plan.Rewrite(a, onRow)
		if err != nil {
			return nil, err
		}
		call.Args = append(call.Args, arg)
	}
	return aggregate.NewSet([]plan.AggCall{call}, c.env, false)
}

// onRow makes a reference to a matched row one to a row of the input.
func onRow(e plan.Expr) (plan.Expr, error) {
	if r, ok := e.(*plan.PatternRef); ok {
		return &plan.InputRef{Meta: r.Meta, Index: r.Column}, nil
	}
	return nil, nil //nolint:nilnil // nil leaves the expression as it is
}

// alone compiles a condition that looks at nothing but the row in hand, over the
// input; nil for others.
func (c *compiler) alone(variable string, e plan.Expr) (*eval.Program, error) {
	simple := true
	plan.Walk(e, func(e plan.Expr) bool {
		switch e := e.(type) {
		case *plan.PatternRef:
			simple = simple && e.Variable == variable && !e.First && e.Offset == 0
		case *plan.PatternAgg:
			simple = false
		}
		return simple
	})
	if !simple {
		return nil, nil //nolint:nilnil // the caller has another way
	}
	flat, err := plan.Rewrite(e, onRow)
	if err != nil {
		return nil, err
	}
	return eval.Compile(flat, c.env)
}

// rows reads the rows of a chain of steps.
type rows struct {
	cols  []*column.Vector // one decoded row
	many  column.Batch
	list  []*event
	chain []*step
}

func newRows(fields []types.Field) *rows {
	r := &rows{}
	for _, f := range fields {
		r.cols = append(r.cols, column.New(f.Type))
		r.many.Cols = append(r.many.Cols, column.New(f.Type))
	}
	return r
}

// open takes the steps of an attempt, and the row in hand as one of a variable, if any.
func (r *rows) open(last *step, in *event, variable int) {
	r.chain = r.chain[:0]
	if in != nil {
		r.chain = append(r.chain, &step{event: in, variable: variable})
	}
	for ; last != nil; last = last.before {
		r.chain = append(r.chain, last)
	}
	slices.Reverse(r.chain)
}

// pick lists the rows that some variables took.
func (r *rows) pick(variables []bool) []*event {
	r.list = r.list[:0]
	for _, s := range r.chain {
		if variables[s.variable] {
			r.list = append(r.list, s.event)
		}
	}
	return r.list
}

// eval evaluates an expression over the rows opened. The result is row 0 of the vector.
func (r *rows) eval(x *expression) (*column.Vector, error) {
	for i, v := range x.values {
		dst := x.batch.Cols[i]
		dst.Reset(0)
		list := r.pick(v.variables)
		if v.aggregate != nil {
			if err := r.aggregate(v, list, dst); err != nil {
				return nil, err
			}
			continue
		}
		at := len(list) - 1 - v.offset
		if v.first {
			at = v.offset
		}
		if at < 0 || at >= len(list) {
			operator.AppendNull(dst)
			continue
		}
		if err := r.decode(list[at]); err != nil {
			return nil, err
		}
		operator.Append(dst, r.cols[v.column], 0)
	}
	return x.program.Eval(&x.batch)
}

func (r *rows) decode(e *event) error {
	for _, c := range r.cols {
		c.Reset(0)
	}
	_, err := row.Decode(e.row, r.cols)
	return err
}

func (r *rows) aggregate(v value, list []*event, dst *column.Vector) error {
	for _, c := range r.many.Cols {
		c.Reset(0)
	}
	for _, e := range list {
		if _, err := row.Decode(e.row, r.many.Cols); err != nil {
			return err
		}
	}
	r.many.Len = len(list)
	if err := v.aggregate.Bind(&r.many); err != nil {
		return err
	}
	v.aggregate.Clear(v.slot)
	for i := range list {
		v.aggregate.Add(v.slot, i)
	}
	return v.aggregate.Append(v.slot, []*column.Vector{dst})
}
