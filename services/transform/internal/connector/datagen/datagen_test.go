package datagen

import (
	"context"
	"log/slog"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/connector"
	"github.com/weirflow/weirflow/services/transform/internal/plan"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

func table(options map[string]string, fields ...types.Field) *plan.Table {
	values := map[string]string{"connector": "datagen"}
	maps.Copy(values, options)
	return &plan.Table{Name: "t", Options: values, Physical: fields}
}

// generate reads a table to its end and returns the values of each row.
func generate(t *testing.T, tab *plan.Table, from []connector.Position) [][]any {
	t.Helper()
	f, o, err := connector.Registry{"datagen": Factory()}.Lookup(tab)
	if err != nil {
		t.Fatal(err)
	}
	scan := &plan.Scan{Table: tab}
	for i, c := range tab.Physical {
		scan.Columns = append(scan.Columns, plan.ScanColumn{Name: c.Name, Type: c.Type, Physical: i})
	}
	at := func() time.Time { return time.UnixMilli(86_400_000 + 3_723_000) }
	src, err := f.Source(connector.Env{Logger: slog.New(slog.DiscardHandler), Now: at}, scan, o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	var rows [][]any
	err = src.Run(ctx, from, func(c connector.Chunk) error {
		for i := range c.Batch.Len {
			var row []any
			for _, col := range c.Batch.Cols {
				row = append(row, col.Value(i))
			}
			rows = append(rows, row)
		}
		c.Release()
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func TestSequences(t *testing.T) {
	tab := table(map[string]string{"fields.a.kind": "sequence", "fields.a.start": "9007199254740993", "fields.a.end": "9007199254740995",
		"fields.b.kind": "sequence", "fields.b.start": "-1", "fields.b.end": "100"},
		types.Field{Name: "a", Type: types.Of(types.BigInt)}, types.Field{Name: "b", Type: types.StringType()})
	rows := generate(t, tab, nil)
	if len(rows) != 3 || rows[0][0] != int64(9007199254740993) || rows[2][0] != int64(9007199254740995) || rows[2][1] != "1" {
		t.Errorf("rows %v", rows)
	}
	if rows := generate(t, tab, []connector.Position{{Topic: "t", Offset: 2}}); len(rows) != 1 || rows[0][1] != "1" {
		t.Errorf("rows %v after a restart", rows)
	}
}

func TestRandomValues(t *testing.T) {
	row := types.RowOf(types.Field{Name: "x", Type: types.Of(types.TinyInt)})
	tab := table(map[string]string{"number-of-rows": "500", "rows-per-second": "1000000", "fields.i.min": "-3", "fields.i.max": "3", "fields.s.length": "7",
		"fields.v.length": "5", "fields.v.var-len": "true", "fields.n.null-rate": "1", "fields.d.min": "1.5", "fields.d.max": "2.5",
		"fields.l.length": "2", "fields.l.element.min": "8", "fields.l.element.max": "8", "fields.r.x.min": "4", "fields.r.x.max": "4", "fields.p.max-past": "1 s"},
		types.Field{Name: "i", Type: types.Of(types.Int)}, types.Field{Name: "s", Type: types.StringType()}, types.Field{Name: "v", Type: types.StringType()},
		types.Field{Name: "n", Type: types.Of(types.Int)}, types.Field{Name: "d", Type: types.DecimalType(4, 2)}, types.Field{Name: "l", Type: types.ArrayOf(types.Of(types.Int))},
		types.Field{Name: "r", Type: row}, types.Field{Name: "p", Type: types.TimestampType(3)}, types.Field{Name: "day", Type: types.Of(types.Date)},
		types.Field{Name: "c", Type: types.CharType(3)}, types.Field{Name: "b", Type: types.Of(types.BigInt)}, types.Field{Name: "m", Type: types.MapOf(types.StringType(), types.Of(types.Boolean))})
	rows := generate(t, tab, nil)
	if len(rows) != 500 {
		t.Fatalf("%d rows", len(rows))
	}
	seen := map[any]bool{}
	negative := 0
	for _, r := range rows {
		i, _ := r[0].(int64)
		seen[i] = true
		d, _ := r[4].(types.DecimalValue)
		l, _ := r[5].([]any)
		x, _ := r[6].([]any)
		p, _ := r[7].(types.TimestampValue)
		s, _ := r[1].(string)
		v, _ := r[2].(string)
		b, _ := r[10].(int64)
		m, _ := r[11].(column.MapValue)
		if b < 0 {
			negative++
		}
		if i < -3 || i > 3 || len(s) != 7 || len(v) < 1 || len(v) > 5 || r[3] != nil || d.Unscaled.Int64() < 150 || d.Unscaled.Int64() > 250 ||
			len(l) != 2 || l[0] != int64(8) || x[0] != int64(4) || p.Millis > 90_123_000 || p.Millis < 90_122_000 || r[8] != int64(1) || len(r[9].(string)) != 3 || len(m.Keys) != 3 {
			t.Fatalf("row %v", r)
		}
	}
	if len(seen) != 7 || negative < 100 || negative > 400 {
		t.Errorf("%d values of 7, %d of 500 negative", len(seen), negative)
	}
}

func TestOptionsThatDoNotFit(t *testing.T) {
	f := types.Field{Name: "a", Type: types.Of(types.Int)}
	s := types.Field{Name: "s", Type: types.StringType()}
	for name, tt := range map[string]struct{ key, value, want string }{
		"no column":              {"fields.x.min", "1", "no option of a column"},
		"no option":              {"fields.a.least", "1", "no option of a column"},
		"no number":              {"fields.a.min", "x", "INT"},
		"min of a text":          {"fields.s.min", "1", "numbers"},
		"min over max":           {"fields.a.max", "-3000000000", "less than"},
		"unknown kind":           {"fields.a.kind", "serial", "random, sequence"},
		"sequence without start": {"fields.a.kind", "sequence", "is required"},
		"rate of nulls":          {"fields.a.null-rate", "2", "0 to 1"},
		"length of a number":     {"fields.a.length", "2", "texts"},
		"no rate":                {"rows-per-second", "0", "at least 1"},
		"start without sequence": {"fields.a.start", "1", "sequence"},
	} {
		t.Run(name, func(t *testing.T) {
			err := connector.Registry{"datagen": Factory()}.Validate(table(map[string]string{tt.key: tt.value}, f, s))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one about %s", err, tt.want)
			}
		})
	}
}
