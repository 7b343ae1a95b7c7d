package connector_test

import (
	"testing"
	"time"

	"github.com/weirflow/weirflow/services/transform/internal/connector"
)

func TestReload(t *testing.T) {
	start := time.Date(2024, 5, 1, 9, 0, 0, 0, time.UTC)
	at := func(day, hour int) time.Time { return time.Date(2024, 5, day, hour, 0, 0, 0, time.UTC) }
	timed := func(iso, days string) map[string]string {
		return map[string]string{"lookup.cache": "FULL", "lookup.full-cache.reload-strategy": "TIMED", "lookup.full-cache.timed-reload.iso-time": iso,
			"lookup.full-cache.timed-reload.interval-in-days": days}
	}
	tests := []struct {
		name        string
		options     map[string]string
		loaded, now time.Time
		due         bool
	}{
		{"every hour, too early", map[string]string{"lookup.cache": "FULL", "lookup.full-cache.periodic-reload.interval": "1 h"}, start, start.Add(59 * time.Minute), false},
		{"every hour", map[string]string{"lookup.cache": "FULL", "lookup.full-cache.periodic-reload.interval": "1 h"}, start, start.Add(time.Hour), true},
		{"before the time of day", timed("10:00", "1"), start, start.Add(59 * time.Minute), false},
		{"at the time of day", timed("10:00", "1"), start, at(1, 10), true},
		{"read again already", timed("10:00", "1"), at(1, 10), at(2, 9), false},
		{"the next day", timed("10:00", "1"), at(1, 10), at(2, 10), true},
		{"not on every day", timed("10:00", "2"), at(1, 10), at(2, 10), false},
		{"every other day", timed("10:00", "2"), at(1, 10), at(3, 11), true},
		{"the time has passed today", timed("08:00", "1"), start, at(1, 23), false},
		{"tomorrow", timed("08:00", "1"), start, at(2, 8), true},
		{"in another zone", timed("18:00+08:00", "1"), start, at(1, 10), true},
		{"in UTC", timed("10:00:00Z", "1"), start, at(1, 10), true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o, err := connector.NewOptions("t", tt.options, connector.LookupOptions())
			if err != nil {
				t.Fatal(err)
			}
			r, err := connector.NewReload(o, start)
			if err != nil {
				t.Fatal(err)
			}
			if got := r.Due(tt.loaded, tt.now); got != tt.due {
				t.Errorf("due %v, want %v", got, tt.due)
			}
		})
	}
	for _, iso := range []string{"", "25:00", "10 o'clock"} {
		o, err := connector.NewOptions("t", timed(iso, "1"), connector.LookupOptions())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := connector.NewReload(o, start); err == nil {
			t.Errorf("%q is taken", iso)
		}
	}
}
