package httpapi

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/apierr"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/jsondoc"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/store"
)

// call is one request.
type call struct {
	api    *API
	w      http.ResponseWriter
	req    *http.Request
	query  url.Values
	params map[string]string
	user   string
	buf    *bytes.Buffer
	read   bool
	body   []byte
}

func newCall(a *API, w http.ResponseWriter, req *http.Request) *call {
	return &call{api: a, w: w, req: req, query: req.URL.Query(), params: map[string]string{}}
}

func (c *call) release() {
	if c.buf != nil && c.buf.Cap() < 32<<20 {
		c.buf.Reset()
		c.api.pool.Put(c.buf)
	}
}

// checkContent refuses bodies of another kind than JSON.
func (c *call) checkContent() *reply {
	if c.req.Body == nil || c.req.Body == http.NoBody || c.req.ContentLength == 0 {
		return nil
	}
	ct := c.req.Header.Get("Content-Type")
	media, _, _ := strings.Cut(ct, ";")
	switch strings.ToLower(strings.TrimSpace(media)) {
	case "application/json", "application/x-ndjson", "application/vnd.elasticsearch+json", "application/vnd.elasticsearch+x-ndjson", "application/*", "application/vnd.elasticsearch":
		return nil
	}
	return plainError(http.StatusNotAcceptable, "Content-Type header ["+ct+"] is not supported")
}

// bytes reads the body, unpacking it when it is compressed.
func (c *call) bytes() ([]byte, error) {
	if c.read {
		return c.body, nil
	}
	c.read = true
	if c.req.Body == nil {
		return nil, nil
	}
	if b, ok := c.api.pool.Get().(*bytes.Buffer); ok {
		c.buf = b
	} else {
		c.buf = &bytes.Buffer{}
	}
	limit := c.api.MaxBody
	var r io.Reader = http.MaxBytesReader(c.w, c.req.Body, limit)
	if c.req.Header.Get("Content-Encoding") == "gzip" {
		z, err := gzip.NewReader(r)
		if err != nil {
			return nil, tooLargeOr(err, limit, "the body is not gzip: "+err.Error())
		}
		r = z
	} else if n := c.req.ContentLength; n > 0 && n <= limit {
		c.buf.Grow(int(n) + bytes.MinRead)
	}
	n, err := c.buf.ReadFrom(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, tooLargeOr(err, limit, "reading the body: "+err.Error())
	}
	if n > limit {
		return nil, tooLarge(limit)
	}
	c.body = c.buf.Bytes()
	return c.body, nil
}

func tooLarge(limit int64) error {
	return apierr.New(http.StatusRequestEntityTooLarge, "content_too_long_exception", "entity content is too long for the configured limit of [%d] bytes: send smaller requests", limit)
}

func tooLargeOr(err error, limit int64, text string) error {
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return tooLarge(limit)
	}
	return apierr.New(http.StatusBadRequest, "parse_exception", "%s", text)
}

// json reads the body as JSON; nil when there is none.
func (c *call) json() (*jsondoc.Value, error) {
	b, err := c.bytes()
	if err != nil {
		return nil, err
	}
	if len(bytes.TrimSpace(b)) == 0 {
		if s := c.query.Get("source"); s != "" {
			b = []byte(s)
		} else {
			return nil, nil
		}
	}
	v, err := jsondoc.Parse(b)
	if err != nil {
		return nil, apierr.Syntax(err)
	}
	return v, nil
}

// flag reads a boolean parameter: present without a value is true.
func (c *call) flag(name string) bool {
	v, given := c.query[name]
	return given && (v[0] == "" || v[0] == "true")
}

// number reads an integer parameter.
func (c *call) number(name string, def int) (int, error) {
	s := c.query.Get(name)
	if s == "" {
		return def, nil
	}
	n, err := strconv.ParseInt(s, 10, 32)
	if err != nil {
		return 0, apierr.Illegal("Failed to parse int parameter [%s] with value [%s]", name, s)
	}
	return int(n), nil
}

// lookup reads the parameters about missing indices.
func (c *call) lookup() store.Lookup {
	return store.Lookup{IgnoreUnavailable: c.flag("ignore_unavailable"), NoIndicesFails: c.query.Get("allow_no_indices") == "false"}
}

// targets resolves the indices of the path.
func (c *call) targets(o store.Lookup) ([]store.Target, error) {
	return c.api.Store.Resolve(c.params["index"], o)
}

// send writes an answer.
func (c *call) send(r *reply) {
	h := c.w.Header()
	maps.Copy(h, r.header)
	h.Set("X-Elastic-Product", "Elasticsearch")
	out := r.raw
	switch {
	case r.body != nil:
		out = c.encode(r.body)
		h.Set("Content-Type", c.mediaType())
	case out != nil:
		h.Set("Content-Type", c.mediaType())
	case r.text != "":
		out = []byte(r.text)
		h.Set("Content-Type", "text/plain; charset=UTF-8")
	}
	if strings.Contains(c.req.Header.Get("Accept-Encoding"), "gzip") && len(out) > 0 && c.req.Method != http.MethodHead {
		c.sendGzip(r.status, out)
		return
	}
	h.Set("Content-Length", strconv.Itoa(len(out)))
	c.w.WriteHeader(r.status)
	if c.req.Method != http.MethodHead {
		_, _ = c.w.Write(out) //nolint:gosec // JSON or plain text by its content type; the client may be gone
	}
}

func (c *call) sendGzip(status int, out []byte) {
	c.w.Header().Set("Content-Encoding", "gzip")
	c.w.WriteHeader(status)
	z, err := gzip.NewWriterLevel(c.w, gzip.BestSpeed)
	if err != nil {
		return
	}
	_, _ = z.Write(out)
	_ = z.Close()
}

func (c *call) encode(v *jsondoc.Value) []byte {
	if fp := c.query.Get("filter_path"); fp != "" {
		v = filterPath(v, fp)
	}
	if c.flag("pretty") {
		return append(v.AppendPretty(nil), '\n')
	}
	return v.Encode()
}

// mediaType answers in the kind that a client of version 8 asked for.
func (c *call) mediaType() string {
	a := c.req.Header.Get("Accept")
	if a == "" || a == "*/*" {
		a = c.req.Header.Get("Content-Type")
	}
	if strings.HasPrefix(a, "application/vnd.elasticsearch+") {
		for _, v := range [...]string{"8", "7", "9"} {
			if strings.Contains(strings.ReplaceAll(a, " ", ""), "compatible-with="+v) {
				return "application/vnd.elasticsearch+json;compatible-with=" + v
			}
		}
	}
	return "application/json"
}
