package window_test

import (
	"bytes"
	"io"
	"slices"
	"testing"
	"time"

	"github.com/weirflow/weirflow/services/transform/internal/eval"
	"github.com/weirflow/weirflow/services/transform/internal/operator"
	"github.com/weirflow/weirflow/services/transform/internal/operator/window"
	"github.com/weirflow/weirflow/services/transform/internal/plan"
)

// kept is what a checkpoint holds, by state and key.
type kept map[string]map[string]string

func (k kept) Put(state string, key, value []byte) error {
	if k[state] == nil {
		k[state] = make(map[string]string)
	}
	if value == nil {
		delete(k[state], string(key))
	} else {
		k[state][string(key)] = string(value)
	}
	return nil
}

func (k kept) Each(state string, f func(key []byte, value io.Reader) error) error {
	for key, value := range k[state] {
		if err := f([]byte(key), bytes.NewReader([]byte(value))); err != nil {
			return err
		}
	}
	return nil
}

func made(t *testing.T, w plan.Window, now *time.Time) *window.Aggregate {
	t.Helper()
	a, err := window.NewAggregate(aggregateOf(w), eval.Env{Now: func() time.Time { return *now }})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestWindowsThatWereOverStayOver(t *testing.T) {
	for _, proctime := range []bool{false, true} {
		now := time.UnixMilli(5)
		w := plan.Window{Kind: plan.TumbleWindow, Size: 10, Proctime: proctime}
		saved, out := kept{}, &rows{}
		a := made(t, w, &now)
		step := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		step(a.Process(0, batch(false, 5), out))
		step(a.Snapshot(saved))
		now = time.UnixMilli(25)
		if proctime {
			step(a.Tick(now, out))
		} else {
			step(a.Watermark(0, 15, out))
		}
		step(a.Process(0, batch(false, 25, 26), out))
		step(a.Snapshot(saved))
		if len(out.list) != 1 {
			t.Fatalf("%q before the crash", out.list)
		}
		after := &rows{}
		b := made(t, w, &now)
		step(b.Restore(saved))
		if b.Entries() != 1 {
			t.Errorf("%d groups are restored, want that of the open window", b.Entries())
		}
		again := kept{}
		_, err := b.Sweep(again, func() bool { return true })
		step(err)
		now = time.UnixMilli(45)
		step(b.Tick(now, after))
		step(b.Watermark(0, operator.MaxWatermark, after))
		if want := []string{"+I k 2 1 0 {20 0} {30 0}"}; !slices.Equal(after.list, want) {
			t.Errorf("after the restart: %q, want %q", after.list, want)
		}
		if len(again["groups"]) != 1 {
			t.Errorf("a sweep writes %d groups, want 1", len(again["groups"]))
		}
	}
}
