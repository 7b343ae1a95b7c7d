package explain

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/weirflow/weirflow/services/transform/internal/plan"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

// Describe returns an operator on one line, such as Calc(select=[a], where=[b]).
// It holds no options of tables, hence no secrets.
func Describe(n plan.Node) string {
	switch n := n.(type) {
	case *plan.Scan:
		return describeScan(n)
	case *plan.Values:
		return fmt.Sprintf("Values(tuples=[%d], values=[%s])", len(n.Rows), names(n.Fields))
	case *plan.Filter:
		return "Filter(where=[" + n.Cond.String() + "])"
	case *plan.Project:
		return "Project(select=[" + projections(n.Exprs, n.Fields) + "])"
	case *plan.Watermark:
		return fmt.Sprintf("WatermarkAssigner(rowtime=[%s], watermark=[%s])", n.Fields[n.Column].Name, n.Expr)
	case *plan.Union:
		return "Union(all=[true], union=[" + names(n.Fields) + "])"
	case *plan.SetOp:
		name := map[bool]string{true: "Except", false: "Intersect"}[n.Except]
		return fmt.Sprintf("%s(all=[%t], select=[%s])", name, n.All, names(n.Fields))
	case *plan.Sort:
		return describeSort(n)
	case *plan.Sink:
		return fmt.Sprintf("Sink(table=[%s.%s.%s], fields=[%s])", n.Table.Catalog, n.Table.Database, n.Table.Name, names(n.Fields))
	case *plan.Match:
		return "Match(orderBy=[" + sortText(n.OrderBy, n.Input.Out().Fields) + "], measures=[" + names(n.Fields) + "], pattern=[" + pattern(n) + "])"
	}
	return describeGroup(n)
}

func describeScan(n *plan.Scan) string {
	cols := make([]string, len(n.Columns))
	for i, c := range n.Columns {
		cols[i] = c.Name
		if len(c.Paths) > 0 {
			parts := make([]string, len(c.Paths))
			for j, p := range c.Paths {
				parts[j] = pathText(c.Type, p)
			}
			cols[i] += "{" + strings.Join(parts, ", ") + "}"
		}
	}
	s := fmt.Sprintf("TableSourceScan(table=[[%s, %s, %s]], fields=[%s]", n.Table.Catalog, n.Table.Database, n.Table.Name, strings.Join(cols, ", "))
	if len(n.Filter) > 0 {
		s += ", filter=[" + plan.And(n.Filter...).String() + "]"
	}
	return s + ")"
}

func pathText(t types.Type, path []int) string {
	var out []string
	for _, i := range path {
		if i >= len(t.Fields) {
			break
		}
		out = append(out, t.Fields[i].Name)
		t = t.Fields[i].Type
	}
	return strings.Join(out, ".")
}

func projections(es []plan.Expr, fields []types.Field) string {
	out := make([]string, len(es))
	for i, e := range es {
		out[i] = e.String()
		if out[i] != fields[i].Name {
			out[i] += " AS " + fields[i].Name
		}
	}
	return strings.Join(out, ", ")
}

func sortText(keys []plan.SortKey, fields []types.Field) string {
	out := make([]string, len(keys))
	for i, k := range keys {
		out[i] = fields[k.Column].Name + map[bool]string{true: " DESC", false: " ASC"}[k.Descending]
	}
	return strings.Join(out, ", ")
}

func describeSort(n *plan.Sort) string {
	s := "Sort(orderBy=[" + sortText(n.Keys, n.Fields) + "]"
	if n.Offset > 0 {
		s += fmt.Sprintf(", offset=[%d]", n.Offset)
	}
	if n.Limit >= 0 {
		s += fmt.Sprintf(", fetch=[%d]", n.Limit)
	}
	return s + ")"
}

func describeGroup(n plan.Node) string {
	switch n := n.(type) {
	case *plan.Aggregate:
		in := n.Input.Out().Fields
		return fmt.Sprintf("GroupAggregate(groupBy=[%s], select=[%s])", pick(in, n.Keys), calls(n.Calls, in))
	case *plan.Expand:
		return fmt.Sprintf("Expand(sets=[%d])", len(n.Projects))
	case *plan.WindowAssign:
		return "WindowTableFunction(window=[" + window(n.Window, n.Input.Out().Fields) + "])"
	case *plan.WindowAggregate:
		in := n.Input.Out().Fields
		name := map[bool]string{true: "GroupWindowAggregate", false: "WindowAggregate"}[n.Legacy]
		return fmt.Sprintf("%s(groupBy=[%s], window=[%s], select=[%s])", name, pick(in, n.Keys), window(n.Window, in), calls(n.Calls, in))
	case *plan.Over:
		in := n.Input.Out().Fields
		parts := make([]string, len(n.Groups))
		for i, g := range n.Groups {
			parts[i] = fmt.Sprintf("partitionBy=[%s], orderBy=[%s], window=[%s], select=[%s]", pick(in, g.Partition), sortText(g.OrderBy, in), frame(g.Frame), calls(g.Calls, in))
		}
		return "OverAggregate(" + strings.Join(parts, "; ") + ")"
	case *plan.Rank:
		in := n.Input.Out().Fields
		name := [...]string{"ROW_NUMBER", "RANK", "DENSE_RANK"}[n.Kind]
		op := map[bool]string{true: "WindowRank", false: "Rank"}[n.Window != nil]
		return fmt.Sprintf("%s(rankType=[%s], rankRange=[rankStart=%d, rankEnd=%d], partitionBy=[%s], orderBy=[%s])", op, name, n.From, n.To,
			pick(in, n.Partition), sortText(n.OrderBy, in))
	case *plan.Normalize:
		return fmt.Sprintf("ChangelogNormalize(key=[%s])", pick(n.Fields, n.Keys))
	case *plan.Materialize:
		return fmt.Sprintf("SinkMaterializer(key=[%s])", pick(n.Fields, n.Keys))
	case *plan.Deduplicate:
		in := n.Input.Out().Fields
		keep := map[bool]string{true: "LastRow", false: "FirstRow"}[n.KeepLast]
		order := map[bool]string{true: "PROCTIME", false: "ROWTIME"}[n.Proctime]
		return fmt.Sprintf("Deduplicate(keep=[%s], key=[%s], order=[%s])", keep, pick(in, n.Keys), order)
	}
	return describeJoin(n)
}

func calls(cs []plan.AggCall, in []types.Field) string {
	out := make([]string, len(cs))
	for i, c := range cs {
		args := make([]string, len(c.Args))
		for j, a := range c.Args {
			args[j] = a.String()
		}
		text := strings.Join(args, ", ")
		if len(args) == 0 && c.Function == "COUNT" {
			text = "*"
		}
		if c.Distinct {
			text = "DISTINCT " + text
		}
		out[i] = c.Function + "(" + text + ")"
		if c.Filter >= 0 {
			out[i] += " FILTER " + in[c.Filter].Name
		}
		out[i] += " AS " + c.Name
	}
	return strings.Join(out, ", ")
}

func window(w plan.Window, in []types.Field) string {
	span := func(ms int64) string { return (time.Duration(ms) * time.Millisecond).String() }
	s := w.Kind.String() + "(time_col=[" + in[w.TimeColumn].Name + "]"
	switch w.Kind {
	case plan.HopWindow:
		s += ", size=[" + span(w.Size) + "], slide=[" + span(w.Slide) + "]"
	case plan.CumulateWindow:
		s += ", max_size=[" + span(w.Size) + "], step=[" + span(w.Slide) + "]"
	case plan.SessionWindow:
		s += ", gap=[" + span(w.Gap) + "]"
		if len(w.Partition) > 0 {
			s += ", partition keys=[" + pick(in, w.Partition) + "]"
		}
	default:
		s += ", size=[" + span(w.Size) + "]"
	}
	if w.Offset != 0 {
		s += ", offset=[" + span(w.Offset) + "]"
	}
	return s + ")"
}

func frame(f plan.Frame) string {
	unit := map[bool]string{true: "ROWS", false: "RANGE"}[f.Rows]
	if f.Preceding < 0 {
		return unit + " BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW"
	}
	return fmt.Sprintf("%s BETWEEN %d PRECEDING AND CURRENT ROW", unit, f.Preceding)
}

func describeJoin(n plan.Node) string {
	switch n := n.(type) {
	case *plan.Join:
		return fmt.Sprintf("Join(joinType=[%s], where=[%s], select=[%s])", n.Kind, on(n.On, n.Left, n.Right), names(n.Fields))
	case *plan.IntervalJoin:
		return fmt.Sprintf("IntervalJoin(joinType=[%s], windowBounds=[leftLowerBound=%d, leftUpperBound=%d], where=[%s], select=[%s])", n.Kind,
			n.Lower, n.Upper, on(n.On, n.Left, n.Right), names(n.Fields))
	case *plan.WindowJoin:
		return fmt.Sprintf("WindowJoin(joinType=[%s], where=[%s], select=[%s])", n.Kind, on(n.On, n.Left, n.Right), names(n.Fields))
	case *plan.TemporalJoin:
		return fmt.Sprintf("TemporalJoin(joinType=[%s], where=[%s], select=[%s])", n.Kind, on(n.On, n.Left, n.Right), names(n.Fields))
	case *plan.LookupJoin:
		return fmt.Sprintf("LookupJoin(table=[%s.%s.%s], joinType=[%s], lookup=[%s], select=[%s])", n.Table.Catalog, n.Table.Database, n.Table.Name, n.Kind,
			on(n.On, n.Left, n.Right), names(n.Fields))
	case *plan.Unnest:
		return fmt.Sprintf("Correlate(invocation=[UNNEST(%s)], joinType=[%s], select=[%s])", n.Collection, kind(n.Left), names(n.Fields))
	case *plan.TableFunction:
		return fmt.Sprintf("Correlate(invocation=[%s], joinType=[%s], select=[%s])", n.Function, kind(n.Left), names(n.Fields))
	case *plan.Correlate:
		return fmt.Sprintf("Correlate(joinType=[%s], select=[%s])", n.Kind, names(n.Fields))
	}
	return fmt.Sprintf("%T", n)
}

func kind(left bool) string { return map[bool]string{true: "LEFT", false: "INNER"}[left] }

func on(o plan.On, l, r plan.Node) string {
	var out []string
	for i, k := range o.LeftKeys {
		out = append(out, "("+l.Out().Fields[k].Name+" = "+r.Out().Fields[o.RightKeys[i]].Name+")")
	}
	if o.Residual != nil {
		out = append(out, o.Residual.String())
	}
	if len(out) == 0 {
		return "true"
	}
	return strings.Join(out, " AND ")
}

// pattern writes a row pattern as SQL does.
func pattern(n *plan.Match) string {
	parts := make([]string, len(n.Pattern))
	for i, p := range n.Pattern {
		most := strconv.Itoa(p.Max)
		if p.Max < 0 {
			most = ""
		}
		parts[i] = p.Variable
		if p.Min != 1 || p.Max != 1 {
			parts[i] += fmt.Sprintf("{%d,%s}", p.Min, most)
		}
		if p.Reluctant {
			parts[i] += "?"
		}
	}
	return strings.Join(parts, " ")
}
