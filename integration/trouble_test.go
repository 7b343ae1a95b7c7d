//go:build integration

package integration

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// script runs one of scripts/real.
func script(t *testing.T, name string) {
	t.Helper()
	out, err := exec.Command(filepath.Join("..", "scripts", "real", name)).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", name, err, out)
	}
}

// A Kafka and a store that go away and come back cost nothing.
func TestRestartOfKafkaAndStore(t *testing.T) {
	s := allInOne(t, true)
	const n = 30_000
	appendFile(t, s.log(), lines(0, n/3))
	s.boot()
	time.Sleep(2 * time.Second)
	script(t, "elasticsearch/stop.sh")
	appendFile(t, s.log(), lines(n/3, 2*n/3))
	time.Sleep(2 * time.Second)
	script(t, "elasticsearch/start.sh")
	script(t, "kafka/stop.sh")
	appendFile(t, s.log(), lines(2*n/3, n))
	time.Sleep(2 * time.Second)
	script(t, "kafka/start.sh")
	s.arrives(n, 3*time.Minute)
	s.balanced()
	s.halt()
}

func (s *site) jobState(name string) (state, text string, err error) {
	var j struct {
		Job struct {
			Status struct{ State, Error string }
		}
	}
	err = s.call("GET", "/api/v1/jobs/"+name, nil, &j)
	return j.Job.Status.State, j.Job.Status.Error, err
}

// A document that the store refuses is handled as the statement says.
func TestFailureHandlers(t *testing.T) {
	for _, c := range []struct {
		handler string
		fails   bool
	}{{"ignore", false}, {"fail", true}, {"retry-rejected", true}} {
		t.Run(c.handler, func(t *testing.T) {
			s := allInOne(t, true)
			if err := s.ask("PUT", "/"+s.index, `{"mappings":{"properties":{"message":{"type":"long"}}}}`, nil); err != nil {
				t.Fatal(err)
			}
			sql := strings.Replace(s.job(), "'connector' = 'elasticsearch-7', 'hosts' =", "'failure-handler' = '"+c.handler+"', 'connector' = 'elasticsearch-7', 'hosts' =", 1)
			writeFile(t, filepath.Join(s.dir, s.index+".sql"), sql)
			appendFile(t, s.log(), "1\n2\nnot a number\n4\n")
			s.boot()
			if !c.fails {
				s.arrives(3, 60*time.Second)
				s.balanced()
				eventually(t, 20*time.Second, "the refused document is kept", func() error {
					got, err := s.listMessages("weirflow.deadletters." + s.index)
					if err == nil && len(got) != 1 {
						err = fmt.Errorf("%d dead letters", len(got))
					}
					return err
				})
				return
			}
			eventually(t, 60*time.Second, "the job fails with the store's words", func() error {
				state, text, err := s.jobState(s.index)
				if err == nil && (state != "JOB_STATE_FAILED" || !strings.Contains(text, "parsing_exception")) {
					err = fmt.Errorf("%s %q", state, text)
				}
				return err
			})
		})
	}
}

// Text that is hard to carry arrives, and costs its neighbours nothing.
func TestHardText(t *testing.T) {
	s := allInOne(t, false)
	long := strings.Repeat("0123456789abcdef", 10<<20/16-10)
	appendFile(t, s.log(), "first\ninvalid \xff\xfe utf-8\nnul \x00 byte\n\"quoted\" \\ and \ttab\n日本語 ✓\n"+long+"\nlast\n")
	s.boot()
	s.arrives(7, 90*time.Second)
	got := map[string]bool{}
	for _, m := range s.messages() {
		got[m] = true
	}
	for _, want := range []string{"first", "invalid �� utf-8", "nul \x00 byte", "\"quoted\" \\ and \ttab", "日本語 ✓", long, "last"} {
		if !got[want] {
			t.Errorf("lost: %.80q", want)
		}
	}
	s.balanced()
	s.halt()
}

// What is wrong is said with its place, and the exit code tells.
func TestClearErrors(t *testing.T) {
	dir := t.TempDir()
	p := freePorts(t, 6)
	ports := []string{"--gateway.listen", p[0], "--ingest.listen", p[1], "--kafka.listen", p[2], "--search.listen", p[3], "--admin.listen", p[4], "--alerting.listen", p[5], "--data-dir", filepath.Join(dir, "data")}
	l, err := net.Listen("tcp", p[2])
	if err != nil {
		t.Fatal(err)
	}
	run := func(args ...string) []string { return append([]string{"run"}, append(ports, args...)...) }
	file := func(name, text string) string { return writeFile(t, filepath.Join(dir, name), text) }
	for _, c := range []struct {
		name string
		args []string
		want []string
	}{
		{"taken port", run("--no-demo"), []string{p[2], "in use"}},
		{"unknown flag", run("--data-dri", "x"), []string{"--data-dri"}},
		{"unknown key", run("--config", file("c.yaml", "kafka:\n  lisen: x\n")), []string{"line 2", "lisen", `did you mean "listen"`}},
		{"broken YAML", run("--config", file("d.yaml", "kafka: [\n")), []string{"d.yaml"}},
		{"bad address", run("--gateway.listen", "8080"), []string{"gateway.listen", "host:port"}},
		{"gateway for all without a token", run("--no-demo", "--kafka.listen", freePorts(t, 1)[0], "--gateway.listen", "0.0.0.0:"+strings.Split(p[0], ":")[1]), []string{"gateway.token"}},
	} {
		t.Run(c.name, func(t *testing.T) { wrong(t, dir, c.args, c.want) })
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		args []string
		want []string
	}{
		{"agent: unknown key", run("-c", file("a.yml", "filebeat.inputs:\n- type: log\n  path: [/x]\noutput.console: {}\n")), []string{"path", `paths`, "3"}},
		{"agent: broken YAML", run("-c", file("b.yml", "filebeat.inputs: [\n")), []string{"b.yml"}},
		{"agent: no file", run("-c", filepath.Join(dir, "absent.yml")), []string{"absent.yml"}},
		{"SQL: syntax", run("--sql", file("s.sql", "CREATE TABLE t (a INT) WITH ('connector'='datagen');\nINSERT INTO t SELECT FROM t;\n")), []string{"line 2", "column"}},
		{"SQL: unknown column", run("--sql", file("u.sql", "CREATE TABLE t (alpha INT) WITH ('connector'='datagen');\nCREATE TABLE o (a INT) WITH ('connector'='blackhole');\nINSERT INTO o SELECT\n  alhpa FROM t;\n")), []string{"line 4", "column 3", "alhpa", "alpha"}},
		{"SQL: unknown option", run("--sql", file("o.sql", "CREATE TABLE t (a INT) WITH ('connector'='kafka','topik'='x','properties.bootstrap.servers'='127.0.0.1:1','format'='json');\nCREATE TABLE o (a INT) WITH ('connector'='blackhole');\nINSERT INTO o SELECT a FROM t;\n")), []string{"topik", "topic"}},
	} {
		t.Run(c.name, func(t *testing.T) { wrong(t, dir, c.args, c.want) })
	}
	if _, err := os.Stat(filepath.Join(dir, "data", "alerting", "metrics", "data", "lock")); !os.IsNotExist(err) {
		t.Errorf("one that did not start leaves the lock of the metrics behind: %v", err)
	}
}

func wrong(t *testing.T, dir string, args, want []string) {
	t.Helper()
	p := launch(t, dir, "weirflow", args...)
	code := p.exits(60 * time.Second)
	text := p.err.String()
	if code == 0 {
		t.Errorf("exit code 0; it says %s", text)
	}
	rows := strings.Split(strings.TrimSpace(text), "\n")
	last := rows[len(rows)-1]
	for _, w := range want {
		if !strings.Contains(last, w) {
			t.Errorf("the error does not say %q: %s", w, last)
		}
	}
	if strings.Contains(text, "goroutine ") {
		t.Errorf("it crashes: %s", text)
	}
}

// The README's first five minutes, with default names on ports of its own.
func TestDemonstration(t *testing.T) {
	dir := t.TempDir()
	p := freePorts(t, 6)
	s := &site{t: t, dir: dir, user: "elastic", gateway: "http://" + p[0], search: "http://" + p[3], index: "oceanus_test2"}
	args := []string{"run", "--gateway.listen", p[0], "--ingest.listen", p[1], "--kafka.listen", p[2], "--search.listen", p[3], "--admin.listen", p[4], "--alerting.listen", p[5]}
	start := time.Now()
	w := launch(t, dir, "weirflow", args...)
	eventually(t, 5*time.Second, "documents are there", func() error {
		b, err := os.ReadFile(filepath.Join(dir, "data", "search-password"))
		if err != nil {
			return err
		}
		s.pass = strings.TrimSpace(string(b))
		n, err := s.count("oceanus_test2")
		if err == nil && n == 0 {
			err = errors.New("no documents")
		}
		return err
	})
	t.Logf("first documents after %s", time.Since(start))
	if out := w.out.String(); !strings.Contains(out, s.pass) || !strings.Contains(out, "http://"+p[0]) {
		t.Errorf("the announcement shows neither password nor addresses: %s", out)
	}
	var found struct {
		Hits struct {
			Hits []struct {
				Source struct {
					ID      string   `json:"id"`
					IP      []string `json:"ip"`
					Path    string   `json:"path"`
					Message string   `json:"message"`
				} `json:"_source"`
			} `json:"hits"`
		} `json:"hits"`
	}
	if err := s.ask("GET", "/oceanus_test2/_search", `{"query":{"match_all":{}},"size":10}`, &found); err != nil {
		t.Fatal(err)
	}
	if h := found.Hits.Hits; len(h) == 0 || h[0].Source.ID == "" || len(h[0].Source.IP) == 0 || h[0].Source.Path == "" {
		t.Errorf("documents lack host id, addresses or path: %+v", h)
	}
	if _, err := exec.LookPath("kcat"); err != nil {
		t.Error("kcat is not installed")
	} else if out, err := exec.Command("kcat", "-C", "-b", p[2], "-t", "topic-app-info", "-o", "beginning", "-e", "-q", "-c", "3").CombinedOutput(); err != nil || strings.Count(string(out), `"@timestamp"`) != 3 {
		t.Errorf("kcat: %v %s", err, out)
	}
	if strings.Contains(w.err.String(), s.pass) {
		t.Error("the password is in the logs")
	}
	before, err := s.count("oceanus_test2")
	if err != nil {
		t.Fatal(err)
	}
	if code := w.stop(); code != 0 {
		t.Errorf("exit code %d after an interrupt", code)
	}
	w = launch(t, dir, "weirflow", args...)
	eventually(t, 15*time.Second, "the second start goes on", func() error {
		n, err := s.count("oceanus_test2")
		if err == nil && n <= before {
			err = fmt.Errorf("%d documents, %d before", n, before)
		}
		return err
	})
	if strings.Contains(w.out.String(), s.pass) {
		t.Error("the password is shown again")
	}
	s.balanced()
	if code := w.stop(); code != 0 {
		t.Errorf("exit code %d after an interrupt", code)
	}
}
