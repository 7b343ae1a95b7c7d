package analyze

import (
	"strings"

	"github.com/weirflow/weirflow/services/transform/internal/plan"
	"github.com/weirflow/weirflow/services/transform/internal/sql/ast"
	"github.com/weirflow/weirflow/services/transform/internal/sql/diag"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

// windowParams are the arguments of the window table functions, in order.
var windowParams = map[string][]string{
	"TUMBLE":   {"DATA", "TIMECOL", "SIZE", "OFFSET"},
	"HOP":      {"DATA", "TIMECOL", "SLIDE", "SIZE", "OFFSET"},
	"CUMULATE": {"DATA", "TIMECOL", "STEP", "SIZE", "OFFSET"},
	"SESSION":  {"DATA", "TIMECOL", "GAP"},
}

var windowKinds = map[string]plan.WindowKind{
	"TUMBLE": plan.TumbleWindow, "HOP": plan.HopWindow, "CUMULATE": plan.CumulateWindow, "SESSION": plan.SessionWindow,
}

// tableFunc plans TABLE(f(…)) where f is a window function.
func (a *Analyzer) tableFunc(t *ast.TableFunc, outer *scope) (plan.Node, error) {
	name := strings.ToUpper(t.Call.Path.Last())
	params, ok := windowParams[name]
	if !ok {
		return nil, diag.At(t.Call.Pos(), "table function %s is not known", t.Call.Path.String()).
			WithHint("there are TUMBLE, HOP, CUMULATE and SESSION; user-defined table functions are not supported")
	}
	args, err := windowArgs(t.Call, name, params)
	if err != nil {
		return nil, err
	}
	table, ok := args["DATA"].(*ast.TableArg)
	if !ok {
		return nil, diag.At(t.Call.Pos(), "the first argument of %s must be TABLE name", name)
	}
	if table.Query != nil {
		return nil, diag.At(table.Pos(), "%s needs the name of a table or view, not a query", name).
			WithHint("name the query with WITH or CREATE VIEW")
	}
	input, rel, err := a.table(&ast.Table{At: table.At, Path: table.Table}, outer)
	if err != nil {
		return nil, err
	}
	rel.fields = input.Out().Fields
	inner := newScope(nil)
	inner.add(rel)
	n := &plan.WindowAssign{Input: input, Window: plan.Window{Kind: windowKinds[name]}}
	n.At = t.Call.Pos()
	if err := a.windowTime(n, args["TIMECOL"], inner, name); err != nil {
		return nil, err
	}
	x := &exprs{Analyzer: a, scope: newScope(nil), clause: name}
	if err := x.windowSizes(n, args, name); err != nil {
		return nil, err
	}
	if err := a.windowPartition(n, table, inner, name); err != nil {
		return nil, err
	}
	return finishWindow(n), nil
}

// windowArgs puts positional and named arguments under their names.
func windowArgs(f *ast.Func, name string, params []string) (map[string]ast.Expr, error) {
	out := map[string]ast.Expr{}
	for i, arg := range f.Args {
		if named, ok := arg.(*ast.NamedArg); ok {
			key := strings.ToUpper(named.Name.Text)
			if indexOf(params, key) < 0 {
				return nil, suggest(diag.At(named.Pos(), "%s has no argument %s", name, named.Name.Text), key, params)
			}
			if out[key] != nil {
				return nil, diag.At(named.Pos(), "argument %s is given twice", key)
			}
			out[key] = named.Value
			continue
		}
		if i >= len(params) {
			return nil, diag.At(arg.Pos(), "%s takes at most %d arguments, found %d", name, len(params), len(f.Args)).
				WithHint("%s(TABLE t, DESCRIPTOR(time column), %s)", name, strings.ToLower(strings.Join(params[2:], ", ")))
		}
		out[params[i]] = arg
	}
	for _, p := range params {
		if out[p] == nil && p != "OFFSET" {
			return nil, diag.At(f.Pos(), "%s lacks its argument %s", name, p).
				WithHint("%s(TABLE t, DESCRIPTOR(time column), %s)", name, strings.ToLower(strings.Join(params[2:], ", ")))
		}
	}
	return out, nil
}

func (a *Analyzer) windowTime(n *plan.WindowAssign, arg ast.Expr, s *scope, name string) error {
	d, ok := arg.(*ast.DescriptorArg)
	if !ok || len(d.Columns) != 1 {
		return diag.At(arg.Pos(), "%s needs DESCRIPTOR(time column) as its second argument", name)
	}
	r, err := s.resolve(ast.Path{d.Columns[0]})
	if err != nil {
		return err
	}
	t := r.field.Type
	if t.Attribute == types.NoAttribute {
		return diag.At(d.Columns[0].Pos(), "the window function %s needs a time attribute, but %q is %s", name, r.field.Name, t.OrNull()).
			WithHint("declare WATERMARK FOR %s AS … in CREATE TABLE", types.QuoteName(r.field.Name))
	}
	n.Window.TimeColumn = r.index
	n.Window.Proctime = t.Attribute == types.Proctime
	n.Window.LTZ = t.Kind == types.TimestampLTZ
	return nil
}

// windowSizes reads the intervals of a window function.
func (x *exprs) windowSizes(n *plan.WindowAssign, args map[string]ast.Expr, name string) error {
	w := &n.Window
	targets := map[string]*int64{"SIZE": &w.Size, "SLIDE": &w.Slide, "STEP": &w.Slide, "GAP": &w.Gap, "OFFSET": &w.Offset}
	for _, p := range windowParams[name][2:] {
		arg := args[p]
		if arg == nil {
			continue
		}
		e, err := x.expr(arg)
		if err != nil {
			return err
		}
		l, ok := e.(*plan.Literal)
		if !ok || l.Typ.Kind != types.IntervalDayTime {
			return diag.At(arg.Pos(), "%s of %s must be a constant interval such as INTERVAL '1' MINUTE", p, name)
		}
		v, _ := l.Value.(int64)
		if v <= 0 && p != "OFFSET" {
			return diag.At(arg.Pos(), "%s of %s must be above zero", p, name)
		}
		*targets[p] = v
	}
	if w.Kind == plan.CumulateWindow && w.Size%w.Slide != 0 {
		return diag.At(args["SIZE"].Pos(), "SIZE of CUMULATE must be a multiple of STEP")
	}
	return nil
}

func (a *Analyzer) windowPartition(n *plan.WindowAssign, t *ast.TableArg, s *scope, name string) error {
	if len(t.PartitionBy) > 0 && n.Window.Kind != plan.SessionWindow {
		return diag.At(t.PartitionBy[0].Pos(), "PARTITION BY is only for SESSION, not for %s", name).WithHint("put the column into GROUP BY")
	}
	x := &exprs{Analyzer: a, scope: s, clause: "PARTITION BY"}
	for _, p := range t.PartitionBy {
		e, err := x.expr(p)
		if err != nil {
			return err
		}
		r, ok := e.(*plan.InputRef)
		if !ok {
			return diag.At(p.Pos(), "PARTITION BY of SESSION can only name columns")
		}
		n.Window.Partition = append(n.Window.Partition, r.Index)
	}
	return nil
}

// finishWindow adds window_start, window_end and window_time to the columns.
func finishWindow(n *plan.WindowAssign) plan.Node {
	in := n.Input.Out()
	bound := types.TimestampType(3).NotNull()
	time := in.Fields[n.Window.TimeColumn].Type.NotNull()
	n.Mode, n.Bounded = in.Mode, in.Bounded
	n.Fields = append([]types.Field{}, in.Fields...)
	n.Fields = append(n.Fields,
		types.Field{Name: "window_start", Type: bound}, types.Field{Name: "window_end", Type: bound}, types.Field{Name: "window_time", Type: time})
	return n
}

// windowColumns are the columns of a node that hold the bounds of a window.
type windowColumns struct {
	start, end, time int // -1: not among the columns
	assign           *plan.WindowAssign
}

// windowOf finds the window that the rows of a node belong to; nil if they
// belong to none.
func windowOf(n plan.Node) *windowColumns {
	switch n := n.(type) {
	case *plan.WindowAssign:
		w := len(n.Input.Out().Fields)
		return &windowColumns{start: w, end: w + 1, time: w + 2, assign: n}
	case *plan.Project:
		return projectWindow(windowOf(n.Input), n.Exprs)
	case *plan.Filter:
		return windowOf(n.Input)
	case *plan.Union:
		return unionWindow(n)
	case *plan.Over:
		return windowOf(n.Input)
	case *plan.Rank:
		return windowOf(n.Input)
	case *plan.Deduplicate:
		return windowOf(n.Input)
	case *plan.Expand:
		return windowOf(n.Input)
	case *plan.Aggregate:
		return keyWindow(windowOf(n.Input), n.Keys)
	case *plan.WindowAggregate:
		return propertyWindow(n)
	case *plan.WindowJoin:
		w := windowOf(n.Left)
		if w != nil {
			w.assign = nil
		}
		return w
	}
	return nil
}

// unionWindow is the window of branches that all have the same one in the same columns.
func unionWindow(n *plan.Union) *windowColumns {
	var first *windowColumns
	for _, b := range n.Branches {
		w := windowOf(b)
		if w == nil || w.assign == nil {
			return nil
		}
		if first == nil {
			first = w
			continue
		}
		x, y := first.assign.Window, w.assign.Window
		if w.start != first.start || w.end != first.end || w.time != first.time || x.Kind != y.Kind || x.Kind == plan.SessionWindow ||
			x.Size != y.Size || x.Slide != y.Slide || x.Offset != y.Offset || x.Proctime != y.Proctime || x.LTZ != y.LTZ {
			return nil
		}
	}
	return first
}

func projectWindow(w *windowColumns, es []plan.Expr) *windowColumns {
	if w == nil {
		return nil
	}
	find := func(col int) int {
		for i, e := range es {
			if r, ok := e.(*plan.InputRef); ok && r.Index == col && col >= 0 {
				return i
			}
		}
		return -1
	}
	return &windowColumns{start: find(w.start), end: find(w.end), time: find(w.time), assign: w.assign}
}

func keyWindow(w *windowColumns, keys []int) *windowColumns {
	if w == nil || indexOfInt(keys, w.start) < 0 || indexOfInt(keys, w.end) < 0 {
		return nil
	}
	return &windowColumns{start: indexOfInt(keys, w.start), end: indexOfInt(keys, w.end), time: indexOfInt(keys, w.time), assign: w.assign}
}

func propertyWindow(n *plan.WindowAggregate) *windowColumns {
	w := &windowColumns{start: -1, end: -1, time: -1}
	for i, p := range n.Properties {
		col := len(n.Keys) + len(n.Calls) + i
		switch p {
		case plan.WindowStart:
			w.start = col
		case plan.WindowEnd:
			w.end = col
		default:
			w.time = col
		}
	}
	return w
}
