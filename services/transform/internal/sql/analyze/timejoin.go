package analyze

import (
	"strings"

	"github.com/weirflow/weirflow/services/transform/internal/plan"
	"github.com/weirflow/weirflow/services/transform/internal/sql/ast"
	"github.com/weirflow/weirflow/services/transform/internal/sql/diag"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

// windowJoin makes a join of two windowed inputs on window_start and window_end
// a window join; nil if it is none.
func windowJoin(l, r plan.Node, kind plan.JoinKind, conds []plan.Expr, at plan.Pos) plan.Node {
	lw, rw := windowOf(l), windowOf(r)
	if lw == nil || rw == nil || lw.start < 0 || lw.end < 0 || rw.start < 0 || rw.end < 0 {
		return nil
	}
	width := len(l.Out().Fields)
	var rest []plan.Expr
	starts, ends := false, false
	for _, c := range conds {
		switch {
		case equates(c, lw.start, width+rw.start):
			starts = true
		case equates(c, lw.end, width+rw.end):
			ends = true
		default:
			rest = append(rest, c)
		}
	}
	if !starts || !ends {
		return nil
	}
	n := &plan.WindowJoin{Kind: kind, LeftWindow: [2]int{lw.start, lw.end}, RightWindow: [2]int{rw.start, rw.end}}
	n.Left, n.Right, n.On = splitOn(l, r, rest)
	n.Fields = joinFields(n.Left, n.Right, kind)
	n.At, n.Bounded = at, l.Out().Bounded && r.Out().Bounded
	return withoutExtra(n, width, len(n.Left.Out().Fields), len(r.Out().Fields))
}

// equates reports whether a condition is column a = column b.
func equates(c plan.Expr, a, b int) bool {
	eq, ok := c.(*plan.Call)
	if !ok || eq.Function != plan.FnEqual {
		return false
	}
	x, ok1 := eq.Args[0].(*plan.InputRef)
	y, ok2 := eq.Args[1].(*plan.InputRef)
	return ok1 && ok2 && (x.Index == a && y.Index == b || x.Index == b && y.Index == a)
}

// unbounded is a limit of an interval join that nothing set yet.
const unbounded = int64(-1) << 62

// intervalJoin makes a join whose condition bounds the distance of the two time
// attributes on both sides an interval join; nil if it is none.
func intervalJoin(l, r plan.Node, kind plan.JoinKind, conds []plan.Expr, at plan.Pos) plan.Node {
	if l.Out().Mode != plan.InsertOnly || r.Out().Mode != plan.InsertOnly {
		return nil
	}
	width := len(l.Out().Fields)
	b := &bounds{width: width, left: -1, right: -1, lower: unbounded, upper: -unbounded, fields: joinFields(l, r, plan.InnerJoin)}
	var rest []plan.Expr
	for _, c := range conds {
		if !b.take(c) {
			rest = append(rest, c)
		}
	}
	if b.left < 0 || b.lower == unbounded || b.upper == -unbounded {
		return nil
	}
	n := &plan.IntervalJoin{Kind: kind, LeftTime: b.left, RightTime: b.right - width, Lower: b.lower, Upper: b.upper}
	n.Proctime = b.fields[b.left].Type.Attribute == types.Proctime
	n.Left, n.Right, n.On = splitOn(l, r, rest)
	n.Fields = joinFields(n.Left, n.Right, kind)
	n.At, n.Bounded = at, l.Out().Bounded && r.Out().Bounded
	return withoutExtra(n, width, len(n.Left.Out().Fields), len(r.Out().Fields))
}

// bounds collects lower <= right time - left time <= upper.
type bounds struct {
	width        int
	left, right  int
	lower, upper int64
	fields       []types.Field
}

// take reads a condition about the two times; false if it is about something else.
func (b *bounds) take(c plan.Expr) bool {
	e, ok := c.(*plan.Call)
	if !ok {
		return false
	}
	switch e.Function {
	case plan.FnBetween:
		save := *b
		if b.compare(plan.FnGreaterEq, e.Args[0], e.Args[1]) && b.compare(plan.FnLessEq, e.Args[0], e.Args[2]) {
			return true
		}
		*b = save
		return false
	case plan.FnEqual:
		save := *b
		if b.compare(plan.FnGreaterEq, e.Args[0], e.Args[1]) && b.compare(plan.FnLessEq, e.Args[0], e.Args[1]) {
			return true
		}
		*b = save
		return false
	case plan.FnLess, plan.FnLessEq, plan.FnGreater, plan.FnGreaterEq:
		return b.compare(e.Function, e.Args[0], e.Args[1])
	}
	return false
}

// compare reads x op y where each is a time attribute plus a constant, one of
// either side.
func (b *bounds) compare(op string, x, y plan.Expr) bool {
	xc, xd, ok1 := b.time(x)
	yc, yd, ok2 := b.time(y)
	if !ok1 || !ok2 || (xc < b.width) == (yc < b.width) {
		return false
	}
	if xc < b.width { // make x the right side's time
		xc, xd, yc, yd = yc, yd, xc, xd
		op = map[string]string{plan.FnLess: plan.FnGreater, plan.FnLessEq: plan.FnGreaterEq, plan.FnGreater: plan.FnLess, plan.FnGreaterEq: plan.FnLessEq}[op]
	}
	if b.left >= 0 && (b.left != yc || b.right != xc) {
		return false
	}
	b.left, b.right = yc, xc
	d := yd - xd // right + xd op left + yd, so right - left op yd - xd
	switch op {
	case plan.FnLess:
		b.upper = min(b.upper, d-1)
	case plan.FnLessEq:
		b.upper = min(b.upper, d)
	case plan.FnGreater:
		b.lower = max(b.lower, d+1)
	case plan.FnGreaterEq:
		b.lower = max(b.lower, d)
	}
	return true
}

// time reads a time attribute with constants added to it.
func (b *bounds) time(e plan.Expr) (col int, delta int64, ok bool) {
	switch e := e.(type) {
	case *plan.InputRef:
		return e.Index, 0, b.fields[e.Index].Type.Attribute != types.NoAttribute
	case *plan.Cast:
		if e.Implicit && e.Typ.Kind.IsTimestamp() {
			return b.time(e.X)
		}
	case *plan.Call:
		if e.Function != plan.FnPlus && e.Function != plan.FnMinus {
			return 0, 0, false
		}
		l, isLit := e.Args[1].(*plan.Literal)
		if !isLit || l.Typ.Kind != types.IntervalDayTime {
			return 0, 0, false
		}
		n, _ := l.Value.(int64)
		if e.Function == plan.FnMinus {
			n = -n
		}
		col, delta, ok = b.time(e.Args[0])
		return col, delta + n, ok
	}
	return 0, 0, false
}

// lookupConnectors are the connectors that answer lookups of single rows.
func lookupConnector(t *plan.Table) bool {
	c := t.Options["connector"]
	return strings.HasPrefix(c, "elasticsearch") || c == "jdbc" || c == "file-lookup" || c == "filesystem" || c == "values"
}

// temporalJoin plans JOIN t FOR SYSTEM_TIME AS OF left.time.
func (a *Analyzer) temporalJoin(left plan.Node, t *ast.Table, s *scope, kind plan.JoinKind, j *ast.Join, outer *scope) (plan.Node, error) {
	if kind != plan.InnerJoin && kind != plan.LeftJoin {
		return nil, diag.At(j.Pos(), "a temporal join can only be INNER or LEFT")
	}
	x := &exprs{Analyzer: a, scope: s, clause: "FOR SYSTEM_TIME AS OF"}
	asOf, err := x.expr(t.AsOf)
	if err != nil {
		return nil, err
	}
	time, ok := asOf.(*plan.InputRef)
	if !ok || time.Typ.Attribute == types.NoAttribute {
		return nil, diag.At(t.AsOf.Pos(), "FOR SYSTEM_TIME AS OF needs a time attribute of the left table, found %s", asOf.Type().OrNull())
	}
	width := len(left.Out().Fields)
	right, rel, err := a.table(t, outer)
	if err != nil {
		return nil, err
	}
	if _, err := a.addRelation(right, rel, t.Alias, s, t.At); err != nil {
		return nil, err
	}
	conds, err := a.joinConditions(j, s, width)
	if err != nil {
		return nil, err
	}
	proctime := time.Typ.Attribute == types.Proctime
	var node plan.Node
	if scan, ok := right.(*plan.Scan); ok && proctime && lookupConnector(scan.Table) {
		node, err = lookupJoin(left, scan, kind, conds, t, j.Pos())
	} else {
		node, err = versionedJoin(left, right, kind, conds, time, j.Pos())
	}
	if err != nil {
		return nil, err
	}
	s.setFields(node.Out().Fields)
	return node, nil
}

func versionedJoin(left, right plan.Node, kind plan.JoinKind, conds []plan.Expr, time *plan.InputRef, at plan.Pos) (plan.Node, error) {
	proctime := time.Typ.Attribute == types.Proctime
	n := &plan.TemporalJoin{Kind: kind, LeftTime: time.Index, RightTime: -1, Proctime: proctime}
	n.Left, n.Right, n.On = splitOn(left, right, conds)
	if len(n.On.LeftKeys) == 0 {
		return nil, diag.At(at, "a temporal join needs an equality in its condition")
	}
	if !proctime {
		for i, f := range right.Out().Fields {
			if f.Type.Attribute == types.Rowtime {
				n.RightTime = i
				break
			}
		}
		if n.RightTime < 0 {
			return nil, diag.At(at, "a temporal join by event time needs a versioned table on the right: a watermark and a primary key, or a view that keeps the last row per key")
		}
	}
	n.Fields = joinFields(n.Left, n.Right, kind)
	for i := len(n.Left.Out().Fields); i < len(n.Fields); i++ {
		n.Fields[i].Type = n.Fields[i].Type.Plain()
	}
	n.At, n.Mode, n.Bounded = at, left.Out().Mode, left.Out().Bounded
	return withoutExtra(n, len(left.Out().Fields), len(n.Left.Out().Fields), len(right.Out().Fields)), nil
}

func lookupJoin(left plan.Node, right *plan.Scan, kind plan.JoinKind, conds []plan.Expr, t *ast.Table, at plan.Pos) (plan.Node, error) {
	n := &plan.LookupJoin{Table: right.Table, Kind: kind, Hints: map[string]string{}}
	width := len(left.Out().Fields)
	var rest []plan.Expr
	for _, c := range conds {
		if k, ok := lookupConstant(c, width); ok {
			n.Constants = append(n.Constants, k)
			continue
		}
		rest = append(rest, c)
	}
	var r plan.Node
	n.Left, r, n.On = splitOn(left, right, rest)
	if r != plan.Node(right) {
		return nil, diag.At(at, "a lookup join must compare plain columns of %s", right.Table.Name).WithHint("cast the left side instead")
	}
	if len(n.On.LeftKeys)+len(n.Constants) == 0 {
		return nil, diag.At(at, "a lookup join needs an equality in its condition")
	}
	n.Right = right
	for _, h := range t.Hints {
		if h.Name == "LOOKUP" {
			for _, o := range h.Options {
				n.Hints[o.Key] = o.Value
			}
		}
	}
	n.Fields = joinFields(n.Left, right, kind)
	n.At, n.Mode, n.Bounded = at, left.Out().Mode, left.Out().Bounded
	return withoutExtra(n, width, len(n.Left.Out().Fields), len(right.Fields)), nil
}

// lookupConstant reads right column = constant.
func lookupConstant(c plan.Expr, width int) (plan.LookupConstant, bool) {
	eq, ok := c.(*plan.Call)
	if !ok || eq.Function != plan.FnEqual {
		return plan.LookupConstant{}, false
	}
	a, b := eq.Args[0], eq.Args[1]
	if _, isLit := a.(*plan.Literal); isLit {
		a, b = b, a
	}
	r, isRef := a.(*plan.InputRef)
	if _, isLit := b.(*plan.Literal); !isLit || !isRef || r.Index < width {
		return plan.LookupConstant{}, false
	}
	return plan.LookupConstant{Column: r.Index - width, Value: b}, true
}
