package eval

import (
	"fmt"
	"time"

	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/plan"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

// Env is what expressions know of the world.
type Env struct {
	// Now is the clock.
	Now func() time.Time
	// Zone is the session's time zone.
	Zone *time.Location
	// StateTTL is after what time operators forget state that is not used; 0 for never.
	StateTTL time.Duration
	// IdleTimeout is after what time a silent partition no longer holds the
	// watermark back; 0 for the default, below 0 for never.
	IdleTimeout time.Duration
	// Functions are the users' functions that are not written in SQL; nil for none.
	Functions Functions
}

// Functions makes users' functions that are not written in SQL.
type Functions interface {
	Function(u *plan.UserFunction) (Native, error)
}

// Native is such a function. Call sets the n rows of out from those of the arguments.
type Native interface {
	Call(args []*column.Vector, n int, out *column.Vector) error
}

// Filled returns the environment with a clock and a zone.
func (e Env) Filled() Env {
	if e.Now == nil {
		e.Now = time.Now
	}
	if e.Zone == nil {
		e.Zone = time.UTC
	}
	return e
}

// Error is a value that an expression cannot take.
type Error struct {
	At  plan.Pos
	Row int // within the batch
	Err error
}

// Error returns line, column and reason.
func (e *Error) Error() string {
	if e.At == (plan.Pos{}) {
		return e.Err.Error()
	}
	return fmt.Sprintf("line %d, column %d: %v", e.At.Line, e.At.Column, e.Err)
}

// Unwrap returns the reason.
func (e *Error) Unwrap() error { return e.Err }

// Unsupported says that the engine has no such function.
type Unsupported struct {
	At   plan.Pos
	What string
}

// Error returns line, column and what is missing.
func (e *Unsupported) Error() string {
	return fmt.Sprintf("line %d, column %d: %s is not supported yet", e.At.Line, e.At.Column, e.What)
}

// Program is a compiled expression.
type Program struct {
	root node
}

// node is a part of a compiled expression.
type node interface {
	eval(b *column.Batch) (*column.Vector, error)
	// mayFail reports whether some value may give an error, so that the node must
	// not see rows that SQL keeps from it.
	mayFail() bool
}

// Compile compiles an expression.
func Compile(e plan.Expr, env Env) (*Program, error) {
	c := &compiler{env: env.Filled()}
	root, err := c.compile(e)
	if err != nil {
		return nil, err
	}
	return &Program{root: root}, nil
}

// Eval evaluates the expression for every row of a batch.
func (p *Program) Eval(b *column.Batch) (*column.Vector, error) { return p.root.eval(b) }

// Constant evaluates an expression that refers to no column.
func Constant(e plan.Expr, env Env) (any, error) {
	p, err := Compile(e, env)
	if err != nil {
		return nil, err
	}
	v, err := p.Eval(&column.Batch{Len: 1})
	if err != nil {
		return nil, err
	}
	return v.Value(0), nil
}

type compiler struct {
	env Env
}

func (c *compiler) compile(e plan.Expr) (node, error) {
	switch e := e.(type) {
	case *plan.InputRef:
		return &input{index: e.Index}, nil
	case *plan.Literal:
		return newLiteral(e), nil
	case *plan.Call:
		return c.call(e)
	case *plan.Cast:
		return c.cast(e)
	case *plan.Case:
		return c.caseWhen(e)
	case *plan.FieldAccess:
		x, err := c.compile(e.X)
		if err != nil {
			return nil, err
		}
		return &fieldAccess{x: x, index: e.Index, out: column.New(e.Typ), typ: e.Typ}, nil
	case *plan.ItemAccess:
		return c.item(e)
	case *plan.RowCtor:
		return c.rowCtor(e)
	case *plan.ArrayCtor:
		return c.arrayCtor(e)
	case *plan.MapCtor:
		return c.mapCtor(e)
	default:
		return nil, &Unsupported{At: e.Pos(), What: "this expression"}
	}
}

func (c *compiler) all(exprs []plan.Expr) ([]node, error) {
	nodes := make([]node, len(exprs))
	for i, e := range exprs {
		n, err := c.compile(e)
		if err != nil {
			return nil, err
		}
		nodes[i] = n
	}
	return nodes, nil
}

func evalAll(nodes []node, b *column.Batch, into []*column.Vector) error {
	for i, n := range nodes {
		v, err := n.eval(b)
		if err != nil {
			return err
		}
		into[i] = v
	}
	return nil
}

func anyFails(nodes []node) bool {
	for _, n := range nodes {
		if n.mayFail() {
			return true
		}
	}
	return false
}

// input is a column of the batch.
type input struct{ index int }

func (n *input) eval(b *column.Batch) (*column.Vector, error) { return b.Cols[n.index], nil }
func (n *input) mayFail() bool                                { return false }

// literal is a constant, filled in once for the longest batch so far.
type literal struct {
	value any
	out   *column.Vector
	full  int
}

func newLiteral(e *plan.Literal) *literal {
	return &literal{value: e.Value, out: column.New(e.Typ)}
}

func (n *literal) eval(b *column.Batch) (*column.Vector, error) {
	if b.Len > n.full {
		n.full = b.Len
		n.out.Reset(b.Len)
		for i := range b.Len {
			n.out.Set(i, n.value)
		}
	}
	n.out.Len = b.Len
	return n.out, nil
}

func (n *literal) mayFail() bool { return false }

// fieldAccess is a field of a ROW.
type fieldAccess struct {
	x     node
	index int
	typ   types.Type
	out   *column.Vector
}

func (n *fieldAccess) eval(b *column.Batch) (*column.Vector, error) {
	row, err := n.x.eval(b)
	if err != nil {
		return nil, err
	}
	f := row.Fields[n.index]
	if f == nil {
		return nil, fmt.Errorf("field %d of %s was not read", n.index, row.Type)
	}
	if !row.HasNulls() {
		return f, nil
	}
	n.out = f.WithNulls(n.out, row)
	return n.out, nil
}

func (n *fieldAccess) mayFail() bool { return n.x.mayFail() }
