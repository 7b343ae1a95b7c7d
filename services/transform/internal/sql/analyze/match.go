package analyze

import (
	"slices"
	"strings"

	"github.com/weirflow/weirflow/services/transform/internal/plan"
	"github.com/weirflow/weirflow/services/transform/internal/sql/ast"
	"github.com/weirflow/weirflow/services/transform/internal/sql/diag"
	"github.com/weirflow/weirflow/services/transform/internal/sql/function"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

// allRows is the variable of names without one in MEASURES.
const allRows = "*"

// maxRepetition bounds the states that a pattern is made into.
const maxRepetition = 10_000

// matcher is the context of expressions in MATCH_RECOGNIZE: names may start with
// a pattern variable, and others belong to the variable current.
type matcher struct {
	variables map[string]bool
	fields    []types.Field
	current   string
}

// ident resolves a name to a column of a row that was matched.
func (m *matcher) ident(e *ast.Ident) (plan.Expr, error) {
	variable, path := m.current, e.Path
	if len(path) > 1 && m.variables[path[0].Text] {
		variable, path = path[0].Text, path[1:]
	}
	s := newScope(nil)
	s.add(relation{fields: m.fields})
	r, err := s.resolve(path)
	if err != nil {
		return nil, err
	}
	var out plan.Expr = &plan.PatternRef{Meta: meta(r.field.Type.Plain().OrNull(), e.Pos()), Variable: variable, Column: r.index, Name: r.field.Name}
	for _, n := range r.rest {
		if out, err = fieldOf(out, n); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// function binds FIRST, LAST and aggregates over matched rows; nil for others.
func (m *matcher) function(x *exprs, f *ast.Func, def *function.Def) (plan.Expr, error) {
	name := strings.ToUpper(f.Path.Last())
	switch {
	case name == "FIRST" || name == "LAST":
		return m.offset(x, f, name == "FIRST")
	case name == "MATCH_ROWTIME" || name == "MATCH_PROCTIME":
		return m.time(x, f, def, name)
	case def.Class == function.Pattern:
		return nil, diag.At(f.Pos(), "%s is not supported in MATCH_RECOGNIZE", name).WithHint("use LAST(variable.column, n) or FIRST(variable.column, n)")
	case def.Class == function.Aggregate:
		return m.aggregate(x, f, def, name)
	}
	return nil, nil //nolint:nilnil // nil: an ordinary function
}

// time binds MATCH_ROWTIME([column]) and MATCH_PROCTIME(). Without a column the
// time is a TIMESTAMP, else of the column's type.
func (m *matcher) time(x *exprs, f *ast.Func, def *function.Def, name string) (plan.Expr, error) {
	if x.clause != "MEASURES" {
		return nil, diag.At(f.Pos(), "%s can only be used in MEASURES", name)
	}
	args, err := x.list(f.Args)
	if err != nil {
		return nil, err
	}
	t, err := def.Bind(&function.Args{Name: name, At: f.Pos(), Exprs: args})
	if err != nil || len(args) == 0 {
		return call(name, t, f.Pos()), err
	}
	r, ok := args[0].(*plan.PatternRef)
	if !ok || m.fields[r.Column].Type.Attribute != types.Rowtime {
		return nil, diag.At(f.Args[0].Pos(), "%s takes a column that is an event time attribute", name)
	}
	t.Kind = m.fields[r.Column].Type.Kind
	return call(name, t, f.Pos()), nil
}

// offset applies FIRST(x, n) or LAST(x, n) to the columns in x.
func (m *matcher) offset(x *exprs, f *ast.Func, first bool) (plan.Expr, error) {
	if len(f.Args) == 0 || len(f.Args) > 2 {
		return nil, diag.At(f.Pos(), "%s takes 1 to 2 arguments, found %d", f.Path.Last(), len(f.Args))
	}
	e, err := x.expr(f.Args[0])
	if err != nil {
		return nil, err
	}
	n := int64(0)
	if len(f.Args) == 2 {
		if n, err = x.constantInt(f.Args[1], f.Path.Last()); err != nil {
			return nil, err
		}
	}
	return plan.Rewrite(e, func(e plan.Expr) (plan.Expr, error) {
		r, ok := e.(*plan.PatternRef)
		if !ok {
			return nil, nil //nolint:nilnil // nil leaves the expression as it is
		}
		c := *r
		c.First, c.Offset = first, int(n)
		return &c, nil
	})
}

func (m *matcher) aggregate(x *exprs, f *ast.Func, def *function.Def, name string) (plan.Expr, error) {
	args, err := x.list(f.Args)
	if err != nil {
		return nil, err
	}
	bound := &function.Args{Name: name, Exprs: args, At: f.Pos()}
	t, err := def.Bind(bound)
	if err != nil {
		return nil, err
	}
	out := &plan.PatternAgg{Meta: meta(t, f.Pos()), Function: def.Name, Variable: m.current, Args: bound.Exprs, Distinct: f.Distinct}
	seen := ""
	for _, a := range bound.Exprs {
		plan.Walk(a, func(e plan.Expr) bool {
			if r, ok := e.(*plan.PatternRef); ok {
				if seen != "" && seen != r.Variable {
					err = diag.At(r.At, "the argument of %s must name one pattern variable, found %s and %s", name, seen, r.Variable)
				}
				seen = r.Variable
			}
			return true
		})
	}
	if seen != "" {
		out.Variable = seen
	}
	return out, err
}

// skipModes are the AFTER MATCH clauses; without one, Flink goes on at the next row.
var skipModes = map[string]plan.SkipMode{
	"": plan.SkipToNextRow, "PAST LAST ROW": plan.SkipPastLastRow, "NEXT ROW": plan.SkipToNextRow, "FIRST": plan.SkipToFirst, "LAST": plan.SkipToLast,
}

// matchRecognize plans MATCH_RECOGNIZE. Its columns are the partition's, then the
// measures.
func (a *Analyzer) matchRecognize(t *ast.Match, s, outer *scope) (plan.Node, error) {
	inner := newScope(outer)
	input, err := a.tableRef(t.Input, inner, outer)
	if err != nil {
		return nil, err
	}
	if t.AllRows {
		return nil, diag.At(t.Pos(), "ALL ROWS PER MATCH is not supported").WithHint("use ONE ROW PER MATCH")
	}
	if input.Out().Mode != plan.InsertOnly {
		return nil, diag.At(t.Pos(), "MATCH_RECOGNIZE needs rows that do not change, and its input puts out updates").
			WithHint("use a window instead of GROUP BY, or match before it")
	}
	fields := input.Out().Fields
	n := &plan.Match{Input: input, Skip: skipModes[t.After]}
	m := &matcher{variables: map[string]bool{}, fields: fields, current: allRows}
	if n.Pattern, err = m.pattern(t); err != nil {
		return nil, err
	}
	if len(t.Subsets) > 0 {
		return nil, diag.At(t.Subsets[0].Name.Pos(), "SUBSET is not supported").WithHint("name the variables one by one")
	}
	if t.AfterVar != nil {
		if n.SkipTo = t.AfterVar.Text; !m.variables[n.SkipTo] {
			return nil, diag.At(t.AfterVar.Pos(), "%q is not a variable of the pattern", n.SkipTo)
		}
	}
	if err := a.matchOrder(n, t, inner); err != nil {
		return nil, err
	}
	if err := a.matchExprs(n, t, m); err != nil {
		return nil, err
	}
	n.At, n.Bounded = t.Pos(), input.Out().Bounded
	return a.addRelation(n, relation{}, t.Alias, s, t.At)
}

// pattern turns the row pattern into its plan and notes its variables. Flink's
// limits hold, so that what runs here runs there.
func (m *matcher) pattern(t *ast.Match) ([]plan.PatternElement, error) {
	if t.StrictStart || t.StrictEnd {
		return nil, diag.At(t.Pattern.Pos(), "the anchors ^ and $ are not supported in PATTERN")
	}
	items := t.Pattern.Items
	if t.Pattern.Op != "CONCAT" || t.Pattern.Quantified {
		items = []*ast.Pattern{t.Pattern}
	}
	var out []plan.PatternElement
	needed := false
	for _, p := range items {
		e, err := m.element(p)
		if err != nil {
			return nil, err
		}
		needed = needed || e.Min > 0
		out = append(out, e)
	}
	last, at := out[len(out)-1], items[len(items)-1].Pos()
	switch {
	case !needed:
		return nil, diag.At(t.Pattern.Pos(), "the pattern could match no row at all").WithHint("one of its variables must not be optional")
	case !last.Reluctant && last.Min != last.Max && (last.Min != 0 || last.Max != 1):
		return nil, diag.At(at, "the last variable of a pattern cannot have a greedy quantifier: it could always go on").
			WithHint("make it reluctant with ? behind the quantifier, or end the pattern with a variable for the row after")
	}
	return out, nil
}

func (m *matcher) element(p *ast.Pattern) (e plan.PatternElement, err error) {
	switch {
	case p.Op == "ALTER":
		return e, diag.At(p.Pos(), "alternatives (|) are not supported in PATTERN").WithHint("use one variable whose condition has OR")
	case p.Op == "PERMUTE":
		return e, diag.At(p.Pos(), "PERMUTE is not supported in PATTERN")
	case p.Variable == nil:
		return e, diag.At(p.Pos(), "groups are not supported in PATTERN").WithHint("quantifiers apply to single variables")
	case m.variables[p.Variable.Text]:
		return e, diag.At(p.Pos(), "the variable %q comes twice in the pattern", p.Variable.Text).WithHint("give one of them another name and the same condition")
	case p.Max == 0 || p.Max > 0 && p.Max < p.Min:
		return e, diag.At(p.Pos(), "the quantifier {%d,%d} matches nothing", p.Min, p.Max)
	case p.Reluctant && p.Min == 0 && p.Max == 1:
		return e, diag.At(p.Pos(), "a reluctant optional variable (%s??) is not supported", p.Variable.Text)
	case max(p.Min, p.Max) > maxRepetition:
		return e, diag.At(p.Pos(), "a quantifier can ask for %d rows at most", maxRepetition)
	}
	m.variables[p.Variable.Text] = true
	return plan.PatternElement{Variable: p.Variable.Text, Min: p.Min, Max: p.Max, Reluctant: p.Reluctant}, nil
}

// matchOrder binds PARTITION BY and ORDER BY, which must start with a time attribute.
func (a *Analyzer) matchOrder(n *plan.Match, t *ast.Match, s *scope) error {
	x := &exprs{Analyzer: a, scope: s, clause: "MATCH_RECOGNIZE"}
	for _, p := range t.PartitionBy {
		e, err := x.expr(p)
		if err != nil {
			return err
		}
		r, ok := e.(*plan.InputRef)
		if !ok {
			return diag.At(p.Pos(), "PARTITION BY of MATCH_RECOGNIZE can only name columns")
		}
		n.Partition = append(n.Partition, r.Index)
		f := s.fields[r.Index]
		f.Type = f.Type.Plain()
		n.Fields = append(n.Fields, f)
	}
	for _, o := range t.OrderBy {
		col, err := x.sortColumn(o, s.fields)
		if err != nil {
			return err
		}
		n.OrderBy = append(n.OrderBy, plan.SortKey{Column: col, Descending: o.Descending, NullsFirst: nullsFirst(o)})
	}
	if len(n.OrderBy) == 0 || n.OrderBy[0].Descending || s.fields[n.OrderBy[0].Column].Type.Attribute == types.NoAttribute {
		return diag.At(t.Pos(), "MATCH_RECOGNIZE needs ORDER BY a time attribute, ascending").WithHint("declare WATERMARK FOR the column in CREATE TABLE")
	}
	if t.Within != nil {
		e, err := x.expr(t.Within)
		if err != nil {
			return err
		}
		l, ok := e.(*plan.Literal)
		if !ok || l.Typ.Kind != types.IntervalDayTime {
			return diag.At(t.Within.Pos(), "WITHIN needs a constant interval such as INTERVAL '1' HOUR")
		}
		n.Within, _ = l.Value.(int64)
	}
	return nil
}

// matchExprs binds DEFINE and MEASURES.
func (a *Analyzer) matchExprs(n *plan.Match, t *ast.Match, m *matcher) error {
	x := &exprs{Analyzer: a, scope: newScope(nil), clause: "DEFINE", match: m}
	for _, d := range t.Defines {
		if !m.variables[d.Name.Text] {
			return diag.At(d.Name.Pos(), "%q is not a variable of the pattern", d.Name.Text)
		}
		m.current = d.Name.Text
		e, err := x.condition(d.Cond)
		if err != nil {
			return err
		}
		at := slices.IndexFunc(n.Pattern, func(p plan.PatternElement) bool { return p.Variable == d.Name.Text })
		n.Pattern[at].Cond = e
	}
	m.current, x.clause = allRows, "MEASURES"
	for _, it := range t.Measures {
		e, err := x.expr(it.Expr)
		if err != nil {
			return err
		}
		n.Measures = append(n.Measures, e)
		n.Fields = append(n.Fields, types.Field{Name: it.Alias.Text, Type: e.Type()})
	}
	return nil
}
