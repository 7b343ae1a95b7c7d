package analyze

import (
	"strings"

	"github.com/weirflow/weirflow/services/transform/internal/plan"
	"github.com/weirflow/weirflow/services/transform/internal/sql/ast"
	"github.com/weirflow/weirflow/services/transform/internal/sql/diag"
	"github.com/weirflow/weirflow/services/transform/internal/sql/function"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

// Calls of aggregates, OVER functions and windows stand in expressions as the
// pending nodes below, over the columns of FROM, until the operator that computes
// them is known and they become references to its output.

// sortExpr is an expression to sort by, before it has a column.
type sortExpr struct {
	expr                   plan.Expr
	descending, nullsFirst bool
}

// pendingAgg is a call of an aggregate function.
type pendingAgg struct {
	plan.Meta
	fn       string
	args     []plan.Expr
	distinct bool
	filter   plan.Expr
	orderBy  []sortExpr
	absent   bool // ABSENT ON NULL of the JSON aggregates
}

// String returns the call.
func (p *pendingAgg) String() string { return p.fn + "(…)" }

// pendingOver is a call with OVER.
type pendingOver struct {
	pendingAgg
	partition []plan.Expr
	order     []sortExpr
	frame     plan.Frame
	hasFrame  bool
}

// pendingGrouping is GROUPING(a, b).
type pendingGrouping struct {
	plan.Meta
	fn   string
	args []plan.Expr
}

// String returns the call.
func (p *pendingGrouping) String() string { return p.fn + "(…)" }

// pendingWindow is TUMBLE(ts, …) in GROUP BY, or TUMBLE_START(ts, …) beside it.
type pendingWindow struct {
	plan.Meta
	window   plan.Window
	time     plan.Expr
	isKey    bool
	property plan.Property
	name     string
}

// String returns the name of the window function.
func (p *pendingWindow) String() string { return p.name + "(…)" }

func sameExprs(a, b []plan.Expr) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !plan.Same(a[i], b[i]) {
			return false
		}
	}
	return true
}

func (p *pendingAgg) same(o *pendingAgg) bool {
	if p.fn != o.fn || p.distinct != o.distinct || p.absent != o.absent || !sameExprs(p.args, o.args) ||
		(p.filter == nil) != (o.filter == nil) || len(p.orderBy) != len(o.orderBy) {
		return false
	}
	for i, s := range p.orderBy {
		if s.descending != o.orderBy[i].descending || s.nullsFirst != o.orderBy[i].nullsFirst || !plan.Same(s.expr, o.orderBy[i].expr) {
			return false
		}
	}
	return p.filter == nil || plan.Same(p.filter, o.filter)
}

// aggregate binds a call of an aggregate function, with or without OVER.
func (x *exprs) aggregate(f *ast.Func, def *function.Def) (plan.Expr, error) {
	if f.Over != nil {
		return x.over(f, def)
	}
	name := strings.ToUpper(f.Path.Last())
	if x.inAgg != "" {
		return nil, diag.At(f.Pos(), "aggregate functions cannot be nested: %s is inside %s", name, x.inAgg)
	}
	if !x.aggs {
		err := diag.At(f.Pos(), "aggregate function %s is not allowed in %s", name, x.clause)
		if x.clause == "WHERE" {
			err = err.WithHint("use HAVING")
		}
		return nil, err
	}
	p, err := x.aggCall(f, def, name)
	if err != nil {
		return nil, err
	}
	return p, nil
}

func (x *exprs) aggCall(f *ast.Func, def *function.Def, name string) (*pendingAgg, error) {
	inner := *x
	inner.inAgg, inner.overs = name, false
	if f.Over != nil {
		inner.inAgg, inner.aggs = "", x.aggs
	}
	p := &pendingAgg{fn: def.Name, distinct: f.Distinct}
	argASTs := f.Args
	if f.JSON != nil {
		argASTs = append(append([]ast.Expr{}, f.JSON.Keys...), f.Args...)
		p.absent = f.JSON.OnNull == "ABSENT" || f.JSON.OnNull == "" && def.Name == "JSON_ARRAYAGG"
	}
	args, err := inner.list(argASTs)
	if err != nil {
		return nil, err
	}
	bound := &function.Args{Name: name, Exprs: args, At: f.Pos()}
	if f.Star && def.Name != "COUNT" {
		return nil, diag.At(f.Pos(), "%s(*) is not supported; only COUNT takes *", name)
	}
	if !f.Star && def.Name == "COUNT" && len(args) == 0 {
		return nil, diag.At(f.Pos(), "COUNT needs an argument; write COUNT(*) to count rows")
	}
	t, err := def.Bind(bound)
	if err != nil {
		return nil, err
	}
	p.Meta, p.args = meta(t, f.Pos()), bound.Exprs
	if f.Filter != nil {
		inner.clause = "FILTER"
		if p.filter, err = inner.condition(f.Filter); err != nil {
			return nil, err
		}
	}
	if len(f.OrderBy) > 0 && def.Name != "ARRAY_AGG" {
		return nil, diag.At(f.OrderBy[0].Pos(), "%s takes no ORDER BY and no WITHIN GROUP", name)
	}
	p.orderBy, err = inner.sortExprs(f.OrderBy)
	return p, err
}

func (x *exprs) sortExprs(items []ast.OrderItem) ([]sortExpr, error) {
	var out []sortExpr
	for _, o := range items {
		e, err := x.expr(o.Expr)
		if err != nil {
			return nil, err
		}
		if k := e.Type().Kind; k.IsCollection() || k == types.Raw {
			return nil, diag.At(o.Pos(), "cannot sort by %s", e.Type().OrNull())
		}
		out = append(out, sortExpr{expr: e, descending: o.Descending, nullsFirst: nullsFirst(o)})
	}
	return out, nil
}

// nullsFirst: NULL is the smallest value unless the order says otherwise.
func nullsFirst(o ast.OrderItem) bool {
	if o.Nulls == "" {
		return !o.Descending
	}
	return o.Nulls == "FIRST"
}

// over binds a call with OVER.
func (x *exprs) over(f *ast.Func, def *function.Def) (plan.Expr, error) {
	name := strings.ToUpper(f.Path.Last())
	if !x.overs {
		err := diag.At(f.Pos(), "%s with OVER is not allowed in %s", name, x.clause)
		if x.clause == "WHERE" {
			err = err.WithHint("put it in a subquery and filter outside: SELECT … FROM (SELECT …, %s OVER (…) AS n FROM …) WHERE n <= …", name)
		}
		return nil, err
	}
	spec, err := x.windowSpec(f.Over, 0)
	if err != nil {
		return nil, err
	}
	p := &pendingOver{}
	a, err := x.aggCall(f, def, name)
	if err != nil {
		return nil, err
	}
	p.pendingAgg = *a
	inner := *x
	inner.overs = false
	if p.partition, err = inner.list(spec.PartitionBy); err != nil {
		return nil, err
	}
	if p.order, err = inner.sortExprs(spec.OrderBy); err != nil {
		return nil, err
	}
	if p.frame, err = x.frame(spec, p); err != nil {
		return nil, err
	}
	p.hasFrame = spec.Frame != nil
	if def.Class == function.Ranking && len(p.order) == 0 {
		return nil, diag.At(f.Over.Pos(), "%s needs ORDER BY in its OVER clause", name)
	}
	return p, nil
}

// windowSpec resolves OVER w and OVER (w …).
func (x *exprs) windowSpec(w *ast.WindowSpec, depth int) (*ast.WindowSpec, error) {
	if w.Name == nil {
		return w, nil
	}
	base, ok := x.windows[w.Name.Text]
	if !ok || depth > 50 {
		names := make([]string, 0, len(x.windows))
		for n := range x.windows {
			names = append(names, n)
		}
		return nil, suggest(diag.At(w.Name.Pos(), "window %q is not defined", w.Name.Text), w.Name.Text, names)
	}
	base, err := x.windowSpec(base, depth+1)
	if err != nil || !w.Inline {
		return base, err
	}
	merged := *base
	if len(w.PartitionBy) > 0 {
		return nil, diag.At(w.Pos(), "a window based on %q cannot have its own PARTITION BY", w.Name.Text)
	}
	if len(w.OrderBy) > 0 {
		merged.OrderBy = w.OrderBy
	}
	if w.Frame != nil {
		merged.Frame = w.Frame
	}
	return &merged, nil
}

// frame checks the extent of an OVER window; without one it is RANGE up to the
// current row.
func (x *exprs) frame(spec *ast.WindowSpec, p *pendingOver) (plan.Frame, error) {
	out := plan.Frame{Preceding: -1}
	f := spec.Frame
	if f == nil {
		if len(spec.OrderBy) == 0 {
			out.Following = -1
		}
		return out, nil
	}
	out.Rows = f.Rows
	if f.To.Kind != "CURRENT ROW" {
		return out, diag.At(f.Pos(), "OVER windows that end after the current row are not supported").WithHint("end the window with CURRENT ROW")
	}
	switch f.From.Kind {
	case "CURRENT ROW":
		out.Preceding = 0
	case "UNBOUNDED PRECEDING":
	case "PRECEDING":
		n, err := x.preceding(f)
		if err != nil {
			return out, err
		}
		out.Preceding = n
	default:
		return out, diag.At(f.Pos(), "OVER windows that start after the current row are not supported")
	}
	if len(p.order) == 0 {
		return out, diag.At(f.Pos(), "a window frame needs ORDER BY")
	}
	return out, nil
}

func (x *exprs) preceding(f *ast.Frame) (int64, error) {
	if f.Rows {
		return x.constantInt(f.From.Value, "ROWS … PRECEDING")
	}
	v, err := x.expr(f.From.Value)
	if err != nil {
		return 0, err
	}
	l, ok := v.(*plan.Literal)
	if !ok || l.Typ.Kind != types.IntervalDayTime {
		return 0, diag.At(f.From.Value.Pos(), "RANGE … PRECEDING needs a constant interval such as INTERVAL '1' HOUR")
	}
	n, _ := l.Value.(int64)
	return n, nil
}

func (x *exprs) grouping(f *ast.Func) (plan.Expr, error) {
	if !x.aggs {
		return nil, diag.At(f.Pos(), "%s is not allowed in %s", f.Path.Last(), x.clause)
	}
	args, err := x.list(f.Args)
	if err != nil {
		return nil, err
	}
	name := strings.ToUpper(f.Path.Last())
	return &pendingGrouping{Meta: meta(types.Of(types.BigInt).NotNull(), f.Pos()), fn: name, args: args}, nil
}

// groupWindow binds TUMBLE(ts, INTERVAL …) of GROUP BY and TUMBLE_START and the
// like of SELECT.
func (x *exprs) groupWindow(f *ast.Func, def *function.Def) (plan.Expr, error) {
	name := strings.ToUpper(f.Path.Last())
	args, err := x.list(f.Args)
	if err != nil {
		return nil, err
	}
	bound := &function.Args{Name: name, Exprs: args, At: f.Pos()}
	t, err := def.Bind(bound)
	if err != nil {
		return nil, err
	}
	p := &pendingWindow{time: args[0], name: name}
	kind, property, isProperty := strings.Cut(name, "_")
	p.isKey = !isProperty
	if err := legacyWindow(p, kind, bound); err != nil {
		return nil, err
	}
	tt := args[0].Type()
	if tt.Attribute == types.NoAttribute {
		return nil, diag.At(args[0].Pos(), "%s needs a time attribute, found %s", name, tt.OrNull()).
			WithHint("declare WATERMARK FOR the column in CREATE TABLE, or use PROCTIME()")
	}
	p.window.Proctime = tt.Attribute == types.Proctime
	p.window.LTZ = tt.Kind == types.TimestampLTZ
	p.Meta = meta(t.NotNull().Plain(), f.Pos())
	switch property {
	case "START":
		p.property = plan.WindowStart
	case "END":
		p.property = plan.WindowEnd
	case "ROWTIME":
		p.property = plan.WindowRowtime
		p.Typ.Attribute = types.Rowtime
		if p.window.Proctime {
			return nil, diag.At(f.Pos(), "%s needs event time, but the window is over processing time", name).WithHint("use %s_PROCTIME", kind)
		}
	case "PROCTIME":
		p.property = plan.WindowProctime
		p.Typ.Attribute = types.Proctime
	}
	return p, nil
}

func legacyWindow(p *pendingWindow, kind string, a *function.Args) error {
	spans := make([]int64, 0, 3)
	for i := 1; i < a.Len(); i++ {
		l, ok := a.Exprs[i].(*plan.Literal)
		n, isInt := int64(0), false
		if ok {
			n, isInt = l.Value.(int64)
		}
		if !isInt || a.Type(i).Kind != types.IntervalDayTime {
			return diag.At(a.Exprs[i].Pos(), "%s needs constant intervals of days to seconds", a.Name)
		}
		spans = append(spans, n)
	}
	if spans[0] <= 0 {
		return diag.At(a.At, "%s needs an interval above zero", a.Name)
	}
	switch kind {
	case "TUMBLE":
		p.window.Kind, p.window.Size = plan.TumbleWindow, spans[0]
		if len(spans) > 1 {
			p.window.Offset = spans[1]
		}
	case "HOP":
		if spans[1] <= 0 {
			return diag.At(a.At, "%s needs an interval above zero", a.Name)
		}
		p.window.Kind, p.window.Slide, p.window.Size = plan.HopWindow, spans[0], spans[1]
		if len(spans) > 2 {
			p.window.Offset = spans[2]
		}
	case "SESSION":
		p.window.Kind, p.window.Gap = plan.SessionWindow, spans[0]
	}
	return nil
}
