// Package receipt remembers which numbers a notification has reached, so that after a
// partial failure only the others are tried again.
package receipt

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/alertmanager/alert"
	"github.com/prometheus/alertmanager/notify"

	"github.com/weirflow/weirflow/services/alerting/internal/channel/wire"
)

const (
	// maxOpen bounds the notifications that are remembered.
	maxOpen = 10000
	// kept is for how long where the route does not say how often to repeat.
	kept = 4 * time.Hour
)

// Key is a notification: a channel, a group, and the alerts in their states.
type Key [sha256.Size]byte

// Of returns the key of a notification over a channel, which channel names together with
// its numbers as they are configured.
func Of(ctx context.Context, channel string, numbers []string, alerts []*alert.Alert) Key {
	group, _ := notify.GroupKey(ctx)
	receiver, _ := notify.ReceiverName(ctx)
	reason, _ := notify.NotificationReason(ctx)
	parts := make([]string, 0, len(alerts))
	for _, a := range alerts {
		parts = append(parts, fmt.Sprint(a.Fingerprint(), a.Status(), a.StartsAt.UnixNano()))
	}
	slices.Sort(parts)
	return sha256.Sum256([]byte(strings.Join(slices.Concat([]string{receiver, channel, group, reason.String()}, numbers, []string{""}, parts), "\x00")))
}

// Book holds the notifications that have not reached everyone.
type Book struct {
	mu   sync.Mutex
	open map[Key]*entry
}

type entry struct {
	reached map[string]bool
	// closed is until when the provider wants no more for a number.
	closed map[string]time.Time
	until  time.Time
}

// NewBook returns an empty one.
func NewBook() *Book { return &Book{open: make(map[Key]*entry)} }

// Each has send try the numbers that a notification has not reached, and returns what
// went wrong with some of them, and with those that bad says are none. The result of
// send must hold an entry for every number tried; nil says that it was reached.
func (b *Book) Each(ctx context.Context, k Key, numbers []string, bad error, send func(ctx context.Context, numbers []string) map[string]error) error {
	if len(numbers) == 0 {
		return wire.Refused("nobody was told: %w", cmp.Or(bad, errors.New("the list of numbers is empty for these alerts")))
	}
	e := b.begin(ctx, k)
	due, first := e.due(numbers)
	if len(due) == 0 && !first.IsZero() {
		timer := time.NewTimer(time.Until(first))
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
			return wire.Later(0, "wait for the provider: %w", context.Cause(ctx))
		}
		due, _ = e.due(numbers)
	}
	var outcome map[string]error
	if len(due) > 0 {
		outcome = send(ctx, due)
	}
	return b.end(k, e, bad, numbers, due, outcome)
}

// begin finds what is known of a notification. The Alertmanager sends one notification
// of a group at a time, so that its entry has one user.
func (b *Book) begin(ctx context.Context, k Key) *entry {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	if e := b.open[k]; e != nil && !now.After(e.until) {
		return e
	}
	repeat, ok := notify.RepeatInterval(ctx)
	if !ok || repeat <= 0 {
		repeat = kept
	}
	return &entry{reached: make(map[string]bool), closed: make(map[string]time.Time), until: now.Add(repeat)}
}

// due are the numbers to try now, and when the first of the others is.
func (e *entry) due(numbers []string) (due []string, first time.Time) {
	now := time.Now()
	for _, n := range numbers {
		at := e.closed[n]
		switch {
		case e.reached[n]:
		case !at.After(now):
			due = append(due, n)
		case first.IsZero() || at.Before(first):
			first = at
		}
	}
	return due, first
}

func (b *Book) end(k Key, e *entry, bad error, numbers, tried []string, outcome map[string]error) error {
	var errs []error
	if bad != nil {
		errs = append(errs, bad)
	}
	again := false
	for _, n := range numbers {
		if e.reached[n] {
			continue
		}
		err, ok := outcome[n]
		switch {
		case !slices.Contains(tried, n):
			err = wire.Later(0, "waits for the provider")
		case !ok:
			err = wire.Later(0, "no result")
		case err == nil:
			e.reached[n] = true
			continue
		}
		var f *wire.Failure
		if errors.As(err, &f) && f.Again {
			again = true
			if f.Wait > 0 {
				e.closed[n] = time.Now().Add(f.Wait)
			}
		}
		errs = append(errs, fmt.Errorf("%s: %w", Masked(n), err))
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(errs) == 0 {
		delete(b.open, k)
		return nil
	}
	b.forget()
	if len(b.open) < maxOpen {
		b.open[k] = e
	}
	return &wire.Failure{Again: again, Err: errors.Join(errs...)}
}

// forget drops what is too old.
func (b *Book) forget() {
	now := time.Now()
	for k, e := range b.open {
		if now.After(e.until) {
			delete(b.open, k)
		}
	}
}

// Masked shows enough of a number to know whose it is, and not all of it.
func Masked(n string) string {
	const head, tail = 3, 4
	if len(n) <= head+tail {
		return n
	}
	return n[:head] + strings.Repeat("*", len(n)-head-tail) + n[len(n)-tail:]
}
