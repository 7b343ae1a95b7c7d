package csv_test

import (
	"bytes"
	"fmt"
	"math/big"
	"reflect"
	"strings"
	"testing"

	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/format/csv"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

func fields(ts ...types.Type) []types.Field {
	var fs []types.Field
	for i, t := range ts {
		fs = append(fs, types.Field{Name: fmt.Sprintf("f%d", i), Type: t})
	}
	return fs
}

func names(fs []types.Field) []string {
	var out []string
	for _, f := range fs {
		out = append(out, f.Name)
	}
	return out
}

func decode(t *testing.T, fs []types.Field, read []string, o csv.Options, records ...string) ([][]any, error) {
	t.Helper()
	d, err := csv.NewDecoder(fs, read, o)
	if err != nil {
		t.Fatal(err)
	}
	d.Begin(1)
	for _, r := range records {
		if _, err := d.Decode([]byte(r)); err != nil {
			return nil, err
		}
	}
	cols, at := d.Finish()
	var rows [][]any
	for i := range at {
		row := []any{}
		for _, c := range cols {
			row = append(row, c.Value(i))
		}
		rows = append(rows, row)
	}
	return rows, nil
}

func TestDecode(t *testing.T) {
	s, i := types.StringType(), types.Of(types.Int)
	three := fields(s, i, s)
	with := func(change func(*csv.Options)) csv.Options {
		o := csv.DefaultOptions()
		change(&o)
		return o
	}
	ignore := with(func(o *csv.Options) { o.IgnoreParseErrors = true })
	for name, tt := range map[string]struct {
		fields []types.Field
		opt    csv.Options
		record string
		want   []any // nil: no row
		err    string
	}{
		"plain":                      {three, csv.DefaultOptions(), "a,1,b", []any{"a", int64(1), "b"}, ""},
		"line end":                   {three, csv.DefaultOptions(), "a,1,b\r\nnext", []any{"a", int64(1), "b"}, ""},
		"delimiter at the end":       {three, csv.DefaultOptions(), "a,1,b,", []any{"a", int64(1), "b"}, ""},
		"empty texts":                {three, csv.DefaultOptions(), ",1,", []any{"", int64(1), ""}, ""},
		"empty record":               {three, csv.DefaultOptions(), "", nil, ""},
		"empty number":               {three, csv.DefaultOptions(), "a,,b", nil, `value 2 ("f1")`},
		"blanks around a number":     {three, csv.DefaultOptions(), "a, +7 ,b", []any{"a", int64(7), "b"}, ""},
		"blanks of a text stay":      {three, csv.DefaultOptions(), " a ,1, b", []any{" a ", int64(1), " b"}, ""},
		"quotes":                     {three, csv.DefaultOptions(), `"a,""b""","1" ,"c` + "\n" + `d"`, []any{`a,"b"`, int64(1), "c\nd"}, ""},
		"quote within a text":        {three, csv.DefaultOptions(), `a"b,1,c"`, []any{`a"b`, int64(1), `c"`}, ""},
		"open quote":                 {three, csv.DefaultOptions(), `"a,1,b`, nil, "does not end"},
		"text behind quote":          {three, csv.DefaultOptions(), `"a"b,1,c`, nil, "closing quote"},
		"too few":                    {three, csv.DefaultOptions(), "a,1", nil, "2 values"},
		"too many":                   {three, csv.DefaultOptions(), "a,1,b,c", nil, "more values"},
		"out of range":               {three, csv.DefaultOptions(), "a,2147483648,b", nil, `"2147483648" is no INT`},
		"not UTF-8":                  {three, csv.DefaultOptions(), "a\xff,1,b", nil, "UTF-8"},
		"ignore: mistyped":           {three, ignore, "a,x,b", []any{"a", nil, "b"}, ""},
		"ignore: too few":            {three, ignore, "a,1", []any{"a", int64(1), nil}, ""},
		"ignore: too many":           {three, ignore, "a,1,b,c", nil, ""},
		"ignore: open quote":         {three, ignore, `"a,1,b`, nil, ""},
		"tabs":                       {three, with(func(o *csv.Options) { o.FieldDelimiter = "\t" }), "a\t1\tb,c", []any{"a", int64(1), "b,c"}, ""},
		"wide delimiter":             {three, with(func(o *csv.Options) { o.FieldDelimiter = "│" }), "ä│1│é", []any{"ä", int64(1), "é"}, ""},
		"another quote":              {three, with(func(o *csv.Options) { o.Quote = "'" }), `'a,"',1,b`, []any{`a,"`, int64(1), "b"}, ""},
		"no quotes":                  {three, with(func(o *csv.Options) { o.Quote = "" }), `"a",1,"`, []any{`"a"`, int64(1), `"`}, ""},
		"escapes":                    {three, with(func(o *csv.Options) { o.Escape = `\` }), `a\,b,1,"x\"y\n\\"`, []any{"a,b", int64(1), "x\"y\n\\"}, ""},
		"escape at the end":          {three, with(func(o *csv.Options) { o.Escape = `\` }), `a,1,b\`, []any{"a", int64(1), "b"}, ""},
		"null literal":               {three, with(func(o *csv.Options) { o.NullLiteral, o.HasNull = "n/a", true }), `n/a,n/a,"n/a"`, []any{nil, nil, nil}, ""},
		"empty null literal":         {three, with(func(o *csv.Options) { o.HasNull = true }), `,,x`, []any{nil, nil, "x"}, ""},
		"comment":                    {three, with(func(o *csv.Options) { o.AllowComments = true }), "# a,1", nil, ""},
		"record behind a comment":    {three, with(func(o *csv.Options) { o.AllowComments = true }), "#\na,1,b", []any{"a", int64(1), "b"}, ""},
		"no comments":                {three, csv.DefaultOptions(), "#a,1,b", []any{"#a", int64(1), "b"}, ""},
		"array":                      {fields(types.ArrayOf(i), s), csv.DefaultOptions(), "1;2;-3,x", []any{[]any{int64(1), int64(2), int64(-3)}, "x"}, ""},
		"empty array":                {fields(types.ArrayOf(i), s), csv.DefaultOptions(), ",x", []any{[]any{}, "x"}, ""},
		"array with a bad element":   {fields(types.ArrayOf(i), s), csv.DefaultOptions(), "1;z,x", nil, `"z" is no INT`},
		"ignore: bad element":        {fields(types.ArrayOf(i), s), ignore, "1;z,x", []any{[]any{int64(1), nil}, "x"}, ""},
		"quoted array":               {fields(types.ArrayOf(s), s), csv.DefaultOptions(), `"a,""b"";c",x`, []any{[]any{`a,"b"`, "c"}, "x"}, ""},
		"row":                        {fields(types.RowOf(fields(s, i)...), s), csv.DefaultOptions(), "a;5,x", []any{[]any{"a", int64(5)}, "x"}, ""},
		"empty row":                  {fields(types.RowOf(fields(s, i)...), s), csv.DefaultOptions(), ",x", []any{nil, "x"}, ""},
		"row of the wrong length":    {fields(types.RowOf(fields(s, i)...), s), csv.DefaultOptions(), "a,x", nil, "2 fields, not 1"},
		"another array delimiter":    {fields(types.ArrayOf(s)), with(func(o *csv.Options) { o.ArrayDelimiter = "|" }), "a|b;c", []any{[]any{"a", "b;c"}}, ""},
		"boolean":                    {fields(types.Of(types.Boolean), types.Of(types.Boolean)), csv.DefaultOptions(), "TRUE ,yes", []any{true, false}, ""},
		"floats":                     {fields(types.Of(types.Double), types.Of(types.Float)), csv.DefaultOptions(), "1e3,-.5", []any{1000.0, -0.5}, ""},
		"decimal":                    {fields(types.DecimalType(5, 2)), csv.DefaultOptions(), "12.345", []any{types.DecimalValue{Unscaled: big.NewInt(1235), Scale: 2}}, ""},
		"decimal that does not fit":  {fields(types.DecimalType(3, 2)), csv.DefaultOptions(), "1234", []any{nil}, ""},
		"decimal with blanks":        {fields(types.DecimalType(5, 2)), csv.DefaultOptions(), " 1", nil, "DECIMAL"},
		"date":                       {fields(types.Of(types.Date)), csv.DefaultOptions(), "1970-01-02", []any{int64(1)}, ""},
		"time":                       {fields(types.Of(types.Time)), csv.DefaultOptions(), "00:00:01.999", []any{int64(1000)}, ""},
		"timestamp":                  {fields(types.TimestampType(3)), csv.DefaultOptions(), "1970-01-01 00:00:01.2345 ", []any{types.TimestampValue{Millis: 1234}}, ""},
		"timestamp with a T":         {fields(types.TimestampType(3)), csv.DefaultOptions(), "1970-01-01T00:00:01", nil, "TIMESTAMP"},
		"timestamp with zone":        {fields(types.TimestampLTZType(3)), csv.DefaultOptions(), "1970-01-01 00:00:01Z", []any{types.TimestampValue{Millis: 1000}}, ""},
		"timestamp without its zone": {fields(types.TimestampLTZType(3)), csv.DefaultOptions(), "1970-01-01 00:00:01", nil, "TIMESTAMP_LTZ"},
		"bytes":                      {fields(types.BytesType()), csv.DefaultOptions(), "YWI=", []any{"ab"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			rows, err := decode(t, tt.fields, names(tt.fields), tt.opt, tt.record)
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Fatalf("rows %v, error %v, want one about %s", rows, err, tt.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var want [][]any
			if tt.want != nil {
				want = [][]any{tt.want}
			}
			if !reflect.DeepEqual(rows, want) {
				t.Errorf("rows %v, want %v", rows, want)
			}
		})
	}
}

func TestOnlyWhatIsReadIsConverted(t *testing.T) {
	fs := fields(types.StringType(), types.Of(types.Int), types.StringType())
	rows, err := decode(t, fs, []string{"f2", "f0"}, csv.DefaultOptions(), "a,x,b", "", `"""",y,d`)
	if err != nil {
		t.Fatal(err)
	}
	if want := [][]any{{"b", "a"}, {"d", `"`}}; !reflect.DeepEqual(rows, want) {
		t.Errorf("rows %v, want %v", rows, want)
	}
	if _, err := decode(t, fs, nil, csv.DefaultOptions(), "a,b"); err == nil {
		t.Error("a record of two values is taken for one of three")
	}
}

func TestManyRecordsInABatch(t *testing.T) {
	fs := fields(types.Of(types.Int), types.StringType())
	d, err := csv.NewDecoder(fs, names(fs), csv.DefaultOptions())
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		d.Begin(2)
		for i := range 100 {
			if n, err := d.Decode(fmt.Appendf(nil, `%d,"%d"""`, i, i)); n != 1 || err != nil {
				t.Fatal(n, err)
			}
		}
		cols, records := d.Finish()
		for i := range 100 {
			if cols[0].Ints[i] != int64(i) || cols[1].Strs[i] != fmt.Sprintf(`%d"`, i) || records[i] != int32(i) {
				t.Fatalf("row %d is %v, %q of record %d", i, cols[0].Ints[i], cols[1].Strs[i], records[i])
			}
		}
	}
}

func TestTypesThatThereAreNot(t *testing.T) {
	for name, typ := range map[string]types.Type{"map": types.MapOf(types.StringType(), types.StringType()), "array of arrays": types.ArrayOf(types.ArrayOf(types.StringType())),
		"time of nanoseconds": types.TimeType(6)} {
		t.Run(name, func(t *testing.T) {
			if _, err := csv.NewDecoder(fields(typ), nil, csv.DefaultOptions()); err == nil || !strings.Contains(err.Error(), `"f0"`) {
				t.Errorf("decoder: %v", err)
			}
			if _, err := csv.NewEncoder(fields(typ), csv.DefaultOptions()); err == nil {
				t.Error("the encoder takes it")
			}
		})
	}
}

func TestEncode(t *testing.T) {
	s := types.StringType()
	escape := csv.DefaultOptions()
	escape.Escape = `\`
	bare := csv.DefaultOptions()
	bare.Quote = ""
	plain := csv.DefaultOptions()
	plain.PlainDecimals = true
	null := csv.DefaultOptions()
	null.NullLiteral, null.HasNull = "NULL", true
	dec := func(n int64, scale int) types.DecimalValue {
		return types.DecimalValue{Unscaled: big.NewInt(n), Scale: scale}
	}
	for name, tt := range map[string]struct {
		opt    csv.Options
		fields []types.Field
		row    []any
		want   string
	}{
		"plain":                {csv.DefaultOptions(), fields(s, types.Of(types.Int)), []any{"a-b", int64(-1)}, "a-b,-1"},
		"a blank":              {csv.DefaultOptions(), fields(s), []any{"a b"}, `"a b"`},
		"a quote":              {csv.DefaultOptions(), fields(s), []any{`a"b`}, `"a""b"`},
		"a line end":           {csv.DefaultOptions(), fields(s), []any{"a\nb"}, "\"a\nb\""},
		"long":                 {csv.DefaultOptions(), fields(s), []any{strings.Repeat("é", 25)}, `"` + strings.Repeat("é", 25) + `"`},
		"not long":             {csv.DefaultOptions(), fields(s), []any{strings.Repeat("é", 24)}, strings.Repeat("é", 24)},
		"null and empty":       {csv.DefaultOptions(), fields(s, s, s), []any{nil, "", "x"}, ",,x"},
		"null literal":         {null, fields(s, types.ArrayOf(s)), []any{nil, []any{"a", nil}}, "NULL,a;NULL"},
		"escape":               {escape, fields(s, s), []any{`a"b`, `c\d`}, `"a""b","c\\d"`},
		"without quotes":       {bare, fields(s), []any{`a,"b`}, `a,"b`},
		"boolean":              {csv.DefaultOptions(), fields(types.Of(types.Boolean)), []any{true}, "true"},
		"double":               {csv.DefaultOptions(), fields(types.Of(types.Double)), []any{1e10}, "1.0E10"},
		"decimal":              {csv.DefaultOptions(), fields(types.DecimalType(10, 2)), []any{dec(1050, 2)}, "10.5"},
		"round decimal":        {csv.DefaultOptions(), fields(types.DecimalType(10, 2)), []any{dec(10000000, 2)}, `"1E+5"`},
		"negative decimal":     {csv.DefaultOptions(), fields(types.DecimalType(10, 2)), []any{dec(-12000, 2)}, `"-1.2E+2"`},
		"zero":                 {csv.DefaultOptions(), fields(types.DecimalType(10, 2)), []any{dec(0, 2)}, "0"},
		"small decimal":        {csv.DefaultOptions(), fields(types.DecimalType(20, 10)), []any{dec(12, 10)}, "1.2E-9"},
		"plain decimal":        {plain, fields(types.DecimalType(10, 2)), []any{dec(10000000, 2)}, "100000.00"},
		"date":                 {csv.DefaultOptions(), fields(types.Of(types.Date)), []any{int64(0)}, "1970-01-01"},
		"time":                 {csv.DefaultOptions(), fields(types.TimeType(3)), []any{int64(61001)}, "00:01:01.001"},
		"timestamp":            {csv.DefaultOptions(), fields(types.TimestampType(3)), []any{types.TimestampValue{Millis: 1200}}, `"1970-01-01 00:00:01.2"`},
		"timestamp with zone":  {csv.DefaultOptions(), fields(types.TimestampLTZType(3)), []any{types.TimestampValue{Millis: 1000}}, `"1970-01-01 00:00:01Z"`},
		"bytes":                {csv.DefaultOptions(), fields(types.BytesType()), []any{"ab"}, "YWI="},
		"array":                {csv.DefaultOptions(), fields(types.ArrayOf(types.Of(types.Int))), []any{[]any{int64(1), nil, int64(3)}}, "1;;3"},
		"row":                  {csv.DefaultOptions(), fields(types.RowOf(fields(s, types.Of(types.Int))...)), []any{[]any{"a b", int64(3)}}, `"a b;3"`},
		"another delimiter":    {func() csv.Options { o := csv.DefaultOptions(); o.FieldDelimiter = "|"; return o }(), fields(s, s), []any{"a,b", "c|d"}, `"a,b"|"c|d"`},
		"safe behind a blank?": {func() csv.Options { o := csv.DefaultOptions(); o.FieldDelimiter = "\t"; return o }(), fields(s, s), []any{"a,b", "c"}, "a,b\tc"},
	} {
		t.Run(name, func(t *testing.T) {
			e, err := csv.NewEncoder(tt.fields, tt.opt)
			if err != nil {
				t.Fatal(err)
			}
			var cols []*column.Vector
			for i, f := range tt.fields {
				v := column.New(f.Type)
				v.Append(tt.row[i])
				cols = append(cols, v)
			}
			e.Begin()
			got, err := e.AppendRow(nil, cols, 0)
			if err != nil || string(got) != tt.want {
				t.Errorf("%s (%v), want %s", got, err, tt.want)
			}
		})
	}
}

func TestRecordEnd(t *testing.T) {
	escape := csv.DefaultOptions()
	escape.Escape = `\`
	for name, tt := range map[string]struct {
		opt  csv.Options
		data string
		want int
	}{
		"plain":                {csv.DefaultOptions(), "a,b\nc", 3},
		"none":                 {csv.DefaultOptions(), "a,b", -1},
		"within quotes":        {csv.DefaultOptions(), "\"a\nb\",c\nd", 7},
		"doubled quotes":       {csv.DefaultOptions(), "\"a\"\"\nb\",c\nd", 9},
		"open quote":           {csv.DefaultOptions(), "\"a\nb\n", -1},
		"quote within a text":  {csv.DefaultOptions(), "a\"b,c\nd\"\n", 5},
		"escaped quote":        {escape, "\"a\\\"\nb\"\nc", 7},
		"empty quotes":         {csv.DefaultOptions(), "\"\",\"\"\nx", 5},
		"quoted in the middle": {csv.DefaultOptions(), "x,\"\n\",y\nz", 7},
	} {
		t.Run(name, func(t *testing.T) {
			d, err := csv.NewDecoder(nil, nil, tt.opt)
			if err != nil {
				t.Fatal(err)
			}
			if got := d.RecordEnd([]byte(tt.data)); got != tt.want {
				t.Errorf("the record ends at %d, want %d", got, tt.want)
			}
		})
	}
}

func TestUnescape(t *testing.T) {
	for in, want := range map[string]string{",": ",", `\t`: "\t", `\u0001`: "\x01", `\\`: `\`, `\001`: "\x01", `\u2502`: "│", `\|`: "|"} {
		if got, err := csv.Unescape(in); err != nil || got != want {
			t.Errorf("%s is %q (%v), want %q", in, got, err, want)
		}
	}
	for _, in := range []string{`\`, `\u00`, `\uzzzz`} {
		if _, err := csv.Unescape(in); err == nil {
			t.Errorf("%s is taken", in)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, s := range []string{"a,1,b;c", `"a""b",2,"x` + "\n" + `y"`, `\,,3,`, "#x\n", "\"", "é│,\r\n"} {
		f.Add([]byte(s), uint8(0))
		f.Add([]byte(s), uint8(7))
	}
	fs := fields(types.StringType(), types.Of(types.Int), types.ArrayOf(types.StringType()))
	f.Fuzz(func(t *testing.T, data []byte, mode uint8) {
		o := csv.DefaultOptions()
		o.IgnoreParseErrors, o.AllowComments = mode&1 != 0, mode&2 != 0
		if mode&4 != 0 {
			o.Escape = `\`
		}
		d, err := csv.NewDecoder(fs, names(fs), o)
		if err != nil {
			t.Fatal(err)
		}
		d.Begin(1)
		n, err := d.Decode(bytes.Clone(data))
		if err != nil && (n != 0 || o.IgnoreParseErrors) {
			t.Fatalf("%d rows and error %v", n, err)
		}
		cols, records := d.Finish()
		if len(records) != n {
			t.Fatalf("%d rows, %d records", n, len(records))
		}
		for _, c := range cols {
			for i := range n {
				_ = c.Value(i)
			}
		}
		if end := d.RecordEnd(data); end >= len(data) || end >= 0 && data[end] != '\n' {
			t.Fatalf("the record ends at %d", end)
		}
	})
}

// FuzzRoundTrip writes texts and reads them again.
func FuzzRoundTrip(f *testing.F) {
	f.Add("a", "b", false)
	f.Add(`x"y`, "\n,", true)
	f.Fuzz(func(t *testing.T, a, b string, escape bool) {
		o := csv.DefaultOptions()
		if escape {
			o.Escape = `\`
		}
		a, b = strings.ToValidUTF8(a, "?"), strings.ToValidUTF8(b, "?")
		fs := fields(types.StringType(), types.StringType(), types.Of(types.Int))
		e, err := csv.NewEncoder(fs, o)
		if err != nil {
			t.Fatal(err)
		}
		var cols []*column.Vector
		for i, v := range []any{a, b, int64(1)} {
			vec := column.New(fs[i].Type)
			vec.Append(v)
			cols = append(cols, vec)
		}
		record, err := e.AppendRow(nil, cols, 0)
		if err != nil {
			t.Fatal(err)
		}
		rows, err := decode(t, fs, names(fs), o, string(record))
		if err != nil || !reflect.DeepEqual(rows, [][]any{{a, b, int64(1)}}) {
			t.Errorf("%q was written, and %q read (%v)", record, rows, err)
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	fs := fields(types.StringType(), types.Of(types.Int), types.StringType(), types.Of(types.Double))
	d, err := csv.NewDecoder(fs, names(fs), csv.DefaultOptions())
	if err != nil {
		b.Fatal(err)
	}
	record := []byte(`host-17,4711,"a message, quoted",0.25`)
	b.ReportAllocs()
	b.SetBytes(int64(len(record)))
	for b.Loop() {
		d.Begin(1000)
		for range 1000 {
			if _, err := d.Decode(record); err != nil {
				b.Fatal(err)
			}
		}
		d.Finish()
	}
}
