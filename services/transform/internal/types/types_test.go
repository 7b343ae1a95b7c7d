package types_test

import (
	"math/big"
	"testing"

	"github.com/weirflow/weirflow/services/transform/internal/types"
)

func TestString(t *testing.T) {
	t.Parallel()
	rowtime := types.TimestampType(3)
	rowtime.Attribute = types.Rowtime
	proctime := types.TimestampLTZType(3).NotNull()
	proctime.Attribute = types.Proctime
	tests := map[string]types.Type{
		"STRING": types.StringType(), "BYTES": types.BytesType(), "CHAR(3) NOT NULL": types.CharType(3).NotNull(), "VARCHAR(7)": types.VarcharType(7),
		"DECIMAL(10, 2)": types.DecimalType(10, 2), "TIME(0)": types.TimeType(0), "TIMESTAMP(3) *ROWTIME*": rowtime,
		"TIMESTAMP_LTZ(3) NOT NULL *PROCTIME*": proctime, "INTERVAL SECOND(3)": types.Of(types.IntervalDayTime), "INTERVAL MONTH": types.Of(types.IntervalYearMonth),
		"ARRAY<INT NOT NULL>": types.ArrayOf(types.Of(types.Int).NotNull()), "MAP<STRING, MULTISET<DATE>>": types.MapOf(types.StringType(), types.MultisetOf(types.Of(types.Date))),
		"ROW<`a``b` INT 'it''s', `c` ROW<`d` BOOLEAN> NOT NULL> NOT NULL": types.RowOf(types.Field{Name: "a`b", Type: types.Of(types.Int), Comment: "it's"},
			types.Field{Name: "c", Type: types.RowOf(types.Field{Name: "d", Type: types.Of(types.Boolean)}).NotNull()}).NotNull(),
	}
	for want, typ := range tests {
		if got := typ.String(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestCommon(t *testing.T) {
	t.Parallel()
	i, l, f, d, s := types.Of(types.Int), types.Of(types.BigInt), types.Of(types.Float), types.Of(types.Double), types.StringType()
	tests := []struct {
		a, b types.Type
		want string
	}{
		{i, l, "BIGINT"}, {types.Of(types.TinyInt), types.Of(types.SmallInt), "SMALLINT"}, {i, f, "FLOAT"}, {l, d, "DOUBLE"}, {f, types.DecimalType(3, 1), "DOUBLE"},
		{i, types.DecimalType(3, 2), "DECIMAL(12, 2)"}, {types.DecimalType(38, 0), types.DecimalType(38, 10), "DECIMAL(38, 0)"},
		{types.CharType(2), types.CharType(2), "CHAR(2)"}, {types.CharType(2), types.CharType(3), "VARCHAR(3)"}, {types.CharType(2), s, "STRING"},
		{types.Of(types.Null), i, "INT"}, {i.NotNull(), i, "INT"}, {i.NotNull(), l.NotNull(), "BIGINT NOT NULL"},
		{types.Of(types.Date), types.TimestampType(3), "TIMESTAMP(3)"}, {types.TimestampType(3), types.TimestampLTZType(6), "TIMESTAMP_LTZ(6)"},
		{types.ArrayOf(i.NotNull()), types.ArrayOf(l), "ARRAY<BIGINT>"}, {types.MapOf(types.CharType(1), i), types.MapOf(s, i), "MAP<STRING, INT>"},
		{i, s, ""}, {types.Of(types.Boolean), i, ""}, {types.Of(types.Date), types.TimeType(0), ""}, {types.RowOf(), types.RowOf(types.Field{Name: "a", Type: i}), ""},
	}
	for _, tt := range tests {
		got, ok := types.Common(tt.a, tt.b)
		if ok != (tt.want != "") || ok && got.String() != tt.want {
			t.Errorf("%s and %s: %s %t, want %s", tt.a, tt.b, got, ok, tt.want)
		}
	}
}

func TestArithmetic(t *testing.T) {
	t.Parallel()
	dec := types.DecimalType
	i := types.Of(types.Int)
	tests := []struct {
		op   byte
		a, b types.Type
		want types.Type
	}{
		{'+', dec(3, 2), dec(4, 3), dec(5, 3)}, {'*', dec(10, 2), dec(10, 2), dec(21, 4)}, {'/', dec(3, 1), i, dec(14, 12)}, {'/', i, dec(2, 1), dec(17, 6)},
		{'/', dec(5, 2), i, dec(16, 13)}, {'/', i, i, i}, {'%', dec(5, 2), dec(4, 0), dec(5, 2)}, {'*', dec(38, 10), dec(38, 10), dec(38, 6)},
		{'%', types.Of(types.BigInt), i, i}, {'%', types.Of(types.Double), i, types.Of(types.Double)}, {'-', i, types.Of(types.Double), types.Of(types.Double)},
	}
	for _, tt := range tests {
		if got := types.Arithmetic(tt.op, tt.a, tt.b); !got.Equal(tt.want) {
			t.Errorf("%s %c %s: %s, want %s", tt.a, tt.op, tt.b, got, tt.want)
		}
	}
}

func TestCasts(t *testing.T) {
	t.Parallel()
	s, i := types.StringType(), types.Of(types.Int)
	row := types.RowOf(types.Field{Name: "a", Type: i})
	tests := []struct {
		from, to     types.Type
		cast, assign bool
	}{
		{s, i, true, false}, {i, s, true, false}, {i, types.Of(types.TinyInt), true, false}, {types.Of(types.Date), types.TimestampType(3), true, false},
		{types.TimestampType(3), types.Of(types.Date), true, true}, {types.TimeType(0), types.Of(types.Date), false, false}, {types.Of(types.Boolean), i, true, false},
		{types.ArrayOf(s), types.ArrayOf(i), true, false}, {types.ArrayOf(s), i, false, false}, {row, row, true, true},
		{row, types.RowOf(types.Field{Name: "b", Type: types.Of(types.BigInt)}), true, true}, {types.Of(types.Null), row, true, true}, {types.BytesType(), s, true, false},
	}
	for _, tt := range tests {
		if got := types.CanCast(tt.from, tt.to); got != tt.cast {
			t.Errorf("cast %s to %s: %t", tt.from, tt.to, got)
		}
		if got := types.CanAssign(tt.from, tt.to); got != tt.assign {
			t.Errorf("assign %s to %s: %t", tt.from, tt.to, got)
		}
	}
}

// TestAssign compares every pair of types with what Flink 1.20 takes in an INSERT.
func TestAssign(t *testing.T) {
	t.Parallel()
	of := types.Of
	list := []types.Type{
		types.CharType(3), types.VarcharType(3), types.StringType(), of(types.Boolean), {Kind: types.Binary, Length: 3, Nullable: true},
		{Kind: types.Varbinary, Length: 3, Nullable: true}, types.BytesType(), types.DecimalType(10, 2), types.DecimalType(20, 0),
		of(types.TinyInt), of(types.SmallInt), of(types.Int), of(types.BigInt), of(types.Float), of(types.Double),
		of(types.Date), types.TimeType(0), types.TimestampType(3), types.TimestampType(9), types.TimestampLTZType(3),
		types.ArrayOf(of(types.Int)), types.ArrayOf(of(types.BigInt)), types.ArrayOf(types.StringType()), types.MapOf(types.StringType(), of(types.Int)),
		types.MapOf(types.StringType(), of(types.BigInt)), types.MultisetOf(types.StringType()), types.RowOf(types.Field{Name: "a", Type: of(types.Int)}),
		types.RowOf(types.Field{Name: "b", Type: of(types.BigInt)}), types.RowOf(types.Field{Name: "a", Type: of(types.Int)}, types.Field{Name: "b", Type: types.StringType()}),
	}
	rows := []string{
		"xxx..........................",
		".xx..........................",
		".xx..........................",
		"...x.........................",
		"....xxx......................",
		".....xx......................",
		".....xx......................",
		".......xx....xx..............",
		".......xx....xx..............",
		".......xxxxxxxx..............",
		".......xx.xxxxx..............",
		".......xx..xxxx..............",
		".......xx...xxx..............",
		".......xx....xx..............",
		".......xx.....x..............",
		"...............x.............",
		"................x............",
		"...............xxxxx.........",
		"...............xxxxx.........",
		".................xxx.........",
		"....................xx.......",
		".....................x.......",
		"......................x......",
		".......................xx....",
		"........................x....",
		".........................x...",
		"..........................xx.",
		"...........................x.",
		"............................x",
	}
	for i, from := range list {
		for j, to := range list {
			if got, want := types.CanAssign(from, to), rows[i][j] == 'x'; got != want {
				t.Errorf("%s into %s: %t, Flink says %t", from, to, got, want)
			}
		}
	}
}

func TestDecimalValue(t *testing.T) {
	t.Parallel()
	tests := []struct {
		n     int64
		scale int
		want  string
	}{{12345, 2, "123.45"}, {-5, 2, "-0.05"}, {0, 0, "0"}, {7, -2, "700"}, {5, 3, "0.005"}}
	for _, tt := range tests {
		if got := (types.DecimalValue{Unscaled: big.NewInt(tt.n), Scale: tt.scale}).String(); got != tt.want {
			t.Errorf("got %s, want %s", got, tt.want)
		}
	}
}
