package function

import (
	"github.com/weirflow/weirflow/services/transform/internal/plan"
	"github.com/weirflow/weirflow/services/transform/internal/sql/diag"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

func collectionFunctions() []Def {
	return []Def{
		{Name: "CARDINALITY", params: "A", result: strictInt()},
		{Name: "ELEMENT", params: "a", result: elementType},
		{Name: "ARRAY_CONTAINS", params: "a x", result: arrayWith(func(a *Args) types.Type { return nullIfFirst(a, types.Of(types.Boolean)) })},
		{Name: "ARRAY_POSITION", params: "a x", result: arrayWith(func(a *Args) types.Type { return types.Of(types.Int).WithNullable(a.Nullable()) })},
		{Name: "ARRAY_REMOVE", params: "a x", result: arrayWith(firstType)},
		{Name: "ARRAY_APPEND", params: "a x", result: arrayWith(firstType)},
		{Name: "ARRAY_PREPEND", params: "a x", result: arrayWith(firstType)},
		{Name: "ARRAY_DISTINCT", params: "a", result: same()},
		{Name: "ARRAY_REVERSE", params: "a", result: same()},
		{Name: "ARRAY_SORT", params: "a b? b?", result: same()},
		{Name: "ARRAY_SLICE", params: "a i i?", result: sameOrNull()},
		{Name: "ARRAY_MAX", params: "a", result: elementType},
		{Name: "ARRAY_MIN", params: "a", result: elementType},
		{Name: "ARRAY_UNION", params: "a a", result: common()},
		{Name: "ARRAY_CONCAT", params: "a+", result: common()},
		{Name: "ARRAY_EXCEPT", params: "a a", result: common()},
		{Name: "ARRAY_INTERSECT", params: "a a", result: common()},
		{Name: "ARRAY_JOIN", params: "q S S?", result: strictString()},
		{Name: "MAP_KEYS", params: "m", result: mapPart(func(t types.Type) types.Type { return types.ArrayOf(*t.Key) })},
		{Name: "MAP_VALUES", params: "m", result: mapPart(func(t types.Type) types.Type { return types.ArrayOf(*t.Elem) })},
		{Name: "MAP_ENTRIES", params: "m", result: mapPart(entriesType)},
		{Name: "MAP_FROM_ARRAYS", params: "a a", result: mapFromArrays},
		{Name: "MAP_UNION", params: "m+", result: common()},
	}
}

func nullIfFirst(a *Args, t types.Type) types.Type { return t.WithNullable(a.Type(0).Nullable) }

func firstType(a *Args) types.Type { return a.Type(0) }

func elementType(a *Args) (types.Type, error) { return a.Type(0).Elem.OrNull(), nil }

// arrayWith casts the second argument to the array's element type, widening the
// array if need be.
func arrayWith(result func(*Args) types.Type) rule {
	return func(a *Args) (types.Type, error) {
		elem := *a.Type(0).Elem
		t, ok := types.Common(elem, a.Type(1))
		if !ok {
			return t, diag.At(a.Exprs[1].Pos(), "argument 2 of %s must be %s like the array's elements, found %s", a.Name, elem.OrNull(), a.Type(1).OrNull())
		}
		a.cast(0, types.ArrayOf(t))
		a.cast(1, t)
		return result(a), nil
	}
}

func mapPart(part func(types.Type) types.Type) rule {
	return func(a *Args) (types.Type, error) {
		return part(a.Type(0)).WithNullable(a.Type(0).Nullable), nil
	}
}

func entriesType(t types.Type) types.Type {
	return types.ArrayOf(types.RowOf(types.Field{Name: "key", Type: *t.Key}, types.Field{Name: "value", Type: *t.Elem}))
}

func mapFromArrays(a *Args) (types.Type, error) {
	return types.MapOf(*a.Type(0).Elem, *a.Type(1).Elem).WithNullable(a.Nullable()), nil
}

func jsonFunctions() []Def {
	boolean := types.Of(types.Boolean)
	return []Def{
		{Name: "JSON_STRING", params: "x", result: strictString()},
		{Name: "JSON_QUOTE", params: "S", result: strictString()},
		{Name: "JSON_UNQUOTE", params: "S", result: strictString()},
		{Name: plan.FnJSONExists, params: "s s k", result: always(boolean), keepSpecial: true},
		{Name: plan.FnJSONValue, params: "s s k x k x", result: maybeString(), keepSpecial: true},
		{Name: plan.FnJSONQuery, params: "s s k k k", result: maybeString(), keepSpecial: true},
		{Name: plan.FnJSONObject, params: "k x*", result: never(types.StringType()), keepSpecial: true},
		{Name: plan.FnJSONArray, params: "k x*", result: never(types.StringType()), keepSpecial: true},
	}
}
