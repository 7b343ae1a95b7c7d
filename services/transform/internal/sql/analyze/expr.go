package analyze

import (
	"strings"

	"github.com/weirflow/weirflow/services/transform/internal/plan"
	"github.com/weirflow/weirflow/services/transform/internal/sql/ast"
	"github.com/weirflow/weirflow/services/transform/internal/sql/diag"
	"github.com/weirflow/weirflow/services/transform/internal/sql/function"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

// exprs analyzes expressions of one clause.
type exprs struct {
	*Analyzer
	scope   *scope
	clause  string // for errors: "WHERE", "GROUP BY" …
	aggs    bool   // aggregate functions may be called
	overs   bool   // OVER may be used
	windows map[string]*ast.WindowSpec
	inAgg   string // the aggregate function whose argument this is
	match   *matcher
}

// expr returns the plan of an expression over the scope's columns.
func (x *exprs) expr(e ast.Expr) (plan.Expr, error) {
	switch e := e.(type) {
	case *ast.Literal:
		return literal(e)
	case *ast.Ident:
		return x.ident(e)
	case *ast.Unary:
		return x.unary(e)
	case *ast.Binary:
		return x.binary(e)
	case *ast.Is:
		return x.is(e)
	case *ast.Between:
		return x.between(e)
	case *ast.In:
		return x.in(e)
	case *ast.Like:
		return x.like(e)
	case *ast.Case:
		return x.caseExpr(e)
	case *ast.Cast:
		return x.cast(e)
	case *ast.Func:
		return x.function(e)
	case *ast.Symbol:
		return symbol(e.Text, e.Pos()), nil
	case *ast.Row:
		return x.row(e)
	case *ast.Array:
		return x.array(e)
	case *ast.Map:
		return x.mapCtor(e)
	case *ast.Item:
		return x.item(e)
	case *ast.Field:
		return x.field(e)
	case *ast.Exists, *ast.Subquery, *ast.Quantified:
		return x.subquery(e)
	case *ast.Star:
		return nil, diag.At(e.Pos(), "* cannot be used here")
	case *ast.NamedArg:
		return nil, diag.At(e.Pos(), "named arguments are only supported for table functions")
	case *ast.TableArg, *ast.DescriptorArg:
		return nil, diag.At(e.Pos(), "TABLE and DESCRIPTOR can only be arguments of a table function in FROM")
	}
	return nil, diag.At(e.Pos(), "this expression is not supported")
}

func (x *exprs) list(es []ast.Expr) ([]plan.Expr, error) {
	out := make([]plan.Expr, len(es))
	for i, e := range es {
		p, err := x.expr(e)
		if err != nil {
			return nil, err
		}
		out[i] = p
	}
	return out, nil
}

// ident finds a column, and the fields of a ROW that follow it.
func (x *exprs) ident(e *ast.Ident) (plan.Expr, error) {
	if x.match != nil {
		return x.match.ident(e)
	}
	r, err := x.scope.resolve(e.Path)
	if err != nil {
		if len(e.Path) == 1 && !e.Path[0].Quoted && strings.EqualFold(e.Path[0].Text, "PI") {
			return x.function(&ast.Func{Base: e.Base, Path: e.Path})
		}
		return nil, err
	}
	var out plan.Expr
	if r.depth == 0 {
		out = &plan.InputRef{Meta: meta(r.field.Type, e.Pos()), Index: r.index, Name: r.field.Name}
	} else {
		out = &plan.OuterRef{Meta: meta(r.field.Type.Plain(), e.Pos()), Index: r.index, Name: r.field.Name, Depth: r.depth}
	}
	for _, n := range r.rest {
		if out, err = fieldOf(out, n); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// fieldOf returns the field of a ROW called name.
func fieldOf(of plan.Expr, name ast.Name) (plan.Expr, error) {
	t := of.Type()
	if t.Kind != types.Row {
		err := diag.At(name.Pos(), "%s has no field %q: it is %s, not a ROW", of, name.Text, t.OrNull())
		switch t.Kind {
		case types.Array:
			err = err.WithHint("take an element first, such as x[1].%s", name.Text)
		case types.Map:
			err = err.WithHint("use ['%s'] for a MAP", name.Text)
		}
		return nil, err
	}
	i := t.FieldIndex(name.Text)
	if i < 0 {
		return nil, suggest(diag.At(name.Pos(), "%s has no field %q", of, name.Text), name.Text, fieldNames(t.Fields))
	}
	f := t.Fields[i]
	return &plan.FieldAccess{Meta: meta(f.Type.WithNullable(f.Type.Nullable || t.Nullable), name.Pos()), X: of, Index: i, Name: f.Name}, nil
}

func (x *exprs) field(e *ast.Field) (plan.Expr, error) {
	of, err := x.expr(e.X)
	if err != nil {
		return nil, err
	}
	return fieldOf(of, e.Name)
}

func (x *exprs) item(e *ast.Item) (plan.Expr, error) {
	of, err := x.expr(e.X)
	if err != nil {
		return nil, err
	}
	key, err := x.expr(e.Key)
	if err != nil {
		return nil, err
	}
	t := of.Type()
	switch t.Kind {
	case types.Array:
		if !key.Type().Kind.IsInteger() {
			return nil, diag.At(e.Key.Pos(), "the index of an array must be an integer, found %s", key.Type().OrNull())
		}
		if l, ok := key.(*plan.Literal); ok {
			if n, _ := l.Value.(int64); n < 1 {
				return nil, diag.At(e.Key.Pos(), "the index of an array starts at 1, found %d", n)
			}
		}
		key = function.Coerce(key, types.Of(types.Int))
	case types.Map:
		c, ok := types.Common(*t.Key, key.Type())
		if !ok {
			return nil, diag.At(e.Key.Pos(), "the key of this map is %s, found %s", t.Key.OrNull(), key.Type().OrNull())
		}
		if c.Kind != t.Key.Kind || c.Kind.IsNumeric() {
			c = *t.Key
		}
		key = function.Coerce(key, c)
	case types.Row:
		return rowItem(of, key, e)
	default:
		return nil, diag.At(e.Pos(), "%s is %s: only arrays and maps have elements", of, t.OrNull())
	}
	return &plan.ItemAccess{Meta: meta(t.Elem.OrNull(), e.Pos()), X: of, Key: key}, nil
}

// rowItem is row['field'] or row[1].
func rowItem(of, key plan.Expr, e *ast.Item) (plan.Expr, error) {
	t := of.Type()
	l, ok := key.(*plan.Literal)
	if ok {
		switch v := l.Value.(type) {
		case string:
			return fieldOf(of, ast.Name{Text: v, At: ast.At(e.Key.Pos())})
		case int64:
			if v >= 1 && v <= int64(len(t.Fields)) {
				return fieldOf(of, ast.Name{Text: t.Fields[v-1].Name, At: ast.At(e.Key.Pos())})
			}
		}
	}
	return nil, diag.At(e.Key.Pos(), "a ROW's field must be a constant name or position")
}

func (x *exprs) row(e *ast.Row) (plan.Expr, error) {
	items, err := x.list(e.Items)
	if err != nil {
		return nil, err
	}
	fields := make([]types.Field, len(items))
	for i, it := range items {
		fields[i] = types.Field{Name: defaultName(i), Type: it.Type().Plain()}
	}
	return &plan.RowCtor{Meta: meta(types.RowOf(fields...).NotNull(), e.Pos()), Fields: items}, nil
}

func (x *exprs) array(e *ast.Array) (plan.Expr, error) {
	if e.Query != nil {
		return nil, diag.At(e.Pos(), "ARRAY(query) is not supported").WithHint("use ARRAY_AGG in the query")
	}
	items, err := x.list(e.Items)
	if err != nil {
		return nil, err
	}
	if len(items) == 0 {
		return nil, diag.At(e.Pos(), "an empty array has no element type").WithHint("write CAST(NULL AS ARRAY<…>), or filter another array")
	}
	t, err := unify(items, "the elements of the array", e.Pos())
	if err != nil {
		return nil, err
	}
	return &plan.ArrayCtor{Meta: meta(types.ArrayOf(t).NotNull(), e.Pos()), Elems: items}, nil
}

func (x *exprs) mapCtor(e *ast.Map) (plan.Expr, error) {
	items, err := x.list(e.Items)
	if err != nil {
		return nil, err
	}
	if len(items) == 0 {
		return nil, diag.At(e.Pos(), "an empty map has no key type").WithHint("write CAST(NULL AS MAP<…, …>)")
	}
	var keys, values []plan.Expr
	for i := 0; i+1 < len(items); i += 2 {
		keys, values = append(keys, items[i]), append(values, items[i+1])
	}
	k, err := unify(keys, "the keys of the map", e.Pos())
	if err != nil {
		return nil, err
	}
	v, err := unify(values, "the values of the map", e.Pos())
	if err != nil {
		return nil, err
	}
	return &plan.MapCtor{Meta: meta(types.MapOf(k, v).NotNull(), e.Pos()), Keys: keys, Values: values}, nil
}

// unify casts expressions to their common type, in place.
func unify(items []plan.Expr, what string, at plan.Pos) (types.Type, error) {
	ts := make([]types.Type, len(items))
	for i, it := range items {
		ts[i] = it.Type().Plain()
	}
	t, ok := types.Common(ts...)
	if !ok {
		first, other := ts[0], ts[0]
		for _, o := range ts {
			if _, fits := types.Common(first, o); !fits {
				other = o
				break
			}
		}
		return t, diag.At(at, "%s have no common type: %s and %s", what, first.OrNull(), other.OrNull())
	}
	for i := range items {
		items[i] = function.Coerce(items[i], t)
	}
	return t, nil
}

func (x *exprs) cast(e *ast.Cast) (plan.Expr, error) {
	of, err := x.expr(e.X)
	if err != nil {
		return nil, err
	}
	to, err := DataType(e.Type)
	if err != nil {
		return nil, err
	}
	if to.Kind == types.Time {
		to.Precision = 0 // in a CAST, Flink knows no fractions of TIME
	}
	from := of.Type()
	if from.Kind.IsNumeric() && to.Kind.IsInterval() || from.Kind.IsInterval() && to.Kind.IsNumeric() {
		return castInterval(e, of, to)
	}
	if !types.CanCast(from, to) || from.Kind.IsCharacter() && to.Kind.IsInterval() {
		return nil, diag.At(e.Pos(), "cannot cast %s to %s", from.OrNull(), to.OrNull())
	}
	nullable := from.Nullable || from.Kind == types.Null || e.Try && types.CanFail(from, to)
	return &plan.Cast{Meta: meta(to.WithNullable(nullable), e.Pos()), X: of, Try: e.Try}, nil
}

// condition returns an expression that must be BOOLEAN.
func (x *exprs) condition(e ast.Expr) (plan.Expr, error) {
	p, err := x.expr(e)
	if err != nil {
		return nil, err
	}
	return asBoolean(p, x.clause)
}

func asBoolean(p plan.Expr, where string) (plan.Expr, error) {
	if p.Type().Kind == types.Null {
		return function.Coerce(p, types.Of(types.Boolean)), nil
	}
	if p.Type().Kind != types.Boolean {
		return nil, diag.At(p.Pos(), "%s needs a BOOLEAN condition, found %s", where, p.Type().OrNull())
	}
	return p, nil
}
