package function

import (
	"math/big"
	"unicode/utf8"

	"github.com/weirflow/weirflow/services/transform/internal/plan"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

// Coerce returns e as a value of type to, with an implicit cast where needed. The
// nullability stays that of e. Constants are converted at once where that is exact.
func Coerce(e plan.Expr, to types.Type) plan.Expr {
	from := e.Type()
	to = to.WithNullable(from.Nullable || from.Kind == types.Null).Plain()
	if from.Plain().Same(to) {
		return e
	}
	if l, ok := e.(*plan.Literal); ok {
		if v, exact := convert(l.Value, from, to); exact {
			return &plan.Literal{Meta: plan.Meta{Typ: to, At: l.At}, Value: v}
		}
	}
	return &plan.Cast{Meta: plan.Meta{Typ: to, At: e.Pos()}, X: e, Implicit: true}
}

// convert gives the value of a constant as another type, if nothing is lost.
func convert(v any, from, to types.Type) (any, bool) {
	switch v := v.(type) {
	case nil:
		return nil, true
	case string:
		return v, to.Kind == types.Varchar && from.Kind.IsCharacter() && utf8.RuneCountInString(v) <= to.Length
	case int64:
		if !from.Kind.IsInteger() {
			return nil, false
		}
		switch {
		case to.Kind.IsInteger():
			return v, to.Kind >= from.Kind
		case to.Kind == types.Double:
			return float64(v), v>>53 == 0 || v>>53 == -1
		case to.Kind == types.Decimal:
			return scaled(types.DecimalValue{Unscaled: big.NewInt(v)}, to)
		}
	case types.DecimalValue:
		if to.Kind == types.Decimal && to.Scale >= v.Scale {
			return scaled(v, to)
		}
	}
	return nil, false
}

func scaled(v types.DecimalValue, to types.Type) (any, bool) {
	n := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(to.Scale-v.Scale)), nil)
	n.Mul(n, v.Unscaled)
	return types.DecimalValue{Unscaled: n, Scale: to.Scale}, len(new(big.Int).Abs(n).String()) <= to.Precision
}
