package json_test

import (
	stdjson "encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/format/json"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

func decodeAll(cols []json.Column, opt json.Options, records ...string) (rows [][]any, origin []int32, err error) {
	d := json.NewDecoder(cols, opt)
	d.Begin(len(records))
	for _, r := range records {
		if _, err := d.Decode([]byte(r)); err != nil {
			return nil, nil, err
		}
	}
	vecs, origin := d.Finish()
	for i := range origin {
		row := make([]any, 0, len(vecs))
		for _, v := range vecs {
			row = append(row, v.Value(i))
		}
		rows = append(rows, row)
	}
	return rows, append([]int32(nil), origin...), nil
}

func TestCoercions(t *testing.T) {
	dec := types.DecimalType(5, 2)
	str := types.StringType()
	tests := map[string]struct {
		typ   types.Type
		value string
		want  any // "error" for a value that is refused
	}{
		"string":                    {str, `"a"`, "a"},
		"string with escapes":       {str, `"a\n\"\\\/\u00e9\ud83d\ude00"`, "a\n\"\\/é😀"},
		"string from number":        {str, `1.50`, "1.50"},
		"string from boolean":       {str, `true`, "true"},
		"string from object":        {str, `{"a" : [1, 2 ]}`, `{"a":[1,2]}`},
		"string null":               {str, `null`, nil},
		"int":                       {types.Of(types.Int), `-7`, int64(-7)},
		"int from text":             {types.Of(types.Int), `" 12 "`, int64(12)},
		"int from fraction":         {types.Of(types.Int), `3.9`, int64(3)},
		"int from text fraction":    {types.Of(types.Int), `"3.9"`, "error"},
		"int out of range":          {types.Of(types.Int), `2147483648`, "error"},
		"int from boolean":          {types.Of(types.Int), `true`, "error"},
		"int from object":           {types.Of(types.Int), `{}`, "error"},
		"tinyint out of range":      {types.Of(types.TinyInt), `128`, "error"},
		"bigint":                    {types.Of(types.BigInt), `9223372036854775807`, int64(9223372036854775807)},
		"bigint out of range":       {types.Of(types.BigInt), `9223372036854775808`, "error"},
		"double":                    {types.Of(types.Double), `1e3`, 1000.0},
		"double from text":          {types.Of(types.Double), `"NaN?"`, "error"},
		"float":                     {types.Of(types.Float), `0.1`, float64(float32(0.1))},
		"boolean":                   {types.Of(types.Boolean), `false`, false},
		"boolean from text":         {types.Of(types.Boolean), `"TRUE"`, true},
		"boolean from other text":   {types.Of(types.Boolean), `"yes"`, false},
		"decimal rounds":            {dec, `1.005`, "1.01"},
		"decimal that does not fit": {dec, `1234.5`, nil},
		"bytes":                     {types.BytesType(), `"aGk="`, "hi"},
		"bytes broken":              {types.BytesType(), `"%"`, "error"},
		"date":                      {types.Of(types.Date), `"1970-01-02"`, int64(1)},
		"date broken":               {types.Of(types.Date), `"1970-02-30"`, "error"},
		"time":                      {types.TimeType(0), `"00:00:01"`, int64(1000)},
		"timestamp":                 {types.TimestampType(3), `"1970-01-01 00:00:01.5"`, types.TimestampValue{Millis: 1500}},
		"timestamp with a T":        {types.TimestampType(3), `"1970-01-01T00:00:01"`, "error"},
		"local timestamp":           {types.TimestampLTZType(3), `"1970-01-01 00:00:01Z"`, types.TimestampValue{Millis: 1000}},
		"array":                     {types.ArrayOf(types.Of(types.Int)), `[1,null, 3]`, []any{int64(1), nil, int64(3)}},
		"array empty":               {types.ArrayOf(types.Of(types.Int)), `[ ]`, []any{}},
		"array from object":         {types.ArrayOf(types.Of(types.Int)), `{}`, "error"},
		"map":                       {types.MapOf(str, types.Of(types.Int)), `{"a":1,"b":null}`, column.MapValue{Keys: []any{"a", "b"}, Values: []any{int64(1), nil}}},
		"map with a repeated key":   {types.MapOf(str, types.Of(types.Int)), `{"a":1,"b":2,"a":3}`, column.MapValue{Keys: []any{"a", "b"}, Values: []any{int64(3), int64(2)}}},
		"row":                       {types.RowOf(types.Field{Name: "x", Type: str}, types.Field{Name: "y", Type: str}), `{"y":"1","z":[{}]}`, []any{nil, "1"}},
		"row from text":             {types.RowOf(types.Field{Name: "x", Type: str}), `"x"`, "error"},
		"control character":         {str, "\"a\x01\"", "error"},
		"invalid UTF-8":             {str, "\"a\xff\"", "error"},
	}
	for name, tt := range tests {
		for _, ignore := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/ignore=%t", name, ignore), func(t *testing.T) {
				cols := []json.Column{{Name: "v", Type: tt.typ}, {Name: "after", Type: types.Of(types.Int)}}
				record := `{"v":` + tt.value + `,"after":1}`
				// The second and third time the template answers.
				rows, _, err := decodeAll(cols, json.Options{IgnoreParseErrors: ignore}, record, record, record)
				if tt.want == "error" && !ignore {
					if err == nil {
						t.Fatalf("rows %v, want an error", rows)
					}
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				if tt.want == "error" && len(rows) == 0 && (name == "control character" || name == "invalid UTF-8") {
					return // the record itself is broken
				}
				if len(rows) != 3 {
					t.Fatalf("%d rows, want 3", len(rows))
				}
				for _, row := range rows {
					got := row[0]
					if d, ok := got.(types.DecimalValue); ok {
						got = d.String()
					}
					want := tt.want
					if want == "error" {
						want = nil
					}
					if !reflect.DeepEqual(got, want) || row[1] != int64(1) {
						t.Errorf("row %#v, want %#v and 1", row, want)
					}
				}
			})
		}
	}
}

func TestBrokenRecords(t *testing.T) {
	cols := []json.Column{{Name: "a", Type: types.Of(types.Int)}}
	for _, record := range []string{``, ` `, `{`, `{"a"`, `{"a":`, `{"a":1`, `{"a":1,}`, `{a:1}`, `[1]`, `1`, `"x"`, `nul`, `{"b":"`, `{"b":tru}`, `{"b":01.}`, `{"b":[1 2]}`, `{"b":{"c"}}`, `{"a":1}}`[:5]} {
		t.Run(record, func(t *testing.T) {
			if rows, _, err := decodeAll(cols, json.Options{}, record); err == nil {
				t.Errorf("rows %v, want an error", rows)
			}
			rows, origin, err := decodeAll(cols, json.Options{IgnoreParseErrors: true}, `{"a":1}`, record, `{"a":2}`)
			if err != nil || !reflect.DeepEqual(rows, [][]any{{int64(1)}, {int64(2)}}) || !reflect.DeepEqual(origin, []int32{0, 2}) {
				t.Errorf("its neighbours are %v of records %v (%v)", rows, origin, err)
			}
		})
	}
}

func TestMissingFields(t *testing.T) {
	cols := []json.Column{{Name: "a", Type: types.Of(types.Int)}, {Name: "b", Type: types.Of(types.Int)}}
	if rows, _, err := decodeAll(cols, json.Options{}, `{"b":2}`); err != nil || !reflect.DeepEqual(rows, [][]any{{nil, int64(2)}}) {
		t.Errorf("rows %v (%v), want NULL for what is missing", rows, err)
	}
	if _, _, err := decodeAll(cols, json.Options{FailOnMissingField: true}, `{"b":2}`); err == nil || !strings.Contains(err.Error(), `"a"`) {
		t.Errorf("error %v, want one that names the field", err)
	}
}

func TestArrayBecomesRows(t *testing.T) {
	cols := []json.Column{{Name: "a", Type: types.Of(types.Int)}}
	rows, origin, err := decodeAll(cols, json.Options{}, `[{"a":1},{"a":2}]`, `[]`, `{"a":3}`)
	if err != nil || !reflect.DeepEqual(rows, [][]any{{int64(1)}, {int64(2)}, {int64(3)}}) || !reflect.DeepEqual(origin, []int32{0, 0, 2}) {
		t.Errorf("rows %v of records %v (%v)", rows, origin, err)
	}
}

// TestTemplatesChangeNothing decodes records that differ here and there, once in
// a row and once each with a decoder of its own.
func TestTemplatesChangeNothing(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	pick := func(s ...string) string { return s[r.IntN(len(s))] }
	cols := missionColumns()
	var records []string
	for range 5000 {
		records = append(records, fmt.Sprintf(`{"@timestamp":%s,"x":%s,"host":%s,"log":{"offset":%d,%s"file":{"path":"%s"}},"message":%s%s}`,
			pick(`"2021"`, `"2022"`, `null`, `"20\t23"`), pick(`1`, `12`, `"s"`, `{"y":[1]}`, `[]`),
			pick(`{"id":"h1","ip":["1.1.1.1","::1"]}`, `{"id":"h2","ip":["2.2.2.2"]}`, `{"id":"h2","ip":[]}`, `{"id":null}`, `null`, `{}`, `"text"`),
			r.IntN(1000), pick(``, ``, ``, `"flags":[],`), pick("/a", "/b", "/a/b"), pick(`"m"`, `"line \u00e9"`, `"longer line"`, `5`, `{"o":1}`),
			pick(``, ``, ` `, `,"message":"again"`)))
	}
	opt := json.Options{IgnoreParseErrors: true}
	together, _, err := decodeAll(cols, opt, records...)
	if err != nil {
		t.Fatal(err)
	}
	if len(together) != len(records) {
		t.Fatalf("%d rows of %d records", len(together), len(records))
	}
	for i, record := range records {
		alone, _, err := decodeAll(cols, opt, record)
		if err != nil || !reflect.DeepEqual(alone[0], together[i]) {
			t.Fatalf("record %s\nalone    %#v (%v)\ntogether %#v", record, alone, err, together[i])
		}
	}
}

// FuzzDecode holds the decoder against encoding/json: what that takes as an object
// must be taken, with the same text and number, also when a template answers.
func FuzzDecode(f *testing.F) {
	for _, s := range []string{`{"s":"a","n":1}`, `{"s":"\u00e9\\","n":-5,"x":{"y":[1,2.5e3,null]}}`, `{"n":1,"n":2}`, `[{"s":"x"}]`, `{"s":"\ud800"}`, "{\"s\":\"\x7f\"} ", `{"x":"` + strings.Repeat("a", 40) + `","n":7}`} {
		f.Add([]byte(s), []byte(`{"s":"b","n":2}`))
	}
	cols := []json.Column{{Name: "s", Type: types.StringType()}, {Name: "n", Type: types.Of(types.BigInt)}}
	f.Fuzz(func(t *testing.T, a, b []byte) {
		d := json.NewDecoder(cols, json.Options{})
		d.Begin(4)
		var want []map[string]stdjson.RawMessage
		for _, data := range [][]byte{a, b, a, b} {
			var m map[string]stdjson.RawMessage
			std := stdjson.Unmarshal(data, &m)
			n, err := d.Decode(data)
			if std == nil && m != nil && err != nil && !mayRefuse(m) {
				t.Fatalf("%q refused: %v", data, err)
			}
			for range n {
				if std != nil {
					m = nil
				}
				want = append(want, m)
			}
		}
		vecs, _ := d.Finish()
		for i, m := range want {
			if m == nil {
				continue
			}
			var s string
			if raw, ok := m["s"]; ok && stdjson.Unmarshal(raw, &s) == nil && string(raw) != "null" {
				if got := vecs[0].Value(i); got != s {
					t.Fatalf("text %q, encoding/json has %q", got, s)
				}
			}
			var n int64
			if raw, ok := m["n"]; ok && stdjson.Unmarshal(raw, &n) == nil && string(raw) != "null" {
				if got := vecs[1].Value(i); got != n {
					t.Fatalf("number %v, encoding/json has %d", got, n)
				}
			}
		}
	})
}

// mayRefuse reports whether the object holds what the columns cannot take.
func mayRefuse(m map[string]stdjson.RawMessage) bool {
	var n int64
	raw, ok := m["n"]
	if ok && stdjson.Unmarshal(raw, &n) != nil {
		return true
	}
	// encoding/json takes invalid UTF-8 and folds names; the decoder does neither.
	for k, v := range m {
		if strings.ContainsRune(k, '\uFFFD') || strings.ContainsRune(string(v), '\uFFFD') {
			return true
		}
	}
	return false
}
