package aggregate

import (
	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/eval"
	"github.com/weirflow/weirflow/services/transform/internal/plan"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

// build returns the function of a call, and whether rows with a NULL argument
// are left out.
func build(c plan.AggCall, retract bool) (f Function, skipNull bool, err error) {
	unsupported := &eval.Unsupported{At: c.At, What: "aggregate function " + c.Function}
	if c.User != nil {
		return nil, false, unsupported
	}
	// Flink takes ARRAY_AGG(x ORDER BY y) and leaves the order of arrival.
	if len(c.OrderBy) > 0 && c.Function != "ARRAY_AGG" {
		return nil, false, &eval.Unsupported{At: c.At, What: "ORDER BY in " + c.Function}
	}
	var arg types.Type
	if len(c.Args) > 0 {
		arg = c.Args[0].Type()
	}
	switch c.Function {
	case "COUNT", "APPROX_COUNT_DISTINCT":
		return &count{}, true, nil
	case "SUM":
		return newSum(plainSum, arg, c.Type, unsupported)
	case "$SUM0":
		return newSum(sumOrZero, arg, c.Type, unsupported)
	case "AVG":
		return newSum(average, arg, c.Type, unsupported)
	case "MIN", "MAX":
		return newExtreme(arg, c.Function == "MAX", retract), true, nil
	case "STDDEV_POP", "STDDEV_SAMP", "VAR_POP", "VAR_SAMP":
		return newVariance(c, arg, unsupported)
	default:
		return buildList(c, arg, retract, unsupported)
	}
}

func buildList(c plan.AggCall, arg types.Type, retract bool, unsupported error) (Function, bool, error) {
	f := &list{}
	switch c.Function {
	case "FIRST_VALUE":
		f.finish, f.keep = finishFirst, keepFirst
	case "LAST_VALUE":
		f.finish, f.keep = finishLast, keepLast
	case "SINGLE_VALUE":
		f.finish = finishSingle
		return f, false, nil
	case "ARRAY_AGG":
		f.finish = finishArray
		return f, false, nil
	case "COLLECT":
		f.finish, f.empty = finishCollect, emptyCollection
		return f, true, nil
	case "LISTAGG":
		f.finish = finishListagg(len(c.Args) > 1)
		return f, true, nil
	case "JSON_ARRAYAGG":
		j := &jsonAgg{elem: column.New(arg), enc: jsonEncoder(), null: c.NullOnNull}
		f.finish = j.array
		f.empty = func(dst *column.Vector) { appendText(dst, "[]") }
		return f, false, nil
	case "JSON_OBJECTAGG":
		j := &jsonAgg{elem: column.New(c.Args[1].Type()), enc: jsonEncoder(), null: c.NullOnNull}
		f.finish = j.object
		f.empty = func(dst *column.Vector) { appendText(dst, "{}") }
		return f, false, nil
	case "PERCENTILE":
		return newPercentile(c, f), true, nil
	default:
		return nil, false, unsupported
	}
	if retract {
		f.keep = keepAll
	}
	return f, true, nil
}

func newSum(kind sumKind, arg, out types.Type, unsupported error) (Function, bool, error) {
	switch column.LayoutOf(arg) {
	case column.Ints:
		return &sumInts{kind: kind, typ: out.Kind}, true, nil
	case column.Floats:
		return &sumFloats{kind: kind, typ: out.Kind}, true, nil
	case column.Decs:
		return &sumDecimals{kind: kind, from: arg.Scale, scale: out.Scale}, true, nil
	default:
		return nil, false, unsupported
	}
}

func newVariance(c plan.AggCall, arg types.Type, unsupported error) (Function, bool, error) {
	s := spread{sample: c.Function == "STDDEV_SAMP" || c.Function == "VAR_SAMP", root: c.Function == "STDDEV_POP" || c.Function == "STDDEV_SAMP"}
	switch column.LayoutOf(arg) {
	case column.Ints:
		return &varInts{spread: s, typ: arg.Kind}, true, nil
	case column.Floats:
		return &varFloats{spread: s, typ: arg.Kind}, true, nil
	case column.Decs:
		return &varDecimals{spread: s, from: arg.Scale, scale: c.Type.Scale}, true, nil
	default:
		return nil, false, unsupported
	}
}
