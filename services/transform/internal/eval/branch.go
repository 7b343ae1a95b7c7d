package eval

import (
	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/plan"
)

// branches is CASE: conditions are asked in order, each branch sees only its rows.
type branches struct {
	conds []*masked
	thens []*masked // one more than conds: ELSE
	out   *column.Vector
	open  []int32
	taken []int32
}

func (c *compiler) caseWhen(e *plan.Case) (node, error) {
	n := &branches{out: column.New(e.Typ)}
	for _, w := range e.Whens {
		if err := n.add(c, w.Cond, w.Then); err != nil {
			return nil, err
		}
	}
	return n, n.add(c, nil, e.Else)
}

func (c *compiler) ifThen(e *plan.Call) (node, error) {
	n := &branches{out: column.New(e.Typ)}
	if err := n.add(c, e.Args[0], e.Args[1]); err != nil {
		return nil, err
	}
	return n, n.add(c, nil, e.Args[2])
}

func (n *branches) add(c *compiler, cond, then plan.Expr) error {
	if cond != nil {
		m, err := c.masked(cond)
		if err != nil {
			return err
		}
		n.conds = append(n.conds, m)
	}
	m, err := c.masked(then)
	n.thens = append(n.thens, m)
	return err
}

func (n *branches) mayFail() bool {
	for _, list := range [...][]*masked{n.conds, n.thens} {
		for _, m := range list {
			if m.node.mayFail() {
				return true
			}
		}
	}
	return false
}

func (n *branches) eval(b *column.Batch) (*column.Vector, error) {
	n.out.Reset(b.Len)
	n.open = n.open[:0]
	for i := range b.Len {
		n.open = append(n.open, int32(i))
	}
	for k, cond := range n.conds {
		if len(n.open) == 0 {
			return n.out, nil
		}
		v, err := cond.eval(b, n.open)
		if err != nil {
			return nil, err
		}
		n.taken = n.taken[:0]
		rest := n.open[:0]
		for j, i := range n.open {
			if !v.IsNull(j) && v.Bools[j] {
				n.taken = append(n.taken, i)
			} else {
				rest = append(rest, i)
			}
		}
		n.open = rest
		if err := n.take(b, n.thens[k], n.taken); err != nil {
			return nil, err
		}
	}
	return n.out, n.take(b, n.thens[len(n.conds)], n.open)
}

func (n *branches) take(b *column.Batch, then *masked, sel []int32) error {
	if len(sel) == 0 {
		return nil
	}
	v, err := then.eval(b, sel)
	if err != nil {
		return err
	}
	column.Scatter(n.out, v, sel)
	return nil
}

// coalesce is the first argument that is not NULL.
type coalesce struct {
	args []*masked
	out  *column.Vector
	open []int32
}

func (c *compiler) coalesce(e *plan.Call) (node, error) {
	n := &coalesce{out: column.New(e.Typ)}
	for _, a := range e.Args {
		m, err := c.masked(a)
		if err != nil {
			return nil, err
		}
		n.args = append(n.args, m)
	}
	return n, nil
}

func (n *coalesce) mayFail() bool {
	for _, m := range n.args {
		if m.node.mayFail() {
			return true
		}
	}
	return false
}

func (n *coalesce) eval(b *column.Batch) (*column.Vector, error) {
	n.out.Reset(b.Len)
	n.open = n.open[:0]
	for i := range b.Len {
		n.open = append(n.open, int32(i))
	}
	for _, a := range n.args {
		if len(n.open) == 0 {
			return n.out, nil
		}
		v, err := a.eval(b, n.open)
		if err != nil {
			return nil, err
		}
		rest := n.open[:0]
		for j, i := range n.open {
			if v.IsNull(j) {
				rest = append(rest, i)
				continue
			}
			column.CopyRow(n.out, int(i), v, j)
		}
		n.open = rest
	}
	for _, i := range n.open {
		n.out.SetNull(int(i))
	}
	return n.out, nil
}
