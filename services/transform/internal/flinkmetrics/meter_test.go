package flinkmetrics

import (
	"testing"
	"time"
)

func TestMeters(t *testing.T) {
	start := time.Unix(1_700_000_000, 0)
	type look struct {
		at          time.Duration
		value, rate float64
		still       time.Duration
	}
	for _, c := range []struct {
		name  string
		began time.Time
		looks []look
	}{
		{"from its beginning", start, []look{{10 * time.Second, 100, 10, 0}, {20 * time.Second, 300, 15, 0}}},
		{"what came before is not known", time.Time{}, []look{{10 * time.Second, 100, 0, 0}, {20 * time.Second, 300, 20, 0}}},
		{"a minute back, not more", start, []look{{60 * time.Second, 6000, 100, 0}, {120 * time.Second, 6000, 0, time.Minute}, {180 * time.Second, 6600, 10, 0}}},
		{"two that look at once", start, []look{{10 * time.Second, 100, 10, 0}, {10 * time.Second, 100, 10, 0}}},
		{"counted anew", start, []look{{10 * time.Second, 100, 10, 0}, {20 * time.Second, 50, 5, 0}}},
		{"looked at seldom", start, []look{{10 * time.Minute, 600, 1, 0}, {20 * time.Minute, 1200, 1, 0}}},
		{"at rest", start, []look{{10 * time.Second, 0, 0, 10 * time.Second}, {30 * time.Second, 0, 0, 30 * time.Second}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := newMeters()
			for i, l := range c.looks {
				end := m.begin(start.Add(l.at))
				if got := m.rate("k", l.value, c.began); got != l.rate {
					t.Errorf("look %d: rate %v, want %v", i, got, l.rate)
				}
				if got := m.still("k", l.value, c.began); got != l.still {
					t.Errorf("look %d: still for %v, want %v", i, got, l.still)
				}
				end()
			}
		})
	}
}

// TestMetersForget: what nobody asks for any more is not kept, and what is asked for
// often is kept no oftener than once a second.
func TestMetersForget(t *testing.T) {
	m, now := newMeters(), time.Unix(1_700_000_000, 0)
	for i := range 10_000 {
		end := m.begin(now.Add(time.Duration(i) * 20 * time.Millisecond))
		m.rate("often", float64(i), now)
		if i == 0 {
			m.rate("once", 1, now)
		}
		end()
	}
	if len(m.all) != 1 || len(m.all["often"].samples) > 62 {
		t.Errorf("%d meters, %d samples", len(m.all), len(m.all["often"].samples))
	}
}

func TestLoad(t *testing.T) {
	var l load
	now := time.Unix(1_700_000_000, 0)
	if got := l.of(now, 100); got != 0 {
		t.Errorf("first look: %v", got)
	}
	first := l.of(now.Add(10*time.Second), 101)
	if first <= 0 || first > 0.1 {
		t.Errorf("one second in ten: %v", first)
	}
	if again := l.of(now.Add(10*time.Second+time.Millisecond), 200); again != first {
		t.Errorf("looked at twice: %v, then %v", first, again)
	}
	if got := l.of(now.Add(20*time.Second), 1e6); got != 1 {
		t.Errorf("more than there is: %v", got)
	}
}
