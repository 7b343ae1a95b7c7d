package filesystem_test

import (
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/connector"
	"github.com/weirflow/weirflow/services/transform/internal/connector/filesystem"
	"github.com/weirflow/weirflow/services/transform/internal/plan"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestLookupReadsAgain finds rows by key, and sees a change of the file, at once
// or, when all of it is held for a time, after that time.
func TestLookupReadsAgain(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		options map[string]string
		wait    time.Duration
		want    []string
	}{
		{"changed", nil, 2 * time.Second, []string{"new"}},
		{"full, too early", map[string]string{"lookup.cache": "FULL", "lookup.full-cache.periodic-reload.interval": "1 h"}, time.Minute, []string{"one", "uno"}},
		{"full, in time", map[string]string{"lookup.cache": "FULL", "lookup.full-cache.periodic-reload.interval": "1 h"}, time.Hour, []string{"new"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "d.ndjson")
			write(t, path, `{"id":1,"name":"one"}`+"\n"+`{"id":2,"name":"two"}`+"\n"+`{"id":1,"name":"uno"}`+"\n"+`{"name":"none"}`+"\n")
			options := map[string]string{"connector": "filesystem", "path": path, "format": "json"}
			maps.Copy(options, tt.options)
			fields := []types.Field{{Name: "id", Type: types.Of(types.Int)}, {Name: "name", Type: types.StringType()}}
			table := &plan.Table{Name: "d", Options: options, Physical: fields}
			scan := &plan.Scan{Table: table, Output: plan.Output{Fields: fields}}
			for i, f := range fields {
				scan.Columns = append(scan.Columns, plan.ScanColumn{Name: f.Name, Type: f.Type, Physical: i})
			}
			f := filesystem.Factory()
			_, o, err := connector.Registry{"filesystem": f}.Lookup(table)
			if err != nil {
				t.Fatal(err)
			}
			now := time.Now()
			l, err := f.Lookup(connector.Env{Logger: slog.New(slog.DiscardHandler), Now: func() time.Time { return now }}, scan, []int{0}, o)
			if err != nil {
				t.Fatal(err)
			}
			if got := names(t, l, 1); !slices.Equal(got, []string{"one", "uno"}) {
				t.Errorf("at first %v", got)
			}
			if got := names(t, l, 7); got != nil {
				t.Errorf("no such key: %v", got)
			}
			write(t, path, `{"id":1,"name":"new"}`+"\n")
			now = now.Add(tt.wait)
			if got := names(t, l, 1); !slices.Equal(got, tt.want) {
				t.Errorf("after the change %v, want %v", got, tt.want)
			}
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
			now = now.Add(2 * time.Hour)
			if got := names(t, l, 1); len(got) == 0 {
				t.Error("rows are forgotten when the file is away")
			}
		})
	}
}

func names(t *testing.T, l connector.Lookup, key int64) []string {
	t.Helper()
	v := column.New(types.Of(types.Int))
	v.Append(key)
	a, err := l.Lookup(t.Context(), &column.Batch{Len: 1, Cols: []*column.Vector{v}})
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for i := range a.Of {
		out = append(out, a.Rows.Cols[1].Strs[i])
	}
	return out
}
