package state_test

import (
	"bytes"
	"io"
	"maps"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/weirflow/weirflow/services/transform/internal/operator/state"
)

// kept is what a checkpoint holds of a state.
type kept struct {
	entries map[string]string
	puts    int
}

func (k *kept) Put(_ string, key, value []byte) error {
	k.puts++
	if value == nil {
		delete(k.entries, string(key))
	} else {
		k.entries[string(key)] = string(value)
	}
	return nil
}

func (k *kept) Each(_ string, f func(key []byte, value io.Reader) error) error {
	for key, value := range k.entries {
		if err := f([]byte(key), bytes.NewReader([]byte(value))); err != nil {
			return err
		}
	}
	return nil
}

func text() state.Codec[string] {
	return state.Codec[string]{Append: func(dst []byte, e string) []byte { return append(dst, e...) }, Decode: func(_, s string) (string, error) { return s, nil }}
}

func TestCheckpointsOfATableHoldWhatItHolds(t *testing.T) {
	var all state.Tables
	table := state.AddTable(&all, "t", text())
	want := make(map[string]string)
	saved := &kept{entries: make(map[string]string)}
	r := rand.New(rand.NewPCG(1, 2))
	for round := range 200 {
		for range r.IntN(100) {
			key := strconv.Itoa(r.IntN(300))
			if r.IntN(3) == 0 {
				table.Delete(key)
				delete(want, key)
				continue
			}
			value := strconv.Itoa(r.IntN(10))
			table.Put(key, value)
			want[key] = value
		}
		if err := table.Snapshot(saved); err != nil {
			t.Fatal(err)
		}
		if !maps.Equal(saved.entries, want) {
			t.Fatalf("round %d: the checkpoint holds %d entries, want %d", round, len(saved.entries), len(want))
		}
		if round%50 == 10 { // go on after a crash
			all = state.Tables{}
			table = state.AddTable(&all, "t", text())
			if err := table.Restore(saved); err != nil {
				t.Fatal(err)
			}
		}
	}
	got := make(map[string]string)
	if err := table.Each(func(key, e string) error { got[key] = e; return nil }); err != nil || !maps.Equal(got, want) {
		t.Errorf("%d entries (%v), want %d", len(got), err, len(want))
	}
}

func TestEntriesThatComeAndGoBetweenCheckpointsAreNotWritten(t *testing.T) {
	var all state.Tables
	table := state.AddTable(&all, "t", text())
	saved := &kept{entries: make(map[string]string)}
	for _, step := range []struct {
		do   func()
		puts int
	}{
		{func() { table.Put("a", "1") }, 1},
		{func() { table.Put("b", "1"); table.Delete("b") }, 0},
		{func() { table.Delete("a") }, 1},
		{func() { table.Put("a", "1"); table.Delete("a"); table.Put("a", "2") }, 1},
		{func() { table.Delete("a"); table.Put("a", "3"); table.Delete("a") }, 1},
	} {
		saved.puts = 0
		step.do()
		if err := table.Snapshot(saved); err != nil || saved.puts != step.puts {
			t.Errorf("%d entries written (%v), want %d", saved.puts, err, step.puts)
		}
	}
	if len(saved.entries) != 0 {
		t.Errorf("%v is left", saved.entries)
	}
}

func TestEntriesExpire(t *testing.T) {
	now := time.UnixMilli(1)
	var all state.Tables
	table := state.AddTable(&all, "t", text())
	var dropped []string
	table.Expire(time.Second, func() time.Time { return now }, func(key, e string) { dropped = append(dropped, key+e) })
	table.Put("a", "1")
	table.Put("b", "1")
	now = now.Add(600 * time.Millisecond)
	table.Touch("b")
	now = now.Add(600 * time.Millisecond)
	table.Put("c", "1")
	if _, ok := table.Get([]byte("a")); ok || table.Len() != 2 || len(dropped) != 1 || dropped[0] != "a1" {
		t.Errorf("%d entries, dropped %q; want a to be gone", table.Len(), dropped)
	}
	if e, ok := table.Get([]byte("b")); !ok || e != "1" {
		t.Error("b is gone, though it was written since")
	}
}
