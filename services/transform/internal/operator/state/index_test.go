package state_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/weirflow/weirflow/services/transform/internal/operator/state"
)

// model is an index and what it should hold.
type model struct {
	x    *state.Index
	want map[string]int32
}

func (m *model) add(t *testing.T, key string) {
	t.Helper()
	entry, added := m.x.Add([]byte(key))
	old, known := m.want[key]
	if added == known || known && old != entry {
		t.Fatalf("adding %q: entry %d, new %v; it had %d, known %v", key, entry, added, old, known)
	}
	m.want[key] = entry
}

func (m *model) remove(key string) {
	m.x.Delete(m.want[key])
	delete(m.want, key)
}

func (m *model) check(t *testing.T) {
	t.Helper()
	if m.x.Len() != len(m.want) {
		t.Fatalf("%d keys, want %d", m.x.Len(), len(m.want))
	}
	numbers := make(map[int32]bool)
	for key, entry := range m.want {
		if at, ok := m.x.Find([]byte(key)); !ok || at != entry || m.x.Key(at) != key || !m.x.Has(at) || numbers[at] || at >= m.x.Bound() {
			t.Fatalf("key %q: entry %d, found %v, want %d, once", key, at, ok, entry)
		}
		numbers[entry] = true
	}
}

func TestIndexIsAMap(t *testing.T) {
	for _, spread := range []int{3, 100, 40_000} {
		t.Run(strconv.Itoa(spread), func(t *testing.T) {
			r := rand.New(rand.NewPCG(1, uint64(spread)))
			m := &model{x: state.NewIndex(), want: make(map[string]int32)}
			var kept []string // views of keys, some of them gone
			var copies []string
			for round := range 6 {
				for range 40_000 {
					// Every other round takes away more than it adds.
					key := strings.Repeat("k", r.IntN(200)*r.IntN(2)) + strconv.Itoa(r.IntN(spread))
					_, known := m.want[key]
					switch {
					case known && r.IntN(3) < 1+round%2:
						m.remove(key)
					case round%2 == 0:
						m.add(t, key)
					case !known:
						if _, ok := m.x.Find([]byte(key)); ok {
							t.Fatalf("%q is found", key)
						}
					}
					if known && len(kept) < 1000 {
						if at, ok := m.x.Find([]byte(key)); ok {
							kept, copies = append(kept, m.x.Key(at)), append(copies, key)
						}
					}
				}
				m.check(t)
			}
			for key := range m.want {
				m.remove(key)
			}
			m.check(t)
			if !slices.Equal(kept, copies) {
				t.Error("the text of a key has changed")
			}
		})
	}
}

func TestIndexSorts(t *testing.T) {
	x := state.NewIndex()
	for _, key := range []string{"b", "", "a\x00", "a", "ü", "gone"} {
		x.Add([]byte(key))
	}
	at, _ := x.Find([]byte("gone"))
	x.Delete(at)
	var got []string
	for _, e := range x.Sorted() {
		got = append(got, x.Key(e))
	}
	if want := []string{"", "a", "a\x00", "b", "ü"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestIndexSortsManyKeys(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for _, front := range []string{"", "all the same in front", "x\x00"} {
		x := state.NewIndex()
		want := make(map[string]bool)
		for range 5000 {
			key := front + strings.Repeat("ab\x00", r.IntN(4)) + strconv.Itoa(r.IntN(20_000))[r.IntN(2):]
			x.Add([]byte(key))
			want[key] = true
		}
		var got []string
		for _, e := range x.Sorted() {
			got = append(got, x.Key(e))
		}
		if !slices.Equal(got, slices.Sorted(maps.Keys(want))) {
			t.Errorf("%d keys behind %q are not in order", len(got), front)
		}
	}
}

func BenchmarkIndex(b *testing.B) {
	const keys = 1 << 20
	names := make([][]byte, keys)
	for i := range names {
		names[i] = fmt.Appendf(nil, "key%09d", i*7919%keys)
	}
	b.Run("add", func(b *testing.B) {
		b.ReportAllocs()
		var x *state.Index
		for i := range b.N {
			if i%keys == 0 {
				x = state.NewIndex()
			}
			x.Add(names[i%keys])
		}
	})
	b.Run("find", func(b *testing.B) {
		x := state.NewIndex()
		for _, n := range names {
			x.Add(n)
		}
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			if _, ok := x.Find(names[i%keys]); !ok {
				b.Fatal("a key is missing")
			}
		}
	})
	b.Run("sort", func(b *testing.B) {
		x := state.NewIndex()
		for _, n := range names {
			x.Add(n)
		}
		for b.Loop() {
			x.Sorted()
		}
	})
}
