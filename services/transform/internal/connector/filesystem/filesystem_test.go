package filesystem

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/weirflow/weirflow/services/transform/internal/connector"
	"github.com/weirflow/weirflow/services/transform/internal/plan"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

func openSource(t *testing.T, options map[string]string) (connector.Source, error) {
	t.Helper()
	values := map[string]string{"connector": "filesystem", "format": "csv"}
	maps.Copy(values, options)
	tab := &plan.Table{Name: "t", Options: values, Physical: []types.Field{{Name: "a", Type: types.StringType()}, {Name: "b", Type: types.StringType()}}}
	f, o, err := connector.Registry{"filesystem": Factory()}.Lookup(tab)
	if err != nil {
		return nil, err
	}
	scan := &plan.Scan{Table: tab, Columns: []plan.ScanColumn{{Name: "a", Type: types.StringType()}, {Name: "b", Type: types.StringType(), Physical: 1},
		{Name: "f", Type: types.StringType(), Metadata: "file.name", Physical: -1}}}
	return f.Source(connector.Env{Logger: slog.New(slog.DiscardHandler), Now: time.Now}, scan, o)
}

// rows reads what is there; stop, which may be nil, is asked after each chunk.
func rows(t *testing.T, options map[string]string, from []connector.Position, stop func(n int) bool) ([]string, []connector.Position, error) {
	t.Helper()
	src, err := openSource(t, options)
	if err != nil {
		return nil, nil, err
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	var out []string
	var at []connector.Position
	err = src.Run(ctx, from, func(c connector.Chunk) error {
		for i := range c.Batch.Len {
			var cells []string
			for _, col := range c.Batch.Cols {
				s, _ := col.Value(i).(string)
				cells = append(cells, s)
			}
			out = append(out, strings.Join(cells, "|"))
		}
		at = append(at, c.Positions...)
		c.Release()
		if stop != nil && stop(len(out)) {
			cancel()
		}
		return nil
	})
	if stop != nil && errors.Is(err, context.Canceled) {
		err = nil
	}
	return out, at, err
}

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		t.Fatal(err)
	}
	data := []byte(text)
	if strings.HasSuffix(path, ".gz") {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		_, _ = z.Write(data)
		_ = z.Close()
		data = b.Bytes()
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestFiles(t *testing.T) {
	dir := t.TempDir()
	put(t, filepath.Join(dir, "1.csv"), "a,\"x\ny\"\r\nb,\"\"\"\"")
	put(t, filepath.Join(dir, "2.csv.gz"), "c,1\nd,2\n")
	put(t, filepath.Join(dir, "sub", "3.txt"), "e,3\n")
	put(t, filepath.Join(dir, ".hidden"), "f,4\n")
	put(t, filepath.Join(dir, "_tmp", "5.csv"), "g,5\n")
	one, two, three := []string{"a|x\ny|1.csv", `b|"|1.csv`}, []string{"c|1|2.csv.gz", "d|2|2.csv.gz"}, []string{"e|3|3.txt"}
	for name, tt := range map[string]struct {
		options map[string]string
		want    []string
		err     string
	}{
		"directory":    {map[string]string{"path": dir}, slices.Concat(one, two, three), ""},
		"URL":          {map[string]string{"path": "file://" + dir}, slices.Concat(one, two, three), ""},
		"file":         {map[string]string{"path": filepath.Join(dir, "1.csv")}, one, ""},
		"pattern":      {map[string]string{"path": filepath.Join(dir, "*.gz")}, two, ""},
		"regex":        {map[string]string{"path": dir, "source.path.regex-pattern": ".*/[13]\\..*"}, slices.Concat(one, three), ""},
		"missing":      {map[string]string{"path": filepath.Join(dir, "none")}, nil, "no such file"},
		"bad regex":    {map[string]string{"path": dir, "source.path.regex-pattern": "("}, nil, "regex-pattern"},
		"other system": {map[string]string{"path": "hdfs://x/y"}, nil, "not supported"},
		"unknown key":  {map[string]string{"path": dir, "source.monitor-intervall": "1 s"}, nil, "source.monitor-interval"},
	} {
		t.Run(name, func(t *testing.T) {
			got, _, err := rows(t, tt.options, nil, nil)
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Errorf("error %v, want one about %s", err, tt.err)
				}
				return
			}
			if err != nil || !slices.Equal(got, tt.want) {
				t.Errorf("rows %q (%v), want %q", got, err, tt.want)
			}
		})
	}
}

func TestARestartGoesOnWithinFiles(t *testing.T) {
	dir := t.TempDir()
	put(t, filepath.Join(dir, "1.csv"), "a,1\nb,2\n")
	put(t, filepath.Join(dir, "2.csv.gz"), "c,1\nd,2\n")
	got, _, err := rows(t, map[string]string{"path": dir}, []connector.Position{{Topic: filepath.Join(dir, "1.csv"), Offset: 8}, {Topic: filepath.Join(dir, "2.csv.gz"), Offset: 4}}, nil)
	if err != nil || !slices.Equal(got, []string{"d|2|2.csv.gz"}) {
		t.Errorf("rows %q (%v)", got, err)
	}
}

func TestNewFilesAreReadAsTheyCome(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "later")
	options := map[string]string{"path": dir, "source.monitor-interval": "5 ms"}
	ready := make(chan struct{})
	go func() {
		defer close(ready)
		put(t, filepath.Join(t.TempDir(), "x"), "")
		put(t, filepath.Join(dir, "1.csv"), "a,1\n")
	}()
	got, _, err := rows(t, options, nil, func(n int) bool {
		if n == 1 {
			<-ready
			put(t, filepath.Join(dir, "0.csv"), "b,2\n")
		}
		return n == 2
	})
	if err != nil || !slices.Equal(got, []string{"a|1|1.csv", "b|2|0.csv"}) {
		t.Errorf("rows %q (%v)", got, err)
	}
}

func TestBrokenRecordsSayWhere(t *testing.T) {
	dir := t.TempDir()
	put(t, filepath.Join(dir, "1.csv"), "a,1\nb\n")
	_, _, err := rows(t, map[string]string{"path": dir}, nil, nil)
	if err == nil || !strings.Contains(err.Error(), "1.csv: record at byte 4") {
		t.Errorf("error %v", err)
	}
	put(t, filepath.Join(dir, "0.csv.gz"), strings.Repeat("c,1\n", 1000))
	packed, err := os.ReadFile(filepath.Join(dir, "0.csv.gz"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "0.csv.gz"), packed[:len(packed)-9], 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err = rows(t, map[string]string{"path": dir}, nil, nil); err == nil || !strings.Contains(err.Error(), "0.csv.gz") {
		t.Errorf("a file that was cut off gives error %v", err)
	}
}
