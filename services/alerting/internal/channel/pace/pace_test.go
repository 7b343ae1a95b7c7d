package pace_test

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirflow/weirflow/services/alerting/internal/channel/message"
	"github.com/weirflow/weirflow/services/alerting/internal/channel/pace"
	"github.com/weirflow/weirflow/services/alerting/internal/channel/wire"
)

// inbox notes what is sent and when.
type inbox struct {
	mu    sync.Mutex
	texts []string
	times []time.Time
	fail  []error
}

func (b *inbox) send(_ context.Context, m message.Message) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.fail) > 0 {
		err := b.fail[0]
		b.fail = b.fail[1:]
		if err != nil {
			return err
		}
	}
	b.texts = append(b.texts, m.Whole())
	b.times = append(b.times, time.Now())
	return nil
}

func letter(name, form string) message.Message {
	return message.Message{Form: form, Title: name, Text: "of " + name, Limit: 2000, Size: message.Bytes}
}

func TestLimits(t *testing.T) {
	for name, limits := range map[string][]pace.Limit{
		"20 a minute":                 {{N: 20, Per: time.Minute}},
		"one a second":                {{N: 1, Per: time.Second}},
		"100 a minute, five a second": {{N: 100, Per: time.Minute}, {N: 5, Per: time.Second}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := pace.NewGates().Of("robot", limits...)
				b := &inbox{}
				var all sync.WaitGroup
				for i := range 150 {
					all.Go(func() { // without a form each is a message of its own
						if err := g.Do(t.Context(), pace.Place{Group: strconv.Itoa(i)}, letter(strconv.Itoa(i), ""), b.send); err != nil {
							t.Error(err)
						}
					})
				}
				all.Wait()
				if len(b.times) != 150 {
					t.Fatalf("%d messages", len(b.times))
				}
				for _, l := range limits {
					for i := l.N; i < len(b.times); i++ {
						if d := b.times[i].Sub(b.times[i-l.N]); d < l.Per {
							t.Fatalf("%d messages in %v", l.N+1, d)
						}
					}
				}
			})
		})
	}
}

func TestNothingWaitsLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := pace.NewGates().Of("robot", pace.Limit{N: 20, Per: time.Minute})
		b := &inbox{}
		var all sync.WaitGroup
		for i := range 600 {
			all.Go(func() {
				start := time.Now()
				if err := g.Do(t.Context(), pace.Place{Group: strconv.Itoa(i)}, letter(strconv.Itoa(i), "text"), b.send); err != nil {
					t.Error(err)
				}
				if took := time.Since(start); took > 10*time.Second {
					t.Errorf("%d waits %v", i, took)
				}
			})
			time.Sleep(250 * time.Millisecond)
		}
		all.Wait()
	})
}

func TestFormsAreNotMixed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := pace.NewGates().Of("robot", pace.Limit{N: 2, Per: time.Minute})
		b := &inbox{}
		var all sync.WaitGroup
		for i, form := range []string{"text", "text", "text", "markdown", "markdown", "text"} {
			all.Go(func() {
				_ = g.Do(t.Context(), pace.Place{Group: strconv.Itoa(i)}, letter(strconv.Itoa(i), form), b.send)
			})
			synctest.Wait()
		}
		all.Wait()
		if want := []string{"0\nof 0", "2 notifications in one\n1\nof 1\n\n2\nof 2", "2 notifications in one\n3\nof 3\n\n4\nof 4", "5\nof 5"}; !slices.Equal(b.texts, want) {
			t.Errorf("got %q", b.texts)
		}
	})
}

func TestWhoGivesUpKeepsItsPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := pace.NewGates().Of("robot", pace.Limit{N: 1, Per: time.Hour})
		b := &inbox{}
		do := func(ctx context.Context, name string) error {
			return g.Do(ctx, pace.Place{Group: name}, letter(name, "text"), b.send)
		}
		if err := do(t.Context(), "first"); err != nil {
			t.Fatal(err)
		}
		short, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
		defer cancel()
		err := do(short, "second")
		if again, _ := wire.Verdict(err); !again || !strings.Contains(err.Error(), "limit") {
			t.Fatalf("gave up with %v", err)
		}
		var all sync.WaitGroup
		all.Go(func() { _ = do(t.Context(), "third") })
		synctest.Wait()
		all.Go(func() { _ = do(t.Context(), "second") })
		all.Wait()
		if want := "2 notifications in one\nsecond\nof second\n\nthird\nof third"; len(b.texts) != 2 || b.texts[1] != want {
			t.Errorf("got %q", b.texts)
		}
	})
}

// TestWhatIsOnItsWayIsNotToldTwice has the one that sends give up while its request is
// answered: the others and itself learn what became of it.
func TestWhatIsOnItsWayIsNotToldTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := pace.NewGates().Of("robot", pace.Limit{N: 20, Per: time.Minute})
		ctx, cancel := context.WithCancel(t.Context())
		err := g.Do(ctx, pace.Place{Group: "a"}, letter("a", "text"), func(ctx context.Context, _ message.Message) error {
			cancel()
			return ctx.Err()
		})
		if err != nil {
			t.Errorf("it was told, and is %v", err)
		}
	})
}

func TestARefusedDigestIsSentOneByOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := pace.NewGates().Of("robot", pace.Limit{N: 2, Per: time.Second})
		b := &inbox{}
		send := func(ctx context.Context, m message.Message) error {
			if strings.Contains(m.Whole(), "poison") {
				return wire.Refused("not this")
			}
			return b.send(ctx, m)
		}
		var all sync.WaitGroup
		for _, name := range []string{"first", "good", "poison", "better"} {
			all.Go(func() {
				for range 5 {
					again, err := wire.Verdict(g.Do(t.Context(), pace.Place{Group: name}, letter(name, "text"), send))
					if !again {
						if (err != nil) != (name == "poison") {
							t.Errorf("%s: %v", name, err)
						}
						return
					}
				}
				t.Errorf("%s is refused with the others for ever", name)
			})
			synctest.Wait()
		}
		all.Wait()
		if want := []string{"first\nof first", "good\nof good", "better\nof better"}; !slices.Equal(b.texts, want) {
			t.Errorf("got %q", b.texts)
		}
	})
}

func TestPauses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := pace.NewGates().Of("robot", pace.Limit{N: 20, Per: time.Minute})
		b := &inbox{fail: []error{wire.Later(10*time.Minute, "too fast"), wire.Later(0, "busy"), wire.Later(0, "busy")}}
		start := time.Now()
		err := errors.New("not yet")
		for err != nil {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			if err = g.Do(ctx, pace.Place{Group: "a"}, letter("a", "text"), b.send); err != nil {
				if again, _ := wire.Verdict(err); !again {
					t.Fatal(err)
				}
				if !strings.Contains(err.Error(), "too fast") && !strings.Contains(err.Error(), "busy") {
					t.Errorf("it does not say why: %v", err)
				}
			}
			cancel()
		}
		if took := time.Since(start).Round(time.Second); took != 10*time.Minute+2*time.Second+4*time.Second {
			t.Errorf("told after %v", took)
		}
	})
}

func TestTheQueueIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := pace.NewGates().Of("robot", pace.Limit{N: 1, Per: time.Hour})
		b := &inbox{}
		ctx, cancel := context.WithCancel(t.Context())
		var all sync.WaitGroup
		for i := range 1001 { // the first is sent
			all.Go(func() { _ = g.Do(ctx, pace.Place{Group: strconv.Itoa(i)}, letter("a", "text"), b.send) })
			synctest.Wait()
		}
		err := g.Do(ctx, pace.Place{Group: "more"}, letter("a", "text"), b.send)
		if again, _ := wire.Verdict(err); !again || !strings.Contains(err.Error(), "1000 messages wait") {
			t.Errorf("got %v", err)
		}
		cancel()
		all.Wait()
	})
}

func TestGatesAreShared(t *testing.T) {
	gates := pace.NewGates()
	if gates.Of("a", pace.Limit{N: 1, Per: time.Second}) != gates.Of("a", pace.Limit{N: 2, Per: time.Second}) || gates.Of("a") == gates.Of("b", pace.Limit{N: 1, Per: time.Second}) {
		t.Error("a robot has two gates, or two have one")
	}
}
