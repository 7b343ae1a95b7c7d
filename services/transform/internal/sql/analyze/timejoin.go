package analyze

import (
	"maps"
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
	if scan, computed, filters := scanBelow(right); scan != nil && proctime && lookupConnector(scan.Table) {
		node, err = a.lookupComputed(left, scan, computed, filters, kind, conds, t, j.Pos())
	} else {
		node, err = versionedJoin(left, right, kind, conds, time, j.Pos())
	}
	if err != nil {
		return nil, err
	}
	s.setFields(node.Out().Fields)
	return node, nil
}

// hasPrimaryKey reports whether a node reads a table with a primary key, or keeps
// one row per key.
func hasPrimaryKey(n plan.Node) bool {
	found := false
	plan.WalkNodes(n, func(n plan.Node) {
		switch n := n.(type) {
		case *plan.Scan:
			found = found || len(n.Table.PrimaryKey) > 0
		case *plan.Over, *plan.Aggregate, *plan.Deduplicate, *plan.Rank:
			found = true
		}
	})
	return found
}

func versionedJoin(left, right plan.Node, kind plan.JoinKind, conds []plan.Expr, time *plan.InputRef, at plan.Pos) (plan.Node, error) {
	proctime := time.Typ.Attribute == types.Proctime
	n := &plan.TemporalJoin{Kind: kind, LeftTime: time.Index, RightTime: -1, Proctime: proctime}
	n.Left, n.Right, n.On = splitOn(left, right, conds)
	if len(n.On.LeftKeys) == 0 {
		return nil, diag.At(at, "a temporal join needs an equality in its condition")
	}
	if !proctime && right.Out().UniqueKey == nil && !hasPrimaryKey(right) {
		return nil, diag.At(at, "a temporal join needs a primary key on the right, and there is none").
			WithHint("declare PRIMARY KEY (…) NOT ENFORCED in CREATE TABLE, or select the last row per key with ROW_NUMBER()")
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

// scanBelow finds the scan of a plain table or of a view on one, what computes the
// columns from what is scanned, nil where they are the scan's, and what the rows
// that are scanned must fulfil.
func scanBelow(n plan.Node) (*plan.Scan, *plan.Project, []plan.Expr) {
	switch n := n.(type) {
	case *plan.Scan:
		return n, nil, nil
	case *plan.Watermark:
		return scanBelow(n.Input)
	case *plan.Filter:
		s, p, filters := scanBelow(n.Input)
		if s == nil {
			return nil, nil, nil
		}
		cond := n.Cond
		if p != nil {
			cond = plan.Substitute(cond, p.Exprs)
		}
		return s, p, append(filters, cond)
	case *plan.Project:
		s, p, filters := scanBelow(n.Input)
		if s == nil || p == nil {
			return s, n, filters
		}
		both := *n
		both.Input = p.Input
		both.Exprs = make([]plan.Expr, len(n.Exprs))
		for i, e := range n.Exprs {
			both.Exprs[i] = plan.Substitute(e, p.Exprs)
		}
		return s, &both, filters
	}
	return nil, nil, nil
}

// lookupComputed puts a lookup join below the projection that computes the
// columns of the table that is asked.
func (a *Analyzer) lookupComputed(left plan.Node, scan *plan.Scan, p *plan.Project, filters []plan.Expr, kind plan.JoinKind, conds []plan.Expr, t *ast.Table, at plan.Pos) (plan.Node, error) {
	hints := a.lookupHints(t)
	l := left.Out().Fields
	if p == nil {
		return lookupJoin(left, scan, kind, shifted(conds, filters, len(l)), hints, at)
	}
	es := make([]plan.Expr, 0, len(l)+len(p.Exprs))
	for i := range l {
		es = append(es, ref(l, i, at))
	}
	fields := append([]types.Field{}, l...)
	for i, e := range p.Exprs {
		if _, isRef := e.(*plan.InputRef); !isRef && kind == plan.LeftJoin {
			return nil, diag.At(at, "a LEFT lookup join with %s, whose column %q is computed, is not supported", scan.Table.Name, p.Fields[i].Name).
				WithHint("use a table without computed columns, or an INNER JOIN")
		}
		es = append(es, plan.Shift(e, len(l)))
		fields = append(fields, p.Fields[i])
	}
	for i, c := range conds {
		conds[i] = plan.Substitute(c, es)
	}
	n, err := lookupJoin(left, scan, kind, shifted(conds, filters, len(l)), hints, at)
	if err != nil {
		return nil, err
	}
	for i := len(l); i < len(es); i++ {
		fields[i].Type = fields[i].Type.WithNullable(fields[i].Type.Nullable || kind == plan.LeftJoin).Plain()
	}
	return project(n, es, fields, at), nil
}

// shifted adds conditions on the right alone to those of a join.
func shifted(conds, right []plan.Expr, by int) []plan.Expr {
	for _, e := range right {
		conds = append(conds, plan.Shift(e, by))
	}
	return conds
}

// lookupHints are the options of the LOOKUP hint that names a table.
func (a *Analyzer) lookupHints(t *ast.Table) map[string]string {
	out := map[string]string{}
	for _, h := range append(append([]ast.Hint{}, a.hints...), t.Hints...) {
		if h.Name != "LOOKUP" {
			continue
		}
		options := map[string]string{}
		for _, o := range h.Options {
			options[o.Key] = o.Value
		}
		name := options["table"]
		if name == "" || name == t.Path.Last() || t.Alias != nil && name == t.Alias.Name.Text {
			maps.Copy(out, options)
		}
	}
	return out
}

func lookupJoin(left plan.Node, right *plan.Scan, kind plan.JoinKind, conds []plan.Expr, hints map[string]string, at plan.Pos) (plan.Node, error) {
	n := &plan.LookupJoin{Table: right.Table, Kind: kind, Hints: hints}
	width := len(left.Out().Fields)
	var rest, checked []plan.Expr
	for _, c := range conds {
		if k, ok := lookupConstant(c, width); ok {
			n.Constants = append(n.Constants, k)
			continue
		}
		if k := widened(c, width); k != nil {
			rest, checked = append(rest, k), append(checked, c)
			continue
		}
		rest = append(rest, c)
	}
	var r plan.Node
	n.Left, r, n.On = splitOn(left, right, rest)
	extra := len(n.Left.Out().Fields) - width
	for _, c := range checked {
		c = plan.Remap(c, func(col int) int {
			if col >= width {
				return col + extra
			}
			return col
		})
		if n.On.Residual != nil {
			c = plan.And(n.On.Residual, c)
		}
		n.On.Residual = c
	}
	if r != plan.Node(right) {
		return nil, diag.At(at, "a lookup join must compare plain columns of %s", right.Table.Name).WithHint("cast the left side instead")
	}
	if len(n.On.LeftKeys)+len(n.Constants) == 0 {
		return nil, diag.At(at, "a lookup join needs an equality in its condition")
	}
	n.Right = right
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

// widened makes left = CAST(right column), which the coercion rules wrote, a key:
// the left as the column's type, NULL where it does not fit. The condition itself
// is still to be checked.
func widened(c plan.Expr, width int) plan.Expr {
	eq, ok := c.(*plan.Call)
	if !ok || eq.Function != plan.FnEqual {
		return nil
	}
	a, b := eq.Args[0], eq.Args[1]
	if sideOf(a, width) == 'r' {
		a, b = b, a
	}
	cast, ok := b.(*plan.Cast)
	if !ok || !cast.Implicit || sideOf(a, width) != 'l' || !cast.Typ.Kind.IsInteger() || !cast.X.Type().Kind.IsInteger() {
		return nil
	}
	r, ok := cast.X.(*plan.InputRef)
	if !ok {
		return nil
	}
	t := r.Typ.Plain().OrNull()
	return call(plan.FnEqual, boolType(true), eq.At, &plan.Cast{Meta: meta(t, eq.At), X: a, Try: true}, r)
}
