package printer

import (
	"bytes"
	"math/big"
	"testing"

	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

func TestValuesAsJavaPrintsThem(t *testing.T) {
	row := types.RowOf(types.Field{Name: "a", Type: types.Of(types.Int)}, types.Field{Name: "b", Type: types.StringType()})
	for name, tt := range map[string]struct {
		typ   types.Type
		value any
		want  string
	}{
		"null":                  {types.StringType(), nil, "null"},
		"text":                  {types.StringType(), "a b", "a b"},
		"boolean":               {types.Of(types.Boolean), true, "true"},
		"double":                {types.Of(types.Double), 1e10, "1.0E10"},
		"decimal":               {types.DecimalType(5, 2), big.NewInt(150), "1.50"},
		"date":                  {types.Of(types.Date), int64(0), "1970-01-01"},
		"time":                  {types.TimeType(3), int64(3_723_004), "01:02:03.004"},
		"time of full minutes":  {types.TimeType(0), int64(3_720_000), "01:02"},
		"timestamp":             {types.TimestampType(3), types.TimestampValue{Millis: 1_000}, "1970-01-01T00:00:01"},
		"timestamp, minutes":    {types.TimestampType(3), types.TimestampValue{}, "1970-01-01T00:00"},
		"timestamp of micros":   {types.TimestampType(6), types.TimestampValue{Millis: 1, Nanos: 20_000}, "1970-01-01T00:00:00.001020"},
		"timestamp before 1970": {types.TimestampType(3), types.TimestampValue{Millis: -1}, "1969-12-31T23:59:59.999"},
		"instant":               {types.TimestampLTZType(3), types.TimestampValue{}, "1970-01-01T00:00:00Z"},
		"bytes":                 {types.BytesType(), "a\xff", "[97, -1]"},
		"array":                 {types.ArrayOf(types.StringType()), []any{"a", nil}, "[a, null]"},
		"map":                   {types.MapOf(types.StringType(), types.Of(types.Int)), column.MapValue{Keys: []any{"a", "b"}, Values: []any{int64(1), nil}}, "{a=1, b=null}"},
		"row":                   {row, []any{int64(1), "x"}, "+I[1, x]"},
	} {
		t.Run(name, func(t *testing.T) {
			v := column.New(tt.typ)
			v.Append(tt.value)
			if got := string(appendValue(nil, v, 0)); got != tt.want {
				t.Errorf("%s, want %s", got, tt.want)
			}
		})
	}
}

func TestLines(t *testing.T) {
	v := column.New(types.Of(types.Int))
	for i := range 3 {
		v.Append(int64(i))
	}
	var out bytes.Buffer
	s := &sink{out: &stream{w: &out}, prefix: "id"}
	b := &column.Batch{Len: 3, Cols: []*column.Vector{v, v}, Kinds: []column.Kind{column.Insert, column.UpdateAfter, column.Delete}}
	if err := s.Write(b, nil); err != nil {
		t.Fatal(err)
	}
	if want := "id> +I[0, 0]\nid> +U[1, 1]\nid> -D[2, 2]\n"; out.String() != want {
		t.Errorf("printed %q, want %q", out.String(), want)
	}
}
