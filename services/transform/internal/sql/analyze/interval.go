package analyze

import (
	"github.com/weirflow/weirflow/services/transform/internal/plan"
	"github.com/weirflow/weirflow/services/transform/internal/sql/ast"
	"github.com/weirflow/weirflow/services/transform/internal/sql/diag"
	"github.com/weirflow/weirflow/services/transform/internal/sql/function"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

// intervalUnit is the unit that an interval was written in, or empty when there
// are several or none can be seen.
func intervalUnit(e ast.Expr) string {
	single := func(u *ast.IntervalUnit) string {
		if u == nil || u.To != "" {
			return ""
		}
		return u.From
	}
	switch e := e.(type) {
	case *ast.Literal:
		return single(e.Interval)
	case *ast.Cast:
		return single(e.Type.Interval)
	case *ast.Unary:
		return intervalUnit(e.X)
	case *ast.Binary:
		l := intervalUnit(e.L)
		if e.Op == "+" || e.Op == "-" {
			if l != intervalUnit(e.R) {
				return ""
			}
		} else if l == "" {
			return intervalUnit(e.R)
		}
		return l
	}
	return ""
}

// castInterval is a CAST between a number and an interval of one unit: 5 and
// INTERVAL '5' DAY.
func castInterval(e *ast.Cast, of plan.Expr, to types.Type) (plan.Expr, error) {
	from := of.Type()
	refused := diag.At(e.Pos(), "cannot cast %s to %s", from.OrNull(), to.OrNull())
	if to.Kind.IsInterval() {
		u := e.Type.Interval
		if u.To != "" || !from.Kind.IsExact() {
			return nil, refused.WithHint("an exact number becomes an interval of one unit, such as CAST(5 AS INTERVAL DAY)")
		}
		length := unitMillis[u.From] + unitMonths[u.From]
		one := &plan.Literal{Meta: meta(to.NotNull(), e.Pos()), Value: length}
		return arithmetic("*", one, of, e.Pos())
	}
	unit := intervalUnit(e.X)
	if unit == "" || !to.Kind.IsInteger() {
		return nil, refused.WithHint("an interval of one unit becomes an integer; between two times, TIMESTAMPDIFF(DAY, a, b) counts")
	}
	nullable := from.Nullable
	total := &plan.Cast{Meta: meta(types.Of(types.BigInt).WithNullable(nullable), e.Pos()), X: of}
	length := &plan.Literal{Meta: meta(types.Of(types.BigInt).NotNull(), e.Pos()), Value: unitMillis[unit] + unitMonths[unit]}
	count, err := arithmetic("/", total, length, e.Pos())
	if err != nil {
		return nil, err
	}
	return function.Coerce(count, to), nil
}
