package function

import (
	"strconv"
	"strings"

	"github.com/weirflow/weirflow/services/transform/internal/sql/diag"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

// param is a parameter of a function.
type param struct {
	kind     byte
	optional bool
	repeat   bool
}

func parseParams(spec string) []param {
	var out []param
	for f := range strings.FieldsSeq(spec) {
		p := param{kind: f[0]}
		switch f[1:] {
		case "?":
			p.optional = true
		case "*":
			p.optional, p.repeat = true, true
		case "+":
			p.repeat = true
		}
		out = append(out, p)
	}
	return out
}

// arity returns the least and most arguments; -1 for no bound.
func arity(ps []param) (least, most int) {
	for _, p := range ps {
		if !p.optional {
			least++
		}
		if p.repeat {
			most = -1
		} else if most >= 0 {
			most++
		}
	}
	return least, most
}

// Bind checks the arguments of a call, casts them to what the function takes,
// and gives the call its type.
func (d *Def) Bind(a *Args) (types.Type, error) {
	ps := parseParams(d.params)
	least, most := arity(ps)
	if n := a.Len(); n < least || most >= 0 && n > most {
		return types.Type{}, diag.At(a.At, "%s takes %s, found %d", a.Name, describeArity(least, most), n)
	}
	for i := range a.Exprs {
		p := ps[min(i, len(ps)-1)]
		if err := a.coerce(i, p.kind); err != nil {
			return types.Type{}, err
		}
	}
	return d.result(a)
}

func describeArity(least, most int) string {
	plural := func(n int) string {
		if n == 1 {
			return "1 argument"
		}
		return strconv.Itoa(n) + " arguments"
	}
	switch {
	case most < 0:
		return "at least " + plural(least)
	case least == most:
		return plural(least)
	default:
		return strconv.Itoa(least) + " to " + plural(most)
	}
}

// kindNames are what an error calls the kinds of parameters.
var kindNames = map[byte]string{
	'W': "a string or binary", 's': "a string", 'S': "a string", 'n': "a number", 'i': "an integer", 'l': "an integer", 'd': "a number", 'b': "a boolean", 'y': "binary",
	'Y': "a string or binary", 't': "a date, time or timestamp", 'D': "a date or timestamp", 'p': "a timestamp", 'a': "an array", 'm': "a map",
	'A': "an array, map or multiset", 'v': "an interval", 'k': "a keyword", 'z': "an integer or a string", 'q': "an array of strings", 'N': "a number or interval",
	'u': "a date, timestamp or string", 'R': "a time attribute",
}

// coerce casts argument i to the kind of parameter.
//
//	s string (others are cast)   W the same or binary   S string only          Y string or binary   y binary
//	n number                     i INT                  l BIGINT             d DOUBLE   z integer or string
//	b boolean                    t datetime             D date or timestamp  p timestamp
//	u datetime or string         a array                m map                A collection  q array of strings
//	v interval                   k symbol               x anything           R time attribute  N number or interval
func (a *Args) coerce(i int, kind byte) error {
	t := a.Type(i)
	if t.Kind == types.Null {
		a.cast(i, nullType(kind))
		return nil
	}
	k := t.Kind
	ok := true
	switch kind {
	case 's', 'W':
		if ok = k.IsCharacter() || kind == 'W' && k.IsBinary(); !ok && (k.IsNumeric() || k == types.Boolean || k.IsDatetime()) {
			a.cast(i, types.StringType())
			return nil
		}
	case 'S':
		ok = k.IsCharacter()
	case 'y':
		ok = k.IsBinary()
	case 'Y':
		ok = k.IsBinary() || k.IsCharacter()
	case 'n':
		if k.IsCharacter() {
			a.cast(i, types.Of(types.Double))
			return nil
		}
		ok = k.IsNumeric()
	case 'N':
		ok = k.IsNumeric() || k.IsInterval()
	case 'i', 'l', 'd':
		return a.coerceNumber(i, kind)
	case 'z':
		ok = k.IsInteger() || k.IsCharacter()
	case 'b':
		ok = k == types.Boolean
	case 't':
		ok = k.IsDatetime()
	case 'D':
		if k.IsCharacter() {
			a.cast(i, types.TimestampType(3))
			return nil
		}
		ok = k == types.Date || k.IsTimestamp()
	case 'p', 'R':
		ok = k.IsTimestamp()
	case 'u':
		ok = k.IsDatetime() || k.IsCharacter()
	case 'a':
		ok = k == types.Array
	case 'q':
		ok = k == types.Array && t.Elem.Kind.IsCharacter()
	case 'm':
		ok = k == types.Map
	case 'A':
		ok = k.IsCollection()
	case 'v':
		ok = k.IsInterval()
	case 'k':
		ok = k == types.Symbol
	}
	if !ok {
		return a.wrongType(i, kindNames[kind])
	}
	return nil
}

func (a *Args) coerceNumber(i int, kind byte) error {
	t := a.Type(i)
	want := types.Of(map[byte]types.Kind{'i': types.Int, 'l': types.BigInt, 'd': types.Double}[kind])
	switch {
	case t.Kind == want.Kind:
	case t.Kind.IsNumeric() && (kind == 'd' || t.Kind.IsExact()), t.Kind.IsCharacter():
		a.cast(i, want)
	default:
		return a.wrongType(i, kindNames[kind])
	}
	return nil
}

func (a *Args) wrongType(i int, want string) error {
	return diag.At(a.Exprs[i].Pos(), "argument %d of %s must be %s, found %s", i+1, a.Name, want, a.Type(i).OrNull())
}

func nullType(kind byte) types.Type {
	switch kind {
	case 'n', 'd':
		return types.Of(types.Double)
	case 'i', 'z', 'N':
		return types.Of(types.Int)
	case 'l':
		return types.Of(types.BigInt)
	case 'b':
		return types.Of(types.Boolean)
	case 'y':
		return types.BytesType()
	case 't', 'D', 'p', 'R', 'u':
		return types.TimestampType(3)
	case 'a', 'A', 'q':
		return types.ArrayOf(types.StringType())
	case 'm':
		return types.MapOf(types.StringType(), types.StringType())
	case 'v':
		return types.Of(types.IntervalDayTime)
	case 'x':
		return types.Of(types.Null)
	}
	return types.StringType()
}

// cast puts an implicit cast around argument i, keeping its nullability.
func (a *Args) cast(i int, to types.Type) {
	a.Exprs[i] = Coerce(a.Exprs[i], to)
}

// unify casts the arguments from i on to their common type.
func (a *Args) unify(indexes ...int) (types.Type, error) {
	ts := make([]types.Type, len(indexes))
	for n, i := range indexes {
		ts[n] = a.Type(i)
	}
	t, ok := types.Common(ts...)
	if !ok {
		names := make([]string, len(ts))
		for i, t := range ts {
			names[i] = t.OrNull().String()
		}
		return t, diag.At(a.At, "the arguments of %s have no common type: %s", a.Name, strings.Join(names, ", "))
	}
	for _, i := range indexes {
		a.cast(i, t)
	}
	return t.Plain(), nil
}

func (a *Args) from(i int) []int {
	out := make([]int, 0, a.Len())
	for ; i < a.Len(); i++ {
		out = append(out, i)
	}
	return out
}
