package function

import (
	"github.com/weirflow/weirflow/services/transform/internal/sql/diag"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

func aggregateFunctions() []Def {
	count := never(types.Of(types.BigInt))
	defs := []Def{
		{Name: "COUNT", params: "x*", result: count},
		{Name: "APPROX_COUNT_DISTINCT", params: "x", result: count},
		{Name: "SUM", params: "n", result: sumType},
		{Name: "$SUM0", params: "n", result: sumType},
		{Name: "MIN", params: "x", result: orderedType},
		{Name: "MAX", params: "x", result: orderedType},
		{Name: "FIRST_VALUE", params: "x", result: sameOrNull()},
		{Name: "LAST_VALUE", params: "x", result: sameOrNull()},
		{Name: "SINGLE_VALUE", params: "x", result: sameOrNull()},
		{Name: "COLLECT", params: "x", result: func(a *Args) (types.Type, error) { return types.MultisetOf(a.Type(0).Plain().NotNull()).NotNull(), nil }},
		{Name: "ARRAY_AGG", params: "x", result: func(a *Args) (types.Type, error) { return types.ArrayOf(a.Type(0).Plain()), nil }},
		{Name: "LISTAGG", params: "s s?", result: maybeString()},
		{Name: "JSON_OBJECTAGG", params: "s x", result: never(types.StringType())},
		{Name: "JSON_ARRAYAGG", params: "x", result: never(types.StringType())},
		{Name: "PERCENTILE", params: "n x l?", result: percentileType},
	}
	for _, name := range []string{"AVG", "STDDEV_POP", "STDDEV_SAMP", "VAR_POP", "VAR_SAMP"} {
		defs = append(defs, Def{Name: name, params: "n", result: avgType})
	}
	for i := range defs {
		defs[i].Class = Aggregate
	}
	return defs
}

func sumType(a *Args) (types.Type, error) { return types.Sum(a.Type(0)).OrNull(), nil }

func avgType(a *Args) (types.Type, error) { return types.Avg(a.Type(0)).OrNull(), nil }

func orderedType(a *Args) (types.Type, error) {
	t := a.Type(0).Plain().OrNull()
	if k := t.Kind; k.IsNested() || k == types.Raw {
		return t, a.wrongType(0, "a type that can be ordered")
	}
	return t, nil
}

func percentileType(a *Args) (types.Type, error) {
	t := a.Type(1)
	double := types.Of(types.Double)
	switch {
	case t.Kind.IsNumeric():
		a.cast(1, double)
		return double, nil
	case t.Kind == types.Array && t.Elem.Kind.IsNumeric():
		a.cast(1, types.ArrayOf(double))
		return types.ArrayOf(double), nil
	}
	return double, a.wrongType(1, "a number or an array of numbers")
}

func windowFunctions() []Def {
	long := never(types.Of(types.BigInt))
	double := never(types.Of(types.Double))
	interval := "x v"
	defs := []Def{
		{Name: "ROW_NUMBER", Class: Ranking, result: long},
		{Name: "RANK", Class: Ranking, result: long},
		{Name: "DENSE_RANK", Class: Ranking, result: long},
		{Name: "NTILE", Class: Ranking, params: "l", result: long},
		{Name: "PERCENT_RANK", Class: Ranking, result: double},
		{Name: "CUME_DIST", Class: Ranking, result: double},
		{Name: "LAG", Class: Ranking, params: "x i? x?", result: lagType},
		{Name: "LEAD", Class: Ranking, params: "x i? x?", result: lagType},
		{Name: "NTH_VALUE", Class: Ranking, params: "x l", result: sameOrNull()},
		{Name: "GROUPING", Class: Grouping, params: "x+", result: long},
		{Name: "GROUPING_ID", Class: Grouping, params: "x+", result: long},
		{Name: "GROUP_ID", Class: Grouping, result: long},
		{Name: "TUMBLE", Class: Group, params: interval + " x?", result: same()},
		{Name: "HOP", Class: Group, params: interval + " v x?", result: same()},
		{Name: "SESSION", Class: Group, params: interval, result: same()},
		{Name: "CLASSIFIER", Class: Pattern, result: maybeString()},
		{Name: "MATCH_NUMBER", Class: Pattern, result: long},
		{Name: "MATCH_ROWTIME", Class: Pattern, params: "x?", result: matchRowtime},
		{Name: "MATCH_PROCTIME", Class: Pattern, result: matchProctime},
		{Name: "FIRST", Class: Pattern, params: "x l?", result: sameOrNull()},
		{Name: "LAST", Class: Pattern, params: "x l?", result: sameOrNull()},
		{Name: "PREV", Class: Pattern, params: "x l?", result: sameOrNull()},
		{Name: "NEXT", Class: Pattern, params: "x l?", result: sameOrNull()},
	}
	for _, w := range []string{"TUMBLE", "HOP", "SESSION"} {
		params := interval + " x?"
		if w == "HOP" {
			params = interval + " v x?"
		}
		for _, p := range []string{"_START", "_END", "_ROWTIME", "_PROCTIME"} {
			defs = append(defs, Def{Name: w + p, Class: Group, params: params, result: groupProperty(p)})
		}
	}
	return defs
}

// lagType casts the default value to the type of the column.
func lagType(a *Args) (types.Type, error) {
	t := a.Type(0).Plain()
	if a.Len() < 3 {
		return t.OrNull(), nil
	}
	c, ok := types.Common(t, a.Type(2))
	if !ok {
		return t, diag.At(a.Exprs[2].Pos(), "the default value of %s must be %s, found %s", a.Name, t.OrNull(), a.Type(2).OrNull())
	}
	a.cast(0, c)
	a.cast(2, c)
	return c.WithNullable(a.Type(0).Nullable || a.Type(2).Nullable), nil
}

func groupProperty(property string) rule {
	return func(a *Args) (types.Type, error) {
		t := a.Type(0)
		if !t.Kind.IsTimestamp() {
			return t, a.wrongType(0, "a time attribute")
		}
		switch property {
		case "_ROWTIME":
			return t.NotNull(), nil
		case "_PROCTIME":
			out := types.TimestampLTZType(3).NotNull()
			out.Attribute = types.Proctime
			return out, nil
		}
		return types.TimestampType(3).NotNull(), nil
	}
}

func matchRowtime(*Args) (types.Type, error) {
	t := types.TimestampType(3).NotNull()
	t.Attribute = types.Rowtime
	return t, nil
}

func matchProctime(*Args) (types.Type, error) {
	t := types.TimestampLTZType(3).NotNull()
	t.Attribute = types.Proctime
	return t, nil
}
