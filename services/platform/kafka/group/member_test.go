package group_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/weirflow/weirflow/services/platform/kafka"
	"github.com/weirflow/weirflow/services/platform/kafka/group"
	"github.com/weirflow/weirflow/services/platform/kafka/kafkatest"
)

const parts = 8

// holder keeps what it is told.
type holder struct {
	mu   sync.Mutex
	has  map[int32]bool
	lost int
}

func (h *holder) Gained(ps []int32) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, p := range ps {
		h.has[p] = true
	}
}

func (h *holder) Released(ps []int32) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, p := range ps {
		delete(h.has, p)
	}
}

func (h *holder) Lost(ps []int32) {
	h.Released(ps)
	h.mu.Lock()
	h.lost++
	h.mu.Unlock()
}

func (h *holder) held() []int32 {
	h.mu.Lock()
	defer h.mu.Unlock()
	var all []int32
	for p := range h.has {
		all = append(all, p)
	}
	slices.Sort(all)
	return all
}

type member struct {
	*holder
	stop func() error
	done chan error
}

func join(t *testing.T, cfg kafka.Config, name string) *member {
	t.Helper()
	m := &member{holder: &holder{has: map[int32]bool{}}, done: make(chan error, 1)}
	g := group.New(group.Config{Kafka: cfg, Group: "g", Topic: "shares", Name: name, ClientID: "test@" + name, Session: 6 * time.Second, Logger: slog.New(slog.DiscardHandler)}, m)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { m.done <- g.Run(ctx) }()
	m.stop = sync.OnceValue(func() error { cancel(); return <-m.done })
	t.Cleanup(func() { _ = m.stop() })
	return m
}

func wait(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

func cluster(t *testing.T) (kafka.Config, *kafka.Admin) {
	t.Helper()
	cfg := kafkatest.Start(t)
	a, err := kafka.NewAdmin(cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.Close)
	if err := a.EnsureTopic(t.Context(), "shares", 1, nil); err != nil {
		t.Fatal(err)
	}
	if err := a.Widen(t.Context(), "shares", parts); err != nil {
		t.Fatal(err)
	}
	return cfg, a
}

func TestPartitionsAreSharedOutAndTakenOver(t *testing.T) {
	cfg, a := cluster(t)
	one := join(t, cfg, "one")
	wait(t, "all partitions", func() bool { return len(one.held()) == parts })
	two := join(t, cfg, "two")
	wait(t, "half of the partitions", func() bool { return len(one.held()) == parts/2 && len(two.held()) == parts/2 })
	for _, p := range one.held() {
		if slices.Contains(two.held(), p) {
			t.Errorf("both have partition %d", p)
		}
	}
	var members []kafka.GroupMember
	wait(t, "the group to be settled", func() bool {
		var settled bool
		var err error
		members, settled, err = a.Group(t.Context(), "g")
		return err == nil && settled
	})
	for _, m := range members {
		var has []int32
		for _, p := range m.Partitions {
			has = append(has, p.Partition)
		}
		slices.Sort(has)
		want := one.held()
		if m.Instance == "two" {
			want = two.held()
		}
		if m.ClientID != "test@"+m.Instance || !slices.Equal(has, want) {
			t.Errorf("the group says %+v, the member has %v", m, want)
		}
	}

	had := one.held()
	began := time.Now()
	if err := one.stop(); err != nil {
		t.Fatal(err)
	}
	again := join(t, cfg, "one")
	wait(t, "the same partitions after a restart", func() bool { return slices.Equal(again.held(), had) })
	t.Logf("back after %s", time.Since(began))
	if len(two.held()) != parts/2 {
		t.Errorf("the other has %v now", two.held())
	}

	began = time.Now()
	if err := again.stop(); err != nil {
		t.Fatal(err)
	}
	wait(t, "the partitions of one that stays away", func() bool { return len(two.held()) == parts })
	t.Logf("taken over after %s", time.Since(began))
	if two.lost != 0 {
		t.Error("the one that stayed was told that it lost partitions")
	}
}

func TestSecondOfANameReplacesTheFirst(t *testing.T) {
	cfg, _ := cluster(t)
	one := join(t, cfg, "same")
	wait(t, "all partitions", func() bool { return len(one.held()) == parts })
	two := join(t, cfg, "same")
	wait(t, "the second to have all", func() bool { return len(two.held()) == parts })
	select {
	case err := <-one.done:
		one.done <- err
		if !errors.Is(err, group.ErrReplaced) {
			t.Errorf("the first ended with %v", err)
		}
	case <-time.After(20 * time.Second):
		t.Error("the first did not end")
	}
}
