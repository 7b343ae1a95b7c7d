package eval

import (
	"cmp"
	"math/big"
	"strings"

	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/datum"
	"github.com/weirflow/weirflow/services/transform/internal/plan"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

// Comparer orders row i of a before (-1), with (0) or after (1) row j of b; neither is NULL.
type Comparer func(a *column.Vector, i int, b *column.Vector, j int) int

// CompareOf returns how values of two types are ordered; nil when they are not.
func CompareOf(ta, tb types.Type) Comparer {
	la, lb := column.LayoutOf(ta), column.LayoutOf(tb)
	if la != lb {
		if ta.Kind.IsNumeric() && tb.Kind.IsNumeric() {
			return compareMixed
		}
		return nil
	}
	switch la {
	case column.Bools:
		return func(a *column.Vector, i int, b *column.Vector, j int) int {
			return boolRank(a.Bools[i]) - boolRank(b.Bools[j])
		}
	case column.Ints:
		return func(a *column.Vector, i int, b *column.Vector, j int) int { return cmp.Compare(a.Ints[i], b.Ints[j]) }
	case column.Floats:
		return func(a *column.Vector, i int, b *column.Vector, j int) int {
			return cmp.Compare(a.Floats[i], b.Floats[j])
		}
	case column.Strs:
		return func(a *column.Vector, i int, b *column.Vector, j int) int {
			return strings.Compare(a.Strs[i], b.Strs[j])
		}
	case column.Times:
		return func(a *column.Vector, i int, b *column.Vector, j int) int {
			x, y := a.Time(i), b.Time(j)
			return cmp.Or(cmp.Compare(x.Millis, y.Millis), cmp.Compare(x.Nanos, y.Nanos))
		}
	case column.Decs:
		return func(a *column.Vector, i int, b *column.Vector, j int) int {
			return compareDecimals(a.Decs[i], a.Type.Scale, b.Decs[j], b.Type.Scale)
		}
	case column.Lists, column.Rows, column.Maps:
		return compareNested
	default:
		return func(*column.Vector, int, *column.Vector, int) int { return 0 }
	}
}

func boolRank(b bool) int {
	if b {
		return 1
	}
	return 0
}

func compareDecimals(a *big.Int, sa int, b *big.Int, sb int) int {
	if sa == sb {
		return a.Cmp(b)
	}
	s := max(sa, sb)
	return datum.Rescale(a, sa, s).Cmp(datum.Rescale(b, sb, s))
}

func compareMixed(a *column.Vector, i int, b *column.Vector, j int) int {
	if !a.Type.Kind.IsApprox() && !b.Type.Kind.IsApprox() {
		x, sa := decimalOf(a, i)
		y, sb := decimalOf(b, j)
		return compareDecimals(x, sa, y, sb)
	}
	return cmp.Compare(floatOf(a, i), floatOf(b, j))
}

// decimalOf returns an exact number as unscaled value and scale.
func decimalOf(v *column.Vector, i int) (*big.Int, int) {
	if v.Type.Kind == types.Decimal {
		return v.Decs[i], v.Type.Scale
	}
	return big.NewInt(v.Ints[i]), 0
}

// floatOf returns any number as a DOUBLE.
func floatOf(v *column.Vector, i int) float64 {
	switch column.LayoutOf(v.Type) {
	case column.Floats:
		return v.Floats[i]
	case column.Decs:
		return datum.ToFloat(v.Decs[i], v.Type.Scale)
	default:
		return float64(v.Ints[i])
	}
}

// compareNested compares element by element; a NULL comes before all else.
func compareNested(a *column.Vector, i int, b *column.Vector, j int) int {
	switch {
	case a.IsNull(i) && b.IsNull(j):
		return 0
	case a.IsNull(i):
		return -1
	case b.IsNull(j):
		return 1
	}
	switch column.LayoutOf(a.Type) {
	case column.Rows:
		for f := range a.Fields {
			if c := compareNested(a.Fields[f], i, b.Fields[f], j); c != 0 {
				return c
			}
		}
		return 0
	case column.Lists:
		x, y := a.Spans[i], b.Spans[j]
		for k := range min(x.Len, y.Len) {
			if c := compareNested(a.Elem, int(x.Start+k), b.Elem, int(y.Start+k)); c != 0 {
				return c
			}
		}
		return cmp.Compare(x.Len, y.Len)
	case column.Maps:
		return compareMaps(a, i, b, j)
	default:
		c := CompareOf(a.Type, b.Type)
		if c == nil {
			return 1
		}
		return c(a, i, b, j)
	}
}

// compareMaps tells equal maps from others; the order of entries does not count.
func compareMaps(a *column.Vector, i int, b *column.Vector, j int) int {
	x, y := a.Spans[i], b.Spans[j]
	if x.Len != y.Len {
		return cmp.Compare(x.Len, y.Len)
	}
	for k := range x.Len {
		found := false
		for l := range y.Len {
			if compareNested(a.Key, int(x.Start+k), b.Key, int(y.Start+l)) == 0 {
				found = compareNested(a.Elem, int(x.Start+k), b.Elem, int(y.Start+l)) == 0
				break
			}
		}
		if !found {
			return -1
		}
	}
	return 0
}

// comparison is =, <>, <, <=, > and >=.
type comparison struct {
	at      plan.Pos
	x, y    node
	compare Comparer
	lt, eq  bool // the result for less and for equal
	gt      bool
	out     *column.Vector
}

func (c *compiler) comparison(e *plan.Call) (node, error) {
	args, err := c.all(e.Args)
	if err != nil {
		return nil, err
	}
	n := &comparison{at: e.At, x: args[0], y: args[1], out: column.New(types.Of(types.Boolean))}
	n.compare = CompareOf(e.Args[0].Type(), e.Args[1].Type())
	if n.compare == nil {
		return nil, &Unsupported{At: e.At, What: "comparing " + e.Args[0].Type().String() + " with " + e.Args[1].Type().String()}
	}
	switch e.Function {
	case plan.FnEqual:
		n.eq = true
	case plan.FnNotEqual:
		n.lt, n.gt = true, true
	case plan.FnLess:
		n.lt = true
	case plan.FnLessEq:
		n.lt, n.eq = true, true
	case plan.FnGreater:
		n.gt = true
	case plan.FnGreaterEq:
		n.gt, n.eq = true, true
	}
	return n, nil
}

func (n *comparison) mayFail() bool { return n.x.mayFail() || n.y.mayFail() }

func (n *comparison) eval(b *column.Batch) (*column.Vector, error) {
	x, err := n.x.eval(b)
	if err != nil {
		return nil, err
	}
	y, err := n.y.eval(b)
	if err != nil {
		return nil, err
	}
	n.out.Reset(b.Len)
	n.out.AddNulls(x)
	n.out.AddNulls(y)
	switch lx := column.LayoutOf(x.Type); {
	case lx == column.LayoutOf(y.Type) && lx == column.Ints:
		order(n, x.Ints[:b.Len], y.Ints[:b.Len])
	case lx == column.LayoutOf(y.Type) && lx == column.Floats:
		order(n, x.Floats[:b.Len], y.Floats[:b.Len])
	case lx == column.LayoutOf(y.Type) && lx == column.Strs && !n.lt && !n.gt:
		for i := range b.Len {
			n.out.Bools[i] = !n.out.IsNull(i) && x.Strs[i] == y.Strs[i]
		}
	default:
		for i := range b.Len {
			if n.out.IsNull(i) {
				continue
			}
			c := n.compare(x, i, y, i)
			n.out.Bools[i] = c < 0 && n.lt || c == 0 && n.eq || c > 0 && n.gt
		}
	}
	return n.out, nil
}

func order[T int64 | float64](n *comparison, x, y []T) {
	out := n.out.Bools[:len(x)]
	for i, a := range x {
		b := y[i]
		out[i] = a < b && n.lt || a == b && n.eq || a > b && n.gt || a != a && b != b && n.eq //nolint:gocritic // NaN equals NaN, as in Java
	}
}

// in is IN and NOT IN over a list.
type in struct {
	not     bool
	x       node
	list    []node
	vecs    []*column.Vector
	compare []Comparer
	set     map[string]bool // of the list, when all of it is text
	nulls   bool            // whether the set has a NULL
	out     *column.Vector
}

func (c *compiler) in(e *plan.Call) (node, error) {
	args, err := c.all(e.Args)
	if err != nil {
		return nil, err
	}
	n := &in{not: e.Function == plan.FnNotIn, x: args[0], list: args[1:], vecs: make([]*column.Vector, len(args)-1), out: column.New(types.Of(types.Boolean))}
	constants := e.Args[0].Type().Kind.IsCharacter() && len(n.list) > 4
	set := make(map[string]bool)
	for _, a := range e.Args[1:] {
		cmp := CompareOf(e.Args[0].Type(), a.Type())
		if cmp == nil {
			return nil, &Unsupported{At: e.At, What: "IN over " + a.Type().String()}
		}
		n.compare = append(n.compare, cmp)
		value, ok := constant(a)
		text, isText := value.(string)
		constants = constants && ok && (isText || value == nil)
		set[text] = set[text] || isText
		n.nulls = n.nulls || value == nil
	}
	if constants {
		n.set = set
	}
	return n, nil
}

func (n *in) mayFail() bool { return n.x.mayFail() || anyFails(n.list) }

func (n *in) eval(b *column.Batch) (*column.Vector, error) {
	x, err := n.x.eval(b)
	if err != nil {
		return nil, err
	}
	if n.set == nil {
		if err := evalAll(n.list, b, n.vecs); err != nil {
			return nil, err
		}
	}
	n.out.Reset(b.Len)
	n.out.AddNulls(x)
	for i := range b.Len {
		if x.IsNull(i) {
			continue
		}
		found, unknown := n.find(x, i)
		if !found && unknown {
			n.out.SetNull(i)
			continue
		}
		n.out.Bools[i] = found != n.not
	}
	return n.out, nil
}

func (n *in) find(x *column.Vector, i int) (found, unknown bool) {
	if n.set != nil {
		return n.set[x.Strs[i]], n.nulls
	}
	for k, v := range n.vecs {
		if v.IsNull(i) {
			unknown = true
			continue
		}
		if n.compare[k](x, i, v, i) == 0 {
			return true, false
		}
	}
	return false, unknown
}
