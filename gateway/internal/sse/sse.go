// Package sse gives the answers of streams as server-sent events
// (https://html.spec.whatwg.org/multipage/server-sent-events.html) where a client
// asks for them, and keeps their connections alive.
package sse

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
)

// Type is the media type of events.
const Type = "text/event-stream"

// Marshaler writes each answer of a stream as an event: data is what the answer's
// line would be. An error is the last event, of the type "error".
type Marshaler struct {
	runtime.Marshaler
}

// ContentType is that of events.
func (Marshaler) ContentType(any) string { return Type }

// StreamContentType is that of events.
func (Marshaler) StreamContentType(any) string { return Type }

// Delimiter ends an event.
func (Marshaler) Delimiter() []byte { return []byte("\n\n") }

// Marshal writes an event without its end.
func (m Marshaler) Marshal(v any) ([]byte, error) {
	text, err := m.Marshaler.Marshal(v)
	if err != nil {
		return nil, err
	}
	var line struct {
		Result json.RawMessage `json:"result"`
		Error  json.RawMessage `json:"error"`
	}
	switch err := json.Unmarshal(text, &line); {
	case err == nil && line.Error != nil:
		return append([]byte("event: error\ndata: "), compact(line.Error)...), nil
	case err == nil && line.Result != nil:
		return append([]byte("data: "), compact(line.Result)...), nil
	default:
		return append([]byte("data: "), compact(text)...), nil
	}
}

// compact is JSON on one line, as an event must have it.
func compact(text []byte) []byte {
	var b bytes.Buffer
	if json.Compact(&b, text) != nil {
		return bytes.ReplaceAll(text, []byte("\n"), []byte(" "))
	}
	return b.Bytes()
}

// NewEncoder writes one answer after the other.
func (m Marshaler) NewEncoder(w io.Writer) runtime.Encoder {
	return runtime.EncoderFunc(func(v any) error {
		text, err := m.Marshal(v)
		if err != nil {
			return err
		}
		_, err = w.Write(append(text, m.Delimiter()...))
		return err
	})
}

// Wanted reports whether a request asks for events.
func Wanted(r *http.Request) bool {
	return strings.Contains(r.Header.Get("Accept"), Type)
}

// Keep has streams of events send a comment when they have had nothing to say for a
// while, so that nobody in between takes them for dead, and tells proxies not to hold
// them back. A client that takes nothing for as long as stall loses its stream.
func Keep(every, stall time.Duration, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !Wanted(r) {
			next.ServeHTTP(w, r)
			return
		}
		w.Header().Set("X-Accel-Buffering", "no")
		w.Header().Set("Cache-Control", "no-store")
		k := &keeper{w: w, control: http.NewResponseController(w), stall: stall}
		done := make(chan struct{})
		var beating sync.WaitGroup
		beating.Go(func() { k.beat(every, done) })
		defer func() {
			close(done)
			beating.Wait()
		}()
		next.ServeHTTP(k, r)
	})
}

// keeper is a response that two write to.
type keeper struct {
	w       http.ResponseWriter
	control *http.ResponseController
	stall   time.Duration

	mu     sync.Mutex
	events bool // the answer is one
	last   time.Time
	whole  bool // no event is half written
}

func (k *keeper) Header() http.Header { return k.w.Header() }

func (k *keeper) WriteHeader(code int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.begin()
	k.w.WriteHeader(code)
}

// begin looks at what the answer is, at its first write.
func (k *keeper) begin() {
	if k.last.IsZero() {
		k.events = strings.HasPrefix(k.w.Header().Get("Content-Type"), Type)
		k.last, k.whole = time.Now(), true
	}
}

func (k *keeper) Write(b []byte) (int, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.begin()
	k.last = time.Now()
	_ = k.control.SetWriteDeadline(k.last.Add(k.stall)) // not all writers have one
	n, err := k.w.Write(b)
	k.whole = bytes.HasSuffix(b, []byte("\n\n"))
	return n, err
}

// Flush sends what was written.
func (k *keeper) Flush() {
	k.mu.Lock()
	defer k.mu.Unlock()
	_ = k.control.Flush() // the next write tells
}

// Unwrap lets a ResponseController through.
func (k *keeper) Unwrap() http.ResponseWriter { return k.w }

func (k *keeper) beat(every time.Duration, done <-chan struct{}) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-done:
			return
		case <-tick.C:
		}
		k.mu.Lock()
		if k.events && k.whole && time.Since(k.last) >= every {
			k.last = time.Now()
			_ = k.control.SetWriteDeadline(k.last.Add(k.stall))
			_, _ = k.w.Write([]byte(": still here\n\n")) // the next write tells
			_ = k.control.Flush()
		}
		k.mu.Unlock()
	}
}
