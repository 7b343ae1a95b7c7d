package plan

// Functions that SQL writes as operators or special forms. All others go by
// their own upper-case name, such as "UPPER" or "JSON_VALUE".
const (
	FnPlus                = "+" // numbers, or datetime + interval, interval + interval
	FnMinus               = "-" // numbers, datetime - interval, interval - interval
	FnTimes               = "*" // numbers, interval * number
	FnDivide              = "/" // numbers of one kind; integers truncate
	FnMod                 = "%" // also MOD(a, b)
	FnNegate              = "NEG"
	FnEqual               = "="
	FnNotEqual            = "<>"
	FnLess                = "<"
	FnLessEq              = "<="
	FnGreater             = ">"
	FnGreaterEq           = ">="
	FnAnd                 = "AND" // two arguments or more
	FnOr                  = "OR"  // two arguments or more
	FnNot                 = "NOT"
	FnIsNull              = "IS NULL"
	FnIsNotNull           = "IS NOT NULL"
	FnIsTrue              = "IS TRUE"
	FnIsNotTrue           = "IS NOT TRUE"
	FnIsFalse             = "IS FALSE"
	FnIsNotFalse          = "IS NOT FALSE"
	FnIsUnknown           = "IS UNKNOWN" // BOOLEAN only; IS NOT UNKNOWN becomes IS NOT NULL
	FnDistinct            = "IS DISTINCT FROM"
	FnNotDistinct         = "IS NOT DISTINCT FROM"
	FnIn                  = "IN" // the first argument in the others, all of one type; three-valued
	FnNotIn               = "NOT IN"
	FnBetween             = "BETWEEN" // x, low, high
	FnNotBetween          = "NOT BETWEEN"
	FnBetweenSymmetric    = "BETWEEN SYMMETRIC"
	FnNotBetweenSymmetric = "NOT BETWEEN SYMMETRIC"
	FnLike                = "LIKE" // text, pattern[, escape]
	FnNotLike             = "NOT LIKE"
	FnSimilar             = "SIMILAR TO"
	FnNotSimilar          = "NOT SIMILAR TO"
	FnConcatOp            = "||"
	FnOverlaps            = "OVERLAPS" // start1, end1, start2, end2; an interval end is already added to its start

	// FnIsJSON and the other forms take one argument.
	FnIsJSON          = "IS JSON VALUE"
	FnIsJSONObject    = "IS JSON OBJECT"
	FnIsJSONArray     = "IS JSON ARRAY"
	FnIsJSONScalar    = "IS JSON SCALAR"
	FnIsNotJSON       = "IS NOT JSON VALUE"
	FnIsNotJSONObject = "IS NOT JSON OBJECT"
	FnIsNotJSONArray  = "IS NOT JSON ARRAY"
	FnIsNotJSONScalar = "IS NOT JSON SCALAR"

	// FnExtract takes a SYMBOL (YEAR, MONTH, DOW, …) and a datetime or interval.
	FnExtract = "EXTRACT"
	// FnTrim takes a SYMBOL (BOTH, LEADING, TRAILING), the characters, the text.
	FnTrim = "TRIM"
	// FnPosition takes the text sought, the text, and optionally where to start. INSTR's and LOCATE's have their own names.
	FnPosition = "POSITION"
	// FnOverlay takes text, replacement, start, and optionally length.
	FnOverlay = "OVERLAY"
	// FnSubstring takes text, start, and optionally length. SUBSTR is the same function.
	FnSubstring = "SUBSTRING"
	// FnFloor and FnCeil take a number, or a datetime and a SYMBOL.
	FnFloor = "FLOOR"
	FnCeil  = "CEIL"
	// FnTimestampAdd takes a SYMBOL, a count, a datetime.
	FnTimestampAdd = "TIMESTAMPADD"
	// FnTimestampDiff takes a SYMBOL, a start, an end.
	FnTimestampDiff = "TIMESTAMPDIFF"

	// FnJSONValue takes text, path, then four more: SYMBOL (NULL, ERROR, DEFAULT) on
	// empty, the default or NULL literal, the same two on error. Its type is what RETURNING says.
	FnJSONValue = "JSON_VALUE"
	// FnJSONQuery takes text, path, SYMBOL wrapper (WITHOUT, CONDITIONAL, UNCONDITIONAL),
	// SYMBOL on empty and SYMBOL on error (NULL, ERROR, EMPTY ARRAY, EMPTY OBJECT).
	FnJSONQuery = "JSON_QUERY"
	// FnJSONExists takes text, path, SYMBOL on error (TRUE, FALSE, UNKNOWN, ERROR).
	FnJSONExists = "JSON_EXISTS"
	// FnJSONObject takes SYMBOL (NULL, ABSENT) on null, then key, value, key, value and so on.
	FnJSONObject = "JSON_OBJECT"
	// FnJSONArray takes SYMBOL (NULL, ABSENT) on null, then the elements.
	FnJSONArray = "JSON_ARRAY"
	// FnJSONNested marks an argument of JSON_OBJECT or JSON_ARRAY that is itself JSON
	// text to be put in unquoted; it takes that one argument.
	FnJSONNested = "JSON_NESTED"
)

var infix = map[string]string{
	FnPlus: "+", FnMinus: "-", FnTimes: "*", FnDivide: "/", FnMod: "MOD",
	FnEqual: "=", FnNotEqual: "<>", FnLess: "<", FnLessEq: "<=", FnGreater: ">", FnGreaterEq: ">=",
	FnAnd: "AND", FnOr: "OR", FnConcatOp: "||", FnLike: "LIKE", FnNotLike: "NOT LIKE",
	FnDistinct: "IS DISTINCT FROM", FnNotDistinct: "IS NOT DISTINCT FROM",
}

var postfix = map[string]string{
	FnIsNull: "IS NULL", FnIsNotNull: "IS NOT NULL", FnIsTrue: "IS TRUE", FnIsNotTrue: "IS NOT TRUE",
	FnIsFalse: "IS FALSE", FnIsNotFalse: "IS NOT FALSE", FnIsUnknown: "IS UNKNOWN",
}
