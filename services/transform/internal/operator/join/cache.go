package join

import (
	"container/list"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/weirflow/weirflow/services/platform/suggest"
)

// CacheConfig says how long the answers of a table are kept.
type CacheConfig struct {
	// Keep says that answers are kept at all.
	Keep bool
	// AfterAccess and AfterWrite are when an answer is forgotten; 0 for never.
	AfterAccess, AfterWrite time.Duration
	// MaxRows is how many keys are kept; 0 for all.
	MaxRows int
	// Missing keeps also that there is no row.
	Missing bool
}

// cache keeps the answers of a table, those used last.
type cache struct {
	cfg     CacheConfig
	now     func() time.Time
	entries map[string]*list.Element
	order   *list.List // the one used last is in front
}

type cached struct {
	key           string
	rows          []string
	written, used time.Time
}

func newCache(cfg CacheConfig, now func() time.Time) *cache {
	return &cache{cfg: cfg, now: now, entries: make(map[string]*list.Element), order: list.New()}
}

func (c *cache) get(key string) ([]string, bool) {
	e, ok := c.entries[key]
	if !ok {
		return nil, false
	}
	it, _ := e.Value.(*cached)
	now := c.now()
	if c.cfg.AfterWrite > 0 && now.Sub(it.written) >= c.cfg.AfterWrite || c.cfg.AfterAccess > 0 && now.Sub(it.used) >= c.cfg.AfterAccess {
		c.remove(e)
		return nil, false
	}
	it.used = now
	c.order.MoveToFront(e)
	return it.rows, true
}

func (c *cache) put(key string, rows []string) {
	if len(rows) == 0 && !c.cfg.Missing {
		return
	}
	if e, ok := c.entries[key]; ok {
		c.remove(e)
	}
	now := c.now()
	c.entries[key] = c.order.PushFront(&cached{key: key, rows: rows, written: now, used: now})
	for c.cfg.MaxRows > 0 && c.order.Len() > c.cfg.MaxRows {
		c.remove(c.order.Back())
	}
}

func (c *cache) remove(e *list.Element) {
	if it, ok := c.order.Remove(e).(*cached); ok {
		delete(c.entries, it.key)
	}
}

// retry is what the LOOKUP hint says about rows that are not found.
type retry struct {
	attempts int
	delay    time.Duration
}

var lookupHints = []string{"table", "async", "output-mode", "capacity", "timeout", "retry-predicate", "retry-strategy", "fixed-delay", "max-attempts", "shuffle"}

func newRetry(hints map[string]string) (retry, error) {
	r := retry{attempts: 1}
	for k := range hints {
		known := false
		for _, h := range lookupHints {
			known = known || h == k
		}
		if !known {
			return r, fmt.Errorf("the LOOKUP hint has no option '%s'%s", k, suggest.Hint(k, lookupHints))
		}
	}
	switch hints["retry-predicate"] {
	case "":
		return r, nil
	case "lookup_miss":
	default:
		return r, fmt.Errorf("the LOOKUP hint's 'retry-predicate' must be 'lookup_miss', found '%s'", hints["retry-predicate"])
	}
	if s := hints["retry-strategy"]; s != "" && s != "fixed_delay" {
		return r, fmt.Errorf("the LOOKUP hint's 'retry-strategy' must be 'fixed_delay', found '%s'", s)
	}
	n, err := strconv.Atoi(hints["max-attempts"])
	if err != nil || n < 1 {
		return r, fmt.Errorf("the LOOKUP hint's 'max-attempts' must be a number above zero, found '%s'", hints["max-attempts"])
	}
	d, err := time.ParseDuration(strings.ReplaceAll(hints["fixed-delay"], " ", ""))
	if err != nil || d < 0 {
		return r, fmt.Errorf("the LOOKUP hint's 'fixed-delay' must be a duration such as '10s', found '%s'", hints["fixed-delay"])
	}
	r.attempts, r.delay = n, d
	return r, nil
}
