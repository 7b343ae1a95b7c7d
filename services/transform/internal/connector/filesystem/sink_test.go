package filesystem

import (
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/connector"
	"github.com/weirflow/weirflow/services/transform/internal/plan"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

// parted is a table of files in folders by day and zone.
func parted(options map[string]string) *plan.Table {
	values := map[string]string{"connector": "filesystem", "format": "csv"}
	maps.Copy(values, options)
	return &plan.Table{Name: "t", Options: values, PartitionKeys: []string{"day", "zone"}, Physical: []types.Field{
		{Name: "day", Type: types.Of(types.Date)}, {Name: "n", Type: types.Of(types.BigInt)}, {Name: "zone", Type: types.StringType()}, {Name: "s", Type: types.StringType()}}}
}

func openSink(t *testing.T, tab *plan.Table, job string, now func() time.Time) connector.Sink {
	t.Helper()
	f, o, err := connector.Registry{"filesystem": Factory()}.Lookup(tab)
	if err != nil {
		t.Fatal(err)
	}
	in := &plan.Values{}
	in.Fields = tab.Physical
	s, err := f.Sink(connector.Env{Logger: slog.New(slog.DiscardHandler), Now: now, Job: job}, &plan.Sink{Table: tab, Input: in}, o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func batchOf(tab *plan.Table, rows ...[]any) *column.Batch {
	b := &column.Batch{Len: len(rows)}
	for c, f := range tab.Physical {
		v := column.New(f.Type)
		for _, r := range rows {
			v.Append(r[c])
		}
		b.Cols = append(b.Cols, v)
	}
	return b
}

// tree lists the files below a directory with what they hold, without their own names.
func tree(t *testing.T, dir string) []string {
	t.Helper()
	var all []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		rel, _ := filepath.Rel(dir, filepath.Dir(path))
		state := ""
		if strings.HasPrefix(d.Name(), ".") {
			state = " open"
		}
		all = append(all, rel+state+" "+strings.ReplaceAll(string(text), "\n", ";"))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestPartitionsAreFolders(t *testing.T) {
	dir := t.TempDir()
	tab := parted(map[string]string{"path": dir})
	s := openSink(t, tab, "", time.Now)
	err := s.Write(batchOf(tab,
		[]any{int64(0), int64(1), "a/b", "x"}, []any{int64(1), int64(2), nil, "y"}, []any{int64(0), int64(3), "a/b", "z"}, []any{nil, int64(4), "", "w"}), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"day=1970-01-01/zone=a%2Fb 1,x;3,z;", "day=1970-01-02/zone=__DEFAULT_PARTITION__ 2,y;",
		"day=__DEFAULT_PARTITION__/zone=__DEFAULT_PARTITION__ 4,w;"}
	if got := tree(t, dir); !slices.Equal(got, want) {
		t.Fatalf("files\n%q, want\n%q", got, want)
	}
	if got := readBack(t, tab, "day", "n", "zone", "s"); !slices.Equal(got, []string{"0|1|a/b|x", "0|3|a/b|z", "1|2|<nil>|y", "<nil>|4|<nil>|w"}) {
		t.Errorf("read back %q", got)
	}
	if got := readBack(t, tab, "s", "zone"); !slices.Equal(got, []string{"x|a/b", "z|a/b", "y|<nil>", "w|<nil>"}) {
		t.Errorf("read back two columns %q", got)
	}
}

func readBack(t *testing.T, tab *plan.Table, columns ...string) []string {
	t.Helper()
	f, o, err := connector.Registry{"filesystem": Factory()}.Lookup(tab)
	if err != nil {
		t.Fatal(err)
	}
	scan := &plan.Scan{Table: tab}
	for _, name := range columns {
		i := slices.IndexFunc(tab.Physical, func(f types.Field) bool { return f.Name == name })
		scan.Columns = append(scan.Columns, plan.ScanColumn{Name: name, Type: tab.Physical[i].Type, Physical: i})
	}
	src, err := f.Source(connector.Env{Logger: slog.New(slog.DiscardHandler), Now: time.Now}, scan, o)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	err = src.Run(t.Context(), nil, func(c connector.Chunk) error {
		for i := range c.Batch.Len {
			var cells []string
			for _, col := range c.Batch.Cols {
				cells = append(cells, fmt.Sprint(col.Value(i)))
			}
			out = append(out, strings.Join(cells, "|"))
		}
		c.Release()
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestPartFilesRoll(t *testing.T) {
	for name, tt := range map[string]struct {
		option, value string
		after         time.Duration
	}{
		"by age":        {"sink.rolling-policy.rollover-interval", "10 min", 10 * time.Minute},
		"by inactivity": {"sink.rolling-policy.inactivity-interval", "2 min", 2 * time.Minute},
		"by size":       {"sink.rolling-policy.file-size", "3 b", 0},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			now := time.UnixMilli(0)
			tab := parted(map[string]string{"path": dir, tt.option: tt.value})
			tab.PartitionKeys = nil
			s := openSink(t, tab, "", func() time.Time { return now })
			row := []any{int64(0), int64(1), "a", "x"}
			if err := s.Write(batchOf(tab, row), nil); err != nil {
				t.Fatal(err)
			}
			if tt.after > 0 {
				if err := s.Flush(t.Context()); err != nil {
					t.Fatal(err)
				}
				if got := tree(t, dir); !slices.Equal(got, []string{". open 1970-01-01,1,a,x;"}) {
					t.Fatalf("before its time: %q", got)
				}
			}
			now = now.Add(tt.after)
			if err := s.Poll(now); err != nil {
				t.Fatal(err)
			}
			if got := tree(t, dir); !slices.Equal(got, []string{". 1970-01-01,1,a,x;"}) {
				t.Fatalf("after its time: %q", got)
			}
			if err := s.Write(batchOf(tab, row), nil); err != nil {
				t.Fatal(err)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			if got := tree(t, dir); len(got) != 2 {
				t.Errorf("%q, want a second file", got)
			}
		})
	}
}

// TestAJobFinishesWhatItsEarlierRunWrote leaves a file behind as a crash does, with
// half a row at its end.
func TestAJobFinishesWhatItsEarlierRunWrote(t *testing.T) {
	dir := t.TempDir()
	tab := parted(map[string]string{"path": dir})
	first := openSink(t, tab, "j", time.Now)
	if err := first.Write(batchOf(tab, []any{int64(0), int64(1), "a", "x"}, []any{int64(0), int64(2), "a", "y"}), nil); err != nil {
		t.Fatal(err)
	}
	if err := first.Flush(context.Background()); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*", "*", ".part-j+*"))
	if err != nil || len(files) != 1 {
		t.Fatalf("open files %q (%v)", files, err)
	}
	f, err := os.OpenFile(files[0], os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString("3,ha"); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	other := openSink(t, tab, "jj", time.Now)
	if err := other.Close(); err != nil {
		t.Fatal(err)
	}
	if got := tree(t, dir); !slices.Equal(got, []string{"day=1970-01-01/zone=a open 1,x;2,y;3,ha"}) {
		t.Fatalf("another job touched it: %q", got)
	}
	second := openSink(t, tab, "j", time.Now)
	if err := second.Close(); err != nil {
		t.Fatal(err)
	}
	if got := tree(t, dir); !slices.Equal(got, []string{"day=1970-01-01/zone=a 1,x;2,y;"}) {
		t.Errorf("after a restart %q", got)
	}
}
