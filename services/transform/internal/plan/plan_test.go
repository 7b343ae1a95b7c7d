package plan_test

import (
	"testing"

	"github.com/weirflow/weirflow/services/transform/internal/plan"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

func column(i int, name string) *plan.InputRef {
	return &plan.InputRef{Meta: plan.Meta{Typ: types.Of(types.Int)}, Index: i, Name: name}
}

func number(n int64) *plan.Literal {
	return &plan.Literal{Meta: plan.Meta{Typ: types.Of(types.Int).NotNull()}, Value: n}
}

func compare(a, b plan.Expr) plan.Expr {
	return &plan.Call{Meta: plan.Meta{Typ: types.Of(types.Boolean)}, Function: plan.FnLess, Args: []plan.Expr{a, b}}
}

func TestRewrite(t *testing.T) {
	t.Parallel()
	e := plan.And(compare(column(0, "a"), number(1)), compare(column(1, "b"), column(0, "a")))
	if got := plan.Shift(e, 3).String(); got != "((a < 1) AND (b < a))" {
		t.Errorf("got %s", got)
	}
	set := map[int]bool{}
	plan.Columns(plan.Shift(e, 3), set)
	if len(set) != 2 || !set[3] || !set[4] {
		t.Errorf("columns %v", set)
	}
	swapped := plan.Substitute(e, []plan.Expr{number(7), column(5, "x")})
	if got := swapped.String(); got != "((7 < 1) AND (x < 7))" {
		t.Errorf("got %s", got)
	}
	if e.String() != "((a < 1) AND (b < a))" {
		t.Error("the original changed")
	}
	if len(plan.Conjuncts(e)) != 2 || plan.And() != nil {
		t.Error("conjuncts")
	}
}

func TestSame(t *testing.T) {
	t.Parallel()
	a, b := compare(column(0, "a"), number(1)), compare(column(0, "z"), number(1))
	if !plan.Same(a, b) {
		t.Error("names of columns count")
	}
	if plan.Same(a, compare(column(1, "a"), number(1))) || plan.Same(a, compare(column(0, "a"), number(2))) || plan.Same(a, number(1)) {
		t.Error("different expressions are the same")
	}
}

func TestFormatTimestamp(t *testing.T) {
	t.Parallel()
	v := types.TimestampValue{Millis: 1630318972888, Nanos: 123456}
	for precision, want := range map[int]string{0: "2021-08-30 10:22:52", 3: "2021-08-30 10:22:52.888", 9: "2021-08-30 10:22:52.888123456"} {
		if got := plan.FormatTimestamp(v, precision); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	if got := plan.FormatTimestamp(types.TimestampValue{Millis: -1}, 3); got != "1969-12-31 23:59:59.999" {
		t.Errorf("got %s", got)
	}
}
