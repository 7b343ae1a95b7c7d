// Package contract is what the project relies on in a search server: requests
// and the answers that they must get. The embedded store and a real
// Elasticsearch pass the same suite.
package contract

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
)

// Server is the server under test.
type Server struct {
	// URL is the base address, without a slash at the end.
	URL string
	// User and Password are sent when set.
	User, Password string
	// Client sends the requests; nil is the default client.
	Client *http.Client
}

// Step is one request and what its answer must hold.
type Step struct {
	Method, Path, Body string
	Status             int
	// Want maps paths in the answer (hits.total.value, items.0.index.status)
	// to their JSON; "absent" means that there must be nothing.
	Want map[string]string
	// IDs, when set, are the ids of the hits: in order when Ordered.
	IDs     string
	Ordered bool
}

// Case is a named list of steps on fresh indices named t_*.
type Case struct {
	Name  string
	Steps []Step
}

// Run runs all cases.
func Run(t *testing.T, s Server) {
	t.Helper()
	for _, group := range [...][]Case{documents(), bulks(), queries(), searches(), aggregations(), indices()} {
		for _, c := range group {
			t.Run(c.Name, func(t *testing.T) {
				s.clean(t)
				for i, st := range c.Steps {
					if err := s.step(t, st); err != nil {
						t.Fatalf("step %d: %s %s: %v", i, st.Method, st.Path, err)
					}
				}
			})
		}
	}
	s.clean(t)
}

func (s Server) clean(t *testing.T) {
	t.Helper()
	for _, ix := range [...]string{"t_a", "t_b"} {
		if _, _, err := s.send(t, http.MethodDelete, "/"+ix+"?ignore_unavailable=true", ""); err != nil {
			t.Fatal(err)
		}
	}
}

func (s Server) send(t *testing.T, method, path, body string) (int, []byte, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, s.URL+path, strings.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
		if strings.HasSuffix(req.URL.Path, "_bulk") || strings.HasSuffix(req.URL.Path, "_msearch") {
			req.Header.Set("Content-Type", "application/x-ndjson")
		}
	}
	if s.User != "" {
		req.SetBasicAuth(s.User, s.Password)
	}
	client := s.Client
	if client == nil {
		client = http.DefaultClient
	}
	res, err := client.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = res.Body.Close() }()
	out, err := io.ReadAll(res.Body)
	return res.StatusCode, out, err
}

func (s Server) step(t *testing.T, st Step) error {
	t.Helper()
	code, body, err := s.send(t, st.Method, st.Path, st.Body)
	if err != nil {
		return err
	}
	want := st.Status
	if want == 0 {
		want = http.StatusOK
	}
	if code != want {
		return fmt.Errorf("want status %d, got %d: %.600s", want, code, body)
	}
	if len(st.Want) == 0 && st.IDs == "" {
		return nil
	}
	var v any
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		return fmt.Errorf("decode %.300s: %w", body, err)
	}
	for path, exp := range st.Want {
		if err := check(v, path, exp); err != nil {
			return fmt.Errorf("%w in %.1000s", err, body)
		}
	}
	if st.IDs != "" {
		return checkIDs(v, st)
	}
	return nil
}

func check(v any, path, exp string) error {
	got, found := dig(v, path)
	if exp == "absent" {
		if found {
			return fmt.Errorf("%s: want nothing, got %v", path, got)
		}
		return nil
	}
	if !found {
		return fmt.Errorf("%s: want %s, got nothing", path, exp)
	}
	b, err := json.Marshal(got)
	if err != nil {
		return err
	}
	if string(b) != exp && !sameNumber(string(b), exp) {
		return fmt.Errorf("%s: want %s, got %s", path, exp, b)
	}
	return nil
}

func sameNumber(a, b string) bool {
	x, err1 := strconv.ParseFloat(a, 64)
	y, err2 := strconv.ParseFloat(b, 64)
	return err1 == nil && err2 == nil && x == y
}

// dig follows a path of names and positions; ~ stands for a dot in a name.
func dig(v any, path string) (any, bool) {
	for p := range strings.SplitSeq(path, ".") {
		p = strings.ReplaceAll(p, "~", ".")
		switch x := v.(type) {
		case map[string]any:
			next, ok := x[p]
			if !ok {
				return nil, false
			}
			v = next
		case []any:
			i, err := strconv.Atoi(p)
			if err != nil || i >= len(x) {
				return nil, false
			}
			v = x[i]
		default:
			return nil, false
		}
	}
	return v, true
}

func checkIDs(v any, st Step) error {
	hits, _ := dig(v, "hits.hits")
	list, _ := hits.([]any)
	var got []string
	for _, h := range list {
		id, _ := dig(h, "_id")
		got = append(got, fmt.Sprint(id))
	}
	want := strings.Fields(st.IDs)
	if st.IDs == "none" {
		want = nil
	}
	if st.Ordered && strings.Join(got, " ") != strings.Join(want, " ") {
		return fmt.Errorf("want hits %v in this order, got %v", want, got)
	}
	seen := map[string]bool{}
	for _, id := range got {
		seen[id] = true
	}
	for _, id := range want {
		if !seen[id] {
			return fmt.Errorf("want hits %v, got %v", want, got)
		}
	}
	if len(got) != len(want) {
		return fmt.Errorf("want hits %v, got %v", want, got)
	}
	return nil
}

// search is a step that searches t_a.
func search(body, ids string) Step {
	return Step{Method: http.MethodPost, Path: "/t_a/_search", Body: body, IDs: ids}
}

// q searches with a query.
func q(query, ids string) Step { return search(`{"size":50,"query":`+query+`}`, ids) }

// uri searches with a query string in the URL.
func uri(query, ids string) Step {
	return Step{Method: http.MethodGet, Path: "/t_a/_search?size=50&q=" + url.QueryEscape(query), IDs: ids}
}
