package eval

import (
	"fmt"
	"strings"

	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/plan"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

// rowFunc sets row i of out, which is not NULL so far, from row i of the arguments.
type rowFunc func(a []*column.Vector, i int, out *column.Vector) error

// spec is a function for given argument types.
type spec struct {
	fn rowFunc
	// lenient functions see NULL arguments; others give NULL for them.
	lenient bool
	// fails says that fn may return an error.
	fails bool
}

// builder makes the spec of a call, or returns nil if it has none for its types.
type builder func(c *compiler, e *plan.Call) (*spec, error)

func (c *compiler) call(e *plan.Call) (node, error) {
	if e.User != nil {
		return c.user(e)
	}
	if special, ok := c.special(e.Function); ok {
		return special(e)
	}
	for _, table := range [...]map[string]builder{mathFunctions, stringFunctions, timeFunctions, collectionFunctions, jsonFunctions, otherFunctions} {
		build, ok := table[e.Function]
		if !ok {
			continue
		}
		s, err := build(c, e)
		if err != nil {
			return nil, err
		}
		if s == nil {
			break
		}
		return c.rows(e, s)
	}
	return nil, &Unsupported{At: e.At, What: "function " + e.Function + argTypes(e)}
}

func argTypes(e *plan.Call) string {
	s := "("
	var sSb52 strings.Builder
	for i, a := range e.Args {
		if i > 0 {
			sSb52.WriteString(", ")
		}
		sSb52.WriteString(a.Type().OrNull().String())
	}
	s += sSb52.String()
	return s + ")"
}

// special returns how the operators are compiled that are not plain functions of a row.
func (c *compiler) special(function string) (func(*plan.Call) (node, error), bool) {
	switch function {
	case plan.FnAnd, plan.FnOr:
		return c.connective, true
	case plan.FnEqual, plan.FnNotEqual, plan.FnLess, plan.FnLessEq, plan.FnGreater, plan.FnGreaterEq:
		return c.comparison, true
	case plan.FnPlus, plan.FnMinus, plan.FnTimes, plan.FnDivide, plan.FnMod, "MOD":
		return c.arithmetic, true
	case plan.FnIsNull, plan.FnIsNotNull:
		return c.isNull, true
	case "COALESCE", "IFNULL", "NVL":
		return c.coalesce, true
	case "IF":
		return c.ifThen, true
	case plan.FnIn, plan.FnNotIn:
		return c.in, true
	default:
		return nil, false
	}
}

func (c *compiler) user(e *plan.Call) (node, error) {
	args, err := c.all(e.Args)
	if err != nil {
		return nil, err
	}
	if e.User.Body == nil {
		return c.native(e, args)
	}
	body, err := c.compile(e.User.Body)
	if err != nil {
		return nil, err
	}
	return &sqlFunction{args: args, body: body, vecs: make([]*column.Vector, len(args))}, nil
}

// native makes a function that is not written in SQL.
func (c *compiler) native(e *plan.Call, args []node) (node, error) {
	if c.env.Functions == nil {
		return nil, &Unsupported{At: e.At, What: "function " + e.User.Path + " in language " + e.User.Language}
	}
	f, err := c.env.Functions.Function(e.User)
	if err != nil {
		return nil, &Error{At: e.At, Err: err}
	}
	return &nativeCall{at: e.At, fn: f, args: args, vecs: make([]*column.Vector, len(args)), out: column.New(e.Typ)}, nil
}

// nativeCall calls a native function with a batch.
type nativeCall struct {
	at   plan.Pos
	fn   Native
	args []node
	vecs []*column.Vector
	out  *column.Vector
}

func (n *nativeCall) mayFail() bool { return true }

func (n *nativeCall) eval(b *column.Batch) (*column.Vector, error) {
	if err := evalAll(n.args, b, n.vecs); err != nil {
		return nil, err
	}
	if err := n.fn.Call(n.vecs, b.Len, n.out); err != nil {
		return nil, &Error{At: n.at, Err: err}
	}
	return n.out, nil
}

// sqlFunction is a user's function written in SQL.
type sqlFunction struct {
	args []node
	vecs []*column.Vector
	body node
}

func (n *sqlFunction) eval(b *column.Batch) (*column.Vector, error) {
	if err := evalAll(n.args, b, n.vecs); err != nil {
		return nil, err
	}
	return n.body.eval(&column.Batch{Len: b.Len, Cols: n.vecs})
}

func (n *sqlFunction) mayFail() bool { return true }

func (c *compiler) rows(e *plan.Call, s *spec) (node, error) {
	args, err := c.all(e.Args)
	if err != nil {
		return nil, err
	}
	return &rowCall{at: e.At, name: e.Function, args: args, vecs: make([]*column.Vector, len(args)), spec: *s, out: column.New(e.Typ)}, nil
}

// rowCall applies a rowFunc to each row.
type rowCall struct {
	at   plan.Pos
	name string
	args []node
	vecs []*column.Vector
	spec spec
	out  *column.Vector
}

func (n *rowCall) mayFail() bool { return n.spec.fails || anyFails(n.args) }

func (n *rowCall) eval(b *column.Batch) (*column.Vector, error) {
	if err := evalAll(n.args, b, n.vecs); err != nil {
		return nil, err
	}
	n.out.Reset(b.Len)
	if !n.spec.lenient {
		for _, v := range n.vecs {
			n.out.AddNulls(v)
		}
	}
	nulls := n.out.HasNulls()
	for i := range b.Len {
		if nulls && n.out.IsNull(i) {
			continue
		}
		if err := n.spec.fn(n.vecs, i, n.out); err != nil {
			return nil, &Error{At: n.at, Row: i, Err: fmt.Errorf("%s: %w", n.name, err)}
		}
	}
	return n.out, nil
}

// constant returns the value of an argument that is a literal.
func constant(e plan.Expr) (any, bool) {
	switch e := e.(type) {
	case *plan.Literal:
		return e.Value, true
	case *plan.Cast:
		if x, ok := constant(e.X); ok && e.X.Type().Kind.IsCharacter() && e.Typ.Kind == types.Varchar {
			return x, true
		}
	}
	return nil, false
}

// symbol returns the keyword that an argument is.
func symbol(e plan.Expr) string {
	v, _ := constant(e)
	s, _ := v.(string)
	return s
}

func simple(fn rowFunc) builder {
	return func(*compiler, *plan.Call) (*spec, error) { return &spec{fn: fn}, nil }
}

func failing(fn rowFunc) builder {
	return func(*compiler, *plan.Call) (*spec, error) { return &spec{fn: fn, fails: true}, nil }
}

func lenient(fn rowFunc) builder {
	return func(*compiler, *plan.Call) (*spec, error) { return &spec{fn: fn, lenient: true}, nil }
}
