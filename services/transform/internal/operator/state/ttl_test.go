package state_test

import (
	"bytes"
	"io"
	"testing"
	"time"

	"github.com/weirflow/weirflow/services/transform/internal/operator/state"
)

// named is what a checkpoint holds of several states.
type named map[string]map[string]string

func (s named) Put(name string, key, value []byte) error {
	if s[name] == nil {
		s[name] = make(map[string]string)
	}
	if value == nil {
		delete(s[name], string(key))
	} else {
		s[name][string(key)] = string(value)
	}
	return nil
}

func (s named) Each(name string, f func(key []byte, value io.Reader) error) error {
	for key, value := range s[name] {
		if err := f([]byte(key), bytes.NewReader([]byte(value))); err != nil {
			return err
		}
	}
	return nil
}

// TestTimeGoesOnAfterARestore sees that an entry does not live longer because it
// was restored.
func TestTimeGoesOnAfterARestore(t *testing.T) {
	now := time.Unix(1000, 0)
	clock := func() time.Time { return now }
	open := func(ttl time.Duration) (*state.Tables, *state.Table[string]) {
		var all state.Tables
		table := state.AddTable(&all, "t", text())
		table.Expire(ttl, clock, nil)
		return &all, table
	}
	saved := make(named)
	all, table := open(10 * time.Second)
	table.Put("old", "1")
	table.Put("gone", "1")
	now = now.Add(6 * time.Second)
	table.Put("new", "2")
	if err := all.Snapshot(saved); err != nil {
		t.Fatal(err)
	}
	table.Delete("gone")
	if err := all.Snapshot(saved); err != nil {
		t.Fatal(err)
	}
	if n := len(saved["t.used"]); n != 2 {
		t.Errorf("%d times are kept, want 2", n)
	}
	now = now.Add(5 * time.Second)
	again, restored := open(10 * time.Second)
	if err := again.Restore(saved); err != nil {
		t.Fatal(err)
	}
	if _, ok := restored.Get([]byte("old")); ok {
		t.Error("an entry of 11 seconds is there")
	}
	if v, ok := restored.Get([]byte("new")); !ok || v != "2" {
		t.Errorf("an entry of 5 seconds: %q, %v", v, ok)
	}
	// State from before there was a TTL counts from the restore.
	delete(saved, "t.used")
	again, restored = open(10 * time.Second)
	if err := again.Restore(saved); err != nil {
		t.Fatal(err)
	}
	if _, ok := restored.Get([]byte("old")); !ok {
		t.Error("an entry of unknown age is gone")
	}
	// Without a TTL all stays.
	again, restored = open(0)
	if err := again.Restore(saved); err != nil {
		t.Fatal(err)
	}
	if restored.Len() != 2 {
		t.Errorf("%d entries", restored.Len())
	}
}
