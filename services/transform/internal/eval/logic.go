package eval

import (
	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/plan"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

// connective is AND or OR of two or more. An argument that may fail only sees
// the rows that the ones before it leave open, as in Flink.
type connective struct {
	and  bool
	args []*masked
	out  *column.Vector
	sel  []int32
}

func (c *compiler) connective(e *plan.Call) (node, error) {
	n := &connective{and: e.Function == plan.FnAnd, out: column.New(types.Of(types.Boolean))}
	for _, a := range e.Args {
		m, err := c.masked(a)
		if err != nil {
			return nil, err
		}
		n.args = append(n.args, m)
	}
	return n, nil
}

func (n *connective) mayFail() bool {
	for _, a := range n.args {
		if a.node.mayFail() {
			return true
		}
	}
	return false
}

func (n *connective) eval(b *column.Batch) (*column.Vector, error) {
	first, err := n.args[0].node.eval(b)
	if err != nil {
		return nil, err
	}
	n.out.Reset(b.Len)
	n.out.AddNulls(first)
	copy(n.out.Bools, first.Bools[:b.Len])
	for _, a := range n.args[1:] {
		if !a.node.mayFail() {
			v, err := a.node.eval(b)
			if err != nil {
				return nil, err
			}
			for i := range b.Len {
				n.combine(i, v, i)
			}
			continue
		}
		n.sel = n.sel[:0]
		for i := range b.Len {
			if n.out.IsNull(i) || n.out.Bools[i] == n.and {
				n.sel = append(n.sel, int32(i))
			}
		}
		v, err := a.eval(b, n.sel)
		if err != nil {
			return nil, err
		}
		for j, i := range n.sel {
			n.combine(int(i), v, j)
		}
	}
	return n.out, nil
}

// combine joins row j of v to row i of the result so far.
func (n *connective) combine(i int, v *column.Vector, j int) {
	switch {
	case !n.out.IsNull(i) && n.out.Bools[i] != n.and: // decided
	case v.IsNull(j):
		n.out.SetNull(i)
	case v.Bools[j] != n.and:
		n.out.SetNotNull(i)
		n.out.Bools[i] = !n.and
	}
}

// masked is an expression that is evaluated for some rows of a batch only.
type masked struct {
	node node
	want []bool
	sub  column.Batch
}

func (c *compiler) masked(e plan.Expr) (*masked, error) {
	n, err := c.compile(e)
	if err != nil {
		return nil, err
	}
	return &masked{node: n, want: Refs(e)}, nil
}

// eval evaluates the rows that sel names. Row j of the result is row sel[j] of b.
func (m *masked) eval(b *column.Batch, sel []int32) (*column.Vector, error) {
	if len(sel) == b.Len {
		return m.node.eval(b)
	}
	want := m.want
	for len(want) < len(b.Cols) {
		want = append(want, false)
	}
	m.want = want
	b.Select(&m.sub, sel, want)
	v, err := m.node.eval(&m.sub)
	if e, ok := err.(*Error); ok { //nolint:errorlint // it is never wrapped here
		e.Row = int(sel[e.Row])
	}
	return v, err
}

// Refs returns which columns of its input an expression reads.
func Refs(e plan.Expr) []bool {
	var want []bool
	Walk(e, func(e plan.Expr) {
		if ref, ok := e.(*plan.InputRef); ok {
			for len(want) <= ref.Index {
				want = append(want, false)
			}
			want[ref.Index] = true
		}
	})
	return want
}

// Walk calls visit for an expression and all below it.
func Walk(e plan.Expr, visit func(plan.Expr)) {
	if e == nil {
		return
	}
	visit(e)
	var below []plan.Expr
	switch e := e.(type) {
	case *plan.Call:
		below = e.Args
	case *plan.Cast:
		below = []plan.Expr{e.X}
	case *plan.Case:
		for _, w := range e.Whens {
			below = append(below, w.Cond, w.Then)
		}
		below = append(below, e.Else)
	case *plan.FieldAccess:
		below = []plan.Expr{e.X}
	case *plan.ItemAccess:
		below = []plan.Expr{e.X, e.Key}
	case *plan.RowCtor:
		below = e.Fields
	case *plan.ArrayCtor:
		below = e.Elems
	case *plan.MapCtor:
		below = append(append(below, e.Keys...), e.Values...)
	case *plan.Subquery:
		below = e.Left
	}
	for _, x := range below {
		Walk(x, visit)
	}
}

// nullTest is IS NULL and IS NOT NULL.
type nullTest struct {
	x    node
	want bool
	out  *column.Vector
}

func (c *compiler) isNull(e *plan.Call) (node, error) {
	x, err := c.compile(e.Args[0])
	if err != nil {
		return nil, err
	}
	return &nullTest{x: x, want: e.Function == plan.FnIsNull, out: column.New(e.Typ)}, nil
}

func (n *nullTest) mayFail() bool { return n.x.mayFail() }

func (n *nullTest) eval(b *column.Batch) (*column.Vector, error) {
	v, err := n.x.eval(b)
	if err != nil {
		return nil, err
	}
	n.out.Reset(b.Len)
	for i := range b.Len {
		n.out.Bools[i] = v.IsNull(i) == n.want
	}
	return n.out, nil
}

// truth gives a BOOLEAN's test, which is never NULL.
func truth(test func(null, value bool) bool) builder {
	return lenient(func(a []*column.Vector, i int, out *column.Vector) error {
		null := a[0].IsNull(i)
		out.Bools[i] = test(null, !null && a[0].Bools[i])
		return nil
	})
}
