package registry_test

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/weirflow/weirflow/services/agent/internal/registry"
)

func open(t testing.TB, dir string) *registry.Registry {
	t.Helper()
	r, err := registry.Open(dir, 0o600, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func id(n uint64) registry.ID { return registry.ID{Input: "log", Device: 1, Inode: n} }

func at(offset int64) registry.Position {
	return registry.Position{Offset: offset, Tail: registry.SumOf([]byte("tail")), Prefix: registry.SumOf([]byte("prefix"))}
}

func TestEntriesSurvive(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r := open(t, dir)
	if !r.Fresh() {
		t.Error("a new registry is not fresh")
	}
	a, err := r.Create(id(1), "/a", at(0))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Create(id(2), "/b", at(5)); err != nil {
		t.Fatal(err)
	}
	r.Advance(a, at(42))
	second, err := r.Create(id(2), "/b", at(0)) // a new incarnation
	if err != nil {
		t.Fatal(err)
	}
	gone, err := r.Create(id(3), "/c", at(0))
	if err != nil {
		t.Fatal(err)
	}
	r.Remove(id(3), gone.FileID)
	r.Remove(id(2), "another incarnation's")
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	r = open(t, dir)
	defer r.Close()
	if r.Fresh() || r.Len() != 2 {
		t.Errorf("fresh %v, %d entries", r.Fresh(), r.Len())
	}
	if e := r.Lookup(id(1)); e.Position != at(42) || e.FileID != a.FileID || e.Path != "/a" {
		t.Errorf("got %+v", e)
	}
	if e := r.Lookup(id(2)); e.FileID != second.FileID || e.Offset != 0 {
		t.Errorf("got %+v", e)
	}
}

func TestOldIncarnationDoesNotMove(t *testing.T) {
	t.Parallel()
	r := open(t, t.TempDir())
	defer r.Close()
	old, err := r.Create(id(1), "/a", at(0))
	if err != nil {
		t.Fatal(err)
	}
	fresh, err := r.Create(id(1), "/a", at(0))
	if err != nil {
		t.Fatal(err)
	}
	r.Advance(old, at(99))
	if got := r.PositionOf(fresh); got.Offset != 0 {
		t.Errorf("a late acknowledgement moved the new incarnation to %d", got.Offset)
	}
}

func TestLocked(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r := open(t, dir)
	defer r.Close()
	if _, err := registry.Open(dir, 0o600, slog.New(slog.DiscardHandler)); !errors.Is(err, registry.ErrLocked) {
		t.Errorf("opened twice: %v", err)
	}
}

// TestTorn cuts the log at every byte: what was there before the torn record is
// there afterwards, and the registry can be written on.
func TestTorn(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r := open(t, dir)
	var ids []string
	sizes := []int64{size(t, dir)}
	for n := range uint64(4) {
		e, err := r.Create(id(n), fmt.Sprintf("/f%d", n), at(0))
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, e.FileID)
		sizes = append(sizes, size(t, dir))
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	for cut := range len(text) + 1 {
		for _, flip := range []bool{false, true} {
			torn := t.TempDir()
			part := append([]byte(nil), text[:cut]...)
			if flip && cut > 8 {
				part[cut-1] ^= 0xff
			}
			if err := os.WriteFile(filepath.Join(torn, "log"), part, 0o600); err != nil {
				t.Fatal(err)
			}
			limit := int64(cut)
			if flip && cut > 8 {
				limit-- // the record with the flipped byte is not whole
			}
			whole := 0
			for _, s := range sizes[1:] {
				if s <= limit {
					whole++
				}
			}
			r := open(t, torn)
			if r.Len() != whole {
				t.Fatalf("cut at %d, flip %v: %d entries, want %d", cut, flip, r.Len(), whole)
			}
			for n := range whole {
				if e := r.Lookup(id(uint64(n))); e == nil || e.FileID != ids[n] {
					t.Fatalf("cut at %d: entry %d is %+v", cut, n, e)
				}
			}
			if _, err := r.Create(id(99), "/new", at(0)); err != nil {
				t.Fatal(err)
			}
			if err := r.Close(); err != nil {
				t.Fatal(err)
			}
			if r = open(t, torn); r.Len() != whole+1 {
				t.Fatalf("cut at %d: %d entries after writing on", cut, r.Len())
			}
			if err := r.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func size(t *testing.T, dir string) int64 {
	t.Helper()
	info, err := os.Stat(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

func TestCompaction(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r := open(t, dir)
	e, err := r.Create(id(1), "/a", at(0))
	if err != nil {
		t.Fatal(err)
	}
	others := make([]*registry.Entry, 200)
	for i := range others {
		if others[i], err = r.Create(id(uint64(i)+10), "/b", at(0)); err != nil {
			t.Fatal(err)
		}
	}
	for n := range int64(200) {
		r.Advance(e, at(n))
		for _, o := range others {
			r.Advance(o, at(n))
		}
		if err := r.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if got := size(t, dir); got > 1<<20+64<<10 {
		t.Errorf("the log has grown to %d bytes", got)
	}
	r = open(t, dir)
	defer r.Close()
	if got := r.Lookup(id(1)); r.Len() != 201 || got.Offset != 199 || got.FileID != e.FileID {
		t.Errorf("%d entries, %+v", r.Len(), got)
	}
}

func TestCreateTogether(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r := open(t, dir)
	var wg sync.WaitGroup
	for n := range uint64(500) {
		wg.Go(func() {
			if _, err := r.Create(id(n), "/f", at(0)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if r = open(t, dir); r.Len() != 500 {
		t.Errorf("%d entries", r.Len())
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestForeignFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "log"), []byte(`{"op":"set"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := registry.Open(dir, 0o600, slog.New(slog.DiscardHandler)); err == nil {
		t.Error("a foreign file was taken, and cut, as a registry")
	}
}

func FuzzOpen(f *testing.F) {
	dir := f.TempDir()
	r := open(f, dir)
	if _, err := r.Create(id(1), "/a", at(0)); err != nil {
		f.Fatal(err)
	}
	if err := r.Close(); err != nil {
		f.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "log"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Fuzz(func(t *testing.T, text []byte) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "log"), text, 0o600); err != nil {
			t.Fatal(err)
		}
		r, err := registry.Open(dir, 0o600, slog.New(slog.DiscardHandler))
		if err != nil {
			return
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
	})
}
