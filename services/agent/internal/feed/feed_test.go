package feed_test

import (
	"context"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/weirflow/weirflow/services/agent/internal/document"
	"github.com/weirflow/weirflow/services/agent/internal/feed"
	"github.com/weirflow/weirflow/services/agent/internal/parse"
	"github.com/weirflow/weirflow/services/agent/internal/pipeline"
	"github.com/weirflow/weirflow/services/agent/internal/registry"
	"github.com/weirflow/weirflow/services/agent/internal/tail"
)

// fixed sends everything to one topic.
type fixed struct{}

func (fixed) Static(*document.Event, time.Time) (string, []byte, bool) { return "t", nil, true }
func (fixed) Route(*document.Event) (string, []byte)                   { return "t", nil }

// tally counts events.
type tally struct{ in, out, filtered, dead int }

func (t *tally) In(n int)           { t.in += n }
func (t *tally) Out(n int)          { t.out += n }
func (t *tally) Filtered(n int)     { t.filtered += n }
func (t *tally) DeadLettered(n int) { t.dead += n }
func (t *tally) Returned(n int)     { t.in -= n }

// sender keeps what it is sent, or only acknowledges it.
type sender struct {
	keep  bool
	lines []string
}

func (s *sender) Send(_ context.Context, b *pipeline.Batch) error {
	for _, g := range b.Groups {
		if !s.keep {
			continue
		}
		if err := g.Each(func(_, offset int64, item []byte) error {
			s.lines = append(s.lines, fmt.Sprintf("%d %s", offset, item))
			return nil
		}); err != nil {
			return err
		}
	}
	b.Ack(0)
	return nil
}

func (s *sender) Close() error { return nil }

func plan() *feed.Plan {
	return &feed.Plan{
		MaxBytes: 10 << 20, Router: fixed{}, Stages: func() []parse.Stage { return nil },
		Base: document.Event{Fields: document.Map{"input": document.Map{"type": "log"}}}, Header: document.Header{Beat: "filebeat", Version: "8.1.3"},
	}
}

func begin(t testing.TB, p *feed.Plan) (*feed.Feed, *pipeline.Pipeline, *registry.Registry, *registry.Entry, *tally) {
	t.Helper()
	reg, err := registry.Open(t.TempDir(), 0o600, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = reg.Close() })
	e, err := reg.Create(registry.ID{Input: "log", Inode: 1}, "/f", registry.Position{})
	if err != nil {
		t.Fatal(err)
	}
	count := &tally{}
	pipe := pipeline.New(1<<20, reg, count)
	f := feed.New(p, pipe)
	f.Begin(e, "/f")
	return f, pipe, reg, e, count
}

// TestPositions has the registry move past what was left out, too.
func TestPositions(t *testing.T) {
	t.Parallel()
	p := plan()
	p.Exclude = []*regexp.Regexp{regexp.MustCompile("^#")}
	f, pipe, reg, e, count := begin(t, p)
	at := int64(0)
	for _, l := range []string{"a", "# no", "", "b", "# tail"} {
		end := at + int64(len(l)) + 1
		f.Line(tail.Line{Offset: at, End: end, Text: []byte(l)})
		at = end
	}
	if err := f.Commit(t.Context(), registry.Position{Offset: f.Safe(at)}); err != nil {
		t.Fatal(err)
	}
	pipe.Close()
	out := &sender{keep: true}
	if err := pipe.Run(t.Context(), out); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(out.lines, "|"); got != "0 a|8 b" {
		t.Errorf("sent %s", got)
	}
	if got := reg.PositionOf(e).Offset; got != at {
		t.Errorf("position %d, want %d", got, at)
	}
	if count.in != 5 || count.out != 2 || count.filtered != 3 {
		t.Errorf("ledger %+v", *count)
	}
}

// held keeps batches until it is told to acknowledge them.
type held struct{ batches []*pipeline.Batch }

func (h *held) Send(_ context.Context, b *pipeline.Batch) error {
	h.batches = append(h.batches, b)
	return nil
}
func (h *held) Close() error { return nil }

// TestAcknowledgementsOutOfOrder has the registry wait for the first batch.
func TestAcknowledgementsOutOfOrder(t *testing.T) {
	t.Parallel()
	f, pipe, reg, e, _ := begin(t, plan())
	out := &held{}
	for i := range int64(3) {
		f.Line(tail.Line{Offset: i * 2, End: i*2 + 2, Text: []byte("x")})
		if err := f.Commit(t.Context(), registry.Position{Offset: i*2 + 2}); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		_ = pipe.Run(ctx, out) // ends with the context
		cancel()
	}
	if len(out.batches) != 3 {
		t.Fatalf("%d batches", len(out.batches))
	}
	for _, c := range []struct {
		ack  int
		want int64
	}{{2, 0}, {1, 0}, {0, 6}} {
		out.batches[c.ack].Ack(0)
		if got := reg.PositionOf(e).Offset; got != c.want {
			t.Errorf("after batch %d: position %d, want %d", c.ack, got, c.want)
		}
	}
	if err := pipe.Drain(t.Context()); err != nil || pipe.InFlight() != 0 {
		t.Errorf("%v, %d in flight", err, pipe.InFlight())
	}
}

func BenchmarkLine(b *testing.B) {
	f, pipe, _, _, _ := begin(b, plan())
	go func() { _ = pipe.Run(b.Context(), &sender{}) }()
	line := []byte(strings.Repeat("x", 120))
	b.SetBytes(int64(len(line)))
	b.ReportAllocs()
	at := int64(0)
	for i := 0; b.Loop(); i++ {
		f.Line(tail.Line{Offset: at, End: at + 121, Text: line})
		at += 121
		if i%2000 == 1999 {
			if err := f.Commit(b.Context(), registry.Position{Offset: at}); err != nil {
				b.Fatal(err)
			}
		}
	}
}
