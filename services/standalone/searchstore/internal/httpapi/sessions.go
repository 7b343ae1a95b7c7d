package httpapi

import (
	"encoding/base64"
	"net/http"
	"sync"
	"time"

	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/apierr"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/dates"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/jsondoc"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/search"
)

// maxSessions is how many scrolls and points in time may be open at once.
const maxSessions = 500

// session is an open scroll or point in time: views that are held.
type session struct {
	targets []search.Target
	expires time.Time
	keep    time.Duration
	req     *search.Request // of a scroll
	from    int
	mu      sync.Mutex
}

// contexts are the open sessions.
type contexts struct {
	mu   sync.Mutex
	open map[string]*session
}

func (x *contexts) sweep(now time.Time) {
	for id, s := range x.open {
		if now.After(s.expires) {
			release(s.targets)
			delete(x.open, id)
		}
	}
}

func (x *contexts) add(prefix string, s *session) (string, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	now := time.Now()
	x.sweep(now)
	if len(x.open) >= maxSessions {
		return "", apierr.New(http.StatusTooManyRequests, "es_rejected_execution_exception", "Trying to create too many scroll contexts. Must be less than or equal to: [%d]", maxSessions)
	}
	s.expires = now.Add(s.keep)
	id := prefix + newID()
	x.open[id] = s
	return base64.URLEncoding.EncodeToString([]byte(id)), nil
}

// get finds a session and keeps its views for the caller, who releases them:
// another request may close the session meanwhile.
func (x *contexts) get(token, prefix string, keep time.Duration) (*session, []search.Target) {
	id, err := base64.URLEncoding.DecodeString(token)
	if err != nil {
		return nil, nil
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	now := time.Now()
	x.sweep(now)
	s := x.open[string(id)]
	if s == nil || string(id[:len(prefix)]) != prefix {
		return nil, nil
	}
	if keep > 0 {
		s.keep = keep
	}
	s.expires = now.Add(s.keep)
	for _, t := range s.targets {
		t.View.Retain()
	}
	return s, s.targets
}

func (x *contexts) drop(token string) bool {
	id, err := base64.URLEncoding.DecodeString(token)
	if err != nil {
		return false
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	s := x.open[string(id)]
	if s == nil {
		return false
	}
	release(s.targets)
	delete(x.open, string(id))
	return true
}

func (x *contexts) closeAll() int {
	x.mu.Lock()
	defer x.mu.Unlock()
	n := len(x.open)
	for id, s := range x.open {
		release(s.targets)
		delete(x.open, id)
	}
	return n
}

func (a *API) keepAlive(s string) (time.Duration, error) {
	d, err := dates.Duration(s)
	if err != nil || d <= 0 {
		return 0, apierr.Illegal("failed to parse setting [keep_alive] with value [%s] as a time value", s)
	}
	if d > a.KeepAlive {
		return 0, apierr.Illegal("Keep alive for request (%s) is too large. It must be less than (%s).", s, a.KeepAlive)
	}
	return d, nil
}

func (a *API) startScroll(c *call, r *search.Request, keep string) (*reply, error) {
	d, err := a.keepAlive(keep)
	if err != nil {
		return nil, err
	}
	if c.query.Has("from") || r.From > 0 {
		return nil, validation("using [from] is not allowed in a scroll context")
	}
	if r.Size == 0 {
		return nil, validation("[size] cannot be [0] in a scroll context")
	}
	targets, err := c.targets(c.lookup())
	if err != nil {
		return nil, err
	}
	r.Scroll, r.Track = true, search.Exact
	s := &session{targets: acquire(targets), keep: d, req: r}
	start := time.Now()
	res, err := search.Run(r, s.targets, start)
	if err != nil {
		release(s.targets)
		return nil, err
	}
	s.from = r.Size
	id, err := a.ctx.add("s", s)
	if err != nil {
		release(s.targets)
		return nil, err
	}
	return ok(response(res, start, jsondoc.Obj("_scroll_id", id), c.flag("rest_total_hits_as_int")))
}

func (a *API) scroll(c *call) (*reply, error) {
	v, err := c.json()
	if err != nil {
		return nil, err
	}
	id, keep := v.Get("scroll_id").Text(), v.Get("scroll").Text()
	for _, s := range [...]string{c.query.Get("scroll_id"), c.params["scroll_id"]} {
		if s != "" {
			id = s
		}
	}
	if s := c.query.Get("scroll"); s != "" {
		keep = s
	}
	if id == "" {
		return nil, validation("scrollId is missing")
	}
	var d time.Duration
	if keep != "" {
		if d, err = a.keepAlive(keep); err != nil {
			return nil, err
		}
	}
	if !validToken(id) {
		return nil, apierr.Illegal("Cannot parse scroll id")
	}
	s, held := a.ctx.get(id, "s", d)
	if s == nil {
		return nil, missingContext(id)
	}
	defer release(held)
	s.mu.Lock()
	defer s.mu.Unlock()
	r := *s.req
	r.From = s.from
	r.Aggs = nil
	start := time.Now()
	res, err := search.Run(&r, held, start)
	if err != nil {
		return nil, err
	}
	s.from += r.Size
	return ok(response(res, start, jsondoc.Obj("_scroll_id", id), c.flag("rest_total_hits_as_int")))
}

func validToken(id string) bool {
	b, err := base64.URLEncoding.DecodeString(id)
	return err == nil && len(b) == 21 && (b[0] == 's' || b[0] == 'p')
}

func missingContext(id string) error {
	e := apierr.New(http.StatusNotFound, "search_context_missing_exception", "No search context found for id [%s]", id)
	e.Shard = true
	return e
}

func (a *API) clearScroll(c *call) (*reply, error) {
	v, err := c.json()
	if err != nil {
		return nil, err
	}
	ids := v.Get("scroll_id").Texts()
	if s := c.params["scroll_id"]; s != "" {
		ids = []string{s}
	}
	n := 0
	if len(ids) == 1 && ids[0] == "_all" {
		n = a.ctx.closeAll()
		return ok(jsondoc.Obj("succeeded", true, "num_freed", n))
	}
	for _, id := range ids {
		if !validToken(id) {
			return nil, apierr.Illegal("Cannot parse scroll id")
		}
		if a.ctx.drop(id) {
			n++
		}
	}
	return freed(n)
}

func freed(n int) (*reply, error) {
	status := http.StatusOK
	if n == 0 {
		status = http.StatusNotFound
	}
	return &reply{status: status, body: jsondoc.Obj("succeeded", true, "num_freed", n)}, nil
}

func (a *API) openPIT(c *call) (*reply, error) {
	keep := c.query.Get("keep_alive")
	if keep == "" {
		return nil, validation("[keep_alive] is not specified")
	}
	d, err := a.keepAlive(keep)
	if err != nil {
		return nil, err
	}
	targets, err := c.targets(c.lookup())
	if err != nil {
		return nil, err
	}
	s := &session{targets: acquire(targets), keep: d}
	id, err := a.ctx.add("p", s)
	if err != nil {
		release(s.targets)
		return nil, err
	}
	return ok(jsondoc.Obj("id", id, "_shards", shards(len(targets), true)))
}

func (a *API) closePIT(c *call) (*reply, error) {
	v, err := c.json()
	if err != nil {
		return nil, err
	}
	n := 0
	for _, id := range v.Get("id").Texts() {
		if a.ctx.drop(id) {
			n++
		}
	}
	return freed(n)
}

func (a *API) searchPIT(c *call, r *search.Request) (*reply, error) {
	if c.params["index"] != "" {
		return nil, validation("[indices] cannot be used with point in time. Do not specify any index with point in time.")
	}
	var d time.Duration
	var err error
	if r.KeepAlive != "" {
		if d, err = a.keepAlive(r.KeepAlive); err != nil {
			return nil, err
		}
	}
	s, held := a.ctx.get(r.PIT, "p", d)
	if s == nil {
		return nil, missingContext(r.PIT)
	}
	defer release(held)
	if len(r.Sort) > 0 && r.Sort[len(r.Sort)-1].Field != "_shard_doc" && r.Sort[len(r.Sort)-1].Field != "_doc" {
		r.Sort = append(r.Sort, search.SortKey{Field: "_shard_doc"})
		if r.HasAfter && len(r.After) == len(r.Sort)-1 {
			r.Sort = r.Sort[:len(r.Sort)-1]
		}
	}
	return a.answer(c, r, held, jsondoc.Obj("pit_id", r.PIT))
}
