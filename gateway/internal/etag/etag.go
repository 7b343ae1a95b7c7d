// Package etag marks answers, so that who asks again is told in few bytes that nothing
// has changed (RFC 9110, 13.1.2).
package etag

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"path"
	"slices"
	"strings"
)

// maxBody is the longest answer that is marked; a longer one passes as it comes.
const maxBody = 1 << 20

// Mark marks answers to GET that are about one thing, such as /api/v1/jobs/errors, and
// the document of the API. Lists and streams are left as they are.
func Mark(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet || !one(r.URL.Path) {
			next.ServeHTTP(w, r)
			return
		}
		k := &keeper{ResponseWriter: w}
		next.ServeHTTP(k, r)
		k.end(r.Header.Values("If-None-Match"))
	})
}

// one reports whether a path names one thing that people change.
func one(p string) bool {
	if p == "/openapi.json" {
		return true
	}
	dir, name := path.Split(p)
	kinds := []string{"jobs", "dashboards", "policies", "templates", "people", "rotas"}
	return name != "" && !strings.Contains(name, ":") && strings.HasPrefix(dir, "/api/v1/") && slices.Contains(kinds, strings.TrimSuffix(strings.TrimPrefix(dir, "/api/v1/"), "/"))
}

// keeper holds an answer back until it is whole.
type keeper struct {
	http.ResponseWriter
	code   int
	body   bytes.Buffer
	passes bool // it is not held back, or not any more
}

// WriteHeader keeps the status of answers that may be marked.
func (k *keeper) WriteHeader(code int) {
	if k.code != 0 {
		return
	}
	k.code = code
	if code != http.StatusOK {
		_ = k.pass() // the next write tells
	}
}

func (k *keeper) Write(b []byte) (int, error) {
	k.WriteHeader(http.StatusOK)
	if !k.passes && k.body.Len()+len(b) <= maxBody {
		return k.body.Write(b)
	}
	if err := k.pass(); err != nil {
		return 0, err
	}
	return k.ResponseWriter.Write(b)
}

// pass sends what was held back, and lets through what comes.
func (k *keeper) pass() error {
	if k.passes {
		return nil
	}
	k.passes = true
	k.ResponseWriter.WriteHeader(k.code)
	_, err := k.ResponseWriter.Write(k.body.Bytes())
	k.body = bytes.Buffer{}
	return err
}

// end sends the answer, or that it is the one that is known.
func (k *keeper) end(known []string) {
	if k.passes || k.code == 0 {
		return
	}
	sum := sha256.Sum256(k.body.Bytes())
	// A weak one: the same answer may come compressed or not.
	tag := `W/"` + hex.EncodeToString(sum[:12]) + `"`
	k.Header().Set("Etag", tag)
	if matches(known, tag) {
		k.Header().Del("Content-Type")
		k.Header().Del("Content-Length")
		k.ResponseWriter.WriteHeader(http.StatusNotModified)
		return
	}
	_ = k.pass() // who is gone needs no answer
}

// matches compares weakly, as If-None-Match does.
func matches(known []string, tag string) bool {
	for _, list := range known {
		for t := range strings.SplitSeq(list, ",") {
			t = strings.TrimSpace(t)
			if t == "*" || strings.TrimPrefix(t, "W/") == strings.TrimPrefix(tag, "W/") {
				return true
			}
		}
	}
	return false
}
