package tail_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/weirflow/weirflow/services/agent/internal/charset"
	"github.com/weirflow/weirflow/services/agent/internal/registry"
	"github.com/weirflow/weirflow/services/agent/internal/tail"
)

// recorder is a consumer that keeps what it gets.
type recorder struct {
	mu    *sync.Mutex
	lines *[]got
	reg   *registry.Registry
	entry *registry.Entry
}

type got struct {
	offset int64
	text   string
	cut    bool
	file   string
}

func (r *recorder) Begin(e *registry.Entry, _ string) { r.entry = e }
func (r *recorder) Line(l tail.Line) {
	r.mu.Lock()
	defer r.mu.Unlock()
	*r.lines = append(*r.lines, got{l.Offset, string(l.Text), l.Cut, r.entry.FileID})
}
func (r *recorder) Safe(end int64) int64 { return end }
func (r *recorder) Commit(_ context.Context, at registry.Position) error {
	r.reg.Advance(r.entry, at)
	return nil
}
func (r *recorder) Deadline() time.Time    { return time.Time{} }
func (r *recorder) Expire(time.Time, bool) {}
func (r *recorder) Drop()                  {}

type nothing struct{}

func (nothing) Opened()    {}
func (nothing) Closed()    {}
func (nothing) Rewritten() {}
func (nothing) Failed()    {}

// bench is a folder, an input on it, and what comes out.
type bench struct {
	t     *testing.T
	dir   string
	reg   *registry.Registry
	log   bytes.Buffer
	mu    sync.Mutex
	lines []got
	stop  func()
}

func start(t *testing.T, change func(o *tail.Options, dir string)) *bench {
	t.Helper()
	b := &bench{t: t, dir: t.TempDir()}
	reg, err := registry.Open(filepath.Join(b.dir, "registry"), 0o600, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	b.reg = reg
	cs, err := charset.Find("plain")
	if err != nil {
		t.Fatal(err)
	}
	o := tail.Options{
		Key: "log", Paths: []string{filepath.Join(b.dir, "*.log")}, Recursive: true, ScanEvery: 50 * time.Millisecond, Charset: cs, Terminator: "\n", AutoTerminator: true,
		MaxBytes: 10 << 20, BackoffMin: 20 * time.Millisecond, BackoffMax: 50 * time.Millisecond, CloseRemoved: true, CleanRemoved: true,
	}
	if change != nil {
		change(&o, b.dir)
	}
	logger := slog.New(slog.NewTextHandler(&lockedWriter{b: b}, nil))
	w := tail.NewWatcher(logger)
	in := tail.NewInput(o, tail.Deps{
		Registry: reg, Watcher: w, Log: logger, Count: nothing{}, Claims: tail.NewClaims(),
		Consumer: func() tail.Consumer { return &recorder{mu: &b.mu, lines: &b.lines, reg: reg} },
	})
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { w.Run(ctx) })
	wg.Go(func() { in.Run(ctx) })
	b.stop = func() { cancel(); wg.Wait() }
	t.Cleanup(func() {
		b.stop()
		if err := reg.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

type lockedWriter struct{ b *bench }

func (l *lockedWriter) Write(p []byte) (int, error) {
	l.b.mu.Lock()
	defer l.b.mu.Unlock()
	return l.b.log.Write(p)
}

func (b *bench) messages() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.log.String()
}

func (b *bench) got() []got {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]got(nil), b.lines...)
}

func (b *bench) wait(n int) []got {
	b.t.Helper()
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(2 * time.Millisecond) {
		if lines := b.got(); len(lines) >= n {
			return lines
		}
		if time.Now().After(end) {
			b.t.Fatalf("%d lines, want %d: %s", len(b.got()), n, b.messages())
		}
	}
}

func (b *bench) waitMessage(text string) {
	b.t.Helper()
	for end := time.Now().Add(5 * time.Second); !strings.Contains(b.messages(), text); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			b.t.Fatalf("no message %q in %s", text, b.messages())
		}
	}
}

func (b *bench) write(name, text string) {
	b.t.Helper()
	f, err := os.OpenFile(filepath.Join(b.dir, name), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		b.t.Fatal(err)
	}
	if _, err := f.WriteString(text); err != nil {
		b.t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		b.t.Fatal(err)
	}
}

func TestSplitting(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("L", 10<<20)
	for _, c := range []struct {
		name, text string
		want       []got
	}{
		{"plain", "a\nbb\r\n\nc", []got{{offset: 0, text: "a"}, {offset: 2, text: "bb"}, {offset: 6}}},
		{"mark at each line", "\xef\xbb\xbfa\n\xef\xbb\xbfb\n", []got{{offset: 0, text: "a"}, {offset: 5, text: "b"}}},
		{"nul and invalid", "a\x00b\n\xff\xfe\n", []got{{offset: 0, text: "a\x00b"}, {offset: 4, text: "\xff\xfe"}}},
		{"ten megabytes", long + "\nnext\n", []got{{offset: 0, text: long}, {offset: 10<<20 + 1, text: "next"}}},
		{"more than ten megabytes", long + long + "\nnext\n", []got{{offset: 0, text: long, cut: true}, {offset: 20<<20 + 1, text: "next"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := start(t, nil)
			b.write("in.log", c.text)
			for i, g := range b.wait(len(c.want)) {
				w := c.want[i]
				if g.cut && len(g.text) > 10<<20 {
					g.text = g.text[:10<<20] // the consumer cuts to the byte
				}
				if g.offset != w.offset || g.text != w.text || g.cut != w.cut {
					t.Errorf("line %d: offset %d, %d bytes, cut %v; want offset %d, %d bytes, cut %v", i, g.offset, len(g.text), g.cut, w.offset, len(w.text), w.cut)
				}
			}
		})
	}
}

// TestEndlessLine has a file grow without a line end: the memory stays bounded.
func TestEndlessLine(t *testing.T) { //nolint:paralleltest // looks at the memory of the process
	b := start(t, func(o *tail.Options, _ string) { o.MaxBytes = 1 << 20 })
	block := strings.Repeat("x", 1<<20)
	b.write("in.log", "first\n")
	b.wait(1)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for range 64 {
		b.write("in.log", block)
	}
	time.Sleep(300 * time.Millisecond)
	runtime.GC()
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 8<<20 {
		t.Errorf("64 MiB without a line end hold %d bytes", grown)
	}
	b.write("in.log", "\nlast\n")
	lines := b.wait(3)
	if lines[1].offset != 6 || !lines[1].cut || lines[2].text != "last" || lines[2].offset != 6+64<<20+1 {
		t.Errorf("got %d %v, %q at %d", lines[1].offset, lines[1].cut, lines[2].text, lines[2].offset)
	}
}

func TestWokenAtOnce(t *testing.T) {
	t.Parallel()
	b := start(t, func(o *tail.Options, _ string) {
		o.ScanEvery, o.BackoffMin, o.BackoffMax = time.Hour, time.Hour, time.Hour
	})
	for i := range 20 {
		if i == 10 {
			b.write("other.log", "new\n") // a file that appears
			b.wait(i + 1)
			continue
		}
		b.write("in.log", fmt.Sprintf("%d\n", i))
		began := time.Now()
		b.wait(i + 1)
		if took := time.Since(began); took > 500*time.Millisecond {
			t.Errorf("line %d took %v", i, took)
		}
	}
}

func TestUnreadable(t *testing.T) {
	t.Parallel()
	if os.Getuid() == 0 {
		t.Skip("root reads everything")
	}
	b := start(t, nil)
	b.write("secret.log", "s\n")
	if err := os.Chmod(filepath.Join(b.dir, "secret.log"), 0); err != nil {
		t.Fatal(err)
	}
	b.write("in.log", "a\n")
	b.wait(1)
	b.waitMessage("secret.log")
	time.Sleep(200 * time.Millisecond) // several scans
	if n := strings.Count(b.messages(), "can't be read"); n != 1 {
		t.Errorf("said %d times: %s", n, b.messages())
	}
	if err := os.Chmod(filepath.Join(b.dir, "secret.log"), 0o600); err != nil {
		t.Fatal(err)
	}
	b.wait(2)
}

func TestFolderAndMissing(t *testing.T) {
	t.Parallel()
	b := start(t, func(o *tail.Options, dir string) {
		if err := os.Mkdir(filepath.Join(dir, "folder.log"), 0o750); err != nil {
			t.Fatal(err)
		}
		o.Paths = []string{filepath.Join(dir, "folder.log"), filepath.Join(dir, "missing.log"), filepath.Join(dir, "in.log")}
	})
	b.write("in.log", "a\n")
	b.wait(1)
	b.waitMessage("no regular file")
	time.Sleep(150 * time.Millisecond)
	if n := strings.Count(b.messages(), "no regular file"); n != 1 {
		t.Errorf("said %d times", n)
	}
	b.write("missing.log", "b\n")
	b.wait(2)
}

// TestVanishes removes files while they are read.
func TestVanishes(t *testing.T) {
	t.Parallel()
	b := start(t, nil)
	for i := range 5 {
		b.write("in.log", fmt.Sprintf("round %d\n", i))
		lines := b.wait(i + 1)
		if err := os.Remove(filepath.Join(b.dir, "in.log")); err != nil {
			t.Fatal(err)
		}
		for end := time.Now().Add(5 * time.Second); b.reg.Len() > 0; time.Sleep(2 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatal("the entry of a removed file stays")
			}
		}
		if i > 0 && lines[i].file == lines[i-1].file {
			t.Error("two files have one identity")
		}
	}
}

// TestSameInode writes a file anew in place, with every relation of new and old
// content that can be told apart.
func TestSameInode(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"shorter": "b\n", "equal length": "b1\nb2\n", "longer": "b1\nb2\nb3\nb4\n", "same start": "a1\nb2\nb3\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := start(t, nil)
			b.write("in.log", "a1\na2\n")
			old := b.wait(2)
			if err := os.WriteFile(filepath.Join(b.dir, "in.log"), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			want := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
			lines := b.wait(2 + len(want))
			for i, w := range want {
				if g := lines[2+i]; g.text != w || g.file == old[0].file {
					t.Errorf("line %d: %+v, want %q of a new file", i, g, w)
				}
			}
		})
	}
}

func BenchmarkRead(b *testing.B) {
	dir := b.TempDir()
	line := strings.Repeat("x", 120) + "\n"
	if err := os.WriteFile(filepath.Join(dir, "in.log"), []byte(strings.Repeat(line, 100_000)), 0o600); err != nil {
		b.Fatal(err)
	}
	reg, err := registry.Open(filepath.Join(dir, "registry"), 0o600, slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	defer reg.Close()
	cs, err := charset.Find("plain")
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(100_000 * len(line)))
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		o := tail.Options{
			Key: strconv.Itoa(i), Paths: []string{filepath.Join(dir, "in.log")}, ScanEvery: time.Hour, Charset: cs, Terminator: "\n", AutoTerminator: true,
			MaxBytes: 10 << 20, BackoffMin: time.Hour, BackoffMax: time.Hour, Once: true,
		}
		n := 0
		tail.NewInput(o, tail.Deps{
			Registry: reg, Watcher: tail.NewWatcher(slog.New(slog.DiscardHandler)), Log: slog.New(slog.DiscardHandler), Count: nothing{}, Claims: tail.NewClaims(),
			Consumer: func() tail.Consumer { return &counter{n: &n} },
		}).Run(context.Background())
		if n != 100_000 {
			b.Fatalf("%d lines", n)
		}
	}
}

type counter struct {
	recorder
	n *int
}

func (c *counter) Begin(*registry.Entry, string)                   {}
func (c *counter) Line(tail.Line)                                  { *c.n++ }
func (c *counter) Commit(context.Context, registry.Position) error { return nil }
