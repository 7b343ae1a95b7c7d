package store

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/jsondoc"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func openStore(t *testing.T, dir string) *Store {
	t.Helper()
	s, err := Open(t.Context(), dir, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func create(t *testing.T, s *Store, name string) *Index {
	t.Helper()
	ix, err := s.Create(t.Context(), name, jsondoc.Obj())
	if err != nil {
		t.Fatal(err)
	}
	return ix
}

func count(ix *Index) (docs, parts int) {
	v := ix.View()
	defer v.Release()
	return v.Count(), len(v.Parts)
}

func TestSingleDocumentsAreMerged(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, dir)
	ix := create(t, s, "a")
	const n = 300
	for i := range n {
		src := fmt.Appendf(nil, `{"n":%d}`, i)
		res, err := ix.Apply(t.Context(), []Op{NewOp(Put, strconv.Itoa(i), src)})
		if err != nil || res[0].Err != nil || res[0].Seq != int64(i) {
			t.Fatalf("%+v %v", res, err)
		}
	}
	docs, parts := count(ix)
	if docs != n || parts > 30 {
		t.Errorf("%d documents in %d segments", docs, parts)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	ix = openStore(t, dir).Index("a")
	if again, p := count(ix); again != n || p != parts {
		t.Errorf("after opening: %d documents in %d segments, before %d", again, p, parts)
	}
	v := ix.View()
	defer v.Release()
	for i := range n {
		if d, err := v.Get(strconv.Itoa(i)); err != nil || d == nil || string(d.Source) != fmt.Sprintf(`{"n":%d}`, i) {
			t.Fatalf("document %d: %+v %v", i, d, err)
		}
	}
}

func TestFullDiskKeepsWhatWasThere(t *testing.T) {
	s := openStore(t, t.TempDir())
	ix := create(t, s, "a")
	put := func(id, text string) error {
		res, err := ix.Apply(t.Context(), []Op{NewOp(Put, id, []byte(`{"t":"`+text+`","f`+id+`":1}`))})
		if err == nil && res[0].Err != nil {
			return res[0].Err
		}
		return err
	}
	if err := put("1", "first"); err != nil {
		t.Fatal(err)
	}
	limit := func(pages int) {
		if _, err := ix.f.w.ExecContext(context.Background(), fmt.Sprintf("PRAGMA max_page_count=%d", pages)); err != nil {
			t.Fatal(err)
		}
	}
	limit(1) // SQLite takes it as the present size
	var noise strings.Builder
	for i := range 40_000 {
		fmt.Fprintf(&noise, "%x ", i*2654435761)
	}
	if err := put("2", noise.String()); err == nil {
		t.Fatal("want an error")
	}
	v := ix.View()
	if d, err := v.Get("2"); d != nil || err != nil {
		t.Errorf("what failed is visible: %v", err)
	}
	if v.Mapping.Field("f2") != nil {
		t.Error("the mapping of what failed is visible")
	}
	v.Release()
	limit(1 << 30)
	if err := put("2", "again"); err != nil {
		t.Errorf("after there was space again: %v", err)
	}
	if docs, _ := count(ix); docs != 2 {
		t.Errorf("want 2 documents, got %d", docs)
	}
}

func TestViewsOutliveMerges(t *testing.T) {
	s := openStore(t, t.TempDir())
	ix := create(t, s, "a")
	big := func(from int) {
		ops := make([]Op, 1000)
		for i := range ops {
			ops[i] = NewOp(Put, strconv.Itoa(from+i), fmt.Appendf(nil, `{"n":%d,"t":"text %d"}`, from+i, i))
		}
		if _, err := ix.Apply(t.Context(), ops); err != nil {
			t.Fatal(err)
		}
	}
	big(0)
	old := ix.View()
	for k := 1; k < 12; k++ {
		big(1000 * (k % 3)) // overwrites, so that whole segments die
	}
	for more := true; more; {
		var err error
		if more, err = ix.mergeOnce(); err != nil {
			t.Fatal(err)
		}
	}
	if old.Count() != 1000 {
		t.Errorf("the old view has %d documents", old.Count())
	}
	for i := range 1000 {
		if d, err := old.Get(strconv.Itoa(i)); err != nil || d == nil || d.Version != 1 {
			t.Fatalf("document %d of the old view: %+v %v", i, d, err)
		}
	}
	old.Release()
	if docs, parts := count(ix); docs != 3000 || parts > fanIn {
		t.Errorf("%d documents in %d segments", docs, parts)
	}
	big(0) // takes the garbage away
	var rows int
	if err := ix.f.r.QueryRowContext(t.Context(), "SELECT count(*) FROM segment WHERE dead = 1").Scan(&rows); err != nil || rows > fanIn {
		t.Errorf("%d dead segments are left, %v", rows, err)
	}
}

func TestResolve(t *testing.T) {
	s := openStore(t, t.TempDir())
	for _, n := range [...]string{"log-1", "log-2", "web"} {
		create(t, s, n)
	}
	if err := s.Index("log-2").SetAlias(t.Context(), "new", jsondoc.Obj()); err != nil {
		t.Fatal(err)
	}
	if err := s.Index("web").SetClosed(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	for _, c := range [...]struct {
		expr, want string
		o          Lookup
	}{
		{"log-*", "log-1 log-2", Lookup{}}, {"log-*,-log-1", "log-2", Lookup{}}, {"new", "log-2", Lookup{}}, {"_all", "log-1 log-2", Lookup{}}, {"", "log-1 log-2 web", Lookup{KeepClosed: true}},
		{"none-*", "", Lookup{}}, {"none", "", Lookup{IgnoreUnavailable: true}}, {"none", "index_not_found_exception", Lookup{}}, {"none-*", "index_not_found_exception", Lookup{NoIndicesFails: true}},
		{"web", "index_closed_exception", Lookup{}}, {"_bad", "invalid_index_name_exception", Lookup{}}, {"new", "illegal_argument_exception", Lookup{NoAliases: true}},
	} {
		ts, err := s.Resolve(c.expr, c.o)
		var names []string
		for _, x := range ts {
			names = append(names, x.Index.Name)
		}
		got := strings.Join(names, " ")
		if err != nil {
			got, _, _ = strings.Cut(err.Error(), ":")
		}
		if got != c.want {
			t.Errorf("%q %+v: want %q, got %q", c.expr, c.o, c.want, got)
		}
	}
}
