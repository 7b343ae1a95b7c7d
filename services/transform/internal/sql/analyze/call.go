package analyze

import (
	"strings"

	"github.com/weirflow/weirflow/services/transform/internal/plan"
	"github.com/weirflow/weirflow/services/transform/internal/sql/ast"
	"github.com/weirflow/weirflow/services/transform/internal/sql/diag"
	"github.com/weirflow/weirflow/services/transform/internal/sql/function"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

// function binds a call.
func (x *exprs) function(f *ast.Func) (plan.Expr, error) {
	name := strings.ToUpper(f.Path.Last())
	def, ok := x.functions.Lookup(name)
	if len(f.Path) > 1 || !ok {
		return x.userFunction(f)
	}
	if x.match != nil {
		if p, err := x.match.function(x, f, def); p != nil || err != nil {
			return p, err
		}
	}
	switch def.Class {
	case function.Aggregate:
		return x.aggregate(f, def)
	case function.Ranking:
		if f.Over == nil {
			return nil, diag.At(f.Pos(), "%s needs an OVER clause", name).
				WithHint("write %s(…) OVER (PARTITION BY … ORDER BY …)", name)
		}
		return x.over(f, def)
	case function.Grouping:
		return x.grouping(f)
	case function.Group:
		return x.groupWindow(f, def)
	case function.Pattern:
		return nil, diag.At(f.Pos(), "%s can only be used in MATCH_RECOGNIZE", name)
	}
	if err := plainCall(f, name); err != nil {
		return nil, err
	}
	return x.scalar(f, name, def)
}

// plainCall refuses the clauses of aggregates on scalar functions.
func plainCall(f *ast.Func, name string) error {
	switch {
	case f.Star:
		return diag.At(f.Pos(), "%s(*) is not supported; only COUNT takes *", name)
	case f.Distinct:
		return diag.At(f.Pos(), "DISTINCT is only for aggregate functions, and %s is none", name)
	case f.Filter != nil:
		return diag.At(f.Pos(), "FILTER is only for aggregate functions, and %s is none", name)
	case f.Over != nil:
		return diag.At(f.Pos(), "OVER is only for aggregate and ranking functions, and %s is neither", name)
	}
	return nil
}

func (x *exprs) scalar(f *ast.Func, name string, def *function.Def) (plan.Expr, error) {
	args := &function.Args{Name: name, At: f.Pos()}
	var err error
	if f.JSON != nil {
		args.Exprs, err = x.jsonArgs(f, name)
	} else {
		args.Exprs, err = x.list(f.Args)
	}
	if err != nil {
		return nil, err
	}
	t, err := def.Bind(args)
	if err != nil {
		return nil, err
	}
	if f.JSON != nil && f.JSON.Returning != nil {
		if t, err = jsonReturning(f, name); err != nil {
			return nil, err
		}
	}
	switch def.Name {
	case "NULLIF":
		return nullIf(args, t)
	case plan.FnMod:
		return arithmetic("%", args.Exprs[0], args.Exprs[1], f.Pos())
	case "TYPEOF":
		return &plan.Literal{Meta: meta(types.StringType().NotNull(), f.Pos()), Value: args.Type(0).String()}, nil
	}
	return call(def.Name, t, f.Pos(), args.Exprs...), nil
}

// nullIf is CASE WHEN a = b THEN NULL ELSE a END.
func nullIf(a *function.Args, t types.Type) (plan.Expr, error) {
	cond, err := compare(plan.FnEqual, a.Exprs[0], a.Exprs[1], a.At)
	if err != nil {
		return nil, err
	}
	null := &plan.Literal{Meta: meta(t, a.At)}
	return &plan.Case{Meta: meta(t, a.At), Whens: []plan.When{{Cond: cond, Then: null}}, Else: a.Exprs[0]}, nil
}

// userFunction binds a call of a function made with CREATE FUNCTION.
func (x *exprs) userFunction(f *ast.Func) (plan.Expr, error) {
	id, err := x.catalog.Resolve(f.Path.Texts())
	if err != nil {
		return nil, diag.At(f.Pos(), "%s", err.Error())
	}
	u, ok := x.catalog.Function(id)
	if !ok {
		return nil, x.unknownFunction(f)
	}
	if err := plainCall(f, u.ID.Name); err != nil {
		return nil, err
	}
	args, err := x.list(f.Args)
	if err != nil {
		return nil, err
	}
	if u.Returns.Kind == types.Invalid {
		return nil, diag.At(f.Pos(), "function %s (%s) cannot run here", u.ID.Name, strings.ToLower(u.Language)).
			WithHint("write it as a SQL function: CREATE FUNCTION %s(x STRING) RETURNS STRING AS …", u.ID.Name)
	}
	if len(args) != len(u.Params) {
		return nil, diag.At(f.Pos(), "%s takes %d arguments, found %d", u.ID.Name, len(u.Params), len(args))
	}
	for i, p := range u.Params {
		if !types.CanPass(args[i].Type(), p.Type) {
			return nil, diag.At(args[i].Pos(), "argument %d of %s must be %s, found %s", i+1, u.ID.Name, p.Type.OrNull(), args[i].Type().OrNull())
		}
		args[i] = function.Coerce(args[i], p.Type)
	}
	if u.Body != nil {
		return function.Coerce(plan.Substitute(u.Body, args), u.Returns), nil
	}
	return &plan.Call{Meta: meta(u.Returns, f.Pos()), Function: u.ID.Name, Args: args, User: u.UserFunction}, nil
}

func (x *exprs) unknownFunction(f *ast.Func) error {
	args, err := x.list(f.Args)
	if err != nil {
		return err
	}
	kinds := make([]string, len(args))
	for i, p := range args {
		kinds[i] = family(p.Type().Kind)
	}
	name := f.Path.String()
	e := diag.At(f.Pos(), "no match found for function signature %s(%s)", name, strings.Join(kinds, ", "))
	if instead := function.Instead(name); instead != "" {
		return e.WithHint("use %s", instead)
	}
	if near := diag.Nearest(strings.ToUpper(name), x.functions.Names()); near != "" {
		return e.WithHint("did you mean %s?", near)
	}
	return e
}

// family names the group of types in the message about an unknown function.
func family(k types.Kind) string {
	switch {
	case k.IsNumeric():
		return "<NUMERIC>"
	case k.IsCharacter():
		return "<CHARACTER>"
	case k == types.Timestamp || k == types.TimestampLTZ:
		return "<TIMESTAMP>"
	}
	return "<" + k.String() + ">"
}

// jsonArgs puts the clauses of a JSON function into the form that plan documents.
func (x *exprs) jsonArgs(f *ast.Func, name string) ([]plan.Expr, error) {
	j := f.JSON
	if name == "JSON_OBJECT" || name == "JSON_ARRAY" {
		return x.jsonConstructor(f, name)
	}
	args, err := x.list(f.Args)
	if err != nil {
		return nil, err
	}
	switch name {
	case "JSON_EXISTS":
		what := "FALSE"
		if j.OnError != nil {
			what = j.OnError.What
		}
		return append(args, symbol(what, f.Pos())), nil
	case "JSON_QUERY":
		wrapper := j.Wrapper
		if wrapper == "" {
			wrapper = "WITHOUT"
		}
		return append(args, symbol(wrapper, f.Pos()), symbol(behavior(j.OnEmpty), f.Pos()), symbol(behavior(j.OnError), f.Pos())), nil
	}
	for _, b := range []*ast.JSONBehavior{j.OnEmpty, j.OnError} {
		def := plan.Expr(&plan.Literal{Meta: meta(types.StringType(), f.Pos())})
		if b != nil && b.Default != nil {
			if def, err = x.expr(b.Default); err != nil {
				return nil, err
			}
			if def, err = jsonDefault(f, def); err != nil {
				return nil, err
			}
		}
		args = append(args, symbol(behavior(b), f.Pos()), def)
	}
	return args, nil
}

func jsonDefault(f *ast.Func, def plan.Expr) (plan.Expr, error) {
	t := types.StringType()
	if f.JSON.Returning != nil {
		var err error
		if t, err = jsonReturning(f, "JSON_VALUE"); err != nil {
			return nil, err
		}
	}
	if !types.CanCast(def.Type(), t) {
		return nil, diag.At(def.Pos(), "the default value must be %s, found %s", t, def.Type().OrNull())
	}
	return function.Coerce(def, t), nil
}

func behavior(b *ast.JSONBehavior) string {
	if b == nil {
		return "NULL"
	}
	return b.What
}

func jsonReturning(f *ast.Func, name string) (types.Type, error) {
	t, err := DataType(f.JSON.Returning)
	if err != nil {
		return t, err
	}
	ok := false
	switch name {
	case "JSON_VALUE":
		ok = t.Kind.IsCharacter() || t.Kind == types.Boolean || t.Kind == types.Int || t.Kind == types.Double || t.Kind == types.BigInt
	case "JSON_QUERY":
		ok = t.Kind.IsCharacter() || t.Kind == types.Array && t.Elem.Kind.IsCharacter()
	}
	if !ok {
		return t, diag.At(f.JSON.Returning.Pos(), "%s cannot return %s", name, t).WithHint("return STRING and cast it")
	}
	return t.OrNull(), nil
}

func (x *exprs) jsonConstructor(f *ast.Func, name string) ([]plan.Expr, error) {
	onNull := f.JSON.OnNull
	if onNull == "" {
		onNull = "NULL"
		if name == "JSON_ARRAY" {
			onNull = "ABSENT"
		}
	}
	args := []plan.Expr{symbol(onNull, f.Pos())}
	for i, a := range f.Args {
		if name == "JSON_OBJECT" {
			k, err := x.expr(f.JSON.Keys[i])
			if err != nil {
				return nil, err
			}
			if !k.Type().Kind.IsCharacter() {
				return nil, diag.At(k.Pos(), "a key of JSON_OBJECT must be a string, found %s", k.Type().OrNull())
			}
			args = append(args, k)
		}
		v, err := x.expr(a)
		if err != nil {
			return nil, err
		}
		if c, ok := v.(*plan.Call); ok && (c.Function == plan.FnJSONObject || c.Function == plan.FnJSONArray) {
			v = call(plan.FnJSONNested, c.Typ, c.At, c)
		}
		args = append(args, v)
	}
	return args, nil
}
