// Package page serves the console: a page that draws itself, its scripts and styles.
package page

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"

	"github.com/klauspost/compress/gzhttp"
	"github.com/klauspost/compress/gzip"
)

// placeholder stands in index.html for a word that only this answer knows: styles with
// it are the page's own.
const placeholder = "__CSP_NONCE__"

// file is a file as it is served.
type file struct {
	body, zipped []byte
	kind, tag    string
}

// Handler serves files. Every path without a dot in its last part is the page itself,
// which knows what to show there.
type Handler struct {
	index []byte
	files map[string]file
	https bool
}

// New reads the files. https says that the page is served over TLS.
func New(files fs.FS, https bool) (*Handler, error) {
	h := &Handler{files: make(map[string]file), https: https}
	err := fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		body, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		if name == "index.html" {
			h.index = body
			return nil
		}
		h.files["/"+name], err = prepare(name, body)
		return err
	})
	if err == nil && h.index == nil {
		err = fs.ErrNotExist
	}
	if err != nil {
		return nil, fmt.Errorf("read the console (make console): %w", err)
	}
	return h, nil
}

func prepare(name string, body []byte) (file, error) {
	sum := sha256.Sum256(body)
	f := file{body: body, kind: mime.TypeByExtension(path.Ext(name)), tag: `"` + hex.EncodeToString(sum[:12]) + `"`}
	if f.kind == "" {
		f.kind = "application/octet-stream"
	}
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return f, err
	}
	if _, err := z.Write(body); err != nil {
		return f, err
	}
	if err := z.Close(); err != nil {
		return f, err
	}
	if b.Len() < len(body) {
		f.zipped = b.Bytes()
	}
	return f, nil
}

// Is reports whether a path is the page's or a file's, rather than nothing. Names in a
// path may have dots: /messages/app.log is a topic's page.
func (h *Handler) Is(p string) bool {
	_, ok := h.files[p]
	first, _, _ := strings.Cut(strings.TrimPrefix(p, "/"), "/")
	return ok || first != "assets" && !strings.Contains(first, ".")
}

func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "pages are only read", http.StatusMethodNotAllowed)
		return
	}
	f, ok := h.files[r.URL.Path]
	if !ok {
		h.page(w, r)
		return
	}
	head := w.Header()
	head.Set("Content-Type", f.kind)
	head.Set("Etag", f.tag)
	head.Set("Vary", "Accept-Encoding")
	head.Set("Cache-Control", "no-cache")
	if strings.HasPrefix(r.URL.Path, "/assets/") { // their names change with what is in them
		head.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	if r.Header.Get("If-None-Match") == f.tag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	body := f.body
	if f.zipped != nil && strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		head.Set("Content-Encoding", "gzip")
		body = f.zipped
	}
	head.Set("Content-Length", strconv.Itoa(len(body)))
	if r.Method == http.MethodGet {
		_, _ = w.Write(body) // who is gone needs no answer
	}
}

// page serves index.html with a word of its own for this answer.
func (h *Handler) page(w http.ResponseWriter, r *http.Request) {
	nonce := rand.Text()
	head := w.Header()
	head.Set("Content-Security-Policy", policy(nonce))
	head.Set("Content-Type", "text/html; charset=utf-8")
	head.Set("Cache-Control", "no-store")
	head.Set("Cross-Origin-Opener-Policy", "same-origin")
	if h.https {
		head.Set("Strict-Transport-Security", "max-age=31536000")
	}
	if r.Method == http.MethodGet {
		_, _ = w.Write(bytes.ReplaceAll(h.index, []byte(placeholder), []byte(nonce))) // who is gone needs no answer
	}
}

// policy lets the page use what comes from here, and nothing written into it.
func policy(nonce string) string {
	return "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-" + nonce + "'; connect-src 'self'; img-src 'self' data:; font-src 'self'; " +
		"manifest-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
}

// Compressed zips answers of the API where a client takes that. Streams are left as
// they are: what comes is to be seen at once.
func Compressed(next http.Handler) (http.Handler, error) {
	wrap, err := gzhttp.NewWrapper(gzhttp.MinSize(1400), gzhttp.ContentTypes([]string{"application/json"}), gzhttp.CompressionLevel(gzip.BestSpeed))
	if err != nil {
		return nil, fmt.Errorf("zip answers: %w", err)
	}
	zipped := wrap(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		last := path.Base(r.URL.Path)
		for _, verb := range []string{":follow", ":preview", ":watch"} {
			if strings.HasSuffix(last, verb) {
				next.ServeHTTP(w, r)
				return
			}
		}
		zipped.ServeHTTP(w, r)
	}), nil
}
