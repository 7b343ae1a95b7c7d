package analyze

import (
	"encoding/hex"
	"math"
	"math/big"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/weirflow/weirflow/services/transform/internal/plan"
	"github.com/weirflow/weirflow/services/transform/internal/sql/ast"
	"github.com/weirflow/weirflow/services/transform/internal/sql/diag"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

// literal gives a constant its value and type.
func literal(l *ast.Literal) (plan.Expr, error) {
	t, v, err := literalValue(l)
	if err != nil {
		return nil, err
	}
	return &plan.Literal{Meta: meta(t, l.Pos()), Value: v}, nil
}

func literalValue(l *ast.Literal) (types.Type, any, error) {
	switch l.Kind {
	case ast.NullLiteral:
		if l.Text == "UNKNOWN" {
			return types.Of(types.Boolean), nil, nil
		}
		return types.Of(types.Null), nil, nil
	case ast.BoolLiteral:
		return boolType(false), strings.EqualFold(l.Text, "TRUE"), nil
	case ast.IntegerLiteral, ast.DecimalLiteral:
		return number(l, l.Text)
	case ast.ApproxLiteral:
		f, err := strconv.ParseFloat(l.Text, 64)
		if err != nil || math.IsInf(f, 0) {
			return types.Type{}, nil, diag.At(l.Pos(), "the number %s is out of range", l.Text)
		}
		return types.Of(types.Double).NotNull(), f, nil
	case ast.StringLiteral:
		n := utf8.RuneCountInString(l.Text)
		return types.CharType(n).NotNull(), l.Text, nil
	case ast.BinaryLiteral:
		b, err := hex.DecodeString(l.Text)
		if err != nil {
			return types.Type{}, nil, diag.At(l.Pos(), "the binary literal is not hexadecimal")
		}
		return types.Type{Kind: types.Binary, Length: len(b)}, b, nil
	case ast.IntervalLiteral:
		return intervalLiteral(l)
	default:
		return datetimeLiteral(l)
	}
}

// number gives an integer the smallest of INT, BIGINT and DECIMAL that holds it.
func number(l *ast.Literal, text string) (types.Type, any, error) {
	whole, frac, hasPoint := strings.Cut(text, ".")
	if !hasPoint {
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			if n >= math.MinInt32 && n <= math.MaxInt32 {
				return types.Of(types.Int).NotNull(), n, nil
			}
			return types.Of(types.BigInt).NotNull(), n, nil
		}
	}
	sign := strings.HasPrefix(whole, "-")
	digits := strings.TrimPrefix(whole, "-")
	precision := max(len(digits)+len(frac), 1)
	if trimmed := strings.TrimLeft(digits, "0"); precision > types.MaxDecimalPrecision {
		precision = max(len(trimmed)+len(frac), 1)
		digits = trimmed
	}
	if precision > types.MaxDecimalPrecision {
		return types.Type{}, nil, diag.At(l.Pos(), "the number %s has more than %d digits", text, types.MaxDecimalPrecision)
	}
	n, ok := new(big.Int).SetString("0"+digits+frac, 10)
	if !ok {
		return types.Type{}, nil, diag.At(l.Pos(), "%s is not a number", text)
	}
	if sign {
		n.Neg(n)
	}
	return types.DecimalType(precision, len(frac)).NotNull(), types.DecimalValue{Unscaled: n, Scale: len(frac)}, nil
}

func datetimeLiteral(l *ast.Literal) (types.Type, any, error) {
	switch l.Kind {
	case ast.DateLiteral:
		t, err := time.Parse("2006-1-2", strings.TrimSpace(l.Text))
		if err != nil {
			return types.Type{}, nil, diag.At(l.Pos(), "illegal DATE literal '%s': not a date in format yyyy-MM-dd", l.Text)
		}
		return types.Of(types.Date).NotNull(), t.Unix() / 86400, nil
	case ast.TimeLiteral:
		text := strings.TrimSpace(l.Text)
		t, err := time.Parse("15:4:5", text)
		if err != nil {
			return types.Type{}, nil, diag.At(l.Pos(), "illegal TIME literal '%s': not a time in format HH:mm:ss", l.Text)
		}
		ms := int64(t.Hour()*3600+t.Minute()*60+t.Second())*1000 + int64(t.Nanosecond()/1e6)
		return types.TimeType(fractionDigits(text)).NotNull(), ms, nil
	}
	text := strings.TrimSpace(l.Text)
	precision := fractionDigits(text)
	t, err := time.Parse("2006-1-2 15:4:5", text)
	if err != nil {
		t, err = time.Parse("2006-1-2", text)
	}
	if err != nil || precision > types.MaxTimestampPrecision {
		return types.Type{}, nil, diag.At(l.Pos(), "illegal TIMESTAMP literal '%s': not a timestamp in format yyyy-MM-dd HH:mm:ss", l.Text)
	}
	kind := types.TimestampType(precision)
	if l.LTZ {
		kind = types.TimestampLTZType(precision)
	}
	return kind.NotNull(), types.TimestampValue{Millis: t.UnixMilli(), Nanos: int32(t.Nanosecond() % 1e6)}, nil
}

func fractionDigits(text string) int {
	if i := strings.LastIndexByte(text, '.'); i >= 0 {
		return len(text) - i - 1
	}
	return 0
}

// unitMillis is the length of a unit in milliseconds; unitMonths in months.
var (
	unitMillis = map[string]int64{"WEEK": 7 * 86400000, "DAY": 86400000, "HOUR": 3600000, "MINUTE": 60000, "SECOND": 1000}
	unitMonths = map[string]int64{"YEAR": 12, "QUARTER": 3, "MONTH": 1}
)

func intervalLiteral(l *ast.Literal) (types.Type, any, error) {
	text := strings.TrimSpace(l.Text)
	negative := l.Negative
	if rest, ok := strings.CutPrefix(text, "-"); ok {
		negative, text = !negative, rest
	} else {
		text = strings.TrimPrefix(text, "+")
	}
	n, err := intervalAmount(l, text)
	if err != nil {
		return types.Type{}, nil, err
	}
	if negative {
		n = -n
	}
	if unitMonths[l.Interval.From] > 0 {
		return types.Of(types.IntervalYearMonth).NotNull(), n, nil
	}
	return types.Of(types.IntervalDayTime).NotNull(), n, nil
}

func intervalAmount(l *ast.Literal, text string) (int64, error) {
	u := l.Interval
	bad := diag.At(l.Pos(), "illegal INTERVAL literal '%s' for %s", l.Text, unitText(u))
	if u.To == "" {
		return singleUnit(text, u.From, bad)
	}
	if u.From == "YEAR" {
		years, months, ok := strings.Cut(text, "-")
		y, err1 := strconv.ParseUint(years, 10, 31)
		m, err2 := strconv.ParseUint(months, 10, 31)
		if !ok || err1 != nil || err2 != nil || m > 11 || u.To != "MONTH" {
			return 0, bad
		}
		return int64(y*12 + m), nil
	}
	return dayToSecond(text, u, bad)
}

func unitText(u *ast.IntervalUnit) string {
	if u.To == "" {
		return u.From
	}
	return u.From + " TO " + u.To
}

func singleUnit(text, unit string, bad error) (int64, error) {
	whole, frac, _ := strings.Cut(text, ".")
	if frac != "" && unit != "SECOND" {
		return 0, bad
	}
	n, err := strconv.ParseInt(whole, 10, 64)
	factor := unitMillis[unit] + unitMonths[unit]
	if err != nil || n < 0 || n > math.MaxInt64/factor/2 {
		return 0, bad
	}
	ms, ok := fractionMillis(frac)
	if !ok {
		return 0, bad
	}
	return n*factor + ms, nil
}

// fractionMillis reads the digits after the point of a second.
func fractionMillis(frac string) (int64, bool) {
	if frac == "" {
		return 0, true
	}
	n, err := strconv.ParseUint((frac + "000")[:3], 10, 31)
	return int64(n), err == nil && len(frac) <= 9
}

// dayToSecond reads 'd h:m:s.f' and its parts, such as HOUR TO MINUTE.
func dayToSecond(text string, u *ast.IntervalUnit, bad error) (int64, error) {
	units := []string{"DAY", "HOUR", "MINUTE", "SECOND"}
	from, to := indexOf(units, u.From), indexOf(units, u.To)
	if from < 0 || to <= from {
		return 0, bad
	}
	parts := strings.FieldsFunc(text, func(r rune) bool { return r == ' ' || r == ':' })
	if len(parts) != to-from+1 {
		return 0, bad
	}
	var total int64
	for i, p := range parts {
		unit := units[from+i]
		n, err := singleUnit(p, unit, bad)
		if err != nil || i > 0 && n >= unitMillis[units[from+i-1]] {
			return 0, bad
		}
		total += n
	}
	return total, nil
}

func indexOf(list []string, s string) int {
	for i, x := range list {
		if x == s {
			return i
		}
	}
	return -1
}
