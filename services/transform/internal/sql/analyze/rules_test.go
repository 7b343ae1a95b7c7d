package analyze

import (
	"math"
	"reflect"
	"testing"

	"github.com/weirflow/weirflow/services/transform/internal/plan"
	"github.com/weirflow/weirflow/services/transform/internal/sql/ast"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

func TestGroupingSets(t *testing.T) {
	t.Parallel()
	parts := [][]int{{0}, {1, 2}}
	if got := rollup(parts); !reflect.DeepEqual(got, [][]int{{0, 1, 2}, {0}, nil}) {
		t.Errorf("rollup %v", got)
	}
	if got := cube(parts); !reflect.DeepEqual(got, [][]int{{0, 1, 2}, {0}, {1, 2}, nil}) {
		t.Errorf("cube %v", got)
	}
}

func TestIntervals(t *testing.T) {
	t.Parallel()
	unit := func(from, to string) *ast.IntervalUnit { return &ast.IntervalUnit{From: from, To: to} }
	const day = 86400000
	tests := []struct {
		text string
		unit *ast.IntervalUnit
		want int64 // -1: an error
	}{
		{"1", unit("DAY", ""), day}, {"2", unit("WEEK", ""), 14 * day}, {"1.5", unit("SECOND", ""), 1500}, {"90", unit("SECOND", ""), 90000}, {"3", unit("QUARTER", ""), 9},
		{"1-2", unit("YEAR", "MONTH"), 14}, {"1 02:03:04.5", unit("DAY", "SECOND"), day + 7384500}, {"02:03", unit("HOUR", "MINUTE"), 7380000}, {"1 2", unit("DAY", "HOUR"), day + 7200000},
		{"x", unit("DAY", ""), -1}, {"1.5", unit("DAY", ""), -1}, {"1-12", unit("YEAR", "MONTH"), -1}, {"1 25", unit("DAY", "HOUR"), -1}, {"1", unit("DAY", "SECOND"), -1},
		{"99999999999999999999", unit("DAY", ""), -1}, {"9223372036854775807", unit("WEEK", ""), -1},
	}
	for _, tt := range tests {
		_, v, err := intervalLiteral(&ast.Literal{Kind: ast.IntervalLiteral, Text: tt.text, Interval: tt.unit})
		if (err != nil) != (tt.want < 0) || err == nil && v != tt.want {
			t.Errorf("'%s' %s: %v %v, want %d", tt.text, unitText(tt.unit), v, err, tt.want)
		}
	}
}

func TestNumbers(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"0": "INT NOT NULL", "2147483647": "INT NOT NULL", "2147483648": "BIGINT NOT NULL", "-2147483648": "INT NOT NULL", "9223372036854775808": "DECIMAL(19, 0) NOT NULL",
		"0.5": "DECIMAL(2, 1) NOT NULL", ".5": "DECIMAL(1, 1) NOT NULL", "10.0": "DECIMAL(3, 1) NOT NULL", "1.": "DECIMAL(1, 0) NOT NULL",
	} {
		typ, _, err := number(&ast.Literal{}, text)
		if err != nil || typ.String() != want {
			t.Errorf("%s: %s %v, want %s", text, typ, err, want)
		}
	}
	if _, _, err := number(&ast.Literal{}, "123456789012345678901234567890123456789.5"); err == nil {
		t.Error("a number of 40 digits is taken")
	}
}

func TestRankRange(t *testing.T) {
	t.Parallel()
	number := &plan.InputRef{Index: 3}
	isNumber := func(e plan.Expr) bool { return e == plan.Expr(number) }
	lit := func(n int64) plan.Expr { return &plan.Literal{Value: n} }
	cond := func(op string, a, b plan.Expr) plan.Expr { return call(op, boolType(false), plan.Pos{}, a, b) }
	tests := []struct {
		cond     plan.Expr
		from, to int64
		rest     int
	}{
		{cond(plan.FnLessEq, number, lit(5)), 1, 5, 0}, {cond(plan.FnLess, number, lit(5)), 1, 4, 0}, {cond(plan.FnEqual, lit(2), number), 2, 2, 0},
		{cond(plan.FnGreaterEq, lit(5), number), 1, 5, 0}, {plan.And(cond(plan.FnGreater, number, lit(2)), cond(plan.FnLessEq, number, lit(4))), 3, 4, 0},
		{plan.And(cond(plan.FnLessEq, number, lit(4)), cond(plan.FnEqual, lit(1), lit(1))), 1, 4, 1}, {cond(plan.FnNotEqual, number, lit(4)), 1, math.MaxInt64, 1},
	}
	for i, tt := range tests {
		from, to, rest := rankRange(tt.cond, isNumber)
		if from != tt.from || to != tt.to || len(rest) != tt.rest {
			t.Errorf("case %d: %d to %d, %d left", i, from, to, len(rest))
		}
	}
}

func TestIntervalBounds(t *testing.T) {
	t.Parallel()
	rowtime := types.TimestampType(3)
	rowtime.Attribute = types.Rowtime
	fields := []types.Field{{Name: "l", Type: rowtime}, {Name: "r", Type: rowtime}}
	l, r := ref(fields, 0, plan.Pos{}), ref(fields, 1, plan.Pos{})
	plus := func(e plan.Expr, ms int64) plan.Expr {
		return call(plan.FnPlus, rowtime, plan.Pos{}, e, &plan.Literal{Meta: meta(types.Of(types.IntervalDayTime), plan.Pos{}), Value: ms})
	}
	cond := func(op string, args ...plan.Expr) plan.Expr { return call(op, boolType(false), plan.Pos{}, args...) }
	tests := []struct {
		name         string
		conds        []plan.Expr
		lower, upper int64
	}{
		{"between", []plan.Expr{cond(plan.FnBetween, l, r, plus(r, 15))}, -15, 0},
		{"the other way", []plan.Expr{cond(plan.FnBetween, r, plus(l, -5), plus(l, 5))}, -5, 5},
		{"two comparisons", []plan.Expr{cond(plan.FnGreater, l, r), cond(plan.FnLessEq, l, plus(r, 10))}, -10, -1},
		{"equal", []plan.Expr{cond(plan.FnEqual, l, r)}, 0, 0},
	}
	for _, tt := range tests {
		b := &bounds{width: 1, left: -1, right: -1, lower: unbounded, upper: -unbounded, fields: fields}
		for _, c := range tt.conds {
			if !b.take(c) {
				t.Errorf("%s: not taken", tt.name)
			}
		}
		if b.lower != tt.lower || b.upper != tt.upper {
			t.Errorf("%s: %d to %d, want %d to %d", tt.name, b.lower, b.upper, tt.lower, tt.upper)
		}
	}
}
