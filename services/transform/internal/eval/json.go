package eval

import (
	"errors"
	"slices"
	"strings"

	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/datum"
	"github.com/weirflow/weirflow/services/transform/internal/format/json"
	"github.com/weirflow/weirflow/services/transform/internal/jsonpath"
	"github.com/weirflow/weirflow/services/transform/internal/plan"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

var jsonFunctions = map[string]builder{
	plan.FnJSONValue: jsonValue, plan.FnJSONQuery: jsonQuery, plan.FnJSONExists: jsonExists,
	plan.FnJSONObject: jsonObject, plan.FnJSONArray: jsonArray, plan.FnJSONNested: text1(func(s string) string { return s }),
	"JSON_STRING": jsonString, "JSON_QUOTE": text1(func(s string) string { return string(json.AppendQuoted(nil, s)) }),
	"JSON_UNQUOTE":         text1(jsonUnquote),
	plan.FnIsJSON:          isJSON(true, func(jsonpath.Kind) bool { return true }),
	plan.FnIsNotJSON:       isJSON(false, func(jsonpath.Kind) bool { return true }),
	plan.FnIsJSONObject:    isJSON(true, func(k jsonpath.Kind) bool { return k == jsonpath.Object }),
	plan.FnIsNotJSONObject: isJSON(false, func(k jsonpath.Kind) bool { return k == jsonpath.Object }),
	plan.FnIsJSONArray:     isJSON(true, func(k jsonpath.Kind) bool { return k == jsonpath.Array }),
	plan.FnIsNotJSONArray:  isJSON(false, func(k jsonpath.Kind) bool { return k == jsonpath.Array }),
	plan.FnIsJSONScalar:    isJSON(true, func(k jsonpath.Kind) bool { return k < jsonpath.Array }),
	plan.FnIsNotJSONScalar: isJSON(false, func(k jsonpath.Kind) bool { return k < jsonpath.Array }),
}

var errNoScalar = errors.New("the value is not a scalar")

func isJSON(want bool, test func(jsonpath.Kind) bool) builder {
	return lenient(func(a []*column.Vector, i int, out *column.Vector) error {
		is := false
		if !a[0].IsNull(i) {
			v, err := jsonpath.ParseFirst(a[0].Strs[i])
			is = err == nil && test(v.Kind)
		}
		out.Bools[i] = is == want
		return nil
	})
}

// finder finds values by path in JSON texts.
type finder struct {
	cache map[string]*jsonpath.Path
}

func newFinder(e *plan.Call) (*finder, error) {
	f := &finder{cache: make(map[string]*jsonpath.Path)}
	if v, ok := constant(e.Args[1]); ok {
		if s, isText := v.(string); isText {
			if _, err := f.path(s); err != nil {
				return nil, &Error{At: e.Args[1].Pos(), Err: err}
			}
		}
	}
	return f, nil
}

func (f *finder) path(s string) (*jsonpath.Path, error) {
	if p, ok := f.cache[s]; ok {
		return p, nil
	}
	p, err := jsonpath.Compile(s)
	if err != nil {
		return nil, err
	}
	if len(f.cache) >= maxPatterns {
		clear(f.cache)
	}
	f.cache[string([]byte(s))] = p
	return p, nil
}

// find returns the value at the path of row i; nil when it is missing or null.
func (f *finder) find(a []*column.Vector, i int) (v *jsonpath.Value, lax bool, err error) {
	p, err := f.path(a[1].Strs[i])
	if err != nil {
		return nil, false, err
	}
	root, err := jsonpath.ParseFirst(a[0].Strs[i])
	if err != nil {
		if p.Lax {
			return nil, true, nil
		}
		return nil, false, err
	}
	v, err = p.Find(root)
	if v != nil && v.Kind == jsonpath.Null {
		v = nil
		if !p.Lax && err == nil {
			err = jsonpath.ErrMissing // to a strict path a null is an error
		}
	}
	return v, p.Lax, err
}

// jsonValue is JSON_VALUE.
func jsonValue(c *compiler, e *plan.Call) (*spec, error) {
	f, err := newFinder(e)
	if err != nil {
		return nil, err
	}
	onEmpty, onError := symbol(e.Args[2]), symbol(e.Args[4])
	from := column.New(types.StringType())
	from.Reset(1)
	set, fails := c.conversion(types.StringType(), e.Typ)
	_ = fails
	otherwise := func(mode string, arg int, a []*column.Vector, i int, out *column.Vector, cause error) error {
		switch {
		case mode == "ERROR":
			return cause
		case mode == "DEFAULT" && !a[arg].IsNull(i):
			if a[arg].Type.Kind.IsCharacter() && !out.Type.Kind.IsCharacter() {
				return set(a[arg], i, out, i)
			}
			column.CopyRow(out, i, a[arg], i)
		default:
			out.SetNull(i)
		}
		return nil
	}
	return &spec{lenient: true, fails: onEmpty == "ERROR" || onError == "ERROR", fn: func(a []*column.Vector, i int, out *column.Vector) error {
		if a[0].IsNull(i) || a[1].IsNull(i) {
			out.SetNull(i)
			return nil
		}
		v, lax, err := f.find(a, i)
		switch {
		case err != nil:
			return otherwise(onError, 5, a, i, out, err)
		case v == nil || lax && !v.Scalar():
			return otherwise(onEmpty, 3, a, i, out, jsonpath.ErrMissing)
		case !v.Scalar():
			return otherwise(onError, 5, a, i, out, errNoScalar)
		}
		if e.Typ.Kind.IsCharacter() {
			out.Strs[i] = v.Plain()
			return nil
		}
		from.Strs[0] = v.Plain()
		if err := set(from, 0, out, i); err != nil {
			return otherwise(onError, 5, a, i, out, err)
		}
		return nil
	}}, nil
}

// jsonQuery is JSON_QUERY.
func jsonQuery(_ *compiler, e *plan.Call) (*spec, error) {
	f, err := newFinder(e)
	if err != nil {
		return nil, err
	}
	wrapper, onEmpty, onError := symbol(e.Args[2]), symbol(e.Args[3]), symbol(e.Args[4])
	otherwise := func(mode string, i int, out *column.Vector, cause error) error {
		switch mode {
		case "ERROR":
			return cause
		case "EMPTY ARRAY":
			setJSON(out, i, "[]")
		case "EMPTY OBJECT":
			setJSON(out, i, "{}")
		default:
			out.SetNull(i)
		}
		return nil
	}
	return &spec{lenient: true, fails: onEmpty == "ERROR" || onError == "ERROR", fn: func(a []*column.Vector, i int, out *column.Vector) error {
		if a[0].IsNull(i) || a[1].IsNull(i) {
			out.SetNull(i)
			return nil
		}
		v, lax, err := f.find(a, i)
		if err != nil {
			return otherwise(onError, i, out, err)
		}
		if v != nil && (wrapper == "UNCONDITIONAL" || wrapper == "CONDITIONAL" && v.Kind != jsonpath.Array) {
			v = &jsonpath.Value{Kind: jsonpath.Array, Elems: []*jsonpath.Value{v}}
		}
		switch {
		case v == nil || lax && v.Scalar():
			return otherwise(onEmpty, i, out, jsonpath.ErrMissing)
		case v.Scalar():
			return otherwise(onError, i, out, errors.New("the value is a scalar"))
		}
		if column.LayoutOf(out.Type) == column.Lists {
			var list []any
			for _, x := range v.Elems {
				switch {
				case x.Kind == jsonpath.Null:
					list = append(list, nil)
				case x.Scalar():
					list = append(list, x.Plain())
				default:
					list = append(list, string(x.Append(nil)))
				}
			}
			return setListAt(out, i, list)
		}
		scratch := out.Scratch()
		at := len(scratch)
		out.Keep(i, v.Append(scratch), at)
		return nil
	}}, nil
}

func setJSON(out *column.Vector, i int, s string) {
	if column.LayoutOf(out.Type) == column.Strs {
		out.Strs[i] = s
		return
	}
	out.Set(i, []any{})
}

// jsonExists is JSON_EXISTS.
func jsonExists(_ *compiler, e *plan.Call) (*spec, error) {
	f, err := newFinder(e)
	if err != nil {
		return nil, err
	}
	onError := "FALSE"
	if len(e.Args) > 2 {
		onError = symbol(e.Args[2])
	}
	return &spec{fails: onError == "ERROR", fn: func(a []*column.Vector, i int, out *column.Vector) error {
		v, _, err := f.find(a, i)
		switch {
		case err == nil:
			out.Bools[i] = v != nil
		case onError == "ERROR":
			return err
		case onError == "UNKNOWN":
			out.SetNull(i)
		default:
			out.Bools[i] = onError == "TRUE"
		}
		return nil
	}}, nil
}

// appendArg appends an argument of JSON_OBJECT or JSON_ARRAY as JSON.
func appendArg(dst []byte, enc *json.Encoder, e plan.Expr, v *column.Vector, i int) ([]byte, error) {
	if call, ok := e.(*plan.Call); ok && call.Function == plan.FnJSONNested && !v.IsNull(i) {
		return append(dst, v.Strs[i]...), nil
	}
	if v.Type.Kind == types.Decimal && !v.IsNull(i) {
		return datum.AppendShortest(dst, v.Decs[i], v.Type.Scale), nil
	}
	return enc.AppendValue(dst, v, i)
}

func jsonEncoder() *json.Encoder {
	return json.NewEncoder(nil, json.Options{TimestampStandard: json.ISO8601, MapNullKeyMode: "LITERAL", MapNullKeyLiteral: "null"})
}

// jsonObject is JSON_OBJECT: entries in the order of their keys, the last of
// those with one key.
func jsonObject(_ *compiler, e *plan.Call) (*spec, error) {
	absent, enc := symbol(e.Args[0]) == "ABSENT", jsonEncoder()
	order := make([]int, 0, len(e.Args)/2)
	return &spec{lenient: true, fails: true, fn: func(a []*column.Vector, i int, out *column.Vector) error {
		order = order[:0]
		for k := 1; k+1 < len(a); k += 2 {
			if a[k].IsNull(i) {
				return errors.New("a key is NULL")
			}
			if !absent || !a[k+1].IsNull(i) {
				order = append(order, k)
			}
		}
		slices.SortStableFunc(order, func(x, y int) int { return strings.Compare(a[x].Strs[i], a[y].Strs[i]) })
		scratch := out.Scratch()
		at := len(scratch)
		scratch = append(scratch, '{')
		for n, k := range order {
			if n+1 < len(order) && a[order[n+1]].Strs[i] == a[k].Strs[i] {
				continue
			}
			if len(scratch) > at+1 {
				scratch = append(scratch, ',')
			}
			scratch = append(json.AppendQuoted(scratch, a[k].Strs[i]), ':')
			var err error
			if scratch, err = appendArg(scratch, enc, e.Args[k+1], a[k+1], i); err != nil {
				return err
			}
		}
		out.Keep(i, append(scratch, '}'), at)
		return nil
	}}, nil
}

func jsonArray(_ *compiler, e *plan.Call) (*spec, error) {
	absent, enc := symbol(e.Args[0]) == "ABSENT", jsonEncoder()
	return &spec{lenient: true, fails: true, fn: func(a []*column.Vector, i int, out *column.Vector) error {
		scratch := out.Scratch()
		at := len(scratch)
		scratch = append(scratch, '[')
		for k := 1; k < len(a); k++ {
			if absent && a[k].IsNull(i) {
				continue
			}
			if len(scratch) > at+1 {
				scratch = append(scratch, ',')
			}
			var err error
			if scratch, err = appendArg(scratch, enc, e.Args[k], a[k], i); err != nil {
				return err
			}
		}
		out.Keep(i, append(scratch, ']'), at)
		return nil
	}}, nil
}

func jsonString(_ *compiler, e *plan.Call) (*spec, error) {
	enc := jsonEncoder()
	return &spec{fails: true, fn: func(a []*column.Vector, i int, out *column.Vector) error {
		scratch := out.Scratch()
		at := len(scratch)
		scratch, err := appendArg(scratch, enc, e.Args[0], a[0], i)
		if err != nil {
			return err
		}
		out.Keep(i, scratch, at)
		return nil
	}}, nil
}

func jsonUnquote(s string) string {
	v, err := jsonpath.Parse(s)
	if err != nil || v.Kind != jsonpath.String {
		return s
	}
	return v.Text
}
