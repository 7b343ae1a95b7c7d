package journal_test

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/weirflow/weirflow/services/platform/kafka"
	"github.com/weirflow/weirflow/services/platform/kafka/journal"
	"github.com/weirflow/weirflow/services/platform/kafka/kafkatest"
)

func start(t *testing.T, cfg kafka.Config) (j *journal.Journal[*wrapperspb.StringValue], stop func()) {
	t.Helper()
	j, err := journal.New(journal.Config{Kafka: cfg, Topic: "journal", Retention: time.Hour, Logger: slog.New(slog.DiscardHandler)},
		func() *wrapperspb.StringValue { return &wrapperspb.StringValue{} })
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- j.Run(ctx) }()
	return j, func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

func find(t *testing.T, j *journal.Journal[*wrapperspb.StringValue], wanted func(*wrapperspb.StringValue) bool, size, least int, token string) ([]string, string) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		got, next, err := j.Find(wanted, size, token)
		if err != nil {
			t.Fatal(err)
		}
		if len(got) >= least {
			var texts []string
			for _, m := range got {
				texts = append(texts, m.GetValue())
			}
			return texts, next
		}
		if time.Now().After(deadline) {
			t.Fatalf("found %v", got)
		}
	}
}

func TestJournal(t *testing.T) {
	cfg := kafkatest.Start(t)
	j, stop := start(t, cfg)
	kept := make(chan error, 10)
	for i := range 10 {
		j.Add(wrapperspb.String(strconv.Itoa(i)), func(err error) { kept <- err })
	}
	for range 10 {
		if err := <-kept; err != nil {
			t.Fatal(err)
		}
	}
	all := func(*wrapperspb.StringValue) bool { return true }
	find(t, j, all, 100, 10, "")
	first, next := find(t, j, all, 4, 4, "")
	if len(first) != 4 || first[0] != "9" || next == "" {
		t.Errorf("first page %q, next %q", first, next)
	}
	second, next := find(t, j, all, 100, 6, next)
	if len(second) != 6 || second[0] != "5" || second[5] != "0" || next != "" {
		t.Errorf("second page %q, next %q", second, next)
	}
	even, _ := find(t, j, func(m *wrapperspb.StringValue) bool { n, _ := strconv.Atoi(m.GetValue()); return n%2 == 0 }, 2, 2, "")
	if even[0] != "8" || even[1] != "6" {
		t.Errorf("even ones %q", even)
	}
	if _, _, err := j.Find(all, 1, "?"); !errors.Is(err, journal.ErrToken) {
		t.Errorf("a token of somebody else: %v", err)
	}
	stop()
	again, stop := start(t, cfg)
	defer stop()
	if got, _ := find(t, again, all, 100, 10, ""); got[0] != "9" {
		t.Errorf("after a restart: %q", got)
	}
}
