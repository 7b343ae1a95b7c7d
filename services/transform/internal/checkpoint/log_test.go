package checkpoint_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/weirflow/weirflow/services/platform/kafka"
	"github.com/weirflow/weirflow/services/platform/kafka/kafkatest"

	"github.com/weirflow/weirflow/services/transform/internal/checkpoint"
	"github.com/weirflow/weirflow/services/transform/internal/operator"
	"github.com/weirflow/weirflow/services/transform/internal/operator/state"
)

// memory is what is kept: two operators with a table each.
type memory struct {
	tables [2]state.Tables
	rows   [2]*state.Table[string]
}

func newMemory() *memory {
	m := &memory{}
	for i := range m.tables {
		m.tables[i] = state.NewTables("text")
		m.rows[i] = state.AddTable(&m.tables[i], "rows", state.Codec[string]{
			Append: func(dst []byte, s string) []byte { return append(dst, s...) },
			Decode: func(_, s string) (string, error) { return s, nil },
		})
	}
	return m
}

func (m *memory) Snapshot(writer func(string) operator.StateWriter) error {
	for i := range m.tables {
		if err := m.tables[i].Snapshot(writer(fmt.Sprint("op", i))); err != nil {
			return err
		}
	}
	return nil
}

func (m *memory) Sweep(writer func(string) operator.StateWriter, more func() bool) (bool, error) {
	for i := range m.tables {
		if ok, err := m.tables[i].Sweep(writer(fmt.Sprint("op", i)), more); err != nil || !ok {
			return false, err
		}
	}
	return true, nil
}

func (m *memory) restore(t *testing.T, image *checkpoint.Image) {
	t.Helper()
	for i := range m.tables {
		if err := m.tables[i].Restore(image.Reader(fmt.Sprint("op", i))); err != nil {
			t.Fatal(err)
		}
	}
}

func (m *memory) all(i int) map[string]string {
	all := make(map[string]string)
	_ = m.rows[i].Each(func(k, v string) error { all[k] = v; return nil })
	return all
}

func config(t testing.TB, k kafka.Config) checkpoint.Config {
	t.Helper()
	return checkpoint.Config{Kafka: k, Topic: "weirflow.state.j", Instance: "test", Epoch: 1, Logger: slog.New(slog.DiscardHandler)}
}

func open(t *testing.T, cfg checkpoint.Config) (*checkpoint.Store, *checkpoint.Log) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	s, err := checkpoint.Open(ctx, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s, checkpoint.NewLog(s)
}

func write(t *testing.T, l *checkpoint.Log, m *memory) *checkpoint.Pending {
	t.Helper()
	p, err := l.Capture(m)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Commit(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	return p
}

func load(t *testing.T, s *checkpoint.Store) *memory {
	t.Helper()
	m := newMemory()
	if s.Last() == nil {
		return m
	}
	image, err := s.Load(t.Context(), s.Last())
	if err != nil {
		t.Fatal(err)
	}
	m.restore(t, image)
	return m
}

func same(t *testing.T, got, want *memory) {
	t.Helper()
	for i := range want.rows {
		g, w := got.all(i), want.all(i)
		if !maps.Equal(g, w) {
			t.Fatalf("operator %d has %d entries, want %d", i, len(g), len(w))
		}
	}
}

// TestStateGoesOn changes entries at random, checkpoints, and now and then goes on
// with what a new run reads. Sweeps begin, come round and are cut off meanwhile.
func TestStateGoesOn(t *testing.T) {
	cfg := config(t, kafkatest.Start(t))
	rnd := rand.New(rand.NewPCG(1, 2))
	want := newMemory()
	rounds, longest := 0, 0
	s, l := open(t, cfg)
	for n := range 450 {
		for range rnd.IntN(60) {
			key, table := fmt.Sprint("key ", rnd.IntN(3000)), want.rows[rnd.IntN(2)]
			switch rnd.IntN(5) {
			case 0:
				table.Delete(key)
			case 1: // goes and comes back within one checkpoint
				table.Delete(key)
				table.Put(key, fmt.Sprint("again ", n))
			default:
				table.Put(key, fmt.Sprint("value ", n))
			}
		}
		p := write(t, l, want)
		longest = max(longest, len(p.Checkpoint.GetSegments()))
		for _, g := range p.Checkpoint.GetSegments() {
			if g.GetRound() && g.GetCheckpoint() == p.Checkpoint.GetId() {
				rounds++
			}
		}
		if n%73 == 72 {
			l.Close()
			s.Close()
			s, l = open(t, cfg)
			got := load(t, s)
			same(t, got, want)
			want = got
		}
	}
	l.Close()
	s.Close()
	if rounds < 2 || longest > 300 {
		t.Errorf("%d sweeps came round, and the log had up to %d segments", rounds, longest)
	}
}

func TestEntriesLongerThanRecords(t *testing.T) {
	cfg := config(t, kafkatest.Start(t))
	m := newMemory()
	noise := make([]byte, 3<<20)
	rnd := rand.New(rand.NewPCG(3, 4))
	for i := range noise {
		noise[i] = byte(rnd.Uint32())
	}
	m.rows[0].Put("long", string(noise))
	m.rows[0].Put("empty", "")
	m.rows[1].Put("", "no key")
	s, l := open(t, cfg)
	p := write(t, l, m)
	if !p.Full || p.Checkpoint.GetSegments()[0].GetChunks() < 4 {
		t.Errorf("checkpoint %+v", p.Checkpoint)
	}
	l.Close()
	s.Close()
	s, l = open(t, cfg)
	same(t, load(t, s), m)
	l.Close()
	s.Close()
}

// TestChunksWithoutCommitAreNotTaken is a crash between the chunks and the commit.
func TestChunksWithoutCommitAreNotTaken(t *testing.T) {
	cfg := config(t, kafkatest.Start(t))
	m := newMemory()
	m.rows[0].Put("a", "1")
	s, l := open(t, cfg)
	write(t, l, m)
	m.rows[0].Put("a", "2")
	m.rows[0].Put("b", "2")
	if _, err := l.Capture(m); err != nil {
		t.Fatal(err)
	}
	crash := errors.New("crash")
	if err := l.Commit(t.Context(), func(context.Context, string, []byte, []byte) error { return crash }); !errors.Is(err, crash) {
		t.Fatalf("error %v", err)
	}
	l.Close()
	s.Close()
	s, l = open(t, cfg)
	got := load(t, s)
	if a := got.all(0); len(a) != 1 || a["a"] != "1" {
		t.Errorf("state %v, want that of the first checkpoint", a)
	}
	// The same checkpoint number is written again by the new run, with other state.
	got.rows[0].Put("c", "3")
	write(t, l, got)
	l.Close()
	s.Close()
	s, l = open(t, cfg)
	same(t, load(t, s), got)
	l.Close()
	s.Close()
}

// TestNothingIsLostWhenWritingFails fails a commit, changes more, and succeeds.
func TestNothingIsLostWhenWritingFails(t *testing.T) {
	cfg := config(t, kafkatest.Start(t))
	m := newMemory()
	s, l := open(t, cfg)
	write(t, l, m)
	m.rows[0].Put("a", "1")
	if _, err := l.Capture(m); err != nil {
		t.Fatal(err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if err := l.Commit(gone, nil); err == nil {
		t.Fatal("a commit with an ended context succeeded")
	}
	m.rows[0].Put("b", "2")
	if err := l.Commit(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	write(t, l, m)
	l.Close()
	s.Close()
	s, l = open(t, cfg)
	same(t, load(t, s), m)
	l.Close()
	s.Close()
}

// TestOldOwnerIsFenced has a run wake up after another has taken over.
func TestOldOwnerIsFenced(t *testing.T) {
	cfg := config(t, kafkatest.Start(t))
	m := newMemory()
	m.rows[0].Put("a", "1")
	s1, l1 := open(t, cfg)
	write(t, l1, m)
	s2, l2 := open(t, cfg)
	taken := load(t, s2)
	m.rows[0].Put("a", "old")
	if _, err := l1.Capture(m); err != nil {
		t.Fatal(err)
	}
	if err := l1.Commit(t.Context(), nil); !errors.Is(err, checkpoint.ErrFenced) {
		t.Errorf("the old owner's commit: %v", err)
	}
	taken.rows[0].Put("b", "new")
	write(t, l2, taken)
	if err := l1.Commit(t.Context(), nil); !errors.Is(err, checkpoint.ErrFenced) {
		t.Errorf("the old owner's second commit: %v", err)
	}
	for _, x := range []interface{ Close() }{l1, s1, l2, s2} {
		x.Close()
	}
	s3, l3 := open(t, cfg)
	same(t, load(t, s3), taken)
	if s3.Generation() <= 2 {
		t.Errorf("generation %d", s3.Generation())
	}
	l3.Close()
	s3.Close()
}

func TestForgottenStateIsGone(t *testing.T) {
	cfg := config(t, kafkatest.Start(t))
	m := newMemory()
	m.rows[0].Put("a", "1")
	s, l := open(t, cfg)
	write(t, l, m)
	if err := s.Forget(t.Context()); err != nil {
		t.Fatal(err)
	}
	l.Close()
	s.Close()
	s, l = open(t, cfg)
	if s.Last() != nil {
		t.Errorf("checkpoint %v after Forget", s.Last())
	}
	l.Close()
	s.Close()
}

// TestChunksStayForAllWhoCopyThem has two savepoints copy at once, of which one is
// done before the other.
func TestChunksStayForAllWhoCopyThem(t *testing.T) {
	cfg := config(t, kafkatest.Start(t))
	s, l := open(t, cfg)
	defer s.Close()
	m := newMemory()
	m.rows[0].Put("key", "value")
	write(t, l, m)
	s.Keep(true)
	s.Keep(true)
	s.Keep(false)
	s.Tidy(t.Context(), s.Last().GetSegments())
	same(t, load(t, s), m)
	s.Keep(false)
	s.Tidy(t.Context(), nil)
	if _, err := s.Load(t.Context(), s.Last()); !errors.Is(err, checkpoint.ErrDamaged) {
		t.Errorf("chunks that nobody needs are still there: %v", err)
	}
}

func FuzzImage(f *testing.F) {
	d := checkpoint.NewDelta()
	w := d.Writer("op")
	_ = w.Put("rows", []byte("key"), []byte("value"))
	_ = w.Put("rows", []byte("gone"), nil)
	for _, c := range checkpoint.Chunks(d) {
		f.Add(c)
	}
	f.Fuzz(func(_ *testing.T, chunk []byte) {
		m := &checkpoint.Image{}
		if checkpoint.AddChunks(m, chunk) != nil {
			return
		}
		for op := range m.Operators() {
			_ = m.Reader(op).Each("rows", func(_ []byte, value io.Reader) error {
				_, err := io.Copy(io.Discard, value)
				return err
			})
		}
	})
}

func TestDamagedChunksAreErrors(t *testing.T) {
	d := checkpoint.NewDelta()
	if err := d.Writer("op").Put("rows", []byte("key"), bytes.Repeat([]byte("v"), 1000)); err != nil {
		t.Fatal(err)
	}
	chunk := checkpoint.Chunks(d)[0]
	for n := 1; n < len(chunk); n++ {
		if err := checkpoint.AddChunks(&checkpoint.Image{}, chunk[:n]); n > 1 && err == nil {
			t.Fatalf("%d of %d bytes are taken", n, len(chunk))
		}
	}
}
