package function

import (
	"github.com/weirflow/weirflow/services/transform/internal/plan"
	"github.com/weirflow/weirflow/services/transform/internal/sql/diag"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

func temporalFunctions() []Def {
	ltz := types.TimestampLTZType(3)
	proctime := types.TimestampLTZType(3)
	proctime.Attribute = types.Proctime
	defs := []Def{
		{Name: plan.FnExtract, params: "k x", result: extractType},
		{Name: plan.FnTimestampAdd, params: "k l t", result: timestampAddType},
		{Name: plan.FnTimestampDiff, params: "k t t", result: timestampDiffType},
		{Name: "DATE_FORMAT", params: "u s", result: maybeString()},
		{Name: "TO_DATE", params: "s s?", result: always(types.Of(types.Date))},
		{Name: "TO_TIMESTAMP", params: "s s?", result: always(types.TimestampType(3))},
		{Name: "TO_TIMESTAMP_LTZ", params: "x x? s?", result: toLTZType},
		{Name: "UNIX_TIMESTAMP", params: "s? s?", result: unixType, volatile: true},
		{Name: "FROM_UNIXTIME", params: "l s?", result: maybeString()},
		{Name: "CONVERT_TZ", params: "s s s", result: maybeString()},
		{Name: "CURRENT_TIMESTAMP", params: "i?", result: never(ltz), volatile: true},
		{Name: "CURRENT_ROW_TIMESTAMP", result: never(ltz), volatile: true},
		{Name: "LOCALTIMESTAMP", params: "i?", result: never(types.TimestampType(3)), volatile: true},
		{Name: "LOCALTIME", params: "i?", result: never(types.TimeType(0)), volatile: true},
		{Name: "CURRENT_TIME", params: "i?", result: never(types.TimeType(0)), volatile: true},
		{Name: "CURRENT_DATE", result: never(types.Of(types.Date)), volatile: true},
		{Name: "PROCTIME", result: func(*Args) (types.Type, error) { return proctime.NotNull(), nil }, volatile: true},
		{Name: "CURRENT_WATERMARK", params: "R", result: sameOrNull(), volatile: true},
		{Name: "SOURCE_WATERMARK", result: always(ltz), volatile: true},
		{Name: "CURRENT_DATABASE", result: never(types.StringType())},
		{Name: "CURRENT_CATALOG", result: never(types.StringType())},
		{Name: "USER", result: never(types.StringType())},
	}
	for _, name := range []string{"YEAR", "QUARTER", "MONTH", "WEEK", "DAYOFYEAR", "DAYOFMONTH", "DAYOFWEEK"} {
		defs = append(defs, Def{Name: name, params: "D", result: strictLong()})
	}
	for _, name := range []string{"HOUR", "MINUTE", "SECOND"} {
		defs = append(defs, Def{Name: name, params: "t", result: strictLong()})
	}
	return defs
}

func extractType(a *Args) (types.Type, error) {
	k := a.Type(1).Kind
	if k.IsCharacter() || k == types.Null {
		a.cast(1, types.TimestampType(3))
	} else if !k.IsDatetime() && !k.IsInterval() {
		return types.Type{}, a.wrongType(1, "a date, time, timestamp or interval")
	} else if unit, _ := a.Literal(0); k == types.Time && unit != "HOUR" && unit != "MINUTE" && unit != "SECOND" && unit != "MILLISECOND" {
		return types.Type{}, diag.At(a.Exprs[1].Pos(), "a time of day has no %v", unit).WithHint("take it from a date or timestamp")
	}
	return strictLongType(a), checkUnit(a, 0, extractUnits)
}

func strictLongType(a *Args) types.Type { return types.Of(types.BigInt).WithNullable(a.Nullable()) }

// unitSymbol rewrites SQL_TSI_DAY to DAY, and checks the unit.
func (a *Args) unitSymbol(i int) error {
	if l, ok := a.Exprs[i].(*plan.Literal); ok {
		if s, _ := l.Value.(string); len(s) > 8 && s[:8] == "SQL_TSI_" {
			a.Exprs[i] = &plan.Literal{Meta: l.Meta, Value: s[8:]}
		}
	}
	return checkUnit(a, i, addUnits)
}

func timestampAddType(a *Args) (types.Type, error) {
	if err := a.unitSymbol(0); err != nil {
		return types.Type{}, err
	}
	t := a.Type(2).Plain()
	unit, _ := a.Literal(0)
	if t.Kind == types.Date {
		switch unit {
		case "HOUR", "MINUTE", "SECOND", "MILLISECOND", "MICROSECOND", "NANOSECOND":
			t = types.TimestampType(types.DefaultTimestampPrecision)
		}
	}
	return t.WithNullable(a.Nullable()), nil
}

func timestampDiffType(a *Args) (types.Type, error) {
	return types.Of(types.Int).WithNullable(a.Nullable()), a.unitSymbol(0)
}

// toLTZType takes a number and its precision, or text and a pattern.
func toLTZType(a *Args) (types.Type, error) {
	t := types.TimestampLTZType(3)
	if a.Type(0).Kind.IsCharacter() {
		if a.Len() > 1 && !a.Type(1).Kind.IsCharacter() {
			return t, a.wrongType(1, "a string")
		}
		return t, nil
	}
	if !a.Type(0).Kind.IsNumeric() && a.Type(0).Kind != types.Null {
		return t, a.wrongType(0, "a number or a string")
	}
	if a.Len() > 1 {
		if err := a.coerce(1, 'i'); err != nil {
			return t, err
		}
		if v, ok := a.Literal(1); ok {
			if n, _ := v.(int64); n != 0 && n != 3 {
				return t, a.wrongType(1, "0 for seconds or 3 for milliseconds")
			}
		}
	}
	return t, nil
}

func unixType(a *Args) (types.Type, error) {
	return types.Of(types.BigInt).WithNullable(a.Nullable()), nil
}
