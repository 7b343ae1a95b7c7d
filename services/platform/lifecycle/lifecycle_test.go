package lifecycle_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirflow/weirflow/services/platform/lifecycle"
)

type trace struct {
	mu     sync.Mutex
	events []string
}

func (t *trace) add(e string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.events = append(t.events, e)
}

func (t *trace) part(name string) lifecycle.Part {
	ready := make(chan struct{})
	return lifecycle.Part{Name: name, Ready: ready, Runner: lifecycle.Func(func(ctx context.Context) error {
		t.add("+" + name)
		close(ready)
		<-ctx.Done()
		t.add("-" + name)
		return nil
	})}
}

func TestStartsInOrderAndStopsInReverse(t *testing.T) {
	var tr trace
	g := lifecycle.New(slog.New(slog.DiscardHandler))
	for _, n := range []string{"a", "b", "c"} {
		g.Add(tr.part(n))
	}
	ctx, cancel := context.WithCancel(t.Context())
	last := make(chan struct{})
	g.Add(lifecycle.Part{Name: "last", Runner: lifecycle.Func(func(ctx context.Context) error { close(last); <-ctx.Done(); return nil })})
	go func() { <-last; cancel() }()
	if err := g.Run(ctx); err != nil {
		t.Fatal(err)
	}
	if want := []string{"+a", "+b", "+c", "-c", "-b", "-a"}; !slices.Equal(tr.events, want) {
		t.Errorf("events %v, want %v", tr.events, want)
	}
}

func TestPartThatFailsStopsTheOthers(t *testing.T) {
	var tr trace
	g := lifecycle.New(slog.New(slog.DiscardHandler))
	g.Add(tr.part("a"))
	broken := errors.New("broken")
	g.Add(lifecycle.Part{Name: "b", Ready: make(chan struct{}), Runner: lifecycle.Func(func(context.Context) error { return broken })})
	g.Add(tr.part("never"))
	err := g.Run(t.Context())
	if !errors.Is(err, broken) || !strings.HasPrefix(err.Error(), "b: ") || strings.Count(err.Error(), "broken") != 1 {
		t.Errorf("err = %v, want b's, once", err)
	}
	if want := []string{"+a", "-a"}; !slices.Equal(tr.events, want) {
		t.Errorf("events %v, want %v", tr.events, want)
	}
}

func TestPartThatHangsIsLeftBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := lifecycle.New(slog.New(slog.DiscardHandler))
		release := make(chan struct{})
		g.Add(lifecycle.Part{Name: "hangs", StopWithin: time.Minute, Runner: lifecycle.Func(func(context.Context) error { <-release; return nil })})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := g.Run(ctx); err == nil || !strings.Contains(err.Error(), "hangs did not stop within 1m0s") {
			t.Errorf("err = %v", err)
		}
		close(release)
	})
}
