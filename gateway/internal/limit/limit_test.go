package limit_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/weirflow/weirflow/gateway/internal/limit"
)

// clock is a time that tests move.
type clock struct{ t time.Time }

func (c *clock) now() time.Time { return c.t }

func TestRateIsPerKey(t *testing.T) {
	c := &clock{t: time.Unix(1000, 0)}
	r := limit.NewRate(10, 3, c.now)
	for i := range 3 {
		if _, ok := r.Allow("a"); !ok {
			t.Fatalf("request %d of the burst was refused", i)
		}
	}
	wait, ok := r.Allow("a")
	if ok || wait <= 0 || wait > 100*time.Millisecond {
		t.Errorf("the fourth: wait %s, ok %t", wait, ok)
	}
	if _, ok := r.Allow("b"); !ok {
		t.Error("another one pays for the first")
	}
	c.t = c.t.Add(100 * time.Millisecond)
	if _, ok := r.Allow("a"); !ok {
		t.Error("after its time it is still refused")
	}
	if _, ok := limit.NewRate(0, 0, c.now).Allow("x"); !ok {
		t.Error("no limit refuses")
	}
}

func TestManyKeysDontGrowForever(t *testing.T) {
	c := &clock{t: time.Unix(1000, 0)}
	r := limit.NewRate(0.001, 1, c.now)
	for i := range 10_001 {
		r.Allow(strconv.Itoa(i))
	}
	if _, ok := r.Allow("0"); !ok {
		t.Error("the first key is still remembered after 10,000 others")
	}
	if _, ok := r.Allow("10000"); ok {
		t.Error("the last key is forgotten")
	}
}

func TestWrongTriesCostMoreAndMore(t *testing.T) {
	c := &clock{t: time.Unix(1000, 0)}
	g := limit.NewGuesses(limit.Policy{Free: 2, First: time.Second, Most: 4 * time.Second, Forget: time.Hour}, c.now)
	try := func() time.Duration {
		wait, _ := g.Begin("anna")
		return wait
	}
	for _, step := range []struct {
		move, want time.Duration
	}{{0, 0}, {0, 0}, {0, 0}, {0, time.Second}, {time.Second, 0}, {0, 2 * time.Second}, {2 * time.Second, 0}, {0, 4 * time.Second}, {4 * time.Second, 0}, {0, 4 * time.Second}} {
		c.t = c.t.Add(step.move)
		if got := try(); got != step.want {
			t.Fatalf("at %s: wait %s, want %s", c.t.Format("04:05"), got, step.want)
		}
	}
	if _, ok := g.Begin("bert"); !ok {
		t.Error("another one pays for anna")
	}
	g.Right("anna")
	if _, ok := g.Begin("anna"); !ok {
		t.Error("who was right still waits")
	}
	for range 3 {
		g.Begin("carl")
	}
	c.t = c.t.Add(2 * time.Hour)
	for i := range 3 {
		if _, ok := g.Begin("carl"); !ok {
			t.Errorf("try %d after a long time: still remembered", i)
		}
	}
}

func TestTriesThatWereRightDontCount(t *testing.T) {
	c := &clock{t: time.Unix(1000, 0)}
	g := limit.NewGuesses(limit.Policy{Free: 1, First: time.Minute, Most: time.Minute, Forget: time.Hour}, c.now)
	for i := range 20 {
		if _, ok := g.Begin("10.0.0.1"); !ok {
			t.Fatalf("try %d was refused", i)
		}
		g.Undo("10.0.0.1")
	}
}
