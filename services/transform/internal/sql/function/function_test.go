package function_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/weirflow/weirflow/services/transform/internal/plan"
	"github.com/weirflow/weirflow/services/transform/internal/sql/function"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

func arg(t types.Type) plan.Expr { return &plan.InputRef{Meta: plan.Meta{Typ: t}, Name: "x"} }

// samples are arguments for each kind of parameter.
var samples = map[byte]types.Type{
	's': types.StringType(), 'S': types.StringType(), 'n': types.Of(types.Int), 'N': types.Of(types.Int), 'i': types.Of(types.Int), 'l': types.Of(types.BigInt),
	'd': types.Of(types.Double), 'b': types.Of(types.Boolean),
}

// TestEveryFunctionBindsOrSaysWhy binds every function to no, one and many
// arguments of each type: it gives a type or an error with the function's name,
// and never panics.
func TestEveryFunctionBindsOrSaysWhy(t *testing.T) {
	t.Parallel()
	table := function.NewTable()
	kinds := []types.Type{
		types.StringType(), types.CharType(3).NotNull(), types.Of(types.Int), types.Of(types.Double), types.DecimalType(10, 2), types.Of(types.Boolean), types.Of(types.Date),
		types.TimestampType(3), types.TimeType(0), types.BytesType(), types.ArrayOf(types.StringType()), types.MapOf(types.StringType(), types.Of(types.Int)),
		types.RowOf(types.Field{Name: "a", Type: types.Of(types.Int)}), types.Of(types.Null), types.Of(types.IntervalDayTime),
	}
	for _, name := range table.Names() {
		def, ok := table.Lookup(strings.ToLower(name))
		if !ok {
			t.Fatalf("%s is listed but not found", name)
		}
		bound := 0
		for n := range 7 {
			for _, k := range kinds {
				args := &function.Args{Name: name, At: plan.Pos{Line: 1, Column: 1}}
				for range n {
					args.Exprs = append(args.Exprs, arg(k))
				}
				typ, err := def.Bind(args)
				if err == nil {
					bound++
					if typ.Kind == types.Invalid {
						t.Errorf("%s(%d of %s) has no type", name, n, k)
					}
				}
			}
		}
		keywords := slices.Contains(strings.Fields("EXTRACT TIMESTAMPADD TIMESTAMPDIFF JSON_EXISTS JSON_VALUE JSON_QUERY JSON_OBJECT JSON_ARRAY HOP HOP_START HOP_END HOP_ROWTIME HOP_PROCTIME "+
			"TUMBLE TUMBLE_START TUMBLE_END TUMBLE_ROWTIME TUMBLE_PROCTIME SESSION SESSION_START SESSION_END SESSION_ROWTIME SESSION_PROCTIME MAP_FROM_ARRAYS DECODE ARRAY_JOIN "+
			"ARRAY_SLICE ARRAY_CONTAINS ARRAY_POSITION ARRAY_REMOVE ARRAY_APPEND ARRAY_PREPEND IF ELT SPLIT_INDEX"), def.Name)
		if bound == 0 && !keywords {
			t.Errorf("%s takes nothing", name)
		}
	}
}

func TestCoercions(t *testing.T) {
	t.Parallel()
	table := function.NewTable()
	tests := []struct {
		name string
		args []types.Type
		want string // the type, or part of the error
		cast string // how the first argument prints after binding
	}{
		{"POWER", []types.Type{samples['i'], samples['i']}, "DOUBLE", "CAST(x AS DOUBLE)"},
		{"UPPER", []types.Type{samples['i']}, "STRING", "CAST(x AS STRING)"},
		{"UPPER", []types.Type{types.ArrayOf(samples['i'])}, "must be a string", ""},
		{"COALESCE", []types.Type{types.Of(types.Null), types.Of(types.Int).NotNull()}, "INT NOT NULL", "CAST(x AS INT)"},
		{"GREATEST", []types.Type{samples['i'], samples['s']}, "no common type", ""},
		{"ARRAY_APPEND", []types.Type{types.ArrayOf(samples['i']), samples['l']}, "ARRAY<BIGINT>", "CAST(x AS ARRAY<BIGINT>)"},
		{"SUM", []types.Type{types.DecimalType(5, 2)}, "DECIMAL(38, 2)", "x"},
		{"AVG", []types.Type{types.DecimalType(5, 2)}, "DECIMAL(38, 6)", "x"},
		{"AVG", []types.Type{samples['s']}, "DOUBLE", "CAST(x AS DOUBLE)"},
		{"COUNT", []types.Type{samples['s']}, "BIGINT NOT NULL", "x"},
		{"MAX", []types.Type{types.ArrayOf(samples['i'])}, "must be a type that can be ordered", ""},
		{"MD5", nil, "MD5 takes 1 argument, found 0", ""},
		{"CONCAT", nil, "CONCAT takes at least 1 argument, found 0", ""},
		{"LOCATE", []types.Type{samples['s']}, "LOCATE takes 2 to 3 arguments, found 1", ""},
	}
	for _, tt := range tests {
		def, _ := table.Lookup(tt.name)
		args := &function.Args{Name: tt.name}
		for _, a := range tt.args {
			args.Exprs = append(args.Exprs, arg(a))
		}
		typ, err := def.Bind(args)
		got := typ.String()
		if err != nil {
			got = err.Error()
		}
		if !strings.Contains(got, tt.want) {
			t.Errorf("%s: got %s, want %s", tt.name, got, tt.want)
		}
		if tt.cast != "" && args.Exprs[0].String() != tt.cast {
			t.Errorf("%s: the argument became %s, want %s", tt.name, args.Exprs[0], tt.cast)
		}
	}
}

func TestCoerceConstants(t *testing.T) {
	t.Parallel()
	lit := func(typ types.Type, v any) plan.Expr {
		return &plan.Literal{Meta: plan.Meta{Typ: typ.NotNull()}, Value: v}
	}
	tests := []struct {
		from plan.Expr
		to   types.Type
		want string
	}{
		{lit(samples['i'], int64(5)), samples['d'], "5"},
		{lit(samples['i'], int64(5)), types.DecimalType(5, 2), "5.00"},
		{lit(samples['i'], int64(12345)), types.DecimalType(5, 2), "CAST(12345 AS DECIMAL(5, 2))"},
		{lit(types.CharType(1), "a"), samples['s'], "'a'"},
		{lit(types.CharType(3), "abc"), types.VarcharType(2), "CAST('abc' AS VARCHAR(2))"},
		{lit(samples['l'], int64(1)), types.Of(types.TinyInt), "CAST(1 AS TINYINT)"},
		{lit(types.Of(types.Null), nil), samples['i'], "null:INT"},
	}
	for _, tt := range tests {
		if got := function.Coerce(tt.from, tt.to).String(); got != tt.want {
			t.Errorf("got %s, want %s", got, tt.want)
		}
	}
}
