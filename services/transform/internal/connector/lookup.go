package connector

import (
	"fmt"
	"strings"
	"time"

	"github.com/weirflow/weirflow/services/transform/internal/exec"
	"github.com/weirflow/weirflow/services/transform/internal/operator/join"
	"github.com/weirflow/weirflow/services/transform/internal/plan"
)

// Lookup is a table that finds rows by key, for lookup joins: all that a batch of
// rows wants to know is one call.
type Lookup = join.Table

// Answer is what a Lookup has found.
type Answer = join.Answer

// LookupOptions are the options of every connector that has lookups.
func LookupOptions() []Option {
	return []Option{
		{Key: "lookup.cache", Kind: Enum, Default: "NONE", Values: []string{"NONE", "PARTIAL", "FULL"}},
		{Key: "lookup.max-retries", Kind: Int, Default: "3"},
		{Key: "lookup.partial-cache.expire-after-access", Kind: Duration},
		{Key: "lookup.partial-cache.expire-after-write", Kind: Duration},
		{Key: "lookup.partial-cache.cache-missing-key", Kind: Bool, Default: "true"},
		{Key: "lookup.partial-cache.caching-missing-key", Kind: Bool},
		{Key: "lookup.partial-cache.max-rows", Kind: Int},
		{Key: "lookup.full-cache.reload-strategy", Kind: Enum, Default: "PERIODIC", Values: []string{"PERIODIC", "TIMED"}},
		{Key: "lookup.full-cache.periodic-reload.interval", Kind: Duration},
		{Key: "lookup.full-cache.periodic-reload.schedule-mode", Kind: Enum, Default: "FIXED_DELAY", Values: []string{"FIXED_DELAY", "FIXED_RATE"}},
		{Key: "lookup.full-cache.timed-reload.iso-time"},
		{Key: "lookup.full-cache.timed-reload.interval-in-days", Kind: Int, Default: "1"},
		// The names of before Flink 1.16.
		{Key: "lookup.cache.max-rows", Kind: Int},
		{Key: "lookup.cache.ttl", Kind: Duration},
	}
}

// cacheConfig reads the options of a partial cache.
func cacheConfig(o *Options) join.CacheConfig {
	c := join.CacheConfig{Keep: strings.EqualFold(o.Enum("lookup.cache"), "PARTIAL"), Missing: o.Bool("lookup.partial-cache.cache-missing-key")}
	if o.Has("lookup.partial-cache.caching-missing-key") {
		c.Missing = o.Bool("lookup.partial-cache.caching-missing-key")
	}
	c.AfterAccess, c.AfterWrite = o.Duration("lookup.partial-cache.expire-after-access"), o.Duration("lookup.partial-cache.expire-after-write")
	c.MaxRows = int(o.Int("lookup.partial-cache.max-rows"))
	if o.Has("lookup.cache.max-rows") && o.Has("lookup.cache.ttl") {
		c.Keep, c.MaxRows, c.AfterWrite = true, int(o.Int("lookup.cache.max-rows")), o.Duration("lookup.cache.ttl")
	}
	return c
}

// Reload says when a table that is held as a whole is read again.
type Reload struct {
	every time.Duration
	first time.Time // when it is read at a time of day: the first one
}

// NewReload reads the options of a full cache. now is when the table is read first.
func NewReload(o *Options, now time.Time) (Reload, error) {
	switch {
	case !strings.EqualFold(o.Enum("lookup.cache"), "FULL"):
		return Reload{}, nil
	case !strings.EqualFold(o.Enum("lookup.full-cache.reload-strategy"), "TIMED"):
		return Reload{every: o.Duration("lookup.full-cache.periodic-reload.interval")}, nil
	}
	r := Reload{every: time.Duration(o.Int("lookup.full-cache.timed-reload.interval-in-days")) * 24 * time.Hour}
	const key = "lookup.full-cache.timed-reload.iso-time"
	at, err := timeOfDay(o.Text(key), now.Location())
	if err != nil || r.every <= 0 {
		return r, fmt.Errorf("'%s' = '%s' must be a time such as '10:15', '10:15Z' or '10:15+08:00', and interval-in-days at least 1", key, o.Text(key))
	}
	day := now.In(at.Location())
	r.first = time.Date(day.Year(), day.Month(), day.Day(), at.Hour(), at.Minute(), at.Second(), 0, at.Location())
	if !r.first.After(now) {
		r.first = r.first.Add(24 * time.Hour)
	}
	return r, nil
}

func timeOfDay(text string, zone *time.Location) (time.Time, error) {
	var err error
	for _, layout := range []string{"15:04Z07:00", "15:04:05Z07:00", "15:04", "15:04:05"} {
		var t time.Time
		if t, err = time.ParseInLocation(layout, text, zone); err == nil {
			return t, nil
		}
	}
	return time.Time{}, err
}

// OnChange reports whether the table is read again whenever it has changed.
func (r Reload) OnChange() bool { return r.every == 0 }

// Due reports whether a table that was read at a time is to be read again.
func (r Reload) Due(loaded, now time.Time) bool {
	switch {
	case r.first.IsZero():
		return now.Sub(loaded) >= r.every
	case now.Before(r.first):
		return false
	}
	return loaded.Before(r.first.Add(now.Sub(r.first).Truncate(r.every)))
}

// CheckLookup says why a table cannot be asked the way a lookup join does.
func (r Registry) CheckLookup(n *plan.LookupJoin) error {
	_, _, err := r.lookup(n)
	return err
}

func (r Registry) lookup(n *plan.LookupJoin) (Factory, *Options, error) {
	f, o, err := r.Lookup(n.Table)
	if err == nil && f.Lookup == nil {
		err = &OptionError{Table: n.Table.Name, Reason: fmt.Sprintf("connector '%s' cannot be asked for single rows", o.Text("connector"))}
	}
	return f, o, err
}

// OpenLookups gives the lookup joins of a graph their tables.
func (r Registry) OpenLookups(env Env, g *exec.Graph) error {
	for _, l := range g.Lookups {
		f, o, err := r.lookup(l.Plan)
		if err != nil {
			return err
		}
		t, err := f.Lookup(env, l.Plan.Right, join.KeyColumns(l.Plan), o)
		if err != nil {
			return err
		}
		l.Open(t, cacheConfig(o))
	}
	return nil
}
