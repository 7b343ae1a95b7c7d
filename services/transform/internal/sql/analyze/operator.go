package analyze

import (
	"math"
	"slices"

	"github.com/weirflow/weirflow/services/transform/internal/plan"
	"github.com/weirflow/weirflow/services/transform/internal/sql/ast"
	"github.com/weirflow/weirflow/services/transform/internal/sql/diag"
	"github.com/weirflow/weirflow/services/transform/internal/sql/function"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

func (x *exprs) unary(e *ast.Unary) (plan.Expr, error) {
	if l, ok := e.X.(*ast.Literal); ok && e.Op == "-" && (l.Kind == ast.IntegerLiteral || l.Kind == ast.DecimalLiteral) {
		t, v, err := number(l, "-"+l.Text)
		if err != nil {
			return nil, err
		}
		return &plan.Literal{Meta: meta(t, e.Pos()), Value: v}, nil
	}
	p, err := x.expr(e.X)
	if err != nil {
		return nil, err
	}
	t := p.Type()
	if e.Op == "NOT" {
		if p, err = asBoolean(p, "NOT"); err != nil {
			return nil, err
		}
		return call(plan.FnNot, p.Type(), e.Pos(), p), nil
	}
	if !t.Kind.IsNumeric() && !t.Kind.IsInterval() {
		return nil, diag.At(e.Pos(), "%s needs a number, found %s", e.Op, t.OrNull())
	}
	if e.Op == "+" {
		return p, nil
	}
	if l, ok := p.(*plan.Literal); ok {
		if f, isFloat := l.Value.(float64); isFloat && f == 0 {
			return l, nil // constants have no negative zero
		} else if isFloat {
			return &plan.Literal{Meta: meta(t, e.Pos()), Value: -f}, nil
		}
	}
	return call(plan.FnNegate, t, e.Pos(), p), nil
}

func (x *exprs) binary(e *ast.Binary) (plan.Expr, error) {
	if e.Op == "AND" || e.Op == "OR" {
		return x.logic(e)
	}
	if e.Op == "OVERLAPS" {
		return x.overlaps(e)
	}
	l, err := x.expr(e.L)
	if err != nil {
		return nil, err
	}
	r, err := x.expr(e.R)
	if err != nil {
		return nil, err
	}
	switch e.Op {
	case "+", "-", "*", "/", "%":
		return arithmetic(e.Op, l, r, e.Pos())
	case "||":
		return concat(l, r, e.Pos())
	case "=", "<>", "<", "<=", ">", ">=", plan.FnDistinct, plan.FnNotDistinct:
		return compare(e.Op, l, r, e.Pos())
	}
	return nil, diag.At(e.Pos(), "the operator %s is not supported", e.Op)
}

// logic flattens chains of AND or OR.
func (x *exprs) logic(e *ast.Binary) (plan.Expr, error) {
	var operands []ast.Expr
	var cur ast.Expr = e
	for {
		b, ok := cur.(*ast.Binary)
		if !ok || b.Op != e.Op {
			operands = append(operands, cur)
			break
		}
		operands = append(operands, b.R)
		cur = b.L
	}
	args := make([]plan.Expr, 0, len(operands))
	nullable := false
	for _, operand := range slices.Backward(operands) {
		p, err := x.expr(operand)
		if err != nil {
			return nil, err
		}
		if p, err = asBoolean(p, e.Op); err != nil {
			return nil, err
		}
		nullable = nullable || p.Type().Nullable
		args = append(args, p)
	}
	return call(e.Op, boolType(nullable), e.Pos(), args...), nil
}

func arithmetic(op string, l, r plan.Expr, at plan.Pos) (plan.Expr, error) {
	lt, rt := l.Type(), r.Type()
	if lt.Kind.IsInterval() || rt.Kind.IsInterval() || lt.Kind.IsDatetime() || rt.Kind.IsDatetime() {
		return timeArithmetic(op, l, r, at)
	}
	if lt.Kind.IsCharacter() && rt.Kind.IsNumeric() {
		l = function.Coerce(l, numberFor(rt))
	} else if rt.Kind.IsCharacter() && lt.Kind.IsNumeric() {
		r = function.Coerce(r, numberFor(lt))
	}
	lt, rt = l.Type(), r.Type()
	if !isNumber(lt) || !isNumber(rt) || lt.Kind == types.Null && rt.Kind == types.Null {
		err := diag.At(at, "cannot apply %q to %s and %s", op, lt.OrNull(), rt.OrNull())
		if op == "+" && (lt.Kind.IsCharacter() || rt.Kind.IsCharacter()) {
			err = err.WithHint("use || or CONCAT to join strings")
		}
		return nil, err
	}
	t := types.Arithmetic(op[0], lt, rt)
	if lt.Kind == types.Null {
		l = function.Coerce(l, rt)
	}
	if rt.Kind == types.Null {
		r = function.Coerce(r, lt)
	}
	if t.Kind != types.Decimal && (op != "%" || t.Kind.IsApprox()) {
		l, r = function.Coerce(l, t), function.Coerce(r, t)
	}
	if op == "%" {
		return call(plan.FnMod, t, at, l, r), nil
	}
	return call(op, t, at, l, r), nil
}

func isNumber(t types.Type) bool { return t.Kind.IsNumeric() || t.Kind == types.Null }

// numberFor is what a string becomes beside a number.
func numberFor(t types.Type) types.Type {
	if t.Kind == types.Decimal {
		return types.DecimalType(types.MaxDecimalPrecision, 19)
	}
	return t
}

// timeArithmetic is datetime ± interval, interval ± interval, interval * number.
func timeArithmetic(op string, l, r plan.Expr, at plan.Pos) (plan.Expr, error) {
	lt, rt := l.Type(), r.Type()
	nullable := lt.Nullable || rt.Nullable
	fail := diag.At(at, "cannot apply %q to %s and %s", op, lt.OrNull(), rt.OrNull())
	switch {
	case lt.Kind.IsDatetime() && rt.Kind.IsInterval() && (op == "+" || op == "-"):
		return call(op, lt.Plain().WithNullable(nullable), at, l, r), nil
	case lt.Kind.IsInterval() && rt.Kind.IsDatetime() && op == "+":
		return call(op, rt.Plain().WithNullable(nullable), at, r, l), nil
	case lt.Kind.IsInterval() && lt.Kind == rt.Kind && (op == "+" || op == "-"):
		return call(op, lt.WithNullable(nullable), at, l, r), nil
	case lt.Kind.IsInterval() && rt.Kind.IsNumeric() && (op == "*" || op == "/"):
		return call(op, lt.WithNullable(nullable), at, l, r), nil
	case lt.Kind.IsNumeric() && rt.Kind.IsInterval() && op == "*":
		return call(op, rt.WithNullable(nullable), at, r, l), nil
	case lt.Kind.IsDatetime() && rt.Kind.IsDatetime() && op == "-":
		return nil, fail.WithHint("use TIMESTAMPDIFF(unit, start, end)")
	case lt.Kind.IsDatetime() && rt.Kind.IsNumeric():
		return nil, fail.WithHint("write INTERVAL '…' DAY instead of a number")
	}
	return nil, fail
}

func concat(l, r plan.Expr, at plan.Pos) (plan.Expr, error) {
	for _, p := range []*plan.Expr{&l, &r} {
		t := (*p).Type()
		switch {
		case t.Kind.IsCharacter(), t.Kind.IsBinary():
		case t.Kind.IsNumeric(), t.Kind == types.Boolean, t.Kind.IsDatetime(), t.Kind == types.Null:
			*p = function.Coerce(*p, types.StringType())
		default:
			return nil, diag.At((*p).Pos(), "|| needs strings, found %s", t.OrNull())
		}
	}
	if l.Type().Kind.IsBinary() != r.Type().Kind.IsBinary() {
		return nil, diag.At(at, "cannot apply \"||\" to %s and %s", l.Type().OrNull(), r.Type().OrNull())
	}
	return call(plan.FnConcatOp, types.Concat(l.Type(), r.Type()), at, l, r), nil
}

// compare casts both sides to one type. Rows that are written out are compared
// field by field, so that a NULL in one makes the result unknown.
func compare(op string, l, r plan.Expr, at plan.Pos) (plan.Expr, error) {
	x, xok := l.(*plan.RowCtor)
	y, yok := r.(*plan.RowCtor)
	if xok && yok && len(x.Fields) == len(y.Fields) && len(x.Fields) > 1 && (op == plan.FnEqual || op == plan.FnNotEqual) {
		var fields []plan.Expr
		nullable := false
		for i := range x.Fields {
			c, err := compare(op, x.Fields[i], y.Fields[i], at)
			if err != nil {
				return nil, err
			}
			fields = append(fields, c)
			nullable = nullable || c.Type().Nullable
		}
		join := plan.FnAnd
		if op == plan.FnNotEqual {
			join = plan.FnOr
		}
		return call(join, boolType(nullable), at, fields...), nil
	}
	t, ok := function.ComparisonType(l.Type(), r.Type())
	if !ok {
		return nil, diag.At(at, "cannot apply %q to %s and %s", op, l.Type().OrNull(), r.Type().OrNull()).
			WithHint("cast one side to the type of the other")
	}
	if ordered := op != "=" && op != "<>" && op != plan.FnDistinct && op != plan.FnNotDistinct; ordered && t.Kind.IsCollection() {
		return nil, diag.At(at, "%s cannot be ordered", t.OrNull())
	}
	l, r = compared(l, t), compared(r, t)
	nullable := l.Type().Nullable || r.Type().Nullable
	if op == plan.FnDistinct || op == plan.FnNotDistinct {
		nullable = false
	}
	return call(op, boolType(nullable), at, l, r), nil
}

// compared casts one side of a comparison. A text that is no time is NULL beside one.
func compared(e plan.Expr, t types.Type) plan.Expr {
	out := function.Coerce(e, t)
	if c, ok := out.(*plan.Cast); ok && c.Implicit && e.Type().Kind.IsCharacter() && t.Kind.IsDatetime() {
		if _, constant := e.(*plan.Literal); !constant {
			c.Try = true
			c.Typ = c.Typ.OrNull()
		}
	}
	return out
}

func (x *exprs) is(e *ast.Is) (plan.Expr, error) {
	p, err := x.expr(e.X)
	if err != nil {
		return nil, err
	}
	fn := "IS "
	if e.Not {
		fn = "IS NOT "
	}
	switch e.Test {
	case "NULL":
		return call(fn+"NULL", boolType(false), e.Pos(), p), nil
	case "TRUE", "FALSE", "UNKNOWN":
		if p, err = asBoolean(p, fn+e.Test); err != nil {
			return nil, err
		}
		if e.Test == "UNKNOWN" && e.Not {
			return call(plan.FnIsNotNull, boolType(false), e.Pos(), p), nil
		}
		return call(fn+e.Test, boolType(false), e.Pos(), p), nil
	case "JSON VALUE", "JSON OBJECT", "JSON ARRAY", "JSON SCALAR":
		if k := p.Type().Kind; !k.IsCharacter() && k != types.Null {
			return nil, diag.At(e.Pos(), "IS JSON needs a string, found %s", p.Type().OrNull())
		}
		return call(fn+e.Test, boolType(false), e.Pos(), function.Coerce(p, types.StringType())), nil
	}
	return nil, diag.At(e.Pos(), "%s%s is not supported", fn, e.Test)
}

func (x *exprs) between(e *ast.Between) (plan.Expr, error) {
	args, err := x.list([]ast.Expr{e.X, e.Low, e.High})
	if err != nil {
		return nil, err
	}
	t := args[0].Type()
	for _, bound := range args[1:] {
		c, ok := function.ComparisonType(t, bound.Type())
		if !ok {
			return nil, diag.At(bound.Pos(), "BETWEEN cannot compare %s with %s", t.OrNull(), bound.Type().OrNull())
		}
		t = c
	}
	nullable := false
	for i := range args {
		nullable = nullable || args[i].Type().Nullable
		args[i] = function.Coerce(args[i], t)
	}
	fn := plan.FnBetween
	if e.Symmetric {
		fn = plan.FnBetweenSymmetric
	}
	if e.Not {
		fn = "NOT " + fn
	}
	return call(fn, boolType(nullable), e.Pos(), args...), nil
}

func (x *exprs) in(e *ast.In) (plan.Expr, error) {
	if e.Query != nil {
		return x.subquery(e)
	}
	args, err := x.list(append([]ast.Expr{e.X}, e.List...))
	if err != nil {
		return nil, err
	}
	t := args[0].Type()
	for _, item := range args[1:] {
		c, ok := function.ComparisonType(t, item.Type())
		if !ok {
			return nil, diag.At(item.Pos(), "IN cannot compare %s with %s", t.OrNull(), item.Type().OrNull())
		}
		t = c
	}
	nullable := false
	for i := range args {
		nullable = nullable || args[i].Type().Nullable || args[i].Type().Kind == types.Null
		args[i] = function.Coerce(args[i], t)
	}
	fn := plan.FnIn
	if e.Not {
		fn = plan.FnNotIn
	}
	return call(fn, boolType(nullable), e.Pos(), args...), nil
}

func (x *exprs) like(e *ast.Like) (plan.Expr, error) {
	parts := []ast.Expr{e.X, e.Pattern}
	if e.Escape != nil {
		parts = append(parts, e.Escape)
	}
	args, err := x.list(parts)
	if err != nil {
		return nil, err
	}
	nullable := false
	for i, p := range args {
		k := p.Type().Kind
		if !k.IsCharacter() && k != types.Null {
			return nil, diag.At(p.Pos(), "LIKE needs strings, found %s", p.Type().OrNull())
		}
		nullable = nullable || p.Type().Nullable
		if k == types.Null {
			args[i] = function.Coerce(p, types.StringType())
		}
	}
	if len(args) == 3 {
		if l, ok := args[2].(*plan.Literal); ok {
			if s, _ := l.Value.(string); len([]rune(s)) != 1 {
				return nil, diag.At(l.At, "ESCAPE needs a single character, found '%s'", s)
			}
		}
	}
	fn := plan.FnLike
	if e.Similar {
		fn = plan.FnSimilar
	}
	if e.Not {
		fn = "NOT " + fn
	}
	return call(fn, boolType(nullable), e.Pos(), args...), nil
}

// overlaps is (start, end or interval) OVERLAPS (start, end or interval).
func (x *exprs) overlaps(e *ast.Binary) (plan.Expr, error) {
	var args []plan.Expr
	for _, side := range []ast.Expr{e.L, e.R} {
		row, ok := side.(*ast.Row)
		if !ok || len(row.Items) != 2 {
			return nil, diag.At(side.Pos(), "OVERLAPS needs (start, end) or (start, interval) on both sides")
		}
		pair, err := x.list(row.Items)
		if err != nil {
			return nil, err
		}
		if pair[1].Type().Kind.IsInterval() {
			if pair[1], err = arithmetic("+", pair[0], pair[1], side.Pos()); err != nil {
				return nil, err
			}
		}
		args = append(args, pair...)
	}
	t, err := unify(args, "the times of OVERLAPS", e.Pos())
	if err != nil {
		return nil, err
	}
	if !t.Kind.IsDatetime() {
		return nil, diag.At(e.Pos(), "OVERLAPS needs times, found %s", t.OrNull())
	}
	return call(plan.FnOverlaps, boolType(t.Nullable), e.Pos(), args...), nil
}

// caseExpr turns CASE x WHEN v … into CASE WHEN x = v ….
func (x *exprs) caseExpr(e *ast.Case) (plan.Expr, error) {
	var conds, values []plan.Expr
	for _, w := range e.Whens {
		cond, err := x.whenCondition(e, w.Cond)
		if err != nil {
			return nil, err
		}
		then, err := x.expr(w.Then)
		if err != nil {
			return nil, err
		}
		conds, values = append(conds, cond), append(values, then)
	}
	other := plan.Expr(&plan.Literal{Meta: meta(types.Of(types.Null), e.Pos())})
	if e.Else != nil {
		var err error
		if other, err = x.expr(e.Else); err != nil {
			return nil, err
		}
	}
	values = append(values, other)
	t, err := unify(values, "the branches of CASE", e.Pos())
	if err != nil {
		return nil, err
	}
	if t.Kind == types.Null {
		return nil, diag.At(e.Pos(), "all branches of CASE are NULL").WithHint("cast one of them to a type")
	}
	out := &plan.Case{Meta: meta(t, e.Pos()), Else: values[len(values)-1]}
	for i, c := range conds {
		out.Whens = append(out.Whens, plan.When{Cond: c, Then: values[i]})
	}
	return out, nil
}

func (x *exprs) whenCondition(e *ast.Case, cond ast.Expr) (plan.Expr, error) {
	if e.Operand == nil {
		p, err := x.expr(cond)
		if err != nil {
			return nil, err
		}
		return asBoolean(p, "WHEN")
	}
	if b, ok := cond.(*ast.Binary); ok && b.Op == "," {
		l, err := x.whenCondition(e, b.L)
		if err != nil {
			return nil, err
		}
		r, err := x.whenCondition(e, b.R)
		if err != nil {
			return nil, err
		}
		return call(plan.FnOr, boolType(l.Type().Nullable || r.Type().Nullable), b.Pos(), l, r), nil
	}
	l, err := x.expr(e.Operand)
	if err != nil {
		return nil, err
	}
	r, err := x.expr(cond)
	if err != nil {
		return nil, err
	}
	return compare(plan.FnEqual, l, r, cond.Pos())
}

// constantInt returns the value of a constant that must be a whole number of 0 or more.
func (x *exprs) constantInt(e ast.Expr, what string) (int64, error) {
	p, err := x.expr(e)
	if err != nil {
		return 0, err
	}
	if l, ok := p.(*plan.Literal); ok {
		if n, isInt := l.Value.(int64); isInt && n >= 0 && n <= math.MaxInt64/2 && !l.Typ.Kind.IsInterval() {
			return n, nil
		}
	}
	return 0, diag.At(e.Pos(), "%s needs a constant whole number of 0 or more", what)
}
