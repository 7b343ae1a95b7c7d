package function

import (
	"github.com/weirflow/weirflow/services/transform/internal/plan"
	"github.com/weirflow/weirflow/services/transform/internal/sql/diag"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

func mathFunctions() []Def {
	defs := []Def{
		{Name: "ABS", params: "N", result: same()},
		{Name: "SIGN", params: "n", result: same()},
		{Name: "ROUND", params: "n i?", result: roundType},
		{Name: "TRUNCATE", params: "n i?", result: roundType},
		{Name: plan.FnFloor, params: "x k?", result: wholeType},
		{Name: plan.FnCeil, params: "x k?", result: wholeType},
		{Name: plan.FnMod, params: "n n", result: modType},
		{Name: "POWER", params: "d d", result: strictDouble()},
		{Name: "ATAN2", params: "d d", result: strictDouble()},
		{Name: "LOG", params: "d d?", result: strictDouble()},
		{Name: "PI", result: never(types.Of(types.Double))},
		{Name: "E", result: never(types.Of(types.Double))},
		{Name: "RAND", params: "i?", result: strictDouble(), volatile: true},
		{Name: "RAND_INTEGER", params: "i i?", result: strictInt(), volatile: true},
		{Name: "UUID", result: never(types.CharType(36)), volatile: true},
		{Name: "BIN", params: "l", result: strictString()},
		{Name: "HEX", params: "z", result: strictString()},
		{Name: "UNHEX", params: "S", result: always(types.BytesType())},
		{Name: "CONV", params: "x i i", result: maybeString()},
	}
	for _, name := range []string{
		"SQRT", "LN", "LOG10", "LOG2", "EXP", "SIN", "SINH", "COS", "COSH", "TAN", "TANH", "COT", "ASIN", "ACOS", "ATAN", "DEGREES", "RADIANS", "CBRT",
	} {
		defs = append(defs, Def{Name: name, params: "d", result: strictDouble()})
	}
	return defs
}

func modType(a *Args) (types.Type, error) {
	t := types.Arithmetic('%', a.Type(0), a.Type(1))
	return t, nil
}

func stringFunctions() []Def {
	charType := types.CharType(1)
	return []Def{
		{Name: "UPPER", params: "s", result: same()},
		{Name: "LOWER", params: "s", result: same()},
		{Name: "INITCAP", params: "s", result: same()},
		{Name: "CHAR_LENGTH", params: "s", result: strictInt()},
		{Name: "OCTET_LENGTH", params: "Y", result: strictInt()},
		{Name: plan.FnSubstring, params: "Y i i?", result: varying(0)},
		{Name: plan.FnTrim, params: "x s? s?", result: trimType},
		{Name: "LTRIM", params: "s s?", result: varying(0)},
		{Name: "RTRIM", params: "s s?", result: varying(0)},
		{Name: "BTRIM", params: "s s?", result: varying(0)},
		{Name: "REPLACE", params: "s s s", result: strictString()},
		{Name: "TRANSLATE", params: "s s s", result: strictString()},
		{Name: plan.FnOverlay, params: "s s i i?", result: overlayType},
		{Name: plan.FnPosition, params: "s s i?", result: strictInt()},
		{Name: "LOCATE", params: "s s i?", result: strictInt()},
		{Name: "INSTR", params: "s s i? i?", result: strictInt()},
		{Name: "LEFT", params: "s i", result: varying(0)},
		{Name: "RIGHT", params: "s i", result: varying(0)},
		{Name: "LPAD", params: "s i s?", result: maybeString()},
		{Name: "RPAD", params: "s i s?", result: maybeString()},
		{Name: "REPEAT", params: "s i", result: strictString()},
		{Name: "REVERSE", params: "s", result: strictString()},
		{Name: "CONCAT", params: "s+", result: strictString()},
		{Name: "CONCAT_WS", params: "s s*", result: maybeString()},
		{Name: "ASCII", params: "s", result: strictInt()},
		{Name: "CHR", params: "l", result: strictString()},
		{Name: "FROM_BASE64", params: "s", result: maybeString()},
		{Name: "TO_BASE64", params: "W", result: strictString()},
		{Name: "ENCODE", params: "s s", result: strict(types.BytesType())},
		{Name: "DECODE", params: "y s", result: strictString()},
		{Name: "SPLIT_INDEX", params: "s x i", result: maybeString()},
		{Name: "SPLIT", params: "S S", result: strict(types.ArrayOf(types.StringType()))},
		{Name: "STR_TO_MAP", params: "s s? s?", result: strict(types.MapOf(types.StringType(), types.StringType()))},
		{Name: "PARSE_URL", params: "s s s?", result: maybeString()},
		{Name: "URL_ENCODE", params: "S", result: maybeString()},
		{Name: "URL_DECODE", params: "S", result: maybeString()},
		{Name: "PRINTF", params: "S x*", result: maybeString()},
		{Name: "STARTSWITH", params: "Y Y", result: strictBool()},
		{Name: "ENDSWITH", params: "Y Y", result: strictBool()},
		{Name: "ELT", params: "l x+", result: eltType},
		{Name: "IS_ALPHA", params: "x", result: strictBool()},
		{Name: "IS_DECIMAL", params: "x", result: strictBool()},
		{Name: "IS_DIGIT", params: "x", result: strictBool()},
		{Name: "CHAR", params: "l", result: strict(charType)},
	}
}

func regexFunctions() []Def {
	return []Def{
		{Name: "REGEXP", params: "s s", result: strictBool()},
		{Name: "REGEXP_REPLACE", params: "s s s", result: maybeString()},
		{Name: "REGEXP_EXTRACT", params: "s s i?", result: maybeString()},
		{Name: "REGEXP_EXTRACT_ALL", params: "S S i?", result: always(types.ArrayOf(types.StringType()))},
		{Name: "REGEXP_COUNT", params: "S S", result: always(types.Of(types.Int))},
		{Name: "REGEXP_INSTR", params: "S S", result: always(types.Of(types.Int))},
		{Name: "REGEXP_SUBSTR", params: "S S", result: maybeString()},
	}
}

// trimType is TRIM(x) as well as TRIM(side chars FROM x).
func trimType(a *Args) (types.Type, error) {
	if a.Type(0).Kind != types.Symbol {
		if a.Len() > 1 {
			return types.Type{}, diag.At(a.At, "TRIM takes 1 argument, found %d", a.Len()).WithHint("write TRIM(BOTH chars FROM text)")
		}
		if err := a.coerce(0, 's'); err != nil {
			return types.Type{}, err
		}
		x := a.Exprs[0]
		meta := plan.Meta{Typ: types.Of(types.Symbol).NotNull(), At: a.At}
		blank := plan.Meta{Typ: types.CharType(1).NotNull(), At: a.At}
		a.Exprs = []plan.Expr{&plan.Literal{Meta: meta, Value: "BOTH"}, &plan.Literal{Meta: blank, Value: " "}, x}
	}
	return varying(2)(a)
}

func overlayType(a *Args) (types.Type, error) {
	t := types.Concat(a.Type(0), a.Type(1))
	t.Kind = types.Varchar
	return t.WithNullable(a.Nullable()), nil
}

func eltType(a *Args) (types.Type, error) {
	t, err := a.unify(a.from(1)...)
	if err == nil && !t.Kind.IsCharacter() && !t.Kind.IsBinary() {
		err = a.wrongType(1, "a string or binary")
	}
	if t.Kind == types.Char {
		t.Kind = types.Varchar
	}
	return t.OrNull(), err
}

func hashFunctions() []Def {
	return []Def{
		{Name: "MD5", params: "W", result: strict(types.CharType(32))},
		{Name: "SHA1", params: "W", result: strict(types.CharType(40))},
		{Name: "SHA224", params: "W", result: strict(types.CharType(56))},
		{Name: "SHA256", params: "W", result: strict(types.CharType(64))},
		{Name: "SHA384", params: "W", result: strict(types.CharType(96))},
		{Name: "SHA512", params: "W", result: strict(types.CharType(128))},
		{Name: "SHA2", params: "W i", result: strict(types.VarcharType(128))},
	}
}

func conditionalFunctions() []Def {
	return []Def{
		{Name: "COALESCE", params: "x+", result: coalesceType},
		{Name: "IF", params: "b x x", result: ifType},
		{Name: "IFNULL", params: "x x", result: coalesceType},
		{Name: "NULLIF", params: "x x", result: nullIfType},
		{Name: "GREATEST", params: "x+", result: common()},
		{Name: "LEAST", params: "x+", result: common()},
		{Name: "TYPEOF", params: "x b?", result: strictString()},
	}
}

// coalesceType may be NULL only if all arguments may.
func coalesceType(a *Args) (types.Type, error) {
	nullable := true
	for _, e := range a.Exprs {
		nullable = nullable && (e.Type().Nullable || e.Type().Kind == types.Null)
	}
	t, err := a.unify(a.from(0)...)
	return t.WithNullable(nullable), err
}

func ifType(a *Args) (types.Type, error) {
	if x, y := a.Type(1), a.Type(2); x.Kind == types.Timestamp && y.Kind == types.Timestamp {
		a.cast(2, x) // the digits are those of the first branch
		return x.Plain().WithNullable(x.Nullable || y.Nullable), nil
	}
	return a.unify(1, 2)
}

func nullIfType(a *Args) (types.Type, error) {
	t := a.Type(0).Plain().OrNull()
	if t.Kind == types.Null {
		return t, diag.At(a.At, "the first argument of NULLIF must not be NULL").WithHint("cast it to a type")
	}
	if c, ok := types.Common(a.Type(0), a.Type(1)); ok && a.Type(1).Kind == types.Null {
		a.cast(1, c)
	} else if !Comparable(a.Type(0), a.Type(1)) {
		return t, diag.At(a.At, "NULLIF cannot compare %s with %s", a.Type(0).OrNull(), a.Type(1).OrNull())
	}
	return t, nil
}

// Comparable reports whether values of the two types can be compared, perhaps
// after a cast.
func Comparable(a, b types.Type) bool {
	_, ok := ComparisonType(a, b)
	return ok
}

// ComparisonType returns the type to which both sides of a comparison are cast.
func ComparisonType(a, b types.Type) (types.Type, bool) {
	if a.Kind.IsApprox() && b.Kind.IsApprox() {
		return a.WithNullable(a.Nullable || b.Nullable), true // Calcite takes both for equally wide
	}
	if t, ok := types.Common(a, b); ok {
		return t, t.Kind != types.Raw && t.Kind != types.Symbol
	}
	if b.Kind.IsCharacter() {
		a, b = b, a
	}
	if !a.Kind.IsCharacter() {
		if a.Kind == types.Boolean && b.Kind.IsNumeric() || b.Kind == types.Boolean && a.Kind.IsNumeric() {
			return types.Of(types.Boolean), true
		}
		return types.Type{}, false
	}
	switch {
	case b.Kind.IsNumeric(), b.Kind == types.Boolean, b.Kind.IsDatetime():
		return b.Plain().OrNull(), true
	case b.Kind.IsBinary():
		return b, true
	}
	return types.Type{}, false
}
