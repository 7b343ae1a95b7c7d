package cli_test

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/spf13/cobra"

	"github.com/weirflow/weirflow/gateway/cli"
)

// server is as much of the API as the commands need, with what it was asked.
type server struct {
	mu       sync.Mutex
	jobs     map[string]map[string]any
	policies map[string]map[string]any
	asked    []string
	auth     string // of the last request
}

func (s *server) job(name, sql string) {
	s.jobs[name] = map[string]any{"name": name, "sql": sql, "running": true, "status": map[string]any{"state": "JOB_STATE_RUNNING", "ledger": map[string]any{"in": "12345", "out": "12345"},
		"sources": []any{map[string]any{"lag": "1203", "lagMillis": "4000"}}}}
}

func answer(w http.ResponseWriter, v any) { _ = json.NewEncoder(w).Encode(v) }

func refuse(w http.ResponseWriter, status, code int, message string) {
	w.WriteHeader(status)
	answer(w, map[string]any{"code": code, "message": message, "details": []any{}})
}

func values(m map[string]map[string]any) []any {
	var out []any
	for _, k := range slices.Sorted(maps.Keys(m)) {
		out = append(out, m[k])
	}
	return out
}

func (s *server) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/v1/jobs", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("pageToken") == "" { // in two pages
			answer(w, map[string]any{"jobs": []any{}, "nextPageToken": "second"})
			return
		}
		answer(w, map[string]any{"jobs": values(s.jobs)})
	})
	mux.HandleFunc("POST /api/v1/jobs", func(w http.ResponseWriter, r *http.Request) {
		var req struct{ Name, SQL string }
		_ = json.NewDecoder(r.Body).Decode(&req)
		s.job(req.Name, req.SQL)
		answer(w, map[string]any{"job": s.jobs[req.Name]})
	})
	mux.HandleFunc("POST /api/v1/jobs:validate", func(w http.ResponseWriter, r *http.Request) {
		var req struct{ SQL, Job string }
		_ = json.NewDecoder(r.Body).Decode(&req)
		if strings.Contains(req.SQL, "SELEC ") {
			answer(w, map[string]any{"problems": []any{map[string]any{"line": 1, "column": 1, "message": "SELEC is not known", "hint": "SELECT?"}}})
			return
		}
		res := map[string]any{"valid": true, "plan": "Scan"}
		if req.Job != "" {
			res["effect"] = "EFFECT_REBUILD"
			res["changes"] = []any{map[string]any{"effect": "EFFECT_REBUILD", "operator": "window", "reason": "its size is another"}}
		}
		answer(w, res)
	})
	mux.HandleFunc("DELETE /api/v1/jobs/{name}", func(w http.ResponseWriter, r *http.Request) {
		if s.jobs[r.PathValue("name")] == nil {
			refuse(w, http.StatusNotFound, 5, `job "`+r.PathValue("name")+`": there is no job of this name`)
			return
		}
		delete(s.jobs, r.PathValue("name"))
		answer(w, map[string]any{})
	})
	mux.HandleFunc("GET /api/v1/policies", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, map[string]any{"policies": values(s.policies)})
	})
	mux.HandleFunc("PUT /api/v1/policies/{name}", func(w http.ResponseWriter, r *http.Request) {
		p := map[string]any{}
		_ = json.NewDecoder(r.Body).Decode(&p)
		s.policies[r.PathValue("name")] = p
		answer(w, map[string]any{"policy": p, "expr": "up == 0"})
	})
	mux.HandleFunc("GET /api/v1/topics/{topic}/messages", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, map[string]any{"messages": []any{
			map[string]any{"partition": 0, "offset": "7", "timestamp": "2026-01-01T00:00:02Z", "text": "second\x1b[31m\nline"},
			map[string]any{"partition": 1, "offset": "3", "timestamp": "2026-01-01T00:00:01Z", "text": "first"},
		}})
	})
	mux.HandleFunc("GET /api/v1/topics/{rest...}", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, map[string]any{"result": map[string]any{"messages": []any{map[string]any{"text": "one"}, map[string]any{"text": "two"}}}})
		answer(w, map[string]any{"result": map[string]any{"messages": []any{map[string]any{"text": "three"}}}})
		answer(w, map[string]any{"error": map[string]any{"code": 14, "message": "kafka is gone"}})
	})
	mux.HandleFunc("POST /api/v1/jobs/{job}/deadletters:replay", func(w http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		s.asked = append(s.asked, string(text))
		answer(w, map[string]any{"replayed": "2", "skipped": "1"})
	})
	mux.HandleFunc("GET /api/v1/search/{index}/_field_caps", func(w http.ResponseWriter, r *http.Request) {
		fields := map[string]any{"message": map[string]any{"text": map[string]any{}}, "bytes": map[string]any{"long": map[string]any{}}}
		if r.PathValue("index") == "logs" {
			fields["seen"], fields["at"] = map[string]any{"date": map[string]any{}}, map[string]any{"date_nanos": map[string]any{}}
		}
		answer(w, map[string]any{"fields": fields})
	})
	mux.HandleFunc("POST /api/v1/search/{index}/_search", func(w http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		s.asked = append(s.asked, string(text))
		if r.PathValue("index") == "broken" {
			w.WriteHeader(http.StatusBadRequest)
			answer(w, map[string]any{"status": 400, "error": map[string]any{"reason": "all shards failed", "root_cause": []any{map[string]any{"reason": "the query can't be read"}}}})
			return
		}
		answer(w, map[string]any{"hits": map[string]any{"total": map[string]any{"value": 0}, "hits": []any{}}})
	})
	mux.HandleFunc("POST /api/v1/tokens", func(w http.ResponseWriter, r *http.Request) {
		if name, password, _ := r.BasicAuth(); name != "ann" || password != "right horse" {
			refuse(w, http.StatusUnauthorized, 16, "name or password is wrong")
			return
		}
		answer(w, map[string]any{"token": map[string]any{"id": "x", "expiresAt": "2027-01-01T00:00:00Z"}, "secret": "wf_secret"})
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.asked, s.auth = append(s.asked, r.Method+" "+r.URL.Path), r.Header.Get("Authorization")
		mux.ServeHTTP(w, r)
	})
}

// start runs the API and sends the commands there.
func start(t *testing.T) *server {
	t.Helper()
	s := &server{jobs: map[string]map[string]any{}, policies: map[string]map[string]any{}}
	h := httptest.NewServer(s.handler())
	t.Cleanup(h.Close)
	t.Setenv("WEIRFLOW_CLI_CONFIG", filepath.Join(t.TempDir(), "cli.yaml"))
	t.Setenv("WEIRFLOW_SERVER", h.URL)
	t.Setenv("WEIRFLOW_TOKEN", "")
	t.Setenv("WEIRFLOW_CONTEXT", "")
	return s
}

// run is what a command prints; stdin is what it reads.
func run(t *testing.T, stdin string, args ...string) (string, error) {
	t.Helper()
	root := &cobra.Command{Use: "weirflow", SilenceUsage: true, SilenceErrors: true}
	root.AddCommand(cli.Commands()...)
	var out bytes.Buffer
	root.SetOut(&out)
	root.SetErr(&out)
	root.SetIn(strings.NewReader(stdin))
	root.SetArgs(args)
	err := root.ExecuteContext(t.Context())
	return out.String(), err
}

func must(t *testing.T, stdin string, args ...string) string {
	t.Helper()
	out, err := run(t, stdin, args...)
	if err != nil {
		t.Fatalf("weirflow %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

func write(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestForms(t *testing.T) {
	s := start(t)
	s.job("errors", "INSERT INTO b SELECT 1")
	if out := must(t, "", "jobs", "list"); !strings.Contains(out, "errors  RUNNING  12,345  12,345  0     1,203  4s") {
		t.Errorf("table:\n%s", out)
	}
	var js struct {
		Jobs []struct{ Name string }
	}
	if out := must(t, "", "jobs", "list", "-o", "json"); json.Unmarshal([]byte(out), &js) != nil || len(js.Jobs) != 1 || js.Jobs[0].Name != "errors" {
		t.Errorf("json:\n%s", out)
	}
	if out := must(t, "", "jobs", "list", "-o", "yaml"); !strings.Contains(out, "- name: errors") {
		t.Errorf("yaml:\n%s", out)
	}
	if _, err := run(t, "", "jobs", "list", "-o", "jsn"); err == nil || !strings.Contains(err.Error(), `"json"`) {
		t.Errorf("a mistyped form: %v", err)
	}
}

func TestMessagesAreSafeToPrint(t *testing.T) {
	start(t)
	if out := must(t, "", "messages", "t", "-n", "2"); out != "first\nsecond[31m line\n" {
		t.Errorf("%q", out)
	}
	if out := must(t, "", "messages", "t", "-n", "1"); out != "second[31m line\n" {
		t.Errorf("the last one is %q", out)
	}
}

func TestFollowEndsWithTheStream(t *testing.T) {
	start(t)
	out, err := run(t, "", "messages", "t", "--follow")
	if out != "one\ntwo\nthree\n" || err == nil || err.Error() != "kafka is gone" {
		t.Errorf("%q, %v", out, err)
	}
	if out := must(t, "", "messages", "t", "--follow", "-n", "2"); out != "one\ntwo\n" {
		t.Errorf("two: %q", out)
	}
}

func TestErrorsSayWhatToDo(t *testing.T) {
	start(t)
	for _, c := range []struct {
		name string
		args []string
		want string
	}{
		{"no such job", []string{"jobs", "delete", "x", "--yes"}, "there is no job of this name"},
		{"not asked", []string{"deadletters", "replay", "errors"}, "which letters?"},
		{"ids and filter", []string{"deadletters", "replay", "errors", "0-1", "--all"}, "not both"},
		{"no server", []string{"status", "--server", "http://127.0.0.1:1"}, "is it running (weirflow run)"},
		{"no address", []string{"status", "--server", "weirflow"}, "is not an address"},
		{"no context", []string{"status", "--context", "prod"}, `there is no context "prod"`},
		{"no time", []string{"messages", "t", "--since", "yesterday"}, `"yesterday" is neither`},
		{"no answer", []string{"jobs", "delete", "x"}, "read the answer"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if out, err := run(t, "", c.args...); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

func TestLoginKeepsATokenThatNobodyElseReads(t *testing.T) {
	s := start(t)
	if _, err := run(t, "wrong\n", "login", "--user", "ann"); err == nil || !strings.Contains(err.Error(), "name or password is wrong") {
		t.Errorf("a wrong password: %v", err)
	}
	must(t, "right horse\n", "login", "--user", "ann", "--as", "here")
	info, err := os.Stat(os.Getenv("WEIRFLOW_CLI_CONFIG"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("contexts are kept as %v, %v", info.Mode(), err)
	}
	must(t, "", "jobs", "list")
	if s.auth != "Bearer wf_secret" {
		t.Errorf("the request brought %q", s.auth)
	}
	if out := must(t, "", "context", "list"); strings.Contains(out, "wf_secret") || !strings.Contains(out, "*") {
		t.Errorf("contexts:\n%s", out)
	}
	// A token goes to no other server.
	other := httptest.NewServer(s.handler())
	defer other.Close()
	must(t, "", "jobs", "list", "--server", other.URL)
	if s.auth != "" {
		t.Errorf("another server got %q", s.auth)
	}
}

func TestApplyMakesTheServerEqual(t *testing.T) {
	s := start(t)
	s.job("kept", "INSERT INTO b SELECT 1;")
	s.job("old", "INSERT INTO b SELECT 2;")
	s.job("changed", "CREATE TABLE a (x INT) WITH ('properties.sasl.password' = '******');\nINSERT INTO b SELECT 3;")
	t.Setenv("SECRET_PASSWORD", "hush-hush")
	dir := t.TempDir()
	write(t, dir, map[string]string{
		"jobs/kept.sql":      "INSERT INTO b SELECT 1;\n",
		"jobs/changed.sql":   "CREATE TABLE a (x INT) WITH ('properties.sasl.password' = '${SECRET_PASSWORD}');\nINSERT INTO b SELECT 4;\n",
		"jobs/new.sql":       "INSERT INTO b SELECT 5 WHERE s LIKE '$${x}';\n",
		"jobs/new.test.yaml": "tests: []",
		"policies/down.yaml": "promql: {expr: up == 0}\nfor: 300s\nseverity: critical\n",
		".git/x.sql":         "no",
	})
	out := must(t, "", "apply", "-f", dir, "--dry-run")
	for _, want := range []string{"~ job changed", "state: rebuild", "its size is another", "-INSERT INTO b SELECT 3;", "+INSERT INTO b SELECT 4;", "+ job new", "+ policy down", "left alone: job old", "2 to make, 1 to change, 0 to delete"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is missing in\n%s", want, out)
		}
	}
	if strings.Contains(out, "hush") || strings.Contains(out, "job kept") || strings.Contains(out, ".git") {
		t.Errorf("what should not be there:\n%s", out)
	}
	if len(s.jobs) != 3 || len(s.policies) != 0 {
		t.Error("a dry run changed something")
	}
	if out, err := run(t, "no\n", "apply", "-f", dir); err == nil || !strings.Contains(err.Error(), "nothing was done") || len(s.policies) != 0 {
		t.Errorf("an answer of no: %v\n%s", err, out)
	}
	must(t, "yes\n", "apply", "-f", dir, "--prune")
	if s.jobs["old"] != nil || s.policies["down"] == nil || s.jobs["new"]["sql"] != "INSERT INTO b SELECT 5 WHERE s LIKE '${x}';\n" || !strings.Contains(s.jobs["changed"]["sql"].(string), "hush-hush") {
		t.Errorf("the server has %v, %v", s.jobs, s.policies)
	}
	if out := must(t, "", "apply", "-f", dir, "--prune"); !strings.Contains(out, "nothing differs") {
		t.Errorf("again:\n%s", out)
	}
}

func TestApplyChangesNothingWhenAFileIsWrong(t *testing.T) {
	s := start(t)
	dir := t.TempDir()
	write(t, dir, map[string]string{"jobs/good.sql": "INSERT INTO b SELECT 1;", "jobs/bad.sql": "SELEC 1"})
	if out, err := run(t, "", "apply", "-f", dir, "--yes"); err == nil || !strings.Contains(err.Error(), "bad.sql:1:1: SELEC is not known (SELECT?)") || len(s.jobs) != 0 {
		t.Errorf("%v\n%s", err, out)
	}
	for name, c := range map[string]struct {
		files map[string]string
		want  string
	}{
		"unknown field":   {map[string]string{"policies/a.yaml": "promq: {}"}, "a.yaml"},
		"another name":    {map[string]string{"policies/a.yaml": "name: b\npromql: {expr: up}"}, "one name"},
		"no variable":     {map[string]string{"jobs/a.sql": "\nSELECT '${NO_SUCH_VARIABLE}'"}, "a.sql:2: the variable NO_SUCH_VARIABLE is not set"},
		"nothing":         {map[string]string{"readme.md": "x"}, "has none of"},
		"two of one name": {map[string]string{"a.sql": "x", "jobs/a.sql": "y"}, "already"},
	} {
		dir := t.TempDir()
		write(t, dir, c.files)
		if _, err := run(t, "", "apply", "-f", dir, "--yes"); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSearchFindsTheTimeOfAnIndex(t *testing.T) {
	s := start(t)
	last := func() string { return strings.TrimSpace(s.asked[len(s.asked)-1]) }
	must(t, "", "search", "logs")
	if !strings.Contains(last(), `"sort":[{"at":`) {
		t.Errorf("asked %s", last())
	}
	must(t, "", "search", "logs", "--time-field", "seen", "--since", "5m")
	if !strings.Contains(last(), `"sort":[{"seen":`) || !strings.Contains(last(), `"range":{"seen":`) {
		t.Errorf("asked %s", last())
	}
	must(t, "", "search", "plain")
	if !strings.Contains(last(), `"sort":[]`) {
		t.Errorf("asked %s", last())
	}
	if _, err := run(t, "", "search", "plain", "--since", "5m"); err == nil || !strings.Contains(err.Error(), "--time-field") {
		t.Errorf("err = %v", err)
	}
	if _, err := run(t, "", "search", "broken"); err == nil || !strings.Contains(err.Error(), "the query can't be read") {
		t.Errorf("err = %v", err)
	}
}

func TestReplayNamesWhatIsMeant(t *testing.T) {
	s := start(t)
	out := must(t, "", "deadletters", "replay", "errors", "--error-type", "parse_error")
	if !strings.Contains(out, "2 replayed, 1 skipped, 0 failed") || !strings.Contains(strings.ReplaceAll(strings.Join(s.asked, "\n"), " ", ""), `"filter":{"errorType":"parse_error"}`) {
		t.Errorf("%s\n%q", out, s.asked)
	}
}
