package function

import (
	"github.com/weirflow/weirflow/services/transform/internal/sql/diag"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

type rule = func(a *Args) (types.Type, error)

// strict gives a fixed type that is NULL when an argument is.
func strict(t types.Type) rule {
	return func(a *Args) (types.Type, error) { return t.WithNullable(a.Nullable()), nil }
}

// never gives a fixed type that is never NULL.
func never(t types.Type) rule {
	return func(*Args) (types.Type, error) { return t.NotNull(), nil }
}

// always gives a fixed type that may be NULL whatever the arguments.
func always(t types.Type) rule {
	return func(*Args) (types.Type, error) { return t.OrNull(), nil }
}

func strictString() rule { return strict(types.StringType()) }

func maybeString() rule { return always(types.StringType()) }

func strictBool() rule { return strict(types.Of(types.Boolean)) }

func strictInt() rule { return strict(types.Of(types.Int)) }

func strictLong() rule { return strict(types.Of(types.BigInt)) }

func strictDouble() rule { return strict(types.Of(types.Double)) }

// same gives the type of the first argument.
func same() rule {
	return func(a *Args) (types.Type, error) { return a.Type(0).Plain().WithNullable(a.Nullable()), nil }
}

// sameOrNull gives the type of the first argument, which may be NULL.
func sameOrNull() rule {
	return func(a *Args) (types.Type, error) { return a.Type(0).Plain().OrNull(), nil }
}

// varying gives the type of argument i as VARCHAR.
func varying(i int) rule {
	return func(a *Args) (types.Type, error) {
		t := a.Type(i)
		if t.Kind == types.Char {
			t.Kind = types.Varchar
		}
		if t.Kind == types.Binary {
			t.Kind = types.Varbinary
		}
		return t.WithNullable(a.Nullable()), nil
	}
}

// common casts all arguments to one type and gives it.
func common() rule {
	return func(a *Args) (types.Type, error) {
		t, err := a.unify(a.from(0)...)
		return t.WithNullable(a.Nullable()), err
	}
}

// roundType is the type of ROUND and TRUNCATE.
func roundType(a *Args) (types.Type, error) {
	t := a.Type(0)
	if t.Kind != types.Decimal {
		return t.WithNullable(a.Nullable()), nil
	}
	digits := int64(0)
	if a.Len() > 1 {
		v, ok := a.Literal(1)
		n, isInt := v.(int64)
		if !ok || !isInt {
			return t.WithNullable(a.Nullable()), nil
		}
		digits = n
	}
	digits = min(max(digits, -types.MaxDecimalPrecision), types.MaxDecimalPrecision)
	return types.Round(t, int(digits)).WithNullable(a.Nullable()), nil
}

// wholeType is the type of FLOOR and CEIL.
func wholeType(a *Args) (types.Type, error) {
	t := a.Type(0)
	if a.Len() == 2 {
		if !t.Kind.IsDatetime() {
			return t, a.wrongType(0, "a date, time or timestamp")
		}
		units := floorUnits
		if t.Kind == types.Time {
			units = " HOUR MINUTE SECOND MILLISECOND "
		}
		return t.Plain().WithNullable(t.Nullable), checkUnit(a, 1, units)
	}
	if !t.Kind.IsNumeric() {
		return t, a.wrongType(0, "a number")
	}
	if t.Kind == types.Decimal {
		t.Scale = 0
	}
	return t, nil
}

const (
	floorUnits   = " YEAR QUARTER MONTH WEEK DAY HOUR MINUTE SECOND MILLISECOND MICROSECOND NANOSECOND CENTURY DECADE MILLENNIUM "
	extractUnits = " YEAR QUARTER MONTH WEEK DAY HOUR MINUTE SECOND DOW DOY ISODOW ISOYEAR EPOCH MILLISECOND MICROSECOND NANOSECOND CENTURY DECADE MILLENNIUM "
	addUnits     = " YEAR QUARTER MONTH WEEK DAY HOUR MINUTE SECOND MILLISECOND MICROSECOND NANOSECOND "
)

func checkUnit(a *Args, i int, units string) error {
	v, _ := a.Literal(i)
	s, _ := v.(string)
	if s == "" || !contains(units, " "+s+" ") {
		return diag.At(a.Exprs[i].Pos(), "%q is not a unit that %s knows", s, a.Name).WithHint("use one of%s", units)
	}
	return nil
}

func contains(s, sub string) bool {
	for i := 0; i+len(sub) <= len(s); i++ {
		if s[i:i+len(sub)] == sub {
			return true
		}
	}
	return false
}
