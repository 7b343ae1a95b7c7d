package flinkmetrics

import (
	"sync"
	"time"
)

const (
	// span is over which rates are taken: Flink's meters look back a minute.
	span = time.Minute
	// apart is how far the samples of a meter are from one another at least, so that
	// many scrapers cost no memory.
	apart = time.Second
)

// meters remember what counters were, so that a rate can be told.
type meters struct {
	mu  sync.Mutex
	all map[string]*meter
	now time.Time
}

type meter struct {
	samples []sample
	changed time.Time
	used    bool
}

type sample struct {
	at    time.Time
	value float64
}

func newMeters() *meters { return &meters{all: make(map[string]*meter)} }

// begin opens a round, in which one collects at a time. What it returns closes it
// and forgets the meters that were not asked for.
func (m *meters) begin(now time.Time) func() {
	m.mu.Lock()
	m.now = now
	for _, x := range m.all {
		x.used = false
	}
	return func() {
		for key, x := range m.all {
			if !x.used {
				delete(m.all, key)
			}
		}
		m.mu.Unlock()
	}
}

// rate returns by how much a counter grew in a second of the last minute, or since
// it began at 0. It was also counted anew if it is less than it was.
func (m *meters) rate(key string, value float64, began time.Time) float64 {
	return m.note(key, value, began).rate(m.now, value)
}

// still returns for how long a counter has not grown, as far as it was looked at.
func (m *meters) still(key string, value float64, began time.Time) time.Duration {
	return max(0, m.now.Sub(m.note(key, value, began).changed))
}

func (m *meters) note(key string, value float64, began time.Time) *meter {
	x := m.all[key]
	switch {
	case x == nil && (began.IsZero() || began.After(m.now)): // what came before is not known
		x = &meter{samples: []sample{{m.now, value}}, changed: m.now}
	case x == nil:
		x = &meter{samples: []sample{{at: began}}, changed: began}
	case value < x.last().value: // it was counted anew since it was last looked at
		x = &meter{samples: []sample{{at: x.last().at}}, changed: m.now}
	}
	m.all[key] = x
	x.used = true
	last := x.last()
	if value != last.value {
		x.changed = m.now
	}
	if m.now.Sub(last.at) >= apart {
		x.samples = append(x.samples, sample{m.now, value})
	}
	from := m.now.Add(-span)
	for len(x.samples) > 1 && !x.samples[1].at.After(from) {
		x.samples = x.samples[1:]
	}
	return x
}

func (x *meter) last() sample { return x.samples[len(x.samples)-1] }

func (x *meter) rate(now time.Time, value float64) float64 {
	first := x.samples[0]
	if d := now.Sub(first.at); d > 0 {
		return (value - first.value) / max(d, apart).Seconds()
	}
	return 0
}
