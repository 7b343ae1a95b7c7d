package store

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/apierr"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/jsondoc"
)

func putOne(t *testing.T, ix *Index, id, src string) Result {
	t.Helper()
	res, err := ix.Apply(t.Context(), []Op{NewOp(Put, id, []byte(src))})
	if err != nil || res[0].Err != nil {
		t.Fatalf("put %s: %v %v", id, err, res[0].Err)
	}
	return res[0]
}

func status(err error) int {
	if err == nil {
		return http.StatusOK
	}
	return apierr.Of(err).Status
}

func TestDamagedIndexCostsNoOther(t *testing.T) {
	for _, c := range [...]struct {
		name, want string // want: what the index is called then
		harm       func(t *testing.T, file string)
	}{
		{"cut off", "damaged-", func(t *testing.T, f string) {
			if err := os.Truncate(f, 5000); err != nil {
				t.Fatal(err)
			}
		}},
		{"overwritten", "damaged-", func(t *testing.T, f string) {
			if err := os.WriteFile(f, bytes.Repeat([]byte("not a database "), 1000), 0o600); err != nil {
				t.Fatal(err)
			}
		}},
		{"segment directory", "bad", func(t *testing.T, f string) { statement(t, f, "UPDATE segment SET dir = substr(dir, 1, 40)") }},
		{"one bit of a segment directory", "bad", func(t *testing.T, f string) {
			statement(t, f, "UPDATE segment SET dir = CAST(substr(dir, 1, 10) || x'ff' || substr(dir, 12) AS BLOB)")
		}},
		{"mapping", "bad", func(t *testing.T, f string) {
			statement(t, f, "UPDATE meta SET value = '{\"prop' WHERE key = 'mapping'")
		}},
		{"name", "damaged-", func(t *testing.T, f string) { statement(t, f, "DELETE FROM meta") }},
		{"another table", "damaged-", func(t *testing.T, f string) { statement(t, f, "DROP TABLE meta; CREATE TABLE meta(other TEXT)") }},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			s := openStore(t, dir)
			good, bad := create(t, s, "good"), create(t, s, "bad")
			putOne(t, good, "1", `{"a":1}`)
			putOne(t, bad, "1", `{"a":1}`)
			file := bad.f.path
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			c.harm(t, file)
			before, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var log bytes.Buffer
			s, err = Open(t.Context(), dir, slog.New(slog.NewTextHandler(&log, nil)))
			if err != nil {
				t.Fatal("the whole store stays closed:", err)
			}
			t.Cleanup(func() { _ = s.Close() })
			if n, _ := count(s.Index("good")); n != 1 {
				t.Errorf("%d documents in the good index", n)
			}
			putOne(t, s.Index("good"), "2", `{"a":2}`)
			var ix *Index
			for _, x := range s.All() {
				if x.Broken() != nil {
					ix = x
				}
			}
			if ix == nil || !strings.HasPrefix(ix.Name, c.want) || !strings.Contains(log.String(), file) {
				t.Fatalf("not set aside as %s: %v\n%s", c.want, ix, &log)
			}
			if _, err := ix.Apply(t.Context(), []Op{NewOp(Put, "3", []byte(`{}`))}); status(err) != http.StatusServiceUnavailable {
				t.Errorf("a write: %v", err)
			}
			if _, err := s.ForWrite(t.Context(), ix.Name); status(err) != http.StatusServiceUnavailable {
				t.Errorf("an index to write to: %v", err)
			}
			if _, err := s.Create(t.Context(), ix.Name, jsondoc.Obj()); status(err) != http.StatusServiceUnavailable {
				t.Errorf("a new index of the name: %v", err)
			}
			if after, err := os.ReadFile(file); err != nil || !bytes.Equal(before, after) {
				t.Errorf("the file was changed: %v", err)
			}
			if err := s.Delete(ix); err != nil {
				t.Error(err)
			}
			if _, err := os.Stat(file); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("deleted, and the file is still there: %v", err)
			}
		})
	}
}

func statement(t *testing.T, file, q string) {
	t.Helper()
	db, err := sql.Open("sqlite3", file)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(t.Context(), q); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestTornLog opens copies of a live store whose write-ahead log ends at any
// byte: each is the state after some of the commits, whole.
func TestTornLog(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, dir)
	ix := create(t, s, "a")
	const commits, per = 12, 5
	for k := range commits {
		ops := make([]Op, per)
		for i := range ops {
			ops[i] = NewOp(Put, strconv.Itoa(k*per+i), fmt.Appendf(nil, `{"n":%d,"t":"text %d"}`, k, i))
		}
		if _, err := ix.Apply(t.Context(), ops); err != nil {
			t.Fatal(err)
		}
	}
	main, err := os.ReadFile(ix.f.path)
	if err != nil {
		t.Fatal(err)
	}
	wal, err := os.ReadFile(ix.f.path + "-wal")
	if err != nil {
		t.Fatal(err)
	}
	last := -1
	for cut := len(wal) % 4001; cut <= len(wal); cut += 4001 {
		at := t.TempDir()
		file := filepath.Join(at, filepath.Base(ix.f.path))
		for name, b := range map[string][]byte{file: main, file + "-wal": wal[:cut]} {
			if err := os.WriteFile(name, b, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		torn, err := Open(t.Context(), at, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatalf("cut at %d: %v", cut, err)
		}
		n := 0
		if x := torn.Index("a"); x != nil {
			if x.Broken() != nil {
				t.Fatalf("cut at %d: %v", cut, x.Broken())
			}
			n, _ = count(x)
		}
		if n%per != 0 || n < last {
			t.Errorf("cut at %d of %d: %d documents, %d before", cut, len(wal), n, last)
		}
		last = n
		if err := torn.Close(); err != nil {
			t.Error(err)
		}
	}
	if last != commits*per {
		t.Errorf("the whole log holds %d documents", last)
	}
}

// TestDamagedPart flips bytes of stored parts: what needs them fails, merging
// leaves them alone, and writing goes on.
func TestDamagedPart(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, dir)
	ix := create(t, s, "a")
	bulk := func(ix *Index, from int) {
		t.Helper()
		ops := make([]Op, 600)
		for i := range ops {
			ops[i] = NewOp(Put, strconv.Itoa(from+i), fmt.Appendf(nil, `{"n":%d,"t":"text %d"}`, from+i, i))
		}
		if _, err := ix.Apply(t.Context(), ops); err != nil {
			t.Fatal(err)
		}
	}
	bulk(ix, 0)
	file := ix.f.path
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	// Lengths stay, so that only checksums can tell.
	statement(t, file, "UPDATE part SET data = CAST(substr(data, 1, length(data)/2) || x'5a5a' || substr(data, length(data)/2 + 3) AS BLOB)")
	s = openStore(t, dir)
	ix = s.Index("a")
	v := ix.View()
	failed := 0
	for _, c := range v.Parts[0].Seg.Columns() {
		if _, err := v.Parts[0].Seg.Terms(c); err != nil {
			failed++
		}
	}
	if _, err := v.Get("1"); err != nil {
		failed++
	}
	if _, err := v.Parts[0].Seg.Source(1); err != nil {
		failed++
	}
	v.Release()
	if failed == 0 {
		t.Error("damage went unnoticed")
	}
	for k := 1; k < 12; k++ {
		res, err := ix.Apply(t.Context(), []Op{{Action: Put, ID: fmt.Sprint("x", k), Auto: true, Source: []byte(`{"n":1}`), IfSeq: -1, Version: -1}})
		if err != nil || res[0].Err != nil {
			t.Fatalf("write %d: %v %v", k, err, res[0].Err)
		}
	}
}

// TestPanicOfTheWriter checks that one request's panic is an error of its own,
// and leaves no transaction open.
func TestPanicOfTheWriter(t *testing.T) {
	s := openStore(t, t.TempDir())
	ix := create(t, s, "a")
	err := ix.exclusive(t.Context(), func() error {
		return ix.tx(t.Context(), func(*sql.Tx) error {
			var none []int
			_ = none[len(ix.Name)]
			return nil
		})
	})
	if err == nil {
		t.Error("want an error")
	}
	putOne(t, ix, "1", `{"a":1}`)
}

// TestSequenceGoesOn checks that a sequence number is never given twice, also
// when the last operations before a restart were deletions.
func TestSequenceGoesOn(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, dir)
	ix := create(t, s, "a")
	putOne(t, ix, "1", `{"a":1}`)
	for range 3 {
		if _, err := ix.Apply(t.Context(), []Op{NewOp(Delete, "1", nil)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if r := putOne(t, openStore(t, dir).Index("a"), "1", `{"a":1}`); r.Seq != 4 {
		t.Errorf("sequence number %d after 0 to 3", r.Seq)
	}
}

// TestConcurrentAliases sets many aliases at once; none may get lost.
func TestConcurrentAliases(t *testing.T) {
	s := openStore(t, t.TempDir())
	ix := create(t, s, "a")
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			if err := ix.SetAlias(t.Context(), fmt.Sprint("alias-", i), jsondoc.Obj()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := len(ix.Aliases()); n != 20 {
		t.Errorf("%d of 20 aliases are there", n)
	}
}

func TestStoppedStoreIsNotMissing(t *testing.T) {
	s := openStore(t, t.TempDir())
	kept, gone := create(t, s, "kept"), create(t, s, "gone")
	if err := s.Delete(gone); err != nil {
		t.Fatal(err)
	}
	if _, err := gone.Apply(t.Context(), []Op{NewOp(Put, "1", []byte(`{}`))}); status(err) != http.StatusNotFound {
		t.Errorf("deleted: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := kept.Apply(t.Context(), []Op{NewOp(Put, "1", []byte(`{}`))}); status(err) != http.StatusServiceUnavailable {
		t.Errorf("stopped: %v", err)
	}
}

func TestNamesThatAnIndexMayNotHave(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, filepath.Join(dir, "search"))
	for _, n := range [...]string{"", ".", "..", "../x", "a/b", `a\b`, "a\x00b", "a\nb", "_a", "-a", "+a", "A", "a b", "a,b", "a*", "a#", "a:b", "\xff", strings.Repeat("a", 256)} {
		if _, err := s.Create(t.Context(), n, jsondoc.Obj()); status(err) != http.StatusBadRequest {
			t.Errorf("index %q: %v", n, err)
		}
		if n == "" {
			continue
		}
		if _, err := s.Create(t.Context(), "ok", jsondoc.Obj("aliases", jsondoc.Obj(n, jsondoc.Obj()))); status(err) != http.StatusBadRequest {
			t.Errorf("alias %q: %v", n, err)
		}
	}
	long := strings.Repeat("ü", 127)
	create(t, s, long)
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("files beside the data directory: %v %v", entries, err)
	}
}

func TestDamagedTemplatesAreSetAside(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "templates.json")
	if err := os.WriteFile(file, []byte(`{"index_template":{"a"`), 0o600); err != nil {
		t.Fatal(err)
	}
	create(t, openStore(t, dir), "a")
	if b, err := os.ReadFile(file + ".damaged"); err != nil || len(b) == 0 {
		t.Errorf("%q %v", b, err)
	}
}
