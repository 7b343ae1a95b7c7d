// Package httpapi is Elasticsearch's REST API over a store.
package httpapi

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/apierr"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/jsondoc"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/store"
)

// Version is the Elasticsearch version that the API speaks.
const Version = "8.19.0"

// Observer is told what happened, for metrics.
type Observer interface {
	// Request is called after each request.
	Request(route string, status int, took time.Duration)
	// Bulk is called after each bulk request, with its documents by result.
	Bulk(took time.Duration, ok, failed int)
	// Documents is called with documents written outside of bulks.
	Documents(n int)
}

// Options are what an API is made of.
type Options struct {
	Store     *store.Store
	Log       *slog.Logger
	Observe   Observer
	User      string
	Password  string // empty: no authentication
	Cluster   string
	MaxBody   int64
	KeepAlive time.Duration // longest life of a scroll or point in time
}

// API serves the REST API.
type API struct {
	Options
	uuid   string
	routes []*route
	ctx    contexts
	want   [32]byte
	busy   atomic.Int64
	pool   sync.Pool
}

// New returns an API.
func New(o Options) *API {
	a := &API{Options: o, uuid: clusterID(o.Cluster)}
	a.want = sha256.Sum256([]byte(o.User + "\x00" + o.Password))
	a.ctx.open = map[string]*session{}
	a.routes = a.table()
	return a
}

// Close drops open scrolls and points in time.
func (a *API) Close() { a.ctx.closeAll() }

// reply is what a handler answers.
type reply struct {
	status int
	body   *jsondoc.Value
	text   string
	raw    []byte // JSON that is ready to send
	header http.Header
}

func ok(v *jsondoc.Value) (*reply, error) { return &reply{status: http.StatusOK, body: v}, nil }

func acknowledged() (*reply, error) { return ok(jsondoc.Obj("acknowledged", true)) }

// ServeHTTP makes API an http.Handler.
func (a *API) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	start := time.Now()
	a.busy.Add(1)
	defer a.busy.Add(-1)
	c := newCall(a, w, req)
	defer c.release()
	rep, name := a.serve(c)
	c.send(rep)
	a.Observe.Request(name, rep.status, time.Since(start))
}

func (a *API) serve(c *call) (rep *reply, name string) {
	name = "none"
	defer func() {
		if x := recover(); x != nil {
			if err, isErr := x.(error); isErr && errors.Is(err, http.ErrAbortHandler) {
				panic(x) //nolint:forbidigo // the server's own signal
			}
			a.Log.Error("request handler failed", slog.String("path", c.req.URL.Path), slog.Any("error", x))
			rep = errorReply(apierr.New(http.StatusInternalServerError, "exception", "internal error"))
		}
	}()
	if rep := a.authenticate(c); rep != nil {
		return rep, "auth"
	}
	rt, rep := a.match(c)
	if rt == nil {
		return rep, name
	}
	name = rt.pattern
	if rep := c.checkContent(); rep != nil {
		return rep, name
	}
	rep, err := rt.handle(c)
	if err != nil {
		return errorReply(err), name
	}
	return rep, name
}

// authenticate returns the answer to a request without good credentials.
func (a *API) authenticate(c *call) *reply {
	if a.Password == "" {
		return nil
	}
	user, pass, given := c.req.BasicAuth()
	got := sha256.Sum256([]byte(user + "\x00" + pass))
	if given && subtle.ConstantTimeCompare(got[:], a.want[:]) == 1 {
		c.user = user
		return nil
	}
	reason := "missing authentication credentials for REST request [" + c.req.URL.RequestURI() + "]"
	if given {
		reason = "unable to authenticate user [" + user + "] for REST request [" + c.req.URL.RequestURI() + "]"
	}
	e := apierr.New(http.StatusUnauthorized, "security_exception", "%s", reason)
	challenge := []string{`Basic realm="security", charset="UTF-8"`, "ApiKey"}
	e.Fields = []apierr.Field{{Name: "header", Value: jsondoc.Obj("WWW-Authenticate", challenge)}}
	rep := errorReply(e)
	rep.header = http.Header{"Www-Authenticate": challenge}
	return rep
}

// errorReply renders an error as Elasticsearch does.
func errorReply(err error) *reply {
	e := apierr.Of(err)
	return &reply{status: e.Status, body: jsondoc.Obj("error", errorObject(e), "status", e.Status)}
}

func errorObject(e *apierr.Error) *jsondoc.Value {
	if !e.Shard {
		return e.Full()
	}
	plain := *e
	plain.Cause = nil
	root := jsondoc.Arr(plain.Object())
	failed := jsondoc.Arr(jsondoc.Obj("shard", 0, "index", e.Index, "node", "weirflow", "reason", e.Object()))
	if len(e.Others) > 1 {
		root, failed = jsondoc.Arr(), jsondoc.Arr()
		for _, o := range e.Others {
			p := *o
			p.Cause = nil
			root.Add(p.Object())
			failed.Add(jsondoc.Obj("shard", 0, "index", o.Index, "node", "weirflow", "reason", o.Object()))
		}
	}
	if e.NoRoot {
		root, failed = jsondoc.Arr(), jsondoc.Arr()
	}
	o := jsondoc.Obj("root_cause", root, "type", "search_phase_execution_exception", "reason", "all shards failed", "phase", "query", "grouped", true, "failed_shards", failed)
	if e.Type == "illegal_argument_exception" || e.NoRoot {
		o.Set("caused_by", e.Object())
	}
	return o
}

// plainError is an error that is only a text.
func plainError(status int, text string) *reply {
	return &reply{status: status, body: jsondoc.Obj("error", text, "status", status)}
}

func clusterID(name string) string {
	s := sha256.Sum256([]byte("weirflow-cluster:" + name))
	const abc = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	var b strings.Builder
	for _, c := range s[:22] {
		b.WriteByte(abc[c&63])
	}
	return b.String()
}
